//! A search for many short strings at once.

use std::ops::Range;

use crate::detect::engine::Fingerprints;

/// Finds the first of some strings, of three letters or more each; of two that begin at the same place, the earlier one
/// here.
#[derive(Debug)]
pub(super) struct Stems(Fingerprints);

impl Stems {
    pub(super) fn new<'s>(stems: impl IntoIterator<Item = &'s str>) -> Self {
        Self(Fingerprints::new(stems.into_iter().map(|stem| stem.as_bytes().into())))
    }

    /// The next one at or behind a position.
    pub(super) fn next(&self, text: &[u8], from: usize) -> Option<Range<usize>> {
        self.0.next(text, from).map(|(_, range)| range)
    }

    /// Calls this with the index of each that is behind a position, overlapping ones included.
    pub(super) fn each(&self, text: &[u8], from: usize, mut found: impl FnMut(usize)) {
        self.0.find(text, from..text.len(), |index, _| found(index));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_one_after_the_other() {
        let stems = Stems::new(["pass", "token", "passkey", "key"]);
        let text = b"a key, a token and a passkey";
        let mut from = 0;
        let all: Vec<Range<usize>> = std::iter::from_fn(|| {
            let found = stems.next(text, from)?;
            from = found.end;
            Some(found)
        })
        .collect();
        assert_eq!(all, [2..5, 9..14, 21..25, 25..28]);
    }
}
