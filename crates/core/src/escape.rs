//! Untrusted text on one line of a terminal: nothing in it can move the cursor, reorder, hide or imitate.
//!
//! 1. What is not seen as itself is written as an escape: control characters (ANSI sequences begin with one), newlines,
//!    bidirectional controls, zero-width and filler characters, every space but the plain one, the backslash.
//! 2. Different texts never look the same because of escaping, since the backslash is escaped too.
//! 3. At most two combining marks stay on one character; more of them would paint over the lines around it.
//! 4. What is cut is counted.
//!
//! Letters that merely resemble others (`а` and `a`) stay as they are.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar as _;

/// Most combining marks that stay on one character.
const MAX_MARKS: usize = 2;

/// The text on one line, with everything escaped that a terminal would not show as itself.
#[must_use]
pub fn escape_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut marks = 0;
    for character in text.chars() {
        push(character, &mut marks, &mut out);
    }
    out
}

/// Like [`escape_line`], in at most `max` columns. A longer text ends in `…+n`: `n` characters of it are not shown.
///
/// Where not even the count has room, only as much of it is shown as there is.
#[must_use]
pub fn escape_clip(text: &str, max: usize) -> String {
    // Almost every text is plain and short.
    if text.len() <= max && text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'\\') {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut marks = 0;
    let mut columns = 0;
    // Where a cut is possible: bytes and columns of `out` after so many characters of `text`.
    let mut cuts = vec![(0, 0, 0)];
    for (index, character) in text.chars().enumerate() {
        let before = out.len();
        push(character, &mut marks, &mut out);
        columns += columns_of(out.get(before..).unwrap_or_default());
        if columns > max {
            return cut(text, out, &cuts, max);
        }
        cuts.push((out.len(), columns, index + 1));
    }
    out
}

/// The number of terminal columns that an escaped text takes.
#[must_use]
pub fn columns_of(escaped: &str) -> usize {
    escaped.chars().map(|character| character.width().unwrap_or(0)).sum()
}

fn cut(text: &str, mut out: String, cuts: &[(usize, usize, usize)], max: usize) -> String {
    let total = text.chars().count();
    for (bytes, columns, shown) in cuts.iter().rev() {
        let mark = format!("…+{}", total - shown);
        if columns + mark.chars().count() <= max {
            out.truncate(*bytes);
            out.push_str(&mark);
            return out;
        }
    }
    format!("…+{total}").chars().take(max).collect()
}

/// Appends one character of untrusted text; `marks` counts the combining marks in a row before it.
fn push(character: char, marks: &mut usize, out: &mut String) {
    let is_mark = character.width() == Some(0);
    *marks = if is_mark { *marks + 1 } else { 0 };
    match character {
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        hidden if is_hidden(hidden) || *marks > MAX_MARKS => {
            // Writing to a String can't fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(hidden));
        }
        plain => out.push(plain),
    }
}

/// Whether a terminal shows nothing, or something else, for this character.
pub(crate) fn is_hidden(character: char) -> bool {
    character.is_control()
        || (character.is_whitespace() && character != ' ')
        || matches!(character,
            // Soft hyphen, grapheme joiner, Arabic letter mark, Hangul and Khmer fillers, Mongolian controls.
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{3164}' | '\u{ffa0}'
            // Zero-width, directional marks, embeddings, overrides, isolates, invisible operators, braille blank.
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}'
            // Variation selectors, byte order mark, interlinear annotations, tags, shorthand and musical controls.
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
            // Private use: a font decides what it shows.
            | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_hides() {
        assert_eq!(escape_line("plain näme 名前"), "plain näme 名前");
        assert_eq!(escape_line("a\u{1b}[2Jb\r\n\tc\\n"), "a\\u{1b}[2Jb\\r\\n\\tc\\\\n");
        for hidden in [
            '\u{202a}',
            '\u{202e}',
            '\u{2066}',
            '\u{2069}',
            '\u{200b}',
            '\u{200f}',
            '\u{2028}',
            '\u{feff}',
            '\u{e0041}',
            '\u{9b}',
            '\u{7f}',
            '\u{a0}',
            '\u{3000}',
            '\u{3164}',
        ] {
            assert_eq!(
                escape_line(&hidden.to_string()),
                format!("\\u{{{:x}}}", u32::from(hidden))
            );
        }
    }

    #[test]
    fn combining_marks_do_not_pile_up() {
        assert_eq!(escape_line("e\u{301}"), "e\u{301}");
        let piled = format!("e{}", "\u{301}".repeat(50));
        assert_eq!(escape_line(&piled).matches('\u{301}').count(), MAX_MARKS);
    }

    #[test]
    fn what_is_cut_is_counted() {
        assert_eq!(escape_clip("0123456789", 10), "0123456789");
        assert_eq!(escape_clip("0123456789x", 10), "0123456…+4");
        assert_eq!(escape_clip(&"x".repeat(200), 10), "xxxxx…+195");
        assert_eq!(escape_clip("名前名前", 6), "名…+3");
        assert_eq!(escape_clip("ab\u{1b}cd", 8), "ab…+3", "an escape is never cut in half");
        assert_eq!(escape_clip("abcdef", 2), "…+");
        assert_eq!(escape_clip("abc", 0), "");
    }

    proptest! {
        #[test]
        fn a_clip_fits_its_columns(text in "\\PC{0,40}|[\\x00-\\x7f\u{300}\u{202e}名]{0,40}", max in 0_usize..60) {
            let clipped = escape_clip(&text, max);
            prop_assert!(columns_of(&clipped) <= max, "{clipped}");
            prop_assert!(!clipped.chars().any(|character| character.is_control()));
            if columns_of(&escape_line(&text)) <= max {
                prop_assert_eq!(clipped, escape_line(&text));
            }
        }
    }
}
