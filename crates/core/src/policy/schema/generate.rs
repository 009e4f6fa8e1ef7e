//! The schema, made from the types.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::{PolicyDocument, PolicyTestDocument};
use crate::policy::document::limits::CAPABILITIES;
use crate::request::{Concern, Weight};

pub(super) const DNS_LABEL: &str = "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$";
pub(super) const NAMESPACE: &str = "^[-a-z0-9*]+$";
pub(super) const DURATION: &str = "^([0-9]+h)?([0-9]+m)?([0-9]+s)?$";

/// The JSON Schema (draft 7) of documents of the kind `Policy`.
#[must_use]
pub fn policy_schema() -> Value {
    generate::<PolicyDocument>()
}

/// The JSON Schema (draft 7) of documents of the kind `PolicyTest`.
#[must_use]
pub fn policy_test_schema() -> Value {
    generate::<PolicyTestDocument>()
}

fn generate<T: JsonSchema>() -> Value {
    // What editors understand.
    let settings = SchemaSettings::draft07();
    let mut schema = Value::from(settings.into_generator().into_root_schema_for::<T>());
    tidy(&mut schema);
    schema
}

/// What may be left out may not be null: the loader refuses that. Formats and defaults of Rust say nothing to editors.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Array(elements) => elements.iter_mut().for_each(tidy),
        Value::Object(members) => {
            if let Some(Value::Array(types)) = members.get_mut("type") {
                types.retain(|name| name != "null");
                if let [single] = types.as_slice() {
                    let single = single.clone();
                    members.insert("type".to_owned(), single);
                }
            }
            if let Some(Value::Array(choices)) = members.get_mut("enum") {
                choices.retain(|choice| !choice.is_null());
            }
            let null = json!({ "type": "null" });
            if let Some(Value::Array(choices)) = members.get_mut("anyOf")
                && choices.contains(&null)
            {
                choices.retain(|choice| *choice != null);
                if let [single] = choices.as_slice() {
                    let single = single.clone();
                    members.remove("anyOf");
                    // Beside a `$ref`, draft 7 reads nothing else.
                    members.insert("allOf".to_owned(), json!([single]));
                }
            }
            if members
                .get("default")
                .is_some_and(|default| !default.is_object() || default == &json!({}))
            {
                members.remove("default");
            }
            members.remove("format");
            members.values_mut().for_each(tidy);
        }
        _ => {}
    }
}

/// A name under `insecure_permit`.
pub(super) struct Forbidden;

impl JsonSchema for Forbidden {
    fn schema_name() -> Cow<'static, str> {
        "Concern".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let forbidden = Concern::all().filter(|concern| concern.weight() == Weight::Forbidden);
        let names: Value = forbidden.map(Concern::as_str).collect();
        json_schema!({ "type": "string", "enum": names, "description": "An entry of the hard deny list." })
    }
}

/// A capability of Linux.
pub(super) struct Capability;

impl JsonSchema for Capability {
    fn schema_name() -> Cow<'static, str> {
        "Capability".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": CAPABILITIES.to_vec(), "description": "A capability of Linux." })
    }
}

/// Exactly one of them.
pub(super) fn actions() -> Value {
    let actions = ["allow", "deny", "hold", "rewrite", "mask"];
    actions
        .into_iter()
        .map(|action| json!({ "required": [action] }))
        .collect()
}

/// Any value.
pub(super) struct Anything;

impl JsonSchema for Anything {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Anything".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!(true)
    }
}

/// As it is sent, or in the words of RBAC.
pub(super) fn requests() -> Value {
    json!([{ "required": ["method", "path"] }, { "required": ["verb", "resource"] }])
}

/// Several values of a header or of a key of the query.
pub(super) struct Several;

impl JsonSchema for Several {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Several".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "minItems": 1, "items": { "type": ["string", "integer", "boolean"] } })
    }
}
