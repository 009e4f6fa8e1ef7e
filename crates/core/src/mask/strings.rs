//! What may stand in a string of JSON: escapes, and what they mean.

use memchr::memchr;

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
    /// Behind the last pair.
    checked: usize,
}

impl Escapes {
    /// Whether those whose second byte is at a bit of the mask, counted from a place in the text, are escapes.
    pub(super) fn check(&mut self, mut mask: u64, from: usize, text: &[u8]) -> bool {
        while mask != 0 {
            let second = from + mask.trailing_zeros() as usize;
            mask &= mask - 1;
            if second < self.checked {
                continue;
            }
            let Escape::Of(length) = escape(text.get(second - 1..).unwrap_or_default()) else {
                return false;
            };
            self.checked = second - 1 + length;
        }
        true
    }
}

/// Whether the control characters at these bits are white space.
pub(super) fn are_spaces(mut mask: u64, block: &[u8]) -> bool {
    while mask != 0 {
        if !matches!(block.get(mask.trailing_zeros() as usize), Some(b'\t' | b'\n' | b'\r')) {
            return false;
        }
        mask &= mask - 1;
    }
    true
}

/// What a string says whose escapes were checked.
pub(super) fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, escaped)) = memchr(b'\\', rest.as_bytes()).and_then(|at| rest.split_at_checked(at)) {
        text.push_str(plain);
        let Escape::Of(length) = escape(escaped.as_bytes()) else {
            // It was checked when it was read.
            return text;
        };
        let (escape, behind) = escaped.split_at_checked(length).unwrap_or((escaped, ""));
        text.push(character(escape.as_bytes()));
        rest = behind;
    }
    text.push_str(rest);
    text
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
