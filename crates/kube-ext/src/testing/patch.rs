//! PATCH: merge, JSON Patch, strategic merge and apply.

use std::sync::Arc;

use serde_json::Value;

use super::decode::{self, Flaw, kind_of};
use super::errors::{ApiError, Cause};
use super::golang;
use super::json_patch;
use super::kinds::{CUSTOM, Resource};
use super::object::{Object, meta, meta_text, set, set_meta};
use super::query::Query;
use super::state::{State, Target};
use super::strategic;
use super::write::{check_identity, check_lock, commit, dry_run, immutable, insert};

/// The kind of a patch, by its content type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PatchKind {
    Json,
    Merge,
    Strategic,
    Apply,
}

impl PatchKind {
    /// Upstream takes what stands before the `;`, without folding its case.
    pub(super) fn parse(resource: &Resource, content_type: &str) -> Result<Self, ApiError> {
        match content_type.split(';').next().unwrap_or_default() {
            "application/json-patch+json" => Ok(Self::Json),
            "application/merge-patch+json" => Ok(Self::Merge),
            "application/strategic-merge-patch+json" if !resource.is(CUSTOM) => Ok(Self::Strategic),
            "application/apply-patch+yaml" => Ok(Self::Apply),
            _ => Err(ApiError::unsupported_patch_type(resource)),
        }
    }

    /// What the options of every patch must fulfil. The flag is for dry run.
    pub(super) fn check_options(self, query: &Query) -> Result<bool, ApiError> {
        let dry = dry_run(query, "PatchOptions")?;
        if self == Self::Apply && query.text("fieldManager").is_none() {
            let cause = Cause::required("fieldManager", "is required for apply patch");
            return Err(ApiError::invalid_options("PatchOptions", &[cause]));
        }
        if self != Self::Apply && query.get("force").is_some() {
            let cause = Cause::forbidden("force", "may not be specified for non-apply patch");
            return Err(ApiError::invalid_options("PatchOptions", &[cause]));
        }
        Ok(dry)
    }
}

/// PATCH of an object or its status. The flag says whether the object was created.
pub(super) fn patch(
    state: &mut State,
    target: &Target,
    query: &Query,
    content_type: &str,
    body: &[u8],
) -> Result<(Arc<Object>, bool), ApiError> {
    let resource = &target.resource;
    let kind = PatchKind::parse(resource, content_type)?;
    let dry = kind.check_options(query)?;
    if kind == PatchKind::Apply {
        return apply(state, target, body, dry);
    }
    let Some(existing) = state.get(target).cloned() else {
        return Err(ApiError::not_found(resource, &target.name));
    };
    let patched = patch_value(kind, &resource.kind, typed(resource, &existing), body)?;
    let mut object = checked(kind, resource, patched, body)?;
    set(&mut object, "kind", None);
    set(&mut object, "apiVersion", None);
    check_identity(target, &object)?;
    check_unchanged(target, &existing, &object)?;
    Ok((commit(state, target, &existing, object, dry)?, false))
}

/// The object as a patch sees it: with its type.
fn typed(resource: &Resource, object: &Object) -> Value {
    let mut typed = object.clone();
    set(&mut typed, "kind", Some(resource.kind.as_str().into()));
    set(&mut typed, "apiVersion", Some(resource.api_version().into()));
    Value::Object(typed)
}

/// Applies a patch that isn't an apply.
pub(super) fn patch_value(kind: PatchKind, name: &str, mut current: Value, body: &[u8]) -> Result<Value, ApiError> {
    let decoding = |error: &dyn std::fmt::Display| match kind {
        PatchKind::Strategic => ApiError::bad_request(error.to_string()),
        _ => ApiError::bad_request(format!("error decoding patch: {error}")),
    };
    let patch: Value = serde_json::from_slice(body).map_err(|error| decoding(&error))?;
    let wrong_type = |value: &Value, wanted: &str| {
        decoding(&format_args!(
            "json: cannot unmarshal {} into Go value of type {wanted}",
            kind_of(value)
        ))
    };
    match (kind, patch) {
        (PatchKind::Json, Value::Array(operations)) => match operations.iter().find(|one| !one.is_object()) {
            Some(odd) => Err(wrong_type(odd, "handlers.jsonPatchOp")),
            None => json_patch::apply(current, operations),
        },
        (PatchKind::Json | PatchKind::Strategic, Value::Null) => Ok(current),
        (PatchKind::Json, other) => Err(wrong_type(&other, "[]handlers.jsonPatchOp")),
        (PatchKind::Merge, Value::Null) => Err(ApiError::bad_request("Invalid JSON Patch")),
        (PatchKind::Strategic, Value::Object(fields)) => match current {
            Value::Object(current) => strategic::merge(name, current, fields).map(Value::Object),
            _ => Err(ApiError::inapplicable_patch()),
        },
        (_, patch @ Value::Object(_)) => {
            ::json_patch::merge(&mut current, &patch);
            Ok(current)
        }
        (_, other) => Err(wrong_type(&other, "map[string]interface {}")),
    }
}

/// The result as an object of the kind. Where it is none, the error of a merge or JSON patch quotes all of it, live
/// fields included, and that of a strategic one the patch alone: so does upstream.
pub(super) fn checked(kind: PatchKind, resource: &Resource, patched: Value, body: &[u8]) -> Result<Object, ApiError> {
    let Value::Object(object) = patched else {
        return Err(ApiError::inapplicable_patch());
    };
    let Err(flaw) = decode::check(resource, &object) else {
        return Ok(object);
    };
    if matches!(flaw, Flaw::CustomKind(_) | Flaw::CustomVersion(_)) {
        return Err(decode::refuse(resource, &object, &flaw));
    }
    if kind == PatchKind::Strategic {
        let patch: Value = serde_json::from_slice(body).unwrap_or_default();
        return Err(ApiError::invalid_patch(
            &golang::quote(&golang::plain(&patch)),
            &flaw.unrestorable(),
        ));
    }
    let whole = golang::escape(&Value::Object(object).to_string());
    let why = match flaw {
        Flaw::NoKind => format!("{flaw} in '{whole}'"),
        flaw => flaw.to_string(),
    };
    Err(ApiError::invalid_patch(&golang::quote(&whole), &why))
}

/// The lock first, then the UID, which a patch can't change.
fn check_unchanged(target: &Target, existing: &Object, object: &Object) -> Result<(), ApiError> {
    check_lock(target, existing, object)?;
    let uid = meta_text(object, "uid");
    if uid.is_empty() || uid == meta_text(existing, "uid") {
        Ok(())
    } else {
        Err(immutable(target, "metadata.uid", uid))
    }
}

/// Server-side apply without field ownership: it creates or merges, never conflicts with a manager and never prunes.
fn apply(state: &mut State, target: &Target, body: &[u8], dry: bool) -> Result<(Arc<Object>, bool), ApiError> {
    let resource = &target.resource;
    let decoding = |error: &dyn std::fmt::Display| {
        let message = format!("error decoding YAML: {error} (the embedded API server reads JSON only)");
        ApiError::bad_request(message)
    };
    let value: Value = serde_json::from_slice(body).map_err(|error| decoding(&error))?;
    let Value::Object(mut object) = value else {
        return Err(decoding(&"expected a map"));
    };
    let said = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default();
    let (api_version, kind) = (said("apiVersion").to_owned(), said("kind").to_owned());
    if api_version != resource.api_version() || kind != resource.kind {
        let separator = if api_version.contains('/') { "" } else { "/" };
        return Err(ApiError::bad_request(format!(
            "invalid object type: {separator}{api_version}, Kind={kind}"
        )));
    }
    if meta(&object, "managedFields").is_some_and(|fields| !fields.is_null()) {
        return Err(ApiError::bad_request("metadata.managedFields must be nil"));
    }
    if let Err(flaw) = decode::check(resource, &object) {
        let place = format!("{}/{}", meta_text(&object, "namespace"), meta_text(&object, "name"));
        let separator = if api_version.contains('/') { "" } else { "/" };
        return Err(ApiError::internal(format!(
            "failed to create typed patch object ({place}; {separator}{api_version}, Kind={kind}): {}",
            flaw.untypable()
        )));
    }
    check_identity(target, &object)?;
    let Some(existing) = state.get(target).cloned() else {
        if !target.subresource.is_empty() {
            return Err(ApiError::not_found(resource, &target.name));
        }
        let uid = meta_text(&object, "uid");
        if !uid.is_empty() {
            let why =
                format!("uid mismatch: the provided object specified uid {uid}, and no existing object was found");
            return Err(ApiError::conflict(resource, "", &target.name, &why));
        }
        // Unlike the UID, a revision doesn't keep an apply from creating.
        set_meta(&mut object, "resourceVersion", None);
        set(&mut object, "kind", None);
        set(&mut object, "apiVersion", None);
        return Ok((insert(state, target, object, dry)?, true));
    };
    check_unchanged(target, &existing, &object)?;
    let mut merged = match (resource.is(CUSTOM), typed(resource, &existing)) {
        (false, Value::Object(current)) => strategic::merge(&resource.kind, current, object)?,
        (_, mut current) => {
            ::json_patch::merge(&mut current, &Value::Object(object));
            match current {
                Value::Object(merged) => merged,
                _ => return Err(ApiError::inapplicable_patch()),
            }
        }
    };
    set(&mut merged, "kind", None);
    set(&mut merged, "apiVersion", None);
    Ok((commit(state, target, &existing, merged, dry)?, false))
}
