//! Annotations of Secrets: controllers copy Secrets by annotation, so each key that is set, changed or removed counts.
//!
//! 1. Where the Secret before the change is known, or there was none: the keys whose value differs.
//! 2. Where it is not known: the keys that the body writes, null and JSON Patch `remove` included. A change of all
//!    annotations at once (the map replaced or removed, directives of a strategic merge patch) is one finding without a
//!    key, which no list has.
//! 3. What a PUT leaves out is found where the Secret is known. Where it is not, the PUT removes fields and is found to.

use std::collections::HashMap;

use super::place::Place;
use super::states::{Before, States};
use super::{Concern, Finding};
use crate::json::{Object, Value};
use crate::request::attributes::{Attributes, Verb};
use crate::request::patch_oracle::tokens;

/// Finds the annotations that a change of a Secret touches; `body` is what was sent.
pub(super) fn findings(attributes: &Attributes, body: &Value, states: &States, out: &mut Vec<Finding>) {
    let secret = (attributes.api_group.as_str(), attributes.resource.as_str()) == ("", "secrets");
    if !secret || !attributes.subresource.is_empty() {
        return;
    }
    let mut touched = Touched {
        assumed: states.before.is_open(),
        out,
    };
    match (&states.before, attributes.verb, body) {
        (Before::Nothing, ..) => touched.differing(None, &states.after),
        (Before::Seen(before), ..) => touched.differing(Some(before), &states.after),
        (_, Verb::Patch, Value::Array(operations)) => {
            for operation in operations {
                touched.by_operation(operation);
            }
        }
        _ => touched.by_object(body),
    }
}

struct Touched<'a> {
    assumed: bool,
    out: &'a mut Vec<Finding>,
}

impl Touched<'_> {
    fn key(&mut self, key: &str) {
        let metadata = Place::ROOT.key("metadata");
        let path = metadata.key("annotations").key(key).pointer();
        self.push(path, Some(key.to_owned()));
    }

    fn all(&mut self) {
        self.push("/metadata/annotations".to_owned(), None);
    }

    fn push(&mut self, path: String, value: Option<String>) {
        self.out.push(Finding {
            concern: Concern::SecretAnnotation,
            path,
            value,
            assumed: self.assumed,
        });
    }

    fn differing(&mut self, before: Option<&Value>, after: &Value) {
        let annotations = |object| annotations(object).into_iter().flat_map(Object::iter);
        let mut old: HashMap<_, _> = before.into_iter().flat_map(annotations).collect();
        for (key, value) in annotations(after).filter(|(_, value)| **value != Value::Null) {
            if old.remove(key) != Some(value) {
                self.key(key);
            }
        }
        let mut removed: Vec<_> = old.into_iter().filter(|(_, value)| **value != Value::Null).collect();
        removed.sort_unstable_by_key(|(key, _)| *key);
        for (key, _) in removed {
            self.key(key);
        }
    }

    /// An object, or a patch that has the shape of one.
    fn by_object(&mut self, body: &Value) {
        let metadata = match body.get("metadata") {
            _ if has_directive(body) => return self.all(),
            None => return,
            Some(metadata) => metadata,
        };
        match metadata.get("annotations") {
            _ if has_directive(metadata) || *metadata == Value::Null => self.all(),
            None => {}
            Some(Value::Object(annotations)) => {
                for (key, _) in annotations.iter() {
                    if is_directive(key) {
                        self.all();
                    } else {
                        self.key(key);
                    }
                }
            }
            Some(_) => self.all(),
        }
    }

    fn by_operation(&mut self, operation: &Value) {
        let text = |key: &str| operation.get(key).and_then(Value::as_str);
        let writes = text("op") != Some("test");
        let moves = text("op") == Some("move");
        for pointer in [text("path").filter(|_| writes), text("from").filter(|_| moves)] {
            let Some(pointer) = pointer else { continue };
            let pointer = tokens(pointer).unwrap_or_default();
            let mut below = pointer.iter();
            let path = ["metadata", "annotations"];
            if path.iter().zip(&mut below).any(|(key, token)| key != token) {
                continue;
            }
            match pointer.get(path.len()) {
                Some(key) => self.key(key),
                None => self.by_container(operation, pointer.len()),
            }
        }
    }

    /// An operation on all annotations or on what contains them, `depth` levels below the root.
    fn by_container(&mut self, operation: &Value, depth: usize) {
        self.all();
        let path = ["metadata", "annotations"];
        let written = operation
            .get("value")
            .and_then(|value| value.at(path.get(depth..).unwrap_or_default()));
        let keys = written.and_then(Value::as_object).into_iter().flat_map(Object::iter);
        for (key, _) in keys {
            self.key(key);
        }
    }
}

fn annotations(object: &Value) -> Option<&Object> {
    object.at(&["metadata", "annotations"])?.as_object()
}

/// Directives of a strategic merge patch (`$patch`, `$retainKeys`) that can remove what the patch does not mention. Their
/// order directives can't.
fn is_directive(key: &str) -> bool {
    key.starts_with('$') && !key.starts_with("$setElementOrder/")
}

fn has_directive(object: &Value) -> bool {
    let mut keys = object.as_object().into_iter().flat_map(Object::iter);
    keys.any(|(key, _)| is_directive(key) && !key.starts_with("$deleteFromPrimitiveList/"))
}

#[cfg(test)]
mod tests {
    use super::super::cases::{Was, found, states};
    use super::*;

    fn touched(verb: Verb, was: &Was<'_>, body: &str, after: &str) -> String {
        let attributes = Attributes::for_test(verb, "", "secrets");
        let body = Value::parse(body.as_bytes()).unwrap();
        found(was, after, |states, out| findings(&attributes, &body, states, out))
            .iter()
            .map(|line| {
                line.trim_start_matches("secret-annotation /metadata/annotations")
                    .to_owned()
            })
            .collect::<Vec<_>>()
            .join("; ")
    }

    #[test]
    fn patches_of_a_secret_that_nobody_has_seen() {
        for (patch, expected) in [
            // T-192
            (
                r#"{"metadata":{"annotations":{"reflector.v1.k8s.emberstack.com/reflection-allowed":"true"}}}"#,
                "/reflector.v1.k8s.emberstack.com~1reflection-allowed reflector.v1.k8s.emberstack.com/reflection-allowed",
            ),
            // T-239
            (r#"{"metadata":{"labels":{"team":"a"}}}"#, ""),
            (r#"{"metadata":{"annotations":{"a":null}}}"#, "/a a"),
            (r#"{"metadata":{"annotations":null}}"#, ""),
            (r#"{"metadata":null}"#, ""),
            (r#"{"metadata":{"annotations":{"$patch":"replace","a":"b"}}}"#, "; /a a"),
            (r#"{"metadata":{"$patch":"replace"}}"#, ""),
            (r#"{"$patch":"delete"}"#, ""),
            (r#"{"metadata":{"$deleteFromPrimitiveList/finalizers":["x"]}}"#, ""),
            (
                r#"[{"op":"add","path":"/metadata/annotations/a~1b","value":"c"}]"#,
                "/a~1b a/b",
            ),
            (r#"[{"op":"remove","path":"/metadata/annotations/a"}]"#, "/a a"),
            (r#"[{"op":"remove","path":"/metadata/annotations"}]"#, ""),
            (
                r#"[{"op":"replace","path":"/metadata/annotations","value":{"a":"b"}}]"#,
                "; /a a",
            ),
            (
                r#"[{"op":"add","path":"/metadata","value":{"annotations":{"a":"b"}}}]"#,
                "; /a a",
            ),
            (
                r#"[{"op":"replace","path":"","value":{"metadata":{"annotations":{"a":"b"}}}}]"#,
                "; /a a",
            ),
            (
                r#"[{"op":"move","from":"/metadata/annotations/a","path":"/metadata/annotations/b"}]"#,
                "/b b; /a a",
            ),
            (
                r#"[{"op":"copy","from":"/metadata/annotations/a","path":"/metadata/labels/b"}]"#,
                "",
            ),
            (r#"[{"op":"test","path":"/metadata/annotations/a","value":"x"}]"#, ""),
            (
                r#"[{"op":"add","path":"/metadata/labels/a","value":"x"},7,{"op":"add"}]"#,
                "",
            ),
        ] {
            let found = touched(Verb::Patch, &Was::Unknown, patch, "{}");
            assert_eq!(found, expected, "{patch}");
            let assumed = touched(Verb::Patch, &Was::NotRead, patch, "{}");
            assert_eq!(assumed.replace(" (assumed)", ""), expected, "{patch}");
        }
    }

    #[test]
    fn a_change_of_all_annotations_is_told_from_none() {
        let attributes = Attributes::for_test(Verb::Patch, "", "secrets");
        for (patch, count) in [
            (r#"{"metadata":{"annotations":null}}"#, 1),
            (r#"{"metadata":null}"#, 1),
            (r#"{"metadata":{"$patch":"replace"}}"#, 1),
            (r#"{"metadata":{"$retainKeys":["name"]}}"#, 1),
            (r#"{"$patch":"delete"}"#, 1),
            (r#"{"metadata":{"annotations":[]}}"#, 1),
            (r#"[{"op":"remove","path":"/metadata/annotations"}]"#, 1),
            (r#"[{"op":"remove","path":""}]"#, 1),
            (r#"{"metadata":{"labels":null}}"#, 0),
            (r#"{"metadata":{"$setElementOrder/finalizers":["x"]}}"#, 0),
            (r#"[{"op":"remove","path":"/metadata/labels"}]"#, 0),
            (r#"[{"op":"remove","path":"/metadata/annotationsX"}]"#, 0),
        ] {
            let body = Value::parse(patch.as_bytes()).unwrap();
            let mut out = Vec::new();
            findings(&attributes, &body, &states(&Was::Unknown, "{}"), &mut out);
            assert_eq!(out.len(), count, "{patch}");
            assert!(out.iter().all(|finding| finding.value.is_none()), "{patch}");
        }
    }

    #[test]
    fn a_secret_that_is_known_is_compared() {
        let before = r#"{"metadata":{"annotations":{"kept":"1","changed":"1","gone":"1","null":null}}}"#;
        let after = r#"{"metadata":{"annotations":{"new":"1","changed":"2","kept":"1"}}}"#;
        let found = touched(Verb::Update, &Was::Seen(before), after, after);
        assert_eq!(found, "/new new; /changed changed; /gone gone");
        assert_eq!(touched(Verb::Update, &Was::Seen(before), before, before), "");
        assert_eq!(
            touched(Verb::Create, &Was::Nothing, after, after),
            "/new new; /changed changed; /kept kept"
        );
        assert_eq!(
            touched(Verb::Update, &Was::NotRead, after, after),
            "/new new (assumed); /changed changed (assumed); /kept kept (assumed)"
        );
    }

    #[test]
    fn other_resources_have_free_annotations() {
        let attributes = Attributes::for_test(Verb::Patch, "", "configmaps");
        let body = r#"{"metadata":{"annotations":{"a":"b"}}}"#;
        let value = Value::parse(body.as_bytes()).unwrap();
        assert!(
            found(&Was::Unknown, body, |states, out| findings(
                &attributes,
                &value,
                states,
                out
            ))
            .is_empty()
        );
    }
}
