//! Exec and attach: the streams of a command over one WebSocket, `v5.channel.k8s.io` or `v4.channel.k8s.io`.
//!
//! Each message is binary, its first byte the channel: 0 stdin, 1 stdout, 2 stderr, 3 the `Status` at the end, 4 resize.
//! With version 5, channel 255 closes the channel that its second byte names; without, stdin ends with the socket.
//!
//! A client that goes away takes its stdin with it, and hangs up a terminal; a command without one runs on until its
//! container ends, as in a real container.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use http::{Request, Response};
use hyper::body::{Bytes, Incoming};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::{self, Message};

use super::Body;
use super::container::{Container, Session};
use super::process::Stream;
use super::query::Query;
use super::terminal::Terminal;
use super::websocket::{self, WebSocket};

const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const STATUS: u8 = 3;
const RESIZE: u8 = 4;
const CLOSE: u8 = 255;

const PROTOCOLS: &[&str] = &["v5.channel.k8s.io", "v4.channel.k8s.io"];

/// Which streams the client asked for.
#[derive(Clone, Copy)]
struct Wanted {
    stdin: bool,
    stdout: bool,
    stderr: bool,
    tty: bool,
}

pub(super) fn exec(request: &mut Request<Incoming>, container: Arc<Container>, query: &Query) -> Response<Body> {
    let argv: Vec<String> = query.all("command").map(str::to_owned).collect();
    let wanted = Wanted::of(query);
    serve(request, wanted, move || {
        if !container.is_running() {
            return Err(internal_error(format!("container {:?} is not running", container.name)));
        }
        container.exec(&argv, wanted.stdin, wanted.tty).map_err(|error| {
            let program = argv.first().map_or("", String::as_str);
            internal_error(format!(
                "error executing command in container: exec: {program:?}: {error}"
            ))
        })
    })
}

pub(super) fn attach(request: &mut Request<Incoming>, container: Arc<Container>, query: &Query) -> Response<Body> {
    serve(request, Wanted::of(query), move || Ok(container.attach()))
}

impl Wanted {
    fn of(query: &Query) -> Self {
        let tty = query.is_set("tty");
        // A terminal has one output.
        let stderr = query.is_set("error") && !tty;
        Self {
            stdin: query.is_set("input"),
            stdout: query.is_set("output"),
            stderr,
            tty,
        }
    }
}

/// Upgrades, and then begins: what can't be begun is told on the status channel, as a real kubelet does.
fn serve(
    request: &mut Request<Incoming>,
    wanted: Wanted,
    begin: impl FnOnce() -> Result<Session, Value> + Send + 'static,
) -> Response<Body> {
    websocket::accept(request, PROTOCOLS, move |socket| async move {
        match begin() {
            Ok(session) => run(socket, wanted, session).await,
            Err(status) => {
                let (mut sink, source) = socket.split();
                if finish(&mut sink, &status).await.is_ok() {
                    wait_for_close(source).await;
                }
            }
        }
    })
}

async fn run(socket: WebSocket, wanted: Wanted, session: Session) {
    let Session {
        input,
        mut output,
        terminal,
        exit,
        group,
    } = session;
    let (sink, mut source) = socket.split();
    let input = input.filter(|_| wanted.stdin);
    let done = tokio::select! {
        done = send(sink, wanted, &mut output, exit) => done.is_ok(),
        () = receive(&mut source, input, terminal.clone()) => false,
    };
    if done {
        wait_for_close(source).await;
        return;
    }
    if let Some(group) = group.filter(|_| terminal.is_some()) {
        group.signal(Signal::SIGHUP);
    }
    // Nobody reads it any more; the command must not stall on a full pipe.
    while output.recv().await.is_some() {}
}

/// What the client sends; returns when it is gone.
async fn receive(
    source: &mut SplitStream<WebSocket>,
    mut input: Option<mpsc::Sender<Bytes>>,
    tty: Option<Arc<Terminal>>,
) {
    // Past the client's close frame: its answer goes out with the next read, which is the last.
    while let Some(Ok(message)) = source.next().await {
        let Message::Binary(mut frame) = message else { continue };
        if frame.is_empty() {
            continue;
        }
        let payload = frame.split_off(1);
        match frame.first() {
            Some(&STDIN) => {
                // Waits when the command does not read: so does the client, through TCP.
                if let Some(pipe) = &input
                    && !payload.is_empty()
                    && pipe.send(payload).await.is_err()
                {
                    input = None;
                }
            }
            Some(&RESIZE) => {
                if let (Some(tty), Ok(size)) = (&tty, serde_json::from_slice::<Value>(&payload)) {
                    let side = |name| {
                        size.get(name)
                            .and_then(Value::as_u64)
                            .and_then(|side| u16::try_from(side).ok())
                    };
                    if let (Some(rows), Some(columns)) = (side("Height"), side("Width")) {
                        tty.resize(rows, columns);
                    }
                }
            }
            Some(&CLOSE) if payload.first() == Some(&STDIN) => input = None,
            _ => {}
        }
    }
}

/// What the client gets; returns after the status.
async fn send(
    mut sink: SplitSink<WebSocket, Message>,
    wanted: Wanted,
    output: &mut mpsc::Receiver<(Stream, Bytes)>,
    mut exit: futures_util::future::BoxFuture<'static, i32>,
) -> Result<(), tungstenite::Error> {
    // A real kubelet says with an empty message that the streams are up.
    let first = if wanted.stdout {
        STDOUT
    } else if wanted.stderr {
        STDERR
    } else {
        STATUS
    };
    sink.send(frame(first, b"")).await?;
    let mut code = None;
    loop {
        tokio::select! {
            biased;
            chunk = output.recv() => match chunk {
                Some((Stream::Stdout, chunk)) if wanted.stdout => sink.send(frame(STDOUT, &chunk)).await?,
                Some((Stream::Stderr, chunk)) if wanted.stderr => sink.send(frame(STDERR, &chunk)).await?,
                Some(_) => {}
                None => break,
            },
            exited = &mut exit, if code.is_none() => code = Some(exited),
            // A child of the command that keeps its output open does not keep the client.
            () = tokio::time::sleep(Duration::from_millis(500)), if code.is_some() => break,
        }
    }
    let code = match code {
        Some(code) => code,
        None => exit.await,
    };
    finish(&mut sink, &status(code)).await
}

async fn finish(sink: &mut SplitSink<WebSocket, Message>, status: &Value) -> Result<(), tungstenite::Error> {
    sink.send(frame(STATUS, status.to_string().as_bytes())).await?;
    sink.send(websocket::close()).await
}

/// A socket that is closed before its peer has read to the end loses what it has not read.
async fn wait_for_close(mut source: SplitStream<WebSocket>) {
    let drained = async { while let Some(Ok(_)) = source.next().await {} };
    let _ = tokio::time::timeout(Duration::from_secs(5), drained).await;
}

fn frame(channel: u8, payload: &[u8]) -> Message {
    Message::Binary([&[channel], payload].concat().into())
}

fn status(code: i32) -> Value {
    if code == 0 {
        return json!({"metadata": {}, "status": "Success"});
    }
    json!({
        "metadata": {},
        "status": "Failure",
        "reason": "NonZeroExitCode",
        "message": format!("command terminated with non-zero exit code: exit status {code}"),
        "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]},
    })
}

fn internal_error(message: String) -> Value {
    json!({
        "metadata": {},
        "status": "Failure",
        "reason": "InternalError",
        "message": format!("Internal error occurred: {message}"),
        "details": {"causes": [{"message": message}]},
        "code": 500,
    })
}
