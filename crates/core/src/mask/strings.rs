//! What may stand in a string of JSON: escapes, and what they mean.

use super::blocks::{self, Level, Masks, Quoted, Run, Strings};

/// An escape at the beginning of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    /// It has so many bytes.
    Of(usize),
    /// The bytes end inside it.
    Cut,
    /// It is none, or half of a pair.
    Wrong,
}

/// What the escape is that these bytes begin with; two that are the halves of a pair are one.
#[inline]
pub(super) fn escape(bytes: &[u8]) -> Escape {
    match bytes.get(1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Escape::Of(2),
        Some(b'u') => unicode_escape(bytes),
        None => Escape::Cut,
        Some(_) => Escape::Wrong,
    }
}

fn unicode_escape(bytes: &[u8]) -> Escape {
    match unit(bytes) {
        Some(0xd800..0xdc00) => match bytes.get(6..) {
            Some(second) if matches!(unit(second), Some(0xdc00..0xe000)) => Escape::Of(12),
            second if may_be_cut(second.unwrap_or_default()) => Escape::Cut,
            _ => Escape::Wrong,
        },
        Some(0xdc00..0xe000) => Escape::Wrong,
        Some(_) => Escape::Of(6),
        None if may_be_cut(bytes) => Escape::Cut,
        None => Escape::Wrong,
    }
}

/// Whether bytes are the beginning of an escape with a number, and end inside it.
fn may_be_cut(bytes: &[u8]) -> bool {
    let begins = b"\\u".iter().zip(bytes).all(|(expected, byte)| expected == byte);
    bytes.len() < 6 && begins && bytes.iter().skip(2).all(u8::is_ascii_hexdigit)
}

/// The number of an escape with one.
fn unit(bytes: &[u8]) -> Option<u32> {
    let digits = bytes.first_chunk::<6>()?.strip_prefix(b"\\u")?;
    digits
        .iter()
        .try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
}

/// Checks escapes by the places of what follows their backslashes, in their order.
#[derive(Debug, Default)]
pub(super) struct Escapes {
    /// Behind the last one that was checked.
    checked: usize,
    /// Whether one is no escape only since the text ends.
    pub(super) is_cut: bool,
}

impl Escapes {
    /// Whether what is in a block is sound, as far as strings go: at these bits of it, which begins at a place in the text.
    #[inline(always)]
    pub(super) fn check_block(
        &mut self,
        (masks, quoted): (&Masks, &Quoted),
        here: u64,
        at: usize,
        text: &[u8],
    ) -> bool {
        let controls = masks.controls & here;
        let stray = masks.backslashes & !quoted.inside & here;
        if stray != 0 || controls & quoted.inside != 0 {
            return false;
        }
        if controls != 0 && !are_spaces(controls, text.get(at..).unwrap_or_default()) {
            return false;
        }
        let unusual = quoted.escaped & !(masks.quotes | masks.backslashes) & here;
        unusual == 0 || self.check(unusual, at, text)
    }

    /// Whether those whose second byte is at a bit of the mask, counted from a place in the text, are escapes.
    pub(super) fn check(&mut self, mut mask: u64, from: usize, text: &[u8]) -> bool {
        while mask != 0 {
            let second = from + mask.trailing_zeros() as usize;
            mask &= mask - 1;
            if second < self.checked {
                continue;
            }
            if text.get(second).is_some_and(|second| short(*second) != 0) {
                self.checked = second + 1;
                continue;
            }
            match escape(text.get(second - 1..).unwrap_or_default()) {
                Escape::Of(length) => self.checked = second - 1 + length,
                other => {
                    self.is_cut = other == Escape::Cut;
                    return false;
                }
            }
        }
        true
    }
}

/// Whether the control characters at these bits are white space.
fn are_spaces(mut mask: u64, block: &[u8]) -> bool {
    while mask != 0 {
        if !matches!(block.get(mask.trailing_zeros() as usize), Some(b'\t' | b'\n' | b'\r')) {
            return false;
        }
        mask &= mask - 1;
    }
    true
}

/// What an escape of two bytes stands for, by its second one; 0 for all others.
const SHORT: [u8; 256] = {
    let mut short = [0; 256];
    let pairs = b"\"\"\\\\//b\x08f\x0cn\nr\rt\t";
    let mut at = 0;
    while at < pairs.len() {
        #[expect(clippy::indexing_slicing, reason = "computed by the compiler")]
        {
            short[pairs[at] as usize] = pairs[at + 1];
        }
        at += 2;
    }
    short
};

fn short(second: u8) -> u8 {
    SHORT.get(usize::from(second)).copied().unwrap_or_default()
}

/// What a string says whose escapes were checked.
pub(super) fn unescape(raw: &str) -> String {
    let raw = raw.as_bytes();
    // Never longer than what is written; room to put eight bytes at a time.
    let mut out = vec![0; raw.len() + 8];
    let (mut from, mut to) = blocks::run(UnescapeRun { raw, out: &mut out });
    while from < raw.len() {
        put_first(raw, &mut from, &mut out, &mut to);
    }
    out.truncate(to);
    String::from_utf8(out).unwrap_or_default()
}

/// Puts what whole blocks say, up to the last one; how much was read, and how much was put.
struct UnescapeRun<'r> {
    raw: &'r [u8],
    out: &'r mut [u8],
}

impl Run for UnescapeRun<'_> {
    type Out = (usize, usize);

    #[inline(always)]
    fn run<L: Level>(self) -> (usize, usize) {
        let Self { raw, out } = self;
        let (mut from, mut to) = (0, 0);
        while let Some(block) = raw.get(from..).and_then(<[u8]>::first_chunk) {
            let masks = L::masks(block);
            let mut strings = Strings::INSIDE;
            let quoted = strings.follow::<L>(&masks);
            // Of what does not stand for itself, what it stands for.
            let mut said: [u8; 64] = *block;
            let mut others = quoted.escaped & !(masks.quotes | masks.backslashes);
            while others != 0 {
                match said.get_mut(others.trailing_zeros() as usize) {
                    Some(second) if short(*second) != 0 => *second = short(*second),
                    _ => break,
                }
                others &= others - 1;
            }
            if others != 0 {
                let end = from + 64;
                while from < end {
                    put_first(raw, &mut from, out, &mut to);
                }
                continue;
            }
            // Everything but the backslashes before; one that the end of the block cuts off belongs to the next one.
            let cut = u64::from(strings.is_escaped()) << 63;
            let keep = !(quoted.escaped >> 1 | cut);
            let (words, _) = said.as_chunks();
            for (word, keep) in words.iter().zip(keep.to_le_bytes()) {
                if let Some(place) = out.get_mut(to..).and_then(<[u8]>::first_chunk_mut) {
                    *place = L::pack(u64::from_le_bytes(*word), keep).to_le_bytes();
                }
                to += keep.count_ones() as usize;
            }
            from += 64 - usize::from(strings.is_escaped());
        }
        (from, to)
    }
}

/// Puts what the byte or the escape at a place says.
fn put_first(bytes: &[u8], from: &mut usize, out: &mut [u8], to: &mut usize) {
    let mut utf8 = [0; 4];
    let (length, said) = match bytes.get(*from..).unwrap_or_default() {
        rest @ [b'\\', ..] => {
            let (length, character) = first_escape(rest);
            (length, character.encode_utf8(&mut utf8).as_bytes())
        }
        rest => (1, rest.get(..1).unwrap_or_default()),
    };
    if let Some(place) = out.get_mut(*to..*to + said.len()) {
        place.copy_from_slice(said);
    }
    (*from, *to) = (*from + length, *to + said.len());
}

/// How long the escape at the beginning is, and what it stands for.
fn first_escape(bytes: &[u8]) -> (usize, char) {
    match escape(bytes) {
        Escape::Of(length) => (length, character(bytes.get(..length).unwrap_or_default())),
        // It was checked when it was read.
        Escape::Cut | Escape::Wrong => (1, char::REPLACEMENT_CHARACTER),
    }
}

/// Goes from places in what a string says to the places where that is written, from the first to the last.
pub(super) struct Places<'r> {
    raw: &'r [u8],
    /// The two places that belong together.
    written: usize,
    said: usize,
}

impl<'r> Places<'r> {
    /// Those of a string whose escapes were checked.
    pub(super) fn new(raw: &'r str) -> Self {
        Self {
            raw: raw.as_bytes(),
            written: 0,
            said: 0,
        }
    }

    /// Where it is written what is said here, which is not before the last place.
    pub(super) fn find(&mut self, said: usize) -> usize {
        (self.written, self.said) = blocks::run(PlacesRun {
            raw: self.raw,
            from: (self.written, self.said),
            said,
        });
        while self.said < said {
            let rest = self.raw.get(self.written..).unwrap_or_default();
            let step = blocks::plain(rest).min(said - self.said);
            (self.written, self.said) = (self.written + step, self.said + step);
            if step == 0 {
                let (length, character) = first_escape(rest);
                self.written += length;
                self.said += character.len_utf8();
            }
        }
        self.written
    }
}

/// Goes on by whole blocks, up to the last one before a place or to one with an escape of more than two bytes.
struct PlacesRun<'r> {
    raw: &'r [u8],
    from: (usize, usize),
    said: usize,
}

impl Run for PlacesRun<'_> {
    type Out = (usize, usize);

    #[inline(always)]
    fn run<L: Level>(self) -> (usize, usize) {
        let (mut at, mut said) = self.from;
        while let Some(block) = self.raw.get(at..).and_then(<[u8]>::first_chunk) {
            let masks = L::masks(block);
            let mut strings = Strings::INSIDE;
            let quoted = strings.follow::<L>(&masks);
            // An escape that is cut by the end of the block belongs to the next one.
            let length = 64 - usize::from(strings.is_escaped());
            let says = length - quoted.escaped.count_ones() as usize;
            if quoted.escaped & !(masks.quotes | masks.backslashes) != 0 || said + says > self.said {
                break;
            }
            (at, said) = (at + length, said + says);
        }
        (at, said)
    }
}

fn character(escape: &[u8]) -> char {
    match escape.get(1) {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => {
            let second = escape.get(6..).and_then(unit);
            let code = match (unit(escape), second) {
                (Some(high), Some(low)) => Some(0x1_0000 + ((high & 0x3ff) << 10 | low & 0x3ff)),
                (first, _) => first,
            };
            code.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        Some(byte) => char::from(*byte),
        None => char::REPLACEMENT_CHARACTER,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json::Value;

    fn parsed(raw: &str) -> Option<String> {
        match Value::parse(format!("\"{raw}\"").as_bytes()) {
            Ok(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    fn read(raw: &str) -> Option<String> {
        let mut rest = raw;
        while let Some(at) = rest.find('\\') {
            rest = &rest[at..];
            let Escape::Of(length) = escape(rest.as_bytes()) else {
                return None;
            };
            rest = &rest[length..];
        }
        Some(unescape(raw))
    }

    proptest! {
        #[test]
        fn agrees_with_the_parser(raw in "(\\\\[u/bfnrtx\"\\\\]|\\\\u[dD][89aBcfF][0-9a-f]{2}|\\\\u00[0-9a-fA-F]{2}|[a-z0-9\u{e9}\u{1f600}]){0,8}") {
            prop_assert_eq!(read(&raw), parsed(&raw), "{}", raw);
        }
    }

    proptest! {
        #[test]
        fn finds_what_is_said(text in "[a-z]{0,70}([\"\\\\]{0,4}[a-z]{0,20}){0,20}[a-z\"\\\\\n\u{1}\u{e9}\u{1f600}]{0,60}") {
            let mut raw = String::new();
            crate::json::write_string(&text, &mut raw);
            let raw = &raw[1..raw.len() - 1];
            prop_assert_eq!(&unescape(raw), &text);
            let mut places = Places::new(raw);
            for (at, _) in text.char_indices() {
                let written = places.find(at);
                prop_assert_eq!(&unescape(&raw[..written]), &text[..at]);
                prop_assert_eq!(&unescape(&raw[written..]), &text[at..]);
            }
        }
    }

    #[test]
    fn where_an_escape_is_cut() {
        let pair = br"\ud83d\uDE00";
        for end in 1..pair.len() {
            assert_eq!(escape(&pair[..end]), Escape::Cut, "{end}");
        }
        assert_eq!(escape(pair), Escape::Of(12));
        for wrong in [
            r"\x",
            r"\u00g",
            r"\ud83dx",
            r"\ud83d\n",
            r"\ud83d\u0041",
            r"\ude00",
            r#"\u00""#,
        ] {
            assert_eq!(escape(wrong.as_bytes()), Escape::Wrong, "{wrong}");
        }
    }
}
