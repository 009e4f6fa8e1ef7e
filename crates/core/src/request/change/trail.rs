//! The place of a walk through an object, written down only where something is found.

use crate::request::pointer;

/// Longest part of a key in a path. Kubernetes has no key that is longer.
const MAX_TOKEN: usize = 512;

/// Stands for any key or element.
pub(super) const ANY: &str = "*";

/// A place in an object, as a chain up to the root.
#[derive(Clone, Copy)]
pub(super) struct Trail<'v>(Option<(&'v Trail<'v>, Step<'v>)>);

#[derive(Clone, Copy)]
enum Step<'v> {
    Key(&'v str),
    Index(usize),
}

impl<'v> Trail<'v> {
    /// The object as a whole.
    pub(super) const ROOT: Self = Self(None);

    /// The member of an object here.
    pub(super) fn key(&'v self, key: &'v str) -> Self {
        Self(Some((self, Step::Key(key))))
    }

    /// The element of a list here.
    pub(super) fn index(&'v self, index: usize) -> Self {
        Self(Some((self, Step::Index(index))))
    }

    /// Whether it is the object as a whole.
    pub(super) fn is_root(&self) -> bool {
        self.0.is_none()
    }

    /// The last key; none at an element.
    pub(super) fn last_key(&self) -> Option<&'v str> {
        match self.0 {
            Some((_, Step::Key(key))) => Some(key),
            _ => None,
        }
    }

    /// The place that this is a member or element of.
    pub(super) fn parent(&self) -> Option<&'v Self> {
        self.0.map(|(parent, _)| parent)
    }

    /// Whether it is at these keys; [`ANY`] is any key or element.
    pub(super) fn is_at(&self, keys: &[&str]) -> bool {
        match (self.0, keys.split_last()) {
            (None, None) => true,
            (Some((parent, step)), Some((last, keys))) => step.fits(last) && parent.is_at(keys),
            _ => false,
        }
    }

    /// The JSON Pointer.
    pub(super) fn pointer(&self) -> String {
        pointer_of(&self.tokens())
    }

    /// The tokens of the pointer.
    pub(super) fn tokens(&self) -> Vec<String> {
        let Some((parent, step)) = self.0 else {
            return Vec::new();
        };
        let mut tokens = parent.tokens();
        tokens.push(match step {
            Step::Key(key) => clipped(key).to_owned(),
            Step::Index(index) => index.to_string(),
        });
        tokens
    }
}

impl Step<'_> {
    fn fits(self, wanted: &str) -> bool {
        match self {
            _ if wanted == ANY => true,
            Self::Key(key) => key == wanted,
            Self::Index(_) => false,
        }
    }
}

/// The JSON Pointer of tokens.
pub(super) fn pointer_of(tokens: &[String]) -> String {
    let mut out = String::new();
    for token in tokens {
        pointer::push(&mut out, clipped(token));
    }
    out
}

fn clipped(key: &str) -> &str {
    let mut end = MAX_TOKEN.min(key.len());
    while !key.is_char_boundary(end) {
        end -= 1;
    }
    key.get(..end).unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_told_as_a_pointer() {
        let (spec, root) = ("spec", Trail::ROOT);
        let spec = root.key(spec);
        let list = spec.key("a/b~c");
        let element = list.index(7);
        assert_eq!(element.pointer(), "/spec/a~1b~0c/7");
        assert!(element.is_at(&["spec", "a/b~c", ANY]) && !element.is_at(&["spec", "a/b~c"]));
        assert!(root.is_root() && root.pointer().is_empty() && list.last_key() == Some("a/b~c"));
        let long = "\u{e4}".repeat(300);
        assert_eq!(root.key(&long).pointer().len(), 1 + MAX_TOKEN);
    }
}
