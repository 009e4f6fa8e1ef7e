//! What a JSON Patch says of the object's type and name, by tables. The bodies of other changes are in `gate.rs`.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;

use countersign_core::request::{Catalog, Gate};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

fn patched(url: &str, patch: &str) -> u16 {
    let gate = Gate::new(Arc::new(Catalog::kubernetes()));
    let json_patch = HeaderValue::from_static("application/json-patch+json");
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, json_patch)]);
    let head = gate
        .head(gate.target("PATCH", url.as_bytes()).unwrap(), &headers)
        .unwrap();
    let answer = head.with_body(patch.as_bytes());
    answer.err().map_or(200, |refusal| refusal.status().as_u16())
}

/// What a JSON Patch writes is held to the URL like the bodies of the other patches.
#[test]
fn a_json_patch_agrees_with_the_url() {
    const WEB: &str = "/apis/apps/v1/namespaces/team-a/deployments/web";
    const SCALE: &str = "/apis/apps/v1/namespaces/team-a/deployments/web/scale";
    const STATUS: &str = "/apis/apps/v1/namespaces/team-a/deployments/web/status";
    const ROLE: &str = "/apis/rbac.authorization.k8s.io/v1/clusterroles/view";
    let write = |path: &str, value: &str| {
        let operation = |op: &str| format!(r#"[{{"op":"{op}","path":"{path}","value":{value}}}]"#);
        [operation("add"), operation("replace")]
    };
    for (url, path, value, expected) in [
        (WEB, "/metadata/name", r#""web""#, 200),
        (WEB, "/metadata/name", r#""other""#, 400),
        (WEB, "/metadata/name", r#""""#, 400),
        (WEB, "/metadata/name", "null", 400),
        (WEB, "/metadata/name", "7", 400),
        (WEB, "/metadata/name/0", r#""web""#, 400),
        (WEB, "/metadata/namespace", r#""team-a""#, 200),
        (WEB, "/metadata/namespace", r#""team-b""#, 400),
        (WEB, "/metadata/generateName", r#""w-""#, 400),
        (WEB, "/metadata/generateName", r#""""#, 200),
        (WEB, "/kind", r#""Deployment""#, 200),
        (WEB, "/kind", r#""Secret""#, 400),
        (WEB, "/kind/x", r#""Deployment""#, 400),
        (WEB, "/apiVersion", r#""apps/v1""#, 200),
        (WEB, "/apiVersion", r#""v1""#, 400),
        (WEB, "/metadata", r#"{"name":"web","labels":{}}"#, 200),
        (WEB, "/metadata", r#"{"name":"other"}"#, 400),
        (WEB, "/metadata", r#"{"generateName":"w-"}"#, 400),
        (WEB, "/metadata", "null", 400),
        (WEB, "", r#"{"kind":"Deployment","metadata":{"name":"web"}}"#, 200),
        (WEB, "", r#"{"kind":"Secret","metadata":{"name":"web"}}"#, 400),
        (WEB, "", r#"{"metadata":{"name":"other"}}"#, 400),
        (WEB, "", r#"{"Kind":"Secret"}"#, 400),
        (WEB, "", "7", 400),
        (WEB, "/Metadata/name", r#""other""#, 400),
        (WEB, "/Kind", r#""Secret""#, 400),
        // Other places, whatever they are called.
        (WEB, "/metadata/labels/name", r#""other""#, 200),
        (WEB, "/metadata/name~1x", r#""other""#, 200),
        (WEB, "/metadata~1name", r#""other""#, 200),
        (WEB, "/spec/template/metadata/name", r#""other""#, 200),
        (WEB, "/spec/kind", r#""Secret""#, 200),
        (SCALE, "/kind", r#""Scale""#, 200),
        (SCALE, "/kind", r#""Deployment""#, 400),
        (SCALE, "/apiVersion", r#""autoscaling/v1""#, 200),
        (STATUS, "/kind", r#""Deployment""#, 200),
        (ROLE, "/metadata/namespace", r#""team-a""#, 400),
    ] {
        for patch in write(path, value) {
            assert_eq!(patched(url, &patch), expected, "{url} {patch}");
        }
    }
    for (operation, expected) in [
        (r#"{"op":"test","path":"/metadata/name","value":"other"}"#, 200),
        (r#"{"op":"remove","path":""}"#, 400),
        (r#"{"op":"remove","path":"/kind"}"#, 400),
        (r#"{"op":"remove","path":"/metadata"}"#, 400),
        (r#"{"op":"remove","path":"/metadata/name"}"#, 400),
        (r#"{"op":"remove","path":"/metadata/namespace"}"#, 400),
        (r#"{"op":"remove","path":"/metadata/labels/name"}"#, 200),
        (
            r#"{"op":"copy","from":"/metadata/name","path":"/metadata/labels/a"}"#,
            200,
        ),
        (
            r#"{"op":"copy","from":"/metadata/labels/a","path":"/metadata/name"}"#,
            400,
        ),
        (r#"{"op":"copy","from":"/metadata/labels/a","path":"/kind"}"#, 400),
        (
            r#"{"op":"move","from":"/metadata/labels/a","path":"/metadata/name"}"#,
            400,
        ),
        (
            r#"{"op":"move","from":"/metadata/name","path":"/metadata/labels/a"}"#,
            400,
        ),
        (r#"{"op":"move","from":"/apiVersion","path":"/metadata/labels/a"}"#, 400),
        (
            r#"{"op":"move","from":"/metadata/labels/a","path":"/metadata/labels/b"}"#,
            200,
        ),
        // Nor by the way of another place, nor after an operation that agrees.
        (
            r#"{"op":"add","path":"/x","value":{"name":"other"}},{"op":"move","from":"/x","path":"/metadata"}"#,
            403,
        ),
        (
            r#"{"op":"add","path":"/x","value":{"kind":"Secret"}},{"op":"copy","from":"/x","path":""}"#,
            403,
        ),
        (
            r#"{"op":"replace","path":"/metadata/name","value":"web"},{"op":"replace","path":"/kind","value":"Secret"}"#,
            400,
        ),
    ] {
        assert_eq!(patched(WEB, &format!("[{operation}]")), expected, "{operation}");
    }
}
