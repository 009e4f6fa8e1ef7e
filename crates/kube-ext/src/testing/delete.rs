//! Delete and deletecollection.

use std::sync::Arc;

use serde_json::{Value, json};

use super::decode::{kind_of, not_registered};
use super::errors::{ApiError, Cause};
use super::kinds::{GENERATION, ORPHANS, RETURNS_DELETED, Resource};
use super::object::{Object, edit, has_finalizers, meta_text, now, set};
use super::query::Query;
use super::state::{State, Target};
use super::write::{bump_generation, check_dry_run};

/// Finalizers that stand for a propagation policy; a garbage collector would take them off.
const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

/// How a delete is to be done.
#[derive(Clone, Debug, Default)]
pub(super) struct DeleteOptions {
    uid: Option<String>,
    resource_version: Option<String>,
    dry: bool,
    propagation: Option<String>,
}

/// What a delete did: the object in its last or its terminating state.
pub(super) struct Deleted {
    pub(super) object: Arc<Object>,
    /// Whether the answer is the object; otherwise it is a Status.
    pub(super) shown: bool,
}

impl DeleteOptions {
    /// From the body; only without one from the query, which is ignored otherwise, as upstream does.
    pub(super) fn parse(query: &Query, body: &[u8]) -> Result<Self, ApiError> {
        if !body.is_empty() {
            let value: Value = serde_json::from_slice(body).map_err(|error| {
                ApiError::bad_request(format!("couldn't get version/kind; json parse error: {error}"))
            })?;
            return Self::from_body(&value);
        }
        if let Some(raw) = query
            .text("gracePeriodSeconds")
            .filter(|raw| raw.parse::<i64>().is_err())
        {
            return Err(ApiError::bad_request(format!(
                "strconv.ParseInt: parsing \"{raw}\": invalid syntax"
            )));
        }
        let dry: Vec<&str> = query.all("dryRun").collect();
        let orphan = query
            .flag("orphanDependents")
            .map(|orphan| if orphan { "Orphan" } else { "Background" });
        let propagation = query.text("propagationPolicy").or(orphan).map(str::to_owned);
        let dry = check_dry_run(&dry, "DeleteOptions")?;
        Self {
            dry,
            propagation,
            ..Self::default()
        }
        .checked()
    }

    /// From an object, such as `deleteOptions` of an eviction.
    pub(super) fn from_body(value: &Value) -> Result<Self, ApiError> {
        let Some(options) = value.as_object() else {
            return Err(ApiError::bad_request(
                "decoded object cannot be converted to DeleteOptions",
            ));
        };
        let said = |field: &str| options.get(field).and_then(Value::as_str).map(str::to_owned);
        if let Some(kind) = said("kind").filter(|kind| kind != "DeleteOptions") {
            let version = said("apiVersion").unwrap_or_else(|| "meta.k8s.io/v1".to_owned());
            return Err(ApiError::bad_request(not_registered(&kind, &version)));
        }
        let dry = match options.get("dryRun") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(values)) if values.iter().all(Value::is_string) => {
                values.iter().filter_map(Value::as_str).collect()
            }
            Some(other) => {
                let kind = kind_of(other);
                let place = "Go struct field DeleteOptions.dryRun of type []string";
                return Err(ApiError::bad_request(format!(
                    "json: cannot unmarshal {kind} into {place}"
                )));
            }
        };
        let precondition = |field: &str| {
            let value = options
                .get("preconditions")
                .and_then(|preconditions| preconditions.get(field));
            value.and_then(Value::as_str).map(str::to_owned)
        };
        let orphan = match options.get("orphanDependents") {
            Some(Value::Bool(true)) => Some("Orphan".to_owned()),
            Some(Value::Bool(false)) => Some("Background".to_owned()),
            _ => None,
        };
        if let (Some(policy), Some(_)) = (said("propagationPolicy"), &orphan) {
            let why = "orphanDependents and deletionPropagation cannot be both set";
            let cause = Cause::invalid("propagationPolicy", &json!(policy).to_string(), why);
            return Err(ApiError::invalid_options("DeleteOptions", &[cause]));
        }
        let parsed = Self {
            uid: precondition("uid"),
            resource_version: precondition("resourceVersion"),
            dry: check_dry_run(&dry, "DeleteOptions")?,
            propagation: said("propagationPolicy").or(orphan),
        };
        parsed.checked()
    }

    fn checked(self) -> Result<Self, ApiError> {
        match self.propagation.as_deref() {
            None | Some("Foreground" | "Background" | "Orphan") => Ok(self),
            Some(other) => {
                let supported = "\"Foreground\", \"Background\", \"Orphan\", \"nil\"";
                let cause = Cause::not_supported("propagationPolicy", &json!(other).to_string(), supported);
                Err(ApiError::invalid_options("DeleteOptions", &[cause]))
            }
        }
    }

    /// The same delete, not done.
    pub(super) fn or_dry(mut self, dry: bool) -> Self {
        self.dry |= dry;
        self
    }

    fn check(&self, resource: &Resource, object: &Object) -> Result<(), ApiError> {
        let name = meta_text(object, "name");
        let differs = |wanted: &Option<String>, field: &str| {
            let found = meta_text(object, field).to_owned();
            wanted
                .clone()
                .filter(|wanted| *wanted != found)
                .map(|wanted| (wanted, found))
        };
        if let Some((wanted, found)) = differs(&self.uid, "uid") {
            let why = format!(
                "the UID in the precondition ({wanted}) does not match the UID in record ({found}). The object might \
                 have been deleted and then recreated"
            );
            return Err(ApiError::precondition(resource, name, &why));
        }
        if let Some((wanted, found)) = differs(&self.resource_version, "resourceVersion") {
            let why = format!(
                "the ResourceVersion in the precondition ({wanted}) does not match the ResourceVersion in record \
                 ({found}). The object might have been modified"
            );
            return Err(ApiError::precondition(resource, name, &why));
        }
        Ok(())
    }
}

/// Deletes one object: at once, or, held back by finalizers, marks it.
pub(super) fn delete(state: &mut State, target: &Target, options: &DeleteOptions) -> Result<Deleted, ApiError> {
    let resource = &target.resource;
    let Some(existing) = state.get(target).cloned() else {
        return Err(ApiError::not_found(resource, &target.name));
    };
    options.check(resource, &existing)?;
    let mut object = Object::clone(&existing);
    set_policy_finalizers(resource, &mut object, options);
    let shown = resource.is(RETURNS_DELETED);
    if !has_finalizers(&object) {
        // No kubelet has to confirm the end of a pod here: its grace is over at once.
        if resource.is_pod() {
            mark(resource, &mut object);
        }
        if options.dry {
            return Ok(Deleted {
                object: Arc::new(object),
                shown,
            });
        }
        state.removed(resource, &object);
        return Ok(Deleted {
            object: state.store.remove(&target.key(), object),
            shown,
        });
    }
    mark(resource, &mut object);
    let object = if options.dry || object == *existing {
        Arc::new(object)
    } else {
        state.store.put(target.key(), object)
    };
    Ok(Deleted { object, shown: true })
}

/// Deletes what a list found; the first conflict ends it, and what went before stays gone.
pub(super) fn delete_all(
    state: &mut State,
    target: &Target,
    items: &[Arc<Object>],
    options: &DeleteOptions,
) -> Result<(), ApiError> {
    for item in items {
        let target = Target {
            namespace: meta_text(item, "namespace").to_owned(),
            name: meta_text(item, "name").to_owned(),
            ..target.clone()
        };
        delete(state, &target, options)?;
    }
    Ok(())
}

/// The answer to a delete that doesn't show the object.
pub(super) fn success(target: &Target, object: &Object) -> Vec<(&'static str, Value)> {
    let mut details = Object::new();
    let resource = &target.resource;
    for (key, value) in [
        ("name", target.name.as_str()),
        ("group", &resource.group),
        ("kind", &resource.plural),
        ("uid", meta_text(object, "uid")),
    ] {
        if !value.is_empty() {
            details.insert(key.to_owned(), value.into());
        }
    }
    vec![
        ("kind", "Status".into()),
        ("apiVersion", "v1".into()),
        ("metadata", json!({})),
        ("status", "Success".into()),
        ("details", Value::Object(details)),
    ]
}

fn set_policy_finalizers(resource: &Resource, object: &mut Object, options: &DeleteOptions) {
    let policy = options.propagation.as_deref();
    let wanted = match policy {
        Some("Foreground") => Some(FOREGROUND),
        Some("Orphan") => Some(ORPHAN),
        None if resource.is(ORPHANS) => Some(ORPHAN),
        _ => None,
    };
    edit(object, "metadata", |metadata| {
        let mut finalizers = match metadata.remove("finalizers") {
            Some(Value::Array(list)) => list,
            _ => Vec::new(),
        };
        // Without a policy, those of an earlier delete stay.
        if policy.is_some() {
            finalizers.retain(|name| !matches!(name.as_str(), Some(FOREGROUND | ORPHAN)));
        }
        if let Some(name) = wanted
            && !finalizers.iter().any(|other| other == name)
        {
            finalizers.push(name.into());
        }
        set(
            metadata,
            "finalizers",
            (!finalizers.is_empty()).then_some(Value::Array(finalizers)),
        );
    });
}

/// Marks an object as being deleted; a second time changes nothing.
fn mark(resource: &Resource, object: &mut Object) {
    if !meta_text(object, "deletionTimestamp").is_empty() {
        return;
    }
    edit(object, "metadata", |metadata| {
        metadata.insert("deletionTimestamp".to_owned(), now());
        if !resource.is_namespace() {
            metadata.insert("deletionGracePeriodSeconds".to_owned(), 0.into());
        }
    });
    if resource.is_namespace() {
        edit(object, "status", |status| {
            set(status, "phase", Some("Terminating".into()))
        });
    }
    if resource.is(GENERATION) {
        bump_generation(object);
    }
}
