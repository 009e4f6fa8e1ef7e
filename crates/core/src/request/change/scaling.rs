//! How many there will be: replicas, parallelism, bounds of an autoscaler, suspension.
//!
//! Of existing objects only, and only what differs from what is there. A number is told as an integer: what the server
//! would cut off is cut off.

use super::Finding;
use super::collected::Collected;
use super::concern::Concern;
use super::states::{Before, States};
use super::write::Write;
use crate::json::Value;
use crate::request::attributes::Attributes;
use crate::request::catalog::Origin;

/// Group, resource (`*`: any custom one), field.
#[rustfmt::skip]
const NUMBERS: &[(&str, &str, &[&str])] = &[
    ("apps", "deployments", &["spec", "replicas"]),
    ("apps", "replicasets", &["spec", "replicas"]),
    ("apps", "statefulsets", &["spec", "replicas"]),
    ("", "replicationcontrollers", &["spec", "replicas"]),
    ("autoscaling", "horizontalpodautoscalers", &["spec", "minReplicas"]),
    ("autoscaling", "horizontalpodautoscalers", &["spec", "maxReplicas"]),
    ("batch", "jobs", &["spec", "parallelism"]),
    ("batch", "cronjobs", &["spec", "jobTemplate", "spec", "parallelism"]),
    ("*", "*", &["spec", "replicas"]),
];

/// Group, resource, field that suspends.
#[rustfmt::skip]
const SUSPENDS: &[(&str, &str, &[&str])] = &[
    ("batch", "jobs", &["spec", "suspend"]),
    ("batch", "cronjobs", &["spec", "suspend"]),
    ("batch", "cronjobs", &["spec", "jobTemplate", "spec", "suspend"]),
    ("*", "*", &["spec", "suspend"]),
];

/// Finds numbers and suspensions that a change sets.
pub(super) fn findings(
    attributes: &Attributes,
    origin: Origin,
    write: &Write<'_>,
    states: &States,
    out: &mut Collected,
) {
    if matches!(states.before, Before::Nothing) || attributes.subresource == "status" {
        return;
    }
    let assumed = states.before.is_open();
    let rows = |table: &'static [(&str, &str, &'static [&'static str])]| {
        let scale = attributes.subresource == "scale";
        table.iter().filter(move |(group, resource, field)| match *group {
            "*" => origin != Origin::BuiltIn || scale && field.last() == Some(&"replicas"),
            group => !scale && (group, *resource) == (attributes.api_group.as_str(), attributes.resource.as_str()),
        })
    };
    for (.., field) in rows(NUMBERS) {
        let after = states.after.at(field).filter(|value| **value != Value::Null);
        let number = match after {
            Some(value) => number(value),
            // A scale without a number is a scale to none.
            None if attributes.subresource == "scale" && matches!(write, Write::Replace(_)) => "0".to_owned(),
            None => continue,
        };
        if before(states, field).is_none_or(|value| self::number(value) != number) {
            out.add(Finding {
                concern: Concern::Replicas,
                path: format!("/{}", field.join("/")),
                value: Some(number),
                assumed,
            });
        }
    }
    for (.., field) in rows(SUSPENDS) {
        let suspends = |value: &Value| *value == Value::Bool(true);
        if states.after.at(field).is_some_and(suspends) && !before(states, field).is_some_and(suspends) {
            out.at(Concern::Suspend, format!("/{}", field.join("/")), assumed);
        }
    }
}

fn before<'s>(states: &'s States, field: &[&str]) -> Option<&'s Value> {
    match &states.before {
        Before::Seen(before) => before.at(field),
        Before::Nothing | Before::NotRead | Before::Unknown => None,
    }
}

/// An integer as the server reads it; what is none is told as it is, clipped.
fn number(value: &Value) -> String {
    match value {
        Value::Number(text) => {
            let whole = text.parse::<i64>().ok();
            #[expect(
                clippy::cast_possible_truncation,
                reason = "saturates, and so stays out of all bounds"
            )]
            let whole = whole.or_else(|| text.parse::<f64>().ok().map(|number| number.trunc() as i64));
            whole.unwrap_or(0).to_string()
        }
        Value::String(text) => text.chars().take(32).collect(),
        _ => "0".to_owned(),
    }
}
