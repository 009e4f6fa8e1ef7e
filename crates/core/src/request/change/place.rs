//! A place in an object, while the object is walked through.

use std::fmt::Write as _;

use crate::json::Value;
use crate::request::pointer;

/// A place in an object, as a chain up to the root: it is written down only where something is found.
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

    /// JSON Pointer (RFC 6901).
    pub(super) fn pointer(&self) -> String {
        let mut out = String::new();
        self.write_pointer(&mut out);
        out
    }

    fn write_pointer(&self, out: &mut String) {
        let Some((parent, step)) = self.0 else { return };
        parent.write_pointer(out);
        match step {
            Step::Key(key) | Step::Element(Token::Key(key), _) => pointer::push(out, key),
            // Writing to a String can't fail.
            Step::Element(Token::Index(index), _) => _ = write!(out, "/{index}"),
        }
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
