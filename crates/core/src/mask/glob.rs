//! Patterns in which `*` stands for any run of characters, the empty one included.

/// Whether `text` as a whole is matched by `pattern`, in linear time.
///
/// The pieces between the stars are looked for from the left, each after the one before it; since a star takes any
/// run, an earlier place for a piece never spoils what follows.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut left) = text.strip_prefix(first) else {
        return false;
    };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for piece in middle.split('*') {
        let Some((_, after)) = left.split_once(piece) else {
            return false;
        };
        left = after;
    }
    left.ends_with(last)
}
