//! Eight bytes at a time, anywhere.

use super::{Level, Masks};

/// Words of eight bytes.
pub(in super::super) struct Words;

impl Level for Words {
    #[inline(always)]
    fn masks(block: &[u8; 64]) -> Masks {
        masks(block)
    }
}

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;
/// Adds the highest bit of each byte to the highest byte, each at a bit of its own.
const GATHER: u64 = 0x0002_0408_1020_4081;

/// The highest bit of each byte that is equal to this one.
#[inline]
fn equal(word: u64, byte: u8) -> u64 {
    let zero_where_equal = word ^ (LOW * u64::from(byte));
    let nonzero = ((zero_where_equal & !HIGH) + !HIGH) | zero_where_equal;
    !nonzero & HIGH
}

/// The highest bit of each byte that is a control character.
#[inline]
fn control(word: u64) -> u64 {
    // Of a byte below 128, the sum reaches the highest bit from a space on.
    !(((word & !HIGH) + LOW * (0x80 - 0x20)) | word) & HIGH
}

#[inline]
fn bits(highest: u64) -> u64 {
    (highest >> 7).wrapping_mul(GATHER << 7) >> 56
}

#[inline]
fn words<const N: usize>(bytes: &[u8; N]) -> impl Iterator<Item = (u32, u64)> {
    let (words, _) = bytes.as_chunks();
    (0..).step_by(8).zip(words.iter().map(|word| u64::from_le_bytes(*word)))
}

#[inline]
fn masks(block: &[u8; 64]) -> Masks {
    let mut masks = Masks::default();
    for (at, word) in words(block) {
        // `{` and `[`, `}` and `]` differ in one bit, which no other character has the rest of.
        let (lower, is_square) = (word | (LOW * 0x20), equal(word, b'[') | equal(word, b']'));
        masks.quotes |= bits(equal(word, b'"')) << at;
        masks.backslashes |= bits(equal(word, b'\\')) << at;
        masks.opens |= bits(equal(lower, b'{')) << at;
        masks.closes |= bits(equal(lower, b'}')) << at;
        masks.squares |= bits(is_square) << at;
        masks.controls |= bits(control(word)) << at;
    }
    masks
}

#[inline]
fn special(word: u64) -> u64 {
    equal(word, b'"') | equal(word, b'\\') | control(word)
}

#[inline]
pub(in super::super) fn specials(part: &[u8; 16]) -> u32 {
    let specials = words(part).fold(0, |all, (at, word)| all | bits(special(word)) << at);
    specials as u32
}

#[inline]
pub(in super::super) fn is_plain(block: &[u8; 64]) -> bool {
    words(block).fold(0, |all, (_, word)| all | special(word)) == 0
}
