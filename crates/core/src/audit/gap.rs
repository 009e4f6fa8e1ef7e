//! What a sink could not keep: counted, and said in the log as soon as the log works again.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::event::{Event, Stage, annotation, micros};
use super::outcome::Outcome;

/// Counts records that did not reach the log, until a record of the gap does.
///
/// A sink adds to it whatever it turns down or loses, and writes [`Losses::to_event`] before the next record.
#[derive(Debug, Clone, Default)]
pub struct Losses {
    records: u64,
    span: Option<(Timestamp, Timestamp)>,
    causes: BTreeSet<LossCause>,
}

/// Why a record is not in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LossCause {
    /// More came than the sink could take.
    Full,
    /// Writing failed.
    Write,
    /// The event was larger than a record may be.
    TooLarge,
    /// The program ended while it wrote.
    Crash,
}

impl LossCause {
    /// The name in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Write => "write-failed",
            Self::TooLarge => "too-large",
            Self::Crash => "crash",
        }
    }
}

impl Losses {
    /// Adds a lost record, and when its event happened.
    pub fn add(&mut self, cause: LossCause, at: Timestamp) {
        self.records = self.records.saturating_add(1);
        self.causes.insert(cause);
        self.widen(at, at);
    }

    /// Adds what another counted.
    pub fn merge(&mut self, other: Self) {
        self.records = self.records.saturating_add(other.records);
        self.causes.extend(other.causes);
        if let Some((from, to)) = other.span {
            self.widen(from, to);
        }
    }

    /// How many records are lost.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Whether nothing is lost.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// The record of the gap.
    #[must_use]
    pub fn to_event(&self, now: Timestamp) -> Event {
        let (from, to) = self.span.unwrap_or((now, now));
        let causes: Vec<_> = self.causes.iter().map(|cause| cause.as_str()).collect();
        let mut event = Event::new("gap", Stage::ResponseComplete, from, now)
            .with_outcome(Outcome::Gap)
            .with(annotation::GAP_RECORDS, self.records.to_string())
            .with(annotation::GAP_FROM, micros::text(from))
            .with(annotation::GAP_TO, micros::text(to))
            .with(annotation::GAP_CAUSE, causes.join(","));
        event.user.username = "countersign".to_owned();
        event
    }

    fn widen(&mut self, from: Timestamp, to: Timestamp) {
        self.span = Some(match self.span {
            Some((first, last)) => (first.min(from), last.max(to)),
            None => (from, to),
        });
    }
}
