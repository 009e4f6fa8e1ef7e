//! Where hits in a line go.

use std::ops::Range;

use crate::detect::hit::Hits;

/// Takes the secrets of one line for the hits of the text that it is part of.
pub(super) struct Sink<'a> {
    hits: &'a mut Hits,
    offset: usize,
}

impl<'a> Sink<'a> {
    /// The line begins at an offset of the text.
    pub(super) fn new(hits: &'a mut Hits, offset: usize) -> Self {
        Self { hits, offset }
    }

    /// Adds a secret.
    pub(super) fn push(&mut self, range: Range<usize>, rule: &'static str) {
        self.hits.push(range.start + self.offset..range.end + self.offset, rule);
    }
}
