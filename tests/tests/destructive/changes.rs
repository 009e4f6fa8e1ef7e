//! Random requests that make one object of another.

use serde_json::{Map, Value, json};

use crate::features::{Kind, Rng};

/// A request that changes an object.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) form: &'static str,
    pub(crate) method: &'static str,
    /// Below the object's path.
    pub(crate) suffix: String,
    pub(crate) content_type: &'static str,
    pub(crate) body: Value,
}

impl Change {
    fn patch(form: &'static str, content_type: &'static str, body: Value) -> Self {
        Self {
            form,
            method: "PATCH",
            suffix: "?fieldManager=agent-7".to_owned(),
            content_type,
            body,
        }
    }
}

const MERGE: &str = "application/merge-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";
const JSON_PATCH: &str = "application/json-patch+json";
const APPLY: &str = "application/apply-patch+yaml";

/// A request that makes `new` of `old`, two manifests, in one of all ways that there are; `live` is what the server has.
pub(crate) fn random(kind: &Kind, live: &Value, old: &Value, new: &Value, rng: &mut Rng) -> Change {
    match rng.below(14) {
        0 | 1 => Change::patch("merge", MERGE, difference(old, new)),
        2 | 3 if kind.built_in => Change::patch("strategic", STRATEGIC, strategic(old, new, rng)),
        4 => Change::patch("json, whole", JSON_PATCH, Value::Array(operations(live, old, new))),
        5 | 11 | 12 => Change::patch("json, random", JSON_PATCH, Value::Array(random_operations(live, rng))),
        6 | 7 => Change {
            form: "apply",
            ..Change::patch("", APPLY, new.clone())
        },
        8 => Change {
            form: "apply, forced",
            suffix: "?fieldManager=agent-7&force=true".to_owned(),
            ..Change::patch("", APPLY, new.clone())
        },
        9 => put("put, manifest", new.clone()),
        10 if kind.kind == "Deployment" => {
            let replicas = rng.below(7);
            Change {
                suffix: "/scale".to_owned(),
                ..Change::patch("scale", MERGE, json!({"spec": {"replicas": replicas}}))
            }
        }
        _ => {
            // What was read, with the changes in it.
            let mut body = live.clone();
            merge(&mut body, &difference(old, new));
            put("put, as read", body)
        }
    }
}

fn put(form: &'static str, body: Value) -> Change {
    Change {
        form,
        method: "PUT",
        suffix: "?fieldManager=agent-7".to_owned(),
        content_type: "application/json",
        body,
    }
}

/// The merge patch that makes one of the other.
fn difference(old: &Value, new: &Value) -> Value {
    let empty = Map::new();
    let (old, new) = (old.as_object().unwrap_or(&empty), new.as_object().unwrap_or(&empty));
    let mut patch = Map::new();
    for (key, value) in new {
        match old.get(key) {
            Some(before) if before == value => {}
            Some(before) if before.is_object() && value.is_object() => {
                patch.insert(key.clone(), difference(before, value));
            }
            _ => drop(patch.insert(key.clone(), value.clone())),
        }
    }
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    patch.into()
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let members = target.as_object_mut().expect("an object");
    for (key, value) in patch {
        if value.is_null() {
            members.remove(key);
        } else {
            merge(members.entry(key).or_insert(Value::Null), value);
        }
    }
}

/// The key by which a strategic merge patch matches the elements of a list.
fn merge_key(list: &str) -> Option<&'static str> {
    match list {
        "containers" | "initContainers" | "env" | "volumes" | "imagePullSecrets" => Some("name"),
        "hostAliases" => Some("ip"),
        "ports" => Some(""),
        _ => None,
    }
}

/// The strategic merge patch that makes one of the other, with directives now and then.
fn strategic(old: &Value, new: &Value, rng: &mut Rng) -> Value {
    let mut patch = difference(old, new);
    let members = patch.as_object_mut().expect("an object");
    for (key, value) in members.clone() {
        let (before, after) = (&old[&key], &new[&key]);
        let patched = match (before, after) {
            (Value::Object(_), Value::Object(_)) if key == "strategy" || key == "updateStrategy" && rng.one_in(2) => {
                let keys: Vec<&String> = after.as_object().expect("an object").keys().collect();
                let mut replaced = after.clone();
                replaced["$retainKeys"] = json!(keys);
                replaced
            }
            (Value::Object(_), Value::Object(_)) => strategic(before, after, rng),
            (Value::Array(before), Value::Array(after)) => strategic_list(&key, before, after, rng),
            _ => value,
        };
        members.insert(key, patched);
    }
    if let (Some(before), Some(after)) = (old["finalizers"].as_array(), new["finalizers"].as_array()) {
        let gone: Vec<&Value> = before.iter().filter(|one| !after.contains(one)).collect();
        if !gone.is_empty() {
            patch["$deleteFromPrimitiveList/finalizers"] = json!(gone);
        }
    }
    patch
}

fn strategic_list(list: &str, before: &[Value], after: &[Value], rng: &mut Rng) -> Value {
    let Some(key) = merge_key(list) else {
        return json!(after);
    };
    let key = match key {
        "" if after
            .iter()
            .chain(before)
            .any(|port| port.get("containerPort").is_some()) =>
        {
            "containerPort"
        }
        "" => "port",
        key => key,
    };
    if rng.one_in(6) {
        let mut replaced = after.to_vec();
        replaced.push(json!({"$patch": "replace"}));
        return json!(replaced);
    }
    let mut patch = Vec::new();
    for element in after {
        match before.iter().find(|old| old[key] == element[key]) {
            Some(old) if old == element => {}
            Some(old) => {
                let mut changed = strategic(old, element, rng);
                changed[key] = element[key].clone();
                patch.push(changed);
            }
            None => patch.push(element.clone()),
        }
    }
    for old in before
        .iter()
        .filter(|old| !after.iter().any(|element| element[key] == old[key]))
    {
        patch.push(json!({key: old[key], "$patch": "delete"}));
    }
    json!(patch)
}

/// The JSON Patch that makes one of the other, for the object that the server has.
fn operations(live: &Value, old: &Value, new: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    operations_at(live, &difference(old, new), "", &mut found);
    found
}

fn operations_at(live: &Value, patch: &Value, path: &str, found: &mut Vec<Value>) {
    for (key, value) in patch.as_object().into_iter().flatten() {
        let path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
        match (live.get(key), value) {
            (None, Value::Null) => {}
            (Some(_), Value::Null) => found.push(json!({"op": "remove", "path": path})),
            (Some(below @ Value::Object(_)), Value::Object(_)) => operations_at(below, value, &path, found),
            (Some(_), value) => found.push(json!({"op": "replace", "path": path, "value": value})),
            (None, value) => found.push(json!({"op": "add", "path": path, "value": value})),
        }
    }
}

/// Operations at random places of the object.
fn random_operations(live: &Value, rng: &mut Rng) -> Vec<Value> {
    let mut places = Vec::new();
    for part in [
        "/metadata/labels",
        "/metadata/annotations",
        "/metadata/finalizers",
        "/data",
        "/spec",
    ] {
        if let Some(value) = live.pointer(part) {
            collect(value, part, &mut places);
        }
    }
    if places.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for _ in 0..=rng.below(2) {
        let (path, value) = rng.pick(&places).clone();
        found.push(match (rng.below(6), &value) {
            (0, _) => json!({"op": "remove", "path": path}),
            (1, _) if live.pointer("/metadata/labels/a").is_some() => {
                let op = *rng.pick(&["copy", "move"]);
                json!({"op": op, "from": "/metadata/labels/a", "path": "/metadata/labels/b"})
            }
            (2, Value::Array(_)) => json!({"op": "remove", "path": format!("{path}/-1")}),
            (3, Value::Array(elements)) if !elements.is_empty() => {
                json!({"op": "add", "path": format!("{path}/-"), "value": elements[0]})
            }
            (_, Value::Object(object)) => {
                let mut less = object.clone();
                let keys: Vec<String> = less.keys().cloned().collect();
                if rng.one_in(2) && !keys.is_empty() {
                    less.remove(rng.pick(&keys));
                }
                json!({"op": "replace", "path": path, "value": less})
            }
            (_, Value::String(text)) => json!({"op": "replace", "path": path, "value": text}),
            (_, value) => json!({"op": "add", "path": path, "value": value}),
        });
    }
    found
}

fn collect(value: &Value, path: &str, places: &mut Vec<(String, Value)>) {
    places.push((path.to_owned(), value.clone()));
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let key = key.replace('~', "~0").replace('/', "~1");
                collect(value, &format!("{path}/{key}"), places);
            }
        }
        Value::Array(elements) => {
            for (at, value) in elements.iter().enumerate() {
                collect(value, &format!("{path}/{at}"), places);
            }
        }
        _ => {}
    }
}
