//! Tests of the contract of [`BudgetStore`], to be run on an implementation of yours.
//!
//! Each function takes a fresh store. They panic where the contract is broken, and need no particular runtime.
//!
//! ```
//! use countersign_core::policy::{MemoryBudgets, budget_conformance as conformance};
//!
//! # futures_util::FutureExt::now_or_never(async {
//! conformance::a_budget_is_spent_exactly(&MemoryBudgets::new()).await;
//! # }).unwrap();
//! ```
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test suite says what is wrong by panicking"
)]

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use jiff::Timestamp;

use super::{Budget, BudgetError, BudgetStore, Charge, Reservation, Unit};
use crate::request::Effects;

/// The length of the windows here.
const HOUR: Duration = Duration::from_secs(3600);

/// A budget of so many objects per hour.
#[must_use]
pub fn budget(name: &str, max: u64) -> Budget {
    Budget {
        name: format!("conformance/{name}"),
        effects: Effects::NONE,
        unit: Unit::Objects,
        max,
        per: HOUR,
    }
}

/// Of a budget of three, three go, and the fourth is told what is left and when to come again.
pub async fn a_budget_is_spent_exactly(store: &impl BudgetStore) {
    let budget = budget("exact", 3);
    for (second, left) in [(0, 2), (10, 1), (20, 0)] {
        let reservation = reserve(store, &budget, 1, second).await.expect("there is some left");
        assert_eq!(reservation.charged.len(), 1, "one charge, one account of it");
        assert!(
            reservation
                .charged
                .iter()
                .all(|charged| charged.left == left && charged.amount == 1),
            "{left} are left, not as in {reservation:?}"
        );
    }
    assert_spent(reserve(store, &budget, 1, 30).await, 0, Some(0));
    assert_spent(reserve(store, &budget, 2, 30).await, 0, Some(10));
    assert_spent(reserve(store, &budget, 4, 30).await, 0, None);
}

/// What was charged at `t` counts until `t + per`; a hundredth of the window later it is free.
pub async fn the_window_slides(store: &impl BudgetStore) {
    let budget = budget("window", 2);
    reserve(store, &budget, 1, 0).await.expect("the first");
    reserve(store, &budget, 1, 1800).await.expect("the second");
    assert!(
        reserve(store, &budget, 1, 3599).await.is_err(),
        "the first still counts"
    );
    let late = 3600 + HOUR.as_secs() / 100;
    reserve(store, &budget, 1, late).await.expect("the first has lapsed");
    assert!(
        reserve(store, &budget, 1, late).await.is_err(),
        "the second still counts"
    );
}

/// Each subject has an account of its own, and so has each budget.
pub async fn accounts_are_apart(store: &impl BudgetStore) {
    let (one, other) = (budget("one", 1), budget("other", 1));
    reserve_as(store, "ann", &[(&one, 1)], 0).await.expect("ann has one");
    reserve_as(store, "bob", &[(&one, 1)], 0)
        .await
        .expect("bob has one too");
    reserve_as(store, "ann", &[(&other, 1)], 0)
        .await
        .expect("of another budget");
    assert!(reserve_as(store, "ann", &[(&one, 1)], 0).await.is_err(), "ann had hers");
}

/// If one of several budgets is spent, none is charged.
pub async fn all_or_nothing(store: &impl BudgetStore) {
    let (wide, narrow) = (budget("wide", 2), budget("narrow", 1));
    reserve(store, &narrow, 1, 0).await.expect("the only one");
    for charges in [[(&wide, 1), (&narrow, 1)], [(&narrow, 1), (&wide, 1)]] {
        match reserve_as(store, "ann", &charges, 0).await {
            Err(BudgetError::Spent { name, .. }) => assert_eq!(name, narrow.name),
            other => panic!("the narrow budget is spent, but: {other:?}"),
        }
    }
    reserve(store, &wide, 2, 0)
        .await
        .expect("nothing was charged for what was refused");
}

/// A reservation of nothing charges nothing, also where nothing is left.
pub async fn nothing_is_always_left(store: &impl BudgetStore) {
    let budget = budget("nothing", 1);
    reserve(store, &budget, 1, 0).await.expect("the only one");
    reserve(store, &budget, 0, 0).await.expect("nothing");
    reserve_as(store, "ann", &[], 0).await.expect("no charges at all");
}

/// What is released is free at once, what stays reserved is not.
pub async fn a_release_gives_back(store: &impl BudgetStore) {
    let (two, five) = (budget("two", 2), budget("five", 5));
    reserve_as(store, "ann", &[(&two, 1), (&five, 1)], 0)
        .await
        .expect("first");
    let second = reserve_as(store, "ann", &[(&two, 1), (&five, 4)], 0)
        .await
        .expect("second");
    assert!(reserve(store, &two, 1, 1).await.is_err(), "both are spent");
    store.release(second);
    let again = reserve_as(store, "ann", &[(&two, 1), (&five, 4)], 1).await;
    again.expect("what was released is free");
    assert!(
        reserve(store, &two, 1, 2).await.is_err(),
        "what was not released is not"
    );
}

/// A release after the window gives nothing back: it was free already.
pub async fn a_late_release_gives_nothing_back(store: &impl BudgetStore) {
    let budget = budget("late", 1);
    let lapsed = reserve(store, &budget, 1, 0).await.expect("the first");
    reserve(store, &budget, 1, 2 * 3600).await.expect("a window later");
    store.release(lapsed);
    assert!(
        reserve(store, &budget, 1, 2 * 3600).await.is_err(),
        "the release of one gave another back"
    );
}

/// A clock that goes back frees nothing.
pub async fn a_clock_that_goes_back_frees_nothing(store: &impl BudgetStore) {
    let budget = budget("clock", 1);
    reserve(store, &budget, 1, 7200).await.expect("the only one");
    assert!(reserve(store, &budget, 1, 0).await.is_err(), "two hours before");
    assert!(
        reserve(store, &budget, 1, 7200 + 3599).await.is_err(),
        "it still counts"
    );
}

/// A budget that was made smaller holds what was charged before against the new size; one made larger has more.
pub async fn a_budget_that_changes_keeps_its_account(store: &impl BudgetStore) {
    reserve(store, &budget("changes", 5), 4, 0).await.expect("four of five");
    assert_spent(reserve(store, &budget("changes", 2), 1, 1).await, 0, Some(0));
    reserve(store, &budget("changes", 9), 5, 2).await.expect("nine in all");
}

/// Of reservations that overlap no more succeed than there is.
pub async fn no_race_gets_more_than_there_is(store: &impl BudgetStore) {
    let budget = budget("race", 7);
    let racing: Vec<_> = (0..50).map(|_| reserve(store, &budget, 1, 0)).collect();
    let got = join_all(racing).await.iter().filter(|got| got.is_ok()).count();
    assert_eq!(got, 7, "seven of fifty get one");
}

fn at(second: u64) -> Timestamp {
    let start = Timestamp::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    start + Duration::from_secs(second)
}

async fn reserve(
    store: &impl BudgetStore,
    budget: &Budget,
    amount: u64,
    second: u64,
) -> Result<Reservation, BudgetError> {
    reserve_as(store, "ann", &[(budget, amount)], second).await
}

async fn reserve_as(
    store: &impl BudgetStore,
    subject: &str,
    charges: &[(&Budget, u64)],
    second: u64,
) -> Result<Reservation, BudgetError> {
    let charges: Vec<_> = charges
        .iter()
        .map(|(budget, amount)| Charge {
            budget,
            subject,
            amount: *amount,
        })
        .collect();
    store.reserve(&charges, at(second)).await
}

/// `free` is the second of the charge whose lapse frees enough.
#[track_caller]
fn assert_spent(got: Result<Reservation, BudgetError>, left: u64, free: Option<u64>) {
    match got {
        Err(BudgetError::Spent {
            left: said, retry_at, ..
        }) => {
            assert_eq!(said, left, "what is left");
            match (retry_at, free.map(at)) {
                (None, None) => {}
                (Some(said), Some(charged)) => assert!(
                    said >= charged + HOUR && said <= charged + HOUR + HOUR / 100,
                    "free at {said}, but charged at {charged}"
                ),
                (said, charged) => panic!("free at {said:?}, but charged at {charged:?}"),
            }
        }
        other => panic!("the budget is spent, but: {other:?}"),
    }
}

async fn join_all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut running: Vec<Pin<Box<F>>> = futures.into_iter().map(Box::pin).collect();
    let mut done = Vec::new();
    poll_fn(move |cx| {
        running.retain_mut(|future| match future.as_mut().poll(cx) {
            Poll::Ready(output) => {
                done.push(output);
                false
            }
            Poll::Pending => true,
        });
        match running.is_empty() {
            true => Poll::Ready(std::mem::take(&mut done)),
            false => Poll::Pending,
        }
    })
    .await
}
