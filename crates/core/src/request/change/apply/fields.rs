//! `fieldsV1` of managed fields: which fields a manager owns.
//!
//! An object whose members are `f:name` for a field, `k:{…}` for an element of a list by its keys, `v:…` for an element
//! that is a value, `i:…` for one at an index; and `.` for the thing itself. A thing without any is owned as a whole.

use std::collections::HashMap;

use super::schema::identity;
use crate::json::Value;

/// The thing itself.
pub(super) const ITSELF: &str = ".";

/// What something that is owned looks like, as far as its owners tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    /// An object, field by field.
    Fields,
    /// A list whose elements these keys identify.
    Keys(Vec<String>),
    /// A list of values.
    Values,
    /// Owned as a whole, or by nobody.
    Whole,
}

/// The name of a field among the members.
pub(super) fn field(name: &str) -> String {
    format!("f:{name}")
}

/// An element of a list, as a member names it.
pub(super) enum Element {
    Keys(Value),
    Value(Value),
    Index(usize),
}

/// The element that a member stands for, if it is one.
pub(super) fn element(member: &str) -> Option<Element> {
    let (form, text) = member.split_at_checked(2)?;
    match form {
        "k:" => Value::parse(text.as_bytes()).ok().map(Element::Keys),
        "v:" => Value::parse(text.as_bytes()).ok().map(Element::Value),
        "i:" => text.parse().ok().map(Element::Index),
        _ => None,
    }
}

/// Whether a manager owns the thing itself, and not only something in it.
pub(super) fn owns_itself(fields: &Value) -> bool {
    fields
        .as_object()
        .is_none_or(|fields| fields.is_empty() || fields.get(ITSELF).is_some())
}

/// What something looks like, by what its owners own of it.
pub(super) fn shape(owners: &[&Value]) -> Shape {
    let members = owners.iter().filter_map(|owner| owner.as_object());
    for (member, _) in members.flat_map(|owner| owner.iter()) {
        match member.split_at_checked(2) {
            Some(("f:", _)) => return Shape::Fields,
            Some(("v:", _)) => return Shape::Values,
            Some(("k:", _)) => {
                if let Some(Element::Keys(Value::Object(keys))) = element(member) {
                    return Shape::Keys(keys.iter().map(|(key, _)| key.to_owned()).collect());
                }
            }
            _ => {}
        }
    }
    Shape::Whole
}

/// What owners own of the elements of a list, by their identity.
pub(super) fn elements<'v>(owners: &[&'v Value], keys: &[&str]) -> HashMap<String, Vec<&'v Value>> {
    let mut found: HashMap<String, Vec<&'v Value>> = HashMap::new();
    let members = owners.iter().filter_map(|owner| owner.as_object());
    for (member, below) in members.flat_map(|owner| owner.iter()) {
        if let Some(Element::Keys(element)) = element(member)
            && let Some(identity) = identity(&element, keys)
        {
            found.entry(identity).or_default().push(below);
        }
    }
    found
}
