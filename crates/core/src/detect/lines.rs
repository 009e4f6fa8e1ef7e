//! Lines of one stream.

use std::fmt;
use std::ops::Range;

use memchr::{memchr, memchr2};
use smol_str::SmolStr;

use super::contexts::encoded;
use super::detectors::Detectors;
use super::hit::{Hit, Hits};

/// Shortest line of base64 that is taken for one of several: tools break it at 64 or 76 letters.
const WRAPPED: usize = 60;

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
    /// The line before is base64 with a secret in it, so wide, which this rule found.
    wrapped: Option<(usize, SmolStr)>,
}

impl Lines {
    pub(super) fn new(detectors: Detectors) -> Self {
        Self {
            states: detectors.all().iter().map(|detector| detector.line_state()).collect(),
            detectors,
            wrapped: None,
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
        self.go_on_wrapped(lines, hits);
        if memchr(0x1b, lines).is_some() {
            let detectors = &self.detectors;
            one_by_one(lines, hits, |line, hits| detectors.colours_aside(line, hits));
        }
    }

    /// A secret in base64 goes on in the next lines, where it can't be told any more: they go up to the last one.
    fn go_on_wrapped(&mut self, lines: &[u8], hits: &mut Hits) {
        if let Some(wrapped) = self.wrapped.take() {
            self.wrapped = rest_of_wrapped(lines, 0, wrapped, hits);
        }
        let beside = |at: Option<usize>| at.and_then(|at| lines.get(at)).is_none_or(u8::is_ascii_whitespace);
        let may_be = |hit: &&Hit| {
            let Range { start, end } = hit.range;
            end - start >= WRAPPED && beside(start.checked_sub(1)) && beside(Some(end))
        };
        let found: Vec<Hit> = hits.as_slice().iter().filter(may_be).cloned().collect();
        for hit in found {
            let end = line_end(lines, hit.range.start);
            let start = lines.get(..hit.range.start).unwrap_or_default();
            let start = memchr::memrchr2(b'\n', b'\r', start).map_or(0, |end| end + 1);
            let line = content(lines, start..end);
            let is_encoded = || encoded::decoded(lines, line.clone(), &mut { encoded::MAX_INFLATED }).is_some();
            if line == hit.range && is_base64(lines, &line) && is_encoded() {
                self.wrapped = rest_of_wrapped(lines, end + 1, (line.len(), hit.rule), hits);
            }
        }
    }

    /// Adds the secrets in a part of a line.
    pub(super) fn detect_part(&self, part: &[u8], hits: &mut Hits) {
        self.detectors.detect(part, hits);
    }
}

/// Adds the lines from here on that are as wide as the one before them, and the last one. What is known if there may be
/// more of them.
fn rest_of_wrapped(
    lines: &[u8],
    from: usize,
    (width, rule): (usize, SmolStr),
    hits: &mut Hits,
) -> Option<(usize, SmolStr)> {
    let mut at = from;
    while at < lines.len() {
        let end = line_end(lines, at);
        let line = content(lines, at..end);
        // Between the two characters of a line end.
        if end > at {
            let is_more =
                is_base64(lines, &line) && (line.len() == width || line.len() < width && line.len().is_multiple_of(4));
            if !is_more {
                return None;
            }
            let is_last = line.len() < width;
            hits.push(line, rule.clone());
            if is_last {
                return None;
            }
        }
        at = end + 1;
    }
    Some((width, rule))
}

fn line_end(lines: &[u8], from: usize) -> usize {
    let rest = lines.get(from..).unwrap_or_default();
    memchr2(b'\n', b'\r', rest).map_or(lines.len(), |end| from + end)
}

/// A line without the blanks around it.
fn content(lines: &[u8], line: Range<usize>) -> Range<usize> {
    let text = lines.get(line.clone()).unwrap_or_default();
    let before = text.len() - text.trim_ascii_start().len();
    line.start + before..line.start + before + text.trim_ascii().len()
}

fn is_base64(lines: &[u8], range: &Range<usize>) -> bool {
    let text = lines.get(range.clone()).unwrap_or_default();
    !text.is_empty()
        && text
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/=_-".contains(byte))
}
