//! Where the value of a name is: what stands between them.

use std::ops::Range;

use crate::detect::names::Secrecy;

use super::bytes::{at, before, goes_on, is_blank, part, skip, skip_back};
use super::pair::is_value_of_name;
use super::quote::Quote;

/// Most bytes of a name on either side of what was found of it.
pub(super) const MAX_NAME: usize = 64;

/// Most bytes of a tag behind its name.
const MAX_TAG: usize = 512;

/// What is between a name and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delimiter {
    /// `=`, `=>`, `:=`, `==`, `->`, `%3D`.
    Equal,
    /// `:`.
    Colon,
    /// `<name>value</name>`.
    Element,
    /// `name("value")`.
    Call,
    /// Only blanks.
    Blank,
}

/// A name and where its value begins.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) name: Range<usize>,
    pub(super) secrecy: Secrecy,
    pub(super) delimiter: Delimiter,
    /// Where the value begins, behind blanks.
    pub(super) value: usize,
    /// The name is quoted, as in JSON.
    pub(super) quoted: bool,
}

/// The whole name around a part of it.
pub(super) fn name_around(line: &[u8], found: Range<usize>, least: usize) -> Range<usize> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let least = least.max(found.start.saturating_sub(MAX_NAME)).min(found.start);
    let mut start = skip_back(line, found.start, least, is_name);
    let most = line.len().min(found.end + MAX_NAME);
    let mut end = skip(part(line, 0..most), found.start, is_name);
    end = skip_back(line, end, start, |byte| matches!(byte, b'-' | b'.'));
    if part(line, found.clone()).contains(&b' ') {
        // `IDENTIFIED BY`.
        end = found.end;
    }
    // The letter of an escape (`\n`, `%26`, `\u0026`) is none of the name.
    let escape = match before(line, start) {
        b'\\' if matches!(at(line, start), b'n' | b'r' | b't') => 1,
        b'\\' if at(line, start) == b'u' && part(line, start + 1..start + 5).iter().all(u8::is_ascii_hexdigit) => 5,
        b'%' if part(line, start..start + 2).iter().all(u8::is_ascii_hexdigit) => 2,
        _ => 0,
    };
    start = (start + escape).min(found.start);
    start += part(line, start..end)
        .iter()
        .take_while(|byte| matches!(byte, b'-' | b'.'))
        .count();
    // `Secret Access Key`: a key of its own is none, so the words before it count.
    if matches!(
        part(line, start..end),
        b"key" | b"rekey" | b"hexkey" | b"Key" | b"KEY" | b"keys" | b"Keys" | b"phrase" | b"Phrase"
    ) {
        for _ in 0..2 {
            if before(line, start) != b' ' {
                break;
            }
            let word = skip_back(line, start - 1, least, |byte| {
                byte.is_ascii_alphabetic() || byte == b'-'
            });
            if word == start - 1 {
                break;
            }
            start = word;
        }
    }
    start..end
}

/// What stands between a name and its value.
pub(super) fn delimited(line: &[u8], name: Range<usize>, secrecy: Secrecy) -> Option<Named> {
    let mut position = name.end;
    let mut quoted = false;
    if let Some(quote) = Quote::open(line, position) {
        quoted = true;
        position = quote.start;
    }
    let closed = skip(line, position, |byte| matches!(byte, b']' | b')' | b'*'));
    let is_closed = closed > position;
    if closed - position <= 3 {
        position = closed;
    }
    let sign = skip(line, position, is_blank);
    let next = at(line, sign + 1);
    if !quoted && sign > position && element(line, name.start) {
        // Attributes.
        let tag = part(line, sign..line.len().min(sign + MAX_TAG));
        let end = sign + memchr::memchr(b'>', tag)? + 1;
        return Some(Named {
            name,
            secrecy,
            delimiter: Delimiter::Element,
            value: end,
            quoted,
        });
    }
    let (delimiter, after) = match at(line, sign) {
        b'=' if next == b'~' => return None,
        b'=' => (Delimiter::Equal, skip(line, sign, |byte| matches!(byte, b'=' | b'>'))),
        b':' if next == b'=' => (Delimiter::Equal, sign + 2),
        // In LDIF, what follows is base64.
        b':' if next == b':' && is_blank(at(line, sign + 2)) && begins_line(line, name.start) => {
            (Delimiter::Equal, sign + 2)
        }
        b':' if next == b':' => return None,
        b':' if next == b'/' && at(line, sign + 2) == b'/' => return None,
        b':' => (Delimiter::Colon, skip(line, sign + 1, |byte| byte == b'*')),
        b'?' if next == b'=' => (Delimiter::Equal, sign + 2),
        b'+' if next == b'=' && Quote::open(line, skip(line, sign + 2, is_blank)).is_some() => {
            (Delimiter::Equal, sign + 2)
        }
        b'-' if next == b'>' => (Delimiter::Equal, sign + 2),
        // `"spring.mail.password" resolved to "x"`.
        b'r' if quoted && goes_on(line, sign, b"resolved to ") => (Delimiter::Equal, sign + 12),
        b'%' if goes_on(line, sign, b"%3d") => (Delimiter::Equal, sign + 3),
        b'%' if goes_on(line, sign, b"%253d") => (Delimiter::Equal, sign + 5),
        b'%' if goes_on(line, sign, b"%3a") => (Delimiter::Colon, sign + 3),
        b'\\' if goes_on(line, sign, b"\\u003d") => (Delimiter::Equal, sign + 6),
        b'\\' if goes_on(line, sign, b"\\u003a") => (Delimiter::Colon, sign + 6),
        b'>' if quoted && is_value_of_name(line, name.start) => (Delimiter::Element, sign + 1),
        b'>' if !quoted && element(line, name.start) => (Delimiter::Element, sign + 1),
        // `define('DB_PASSWORD', 'x')`.
        b',' if quoted
            && is_first_argument(line, name.start)
            && Quote::open(line, skip(line, sign + 1, is_blank)).is_some() =>
        {
            (Delimiter::Call, sign + 1)
        }
        // `{password,<<"x">>}`, `{password, "x"}` of Erlang.
        b',' if !quoted && before(line, name.start) == b'{' && is_string(line, sign + 1) => (Delimiter::Call, sign + 1),
        // What takes a user first is looked at by its arguments.
        b'(' if Quote::open(line, sign + 1).is_some() && !quoted && !takes_user(part(line, name.clone())) => {
            (Delimiter::Call, sign + 1)
        }
        _ if sign > position && part(line, name.clone()) == b"AUTH" => (Delimiter::Blank, sign),
        _ if sign > position && !quoted && !is_closed => (Delimiter::Blank, sign),
        _ => return None,
    };
    let value = match delimiter {
        Delimiter::Element => after,
        _ => skip(line, after, is_blank),
    };
    let value = match delimiter {
        Delimiter::Colon if !quoted => behind_type(line, value).unwrap_or(value),
        _ => value,
    };
    Some(Named {
        name,
        secrecy,
        delimiter,
        value,
        quoted,
    })
}

/// `NetworkCredential("user", "x")`.
fn takes_user(name: &[u8]) -> bool {
    name.ends_with(b"Credential") || name.ends_with(b"Credentials") || name.ends_with(b"UserPassword")
}

/// Where the string begins that is assigned behind a type: `password: String = "x"`.
fn behind_type(line: &[u8], start: usize) -> Option<usize> {
    const LONGEST: usize = 32;
    let line = part(line, 0..line.len().min(start + LONGEST));
    let end = skip(line, start, |byte| {
        byte.is_ascii_alphanumeric() || b"_.<>[]?&*'".contains(&byte)
    });
    let sign = skip(line, end, is_blank);
    let mut value = skip(line, sign + 1, is_blank);
    // `password: str = Field(default="x")`.
    for wrapper in [&b"Field("[..], b"default="] {
        if part(line, value..value + wrapper.len()) == wrapper {
            value += wrapper.len();
        }
    }
    (end > start && at(line, sign) == b'=' && Quote::open(line, value).is_some()).then_some(value)
}

/// Whether a quoted text, and nothing like a sentence, comes here.
fn is_string(line: &[u8], from: usize) -> bool {
    let start = skip(line, from, is_blank);
    let start = if part(line, start..start + 2) == b"<<" {
        start + 2
    } else {
        start
    };
    Quote::open(line, start).is_some_and(|quote| {
        quote
            .close(line)
            .is_some_and(|end| !part(line, quote.start..end).contains(&b' '))
    })
}

/// Whether a quoted name is the first of the arguments of a call.
fn is_first_argument(line: &[u8], name: usize) -> bool {
    let quote = skip_back(line, name, name.saturating_sub(16), |byte| {
        matches!(byte, b'"' | b'\'' | b'\\')
    });
    let open = skip_back(line, quote, quote.saturating_sub(16), is_blank);
    // Also of what Rails binds: `[["token", "x"]]`.
    before(line, open) == b'(' || part(line, 0..open).ends_with(b"[[")
}

/// Whether a name begins the tag of an element.
fn element(line: &[u8], name: usize) -> bool {
    let tag = skip_back(line, name, name.saturating_sub(MAX_NAME), |byte| {
        byte.is_ascii_alphanumeric() || byte == b':'
    });
    before(line, tag) == b'<'
}

/// Whether only blanks and what may begin an entry are before a name: then the line is its assignment.
pub(super) fn begins_line(line: &[u8], name: usize) -> bool {
    let head = part(line, 0..name);
    let head = head.trim_ascii();
    let head = head.strip_prefix(b"export").unwrap_or(head);
    head.iter().all(|byte| {
        matches!(
            byte,
            b'-' | b'+' | b'"' | b'\'' | b' ' | b'\t' | b'#' | b'>' | b'<' | b'*' | b'|'
        )
    })
}
