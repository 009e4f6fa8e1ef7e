//! Lines of one stream.

use std::fmt;

use memchr::{memchr, memchr2};

use super::ansi::Plain;
use super::detectors::Detectors;
use super::hit::Hits;

/// Finds secrets that go on over lines of one stream; remembers what it needs of the lines before, which has a bound.
pub trait LineState: fmt::Debug + Send + Sync {
    /// Adds the secrets in the next lines (the last one of the stream may lack its end). How many come at once must not
    /// matter.
    fn lines(&mut self, lines: &[u8], hits: &mut Hits);
}

/// Looks at each line alone, without its end. A line ends with `\n` or `\r`, so that a progress bar is many lines.
pub(super) fn one_by_one(lines: &[u8], hits: &mut Hits, mut detect: impl FnMut(&[u8], &mut Hits)) {
    let mut at = 0;
    while at < lines.len() {
        let rest = lines.get(at..).unwrap_or_default();
        let length = memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        if length > 0 {
            let count = hits.as_slice().len();
            detect(rest.get(..length).unwrap_or_default(), hits);
            hits.shift_since(count, at);
        }
        at += length + 1;
    }
}

/// All detectors of one stream.
#[derive(Debug)]
pub(super) struct Lines {
    detectors: Detectors,
    states: Vec<Option<Box<dyn LineState>>>,
}

impl Lines {
    pub(super) fn new(detectors: Detectors) -> Self {
        Self {
            states: detectors.all().iter().map(|detector| detector.line_state()).collect(),
            detectors,
        }
    }

    /// Adds the secrets in the next lines.
    pub(super) fn detect(&mut self, lines: &[u8], hits: &mut Hits) {
        let mut found = Hits::default();
        for (detector, state) in self.detectors.all().iter().zip(&mut self.states) {
            match state {
                Some(state) => state.lines(lines, &mut found),
                None => detector.detect_lines(lines, &mut found),
            }
        }
        self.detectors.complete(lines, found, hits);
        if memchr(0x1b, lines).is_some() {
            let detectors = &self.detectors;
            one_by_one(lines, hits, |line, hits| colours_aside(detectors, line, hits));
        }
    }

    /// Adds the secrets in a part of a line.
    pub(super) fn detect_part(&self, part: &[u8], hits: &mut Hits) {
        self.detectors.detect(part, hits);
        colours_aside(&self.detectors, part, hits);
    }
}

/// Adds the secrets that colours divide.
fn colours_aside(detectors: &Detectors, line: &[u8], hits: &mut Hits) {
    let Some(plain) = Plain::of(line) else {
        return;
    };
    let mut found = Hits::default();
    detectors.detect(plain.text(), &mut found);
    for hit in found.as_slice() {
        hits.push(plain.place(&hit.range), hit.rule.clone());
    }
}
