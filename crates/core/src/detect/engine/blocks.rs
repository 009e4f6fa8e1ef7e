//! What goes on over several lines: private keys in armour (PEM, OpenPGP, PuTTY).
//!
//! Logs cut keys off, put a time before each line, or print other lines in between. So a block does not need its end, and
//! its lines are told by what they look like: base64 as wide as the first one, or a header that keys have.

use std::ops::Range;

use memchr::{memchr3, memmem};

/// Most lines of a block.
const MAX_LINES: usize = 1024;
/// Most lines of others in between.
const MAX_STRANGE: usize = 4;
/// Shortest first line of base64, and shortest run of it that counts wherever it stands.
const MIN_WIDTH: usize = 16;
const MIN_RUN: usize = 40;

const ENDS: [&[u8]; 3] = [b"-----END", b"---- END", b"Private-MAC:"];
const HEADERS: [&[u8]; 19] = [
    b"Proc-Type:",
    b"DEK-Info:",
    b"Version:",
    b"Comment:",
    b"Hash:",
    b"Charset:",
    b"MessageID:",
    b"Subject:",
    b"X-",
    b"Encryption:",
    b"Public-Lines:",
    b"Private-Lines:",
    b"Key-Derivation:",
    b"Argon2-Memory:",
    b"Argon2-Passes:",
    b"Argon2-Parallelism:",
    b"Argon2-Salt:",
    b"Bag Attributes",
    b"#",
];

/// A block whose end has not come yet.
#[derive(Debug, Clone, Default)]
pub(in crate::detect) struct Block {
    lines: usize,
    strange: usize,
    /// Of the first line of base64.
    width: usize,
    /// Whether a line was shorter than that, as the last one is.
    short: bool,
    /// Where the key is in lines that have something else before it.
    column: Option<Column>,
}

/// Where a run of base64 is in its line: what logs put before a line differs from line to line, but not in its shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Column {
    /// How many bytes before it are none of base64.
    others: usize,
    /// The bytes next to it; none at the ends of the line.
    around: (Option<u8>, Option<u8>),
}

/// What follows the opening of a block in its line.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::detect) enum Rest {
    /// So many bytes of the key, line breaks written as `\n`.
    Key(usize),
    /// Nothing: the key is in the lines that follow.
    Nothing,
    /// Something else: this only speaks of a key.
    Prose,
}

/// A line of a block.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::detect) struct Line {
    /// What belongs to the key.
    pub(in crate::detect) key: Option<Range<usize>>,
    /// Whether this was the last line.
    pub(in crate::detect) over: bool,
}

impl Block {
    /// Looks at the next line, without its end.
    pub(in crate::detect) fn line(&mut self, line: &[u8]) -> Line {
        let content = content(line);
        let text = line.get(content.clone()).unwrap_or_default();
        // Between the two characters of a line end too.
        if text.is_empty() {
            return Line { key: None, over: false };
        }
        self.lines += 1;
        if memmem::find(text, b"---- BEGIN")
            .or_else(|| memmem::find(text, b"-----BEGIN"))
            .is_some()
        {
            return Line { key: None, over: true };
        }
        if let Some(mark) = ENDS.iter().find_map(|end| memmem::find(text, end)) {
            let before = text.get(..mark).unwrap_or_default();
            let start = if before.iter().all(|byte| is_base64(*byte)) {
                0
            } else {
                mark
            };
            let end = mark + end_of_mark(text.get(mark..).unwrap_or_default());
            return Line {
                key: Some(content.start + start..content.start + end),
                over: true,
            };
        }
        let key = if self.is_body(text) {
            Some(content)
        } else {
            self.run_in(line)
        };
        let strange = key.is_none() && !has_header(text);
        if strange {
            self.strange += 1;
        }
        let cut_off = strange && self.short;
        Line {
            key,
            over: cut_off || self.strange > MAX_STRANGE || self.lines > MAX_LINES,
        }
    }

    /// The part of the key in a line that has something else in it: a long run of base64, and of the last line one at the
    /// same place.
    fn run_in(&mut self, line: &[u8]) -> Option<Range<usize>> {
        if let Some(run) = longest_run(line).filter(|run| run.len() >= MIN_RUN) {
            self.column = Some(Column::of(line, &run));
            return Some(run);
        }
        let column = self.column.filter(|_| !self.short)?;
        let run = column.run(line)?;
        self.short = true;
        Some(run)
    }

    fn is_body(&mut self, text: &[u8]) -> bool {
        if HEADERS.iter().any(|header| text.starts_with(header)) {
            return true;
        }
        if text.is_empty() || !text.iter().all(|byte| is_base64(*byte)) {
            return false;
        }
        let width = text.len();
        if self.width == 0 {
            self.width = if width < MIN_WIDTH { 0 } else { width };
            return self.width > 0;
        }
        if width < self.width {
            // The checksum of OpenPGP comes after the last line.
            let is_body = !self.short || text.starts_with(b"=") || width >= MIN_RUN;
            self.short = true;
            return is_body;
        }
        width == self.width || width >= MIN_RUN
    }
}

impl Column {
    fn of(line: &[u8], run: &Range<usize>) -> Self {
        let before = line.get(..run.start).unwrap_or_default();
        Self {
            others: before.iter().filter(|byte| !is_base64(**byte)).count(),
            around: (before.last().copied(), line.get(run.end).copied()),
        }
    }

    /// The run at this place of another line.
    fn run(self, line: &[u8]) -> Option<Range<usize>> {
        let mut others = line.iter().enumerate().filter(|(_, byte)| !is_base64(**byte));
        let start = match self.others.checked_sub(1) {
            None => 0,
            Some(last) => others.nth(last)?.0 + 1,
        };
        let rest = line.get(start..).unwrap_or_default();
        let run = start..start + rest.iter().take_while(|byte| is_base64(**byte)).count();
        (!run.is_empty() && Self::of(line, &run) == self).then_some(run)
    }
}

/// What follows the opening of a block in the same line.
pub(in crate::detect) fn rest_of_line(rest: &[u8]) -> Rest {
    let (mut at, mut key) = (0, 0);
    loop {
        at += separators(rest.get(at..).unwrap_or_default());
        let text = rest.get(at..).unwrap_or_default();
        if key == 0 && rest.starts_with(b"\\") && matches!(text.first(), Some(b'"' | b'\'')) {
            // A string with this line alone, in a log in JSON or in a program.
            return Rest::Nothing;
        }
        if ENDS.iter().any(|end| text.starts_with(end)) {
            return if key == 0 {
                Rest::Prose
            } else {
                Rest::Key(at + end_of_mark(text))
            };
        }
        let run = text.iter().take_while(|byte| is_base64(**byte)).count();
        let after = text.get(run..).unwrap_or_default();
        if HEADERS.iter().any(|header| text.starts_with(header)) {
            at += memchr3(b'\\', b'%', b'\n', text).unwrap_or(text.len());
        } else if run >= MIN_WIDTH
            || key > 0
                && run > 0
                && (after.is_empty() || matches!(after.first(), Some(b'\\' | b'%')) || ends_behind(after))
        {
            at += run;
            key = at;
        } else {
            break;
        }
    }
    if key > 0 {
        return Rest::Key(key);
    }
    let rest = rest.get(colours(rest)..).unwrap_or_default();
    let only_closes = rest.iter().all(|byte| b" \t\"'`,;|>\\nr".contains(byte));
    if only_closes { Rest::Nothing } else { Rest::Prose }
}

/// Whether the end of the block is behind some blanks.
fn ends_behind(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    ENDS.iter().any(|end| text.starts_with(end))
}

/// The length of what sets the colours of a terminal at the start.
fn colours(text: &[u8]) -> usize {
    match text {
        [0x1b, b'[', rest @ ..] => {
            let codes = rest
                .iter()
                .take_while(|byte| byte.is_ascii_digit() || **byte == b';')
                .count();
            if rest.get(codes) == Some(&b'm') { codes + 3 } else { 0 }
        }
        _ => 0,
    }
}

/// How many bytes at the start are line breaks, as they are written in strings.
fn separators(text: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        at += match rest {
            [b' ' | b'\t', ..] => 1,
            [b'\\', b'n' | b'r' | b't' | b'/' | b'\\', ..] => 2,
            [b'\\', b'u', b'0', b'0', b'0', b'a' | b'A' | b'd' | b'D', ..] => 6,
            // In a URL; what else is escaped there was resolved.
            [b'%', b'0', b'a' | b'A' | b'd' | b'D', ..] => 3,
            // Behind two backslashes, of which both were taken.
            [b'n' | b'r', ..] if at >= 2 && text.get(at - 1) == Some(&b'\\') => 1,
            _ => return at,
        };
    }
}

/// The length of `-----END … KEY-----`, or of `Private-MAC: …`.
fn end_of_mark(text: &[u8]) -> usize {
    if text.starts_with(b"Private-MAC:") {
        let digits = |byte: &&u8| byte.is_ascii_hexdigit() || **byte == b' ';
        return 12 + text.iter().skip(12).take_while(digits).count();
    }
    let label = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b' ';
    let name = 5 + text.iter().skip(5).take_while(label).count();
    name + text.iter().skip(name).take(5).take_while(|byte| **byte == b'-').count()
}

/// A line without the time before it, indentation, quotes and a written line break.
fn content(line: &[u8]) -> Range<usize> {
    let start = timestamp(line);
    let text = line.get(start..).unwrap_or_default();
    let start = start + colours(text);
    let text = line.get(start..).unwrap_or_default();
    let before = text.iter().take_while(|byte| b" \t\"'`|>".contains(byte)).count();
    let mut text = text.get(before..).unwrap_or_default();
    loop {
        text = match text {
            [
                rest @ ..,
                b' ' | b'\t' | b'"' | b'\'' | b'`' | b',' | b';' | b'\\' | b'\r',
            ] => rest,
            [rest @ .., b'\\', b'n' | b'r'] => rest,
            [rest @ .., 0x1b, b'[', b'm'] | [rest @ .., 0x1b, b'[', b'0', b'm'] => rest,
            _ => break,
        };
    }
    start + before..start + before + text.len()
}

/// The length of the time that the kubelet puts before a line, with the space behind it.
fn timestamp(line: &[u8]) -> usize {
    let Some(end) = line.iter().take(48).position(|byte| *byte == b' ') else {
        return 0;
    };
    let time = line.get(..end).unwrap_or_default();
    let digits = |byte: &u8| byte.is_ascii_digit() || b"-:.TZ+".contains(byte);
    let is_time = time.len() >= 19 && time.get(10) == Some(&b'T') && time.iter().all(digits);
    if is_time { end + 1 } else { 0 }
}

/// Whether a header of a key is somewhere behind what a log puts before it.
fn has_header(text: &[u8]) -> bool {
    HEADERS.iter().filter(|header| header.len() > 4).any(|header| {
        memmem::find(text, header)
            .and_then(|at| at.checked_sub(1))
            .is_some_and(|before| text.get(before).is_some_and(|byte| !byte.is_ascii_alphanumeric()))
    })
}

fn longest_run(line: &[u8]) -> Option<Range<usize>> {
    let mut longest: Option<Range<usize>> = None;
    let mut at = 0;
    for run in line.split(|byte| !is_base64(*byte)) {
        if longest.as_ref().is_none_or(|longest| longest.len() < run.len()) {
            longest = Some(at..at + run.len());
        }
        at += run.len() + 1;
    }
    longest
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)
}
