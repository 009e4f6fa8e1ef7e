//! Audit: what can't be recorded is not sent, or not delivered; and whoever leaves is recorded.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use countersign_core::Timestamp;
use countersign_core::audit::Outcome::{Allow, CallerLeft, Deny, Error, FailOpen, Gap, Hold, Unknown};
use countersign_core::audit::Stage::{Panic, RequestReceived, ResponseComplete, ResponseStarted};
use countersign_core::audit::{Event, annotation, verify};
use countersign_tower::Clock;
use http_body_util::BodyExt as _;
use tower::Service as _;

use crate::harness::{
    Answer, Fault, ManualClock, World, delete_pod, fails, get_pod, hangs, open_body, panics, pod, request, settle,
    with_json,
};

const INTENT: (countersign_core::audit::Stage, countersign_core::audit::Outcome) = (RequestReceived, Allow);
const GAP: (countersign_core::audit::Stage, countersign_core::audit::Outcome) = (ResponseComplete, Gap);
const SERVICE: &str = r#"{"kind":"Service","apiVersion":"v1","metadata":{"name":"new"}}"#;

fn create_service() -> http::Request<countersign_tower::Body> {
    with_json(
        "POST",
        "/api/v1/namespaces/team-a/services",
        "application/json",
        SERVICE,
    )
}

fn before_the_send(event: &Event) -> bool {
    event.stage == RequestReceived
}

fn after_the_send(event: &Event) -> bool {
    event.stage == ResponseComplete
}

fn at_the_head(event: &Event) -> bool {
    event.stage == ResponseStarted
}

#[tokio::test]
async fn a_sink_that_is_down_before_the_send() {
    let world = World::new();
    world.sink.memory.set_down(true);
    for request in [get_pod(), create_service()] {
        assert_eq!(world.ask(request).await.refusal(), (503, "unavailable"));
    }
    assert!(world.server.sent().is_empty());
    assert!(world.record().is_empty());

    world.sink.memory.set_down(false);
    world.server.script([Answer::json(200, pod())]);
    assert_eq!(world.ask(get_pod()).await.status(), 200);
    assert_eq!(world.record(), [GAP, INTENT, (ResponseComplete, Allow)]);
    let report = verify(&world.sink.memory.log());
    assert!(report.is_intact() && !report.is_complete(), "{report}");
}

#[tokio::test]
async fn a_sink_that_is_full() {
    let world = World::with_capacity(2, |guard| guard);
    world.server.script([Answer::json(200, pod())]);
    assert_eq!(world.ask(get_pod()).await.status(), 200);
    assert_eq!(world.ask(get_pod()).await.refusal(), (503, "unavailable"));
    assert_eq!(world.server.sent().len(), 1);
    assert_eq!(world.record(), [INTENT, (ResponseComplete, Allow)]);
}

#[tokio::test]
async fn a_sink_that_fills_up_between_intent_and_outcome() {
    let world = World::with_capacity(1, |guard| guard);
    world.server.script([Answer::json(200, pod())]);
    let answer = world.ask(get_pod()).await;
    assert_eq!(answer.refusal(), (503, "unavailable"));
    assert!(!answer.body.contains("uid-1"), "nothing is delivered");
    world.sent_once();
    assert_eq!(world.record(), [INTENT]);
}

#[tokio::test]
async fn a_hold_that_can_not_be_recorded_is_shown_to_nobody() {
    let world = World::answering([Answer::json(200, pod())]);
    world.sink.set_fault(Some(fails(before_the_send)));
    assert_eq!(world.ask(delete_pod()).await.refusal(), (503, "unavailable"));
    world.nothing_sent();
    assert!(world.backend.pending().is_empty());
    assert_eq!(world.record(), [(ResponseComplete, Error)]);
}

/// The sink breaks before the send and works again for the outcome.
async fn before(fault: Fault) {
    let world = World::new();
    world.sink.set_fault(Some(fault));
    assert_eq!(world.ask(create_service()).await.refusal(), (503, "unavailable"));
    assert!(world.server.sent().is_empty());
    assert_eq!(world.record(), [(ResponseComplete, Error)]);
    world.sink.set_fault(None);
    world.server.script([Answer::json(200, SERVICE)]);
    assert_eq!(
        world.ask(create_service()).await.status(),
        200,
        "the next request works"
    );
}

#[tokio::test]
async fn a_sink_that_fails_before_the_send() {
    before(fails(before_the_send)).await;
}

#[tokio::test]
async fn a_sink_that_panics_before_the_send() {
    before(panics(before_the_send)).await;
}

/// The sink breaks after the send: nothing is delivered, and once it is back, what is known is recorded as unknown.
async fn after(fault: Fault) {
    let world = World::answering([Answer::json(200, SERVICE)]);
    world.sink.set_fault(Some(fault));
    let answer = world.ask(create_service()).await;
    assert_eq!(answer.refusal(), (503, "unavailable"));
    assert!(
        !answer.body.contains("\"new\"") && answer.body.contains("was sent"),
        "{}",
        answer.body
    );
    world.sent_once();
    assert_eq!(world.record(), [INTENT]);
    world.the_sink_is_back().await;
    assert!(world.record().contains(&(ResponseComplete, Unknown)));
}

impl World {
    /// The sink works again, which the next request shows.
    async fn the_sink_is_back(&self) {
        self.sink.set_fault(None);
        self.server.script([Answer::json(200, SERVICE)]);
        assert_eq!(self.ask(create_service()).await.status(), 200, "the next request works");
    }
}

#[tokio::test]
async fn a_sink_that_fails_after_the_send() {
    after(fails(after_the_send)).await;
}

#[tokio::test]
async fn a_sink_that_panics_after_the_send() {
    after(panics(after_the_send)).await;
}

#[tokio::test]
async fn a_stream_whose_head_can_not_be_recorded() {
    let (feed, body) = open_body();
    let world = World::answering([Answer::streaming(200, "text/plain", body)]);
    world.sink.set_fault(Some(fails(at_the_head)));
    let log = request("GET", "/api/v1/namespaces/team-a/pods/web/log?follow=true", "");
    feed.send(Ok("s3cret\n".into())).unwrap();
    let answer = world.ask(log).await;
    assert_eq!(answer.refusal(), (503, "unavailable"));
    assert!(feed.is_closed(), "the server is told");
    assert_eq!(world.record(), [INTENT, (ResponseComplete, Unknown)]);
}

#[tokio::test]
async fn a_stream_whose_end_can_not_be_recorded_does_not_end() {
    let (feed, body) = open_body();
    let world = World::answering([Answer::streaming(200, "text/plain", body)]);
    world.sink.set_fault(Some(fails(after_the_send)));
    let log = request("GET", "/api/v1/namespaces/team-a/pods/web/log?follow=true", "");
    let mut body = world.send(log).await.unwrap().into_body();
    feed.send(Ok("line\n".into())).unwrap();
    drop(feed);
    assert!(body.frame().await.unwrap().is_ok());
    assert!(body.frame().await.unwrap().is_err(), "an error, not an end");
    assert_eq!(world.record(), [INTENT, (ResponseStarted, Allow)]);
    world.the_sink_is_back().await;
    assert!(world.record().contains(&(ResponseComplete, Unknown)));
}

/// The sink hangs and the caller leaves.
async fn hanging(fault: Fault) -> World {
    let world = World::answering([Answer::json(200, SERVICE)]);
    world.sink.set_fault(Some(fault));
    let asked = world.spawn(create_service());
    settle().await;
    assert!(!asked.is_finished());
    asked.abort();
    assert!(asked.await.unwrap_err().is_cancelled());
    world
}

#[tokio::test]
async fn a_sink_that_hangs_before_the_send_until_the_caller_leaves() {
    let world = hanging(hangs(before_the_send)).await;
    assert!(world.server.sent().is_empty());
    assert_eq!(world.record(), [(ResponseComplete, CallerLeft)]);
}

#[tokio::test]
async fn a_sink_that_hangs_after_the_send_until_the_caller_leaves() {
    let world = hanging(hangs(after_the_send)).await;
    world.sent_once();
    assert_eq!(world.record(), [INTENT, (ResponseComplete, Unknown)]);
}

#[tokio::test]
async fn a_request_that_is_dropped_before_its_first_poll() {
    let world = World::new();
    drop(world.service.clone().call(delete_pod()));
    assert!(world.server.sent().is_empty());
    assert_eq!(world.record(), [(ResponseComplete, CallerLeft)]);
    assert_eq!(world.last().verb, "delete");
}

#[tokio::test]
async fn a_caller_that_times_out() {
    let world = World::answering([Answer::json(200, pod()), Answer::hangs()]);
    let asked = tokio::time::timeout(Duration::from_millis(20), world.send(delete_pod()));
    assert!(asked.await.is_err());
    world.nothing_sent();
    assert_eq!(
        world.record(),
        [(RequestReceived, Hold), (ResponseComplete, CallerLeft)]
    );
}

#[tokio::test]
async fn changes_and_denials_are_durable() {
    let world = World::answering([Answer::json(200, SERVICE), Answer::json(200, pod())]);
    world.ask(create_service()).await;
    world
        .ask(request("GET", "/api/v1/namespaces/team-b/pods/web", ""))
        .await;
    world.ask(get_pod()).await;
    assert_eq!(world.sink.synced(), [true, true, true, false, false]);
}

#[tokio::test]
async fn reads_pass_without_audit_where_it_is_said_and_only_reads() {
    let world = World::with(countersign_tower::GuardBuilder::insecure_reads_without_audit);
    world.sink.memory.set_down(true);
    world
        .server
        .script([Answer::json(200, pod()), Answer::json(200, pod())]);
    assert_eq!(world.ask(get_pod()).await.status(), 200);
    world.sent_once();
    assert_eq!(world.ask(create_service()).await.refusal(), (503, "unavailable"));
    assert_eq!(world.ask(delete_pod()).await.refusal(), (503, "unavailable"));
    assert!(world.server.sent().iter().all(|sent| sent.method == "GET"));
    assert!(world.backend.pending().is_empty());
}

#[tokio::test]
async fn a_read_that_passed_without_its_intent_is_recorded_as_fail_open() {
    let world = World::with(countersign_tower::GuardBuilder::insecure_reads_without_audit);
    world.sink.set_fault(Some(fails(before_the_send)));
    world.server.script([Answer::json(200, pod())]);
    assert_eq!(world.ask(get_pod()).await.status(), 200);
    assert_eq!(world.record(), [(ResponseComplete, FailOpen)]);
}

#[tokio::test]
async fn what_was_not_understood_does_not_pass_as_a_read() {
    let world = World::with(countersign_tower::GuardBuilder::insecure_reads_without_audit);
    world.sink.memory.set_down(true);
    let answer = world.ask(request("GET", "/api/v1/../secrets", "")).await;
    assert_eq!(answer.refusal(), (503, "unavailable"));
}

#[tokio::test]
async fn a_read_whose_outcome_is_missed_is_recorded_as_fail_open_once_the_sink_is_back() {
    let world = World::with(countersign_tower::GuardBuilder::insecure_reads_without_audit);
    world.sink.set_fault(Some(fails(after_the_send)));
    world.server.script([Answer::json(200, pod())]);
    assert_eq!(world.ask(get_pod()).await.status(), 200);
    assert_eq!(world.record(), [INTENT]);
    world.the_sink_is_back().await;
    assert!(world.record().contains(&(ResponseComplete, FailOpen)));
}

/// Panics from the given call of `now` on.
struct Panics(ManualClock, AtomicU64);

#[async_trait]
impl Clock for Panics {
    fn now(&self) -> Timestamp {
        let left = self
            .1
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        assert!(left.is_ok(), "the clock panics");
        self.0.now()
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        self.0.sleep_until(deadline).await;
    }
}

#[tokio::test]
async fn a_clock_that_panics_before_the_record_is_open() {
    let world = World::with(|guard| guard.clock(Panics(ManualClock::new(), AtomicU64::new(0))));
    assert_eq!(world.ask(get_pod()).await.refusal(), (503, "unavailable"));
    assert!(world.server.sent().is_empty());
}

#[tokio::test]
async fn a_clock_that_panics_later() {
    // The record is opened with it, then the policy asks for the time.
    let world = World::with(|guard| guard.clock(Panics(ManualClock::new(), AtomicU64::new(1))));
    assert_eq!(world.ask(get_pod()).await.refusal(), (503, "unavailable"));
    assert!(world.server.sent().is_empty());
    assert_eq!(world.record(), [(Panic, Error)]);
}

#[tokio::test]
async fn every_answer_names_its_record() {
    let world = World::answering([Answer::json(200, pod())]);
    let answer = world.ask(get_pod()).await;
    let id = world.last().audit_id;
    assert_eq!(answer.response.headers()["audit-id"], id.as_str());
    assert_eq!(world.sent_once().headers["audit-id"], id.as_str());
    assert!(world.events().iter().all(|event| event.audit_id == id));
}

#[tokio::test]
async fn what_the_log_holds_verifies() {
    let world = World::answering([Answer::json(200, SERVICE)]);
    world.ask(create_service()).await;
    world
        .ask(request("GET", "/api/v1/namespaces/team-b/pods/web", ""))
        .await;
    assert_eq!(
        world.record(),
        [INTENT, (ResponseComplete, Allow), (ResponseComplete, Deny)]
    );
    assert!(world.last().annotation(annotation::POLICY).is_some());
    let report = verify(&world.sink.memory.log());
    assert!(report.is_intact() && report.is_complete(), "{report}");
}
