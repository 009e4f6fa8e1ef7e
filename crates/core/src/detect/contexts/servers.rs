//! Lines of the configuration of servers: the secret is behind a directive, in a column, or has a name that is one of a
//! secret only in that file.

use std::ops::Range;

use memchr::memmem;

use super::bare::bare;
use super::bytes::{at, before, is_blank, part, rest, skip, trimmed};
use super::harmless::is_harmless;
use super::quote::Quote;
use super::sink::Sink;
use super::value::{is_passphrase, looks_random, looks_secret};

/// What found a value behind a directive, or under a name.
const DIRECTIVE: &str = "spoken-value";
const NAMED: &str = "named-value";

/// How far the end of a quoted value is looked for.
const MAX_VALUE: usize = 1024;

/// What a line has in it that is looked at here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Directive,
    Relay,
    TokenFile,
    UserList,
    Name,
}

impl Mark {
    /// What a mark stands for, if it is one of these.
    pub(super) fn of(mark: &[u8]) -> Option<Self> {
        Some(match mark {
            b"stats auth "
            | b"sentinel auth-pass "
            | b"createUser "
            | b"addauth digest "
            | b"rocommunity "
            | b"rwcommunity "
            | b"isakmp key "
            | b"login="
            | b" EAP \""
            | b" XAUTH \"" => Self::Directive,
            b":587 " | b":465 " | b":25 " | b":2525 " | b"]:587" | b"]:465" | b"]:25" => Self::Relay,
            b",\"system:" | b",system:" => Self::TokenFile,
            b"\" \"" => Self::UserList,
            b"encrypt" | b"_SALT" | b"outing_key" | b"outingKey" | b"OUTING_KEY" => Self::Name,
            _ => return None,
        })
    }

    /// Finds the secrets of a line with such a mark in it.
    pub(super) fn scan(self, line: &[u8], sink: &mut Sink<'_>) {
        match self {
            Self::Directive => {
                accounts(line, sink);
                sentinel(line, sink);
                create_user(line, sink);
                first_words(line, sink);
            }
            Self::Relay => relay(line, sink),
            Self::TokenFile => token_file(line, sink),
            Self::UserList => user_list(line, sink),
            Self::Name => names(line, sink),
        }
    }
}

/// A word, quoted or not.
fn word(line: &[u8], start: usize) -> Option<(Range<usize>, usize)> {
    let start = skip(line, start, is_blank);
    match Quote::open(line, start) {
        Some(quote) => {
            let end = quote.close(part(line, 0..line.len().min(quote.start + MAX_VALUE)))?;
            Some((quote.start..end, quote.after(end)))
        }
        None => {
            let range = bare(line, start);
            let end = range.end;
            (end > start).then_some((range, end))
        }
    }
}

fn give(line: &[u8], range: Range<usize>, rule: &'static str, sink: &mut Sink<'_>) {
    if !is_harmless(part(line, range.clone())) {
        sink.push(range, rule);
    }
}

/// The part of a word behind its first colon.
fn behind_colon(line: &[u8], range: &Range<usize>) -> Option<Range<usize>> {
    let colon = memchr::memchr(b':', part(line, range.clone()))?;
    let secret = range.start + colon + 1..range.end;
    (colon > 0 && !secret.is_empty()).then_some(secret)
}

/// Where each directive of a name ends; a line is looked at from front to back once.
fn directives<'l>(line: &'l [u8], name: &'l str) -> impl Iterator<Item = usize> + 'l {
    /// Most of them in a line.
    const MOST: usize = 16;
    memmem::find_iter(line, name)
        .take(MOST)
        .map(move |found| found + name.len())
}

/// `stats auth bob:x` of HAProxy, `login=bob:x` of Squid, `addauth digest bob:x` of ZooKeeper.
fn accounts(line: &[u8], sink: &mut Sink<'_>) {
    let names = ["stats auth ", "login=", "addauth digest "];
    for start in names.iter().flat_map(|name| directives(line, name)) {
        if let Some(secret) = word(line, start).and_then(|(user, _)| behind_colon(line, &user)) {
            give(line, secret, DIRECTIVE, sink);
        }
    }
}

/// `rocommunity x` of Net-SNMP, `isakmp key x` of Cisco; `bob : EAP "x"` of strongSwan, which is quoted.
fn first_words(line: &[u8], sink: &mut Sink<'_>) {
    const DIRECTIVES: [(&str, bool); 5] = [
        ("rocommunity ", false),
        ("rwcommunity ", false),
        ("isakmp key ", false),
        (" EAP ", true),
        (" XAUTH ", true),
    ];
    for (name, is_quoted) in DIRECTIVES {
        for start in directives(line, name) {
            if let Some((secret, _)) = word(line, start)
                && (!is_quoted || Quote::open(line, start).is_some())
                && looks_secret(part(line, secret.clone()), 6)
            {
                give(line, secret, DIRECTIVE, sink);
            }
        }
    }
}

/// `sentinel auth-pass main x` of Redis.
fn sentinel(line: &[u8], sink: &mut Sink<'_>) {
    for start in directives(line, "sentinel auth-pass ") {
        if let Some((secret, _)) = word(line, start).and_then(|(_, end)| word(line, end)) {
            give(line, secret, DIRECTIVE, sink);
        }
    }
}

/// `createUser bob SHA "x" AES "y"` of Net-SNMP.
fn create_user(line: &[u8], sink: &mut Sink<'_>) {
    const PROTOCOLS: [&[u8]; 5] = [b"MD5", b"SHA", b"DES", b"AES", b"3DES"];
    for start in directives(line, "createUser ") {
        let mut position = start;
        let mut protocol = false;
        // An engine and a user, and twice a protocol with a passphrase.
        for _ in 0..7 {
            let Some((range, end)) = word(line, position) else {
                break;
            };
            let text = part(line, range.clone());
            let is_protocol = PROTOCOLS.iter().any(|known| text.starts_with(known)) && text.len() <= 8;
            if protocol && text != b"-l" {
                give(line, range, DIRECTIVE, sink);
            }
            protocol = is_protocol && !protocol;
            position = end;
        }
    }
}

/// `[smtp.example.com]:587 bob:x`, a line of what Postfix logs in to relays with.
fn relay(line: &[u8], sink: &mut Sink<'_>) {
    let all = trimmed(line, 0..line.len());
    let host = all.start..skip(line, all.start, |byte| !is_blank(byte));
    let user = skip(line, host.end, is_blank)..all.end;
    if part(line, user.clone()).iter().any(|byte| is_blank(*byte)) {
        return;
    }
    let (bracketed, name) = match part(line, host.clone()) {
        [b'[', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let is_host = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b']');
    if !name.iter().all(is_host) || !name.contains(&b'.') {
        return;
    }
    if let Some(secret) = behind_colon(line, &user) {
        let text = part(line, secret.clone());
        if bracketed || looks_secret(text, 6) || is_passphrase(text) {
            give(line, secret, DIRECTIVE, sink);
        }
    }
}

/// `TOKEN,bob,1,"system:masters"`, a line of the tokens or the passwords that a server of Kubernetes knows.
fn token_file(line: &[u8], sink: &mut Sink<'_>) {
    let start = skip(line, 0, is_blank);
    let end = skip(line, start, |byte| {
        byte != b',' && byte != b'"' && byte != b'\\' && !byte.is_ascii_whitespace()
    });
    let token = part(line, start..end);
    let groups = memmem::find(line, b",\"system:").or_else(|| memmem::find(line, b",system:"));
    // A user and a number are between them.
    let between = groups.map(|groups| part(line, end..groups)).unwrap_or_default();
    let columns = between.iter().filter(|byte| **byte == b',').count();
    let is_named = token.split(|byte| *byte == b'=').skip(1).any(|value| !value.is_empty());
    if columns == 2 && !is_named && !between.contains(&b'"') && (looks_secret(token, 6) || is_passphrase(token)) {
        give(line, start..end, DIRECTIVE, sink);
    }
}

/// `"bob" "x"`, all of a line: of what PgBouncer knows of its users.
fn user_list(line: &[u8], sink: &mut Sink<'_>) {
    let all = trimmed(line, 0..line.len());
    let Some(user) = Quote::open(line, all.start).filter(|quote| quote.start == all.start + 1) else {
        return;
    };
    let is_user = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'@');
    let end = skip(line, user.start, is_user);
    let next = skip(line, end + 1, is_blank);
    let secret = next + 1..all.end.saturating_sub(1);
    let is_pair = end > user.start
        && at(line, user.start) != b'-'
        && at(line, all.start) == b'"'
        && at(line, end) == b'"'
        && next > end + 1
        && at(line, next) == b'"'
        && at(line, secret.end) == b'"';
    let text = part(line, secret.clone());
    if is_pair && (is_verifier(text) || is_likely(text)) {
        give(line, secret, DIRECTIVE, sink);
    }
}

/// What PostgreSQL keeps of a password.
fn is_verifier(value: &[u8]) -> bool {
    let digest = value.strip_prefix(b"md5").unwrap_or_default();
    digest.len() == 32 && digest.iter().all(u8::is_ascii_hexdigit) || value.starts_with(b"SCRAM-SHA-256$")
}

/// Whether nothing but a password is like that: no name of an object, and no version of something.
fn is_likely(value: &[u8]) -> bool {
    let is_quoted = |byte: &u8| matches!(byte, b'"' | b'\\' | b' ' | b'\t' | b'/' | b'<' | b'>');
    let joined = value
        .iter()
        .any(|byte| matches!(byte, b'-' | b'_' | b'.' | b':' | b'='));
    let capital = value.iter().any(u8::is_ascii_uppercase);
    // Of a commit, of a file.
    let is_digest = !(12..40).contains(&value.len()) && value.iter().all(u8::is_ascii_hexdigit);
    !is_digest && !value.iter().any(is_quoted) && looks_secret(value, 8) && (!joined || capital || looks_random(value))
}

/// Whether a value is the secret that its name may stand for.
type IsValue = fn(&[u8]) -> bool;

/// Names that are those of a secret by how their values look.
fn names(line: &[u8], sink: &mut Sink<'_>) {
    const NAMES: [(&str, IsValue); 5] = [
        ("encrypt", is_gossip_key),
        ("_SALT", is_salt),
        ("outing_key", is_routing_key),
        ("outingKey", is_routing_key),
        ("OUTING_KEY", is_routing_key),
    ];
    for (name, is_value) in NAMES {
        let mut from = 0;
        while let Some(end) = memmem::find(rest(line, from), name.as_bytes()).map(|found| from + found + name.len()) {
            from = end;
            let whole = name != "encrypt" || !before(line, end - name.len()).is_ascii_alphanumeric();
            let Some(value) = assigned(line, end).filter(|_| whole) else {
                continue;
            };
            from = value.end.max(end);
            if is_value(part(line, value.clone())) {
                give(line, value, NAMED, sink);
            }
        }
    }
}

/// What is assigned to a name that ends here, or handed to a function behind it: `encrypt = "x"`, `define('A_SALT', 'x')`.
fn assigned(line: &[u8], name: usize) -> Option<Range<usize>> {
    let end = skip(part(line, 0..line.len().min(name + 8)), name, |byte| {
        matches!(byte, b'"' | b'\'' | b'\\')
    });
    let sign = skip(line, end, is_blank);
    let start = match at(line, sign) {
        b'=' | b':' => skip(line, sign, |byte| matches!(byte, b'=' | b':' | b'>')),
        b',' if end > name => sign + 1,
        // A flag: `-encrypt x`.
        _ if sign > end && end == name => sign,
        _ => return None,
    };
    word(line, start).map(|(range, _)| range)
}

/// 16 or 32 bytes in base64.
fn is_gossip_key(value: &[u8]) -> bool {
    let digits = match value.len() {
        24 => value.strip_suffix(b"=="),
        44 => value.strip_suffix(b"="),
        _ => None,
    };
    digits.is_some_and(|digits| {
        digits
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
    })
}

/// As long as what is drawn at random for a site.
fn is_salt(value: &[u8]) -> bool {
    const LEAST: usize = 32;
    value.len() >= LEAST && looks_secret(value, LEAST)
}

/// Of PagerDuty; those of a queue are words.
fn is_routing_key(value: &[u8]) -> bool {
    value.len() == 32
        && value.iter().all(u8::is_ascii_alphanumeric)
        && value.iter().filter(|byte| byte.is_ascii_digit()).count() >= 4
        && value.iter().any(u8::is_ascii_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::super::files::MARKS;
    use super::*;

    #[test]
    fn every_mark_is_looked_for() {
        let known = MARKS.iter().filter(|mark| Mark::of(mark.as_bytes()).is_some()).count();
        assert_eq!(known, 25);
    }
}
