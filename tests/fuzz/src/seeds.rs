//! Inputs made from the vectors and the policies of the tests. What they reach that the seeds do not is kept by
//! `tests/fuzz/run seeds`.

use serde_json::Value;

use crate::change;
use crate::message::Message;
use crate::vectors::cases;

const POLICIES: [(&str, &str); 2] = [
    ("agent", include_str!("../../policies/agent.yaml")),
    ("promises", include_str!("../../policies/promises.yaml")),
];

/// Live objects by resource; others get one without anything in it.
const LIVE: [(&str, &str); 4] = [
    (
        "/deployments/",
        r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","uid":"1","resourceVersion":"1","labels":{"app":"web"},"finalizers":["a/b"]},"spec":{"replicas":3,"template":{"spec":{"containers":[{"name":"app","image":"registry.internal/app:1","env":[{"name":"A","value":"b"}]}]}}}}"#,
    ),
    (
        "/secrets/",
        r#"{"apiVersion":"v1","kind":"Secret","type":"Opaque","metadata":{"name":"db","annotations":{"a":"b"}},"data":{"password":"Y291bnRlcnNpZ24ubWFza2VkLnZhbHVl"}}"#,
    ),
    (
        "/configmaps/",
        r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"k":"v"}}"#,
    ),
    (
        "/pods/",
        r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web-0","ownerReferences":[{"uid":"1","kind":"ReplicaSet","name":"web"}]},"spec":{"containers":[{"name":"app","image":"a"}],"tolerations":[]}}"#,
    ),
];

/// Inputs for a target, with names.
///
/// # Panics
/// If there are no vectors, or there is no such target.
#[must_use]
pub fn from_vectors(target: &str) -> Vec<(String, String)> {
    match target {
        "gate" => classification().chain(decisions(None)).collect(),
        // What the gate refuses changes nothing.
        "change" => decisions(None)
            .chain(decisions(Some(live)))
            .filter(|(_, text)| change::is_accepted(text.as_bytes()))
            .collect(),
        "policy" => POLICIES.map(|(name, text)| (name.to_owned(), text.to_owned())).into(),
        other => panic!("there is no fuzz target {other}"),
    }
}

/// Request lines, each with the smallest body that its method can have.
fn classification() -> impl Iterator<Item = (String, String)> {
    cases("requestinfo.json").into_iter().map(|case| {
        let (method, url) = (text(&case, "method"), text(&case, "url"));
        let content_type = match method {
            "PATCH" => "application/merge-patch+json",
            _ => "application/json",
        };
        let (headers, body) = match method {
            "POST" | "PUT" | "PATCH" => (&[("content-type", content_type)][..], "{}"),
            _ => (&[][..], ""),
        };
        let message = Message::write(method, url, headers, body, None);
        (text(&case, "id").to_owned(), message)
    })
}

/// Whole requests, maybe with a live object.
fn decisions(live: Option<fn(&str) -> &'static str>) -> impl Iterator<Item = (String, String)> {
    cases("threats.json").into_iter().map(move |case| {
        let lines = case["headers"].as_array().map(Vec::as_slice).unwrap_or_default();
        let lines = lines
            .iter()
            .filter_map(|line| Some((line[0].as_str()?, line[1].as_str()?)));
        let (url, body) = (text(&case, "url"), case["body"].as_str().unwrap_or_default());
        let headers: Vec<_> = lines.collect();
        let rest = live.map(|live| live(url));
        let name = format!("{}{}", text(&case, "id"), if rest.is_some() { "-live" } else { "" });
        (name, Message::write(text(&case, "method"), url, &headers, body, rest))
    })
}

fn live(url: &str) -> &'static str {
    let found = LIVE.iter().find(|(resource, _)| url.contains(resource));
    found.map_or(r#"{"metadata":{}}"#, |(_, object)| object)
}

fn text<'c>(case: &'c Value, field: &str) -> &'c str {
    case[field].as_str().expect("a field of every case")
}
