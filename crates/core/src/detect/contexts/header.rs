//! HTTP headers with credentials: `Authorization: Bearer x`, `Cookie: sid=x; theme=dark`.

use std::ops::Range;

use crate::detect::names::{Secrecy, secrecy};

use super::bare::bare;
use super::bytes::{at, before, is_blank, part, rest, skip, skip_back, trimmed};
use super::harmless::is_harmless;
use super::named::{Delimiter, Named};
use super::quote::Quote;
use super::sink::Sink;
use super::value::{is_plain_word, looks_secret};

/// What found credentials in a header.
pub(super) const RULE: &str = "http-credentials";

/// Schemes with one token behind them.
const SCHEMES: [&[u8]; 21] = [
    b"basic",
    b"bearer",
    b"token",
    b"negotiate",
    b"ntlm",
    b"apikey",
    b"api-key",
    b"key",
    b"jwt",
    b"oauth",
    b"splunk",
    b"genie",
    b"geniekey",
    b"sharedkey",
    b"sharedkeylite",
    b"hmac",
    b"dpop",
    b"sso-key",
    b"zoho-oauthtoken",
    b"kerberos",
    b"bot",
];

/// Schemes with a list of parameters behind them.
const LISTS: [&[u8]; 8] = [
    b"digest",
    b"aws4-hmac-sha256",
    b"aws4-ecdsa-p256-sha256",
    b"hawk",
    b"sharedaccesssignature",
    b"signature",
    b"acs3-hmac-sha256",
    b"mac",
];

fn is_one_of(word: &[u8], schemes: &[&[u8]]) -> bool {
    schemes.iter().any(|scheme| word.eq_ignore_ascii_case(scheme))
}

/// Whether a scheme and something behind it begin here: `token: Bearer x`.
pub(super) fn has_scheme(line: &[u8], start: usize) -> bool {
    let start = Quote::open(line, start).map_or(start, |quote| quote.start);
    let end = scheme_end(line, start);
    let word = part(line, start..end);
    at(line, end) == b' ' && (word.eq_ignore_ascii_case(b"bearer") || word.eq_ignore_ascii_case(b"basic"))
}

fn scheme_end(line: &[u8], start: usize) -> usize {
    skip(part(line, 0..line.len().min(start + 32)), start, |byte| {
        byte.is_ascii_alphanumeric() || byte == b'-'
    })
}

/// Looks at the value of a header. Answers from where to go on.
pub(super) fn follow(line: &[u8], named: &Named, sink: &mut Sink<'_>) -> Option<usize> {
    if let Some(quote) = Quote::open(line, named.value) {
        let range = quote.start..quote.close(line).unwrap_or(line.len());
        value(line, range.clone(), named.secrecy, sink);
        return Some(range.end);
    }
    if at(line, named.value) == b'[' {
        return bracketed(line, named, sink);
    }
    if named.secrecy != Secrecy::Cookie {
        let start = named.value;
        let list = is_one_of(part(line, start..scheme_end(line, start)), &LISTS);
        let range = if list { region(line, named) } else { start..line.len() };
        return authorization(line, range, sink);
    }
    if named.delimiter == Delimiter::Equal {
        let range = bare(line, named.value);
        let value = part(line, range.clone());
        if !value.contains(&b'=') {
            let end = range.end;
            if looks_secret(value, 8) {
                sink.push(range, RULE);
            }
            return Some(end);
        }
    }
    let range = region(line, named);
    let set = part(line, named.name.clone()).to_ascii_lowercase().starts_with(b"set");
    cookies(line, range.clone(), set, sink);
    Some(range.end)
}

/// The value of a header that is known from front to end.
pub(super) fn value(line: &[u8], range: Range<usize>, secrecy: Secrecy, sink: &mut Sink<'_>) {
    if secrecy == Secrecy::Cookie {
        cookies(line, range, false, sink);
    } else {
        authorization(line, range, sink);
    }
}

/// `Authorization:[Bearer x]`, `"Cookie": ["a=b"]`: how Go and others print headers.
fn bracketed(line: &[u8], named: &Named, sink: &mut Sink<'_>) -> Option<usize> {
    let start = skip(line, named.value + 1, is_blank);
    let range = match Quote::open(line, start) {
        Some(quote) => quote.start..quote.close(line).unwrap_or(line.len()),
        None => start..start + memchr::memchr(b']', rest(line, start))?,
    };
    value(line, range.clone(), named.secrecy, sink);
    Some(range.end)
}

/// A header goes on to the end of the line, or of the string that it is in.
fn region(line: &[u8], named: &Named) -> Range<usize> {
    let head = skip_back(line, named.name.start, 0, |byte| {
        matches!(byte, b'"' | b'\'' | b'`' | b'\\')
    });
    if !named.quoted
        && let Some(quote) = Quote::open(line, head)
        && quote.start == named.name.start
        && let Some(end) = quote.close(line)
        && end >= named.value
    {
        return named.value..end;
    }
    let text = rest(line, named.value);
    let mut end = line.len();
    let bracketed = before(line, named.name.start) == b'[';
    let mut assigned = false;
    for (offset, byte) in text.iter().enumerate() {
        let here = named.value + offset;
        let ends = match byte {
            b'"' => !matches!(before(line, here), b'=' | b',' | b' ') && !assigned,
            b'\\' => matches!(at(line, here + 1), b'n' | b'r' | b'"' | b'\\'),
            b']' => bracketed,
            b'<' => true,
            _ => false,
        };
        if ends {
            end = here;
            break;
        }
        assigned |= *byte == b'=';
    }
    trimmed(line, named.value..end)
}

/// A scheme and credentials, or credentials alone.
fn authorization(line: &[u8], range: Range<usize>, sink: &mut Sink<'_>) -> Option<usize> {
    let range = trimmed(line, range);
    let end = scheme_end(line, range.start).min(range.end);
    let scheme = part(line, range.start..end);
    let next = skip(line, end, |byte| is_blank(byte) || byte == b':' || byte == b'+').min(range.end);
    let encoded = part(line, end..end + 3) == b"%20";
    let next = if encoded { end + 3 } else { next };
    let separated = next > end && next < range.end;
    if separated && is_one_of(scheme, &LISTS) {
        let list = next..range.end;
        if !is_harmless(part(line, list.clone())) {
            sink.push(list, RULE);
        }
        return Some(range.end);
    }
    if separated && is_one_of(scheme, &SCHEMES) {
        if let Some(inside) = quoted_parameter(line, next..range.end) {
            let end = inside.end;
            if !is_harmless(part(line, inside.clone())) {
                sink.push(inside, RULE);
            }
            return Some(end);
        }
        return credentials(line, next, range.end, false, sink);
    }
    if separated && is_plain_word(scheme) {
        return credentials(line, next, range.end, true, sink);
    }
    credentials(line, range.start, range.end, true, sink)
}

/// What is quoted in `token="x"`.
fn quoted_parameter(line: &[u8], range: Range<usize>) -> Option<Range<usize>> {
    const NAMES: [&[u8]; 5] = [b"token", b"key", b"apikey", b"api_key", b"access_token"];
    let name = skip(line, range.start, |byte| byte.is_ascii_alphabetic() || byte == b'_');
    if at(line, name) != b'=' || !is_one_of(part(line, range.start..name), &NAMES) {
        return None;
    }
    let quote = Quote::open(line, name + 1)?;
    Some(quote.start..quote.close(line)?)
}

/// One token.
fn credentials(line: &[u8], start: usize, most: usize, strict: bool, sink: &mut Sink<'_>) -> Option<usize> {
    let found = bare(line, start);
    let range = found.start..found.end.min(most).max(found.start);
    let value = part(line, range.clone());
    let plain = is_plain_word(value) || (is_plain_word(value.trim_ascii_end()) && value.len() < 12);
    let harmless = is_harmless(value)
        || part(line, range.end..range.end + 3) == b"..."
        || value.len() < 3
        || value.contains(&b'"')
        || (value.contains(&b'=') && value.ends_with(b"=") && value.len() < 8 && strict);
    let named = value
        .windows(2)
        .any(|pair| pair.first() == Some(&b'=') && pair.last() != Some(&b'='))
        && !strict
        && is_parameter(value);
    if harmless || named || (plain && (strict || value.len() < 16)) || (strict && !looks_secret(value, 8)) {
        // What is long is not looked at again for each name in it.
        return (range.len() > 512).then_some(range.end);
    }
    let end = range.end;
    sink.push(range, RULE);
    Some(end)
}

/// `realm=x`, `error=x`: not credentials but why there must be some.
fn is_parameter(value: &[u8]) -> bool {
    value.starts_with(b"realm=") || value.starts_with(b"error") || value.starts_with(b"scope=")
}

/// Cookies that say what their holder likes, and not who it is.
const HARMLESS_COOKIES: [&[u8]; 18] = [
    b"theme",
    b"lang",
    b"locale",
    b"language",
    b"_ga",
    b"_gid",
    b"_gat",
    b"_fbp",
    b"consent",
    b"cookie_consent",
    b"tz",
    b"timezone",
    b"currency",
    b"country",
    b"region",
    b"path",
    b"domain",
    b"expires",
];

/// The values of cookies that tell who holds them.
fn cookies(line: &[u8], range: Range<usize>, set: bool, sink: &mut Sink<'_>) {
    let whole = part(line, range.clone());
    if !whole.contains(&b'=') {
        if looks_secret(whole, 8) && !whole.contains(&b' ') {
            sink.push(range, RULE);
        }
        return;
    }
    let mut start = range.start;
    while start < range.end {
        let end = start + memchr::memchr(b';', part(line, start..range.end)).unwrap_or(range.end - start);
        let cookie = trimmed(line, start..end);
        if let Some(sign) = memchr::memchr(b'=', part(line, cookie.clone())) {
            let name = part(line, cookie.start..cookie.start + sign);
            let mut value = cookie.start + sign + 1..cookie.end;
            if at(line, value.start) == b'"' && before(line, value.end) == b'"' && value.len() > 1 {
                value = value.start + 1..value.end - 1;
            }
            if at(line, value.start) == b'\\' && at(line, value.start + 1) == b'"' {
                value.start += 2;
            }
            if is_session(name, part(line, value.clone())) {
                sink.push(bare_end(line, value), RULE);
            }
        }
        if set {
            break;
        }
        start = end + 1;
    }
}

/// A cookie has no space in it; what comes behind one is no cookie.
fn bare_end(line: &[u8], value: Range<usize>) -> Range<usize> {
    let end = skip(part(line, 0..value.end), value.start, |byte| {
        !is_blank(byte) && !matches!(byte, b'"' | b'\\')
    });
    value.start..end
}

fn is_session(name: &[u8], value: &[u8]) -> bool {
    if is_harmless(value) || value.len() < 4 {
        return false;
    }
    let lower = name.to_ascii_lowercase();
    if HARMLESS_COOKIES.contains(&lower.as_slice()) || lower.starts_with(b"_ga") || lower.starts_with(b"utm") {
        return false;
    }
    let has = |part: &[u8]| memchr::memmem::find(&lower, part).is_some();
    secrecy(name).is_some()
        || [
            &b"sess"[..],
            b"sid",
            b"auth",
            b"token",
            b"jwt",
            b"csrf",
            b"xsrf",
            b"remember",
            b"secret",
            b"login",
            b"ticket",
            b"identity",
            b"cred",
            b"sso",
        ]
        .iter()
        .any(|part| has(part))
        || looks_secret(value, 20)
}
