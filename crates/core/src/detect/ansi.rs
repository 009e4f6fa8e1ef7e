//! Text without the codes that colour it in a terminal.

use std::ops::Range;

use memchr::{memchr, memchr2};

const ESCAPE: u8 = 0x1b;
const BELL: u8 = 0x07;

/// A text without codes, and where its parts were.
pub(super) struct Plain {
    text: Vec<u8>,
    /// Where each part begins, here and there.
    parts: Vec<(usize, usize)>,
}

impl Plain {
    /// A text without its codes; none if it has none.
    pub(super) fn of(coloured: &[u8]) -> Option<Self> {
        memchr(ESCAPE, coloured)?;
        let mut plain = Self {
            text: Vec::with_capacity(coloured.len()),
            parts: Vec::new(),
        };
        let mut at = 0;
        while let Some(rest) = coloured.get(at..).filter(|rest| !rest.is_empty()) {
            let length = memchr(ESCAPE, rest).unwrap_or(rest.len());
            if length > 0 {
                plain.parts.push((plain.text.len(), at));
                plain.text.extend_from_slice(rest.get(..length).unwrap_or_default());
            }
            at += length + code_length(rest.get(length..).unwrap_or_default());
        }
        Some(plain)
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Where something was, with the codes in it.
    pub(super) fn place(&self, range: &Range<usize>) -> Range<usize> {
        if range.is_empty() {
            return 0..0;
        }
        self.origin(range.start)..self.origin(range.end - 1) + 1
    }

    fn origin(&self, at: usize) -> usize {
        let index = self.parts.partition_point(|(here, _)| *here <= at);
        let part = index.checked_sub(1).and_then(|index| self.parts.get(index));
        part.map_or(at, |(here, there)| there + at - here)
    }
}

/// The length of the code at the start of a text.
fn code_length(text: &[u8]) -> usize {
    match text {
        // Parameters, then one letter.
        [ESCAPE, b'[', rest @ ..] => {
            let parameters = rest.iter().take_while(|byte| (0x20..0x40).contains(*byte)).count();
            2 + parameters + usize::from(rest.get(parameters).is_some_and(|end| (0x40..0x7f).contains(end)))
        }
        // A title or a link, up to a bell or an `ESC \`. Without an end it is no code, else it could hide what follows.
        [ESCAPE, b']', rest @ ..] => match memchr2(BELL, ESCAPE, rest) {
            Some(end) if rest.get(end) == Some(&BELL) => 2 + end + 1,
            Some(end) if rest.get(end + 1) == Some(&b'\\') => 2 + end + 2,
            _ => 2,
        },
        [ESCAPE, b'(' | b')', _, ..] => 3,
        [ESCAPE, ..] => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{Detectors, Hits};

    #[test]
    fn colours_hide_nothing() {
        let text = b"\x1b[32mINFO\x1b[0m password=\x1b[33mXfEuzcrJaBnx7I\x1b[0m user=x";
        let mut hits = Hits::default();
        Detectors::built_in().detect(text, &mut hits);
        let found: Vec<&[u8]> = hits.as_slice().iter().map(|hit| &text[hit.range.clone()]).collect();
        assert_eq!(found, [b"XfEuzcrJaBnx7I"]);
    }

    #[test]
    fn codes_are_left_out_and_places_are_kept() {
        let coloured = b"a \x1b[01;31m\x1b[Kto\x1b[mken\x1b]8;;http://x\x07!\x1b[0m\x1b";
        let plain = Plain::of(coloured).unwrap();
        assert_eq!(plain.text(), b"a token!");
        assert_eq!(&coloured[plain.place(&(2..7))], b"to\x1b[mken");
        assert!(Plain::of(b"plain").is_none());
    }
}
