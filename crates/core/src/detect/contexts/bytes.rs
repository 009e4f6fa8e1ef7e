//! Reading bytes by position, without a panic and without a position that is out of the text.

use std::ops::Range;

/// The byte at a position; NUL behind the end, which is part of no name, number, quote or space.
pub(super) fn at(text: &[u8], position: usize) -> u8 {
    text.get(position).copied().unwrap_or(0)
}

/// The byte before a position; NUL before the first.
pub(super) fn before(text: &[u8], position: usize) -> u8 {
    position.checked_sub(1).map_or(0, |last| at(text, last))
}

/// A part of the text; empty if it isn't one.
pub(super) fn part(text: &[u8], range: Range<usize>) -> &[u8] {
    text.get(range).unwrap_or_default()
}

/// The text from a position on.
pub(super) fn rest(text: &[u8], from: usize) -> &[u8] {
    text.get(from..).unwrap_or_default()
}

/// Where bytes of a kind end.
pub(super) fn skip(text: &[u8], from: usize, of: impl Fn(u8) -> bool) -> usize {
    from + rest(text, from).iter().take_while(|byte| of(**byte)).count()
}

/// Where bytes of a kind begin that end at a position, not before `least`.
pub(super) fn skip_back(text: &[u8], to: usize, least: usize, of: impl Fn(u8) -> bool) -> usize {
    to - part(text, least..to).iter().rev().take_while(|byte| of(**byte)).count()
}

/// Whether the text goes on with something, in lower case, at a position, whatever the case in the text.
pub(super) fn goes_on(text: &[u8], from: usize, with: &[u8]) -> bool {
    part(text, from..from.saturating_add(with.len())).eq_ignore_ascii_case(with)
}

/// A space or a tab.
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Whether there are only blanks from a position on. Looks no further than it must.
pub(super) fn is_over(text: &[u8], from: usize) -> bool {
    skip(text, from, |byte| byte.is_ascii_whitespace()) >= text.len()
}

/// A part without blanks, carriage returns and line feeds at its ends.
pub(super) fn trimmed(text: &[u8], range: Range<usize>) -> Range<usize> {
    let space = |byte: u8| is_blank(byte) || matches!(byte, b'\r' | b'\n');
    let start = range.start
        + part(text, range.clone())
            .iter()
            .take_while(|byte| space(**byte))
            .count();
    start..skip_back(text, range.end, start.min(range.end), space)
}
