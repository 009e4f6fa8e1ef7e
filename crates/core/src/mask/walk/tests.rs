//! Each place that the table names, and how objects are found: by a detector that finds nothing but canaries.

mod dispatch;
mod fields;

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::detect::{Detector, Detectors, Hits};
use crate::mask::{FieldRule, FieldTreatment, Kinds, MARKER, Masker, Masking, Plan, Report, marker};
use crate::policy::MaskObligation;
use crate::request::{Attributes, Kind, Origin, Verb};

/// Finds `CANARY` and the digits behind it.
#[derive(Debug)]
struct Canaries;

impl Detector for Canaries {
    fn detect(&self, text: &[u8], hits: &mut Hits) {
        for start in memchr::memmem::find_iter(text, b"CANARY") {
            let digits = text[start + 6..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            hits.push(start..start + 6 + digits, "canary");
        }
    }
}

fn masking() -> Masking {
    Masking {
        detectors: Detectors::built_in().and(Arc::new(Canaries)),
        ..Masking::default()
    }
}

fn plan(group: &str, resource: &str, kind: &str, origin: Origin) -> Plan {
    let attributes = Attributes {
        is_resource_request: true,
        verb: Verb::List,
        api_prefix: if group.is_empty() { "api" } else { "apis" },
        api_group: group.into(),
        api_version: "v1".into(),
        namespace: "".into(),
        resource: resource.into(),
        subresource: Default::default(),
        name: "".into(),
        before_resource: 0,
        field_selector: String::new().into(),
        label_selector: String::new().into(),
        path: String::new().into(),
    };
    let kind = Kind {
        group: group.into(),
        resource: resource.into(),
        kind: kind.into(),
        namespaced: true,
        origin,
        columns: Default::default(),
    };
    Plan::new(&attributes, Some(&kind), &[]).masking(masking())
}

/// The plan for a kind of Kubernetes itself. Groups do not matter to what is masked.
fn built_in(kind: &str) -> Plan {
    plan("", &format!("{}s", kind.to_ascii_lowercase()), kind, Origin::BuiltIn)
}

fn custom(kind: &str) -> Plan {
    plan(
        "example.com",
        &format!("{}s", kind.to_ascii_lowercase()),
        kind,
        Origin::Custom,
    )
}

#[track_caller]
fn masked(plan: &Plan, body: &str) -> (String, Report) {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let mut masker = Masker::new(plan, StatusCode::OK, &headers).unwrap();
    let mut out = Vec::new();
    masker.push(body.as_bytes(), &mut out).unwrap();
    let report = masker.finish(&mut out).unwrap();
    (String::from_utf8(out).unwrap(), report)
}

/// What should come out: canaries are replaced, and strings that begin with `WHOLE` or `BASE64` are whole, numbers 7007
/// are 0.
fn expected(body: &str) -> String {
    let mut out = String::new();
    let mut rest = body;
    while let Some((before, after)) = rest.split_once("CANARY") {
        out.push_str(before);
        out.push_str(MARKER);
        rest = after.trim_start_matches(|digit: char| digit.is_ascii_digit());
    }
    out.push_str(rest);
    for (word, text) in [("WHOLE", MARKER), ("BASE64", marker::encoded())] {
        while let Some((before, after)) = out.split_once(word) {
            let end = after.find(['"', '\\']).unwrap();
            out = format!("{before}{text}{}", after.split_at(end).1);
        }
    }
    out.replace("7007", "0")
}

#[track_caller]
fn check(plan: &Plan, body: &str) -> Report {
    let (out, report) = masked(plan, body);
    assert_eq!(out, expected(body), "{body}");
    report
}

#[track_caller]
fn untouched(plan: &Plan, body: &str) {
    let (out, report) = masked(plan, body);
    assert_eq!(out, body);
    assert_eq!(report.masked(), 0);
}
