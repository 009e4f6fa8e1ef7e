//! What an object loses by a change: the object before, as its reader sees it, against the object after.
//!
//! 1. A field that is gone, or null, is lost; so is an object or a list that became something else.
//! 2. Elements of a list are matched by the keys that the schema names, else they have to be there as they were, in any
//!    order.
//! 3. What the server owns, keeps or fills in again is not lost.

use std::collections::HashMap;

use super::apply::{Index, Node};
use super::collected::Collected;
use super::concern::Concern;
use super::defaults::Omitted;
use super::place::Place;
use crate::json::{Object, Value};
use crate::request::canonical::Canonical;

/// Fields of the metadata that a change can't take away, whatever it says.
const OF_THE_SERVER: &[&str] = &[
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
    "selfLink",
];

/// Fields by whose change, from one value to another, the server drops others. An empty text is any value.
#[rustfmt::skip]
const SWITCHES: &[(&str, &str, &[&str], &str, &str)] = &[
    ("", "services", &["spec", "type"], "NodePort", "ClusterIP"),
    ("", "services", &["spec", "type"], "LoadBalancer", ""),
    ("", "services", &["spec", "type"], "ExternalName", ""),
    ("", "services", &["spec", "type"], "", "ExternalName"),
    ("", "services", &["spec", "ipFamilyPolicy"], "", "SingleStack"),
    ("", "services", &["spec", "sessionAffinity"], "ClientIP", ""),
    ("", "services", &["spec", "externalTrafficPolicy"], "Local", ""),
];

/// Whether a place belongs to the server.
pub(super) fn is_of_the_server(place: &Place<'_>) -> bool {
    let Some(key) = place.last_key() else {
        return false;
    };
    place.is_at(&["apiVersion"])
        || place.is_at(&["kind"])
        || place.is_at(&["metadata", key]) && OF_THE_SERVER.contains(&key)
}

/// Which part of the object a request can change at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// All but the status.
    NotStatus,
    /// Status and metadata.
    Status,
}

/// An object before and after a change, to be compared.
pub(super) struct Difference<'a> {
    omitted: Omitted<'a>,
    part: Part,
}

impl<'a> Difference<'a> {
    pub(super) fn new(request: &'a Canonical, before: &'a Value, after: &'a Value, part: Part) -> Self {
        let attributes = request.attributes();
        Self {
            omitted: Omitted {
                group: &attributes.api_group,
                resource: &attributes.resource,
                before,
                after,
            },
            part,
        }
    }

    /// Finds what is lost.
    pub(super) fn report(&self, node: Node, findings: &mut Collected) {
        let (before, after) = (self.omitted.before, self.omitted.after);
        self.value(before, Some(after), node, Place::ROOT, findings);
        switches(self.omitted.group, self.omitted.resource, Some(before), after, |path| {
            findings.at(Concern::RemovesField, path, false);
        });
    }

    fn lost(&self, value: &Value, place: Place<'_>, findings: &mut Collected) {
        if findings.is_full(Concern::RemovesField) {
            return;
        }
        if !self.omitted.is_filled_in(&place.tokens(), value) {
            findings.at(Concern::RemovesField, place.pointer(), false);
        }
    }

    fn is_ignored(&self, place: &Place<'_>) -> bool {
        let is_member_of_root = place.parent().is_some_and(Place::is_root);
        is_of_the_server(place)
            || is_member_of_root
                && match self.part {
                    Part::Whole => false,
                    Part::NotStatus => place.last_key() == Some("status"),
                    Part::Status => !matches!(place.last_key(), Some("status" | "metadata")),
                }
    }

    /// Recursion is bounded by the depth of what is parsed.
    fn value(&self, before: &Value, after: Option<&Value>, node: Node, place: Place<'_>, findings: &mut Collected) {
        if is_nothing(before) || self.is_ignored(&place) {
            return;
        }
        match (before, after) {
            (Value::Object(before), None | Some(Value::Null)) if place.is_at(&["data"]) && !before.is_empty() => {
                self.members(before, &Object::new(), node, place, findings);
            }
            (_, None | Some(Value::Null)) => self.lost(before, place, findings),
            (Value::Object(before), Some(Value::Object(after))) => self.members(before, after, node, place, findings),
            (Value::Array(before), Some(Value::Array(after))) => self.elements(before, after, node, place, findings),
            (Value::Object(_) | Value::Array(_), Some(_)) => self.lost(before, place, findings),
            _ => {}
        }
    }

    fn members(&self, before: &Object, after: &Object, node: Node, place: Place<'_>, findings: &mut Collected) {
        let after = Index::of(after);
        // What is written as text is stored in `data`. No server shows any: what is there before was not written.
        let is_data = (self.omitted.group, self.omitted.resource) == ("", "secrets") && place.is_at(&["data"]);
        let is_written = is_data && self.omitted.before.get("stringData").is_none();
        let texts = self.omitted.after.get("stringData").and_then(Value::as_object);
        let texts = texts.filter(|_| is_written).map(Index::of);
        for (key, value) in before.iter() {
            let member = node.member(key, place.is_root());
            let counterpart = after.get(key).or_else(|| texts.as_ref()?.get(key));
            self.value(value, counterpart, member, place.key(key), findings);
        }
    }

    fn elements(&self, before: &[Value], after: &[Value], node: Node, place: Place<'_>, findings: &mut Collected) {
        let mut found: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, element) in after.iter().enumerate().rev() {
            found.entry(identity(node, element)).or_default().push(at);
        }
        let mut left = Vec::new();
        for (at, element) in before.iter().enumerate() {
            match found.get_mut(&identity(node, element)).and_then(Vec::pop) {
                Some(counterpart) => {
                    let after = after.get(counterpart);
                    self.value(element, after, node.element(), place.index(at), findings);
                }
                None => left.push((at, element)),
            }
        }
        let mut rest: Vec<usize> = found.into_values().flatten().collect();
        rest.sort_unstable();
        for (position, (at, element)) in left.into_iter().enumerate() {
            let place = place.index(at);
            let counterpart = rest.get(position).and_then(|at| after.get(*at));
            // What the server fills in may be all that makes the difference.
            let is_same = counterpart.is_some_and(|after| self.is_same(element, Some(after), place));
            if !is_same && *element != Value::Null && !findings.is_full(Concern::RemovesField) {
                findings.at(Concern::RemovesField, place.pointer(), false);
            }
        }
    }

    /// Whether a value is the same but for what the server fills in.
    fn is_same(&self, before: &Value, after: Option<&Value>, place: Place<'_>) -> bool {
        match (before, after) {
            (before, None) if is_nothing(before) => true,
            (_, None | Some(Value::Null)) => self.omitted.is_filled_in(&place.tokens(), before),
            (Value::Object(before), Some(Value::Object(after))) => {
                let (index, old) = (Index::of(after), Index::of(before));
                before
                    .iter()
                    .all(|(key, value)| self.is_same(value, index.get(key), place.key(key)))
                    && after.iter().all(|(key, _)| old.get(key).is_some())
            }
            (Value::Array(before), Some(Value::Array(after))) => {
                before.len() == after.len()
                    && before
                        .iter()
                        .zip(after)
                        .enumerate()
                        .all(|(at, (before, after))| self.is_same(before, Some(after), place.index(at)))
            }
            (before, Some(after)) => before == after,
        }
    }
}

/// Whether a value says nothing: a null, or an object of nothing but nulls. The server writes such ones.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(object) => !object.is_empty() && object.iter().all(|(_, member)| is_nothing(member)),
        _ => false,
    }
}

/// What tells an element from others: its keys, or all of it.
fn identity(node: Node, element: &Value) -> String {
    node.identity(element).unwrap_or_else(|| {
        // No identity by keys begins like that.
        let mut whole = "=".to_owned();
        canonical(element, &mut whole);
        whole
    })
}

/// Appends the text of a value with its keys in order and without nulls.
pub(super) fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(object) => {
            let mut members: Vec<_> = object.iter().filter(|(_, value)| **value != Value::Null).collect();
            members.sort_unstable_by_key(|(key, _)| *key);
            out.push('{');
            for (key, value) in members {
                crate::json::write_string(key, out);
                out.push(':');
                canonical(value, out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(elements) => {
            out.push('[');
            for element in elements {
                canonical(element, out);
                out.push(',');
            }
            out.push(']');
        }
        scalar => scalar.write(out),
    }
}

/// Tells the fields by whose change the server drops others; of an object that is not known (`None`), any value may be
/// there before.
pub(super) fn switches(
    group: &str,
    resource: &str,
    before: Option<&Value>,
    after: &Value,
    mut found: impl FnMut(String),
) {
    let mut last: &[&str] = &[];
    for (of_group, of_resource, path, from, to) in SWITCHES {
        if (*of_group, *of_resource) != (group, resource) || last == *path {
            continue;
        }
        let Some(new) = after.at(path).and_then(Value::as_str) else {
            continue;
        };
        let old = before.map(|before| before.at(path).and_then(Value::as_str).unwrap_or_default());
        let comes_from = old.map_or(*from != new, |old| old != new && (from.is_empty() || *from == old));
        if comes_from && (to.is_empty() || *to == new) {
            last = path;
            found(format!("/{}", path.join("/")));
        }
    }
}
