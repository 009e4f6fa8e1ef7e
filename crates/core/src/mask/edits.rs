//! What is changed in the bytes of an item, as spans.

use std::borrow::Cow;
use std::ops::Range;

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

    /// Appends the text with the changes made.
    pub(super) fn apply(mut self, text: &[u8], out: &mut Vec<u8>) {
        // Nearly always in order already. Of two that begin together, the longer one covers the other.
        self.0.sort_by(|(a, _), (b, _)| (a.start, b.end).cmp(&(b.start, a.end)));
        let mut from = 0;
        for (range, json) in self.0 {
            if range.start >= from {
                out.extend_from_slice(text.get(from..range.start).unwrap_or_default());
                out.extend_from_slice(json.as_bytes());
            }
            from = from.max(range.end);
        }
        out.extend_from_slice(text.get(from..).unwrap_or_default());
    }
}
