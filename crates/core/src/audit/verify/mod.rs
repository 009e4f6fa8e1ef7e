//! Reads a log and says, as two separate verdicts, whether anything was changed and whether anything is missing.
//!
//! 1. **Integrity**: every line is a record whose hash is right and that names the hash of the line before it; numbers
//!    only grow; the first record is tied to the log's id.
//! 2. **Completeness**: no number is left out, no line is cut, no gap was recorded; every intent has an outcome, and
//!    whatever was sent has an intent.
//! 3. Records cut off at the very end leave no trace in a chain. Who noted a number and its hash somewhere else can have
//!    them compared ([`Verifier::with_checkpoint`]); every report says so.
//! 4. Memory is bounded by the longest record, [`Verifier::MAX_OPEN`] requests under way and [`Findings::MAX`] findings
//!    of each kind. What is beyond that is counted.

mod report;

use std::collections::HashMap;
use std::io::{self, BufRead, Read as _};

pub use report::{Finding, Findings, Problem, Report};

use super::chain::{Link, LinkError, MAX_EVENT};
use super::event::annotation;
use super::outcome::Outcome;
use crate::digest::Digest;
use crate::json::Value;

/// Longest line that is read: the largest event and what the chain adds to it.
const MAX_LINE: usize = MAX_EVENT + 8 * 1024;

/// Takes a log line by line.
#[derive(Debug, Default)]
pub struct Verifier {
    report: Report,
    lines: u64,
    /// Number and hash of the record before; after a line that can't be read nothing can be compared with its hash.
    last: Option<(u64, Option<Digest>)>,
    checkpoint: Option<(u64, Digest)>,
    /// Requests under way, by the digest of their id (ids may be long), with the line of their intent.
    open: HashMap<Digest, u64>,
    /// Some request under way could not be kept in `open`.
    overflowed: bool,
}

/// What a line says about its request.
struct Facts {
    id: Digest,
    stage: Stage,
    outcome: Option<Outcome>,
    log: Option<String>,
    gap: Option<String>,
}

#[derive(PartialEq)]
enum Stage {
    Intent,
    Between,
    Final,
}

/// Verifies a log that is in memory.
#[must_use]
pub fn verify(log: &[u8]) -> Report {
    let mut verifier = Verifier::new();
    for line in log.split_inclusive(|byte| *byte == b'\n') {
        verifier.line(line);
    }
    verifier.finish()
}

/// Verifies a log of any size.
///
/// # Errors
/// Reading failed.
pub fn verify_reader(mut log: impl BufRead, mut verifier: Verifier) -> io::Result<Report> {
    let mut line = Vec::new();
    loop {
        line.clear();
        log.by_ref().take(MAX_LINE as u64 + 1).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(verifier.finish());
        }
        if line.len() > MAX_LINE && !line.ends_with(b"\n") {
            log.skip_until(b'\n')?;
            line.push(b'\n');
        }
        verifier.line(&line);
    }
}

impl Verifier {
    /// Most requests under way that are followed.
    pub const MAX_OPEN: usize = 100_000;

    /// A verifier of a log from its first line on.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Also says whether the log has this record with this hash: what was noted elsewhere can't be cut off unseen.
    #[must_use]
    pub fn with_checkpoint(mut self, seq: u64, hash: Digest) -> Self {
        self.checkpoint = Some((seq, hash));
        self
    }

    /// Takes the next line with its newline; a line without one was cut.
    pub fn line(&mut self, line: &[u8]) {
        self.lines += 1;
        let Some(line) = line.strip_suffix(b"\n") else {
            return self.missing(Problem::CutLine);
        };
        if line.len() > MAX_LINE {
            self.unreadable();
            return self.wrong(Problem::NoRecord);
        }
        let facts = facts(line);
        let log = facts.as_ref().and_then(|facts| facts.log.as_deref());
        let link = match Link::read(line) {
            Ok(link) => link,
            Err(LinkError::NoRecord) => {
                self.unreadable();
                return self.wrong(Problem::NoRecord);
            }
            Err(LinkError::WrongHash(stated)) => {
                self.wrong(Problem::Changed);
                self.step(&stated, log);
                return;
            }
        };
        if self
            .checkpoint
            .is_some_and(|(seq, hash)| seq == link.seq && hash != link.hash)
        {
            self.wrong(Problem::NotAsNoted);
        }
        self.step(&link, log);
        match facts {
            Some(facts) => self.request(facts),
            None => self.wrong(Problem::NoEvent),
        }
    }

    /// The verdicts over all lines so far.
    #[must_use]
    pub fn finish(mut self) -> Report {
        let mut open: Vec<_> = self.open.values().copied().collect();
        open.sort_unstable();
        for line in open {
            self.report.completeness.add(line, Problem::NoOutcome);
        }
        if self.overflowed {
            self.missing(Problem::TooManyOpen);
        }
        if let Some((seq, _)) = self.checkpoint
            && self.report.last.is_none_or(|(last, _)| last < seq)
        {
            self.missing(Problem::EndsBefore { seq });
        }
        self.report.completeness.sort();
        self.report.noted = self.checkpoint.map(|(seq, _)| seq);
        self.report
    }

    /// Follows the chain by one record.
    fn step(&mut self, link: &Link, log: Option<&str>) {
        self.report.records += 1;
        match self.last {
            None if link.seq == 0 => {
                if log.is_none_or(|id| Digest::of(id.as_bytes()) != link.prev) {
                    self.wrong(Problem::NoLogId);
                }
                self.report.log_id = log.map(str::to_owned);
            }
            None => self.missing(Problem::Missing {
                from: 0,
                to: link.seq - 1,
            }),
            Some((seq, hash)) => {
                if hash.is_some_and(|hash| hash != link.prev) {
                    self.wrong(Problem::Unlinked);
                }
                if link.seq <= seq {
                    self.wrong(Problem::Repeated { seq: link.seq });
                } else if link.seq - seq > 1 {
                    self.missing(Problem::Missing {
                        from: seq + 1,
                        to: link.seq - 1,
                    });
                }
            }
        }
        // A number that was seen before doesn't set the count back: one finding is enough for it.
        let seq = self.last.map_or(link.seq, |(seq, _)| seq.max(link.seq));
        self.last = Some((seq, Some(link.hash)));
        self.report.last = Some((seq, link.hash));
    }

    /// A line that is no record: the next one can't be compared with it.
    fn unreadable(&mut self) {
        if let Some((_, hash)) = &mut self.last {
            *hash = None;
        }
    }

    fn request(&mut self, facts: Facts) {
        if facts.outcome == Some(Outcome::Gap) {
            return self.missing(Problem::Gap {
                what: facts.gap.unwrap_or_default(),
            });
        }
        match facts.stage {
            Stage::Between => {}
            Stage::Intent if self.open.len() >= Self::MAX_OPEN && !self.open.contains_key(&facts.id) => {
                self.overflowed = true;
            }
            Stage::Intent => {
                self.open.entry(facts.id).or_insert(self.lines);
            }
            Stage::Final => {
                let known = self.open.remove(&facts.id).is_some();
                if !known && !self.overflowed && facts.outcome.is_some_and(Outcome::was_sent) {
                    self.missing(Problem::NoIntent);
                }
            }
        }
    }

    fn wrong(&mut self, problem: Problem) {
        self.report.integrity.add(self.lines, problem);
    }

    fn missing(&mut self, problem: Problem) {
        self.report.completeness.add(self.lines, problem);
    }
}

/// What a line says, read strictly: a record that two parsers could read differently is none.
fn facts(line: &[u8]) -> Option<Facts> {
    let event = Value::parse(line).ok()?;
    let text = |path: &[&str]| event.at(path).and_then(Value::as_str);
    if text(&["kind"])? != "Event" || text(&["apiVersion"])? != "audit.k8s.io/v1" {
        return None;
    }
    let fact = |key| text(&["annotations", key]);
    let gap = fact(annotation::GAP_RECORDS).map(|records| {
        let part = |key| fact(key).unwrap_or("?");
        format!(
            "{records} from {} to {}: {}",
            part(annotation::GAP_FROM),
            part(annotation::GAP_TO),
            part(annotation::GAP_CAUSE)
        )
    });
    Some(Facts {
        id: Digest::of(text(&["auditID"])?.as_bytes()),
        stage: match text(&["stage"])? {
            "RequestReceived" => Stage::Intent,
            "ResponseStarted" => Stage::Between,
            "ResponseComplete" | "Panic" => Stage::Final,
            _ => return None,
        },
        outcome: match fact(annotation::OUTCOME) {
            Some(outcome) => Some(outcome.parse().ok()?),
            None => None,
        },
        log: fact(annotation::LOG).map(str::to_owned),
        gap,
    })
}

#[cfg(test)]
mod tests;
