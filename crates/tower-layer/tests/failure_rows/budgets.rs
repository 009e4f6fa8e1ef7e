//! Budgets: what can't be reserved is not sent, and what was not sent is given back.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use countersign_core::audit::Outcome::{Allow, CallerLeft, Deny, Error, Hold, HoldApproved, HoldDenied, HoldExpired};
use countersign_core::audit::Stage::{RequestReceived, ResponseComplete};
use countersign_core::audit::annotation;
use countersign_core::digest::Digest;
use countersign_core::policy::{
    Approver, Budget, BudgetError, BudgetStore, Charge, Charged, Evaluation, Facts, HoldTerms, MemoryBudgets, Outcome,
    Pin, PolicyEngine, Reservation, Unit, Verdict,
};
use countersign_core::request::{Canonical, Effects};
use countersign_core::{Subject, Timestamp};

use crate::harness::{Answer, Broken, Readiness, World, approve, delete_pod, deny, get_pod, pod, request, settle};

/// Everything draws on one budget; deletions of single objects are held.
struct Budgeted {
    unit: Unit,
    max: u64,
}

impl PolicyEngine for Budgeted {
    fn evaluate(&self, _: &Subject, request: &Canonical, _: &Facts, _: Timestamp) -> Evaluation {
        let held = request.method() == "DELETE" && !request.attributes().name.is_empty();
        let outcome = if held {
            Outcome::Hold(vec![Arc::new(HoldTerms {
                rule: "rows/hold".into(),
                approvers: vec![Approver::Group("sre".into())],
                quorum: 1,
                timeout: Duration::from_secs(60),
                pin: Pin::Uid,
            })])
        } else {
            Outcome::Allow
        };
        let mut verdict = Verdict::new(outcome);
        verdict.budgets = vec![Arc::new(Budget {
            name: "rows/budget".into(),
            effects: Effects::NONE,
            unit: self.unit,
            max: self.max,
            per: Duration::from_secs(3600),
        })];
        Evaluation::Verdict(verdict)
    }

    fn revision(&self) -> Digest {
        Digest::of(b"budgeted")
    }
}

/// What a store does when it is asked.
#[derive(Clone, Copy)]
enum Fault {
    Unavailable,
    Panics,
    Hangs,
    PanicsOnRelease,
}

/// A store that counts, and fails as it was told.
#[derive(Clone, Default)]
struct Store(Arc<Mutex<Tally>>);

#[derive(Default)]
struct Tally {
    fault: Option<Fault>,
    charged: Vec<(String, u64)>,
    released: usize,
}

impl Store {
    fn failing(fault: Fault) -> Self {
        let store = Self::default();
        store.0.lock().unwrap().fault = Some(fault);
        store
    }

    /// Reservations that were made and not given back.
    fn open(&self) -> usize {
        let tally = self.0.lock().unwrap();
        tally.charged.len() - tally.released
    }

    fn charged(&self) -> Vec<(String, u64)> {
        self.0.lock().unwrap().charged.clone()
    }
}

#[async_trait]
impl BudgetStore for Store {
    async fn reserve(&self, charges: &[Charge<'_>], now: Timestamp) -> Result<Reservation, BudgetError> {
        let fault = self.0.lock().unwrap().fault;
        match fault {
            Some(Fault::Unavailable) => return Err(BudgetError::Unavailable),
            Some(Fault::Panics) => panic!("the store panics"),
            Some(Fault::Hangs) => std::future::pending().await,
            Some(Fault::PanicsOnRelease) | None => {}
        }
        let charged: Vec<_> = charges
            .iter()
            .map(|charge| Charged {
                budget: charge.budget.name.clone(),
                subject: charge.subject.to_owned(),
                amount: charge.amount,
                left: charge.budget.max - charge.amount,
                at: now,
            })
            .collect();
        let mut tally = self.0.lock().unwrap();
        tally
            .charged
            .extend(charged.iter().map(|charged| (charged.subject.clone(), charged.amount)));
        Ok(Reservation { id: 0, charged })
    }

    fn release(&self, reservation: Reservation) {
        let mut tally = self.0.lock().unwrap();
        tally.released += reservation.charged.len();
        if let Some(Fault::PanicsOnRelease) = tally.fault {
            drop(tally);
            panic!("the store panics on release");
        }
    }
}

fn world(store: &Store) -> World {
    let engine = Budgeted {
        unit: Unit::Requests,
        max: 5,
    };
    World::with(|guard| guard.policy(engine).budgets(store.clone()))
}

async fn unavailable(fault: Fault) {
    let world = world(&Store::failing(fault));
    let asked = world.spawn(get_pod());
    settle().await;
    world.clock.advance(5);
    assert_eq!(asked.await.unwrap().unwrap().refusal(), (503, "unavailable"));
    assert!(world.server.sent().is_empty());
    assert_eq!(world.record(), [(ResponseComplete, Error)]);
}

#[tokio::test]
async fn a_store_that_can_not_tell() {
    unavailable(Fault::Unavailable).await;
}

#[tokio::test]
async fn a_store_that_panics() {
    unavailable(Fault::Panics).await;
}

#[tokio::test]
async fn a_store_that_does_not_answer() {
    unavailable(Fault::Hangs).await;
}

#[tokio::test]
async fn the_caller_leaves_while_the_store_is_asked() {
    let world = world(&Store::failing(Fault::Hangs));
    let asked = world.spawn(get_pod());
    settle().await;
    asked.abort();
    assert!(asked.await.unwrap_err().is_cancelled());
    assert!(world.server.sent().is_empty());
    assert_eq!(world.record(), [(ResponseComplete, CallerLeft)]);
}

#[tokio::test]
async fn a_budget_that_is_spent() {
    let engine = Budgeted {
        unit: Unit::Requests,
        max: 1,
    };
    let world = World::with(|guard| guard.policy(engine));
    world.server.script([Answer::json(200, pod())]);
    assert_eq!(world.ask(get_pod()).await.status(), 200);
    assert_eq!(
        world.last().annotation("countersign.dev/budgets"),
        Some("rows/budget=0")
    );
    world.clock.advance(60);
    let answer = world.ask(get_pod()).await;
    assert_eq!(answer.refusal(), (403, "budget"));
    let status: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(
        status["message"],
        "countersign: the budget rows/budget (1 requests per 1h) is spent: 0 left, more at 11:00:00Z"
    );
    assert_eq!(status["details"]["retryAfterSeconds"], 3540);
    world.sent_once();
    assert_eq!(world.last().annotation(annotation::RULE), Some("rows/budget"));
    let record = [
        (RequestReceived, Allow),
        (ResponseComplete, Allow),
        (ResponseComplete, Deny),
    ];
    assert_eq!(world.record(), record);

    world.clock.advance(3540);
    world.server.script([Answer::json(200, pod())]);
    assert_eq!(world.ask(get_pod()).await.status(), 200, "the window slides");
}

#[tokio::test]
async fn what_was_sent_stays_spent_whatever_became_of_it() {
    let store = Store::default();
    let world = world(&store);
    world.server.script([
        Answer::json(200, pod()),
        Answer::json(500, "{}"),
        Answer::Fail(Broken("sent")),
        Answer::PanicInCall,
    ]);
    assert_eq!(world.ask(get_pod()).await.status(), 200);
    world.ask(get_pod()).await;
    world.send(get_pod()).await.unwrap_err();
    world.ask(get_pod()).await;
    assert_eq!(store.charged(), vec![("agent".to_owned(), 1); 4]);
    assert_eq!(store.open(), 4);
}

#[tokio::test]
async fn a_caller_who_leaves_after_the_send_has_spent_it() {
    let store = Store::default();
    let world = world(&store);
    world.server.script([Answer::hangs()]);
    let asked = world.spawn(get_pod());
    world.reached(1).await;
    asked.abort();
    assert!(asked.await.unwrap_err().is_cancelled());
    assert_eq!(store.open(), 1);
}

#[tokio::test]
async fn what_can_not_be_sent_is_given_back() {
    for readiness in [Readiness::Broken, Readiness::Panics] {
        let store = Store::default();
        let world = world(&store);
        world.server.set_readiness(readiness);
        let _ = world.send(get_pod()).await;
        assert_eq!((store.charged().len(), store.open()), (1, 0));
    }
}

#[tokio::test]
async fn a_caller_who_leaves_before_the_send_spends_nothing() {
    let store = Store::default();
    let world = world(&store);
    world.server.set_readiness(Readiness::Never);
    let asked = world.spawn(get_pod());
    settle().await;
    assert_eq!(store.open(), 1);
    asked.abort();
    assert!(asked.await.unwrap_err().is_cancelled());
    assert_eq!(store.open(), 0);
}

#[tokio::test]
async fn an_intent_that_can_not_be_recorded_spends_nothing() {
    let store = Store::default();
    let world = world(&store);
    world
        .sink
        .set_fault(Some(crate::harness::fails(|event| event.stage == RequestReceived)));
    assert_eq!(world.ask(get_pod()).await.refusal(), (503, "unavailable"));
    assert_eq!((store.charged().len(), store.open()), (1, 0));
}

/// A held deletion, up to its ticket.
async fn held(world: &World) -> tokio::task::JoinHandle<Result<crate::harness::Answered, countersign_tower::BoxError>> {
    world
        .server
        .script([Answer::json(200, pod()), Answer::json(200, pod())]);
    let asked = world.spawn(delete_pod());
    world.ticket().await;
    asked
}

#[tokio::test]
async fn what_waits_for_an_approval_is_reserved_and_spent_when_it_is_sent() {
    let store = Store::default();
    let world = world(&store);
    let asked = held(&world).await;
    assert_eq!(store.open(), 1, "reserved while it waits");
    world.vote(approve()).await;
    assert_eq!(asked.await.unwrap().unwrap().status(), 200);
    assert_eq!(store.open(), 1);
    let record = [
        (RequestReceived, Hold),
        (RequestReceived, HoldApproved),
        (ResponseComplete, HoldApproved),
    ];
    assert_eq!(world.record(), record);
}

#[tokio::test]
async fn what_an_approver_denies_is_given_back() {
    let store = Store::default();
    let world = world(&store);
    let asked = held(&world).await;
    world.vote(deny()).await;
    assert_eq!(asked.await.unwrap().unwrap().refusal(), (403, "approval"));
    assert_eq!(store.open(), 0);
    assert_eq!(world.last().outcome(), Some(HoldDenied));
    world.nothing_sent();
}

#[tokio::test]
async fn what_nobody_approves_in_time_is_given_back() {
    let store = Store::default();
    let world = world(&store);
    let asked = held(&world).await;
    world.clock.advance(60);
    assert_eq!(asked.await.unwrap().unwrap().refusal(), (504, "approval"));
    assert_eq!(store.open(), 0);
    assert_eq!(world.last().outcome(), Some(HoldExpired));
    world.nothing_sent();
}

#[tokio::test]
async fn what_its_caller_no_longer_waits_for_is_given_back() {
    let store = Store::default();
    let world = world(&store);
    let asked = held(&world).await;
    asked.abort();
    assert!(asked.await.err().unwrap().is_cancelled());
    assert_eq!(store.open(), 0);
    world.nothing_sent();
}

#[tokio::test]
async fn a_store_that_panics_on_release() {
    let store = Store::failing(Fault::PanicsOnRelease);
    let world = world(&store);
    let asked = held(&world).await;
    world.vote(deny()).await;
    assert_eq!(asked.await.unwrap().unwrap().refusal(), (403, "approval"));
    world.nothing_sent();
}

const PODS: &str = "/api/v1/namespaces/team-a/pods?labelSelector=app%3Dweb";

fn delete_pods() -> http::Request<countersign_tower::Body> {
    request("DELETE", PODS, "")
}

fn page(items: usize, token: &str) -> Answer {
    let items = vec![r#"{"metadata":{"name":"x"}}"#; items].join(",");
    let kind = r#""kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1""#;
    Answer::json(
        200,
        format!(r#"{{{kind},"metadata":{{"continue":"{token}"}},"items":[{items}]}}"#),
    )
}

fn counting(store: &Store, max: u64) -> World {
    let engine = Budgeted {
        unit: Unit::Objects,
        max,
    };
    World::with(|guard| guard.policy(engine).budgets(store.clone()))
}

#[tokio::test]
async fn objects_of_a_collection_are_counted() {
    let store = Store::default();
    let world = counting(&store, 600);
    let list = r#"{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[]}"#;
    world
        .server
        .script([page(500, "a b"), page(17, ""), Answer::json(200, list)]);
    assert_eq!(world.ask(delete_pods()).await.status(), 200);
    assert_eq!(store.charged(), [("agent".to_owned(), 517)]);
    let selected = "/api/v1/namespaces/team-a/pods?limit=";
    assert_eq!(
        world.last().annotation("countersign.dev/probes").unwrap(),
        format!("{selected}500&labelSelector=app%3Dweb,{selected}101&labelSelector=app%3Dweb&continue=a%20b")
    );
    assert_eq!(world.sent_once().method, "DELETE");
}

#[tokio::test]
async fn an_empty_collection_and_a_named_object() {
    let store = Store::default();
    let world = counting(&store, 9);
    world
        .server
        .script([page(0, ""), Answer::json(200, "{}"), Answer::json(200, pod())]);
    world.ask(delete_pods()).await;
    world.ask(get_pod()).await;
    assert_eq!(store.charged(), [("agent".to_owned(), 0), ("agent".to_owned(), 1)]);
}

#[tokio::test]
async fn a_collection_larger_than_its_budget_is_not_counted_to_its_end() {
    let world = World::with(|guard| {
        let engine = Budgeted {
            unit: Unit::Objects,
            max: 5,
        };
        guard.policy(engine).budgets(MemoryBudgets::new())
    });
    world.server.script([page(6, "more")]);
    let answer = world.ask(delete_pods()).await;
    assert_eq!(answer.refusal(), (403, "budget"));
    assert!(
        answer.body.contains("it takes 6 or more, 5 are left"),
        "{}",
        answer.body
    );
    world.nothing_sent();
    assert_eq!(world.record(), [(ResponseComplete, Deny)]);
}

#[tokio::test]
async fn a_collection_that_can_not_be_counted() {
    for answer in [
        Answer::json(403, "{}"),
        Answer::json(500, "{}"),
        Answer::json(200, r#"{"items":7}"#),
        Answer::json(200, "<html>"),
    ] {
        let store = Store::default();
        let world = counting(&store, 600);
        world.server.script([answer]);
        assert_eq!(world.ask(delete_pods()).await.refusal(), (502, "upstream"));
        world.nothing_sent();
        assert!(store.charged().is_empty());
        assert_eq!(world.record(), [(ResponseComplete, Deny)]);
    }
}

#[tokio::test]
async fn a_server_whose_pages_never_end() {
    let store = Store::default();
    let world = counting(&store, 1_000_000);
    world.server.script((0..50).map(|_| page(500, "again")));
    assert_eq!(world.ask(delete_pods()).await.refusal(), (403, "policy"));
    assert_eq!(world.server.sent().len(), 40);
    assert!(store.charged().is_empty());
    assert!(world.sent().iter().all(|sent| sent.method == "GET"));
}

#[tokio::test]
async fn the_caller_leaves_while_a_collection_is_counted() {
    let store = Store::default();
    let world = counting(&store, 600);
    world.server.script([Answer::hangs()]);
    let asked = world.spawn(delete_pods());
    world.reached(1).await;
    asked.abort();
    assert!(asked.await.unwrap_err().is_cancelled());
    world.nothing_sent();
    assert!(store.charged().is_empty());
    assert_eq!(world.record(), [(ResponseComplete, CallerLeft)]);
}
