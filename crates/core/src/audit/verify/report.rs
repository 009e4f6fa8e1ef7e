//! The verdicts over a log, as data and for people.

use std::fmt;

use crate::digest::Digest;
use crate::escape::escape_clip;

/// The two verdicts over a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Id of the log, if its first record is there.
    pub log_id: Option<String>,
    /// Number of records.
    pub records: u64,
    /// Number and hash of the last record.
    pub last: Option<(u64, Digest)>,
    /// What was changed.
    pub integrity: Findings,
    /// What is missing.
    pub completeness: Findings,
    /// The record that the log was compared with.
    pub(super) noted: Option<u64>,
}

/// What is wrong, line by line. The first ones are kept, all are counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    kept: Vec<Finding>,
    count: u64,
}

/// Something that is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong there.
    pub problem: Problem,
}

/// What can be wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// Integrity: the line is no record.
    NoRecord,
    /// Integrity: the record was changed.
    Changed,
    /// Integrity: the record is no event that everybody reads in the same way.
    NoEvent,
    /// Integrity: the record does not name the hash of the one before it.
    Unlinked,
    /// Integrity: the number was used before.
    Repeated {
        /// The number.
        seq: u64,
    },
    /// Integrity: the first record is not tied to the id of the log.
    NoLogId,
    /// Integrity: the record is not the one that was noted elsewhere.
    NotAsNoted,
    /// Completeness: records are not there.
    Missing {
        /// The first of them.
        from: u64,
        /// The last of them.
        to: u64,
    },
    /// Completeness: the line has no end; it was cut, or is being written.
    CutLine,
    /// Completeness: the sink said that records were lost here.
    Gap {
        /// How many, when and why, as the record says.
        what: String,
    },
    /// Completeness: a request was to be sent, and nothing says what became of it. It may still be under way.
    NoOutcome,
    /// Completeness: a request was sent, and nothing says so before.
    NoIntent,
    /// Completeness: more requests are under way than are followed.
    TooManyOpen,
    /// Completeness: the log ends before a record that was noted elsewhere.
    EndsBefore {
        /// Number of the record.
        seq: u64,
    },
}

impl Report {
    /// Whether nothing was changed.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        self.integrity.is_empty()
    }

    /// Whether nothing is missing, as far as a log can know.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.completeness.is_empty()
    }
}

impl Findings {
    /// Most findings that are kept.
    pub const MAX: usize = 100;

    /// The first findings, in the order of their lines.
    #[must_use]
    pub fn first(&self) -> &[Finding] {
        &self.kept
    }

    /// How many there are, those not kept included.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) fn sort(&mut self) {
        self.kept.sort_by_key(|finding| finding.line);
    }

    pub(super) fn add(&mut self, line: u64, problem: Problem) {
        self.count += 1;
        if self.kept.len() < Self::MAX {
            self.kept.push(Finding { line, problem });
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.log_id.as_deref().unwrap_or("of unknown id");
        writeln!(f, "audit log {}: {} records", escape_clip(id, 40), self.records)?;
        if let Some((seq, hash)) = self.last {
            writeln!(f, "last record:  {seq} ({hash})")?;
        }
        let verdict = |good: bool, yes, no| if good { yes } else { no };
        writeln!(f, "integrity:    {}", verdict(self.is_intact(), "intact", "BROKEN"))?;
        self.integrity.fmt(f)?;
        writeln!(
            f,
            "completeness: {}",
            verdict(self.is_complete(), "complete", "INCOMPLETE")
        )?;
        self.completeness.fmt(f)?;
        match self.noted {
            Some(seq) => write!(
                f,
                "compared with the noted record {seq}; what was cut off after it can't be seen"
            ),
            None => write!(
                f,
                "records cut off at the end can't be seen without a noted number and hash"
            ),
        }
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Finding { line, problem } in &self.kept {
            writeln!(f, "  line {line}: {problem}")?;
        }
        match self.count.saturating_sub(self.kept.len() as u64) {
            0 => Ok(()),
            more => writeln!(f, "  and {more} more"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRecord => f.write_str("no record: it does not end in seq, prev and hash"),
            Self::Changed => f.write_str("changed: its hash is not that of its bytes"),
            Self::NoEvent => f.write_str("no audit.k8s.io/v1 event"),
            Self::Unlinked => f.write_str("does not follow the line before it: prev is not that line's hash"),
            Self::Repeated { seq } => write!(f, "the number {seq} was used before"),
            Self::NoLogId => f.write_str("not tied to the id of the log"),
            Self::NotAsNoted => f.write_str("not the record that was noted elsewhere"),
            Self::Missing { from, to } if from == to => write!(f, "record {from} is missing before it"),
            Self::Missing { from, to } => write!(f, "records {from} to {to} are missing before it"),
            Self::CutLine => f.write_str("cut off, or still being written"),
            Self::Gap { what } => write!(f, "the sink lost records: {}", escape_clip(what, 120)),
            Self::NoOutcome => f.write_str("the request has no outcome"),
            Self::NoIntent => f.write_str("the request was sent without an intent before it"),
            Self::TooManyOpen => write!(
                f,
                "more than {} requests under way: outcomes can't be matched",
                super::Verifier::MAX_OPEN
            ),
            Self::EndsBefore { seq } => write!(f, "the log ends before the noted record {seq}"),
        }
    }
}
