//! Text in which the secrets are marked, and what encodings do to it.
//!
//! The marks are two characters for private use, which no sample has otherwise. They stay through every encoding: around
//! exactly those characters of the encoded text that could not be there without the secret.

use std::fmt::Write as _;
use std::io::Write as _;
use std::ops::Range;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, PAD, STANDARD, URL_SAFE_NO_PAD};
use flate2::Compression;
use flate2::write::GzEncoder;

pub(crate) const OPEN: char = '\u{e000}';
pub(crate) const CLOSE: char = '\u{e001}';

/// Marks a secret.
pub(crate) fn mark(secret: &str) -> String {
    format!("{OPEN}{secret}{CLOSE}")
}

/// The text, and where its secrets are.
pub(crate) fn unmark(marked: &str) -> (String, Vec<Range<usize>>) {
    let (mut text, mut ranges, mut from) = (String::with_capacity(marked.len()), Vec::new(), None);
    for char in marked.chars() {
        match char {
            OPEN => assert!(from.replace(text.len()).is_none(), "a secret in a secret: {marked}"),
            CLOSE => ranges.push(from.take().expect("a secret that ends began")..text.len()),
            other => text.push(other),
        }
    }
    assert!(from.is_none(), "a secret that does not end: {marked}");
    (text, ranges)
}

fn map(marked: &str, each: impl Fn(char, &mut String)) -> String {
    let mut out = String::with_capacity(marked.len());
    for char in marked.chars() {
        match char {
            OPEN | CLOSE => out.push(char),
            other => each(other, &mut out),
        }
    }
    out
}

/// As the inside of a string in JSON.
pub(crate) fn json(marked: &str) -> String {
    let quoted = serde_json::to_string(marked).expect("text is JSON");
    quoted[1..quoted.len() - 1].to_owned()
}

/// As Go's `encoding/json` writes it, with what HTML knows escaped.
pub(crate) fn json_html(marked: &str) -> String {
    map(&json(marked), |char, out| match char {
        '<' => out.push_str("\\u003c"),
        '>' => out.push_str("\\u003e"),
        '&' => out.push_str("\\u0026"),
        other => out.push(other),
    })
}

/// With everything escaped that a URL reserves.
pub(crate) fn url(marked: &str) -> String {
    map(marked, |char, out| {
        if char.is_ascii_alphanumeric() || "-_.~".contains(char) {
            out.push(char);
        } else {
            for byte in char.encode_utf8(&mut [0; 4]).bytes() {
                write!(out, "%{byte:02X}").expect("a string takes it");
            }
        }
    })
}

/// As a field of a form: a space is `+`.
pub(crate) fn form(marked: &str) -> String {
    url(marked).replace("%20", "+")
}

pub(crate) fn hex(marked: &str) -> String {
    map(marked, |char, out| {
        out.push_str(&hex::encode(char.encode_utf8(&mut [0; 4])))
    })
}

/// With each line after the first moved to the right.
pub(crate) fn indent(marked: &str, by: usize) -> String {
    marked.replace('\n', &format!("\n{}", " ".repeat(by)))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alphabet {
    Standard,
    Url,
}

/// Base64, with the marks around the characters that hold nothing but bytes of a secret.
pub(crate) fn base64(marked: &str, alphabet: Alphabet) -> String {
    let (text, ranges) = unmark(marked);
    let encoded = match alphabet {
        Alphabet::Standard => STANDARD.encode(&text),
        Alphabet::Url => URL_SAFE_NO_PAD.encode(&text),
    };
    let mut out = String::with_capacity(encoded.len() + ranges.len() * 6);
    let mut from = 0;
    for range in ranges {
        // A character holds six bits.
        let first = (range.start * 8).div_ceil(6);
        let end = range.end * 8 / 6;
        if end < first + 4 {
            continue;
        }
        out.push_str(&encoded[from..first]);
        out.push_str(&mark(&encoded[first..end]));
        from = end;
    }
    out.push_str(&encoded[from..]);
    out
}

/// Compressed and in base64; everything after the head that all such texts share is marked, if anything is.
pub(crate) fn gzip(marked: &str) -> String {
    let (text, ranges) = unmark(marked);
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).expect("memory takes it");
    let encoded = STANDARD.encode(encoder.finish().expect("memory takes it"));
    match encoded.split_at_checked(16) {
        Some((head, rest)) if !ranges.is_empty() => format!("{head}{}", mark(rest)),
        _ => encoded,
    }
}

/// Base64 in lines of 64 or 76 characters, each of them a secret if the whole is.
pub(crate) fn base64_lines(bytes: &[u8], width: usize, secret: bool) -> String {
    let engine = GeneralPurpose::new(&alphabet::STANDARD, PAD);
    let encoded = engine.encode(bytes);
    let lines = encoded.as_bytes().chunks(width);
    let lines = lines.map(|line| std::str::from_utf8(line).expect("base64 is ASCII"));
    let lines: Vec<String> = lines
        .map(|line| if secret { mark(line) } else { line.to_owned() })
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_a_secret_is_marked_at_every_alignment() {
        for before in ["", "a", "ab", "abc"] {
            let encoded = base64(
                &format!("{before}{}, and on", mark("hunter2hunter2")),
                Alphabet::Standard,
            );
            let (text, ranges) = unmark(&encoded);
            assert_eq!(
                STANDARD.decode(&text).unwrap(),
                format!("{before}hunter2hunter2, and on").into_bytes()
            );
            assert_eq!(ranges.len(), 1);
            assert!((17..=18).contains(&ranges[0].len()));
        }
    }
}
