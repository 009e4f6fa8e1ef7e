//! How lists and maps of the built-in kinds merge, from what an API server says of them in `/openapi/v2`, as the source
//! text of the table that `countersign-core` has of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use http::Request;
use serde_json::Value;

use crate::control_plane::ControlPlane;

/// The file of the table.
pub const TABLE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../crates/core/src/request/change/apply/merge_schema_table.rs"
);

const GVK: &str = "x-kubernetes-group-version-kind";

/// The metadata of all objects.
const METADATA: &str = "meta.v1.ObjectMeta";

/// Kinds that are no objects which could be patched.
const NOT_OBJECTS: [&str; 6] = [
    "DeleteOptions",
    "WatchEvent",
    "Status",
    "APIGroup",
    "APIResourceList",
    "APIVersions",
];

struct Field {
    of: Option<String>,
    patch: Option<String>,
    apply: Option<String>,
}

struct Type {
    atomic: bool,
    fields: BTreeMap<String, Field>,
}

/// What a control plane says of its kinds, and its version, such as `1.36`.
///
/// # Errors
/// What went wrong when it was asked.
pub async fn served(control_plane: &ControlPlane) -> kube::Result<(Value, String)> {
    let client = control_plane.admin();
    let request = Request::get("/openapi/v2")
        .body(Vec::new())
        .map_err(kube::Error::HttpError)?;
    let openapi = client.request(request).await?;
    let version = client.apiserver_version().await?;
    Ok((openapi, format!("{}.{}", version.major, version.minor)))
}

/// The source text of the table for the API server that answered `openapi` to `/openapi/v2`, and is of this version.
///
/// # Panics
/// If that is no such document.
pub fn table(openapi: &Value, version: &str) -> String {
    let definitions = openapi["definitions"].as_object().expect("definitions");
    let mut types: BTreeMap<String, Type> = definitions
        .iter()
        .map(|(name, schema)| (short(name), read(schema)))
        .collect();
    for (name, schema) in definitions {
        // The metadata of an object is the same for all kinds.
        if let (Some(of_type), Some(_)) = (types.get_mut(&short(name)), schema.get(GVK)) {
            of_type.fields.remove("metadata");
        }
    }
    prune(&mut types);
    let mut kinds = BTreeSet::new();
    for (name, schema) in definitions {
        for gvk in schema[GVK].as_array().into_iter().flatten() {
            let text = |key: &str| gvk[key].as_str().unwrap_or_default().to_owned();
            let kind = text("kind");
            let is_object = !kind.ends_with("List") && !NOT_OBJECTS.contains(&kind.as_str());
            if is_object && types.contains_key(&short(name)) {
                kinds.insert((text("group"), kind, text("version"), short(name)));
            }
        }
    }
    let roots = kinds.iter().map(|(.., name)| name.clone());
    reachable(&mut types, roots.chain([METADATA.to_owned()]));
    write(&types, &kinds, version)
}

fn short(name: &str) -> String {
    ["io.k8s.api.", "io.k8s.apimachinery.pkg.apis.", "io.k8s."]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .unwrap_or(name)
        .to_owned()
}

fn referred(schema: &Value) -> Option<String> {
    let reference = |schema: &Value| Some(short(schema["$ref"].as_str()?.strip_prefix("#/definitions/")?));
    reference(schema)
        .or_else(|| reference(&schema["items"]))
        .or_else(|| reference(&schema["additionalProperties"]))
}

fn read(schema: &Value) -> Type {
    let mut fields = BTreeMap::new();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let strategies = property["x-kubernetes-patch-strategy"].as_str().unwrap_or_default();
        let strategies: Vec<&str> = strategies.split(',').collect();
        let is_list = property["type"] == "array";
        let key = property["x-kubernetes-patch-merge-key"].as_str().unwrap_or_default();
        let patch = if is_list && strategies.contains(&"merge") {
            Some(format!("Patch::Merge({key:?})"))
        } else if !is_list && strategies.contains(&"replace") {
            Some("Patch::Replace".to_owned())
        } else {
            None
        };
        let keys = property["x-kubernetes-list-map-keys"].as_array().into_iter().flatten();
        let keys = keys.map(|key| format!("{:?}", key.as_str().expect("a key")));
        let apply = match property["x-kubernetes-list-type"].as_str() {
            Some("map") => Some(format!("Apply::Map(&[{}])", keys.collect::<Vec<_>>().join(", "))),
            Some("set") => Some("Apply::Set".to_owned()),
            _ if property["x-kubernetes-map-type"] == "atomic" => Some("Apply::Atomic".to_owned()),
            _ => None,
        };
        let of = referred(property);
        fields.insert(name.clone(), Field { of, patch, apply });
    }
    Type {
        atomic: schema["x-kubernetes-map-type"] == "atomic",
        fields,
    }
}

/// Drops what says nothing: fields that merge as any field does and lead nowhere, types without fields that say anything.
fn prune(types: &mut BTreeMap<String, Type>) {
    let mut telling: BTreeSet<String> = BTreeSet::new();
    loop {
        let more = types.iter().filter(|(name, _)| !telling.contains(*name));
        let more = more.filter(|(_, of_type)| {
            let leads = |field: &Field| field.of.as_ref().is_some_and(|of| telling.contains(of));
            let says = |field: &Field| field.patch.is_some() || field.apply.is_some() || leads(field);
            of_type.atomic || of_type.fields.values().any(says)
        });
        let more: Vec<String> = more.map(|(name, _)| name.clone()).collect();
        if more.is_empty() {
            break;
        }
        telling.extend(more);
    }
    types.retain(|name, _| telling.contains(name));
    for of_type in types.values_mut() {
        for field in of_type.fields.values_mut() {
            field.of.take_if(|of| !telling.contains(of));
        }
        of_type
            .fields
            .retain(|_, field| field.of.is_some() || field.patch.is_some() || field.apply.is_some());
    }
}

fn reachable(types: &mut BTreeMap<String, Type>, roots: impl Iterator<Item = String>) {
    let mut open: Vec<String> = roots.collect();
    let mut seen = BTreeSet::new();
    while let Some(name) = open.pop() {
        if let Some(of_type) = types.get(&name)
            && seen.insert(name)
        {
            open.extend(of_type.fields.values().filter_map(|field| field.of.clone()));
        }
    }
    types.retain(|name, _| seen.contains(name));
}

fn write(types: &BTreeMap<String, Type>, kinds: &BTreeSet<(String, String, String, String)>, version: &str) -> String {
    let mut out = format!(
        "//! How lists and maps of the built-in kinds merge, as Kubernetes {version} says in `/openapi/v2`. Generated by\n\
         //! `cargo run -p countersign-tests --bin merge-schema`; what is not here merges as anything does: objects field by\n\
         //! field, lists not at all. The metadata of all kinds is `meta.v1.ObjectMeta`.\n\n\
         use super::schema::{{Apply, Field, Patch, Type}};\n\n\
         /// Group, kind, version, type; in that order.\n#[rustfmt::skip]\npub(super) const KINDS: &[(&str, &str, &str, &str)] = &[\n"
    );
    for (group, kind, version, name) in kinds {
        writeln!(out, "    ({group:?}, {kind:?}, {version:?}, {name:?}),").expect("a string takes it");
    }
    out.push_str("];\n\n/// The types, by name.\n#[rustfmt::skip]\npub(super) const TYPES: &[Type] = &[\n");
    for (name, of_type) in types {
        write!(
            out,
            "    Type {{ name: {name:?}, atomic: {}, fields: &[",
            of_type.atomic
        )
        .expect("a string takes it");
        for (name, field) in &of_type.fields {
            let (patch, apply) = (
                field.patch.as_deref().unwrap_or("Patch::Usual"),
                field.apply.as_deref().unwrap_or("Apply::Usual"),
            );
            let of = field.of.as_deref().unwrap_or_default();
            let field = format!("Field {{ name: {name:?}, of: {of:?}, patch: {patch}, apply: {apply} }}");
            write!(out, "\n        {field},").expect("a string takes it");
        }
        out.push_str("] },\n");
    }
    out.push_str("];\n");
    out
}
