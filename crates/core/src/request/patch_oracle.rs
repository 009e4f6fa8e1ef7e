//! JSON Patch operations that would tell a masked value, or carry it to where it is not masked. RFC 6902, RFC 6901.
//!
//! 1. A `test` on a masked value says whether a guess was right; a `copy` or `move` of one puts it under a name that
//!    nobody masks. So these three are refused if a pointer of theirs equals, contains or lies under a masked path.
//! 2. The paths are those where values may be masked, now or by a policy: whether one is masked in the end depends on the
//!    value, and the answer must not.
//! 3. A patch has at most 1,000 operations, each of them known, each pointer well-formed and no deeper than bodies are.

use super::catalog::{Kind, Origin};
use super::pod_specs::{CONTAINER_LISTS, pod_spec};
pub(super) use super::pointer::tokens;
use super::quote::Quoted;
use crate::json::Value;
use crate::refusal::{Class, Refusal};

/// Most operations of one patch.
const MAX_OPERATIONS: usize = 1_000;

/// Matches any one token.
const ANY: &str = "*";

/// What every object may hide.
const METADATA: &[&[&str]] = &[
    &[
        "metadata",
        "annotations",
        "kubectl.kubernetes.io/last-applied-configuration",
    ],
    &["metadata", "managedFields"],
];

/// What may be hidden of a container.
const CONTAINER: &[&str] = &[
    "env",
    "command",
    "args",
    "lifecycle",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
];

/// What may be hidden of a volume.
const VOLUME: &[&str] = &["csi", "flexVolume", "iscsi", "rbd", "cephfs", "azureFile", "azureDisk"];

/// Refuses a patch of an object of this kind that could tell what is masked in it.
pub(super) fn check(patch: &[Value], kind: &Kind) -> Result<(), Refusal> {
    if patch.len() > MAX_OPERATIONS {
        return Err(Refusal::malformed(format!(
            "a JSON patch of more than {MAX_OPERATIONS} operations"
        )));
    }
    for operation in patch {
        for pointer in pointers(operation)? {
            if hides(kind, &pointer) {
                return Err(oracle(&pointer));
            }
        }
    }
    Ok(())
}

/// The first pointer by which a patch could tell what stands at one of these paths, as a refusal.
pub(crate) fn check_paths<'p>(
    patch: &[Value],
    paths: impl Iterator<Item = &'p [String]> + Clone,
) -> Result<(), Refusal> {
    for operation in patch {
        for pointer in pointers(operation)? {
            if paths
                .clone()
                .any(|path| meets(&pointer, path.iter().map(String::as_str)))
            {
                return Err(oracle(&pointer));
            }
        }
    }
    Ok(())
}

/// The same for fields of kinds, whose paths look through lists.
pub(crate) fn check_fields<'p>(
    patch: &[Value],
    paths: impl Iterator<Item = &'p [String]> + Clone,
) -> Result<(), Refusal> {
    for operation in patch {
        for pointer in pointers(operation)? {
            if paths.clone().any(|path| meets_field(&pointer, path)) {
                return Err(oracle(&pointer));
            }
        }
    }
    Ok(())
}

fn oracle(pointer: &[String]) -> Refusal {
    let shown = format!("/{}", pointer.join("/"));
    let message = format!("test, copy or move at {}, where a value may be masked", Quoted(&shown));
    Refusal::new(http::StatusCode::FORBIDDEN, Class::Unsupported, message)
        .with_remedy("use add, replace or remove, or a merge patch")
}

/// The pointers of an operation that reads: none for one that only writes.
fn pointers(operation: &Value) -> Result<Vec<Vec<String>>, Refusal> {
    let malformed = |what: &str| Refusal::malformed(format!("a JSON patch operation with {what}"));
    let text = |key: &str| {
        operation
            .get(key)
            .map(|value| value.as_str().ok_or_else(|| malformed("a pointer that is no string")))
    };
    let path = text("path").ok_or_else(|| malformed("no path"))??;
    let path = tokens(path).ok_or_else(|| malformed("a malformed path"))?;
    match operation.get("op").and_then(Value::as_str) {
        Some("add" | "remove" | "replace") => Ok(Vec::new()),
        Some("test") => Ok(vec![path]),
        Some("copy" | "move") => {
            let from = text("from").ok_or_else(|| malformed("no from"))??;
            Ok(vec![path, tokens(from).ok_or_else(|| malformed("a malformed from"))?])
        }
        _ => Err(malformed(
            "an op that is none of add, remove, replace, move, copy and test",
        )),
    }
}

/// Whether one of the two contains the other, or both are the same.
pub(super) fn meets<'p>(pointer: &[String], path: impl Iterator<Item = &'p str>) -> bool {
    pointer.iter().zip(path).all(|(token, key)| key == ANY || token == key)
}

/// Like [`meets`], where elements of lists on the way count for nothing.
pub(super) fn meets_field(pointer: &[String], path: &[String]) -> bool {
    // How much of the path can be behind us.
    let mut passed = vec![0_usize];
    for token in pointer {
        let is_element = token == "-" || token.bytes().all(|byte| byte.is_ascii_digit());
        let mut next = Vec::new();
        for at in passed {
            let Some(key) = path.get(at) else { return true };
            let on = (key == ANY || key == token).then_some(at + 1);
            for at in on.into_iter().chain(is_element.then_some(at)) {
                if !next.contains(&at) {
                    next.push(at);
                }
            }
        }
        passed = next;
    }
    !passed.is_empty()
}

/// Whether a value at, above or below this place may be masked.
pub(super) fn hides(kind: &Kind, pointer: &[String]) -> bool {
    let meets_any = |paths: &[&[&str]]| paths.iter().any(|path| meets(pointer, path.iter().copied()));
    if meets_any(METADATA) {
        return true;
    }
    match (kind.origin, kind.group.as_str(), kind.resource.as_str()) {
        (Origin::Custom | Origin::Aggregated, ..) => meets_any(&[&["spec"], &["status"], &["data"], &["stringData"]]),
        (_, "", "secrets") => meets_any(&[&["data"], &["stringData"], &["metadata", "annotations"]]),
        (_, "", "configmaps") => meets_any(&[&["data"], &["binaryData"]]),
        (_, "apps", "controllerrevisions") => meets_any(&[&["data"]]),
        (_, group, resource) => pod_spec(group, resource).is_some_and(|spec| hides_in_pod(spec, pointer)),
    }
}

fn hides_in_pod(spec: &[&str], pointer: &[String]) -> bool {
    let meets_below =
        |list: &'static str, field: &'static str| meets(pointer, spec.iter().copied().chain([list, ANY, field]));
    CONTAINER_LISTS
        .iter()
        .any(|list| CONTAINER.iter().any(|field| meets_below(list, field)))
        || VOLUME.iter().any(|field| meets_below("volumes", field))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Catalog, ResourceCatalog as _};

    fn refused(group: &str, resource: &str, operation: &str) -> bool {
        let catalog = Catalog::kubernetes().with_custom("example.com", "widgets", "Widget", true);
        let kind = catalog.lookup(group, resource).unwrap();
        let patch = Value::parse(format!("[{operation}]").as_bytes()).unwrap();
        check(patch.as_array().unwrap(), &kind).is_err()
    }

    #[test]
    fn what_reads_a_masked_value_is_refused() {
        for (group, resource, operation) in [
            ("", "secrets", r#"{"op":"test","path":"/data/password","value":"eA=="}"#),
            (
                "",
                "secrets",
                r#"{"op":"copy","from":"/data/password","path":"/metadata/labels/x"}"#,
            ),
            (
                "",
                "secrets",
                r#"{"op":"move","from":"/stringData","path":"/metadata/annotations/x"}"#,
            ),
            (
                "",
                "secrets",
                r#"{"op":"copy","from":"","path":"/metadata/annotations/x"}"#,
            ),
            (
                "",
                "secrets",
                r#"{"op":"copy","from":"/metadata/annotations/a","path":"/metadata/finalizers/0"}"#,
            ),
            ("", "configmaps", r#"{"op":"test","path":"/data/key","value":"x"}"#),
            ("", "configmaps", r#"{"op":"test","path":"/metadata","value":{}}"#),
            (
                "example.com",
                "widgets",
                r#"{"op":"copy","from":"/spec/token","path":"/metadata/labels/x"}"#,
            ),
            (
                "apps",
                "deployments",
                r#"{"op":"test","path":"/spec/template/spec/containers/0/env/0/value","value":"x"}"#,
            ),
            (
                "apps",
                "deployments",
                r#"{"op":"test","path":"/spec/template","value":{}}"#,
            ),
            (
                "",
                "pods",
                r#"{"op":"test","path":"/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration"}"#,
            ),
        ] {
            assert!(refused(group, resource, operation), "{operation}");
        }
    }

    #[test]
    fn what_only_writes_or_reads_what_is_shown_passes() {
        for (group, resource, operation) in [
            (
                "",
                "secrets",
                r#"{"op":"replace","path":"/data/password","value":"eA=="}"#,
            ),
            ("", "secrets", r#"{"op":"test","path":"/metadata/uid","value":"u"}"#),
            (
                "",
                "secrets",
                r#"{"op":"test","path":"/metadata/labels/app","value":"x"}"#,
            ),
            (
                "apps",
                "deployments",
                r#"{"op":"test","path":"/spec/replicas","value":3}"#,
            ),
            (
                "apps",
                "deployments",
                r#"{"op":"test","path":"/spec/template/spec/containers/0/image","value":"a"}"#,
            ),
            (
                "",
                "pods",
                r#"{"op":"copy","from":"/metadata/labels/a","path":"/metadata/labels/b"}"#,
            ),
        ] {
            assert!(!refused(group, resource, operation), "{operation}");
        }
    }

    #[test]
    fn fields_are_met_through_lists() {
        let met = |pointer: &str, path: &[&str]| {
            let path: Vec<String> = path.iter().map(ToString::to_string).collect();
            meets_field(&tokens(pointer).unwrap(), &path)
        };
        for pointer in [
            "",
            "/spec",
            "/spec/keys",
            "/spec/keys/0",
            "/spec/keys/-/value",
            "/spec/keys/0/1/value/x",
        ] {
            assert!(met(pointer, &["spec", "keys", "value"]), "{pointer}");
        }
        for pointer in ["/status", "/spec/other", "/spec/keys/0/name", "/spec/keys/name"] {
            assert!(!met(pointer, &["spec", "keys", "value"]), "{pointer}");
        }
        assert!(met("/spec/7/value", &["spec", "*", "value"]));
        assert!(met(&"/0".repeat(60), &["x"]));
    }

    #[test]
    fn malformed_operations_are_refused() {
        for operation in [
            r#"{"op":"read","path":"/a"}"#,
            r#"{"op":"test"}"#,
            r#"{"op":"copy","path":"/a"}"#,
            r#"{"op":"add","path":"a"}"#,
            r#"{"op":"add","path":"/a~2"}"#,
            r#"{"op":"add","path":1}"#,
            "7",
        ] {
            assert!(refused("", "pods", operation), "{operation}");
        }
    }
}
