//! Names and values that are values both: `"name": "DB_PASSWORD", "value": "x"`, on one line or on two.

use std::ops::Range;

use crate::detect::names::Secrecy;

use super::assignment::inside_element;
use super::bare::bare;
use super::bytes::{at, before, is_blank, part, rest, skip, skip_back};
use super::header;
use super::lines::Carry;
use super::named::{MAX_NAME, begins_line};
use super::quote::Quote;
use super::sink::Sink;
use super::value::{Place, is_secret};

/// `"name": "DB_PASSWORD", "value": "x"`, on one line or on two.
pub(super) fn pair(
    line: &[u8],
    name: Range<usize>,
    secrecy: Secrecy,
    carry: &mut Carry,
    sink: &mut Sink<'_>,
) -> Option<usize> {
    if let Some(next) = behind_element(line, name.end) {
        if rest(line, next).trim_ascii().is_empty() {
            *carry = Carry::Pair(secrecy);
            return Some(line.len());
        }
        let value = value_of_pair(line, next)?;
        return Some(inside_element(line, value, secrecy, sink).max(name.end));
    }
    let quote = Quote::open(line, name.end);
    let position = quote.map_or(name.end, |quote| quote.start);
    let next = skip(line, position, |byte| is_blank(byte) || matches!(byte, b',' | b';'));
    if next == position && next < line.len() {
        return None;
    }
    if rest(line, next).trim_ascii().is_empty() {
        *carry = if is_value_of_name(line, name.start) {
            Carry::Pair(secrecy)
        } else if before(line, name.start) == b'-' && begins_line(line, name.start) && is_entry(line, name.start) {
            Carry::Argument(secrecy)
        } else {
            return None;
        };
        return Some(line.len());
    }
    // Arguments in a list: `"--password", "x"`.
    let value = match value_of_pair(line, next) {
        Some(value) => value,
        None if quote.is_some() && before(line, name.start) == b'-' && Quote::open(line, next).is_some() => next,
        None => return None,
    };
    Some(single(line, value, secrecy, sink).max(name.end))
}

/// Where `<name>NAME</name>` ends, from where the name does.
fn behind_element(line: &[u8], name: usize) -> Option<usize> {
    let tag = part(line, name..line.len().min(name + MAX_NAME));
    let end = memchr::memchr(b'>', tag.strip_prefix(b"</")?)?;
    Some(skip(line, name + end + 3, is_blank))
}

/// Where the value begins if `"value":` is at a position.
pub(super) fn value_of_pair(line: &[u8], position: usize) -> Option<usize> {
    for tag in [&b"<value>"[..], b"<string>", b"<Value>"] {
        if rest(line, position).starts_with(tag) {
            return Some(position + tag.len());
        }
    }
    let start = Quote::open(line, position).map_or(position, |quote| quote.start);
    let end = skip(part(line, 0..line.len().min(start + MAX_NAME)), start, |byte| {
        byte.is_ascii_alphabetic()
    });
    let word = part(line, start..end);
    if ![&b"value"[..], b"val", b"content", b"default", b"stringValue"]
        .iter()
        .any(|key| word.eq_ignore_ascii_case(key))
    {
        return None;
    }
    let sign = Quote::open(line, end).map_or(end, |quote| quote.start);
    let sign = skip(line, sign, is_blank);
    matches!(at(line, sign), b':' | b'=').then(|| skip(line, sign + 1, is_blank))
}

/// Whether a flag is an entry of a list: `- --password`, `"--password",`.
fn is_entry(line: &[u8], name: usize) -> bool {
    let head = part(line, 0..name).trim_ascii();
    head.starts_with(b"- -")
        || head.starts_with(b"- \"-")
        || head.starts_with(b"- '-")
        || head.starts_with(b"\"-")
        || head.starts_with(b"'-")
}

/// Whether a name is the value of `name:`.
pub(super) fn is_value_of_name(line: &[u8], name: usize) -> bool {
    let quote = skip_back(line, name, 0, |byte| matches!(byte, b'"' | b'\'' | b'\\'));
    let sign = skip_back(line, quote, 0, is_blank);
    if !matches!(before(line, sign), b':' | b'=') {
        return false;
    }
    let end = skip_back(line, sign - 1, 0, |byte| matches!(byte, b'"' | b'\'' | b'\\' | b' '));
    let start = skip_back(line, end, end.saturating_sub(MAX_NAME), |byte| {
        byte.is_ascii_alphabetic()
    });
    let word = part(line, start..end);
    [
        &b"name"[..],
        b"key",
        b"id",
        b"field",
        b"variable",
        b"parameter",
        b"header",
    ]
    .iter()
    .any(|key| word.eq_ignore_ascii_case(key))
}

/// A value on its own: quoted, or to the end of the line. Answers where it ends.
pub(super) fn single(line: &[u8], start: usize, secrecy: Secrecy, sink: &mut Sink<'_>) -> usize {
    let range = match Quote::open(line, start) {
        Some(quote) => quote.start..quote.close(line).unwrap_or(line.len()),
        None => bare(line, start),
    };
    if matches!(secrecy, Secrecy::Authorization | Secrecy::Cookie) {
        header::value(line, range.clone(), secrecy, sink);
    } else if is_secret(secrecy, part(line, range.clone()), Place::Assigned) {
        sink.push(range.clone(), "named-value");
    }
    range.end
}
