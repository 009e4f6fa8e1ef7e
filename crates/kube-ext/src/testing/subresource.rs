//! `scale`, `eviction` and `log`; `status` and `finalize` are ordinary writes.

use serde_json::{Value, json};

use super::decode;
use super::delete::{DeleteOptions, delete};
use super::errors::{ApiError, Cause};
use super::kinds::Resource;
use super::object::{Object, edit, meta, meta_text};
use super::patch::{PatchKind, checked, patch_value};
use super::query::Query;
use super::state::{State, Target};
use super::write::{check_identity, check_uid, commit, dry_run};

/// The fields of a Scale in upstream's order.
type Scale = Vec<(&'static str, Value)>;

/// GET of `scale`.
pub(super) fn scale(state: &State, target: &Target) -> Result<Scale, ApiError> {
    let object = state
        .get(target)
        .ok_or_else(|| ApiError::not_found(&target.resource, &target.name))?;
    Ok(scale_of(object))
}

fn scale_of(object: &Object) -> Scale {
    let mut metadata = Object::new();
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(value) = meta(object, field) {
            metadata.insert(field.to_owned(), value.clone());
        }
    }
    let number = |place: &str| {
        object
            .get(place)
            .and_then(|part| part.get("replicas"))
            .and_then(Value::as_i64)
    };
    let mut spec = Object::new();
    // Without defaulting, an absent number is one, and upstream leaves a zero out.
    let wanted = number("spec").unwrap_or(1);
    if wanted != 0 {
        spec.insert("replicas".to_owned(), wanted.into());
    }
    let labels = object
        .get("spec")
        .and_then(|spec| spec.pointer("/selector/matchLabels"))
        .and_then(Value::as_object);
    let terms: Vec<String> = labels
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    vec![
        ("kind", "Scale".into()),
        ("apiVersion", "autoscaling/v1".into()),
        ("metadata", Value::Object(metadata)),
        ("spec", Value::Object(spec)),
        (
            "status",
            json!({ "replicas": number("status").unwrap_or(0), "selector": terms.join(",") }),
        ),
    ]
}

/// PUT of `scale`.
pub(super) fn update_scale(state: &mut State, target: &Target, query: &Query, body: &[u8]) -> Result<Scale, ApiError> {
    let dry = dry_run(query, "UpdateOptions")?;
    let scale = decode::object(&scale_kind(), body)?;
    let existing = state
        .get(target)
        .ok_or_else(|| ApiError::not_found(&target.resource, &target.name))?;
    check_scale(target, &scale)?;
    check_uid(target, existing, &scale)?;
    set_replicas(state, target, &scale, dry)
}

/// PATCH of `scale`.
pub(super) fn patch_scale(
    state: &mut State,
    target: &Target,
    query: &Query,
    content_type: &str,
    body: &[u8],
) -> Result<Scale, ApiError> {
    let kind = PatchKind::parse(&target.resource, content_type)?;
    let dry = kind.check_options(query)?;
    let existing = state
        .get(target)
        .ok_or_else(|| ApiError::not_found(&target.resource, &target.name))?;
    let uid = meta_text(existing, "uid").to_owned();
    let current: Object = scale_of(existing)
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
    let patched = patch_value(kind, "Scale", Value::Object(current), body)?;
    let scale = checked(kind, &scale_kind(), patched, body)?;
    check_scale(target, &scale)?;
    let wanted = meta_text(&scale, "uid");
    if !wanted.is_empty() && wanted != uid {
        let why = format!("Precondition failed: UID in precondition: {wanted}, UID in object meta: {uid}");
        return Err(ApiError::conflict(&target.resource, "/scale", &target.name, &why));
    }
    set_replicas(state, target, &scale, dry)
}

fn check_scale(target: &Target, scale: &Object) -> Result<(), ApiError> {
    check_identity(target, scale)?;
    let replicas = scale
        .get("spec")
        .and_then(|spec| spec.get("replicas"))
        .and_then(Value::as_i64);
    if let Some(number) = replicas.filter(|number| *number < 0) {
        let why = "must be greater than or equal to 0";
        let cause = Cause::invalid("spec.replicas", &number.to_string(), why);
        return Err(ApiError::invalid_kind("Scale", "autoscaling", &target.name, &[cause]));
    }
    Ok(())
}

fn scale_kind() -> Resource {
    Resource::body("autoscaling", "v1", "Scale")
}

fn set_replicas(state: &mut State, target: &Target, scale: &Object, dry: bool) -> Result<Scale, ApiError> {
    let existing = state
        .get(target)
        .cloned()
        .ok_or_else(|| ApiError::not_found(&target.resource, &target.name))?;
    let replicas = scale
        .get("spec")
        .and_then(|spec| spec.get("replicas"))
        .and_then(Value::as_i64)
        .unwrap_or(0);
    let mut object = Object::clone(&existing);
    edit(&mut object, "spec", |spec| {
        spec.insert("replicas".to_owned(), replicas.into());
    });
    edit(&mut object, "metadata", |metadata| {
        metadata.insert("resourceVersion".to_owned(), meta_text(scale, "resourceVersion").into());
    });
    let main = Target {
        subresource: String::new(),
        ..target.clone()
    };
    Ok(scale_of(&*commit(state, &main, &existing, object, dry)?))
}

/// POST to `pods/eviction`. No disruption budget is looked at.
pub(super) fn evict(
    state: &mut State,
    target: &Target,
    query: &Query,
    body: &[u8],
) -> Result<Vec<(&'static str, Value)>, ApiError> {
    let dry = dry_run(query, "CreateOptions")?;
    let eviction = decode::object(&Resource::body("policy", "v1", "Eviction"), body)?;
    if meta_text(&eviction, "name") != target.name {
        return Err(ApiError::bad_request(
            "name in URL does not match name in Eviction object",
        ));
    }
    check_identity(target, &eviction)?;
    let options = match eviction.get("deleteOptions").filter(|options| !options.is_null()) {
        Some(options) => DeleteOptions::from_body(options)?,
        None => DeleteOptions::default(),
    };
    delete(state, target, &options.or_dry(dry))?;
    Ok(vec![
        ("kind", "Status".into()),
        ("apiVersion", "v1".into()),
        ("metadata", json!({})),
        ("status", "Success".into()),
        ("code", 201.into()),
    ])
}

/// A log that was asked for.
#[derive(Clone, Debug)]
pub(super) struct LogSpec {
    pub(super) target: Target,
    pub(super) follow: bool,
    pub(super) tail_lines: Option<usize>,
    pub(super) limit_bytes: Option<usize>,
}

/// GET of `pods/log`.
pub(super) fn log(state: &State, target: &Target, query: &Query) -> Result<LogSpec, ApiError> {
    let pod = state
        .get(target)
        .ok_or_else(|| ApiError::not_found(&target.resource, &target.name))?;
    let names: Vec<&str> = ["containers", "initContainers", "ephemeralContainers"]
        .into_iter()
        .flat_map(|list| {
            pod.get("spec")
                .and_then(|spec| spec.get(list))
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
        })
        .filter_map(|container| container.get("name").and_then(Value::as_str))
        .collect();
    let name = &target.name;
    match query.text("container") {
        Some(wanted) if !names.contains(&wanted) => {
            return Err(ApiError::bad_request(format!(
                "container {wanted} is not valid for pod {name}"
            )));
        }
        None if names.len() > 1 => {
            let names = names.join(" ");
            let message = format!("a container name must be specified for pod {name}, choose one of: [{names}]");
            return Err(ApiError::bad_request(message));
        }
        _ => {}
    }
    let number = |key: &str| match query.text(key) {
        None => Ok(None),
        Some(raw) => raw
            .parse::<usize>()
            .map(Some)
            .map_err(|_| ApiError::bad_request(format!("strconv.ParseInt: parsing \"{raw}\": invalid syntax"))),
    };
    Ok(LogSpec {
        target: target.clone(),
        follow: query.flag("follow").unwrap_or(false),
        tail_lines: number("tailLines")?,
        limit_bytes: number("limitBytes")?,
    })
}
