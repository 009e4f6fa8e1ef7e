//! JSON Pointers. RFC 6901.

use super::key_case::FREE_MAPS;
use crate::json::MAX_DEPTH;

/// The tokens of a pointer; the empty pointer, which is the whole object, has none. `None` if it is malformed, or deeper
/// than anything that is read.
pub(super) fn tokens(pointer: &str) -> Option<Vec<String>> {
    if pointer.is_empty() {
        return Some(Vec::new());
    }
    let tokens = pointer.strip_prefix('/')?.split('/');
    let tokens: Vec<String> = tokens.take(MAX_DEPTH + 1).map(unescaped).collect::<Option<_>>()?;
    (tokens.len() <= MAX_DEPTH).then_some(tokens)
}

fn unescaped(token: &str) -> Option<String> {
    let mut out = String::new();
    let mut characters = token.chars();
    while let Some(character) = characters.next() {
        match (character, character == '~') {
            (_, false) => out.push(character),
            (_, true) => match characters.next()? {
                '0' => out.push('~'),
                '1' => out.push('/'),
                _ => return None,
            },
        }
    }
    Some(out)
}

/// Whether a token, below the key `parent`, is the index of an element, as far as it tells.
pub(crate) fn is_index(parent: &str, token: &str) -> bool {
    (token == "-" || token.parse::<i64>().is_ok()) && !FREE_MAPS.contains(&parent)
}

/// Appends one more token to a pointer.
pub(super) fn push(pointer: &mut String, token: &str) {
    pointer.push('/');
    for character in token.chars() {
        match character {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_unescaped_once_and_written_back() {
        for (pointer, expected) in [
            ("", &[][..]),
            ("/", &[""]),
            ("/a/b~1c~0d", &["a", "b/c~d"]),
            ("/~01", &["~1"]),
        ] {
            let found = tokens(pointer).unwrap();
            assert_eq!(found, expected, "{pointer}");
            let mut again = String::new();
            found.iter().for_each(|token| push(&mut again, token));
            assert_eq!(again, pointer);
        }
        for malformed in ["a", "/~", "/~2", "a/b"] {
            assert_eq!(tokens(malformed), None, "{malformed}");
        }
        assert!(tokens(&"/a".repeat(MAX_DEPTH)).is_some());
        assert!(tokens(&"/a".repeat(1_000_000)).is_none());
    }
}
