//! What an object has lost, by a rule that knows nothing of how it came about.

use std::collections::HashMap;

use serde_json::Value;

/// What the server owns.
const OF_THE_SERVER: [&str; 7] = [
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "managedFields",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
];

/// The places that one object has and the other lacks.
pub(crate) fn lost(before: &Value, after: &Value) -> Vec<String> {
    let (old, new) = (places(before), places(after));
    let mut lost: Vec<String> = old
        .into_iter()
        .filter(|(place, count)| new.get(place).is_none_or(|now| now < count))
        .map(|(place, _)| place)
        .collect();
    lost.sort();
    lost
}

/// The places that are gone although the manifest does not say so: what it sets to false, nothing or zero was changed,
/// and the server leaves it out when it writes the object.
pub(crate) fn unstated(mut lost: Vec<String>, manifest: &Value) -> Vec<String> {
    let stated = values(manifest);
    lost.retain(|place| {
        !stated
            .get(place)
            .is_some_and(|value| ["false", "0", "\"\""].contains(&value.as_str()))
    });
    lost
}

/// The places at which a value is another one, since the request no longer states it and the server puts its own there.
/// `old` and `new` are manifests.
pub(crate) fn reset(before: &Value, after: &Value, old: &Value, new: &Value) -> Vec<String> {
    let (is, was) = (values(after), values(before));
    let mut found = lost(old, new);
    found.retain(|place| {
        was.get(place)
            .is_some_and(|value| is.get(place).is_some_and(|now| now != value))
    });
    found
}

/// The keys of Secrets and ConfigMaps that have another value.
pub(crate) fn overwritten(before: &Value, after: &Value) -> Vec<String> {
    let kind = &before["kind"];
    if kind != "Secret" && kind != "ConfigMap" {
        return Vec::new();
    }
    let mut found = Vec::new();
    for map in ["data", "binaryData"] {
        for (key, value) in before[map].as_object().into_iter().flatten() {
            if after[map].get(key).is_some_and(|now| now != value) {
                found.push(format!("{map}/{key}"));
            }
        }
    }
    found
}

/// The values of all scalars, by their places.
fn values(object: &Value) -> HashMap<String, String> {
    let mut found = HashMap::new();
    scalars(object, "", "", &mut found);
    found
}

fn scalars(value: &Value, key: &str, place: &str, found: &mut HashMap<String, String>) {
    let below = |name: &str| {
        if place.is_empty() {
            name.to_owned()
        } else {
            format!("{place}/{name}")
        }
    };
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                scalars(value, key, &below(key), found);
            }
        }
        Value::Array(elements) => {
            for element in elements {
                if let Some(name) = name(key, element) {
                    scalars(element, "", &below(&name), found);
                }
            }
        }
        scalar => drop(found.insert(place.to_owned(), scalar.to_string())),
    }
}

fn places(object: &Value) -> HashMap<String, usize> {
    let mut found = HashMap::new();
    for (key, value) in object.as_object().into_iter().flatten() {
        match key.as_str() {
            "status" => {}
            "metadata" => {
                for (key, value) in value.as_object().into_iter().flatten() {
                    if !OF_THE_SERVER.contains(&key.as_str()) {
                        collect(value, key, &format!("metadata/{key}"), &mut found);
                    }
                }
            }
            key => collect(value, key, key, &mut found),
        }
    }
    found
}

fn collect(value: &Value, key: &str, place: &str, found: &mut HashMap<String, usize>) {
    let mut add = |place: String| *found.entry(place).or_default() += 1;
    if !value.is_null() {
        add(place.to_owned());
    }
    match value {
        Value::Object(object) => {
            add(format!("{place} is an object"));
            for (key, value) in object {
                collect(value, key, &format!("{place}/{key}"), found);
            }
        }
        Value::Array(elements) => {
            add(format!("{place} is a list"));
            for element in elements {
                match name(key, element) {
                    Some(name) => collect(element, "", &format!("{place}/{name}"), found),
                    None => *found.entry(format!("{place}/{element}")).or_default() += 1,
                }
            }
        }
        _ => {}
    }
}

/// What tells an element of a list from others, where something does.
fn name(list: &str, element: &Value) -> Option<String> {
    let keys: &[&str] = match list {
        "containers" | "initContainers" | "env" | "volumes" | "imagePullSecrets" => &["name"],
        "hostAliases" => &["ip"],
        "ports" => &["containerPort", "port"],
        _ => return None,
    };
    Some(
        keys.iter()
            .map(|key| element[key].to_string())
            .collect::<Vec<_>>()
            .join(","),
    )
}
