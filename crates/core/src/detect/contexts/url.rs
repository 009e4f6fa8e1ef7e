//! Passwords in URLs and connection strings: `scheme://user:pass@host`, `user:pass@tcp(host)/db`.

use std::ops::Range;

use memchr::{memchr, memmem, memrchr};

use super::bytes::{at, before, part, rest, skip, skip_back};
use super::harmless::is_harmless;
use super::sink::Sink;
use super::value::{is_uuid, looks_secret};

/// What found a password in a URL.
const RULE: &str = "url-password";

/// Longest userinfo, and what of a URL behind it is looked at.
const MOST: usize = 1024;

/// How far the address behind a password without a scheme is looked for.
const MOST_ADDRESS: usize = 96;

/// Schemes of which paths may have an `@` in them.
const WEB: [&[u8]; 8] = [
    b"http",
    b"https",
    b"git",
    b"ssh",
    b"git+https",
    b"git+ssh",
    b"oci",
    b"npm",
];

/// Finds the passwords before each `@` of a line.
pub(super) fn scan(line: &[u8], sink: &mut Sink<'_>) {
    let mut from = 0;
    while let Some(found) = memchr(b'@', rest(line, from)).map(|found| from + found) {
        from = before_at(line, from, found, sink).unwrap_or(found).max(found) + 1;
    }
}

/// Whether a byte can be part of a URL as it is written in a text.
fn is_url(byte: u8) -> bool {
    !matches!(byte, 0..=b' ' | b'"' | b'\'' | b'`' | b'<' | b'>' | 0x7f)
}

/// Looks at what is before an `@`; answers where the userinfo ends, if there is one.
fn before_at(line: &[u8], from: usize, found: usize, sink: &mut Sink<'_>) -> Option<usize> {
    let least = from.max(found.saturating_sub(MOST));
    let start = skip_back(line, found, least, is_url);
    let head = part(line, start..found);
    if let Some(oracle) = memmem::find(head, b"jdbc:oracle:") {
        let slash = memchr(b'/', rest(head, oracle))? + oracle + 1;
        let password = start + slash..found;
        if !is_harmless(part(line, password.clone())) {
            sink.push(password, RULE);
        }
        return Some(found);
    }
    // `user/password@//host:1521/service` of Oracle.
    if part(line, found + 1..found + 3) == b"//"
        && let Some(slash) = memchr(b'/', head)
        && slash > 0
        && memmem::find(head, b"//").is_none()
    {
        let password = start + slash + 1..found;
        if !is_harmless(part(line, password.clone())) {
            sink.push(password, RULE);
        }
        return Some(found);
    }
    let (authority, scheme) = match memmem::rfind(head, b"//") {
        Some(slashes) => (start + slashes + 2, part(head, 0..slashes)),
        None => match memmem::rfind(head, b"\\/\\/") {
            Some(slashes) => (start + slashes + 4, part(head, 0..slashes)),
            None => match memmem::rfind(head, b"\\\\/\\\\/") {
                Some(slashes) => (start + slashes + 6, part(head, 0..slashes)),
                None => return without_scheme(line, start, found, sink),
            },
        },
    };
    let scheme = scheme.strip_suffix(b":");
    let end = skip(part(line, 0..line.len().min(found + MOST)), authority, |byte| {
        is_url(byte) && byte != b'\\'
    })
    .max(found);
    let scheme = scheme.map(|scheme| {
        let from = skip_back(scheme, scheme.len(), 0, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
        });
        rest(scheme, from)
    });
    let web = scheme.is_none_or(|scheme| WEB.iter().any(|web| scheme.eq_ignore_ascii_case(web)));
    let last = userinfo_end(line, authority, found, end, web)?;
    password(line, authority..last, web, sink);
    Some(last)
}

/// Where the userinfo ends: at the `@` before the host. Passwords may have signs in them that should have been encoded.
fn userinfo_end(line: &[u8], authority: usize, found: usize, end: usize, web: bool) -> Option<usize> {
    let head = part(line, authority..found);
    if let Some(slash) = head.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')) {
        // A path with an `@`, if what is before it is a host and a port.
        let host = part(head, 0..slash);
        let colon = memchr(b':', host)?;
        let port = part(host, colon + 1..host.len());
        if port.iter().all(u8::is_ascii_digit) || memchr(b'.', part(host, 0..colon)).is_some() {
            return None;
        }
    }
    let mut last = found;
    if web {
        while !is_host(line, last + 1) {
            match memchr(b'@', part(line, last + 1..end)) {
                Some(next) => last += 1 + next,
                None => break,
            }
        }
        // `user:p@ss@host`: a host has no `@` behind it before a slash.
        let authority_end = skip(part(line, 0..end), last + 1, |byte| !matches!(byte, b'/' | b'?' | b'#'));
        if let Some(next) = memrchr(b'@', part(line, last + 1..authority_end)) {
            last += 1 + next;
        }
    } else {
        let query = memchr(b'?', part(line, found..end)).map_or(end, |query| found + query);
        if let Some(next) = memrchr(b'@', part(line, found..query)) {
            last = found + next;
        }
        // A list of addresses goes on behind a comma, and each may have its own.
        if let Some(comma) = memmem::find(part(line, found..last), b",") {
            let other = memmem::find(part(line, found + comma..last), b"://").is_some();
            if other {
                last = found;
            }
        }
    }
    Some(last)
}

/// Whether a host and perhaps a port come here, and then a path, another one or the end.
fn is_host(line: &[u8], start: usize) -> bool {
    let end = skip(line, start, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'[' | b']' | b'$' | b'{' | b'}')
    });
    let port = match at(line, end) {
        b':' => skip(line, end + 1, |byte| byte.is_ascii_digit()),
        _ => end,
    };
    end > start
        && !matches!(at(line, port), b'@' | b':' | b'!' | b'%' | b'&' | b'=' | b'*')
        && (port == end || port > end + 1 || !is_url(at(line, port)))
}

/// All of `user:password`; a token alone if it looks like one.
fn password(line: &[u8], userinfo: Range<usize>, web: bool, sink: &mut Sink<'_>) {
    let text = part(line, userinfo.clone());
    let colon = memchr(b':', text);
    let password = colon.map_or(userinfo.end, |colon| userinfo.start + colon + 1)..userinfo.end;
    let user = userinfo.start..colon.map_or(userinfo.end, |colon| userinfo.start + colon);
    let value = part(line, password.clone());
    if colon.is_some() && !is_harmless(value) && value != b"x-oauth-basic" && value != b"x" {
        sink.push(userinfo, RULE);
    } else if web {
        let token = part(line, user);
        let plain = token.contains(&b'-') && token.iter().all(|byte| byte.is_ascii_lowercase() || *byte == b'-');
        // What has a colon behind it is given in place of a user.
        let least = if colon.is_some() { 8 } else { 16 };
        if looks_secret(token, least) && !plain && !is_uuid(token) && !token.contains(&b'/') {
            sink.push(userinfo, RULE);
        }
    }
}

/// `user:password@tcp(host)/db`, `user:password@host:5432/db`.
fn without_scheme(line: &[u8], start: usize, found: usize, sink: &mut Sink<'_>) -> Option<usize> {
    memchr(b':', part(line, start..found))?;
    let tail = part(line, found + 1..line.len().min(found + 1 + MOST_ADDRESS));
    let network = [&b"tcp("[..], b"unix(", b"udp(", b"tcp6(", b"cloudsql(", b"("]
        .iter()
        .any(|network| tail.starts_with(network));
    let host = skip(tail, 0, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-')
    });
    let port = skip(tail, host + 1, |byte| byte.is_ascii_digit());
    let address = host > 0 && at(tail, host) == b':' && port > host + 2 && matches!(at(tail, port), b'/');
    let mut from = start;
    // Behind the name that it is the value of.
    if let Some(sign) = memrchr(b'=', part(line, start..found))
        && !network
    {
        from += sign + 1;
    } else if let Some(sign) = memchr(b'=', part(line, start..found)) {
        from += sign + 1;
    }
    let mut last = found;
    if !network {
        // The `@` of the password, and not that of the host.
        if let Some(next) = [&b"@tcp("[..], b"@unix("].iter().find_map(|network| {
            memmem::find(
                part(tail, 0..tail.iter().take_while(|byte| is_url(**byte)).count()),
                network,
            )
        }) {
            last = found + 1 + next;
        } else if !address {
            return None;
        }
    }
    let colon = memchr(b':', part(line, from..last))?;
    let password = from + colon + 1..last;
    if colon == 0 || is_harmless(part(line, password.clone())) || before(line, password.start) != b':' {
        return None;
    }
    sink.push(password, RULE);
    Some(last)
}
