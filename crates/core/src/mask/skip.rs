//! Passes over strings, objects and arrays, block by block.
//!
//! What is passed over is checked for strings (escapes, control characters), for the types of brackets and for depth.

use super::blocks::{self, Level, Run, Strings};
use super::error::MaskErrorKind;
use super::strings::Escapes;
use crate::json::MAX_DEPTH;

/// From inside a string to behind it; else whether only its end is missing.
pub(super) struct StringRun<'t> {
    pub(super) text: &'t [u8],
    pub(super) at: usize,
}

impl Run for StringRun<'_> {
    type Out = Result<usize, bool>;

    #[inline(always)]
    fn run<L: Level>(self) -> Self::Out {
        let Self { text, mut at } = self;
        let (mut strings, mut escapes, mut room) = (Strings::INSIDE, Escapes::default(), [0; 64]);
        loop {
            let rest = text.get(at..).unwrap_or_default();
            let Some(block) = blocks::first(rest, &mut room) else {
                return Err(true);
            };
            let masks = L::masks(block);
            let quoted = strings.follow::<L>(&masks);
            let end = quoted.quotes & quoted.quotes.wrapping_neg();
            // All of the block, if it does not end here.
            let here = end.wrapping_sub(1);
            if masks.controls & here != 0 {
                return Err(false);
            }
            let unusual = quoted.escaped & !(masks.quotes | masks.backslashes) & here;
            if unusual != 0 && !escapes.check(unusual, at, text) {
                return Err(escapes.is_cut);
            }
            if end != 0 {
                return Ok(at + end.trailing_zeros() as usize + 1);
            }
            at += 64;
        }
    }
}

/// From the opening bracket of an object or array to behind the closing one, block by block.
pub(super) struct SubtreeRun<'t> {
    pub(super) text: &'t [u8],
    pub(super) at: usize,
    /// Levels around it.
    pub(super) around: usize,
}

impl Run for SubtreeRun<'_> {
    type Out = Result<usize, MaskErrorKind>;

    #[inline(always)]
    fn run<L: Level>(self) -> Self::Out {
        let Self { text, mut at, around } = self;
        let (mut strings, mut escapes, mut room) = (Strings::default(), Escapes::default(), [0; 64]);
        // What is open, the innermost lowest; a bit is set for an array.
        let (mut open, mut depth, mut deepest, mut mismatches) = (0_u64, around, around, 0);
        loop {
            let rest = text.get(at..).unwrap_or_default();
            let Some(block) = blocks::first(rest, &mut room) else {
                return Err(MaskErrorKind::Malformed);
            };
            let masks = L::masks(block);
            let quoted = strings.follow::<L>(&masks);
            let mut brackets = (masks.opens | masks.closes) & !quoted.inside;
            let mut end = 0;
            while brackets != 0 {
                let bracket = brackets & brackets.wrapping_neg();
                brackets ^= bracket;
                // Without a branch: nobody can predict which brackets come.
                let is_square = u64::from(masks.squares & bracket != 0);
                let opens = masks.opens & bracket != 0;
                mismatches |= u64::from(!opens) & (open ^ is_square);
                open = if opens { open << 1 | is_square } else { open >> 1 };
                depth = if opens { depth + 1 } else { depth - 1 };
                deepest = deepest.max(depth);
                if depth == around {
                    end = bracket;
                    break;
                }
            }
            if deepest > MAX_DEPTH {
                return Err(MaskErrorKind::TooDeep);
            }
            if mismatches != 0 {
                return Err(MaskErrorKind::Malformed);
            }
            // All of the block, if it does not end here: what is behind is not looked at.
            let here = end.wrapping_sub(1);
            if !escapes.check_block((&masks, &quoted), here, at, text) {
                return Err(MaskErrorKind::Malformed);
            }
            if end != 0 {
                return Ok(at + end.trailing_zeros() as usize + 1);
            }
            at += 64;
            if quoted.inside == !0 && !strings.is_escaped() {
                // A long string. Blocks go on where it does something.
                at += blocks::plain(text.get(at..).unwrap_or_default());
            }
        }
    }
}

/// Whether the object ahead may have this among its own keys, which is given in quotes; not as one with escapes in it.
pub(super) struct MemberRun<'t> {
    pub(super) text: &'t [u8],
    pub(super) at: usize,
    pub(super) key: &'t [u8],
}

impl Run for MemberRun<'_> {
    type Out = bool;

    #[inline(always)]
    fn run<L: Level>(self) -> bool {
        let Self { text, mut at, key } = self;
        let (mut strings, mut depth, mut room) = (Strings::default(), 0_usize, [0; 64]);
        loop {
            let rest = text.get(at..).unwrap_or_default();
            let Some(block) = blocks::first(rest, &mut room) else {
                return true;
            };
            let masks = L::masks(block);
            let quoted = strings.follow::<L>(&masks);
            let (opens, closes) = (masks.opens & !quoted.inside, masks.closes & !quoted.inside);
            let closed = closes.count_ones() as usize;
            if depth > 1 + closed {
                // All of the block is further inside.
                depth = depth + opens.count_ones() as usize - closed;
                at += 64;
                continue;
            }
            let mut edges = opens | closes | quoted.quotes & quoted.inside;
            while edges != 0 {
                let edge = edges & edges.wrapping_neg();
                edges ^= edge;
                if opens & edge != 0 {
                    depth += 1;
                } else if closes & edge != 0 {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return false;
                    }
                } else if depth == 1
                    && rest
                        .get(edge.trailing_zeros() as usize..)
                        .is_some_and(|string| string.starts_with(key))
                {
                    return true;
                }
            }
            at += 64;
        }
    }
}
