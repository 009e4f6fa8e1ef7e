//! `name=value` and its kin: what follows a name that says that it is a secret.

use std::ops::Range;

use crate::detect::names::{Secrecy, secrecy};

use super::bare::{bare, to_line_end};
use super::bytes::{at, before, goes_on, is_blank, part, rest, skip, skip_back};
use super::lines::{Carry, indent};
use super::quote::Quote;
use super::sink::Sink;
use super::value::{self, Place, is_secret, looks_secret};
use super::{anchors, header, prose};

/// Most bytes of a name on either side of what was found of it.
const MAX_NAME: usize = 64;

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

/// Finds the secrets of a line that follow a name.
pub(super) fn scan(line: &[u8], carry: &mut Carry, sink: &mut Sink<'_>) {
    let mut from = 0;
    while let Some(anchor) = anchors::next(line, from) {
        let name = name_around(line, anchor.clone(), from);
        let text = part(line, name.clone());
        let end = match secrecy(text).or_else(|| scheme(text)) {
            Some(secrecy) => follow(line, name.clone(), secrecy, carry, sink),
            None => name.end,
        };
        from = end.max(name.end).max(anchor.end);
    }
}

/// The name of a scheme of credentials in front of them is as good as one of theirs.
fn scheme(name: &[u8]) -> Option<Secrecy> {
    name.eq_ignore_ascii_case(b"Bearer").then_some(Secrecy::Token)
}

/// The whole name around a part of it.
fn name_around(line: &[u8], found: Range<usize>, least: usize) -> Range<usize> {
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
        b"key" | b"Key" | b"KEY" | b"keys" | b"Keys" | b"phrase" | b"Phrase"
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

/// Looks at what follows the name of a secret; answers from where to go on.
fn follow(line: &[u8], name: Range<usize>, secrecy: Secrecy, carry: &mut Carry, sink: &mut Sink<'_>) -> usize {
    if let Some(end) = pair(line, name.clone(), secrecy, carry, sink) {
        return end;
    }
    let Some(named) = delimited(line, name.clone(), secrecy) else {
        return name.end;
    };
    if named.delimiter == Delimiter::Blank {
        return prose::follow(line, &named, sink).unwrap_or(name.end);
    }
    if excepted(line, &named) {
        return name.end;
    }
    if matches!(secrecy, Secrecy::Authorization | Secrecy::Cookie) {
        return header::follow(line, &named, sink).unwrap_or(name.end);
    }
    if secrecy == Secrecy::Token && header::has_scheme(line, named.value) {
        return header::follow(line, &named, sink).unwrap_or(name.end);
    }
    let end = assigned(line, &named, carry, sink);
    if end > name.end {
        return end;
    }
    name.end
}

/// What stands between a name and its value.
fn delimited(line: &[u8], name: Range<usize>, secrecy: Secrecy) -> Option<Named> {
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
        b':' if next == b':' => return None,
        b':' if next == b'/' && at(line, sign + 2) == b'/' => return None,
        b':' => (Delimiter::Colon, skip(line, sign + 1, |byte| byte == b'*')),
        b'?' if next == b'=' => (Delimiter::Equal, sign + 2),
        b'-' if next == b'>' => (Delimiter::Equal, sign + 2),
        b'%' if goes_on(line, sign, b"%3d") => (Delimiter::Equal, sign + 3),
        b'%' if goes_on(line, sign, b"%253d") => (Delimiter::Equal, sign + 5),
        b'%' if goes_on(line, sign, b"%3a") => (Delimiter::Colon, sign + 3),
        b'\\' if goes_on(line, sign, b"\\u003d") => (Delimiter::Equal, sign + 6),
        b'\\' if goes_on(line, sign, b"\\u003a") => (Delimiter::Colon, sign + 6),
        b'>' if quoted && is_value_of_name(line, name.start) => (Delimiter::Element, sign + 1),
        b'>' if !quoted && element(line, name.start) => (Delimiter::Element, sign + 1),
        // `define('DB_PASSWORD', 'x')`.
        b',' if quoted && is_first_argument(line, name.start) => (Delimiter::Call, sign + 1),
        b'(' if Quote::open(line, sign + 1).is_some() && !quoted => (Delimiter::Call, sign + 1),
        _ if sign > position && part(line, name.clone()) == b"AUTH" => (Delimiter::Blank, sign),
        _ if sign > position && !quoted && !is_closed => (Delimiter::Blank, sign),
        _ => return None,
    };
    let value = match delimiter {
        Delimiter::Element => after,
        _ => skip(line, after, is_blank),
    };
    Some(Named {
        name,
        secrecy,
        delimiter,
        value,
        quoted,
    })
}

/// Whether a quoted name is the first of the arguments of a call.
fn is_first_argument(line: &[u8], name: usize) -> bool {
    let quote = skip_back(line, name, name.saturating_sub(16), |byte| {
        matches!(byte, b'"' | b'\'' | b'\\')
    });
    let open = skip_back(line, quote, quote.saturating_sub(16), is_blank);
    before(line, open) == b'('
}

/// Whether a name begins the tag of an element.
fn element(line: &[u8], name: usize) -> bool {
    let tag = skip_back(line, name, name.saturating_sub(MAX_NAME), |byte| {
        byte.is_ascii_alphanumeric() || byte == b':'
    });
    before(line, tag) == b'<'
}

/// Names that name something else in their place.
fn excepted(line: &[u8], named: &Named) -> bool {
    let name = part(line, named.name.clone());
    // An image: `registry.example/secret:v1`.
    (before(line, named.name.start) == b'/' && named.delimiter == Delimiter::Colon && !is_blank(before(line, named.value)))
        || (named.delimiter == Delimiter::Colon && is_in_resource_name(line, named))
        // `checksum/secret: 9f86…` is of a Secret's content.
        || part(line, 0..named.name.start).ends_with(b"checksum/")
        // A test that passed.
        || (name == b"PASS" && named.delimiter == Delimiter::Colon)
        || (before(line, named.name.start) == b'!' && named.delimiter == Delimiter::Call)
}

/// `arn:aws:secretsmanager:eu-west-1:1:secret:db`.
fn is_in_resource_name(line: &[u8], named: &Named) -> bool {
    if before(line, named.name.start) != b':' {
        return false;
    }
    let least = named.name.start.saturating_sub(MAX_NAME);
    let start = skip_back(line, named.name.start, least, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'/')
    });
    [&b"arn:"[..], b"urn:", b"projects/"]
        .iter()
        .any(|begin| part(line, start..named.name.start).starts_with(begin))
}

/// `"name": "DB_PASSWORD", "value": "x"`, on one line or on two.
fn pair(line: &[u8], name: Range<usize>, secrecy: Secrecy, carry: &mut Carry, sink: &mut Sink<'_>) -> Option<usize> {
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
fn is_value_of_name(line: &[u8], name: usize) -> bool {
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

/// What is assigned to a name. Answers from where to go on.
fn assigned(line: &[u8], named: &Named, carry: &mut Carry, sink: &mut Sink<'_>) -> usize {
    let start = named.value;
    let secrecy = named.secrecy;
    let whole_line = begins_line(line, named.name.start);
    let mut start = tagged(line, start);
    if named.delimiter == Delimiter::Element {
        return inside_element(line, start, secrecy, sink);
    }
    start = unwrapped(line, start);
    // `b"x"`, `u'x'`, `$'x'`.
    if matches!(at(line, start), b'b' | b'u' | b'r' | b'f' | b'@' | b'$' | b'L')
        && matches!(at(line, start + 1), b'"' | b'\'')
    {
        start += 1;
    }
    if let Some(quote) = Quote::open(line, start) {
        let close = quote.close(line);
        let end = close.unwrap_or(line.len());
        let text = part(line, quote.start..end);
        if close.is_none() && whole_line && quote.is_double() && text.trim_ascii().is_empty() {
            *carry = Carry::Quoted { lines: 0 };
            return end;
        }
        // The string that this is in ends: `"Enter password: "}`.
        if !named.quoted && quote.is_double() && matches!(text.first(), Some(b',' | b'}' | b']' | b')')) {
            return quote.start;
        }
        let called = named.delimiter == Delimiter::Call && named.quoted && !looks_secret(text, 6);
        if is_secret(secrecy, text, Place::Assigned) && !is_reference_by_name(line, named, text) && !called {
            sink.push(quote.start..end, "named-value");
            if close.is_none() && whole_line && quote.is_double() {
                *carry = Carry::Quoted { lines: 0 };
            }
            return end;
        }
        return close.map_or(quote.start, |end| {
            if text.contains(&b' ') {
                quote.start
            } else {
                quote.after(end)
            }
        });
    }
    match at(line, start) {
        b'[' => {
            if let Some(end) = list(line, start, secrecy, sink) {
                return end;
            }
        }
        b'{' if at(line, start + 1) != b'{' => return start + 1,
        b'|' | b'>'
            if whole_line
                && rest(line, start + 1)
                    .iter()
                    .all(|byte| b"+-0123456789 \t\r".contains(byte)) =>
        {
            *carry = Carry::Block {
                indent: indent(line),
                rule: "named-block",
            };
            return line.len();
        }
        0 if start >= line.len() => {
            let dumped = named.quoted && part(line, 0..start).trim_ascii_end().ends_with(b"=>");
            if (dumped || (whole_line && named.delimiter == Delimiter::Colon)) && secrecy != Secrecy::Perhaps {
                *carry = Carry::Next {
                    // What PHP prints is not indented more.
                    indent: indent(line).saturating_sub(usize::from(dumped)),
                    secrecy,
                };
            }
            return line.len();
        }
        _ => {}
    }
    if at(line, start) == b'\\' && start + 1 >= line.len() {
        return line.len();
    }
    let mut first = bare(line, start);
    let queried = matches!(before(line, named.name.start), b'?' | b'&');
    let short = matches!(part(line, named.name.clone()), b"code" | b"appid");
    if short && !(queried && looks_secret(part(line, first.clone()), 16)) {
        return named.value;
    }
    if queried && let Some(fragment) = memchr::memchr(b'#', part(line, first.clone())) {
        first.end = first.start + fragment;
    }
    let text = part(line, first.clone());
    if text.is_empty() {
        return named.value;
    }
    if whole_line && !named.quoted {
        let all = to_line_end(line, start);
        if all.end > first.end && several(line, named, &first, &all) {
            sink.push(all.clone(), "named-value");
            return all.end;
        }
    }
    // `failed for "creds" : secret "db" not found`.
    let next = skip(line, first.end, is_blank);
    if next > first.end && value::is_plain_word(text) && Quote::open(line, next).is_some() {
        return first.end;
    }
    let sentence = named.delimiter == Delimiter::Colon && !whole_line && is_sentence(line, &first, secrecy);
    if !sentence && is_secret(secrecy, text, Place::Assigned) && !is_reference_by_name(line, named, text) {
        if whole_line
            && named.delimiter == Delimiter::Colon
            && is_sentence(line, &first, Secrecy::Token)
            && secrecy != Secrecy::Password
        {
            return first.end;
        }
        sink.push(first.clone(), "named-value");
    }
    first.end
}

/// Whether words go on after the value, and it is one of them: `invalid token: could not parse`.
fn is_sentence(line: &[u8], first: &Range<usize>, secrecy: Secrecy) -> bool {
    let word = part(line, first.clone());
    let next = skip(line, first.end, is_blank);
    let goes_on = next > first.end && at(line, next).is_ascii_alphabetic();
    let plain = value::is_plain_word(word) && !looks_secret(word, 6);
    plain
        && goes_on
        && (secrecy != Secrecy::Password || !at(line, first.end + 1).is_ascii_uppercase())
        && !rest(line, next).iter().take(48).any(|byte| *byte == b'=')
}

/// Whether a value without quotes is several words, up to the end of the line.
fn several(line: &[u8], named: &Named, first: &Range<usize>, all: &Range<usize>) -> bool {
    if named.secrecy != Secrecy::Password || !is_blank(at(line, first.end)) {
        return false;
    }
    let name = part(line, named.name.clone());
    let capitals = !name.iter().any(u8::is_ascii_lowercase);
    if named.delimiter == Delimiter::Equal && capitals && named.value == named.name.end + 1 {
        // `PGPASSWORD=x psql`.
        return false;
    }
    const PROSE: [&[u8]; 22] = [
        b"is",
        b"must",
        b"the",
        b"be",
        b"for",
        b"to",
        b"not",
        b"a",
        b"an",
        b"was",
        b"of",
        b"with",
        b"in",
        b"at",
        b"should",
        b"required",
        b"characters",
        b"failed",
        b"from",
        b"has",
        b"too",
        b"or",
    ];
    let text = part(line, first.clone());
    let more = part(line, first.end..all.end);
    let sentence = part(line, all.clone())
        .split(|byte| *byte == b' ')
        .any(|word| PROSE.iter().any(|prose| word.eq_ignore_ascii_case(prose)));
    let words = more.iter().filter(|byte| **byte == b' ').count();
    !looks_secret(text, 6)
        && !sentence
        && (words >= 2 || is_secret(named.secrecy, text, Place::Assigned))
        && !more.contains(&b'=')
        && !more.contains(&b':')
        && !more.contains(&b'(')
        && more.len() < 128
}

/// `secret=default/db`: the name of a Secret, which is what this key is for in logs of Kubernetes.
fn is_reference_by_name(line: &[u8], named: &Named, value: &[u8]) -> bool {
    let name = part(line, named.name.clone());
    named.secrecy == Secrecy::Token
        && name
            .get(name.len().saturating_sub(6)..)
            .is_some_and(|end| end.eq_ignore_ascii_case(b"secret"))
        && value::is_resource(value)
}

/// Behind tags and anchors of YAML: `!!str x`, `&id x`.
fn tagged(line: &[u8], start: usize) -> usize {
    if matches!((at(line, start), at(line, start + 1)), (b'!', b'!') | (b'&', b'a'..=b'z' | b'A'..=b'Z')) {
        let end = skip(line, start, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'!' | b'&' | b'_' | b'-' | b'/')
        });
        if is_blank(at(line, end)) {
            return skip(line, end, is_blank);
        }
    }
    start
}

/// Behind what only says the type of a string: `Some("x")`, `[]byte("x")`, `string(5) "x"`.
fn unwrapped(line: &[u8], start: usize) -> usize {
    const TYPES: [&[u8]; 14] = [
        b"Some(",
        b"[]byte(",
        b"String(",
        b"string(",
        b"bytes(",
        b"Secret(",
        b"SecretString(",
        b"SecretStr(",
        b"Password(",
        b"Just(",
        b"Optional[",
        b"new String(",
        b"Buffer.from(",
        b"Ok(",
    ];
    let Some(named) = TYPES.iter().find(|named| rest(line, start).starts_with(named)) else {
        return start;
    };
    let inside = start + named.len();
    let counted = skip(line, inside, |byte| byte.is_ascii_digit());
    if counted > inside && at(line, counted) == b')' {
        return skip(line, counted + 1, is_blank);
    }
    if Quote::open(line, inside).is_some() {
        inside
    } else {
        start
    }
}

/// `<password>x</password>`.
pub(super) fn inside_element(line: &[u8], start: usize, secrecy: Secrecy, sink: &mut Sink<'_>) -> usize {
    let mut range = start..start + memchr::memchr(b'<', rest(line, start)).unwrap_or(line.len().saturating_sub(start));
    if part(line, range.end..range.end + 9) == b"<![CDATA[" {
        range.start = range.end + 9;
        let end =
            memchr::memmem::find(rest(line, range.start), b"]]>").unwrap_or(line.len() - range.start.min(line.len()));
        range.end = range.start + end;
    }
    let value = part(line, range.clone());
    let closed = at(line, range.end) == b'<' && at(line, range.end + 1) == b'/' || at(line, range.end) == b']';
    if !closed {
        return start;
    }
    if is_secret(secrecy, value.trim_ascii(), Place::Assigned) {
        sink.push(super::bytes::trimmed(line, range.clone()), "named-element");
    }
    range.end
}

/// Each string of `["a", "b"]`, `[a, b]`.
fn list(line: &[u8], start: usize, secrecy: Secrecy, sink: &mut Sink<'_>) -> Option<usize> {
    let mut position = start + 1;
    if !matches!(secrecy, Secrecy::Password | Secrecy::Token) {
        return None;
    }
    let mut found = Vec::new();
    loop {
        position = skip(line, position, |byte| is_blank(byte) || byte == b',');
        let range = match Quote::open(line, position) {
            Some(quote) => {
                let Some(end) = quote.close(line) else {
                    return Some(position);
                };
                position = quote.after(end);
                quote.start..end
            }
            None if matches!(at(line, position), b']' | 0) => break,
            None if matches!(at(line, position), b'{' | b'[') => return Some(position),
            None => {
                let end = skip(line, position, |byte| !matches!(byte, b',' | b']') && !is_blank(byte));
                let word = position..end;
                position = end;
                word
            }
        };
        let value = part(line, range.clone());
        if is_secret(secrecy, value, Place::Assigned) && (secrecy == Secrecy::Password || looks_secret(value, 6)) {
            found.push(range);
        }
    }
    if !super::value::is_harmless(part(line, start..position + 1)) {
        for range in found {
            sink.push(range, "named-value");
        }
    }
    Some(position)
}
