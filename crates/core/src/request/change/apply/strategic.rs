//! Strategic merge patch: a merge patch that merges lists, by what the schema says of them, and has directives.
//!
//! 1. `$patch: replace` replaces an object, or the list that its element stands in; `$patch: delete` empties an object or
//!    takes an element out; anything else merges.
//! 2. `$deleteFromPrimitiveList/x` takes scalars out of the list `x`, `$setElementOrder/x` orders it, `$retainKeys` keeps
//!    the members that it names.
//! 3. Lists without a merge strategy are replaced.

use std::collections::{HashMap, HashSet};

use super::members::Members;
use super::schema::{Node, Patch, identity};
use crate::json::{Object, Value};

pub(in super::super) const DIRECTIVE: &str = "$patch";
pub(in super::super) const RETAIN_KEYS: &str = "$retainKeys";
pub(in super::super) const DELETE_FROM: &str = "$deleteFromPrimitiveList/";
pub(in super::super) const ELEMENT_ORDER: &str = "$setElementOrder/";

/// The object after a patch. Recursion is bounded by the depth of the patch.
pub(super) fn merge_root(target: Option<Value>, patch: &Value, node: Node) -> Value {
    merge(target, patch, node, true)
}

fn merge(target: Option<Value>, patch: &Value, node: Node, is_root: bool) -> Value {
    match (target, patch) {
        (target, Value::Object(patch)) => merge_object(target, patch, node, is_root).into(),
        (Some(Value::Array(target)), Value::Array(patch)) => merge_list(target, patch, node),
        (_, patch) => without_directives(patch),
    }
}

fn merge_object(target: Option<Value>, patch: &Object, node: Node, is_root: bool) -> Object {
    let directive = patch.get(DIRECTIVE).and_then(Value::as_str);
    if directive == Some("delete") {
        return Object::new();
    }
    let target = match target {
        Some(Value::Object(target)) if directive != Some("replace") && !node.patch_replaces_object() => target,
        _ => Object::new(),
    };
    let mut members = Members::of(target);
    if let Some(Value::Array(retained)) = patch.get(RETAIN_KEYS) {
        let retained: HashSet<&str> = retained.iter().filter_map(Value::as_str).collect();
        members.retain(|key| retained.contains(key));
    }
    for (key, value) in patch.iter() {
        if let Some(list) = key.strip_prefix(DELETE_FROM) {
            if let Some(mut old) = members.take(list) {
                remove_scalars(&mut old, value);
                members.set(list, old);
            }
        } else if !is_directive(key) {
            let old = members.take(key);
            if *value != Value::Null {
                members.set(key, merge(old, value, node.member(key, is_root), false));
            }
        }
    }
    members.into_object()
}

fn is_directive(key: &str) -> bool {
    key == DIRECTIVE || key == RETAIN_KEYS || key.starts_with(ELEMENT_ORDER) || key.starts_with(DELETE_FROM)
}

fn remove_scalars(list: &mut Value, removed: &Value) {
    if let (Value::Array(elements), Value::Array(removed)) = (list, removed) {
        let removed: HashSet<String> = removed.iter().map(text).collect();
        elements.retain(|element| !removed.contains(&text(element)));
    }
}

fn text(value: &Value) -> String {
    let mut text = String::new();
    value.write(&mut text);
    text
}

fn merge_list(target: Vec<Value>, patch: &[Value], node: Node) -> Value {
    let Patch::Merge(key) = node.patch() else {
        return Value::Array(patch.iter().map(without_directives).collect());
    };
    if patch.iter().any(|element| directive_of(element) == Some("replace")) {
        let plain = patch.iter().filter(|element| directive_of(element).is_none());
        return Value::Array(plain.map(without_directives).collect());
    }
    if key.is_empty() {
        return union(target, patch);
    }
    merge_by_key(target, patch, key, node)
}

fn directive_of(element: &Value) -> Option<&str> {
    element.get(DIRECTIVE)?.as_str()
}

/// A list of scalars, and those of another that are not in it.
pub(super) fn union(mut target: Vec<Value>, added: &[Value]) -> Value {
    let mut seen: HashSet<String> = target.iter().map(text).collect();
    target.extend(added.iter().filter(|element| seen.insert(text(element))).cloned());
    Value::Array(target)
}

fn merge_by_key(target: Vec<Value>, patch: &[Value], key: &'static str, node: Node) -> Value {
    let keys = [key];
    let mut slots: Vec<Option<Value>> = target.into_iter().map(Some).collect();
    let mut index: HashMap<String, Vec<usize>> = HashMap::new();
    for (at, slot) in slots.iter().enumerate() {
        if let Some(found) = slot.as_ref().and_then(|element| identity(element, &keys)) {
            index.entry(found).or_default().push(at);
        }
    }
    for element in patch {
        let found = identity(element, &keys);
        if directive_of(element) == Some("delete") {
            for at in found.and_then(|found| index.remove(&found)).unwrap_or_default() {
                if let Some(slot) = slots.get_mut(at) {
                    *slot = None;
                }
            }
            continue;
        }
        let first = found.as_ref().and_then(|found| index.get(found)?.first().copied());
        match first.and_then(|at| slots.get_mut(at)) {
            Some(slot) => {
                let old = slot.take();
                *slot = Some(merge(old, element, node.element(), false));
            }
            None => {
                if let Some(found) = found {
                    index.entry(found).or_default().push(slots.len());
                }
                slots.push(Some(merge(None, element, node.element(), false)));
            }
        }
    }
    Value::Array(slots.into_iter().flatten().collect())
}

/// A value as it is stored where there was none. Elements that say `$patch: delete` stay, without saying so: a server
/// that does not take them out stores them.
fn without_directives(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let members = object
                .iter()
                .filter(|(key, value)| !is_directive(key) && **value != Value::Null);
            let members = members.map(|(key, value)| (key.to_owned(), without_directives(value)));
            Object::from_unique(members.collect()).into()
        }
        Value::Array(elements) => Value::Array(elements.iter().map(without_directives).collect()),
        scalar => scalar.clone(),
    }
}
