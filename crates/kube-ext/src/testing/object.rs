//! Small readers and writers for stored objects.

use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

/// An object without `apiVersion` and `kind`, which belong to the URL it is asked for by.
pub(super) type Object = Map<String, Value>;

/// What `generateName` draws from: no vowels, so that no words come out.
const SUFFIX_ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// A field of `metadata`.
pub(super) fn meta<'a>(object: &'a Object, field: &str) -> Option<&'a Value> {
    object.get("metadata")?.get(field)
}

/// A text field of `metadata`; empty where it is absent.
pub(super) fn meta_text<'a>(object: &'a Object, field: &str) -> &'a str {
    meta(object, field).and_then(Value::as_str).unwrap_or_default()
}

/// Sets a field of `metadata`, or removes it.
pub(super) fn set_meta(object: &mut Object, field: &str, value: Option<Value>) {
    edit(object, "metadata", |metadata| set(metadata, field, value));
}

/// Edits the object under `field`; an empty one where it is absent or no object.
pub(super) fn edit(object: &mut Object, field: &str, change: impl FnOnce(&mut Object)) {
    let mut child = match object.remove(field) {
        Some(Value::Object(child)) => child,
        _ => Object::new(),
    };
    change(&mut child);
    object.insert(field.to_owned(), Value::Object(child));
}

/// Sets a field, or removes it.
pub(super) fn set(object: &mut Object, field: &str, value: Option<Value>) {
    match value {
        Some(value) => object.insert(field.to_owned(), value),
        None => object.remove(field),
    };
}

/// Whether `metadata.finalizers` or, of namespaces, `spec.finalizers` holds the object back.
pub(super) fn has_finalizers(object: &Object) -> bool {
    let filled = |list: Option<&Value>| list.and_then(Value::as_array).is_some_and(|list| !list.is_empty());
    filled(meta(object, "finalizers")) || filled(object.get("spec").and_then(|spec| spec.get("finalizers")))
}

/// The revision that the object was written at.
pub(super) fn resource_version(object: &Object) -> u64 {
    meta_text(object, "resourceVersion").parse().unwrap_or_default()
}

/// The time now as `metadata` carries it.
pub(super) fn now() -> Value {
    Value::String(Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// A fresh UID.
pub(super) fn new_uid() -> String {
    Uuid::new_v4().to_string()
}

/// What `generateName` appends.
pub(super) fn name_suffix() -> String {
    let alphabet = SUFFIX_ALPHABET.iter().copied().map(char::from);
    Uuid::new_v4()
        .as_bytes()
        .iter()
        .take(5)
        .filter_map(|b| alphabet.clone().nth(usize::from(*b) % SUFFIX_ALPHABET.len()))
        .collect()
}
