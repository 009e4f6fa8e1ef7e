//! Requests, honest and hostile: request lines of any kind, and whole requests that are not far from acceptable ones.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use proptest::sample::select;

/// A whole request.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: &'static str,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// A path segment: words that mean something, names, escapes, and what should never get through.
fn segment() -> impl Strategy<Value = String> {
    let words = select(vec![
        "api",
        "apis",
        "v1",
        "v1beta1",
        "apps",
        "namespaces",
        "pods",
        "secrets",
        "nodes",
        "exec",
        "log",
        "proxy",
        "watch",
        "status",
        "finalize",
        "scale",
        "openapi",
        "v2",
        "v3",
        "version",
        "healthz",
        "metrics.k8s.io",
        "custom.metrics.k8s.io",
        "deployments",
        "team-a",
        "web-0",
        "system:node",
        "https:x:443",
        "a%20b",
        "a%3Ab",
        "%2e%2e",
        "..",
        ".",
        "",
        "%2F",
        "a%2Fb",
        "%25",
        "a%252Fb",
        "x%C3%A9",
        "%ff",
        "a;b",
        "a%3Bb",
        "a+b",
        "a@b",
        "a,b",
        "(a)",
        "A",
        "%70ods",
        "*",
    ]);
    prop_oneof![
        8 => words.prop_map(str::to_owned),
        1 => "[!-~]{0,6}",
        1 => "(%[0-9a-fA-F]{2}|[a-z]){0,4}",
    ]
}

fn path() -> impl Strategy<Value = String> {
    let prefix = select(vec![
        "",
        "/api/v1",
        "/apis/apps/v1",
        "/api/v1/namespaces/team-a",
        "/apis/g.io/v1/namespaces/ns/things",
    ]);
    let rest = proptest::collection::vec(segment(), 0..6);
    let end = select(vec!["", "", "", "/", "//"]);
    (prefix, rest, end).prop_map(|(prefix, rest, end)| {
        let rest: String = rest.iter().map(|segment| format!("/{segment}")).collect();
        format!("{prefix}{rest}{end}")
    })
}

fn pair() -> impl Strategy<Value = String> {
    let keys = select(vec![
        "watch",
        "limit",
        "fieldSelector",
        "labelSelector",
        "resourceVersion",
        "continue",
        "dryRun",
        "force",
        "command",
        "container",
        "stdin",
        "timeoutSeconds",
        "pretty",
        "follow",
        "sendInitialEvents",
        "gracePeriodSeconds",
        "Watch",
        "%77atch",
        "shardSelector",
        "",
    ]);
    let values = select(vec![
        "true",
        "false",
        "1",
        "0",
        "",
        "no",
        "TRUE",
        "All",
        "500",
        "-1",
        "metadata.name%3Dx",
        "metadata.name=x",
        "metadata.name==x",
        "metadata.name!=x",
        "metadata.name=x,metadata.name=y",
        "a=b,metadata.name=x",
        "metadata.name=..%2Fx",
        "metadata.name=",
        "a",
        "x%3Dy",
        "x+in+(a,b)",
        "a;b",
        "%zz",
        "%ff",
        "a%20b",
        "a+b",
        "a%2Bb",
        "%26",
        "é",
    ]);
    let value = prop_oneof![6 => values.prop_map(str::to_owned), 1 => "[!-~]{0,8}"];
    (keys, proptest::option::weighted(0.9, value)).prop_map(|(key, value)| match value {
        Some(value) => format!("{key}={value}"),
        None => key.to_owned(),
    })
}

pub(crate) fn target() -> impl Strategy<Value = String> {
    let query = proptest::collection::vec(prop_oneof![9 => pair(), 1 => Just(String::new())], 0..4);
    (path(), proptest::option::of(query)).prop_map(|(path, query)| match query {
        Some(query) => format!("{path}?{}", query.join("&")),
        None => path,
    })
}

pub(crate) fn method() -> impl Strategy<Value = &'static str> {
    select(vec![
        "GET", "GET", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS",
    ])
}

const WEBSOCKET: [(&str, &str); 5] = [
    ("connection", "Upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("sec-websocket-protocol", "v5.channel.k8s.io, v4.channel.k8s.io"),
];

/// Requests that are accepted, each a kind of its own: method, target, `Content-Type`, body.
const ACCEPTED: &[(&str, &str, &str, &str)] = &[
    ("GET", "/api/v1/namespaces/team-a/pods/web-0?", "", ""),
    (
        "GET",
        "/api/v1/namespaces/team-a/secrets?labelSelector=app+in+(a,b)&limit=5",
        "",
        "",
    ),
    ("GET", "/api/v1/pods?watch=1&fieldSelector=metadata.name%3Dx", "", ""),
    ("HEAD", "/apis/apps/v1/namespaces/team-a/deployments/", "", ""),
    (
        "GET",
        "/api/v1/namespaces/team-a/pods/web-0/log?follow=true&tailLines=5",
        "",
        "",
    ),
    (
        "GET",
        "/api/v1/namespaces/team-a/pods/web-0/exec?command=ls&command=-l&stdout=true",
        "",
        "",
    ),
    ("GET", "/apis", "", ""),
    ("GET", "/openapi/v3/apis/apps/v1?hash=A", "", ""),
    ("GET", "/apis/metrics.k8s.io/v1beta1/namespaces/team-a/pods", "", ""),
    (
        "GET",
        "/api/v1/namespaces/team-a/services/https:web:443/proxy/a//b/",
        "",
        "",
    ),
    (
        "POST",
        "/api/v1/namespaces/team-a/pods?dryRun=All",
        "application/json",
        r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"team-a"},"spec":{}}"#,
    ),
    (
        "POST",
        "/api/v1/namespaces/team-a/configmaps",
        "application/json; charset=UTF-8",
        r#"{"metadata":{"generateName":"c-"},"data":{"a":"\u00e9\ud83d\ude00","B":"x","b":"y"},"n":[1.10,1e3,-0,123456789012345678901234567890]}"#,
    ),
    (
        "POST",
        "/api/v1/namespaces",
        "application/json",
        r#"{"metadata":{"name":"guard-ns"}}"#,
    ),
    (
        "POST",
        "/api/v1/namespaces/team-a/pods/p/eviction",
        "application/json",
        r#"{"metadata":{"name":"p"},"deleteOptions":{"dryRun":["All"]}}"#,
    ),
    (
        "PUT",
        "/apis/apps/v1/namespaces/team-a/deployments/web/scale?fieldManager=a+b",
        "application/json",
        r#"{"kind":"Scale","apiVersion":"autoscaling/v1","spec":{"replicas":3}}"#,
    ),
    (
        "PUT",
        "/api/v1/namespaces/team-a/secrets/s%3As",
        "application/json",
        r#"{"metadata":{"name":"s:s","resourceVersion":"7"},"data":{"k":"dg=="}}"#,
    ),
    (
        "PATCH",
        "/apis/example.com/v1/namespaces/team-a/widgets/w",
        "application/merge-patch+json",
        r#"{"spec":{"a":null,"b":[1]}}"#,
    ),
    (
        "PATCH",
        "/apis/apps/v1/namespaces/team-a/deployments/web",
        "application/json-patch+json",
        r#"[{"op":"replace","path":"/spec/replicas","value":2}]"#,
    ),
    (
        "PATCH",
        "/apis/apps/v1/namespaces/team-a/deployments/web",
        "application/strategic-merge-patch+json",
        r#"{"spec":{"$patch":"replace"}}"#,
    ),
    (
        "PATCH",
        "/apis/apps/v1/namespaces/team-a/deployments/web?force=true&fieldManager=m",
        "application/apply-patch+yaml",
        r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"}}"#,
    ),
    (
        "DELETE",
        "/api/v1/namespaces/team-a/pods/p?gracePeriodSeconds=007&dryRun=All&pretty=x",
        "",
        "",
    ),
    (
        "DELETE",
        "/api/v1/namespaces/team-a/pods?labelSelector=a%3Db&propagationPolicy=Orphan",
        "",
        "",
    ),
    (
        "DELETE",
        "/api/v1/namespaces/team-a/pods/p",
        "application/json",
        r#"{"kind":"DeleteOptions","apiVersion":"v1","preconditions":{"uid":"x"},"dryRun":["All"]}"#,
    ),
];

/// What is put into an acceptable text, or what a piece of it is replaced by.
fn paste() -> impl Strategy<Value = String> {
    let pieces = vec![
        "",
        " ",
        "/",
        "%2F",
        "%41",
        "&",
        "&&",
        "?",
        "=",
        ",",
        "\"",
        "\\u0041",
        "\\ud800",
        "{",
        "}",
        "[1]",
        "null",
        "true",
        "\"a\":1,",
        "\"kind\":\"Secret\",",
        "\"Spec\":{},",
        "&dryRun=All",
        "&force=1",
        "&limit=1",
        "\t",
        "\u{e9}",
        "\0",
    ];
    prop_oneof![3 => select(pieces).prop_map(str::to_owned), 1 => "[ -~]{0,3}"]
}

/// A text with up to two pieces of it replaced.
fn spoilt(text: &'static str) -> impl Strategy<Value = String> {
    let edit = (any::<prop::sample::Index>(), 0_usize..3, paste());
    let edits = prop_oneof![2 => Just(Vec::new()), 1 => proptest::collection::vec(edit, 1..3)];
    edits.prop_map(move |edits| {
        let mut characters: Vec<char> = text.chars().collect();
        for (at, cut, paste) in edits {
            let start = at.index(characters.len() + 1);
            let end = (start + cut).min(characters.len());
            characters.splice(start..end, paste.chars());
        }
        characters.into_iter().collect()
    })
}

fn header() -> impl Strategy<Value = (&'static str, &'static str)> {
    select(vec![
        ("accept", "application/json"),
        ("accept", "*/*"),
        ("accept", "application/yaml, application/vnd.kubernetes.protobuf"),
        (
            "accept",
            "application/json;as=Table;v=v1;g=meta.k8s.io, application/json",
        ),
        ("accept", "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"),
        ("accept", "application/json;stream=watch"),
        ("accept", "text/plain;q=0.5, application/json;q=0"),
        ("accept-encoding", "gzip"),
        ("user-agent", "kubectl/v1.36.0 (linux/amd64) kubernetes/0"),
        ("user-agent", "  a \"b\" \\ c "),
        ("host", "x"),
        ("audit-id", "0"),
        ("x-forwarded-for", "10.0.0.1"),
        ("kubectl-command", "get"),
        ("authorization", "Bearer x"),
        ("connection", "keep-alive"),
        ("content-type", "application/yaml"),
        ("content-length", "5"),
    ])
}

/// A whole request that is acceptable, or not far from it.
pub(crate) fn request() -> impl Strategy<Value = Asked> {
    let headers = proptest::collection::vec(header(), 0..3);
    (select(ACCEPTED), headers).prop_flat_map(|((method, target, content_type, body), mut pairs)| {
        if target.contains("/exec?") {
            pairs.extend(WEBSOCKET);
        }
        if !content_type.is_empty() {
            pairs.push(("content-type", content_type));
        }
        (spoilt(target), spoilt(body)).prop_map(move |(target, body)| Asked {
            method,
            target,
            headers: pairs.iter().map(|(name, value)| line(name, value)).collect(),
            body,
        })
    })
}

fn line(name: &str, value: &str) -> (HeaderName, HeaderValue) {
    let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
    (name, HeaderValue::from_bytes(value.as_bytes()).unwrap())
}
