//! Objects, lists and Status as bytes, in the key order of a real API server.
//!
//! The order matters to whoever reads a response while it streams: built-in kinds begin with `kind` and `apiVersion` and
//! leave both out of a list's items; custom resources are sorted by key, so a list's items come before its `kind`.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use super::errors::ApiError;
use super::golang;
use super::kinds::{CUSTOM, Resource};
use super::negotiate::{Include, View};
use super::object::{Object, meta_text};
use super::table;

const META_VERSION: &str = "meta.k8s.io/v1";

/// One object as the caller asked to see it, with a newline at its end.
pub(super) fn object(resource: &Resource, object: &Object, view: View) -> Result<Bytes, ApiError> {
    let text = match view {
        View::Plain => plain(resource, object, true),
        View::Metadata => partial(object),
        View::MetadataList => {
            let message = "you requested PartialObjectMetadataList, but the requested object is not a list";
            return Err(ApiError::not_acceptable(format!(
                "{message} (*{}.{})",
                resource.package(),
                resource.kind
            )));
        }
        View::Table(include) => one_row(resource, object, include, true),
    };
    Ok(finish(text))
}

/// A list as the caller asked to see it.
pub(super) fn list(
    resource: &Resource,
    metadata: Object,
    items: &[Arc<Object>],
    view: View,
) -> Result<Bytes, ApiError> {
    let kind = format!("{}List", resource.kind);
    let text = match view {
        View::Plain if resource.is(CUSTOM) => {
            // Custom lists always have `continue`, empty where there is no more.
            let mut metadata = metadata;
            metadata.entry("continue").or_insert_with(|| "".into());
            fields(&[
                ("apiVersion", text(&resource.api_version())),
                ("items", array(items.iter().map(|item| plain(resource, item, true)))),
                ("kind", text(&kind)),
                ("metadata", Value::Object(metadata).to_string()),
            ])
        }
        View::Plain => fields(&[
            ("kind", text(&kind)),
            ("apiVersion", text(&resource.api_version())),
            ("metadata", Value::Object(metadata).to_string()),
            ("items", array(items.iter().map(|item| plain(resource, item, false)))),
        ]),
        View::MetadataList => fields(&[
            ("kind", text("PartialObjectMetadataList")),
            ("apiVersion", text(META_VERSION)),
            ("metadata", Value::Object(metadata).to_string()),
            ("items", array(items.iter().map(|item| partial(item)))),
        ]),
        View::Metadata => {
            let message = "you requested PartialObjectMetadata, but the requested object is a list";
            return Err(ApiError::not_acceptable(format!(
                "{message} (*{}.{kind})",
                resource.package()
            )));
        }
        View::Table(include) => {
            let rows = items.iter().map(Arc::as_ref);
            table::table(resource, Value::Object(metadata), rows, include, true)
        }
    };
    Ok(finish(text))
}

/// A Table of one object.
fn one_row(resource: &Resource, object: &Object, include: Include, with_columns: bool) -> String {
    let metadata = json!({ "resourceVersion": meta_text(object, "resourceVersion") });
    table::table(resource, metadata, [object], include, with_columns)
}

/// One event of a watch. Only the first Table of a stream has its columns.
pub(super) fn event(kind: &str, resource: &Resource, object: &Object, view: View, first: bool) -> Bytes {
    let shown = match view {
        View::Plain => plain(resource, object, true),
        View::Metadata | View::MetadataList => partial(object),
        View::Table(include) => one_row(resource, object, include, first),
    };
    finish(fields(&[("type", text(kind)), ("object", shown)]))
}

/// The event that ends a watch with an error.
pub(super) fn error_event(error: &ApiError) -> Bytes {
    finish(fields(&[("type", text("ERROR")), ("object", ordered(&error.status()))]))
}

/// Fields in a given order, as a document.
pub(super) fn document(entries: &[(&str, Value)]) -> Bytes {
    finish(ordered(entries))
}

fn ordered(entries: &[(&str, Value)]) -> String {
    let entries: Vec<_> = entries.iter().map(|(key, value)| (*key, value.to_string())).collect();
    fields(&entries)
}

/// A whole object; an item of a built-in list comes without its type.
pub(super) fn plain(resource: &Resource, object: &Object, typed: bool) -> String {
    if resource.is(CUSTOM) {
        let mut sorted: Vec<(&str, String)> = object
            .iter()
            .map(|(key, value)| (key.as_str(), value.to_string()))
            .collect();
        sorted.push(("apiVersion", text(&resource.api_version())));
        sorted.push(("kind", text(&resource.kind)));
        sorted.sort_by_key(|(key, _)| *key);
        return fields(&sorted);
    }
    let mut entries = Vec::new();
    if typed {
        entries.push(("kind", text(&resource.kind)));
        entries.push(("apiVersion", text(&resource.api_version())));
    }
    if let Some(metadata) = object.get("metadata") {
        entries.push(("metadata", metadata.to_string()));
    }
    for (key, value) in object.iter().filter(|(key, _)| *key != "metadata") {
        entries.push((key.as_str(), value.to_string()));
    }
    fields(&entries)
}

/// `PartialObjectMetadata`.
pub(super) fn partial(object: &Object) -> String {
    let metadata = object.get("metadata").map_or_else(|| "{}".to_owned(), Value::to_string);
    fields(&[
        ("kind", text("PartialObjectMetadata")),
        ("apiVersion", text(META_VERSION)),
        ("metadata", metadata),
    ])
}

/// Values that are JSON already, under their keys.
pub(super) fn fields(entries: &[(&str, String)]) -> String {
    let mut out = String::from("{");
    for (key, value) in entries {
        if out.len() > 1 {
            out.push(',');
        }
        out.push_str(&text(key));
        out.push(':');
        out.push_str(value);
    }
    out.push('}');
    out
}

pub(super) fn array(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    format!("[{}]", items.join(","))
}

pub(super) fn text(value: &str) -> String {
    Value::from(value).to_string()
}

fn finish(text: String) -> Bytes {
    let mut text = golang::escape(&text);
    text.push('\n');
    Bytes::from(text)
}
