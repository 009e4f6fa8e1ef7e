//! Where any of hundreds of literals is: at every byte, the three bytes there are looked up in a table.
//!
//! Vector instructions are faster for some dozens of literals; this does not slow down with their number, and is the same
//! on every processor.

use std::convert::Infallible;
use std::ops::Range;

/// Shortest literal that can be looked for.
pub(in crate::detect) const SHORTEST: usize = 3;

/// Bits of a hash, and those of them that choose a place in the list of literals.
const BITS: u32 = 16;
const PLACE_BITS: u32 = 12;

/// Bytes that are looked at per turn, and the places in them at which three bytes and one more begin.
const WINDOW: usize = 16;
const TURN: usize = WINDOW - 3;

/// A set of literals.
#[derive(Debug)]
pub(in crate::detect) struct Fingerprints {
    /// By a hash of three bytes: whether a literal begins so, as a bit. All of it stays in the nearest cache.
    begins: Box<[u64; 1 << (BITS - 6)]>,
    /// By the first bits of that hash: the first of these literals.
    first: Box<[u16; 1 << PLACE_BITS]>,
    /// The hash of the first three bytes of each literal, sorted, its index and the literal.
    literals: Vec<(u16, usize, Box<[u8]>)>,
}

impl Fingerprints {
    /// Looks for these, at most 65,536, of which none is shorter than [`SHORTEST`].
    pub(in crate::detect) fn new(literals: impl IntoIterator<Item = Box<[u8]>>) -> Self {
        let mut begins = Box::new([0_u64; 1 << (BITS - 6)]);
        let mut first = Box::new([0; 1 << PLACE_BITS]);
        let indexed = literals.into_iter().enumerate();
        let mut literals: Vec<_> = indexed
            .map(|(index, literal)| (hash(start(&literal)), index, literal))
            .collect();
        literals.sort_unstable();
        for (place, (hash, ..)) in literals.iter().enumerate().rev() {
            let hash = usize::from(*hash);
            if let (Some(begins), Some(first)) = (begins.get_mut(hash >> 6), first.get_mut(hash >> (BITS - PLACE_BITS)))
            {
                *begins |= 1 << (hash & 63);
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
    pub(in crate::detect) fn find(&self, text: &[u8], part: Range<usize>, mut found: impl FnMut(usize, usize)) {
        let all = self.places(text, part, |place| {
            self.at(text, place).for_each(|(index, _)| found(index, place));
            None::<Infallible>
        });
        debug_assert!(all.is_none());
    }

    /// The index of the first literal at or behind a position, and where it stands: of those that begin at one place, the
    /// one with the lowest index.
    pub(in crate::detect) fn next(&self, text: &[u8], from: usize) -> Option<(usize, Range<usize>)> {
        self.places(text, from..text.len(), |place| {
            let first = self.at(text, place).min_by_key(|(index, _)| *index);
            first.map(|(index, literal)| (index, place..place + literal.len()))
        })
    }

    /// Whether a text has any of the literals in it.
    pub(in crate::detect) fn any(&self, text: &[u8]) -> bool {
        self.next(text, 0).is_some()
    }

    /// Looks at each place of a part of the text where a literal may begin, from front to back, until something is found.
    #[inline(always)]
    fn places<T>(&self, text: &[u8], part: Range<usize>, mut look: impl FnMut(usize) -> Option<T>) -> Option<T> {
        let mut at = part.start;
        while at + TURN <= part.end {
            let Some(window) = text.get(at..).and_then(<[u8]>::first_chunk::<WINDOW>) else {
                break;
            };
            // Without a branch for each: most turns find nothing. The first place is the highest bit.
            let mut begun = window
                .windows(4)
                .filter_map(<[u8]>::first_chunk)
                .fold(0, |begun, bytes| begun << 1 | self.begins(u32::from_le_bytes(*bytes)));
            while begun != 0 {
                let bit = begun.ilog2();
                begun ^= 1 << bit;
                let found = look(at + TURN - 1 - bit as usize);
                if found.is_some() {
                    return found;
                }
            }
            at += TURN;
        }
        let last = part.end.min(text.len().saturating_sub(SHORTEST - 1));
        (at..last)
            .filter(|place| self.begins(start(text.get(*place..).unwrap_or_default())) != 0)
            .find_map(look)
    }

    /// Whether a literal may begin with the lowest three bytes: one or none.
    #[inline(always)]
    fn begins(&self, bytes: u32) -> u64 {
        let hash = hash(bytes);
        self.begins.get(usize::from(hash >> 6)).copied().unwrap_or(0) >> (hash & 63) & 1
    }

    /// The literals that begin at a place, and their indices.
    fn at(&self, text: &[u8], place: usize) -> impl Iterator<Item = (usize, &[u8])> {
        let rest = text.get(place..).unwrap_or_default();
        let hash = hash(start(rest));
        let first = self.first.get(usize::from(hash >> (BITS - PLACE_BITS))).copied();
        let from = self.literals.get(usize::from(first.unwrap_or(0))..).unwrap_or_default();
        from.iter()
            .skip_while(move |(begins, ..)| *begins < hash)
            .take_while(move |(begins, ..)| *begins == hash)
            .filter(|(.., literal)| rest.starts_with(literal))
            .map(|(_, index, literal)| (*index, &**literal))
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
#[inline(always)]
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
                let next = expected.iter().copied().filter(|(at, _)| *at >= part).min();
                let found = all.next(text, part).map(|(index, range)| (range.start, index));
                prop_assert_eq!(found, next);
                prop_assert_eq!(all.any(&text[part..]), next.is_some());
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
