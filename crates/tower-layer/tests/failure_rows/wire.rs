//! Mask, as bytes on a connection: lengths, ends and trailers of what was masked.

use bytes::Bytes;
use countersign_tower::Body;
use http::{HeaderMap, Request};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tower::Service as _;

use crate::harness::{Answer, World};

const SECRETS: &str = "/api/v1/namespaces/team-a/secrets";

/// What came over the connection until the server closed it.
struct Received {
    head: String,
    body: Vec<u8>,
}

impl Received {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The chunks of a body, and what follows the last one; `None` if it is cut.
    fn chunks(&self) -> Option<(Vec<u8>, &[u8])> {
        let (mut rest, mut whole) = (self.body.as_slice(), Vec::new());
        loop {
            let end = rest.windows(2).position(|window| window == b"\r\n")?;
            let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
            rest = &rest[end + 2..];
            if size == 0 {
                return Some((whole, rest));
            }
            whole.extend_from_slice(rest.get(..size)?);
            rest = rest.get(size + 2..)?;
        }
    }
}

/// Sends one request to the guard as a server, over TCP.
async fn over_tcp(world: &World, method: &str, target: &str) -> Received {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let guard = world.service.clone();
    let serving = async move {
        let (stream, _) = listener.accept().await.unwrap();
        let service = service_fn(move |request: Request<Incoming>| guard.clone().call(request));
        // A body that is aborted ends the connection with an error.
        let _ = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await;
    };
    let asking = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("{method} {target} HTTP/1.1\r\nhost: guard\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut received = Vec::new();
        stream.read_to_end(&mut received).await.unwrap();
        received
    };
    let ((), received) = tokio::join!(serving, asking);
    let end = received.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    Received {
        head: String::from_utf8(received[..end].to_vec()).unwrap(),
        body: received[end + 4..].to_vec(),
    }
}

fn list(items: usize) -> String {
    let item = |n| {
        format!(
            r#"{{"metadata":{{"name":"s-{n}","labels":{{"pad":"{}"}}}},"data":{{"a":"czNjcmV0"}}}}"#,
            "x".repeat(200)
        )
    };
    let items: Vec<String> = (0..items).map(item).collect();
    format!(
        r#"{{"kind":"SecretList","apiVersion":"v1","metadata":{{}},"items":[{}]}}"#,
        items.join(",")
    )
}

/// A body in these chunks, with trailers behind it.
fn with_trailers(chunks: &[&str]) -> Body {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-secret", "s3cret".parse().unwrap());
    let frames: Vec<_> = chunks
        .iter()
        .map(|chunk| Frame::data(Bytes::copy_from_slice(chunk.as_bytes())))
        .chain([Frame::trailers(trailers)])
        .map(Ok)
        .collect();
    StreamBody::new(futures_util::stream::iter(frames)).boxed_unsync()
}

#[tokio::test]
async fn a_short_answer_has_the_length_of_its_masked_body() {
    let text = list(2);
    let answer = Answer::json(200, text.clone()).with_header("content-length", &text.len().to_string());
    let world = World::answering([answer]);
    let received = over_tcp(&world, "GET", SECRETS).await;
    assert_eq!(
        received.header("content-length"),
        Some(received.body.len().to_string().as_str())
    );
    assert_ne!(received.body.len(), text.len());
    assert_eq!(received.header("transfer-encoding"), None);
    serde_json::from_slice::<serde_json::Value>(&received.body).unwrap();
}

#[tokio::test]
async fn a_long_answer_has_no_length_and_ends_properly() {
    let text = list(1_000);
    let answer = Answer::json(200, text.clone()).with_header("content-length", &text.len().to_string());
    let world = World::answering([answer]);
    let received = over_tcp(&world, "GET", SECRETS).await;
    assert_eq!(received.header("content-length"), None);
    assert_eq!(received.header("transfer-encoding"), Some("chunked"));
    let (whole, after) = received.chunks().unwrap();
    assert_eq!(after, b"\r\n");
    let masked: serde_json::Value = serde_json::from_slice(&whole).unwrap();
    assert_eq!(masked["items"].as_array().unwrap().len(), 1_000);
}

#[tokio::test]
async fn trailers_stay_behind() {
    for items in [2, 1_000] {
        let answer = Answer::streaming(200, "application/json", with_trailers(&[&list(items)]));
        let world = World::answering([answer.with_header("trailer", "x-secret")]);
        let received = over_tcp(&world, "GET", SECRETS).await;
        let text = String::from_utf8_lossy(&received.body).into_owned();
        assert!(
            !received.head.contains("railer") && !text.contains("s3cret"),
            "{}",
            received.head
        );
    }
}

#[tokio::test]
async fn an_answer_that_is_aborted_is_cut() {
    let text = list(1_000).replace("\"s-999\"", "!");
    let chunks: Vec<&str> = text
        .as_bytes()
        .chunks(1_000)
        .map(|chunk| std::str::from_utf8(chunk).unwrap())
        .collect();
    let world = World::answering([Answer::streaming(200, "application/json", with_trailers(&chunks))]);
    let received = over_tcp(&world, "GET", SECRETS).await;
    assert_eq!(received.header("transfer-encoding"), Some("chunked"));
    assert_eq!(received.chunks(), None, "no client takes this for an end");
}

#[tokio::test]
async fn an_answer_to_head_tells_no_length_of_what_would_be_masked() {
    let world = World::answering([Answer::json(200, "").with_header("content-length", "12345")]);
    let received = over_tcp(&world, "HEAD", SECRETS).await;
    assert!(received.head.starts_with("HTTP/1.1 200"), "{}", received.head);
    assert_eq!((received.header("content-length"), received.body.len()), (None, 0));
}

#[tokio::test]
async fn an_empty_answer_is_empty() {
    let world = World::answering([Answer::of_type(200, "application/json", "")]);
    let received = over_tcp(&world, "GET", SECRETS).await;
    assert_eq!((received.header("content-length"), received.body.len()), (Some("0"), 0));
    let world = World::answering([Answer::of_type(204, "application/json", "").with_header("content-length", "0")]);
    let received = over_tcp(&world, "GET", SECRETS).await;
    assert!(received.head.starts_with("HTTP/1.1 204"), "{}", received.head);
    assert_eq!(received.header("content-length"), None);
    assert_eq!((received.header("transfer-encoding"), received.body.len()), (None, 0));
}
