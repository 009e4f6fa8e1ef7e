//! The front gate against the decision cases: what a policy may let through is not refused before it gets there, and
//! what only the gate can see is.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod vectors;

use std::sync::Arc;

use countersign_core::Refusal;
use countersign_core::request::{Canonical, Catalog, Effect, Gate};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

fn gate() -> Gate {
    let catalog = Catalog::kubernetes()
        .with_custom("example.com", "widgets", "Widget", true)
        .with_custom("example.com", "clusterwidgets", "ClusterWidget", false)
        .with_custom("argoproj.io", "applications", "Application", true);
    Gate::new(Arc::new(catalog))
        .with_guard_namespace("agent-guard")
        .with_guard_identity("system:serviceaccount:agent-guard:guard")
}

fn ask(gate: &Gate, case: &Value) -> Result<Canonical, Refusal> {
    let mut headers = HeaderMap::new();
    for header in case["headers"].as_array().unwrap() {
        let name = header[0].as_str().unwrap();
        // A pseudo header never becomes a header.
        if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
            headers.append(name, HeaderValue::from_str(header[1].as_str().unwrap()).unwrap());
        }
    }
    let target = gate.target(
        case["method"].as_str().unwrap(),
        case["url"].as_str().unwrap().as_bytes(),
    )?;
    let body = case["body"].as_str().unwrap_or_default();
    gate.head(target, &headers)?.with_body(body.as_bytes())
}

#[test]
fn nothing_that_may_be_forwarded_or_approved_is_refused() {
    let gate = gate();
    for case in vectors::cases("threats.json") {
        if case["expect"] == "deny" {
            continue;
        }
        if let Err(refusal) = ask(&gate, &case) {
            panic!("{} {}: {}", case["id"], case["title"], refusal.message());
        }
    }
}

/// Denied cases that the gate lets through without a mark, because another part has to say no: the policy (scopes,
/// status, reviews of others) or whoever reads bodies for meaning. The list only shrinks.
const LEFT_TO_OTHERS: [&str; 15] = [
    "T-130", "T-182", "T-183", "T-190", "T-192", "T-235", "T-236", "T-237", "T-238", "T-303", "T-319", "T-321",
    "T-333", "T-345", "T-363",
];

#[test]
fn what_is_denied_is_refused_or_marked() {
    let gate = gate();
    let marks = [Effect::Connect, Effect::Credential, Effect::Escalation, Effect::Guard];
    let mut left = Vec::new();
    for case in vectors::cases("threats.json") {
        if case["expect"] != "deny" {
            continue;
        }
        match ask(&gate, &case) {
            Err(refusal) => assert!(refusal.status().is_client_error(), "{}", case["id"]),
            Ok(request) if marks.into_iter().any(|mark| request.effects().contains(mark)) => {}
            Ok(_) => left.push(case["id"].as_str().unwrap().to_owned()),
        }
    }
    assert_eq!(left, LEFT_TO_OTHERS);
}
