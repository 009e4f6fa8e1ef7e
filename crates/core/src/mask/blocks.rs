//! Where the characters that matter to JSON stand, 64 bytes at a time, as bits.
//!
//! Bit *n* of a mask is byte *n* of the block. There are several ways to get the masks, which agree on every block: words
//! of eight bytes anywhere, and the vectors that every x86-64 has, or that most have. Everything above the masks is the
//! same; what runs over many blocks is compiled for each of them, and picked once per [`Run`].

/// The masks of one block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Masks {
    pub(super) quotes: u64,
    pub(super) backslashes: u64,
    /// `{` and `[`.
    pub(super) opens: u64,
    /// `}` and `]`.
    pub(super) closes: u64,
    /// `[` and `]`.
    pub(super) squares: u64,
    /// Below a space.
    pub(super) controls: u64,
}

/// Whether the next byte is inside a string, and whether it is escaped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Strings {
    /// All ones or none.
    inside: u64,
    /// One or none.
    escaped: u64,
}

/// What strings make of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quoted {
    /// Quotes that are not escaped.
    pub(super) quotes: u64,
    /// Strings, with the quote before and without the one behind.
    pub(super) inside: u64,
    /// What follows the backslash of an escape.
    pub(super) escaped: u64,
}

impl Strings {
    /// Whether the byte before was the backslash of an escape.
    pub(super) fn is_escaped(self) -> bool {
        self.escaped != 0
    }

    /// Inside a string.
    pub(super) const INSIDE: Self = Self { inside: !0, escaped: 0 };

    /// Follows the strings through a block.
    #[inline(always)]
    pub(super) fn follow<L: Level>(&mut self, masks: &Masks) -> Quoted {
        let escaped = self.escaped(masks.backslashes);
        let quotes = masks.quotes & !escaped;
        let inside = L::ones_between(quotes) ^ self.inside;
        self.inside = 0_u64.wrapping_sub(inside >> 63);
        Quoted {
            quotes,
            inside,
            escaped,
        }
    }

    /// The same, where only so many bytes of the block are there.
    #[inline(always)]
    pub(super) fn follow_part<L: Level>(&mut self, masks: &Masks, length: usize) -> Quoted {
        let quoted = self.follow::<L>(masks);
        if length < 64 {
            self.escaped = quoted.escaped >> length & 1;
        }
        quoted
    }

    /// The bytes behind a backslash that is not escaped itself. Of a run of backslashes, every other one is an escape: a
    /// carry that is added at the beginning of the run tells which.
    #[inline(always)]
    fn escaped(&mut self, backslashes: u64) -> u64 {
        const EVEN: u64 = 0x5555_5555_5555_5555;
        if backslashes == 0 {
            return std::mem::take(&mut self.escaped);
        }
        let backslashes = backslashes & !self.escaped;
        let behind = backslashes << 1 | self.escaped;
        let odd_starts = backslashes & !EVEN & !behind;
        let (even_runs, overflows) = odd_starts.overflowing_add(backslashes);
        self.escaped = u64::from(overflows);
        (EVEN ^ (even_runs << 1)) & behind
    }
}

/// A way to look at blocks.
pub(super) trait Level {
    /// The masks of a block.
    fn masks(block: &[u8; 64]) -> Masks;

    /// Ones from each odd bit up to the next even one, which is not among them: a sum without carry of all bits up to
    /// each.
    #[inline(always)]
    fn ones_between(bits: u64) -> u64 {
        let bits = bits ^ (bits << 1);
        let bits = bits ^ (bits << 2);
        let bits = bits ^ (bits << 4);
        let bits = bits ^ (bits << 8);
        let bits = bits ^ (bits << 16);
        bits ^ (bits << 32)
    }
}

/// The first block of some bytes, if there are any. Where less than a block is left, the rest of it are spaces, and it is
/// put together elsewhere.
#[inline(always)]
pub(super) fn first<'b>(bytes: &'b [u8], room: &'b mut [u8; 64]) -> Option<&'b [u8; 64]> {
    // One place that makes masks of either: of two, compilers make a bit-by-bit mess.
    bytes.first_chunk().or_else(|| last(bytes, room))
}

#[inline(never)]
fn last<'b>(bytes: &[u8], room: &'b mut [u8; 64]) -> Option<&'b [u8; 64]> {
    let (part, rest) = room.split_at_mut_checked(bytes.len())?;
    part.copy_from_slice(bytes);
    rest.fill(b' ');
    (!bytes.is_empty()).then_some(room)
}

/// Something that runs over many blocks. `run` and what it calls have to be inlined, to be compiled for each level.
pub(super) trait Run {
    /// What comes of it.
    type Out;

    /// Runs.
    fn run<L: Level>(self) -> Self::Out;
}

/// Runs with the fastest level that this machine has.
#[inline]
pub(super) fn run<R: Run>(run: R) -> R::Out {
    #[cfg(target_arch = "x86_64")]
    if let Some(wide) = vectors::Wide::detect() {
        return wide.run(run);
    }
    run.run::<Baseline>()
}

/// The fastest level that every machine of the target has.
#[cfg(target_arch = "x86_64")]
pub(super) type Baseline = vectors::Narrow;
/// The fastest level that every machine of the target has.
#[cfg(not(target_arch = "x86_64"))]
pub(super) type Baseline = words::Words;

#[cfg(target_arch = "x86_64")]
use vectors as parts;
#[cfg(not(target_arch = "x86_64"))]
use words as parts;

/// How many bytes there are before the first quote, backslash or control character, or to the end.
#[inline]
pub(super) fn plain(bytes: &[u8]) -> usize {
    // Nearly every string is short.
    match bytes.first_chunk() {
        Some(first) => match parts::specials(first) {
            0 => plain_from(bytes, 16),
            specials => specials.trailing_zeros() as usize,
        },
        None => plain_from(bytes, 0),
    }
}

/// The same for the first 16 bytes.
#[inline]
pub(super) fn plain_part(part: &[u8; 16]) -> usize {
    (parts::specials(part) | 1 << 16).trailing_zeros() as usize
}

fn plain_from(bytes: &[u8], mut at: usize) -> usize {
    while let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        if !parts::is_plain(block) {
            break;
        }
        at += 64;
    }
    while let Some(part) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        match parts::specials(part) {
            0 => at += 16,
            specials => return at + specials.trailing_zeros() as usize,
        }
    }
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| is_special(*byte)).unwrap_or(rest.len())
}

fn is_special(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0..0x20)
}

/// Eight bytes at a time, anywhere.
#[cfg_attr(
    all(target_arch = "x86_64", not(test)),
    expect(dead_code, reason = "the other ways are faster")
)]
pub(super) mod words {
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
            let (lower, is_square) = (word | LOW * 0x20, equal(word, b'[') | equal(word, b']'));
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
}

/// Sixteen bytes at a time, or 32.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "what a machine has is not known to the compiler")]
pub(super) mod vectors {
    use std::arch::x86_64::{
        __m128i, __m256i, _mm_clmulepi64_si128, _mm_cmpeq_epi8, _mm_cvtsi128_si64, _mm_min_epu8, _mm_movemask_epi8,
        _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8, _mm256_cmpeq_epi8, _mm256_min_epu8, _mm256_movemask_epi8,
        _mm256_or_si256, _mm256_set_epi64x, _mm256_set1_epi8,
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
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn by_byte(block: &[u8; 64]) -> Masks {
        let mask = |fits: fn(u8) -> bool| (0..64).fold(0, |mask, at| mask | u64::from(fits(block[at])) << at);
        Masks {
            quotes: mask(|byte| byte == b'"'),
            backslashes: mask(|byte| byte == b'\\'),
            opens: mask(|byte| matches!(byte, b'{' | b'[')),
            closes: mask(|byte| matches!(byte, b'}' | b']')),
            squares: mask(|byte| matches!(byte, b'[' | b']')),
            controls: mask(|byte| byte < 0x20),
        }
    }

    /// With the fastest level.
    struct MasksOf<'b>(&'b [u8; 64]);

    impl Run for MasksOf<'_> {
        type Out = Masks;

        fn run<L: Level>(self) -> Masks {
            L::masks(self.0)
        }
    }

    /// Strings through all blocks, as bits of what each byte is.
    struct QuotedOf<'b>(&'b [u8]);

    impl Run for QuotedOf<'_> {
        type Out = Vec<(bool, bool, bool)>;

        fn run<L: Level>(self) -> Self::Out {
            let (mut strings, mut all) = (Strings::default(), Vec::new());
            for block in self.0.chunks(64) {
                let mut room = [0; 64];
                let masks = L::masks(first(block, &mut room).unwrap());
                let quoted = strings.follow_part::<L>(&masks, block.len());
                let is = |mask: u64, at: usize| mask >> at & 1 == 1;
                let each = |at| (is(quoted.quotes, at), is(quoted.inside, at), is(quoted.escaped, at));
                all.extend((0..block.len()).map(each));
            }
            all
        }
    }

    #[track_caller]
    fn agree(block: &[u8; 64]) {
        let expected = by_byte(block);
        let is_plain = expected.quotes | expected.backslashes | expected.controls == 0;
        let first: &[u8; 16] = block.first_chunk().unwrap();
        let specials = (0..16).fold(0, |mask, at| mask | u32::from(is_special(first[at])) << at);
        assert_eq!(words::Words::masks(block), expected, "{block:?}");
        assert_eq!(run(MasksOf(block)), expected, "{block:?}");
        assert_eq!(words::is_plain(block), is_plain, "{block:?}");
        assert_eq!(words::specials(first), specials, "{block:?}");
        #[cfg(target_arch = "x86_64")]
        {
            assert_eq!(vectors::Narrow::masks(block), expected, "{block:?}");
            assert_eq!(vectors::is_plain(block), is_plain, "{block:?}");
            assert_eq!(vectors::specials(first), specials, "{block:?}");
        }
    }

    #[test]
    fn every_byte_at_every_place() {
        for byte in 0..=u8::MAX {
            agree(&[byte; 64]);
            for at in 0..64 {
                let mut block = [b'a'; 64];
                block[at] = byte;
                agree(&block);
                let mut block = [byte; 64];
                block[at] = b'"';
                agree(&block);
            }
        }
    }

    /// Strings as one state after the other.
    fn quoted_by_byte(bytes: &[u8]) -> Vec<(bool, bool, bool)> {
        let (mut inside, mut escaped) = (false, false);
        let each = bytes.iter().map(|byte| {
            let was_escaped = std::mem::replace(&mut escaped, false);
            escaped = *byte == b'\\' && !was_escaped;
            let is_quote = *byte == b'"' && !was_escaped;
            inside ^= is_quote;
            (is_quote, inside, was_escaped)
        });
        each.collect()
    }

    const CHARACTERS: &[u8] = b"\"\\\\\\\"{}[]:,a\n\x1f \x7f\x80\xfb\xdb\x5b\x7b";

    proptest! {
        #[test]
        fn any_block(block in prop::array::uniform32(any::<[u8; 2]>())) {
            agree(block.as_flattened().try_into().unwrap());
        }

        #[test]
        fn strings_across_blocks(picks in prop::collection::vec(0..CHARACTERS.len(), 0..400)) {
            let bytes: Vec<u8> = picks.into_iter().map(|pick| CHARACTERS[pick]).collect();
            let expected = quoted_by_byte(&bytes);
            prop_assert_eq!(&run(QuotedOf(&bytes)), &expected);
            prop_assert_eq!(&QuotedOf(&bytes).run::<Baseline>(), &expected);
            prop_assert_eq!(&QuotedOf(&bytes).run::<words::Words>(), &expected);
        }

        #[test]
        fn how_far_it_is_plain(length in 0_usize..300, special in 0_usize..300, byte in 0_usize..4) {
            let mut bytes = vec![b'x'; length];
            if let Some(place) = bytes.get_mut(special) {
                *place = [b'"', b'\\', 0x1f, 0xff][byte];
            }
            let expected = bytes.iter().position(|byte| is_special(*byte)).unwrap_or(length);
            prop_assert_eq!(plain(&bytes), expected);
        }
    }
}
