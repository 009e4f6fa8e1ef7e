//! Forward: before the send nothing is sent, after it nothing is repeated.

use std::sync::Arc;
use std::time::Duration;

use countersign_core::audit::Outcome::{Allow, CallerLeft, Error, Hold, HoldApproved, Unknown};
use countersign_core::audit::Stage::{Panic, RequestReceived, ResponseComplete};
use tokio::sync::Notify;

use crate::harness::{Answer, Broken, Readiness, World, approve, delete_pod, get_pod, pod, settle};

const INTENT: (countersign_core::audit::Stage, countersign_core::audit::Outcome) = (RequestReceived, Allow);

#[tokio::test]
async fn a_server_that_is_not_ready() {
    let world = World::new();
    world.server.set_readiness(Readiness::Broken);
    let error = world.send(get_pod()).await.unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Broken("not ready")));
    world.nothing_sent();
    assert_eq!(world.record(), [INTENT, (ResponseComplete, Error)]);
}

#[tokio::test]
async fn a_server_that_panics_before_the_send() {
    let world = World::new();
    world.server.set_readiness(Readiness::Panics);
    let answer = world.ask(get_pod()).await;
    assert_eq!(answer.refusal(), (503, "unavailable"));
    assert!(answer.body.contains("nothing was sent"));
    world.nothing_sent();
    assert_eq!(world.record(), [INTENT, (Panic, Error)]);
}

#[tokio::test]
async fn a_server_that_never_gets_ready_until_the_caller_leaves() {
    let world = World::new();
    world.server.set_readiness(Readiness::Never);
    let asked = world.spawn(get_pod());
    settle().await;
    asked.abort();
    assert!(asked.await.unwrap_err().is_cancelled());
    world.nothing_sent();
    assert_eq!(world.record(), [INTENT, (ResponseComplete, CallerLeft)]);

    world.server.set_readiness(Readiness::Ready);
    world.server.script([Answer::json(200, pod())]);
    assert_eq!(
        world.ask(get_pod()).await.status(),
        200,
        "the next request is not stuck behind it"
    );
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_send() {
    let world = World::answering([Answer::Fail(Broken("sent"))]);
    let error = world.send(get_pod()).await.unwrap_err();
    assert_eq!(
        error.downcast_ref(),
        Some(&Broken("sent")),
        "the error comes out as it is"
    );
    world.sent_once();
    assert_eq!(world.record(), [INTENT, (ResponseComplete, Unknown)]);
}

#[tokio::test]
async fn an_approved_request_whose_answer_is_lost_is_not_repeated() {
    let world = World::answering([Answer::json(200, pod()), Answer::Fail(Broken("sent"))]);
    let asked = world.spawn(delete_pod());
    world.vote(approve()).await;
    let error = asked.await.unwrap().unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Broken("sent")));
    world.sent_once();
    let outcomes = [
        (RequestReceived, Hold),
        (RequestReceived, HoldApproved),
        (ResponseComplete, Unknown),
    ];
    assert_eq!(world.record(), outcomes);
}

#[tokio::test]
async fn a_server_that_panics_after_the_send() {
    for panics in [Answer::PanicInCall, Answer::PanicInFuture] {
        let world = World::answering([panics, Answer::json(200, pod())]);
        let answer = world.ask(get_pod()).await;
        assert_eq!(answer.refusal(), (503, "unavailable"));
        assert!(answer.body.contains("unknown"));
        world.sent_once();
        assert_eq!(world.record(), [INTENT, (Panic, Unknown)]);
        assert_eq!(world.ask(get_pod()).await.status(), 200, "the next request works");
    }
}

#[tokio::test]
async fn the_caller_leaves_after_the_send() {
    let world = World::answering([Answer::hangs()]);
    let asked = tokio::time::timeout(Duration::from_millis(20), world.send(get_pod()));
    assert!(asked.await.is_err());
    world.sent_once();
    assert_eq!(world.record(), [INTENT, (ResponseComplete, Unknown)]);
}

#[tokio::test]
async fn a_slow_answer_does_not_hold_up_another_request() {
    let bell = Arc::new(Notify::new());
    let world = World::answering([Answer::json(200, pod()).after(&bell), Answer::json(200, pod())]);
    let slow = world.spawn(get_pod());
    world.reached(1).await;
    assert_eq!(world.ask(get_pod()).await.status(), 200);
    bell.notify_one();
    assert_eq!(slow.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn a_server_that_answers_503_is_asked_once() {
    let status = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"overloaded","reason":"ServiceUnavailable","code":503}"#;
    let world = World::answering([Answer::json(503, status).with_header("retry-after", "1")]);
    let answer = world.ask(get_pod()).await;
    assert_eq!(answer.status(), 503);
    assert!(answer.body.contains("overloaded"));
    assert!(
        answer
            .response
            .extensions()
            .get::<countersign_core::Refusal>()
            .is_none(),
        "it is the server's"
    );
    world.sent_once();
    assert_eq!(world.record(), [INTENT, (ResponseComplete, Allow)]);
    assert_eq!(world.last().response_status.unwrap().code, 503);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let world = World::answering([Answer::json(307, "s3cret").with_header("location", "https://elsewhere.example")]);
    let answer = world.ask(get_pod()).await;
    assert_eq!(answer.refusal(), (502, "upstream"));
    assert!(!answer.body.contains("elsewhere") && !answer.body.contains("s3cret"));
    assert!(!answer.response.headers().contains_key("location"));
    world.sent_once();
    assert_eq!(world.record(), [INTENT, (ResponseComplete, Unknown)]);
    assert_eq!(world.last().annotation("countersign.dev/upstream-code"), Some("307"));
}

#[tokio::test]
async fn a_protocol_switch_that_nobody_asked_for() {
    let world = World::answering([Answer::json(101, "").with_header("upgrade", "websocket")]);
    let answer = world.ask(get_pod()).await;
    assert_eq!(answer.refusal(), (502, "upstream"));
    assert!(!answer.response.headers().contains_key("upgrade"));
    world.sent_once();
    assert_eq!(world.record(), [INTENT, (ResponseComplete, Unknown)]);
}
