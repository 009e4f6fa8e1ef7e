//! A place in an object, while the object is walked through: written down only where something is found.

use std::fmt::Write as _;

use crate::json::Value;
use crate::request::pointer;

/// Longest part of a key in a path. Kubernetes has no key that is longer.
const MAX_TOKEN: usize = 512;

/// Stands for any key or element.
pub(super) const ANY: &str = "*";

/// A place in an object, as a chain up to the root.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a>(Option<(&'a Place<'a>, Step<'a>)>);

#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Key(&'a str),
    Element(Token<'a>, Option<&'a str>),
}

/// How a list is asked for one of its elements.
#[derive(Debug, Clone, Copy)]
pub(super) enum Token<'a> {
    Index(usize),
    Key(&'a str),
}

impl<'a> Place<'a> {
    /// The object as a whole.
    pub(super) const ROOT: Self = Self(None);

    /// The member of an object here.
    pub(super) fn key(&'a self, key: &'a str) -> Self {
        Self(Some((self, Step::Key(key))))
    }

    /// An element of a list here.
    pub(super) fn element(&'a self, token: Token<'a>, element: &'a Value) -> Self {
        let name = element.get("name").and_then(Value::as_str);
        Self(Some((self, Step::Element(token, name))))
    }

    /// The element of a list here, which goes by its index alone.
    pub(super) fn index(&'a self, index: usize) -> Self {
        Self(Some((self, Step::Element(Token::Index(index), None))))
    }

    /// Whether it is the object as a whole.
    pub(super) fn is_root(&self) -> bool {
        self.0.is_none()
    }

    /// The last key; none at an element.
    pub(super) fn last_key(&self) -> Option<&'a str> {
        match self.0 {
            Some((_, Step::Key(key))) => Some(key),
            _ => None,
        }
    }

    /// The place that this is a member or element of.
    pub(super) fn parent(&self) -> Option<&'a Self> {
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

    /// JSON Pointer (RFC 6901).
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
            Step::Key(key) | Step::Element(Token::Key(key), _) => clipped(key).to_owned(),
            Step::Element(Token::Index(index), _) => index.to_string(),
        });
        tokens
    }

    /// Appends what tells this place from others, whatever the order of the lists on the way: elements go by their name.
    /// Lengths stand before names, so that no name can look like a path.
    pub(super) fn write_identity(&self, out: &mut String) {
        let Some((parent, step)) = self.0 else { return };
        parent.write_identity(out);
        // Writing to a String can't fail.
        _ = match step {
            Step::Key(key) => write!(out, ".{}:{key}", key.len()),
            Step::Element(_, Some(name)) => write!(out, "#{}:{name}", name.len()),
            Step::Element(_, None) => write!(out, "#"),
        };
    }
}

impl Step<'_> {
    fn fits(self, wanted: &str) -> bool {
        wanted == ANY || matches!(self, Self::Key(key) if key == wanted)
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

/// The elements of a list; null is none, and stands for those that nobody knows.
///
/// A JSON Patch writes to elements of a list that nobody has looked at; what it writes may then be an object with indices
/// as keys. No server takes an object for a list, so reading one as a list errs on the safe side.
pub(super) fn elements(list: Option<&Value>) -> impl Iterator<Item = (Token<'_>, &Value)> {
    let array = list.and_then(Value::as_array).unwrap_or_default();
    let object = list.and_then(Value::as_object).into_iter();
    let indexed = array.iter().enumerate();
    let keyed = object.flat_map(|object| object.iter());
    indexed
        .map(|(index, element)| (Token::Index(index), element))
        .chain(keyed.map(|(key, element)| (Token::Key(key), element)))
        .filter(|(_, element)| **element != Value::Null)
}

/// A member that is there and not null.
pub(super) fn present<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    value.get(key).filter(|member| **member != Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_escaped() {
        let annotations = Place::ROOT.key("metadata");
        let annotations = annotations.key("annotations");
        assert_eq!(
            annotations.key("a.io/x~y").pointer(),
            "/metadata/annotations/a.io~1x~0y"
        );
        assert_eq!(Place::ROOT.pointer(), "");
    }

    #[test]
    fn a_place_is_told_by_its_keys() {
        let spec = Place::ROOT.key("spec");
        let list = spec.key("a/b~c");
        let element = list.index(7);
        assert_eq!(element.pointer(), "/spec/a~1b~0c/7");
        assert!(element.is_at(&["spec", "a/b~c", ANY]) && !element.is_at(&["spec", "a/b~c"]));
        assert!(Place::ROOT.is_root() && list.last_key() == Some("a/b~c") && element.last_key().is_none());
        let long = "\u{e4}".repeat(300);
        assert_eq!(Place::ROOT.key(&long).pointer().len(), 1 + MAX_TOKEN);
    }

    #[test]
    fn elements_are_told_apart_by_name_and_not_by_index() {
        let list = Value::parse(br#"[{"name":"a"},{"name":"b"},7]"#).unwrap();
        let root = Place::ROOT.key("containers");
        let identity = |place: Place<'_>| {
            let mut out = String::new();
            place.write_identity(&mut out);
            out
        };
        let all: Vec<_> = elements(Some(&list))
            .map(|(token, element)| {
                let place = root.element(token, element);
                (place.pointer(), identity(place))
            })
            .collect();
        let expected = [
            ("/containers/0", ".10:containers#1:a"),
            ("/containers/1", ".10:containers#1:b"),
            ("/containers/2", ".10:containers#"),
        ];
        assert_eq!(all, expected.map(|(p, i)| (p.to_owned(), i.to_owned())));
    }

    #[test]
    fn what_is_written_to_an_unknown_list_is_read_as_a_list() {
        let padded = Value::parse(br#"[null,"x"]"#).unwrap();
        assert_eq!(elements(Some(&padded)).count(), 1);
        let list = Value::parse(br#"{"0":{"image":"x"},"-":{"image":"y"}}"#).unwrap();
        assert_eq!(elements(Some(&list)).count(), 2);
        assert_eq!(elements(Some(&Value::Null)).count(), 0);
        assert_eq!(elements(Some(&"text".into())).count(), 0);
        assert_eq!(elements(None).count(), 0);
    }
}
