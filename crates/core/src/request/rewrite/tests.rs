use std::sync::Arc;

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use super::*;
use crate::request::{Catalog, Effect, Gate};

const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/a/deployments/web";

fn request(method: &str, url: &str, content_type: &str, body: &str) -> Canonical {
    let gate = Gate::new(Arc::new(Catalog::kubernetes()));
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
    let head = gate
        .head(gate.target(method, url.as_bytes()).unwrap(), &headers)
        .unwrap();
    head.with_body(body.as_bytes()).unwrap()
}

fn patch(content_type: &str, body: &str) -> Canonical {
    request("PATCH", DEPLOYMENT, &format!("application/{content_type}"), body)
}

fn operation(op: RewriteOp, path: &str, value: &str) -> RewriteOperation {
    let value = (!value.is_empty()).then(|| Value::parse(value.as_bytes()).unwrap());
    RewriteOperation::new(op, path, value).unwrap()
}

fn live(text: &str) -> Live {
    Live::Object(Arc::new(Value::parse(text.as_bytes()).unwrap()))
}

/// The body that is sent after the operations; `None` if it is the one that came.
fn body(request: Canonical, operations: &[RewriteOperation], live: Option<&Live>) -> Option<String> {
    match request.rewritten(operations, live).unwrap() {
        Rewritten::Changed(request) => {
            assert_eq!(request.json().unwrap().to_bytes(), *request.body());
            Some(String::from_utf8(request.body().to_vec()).unwrap())
        }
        Rewritten::Unchanged(_) => None,
    }
}

#[test]
fn malformed_operations_are_no_part_of_a_policy() {
    for (op, path, value, expected) in [
        (RewriteOp::Add, "spec", Some(Value::Null), RewriteError::Pointer),
        (RewriteOp::Add, "/a~2", Some(Value::Null), RewriteError::Pointer),
        (RewriteOp::Add, "", Some(Value::Null), RewriteError::Identity),
        (RewriteOp::Replace, "/kind", Some(Value::Null), RewriteError::Identity),
        (
            RewriteOp::Replace,
            "/metadata",
            Some(Value::Null),
            RewriteError::Identity,
        ),
        (RewriteOp::Remove, "/metadata/namespace", None, RewriteError::Identity),
        (RewriteOp::Remove, "/spec", Some(Value::Null), RewriteError::Value),
        (RewriteOp::Replace, "/spec", None, RewriteError::Value),
    ] {
        assert_eq!(RewriteOperation::new(op, path, value), Err(expected), "{path}");
    }
    assert_eq!(operation(RewriteOp::Remove, "/a~1b/0", "").pointer(), "/a~1b/0");
}

#[test]
fn creates_and_updates_send_another_object() {
    let operations = [
        operation(RewriteOp::Replace, "/spec/replicas", "20"),
        operation(RewriteOp::Add, "/metadata/labels/team", r#""a""#),
        operation(RewriteOp::Remove, "/spec/paused", ""),
        operation(RewriteOp::Add, "/spec/list/-", "2"),
    ];
    let came = r#"{"spec":{"replicas":50,"paused":true,"list":[1]}}"#;
    let expected = r#"{"spec":{"replicas":20,"list":[1,2]},"metadata":{"labels":{"team":"a"}}}"#;
    for (method, url) in [("POST", "/apis/apps/v1/namespaces/a/deployments"), ("PUT", DEPLOYMENT)] {
        let came = request(method, url, "application/json", came);
        assert_eq!(body(came, &operations, None).as_deref(), Some(expected));
    }
    let done = request("PUT", DEPLOYMENT, "application/json", r#"{"spec":{"replicas":20}}"#);
    assert_eq!(body(done, &operations[..1], None), None);
}

#[test]
fn a_json_patch_gets_more_operations_once() {
    let operations = [operation(RewriteOp::Replace, "/spec/replicas", "20")];
    let came = r#"[{"op":"replace","path":"/spec/replicas","value":50}]"#;
    let expected =
        r#"[{"op":"replace","path":"/spec/replicas","value":50},{"op":"replace","path":"/spec/replicas","value":20}]"#;
    assert_eq!(
        body(patch("json-patch+json", came), &operations, None).as_deref(),
        Some(expected)
    );
    assert_eq!(body(patch("json-patch+json", expected), &operations, None), None);
    let live = live(r#"{"spec":{"replicas":1}}"#);
    assert_eq!(
        body(patch("json-patch+json", came), &operations, Some(&live)).as_deref(),
        Some(expected)
    );
    let fits = r#"[{"op":"replace","path":"/spec/replicas","value":20}]"#;
    assert_eq!(body(patch("json-patch+json", fits), &operations, Some(&live)), None);
}

#[test]
fn other_patches_get_the_field() {
    let replicas = [operation(RewriteOp::Replace, "/spec/replicas", "20")];
    let paused = [operation(RewriteOp::Remove, "/spec/paused", "")];
    let live = live(r#"{"spec":{"replicas":50,"paused":true}}"#);
    for content_type in ["merge-patch+json", "strategic-merge-patch+json"] {
        let came = || patch(content_type, r#"{"metadata":{"labels":{"a":"b"}}}"#);
        assert_eq!(
            body(came(), &replicas, Some(&live)).as_deref(),
            Some(r#"{"metadata":{"labels":{"a":"b"}},"spec":{"replicas":20}}"#)
        );
        assert_eq!(
            body(came(), &paused, Some(&live)).as_deref(),
            Some(r#"{"metadata":{"labels":{"a":"b"}},"spec":{"paused":null}}"#)
        );
        let same = patch(content_type, r#"{"spec":{"replicas":20}}"#);
        assert_eq!(body(same, &replicas, Some(&live)), None);
    }
    let applied = request(
        "PATCH",
        &format!("{DEPLOYMENT}?fieldManager=a"),
        "application/apply-patch+yaml",
        r#"{"spec":{"paused":true,"replicas":1}}"#,
    );
    assert_eq!(
        body(applied, &paused, Some(&live)).as_deref(),
        Some(r#"{"spec":{"replicas":1}}"#)
    );
}

#[test]
fn what_can_not_be_told_in_a_patch_is_refused() {
    let operations = [operation(
        RewriteOp::Replace,
        "/spec/template/spec/containers/0/image",
        r#""x""#,
    )];
    let containers = r#"{"spec":{"template":{"spec":{"containers":[{"name":"a","image":"y"}]}}}}"#;
    let refused = patch("strategic-merge-patch+json", containers).rewritten(&operations, None);
    assert_eq!(refused.unwrap_err().status(), 422);
    assert!(body(patch("merge-patch+json", containers), &operations, None).is_some());
    let scalar = patch("merge-patch+json", r#"{"spec":7}"#);
    assert_eq!(scalar.rewritten(&operations, None).unwrap_err().status(), 422);
}

#[test]
fn what_comes_out_passes_the_gate_again() {
    let deep = format!("{}1{}", r#"{"a":"#.repeat(63), "}".repeat(63));
    let operations = [operation(RewriteOp::Add, "/spec/deep", &deep)];
    let came = request("PUT", DEPLOYMENT, "application/json", "{}");
    assert_eq!(came.rewritten(&operations, None).unwrap_err().status(), 400);
    let case = [operation(RewriteOp::Add, "/spec/Replicas", "1")];
    let came = request("PUT", DEPLOYMENT, "application/json", r#"{"spec":{"replicas":1}}"#);
    assert_eq!(came.rewritten(&case, None).unwrap_err().status(), 400);
    let token = [operation(
        RewriteOp::Add,
        "/type",
        r#""kubernetes.io/service-account-token""#,
    )];
    let secret = request("POST", "/api/v1/namespaces/a/secrets", "application/json", "{}");
    let Ok(Rewritten::Changed(secret)) = secret.rewritten(&token, None) else {
        panic!("it changes");
    };
    assert!(secret.effects().contains(Effect::Credential));
}
