//! Objects put in place without a request.

use serde_json::{Value, json};

use super::decode;
use super::kinds::{GENERATION, NAMESPACED, Resource};
use super::object::{Object, edit, meta_text, new_uid, now, set};
use super::state::State;
use super::store::Key;
use super::write::normalize;

/// An object that can't be put in place.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct SeedError(String);

/// Puts an object in place as it is, status included; a `v1` List item by item.
pub(super) fn seed(state: &mut State, value: Value) -> Result<(), SeedError> {
    let Value::Object(mut object) = value else {
        return Err(SeedError("not an object".to_owned()));
    };
    let said = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default();
    let (api_version, kind) = (said("apiVersion").to_owned(), said("kind").to_owned());
    if kind == "List" {
        let items = match object.remove("items") {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        };
        return items.into_iter().try_for_each(|item| seed(state, item));
    }
    let Some(resource) = state.find_kind(&api_version, &kind) else {
        return Err(SeedError(format!("no kind {kind:?} in {api_version:?}")));
    };
    let name = meta_text(&object, "name").to_owned();
    decode::check(&resource, &object).map_err(|why| SeedError(format!("{kind} {name:?}: {why}")))?;
    if name.is_empty() {
        return Err(SeedError(format!("a {kind} without a name")));
    }
    set(&mut object, "kind", None);
    set(&mut object, "apiVersion", None);
    let namespace = match (resource.is(NAMESPACED), meta_text(&object, "namespace")) {
        (false, _) => String::new(),
        (true, "") => "default".to_owned(),
        (true, namespace) => namespace.to_owned(),
    };
    if let (false, Some(namespaces)) = (namespace.is_empty(), state.namespaces()) {
        let missing = state.store.get(&Key::new(&namespaces, "", &namespace)).is_none();
        if missing {
            put(state, &namespaces, "", &namespace, Object::new());
        }
    }
    put(state, &resource, &namespace, &name, object);
    Ok(())
}

fn put(state: &mut State, resource: &Resource, namespace: &str, name: &str, mut object: Object) {
    edit(&mut object, "metadata", |metadata| {
        metadata.insert("name".to_owned(), name.into());
        set(metadata, "namespace", (!namespace.is_empty()).then(|| namespace.into()));
        metadata.entry("uid").or_insert_with(|| new_uid().into());
        metadata.entry("creationTimestamp").or_insert_with(now);
        if resource.is(GENERATION) {
            metadata.entry("generation").or_insert_with(|| 1.into());
        }
    });
    if resource.is_namespace() {
        object
            .entry("spec")
            .or_insert_with(|| json!({ "finalizers": ["kubernetes"] }));
        object.entry("status").or_insert_with(|| json!({ "phase": "Active" }));
    }
    normalize(resource, &mut object);
    state.store.put(Key::new(resource, namespace, name), object);
}
