//! Lines of files that have secrets at a fixed place: `.pgpass`, `/etc/shadow`, `.htpasswd`.

use std::sync::LazyLock;

use memchr::memmem;

use super::announced;
use super::bytes::{at, is_blank, part, rest, skip, skip_back};
use super::harmless::is_harmless;
use super::quote::Quote;
use super::servers;
use super::sink::Sink;
use super::stems::Stems;

/// What such a line has in it: the port of a `.pgpass`, the hash of a password, a word.
pub(super) const MARKS: &[&str] = &[
    ":5432:",
    ":*:",
    ":5433:",
    ":6432:",
    ":6543:",
    ":$1$",
    ":$2",
    ":$5$",
    ":$6$",
    ":$7$",
    ":$y$",
    ":$gy$",
    ":$apr",
    ":{SHA}",
    ":{SSHA}",
    ":{PLAIN}",
    ":{CRYPT}",
    " on >",
    " on #",
    "SETUSER",
    "kty",
    announced::FORM,
    announced::RANDOM,
    "LoginModule",
    "<auth-user-pass>",
    "expect \"",
    "expect -",
    "expect {",
    ".expect(",
    "tokens",
    "keyName",
    "following pass",
    "following token",
    "stats auth ",
    "sentinel auth-pass ",
    "addauth digest ",
    "rocommunity ",
    "rwcommunity ",
    "isakmp key ",
    "login=",
    " EAP \"",
    " XAUTH \"",
    "createUser ",
    ":587 ",
    ":465 ",
    ":25 ",
    ":2525 ",
    "]:587",
    "]:465",
    "]:25",
    ",\"system:",
    ",system:",
    "\" \"",
    "encrypt",
    "_SALT",
    "outing_key",
    "outingKey",
    "OUTING_KEY",
];

/// How hashed passwords begin.
const HASHES: [&[u8]; 15] = [
    b"$1$", b"$2a$", b"$2b$", b"$2y$", b"$2x$", b"$5$", b"$6$", b"$7$", b"$y$", b"$gy$", b"$apr1$", b"{SHA}",
    b"{SSHA}", b"{PLAIN}", b"{CRYPT}",
];

static SEARCH: LazyLock<Stems> = LazyLock::new(|| Stems::new(MARKS.iter().copied()));

/// Finds the secret of such a line, and what lines before it announce.
pub(super) fn scan(line: &[u8], carry: &mut announced::Carry, sink: &mut Sink<'_>) {
    const FINDERS: [fn(&[u8], &mut Sink<'_>); 4] = [pgpass, hashed, access_list, web_key];
    let mut marked = [false; FINDERS.len()];
    let mut announces = announced::Announces::default();
    let mut servers = Vec::new();
    let mut from = 0;
    while let Some(mark) = SEARCH.next(line, from) {
        from = mark.end;
        let mark = part(line, mark);
        if let Some(mark) = servers::Mark::of(mark) {
            if !servers.contains(&mark) {
                servers.push(mark);
            }
            continue;
        }
        let finder = match mark {
            mark if mark.starts_with(b":$") || mark.starts_with(b":{") => 1,
            b" on >" | b" on #" | b"SETUSER" => 2,
            b"kty" => 3,
            mark if mark == announced::FORM.as_bytes() || mark == announced::RANDOM.as_bytes() => {
                announces.value = true;
                continue;
            }
            mark if mark.starts_with(b":") => 0,
            _ => {
                announces.block = true;
                continue;
            }
        };
        if let Some(marked) = marked.get_mut(finder) {
            *marked = true;
        }
    }
    // Each of them looks at all of the line.
    for (find, _) in FINDERS.iter().zip(marked).filter(|(_, marked)| *marked) {
        find(line, sink);
    }
    for mark in servers {
        mark.scan(line, sink);
    }
    announced::scan(line, announces, carry, sink);
}

/// `user_admin="x"` of a JAAS configuration.
pub(super) fn jaas(line: &[u8], sink: &mut Sink<'_>) {
    for found in memmem::find_iter(line, b"user_") {
        let name = skip(line, found, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
        });
        if at(line, name) == b'='
            && let Some(quote) = Quote::open(line, name + 1)
            && let Some(end) = quote.close(line)
        {
            sink.push(quote.start..end, "named-value");
        }
    }
}

/// `user default on >x ~* +@all`, of Redis.
fn access_list(line: &[u8], sink: &mut Sink<'_>) {
    for found in memmem::find_iter(line, b" >") {
        let range = super::bare::bare(line, found + 2);
        if !is_harmless(part(line, range.clone())) {
            sink.push(range, "access-list");
        }
    }
    // What it hashes to.
    const DIGITS: usize = 64;
    for found in memmem::find_iter(line, b" #") {
        let end = skip(line, found + 2, |byte| byte.is_ascii_hexdigit());
        if end == found + 2 + DIGITS {
            sink.push(found + 2..end, "access-list");
        }
    }
}

/// A private JSON Web Key: its secret parts have names of one or two letters.
fn web_key(line: &[u8], sink: &mut Sink<'_>) {
    const PARTS: [&[u8]; 7] = [b"d", b"p", b"q", b"dp", b"dq", b"qi", b"k"];
    for colon in memchr::memchr_iter(b':', line) {
        let quote = skip_back(line, colon, colon.saturating_sub(16), is_blank);
        let end = skip_back(line, quote, quote.saturating_sub(16), |byte| {
            matches!(byte, b'"' | b'\\')
        });
        let start = skip_back(line, end, end.saturating_sub(4), |byte| byte.is_ascii_alphabetic());
        if end < quote
            && super::bytes::before(line, start) == b'"'
            && PARTS.contains(&part(line, start..end))
            && let Some(quote) = Quote::open(line, skip(line, colon + 1, is_blank))
            && let Some(end) = quote.close(line)
            && end - quote.start >= 8
        {
            sink.push(quote.start..end, "web-key");
        }
    }
}

/// `host:port:database:user:password`; `\` escapes a colon.
pub(in crate::detect) fn pgpass_password(line: &[u8]) -> Option<std::ops::Range<usize>> {
    let mut fields = [0_usize; 5];
    let mut count = 1;
    let mut escaped = false;
    for (index, byte) in line.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b':' => {
                // A colon of the password is escaped.
                *fields.get_mut(count)? = index + 1;
                count += 1;
            }
            b' ' | b'\t' | b'"' | b'=' | b'{' | b'/' if count < 3 => return None,
            b' ' | b'\t' | b'"' => return None,
            _ => {}
        }
    }
    let [_, port, database, _, password] = fields;
    let number = part(line, port..database.saturating_sub(1));
    let is_port = number == b"*" || (!number.is_empty() && number.len() < 6 && number.iter().all(u8::is_ascii_digit));
    let range = password..line.len();
    (count == 5 && is_port && password > 0 && port > 1 && !is_harmless(part(line, range.clone()))).then_some(range)
}

fn pgpass(line: &[u8], sink: &mut Sink<'_>) {
    // A line of its own, or one in a string of JSON.
    let mut start = 0;
    while start < line.len() {
        let ends = |at: usize| {
            matches!(part(line, at..at + 2), [b'\\', b'n' | b'r' | b'"']) || matches!(super::bytes::at(line, at), b'"')
        };
        let end = (start..line.len()).find(|at| ends(*at)).unwrap_or(line.len());
        if let Some(range) = pgpass_password(part(line, start..end))
            && !part(line, start + range.start..end).contains(&b' ')
        {
            sink.push(start + range.start..end, "pgpass");
        }
        start = end + if at(line, end) == b'"' { 1 } else { 2 };
    }
}

/// `bob:$6$salt$hash:19000:…`, `bob:$apr1$salt$hash`.
fn hashed(line: &[u8], sink: &mut Sink<'_>) {
    let mut from = 0;
    while let Some(colon) = memchr::memchr(b':', rest(line, from)).map(|colon| from + colon) {
        from = colon + 1;
        let value = rest(line, from);
        let Some(hash) = HASHES.iter().find(|hash| value.starts_with(hash)) else {
            continue;
        };
        let end = skip(line, from + hash.len(), |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/' | b'$' | b'+' | b'=' | b',' | b'-' | b'_')
        });
        if end - from >= 20 && at(line, from) != 0 {
            sink.push(from..end, "password-hash");
        }
        from = end;
    }
}
