//! The store in memory, and what a caller is told.

use std::sync::Barrier;

use futures_util::FutureExt as _;

use super::conformance as suite;
use super::*;

fn at(second: u64) -> Timestamp {
    let start: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
    start + Duration::from_secs(second)
}

fn budget(max: u64, per: u64) -> Budget {
    Budget {
        name: "team/deletions".into(),
        effects: Effects::NONE,
        unit: Unit::Objects,
        max,
        per: Duration::from_secs(per),
    }
}

fn charge<'a>(budget: &'a Budget, subject: &'a str, amount: u64) -> Charge<'a> {
    Charge {
        budget,
        subject,
        amount,
    }
}

fn reserve(store: &MemoryBudgets, budget: &Budget, amount: u64, now: Timestamp) -> Result<Reservation, BudgetError> {
    store
        .reserve(&[charge(budget, "ann", amount)], now)
        .now_or_never()
        .unwrap()
}

macro_rules! conforms {
    ($($test:ident),* $(,)?) => { $(
        #[test]
        fn $test() {
            suite::$test(&MemoryBudgets::new()).now_or_never().unwrap();
            suite::$test(&(Box::new(MemoryBudgets::new()) as Box<dyn BudgetStore>)).now_or_never().unwrap();
            suite::$test(&(Arc::new(MemoryBudgets::new()) as Arc<dyn BudgetStore>)).now_or_never().unwrap();
        }
    )* };
}

conforms![
    a_budget_is_spent_exactly,
    the_window_slides,
    accounts_are_apart,
    all_or_nothing,
    nothing_is_always_left,
    a_release_gives_back,
    a_late_release_gives_nothing_back,
    a_clock_that_goes_back_frees_nothing,
    a_budget_that_changes_keeps_its_account,
    no_race_gets_more_than_there_is,
];

#[test]
fn a_small_budget_is_free_again_on_the_nanosecond() {
    let (store, budget) = (MemoryBudgets::new(), budget(1, 60));
    reserve(&store, &budget, 1, at(0)).unwrap();
    let free = at(60);
    let before = free.checked_sub(Duration::from_nanos(1)).unwrap();
    assert_eq!(
        reserve(&store, &budget, 1, before),
        Err(BudgetError::Spent {
            name: "team/deletions".into(),
            left: 0,
            retry_at: Some(free),
        })
    );
    reserve(&store, &budget, 1, free).unwrap();
}

#[test]
fn racing_threads_get_no_more_than_there_is() {
    let (store, budget) = (MemoryBudgets::new(), budget(100, 60));
    let start = Barrier::new(8);
    let got: usize = std::thread::scope(|scope| {
        let race = || {
            start.wait();
            let mut got = 0;
            for round in 0..200 {
                match reserve(&store, &budget, 1, at(0)) {
                    // Every third is given back, so that what is free moves under the others.
                    Ok(reservation) if round % 3 == 0 => store.release(reservation),
                    Ok(_) => got += 1,
                    Err(_) => {}
                }
            }
            got
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(race)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    let rest = (0..200).filter(|_| reserve(&store, &budget, 1, at(0)).is_ok()).count();
    assert_eq!(got + rest, 100);
}

#[test]
fn a_large_budget_takes_little_memory_and_is_never_free_too_soon() {
    let (store, budget) = (MemoryBudgets::new(), budget(1_000_000, 3600));
    for request in 0..100_000_u64 {
        let now = at(0) + Duration::from_millis(request * 30);
        reserve(&store, &budget, 10, now).unwrap();
    }
    let (slices, _) = store.sizes();
    assert!(slices <= 514, "{slices}");
    // Spent at second 3000; what was charged in the first half lapses between 3600 and 5400.
    assert!(reserve(&store, &budget, 1, at(3599)).is_err());
    let after_half = at(3600 + 1500);
    let Ok(reservation) = reserve(&store, &budget, 0, after_half) else {
        panic!()
    };
    let left = reservation.charged[0].left;
    assert!((500_000 - 3_000..=500_000).contains(&left), "{left}");
}

#[test]
fn hostile_subjects_find_no_room_and_lapse() {
    let (store, budget) = (MemoryBudgets::with_capacity(100), budget(1, 60));
    let ask = |subject: &str, now| {
        store
            .reserve(&[charge(&budget, subject, 1)], now)
            .now_or_never()
            .unwrap()
            .map(drop)
    };
    for subject in 0..100 {
        ask(&format!("subject-{subject}"), at(0)).unwrap();
    }
    assert_eq!(ask("one more", at(59)), Err(BudgetError::Unavailable));
    assert_eq!(store.accounts(), 100);
    ask("one more", at(60)).unwrap();
    assert_eq!(store.accounts(), 1, "what has lapsed takes no room");
}

#[test]
fn an_account_without_anything_in_it_is_gone() {
    let (store, budget) = (MemoryBudgets::new(), budget(5, 60));
    let reservation = reserve(&store, &budget, 3, at(0)).unwrap();
    store.release(reservation);
    assert_eq!(store.accounts(), 0);
    assert_eq!(store.sizes(), (0, 0));
}

#[test]
fn a_window_that_no_clock_reaches() {
    let store = MemoryBudgets::new();
    let budget = Budget {
        per: Duration::MAX,
        ..budget(2, 1)
    };
    reserve(&store, &budget, 1, Timestamp::MIN).unwrap();
    reserve(&store, &budget, 1, at(0)).unwrap();
    assert!(reserve(&store, &budget, 1, at(1_000_000)).is_err());
    assert!(reserve(&store, &budget, u64::MAX, at(1_000_000)).is_err());
}

#[test]
fn what_the_caller_is_told() {
    let store = MemoryBudgets::new();
    let budget = budget(5, 3600);
    reserve(&store, &budget, 4, at(0)).unwrap();
    reserve(&store, &budget, 1, at(1)).unwrap();
    let told = |amount: u64, now: Timestamp| {
        let charges = [charge(&budget, "ann", amount)];
        let error = store.reserve(&charges, now).now_or_never().unwrap().unwrap_err();
        budget_refusal(&error, &charges, now)
    };
    let refusal = told(1, at(60));
    assert_eq!(
        refusal.message(),
        "the budget team/deletions (5 objects per 1h) is spent: 0 left, more at 11:00:00Z"
    );
    assert_eq!(refusal.rule(), Some("team/deletions"));
    let status = refusal.to_status();
    assert_eq!((&status["code"], &status["reason"]), (&403.into(), &"Forbidden".into()));
    assert_eq!(status["details"]["retryAfterSeconds"], 3540);
    let causes = status["details"]["causes"].as_array().unwrap();
    for (reason, message) in [
        ("class", "budget"),
        ("retry", "later"),
        ("left", "0"),
        ("retry-at", "2026-11-22T11:00:00Z"),
    ] {
        let fact = serde_json::json!({ "reason": format!("countersign.dev/{reason}"), "message": message });
        assert!(causes.contains(&fact), "{causes:?}");
    }
    assert_eq!(
        told(5, at(3600)).message(),
        "the budget team/deletions (5 objects per 1h) is spent: 4 left, this request needs 5, more at 11:00:01Z"
    );
    let larger = told(6, at(3601));
    assert_eq!(
        larger.message(),
        "the budget team/deletions (5 objects per 1h) does not cover this request: it takes 6 or more, 5 are left"
    );
    assert_eq!(larger.to_status()["details"].get("retryAfterSeconds"), None);
}

#[test]
fn times_of_another_day_are_whole() {
    let (store, budget) = (MemoryBudgets::new(), budget(1, 86_400));
    let now = at(0) + Duration::from_millis(500);
    reserve(&store, &budget, 1, now).unwrap();
    let charges = [charge(&budget, "ann", 1)];
    let error = store.reserve(&charges, now).now_or_never().unwrap().unwrap_err();
    assert_eq!(
        budget_refusal(&error, &charges, now).message(),
        "the budget team/deletions (1 objects per 24h) is spent: 0 left, more at 2026-11-23T10:00:01Z",
        "rounded up"
    );
}
