//! Untrusted text in messages: escaped, and cut.

use std::fmt;

/// Most characters of the caller's input that a message repeats.
const SHOWN: usize = 64;

/// Shows untrusted text between backquotes, escaped and at most 64 characters long.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut escaped = self.0.chars().flat_map(escape);
        f.write_str("`")?;
        for character in escaped.by_ref().take(SHOWN) {
            write!(f, "{character}")?;
        }
        f.write_str("`")?;
        if escaped.next().is_some() {
            f.write_str("…")?;
        }
        Ok(())
    }
}

/// Everything but printable ASCII is escaped: what looks like another letter, or turns the reading direction, must not
/// reach a terminal or an approver.
fn escape(character: char) -> impl Iterator<Item = char> {
    let plain = matches!(character, ' '..='~' if character != '`' && character != '\\');
    let (kept, escaped) = if plain {
        (Some(character), None)
    } else {
        (None, Some(character.escape_unicode()))
    };
    kept.into_iter().chain(escaped.into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn untrusted_text_is_escaped_and_cut() {
        assert_eq!(Quoted("a b").to_string(), "`a b`");
        assert_eq!(Quoted("a`\n\u{202e}").to_string(), "`a\\u{60}\\u{a}\\u{202e}`");
        let long = Quoted(&"x".repeat(65)).to_string();
        assert_eq!(long, format!("`{}`…", "x".repeat(64)));
    }
}
