//! Patterns in which `*` stands for any run of characters, the empty one included. No other character is special.

use smol_str::SmolStr;

/// A pattern over names, namespaces or subjects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glob {
    pattern: SmolStr,
    stars: Stars,
}

/// Where the stars of a pattern are. Nearly all patterns are of the first two forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stars {
    None,
    /// Nothing but one.
    All,
    /// One, at the end.
    Last,
    Some,
}

impl Glob {
    pub(super) fn new(pattern: impl Into<SmolStr>) -> Self {
        let pattern = pattern.into();
        let stars = match pattern.split_once('*') {
            Some(("", "")) => Stars::All,
            None => Stars::None,
            Some((_, "")) => Stars::Last,
            Some(_) => Stars::Some,
        };
        Self { pattern, stars }
    }

    /// What stands before the first star.
    pub(super) fn prefix(&self) -> &str {
        self.pattern.split_once('*').map_or(&self.pattern, |(prefix, _)| prefix)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.pattern
    }

    /// Whether the whole text is matched.
    #[inline]
    pub(super) fn matches(&self, text: &str) -> bool {
        let pattern = self.pattern.as_str();
        match self.stars {
            Stars::None => pattern == text,
            Stars::All => true,
            Stars::Last => pattern
                .as_bytes()
                .split_last()
                .is_some_and(|(_, prefix)| text.as_bytes().starts_with(prefix)),
            Stars::Some => matches(pattern, text),
        }
    }

    /// Whether some text is matched by both.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        match (self.is_exact(), other.is_exact()) {
            (true, _) => other.matches(&self.pattern),
            (_, true) => self.matches(&other.pattern),
            (false, false) => overlaps(self.pattern.as_bytes(), other.pattern.as_bytes()),
        }
    }

    /// Whether exactly one text is matched.
    pub(super) fn is_exact(&self) -> bool {
        self.stars == Stars::None
    }

    /// Whether every text is matched.
    pub(super) fn matches_everything(&self) -> bool {
        match self.stars {
            Stars::All => true,
            Stars::None | Stars::Last => false,
            // Two and more.
            Stars::Some => self.pattern.bytes().all(|byte| byte == b'*'),
        }
    }
}

/// Whether `text` as a whole is matched by `pattern`.
///
/// The pieces between the stars are looked for from the left, each after the one before it. That is enough, since a
/// star takes any run: an earlier place for a piece never spoils what follows. So there is no backtracking.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut left) = text.strip_prefix(first) else {
        return false;
    };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for piece in middle.split('*') {
        // An empty piece, as between two stars, is found at once and takes nothing.
        let Some((_, after)) = left.split_once(piece) else {
            return false;
        };
        left = after;
    }
    left.ends_with(last)
}

/// Whether some text is matched by both patterns, found in time of the product of their lengths: for each position in
/// `a` and each in `b`, whether what is left of both has a common text.
fn overlaps(a: &[u8], b: &[u8]) -> bool {
    // `row[j]`: whether the rests of `a` from the position above, and of `b` from `j` on, overlap.
    let mut below: Vec<bool> = Vec::new();
    for i in (0..=a.len()).rev() {
        let mut row = vec![false; b.len() + 1];
        for j in (0..=b.len()).rev() {
            let is = |row: &[bool], j: usize| row.get(j).copied().unwrap_or_default();
            let here = match (a.get(i), b.get(j)) {
                (None, None) => true,
                // A star takes nothing, or the next character of the other.
                (Some(b'*'), _) | (_, Some(b'*')) => is(&below, j) || is(&row, j + 1),
                (Some(x), Some(y)) => x == y && is(&below, j + 1),
                (None, Some(_)) | (Some(_), None) => false,
            };
            if let Some(place) = row.get_mut(j) {
                *place = here;
            }
        }
        below = row;
    }
    below.first().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_take_any_run() {
        for (pattern, text, expected) in [
            ("team-a", "team-a", true),
            ("team-a", "team-ab", false),
            ("team-a", "xteam-a", false),
            ("team-*", "team-", true),
            ("team-*", "team-a", true),
            ("team-*", "team", false),
            ("*-internal", "app-internal", true),
            ("*-internal", "app-internal-2", false),
            ("*", "", true),
            ("**", "x", true),
            ("a*b*c", "abc", true),
            ("a*b*c", "a-b-c-b-c", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a*ba", "aba", true),
            ("*aab*", "aaab", true),
            ("system:*", "system:node/x", true),
            ("", "", true),
            ("", "x", false),
            ("é*", "éa", true),
        ] {
            assert_eq!(Glob::new(pattern).matches(text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn only_stars_match_everything() {
        assert!(Glob::new("*").matches_everything());
        assert!(Glob::new("**").matches_everything());
        assert!(!Glob::new("a*").matches_everything());
        assert!(!Glob::new("").matches_everything());
    }

    /// Slow and obvious.
    fn reference(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|taken| reference(rest, &text[taken..])),
            Some((first, rest)) => text
                .split_first()
                .is_some_and(|(byte, text)| byte == first && reference(rest, text)),
        }
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_the_reference(pattern in "[ab*]{0,8}", text in "[ab]{0,8}") {
            proptest::prop_assert_eq!(Glob::new(&*pattern).matches(&text), reference(pattern.as_bytes(), text.as_bytes()));
        }

        #[test]
        fn overlapping_is_having_a_text_in_common(a in "[ab*]{0,5}", b in "[ab*]{0,5}") {
            let texts = (0..=10_u32).flat_map(|length| (0..1_u32 << length).map(move |bits| {
                (0..length).map(|bit| if bits >> bit & 1 == 0 { 'a' } else { 'b' }).collect::<String>()
            }));
            let common = texts.into_iter().any(|text| matches(&a, &text) && matches(&b, &text));
            proptest::prop_assert_eq!(overlaps(a.as_bytes(), b.as_bytes()), common, "{} {}", a, b);
        }
    }
}
