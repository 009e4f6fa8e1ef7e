//! What the tests of masking share.

mod blocks;
mod errors;
mod places;
mod policy;
mod repeats;
mod secrets;
mod streams;
mod types;

use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::{MARKER, MaskErrorKind, Masker, Plan, Report, marker};
use crate::policy::MaskObligation;
use crate::request::{Attributes, Kind, Origin, Verb};

/// What came of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    /// It was handed out to its end.
    Whole(String, Report),
    /// It was given up, after this was handed out.
    Aborted(String, MaskErrorKind),
}

impl Outcome {
    #[track_caller]
    fn body(&self) -> &str {
        match self {
            Self::Whole(body, _) => body,
            Self::Aborted(body, error) => panic!("aborted: {error} after {body}"),
        }
    }

    #[track_caller]
    fn masked(&self) -> u64 {
        match self {
            Self::Whole(_, report) => report.masked(),
            Self::Aborted(..) => panic!("aborted"),
        }
    }
}

fn attributes(verb: Verb, group: &str, resource: &str, namespace: &str, name: &str) -> Attributes {
    Attributes {
        is_resource_request: true,
        verb,
        api_prefix: if group.is_empty() { "api" } else { "apis" },
        api_group: group.into(),
        api_version: "v1".into(),
        namespace: namespace.into(),
        resource: resource.into(),
        subresource: Default::default(),
        name: name.into(),
        before_resource: 0,
        field_selector: Default::default(),
        label_selector: Default::default(),
        path: Default::default(),
    }
}

fn kind(group: &str, resource: &str, kind: &str, origin: Origin) -> Kind {
    Kind {
        group: group.into(),
        resource: resource.into(),
        kind: kind.into(),
        namespaced: kind != "Namespace" && kind != "Node",
        origin,
        columns: Default::default(),
    }
}

/// A plan for a resource of the core group, in all namespaces.
fn plan(verb: Verb, resource: &str, kind_name: &str) -> Plan {
    obliged(verb, resource, kind_name, &[])
}

fn obliged(verb: Verb, resource: &str, kind_name: &str, obligations: &[MaskObligation]) -> Plan {
    let kind = kind("", resource, kind_name, Origin::BuiltIn);
    let obligations: Vec<_> = obligations.iter().cloned().map(std::sync::Arc::new).collect();
    Plan::new(&attributes(verb, "", resource, "", ""), Some(&kind), &obligations)
}

fn path(path: &str) -> Plan {
    let mut attributes = attributes(Verb::Get, "", "", "", "");
    attributes.is_resource_request = false;
    attributes.path = path.into();
    Plan::new(&attributes, None, &[])
}

fn secrets(verb: Verb) -> Plan {
    plan(verb, "secrets", "Secret")
}

fn pods(verb: Verb) -> Plan {
    plan(verb, "pods", "Pod")
}

fn typed(content_type: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap());
    headers
}

fn feed<'a>(mut masker: Masker, chunks: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut out = Vec::new();
    let run = || {
        for chunk in chunks {
            let before = out.len();
            let result = masker.push(chunk, &mut out);
            assert_eq!(masker.has_emitted(), !out.is_empty(), "{before}");
            result?;
        }
        masker.finish(&mut out)
    };
    match run() {
        Ok(report) => Outcome::Whole(String::from_utf8(out).unwrap(), report),
        Err(error) => {
            assert_eq!(masker.push(b" ", &mut Vec::new()), Err(error), "an error stays");
            Outcome::Aborted(String::from_utf8(out).unwrap(), error.kind())
        }
    }
}

/// Masks JSON of a success in these chunks.
fn fed(plan: &Plan, chunks: &[&[u8]]) -> Outcome {
    let masker = Masker::new(plan, StatusCode::OK, &typed("application/json")).unwrap();
    feed(masker, chunks.iter().copied())
}

/// Masks an answer whole, cut at every place, and byte by byte: it has to come out the same.
#[track_caller]
fn answer(plan: &Plan, status: u16, content_type: &str, body: &str) -> Outcome {
    let masker = || Masker::new(plan, StatusCode::from_u16(status).unwrap(), &typed(content_type)).unwrap();
    let body = body.as_bytes();
    let whole = feed(masker(), [body]);
    assert_eq!(feed(masker(), body.chunks(1)), whole, "byte by byte");
    for at in 0..body.len() {
        let (first, second) = body.split_at(at);
        assert_eq!(feed(masker(), [first, second]), whole, "cut at {at}");
    }
    whole
}

/// Like [`answer`], for JSON of a success.
#[track_caller]
fn json(plan: &Plan, body: &str) -> Outcome {
    answer(plan, 200, "application/json", body)
}

/// The answer comes out as it went in.
#[track_caller]
fn untouched(plan: &Plan, body: &str) {
    let outcome = json(plan, body);
    assert_eq!(outcome.body(), body);
    assert_eq!(outcome.masked(), 0);
}

/// The answer is given up, with this handed out before.
#[track_caller]
fn aborts(plan: &Plan, body: &str, expected: MaskErrorKind) -> String {
    match json(plan, body) {
        Outcome::Aborted(out, kind) => {
            assert_eq!(kind, expected, "{body}");
            out
        }
        Outcome::Whole(out, _) => panic!("{body} came out as {out}"),
    }
}

/// `T` stands for the marker, `B` for its base64, in what is expected.
fn with_markers(text: &str) -> String {
    text.replace("<T>", MARKER).replace("<B>", marker::encoded())
}
