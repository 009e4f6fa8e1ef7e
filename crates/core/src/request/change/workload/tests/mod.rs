mod baseline;
mod changes;
mod kinds;
mod rules;
mod shapes;
mod threats;

use super::super::cases::{Was, line, states};

use super::*;
use crate::json::Value;
use crate::request::attributes::Verb;
use crate::request::patch_oracle::tokens;
use crate::request::{Catalog, ResourceCatalog as _};

/// A catalog with a kind that holds templates and a server that may.
fn kind(group: &str, resource: &str) -> std::sync::Arc<Kind> {
    let catalog = Catalog::kubernetes()
        .with_custom("example.com", "widgets", "Widget", true)
        .with_aggregated("aggregated.example.com");
    catalog.lookup(group, resource).unwrap()
}

fn found_in(group: &str, resource: &str, was: &Was<'_>, after: &str) -> Vec<String> {
    let attributes = Attributes::for_test(Verb::Update, group, resource);
    let mut out = Vec::new();
    findings(&attributes, &kind(group, resource), &states(was, after), &mut out);
    out.iter().map(line).collect()
}

/// A pod with these members in its specification, and an image of its own.
fn pod(spec: &str) -> String {
    let comma = if spec.is_empty() { "" } else { "," };
    format!(r#"{{"spec":{{"containers":[{{"name":"c","image":"i"}}]{comma}{spec}}}}}"#)
}

/// A pod with these members in its one container.
fn container(members: &str) -> String {
    let comma = if members.is_empty() { "" } else { "," };
    format!(r#"{{"spec":{{"containers":[{{"name":"c","image":"i"{comma}{members}}}]}}}}"#)
}

/// What is found in a pod, without its image.
fn in_pod(was: &Was<'_>, pod: &str) -> String {
    let found = found_in("", "pods", was, pod);
    let others: Vec<_> = found
        .into_iter()
        .filter(|line| !line.starts_with("image /spec/containers/0/image i"))
        .collect();
    others.join("; ")
}
