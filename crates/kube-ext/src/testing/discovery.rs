//! `/api`, `/apis`, `/version` and health.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::kinds::{NAMESPACED, Resource};
use super::state::State;

type Document = Vec<(&'static str, Value)>;

/// `/version`.
pub(super) fn version() -> Document {
    vec![
        ("major", "1".into()),
        ("minor", "36".into()),
        ("gitVersion", "v1.36.3+embedded".into()),
        ("gitCommit", "".into()),
        ("gitTreeState", "".into()),
        ("buildDate", "1970-01-01T00:00:00Z".into()),
        ("goVersion", "".into()),
        ("compiler", "".into()),
        ("platform", "".into()),
    ]
}

/// `/`.
pub(super) fn paths(state: &State) -> Document {
    let mut paths = vec!["/api".to_owned(), "/api/v1".to_owned(), "/apis".to_owned()];
    for (group, versions) in groups(state) {
        paths.push(format!("/apis/{group}"));
        paths.extend(versions.iter().map(|version| format!("/apis/{group}/{version}")));
    }
    paths.extend(["/healthz", "/livez", "/readyz", "/version"].map(str::to_owned));
    vec![("paths", paths.into())]
}

/// `/api`.
pub(super) fn core_versions() -> Document {
    vec![
        ("kind", "APIVersions".into()),
        ("versions", json!(["v1"])),
        (
            "serverAddressByClientCIDRs",
            json!([{ "clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1:443" }]),
        ),
    ]
}

/// `/apis`.
pub(super) fn group_list(state: &State) -> Document {
    let groups: Vec<Value> = groups(state)
        .iter()
        .map(|(group, versions)| Value::Object(api_group(group, versions)))
        .collect();
    vec![
        ("kind", "APIGroupList".into()),
        ("apiVersion", "v1".into()),
        ("groups", groups.into()),
    ]
}

/// `/apis/{group}`.
pub(super) fn group(state: &State, wanted: &str) -> Option<Document> {
    let (group, versions) = groups(state).into_iter().find(|(group, _)| group == wanted)?;
    let mut fields = api_group(&group, &versions);
    let mut take = |key: &str| fields.remove(key).unwrap_or_default();
    Some(vec![
        ("kind", "APIGroup".into()),
        ("apiVersion", "v1".into()),
        ("name", take("name")),
        ("versions", take("versions")),
        ("preferredVersion", take("preferredVersion")),
    ])
}

/// `/api/v1` and `/apis/{group}/{version}`.
pub(super) fn resource_list(state: &State, group: &str, version: &str) -> Option<Document> {
    let served: Vec<&Resource> = served(state, group, version).collect();
    let first = served.first()?;
    let group_version = first.api_version();
    let mut resources = Vec::new();
    for resource in served {
        let mut entry = json!({
            "name": resource.plural,
            "singularName": resource.kind.to_ascii_lowercase(),
            "namespaced": resource.is(NAMESPACED),
            "kind": resource.kind,
            "verbs": resource.verbs(),
        });
        if let (false, Some(entry)) = (resource.short_names.is_empty(), entry.as_object_mut()) {
            entry.insert("shortNames".to_owned(), json!(resource.short_names));
        }
        resources.push(entry);
        for sub in resource.subresources() {
            let mut entry = json!({
                "name": format!("{}/{}", resource.plural, sub.name),
                "singularName": "",
                "namespaced": resource.is(NAMESPACED),
                "kind": sub.kind,
                "verbs": sub.verbs,
            });
            if let (Some((group, version)), Some(entry)) = (sub.group_version, entry.as_object_mut()) {
                entry.insert("group".to_owned(), group.into());
                entry.insert("version".to_owned(), version.into());
            }
            resources.push(entry);
        }
    }
    Some(vec![
        ("kind", "APIResourceList".into()),
        ("apiVersion", "v1".into()),
        ("groupVersion", group_version.into()),
        ("resources", resources.into()),
    ])
}

/// `/api` or `/apis` in the aggregated form.
pub(super) fn aggregated(state: &State, core: bool) -> Document {
    let wanted: Vec<(String, Vec<String>)> = if core {
        vec![(String::new(), vec!["v1".to_owned()])]
    } else {
        groups(state)
    };
    let items: Vec<Value> = wanted
        .iter()
        .map(|(group, versions)| {
            let versions: Vec<Value> = versions
                .iter()
                .map(|version| {
                    let resources: Vec<Value> = served(state, group, version).map(aggregated_resource).collect();
                    json!({ "version": version, "resources": resources, "freshness": "Current" })
                })
                .collect();
            let metadata = if core { json!({}) } else { json!({ "name": group }) };
            json!({ "metadata": metadata, "versions": versions })
        })
        .collect();
    vec![
        ("kind", "APIGroupDiscoveryList".into()),
        ("apiVersion", "apidiscovery.k8s.io/v2".into()),
        ("metadata", json!({})),
        ("items", items.into()),
    ]
}

fn aggregated_resource(resource: &Resource) -> Value {
    let kind = |group: &str, version: &str, kind: &str| json!({ "group": group, "version": version, "kind": kind });
    let subresources: Vec<Value> = resource
        .subresources()
        .iter()
        .map(|sub| {
            let (group, version) = sub.group_version.unwrap_or((&resource.group, &resource.version));
            json!({ "subresource": sub.name, "responseKind": kind(group, version, &sub.kind), "verbs": sub.verbs })
        })
        .collect();
    json!({
        "resource": resource.plural,
        "responseKind": kind(&resource.group, &resource.version, &resource.kind),
        "scope": if resource.is(NAMESPACED) { "Namespaced" } else { "Cluster" },
        "singularResource": resource.kind.to_ascii_lowercase(),
        "verbs": resource.verbs(),
        "shortNames": resource.short_names,
        "subresources": subresources,
    })
}

fn served<'a>(state: &'a State, group: &'a str, version: &'a str) -> impl Iterator<Item = &'a Resource> {
    let of = move |resource: &&Resource| resource.group == group && resource.version == version;
    state.registry.iter().map(AsRef::as_ref).filter(of)
}

/// The named groups in the order in which they were added, each with its versions.
fn groups(state: &State) -> Vec<(String, Vec<String>)> {
    let mut seen = BTreeSet::new();
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for resource in state.registry.iter().filter(|resource| !resource.group.is_empty()) {
        if !seen.insert((&resource.group, &resource.version)) {
            continue;
        }
        match groups.iter_mut().find(|(group, _)| *group == resource.group) {
            Some((_, versions)) => versions.push(resource.version.clone()),
            None => groups.push((resource.group.clone(), vec![resource.version.clone()])),
        }
    }
    groups
}

fn api_group(group: &str, versions: &[String]) -> serde_json::Map<String, Value> {
    let entry = |version: &String| json!({ "groupVersion": format!("{group}/{version}"), "version": version });
    let mut fields = serde_json::Map::new();
    fields.insert("name".to_owned(), group.into());
    fields.insert("versions".to_owned(), versions.iter().map(entry).collect());
    fields.insert(
        "preferredVersion".to_owned(),
        versions.first().map(entry).unwrap_or_default(),
    );
    fields
}
