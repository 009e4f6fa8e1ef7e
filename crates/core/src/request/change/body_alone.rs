//! What a body takes away, as far as it tells by itself: for an object that nobody read, or that can't be read.
//!
//! 1. Merge patch: a null, and every list, which replaces the list that is there.
//! 2. Strategic merge patch: a null, the directives that remove, and every list that is not merged.
//! 3. In any patch: a scalar where an object or a list stands in every version of the kind.
//! 4. JSON Patch: `remove` and `move`; `copy`, whose content isn't known; `add` and `replace` with an object, a list or
//!    null, but for an `add` of an element, which goes between the others; `replace` of an element; whatever takes the
//!    place of the whole object.
//! 5. PUT: whatever it leaves out, so all of it; but for `scale`, which has one field.
//! 6. Apply: a null; and what its manager applied before. If that can't be known it counts as nothing, since the manager
//!    is one that the policy lists, or a finding itself.

use super::apply::{DELETE_FROM, DIRECTIVE, ELEMENT_ORDER, Index, Node, Op, Operation, RETAIN_KEYS};
use super::collected::Collected;
use super::concern::Concern;
use super::difference::{self, is_of_the_server};
use super::place::{Place, pointer_of};
use super::states::States;
use super::write::Write;
use crate::json::{Object, Value};
use crate::mask::is_masked;
use crate::request::attributes::Attributes;
use crate::request::pointer::is_index;

/// Where every kind that has them has objects and lists.
const CONTAINERS: [&[&str]; 10] = [
    &["metadata"],
    &["spec"],
    &["status"],
    &["data"],
    &["stringData"],
    &["binaryData"],
    &["metadata", "labels"],
    &["metadata", "annotations"],
    &["metadata", "finalizers"],
    &["metadata", "ownerReferences"],
];

/// Finds what a body takes away.
pub(super) fn removals(write: &Write<'_>, node: Node, subresource: &str, assumed: bool, findings: &mut Collected) {
    let mut search = Search { findings, assumed };
    let root = Place::ROOT;
    match write {
        Write::Create(_) => {}
        Write::Replace(_) if subresource == "scale" => {}
        Write::Replace(_) => search.found(root),
        Write::JsonPatch(operations) => {
            for operation in operations {
                search.operation(operation, node);
            }
        }
        Write::Merge(patch) => search.merge(patch, node, root),
        Write::Strategic(patch) => search.strategic(patch, node, root),
        Write::Apply(applied) => {
            if assumed {
                search.found(root);
            }
            search.nulls(applied.body, node, root);
        }
    }
}

/// Finds what a strategic merge patch takes out of lists in which values are masked: they can't be found there, but the
/// server finds them.
pub(super) fn removals_of_masked(write: &Write<'_>, seen: &Value, findings: &mut Collected) {
    if let Write::Strategic(patch) = write {
        masked_removals(patch, seen, Place::ROOT, findings);
    }
}

fn masked_removals(patch: &Value, seen: &Value, place: Place<'_>, findings: &mut Collected) {
    match (patch, seen) {
        (Value::Object(patch), Value::Object(seen)) => {
            let seen = Index::of(seen);
            for (key, value) in patch.iter() {
                let list = key.strip_prefix(DELETE_FROM);
                match (list, seen.get(list.unwrap_or(key))) {
                    (_, None) => {}
                    (Some(list), Some(Value::Array(elements))) => {
                        if elements.iter().any(is_masked) && !findings.is_full(Concern::RemovesField) {
                            findings.at(Concern::RemovesField, place.key(list).pointer(), false);
                        }
                    }
                    (Some(_), _) => {}
                    (None, Some(seen)) => masked_removals(value, seen, place.key(key), findings),
                }
            }
        }
        // Which element is meant is not looked up: a removal in any is one.
        (Value::Array(_), Value::Array(_)) if takes_out_scalars(patch) => {
            findings.at(Concern::RemovesField, place.pointer(), false);
        }
        _ => {}
    }
}

fn takes_out_scalars(patch: &Value) -> bool {
    match patch {
        Value::Object(object) => object
            .iter()
            .any(|(key, value)| key.starts_with(DELETE_FROM) || takes_out_scalars(value)),
        Value::Array(elements) => elements.iter().any(takes_out_scalars),
        _ => false,
    }
}

/// Finds values by whose change the server drops others.
pub(super) fn switches(attributes: &Attributes, states: &States, findings: &mut Collected) {
    let (group, resource) = (attributes.api_group.as_str(), attributes.resource.as_str());
    difference::switches(group, resource, None, &states.after, |path| {
        findings.at(Concern::RemovesField, path, states.before.is_open());
    });
}

struct Search<'f> {
    findings: &'f mut Collected,
    assumed: bool,
}

impl Search<'_> {
    fn found(&mut self, place: Place<'_>) {
        if !is_of_the_server(&place) {
            self.removed(|| place.pointer());
        }
    }

    fn removed(&mut self, path: impl FnOnce() -> String) {
        if !self.findings.is_full(Concern::RemovesField) {
            self.findings.at(Concern::RemovesField, path(), self.assumed);
        }
    }

    /// Recursion here and below is bounded by the depth of the body.
    fn merge(&mut self, patch: &Value, node: Node, place: Place<'_>) {
        match patch {
            Value::Null | Value::Array(_) => self.found(place),
            Value::Object(object) => {
                for (key, value) in object.iter() {
                    self.merge(value, node.member(key, place.is_root()), place.key(key));
                }
            }
            _ => self.scalar(node, place),
        }
    }

    /// A scalar removes what it takes the place of, if that is an object or a list.
    fn scalar(&mut self, node: Node, place: Place<'_>) {
        let is_of_all = CONTAINERS.iter().any(|path| place.is_at(path));
        if is_of_all || node.holds_others() {
            self.found(place);
        }
    }

    fn nulls(&mut self, body: &Value, node: Node, place: Place<'_>) {
        match body {
            Value::Null => self.found(place),
            Value::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    self.nulls(element, node.element(), place.index(index));
                }
            }
            Value::Object(object) => {
                for (key, value) in object.iter() {
                    self.nulls(value, node.member(key, place.is_root()), place.key(key));
                }
            }
            _ if place.last_key().is_some() => self.scalar(node, place),
            _ => {}
        }
    }

    fn strategic(&mut self, patch: &Value, node: Node, place: Place<'_>) {
        match patch {
            Value::Null => self.found(place),
            Value::Object(object) => self.strategic_object(object, node, place),
            Value::Array(_) if node.patch_replaces_list() => self.found(place),
            Value::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    self.strategic(element, node.element(), place.index(index));
                }
            }
            _ if place.last_key().is_some() => self.scalar(node, place),
            _ => {}
        }
    }

    fn strategic_object(&mut self, patch: &Object, node: Node, place: Place<'_>) {
        if node.patch_replaces_object() {
            self.found(place);
        }
        for (key, value) in patch.iter() {
            match key {
                DIRECTIVE if value.as_str() != Some("merge") => self.found(place),
                DIRECTIVE => {}
                RETAIN_KEYS => self.found(place),
                _ => match key.strip_prefix(DELETE_FROM) {
                    Some(list) => self.found(place.key(list)),
                    None if key.starts_with(ELEMENT_ORDER) => {}
                    None => self.strategic(value, node.member(key, place.is_root()), place.key(key)),
                },
            }
        }
    }

    fn operation(&mut self, operation: &Operation<'_>, node: Node) {
        let path = &operation.path;
        // What looks like an index may be a key where nothing is known of the kind.
        let is_added = is_element(path) && (!node.is_unknown() || path.last().is_some_and(|last| last == "-"));
        let is_container = matches!(operation.value, Value::Object(_) | Value::Array(_) | Value::Null);
        let removes = match operation.op {
            Op::Test => false,
            // In place of the whole object, whatever it is: no server takes a number for one, nor has to be trusted not to.
            _ if path.is_empty() => true,
            Op::Remove | Op::Copy | Op::Move => true,
            Op::Add => is_container && !is_added || !is_container && holds_others(path, node),
            Op::Replace => is_container || is_element(path) || holds_others(path, node),
        };
        if removes {
            let place = if operation.op == Op::Move {
                &operation.from
            } else {
                path
            };
            self.removed(|| pointer_of(place));
        }
    }
}

/// Whether an object or a list stands at a place in every version of the kind.
fn holds_others(path: &[String], mut node: Node) -> bool {
    if is_element(path) {
        return false;
    }
    for (depth, token) in path.iter().enumerate() {
        let to_here = path.get(..=depth).unwrap_or_default();
        node = if is_element(to_here) {
            node.element()
        } else {
            node.member(token, depth == 0)
        };
    }
    node.holds_others() || CONTAINERS.contains(&&*path.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Whether a pointer leads to an element of a list, as far as it tells.
fn is_element(path: &[String]) -> bool {
    let mut tokens = path.iter().rev().map(String::as_str);
    let last = tokens.next().unwrap_or_default();
    let parent = tokens.next().unwrap_or_default();
    is_index(parent, last)
}
