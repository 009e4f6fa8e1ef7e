//! Port-forward over a WebSocket, `v4.channel.k8s.io`: for the n-th port, channel 2n is data and 2n + 1 an error text.
//! The first message on each channel is the port's number. A pod's port is that port of 127.0.0.1.

use std::net::Ipv4Addr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http::{Request, Response, StatusCode};
use hyper::body::{Bytes, Incoming};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

use super::query::Query;
use super::websocket::{self, WebSocket};
use super::{Body, text};

pub(super) fn answer(request: &mut Request<Incoming>, query: &Query) -> Response<Body> {
    // The API server joins the ports of one request with commas.
    let ports: Result<Vec<u16>, _> = query
        .all("port")
        .flat_map(|list| list.split(','))
        .map(str::parse)
        .collect();
    let ports = match ports {
        Ok(ports) if (1..=100).contains(&ports.len()) => ports,
        _ => {
            return text(
                StatusCode::BAD_REQUEST,
                "query parameter \"port\" is required: numbers of ports\n",
            );
        }
    };
    websocket::accept(request, &["v4.channel.k8s.io"], move |socket| run(socket, ports))
}

async fn run(socket: WebSocket, ports: Vec<u16>) {
    let (mut sink, mut source) = socket.split();
    let (send, mut frames) = mpsc::channel::<(u8, Bytes)>(16);
    let mut inputs = Vec::new();
    for (channel, port) in (0u8..).step_by(2).zip(ports) {
        for channel in [channel, channel + 1] {
            if sink.send(message(channel, &port.to_le_bytes())).await.is_err() {
                return;
            }
        }
        let (input, chunks) = mpsc::channel(16);
        inputs.push(input);
        tokio::spawn(forward(port, channel, chunks, send.clone()));
    }
    drop(send); // So that the frames end when the last connection has.
    let outgoing = async {
        while let Some((channel, bytes)) = frames.recv().await {
            if sink.send(message(channel, &bytes)).await.is_err() {
                return;
            }
        }
        let _ = sink.send(websocket::close()).await;
    };
    let incoming = async {
        // Past the client's close frame: its answer goes out with the next read, which is the last.
        while let Some(Ok(received)) = source.next().await {
            let Message::Binary(mut frame) = received else { continue };
            if frame.is_empty() {
                continue;
            }
            let payload = frame.split_off(1);
            let channel = frame.first().copied().unwrap_or_default();
            // What comes on an error channel, or for a connection that has ended, has no taker.
            if channel % 2 == 0
                && let Some(input) = inputs.get(usize::from(channel / 2))
            {
                let _ = input.send(payload).await;
            }
        }
    };
    // Either way `inputs` go, and with them the connections.
    tokio::select! {
        () = outgoing => {}
        () = incoming => return,
    }
    let drained = async { while let Some(Ok(_)) = source.next().await {} };
    let _ = tokio::time::timeout(Duration::from_secs(5), drained).await;
}

/// One connection, until the container's side closes it or the client is gone.
async fn forward(port: u16, channel: u8, mut chunks: mpsc::Receiver<Bytes>, frames: mpsc::Sender<(u8, Bytes)>) {
    let mut connection = match TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
        Ok(connection) => connection,
        Err(error) => {
            let said = format!("error forwarding port {port} to pod: {error}");
            let _ = frames.send((channel + 1, said.into())).await;
            return;
        }
    };
    let (mut read, mut write) = connection.split();
    let from_container = async {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(read @ 1..) = read.read(&mut buffer).await {
            let chunk = Bytes::copy_from_slice(buffer.get(..read).unwrap_or_default());
            if frames.send((channel, chunk)).await.is_err() {
                return;
            }
        }
    };
    let to_container = async {
        while let Some(chunk) = chunks.recv().await {
            if write.write_all(&chunk).await.is_err() {
                // It does not read on, but may still write.
                return std::future::pending().await;
            }
        }
    };
    tokio::select! {
        () = from_container => {}
        () = to_container => {}
    }
}

fn message(channel: u8, payload: &[u8]) -> Message {
    Message::Binary([&[channel], payload].concat().into())
}
