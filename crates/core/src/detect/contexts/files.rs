//! Lines of files that have secrets at a fixed place: `.pgpass`, `/etc/shadow`, `.htpasswd`.

use std::sync::LazyLock;

use aho_corasick::packed::Searcher;
use memchr::memmem;

use super::bytes::{at, part, rest, skip};
use super::sink::Sink;
use super::value::is_harmless;

/// What such a line has in it: the port of a `.pgpass`, the hash of the others.
const MARKS: [&[u8]; 8] = [
    b":5432:", b":*:", b":5433:", b":6432:", b":6543:", b":$", b":{SHA}", b":{SSHA}",
];

/// How hashed passwords begin.
const HASHES: [&[u8]; 13] = [
    b"$1$", b"$2a$", b"$2b$", b"$2y$", b"$2x$", b"$5$", b"$6$", b"$7$", b"$y$", b"$gy$", b"$apr1$", b"{SHA}", b"{SSHA}",
];

static SEARCH: LazyLock<Option<Searcher>> = LazyLock::new(|| Searcher::new(MARKS));

/// Where the next such line may be.
pub(super) fn next(text: &[u8], from: usize) -> Option<usize> {
    let text = rest(text, from);
    match &*SEARCH {
        Some(searcher) => searcher.find(text).map(|found| from + found.start()),
        None => (!text.is_empty()).then_some(from),
    }
}

/// Finds the secret of such a line.
pub(super) fn scan(line: &[u8], sink: &mut Sink<'_>) {
    let mark = |index: usize| MARKS.get(index).is_some_and(|mark| memmem::find(line, mark).is_some());
    if (0..5).any(mark) {
        pgpass(line, sink);
    }
    if (5..8).any(mark) {
        hashed(line, sink);
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
                *fields.get_mut(count)? = index + 1;
                count += 1;
                if count == 5 {
                    break;
                }
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
    if let Some(range) = pgpass_password(line)
        && !part(line, range.clone()).contains(&b' ')
    {
        sink.push(range, "pgpass");
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
