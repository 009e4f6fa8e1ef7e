//! The fields of Kubernetes' own kinds, as the API server tells them: the table that core checks conditions with.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;

use kube::Client;
use serde_json::{Map, Value};

/// Numbers before this one are those of core's own definitions.
const FIRST: usize = 6;

/// Asks the API server, and writes the table: what it holds is said in core's `policy/condition/schema.rs`.
pub async fn table(client: &Client) -> Result<String, Box<dyn Error + Send + Sync>> {
    let version = client.apiserver_version().await?.git_version;
    let request = http::Request::get("/openapi/v2").body(Vec::new())?;
    let document: Value = serde_json::from_str(&client.request_text(request).await?)?;
    let all = document["definitions"].as_object().ok_or("no definitions")?;
    let mut kinds = kinds(all);
    kinds.sort();
    let mut needed = BTreeMap::new();
    for kind in &kinds {
        gather(all, &kind.definition, &mut needed);
    }
    for (number, (_, place)) in needed.iter_mut().enumerate() {
        *place = FIRST + number;
    }
    let mut out = format!("# Kubernetes {version}: made by `cargo run -p countersign-tests --bin kinds`\n");
    for (name, number) in &needed {
        let title = name.rsplit('.').next().unwrap_or(name);
        write!(out, "{number} {title}")?;
        for (field, schema) in properties(all, name).into_iter().flatten() {
            write!(out, " {field}:{}", ty(all, schema, &needed))?;
        }
        out.push('\n');
    }
    for kind in &kinds {
        let (group, version) = (&kind.group, &kind.version);
        let slash = if group.is_empty() { "" } else { "/" };
        let number = needed[&kind.definition];
        writeln!(out, "kind {group}{slash}{version} {} {number}", kind.kind)?;
    }
    Ok(out)
}

/// In the order of the table: the oldest version of a kind first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    group: String,
    kind: String,
    age: (u8, u32, u32),
    version: String,
    definition: String,
}

/// Objects that are stored or sent by themselves: not lists, not options of requests.
fn kinds(all: &Map<String, Value>) -> Vec<Kind> {
    let mut kinds = Vec::new();
    for (name, definition) in all {
        let Some([kind]) = definition["x-kubernetes-group-version-kind"]
            .as_array()
            .map(Vec::as_slice)
        else {
            continue;
        };
        let text = |key: &str| kind[key].as_str().unwrap_or_default().to_owned();
        let properties = &definition["properties"];
        if !name.starts_with("io.k8s.") || properties["metadata"].is_null() || !properties["items"].is_null() {
            continue;
        }
        kinds.push(Kind {
            group: text("group"),
            kind: text("kind"),
            age: age(&text("version")),
            version: text("version"),
            definition: name.clone(),
        });
    }
    kinds
}

/// `v1alpha1` is older than `v1beta1`, and that than `v1`.
fn age(version: &str) -> (u8, u32, u32) {
    let number = |text: &str| text.parse().unwrap_or(0);
    let version = version.trim_start_matches('v');
    match (version.split_once("alpha"), version.split_once("beta")) {
        (Some((major, minor)), _) => (0, number(major), number(minor)),
        (_, Some((major, minor))) => (1, number(major), number(minor)),
        _ => (2, number(version), 0),
    }
}

fn properties<'a>(all: &'a Map<String, Value>, name: &str) -> Option<&'a Map<String, Value>> {
    all.get(name)?["properties"].as_object()
}

fn referenced(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/definitions/")
}

/// Everything that can be reached from a definition and has fields.
fn gather(all: &Map<String, Value>, name: &str, found: &mut BTreeMap<String, usize>) {
    let Some(properties) = properties(all, name) else {
        return;
    };
    if found.insert(name.to_owned(), 0).is_some() {
        return;
    }
    for mut schema in properties.values() {
        loop {
            if let Some(name) = referenced(schema) {
                gather(all, name, found);
            }
            schema = match (&schema["items"], &schema["additionalProperties"]) {
                (Value::Null, Value::Null) => break,
                (Value::Null, values) => values,
                (items, _) => items,
            };
        }
    }
}

fn ty(all: &Map<String, Value>, schema: &Value, numbers: &BTreeMap<String, usize>) -> String {
    if schema["x-kubernetes-preserve-unknown-fields"] == true || schema["x-kubernetes-int-or-string"] == true {
        return "*".to_owned();
    }
    if let Some(name) = referenced(schema) {
        return match numbers.get(name) {
            Some(number) => format!("@{number}"),
            // A request may write a quantity as a number.
            None if name.ends_with(".Quantity") => "*".to_owned(),
            None => ty(all, &all[name], numbers),
        };
    }
    match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("array"), _) => format!("[{}", ty(all, &schema["items"], numbers)),
        (Some("object"), _) if !schema["additionalProperties"].is_null() => {
            format!("{{{}", ty(all, &schema["additionalProperties"], numbers))
        }
        (Some("string"), Some("int-or-string")) => "*".to_owned(),
        (Some("string"), _) => "s".to_owned(),
        (Some("integer"), _) => "i".to_owned(),
        (Some("boolean"), _) => "b".to_owned(),
        _ => "*".to_owned(),
    }
}
