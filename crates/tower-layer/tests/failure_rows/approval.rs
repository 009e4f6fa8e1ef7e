//! Approval: without a human's word nothing is sent, and with it one request is, once.

mod backend;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use countersign_core::approval::Answer::{Approve, Deny as No};
use countersign_core::approval::ApprovalBackend as _;
use countersign_core::audit::Outcome::{CallerLeft, Deny, Error, Hold, HoldApproved, HoldDenied, HoldExpired};
use countersign_core::audit::Stage::{RequestReceived, ResponseComplete};
use countersign_core::audit::annotation;
use countersign_core::digest::Digest;
use countersign_core::policy::{Approver, Evaluation, Facts, HoldTerms, Outcome, Pin, PolicyEngine, Verdict};
use countersign_core::request::Canonical;
use countersign_core::{Subject, Timestamp};

use crate::harness::{Answer, World, approve, by, delete_pod, deny, get_pod, pod, request, settle, with_json};
use backend::{Call, Faulty, Mishap};

const HELD: (countersign_core::audit::Stage, countersign_core::audit::Outcome) = (RequestReceived, Hold);

/// Waits until no ticket is open any more.
async fn withdrawn(world: &World) {
    settle().await;
    assert!(world.backend.pending().is_empty(), "a ticket is left open");
}

fn held() -> World {
    World::answering([Answer::json(200, pod())])
}

#[tokio::test]
async fn approved_once_is_sent_once() {
    let world = World::answering([Answer::json(200, pod()), Answer::json(200, pod())]);
    let asked = world.spawn(delete_pod());
    let ticket = world.vote(approve()).await;
    assert_eq!(asked.await.unwrap().unwrap().status(), 200);
    world.sent_once();
    let outcomes = [HELD, (RequestReceived, HoldApproved), (ResponseComplete, HoldApproved)];
    assert_eq!(world.record(), outcomes);
    let event = world.last();
    assert_eq!(event.annotation(annotation::TICKET), Some(ticket.id.as_str()));
    assert_eq!(event.annotation("countersign.dev/approved-by"), Some("ann"));
    assert!(
        world.backend.vote(&ticket.id, by("bob", Approve)).is_err(),
        "it is used up"
    );
    withdrawn(&world).await;
}

#[tokio::test]
async fn a_denial() {
    let world = held();
    let asked = world.spawn(delete_pod());
    let ticket = world.vote(deny()).await;
    let answer = asked.await.unwrap().unwrap();
    assert_eq!(answer.refusal(), (403, "approval"));
    assert!(answer.body.contains("not on a Sunday") && answer.body.contains(ticket.id.as_str()));
    world.nothing_sent();
    assert_eq!(world.record(), [HELD, (ResponseComplete, HoldDenied)]);
    withdrawn(&world).await;
}

#[tokio::test]
async fn a_denial_by_somebody_who_has_no_say() {
    let world = held();
    let asked = world.spawn(delete_pod());
    let mut vote = by("eve", No);
    vote.groups.clear();
    world.vote(vote).await;
    settle().await;
    assert!(!asked.is_finished());
    asked.abort();
}

#[tokio::test]
async fn nobody_answers_in_time() {
    let world = held();
    let asked = world.spawn(delete_pod());
    world.ticket().await;
    world.clock.advance(60);
    assert_eq!(asked.await.unwrap().unwrap().refusal(), (504, "approval"));
    world.nothing_sent();
    assert_eq!(world.record(), [HELD, (ResponseComplete, HoldExpired)]);
    withdrawn(&world).await;
}

#[tokio::test]
async fn the_caller_leaves() {
    let world = held();
    let asked = world.spawn(delete_pod());
    let ticket = world.ticket().await;
    asked.abort();
    assert!(asked.await.unwrap_err().is_cancelled());
    withdrawn(&world).await;
    assert!(
        world.backend.vote(&ticket.id, approve()).is_err(),
        "it can't be approved any more"
    );
    world.nothing_sent();
    assert_eq!(world.record(), [HELD, (ResponseComplete, CallerLeft)]);
    assert_eq!(world.last().annotation(annotation::TICKET), Some(ticket.id.as_str()));
}

#[tokio::test]
async fn a_requester_does_not_approve_its_own_request() {
    let world = held();
    let asked = world.spawn(delete_pod());
    world.vote(by("agent", Approve)).await;
    settle().await;
    assert!(!asked.is_finished());
    world.clock.advance(60);
    assert_eq!(asked.await.unwrap().unwrap().refusal(), (504, "approval"));
    world.nothing_sent();
    assert_eq!(world.record(), [HELD, (ResponseComplete, HoldExpired)]);
}

#[tokio::test]
async fn a_quorum_of_two_needs_two() {
    let policy = Replaceable::quorum(2);
    let world = World::with(|guard| guard.policy(policy));
    world
        .server
        .script([Answer::json(200, pod()), Answer::json(200, pod())]);
    let asked = world.spawn(delete_pod());
    let ticket = world.vote(approve()).await;
    world.backend.vote(&ticket.id, by("ann", Approve)).unwrap();
    settle().await;
    assert!(!asked.is_finished(), "one human is one human");
    world.nothing_sent();
    world.backend.vote(&ticket.id, by("bob", Approve)).unwrap();
    assert_eq!(asked.await.unwrap().unwrap().status(), 200);
    world.sent_once();
    assert_eq!(world.last().annotation("countersign.dev/approved-by"), Some("ann,bob"));
}

#[tokio::test]
async fn the_policy_is_replaced_between_review_and_dispatch() {
    let policy = Replaceable::quorum(1);
    let replaced = Arc::clone(&policy.replaced);
    let world = World::with(|guard| guard.policy(policy));
    world.server.script([Answer::json(200, pod())]);
    let asked = world.spawn(delete_pod());
    let ticket = world.ticket().await;
    replaced.store(true, Ordering::Relaxed);
    world.backend.vote(&ticket.id, approve()).unwrap();
    assert_eq!(asked.await.unwrap().unwrap().refusal(), (409, "approval"));
    world.nothing_sent();
    // Nobody said no: the rules did.
    assert_eq!(world.record(), [HELD, (ResponseComplete, Deny)]);
    withdrawn(&world).await;
}

#[tokio::test]
async fn too_many_requests_are_held() {
    let world = World::with(|guard| guard.max_held(1));
    world
        .server
        .script([Answer::json(200, pod()), Answer::json(200, pod())]);
    let first = world.spawn(delete_pod());
    world.ticket().await;
    assert_eq!(world.ask(delete_pod()).await.refusal(), (429, "overload"));
    world.nothing_sent();
    assert_eq!(world.record(), [HELD, (ResponseComplete, Deny)]);
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    world.server.script([Answer::json(200, pod())]);
    let next = world.spawn(delete_pod());
    settle().await;
    assert_eq!(world.backend.pending().len(), 1, "its place is free again");
    next.abort();
}

#[tokio::test]
async fn a_body_that_can_not_be_shown_whole() {
    let data = "x".repeat(64 * 1024);
    let patch = format!(r#"{{"data":{{"a":"{data}"}}}}"#);
    let target = "/api/v1/namespaces/team-a/configmaps/settings";
    let world = World::answering([Answer::json(200, pod().replace("\"web\"", "\"settings\""))]);
    let asked = with_json("PATCH", target, "application/merge-patch+json", &patch);
    assert_eq!(world.ask(asked).await.refusal(), (413, "approval"));
    world.nothing_sent();
    assert!(world.backend.pending().is_empty());
    assert_eq!(world.record(), [(ResponseComplete, Deny)]);
}

/// A backend whose call goes wrong: refused with 503, nothing sent, and the next request works.
async fn backend_breaks(call: Call, mishap: Mishap) {
    let faulty = Faulty::new(call, mishap);
    let memory = faulty.memory.clone();
    let broken = Arc::clone(&faulty.broken);
    let world = World::with(|guard| guard.approval(faulty));
    world.server.script([Answer::json(200, pod())]);
    let asked = world.spawn(delete_pod());
    if call == Call::Consume {
        let ticket = memory.next_pending(|_| false).await;
        memory.vote(&ticket.id, approve()).unwrap();
    }
    assert_eq!(
        asked.await.unwrap().unwrap().refusal(),
        (503, "unavailable"),
        "{call:?} {mishap:?}"
    );
    world.nothing_sent();
    assert_eq!(world.record(), [HELD, (ResponseComplete, Error)], "{call:?} {mishap:?}");
    settle().await;
    assert!(
        memory.pending().is_empty(),
        "{call:?} {mishap:?}: a ticket is left open"
    );

    broken.store(false, Ordering::Relaxed);
    world
        .server
        .script([Answer::json(200, pod()), Answer::json(200, pod())]);
    let asked = world.spawn(delete_pod());
    let ticket = memory.next_pending(|_| false).await;
    memory.vote(&ticket.id, approve()).unwrap();
    assert_eq!(asked.await.unwrap().unwrap().status(), 200, "{call:?} {mishap:?}");
    world.sent_once();
}

#[tokio::test]
async fn a_backend_that_fails() {
    for call in [Call::Open, Call::Votes, Call::Consume] {
        backend_breaks(call, Mishap::Fails).await;
    }
}

#[tokio::test]
async fn a_backend_that_panics() {
    for call in [Call::Open, Call::Votes, Call::Consume] {
        backend_breaks(call, Mishap::Panics).await;
    }
}

#[tokio::test]
async fn a_backend_that_answers_without_new_votes() {
    backend_breaks(Call::Votes, Mishap::Lies).await;
}

#[tokio::test]
async fn a_backend_that_hangs_until_the_deadline() {
    for call in [Call::Open, Call::Votes, Call::Consume] {
        let faulty = Faulty::new(call, Mishap::Hangs);
        let memory = faulty.memory.clone();
        let world = World::with(|guard| guard.approval(faulty));
        world.server.script([Answer::json(200, pod())]);
        let asked = world.spawn(delete_pod());
        if call == Call::Consume {
            let ticket = memory.next_pending(|_| false).await;
            memory.vote(&ticket.id, approve()).unwrap();
        }
        settle().await;
        world.clock.advance(60);
        assert_eq!(asked.await.unwrap().unwrap().refusal(), (504, "approval"), "{call:?}");
        world.nothing_sent();
        assert_eq!(world.record(), [HELD, (ResponseComplete, HoldExpired)], "{call:?}");
        settle().await;
        assert!(memory.pending().is_empty(), "{call:?}: a ticket is left open");
    }
}

#[tokio::test]
async fn a_backend_that_does_not_withdraw_harms_nobody() {
    for mishap in [Mishap::Fails, Mishap::Panics] {
        let faulty = Faulty::new(Call::Withdraw, mishap);
        let world = World::with(|guard| guard.approval(faulty));
        world
            .server
            .script([Answer::json(200, pod()), Answer::json(200, pod())]);
        let asked = world.spawn(delete_pod());
        settle().await;
        world.clock.advance(60);
        assert_eq!(asked.await.unwrap().unwrap().refusal(), (504, "approval"));
        assert_eq!(world.ask(get_pod()).await.status(), 200);
    }
}

#[tokio::test]
async fn a_ticket_that_was_used_up_by_another() {
    let world = held();
    let asked = world.spawn(delete_pod());
    let ticket = world.ticket().await;
    world.backend.consume(&ticket.id, &ticket.digest).await.unwrap();
    assert_eq!(asked.await.unwrap().unwrap().refusal(), (409, "approval"));
    world.nothing_sent();
    assert_eq!(world.record(), [HELD, (ResponseComplete, Deny)]);
}

#[tokio::test]
async fn two_waiting_requests_are_independent() {
    let world = World::answering([Answer::json(200, pod()), Answer::json(200, pod())]);
    let first = world.spawn(delete_pod());
    let one = world.ticket().await;
    let second = world.spawn(delete_pod());
    let two = world.backend.next_pending(|id| *id == one.id).await;
    assert_eq!(one.digest, two.digest, "the same request");
    world.server.script([Answer::json(200, pod())]);
    world.backend.vote(&two.id, approve()).unwrap();
    assert_eq!(second.await.unwrap().unwrap().status(), 200);
    world.sent_once();
    settle().await;
    assert!(!first.is_finished(), "an approval of the other is none of this");
    world.backend.vote(&one.id, deny()).unwrap();
    assert_eq!(first.await.unwrap().unwrap().refusal(), (403, "approval"));
    world.sent_once();
}

#[tokio::test]
async fn many_held_requests_do_not_block_a_read() {
    let world = World::new();
    world.server.script((0..200).map(|_| Answer::json(200, pod())));
    let held: Vec<_> = (0..200).map(|_| world.spawn(delete_pod())).collect();
    while world.backend.pending().len() < 200 {
        tokio::task::yield_now().await;
    }
    world.server.script([Answer::json(200, pod())]);
    let read = request("GET", "/api/v1/namespaces/team-a/pods/other", "");
    let read = tokio::time::timeout(Duration::from_secs(10), world.ask(read)).await;
    assert_eq!(read.unwrap().status(), 200);
    world.sent_once();
    for asked in held {
        assert!(!asked.is_finished());
        asked.abort();
    }
    withdrawn(&world).await;
}

/// Holds deletions; everything else passes. It can be replaced while it is in use.
struct Replaceable {
    quorum: u32,
    replaced: Arc<AtomicBool>,
}

impl Replaceable {
    fn quorum(quorum: u32) -> Self {
        Self {
            quorum,
            replaced: Arc::default(),
        }
    }
}

impl PolicyEngine for Replaceable {
    fn evaluate(&self, _: &Subject, request: &Canonical, _: &Facts, _: Timestamp) -> Evaluation {
        if request.method() != http::Method::DELETE {
            return Evaluation::Verdict(Verdict::new(Outcome::Allow));
        }
        let terms = HoldTerms {
            rule: "rows/hold".into(),
            approvers: vec![Approver::Group("sre".into())],
            quorum: self.quorum,
            timeout: Duration::from_secs(60),
            pin: Pin::Uid,
        };
        Evaluation::Verdict(Verdict::new(Outcome::Hold(vec![terms.into()])))
    }

    fn revision(&self) -> Digest {
        Digest::of(&[u8::from(self.replaced.load(Ordering::Relaxed))])
    }
}
