//! Where the strings, objects and arrays of a text are: found once, so that whoever reads it need not look for their ends.
//!
//! It is made for a text whose strings and brackets are sound, block by block as [`skip`](super::skip) passes over them;
//! of any other there is none, and reading it finds what is wrong. Nor is there one of a text that is very long or very
//! deep in brackets, since it would take more memory than it may.

use super::blocks::{self, Level, Run, Strings};
use super::strings::Escapes;
use crate::json::MAX_DEPTH;

/// Longest text of which there is one: places in it are written in sixteen bits.
const LONGEST: usize = 65_535;

/// Most brackets that are noted; fewer of what is short.
const MOST_BRACKETS: usize = 1024;

/// Keys that say what is below them, wherever they are, in quotes: a kind, the template of a Secret, containers, what is
/// removed.
pub(super) const PLACES: [&str; 6] = [
    "\"kind\"",
    "\"template\"",
    "\"containers\"",
    "\"initContainers\"",
    "\"ephemeralContainers\"",
    "\"managedFields\"",
];

/// The strings, objects and arrays of one text.
#[derive(Debug, Default)]
pub(super) struct Index {
    blocks: Vec<Block>,
    /// Objects and arrays, in the order of their opening brackets.
    brackets: Vec<Bracket>,
}

/// Where in 64 bytes the quotes of strings are, and backslashes; as bits.
#[derive(Debug, Clone, Copy, Default)]
struct Block {
    openings: u64,
    closings: u64,
    backslashes: u64,
}

/// An object or array.
#[derive(Debug, Clone, Copy, Default)]
struct Bracket {
    start: u16,
    /// Behind its closing bracket.
    end: u16,
    /// How many brackets were opened up to there.
    rank: u16,
}

impl Index {
    /// Reads the object or array at the beginning of a text, with so many levels around it. Whether there is one that is
    /// sound and small enough.
    pub(super) fn read(&mut self, text: &str, around: usize) -> bool {
        if text.len() > LONGEST {
            return false;
        }
        // Both are written in place, which is faster than to grow.
        self.blocks.clear();
        self.blocks.resize(text.len().div_ceil(64), Block::default());
        self.brackets
            .resize(MOST_BRACKETS.min(text.len() / 16 + 16), Bracket::default());
        blocks::run(IndexRun {
            index: self,
            text: text.as_bytes(),
            around,
        })
    }

    /// Where the string ends whose opening quote is at `start`, and whether it has escapes.
    #[inline]
    pub(super) fn string(&self, start: usize) -> Option<(usize, bool)> {
        let block = self.blocks.get(start / 64)?;
        let from = u64::MAX << (start % 64);
        let closings = block.closings & from;
        if closings == 0 {
            return self.long_string(start);
        }
        let inside = closings.wrapping_sub(1) & !closings & from;
        let end = (start | 63) - 62 + closings.trailing_zeros() as usize;
        (block.openings >> (start % 64) & 1 != 0).then_some((end, block.backslashes & inside != 0))
    }

    /// The same where it goes on in the next block.
    #[inline(never)]
    fn long_string(&self, start: usize) -> Option<(usize, bool)> {
        let mut blocks = self.blocks.get(start / 64..)?.iter();
        let first = blocks.next()?;
        let mut is_escaped = first.backslashes >> (start % 64) != 0;
        for (number, block) in blocks.enumerate() {
            if block.closings != 0 {
                let end = block.closings.trailing_zeros();
                is_escaped |= block.backslashes & !(u64::MAX << end) != 0;
                let end = (start | 63) + 2 + number * 64 + end as usize;
                return (first.openings >> (start % 64) & 1 != 0).then_some((end, is_escaped));
            }
            is_escaped |= block.backslashes != 0;
        }
        None
    }

    /// Where the object or array ends whose opening bracket is at `start` and has so many before it, and how many brackets
    /// were opened up to there.
    #[inline]
    pub(super) fn subtree(&self, text: &str, rank: u32, start: usize) -> Option<(usize, u32)> {
        if is_empty(text, start) {
            return Some((start + 2, rank));
        }
        let bracket = self.brackets.get(rank as usize)?;
        (usize::from(bracket.start) == start).then_some((bracket.end.into(), bracket.rank.into()))
    }

    /// Whether the object at a place, with so many brackets before it, may have a member of this name, which is given in
    /// quotes: it has, or one whose name is written with escapes. `None`: there is no object.
    pub(super) fn may_have(&self, text: &str, (mut rank, start): (u32, usize), name: &[u8]) -> Option<bool> {
        let bytes = text.as_bytes();
        let (end, _) = self.subtree(text, rank, start)?;
        rank += 1;
        let mut at = start + 1;
        while at < end {
            // Between members there may be space, commas, and the rest of a value that is none of those.
            let block = self.blocks.get(at / 64)?;
            let openings = block.openings & u64::MAX << (at % 64);
            if openings == 0 {
                at = (at | 63) + 1;
                continue;
            }
            let key = at / 64 * 64 + openings.trailing_zeros() as usize;
            let (behind, is_escaped) = self.string(key)?;
            if key > end {
                return Some(false);
            }
            if is_escaped || bytes.get(key..behind)? == name {
                return Some(true);
            }
            at = behind;
            while let b':' | b' ' | b'\t' | b'\n' | b'\r' = bytes.get(at)? {
                at += 1;
            }
            match bytes.get(at)? {
                b'"' => (at, _) = self.string(at)?,
                b'{' | b'[' => (at, rank) = self.subtree(text, rank, at)?,
                _ => {}
            }
        }
        Some(false)
    }

    /// Where the first string begins from a place on that is one of [`PLACES`]; or where the first backslash is, if that is
    /// before it.
    pub(super) fn find_place(&self, text: &str, from: usize) -> Option<usize> {
        let text = text.as_bytes();
        let mut blocks = self.blocks.get(from / 64..)?.iter().peekable();
        let (mut start, mut mask) = (from / 64 * 64, u64::MAX << (from % 64));
        while let Some(block) = blocks.next() {
            let next = blocks.peek().map_or(0, |next| next.closings);
            // Strings that are as long as one of them.
            let ends_behind = |place: &str| {
                let length = place.len() as u32 - 1;
                block.closings >> length | next << (64 - length)
            };
            let fit = PLACES.iter().fold(0, |fit, place| fit | ends_behind(place));
            let mut left = (block.openings & fit | block.backslashes) & mask;
            while left != 0 {
                let at = start + left.trailing_zeros() as usize;
                left &= left - 1;
                let rest = text.get(at..).unwrap_or_default();
                if may_be_place(rest) && PLACES.iter().any(|place| rest.starts_with(place.as_bytes()))
                    || rest.starts_with(b"\\")
                {
                    return Some(at);
                }
            }
            (start, mask) = (start + 64, u64::MAX);
        }
        None
    }
}

/// Whether a text begins like one of [`PLACES`].
#[inline]
fn may_be_place(text: &[u8]) -> bool {
    let first: Option<&[u8; 4]> = text.first_chunk();
    first.is_some_and(|first| PLACES.iter().any(|place| place.as_bytes().starts_with(first)))
}

/// Whether an object or array that begins at a place has nothing in it, not even space: it has no number. So does none
/// across the border of two blocks.
#[inline]
pub(super) fn is_empty(text: &str, start: usize) -> bool {
    let both = text.as_bytes().get(start..).and_then(<[u8]>::first_chunk);
    matches!(both, Some(b"{}" | b"[]")) && start % 64 != 63
}

struct IndexRun<'i, 't> {
    index: &'i mut Index,
    text: &'t [u8],
    around: usize,
}

impl Run for IndexRun<'_, '_> {
    type Out = bool;

    #[inline(always)]
    fn run<L: Level>(self) -> bool {
        let Self { index, text, around } = self;
        let Index { blocks, brackets } = index;
        let (mut strings, mut escapes, mut room, mut at) = (Strings::default(), Escapes::default(), [0; 64], 0);
        // What is open: the number of each bracket, and whether it is of an array.
        let (mut open, mut depth, mut count) = ([(0_u16, false); MAX_DEPTH], 0_usize, 0_u16);
        let deepest = MAX_DEPTH.saturating_sub(around);
        let mut noted = blocks.iter_mut();
        loop {
            let rest = text.get(at..).unwrap_or_default();
            let (Some(block), Some(note)) = (blocks::first(rest, &mut room), noted.next()) else {
                return false;
            };
            let masks = L::masks(block);
            let quoted = strings.follow::<L>(&masks);
            *note = Block {
                openings: quoted.quotes & quoted.inside,
                closings: quoted.quotes & !quoted.inside,
                backslashes: masks.backslashes,
            };
            // Those with nothing in them are many, and need no number.
            let (opens, closes) = (masks.opens & !quoted.inside, masks.closes & !quoted.inside);
            let empty = opens & closes >> 1 & !(masks.squares ^ masks.squares >> 1);
            let mut edges = (opens | closes) & !(empty | empty << 1);
            let mut end = 0;
            while edges != 0 {
                let edge = edges & edges.wrapping_neg();
                edges ^= edge;
                let place = at as u16 + edge.trailing_zeros() as u16;
                let is_square = masks.squares & edge != 0;
                if opens & edge != 0 {
                    let opened = open.get_mut(depth).filter(|_| depth < deepest);
                    let (Some(opened), Some(bracket)) = (opened, brackets.get_mut(usize::from(count))) else {
                        return false;
                    };
                    *opened = (count, is_square);
                    bracket.start = place;
                    depth += 1;
                    count += 1;
                } else {
                    let opened = depth.checked_sub(1).and_then(|depth| open.get(depth));
                    let Some((number, _)) = opened.filter(|(_, opened)| *opened == is_square) else {
                        return false;
                    };
                    depth -= 1;
                    if let Some(bracket) = brackets.get_mut(usize::from(*number)) {
                        (bracket.end, bracket.rank) = (place + 1, count);
                    }
                    if depth == 0 {
                        end = edge;
                        break;
                    }
                }
            }
            // All of the block, if it does not end here: what is behind is not looked at.
            let here = end.wrapping_sub(1);
            if !escapes.check_block((&masks, &quoted), here, at, text) {
                return false;
            }
            if end != 0 {
                return true;
            }
            at += 64;
            if quoted.inside == !0 && !strings.is_escaped() {
                // A long string. Blocks are looked at again where it does something.
                while text
                    .get(at..)
                    .and_then(<[u8]>::first_chunk)
                    .is_some_and(blocks::is_plain)
                {
                    noted.next();
                    at += 64;
                }
            }
        }
    }
}
