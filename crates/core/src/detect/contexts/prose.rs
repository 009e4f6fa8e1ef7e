//! A name and a value with only words between them: `password is hunter2`, `--password hunter2`, `PASSWORD 'x'`.

use std::ops::Range;

use crate::detect::names::Secrecy;

use super::bare::bare;
use super::bytes::{at, before, goes_on, is_blank, part, rest, skip, skip_back};
use super::harmless::is_harmless;
use super::header;
use super::named::{Named, begins_line};
use super::pair::value_of_pair;
use super::quote::Quote;
use super::sink::Sink;
use super::value::{Place, is_of_words, is_passphrase, is_plain_word, is_secret, looks_secret};

/// Words before a name that set what it names to what follows.
const SETTERS: [&[u8]; 13] = [
    b"set",
    b"setenv",
    b"setx",
    b"unsafe-set",
    b"configure",
    b"add",
    b"env",
    b"fastcgi_param",
    b"uwsgi_param",
    b"proxy_set_header",
    b"grpc_set_header",
    b"add_header",
    b"set-header",
];

/// Words between a name and a value.
const COPULAS: [&[u8]; 8] = [b"is", b"was", b"to", b"be", b"are", b"as", b"now", b"with"];

/// Words behind a name that tell something about the secret: `credential type: WorkloadIdentity`.
const DESCRIPTIONS: [&[u8]; 16] = [
    b"type",
    b"kind",
    b"name",
    b"id",
    b"path",
    b"file",
    b"provider",
    b"method",
    b"source",
    b"status",
    b"state",
    b"expiry",
    b"written",
    b"length",
    b"hash",
    b"algorithm",
];

/// Fewest bytes of a value behind a tab that looks like a word.
const LEAST_IN_COLUMN: usize = 10;

/// How far a colon may be from the name: `password for user bob: x`.
const MOST_WORDS: usize = 96;

/// Looks at what follows a name and a blank. Answers from where to go on.
pub(super) fn follow(line: &[u8], named: &Named, sink: &mut Sink<'_>) -> Option<usize> {
    let name = part(line, named.name.clone());
    let mut start = skip(line, named.value, is_blank);
    // `password 0 x` of Cisco, `rootpw --plaintext x`.
    let is_kind = at(line, start).is_ascii_digit() && at(line, start + 1) == b' ';
    if named.secrecy == Secrecy::Password && is_kind {
        start += 2;
    } else if name == b"rootpw" && goes_on(line, start, b"--plaintext ") {
        start += 12;
    }
    if name.eq_ignore_ascii_case(b"Bearer") {
        return bearer(line, start, sink);
    }
    if name.eq_ignore_ascii_case(b"Basic") {
        return basic(line, start, sink);
    }
    if name == b"AUTH" {
        return auth(line, start, sink);
    }
    if let Some(value) = value_of_pair(line, start) {
        return Some(super::pair::single(line, value, named.secrecy, sink));
    }
    // `secret "x";` of a file of settings.
    if name == b"secret"
        && begins_line(line, named.name.start)
        && let Some(quote) = Quote::open(line, start)
        && let Some(close) = quote.close(line)
        && rest(line, quote.after(close)).starts_with(b";")
        && is_secret(Secrecy::Password, part(line, quote.start..close), Place::Assigned)
    {
        sink.push(quote.start..close, "spoken-value");
        return Some(close);
    }
    // Not `SECRET 'x'` of SQL.
    if name.eq_ignore_ascii_case(b"secret")
        && Quote::open(line, start).is_some_and(|_| name != b"SECRET" || at(line, start) != b'\'')
    {
        // `secret "db" not found`: its name.
        return None;
    }
    if named.secrecy == Secrecy::Cookie {
        let quote = Quote::open(line, start).filter(|_| before(line, named.name.start) == b'-')?;
        let range = quote.start..quote.close(line)?;
        header::value(line, range.clone(), Secrecy::Cookie, sink);
        return Some(range.end);
    }
    if goes_on(line, start, b"mismatch") || goes_on(line, start, b"does not match") {
        return Some(compared(line, start, sink));
    }
    if goes_on(line, start, b"changed from ") {
        return Some(changed(line, start + 13, sink));
    }
    // `pass` is a verb, too.
    if name.eq_ignore_ascii_case(b"pass") && name != b"PASS" && before(line, named.name.start) != b'-' {
        return None;
    }
    let range = if before(line, named.name.start) == b'-' {
        argument(line, start, named.secrecy)
    } else if let Some(setter) = setter(line, named.name.start) {
        // `add secret rotation`.
        let is_verb = matches!(setter, b"add" | b"configure" | b"env");
        let is_said = |range: &Range<usize>| !is_verb || !is_plain_word(part(line, range.clone()));
        argument(line, start, named.secrecy)
            .filter(is_said)
            .or_else(|| said(line, start, named.secrecy))
    } else if is_keyword(line, named) || is_column(line, named) {
        let quote = Quote::open(line, start);
        let range = match quote {
            Some(quote) => quote.start..quote.close(line)?,
            None => bare(line, start),
        };
        let value = part(line, range.clone());
        let is_sure = quote.is_some()
            || looks_secret(value, 8)
            || is_of_words(value, 3)
            || name.contains(&b'_') && value.len() >= LEAST_IN_COLUMN;
        let found = is_secret(named.secrecy, value, Place::Assigned) && is_sure;
        found.then_some(range)
    } else if is_key_alone(line, named) {
        let range = match Quote::open(line, start) {
            Some(quote) => quote.start..quote.close(line)?,
            None => bare(line, start),
        };
        Some(range).filter(|range| is_secret(Secrecy::Password, part(line, range.clone()), Place::Assigned))
    } else {
        said(line, start, named.secrecy)
    }?;
    let end = range.end;
    sink.push(range, "spoken-value");
    Some(end)
}

/// `password changed from x to y`.
fn changed(line: &[u8], start: usize, sink: &mut Sink<'_>) -> usize {
    let from = bare(line, start);
    let to = skip(line, from.end, is_blank);
    let mut end = from.end;
    let mut all = vec![from];
    if goes_on(line, to, b"to ") {
        let to = bare(line, to + 3);
        end = to.end;
        all.push(to);
    }
    for range in all {
        let value = part(line, range.clone());
        if looks_secret(value, 6) || is_of_words(value, 3) {
            sink.push(range, "spoken-value");
        }
    }
    end
}

/// `password mismatch: expected "x", got "y"`.
fn compared(line: &[u8], start: usize, sink: &mut Sink<'_>) -> usize {
    const MOST: usize = 256;
    let mut end = start;
    for word in [&b"expected "[..], b"got ", b"have ", b"want ", b"actual "] {
        let text = part(line, start..line.len().min(start + MOST));
        if let Some(found) = memchr::memmem::find(text, word)
            && let Some(quote) = Quote::open(line, start + found + word.len())
            && let Some(close) = quote.close(line)
            && !is_harmless(part(line, quote.start..close))
        {
            sink.push(quote.start..close, "spoken-value");
            end = end.max(close);
        }
    }
    end
}

/// `Bearer abc.def`.
fn bearer(line: &[u8], start: usize, sink: &mut Sink<'_>) -> Option<usize> {
    let range = bare(line, start);
    let token = part(line, range.clone());
    let named = token
        .iter()
        .position(|byte| *byte == b'=')
        .is_some_and(|sign| at(token, sign + 1) != 0 && at(token, sign + 1) != b'=');
    // `token_type=bearer HTTP/1.1`.
    if named || token.starts_with(b"HTTP/") || !looks_secret(token, 8) {
        return None;
    }
    let end = range.end;
    sink.push(range, header::RULE);
    Some(end)
}

/// `Basic Ym9iOmh1bnRlcjI=`: a user and a password in base64.
fn basic(line: &[u8], start: usize, sink: &mut Sink<'_>) -> Option<usize> {
    const LONGEST: usize = 512;
    let range = bare(line, start);
    let token = part(line, range.clone());
    let plain = std::str::from_utf8(token)
        .ok()
        .filter(|token| (8..=LONGEST).contains(&token.len()));
    let plain = plain.and_then(crate::mask::decode_base64)?;
    let is_readable = plain.iter().all(|byte| *byte >= b' ' && *byte != 0x7f) && plain.contains(&b':');
    if !is_readable || is_harmless(token) {
        return None;
    }
    let end = range.end;
    sink.push(range, header::RULE);
    Some(end)
}

/// `AUTH x`, `AUTH default x`, `AUTH PLAIN x`: commands of Redis and of SMTP.
fn auth(line: &[u8], start: usize, sink: &mut Sink<'_>) -> Option<usize> {
    let mut start = start;
    for _ in 0..2 {
        let range = match Quote::open(line, start) {
            Some(quote) => quote.start..quote.close(line)?,
            None => bare(line, start),
        };
        let end = range.end;
        if looks_secret(part(line, range.clone()), 6) {
            sink.push(range, "spoken-value");
            return Some(end);
        }
        start = skip(line, end, |byte| matches!(byte, b'"' | b'\''));
        start = skip(line, start, is_blank);
    }
    None
}

/// The word before a name that sets it.
fn setter(line: &[u8], name: usize) -> Option<&'static [u8]> {
    // The name may be the end of a word: `//registry.example/:_authToken`.
    let name = skip_back(line, name, name.saturating_sub(64), |byte| {
        byte > b' ' && !matches!(byte, b'"' | b'\'')
    });
    let word_before = |place: usize| {
        let end = skip_back(line, place, place.saturating_sub(4), |byte| {
            is_blank(byte) || matches!(byte, b'"' | b'\'')
        });
        let start = skip_back(line, end, end.saturating_sub(16), |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
        });
        start..end
    };
    let mut range = word_before(name);
    // `set -gx NAME x`, of fish.
    if matches!(part(line, range.clone()), b"-x" | b"-gx" | b"-Ux" | b"-lx") {
        range = word_before(range.start);
    }
    let (word, end) = (part(line, range.clone()), range.end);
    let is_it = |setter: &&&[u8]| end < name && word.eq_ignore_ascii_case(setter);
    SETTERS.iter().find(is_it).copied()
}

/// `:token "x"`, of Clojure.
fn is_keyword(line: &[u8], named: &Named) -> bool {
    let Some(colon) = named.name.start.checked_sub(1).filter(|colon| at(line, *colon) == b':') else {
        return false;
    };
    matches!(before(line, colon), 0 | b' ' | b'{' | b'\t') && at(line, named.value) == b'"'
}

/// A name and a value alone in a line, with a tab between them.
fn is_column(line: &[u8], named: &Named) -> bool {
    let is_first = part(line, 0..named.name.start).trim_ascii().is_empty();
    if !is_first || at(line, named.name.end) != b'\t' {
        return false;
    }
    let value = rest(line, named.name.end + 1).trim_ascii_end();
    !value.is_empty() && !value.iter().any(|byte| is_blank(*byte))
}

/// Lines of files in which a blank assigns: `requirepass x`, and `password x` in `.netrc`.
fn is_key_alone(line: &[u8], named: &Named) -> bool {
    let name = part(line, named.name.clone());
    let head = part(line, 0..named.name.start);
    let first = head.trim_ascii().is_empty();
    if first && [&b"requirepass"[..], b"masterauth", b"primaryauth", b"rootpw"].contains(&name) {
        return true;
    }
    // `bindpw x`, `password x` in a block of a configuration.
    let only = bare(line, named.value);
    let is_only = first && rest(line, only.end).trim_ascii().is_empty();
    if is_only && matches!(name, b"bindpw" | b"password") && is_of_words(part(line, only), 3) {
        return true;
    }
    if name != b"password" {
        return false;
    }
    // `machine x login y password z`.
    let most = head.get(head.len().saturating_sub(128)..).unwrap_or_default();
    let value = bare(line, named.value);
    let alone = rest(line, value.end).trim_ascii();
    (alone.is_empty() || alone.starts_with(b"machine") || alone.starts_with(b"account") || alone.starts_with(b"port"))
        && memchr::memmem::find(most, b"login ").is_some()
}

/// The argument behind a flag.
fn argument(line: &[u8], start: usize, secrecy: Secrecy) -> Option<Range<usize>> {
    let is_flag = part(line, start..start + 2) == b"--" && at(line, start + 2).is_ascii_lowercase();
    if is_flag || at(line, start) == b'-' && !looks_secret(part(line, bare(line, start)), 8) {
        return None;
    }
    let range = match Quote::open(line, start) {
        Some(quote) => quote.start..quote.close(line)?,
        None => bare(line, start),
    };
    let value = part(line, range.clone());
    // Help texts say what type the value of a flag has, or go on with words.
    let prose = is_plain_word(value) && {
        let next = skip(line, range.end, is_blank);
        next - range.end > 1 || (at(line, next).is_ascii_lowercase() && at(line, next + 1).is_ascii_lowercase())
    };
    // `[--token TOKEN]`.
    let usage = value
        .iter()
        .all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'-' | b']'));
    (!prose && !usage && is_secret(secrecy, value, Place::Assigned)).then_some(range)
}

/// What a sentence says to be the value.
fn said(line: &[u8], start: usize, secrecy: Secrecy) -> Option<Range<usize>> {
    // `IDENTIFIED WITH mysql_native_password BY 'x'`.
    if part(line, start..start + 4) == b"BY '" {
        return spoken(line, start + 3, secrecy, true);
    }
    for setting in [&b"set to "[..], b"changed to ", b"reset to "] {
        if goes_on(line, start, setting) {
            return spoken(line, start + setting.len(), secrecy, true);
        }
    }
    let word_end = skip(line, start, |byte| byte.is_ascii_alphabetic());
    let word = part(line, start..word_end);
    if !word.is_empty()
        && (is_blank(at(line, word_end)) || (at(line, word_end) == b':' && is_blank(at(line, word_end + 1))))
        && COPULAS.iter().any(|copula| word.eq_ignore_ascii_case(copula))
    {
        let mut next = skip(line, word_end, |byte| is_blank(byte) || byte == b':');
        for filler in [&b"now "[..], b"set to ", b"be ", b"to "] {
            if goes_on(line, next, filler) {
                next += filler.len();
            }
        }
        if at(line, next) == b':' {
            next = skip(line, next + 1, is_blank);
        }
        if let Some(range) = spoken(line, next, secrecy, true) {
            return Some(range);
        }
    } else if let Some(range) = spoken(line, start, secrecy, false) {
        return Some(range);
    }
    behind_colon(line, start, secrecy)
}

/// A value in a sentence: quoted, or a word that looks like a secret.
fn spoken(line: &[u8], start: usize, secrecy: Secrecy, copula: bool) -> Option<Range<usize>> {
    if let Some(quote) = Quote::open(line, start) {
        let stop = line.len().min(quote.start + 512);
        let range = quote.start..quote.close(part(line, 0..stop))?;
        let value = part(line, range.clone());
        if matches!(value.first(), Some(b',' | b'}' | b']' | b')')) {
            return None;
        }
        let found = match secrecy {
            Secrecy::Password => {
                is_secret(secrecy, value, Place::Assigned)
                    && (!value.contains(&b' ') || looks_secret(value, 8))
                    && value.len() > 2
            }
            Secrecy::Token => {
                let least = if copula { 8 } else { 16 };
                (looks_secret(value, least) || copula && is_passphrase(value))
                    && !value.contains(&b' ')
                    && !super::value::is_uuid(value)
            }
            _ => false,
        };
        return found.then_some(range);
    }
    let range = bare(line, start);
    let value = part(line, range.clone());
    let joined = value.iter().any(|byte| matches!(byte, b'(' | b'='));
    let found = match secrecy {
        _ if joined && !copula => false,
        Secrecy::Token if copula => looks_secret(value, 8),
        Secrecy::Digits if copula => is_secret(secrecy, value, Place::Prose),
        Secrecy::Digits | Secrecy::Perhaps | Secrecy::Cookie | Secrecy::Authorization => false,
        _ => is_secret(secrecy, value, Place::Prose),
    };
    (found && !is_harmless(value)).then_some(range)
}

/// `password for user bob: x`, `password of bob = x`, `Token for bob is x`.
fn behind_colon(line: &[u8], start: usize, secrecy: Secrecy) -> Option<Range<usize>> {
    if !matches!(secrecy, Secrecy::Password | Secrecy::Token) {
        return None;
    }
    let words = part(line, start..line.len().min(start + MOST_WORDS));
    let mut position = 0;
    while let Some(byte) = words.get(position) {
        let here = start + position;
        match byte {
            b'.' | b',' | b';' if is_blank(at(line, here + 1)) => return None,
            b'{' | b'}' | b'[' | b'<' | b'|' => return None,
            b'!' if at(line, here + 1) == b'=' => return None,
            b' ' if goes_on(line, here, b" set to ") || goes_on(line, here, b" changed to ") => {
                let next = here + if at(line, here + 1) == b's' { 8 } else { 12 };
                return spoken(line, next, secrecy, true).filter(|range| looks_secret(part(line, range.clone()), 6));
            }
            b':' | b'=' if is_blank(at(line, here + 1)) || (*byte == b'=' && is_blank(before(line, here))) => {
                let next = skip(line, here + 1, is_blank);
                let word = skip_back(line, here, start, |byte| byte.is_ascii_alphabetic());
                if DESCRIPTIONS
                    .iter()
                    .any(|said| part(line, word..here).eq_ignore_ascii_case(said))
                {
                    return None;
                }
                let quoted = Quote::open(line, next).is_some();
                let range = spoken(line, next, secrecy, true)?;
                let value = part(line, range.clone());
                let ends = at(line, range.end + 1);
                let last = !is_blank(at(line, range.end)) || !ends.is_ascii_lowercase();
                return (quoted || (last && looks_secret(value, 8))).then_some(range);
            }
            b' ' if goes_on(line, here, b" is ") => {
                let range = spoken(line, here + 4, secrecy, true)?;
                return looks_secret(part(line, range.clone()), 6).then_some(range);
            }
            _ => {}
        }
        position += 1;
    }
    None
}
