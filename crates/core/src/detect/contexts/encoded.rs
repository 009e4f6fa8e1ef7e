//! Texts in other clothes: base64, hexadecimal, gzip, percent-encoding, `\u0041`. What is found inside is masked outside.

use std::io::Read as _;
use std::ops::Range;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use memchr::{memchr, memmem};

use super::bytes::{at, part, rest, skip, skip_back};
use super::refreshed;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// Shortest run that is decoded: 12 bytes, `password=abc`.
const LEAST: usize = 16;

/// How much of the front of a run is decoded to see whether it is a text.
const PROBE: usize = 16;

/// Most bytes that gzip may hold, with what is zipped in it again, and so many times as many as it takes.
pub(in crate::detect) const MAX_INFLATED: usize = 1024 * 1024;
const MAX_RATIO: usize = 32;

const fn table() -> [bool; 256] {
    let mut table = [false; 256];
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_";
    let mut index = 0;
    #[expect(clippy::indexing_slicing, reason = "a byte is an index of 256")]
    while index < alphabet.len() {
        table[alphabet[index] as usize] = true;
        index += 1;
    }
    table
}

static ALPHABET: [bool; 256] = table();

/// Whether a value is base64 of a text that can be read.
pub(super) fn says_text(value: &[u8]) -> bool {
    let plain = std::str::from_utf8(value).ok().and_then(crate::mask::decode_base64);
    plain.is_some_and(|plain| {
        std::str::from_utf8(&plain).is_ok_and(|text| {
            !text
                .chars()
                .any(|letter| letter.is_control() && !letter.is_whitespace())
        })
    })
}

fn is_base64(byte: u8) -> bool {
    ALPHABET.get(usize::from(byte)).copied().unwrap_or(false)
}

/// The next run of base64 that is long enough. Every run of `LEAST` bytes has one at a multiple of that, so no other
/// byte is looked at.
pub(in crate::detect) fn next_run(text: &[u8], from: usize) -> Option<Range<usize>> {
    let mut position = from + LEAST - 1;
    loop {
        let byte = *text.get(position)?;
        if !is_base64(byte) {
            position += LEAST;
            continue;
        }
        let start = skip_back(text, position, from, is_base64);
        let end = skip(text, position, is_base64);
        if end - start >= LEAST {
            let padded = end + rest(text, end).iter().take(2).take_while(|byte| **byte == b'=').count();
            return Some(start..padded);
        }
        position = end + LEAST;
    }
}

/// What a run stands for, if that is a text; and what part of the run does.
pub(in crate::detect) fn decoded(
    text: &[u8],
    run: Range<usize>,
    budget: &mut usize,
) -> Option<(Range<usize>, Vec<u8>)> {
    if let Some(plain) = decode(part(text, run.clone()), budget) {
        return Some((run, plain));
    }
    // The end of a path may be one of its own.
    const MOST: usize = 8;
    for slash in memchr::memchr_iter(b'/', part(text, run.clone())).take(MOST) {
        let tail = run.start + slash + 1..run.end;
        if tail.len() < LEAST {
            return None;
        }
        if let Some(plain) = decode(part(text, tail.clone()), budget) {
            return Some((tail, plain));
        }
    }
    None
}

/// Whether nothing in a text is encoded that could be unpacked.
pub(in crate::detect) fn is_absent(text: &[u8]) -> bool {
    let mut from = 0;
    while let Some(run) = next_run(text, from) {
        from = run.end;
        if decoded(text, run, &mut MAX_INFLATED.clone()).is_some() {
            return false;
        }
    }
    memchr(b'%', text).is_none() && memmem::find(text, b"\\u00").is_none()
}

fn decode(run: &[u8], budget: &mut usize) -> Option<Vec<u8>> {
    let body = run
        .strip_suffix(b"==")
        .or_else(|| run.strip_suffix(b"="))
        .unwrap_or(run);
    let front = part(body, 0..PROBE.min(body.len()));
    let mut bytes = [0; PROBE];
    if run.len().is_multiple_of(2)
        && begins_hex_text(front)
        && let Some(bytes) = bytes.get_mut(..front.len() / 2)
        && hex::decode_to_slice(part(front, 0..front.len() - front.len() % 2), bytes).is_ok()
        && is_text(bytes)
        && let Ok(plain) = hex::decode(run)
    {
        return Some(plain);
    }
    if !begins_text(front) {
        return None;
    }
    let safe = memchr::memchr2(b'-', b'_', body).is_some();
    if safe && memchr::memchr2(b'+', b'/', body).is_some() {
        return None;
    }
    let engine = if safe { &URL_SAFE } else { &STANDARD };
    let len = engine
        .decode_slice(part(front, 0..front.len() - front.len() % 4), &mut bytes)
        .ok()?;
    let probe = part(&bytes, 0..len);
    let zipped = probe.starts_with(&[0x1f, 0x8b, 8]);
    let wide = is_wide(probe);
    if !zipped && !wide && !is_text(probe) {
        return None;
    }
    // One character more than whole bytes: cut off.
    let whole = if body.len() % 4 == 1 {
        body.len() - 1
    } else {
        body.len()
    };
    let plain = engine.decode(part(body, 0..whole)).ok()?;
    if zipped {
        return inflate(&plain, budget);
    }
    if wide {
        return Some(plain.into_iter().step_by(2).collect());
    }
    Some(plain)
}

/// Whether base64 may stand for a text, for gzip or for UTF-16, by its first four letters: most runs do not.
fn begins_text(run: &[u8]) -> bool {
    let sextet = |at: usize| match run.get(at).copied().unwrap_or(0) {
        letter @ b'A'..=b'Z' => Some(letter - b'A'),
        letter @ b'a'..=b'z' => Some(letter - b'a' + 26),
        digit @ b'0'..=b'9' => Some(digit - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    };
    let (Some(a), Some(b), Some(c), Some(d)) = (sextet(0), sextet(1), sextet(2), sextet(3)) else {
        return false;
    };
    let ascii = |byte: u8| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r');
    let inner = |byte: u8| matches!(byte, 0x80..=0xbf);
    match [(a << 2) | (b >> 4), (b << 4) | (c >> 2), (c << 6) | d] {
        [0x1f, 0x8b, 8] => true,
        [0xc2..=0xdf, second, third] => inner(second) && (ascii(third) || third >= 0xc2),
        [0xe0..=0xf4, second, third] => inner(second) && inner(third),
        [first, 0, third] => ascii(first) && ascii(third),
        [first, second, third] => ascii(first) && (ascii(second) || second >= 0xc2) && (ascii(third) || third >= 0x80),
    }
}

/// The same of hexadecimal digits.
fn begins_hex_text(run: &[u8]) -> bool {
    let printable = |high: u8| matches!(high, b'2'..=b'7');
    matches!(run, [high, _, next, _, ..] if printable(*high) && printable(*next))
}

/// Whether bytes are of a text. What is cut off at the end does not matter.
fn is_text(bytes: &[u8]) -> bool {
    let control = |byte: &u8| *byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
    !bytes.iter().any(|byte| control(byte) || *byte == 0x7f)
        && match std::str::from_utf8(bytes) {
            Ok(_) => true,
            Err(error) => error.error_len().is_none(),
        }
}

/// Whether bytes are of a text in UTF-16, as PowerShell has it.
fn is_wide(bytes: &[u8]) -> bool {
    bytes.len() > 4
        && bytes
            .chunks_exact(2)
            .all(|pair| matches!(pair, [b' '..=b'~' | b'\r' | b'\n', 0]))
}

fn inflate(zipped: &[u8], budget: &mut usize) -> Option<Vec<u8>> {
    let most = zipped.len().saturating_mul(MAX_RATIO).min(*budget);
    let mut plain = Vec::new();
    // What could be read before an error is looked at too.
    let _ = flate2::read::MultiGzDecoder::new(zipped)
        .take(most as u64)
        .read_to_end(&mut plain);
    *budget = budget.saturating_sub(plain.len());
    (!plain.is_empty()).then_some(plain)
}

/// A text whose escapes are resolved, and where each byte of it was.
#[derive(Debug, Default)]
pub(in crate::detect) struct Resolved {
    pub(in crate::detect) text: Vec<u8>,
    places: Vec<usize>,
}

impl Resolved {
    /// Where a part of it was.
    pub(in crate::detect) fn place(&self, range: &Range<usize>) -> Option<Range<usize>> {
        Some(*self.places.get(range.start)?..*self.places.get(range.end)?)
    }
}

/// Goes over the parts of a text that have escapes in them: words with percent-encoding, lines with `\\u00`.
#[derive(Debug, Default)]
pub(in crate::detect) struct Escaped {
    percent: Option<Option<usize>>,
    unicode: Option<Option<usize>>,
}

impl Escaped {
    /// The next one, and where it ends.
    pub(in crate::detect) fn next(&mut self, text: &[u8], from: usize) -> Option<(Resolved, usize)> {
        let mut position = from;
        loop {
            let percent = refreshed(&mut self.percent, position, || {
                Some(position + memchr(b'%', rest(text, position))?)
            });
            let unicode = refreshed(&mut self.unicode, position, || {
                Some(position + memmem::find(rest(text, position), b"\\u00")?)
            });
            let found = match (percent, unicode) {
                (Some(a), Some(b)) => a.min(b),
                (a, b) => a.or(b)?,
            };
            if escape(text, found).is_none() {
                position = found + 1;
                continue;
            }
            // A name and its value may be strings of their own, of one line.
            let strings = at(text, found) == b'\\';
            let word = |byte: u8| match byte {
                0 | b'\n' | b'\r' => false,
                b' ' | b'"' | b'\'' | b'<' | b'>' | b'\t' | 0x7f => strings,
                _ => true,
            };
            let start = skip_back(text, found, from.max(found.saturating_sub(2048)), word);
            let end = skip(text, found, word);
            return Some((resolve(text, start..end), end));
        }
    }
}

fn resolve(text: &[u8], range: Range<usize>) -> Resolved {
    let mut resolved = Resolved::default();
    let mut position = range.start;
    while position < range.end {
        let (byte, len) = escape(text, position).unwrap_or((at(text, position), 1));
        resolved.text.push(byte);
        resolved.places.push(position);
        position += len;
    }
    resolved.places.push(position.min(range.end));
    resolved
}

/// The byte that an escape stands for and the length of the escape. Quotes and line ends stay: they would be others.
fn escape(text: &[u8], position: usize) -> Option<(u8, usize)> {
    let (digits, len) = match (at(text, position), at(text, position + 1)) {
        (b'%', _) => (position + 1..position + 3, 3),
        (b'\\', b'u') if part(text, position + 2..position + 4) == b"00" => (position + 4..position + 6, 6),
        _ => return None,
    };
    let mut byte = [0];
    hex::decode_to_slice(part(text, digits), &mut byte).ok()?;
    let [byte] = byte;
    let blank = byte == b' ' && len == 3;
    (matches!(byte, b'!'..=b'~') && !(len == 6 && matches!(byte, b'"' | b'\\')) || blank).then_some((byte, len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_long_run_is_found() {
        for before in 0..40 {
            for run in LEAST..40 {
                let text = format!("{}{}{}", ".".repeat(before), "A".repeat(run), " b c");
                assert_eq!(next_run(text.as_bytes(), 0), Some(before..before + run));
            }
        }
        assert_eq!(next_run(b"short words in a row, and no run of them is long", 0), None);
    }
}
