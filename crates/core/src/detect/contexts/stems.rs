//! A search for many short strings at once.

use std::ops::Range;

use aho_corasick::packed::Searcher;
use aho_corasick::{AhoCorasick, MatchKind};

use super::bytes::rest;

/// Finds the first of some strings. Fast with at most 64 of them, of three letters or more each.
#[derive(Debug)]
pub(super) enum Stems {
    /// With vector instructions.
    Packed(Searcher),
    /// Where there are none.
    Automaton(AhoCorasick),
    /// Not even that could be built: any place may be one.
    Anywhere,
}

impl Stems {
    pub(super) fn new(stems: &[&str]) -> Self {
        Searcher::new(stems).map(Self::Packed).unwrap_or_else(|| {
            AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostFirst)
                .build(stems)
                .map_or(Self::Anywhere, Self::Automaton)
        })
    }

    /// The next one at or behind a position.
    pub(super) fn next(&self, text: &[u8], from: usize) -> Option<Range<usize>> {
        let text = rest(text, from);
        let found = match self {
            Self::Packed(searcher) => searcher.find(text)?.range(),
            Self::Automaton(automaton) => automaton.find(text)?.range(),
            Self::Anywhere => (!text.is_empty()).then_some(0..1)?,
        };
        Some(from + found.start..from + found.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_searches_find_the_same() {
        let stems = ["pass", "token", "key"];
        let slow = Stems::Automaton(
            AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostFirst)
                .build(stems)
                .unwrap(),
        );
        let text = b"a key, a token and a passkey";
        let all = |stems: &Stems| {
            let mut from = 0;
            std::iter::from_fn(|| {
                let found = stems.next(text, from)?;
                from = found.end;
                Some(found)
            })
            .collect::<Vec<_>>()
        };
        assert_eq!(all(&Stems::new(&stems)), all(&slow));
        assert_eq!(all(&slow), [2..5, 9..14, 21..25, 25..28]);
    }

    #[test]
    fn each_set_is_small_enough_to_be_fast() {
        for set in [
            super::super::anchors::STEMS,
            super::super::program_stems::STEMS,
            super::super::program_stems::MORE_STEMS,
            super::super::files::MARKS,
        ] {
            assert!(set.len() <= 64, "{}", set.len());
        }
    }
}
