//! Where a word may begin.

/// Longest colour code that is looked for before a word.
const MAX_CODE: usize = 16;

/// Whether a word may begin here: at the start, behind what is no part of a word, or behind an escape whose last
/// character only looks like one (`\n` in JSON, `%3D` in a URL, a colour code of a terminal).
pub(super) fn begins_word(text: &[u8], at: usize) -> bool {
    let Some((before, _)) = text.split_at_checked(at) else {
        return false;
    };
    match before {
        [] => true,
        [.., last] if !is_word(*last) => true,
        [.., b'\\', b'n' | b'r' | b't' | b'f' | b'b'] => true,
        [.., b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => true,
        [.., b'\\', b'x', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => true,
        [.., b'\\', b'u', b'0', b'0', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => true,
        [.., b'm' | b'K'] => ends_in_colour_code(before),
        _ => false,
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// `ESC [ 01 ; 31 m`; the escape character may be written as `\x1b`, `\u001b`, `\e` or `\033`.
fn ends_in_colour_code(before: &[u8]) -> bool {
    let mut back = before.iter().rev().skip(1).take(MAX_CODE);
    let opening = back.find(|byte| !byte.is_ascii_digit() && **byte != b';');
    opening == Some(&b'[') && matches!(back.next(), Some(0x1b | b'b' | b'B' | b'e' | b'3'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_begin_behind_escapes() {
        for before in [
            "",
            " ",
            "=",
            "\"",
            "-",
            "a\\n",
            "a\\t",
            "a%3D",
            "a\\u0022",
            "a\u{1b}[31m",
            "a\u{1b}[0m\u{1b}[01;31m\u{1b}[K",
            "\\u001b[1m",
            "\\033[32m",
        ] {
            assert!(
                begins_word(format!("{before}word").as_bytes(), before.len()),
                "{before:?}"
            );
        }
        for before in ["a", "_", "0", "nn", "m", "[m", "31m", "a%D"] {
            assert!(
                !begins_word(format!("{before}word").as_bytes(), before.len()),
                "{before:?}"
            );
        }
    }
}
