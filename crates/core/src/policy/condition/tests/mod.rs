mod bounds;
mod language;
mod libraries;
mod load;
mod reading;

use std::sync::Arc;

use http::HeaderMap;
use jiff::Timestamp;

use super::*;
use crate::json;
use crate::request::{Canonical, Catalog, Gate, Live};
use crate::subject::Subject;

/// A request as the gate makes it.
fn request(method: &str, target: &str, body: &str) -> Canonical {
    request_of_type(method, target, "application/json", body)
}

fn request_of_type(method: &str, target: &str, content_type: &str, body: &str) -> Canonical {
    let gate = Gate::new(Arc::new(Catalog::kubernetes()));
    let mut headers = HeaderMap::new();
    if !body.is_empty() {
        headers.insert("content-type", content_type.parse().unwrap());
    }
    if target.contains("/exec") || target.contains("/attach") {
        for (name, value) in [
            ("connection", "Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("sec-websocket-protocol", "v5.channel.k8s.io"),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
    }
    let target = gate.target(method, target.as_bytes()).unwrap();
    gate.head(target, &headers).unwrap().with_body(body.as_bytes()).unwrap()
}

fn pod() -> Canonical {
    let body = r#"{
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "web", "namespace": "team-a", "labels": {"app": "web", "tier": "1"}},
        "spec": {"priority": 10, "ratio": 1.5, "big": 12345678901234567890, "containers": [
            {"name": "a", "image": "registry.internal/a:1", "ports": [{"containerPort": 80}]},
            {"name": "b", "image": "b", "ports": []}
        ], "nothing": null}
    }"#;
    request("POST", "/api/v1/namespaces/team-a/pods", body)
}

fn now() -> Timestamp {
    "2026-01-31T12:00:00Z".parse().unwrap()
}

/// What an expression gives on a create of [`pod`].
fn evaluate(text: &str) -> Result<bool, EvaluationError> {
    let condition = match Condition::compile(text) {
        Ok(condition) => condition,
        Err(error) => panic!("{text}: {error:?}"),
    };
    let (subject, request) = (Subject::new("agent-7").with_group("agents"), pod());
    let inputs = Inputs::new(&subject, &request, None, None, request.json(), now());
    condition.holds(&mut Evaluation::new(&inputs))
}

#[track_caller]
fn holds(texts: &[&str]) {
    for text in texts {
        assert_eq!(evaluate(text), Ok(true), "{text}");
    }
}

#[track_caller]
fn fails(texts: &[&str]) {
    for text in texts {
        let answer = evaluate(text);
        assert!(
            matches!(answer, Err(ref error) if *error != EvaluationError::Exhausted),
            "{text}: {answer:?}"
        );
    }
}

/// The error at load, as `offset: message`.
fn refused(text: &str) -> String {
    let error = Condition::compile(text)
        .err()
        .unwrap_or_else(|| panic!("accepted: {text}"));
    let suggestion = error.suggestion.map(|word| format!(" ({word}?)")).unwrap_or_default();
    format!("{}: {}{suggestion}", error.offset, error.message)
}
