//! Managed fields in what is written: who owns which field is the server's to say, so they are left out, and the server
//! keeps those that are there.
//!
//! One form stays, `[{}]`, which resets them: it is found by [`Change`](super::Change).

use super::content_type::ContentType;
use super::pointer;
use crate::json::{Object, Value};

const METADATA: &str = "metadata";
const MANAGED_FIELDS: &str = "managedFields";

/// Takes the managed fields out of a body, unless it resets them.
pub(super) fn drop_from(body: &mut Value, content_type: ContentType) {
    match (content_type, body) {
        (ContentType::JsonPatch, Value::Array(operations)) => operations.retain_mut(keep),
        (_, body) => drop_from_object(body),
    }
}

fn drop_from_object(object: &mut Value) {
    if let Some(metadata) = object.as_object_mut().and_then(|object| object.get_mut(METADATA)) {
        drop_from_metadata(metadata);
    }
}

fn drop_from_metadata(metadata: &mut Value) {
    if let Some(metadata) = metadata.as_object_mut()
        && metadata.get(MANAGED_FIELDS).is_some_and(|fields| !is_reset(fields))
    {
        metadata.remove(MANAGED_FIELDS);
    }
}

/// Exactly an empty entry. What the server would read as one too is left out like anything else.
fn is_reset(fields: &Value) -> bool {
    let entries = fields.as_array().unwrap_or_default();
    matches!(entries, [Value::Object(entry)] if Object::is_empty(entry))
}

/// Whether an operation stays; its value may lose something.
fn keep(operation: &mut Value) -> bool {
    let path = operation.get("path").and_then(Value::as_str).and_then(pointer::tokens);
    let path: Vec<&str> = path.iter().flatten().map(String::as_str).collect();
    let value = operation
        .as_object_mut()
        .and_then(|operation| operation.get_mut("value"));
    match (path.as_slice(), value) {
        ([METADATA, MANAGED_FIELDS], Some(value)) => is_reset(value),
        ([METADATA, MANAGED_FIELDS, ..], _) => false,
        ([METADATA], Some(value)) => {
            drop_from_metadata(value);
            true
        }
        ([], Some(value)) => {
            drop_from_object(value);
            true
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_reset_stays() {
        let left = |content_type, text: &str| {
            let mut body = Value::parse(text.as_bytes()).unwrap();
            drop_from(&mut body, content_type);
            String::from_utf8(body.to_bytes().to_vec()).unwrap()
        };
        for (fields, stays) in [
            ("[{}]", true),
            ("[]", false),
            ("null", false),
            ("[{},{}]", false),
            (r#"[{"manager":""}]"#, false),
            (r#"[{"manager":"a","operation":"Apply"}]"#, false),
            ("7", false),
        ] {
            let body = format!(r#"{{"metadata":{{"name":"a","managedFields":{fields}}}}}"#);
            let expected = if stays {
                body.as_str()
            } else {
                r#"{"metadata":{"name":"a"}}"#
            };
            assert_eq!(left(ContentType::MergePatch, &body), expected);
            let patch = format!(
                r#"[{{"op":"replace","path":"/metadata/managedFields","value":{fields}}},{{"op":"add","path":"/metadata","value":{{"managedFields":{fields}}}}},{{"op":"replace","path":"","value":{{"metadata":{{"managedFields":{fields}}}}}}}]"#
            );
            let expected = if stays {
                patch.as_str()
            } else {
                r#"[{"op":"add","path":"/metadata","value":{}},{"op":"replace","path":"","value":{"metadata":{}}}]"#
            };
            assert_eq!(left(ContentType::JsonPatch, &patch), expected);
        }
        for operation in [
            r#"{"op":"remove","path":"/metadata/managedFields"}"#,
            r#"{"op":"add","path":"/metadata/managedFields/-","value":{}}"#,
            r#"{"op":"replace","path":"/metadata/managedFields/0/manager","value":"x"}"#,
        ] {
            assert_eq!(left(ContentType::JsonPatch, &format!("[{operation}]")), "[]");
        }
    }
}
