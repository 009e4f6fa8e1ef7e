//! JSON Patch operations that would tell a masked value, or carry it to where it is not masked. RFC 6902, RFC 6901.
//!
//! 1. A `test` on a masked value says whether a guess was right; a `copy` or `move` of one puts it under a name that
//!    nobody masks. So these three are refused if a pointer of theirs equals, contains or lies under a masked path.
//! 2. The paths are those where values may be masked, now or by a policy: whether one is masked in the end depends on the
//!    value, and the answer must not.
//! 3. What is masked only if it looks like a secret may be tested, unless it is compared with what would be masked there:
//!    whoever learns that it is something else, or that it is something that is shown, learns what reading would tell. It
//!    may not be copied to where nobody looks; elsewhere it looks the same.
//! 4. A patch has at most 1,000 operations, each of them known, each pointer well-formed and no deeper than bodies are.

use std::sync::Arc;

use super::canonical::Canonical;
use super::catalog::Kind;
use super::pod_specs::{CONTAINER_LISTS, pod_spec};
pub(super) use super::pointer::tokens;
use super::quote::Quoted;
use crate::json::Value;
use crate::mask::{self, Masking, Standing, standing};
use crate::policy::MaskObligation;
use crate::refusal::{Class, Refusal};

/// Most operations of one patch.
const MAX_OPERATIONS: usize = 1_000;

/// Matches any one token.
const ANY: &str = "*";

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
        let reads = pointers(operation)?;
        if let Some(pointer) = reads.iter().find(|pointer| hides(kind, pointer)) {
            return Err(oracle(pointer));
        }
        // Nobody looks at what it is copied to.
        if let [to, from] = reads.as_slice()
            && standing(kind, from) != Standing::Plain
            && standing(kind, to) == Standing::Plain
        {
            return Err(oracle(from));
        }
    }
    Ok(())
}

/// The first test of a patch that compares with what would be masked at its place, as a refusal.
pub(crate) fn check_tests(
    request: &Canonical,
    patch: &[Value],
    obligations: &[Arc<MaskObligation>],
    masking: &Masking,
) -> Result<(), Refusal> {
    let Some(kind) = request.kind() else {
        return Ok(());
    };
    for operation in patch {
        let (Some("test"), Some(value)) = (
            operation.get("op").and_then(Value::as_str),
            operation.get("value").filter(|value| can_be_masked(value)),
        ) else {
            continue;
        };
        for pointer in pointers(operation)? {
            // A map of labels is plain, but for those that are called like a secret.
            if value.as_object().is_none() && standing(kind, &pointer) == Standing::Plain {
                continue;
            }
            // What is called by a name beside it may be called anything.
            let has_name_beside = pointer.last().is_some_and(|key| key == "value");
            if has_name_beside || mask::masks_at(request, &pointer, value, obligations, masking) {
                return Err(oracle(&pointer));
            }
        }
    }
    Ok(())
}

fn can_be_masked(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(_))
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
    let op = operation.get("op").and_then(Value::as_str);
    if matches!(op, Some("add" | "replace" | "test")) && operation.get("value").is_none() {
        return Err(malformed("no value"));
    }
    match op {
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

/// Whether a value at, above or below this place may be masked for where it is.
pub(super) fn hides(kind: &Kind, pointer: &[String]) -> bool {
    if standing(kind, pointer) == Standing::Masked {
        return true;
    }
    match (kind.group.as_str(), kind.resource.as_str()) {
        ("", "secrets") => meets(pointer, ["metadata", "annotations"].into_iter()),
        (group, resource) => pod_spec(group, resource).is_some_and(|spec| hides_in_pod(spec, pointer)),
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
                r#"{"op":"test","path":"/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration","value":""}"#,
            ),
            (
                "networking.k8s.io",
                "ingresses",
                r#"{"op":"test","path":"/metadata/annotations/nginx.ingress.kubernetes.io~1auth-secret","value":"x"}"#,
            ),
            (
                "apps",
                "deployments",
                r#"{"op":"move","from":"/metadata/annotations/db-password","path":"/metadata/annotations/z"}"#,
            ),
            ("", "events", r#"{"op":"test","path":"/message","value":"x"}"#),
            (
                "",
                "pods",
                r#"{"op":"copy","from":"/status/message","path":"/metadata/labels/z"}"#,
            ),
            // What is masked only if it looks like a secret may not go where nobody looks.
            (
                "",
                "services",
                r#"{"op":"copy","from":"/spec/externalName","path":"/spec/type"}"#,
            ),
            (
                "",
                "pods",
                r#"{"op":"copy","from":"/metadata/labels/db-password","path":"/metadata/labels/b"}"#,
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
            r#"{"op":"add","path":"/metadata/labels/a"}"#,
            r#"{"op":"replace","path":"/metadata/labels/a"}"#,
            r#"{"op":"test","path":"/metadata/labels/a"}"#,
            "7",
        ] {
            assert!(refused("", "pods", operation), "{operation}");
        }
    }
}
