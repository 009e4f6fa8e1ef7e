//! What an apply takes away: what its manager applied before and leaves out now, unless somebody else owns it too.

use std::collections::{HashMap, HashSet};

use super::fields::{self, Element, ITSELF};
use super::index::Index;
use super::schema::{Apply, Node, identity};
use crate::json::{Object, Value};

/// What managers own of an object, from its `managedFields`.
pub(super) struct Ownership<'v> {
    /// What the manager applied before, as `fieldsV1`.
    pub(super) applied: Vec<&'v Value>,
    /// What others own, and the same manager by other means than applying.
    pub(super) others: Vec<&'v Value>,
    /// Whether fields may have other names there, as they are of another version of the kind.
    pub(super) in_other_version: bool,
}

impl<'v> Ownership<'v> {
    /// Of a live object, for an apply under this manager to this subresource in this version.
    pub(super) fn of(live: &'v Value, manager: &str, subresource: &str, api_version: &str) -> Self {
        let mut ownership = Self {
            applied: Vec::new(),
            others: Vec::new(),
            in_other_version: false,
        };
        let entries = live.at(&["metadata", "managedFields"]).and_then(Value::as_array);
        for entry in entries.unwrap_or_default() {
            let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
            let Some(fields) = entry.get("fieldsV1") else {
                continue;
            };
            let is_own = (text("manager"), text("operation"), text("subresource")) == (manager, "Apply", subresource);
            if is_own {
                ownership.applied.push(fields);
                ownership.in_other_version |= text("apiVersion") != api_version;
            } else {
                ownership.others.push(fields);
            }
        }
        ownership
    }

    /// What each manager owns.
    pub(super) fn all(&self) -> Vec<&'v Value> {
        self.applied.iter().chain(&self.others).copied().collect()
    }

    /// Takes away from an object, into which the body was merged already. Recursion is bounded by the depth of the fields.
    pub(super) fn prune(&self, target: &mut Value, body: &Value, node: Node) {
        for applied in &self.applied {
            let root = Place { node, is_root: true };
            prune(applied, &self.others, Some(body), target, root);
        }
    }
}

/// Where in the object.
#[derive(Clone, Copy)]
struct Place {
    node: Node,
    is_root: bool,
}

/// What becomes of one thing that the manager owned.
enum Fate<'v> {
    Kept,
    Gone,
    /// It stays, but something in it may go; these own something of it too.
    Inside(Vec<&'v Value>),
}

fn prune(applied: &Value, others: &[&Value], body: Option<&Value>, target: &mut Value, place: Place) {
    let Some(applied) = applied.as_object() else {
        return;
    };
    let others: Vec<Index<'_>> = others
        .iter()
        .filter_map(|other| other.as_object())
        .map(Index::of)
        .collect();
    match target {
        Value::Object(target) => prune_members(applied, &others, body, target, place),
        Value::Array(target) => prune_elements(applied, &others, body, target, place.node),
        _ => {}
    }
}

fn fate<'v>(member: &str, applied: &Value, others: &[Index<'v>], is_in_body: bool) -> Fate<'v> {
    let also: Vec<&Value> = others.iter().filter_map(|other| other.get(member)).collect();
    let is_leaf = applied.as_object().is_none_or(Object::is_empty);
    if is_in_body {
        return if is_leaf { Fate::Kept } else { Fate::Inside(also) };
    }
    match (also.is_empty(), is_leaf) {
        (true, _) if fields::owns_itself(applied) => Fate::Gone,
        (false, true) => Fate::Kept,
        _ => Fate::Inside(also),
    }
}

fn prune_members(applied: &Object, others: &[Index<'_>], body: Option<&Value>, target: &mut Object, place: Place) {
    let body = body.and_then(Value::as_object).map(Index::of);
    let mut gone: HashSet<&str> = HashSet::new();
    let mut inside: HashMap<&str, (&Value, Vec<&Value>)> = HashMap::new();
    for (member, below) in applied.iter().filter(|(member, _)| *member != ITSELF) {
        let Some(name) = member.strip_prefix("f:") else {
            continue;
        };
        let is_in_body = body.as_ref().is_some_and(|body| body.get(name).is_some());
        match fate(member, below, others, is_in_body) {
            Fate::Kept => {}
            Fate::Gone => drop(gone.insert(name)),
            Fate::Inside(also) => drop(inside.insert(name, (below, also))),
        }
    }
    target.retain(|name, _| !gone.contains(name));
    for (name, value) in target.iter_mut() {
        if let Some((below, also)) = inside.get(name) {
            let counterpart = body.as_ref().and_then(|body| body.get(name));
            let place = Place {
                node: place.node.member(name, place.is_root),
                is_root: false,
            };
            prune(below, also, counterpart, value, place);
        }
    }
}

fn prune_elements(applied: &Object, others: &[Index<'_>], body: Option<&Value>, target: &mut Vec<Value>, node: Node) {
    let body = body.and_then(Value::as_array).unwrap_or_default();
    let names = names(applied);
    let keys: Vec<&str> = match node.apply() {
        Apply::Map(keys) => keys.to_vec(),
        _ => names.iter().map(String::as_str).collect(),
    };
    let mut by_keys: HashMap<String, (&str, &Value)> = HashMap::new();
    let mut values: HashSet<String> = HashSet::new();
    let mut indexes: HashSet<usize> = HashSet::new();
    let texts: HashSet<String> = body.iter().map(text).collect();
    for (member, below) in applied.iter() {
        match fields::element(member) {
            Some(Element::Keys(element)) => {
                if let Some(identity) = identity(&element, &keys) {
                    by_keys.insert(identity, (member, below));
                }
            }
            Some(Element::Value(value)) => {
                let value = text(&value);
                if matches!(fate(member, below, others, texts.contains(&value)), Fate::Gone) {
                    values.insert(value);
                }
            }
            Some(Element::Index(at)) => {
                if matches!(fate(member, below, others, body.get(at).is_some()), Fate::Gone) {
                    indexes.insert(at);
                }
            }
            None => {}
        }
    }
    let in_body: HashMap<String, &Value> = body
        .iter()
        .filter_map(|element| Some((identity(element, &keys)?, element)))
        .collect();
    let mut at = 0;
    target.retain_mut(|element| {
        let index = at;
        at += 1;
        if indexes.contains(&index) || !values.is_empty() && values.contains(&text(element)) {
            return false;
        }
        let Some((identity, (member, below))) =
            identity(element, &keys).and_then(|found| Some((found.clone(), by_keys.get(&found)?)))
        else {
            return true;
        };
        let counterpart = in_body.get(&identity).copied();
        match fate(member, below, others, counterpart.is_some()) {
            Fate::Kept => true,
            Fate::Gone => false,
            Fate::Inside(also) => {
                let place = Place {
                    node: node.element(),
                    is_root: false,
                };
                prune(below, &also, counterpart, element, place);
                true
            }
        }
    });
}

/// The names of the keys by which elements are owned.
fn names(applied: &Object) -> Vec<String> {
    applied
        .iter()
        .find_map(|(member, _)| match fields::element(member) {
            Some(Element::Keys(Value::Object(keys))) => Some(keys.iter().map(|(name, _)| name.to_owned()).collect()),
            _ => None,
        })
        .unwrap_or_default()
}

fn text(value: &Value) -> String {
    let mut text = String::new();
    value.write(&mut text);
    text
}
