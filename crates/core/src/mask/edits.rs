//! What is changed in the bytes of an item, as spans.

use std::borrow::Cow;
use std::ops::Range;

/// Most changes for which memory is kept for the next item.
const KEPT: usize = 512;

/// Changes of one item; everything else is passed through as it came.
#[derive(Debug, Default)]
pub(super) struct Edits(Vec<(Range<usize>, Cow<'static, str>)>);

impl Edits {
    /// Puts JSON in the place of a value.
    pub(super) fn replace(&mut self, range: Range<usize>, json: impl Into<Cow<'static, str>>) {
        self.0.push((range, json.into()));
    }

    /// Takes bytes out. Ranges that are taken out may overlap each other, and cover replacements.
    pub(super) fn remove(&mut self, range: Range<usize>) {
        self.0.push((range, Cow::Borrowed("")));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where the first change begins.
    pub(super) fn first(&self) -> Option<usize> {
        self.0.iter().map(|(range, _)| range.start).min()
    }

    /// Forgets all changes.
    pub(super) fn clear(&mut self) {
        self.0.clear();
        self.0.shrink_to(KEPT);
    }

    /// Appends the text with the changes made.
    pub(super) fn apply(mut self, text: &[u8], out: &mut Vec<u8>) {
        self.write(text, 0, out);
    }

    /// Appends the text from a place on with the changes made, of which none is before it.
    pub(super) fn write(&mut self, text: &[u8], from: usize, out: &mut Vec<u8>) {
        // Of two that begin together, the longer one covers the other.
        let key = |(range, _): &(Range<usize>, _)| (range.start, std::cmp::Reverse(range.end));
        if !self.0.is_sorted_by_key(key) {
            self.0.sort_by_key(key);
        }
        let mut from = from;
        for (range, json) in &self.0 {
            if range.start >= from {
                out.extend_from_slice(text.get(from..range.start).unwrap_or_default());
                out.extend_from_slice(json.as_bytes());
            }
            from = from.max(range.end);
        }
        out.extend_from_slice(text.get(from..).unwrap_or_default());
    }
}
