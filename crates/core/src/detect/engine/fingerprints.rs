//! Where any of hundreds of literals is: at every byte, the three bytes there are looked up in a table.
//!
//! Vector instructions are faster for some dozens of literals; this does not slow down with their number, and is the same
//! on every processor.

use std::ops::Range;

/// Shortest literal that can be looked for.
pub(in crate::detect) const SHORTEST: usize = 3;

const BITS: u32 = 16;

/// A set of literals.
#[derive(Debug)]
pub(in crate::detect) struct Fingerprints {
    /// By a hash of three bytes: whether a literal begins so, as a bit. All of it stays in the nearest cache.
    begins: Box<[u8; 1 << (BITS - 3)]>,
    /// By that hash: the first of these literals.
    first: Box<[u16; 1 << BITS]>,
    /// The hash of the first three bytes of each literal, sorted, the literal and its index.
    literals: Vec<(u16, Box<[u8]>, usize)>,
}

impl Fingerprints {
    /// Looks for these, at most 65,536, of which none is shorter than [`SHORTEST`].
    pub(in crate::detect) fn new(literals: Vec<Box<[u8]>>) -> Self {
        let mut begins = Box::new([0_u8; 1 << (BITS - 3)]);
        let mut first = Box::new([0; 1 << BITS]);
        let indexed = literals.into_iter().enumerate();
        let mut literals: Vec<_> = indexed
            .map(|(index, literal)| (hash(start(&literal)), literal, index))
            .collect();
        literals.sort_unstable();
        for (place, (hash, ..)) in literals.iter().enumerate().rev() {
            let hash = usize::from(*hash);
            if let (Some(begins), Some(first)) = (begins.get_mut(hash >> 3), first.get_mut(hash)) {
                *begins |= 1 << (hash & 7);
                *first = u16::try_from(place).unwrap_or(u16::MAX);
            }
        }
        Self {
            begins,
            first,
            literals,
        }
    }

    /// Calls this with each literal that begins in this part of the text, by its index, and where; from front to back.
    pub(super) fn find(&self, text: &[u8], part: Range<usize>, mut found: impl FnMut(usize, usize)) {
        /// Places per turn; the last one looks two bytes further.
        const TURN: usize = 12;
        let mut at = part.start;
        while at + TURN <= part.end {
            let Some(window) = text.get(at..).and_then(<[u8]>::first_chunk::<{ TURN + 2 }>) else {
                break;
            };
            let (Some(low), Some(high)) = (window.first_chunk(), window.last_chunk()) else {
                break;
            };
            let (low, high) = (u64::from_le_bytes(*low), u64::from_le_bytes(*high));
            let [p, q, r, s, t, u] = [0, 8, 16, 24, 32, 40].map(|bits| self.begins(low >> bits));
            let [v, w, x, y, z, last] = [0, 8, 16, 24, 32, 40].map(|bits| self.begins(high >> bits));
            // Without a branch for each: most turns find nothing.
            if p | q | r | s | t | u | v | w | x | y | z | last {
                for (place, begins) in (at..).zip([p, q, r, s, t, u, v, w, x, y, z, last]) {
                    if begins {
                        self.verify(text, place, &mut found);
                    }
                }
            }
            at += TURN;
        }
        for place in at..part.end {
            self.verify(text, place, &mut found);
        }
    }

    /// Whether a text has any of the literals in it.
    pub(in crate::detect) fn any(&self, text: &[u8]) -> bool {
        /// Places per word; the last one looks two bytes further.
        const TURN: usize = 6;
        let is_at = |at: usize| {
            let mut found = false;
            self.verify(text, at, &mut |_, _| found = true);
            found
        };
        let Some(last) = text.len().checked_sub(8) else {
            return (0..text.len().saturating_sub(2)).any(is_at);
        };
        let mut at = 0;
        loop {
            // The last word is of bytes that were looked at, too.
            let place = at.min(last);
            let Some(word) = text.get(place..).and_then(<[u8]>::first_chunk) else {
                return false;
            };
            let word = u64::from_le_bytes(*word);
            let mut begun = [0, 8, 16, 24, 32, 40]
                .into_iter()
                .zip(0..)
                .fold(0_u32, |begun, (bits, number)| {
                    begun | u32::from(self.begins(word >> bits)) << number
                });
            while begun != 0 {
                if is_at(place + begun.trailing_zeros() as usize) {
                    return true;
                }
                begun &= begun - 1;
            }
            if at >= last {
                return false;
            }
            at += TURN;
        }
    }

    #[inline]
    fn begins(&self, bytes: u64) -> bool {
        let hash = hash(bytes as u32);
        let byte = self.begins.get(usize::from(hash >> 3)).copied().unwrap_or(0);
        byte >> (hash & 7) & 1 != 0
    }

    fn verify(&self, text: &[u8], at: usize, found: &mut impl FnMut(usize, usize)) {
        let rest = text.get(at..).unwrap_or_default();
        let hash = hash(start(rest));
        let first = self.first.get(usize::from(hash)).copied().unwrap_or(0);
        let same = self
            .literals
            .iter()
            .skip(usize::from(first))
            .take_while(|(start, ..)| *start == hash);
        for (_, literal, index) in same {
            if rest.starts_with(literal) {
                found(*index, at);
            }
        }
    }
}

/// The first three bytes of a text, or what there is of them.
fn start(text: &[u8]) -> u32 {
    match *text {
        [a, b, c, ..] => u32::from_le_bytes([a, b, c, 0]),
        [a, b] => u32::from_le_bytes([a, b, 0, 0]),
        [a] => u32::from(a),
        [] => 0,
    }
}

/// Of the lowest three bytes.
fn hash(bytes: u32) -> u16 {
    ((bytes << 8).wrapping_mul(0x9e37_79b1) >> (32 - BITS)) as u16
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn finds_what_a_plain_search_finds(
            literals in prop::collection::btree_set("[ab-]{3,7}", 1..20),
            text in "[ab-]{0,200}",
            cut in 0..200_usize,
        ) {
            let literals: Vec<Box<[u8]>> = literals.into_iter().map(|literal| literal.into_bytes().into()).collect();
            let text = text.as_bytes();
            let mut expected = Vec::new();
            for at in 0..text.len() {
                for (index, literal) in literals.iter().enumerate() {
                    if text[at..].starts_with(literal) {
                        expected.push((at, index));
                    }
                }
            }
            let all = Fingerprints::new(literals);
            for part in 0..text.len() {
                let begun = expected.iter().any(|(at, _)| *at >= part);
                prop_assert_eq!(all.any(&text[part..]), begun);
            }
            let mut found = Vec::new();
            let cut = cut.min(text.len());
            for part in [0..cut, cut..text.len()] {
                let from = found.len();
                all.find(text, part, |index, at| found.push((at, index)));
                prop_assert!(found[from..].is_sorted_by_key(|(at, _)| *at));
            }
            found.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}
