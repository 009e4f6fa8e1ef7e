//! Every way gives the masks that a look at each byte gives.

use proptest::prelude::*;

use crate::mask::blocks::{self, Baseline, Level, Masks, Run, Strings, plain, run, words};

fn is_special(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0..0x20)
}

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

/// A word packed with the fastest level.
struct Packed(u64, u8);

impl Run for Packed {
    type Out = u64;

    fn run<L: Level>(self) -> u64 {
        L::pack(self.0, self.1)
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
            let masks = L::masks(blocks::first(block, &mut room).unwrap());
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
        assert_eq!(blocks::vectors::Narrow::masks(block), expected, "{block:?}");
        assert_eq!(blocks::vectors::is_plain(block), is_plain, "{block:?}");
        assert_eq!(blocks::vectors::specials(first), specials, "{block:?}");
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

#[test]
fn packs_the_bytes_of_every_set() {
    for word in [0x0102_0304_0506_0708_u64, u64::MAX, 0x8040_2010_0804_0201] {
        for bits in 0..=u8::MAX {
            let mut kept = [0; 8];
            let bytes = word.to_le_bytes().into_iter().enumerate();
            let those = bytes.filter(|(number, _)| bits >> number & 1 == 1);
            kept.iter_mut().zip(those).for_each(|(place, (_, byte))| *place = byte);
            let expected = u64::from_le_bytes(kept);
            assert_eq!(words::Words::pack(word, bits), expected, "{word:x} {bits:b}");
            assert_eq!(Baseline::pack(word, bits), expected, "{word:x} {bits:b}");
            assert_eq!(run(Packed(word, bits)), expected, "{word:x} {bits:b}");
        }
    }
}
