//! Tests of the contract of [`ApprovalBackend`], to be run on an implementation of yours.
//!
//! Each function takes a fresh backend and, where humans have to speak, a function that hands a vote to it. They panic
//! where the contract is broken, and need no particular runtime.
//!
//! ```
//! use countersign_core::approval::{MemoryBackend, conformance};
//!
//! # futures_util::FutureExt::now_or_never(async {
//! let backend = MemoryBackend::new();
//! conformance::a_ticket_is_consumed_once(&backend).await;
//! # }).unwrap();
//! ```
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test suite says what is wrong by panicking"
)]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use jiff::Timestamp;

use super::backend::{ApprovalBackend, BackendError, Consumed};
use super::ticket::{Answer, Review, Ticket, TicketId, Vote};
use crate::digest::Digest;
use crate::policy::{Approver, HoldTerms, Pin};
use crate::request::Effects;
use crate::subject::{Claims, Subject};

/// A ticket of this id, held for one approver of the group `sre`.
#[must_use]
pub fn ticket(id: &str) -> Ticket {
    let opened = Timestamp::UNIX_EPOCH;
    Ticket {
        id: TicketId::new(id),
        digest: Digest::of(id.as_bytes()),
        terms: vec![HoldTerms {
            rule: "conformance/hold".into(),
            approvers: vec![Approver::Group("sre".into())],
            quorum: 1,
            timeout: Duration::from_secs(600),
            pin: Pin::Uid,
        }],
        opened,
        expires: Timestamp::MAX,
        review: Review {
            subject: Subject::new("agent"),
            claims: Claims::default(),
            cluster: "conformance".into(),
            method: "DELETE".into(),
            target: "/api/v1/namespaces/default/pods/web-0".into(),
            verb: "delete",
            resource: "pods".into(),
            namespace: "default".into(),
            name: "web-0".into(),
            effects: Effects::NONE,
            findings: Vec::new(),
            rewrites: Vec::new(),
            restored: Vec::new(),
            content_type: String::new(),
            body: String::new(),
            targets: Vec::new(),
            irreversible: true,
        },
    }
}

/// A vote of this human, who is in the group `sre`.
#[must_use]
pub fn vote(user: &str, answer: Answer) -> Vote {
    Vote::new(user, answer, Timestamp::UNIX_EPOCH).with_group("sre")
}

/// Opening a ticket that is open changes nothing.
pub async fn opening_twice_is_opening_once(backend: &impl ApprovalBackend, cast: impl Fn(&TicketId, Vote)) {
    let ticket = ticket("twice");
    open(backend, &ticket).await;
    cast(&ticket.id, vote("ann", Answer::Approve));
    open(backend, &ticket).await;
    assert_eq!(votes(backend, &ticket, 0).await.len(), 1, "opening again lost a vote");
}

/// A waiting caller gets votes when they come, all of them, in their order; one human votes once.
pub async fn votes_arrive_in_order(backend: &impl ApprovalBackend, cast: impl Fn(&TicketId, Vote)) {
    let ticket = ticket("votes");
    open(backend, &ticket).await;
    {
        let mut waiting = pin!(backend.votes(&ticket.id, 0));
        assert!(poll(waiting.as_mut()).is_pending(), "there are no votes to return");
    }
    cast(&ticket.id, vote("ann", Answer::Approve));
    cast(&ticket.id, vote("ann", Answer::Deny));
    cast(&ticket.id, vote("bob", Answer::Deny));
    let votes = votes(backend, &ticket, 1).await;
    let said: Vec<_> = votes.iter().map(|vote| (vote.user.as_str(), vote.answer)).collect();
    assert_eq!(said, [("ann", Answer::Approve), ("bob", Answer::Deny)]);
}

/// Of any number of callers one consumes a ticket, and it is closed then.
pub async fn a_ticket_is_consumed_once(backend: &impl ApprovalBackend) {
    let ticket = ticket("once");
    open(backend, &ticket).await;
    let mut consumed = Vec::new();
    for _ in 0..3 {
        consumed.push(backend.consume(&ticket.id, &ticket.digest).await.expect("consume"));
    }
    assert_eq!(consumed, [Consumed::Now, Consumed::Closed, Consumed::Closed]);
    assert_eq!(backend.votes(&ticket.id, 0).await, Err(BackendError::Closed));
}

/// A digest that differs does not use a ticket up.
pub async fn a_mismatch_burns_nothing(backend: &impl ApprovalBackend) {
    let ticket = ticket("mismatch");
    open(backend, &ticket).await;
    let other = Digest::of(b"another request");
    assert_eq!(
        backend.consume(&ticket.id, &other).await.expect("consume"),
        Consumed::Mismatch
    );
    assert_eq!(
        backend.consume(&ticket.id, &ticket.digest).await.expect("consume"),
        Consumed::Now
    );
}

/// A withdrawn ticket can't be consumed, wakes those who wait, and may be withdrawn again.
pub async fn a_withdrawn_ticket_is_closed(backend: &impl ApprovalBackend) {
    let ticket = ticket("withdrawn");
    open(backend, &ticket).await;
    let mut waiting = pin!(backend.votes(&ticket.id, 0));
    assert!(poll(waiting.as_mut()).is_pending(), "there are no votes to return");
    backend.withdraw(&ticket.id).await.expect("withdraw");
    assert_eq!(waiting.await, Err(BackendError::Closed));
    assert_eq!(
        backend.consume(&ticket.id, &ticket.digest).await.expect("consume"),
        Consumed::Closed
    );
    backend.withdraw(&ticket.id).await.expect("withdraw again");
}

/// What was never opened can be neither awaited nor consumed.
pub async fn an_unknown_ticket_is_closed(backend: &impl ApprovalBackend) {
    let ticket = ticket("unknown");
    assert_eq!(backend.votes(&ticket.id, 0).await, Err(BackendError::Closed));
    assert_eq!(
        backend.consume(&ticket.id, &ticket.digest).await.expect("consume"),
        Consumed::Closed
    );
}

async fn open(backend: &impl ApprovalBackend, ticket: &Ticket) {
    backend.open(ticket.clone()).await.expect("open");
}

async fn votes(backend: &impl ApprovalBackend, ticket: &Ticket, seen: usize) -> Vec<Vote> {
    backend
        .votes(&ticket.id, seen)
        .await
        .unwrap_or_else(|error| panic!("votes: {error}"))
}

fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}
