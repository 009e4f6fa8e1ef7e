//! Server-side apply: what is applied is merged by the keys that the schema names, and what its manager applied before
//! and leaves out now goes away (`ownership.rs`).
//!
//! Of a custom resource the schema is not known, but who owns what tells of it: a list whose owners name elements by keys
//! is merged by these, one that is owned as a whole is replaced. So is what nobody owns, to be on the safe side.

use std::collections::HashMap;

use super::fields::{self, Shape};
use super::index::Index;
use super::members::Members;
use super::schema::{Apply, Node, identity};
use super::strategic::union;
use crate::json::{Object, Value};

/// The object after an apply, before anything is taken away. `owners`: what each manager owns, as `fieldsV1`. Recursion is
/// bounded by the depth of the body.
pub(super) fn merge_root(target: Option<Value>, body: &Value, node: Node, owners: &[&Value]) -> Value {
    match body {
        Value::Object(body) => merge_members(target, body, node, owners, true).into(),
        other => other.clone(),
    }
}

fn merge(target: Option<Value>, body: &Value, node: Node, owners: &[&Value]) -> Value {
    match (target, body) {
        (None, body) => body.clone(),
        (target @ Some(Value::Object(_)), Value::Object(object)) => {
            let replaced = node.is_atomic() || node.is_unknown() && fields::shape(owners) != Shape::Fields;
            if replaced {
                return body.clone();
            }
            merge_members(target, object, node, owners, false).into()
        }
        (Some(Value::Array(target)), Value::Array(elements)) => match node.apply() {
            Apply::Set => union(target, elements),
            Apply::Map(keys) => merge_list(target, elements, keys, node, owners),
            Apply::Usual | Apply::Atomic if !node.is_unknown() => body.clone(),
            Apply::Usual | Apply::Atomic => match fields::shape(owners) {
                Shape::Values => union(target, elements),
                Shape::Keys(keys) => {
                    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
                    merge_list(target, elements, &keys, node, owners)
                }
                Shape::Fields | Shape::Whole => body.clone(),
            },
        },
        (Some(_), body) => body.clone(),
    }
}

fn merge_members(target: Option<Value>, body: &Object, node: Node, owners: &[&Value], is_root: bool) -> Object {
    let target = match target {
        Some(Value::Object(target)) => target,
        _ => Object::new(),
    };
    let owned: Vec<Index<'_>> = owners
        .iter()
        .filter_map(|owner| owner.as_object())
        .map(Index::of)
        .collect();
    let mut members = Members::of(target);
    for (key, value) in body.iter() {
        let old = members.take(key);
        let below: Vec<&Value> = if old.is_some() {
            let field = fields::field(key);
            owned.iter().filter_map(|owned| owned.get(&field)).collect()
        } else {
            Vec::new()
        };
        members.set(key, merge(old, value, node.member(key, is_root), &below));
    }
    members.into_object()
}

fn merge_list(mut target: Vec<Value>, body: &[Value], keys: &[&str], node: Node, owners: &[&Value]) -> Value {
    let mut index: HashMap<String, usize> = HashMap::new();
    for (at, element) in target.iter().enumerate() {
        if let Some(found) = identity(element, keys) {
            index.entry(found).or_insert(at);
        }
    }
    let owned = fields::elements(owners, keys);
    for element in body {
        let found = identity(element, keys);
        match found.as_ref().and_then(|found| target.get_mut(*index.get(found)?)) {
            Some(old) => {
                let below = found.as_ref().and_then(|found| owned.get(found));
                let below = below.map(Vec::as_slice).unwrap_or_default();
                *old = merge(
                    Some(std::mem::replace(old, Value::Null)),
                    element,
                    node.element(),
                    below,
                );
            }
            None => {
                if let Some(found) = found {
                    index.insert(found, target.len());
                }
                target.push(element.clone());
            }
        }
    }
    Value::Array(target)
}
