//! Sixteen bytes at a time, or 32.

use std::arch::x86_64::{
    __m128i, __m256i, _mm_clmulepi64_si128, _mm_cmpeq_epi8, _mm_cvtsi64_si128, _mm_cvtsi128_si64, _mm_min_epu8,
    _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8, _mm_shuffle_epi8, _mm256_cmpeq_epi8,
    _mm256_min_epu8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set_epi64x, _mm256_set1_epi8,
};

use super::{Level, Masks, Run};

/// Vectors of 16 bytes, with SSE2, which is a part of x86-64.
pub(in super::super) struct Narrow;

impl Level for Narrow {
    #[inline(always)]
    fn masks(block: &[u8; 64]) -> Masks {
        // SAFETY: every x86-64 has SSE2.
        unsafe { narrow_masks(block) }
    }
}

/// Vectors of 32 bytes, with AVX2, and what came with it or before. To have one is to know that the machine has it.
#[derive(Clone, Copy)]
pub(in super::super) struct Wide(());

impl Wide {
    /// The level, if this machine has it.
    #[inline]
    pub(in super::super) fn detect() -> Option<Self> {
        let has = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("popcnt")
            && is_x86_feature_detected!("pclmulqdq");
        has.then_some(Self(()))
    }

    #[inline]
    pub(in super::super) fn run<R: Run>(self, run: R) -> R::Out {
        // SAFETY: there is no `Wide` where the machine has not all of this.
        unsafe { run_wide(run) }
    }
}

#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,pclmulqdq")]
fn run_wide<R: Run>(run: R) -> R::Out {
    run.run::<WideInside>()
}

/// [`Wide`], inside of what was compiled for it; nobody else gets at it.
struct WideInside;

impl Level for WideInside {
    #[inline(always)]
    fn masks(block: &[u8; 64]) -> Masks {
        // SAFETY: only `run_wide` names this level.
        unsafe { wide_masks(block) }
    }

    #[inline(always)]
    fn ones_between(bits: u64) -> u64 {
        // SAFETY: only `run_wide` names this level.
        unsafe { wide_ones_between(bits) }
    }

    #[inline(always)]
    fn pack(word: u64, bits: u8) -> u64 {
        // SAFETY: only `run_wide` names this level.
        unsafe { wide_pack(word, bits) }
    }
}

#[inline]
pub(in super::super) fn specials(part: &[u8; 16]) -> u32 {
    // SAFETY: every x86-64 has SSE2.
    unsafe { bits(special(load(part))) }
}

#[inline]
pub(in super::super) fn is_plain(block: &[u8; 64]) -> bool {
    // SAFETY: every x86-64 has SSE2.
    unsafe { narrow_is_plain(block) }
}

/// A vector of bytes in their order, without a pointer.
#[inline]
#[target_feature(enable = "sse2")]
fn load(part: &[u8; 16]) -> __m128i {
    let both = u128::from_le_bytes(*part);
    _mm_set_epi64x((both >> 64) as i64, both as i64)
}

#[inline]
#[target_feature(enable = "sse2")]
fn equal(bytes: __m128i, byte: u8) -> __m128i {
    _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte as i8))
}

#[inline]
#[target_feature(enable = "sse2")]
fn control(bytes: __m128i) -> __m128i {
    _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes)
}

#[inline]
#[target_feature(enable = "sse2")]
fn special(bytes: __m128i) -> __m128i {
    _mm_or_si128(_mm_or_si128(equal(bytes, b'"'), equal(bytes, b'\\')), control(bytes))
}

#[inline]
#[target_feature(enable = "sse2")]
fn bits(bytes: __m128i) -> u32 {
    // Sixteen of them.
    _mm_movemask_epi8(bytes) as u32
}

#[inline]
#[target_feature(enable = "sse2")]
fn narrow_masks(block: &[u8; 64]) -> Masks {
    let mut masks = Masks::default();
    let (parts, _) = block.as_chunks();
    for (number, part) in parts.iter().enumerate() {
        let (at, bytes) = (number * 16, load(part));
        // `{` and `[`, `}` and `]` differ in one bit, which no other character has the rest of.
        let lower = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
        let squares = _mm_or_si128(equal(bytes, b'['), equal(bytes, b']'));
        masks.quotes |= u64::from(bits(equal(bytes, b'"'))) << at;
        masks.backslashes |= u64::from(bits(equal(bytes, b'\\'))) << at;
        masks.opens |= u64::from(bits(equal(lower, b'{'))) << at;
        masks.closes |= u64::from(bits(equal(lower, b'}'))) << at;
        masks.squares |= u64::from(bits(squares)) << at;
        masks.controls |= u64::from(bits(control(bytes))) << at;
    }
    masks
}

#[inline]
#[target_feature(enable = "sse2")]
fn narrow_is_plain(block: &[u8; 64]) -> bool {
    let mut all = _mm_set1_epi8(0);
    let (parts, _) = block.as_chunks();
    for part in parts {
        all = _mm_or_si128(all, special(load(part)));
    }
    bits(all) == 0
}

#[inline]
#[target_feature(enable = "avx2")]
fn wide_load(part: &[u8; 32]) -> __m256i {
    let (words, _) = part.as_chunks();
    let [a, b, c, d] = [0, 1, 2, 3].map(|at| words.get(at).map_or(0, |word| i64::from_le_bytes(*word)));
    _mm256_set_epi64x(d, c, b, a)
}

#[inline]
#[target_feature(enable = "avx2")]
fn wide_equal(bytes: __m256i, byte: u8) -> __m256i {
    _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte as i8))
}

#[inline]
#[target_feature(enable = "avx2")]
fn wide_bits(bytes: __m256i) -> u64 {
    u64::from(_mm256_movemask_epi8(bytes) as u32)
}

#[inline]
#[target_feature(enable = "avx2")]
fn wide_masks(block: &[u8; 64]) -> Masks {
    let mut masks = Masks::default();
    let (parts, _) = block.as_chunks();
    for (number, part) in parts.iter().enumerate() {
        let (at, bytes) = (number * 32, wide_load(part));
        let lower = _mm256_or_si256(bytes, _mm256_set1_epi8(0x20));
        let squares = _mm256_or_si256(wide_equal(bytes, b'['), wide_equal(bytes, b']'));
        let controls = _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(0x1f)), bytes);
        masks.quotes |= wide_bits(wide_equal(bytes, b'"')) << at;
        masks.backslashes |= wide_bits(wide_equal(bytes, b'\\')) << at;
        masks.opens |= wide_bits(wide_equal(lower, b'{')) << at;
        masks.closes |= wide_bits(wide_equal(lower, b'}')) << at;
        masks.squares |= wide_bits(squares) << at;
        masks.controls |= wide_bits(controls) << at;
    }
    masks
}

/// A product without carry with all ones is the sum up to each bit.
#[inline]
#[target_feature(enable = "pclmulqdq")]
fn wide_ones_between(bits: u64) -> u64 {
    let sums = _mm_clmulepi64_si128::<0>(_mm_set_epi64x(0, bits as i64), _mm_set1_epi8(-1));
    _mm_cvtsi128_si64(sums) as u64
}

/// For each set of bytes, where they are in a word, one after the other; behind them what a shuffle makes zeros of.
static PLACES: [u64; 256] = {
    let mut places = [u64::MAX; 256];
    let mut bits = 0;
    while bits < 256 {
        let (mut number, mut kept) = (8, u64::MAX);
        while number > 0 {
            number -= 1;
            if bits >> number & 1 != 0 {
                kept = kept << 8 | number as u64;
            }
        }
        #[expect(clippy::indexing_slicing, reason = "computed by the compiler")]
        {
            places[bits] = kept;
        }
        bits += 1;
    }
    places
};

#[inline]
#[target_feature(enable = "ssse3")]
fn wide_pack(word: u64, bits: u8) -> u64 {
    let places = PLACES.get(usize::from(bits)).copied().unwrap_or_default();
    let packed = _mm_shuffle_epi8(_mm_cvtsi64_si128(word as i64), _mm_cvtsi64_si128(places as i64));
    _mm_cvtsi128_si64(packed) as u64
}
