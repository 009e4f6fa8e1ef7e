//! A sink in memory, for tests and for programs that hand the records on themselves.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::chain::{Chain, Encoded};
use super::event::Event;
use super::gap::{LossCause, Losses};
use super::sink::{AuditSink, Durability, SinkError, SinkErrorKind};

/// Keeps the records in memory, chained like those of a file. Clones share them.
///
/// It holds a bounded number of records and is full after that; what it promises as durable ends with the process.
#[derive(Debug, Clone)]
pub struct MemorySink {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    chain: Chain,
    events: Vec<Event>,
    log: Vec<u8>,
    capacity: usize,
    losses: Losses,
    #[cfg(any(test, feature = "conformance"))]
    down: bool,
}

impl MemorySink {
    /// Records that a sink holds unless it is told otherwise.
    pub const CAPACITY: usize = 65_536;

    /// An empty log with this id.
    #[must_use]
    pub fn new(log_id: impl Into<String>) -> Self {
        Self::with_capacity(log_id, Self::CAPACITY)
    }

    /// An empty log with this id that holds so many records, those of gaps not counted.
    #[must_use]
    pub fn with_capacity(log_id: impl Into<String>, capacity: usize) -> Self {
        Self {
            state: Arc::new(Mutex::new(State {
                chain: Chain::new(log_id),
                events: Vec::new(),
                log: Vec::new(),
                capacity,
                losses: Losses::default(),
                #[cfg(any(test, feature = "conformance"))]
                down: false,
            })),
        }
    }

    /// All events so far, those of gaps included.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.state().events.clone()
    }

    /// The log as a file would hold it: a line for each record.
    #[must_use]
    pub fn log(&self) -> Vec<u8> {
        self.state().log.clone()
    }

    /// From now on everything fails, until this is taken back.
    #[cfg(any(test, feature = "conformance"))]
    pub fn set_down(&self, down: bool) {
        self.state().down = down;
    }

    /// Nothing panics while it holds the lock, so the state behind a poisoned one is sound.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn keep(&mut self, event: Event) -> Result<(), SinkError> {
        let at = event.stage_timestamp;
        let encoded = match self.admit(&event) {
            Ok(encoded) => encoded,
            Err((cause, error)) => {
                self.losses.add(cause, at);
                return Err(error.into());
            }
        };
        if !self.losses.is_empty() {
            let gap = std::mem::take(&mut self.losses).to_event(at);
            if let Ok(encoded) = Encoded::new(&gap) {
                self.chain.append(&encoded, &mut self.log);
                self.events.push(gap);
                self.capacity = self.capacity.saturating_add(1);
            }
        }
        self.chain.append(&encoded, &mut self.log);
        self.events.push(event);
        Ok(())
    }

    fn admit(&self, event: &Event) -> Result<Encoded, (LossCause, SinkErrorKind)> {
        #[cfg(any(test, feature = "conformance"))]
        if self.down {
            return Err((LossCause::Write, SinkErrorKind::Io(std::io::ErrorKind::StorageFull)));
        }
        if self.events.len() >= self.capacity {
            return Err((LossCause::Full, SinkErrorKind::Full));
        }
        Encoded::new(event).map_err(|_| (LossCause::TooLarge, SinkErrorKind::TooLarge))
    }
}

#[async_trait]
impl AuditSink for MemorySink {
    async fn append(&self, event: Event, _durability: Durability) -> Result<(), SinkError> {
        self.state().keep(event)
    }

    fn submit(&self, event: Event) {
        // What is not kept has been counted.
        let _ = self.state().keep(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Outcome, Stage, verify};

    fn event(id: &str) -> Event {
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        Event::new(id, Stage::ResponseComplete, now, now).with_outcome(Outcome::Deny)
    }

    #[test]
    fn what_is_turned_down_is_a_gap_later() {
        let sink = MemorySink::new("m");
        sink.submit(event("a"));
        sink.set_down(true);
        sink.submit(event("b"));
        sink.set_down(false);
        sink.submit(event("c"));
        let ids: Vec<_> = sink.events().into_iter().map(|event| event.audit_id).collect();
        assert_eq!(ids, ["a", "gap", "c"]);
        let report = verify(&sink.log());
        assert!(report.is_intact() && !report.is_complete(), "{report}");
    }

    #[test]
    fn it_is_bounded() {
        let sink = MemorySink::with_capacity("m", 2);
        for id in ["a", "b", "c", "d"] {
            sink.submit(event(id));
        }
        assert_eq!(sink.events().len(), 2);
    }
}

#[cfg(all(test, feature = "conformance"))]
mod conforms {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::audit::conformance as suite;

    /// Runs a test of the suite on the type and behind both pointers; nothing in memory ever waits.
    macro_rules! conforms {
        ($($name:ident ( $($down:ident)? );)*) => {$(
            #[test]
            fn $name() {
                let sink = MemorySink::new("m");
                suite::$name(&sink, async || sink.events() $(, |$down| sink.set_down($down))?).now_or_never().unwrap();
                let sink = MemorySink::new("m");
                let boxed: Box<dyn AuditSink> = Box::new(sink.clone());
                suite::$name(&boxed, async || sink.events() $(, |$down| sink.set_down($down))?).now_or_never().unwrap();
                let sink = MemorySink::new("m");
                let shared: Arc<dyn AuditSink> = Arc::new(sink.clone());
                suite::$name(&shared, async || sink.events() $(, |$down| sink.set_down($down))?).now_or_never().unwrap();
            }
        )*};
    }

    conforms! {
        a_synced_record_is_stored();
        one_caller_keeps_its_order();
        many_callers_lose_nothing();
        submit_neither_waits_nor_loses_silently();
        a_cancelled_append_does_no_harm();
        a_failure_is_answered_and_leaves_a_gap(down);
    }

    #[test]
    fn errors_show_nothing_of_a_record() {
        let sink = MemorySink::new("m");
        suite::errors_show_nothing_of_a_record(&sink, |down| sink.set_down(down))
            .now_or_never()
            .unwrap();
    }
}
