//! Names and values that are values both: `"name": "DB_PASSWORD", "value": "x"`, on one line or on two.

use std::ops::Range;

use crate::detect::names::Secrecy;

use super::assignment::inside_element;
use super::bare::bare;
use super::bytes::{at, before, is_blank, is_over, part, rest, skip, skip_back};
use super::header;
use super::lines::{Carry, indent};
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
        if is_over(line, next) {
            *carry = Carry::Pair(secrecy);
            return Some(line.len());
        }
        let value = value_of_pair(line, next)?;
        return Some(inside_element(line, value, secrecy, sink).max(name.end));
    }
    let quote = Quote::open(line, name.end);
    let position = quote.map_or(name.end, |quote| quote.start);
    let next = skip(line, position, |byte| is_blank(byte) || matches!(byte, b',' | b';'));
    let key = key_before(line, name.start);
    if let Some(value) = key.and_then(|key| value_before(line, key)) {
        return Some(single(line, value, secrecy, sink).max(name.end));
    }
    if next == position && next < line.len() {
        return None;
    }
    if is_over(line, next) {
        *carry = if key.is_some() {
            Carry::Pair(secrecy)
        } else if before(line, name.start) == b'-' && begins_line(line, name.start) {
            let alone = part(line, 0..name.start).trim_ascii() == b"--";
            if !alone && !is_entry(line, name.start) {
                return None;
            }
            Carry::Argument {
                secrecy,
                indent: alone.then(|| indent(line)),
            }
        } else {
            return None;
        };
        return Some(line.len());
    }
    // Arguments in a list: `"--password", "x"`.
    let value = match value_of_pair(line, next).or_else(|| key.and_then(|_| value_in_object(line, next))) {
        Some(value) => value,
        None if quote.is_some()
            && before(line, name.start) == b'-'
            && Quote::open(line, next).is_some_and(|quote| part(line, quote.start..quote.start + 2) != b"--") =>
        {
            next
        }
        None if quote.is_none() && is_listed(line, name.clone()) => {
            let range = next..skip(line, next, |byte| !matches!(byte, b',' | b']') && !is_blank(byte));
            if !is_secret(secrecy, part(line, range.clone()), Place::Assigned) || at(line, next) == b'-' {
                return None;
            }
            let end = range.end;
            sink.push(range, super::shell::RULE);
            return Some(end);
        }
        None => return None,
    };
    Some(single(line, value, secrecy, sink).max(name.end))
}

/// Whether a flag is in a list without quotes: `[--user, bob, --password, x]`.
fn is_listed(line: &[u8], name: Range<usize>) -> bool {
    const MOST: usize = 256;
    let head = part(line, name.start.saturating_sub(MOST)..name.start);
    before(line, name.start) == b'-'
        && at(line, name.end) == b','
        && memchr::memrchr(b'[', head) > memchr::memrchr(b']', head)
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
    let word = part(line, start..end).to_ascii_lowercase();
    if !word.ends_with(b"value") && ![&b"val"[..], b"values", b"content", b"default"].contains(&word.as_slice()) {
        return None;
    }
    let sign = Quote::open(line, end).map_or(end, |quote| quote.start);
    let sign = skip(line, sign, is_blank);
    matches!(at(line, sign), b':' | b'=').then(|| skip(line, sign + 1, is_blank))
}

/// Where the value of `"value":` begins, in the object whose next member begins here.
pub(super) fn value_in_object(line: &[u8], from: usize) -> Option<usize> {
    const MOST: usize = 1024;
    const MEMBERS: usize = 16;
    let line = part(line, 0..line.len().min(from + MOST));
    let mut position = from;
    for _ in 0..MEMBERS {
        position = skip(line, position, |byte| is_blank(byte) || byte == b',');
        let key = Quote::open(line, position)?;
        if let Some(value) = value_of_pair(line, position) {
            return Some(value);
        }
        let sign = skip(line, key.after(key.close(line)?), is_blank);
        if at(line, sign) != b':' {
            return None;
        }
        let value = skip(line, sign + 1, is_blank);
        position = match Quote::open(line, value) {
            Some(quote) => quote.after(quote.close(line)?),
            None => skip(line, value, |byte| {
                !matches!(byte, b',' | b'{' | b'}' | b'[' | b']' | b'"')
            }),
        };
        if at(line, position) != b',' {
            return None;
        }
    }
    None
}

/// Where the value of `"value":` begins, if that member is right before the one whose key begins here.
fn value_before(line: &[u8], key: usize) -> Option<usize> {
    const MOST: usize = 1024;
    let end = skip_back(line, key, 0, is_blank);
    if before(line, end) != b',' {
        return None;
    }
    let least = key.saturating_sub(MOST);
    let word = least + memchr::memmem::rfind(part(line, least..key), b"alue")?;
    let word = skip_back(line, word, least, |byte| byte.is_ascii_alphabetic());
    let open = skip_back(line, word, least, |byte| matches!(byte, b'"' | b'\\'));
    let value = value_of_pair(line, open).filter(|_| open < word)?;
    let quote = Quote::open(line, value)?;
    (quote.after(quote.close(line)?) + 1 == end).then_some(value)
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
    key_before(line, name).is_some()
}

/// Where `name:` begins, with its quotes, if a name is its value.
fn key_before(line: &[u8], name: usize) -> Option<usize> {
    // The last part of a path: `/prod/db/password`.
    let path = skip_back(line, name, name.saturating_sub(MAX_NAME), |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-' | b'.')
    });
    let quote = skip_back(line, path, 0, |byte| matches!(byte, b'"' | b'\'' | b'\\'));
    let sign = skip_back(line, quote, 0, is_blank);
    if !matches!(before(line, sign), b':' | b'=') {
        return None;
    }
    let end = skip_back(line, sign - 1, 0, |byte| matches!(byte, b'"' | b'\'' | b'\\' | b' '));
    let start = skip_back(line, end, end.saturating_sub(MAX_NAME), |byte| {
        byte.is_ascii_alphabetic()
    });
    let word = part(line, start..end).to_ascii_lowercase();
    let is_name = word.ends_with(b"name")
        || word.ends_with(b"key")
        || [&b"id"[..], b"field", b"variable", b"parameter", b"header"].contains(&word.as_slice());
    is_name.then(|| {
        skip_back(line, start, start.saturating_sub(16), |byte| {
            matches!(byte, b'"' | b'\'' | b'\\')
        })
    })
}

/// A value on its own: quoted, or to the end of the line. Answers where it ends.
pub(super) fn single(line: &[u8], start: usize, secrecy: Secrecy, sink: &mut Sink<'_>) -> usize {
    // The first of several: `"values": ["x"]`.
    let first = skip(line, start + 1, is_blank);
    let start = if at(line, start) == b'[' && Quote::open(line, first).is_some() {
        first
    } else {
        start
    };
    let range = match Quote::open(line, start) {
        Some(quote) => quote.start..quote.close(line).unwrap_or(line.len()),
        // `{name: Authorization, value: Bearer x}`: a scheme, and what is behind it.
        None if secrecy == Secrecy::Authorization && header::has_scheme(line, start) => {
            let scheme = bare(line, start);
            scheme.start..bare(line, skip(line, scheme.end, is_blank)).end
        }
        None => bare(line, start),
    };
    if matches!(secrecy, Secrecy::Authorization | Secrecy::Cookie) {
        header::value(line, range.clone(), secrecy, sink);
    } else if is_secret(secrecy, part(line, range.clone()), Place::Assigned) {
        sink.push(range.clone(), "named-value");
    }
    range.end
}
