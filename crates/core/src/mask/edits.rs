//! What is changed in the bytes of an item, as spans.

use std::borrow::Cow;
use std::ops::Range;

use super::cursor::Text;
use super::strings::Places;
use crate::json;

/// Most changes for which memory is kept for the next item.
const KEPT: usize = 512;

/// Changes of one text; everything else is passed through as it came.
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

    pub(super) fn len(&self) -> usize {
        self.0.len()
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
        let end = self.in_order(from, |kept, json| {
            out.extend_from_slice(text.get(kept).unwrap_or_default());
            out.extend_from_slice(json.as_bytes());
        });
        out.extend_from_slice(text.get(end..).unwrap_or_default());
    }

    /// Makes the changes of what a string says in that string; what does not change stays as it was written.
    pub(super) fn nest(&mut self, string: &Text<'_>, mut inner: Self) {
        let begin = string.range.start + 1;
        let mut places = Places::new(string.raw);
        let mut find = |said| begin + if string.is_escaped { places.find(said) } else { said };
        let mut last: Option<(usize, String)> = None;
        let mut put = |last: Option<(usize, String)>, end: usize| {
            if let Some((start, json)) = last {
                self.replace(start..end, json);
            }
        };
        let end = inner.in_order(0, |kept, json| {
            put(last.take(), find(kept.start));
            last = Some((find(kept.end), quoted(json)));
        });
        put(last, find(end));
    }

    /// Goes through what stays before each change, and what that change puts behind it; says from where on the rest
    /// stays.
    fn in_order(&mut self, mut from: usize, mut each: impl FnMut(Range<usize>, &str)) -> usize {
        // Of two that begin together, the longer one covers the other.
        let key = |(range, _): &(Range<usize>, _)| (range.start, std::cmp::Reverse(range.end));
        if !self.0.is_sorted_by_key(key) {
            self.0.sort_by_key(key);
        }
        for (range, json) in &self.0 {
            if range.start >= from {
                each(from..range.start, json);
            }
            from = from.max(range.end);
        }
        from
    }
}

/// JSON as it is written inside a string.
fn quoted(json: &str) -> String {
    let mut quoted = String::with_capacity(json.len() + 8);
    json::write_string(json, &mut quoted);
    quoted.pop();
    quoted.remove(0);
    quoted
}
