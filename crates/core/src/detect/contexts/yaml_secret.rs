//! A Secret as YAML: all below its `data` and `stringData`, where its kind comes first.

use super::bytes::{at, part, rest, skip, trimmed};
use super::harmless::is_harmless;
use super::lines::indent;
use super::quote::Quote;
use super::sink::Sink;

/// Fewest bytes of a value that is masked.
const LEAST: usize = 2;

/// What the lines before say of the next one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Carry {
    /// The indentation of the keys of a Secret.
    secret: Option<usize>,
    /// Whether its values are here.
    in_data: bool,
}

impl Carry {
    pub(super) fn is_idle(&self) -> bool {
        self.secret.is_none()
    }
}

/// Looks at a line; `named` says whether it may say that an object is a Secret.
pub(super) fn scan(line: &[u8], named: bool, carry: &mut Carry, sink: &mut Sink<'_>) {
    let content = trimmed(line, 0..line.len());
    let text = part(line, content.clone());
    let depth = indent(line);
    if let Some(keys) = carry.secret {
        if text.starts_with(b"---") || depth < keys || text.starts_with(b"- ") && depth <= keys {
            *carry = Carry::default();
        } else if depth == keys {
            carry.in_data = matches!(text, b"data:" | b"stringData:");
            return;
        } else if carry.in_data {
            member(line, content.start, sink);
            return;
        }
    }
    if named && let Some(before) = text.strip_suffix(b"kind: Secret") {
        // The first key of an entry of a list is indented by its sign.
        let is_key = before.is_empty() || before == b"- ";
        carry.secret = is_key.then_some(depth + before.len());
        carry.in_data = false;
    }
}

/// `key: value`.
fn member(line: &[u8], start: usize, sink: &mut Sink<'_>) {
    let key = match Quote::open(line, start) {
        Some(quote) => quote.close(line).map_or(line.len(), |close| quote.after(close)),
        None => skip(line, start, |byte| !matches!(byte, b':' | b' ')),
    };
    let value = trimmed(line, key + 1..line.len());
    if at(line, key) != b':' || matches!(rest(line, value.start), [b'|' | b'>', ..]) {
        return;
    }
    let value = match Quote::open(line, value.start) {
        Some(quote) => quote.start..quote.close(line).unwrap_or(value.end),
        None => value,
    };
    if value.len() >= LEAST && !is_harmless(part(line, value.clone())) {
        sink.push(value, "named-value");
    }
}
