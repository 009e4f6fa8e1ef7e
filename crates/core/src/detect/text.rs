//! A stream of text, masked line by line.

use std::collections::BTreeMap;
use std::fmt;

use memchr::memrchr;
use smol_str::SmolStr;

use super::detectors::Detectors;
use super::hit::Hits;

/// Longest line that is held; a longer one is handed out in pieces.
const MAX_LINE: usize = 64 * 1024;

/// Masks a stream of text: a log, the output of a command.
pub struct Text {
    detectors: Detectors,
    held: Vec<u8>,
    counts: BTreeMap<SmolStr, u64>,
}

impl Text {
    /// Masks what these find.
    #[must_use]
    pub fn new(detectors: Detectors) -> Self {
        Self {
            detectors,
            held: Vec::new(),
            counts: BTreeMap::new(),
        }
    }

    /// Reads a chunk and appends what may be handed out now: every line that is complete.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        let complete = memrchr(b'\n', chunk).map_or(0, |at| at + 1);
        let (lines, rest) = chunk.split_at_checked(complete).unwrap_or((chunk, &[]));
        if !lines.is_empty() {
            self.held.extend_from_slice(lines);
            self.finish(out);
        }
        self.held.extend_from_slice(rest);
        if self.held.len() > MAX_LINE {
            self.finish(out);
        }
    }

    /// Ends the text: appends what was held back.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        let held = std::mem::take(&mut self.held);
        let mut hits = Hits::default();
        self.detectors.detect(&held, &mut hits);
        hits.replace(&held, out, |rule| *self.counts.entry(rule.into()).or_default() += 1);
    }

    /// How often each rule has replaced something.
    pub fn counts(&self) -> impl Iterator<Item = (&str, u64)> {
        self.counts.iter().map(|(rule, count)| (rule.as_str(), *count))
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
