//! Values that lines before announce, and no name beside them: fields of a form in parts, what Terraform made up.

use memchr::memmem;

use super::blocks;
use super::bytes::{at, before, goes_on, is_blank, is_over, part, rest, skip, trimmed};
use super::harmless::is_harmless;
use super::quote::Quote;
use super::sink::Sink;
use super::value::{Place, is_secret};
use crate::detect::names::{Secrecy, secrecy};

/// What announces one.
pub(super) const FORM: &str = "form-data";
pub(super) const RANDOM: &str = "random_password";

/// Most headers between the name of a part and its value.
const MAX_HEADERS: u8 = 4;

/// Most lines of a state of Terraform between the type of a resource and its result.
const MAX_ATTRIBUTES: u8 = 40;

/// How far behind its name a value may be, in a form that is written as one string.
const MAX_GAP: usize = 256;

/// How far the end of a value is looked for; what is longer goes to the end of its line.
const MAX_VALUE: usize = 1024;

/// What the lines before say of the next one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Carry {
    /// The value of a part is next, behind so many headers.
    part: Option<(Secrecy, u8)>,
    /// The result of a resource is on one of the next lines.
    result: Option<u8>,
    blocks: blocks::Carry,
}

impl Carry {
    pub(super) fn is_idle(&self) -> bool {
        self.part.is_none() && self.result.is_none() && self.blocks.is_idle()
    }
}

/// What in a line announces something in the next ones.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Announces {
    pub(super) value: bool,
    pub(super) block: bool,
}

/// Looks at a line.
pub(super) fn scan(line: &[u8], announces: Announces, carry: &mut Carry, sink: &mut Sink<'_>) {
    blocks::scan(line, announces.block, &mut carry.blocks, sink);
    let announces = announces.value;
    if let Some((secrecy, headers)) = carry.part.take() {
        carry.part = value_of_part(line, secrecy, headers, sink);
    }
    if announces {
        field(line, carry, sink);
    }
    if announces || carry.result.is_some() {
        carry.result = results(line, carry.result, sink);
    }
}

/// The line behind the name of a part, which is not empty: another header, or the value.
fn value_of_part(line: &[u8], secrecy: Secrecy, headers: u8, sink: &mut Sink<'_>) -> Option<(Secrecy, u8)> {
    let value = trimmed(line, 0..line.len());
    if value.is_empty() || goes_on(line, value.start, b"content-") {
        return (headers < MAX_HEADERS).then_some((secrecy, headers + 1));
    }
    let text = part(line, value.clone());
    // The next part: this one has no value.
    if !text.starts_with(b"--") && is_secret(secrecy, text, Place::Assigned) {
        sink.push(value, "named-block");
    }
    None
}

/// `Content-Disposition: form-data; name="password"`.
fn field(line: &[u8], carry: &mut Carry, sink: &mut Sink<'_>) {
    for form in memmem::find_iter(line, FORM) {
        let head = part(line, form..line.len().min(form + MAX_GAP));
        let is_name = |name: &usize| matches!(before(head, *name), b' ' | b';' | b'\t');
        let Some(start) = memmem::find_iter(head, "name=")
            .find(is_name)
            .map(|name| form + name + 5)
        else {
            continue;
        };
        let (name, end) = match Quote::open(line, start) {
            Some(quote) => match quote.close(part(line, 0..line.len().min(start + MAX_GAP))) {
                Some(end) => (quote.start..end, quote.after(end)),
                None => continue,
            },
            None => {
                let end = skip(line, start, |byte| {
                    byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)
                });
                (start..end, end)
            }
        };
        let Some(secrecy) = secrecy(part(line, name)) else {
            continue;
        };
        if is_over(line, end) || at(line, end) == b';' {
            carry.part = Some((secrecy, 0));
        }
        // All of the form as one string: `name=\"password\"\r\n\r\nx\r\n--`.
        let gap = part(line, end..line.len().min(end + MAX_GAP));
        let empty = [&b"\\r\\n\\r\\n"[..], b"\\n\\n"];
        if let Some((at, length)) = empty
            .iter()
            .filter_map(|empty| Some((memmem::find(gap, empty)?, empty.len())))
            .min()
        {
            carry.part = None;
            let start = end + at + length;
            let end = skip(line, start, |byte| !matches!(byte, b'\\' | b'"'));
            let text = part(line, start..end);
            if !text.starts_with(b"--") && is_secret(secrecy, text, Place::Assigned) {
                sink.push(start..end, "named-block");
            }
        }
    }
}

/// `"type": "random_password"`, and on the same line or a later one `"result": "x"`.
fn results(line: &[u8], carried: Option<u8>, sink: &mut Sink<'_>) -> Option<u8> {
    let mut left = carried;
    let mut types = memmem::find_iter(line, "type").peekable();
    let mut results = memmem::find_iter(line, "result").peekable();
    loop {
        let (found, length) = match (types.peek().copied(), results.peek().copied()) {
            (Some(kind), result) if result.is_none_or(|result| kind < result) => (types.next(), 4),
            (_, Some(_)) => (results.next(), 6),
            _ => break,
        };
        let Some(value) = found.and_then(|found| member(line, found, length)) else {
            continue;
        };
        let closed = value.close(part(line, 0..line.len().min(value.start + MAX_VALUE)));
        let end = closed.unwrap_or(line.len());
        let text = part(line, value.start..end);
        if length == 4 {
            left = (text == RANDOM.as_bytes()).then_some(MAX_ATTRIBUTES);
        } else if left.is_some() {
            left = Some(MAX_ATTRIBUTES);
            if !is_harmless(text) {
                sink.push(value.start..end, "named-value");
            }
        }
    }
    left.and_then(|left| left.checked_sub(1))
}

/// The string that is the value of a member of an object.
fn member(line: &[u8], name: usize, length: usize) -> Option<Quote> {
    let end = skip(line, name + length, |byte| matches!(byte, b'"' | b'\\'));
    let colon = skip(line, end, is_blank);
    let quoted = end > name + length && before(line, name) == b'"' && at(line, colon) == b':';
    let value = quoted.then(|| skip(line, colon + 1, is_blank))?;
    Quote::open(line, value).filter(|quote| !rest(line, quote.start).is_empty())
}
