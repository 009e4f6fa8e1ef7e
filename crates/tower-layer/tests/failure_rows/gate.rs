//! Gate: what is not understood does not get past it.

use std::time::Duration;

use bytes::Bytes;
use countersign_core::audit::Outcome::{Allow, CallerLeft, Deny, Error};
use countersign_core::audit::Stage::{Panic, RequestReceived, ResponseComplete};
use countersign_tower::Body;
use http::Request;
use http::header::CONTENT_TYPE;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};

use crate::harness::{Answer, Broken, World, get_pod, open_body, pod, request, with_json};

const NOTES: &str = "/api/v1/namespaces/team-a/configmaps";

fn create(body: Body) -> Request<Body> {
    let request = Request::post(NOTES).header(CONTENT_TYPE, "application/json");
    request.body(body).unwrap()
}

async fn refused(request: Request<Body>, status: u16, class: &str) {
    let world = World::new();
    assert_eq!(world.ask(request).await.refusal(), (status, class));
    world.nothing_sent();
    assert_eq!(world.record(), [(ResponseComplete, Deny)]);
    assert_eq!(world.last().response_status.unwrap().code, status);
}

#[tokio::test]
async fn a_body_that_breaks_off() {
    let (feed, body) = open_body();
    feed.send(Ok(Bytes::from("{\"kind\""))).unwrap();
    feed.send(Err(Broken("caller").into())).unwrap();
    refused(create(body), 400, "malformed").await;
}

#[tokio::test]
async fn a_body_that_ends_too_early() {
    refused(
        with_json("POST", NOTES, "application/json", "{\"kind\":"),
        400,
        "malformed",
    )
    .await;
}

#[tokio::test]
async fn a_body_that_is_announced_too_large() {
    refused(
        with_json("POST", NOTES, "application/json", &"x".repeat(3 * 1024 * 1024 + 1)),
        413,
        "malformed",
    )
    .await;
}

#[tokio::test]
async fn a_body_that_turns_out_too_large_and_never_ends() {
    let (feed, body) = open_body();
    for _ in 0..4 {
        feed.send(Ok(Bytes::from(vec![b' '; 1024 * 1024]))).unwrap();
    }
    refused(create(body), 413, "malformed").await;
    drop(feed);
}

#[tokio::test]
async fn a_body_that_never_ends_until_the_caller_leaves() {
    let world = World::new();
    let (feed, body) = open_body();
    feed.send(Ok(Bytes::from("{"))).unwrap();
    let asked = world.send(create(body));
    assert!(tokio::time::timeout(Duration::from_millis(20), asked).await.is_err());
    world.nothing_sent();
    assert_eq!(world.record(), [(ResponseComplete, CallerLeft)]);
}

#[tokio::test]
async fn a_body_that_panics() {
    let world = World::new();
    let frames = futures_util::stream::poll_fn(|_| -> std::task::Poll<Option<Result<Frame<Bytes>, _>>> {
        panic!("the caller's body panics")
    });
    let answer = world.ask(create(StreamBody::new(frames).boxed_unsync())).await;
    assert_eq!(answer.refusal(), (503, "unavailable"));
    world.nothing_sent();
    assert_eq!(world.record(), [(Panic, Error)]);
}

#[tokio::test]
async fn a_hostile_header() {
    let mut twice = get_pod();
    twice
        .headers_mut()
        .append("impersonate-group", "system:masters".parse().unwrap());
    refused(twice, 403, "identity").await;
}

#[tokio::test]
async fn a_target_in_absolute_form() {
    refused(
        request("GET", "https://elsewhere.example/api/v1/namespaces/team-a/pods/web", ""),
        400,
        "malformed",
    )
    .await;
}

#[tokio::test]
async fn a_target_that_the_server_would_read_differently() {
    refused(
        request("GET", "/api/v1/namespaces/team-a%2Fsecrets%2Fdb", ""),
        400,
        "malformed",
    )
    .await;
}

#[tokio::test]
async fn an_unknown_resource() {
    refused(
        request("GET", "/apis/unknown.example/v1/things", ""),
        404,
        "unsupported",
    )
    .await;
}

#[tokio::test]
async fn what_is_sent_is_written_anew() {
    let world = World::answering([Answer::json(200, pod())]);
    let mut request = get_pod();
    for (name, value) in [("x-trace", "1"), ("referer", "a"), ("user-agent", "kubectl/1")] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    world.ask(request).await;
    let sent = world.sent_once();
    let mut names: Vec<_> = sent.headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "accept-encoding", "audit-id", "user-agent"]);
    assert!(sent.headers["user-agent"].to_str().unwrap().ends_with("kubectl/1"));
    assert_eq!(world.record(), [(RequestReceived, Allow), (ResponseComplete, Allow)]);
}
