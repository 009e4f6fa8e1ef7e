//! Percent-encoding, strict in one direction and canonical in the other.

use std::borrow::Cow;
use std::fmt;

use super::alphabets::Alphabets;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What a path segment escapes: all but unreserved characters and `: @ $ & + =`, as Go's `url.PathEscape`.
const SEGMENT: &AsciiSet = &VALUE
    .remove(b':')
    .remove(b'@')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'=');

/// What a query value escapes: all but unreserved characters.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Why a text can't be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DecodeError {
    /// A `%` without two hexadecimal digits.
    Malformed,
    /// A path escapes a character that needs no escape; no honest client does.
    OverEncoded,
    /// The bytes are no UTF-8.
    NotUtf8,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "malformed percent escape",
            Self::OverEncoded => "percent escape of a character that needs none",
            Self::NotUtf8 => "percent escapes that are not UTF-8",
        })
    }
}

/// Decodes a path segment, once.
pub(super) fn decode_segment(raw: &str) -> Result<Cow<'_, str>, DecodeError> {
    decode(raw, |byte| {
        if is_unreserved(byte) {
            Err(DecodeError::OverEncoded)
        } else {
            Ok(byte)
        }
    })
}

/// Decodes a query value, once; `+` is a space.
pub(super) fn decode_query(raw: &str) -> Result<Cow<'_, str>, DecodeError> {
    if !raw.contains('+') {
        return decode(raw, Ok);
    }
    let spaced = raw.replace('+', " ");
    decode(&spaced, Ok).map(|decoded| Cow::Owned(decoded.into_owned()))
}

fn decode(raw: &str, accept: impl Fn(u8) -> Result<u8, DecodeError>) -> Result<Cow<'_, str>, DecodeError> {
    if !raw.contains('%') {
        return Ok(Cow::Borrowed(raw));
    }
    let mut decoded = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let (high, low) = (hex_digit(bytes.next()), hex_digit(bytes.next()));
            let (Some(high), Some(low)) = (high, low) else {
                return Err(DecodeError::Malformed);
            };
            decoded.push(accept(high << 4 | low)?);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded)
        .map(Cow::Owned)
        .map_err(|_| DecodeError::NotUtf8)
}

fn hex_digit(byte: Option<u8>) -> Option<u8> {
    match byte? {
        digit @ b'0'..=b'9' => Some(digit - b'0'),
        digit @ b'a'..=b'f' => Some(digit - b'a' + 10),
        digit @ b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// What is never escaped: letters, digits and `-._~`.
pub(super) fn is_unreserved(byte: u8) -> bool {
    Alphabets::of(byte).contain(Alphabets::UNRESERVED)
}

/// Appends a path segment in its canonical form.
pub(super) fn push_segment(target: &mut String, segment: &str) {
    // Nearly all of them; encoding them is several times slower.
    if segment.bytes().all(is_unreserved) {
        target.push_str(segment);
        return;
    }
    target.extend(utf8_percent_encode(segment, SEGMENT));
}

/// Appends a query value in its canonical form.
pub(super) fn push_value(target: &mut String, value: &str) {
    target.extend(utf8_percent_encode(value, VALUE));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_once_and_strictly() {
        assert_eq!(decode_segment("a%20b%3a").unwrap(), "a b:");
        assert_eq!(decode_segment("%252F").unwrap(), "%2F");
        assert_eq!(decode_segment("%2e"), Err(DecodeError::OverEncoded));
        assert_eq!(decode_segment("%ff"), Err(DecodeError::NotUtf8));
        for malformed in ["%", "%2", "%zz", "a%2g", "%+1"] {
            assert_eq!(decode_segment(malformed), Err(DecodeError::Malformed), "{malformed}");
        }
        assert_eq!(decode_query("a+b%2B%61").unwrap(), "a b+a");
    }

    #[test]
    fn encodes_as_go_does() {
        let mut target = String::new();
        push_segment(&mut target, "a:@$&+=b c,(é)");
        assert_eq!(target, "a:@$&+=b%20c%2C%28%C3%A9%29");
        target.clear();
        push_value(&mut target, "app=x, y~");
        assert_eq!(target, "app%3Dx%2C%20y~");
    }
}
