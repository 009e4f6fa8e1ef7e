//! Text that is kept in place.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use arrayvec::ArrayString;

/// A text of a request. One of usual length is kept in place, so that what is known of a request is one piece of memory.
#[derive(Clone)]
pub struct Text<const IN_PLACE: usize = 44>(Kept<IN_PLACE>);

#[derive(Clone)]
enum Kept<const IN_PLACE: usize> {
    InPlace(ArrayString<IN_PLACE>),
    Elsewhere(Arc<str>),
}

impl<const IN_PLACE: usize> Text<IN_PLACE> {
    /// The text.
    #[must_use]
    #[inline]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Kept::InPlace(text) => text,
            Kept::Elsewhere(text) => text,
        }
    }

    /// Puts another text in the place of this one.
    #[inline]
    pub(super) fn set(&mut self, text: &str) {
        if let Kept::InPlace(kept) = &mut self.0 {
            kept.clear();
            if kept.try_push_str(text).is_ok() {
                return;
            }
        }
        *self = text.into();
    }
}

impl<const IN_PLACE: usize> From<&str> for Text<IN_PLACE> {
    fn from(text: &str) -> Self {
        Self(match ArrayString::from(text) {
            Ok(text) => Kept::InPlace(text),
            Err(_) => Kept::Elsewhere(text.into()),
        })
    }
}

impl<const IN_PLACE: usize> From<String> for Text<IN_PLACE> {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl<const IN_PLACE: usize> Default for Text<IN_PLACE> {
    #[inline]
    fn default() -> Self {
        Self(Kept::InPlace(ArrayString::new_const()))
    }
}

impl<const IN_PLACE: usize> Deref for Text<IN_PLACE> {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl<const IN_PLACE: usize> AsRef<str> for Text<IN_PLACE> {
    fn as_ref(&self) -> &str {
        self
    }
}

impl<const IN_PLACE: usize> fmt::Debug for Text<IN_PLACE> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl<const IN_PLACE: usize> fmt::Display for Text<IN_PLACE> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

impl<const IN_PLACE: usize> PartialEq for Text<IN_PLACE> {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl<const IN_PLACE: usize> Eq for Text<IN_PLACE> {}

impl<const IN_PLACE: usize> PartialEq<str> for Text<IN_PLACE> {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl<const IN_PLACE: usize> PartialEq<&str> for Text<IN_PLACE> {
    #[inline]
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl<const IN_PLACE: usize> PartialEq<String> for Text<IN_PLACE> {
    fn eq(&self, other: &String) -> bool {
        self.as_str() == other
    }
}

impl<const IN_PLACE: usize> PartialEq<Text<IN_PLACE>> for str {
    fn eq(&self, other: &Text<IN_PLACE>) -> bool {
        self == other.as_str()
    }
}

impl<const IN_PLACE: usize> PartialEq<Text<IN_PLACE>> for &str {
    fn eq(&self, other: &Text<IN_PLACE>) -> bool {
        *self == other.as_str()
    }
}

impl<const IN_PLACE: usize> PartialEq<Text<IN_PLACE>> for String {
    fn eq(&self, other: &Text<IN_PLACE>) -> bool {
        self == other.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_itself_wherever_it_is_kept() {
        let mut text = Text::<4>::default();
        for other in ["", "abcd", "abcde", "a", "äöü", "äö"] {
            text.set(other);
            assert_eq!(text, other);
            assert_eq!(text, Text::from(other));
            assert_eq!(text.clone().to_string(), other);
        }
    }
}
