//! Strategic merge patches: merge keys of the built-in kinds, and the directives `$patch`, `$retainKeys`,
//! `$setElementOrder` and `$deleteFromPrimitiveList`.
//!
//! The merge keys are a table of field names with their parents, not the whole schema: fields that a schema merges and
//! the table doesn't know are replaced.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::errors::ApiError;
use super::golang;

const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const ELEMENT_ORDER: &str = "$setElementOrder/";
const DELETE_PRIMITIVES: &str = "$deleteFromPrimitiveList/";

/// How a list is patched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strategy {
    Replace,
    /// Of primitives: what is new is added.
    Union,
    /// Of objects, by this key.
    By(&'static str),
}

fn strategy(kind: &str, parent: &str, field: &str) -> Strategy {
    let container = matches!(parent, "containers" | "initContainers" | "ephemeralContainers");
    match (parent, field) {
        ("spec", "containers" | "initContainers" | "ephemeralContainers" | "volumes") => Strategy::By("name"),
        ("spec", "imagePullSecrets" | "schedulingGates" | "resourceClaims") => Strategy::By("name"),
        ("spec", "hostAliases") => Strategy::By("ip"),
        ("spec", "topologySpreadConstraints") => Strategy::By("topologyKey"),
        ("spec", "ports") if kind == "Service" => Strategy::By("port"),
        ("spec", "podCIDRs") if kind == "Node" => Strategy::Union,
        (_, "env") if container => Strategy::By("name"),
        (_, "ports") if container => Strategy::By("containerPort"),
        (_, "volumeMounts") if container => Strategy::By("mountPath"),
        (_, "volumeDevices") if container => Strategy::By("devicePath"),
        ("status", "conditions") => Strategy::By("type"),
        ("status", "addresses") if kind == "Node" => Strategy::By("type"),
        ("status", "podIPs" | "hostIPs") => Strategy::By("ip"),
        ("metadata", "ownerReferences") => Strategy::By("uid"),
        ("metadata", "finalizers") => Strategy::Union,
        ("", "secrets") if kind == "ServiceAccount" => Strategy::By("name"),
        _ => Strategy::Replace,
    }
}

/// Merges a patch into an object of the kind.
pub(super) fn merge(
    kind: &str,
    original: Map<String, Value>,
    patch: Map<String, Value>,
) -> Result<Map<String, Value>, ApiError> {
    merge_map(kind, "", original, patch)
}

fn merge_map(
    kind: &str,
    parent: &str,
    mut original: Map<String, Value>,
    mut patch: Map<String, Value>,
) -> Result<Map<String, Value>, ApiError> {
    match patch.remove(DIRECTIVE) {
        None => {}
        Some(directive) if directive == "replace" => return Ok(patch),
        Some(directive) if directive == "delete" => return Ok(Map::new()),
        Some(directive) => return Err(unknown_directive(&directive, patch)),
    }
    retain_keys(&mut original, &mut patch)?;
    let orders = take_orders(&mut patch);
    // An order without a patch of its list orders the list alone.
    for field in orders.keys() {
        let merged = strategy(kind, parent, field) != Strategy::Replace;
        if merged && original.contains_key(field) && !patch.contains_key(field) {
            patch.insert(field.clone(), Value::Array(Vec::new()));
        }
    }
    for (key, value) in patch {
        if let Some(field) = key.strip_prefix(DELETE_PRIMITIVES) {
            delete_primitives(&mut original, field, &value);
            continue;
        }
        if value.is_null() {
            original.remove(&key);
            continue;
        }
        let merged = match (original.remove(&key), value) {
            (Some(Value::Object(_)), Value::Object(patch)) if kind == "PodDisruptionBudget" && key == "selector" => {
                Value::Object(patch)
            }
            (Some(Value::Object(old)), Value::Object(patch)) => Value::Object(merge_map(kind, &key, old, patch)?),
            (Some(Value::Array(old)), Value::Array(patch)) => {
                let order = orders.get(&key).map(Vec::as_slice);
                Value::Array(merge_list(kind, &key, strategy(kind, parent, &key), old, patch, order)?)
            }
            (_, value) => match without_directives(value) {
                Some(value) => value,
                None => continue,
            },
        };
        original.insert(key, merged);
    }
    Ok(original)
}

/// Takes the `$setElementOrder` lists out of a patch.
fn take_orders(patch: &mut Map<String, Value>) -> HashMap<String, Vec<Value>> {
    let mut orders = HashMap::new();
    let mut rest = Map::new();
    for (key, value) in std::mem::take(patch) {
        match (key.strip_prefix(ELEMENT_ORDER), value) {
            (Some(field), Value::Array(order)) => {
                orders.insert(field.to_owned(), order);
            }
            (Some(_), _) => {}
            (None, value) => {
                rest.insert(key, value);
            }
        }
    }
    *patch = rest;
    orders
}

fn retain_keys(original: &mut Map<String, Value>, patch: &mut Map<String, Value>) -> Result<(), ApiError> {
    let Some(keys) = patch.remove(RETAIN_KEYS) else {
        return Ok(());
    };
    let Some(keys) = keys.as_array() else {
        return Err(ApiError::inapplicable_patch());
    };
    let keys: HashSet<&str> = keys.iter().filter_map(Value::as_str).collect();
    let known =
        |(key, value): (&String, &Value)| value.is_null() || key.starts_with('$') || keys.contains(key.as_str());
    if !patch.iter().all(known) {
        return Err(ApiError::inapplicable_patch());
    }
    original.retain(|key, _| keys.contains(key.as_str()));
    Ok(())
}

fn delete_primitives(original: &mut Map<String, Value>, field: &str, gone: &Value) {
    let gone: HashSet<String> = gone.as_array().into_iter().flatten().map(Value::to_string).collect();
    if let Some(Value::Array(list)) = original.get_mut(field) {
        list.retain(|item| !gone.contains(&item.to_string()));
    }
}

fn merge_list(
    kind: &str,
    field: &str,
    strategy: Strategy,
    original: Vec<Value>,
    patch: Vec<Value>,
    order: Option<&[Value]>,
) -> Result<Vec<Value>, ApiError> {
    match strategy {
        Strategy::Replace => Ok(patch.into_iter().filter_map(without_directives).collect()),
        Strategy::Union => {
            let first: Vec<String> = order.unwrap_or(&patch).iter().map(Value::to_string).collect();
            let live: Vec<String> = original.iter().map(Value::to_string).collect();
            let mut merged: HashMap<String, Value> = HashMap::new();
            for item in original.into_iter().chain(patch) {
                merged.insert(item.to_string(), item);
            }
            Ok(arrange(merged, &live, &first))
        }
        Strategy::By(key) => merge_objects(kind, field, key, original, patch, order),
    }
}

fn merge_objects(
    kind: &str,
    field: &str,
    key: &str,
    original: Vec<Value>,
    patch: Vec<Value>,
    order: Option<&[Value]>,
) -> Result<Vec<Value>, ApiError> {
    let identity = |item: &Value| item.get(key).map(Value::to_string);
    let live: Vec<String> = original.iter().filter_map(identity).collect();
    let mut items: HashMap<String, Value> = HashMap::new();
    for item in original {
        if let Some(identity) = identity(&item) {
            items.insert(identity, item);
        }
    }
    if patch
        .iter()
        .any(|item| item.get(DIRECTIVE).is_some_and(|directive| directive == "replace"))
    {
        return Ok(patch.into_iter().filter(|item| item.get(DIRECTIVE).is_none()).collect());
    }
    let mut first = Vec::new();
    for item in patch {
        let Value::Object(mut patch) = item else {
            return Err(ApiError::internal(format!("expected a map in the patch of {field}")));
        };
        let Some(identity) = patch.get(key).map(Value::to_string) else {
            let shown = golang::plain(&Value::Object(patch));
            let message = format!("map: {shown} does not contain declared merge key: {key}");
            return Err(ApiError::internal(message));
        };
        if patch.get(DIRECTIVE).is_some_and(|directive| directive == "delete") {
            items.remove(&identity);
            continue;
        }
        if let Some(directive) = patch.remove(DIRECTIVE) {
            return Err(unknown_directive(&directive, patch));
        }
        let merged = match items.remove(&identity) {
            Some(Value::Object(old)) => Value::Object(merge_map(kind, field, old, patch)?),
            _ => without_directives(Value::Object(patch)).unwrap_or_default(),
        };
        items.insert(identity.clone(), merged);
        first.push(identity);
    }
    let order: Option<Vec<String>> = order.map(|order| order.iter().filter_map(identity).collect());
    Ok(arrange(items, &live, &order.unwrap_or(first)))
}

/// Upstream's order: what the patch names, in its order, and the rest, in the live order, put in before the first
/// patched item that stands behind it in the live list. So a new item comes first.
fn arrange(mut items: HashMap<String, Value>, live: &[String], first: &[String]) -> Vec<Value> {
    let place: HashMap<&String, usize> = live.iter().enumerate().map(|(at, identity)| (identity, at)).collect();
    let named: HashSet<&String> = first.iter().collect();
    let mut rest = live.iter().filter(|identity| !named.contains(identity)).peekable();
    let mut arranged = Vec::with_capacity(items.len());
    for identity in first {
        if let Some(at) = place.get(identity) {
            while let Some(before) = rest.next_if(|other| place.get(other).is_some_and(|other| other < at)) {
                arranged.extend(items.remove(before));
            }
        }
        arranged.extend(items.remove(identity));
    }
    arranged.extend(rest.filter_map(|identity| items.remove(identity)));
    arranged
}

/// What is taken as it is must not carry directives or nulls into the object.
fn without_directives(value: Value) -> Option<Value> {
    match value {
        Value::Object(mut map) => {
            if map.remove(DIRECTIVE).is_some_and(|directive| directive == "delete") {
                return None;
            }
            let clean = map
                .into_iter()
                .filter(|(key, value)| !key.starts_with('$') && !value.is_null())
                .filter_map(|(key, value)| Some((key, without_directives(value)?)));
            Some(Value::Object(clean.collect()))
        }
        Value::Array(items) => Some(Value::Array(items.into_iter().filter_map(without_directives).collect())),
        other => Some(other),
    }
}

fn unknown_directive(directive: &Value, mut map: Map<String, Value>) -> ApiError {
    map.insert(DIRECTIVE.to_owned(), directive.clone());
    let (directive, map) = (golang::plain(directive), golang::plain(&Value::Object(map)));
    ApiError::internal(format!("unknown patch type: {directive} in map: {map}"))
}
