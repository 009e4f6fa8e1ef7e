//! What every [`AuditSink`] has to do, as functions that panic where it does not.
//!
//! Run each on a new sink of yours, on the type itself and behind `Box<dyn AuditSink>` and `Arc<dyn AuditSink>`. `read`
//! answers with the events that are on stable storage, in their order, those of gaps included. `set_down` makes storage
//! fail and work again; who can't do that leaves out the functions that ask for it.
//!
//! ```
//! # fn block_on<F: Future>(future: F) {
//! #     let mut future = std::pin::pin!(future);
//! #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
//! #     while future.as_mut().poll(&mut context).is_pending() {}
//! # }
//! use countersign_core::audit::{MemorySink, conformance};
//!
//! # block_on(async {
//! let sink = MemorySink::new("a-random-id");
//! conformance::one_caller_keeps_its_order(&sink, async || sink.events()).await;
//! # });
//! ```

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::event::{Event, Stage, annotation};
use super::outcome::Outcome;
use super::sink::{AuditSink, Durability};

/// Text that stands in every event of these tests; no error may show it.
const PAYLOAD: &str = "payload-of-a-caller";

/// An event to be kept.
fn event(id: impl Into<String>) -> Event {
    let mut event = Event::new(id, Stage::ResponseStarted, Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
    event.request_uri = format!("/{PAYLOAD}");
    event
}

/// Ids of the events, without those of gaps.
fn ids(events: &[Event]) -> Vec<&str> {
    events
        .iter()
        .filter(|event| event.outcome() != Some(Outcome::Gap))
        .map(|event| event.audit_id.as_str())
        .collect()
}

/// How many records the gaps say are lost.
fn lost(events: &[Event]) -> usize {
    events
        .iter()
        .filter(|event| event.outcome() == Some(Outcome::Gap))
        .filter_map(|event| event.annotation(annotation::GAP_RECORDS)?.parse::<usize>().ok())
        .sum()
}

/// A record is on stable storage once its synced append is answered, whole.
pub async fn a_synced_record_is_stored(sink: &impl AuditSink, read: impl AsyncFn() -> Vec<Event>) {
    let kept = event("kept").with("example.com/fact", "tab\there, \"quotes\", newline\n, ünïcode");
    let answer = sink.append(kept.clone(), Durability::Synced).await;
    assert_eq!(answer, Ok(()), "a working sink keeps a record");
    let stored = read().await;
    let found = stored.iter().find(|event| event.audit_id == "kept");
    let same = found.is_some_and(|found| {
        found.request_uri == kept.request_uri
            && found.stage == kept.stage
            && found.annotation("example.com/fact") == kept.annotation("example.com/fact")
    });
    assert!(same, "the stored event is not the one that was appended");
}

/// What one caller hands over comes in that order, however it does so, and all of it before a synced append is answered.
pub async fn one_caller_keeps_its_order(sink: &impl AuditSink, read: impl AsyncFn() -> Vec<Event>) {
    let mut expected = Vec::new();
    for round in 0..10 {
        for (name, how) in [("submitted", None), ("buffered", Some(Durability::Buffered))] {
            let id = format!("{name}-{round}");
            match how {
                None => sink.submit(event(&*id)),
                Some(durability) => assert_eq!(sink.append(event(&*id), durability).await, Ok(())),
            }
            expected.push(id);
        }
    }
    assert_eq!(sink.append(event("last"), Durability::Synced).await, Ok(()));
    expected.push("last".to_owned());
    let stored = read().await;
    assert_eq!(ids(&stored), expected, "out of order or not stored");
    assert_eq!(lost(&stored), 0, "a gap without a loss");
}

/// Callers at the same time lose nothing, and each one's order holds.
pub async fn many_callers_lose_nothing(sink: &impl AuditSink, read: impl AsyncFn() -> Vec<Event>) {
    const CALLERS: usize = 16;
    const EACH: usize = 20;
    let mut callers: Vec<Pin<Box<dyn Future<Output = ()> + '_>>> = Vec::new();
    for caller in 0..CALLERS {
        callers.push(Box::pin(async move {
            for n in 0..EACH {
                let answer = sink.append(event(format!("{caller}-{n}")), Durability::Synced).await;
                assert_eq!(answer, Ok(()));
            }
        }));
    }
    poll_fn(|context| {
        callers.retain_mut(|caller| caller.as_mut().poll(context).is_pending());
        if callers.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    let stored = read().await;
    assert_eq!(ids(&stored).len(), CALLERS * EACH, "records lost or doubled");
    for caller in 0..CALLERS {
        let prefix = format!("{caller}-");
        let own: Vec<_> = ids(&stored).into_iter().filter(|id| id.starts_with(&prefix)).collect();
        let expected: Vec<_> = (0..EACH).map(|n| format!("{caller}-{n}")).collect();
        assert_eq!(own, expected, "the order of caller {caller}");
    }
}

/// `submit` does not wait, and what it can't keep is in the record of a gap.
pub async fn submit_neither_waits_nor_loses_silently(sink: &impl AuditSink, read: impl AsyncFn() -> Vec<Event>) {
    const SUBMITTED: usize = 20_000;
    let start = Instant::now();
    for n in 0..SUBMITTED {
        sink.submit(event(format!("s{n}")));
    }
    assert!(start.elapsed() < Duration::from_secs(20), "submit waits");
    // A full sink may turn this one down as well; then that is counted too.
    let mut refused = 0;
    while sink.append(event("last"), Durability::Synced).await.is_err() {
        refused += 1;
        assert!(start.elapsed() < Duration::from_secs(60), "the sink stays full");
        std::thread::sleep(Duration::from_millis(1));
    }
    let stored = read().await;
    let kept = ids(&stored).len();
    assert_eq!(kept + lost(&stored), SUBMITTED + refused + 1, "records vanished");
}

/// An append that is given up leaves its record whole or absent, and the next one works.
pub async fn a_cancelled_append_does_no_harm(sink: &impl AuditSink, read: impl AsyncFn() -> Vec<Event>) {
    for n in 0..20 {
        // Not polled at all, then polled once.
        drop(sink.append(event(format!("never-{n}")), Durability::Synced));
        let mut given_up = pin!(sink.append(event(format!("cancelled-{n}")), Durability::Synced));
        let _ = given_up.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }
    assert_eq!(sink.append(event("last"), Durability::Synced).await, Ok(()));
    let stored = read().await;
    let ids = ids(&stored);
    assert_eq!(ids.last(), Some(&"last"));
    assert!(
        !ids.iter().any(|id| id.starts_with("never-")),
        "kept without being asked"
    );
    for n in 0..20 {
        let id = format!("cancelled-{n}");
        assert!(
            ids.iter().filter(|kept| **kept == id).count() <= 1,
            "{id} is there twice"
        );
    }
}

/// While storage fails, synced appends say so; once it works, the gap is recorded before the next record.
pub async fn a_failure_is_answered_and_leaves_a_gap(
    sink: &impl AuditSink,
    read: impl AsyncFn() -> Vec<Event>,
    set_down: impl Fn(bool),
) {
    assert_eq!(sink.append(event("before"), Durability::Synced).await, Ok(()));
    set_down(true);
    for n in 0..3 {
        let answer = sink.append(event(format!("lost-{n}")), Durability::Synced).await;
        assert!(answer.is_err(), "a failed sink says that it kept a record");
    }
    let answer = sink.append(event("lost-3"), Durability::Buffered).await;
    assert!(answer.is_err(), "a sink that is known to fail takes a record");
    sink.submit(event("lost-4"));
    set_down(false);
    assert_eq!(
        sink.append(event("after"), Durability::Synced).await,
        Ok(()),
        "a sink works again by itself"
    );
    let stored = read().await;
    assert_eq!(lost(&stored), 5, "the gap does not say how many records are lost");
    let kept: Vec<_> = stored
        .iter()
        .map(|event| match event.outcome() {
            Some(Outcome::Gap) => "gap",
            _ => event.audit_id.as_str(),
        })
        .collect();
    assert_eq!(kept.first(), Some(&"before"));
    assert_eq!(kept.last(), Some(&"after"));
    let between = kept.len().saturating_sub(2);
    assert!(
        kept.iter().skip(1).take(between).all(|id| *id == "gap"),
        "a record that was answered with an error counts as lost, and is there: {kept:?}"
    );
}

/// Errors say what is wrong with the sink, and nothing of what was to be kept.
pub async fn errors_show_nothing_of_a_record(sink: &impl AuditSink, set_down: impl Fn(bool)) {
    set_down(true);
    let answer = sink.append(event(PAYLOAD), Durability::Synced).await;
    set_down(false);
    assert!(answer.is_err(), "a failed sink says that it kept a record");
    let text = answer
        .err()
        .map(|error| format!("{error} {error:?}"))
        .unwrap_or_default();
    assert!(!text.contains(PAYLOAD), "an error shows the record: {text}");
}
