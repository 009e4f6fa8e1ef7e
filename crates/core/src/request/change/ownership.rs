//! Metadata by which objects live and die: owners, finalizers, managed fields.
//!
//! 1. An owner that is added or changed: the garbage collector deletes what has no owner that exists. On a create too.
//! 2. A finalizer that is removed: a deletion that waits for it goes through.
//! 3. An explicit reset of the managed fields: nobody owns anything any more.

use std::collections::HashSet;

use super::collected::Collected;
use super::concern::Concern;
use super::difference::canonical;
use super::states::{Before, States};
use super::write::Write;
use crate::json::Value;

const FINALIZERS: &str = "/metadata/finalizers";

/// Finds owners and resets. The finalizers are among the removed fields: [`finalizers`].
pub(super) fn findings(write: &Write<'_>, states: &States, out: &mut Collected) {
    let assumed = states.before.is_open();
    let owners = |object: &Value| -> HashSet<String> {
        let list = object.at(&["metadata", "ownerReferences"]).and_then(Value::as_array);
        list.unwrap_or_default().iter().map(text).collect()
    };
    let old = match &states.before {
        Before::Seen(before) => owners(before),
        Before::Nothing | Before::NotRead | Before::Unknown => HashSet::new(),
    };
    if owners(&states.after).difference(&old).next().is_some() {
        out.at(
            Concern::OwnerReferences,
            "/metadata/ownerReferences".to_owned(),
            assumed,
        );
    }
    // The gate lets no managed fields through but a reset.
    let resets = match write {
        Write::Create(_) => false,
        Write::Replace(body) | Write::Merge(body) | Write::Strategic(body) => manages(body),
        Write::Apply(applied) => manages(applied.body),
        Write::JsonPatch(operations) => operations.iter().any(|operation| {
            let mut path = operation.path.iter().map(String::as_str);
            match (path.next(), path.next()) {
                (None, _) => manages(operation.value),
                (Some("metadata"), None) => operation.value.get("managedFields").is_some(),
                (Some("metadata"), Some(field)) => field == "managedFields",
                _ => false,
            }
        }),
    };
    if resets {
        out.at(Concern::ManagedFields, "/metadata/managedFields".to_owned(), false);
    }
}

/// Finds finalizers among the fields that are removed.
pub(super) fn finalizers(out: &mut Collected) {
    let is_finalizer = |path: &str| {
        path.strip_prefix(FINALIZERS)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let found = out.paths(Concern::RemovesField).find(|(path, _)| is_finalizer(path));
    if let Some((_, assumed)) = found {
        out.at(Concern::Finalizers, FINALIZERS.to_owned(), assumed);
    }
}

fn manages(body: &Value) -> bool {
    body.at(&["metadata", "managedFields"]).is_some()
}

fn text(value: &Value) -> String {
    let mut text = String::new();
    canonical(value, &mut text);
    text
}
