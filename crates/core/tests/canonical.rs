//! Properties of the front gate on generated request lines, honest and hostile.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test"
)]

mod upstream;

use countersign_core::request::Target;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

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

fn target() -> impl Strategy<Value = String> {
    let query = proptest::collection::vec(prop_oneof![9 => pair(), 1 => Just(String::new())], 0..4);
    (path(), proptest::option::of(query)).prop_map(|(path, query)| match query {
        Some(query) => format!("{path}?{}", query.join("&")),
        None => path,
    })
}

fn method() -> impl Strategy<Value = &'static str> {
    select(vec![
        "GET", "GET", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS",
    ])
}

/// Attributes without the decoded path, which alone may lose its trailing slash.
fn without_path(mut attributes: Value) -> Value {
    attributes.as_object_mut().unwrap().remove("path");
    attributes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn what_is_accepted_means_the_same_to_upstream(method in method(), target in target()) {
        let Ok(parsed) = Target::parse(method, target.as_bytes()) else {
            return Ok(());
        };
        let ours = serde_json::to_value(parsed.attributes()).unwrap();
        let (received, failed) = upstream::request_info(method, &target).unwrap();
        prop_assert!(!failed);
        prop_assert_eq!(&ours, &received.to_json());
        // What counts in the end is what is sent.
        let (sent, failed) = upstream::request_info(method, parsed.path_and_query()).unwrap();
        prop_assert!(!failed);
        prop_assert_eq!(without_path(ours), without_path(sent.to_json()));
    }

    #[test]
    fn canonicalising_twice_is_the_identity(method in method(), target in target()) {
        let Ok(once) = Target::parse(method, target.as_bytes()) else {
            return Ok(());
        };
        let canonical = once.path_and_query().to_owned();
        let twice = Target::parse(method, canonical.as_bytes());
        let twice = twice.map_err(|refusal| TestCaseError::fail(format!("{canonical}: {}", refusal.message())))?;
        prop_assert!(!twice.is_canonicalized());
        prop_assert_eq!(twice.path_and_query(), canonical);
        let attributes = |target: &Target| without_path(serde_json::to_value(target.attributes()).unwrap());
        prop_assert_eq!(attributes(&twice), attributes(&once));
    }

    #[test]
    fn any_bytes_are_parsed_or_refused(method in ".{0,8}", target in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Err(refusal) = Target::parse(&method, &target) {
            prop_assert!(refusal.status().is_client_error());
        }
    }
}

/// Strategies that only produce refusals would prove nothing.
#[test]
fn enough_of_what_is_generated_is_accepted() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let accepted = (0..2000)
        .filter(|_| {
            let method = method().new_tree(&mut runner).unwrap().current();
            let target = target().new_tree(&mut runner).unwrap().current();
            Target::parse(method, target.as_bytes()).is_ok()
        })
        .count();
    assert!(accepted > 60, "{accepted} of 2000");
}
