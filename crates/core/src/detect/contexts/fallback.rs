//! Values that stand in for a variable that isn't set: `env('DB_PASSWORD', 'x')`, `getenv("X") ?: "x"`, `${DB_PASSWORD:-x}`.

use std::ops::Range;

use memchr::memmem;

use super::bytes::{at, is_blank, part, rest, skip};
use super::quote::Quote;

/// Longest variable, with what reads it.
const LONGEST: usize = 96;

/// Where the string begins that stands in for a variable that code reads, if it does so here; else the position.
pub(super) fn of_call(line: &[u8], start: usize) -> usize {
    second_argument(line, start)
        .or_else(|| alternative(line, start))
        .unwrap_or(start)
}

/// Whether the name of a function, or of an object, says that it reads variables.
fn reads(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    [&b"env"[..], b"config"]
        .iter()
        .any(|word| memmem::find(&name, word).is_some())
}

/// `env('DB_PASSWORD', 'x')`, `config("PASSWORD", default="x")`.
fn second_argument(line: &[u8], start: usize) -> Option<usize> {
    const DEFAULT: &[u8] = b"default=";
    let near = part(line, 0..line.len().min(start + LONGEST));
    let open = skip(near, start, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':')
    });
    if at(line, open) != b'(' || !reads(part(line, start..open)) {
        return None;
    }
    let name = Quote::open(line, open + 1)?;
    let comma = name.after(name.close(near)?);
    let mut next = skip(line, comma + 1, is_blank);
    if rest(line, next).starts_with(DEFAULT) {
        next += DEFAULT.len();
    }
    if at(line, comma) == b')' {
        // `ENV.fetch("DB_PASS") { "x" }`.
        let brace = skip(line, comma + 1, is_blank);
        let next = skip(line, brace + 1, is_blank);
        return (at(line, brace) == b'{' && Quote::open(line, next).is_some()).then_some(next);
    }
    // `config.get("section", "key")` names what it reads.
    let function = part(line, start..open);
    let is_lookup = function.ends_with(b".get") && !function.ends_with(b"environ.get");
    (at(line, comma) == b',' && Quote::open(line, next).is_some() && !is_lookup).then_some(next)
}

/// `process.env.DB_PASSWORD || 'x'`, `getenv("PASSWORD") ?: "x"`, `os.environ.get("PASSWORD") or "x"`.
fn alternative(line: &[u8], start: usize) -> Option<usize> {
    const OPERATORS: [&[u8]; 4] = [b"||", b"??", b"?:", b"or"];
    if !at(line, start).is_ascii_alphabetic() {
        return None;
    }
    let near = part(line, 0..line.len().min(start + LONGEST));
    let end = skip(near, start, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'(' | b')' | b'[' | b']' | b'"' | b'\'')
    });
    let sign = skip(near, end, is_blank);
    let next = skip(line, sign + 2, is_blank);
    let is_other = sign > end && OPERATORS.contains(&part(line, sign..sign + 2));
    (is_other && Quote::open(line, next).is_some() && reads(part(line, start..end))).then_some(next)
}

/// The default of `${DB_PASSWORD:-x}` in a shell, of `${DB_PASSWORD:x}` in a configuration of Spring.
pub(super) fn of_variable(line: &[u8], start: usize) -> Option<Range<usize>> {
    let start = Quote::open(line, start).map_or(start, |quote| quote.start);
    if part(line, start..start + 2) != b"${" {
        return None;
    }
    let near = part(line, 0..line.len().min(start + LONGEST));
    let colon = skip(near, start + 2, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
    });
    let default = colon + 1 + usize::from(matches!(at(line, colon + 1), b'-' | b'='));
    let is_value = |byte: u8| byte > b' ' && !matches!(byte, b'}' | b'{' | b'$' | b'"' | b'\'' | b'`');
    let end = skip(part(line, 0..line.len().min(default + LONGEST)), default, is_value);
    let sets =
        at(line, colon) == b':' && !matches!(at(line, default), b'?' | b'+' | b'0'..=b'9') && at(line, end) == b'}';
    sets.then_some(default..end)
}
