//! `name=value` and its kin: what follows a name that says that it is a secret.

use std::ops::Range;

use crate::detect::names::{Secrecy, secrecy};

use super::bare::{bare, to_line_end};
use super::bytes::{at, before, is_blank, is_over, part, rest, skip, skip_back};
use super::exceptions::{
    excepted, is_definition, is_label, is_member, is_name_of_secret, is_own_name, is_reference_by_name, is_setting,
};
use super::lines::{Carry, indent};
use super::named::{Delimiter, MAX_NAME, Named, begins_line, delimited, name_around};
use super::pair::{pair, single, value_in_object};
use super::quote::Quote;
use super::sentence::{is_prose, is_sentence, several};
use super::sink::Sink;
use super::value::{self, Place, is_secret, looks_secret};
use super::{anchors, fallback, header, manifest, prose};

/// Finds the secrets of a line that follow a name.
pub(super) fn scan(line: &[u8], carry: &mut Carry, sink: &mut Sink<'_>) {
    manifest::scan(line, sink);
    let mut from = 0;
    while let Some(anchor) = anchors::next(line, from) {
        if part(line, anchor.clone()) == b"- value:" {
            from = nameless(line, anchor.end, sink);
            continue;
        }
        let name = name_around(line, anchor.clone(), from);
        let text = part(line, name.clone());
        let end = match secrecy(text).or_else(|| scheme(text)) {
            Some(secrecy) => follow(line, name.clone(), secrecy, carry, sink),
            None if text == b"Key" => lone_key(line, name.clone(), sink),
            None => name.end,
        };
        from = end.max(name.end).max(anchor.end);
    }
}

/// `"Key": "x"` in a settings file: only what was drawn at random is a secret.
fn lone_key(line: &[u8], name: Range<usize>, sink: &mut Sink<'_>) -> usize {
    const LEAST: usize = 32;
    let end = name.end;
    let named = delimited(line, name, Secrecy::Token).filter(|named| named.quoted);
    if let Some(quote) = named.and_then(|named| Quote::open(line, named.value))
        && let Some(close) = quote.close(line)
        && close - quote.start >= LEAST
        && value::looks_random(part(line, quote.start..close))
    {
        sink.push(quote.start..close, "named-value");
        return close;
    }
    end
}

/// `- value: x` with the name on the next line, when this one is gone: only what can be nothing else is a secret.
fn nameless(line: &[u8], start: usize, sink: &mut Sink<'_>) -> usize {
    let start = skip(line, start, is_blank);
    let range = match Quote::open(line, start) {
        Some(quote) => quote.start..quote.close(line).unwrap_or(line.len()),
        None => bare(line, start),
    };
    if value::looks_random(part(line, range.clone())) {
        sink.push(range.clone(), "named-value");
    }
    range.end
}

/// The name of a scheme of credentials in front of them is as good as one of theirs.
fn scheme(name: &[u8]) -> Option<Secrecy> {
    (name.eq_ignore_ascii_case(b"Bearer") || name.eq_ignore_ascii_case(b"Basic")).then_some(Secrecy::Token)
}

/// Looks at what follows the name of a secret; answers from where to go on.
fn follow(line: &[u8], name: Range<usize>, secrecy: Secrecy, carry: &mut Carry, sink: &mut Sink<'_>) -> usize {
    if let Some(end) = pair(line, name.clone(), secrecy, carry, sink) {
        return end;
    }
    if is_declared(line, &name) {
        *carry = Carry::Object { secrecy, lines: 0 };
        return line.len();
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

/// `variable "password" {` of Terraform: its default is on one of the next lines.
fn is_declared(line: &[u8], name: &Range<usize>) -> bool {
    const LONGEST: usize = 64;
    let tail = part(line, name.end..line.len().min(name.end + LONGEST)).trim_ascii();
    if !tail.starts_with(b"\"") || name.start > LONGEST {
        return false;
    }
    let head = part(line, 0..name.start).trim_ascii();
    (head == b"variable \"" || head == b"output \"")
        && tail.starts_with(b"\"")
        && tail.get(1..).unwrap_or_default().trim_ascii() == b"{"
}

/// What is assigned to a name. Answers from where to go on.
fn assigned(line: &[u8], named: &Named, carry: &mut Carry, sink: &mut Sink<'_>) -> usize {
    let start = named.value;
    let secrecy = named.secrecy;
    let whole_line = begins_line(line, named.name.start);
    let mut start = tagged(line, start);
    if named.delimiter == Delimiter::Element {
        let end = inside_element(line, start, secrecy, sink);
        // Its attributes have names of their own.
        return if is_blank(at(line, named.name.end)) {
            named.name.end
        } else {
            end
        };
    }
    start = fallback::of_call(line, unwrapped(line, start));
    // `b"x"`, `u'x'`, `$'x'`.
    if matches!(at(line, start), b'b' | b'u' | b'r' | b'f' | b'@' | b'$' | b'L')
        && matches!(at(line, start + 1), b'"' | b'\'')
    {
        start += 1;
    }
    if let Some(default) = fallback::of_variable(line, start) {
        let text = part(line, default.clone());
        if is_secret(secrecy, text, Place::Assigned) && (secrecy == Secrecy::Password || looks_secret(text, 6)) {
            let end = default.end;
            sink.push(default, "named-value");
            return end;
        }
    }
    if let Some(quote) = Quote::open(line, start) {
        let close = quote.close(line);
        let end = close.unwrap_or(line.len());
        let text = part(line, quote.start..end);
        if close.is_none() && whole_line && quote.is_double() && text.trim_ascii().is_empty() {
            *carry = Carry::Quoted { lines: 0 };
            return end;
        }
        // The string that this is in ends: `"Enter password: " + x`.
        if !named.quoted && closes(line, named.name.start, start, at(line, quote.start)) {
            return quote.start;
        }
        // `"Enter password: "}`.
        if !named.quoted && quote.is_double() && matches!(text.first(), Some(b',' | b'}' | b']' | b')')) {
            return quote.start;
        }
        let called = named.delimiter == Delimiter::Call
            && named.quoted
            && !looks_secret(text, 6)
            && !value::is_passphrase(text)
            && !is_definition(line, named.name.start);
        let is_command = at(line, start) == b'`' && text.contains(&b' ');
        let is_other = called || is_command || is_label(line, named, text) || is_reference_by_name(line, named, text);
        if is_secret(secrecy, text, Place::Assigned) && !is_other {
            sink.push(quote.start..end, "named-value");
            if close.is_none() && whole_line && quote.is_double() {
                *carry = Carry::Quoted { lines: 0 };
            }
            // What a plan changes it to.
            let next = quote.after(end);
            if rest(line, next).starts_with(b" -> \"") || rest(line, next).starts_with(b" => \"") {
                return single(line, next + 4, secrecy, sink);
            }
            return end;
        }
        return close.map_or(quote.start, |end| {
            if text.iter().any(|byte| b" =:\"'".contains(byte)) {
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
        b'{' if at(line, start + 1) != b'{' => return object(line, start + 1, named, carry, sink),
        b'<' if is_here_document(line, start) => {
            *carry = Carry::Document { lines: 0 };
            return line.len();
        }
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
    let is_form = named.name.start == 0 && memchr::memmem::find(line, b"grant_type=").is_some();
    let queried = is_form || matches!(before(line, named.name.start), b'?' | b'&');
    let short = matches!(part(line, named.name.clone()), b"code" | b"appid");
    if short && !(queried && is_code(part(line, first.clone()))) {
        return named.value;
    }
    if part(line, named.name.clone()).eq_ignore_ascii_case(b"sid") && !value::looks_random(part(line, first.clone())) {
        return first.end;
    }
    if queried && let Some(fragment) = memchr::memchr(b'#', part(line, first.clone())) {
        first.end = first.start + fragment;
    }
    let text = part(line, first.clone());
    if text.is_empty() {
        return named.value;
    }
    let words = mnemonic(line, &named.name, first.start);
    if words.end > first.end {
        sink.push(words.clone(), "named-value");
        return words.end;
    }
    if whole_line && !named.quoted {
        let all = to_line_end(line, start);
        if all.end > first.end && several(line, named, &first, &all) {
            sink.push(all.clone(), "named-value");
            return all.end;
        }
        // A file of settings, or of what people read.
        let is_apart = is_blank(before(line, start)) || part(line, named.name.clone()).contains(&b'.');
        let goes_on = all.end > first.end && is_blank(at(line, first.end)) && is_apart;
        if goes_on && value::is_plain_word(text) && is_prose(part(line, all)) {
            return first.end;
        }
    }
    // `rails credentials:edit`.
    let is_command = secrecy == Secrecy::Token
        && named.delimiter == Delimiter::Colon
        && named.value == named.name.end + 1
        && text.len() <= 10
        && value::is_plain_word(text);
    // `case "password": c.Password = value`.
    if named.quoted && named.delimiter == Delimiter::Colon && is_member(text) {
        return first.end;
    }
    // `Credentials{Username: u, Password: p}`.
    if text.len() <= 2
        && text.first().is_some_and(u8::is_ascii_lowercase)
        && text.get(1).is_none_or(|last| b"})]".contains(last))
    {
        return first.end;
    }
    // `button.generate_token=Generate token 5`: what people read.
    if whole_line && !named.quoted && secrecy != Secrecy::Password && value::is_plain_word(text) {
        let next = skip(line, first.end, is_blank);
        let word = skip(line, next, |byte| byte.is_ascii_lowercase());
        if next > first.end && word > next + 1 && matches!(at(line, word), 0 | b' ') {
            return first.end;
        }
    }
    let is_variable = is_command
        || is_name_of_secret(text)
        || is_own_name(line, named, &first)
        || (secrecy == Secrecy::Token && is_member(text) && !is_setting(line, named));
    if !named.quoted && is_variable {
        return first.end;
    }
    // `"PASSWORD=x y"`: all of the string.
    let head = before(line, named.name.start);
    if matches!(secrecy, Secrecy::Password | Secrecy::Token)
        && named.delimiter == Delimiter::Equal
        && named.value == named.name.end + 1
        && matches!(head, b'"' | b'\'')
    {
        let end = memchr::memchr(head, part(line, first.end..line.len().min(first.end + MAX_NAME)))
            .map(|end| first.end + end);
        let more = end.map(|end| part(line, first.end..end)).unwrap_or_default();
        if let Some(end) = end
            && !more.iter().any(|byte| matches!(byte, b'=' | b':' | b'\\' | b'{'))
            && is_secret(secrecy, text, Place::Assigned)
        {
            sink.push(start..end, "named-value");
            return end;
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

/// The words that a wallet is made of again, if they are what is called so; nothing else.
fn mnemonic(line: &[u8], name: &Range<usize>, start: usize) -> Range<usize> {
    const NAMES: [&[u8]; 3] = [b"mnemonic", b"seed_phrase", b"recovery_phrase"];
    const FEWEST: usize = 12;
    const MOST: usize = 24;
    let name = part(line, name.clone()).to_ascii_lowercase();
    if !NAMES.iter().any(|ending| name.ends_with(ending)) {
        return start..start;
    }
    let (mut end, mut position) = (start, start);
    let mut count = 0;
    while count < MOST {
        let word = skip(line, position, |byte| byte.is_ascii_lowercase());
        if !(3..=8).contains(&(word - position)) {
            break;
        }
        count += 1;
        end = word;
        position = skip(line, word, is_blank);
        if position == word {
            break;
        }
    }
    if count >= FEWEST { start..end } else { start..start }
}

/// Whether a quote closes the string that a name before it is in.
fn closes(line: &[u8], name: usize, quote: usize, next: u8) -> bool {
    const MOST: usize = 256;
    let mark = at(line, quote);
    let opened = part(line, name.saturating_sub(MOST)..name)
        .iter()
        .filter(|byte| **byte == mark)
        .count();
    matches!(mark, b'"' | b'\'') && matches!(next, b' ' | b',' | b')' | b'}' | b']' | b'+') && opened % 2 == 1
}

/// Whether a code of a query lets somebody in; programs are handed around in the same way, with much escaped in them.
fn is_code(value: &[u8]) -> bool {
    looks_secret(value, 16) && value.iter().filter(|byte| **byte == b'%').count() <= 4
}

/// What is in the braces behind a name: `{"type": "string", "value": "x"}`, or `{x}` of a connection string.
fn object(line: &[u8], start: usize, named: &Named, carry: &mut Carry, sink: &mut Sink<'_>) -> usize {
    if is_over(line, start) {
        *carry = Carry::Object {
            secrecy: named.secrecy,
            lines: 0,
        };
        return line.len();
    }
    if let Some(value) = value_in_object(line, start) {
        return single(line, value, named.secrecy, sink);
    }
    let is_connection =
        named.delimiter == Delimiter::Equal && before(line, skip_back(line, named.name.start, 0, is_blank)) == b';';
    if is_connection
        && let Some(length) = memchr::memchr(b'}', rest(line, start))
        && is_secret(named.secrecy, part(line, start..start + length), Place::Assigned)
    {
        sink.push(start..start + length, "named-value");
        return start + length;
    }
    start
}

/// `<<EOF`, `<<-'EOF'`: the value is in the lines that follow.
fn is_here_document(line: &[u8], start: usize) -> bool {
    if part(line, start..start + 2) != b"<<" {
        return false;
    }
    let word = start + 2 + usize::from(matches!(at(line, start + 2), b'-' | b'~'));
    let end = skip(line, word, |byte| {
        byte.is_ascii_uppercase() || matches!(byte, b'_' | b'"' | b'\'')
    });
    end >= word + 2 && is_over(line, end)
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
    const TYPES: [&[u8]; 15] = [
        b"<<",
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
    // `(string) (len=16) "x"`, as spew prints it.
    if let Some(counted) = rest(line, start).strip_prefix(b"(string) (len=") {
        let digits = skip(counted, 0, |byte| byte.is_ascii_digit());
        let quote = line.len() - counted.len() + digits + 2;
        return if Quote::open(line, quote).is_some() {
            quote
        } else {
            start
        };
    }
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
    let (mut found, mut others) = (Vec::new(), Vec::new());
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
        if is_secret(secrecy, value, Place::Assigned) {
            if secrecy == Secrecy::Password || looks_secret(value, 6) {
                found.push(range);
            } else {
                others.push(range);
            }
        }
    }
    if !super::harmless::is_harmless(part(line, start..position + 1)) {
        // What stands beside a secret is one, whatever it looks like.
        let beside = if found.is_empty() { Vec::new() } else { others };
        for range in found.into_iter().chain(beside) {
            sink.push(range, "named-value");
        }
    }
    Some(position)
}
