//! A Secret as JSON in one line, as clients log it: all of its data.

use std::sync::LazyLock;

use memchr::memmem;

use super::bytes::{at, is_blank, part, rest, skip};
use super::harmless::is_harmless;
use super::quote::Quote;
use super::sink::Sink;

/// Most members of its data that are looked at.
const MOST: usize = 256;

/// Finds the values of the Secret that a line is.
pub(super) fn scan(line: &[u8], sink: &mut Sink<'_>) {
    if !is_secret(line) {
        return;
    }
    for data in [&b"\"data\""[..], b"\"stringData\""] {
        if let Some(found) = memmem::find(line, data) {
            members(line, found + data.len(), sink);
        }
    }
}

/// Whether its kind says so.
fn is_secret(line: &[u8]) -> bool {
    const KIND: &[u8] = b"\"kind\"";
    static SECRET: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new("\"Secret\""));
    SECRET.find(line).is_some()
        && memmem::find_iter(line, KIND).take(MOST).any(|kind| {
            let sign = skip(line, kind + KIND.len(), is_blank);
            let value = skip(line, sign + 1, is_blank);
            at(line, sign) == b':' && rest(line, value).starts_with(b"\"Secret\"")
        })
}

/// Masks the strings of the object behind a key.
fn members(line: &[u8], from: usize, sink: &mut Sink<'_>) {
    let sign = skip(line, from, is_blank);
    let mut position = skip(line, sign + 1, is_blank);
    if at(line, sign) != b':' || at(line, position) != b'{' {
        return;
    }
    for _ in 0..MOST {
        let key = skip(line, position + 1, is_blank);
        let Some(end) = Quote::open(line, key).and_then(|key| Some(key.after(key.close(line)?))) else {
            return;
        };
        let sign = skip(line, end, is_blank);
        let value = skip(line, sign + 1, is_blank);
        let Some(quote) = Quote::open(line, value).filter(|_| at(line, sign) == b':') else {
            return;
        };
        let Some(close) = quote.close(line) else {
            return;
        };
        if !is_harmless(part(line, quote.start..close)) {
            sink.push(quote.start..close, "named-value");
        }
        position = skip(line, quote.after(close), is_blank);
        if at(line, position) != b',' {
            return;
        }
    }
}
