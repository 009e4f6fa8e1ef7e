//! A stream of text, masked line by line.

use std::collections::BTreeMap;
use std::fmt;

use memchr::{memchr2, memrchr2};
use smol_str::SmolStr;

use super::detectors::Detectors;
use super::hit::{Hit, Hits};
use super::lines::Lines;
use crate::mask::MARKER;

/// Longest line that is held. What is longer is looked at in windows of this size, each of which begins `STEP` behind the
/// one before: a secret across an edge is whole in one of the two.
const MAX_LINE: usize = 64 * 1024;
const STEP: usize = 56 * 1024;

/// Masks a stream of text: a log, the output of a command.
///
/// A line is handed out when its end is there, a longer one than 64 KiB in pieces. How the text is cut into chunks never
/// changes what comes out.
pub struct Text {
    lines: Lines,
    /// The start of a line whose end has not come; of a long line, the window at hand.
    held: Vec<u8>,
    long: Option<Long>,
    counts: BTreeMap<SmolStr, u64>,
}

/// What is known of a long line from the windows before.
#[derive(Debug, Default)]
struct Long {
    /// What was found in the part of the window that belonged to the one before as well.
    found: Vec<Hit>,
    /// So much of the window is already replaced.
    replaced: usize,
    /// Where the window before ended.
    edge: usize,
}

impl Text {
    /// Masks what these find.
    #[must_use]
    pub fn new(detectors: Detectors) -> Self {
        Self {
            lines: Lines::new(detectors),
            held: Vec::new(),
            long: None,
            counts: BTreeMap::new(),
        }
    }

    /// Reads a chunk and appends what may be handed out now: every line that is complete.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        let mut chunk = chunk;
        if !self.held.is_empty() || self.long.is_some() {
            let end = memchr2(b'\n', b'\r', chunk).map(|at| at + 1);
            let (first, rest) = split(chunk, end.unwrap_or(chunk.len()));
            self.hold(first, out);
            if end.is_none() {
                return;
            }
            self.end_line(out);
            chunk = rest;
        }
        while !chunk.is_empty() {
            let (window, _) = split(chunk, MAX_LINE + 1);
            match memrchr2(b'\n', b'\r', window) {
                Some(end) => {
                    let (lines, rest) = split(chunk, end + 1);
                    self.mask_lines(lines, out);
                    chunk = rest;
                }
                None => {
                    let end = memchr2(b'\n', b'\r', chunk).map(|at| at + 1);
                    let (line, rest) = split(chunk, end.unwrap_or(chunk.len()));
                    self.hold(line, out);
                    if end.is_none() {
                        return;
                    }
                    self.end_line(out);
                    chunk = rest;
                }
            }
        }
    }

    /// Ends the text: appends what was held back.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.end_line(out);
    }

    /// How often each rule has replaced something.
    pub fn counts(&self) -> impl Iterator<Item = (&str, u64)> {
        self.counts.iter().map(|(rule, count)| (rule.as_str(), *count))
    }

    /// Adds to the line at hand, and hands out the windows that are full.
    fn hold(&mut self, line: &[u8], out: &mut Vec<u8>) {
        let mut line = line;
        loop {
            let (now, later) = split(line, (MAX_LINE + 1).saturating_sub(self.held.len()));
            self.held.extend_from_slice(now);
            line = later;
            // One byte more than a window: the end of the line does not count.
            if self.held.len() <= MAX_LINE || self.held.last().is_some_and(|last| b"\n\r".contains(last)) {
                return;
            }
            self.mask_window(false, out);
        }
    }

    fn end_line(&mut self, out: &mut Vec<u8>) {
        if self.long.is_some() {
            self.mask_window(true, out);
            self.long = None;
        } else {
            let held = std::mem::take(&mut self.held);
            self.mask_lines(&held, out);
            self.held = held;
            self.held.clear();
        }
    }

    fn mask_lines(&mut self, lines: &[u8], out: &mut Vec<u8>) {
        let mut hits = Hits::default();
        self.lines.detect(lines, &mut hits);
        if hits.is_empty() {
            out.extend_from_slice(lines);
        } else {
            hits.replace(lines, out, |rule| *self.counts.entry(rule.into()).or_default() += 1);
        }
    }

    /// Masks a window of a long line, and hands out what no later window can change.
    fn mask_window(&mut self, last: bool, out: &mut Vec<u8>) {
        let long = self.long.take().unwrap_or_default();
        let window = self.held.get(..MAX_LINE).filter(|_| !last).unwrap_or(&self.held);
        let mut at = long.replaced;
        let mut hits = Hits::default();
        // What reached the end of the window before goes on as long as a token does.
        let behind = window.get(long.edge..).unwrap_or_default();
        let more = behind.iter().take_while(|byte| is_token(**byte)).count();
        let extended = |end: usize| if end == long.edge { end + more } else { end };
        if at > 0 {
            at = extended(at);
        }
        for Hit { range, rule } in long.found {
            hits.push(range.start..extended(range.end), rule);
        }
        self.lines.detect_part(window, &mut hits);
        let limit = if last { window.len() } else { STEP };
        let mut found = Vec::new();
        for Hit { range, rule } in hits.merged() {
            if range.start >= limit && range.start >= at {
                found.push(Hit {
                    range: range.start - limit..range.end - limit,
                    rule,
                });
                continue;
            }
            if range.start >= at {
                out.extend_from_slice(window.get(at..range.start).unwrap_or_default());
                out.extend_from_slice(MARKER.as_bytes());
                if window.get(range.clone()) != Some(MARKER.as_bytes()) {
                    *self.counts.entry(rule).or_default() += 1;
                }
            }
            at = at.max(range.end);
        }
        out.extend_from_slice(window.get(at..limit).unwrap_or_default());
        if last {
            self.held.clear();
            return;
        }
        let edge = window.len() - limit;
        self.held.drain(..limit);
        self.long = Some(Long {
            found,
            replaced: at.saturating_sub(limit),
            edge,
        });
    }
}

/// Without what is held, which is not masked yet.
impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Text")
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

fn split(bytes: &[u8], at: usize) -> (&[u8], &[u8]) {
    bytes.split_at_checked(at).unwrap_or((bytes, &[]))
}

/// What tokens are made of, in base64 and in URLs.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=_-.~%".contains(&byte)
}

#[cfg(test)]
mod tests;
