//! Create and update, and what every write has in common.

use std::sync::Arc;

use base64::engine::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::decode::{self, decode_base64};
use super::errors::{ApiError, Cause};
use super::golang;
use super::kinds::{CREATE_ON_UPDATE, CUSTOM, GENERATION, LOCKED, NAMESPACED, PATH_NAMES, Resource, STATUS};
use super::object::{Object, edit, has_finalizers, meta, meta_text, name_suffix, new_uid, now, set, set_meta};
use super::query::Query;
use super::state::{State, Target};

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', \
     and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
     '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

/// The fields of `metadata` that are kept; the types of built-in kinds drop what they don't know.
const META_FIELDS: &[&str] = &[
    "name",
    "generateName",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
];

/// `dryRun` of the query: absent, or `All` and nothing else.
pub(super) fn dry_run(query: &Query, options: &str) -> Result<bool, ApiError> {
    let values: Vec<&str> = query.all("dryRun").collect();
    check_dry_run(&values, options)
}

pub(super) fn check_dry_run(values: &[&str], options: &str) -> Result<bool, ApiError> {
    if values.iter().any(|value| *value != "All") {
        let cause = Cause::not_supported("dryRun", &json!(values).to_string(), "\"All\"");
        return Err(ApiError::invalid_options(options, &[cause]));
    }
    Ok(!values.is_empty())
}

/// POST to a collection.
pub(super) fn create(state: &mut State, target: &Target, query: &Query, body: &[u8]) -> Result<Arc<Object>, ApiError> {
    let dry = dry_run(query, "CreateOptions")?;
    let object = decode::object(&target.resource, body)?;
    check_namespace(target, &object)?;
    insert(state, target, object, dry)
}

/// Puts a new object in place; its name comes from the object itself.
pub(super) fn insert(
    state: &mut State,
    target: &Target,
    mut object: Object,
    dry: bool,
) -> Result<Arc<Object>, ApiError> {
    let resource = &target.resource;
    if !meta_text(&object, "resourceVersion").is_empty() {
        return Err(ApiError::internal(
            "resourceVersion should not be set on objects to be created",
        ));
    }
    let mut name = meta_text(&object, "name").to_owned();
    if let (Some(namespaces), true) = (state.namespaces(), resource.is(NAMESPACED)) {
        state
            .store
            .check_namespace(&namespaces, resource, &target.namespace, &name)?;
    }
    let prefix = meta_text(&object, "generateName");
    if name.is_empty() && !prefix.is_empty() {
        name = format!("{prefix}{}", name_suffix());
    }
    check_name(resource, &name)?;
    let target = Target {
        name: name.clone(),
        ..target.clone()
    };
    if let Some(existing) = state.get(&target) {
        let being_deleted = !meta_text(existing, "deletionTimestamp").is_empty();
        return Err(ApiError::already_exists(resource, &name, being_deleted));
    }
    edit(&mut object, "metadata", |metadata| {
        for field in [
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "selfLink",
            "generation",
        ] {
            metadata.remove(field);
        }
        metadata.insert("name".to_owned(), name.into());
        metadata.insert("uid".to_owned(), new_uid().into());
        metadata.insert("creationTimestamp".to_owned(), now());
        set(metadata, "namespace", target.scope().map(Value::from));
        set(metadata, "generation", resource.is(GENERATION).then(|| 1.into()));
    });
    if resource.is(STATUS) {
        let status = if resource.is_pod() {
            json!({ "phase": "Pending" })
        } else {
            json!({})
        };
        set(&mut object, "status", (!resource.is(CUSTOM)).then_some(status));
    }
    normalize(resource, &mut object);
    if resource.is_namespace() {
        set(&mut object, "spec", Some(json!({ "finalizers": ["kubernetes"] })));
        set(&mut object, "status", Some(json!({ "phase": "Active" })));
    }
    Ok(if dry {
        Arc::new(object)
    } else {
        state.store.put(target.key(), object)
    })
}

/// PUT. The flag says whether the object was created.
pub(super) fn update(
    state: &mut State,
    target: &Target,
    query: &Query,
    body: &[u8],
) -> Result<(Arc<Object>, bool), ApiError> {
    let dry = dry_run(query, "UpdateOptions")?;
    let resource = &target.resource;
    let mut object = decode::object(resource, body)?;
    check_identity(target, &object)?;
    let Some(existing) = state.get(target).cloned() else {
        if resource.is(CREATE_ON_UPDATE) && target.subresource.is_empty() {
            // A revision doesn't keep a PUT from creating.
            set_meta(&mut object, "resourceVersion", None);
            return Ok((insert(state, target, object, dry)?, true));
        }
        return Err(ApiError::not_found(resource, &target.name));
    };
    if resource.is(LOCKED) && meta_text(&object, "resourceVersion").is_empty() {
        let cause = Cause::invalid("metadata.resourceVersion", "0", "must be specified for an update");
        return Err(ApiError::invalid_kind(
            &resource.plural,
            &resource.group,
            &target.name,
            &[cause],
        ));
    }
    check_uid(target, &existing, &object)?;
    Ok((commit(state, target, &existing, object, dry)?, false))
}

/// A UID in a PUT is a precondition.
pub(super) fn check_uid(target: &Target, existing: &Object, object: &Object) -> Result<(), ApiError> {
    let (wanted, found) = (meta_text(object, "uid"), meta_text(existing, "uid"));
    if wanted.is_empty() || wanted == found {
        return Ok(());
    }
    let key = ["/registry", &target.resource.plural, &target.namespace, &target.name];
    let key: Vec<&str> = key.into_iter().filter(|part| !part.is_empty()).collect();
    let why = format!(
        "StorageError: invalid object, Code: 4, Key: {}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: \
         UID in precondition: {wanted}, UID in object meta: {found}",
        key.join("/")
    );
    Err(ApiError::conflict(&target.resource, "", &target.name, &why))
}

/// The optimistic lock: a revision in a write is the one that was read.
pub(super) fn check_lock(target: &Target, existing: &Object, object: &Object) -> Result<(), ApiError> {
    let revision = meta_text(object, "resourceVersion");
    if revision.is_empty() || revision == meta_text(existing, "resourceVersion") {
        return Ok(());
    }
    if revision.parse::<u64>().is_err() {
        return Err(ApiError::internal(format!(
            "strconv.ParseUint: parsing \"{revision}\": invalid syntax"
        )));
    }
    Err(ApiError::modified(&target.resource, &target.name))
}

/// The refusal of a change to what can't change.
pub(super) fn immutable(target: &Target, field: &'static str, value: &str) -> ApiError {
    let cause = Cause::invalid(field, &golang::quote(value), "field is immutable");
    // Upstream says it twice of metadata, which is validated on its own and with the object.
    let twice = field.starts_with("metadata.").then(|| cause.clone());
    let causes: Vec<Cause> = std::iter::once(cause).chain(twice).collect();
    ApiError::invalid(&target.resource, &target.name, &causes)
}

/// Writes the next state of an object that exists: the optimistic lock, what may not change, generation, and the end of
/// an object whose last finalizer went.
pub(super) fn commit(
    state: &mut State,
    target: &Target,
    existing: &Arc<Object>,
    mut object: Object,
    dry: bool,
) -> Result<Arc<Object>, ApiError> {
    let resource = &target.resource;
    check_lock(target, existing, &object)?;
    let marked = meta_text(&object, "deletionTimestamp");
    if !marked.is_empty() && marked != meta_text(existing, "deletionTimestamp") {
        return Err(immutable(target, "metadata.deletionTimestamp", marked));
    }
    match target.subresource.as_str() {
        "status" => {
            let status = object.remove("status");
            object = Object::clone(existing);
            set(&mut object, "status", status);
        }
        "finalize" => {
            let finalizers = object.get("spec").and_then(|spec| spec.get("finalizers")).cloned();
            object = Object::clone(existing);
            let kept = finalizers.filter(|list| list.as_array().is_some_and(|list| !list.is_empty()));
            edit(&mut object, "spec", |spec| set(spec, "finalizers", kept));
        }
        _ if resource.is(STATUS) => set(&mut object, "status", existing.get("status").cloned()),
        _ => {}
    }
    if resource.is_namespace() && target.subresource.is_empty() {
        set(&mut object, "spec", existing.get("spec").cloned());
    }
    edit(&mut object, "metadata", |metadata| {
        for field in [
            "name",
            "namespace",
            "uid",
            "creationTimestamp",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "generation",
            "resourceVersion",
        ] {
            set(metadata, field, meta(existing, field).cloned());
        }
    });
    normalize(resource, &mut object);
    if resource.is_secret() && object.get("type") != existing.get("type") {
        let kind = object.get("type").and_then(Value::as_str).unwrap_or_default();
        return Err(immutable(target, "type", kind));
    }
    if object == **existing {
        return Ok(Arc::clone(existing));
    }
    if resource.is(GENERATION) && content(&object) != content(existing) {
        bump_generation(&mut object);
    }
    let finished = !meta_text(&object, "deletionTimestamp").is_empty() && !has_finalizers(&object);
    if finished && !dry {
        state.removed(resource, &object);
        state.store.remove(&target.key(), object.clone());
    }
    // The answer to the write that ends an object shows the revision before it.
    Ok(if dry || finished {
        Arc::new(object)
    } else {
        state.store.put(target.key(), object)
    })
}

pub(super) fn bump_generation(object: &mut Object) {
    let generation = meta(object, "generation").and_then(Value::as_i64).unwrap_or_default();
    set_meta(object, "generation", Some((generation + 1).into()));
}

/// All but metadata and status: what `generation` counts the changes of.
fn content(object: &Object) -> Vec<(&String, &Value)> {
    object
        .iter()
        .filter(|(key, _)| !matches!(key.as_str(), "metadata" | "status"))
        .collect()
}

/// What a write leaves out, folds or fills in, whatever kind of write it is.
pub(super) fn normalize(resource: &Resource, object: &mut Object) {
    edit(object, "metadata", |metadata| {
        // There is no field ownership here, so what a caller says about it is dropped.
        metadata.remove("managedFields");
        metadata.retain(|field, value| META_FIELDS.contains(&field.as_str()) && !value.is_null());
        for field in ["labels", "annotations", "finalizers", "ownerReferences"] {
            let empty = match metadata.get(field) {
                Some(Value::Object(map)) => map.is_empty(),
                Some(Value::Array(list)) => list.is_empty(),
                _ => false,
            };
            if empty {
                metadata.remove(field);
            }
        }
        if resource.is_namespace() {
            let name = metadata.get("name").cloned().unwrap_or_default();
            edit(metadata, "labels", |labels| {
                set(labels, "kubernetes.io/metadata.name", Some(name))
            });
        }
    });
    if resource.is_secret() {
        if let Some(Value::Object(texts)) = object.remove("stringData") {
            edit(object, "data", |data| {
                for (key, text) in texts {
                    let encoded = STANDARD.encode(text.as_str().unwrap_or_default());
                    data.insert(key, encoded.into());
                }
            });
        }
        if object
            .get("type")
            .is_none_or(|kind| kind.as_str().is_none_or(str::is_empty))
        {
            object.insert("type".to_owned(), "Opaque".into());
        }
        normalize_bytes(object, "data");
        object.retain(|field, value| {
            matches!(field.as_str(), "metadata" | "data" | "type" | "immutable") && !is_empty(value)
        });
    }
    if resource.is_config_map() {
        normalize_bytes(object, "binaryData");
        object.retain(|field, value| {
            matches!(field.as_str(), "metadata" | "data" | "binaryData" | "immutable") && !is_empty(value)
        });
    }
}

/// Bytes are decoded and encoded again on their way through a typed server.
fn normalize_bytes(object: &mut Object, field: &str) {
    for value in object
        .get_mut(field)
        .and_then(Value::as_object_mut)
        .into_iter()
        .flat_map(Object::values_mut)
    {
        let bytes = value
            .as_str()
            .and_then(|text| decode_base64(text).ok())
            .unwrap_or_default();
        *value = STANDARD.encode(bytes).into();
    }
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_object().is_some_and(Object::is_empty)
}

fn check_namespace(target: &Target, object: &Object) -> Result<(), ApiError> {
    let namespace = meta_text(object, "namespace");
    if namespace.is_empty() || namespace == target.namespace {
        return Ok(());
    }
    let message = "the namespace of the provided object does not match the namespace sent on the request";
    Err(ApiError::bad_request(message))
}

/// Name and namespace in the object are those of the URL.
pub(super) fn check_identity(target: &Target, object: &Object) -> Result<(), ApiError> {
    let (name, wanted) = (meta_text(object, "name"), &target.name);
    if name.is_empty() {
        let message =
            format!("the name of the object ({wanted} based on URL) was undeterminable: name must be provided");
        return Err(ApiError::bad_request(message));
    }
    if name != wanted {
        let message = format!("the name of the object ({name}) does not match the name on the URL ({wanted})");
        return Err(ApiError::bad_request(message));
    }
    check_namespace(target, object)
}

fn check_name(resource: &Resource, name: &str) -> Result<(), ApiError> {
    if name.is_empty() {
        let cause = Cause::required("metadata.name", "name or generateName is required");
        return Err(ApiError::invalid(resource, "", &[cause]));
    }
    let label = |part: &str| {
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !part.is_empty() && part.chars().all(inner) && !part.starts_with('-') && !part.ends_with('-')
    };
    let flaw = if !resource.is(PATH_NAMES) {
        let legal = name.len() <= 253 && name.split('.').all(label);
        (!legal).then_some(SUBDOMAIN)
    } else if name.contains('/') {
        Some("may not contain '/'")
    } else if name.contains('%') {
        Some("may not contain '%'")
    } else {
        matches!(name, "." | "..").then_some("may not be '.' or '..'")
    };
    let Some(why) = flaw else { return Ok(()) };
    let cause = Cause::invalid("metadata.name", &golang::quote(name), why);
    Err(ApiError::invalid(resource, name, &[cause]))
}
