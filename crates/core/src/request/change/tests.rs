//! What changes do, as tables: request, live object, findings.

mod body;
mod hostile;
mod live;
mod manager;
mod properties;

use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};

use super::{Change, Concern, Finding, Weight};
use crate::json::Value;
use crate::request::{Canonical, Catalog, Gate, Live};

const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/a/deployments/web";
const CONFIG_MAP: &str = "/api/v1/namespaces/a/configmaps/app";
const SECRET: &str = "/api/v1/namespaces/a/secrets/db";
const WIDGET: &str = "/apis/example.com/v1/namespaces/a/widgets/w";
const SERVICE: &str = "/api/v1/namespaces/a/services/web";

fn request(method: &str, url: &str, content_type: &'static str, body: &str) -> Canonical {
    let catalog = Catalog::kubernetes().with_custom("example.com", "widgets", "Widget", true);
    let gate = Gate::new(Arc::new(catalog));
    let target = gate.target(method, url.as_bytes()).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    let head = gate.head(target, &headers).unwrap();
    head.with_body(body.as_bytes())
        .unwrap_or_else(|refusal| panic!("{body}: {refusal:?}"))
}

fn json_patch(url: &str, body: &str) -> Canonical {
    request("PATCH", url, "application/json-patch+json", body)
}

fn merge(url: &str, body: &str) -> Canonical {
    request("PATCH", url, "application/merge-patch+json", body)
}

fn strategic(url: &str, body: &str) -> Canonical {
    request("PATCH", url, "application/strategic-merge-patch+json", body)
}

fn put(url: &str, body: &str) -> Canonical {
    request("PUT", url, "application/json", body)
}

fn apply(url: &str, body: &str) -> Canonical {
    request("PATCH", url, "application/apply-patch+yaml", body)
}

fn value(text: &str) -> Value {
    Value::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn object(text: &str) -> Live {
    Live::Object(Arc::new(value(text)))
}

/// The findings, a line for each; `?` is for assumed ones.
fn lines(change: &Change) -> Vec<String> {
    let line = |finding: &Finding| {
        let value = finding
            .value
            .as_ref()
            .map(|value| format!("={value}"))
            .unwrap_or_default();
        let mark = if finding.assumed { "?" } else { "" };
        format!("{}{mark} {}{value}", finding.concern, finding.path)
    };
    // What a change gives has tests of its own.
    let takes =
        |finding: &&Finding| finding.concern.weight() == Weight::Destructive || finding.concern == Concern::TooLarge;
    change.findings().iter().filter(takes).map(line).collect()
}

/// Asserts what a request does without a look at the live object, and that it does the same if there can be none.
#[track_caller]
fn alone(request: &Canonical, expected: &[&str]) {
    let change = Change::of(request, None);
    assert_eq!(lines(&change), expected, "{:?}", request.json());
    let known: Vec<String> = expected
        .iter()
        .filter(|line| !(request.content_type() == Some("application/apply-patch+yaml") && **line == "removes-field? "))
        .map(|line| line.replacen("? ", " ", 1))
        .collect();
    assert_eq!(
        lines(&Change::of(request, Some(&Live::Unreadable))),
        known,
        "unreadable"
    );
}

#[track_caller]
fn with(request: &Canonical, live: &str, expected: &[&str]) {
    let change = Change::of(request, Some(&object(live)));
    assert_eq!(lines(&change), expected, "{:?}", request.json());
    assert!(change.findings().iter().all(|finding| !finding.assumed));
}
