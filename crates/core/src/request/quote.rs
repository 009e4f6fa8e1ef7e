//! Untrusted text in messages.

use std::fmt;

use crate::escape::escape_clip;

/// Most columns of the caller's input that a message repeats.
const SHOWN: usize = 64;

/// Shows untrusted text between backquotes, escaped, and cut where it is long.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", escape_clip(self.0, SHOWN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn untrusted_text_is_escaped_and_cut() {
        assert_eq!(Quoted("a b").to_string(), "`a b`");
        assert_eq!(Quoted("a\n\u{202e}").to_string(), "`a\\n\\u{202e}`");
        let long = Quoted(&"x".repeat(100)).to_string();
        assert_eq!(long, format!("`{}…+40`", "x".repeat(60)));
    }
}
