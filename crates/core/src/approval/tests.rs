//! Votes and what they amount to; the backend in memory.

use futures_util::FutureExt as _;

use super::conformance::{self, ticket, vote};
use super::*;
use crate::policy::{Approver, HoldTerms};

fn terms(approvers: &[Approver], quorum: u32) -> HoldTerms {
    HoldTerms {
        approvers: approvers.to_vec(),
        quorum,
        ..ticket("x").terms.remove(0)
    }
}

fn group(name: &str) -> Approver {
    Approver::Group(name.into())
}

#[test]
fn a_quorum_is_different_people() {
    let mut ticket = ticket("quorum");
    ticket.terms = vec![terms(&[group("sre")], 2)];
    let approve = |user: &str| vote(user, Answer::Approve);
    assert_eq!(tally(&ticket, &[]), Standing::Pending { missing: 2 });
    assert_eq!(
        tally(&ticket, &[approve("ann"), approve("ann")]),
        Standing::Pending { missing: 1 }
    );
    let by = vec!["ann".to_owned(), "bob".to_owned()];
    assert_eq!(
        tally(&ticket, &[approve("bob"), approve("ann")]),
        Standing::Approved { by }
    );
}

#[test]
fn nobody_approves_their_own_request() {
    let mut ticket = ticket("own");
    ticket.review.subject.on_behalf_of = Some("ann".into());
    for user in ["agent", "ann"] {
        assert_eq!(
            tally(&ticket, &[vote(user, Answer::Approve)]),
            Standing::Pending { missing: 1 },
            "{user}"
        );
    }
}

#[test]
fn only_approvers_count() {
    let mut stranger = vote("eve", Answer::Deny);
    stranger.groups.clear();
    let ticket = ticket("strangers");
    assert_eq!(
        tally(&ticket, std::slice::from_ref(&stranger)),
        Standing::Pending { missing: 1 }
    );
    stranger.answer = Answer::Approve;
    assert_eq!(tally(&ticket, &[stranger]), Standing::Pending { missing: 1 });
}

#[test]
fn one_denial_ends_it() {
    let votes = [
        vote("ann", Answer::Approve),
        vote("bob", Answer::Deny).with_reason("no"),
    ];
    let denied = Standing::Denied {
        by: "bob".into(),
        reason: Some("no".into()),
    };
    assert_eq!(tally(&ticket("denied"), &votes), denied);
}

#[test]
fn every_hold_has_to_be_met() {
    let mut ticket = ticket("two holds");
    ticket.terms = vec![terms(&[group("sre")], 1), terms(&[Approver::User("dba".into())], 1)];
    let ann = vote("ann", Answer::Approve);
    assert_eq!(
        tally(&ticket, std::slice::from_ref(&ann)),
        Standing::Pending { missing: 1 }
    );
    let both = tally(&ticket, &[ann, vote("dba", Answer::Approve)]);
    assert_eq!(
        both,
        Standing::Approved {
            by: vec!["ann".into(), "dba".into()]
        }
    );
}

#[test]
fn terms_that_need_nobody_are_nobodys_approval() {
    let mut ticket = ticket("no terms");
    ticket.terms = vec![];
    assert_eq!(tally(&ticket, &[]), Standing::Pending { missing: 1 });
    ticket.terms = vec![terms(&[group("sre")], 0)];
    assert_eq!(tally(&ticket, &[]), Standing::Pending { missing: 1 });
}

#[test]
fn the_memory_backend_conforms() {
    let run = |backend: MemoryBackend| async move {
        let cast = |id: &TicketId, vote| backend.vote(id, vote).unwrap();
        conformance::opening_twice_is_opening_once(&backend, cast).await;
        conformance::votes_arrive_in_order(&backend, cast).await;
        conformance::a_ticket_is_consumed_once(&backend).await;
        conformance::a_mismatch_burns_nothing(&backend).await;
        conformance::a_withdrawn_ticket_is_closed(&backend).await;
        conformance::an_unknown_ticket_is_closed(&backend).await;
        conformance::a_ticket_is_consumed_once(&std::sync::Arc::new(backend)).await;
    };
    run(MemoryBackend::new()).now_or_never().unwrap();
}

#[test]
fn the_memory_backend_is_bounded() {
    async {
        let backend = MemoryBackend::with_capacity(1);
        backend.open(ticket("a")).await.unwrap();
        assert_eq!(backend.open(ticket("b")).await, Err(BackendError::Full));
        backend.open(ticket("a")).await.unwrap();
    }
    .now_or_never()
    .unwrap();
}
