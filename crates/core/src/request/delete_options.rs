//! Options of a deletion: read where upstream reads them, and always sent in the body.
//!
//! Upstream takes the query only when the body is empty, and ignores it completely otherwise: `?dryRun=All` with the
//! body `{}` deletes for real. So options in both places are refused, and the body alone carries what is sent.

use super::query::Query;
use super::query_keys::DELETE_OPTIONS;
use super::quote::Quoted;
use crate::json::{Object, Value};
use crate::refusal::Refusal;

/// The propagation policies that exist.
const PROPAGATION: [&str; 3] = ["Orphan", "Background", "Foreground"];

/// Takes the options out of the query of a deletion without a body.
pub(super) fn from_query(query: &mut Query) -> Object {
    let mut options = Object::new();
    options.insert("kind", "DeleteOptions");
    options.insert("apiVersion", "v1");
    if query.get("dryRun").is_some() {
        options.insert("dryRun", Value::Array(vec!["All".into()]));
    }
    if let Some(seconds) = query.get("gracePeriodSeconds") {
        // JSON numbers have no leading zeros.
        let digits = seconds.trim_start_matches('0');
        let digits = if digits.is_empty() { "0" } else { digits };
        options.insert("gracePeriodSeconds", Value::Number(digits.to_owned()));
    }
    if let Some(policy) = query.get("propagationPolicy") {
        options.insert("propagationPolicy", policy);
    }
    query.remove(&DELETE_OPTIONS);
    options
}

/// Refuses options that stand in the query while there is a body.
pub(super) fn refuse_in_query(query: &Query) -> Result<(), Refusal> {
    match DELETE_OPTIONS.iter().find(|key| query.get(key).is_some()) {
        None => Ok(()),
        Some(key) => Err(
            Refusal::malformed(format!("delete options in the body and in the query ({key})"))
                .with_remedy("give them in the body: the server ignores the query if there is one"),
        ),
    }
}

/// Checks options that stand in a body.
pub(super) fn check(options: &Value, api_versions: &[&str]) -> Result<(), Refusal> {
    let Some(options) = options.as_object() else {
        return Err(Refusal::malformed("delete options that are no object"));
    };
    options.iter().try_for_each(|(key, value)| {
        if is_valid(key, value, api_versions) {
            Ok(())
        } else {
            Err(Refusal::malformed(format!("delete option {} is not accepted as it stands", Quoted(key))).with_remedy(
                "allowed are dryRun [\"All\"], gracePeriodSeconds, propagationPolicy, orphanDependents and preconditions",
            ))
        }
    })
}

/// What is not listed is refused, `ignoreStoreReadErrorWithClusterBreakingPotential` above all.
fn is_valid(key: &str, value: &Value, api_versions: &[&str]) -> bool {
    match (key, value) {
        ("kind", Value::String(kind)) => kind == "DeleteOptions",
        ("apiVersion", Value::String(version)) => {
            ["v1", "meta.k8s.io/v1"].contains(&version.as_str()) || api_versions.contains(&version.as_str())
        }
        ("dryRun", Value::Array(values)) => values.is_empty() || is_all(values),
        ("gracePeriodSeconds", Value::Number(number)) => {
            number.len() <= 18 && number.bytes().all(|byte| byte.is_ascii_digit())
        }
        ("propagationPolicy", Value::String(policy)) => PROPAGATION.contains(&policy.as_str()),
        ("orphanDependents", Value::Bool(_)) => true,
        ("preconditions", Value::Object(preconditions)) => preconditions
            .iter()
            .all(|(key, value)| ["uid", "resourceVersion"].contains(&key) && value.as_str().is_some()),
        // Absent, as Go reads it.
        ("dryRun" | "gracePeriodSeconds" | "propagationPolicy" | "orphanDependents" | "preconditions", Value::Null) => {
            true
        }
        _ => false,
    }
}

/// Whether these options ask for a dry run.
pub(super) fn is_dry_run(options: &Value) -> bool {
    options.get("dryRun").and_then(Value::as_array).is_some_and(is_all)
}

fn is_all(values: &[Value]) -> bool {
    matches!(values, [Value::String(all)] if all == "All")
}
