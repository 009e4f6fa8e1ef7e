//! The front gate by tables: what a request does, and what is refused with which status.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test"
)]

use std::sync::Arc;

use countersign_core::Refusal;
use countersign_core::request::{Canonical, Catalog, Gate};
use http::header::{HeaderMap, HeaderName, HeaderValue};

fn catalog() -> Catalog {
    Catalog::kubernetes()
        .with_custom("example.com", "widgets", "Widget", true)
        .with_custom("kyverno.io", "policies", "Policy", true)
        .with_custom("oauth.openshift.io", "oauthaccesstokens", "OAuthAccessToken", false)
        .with_aggregated("subresources.kubevirt.io")
        .with_selectable_field("example.com", "widgets", "spec.color")
}

fn gate() -> Gate {
    Gate::new(Arc::new(catalog()))
        .with_guard_namespace("guard-ns")
        .with_guard_identity("system:serviceaccount:robots:guard")
}

const WEBSOCKET: [(&str, &str); 5] = [
    ("connection", "Upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("sec-websocket-protocol", "v5.channel.k8s.io, v4.channel.k8s.io"),
];

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
    }
    headers
}

fn ask(method: &str, url: &str, pairs: &[(&str, &str)], body: &str) -> Result<Canonical, Refusal> {
    let gate = gate();
    let target = gate.target(method, url.as_bytes())?;
    gate.head(target, &headers(pairs))?.with_body(body.as_bytes())
}

/// A change with an empty JSON object, or a patch, as body.
fn change(method: &str, url: &str) -> Result<Canonical, Refusal> {
    let content_type = if method == "PATCH" {
        "application/merge-patch+json"
    } else {
        "application/json"
    };
    let body = if ["GET", "HEAD", "DELETE"].contains(&method) {
        ""
    } else {
        "{}"
    };
    ask(method, url, &[("content-type", content_type)], body)
}

fn status<T>(result: Result<T, Refusal>) -> u16 {
    result.err().map_or(200, |refusal| refusal.status().as_u16())
}

#[test]
fn what_requests_do() {
    let mut wrong = Vec::new();
    for line in include_str!("effects.txt")
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
    {
        let (request, expected) = line.split_once("=>").expect(line);
        let mut words = request.split_whitespace();
        let (method, url, upgrade) = (words.next().unwrap(), words.next().unwrap(), words.next());
        let answer = match upgrade {
            Some(_) => ask(method, url, &WEBSOCKET, ""),
            None => change(method, url),
        };
        let found = match answer {
            Ok(request) => request.effects().to_string(),
            Err(refusal) => refusal.status().as_u16().to_string(),
        };
        if found != expected.trim() {
            wrong.push(format!("{line} but {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn hostile_headers_are_refused_and_others_dropped() {
    let pods = "/api/v1/namespaces/team-a/pods";
    for hostile in [
        ("Authorization", "Bearer x"),
        ("Proxy-Authorization", "x"),
        ("Cookie", "a=b"),
        ("Impersonate-User", "a"),
        ("impersonate-extra-scopes%2fadmin", "x"),
        ("Impersonate-Uid", "0"),
        ("X-Remote-User", "a"),
        ("X-Remote-Extra-Foo", "a"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("X-Method-Override", "DELETE"),
        ("X-HTTP-Method", "DELETE"),
        ("Content-Encoding", "gzip"),
        ("Connection", "keep-alive, Authorization"),
        ("Connection", "xupgradex"),
        ("Connection", "upgrade"),
        ("Upgrade", "h2c"),
        ("Sec-WebSocket-Protocol", "base64url.bearer.authorization.k8s.io.eHg"),
        ("X-Whatever", "é"),
        ("X-Whatever", "a\tb"),
    ] {
        assert_eq!(status(ask("GET", pods, &[hostile], "")), 403, "{hostile:?}");
    }
    for twice in [
        "content-type",
        "content-length",
        "host",
        "upgrade",
        "sec-websocket-key",
        "sec-websocket-extensions",
    ] {
        assert_eq!(
            status(ask("GET", pods, &[(twice, "1"), (twice, "1")], "")),
            403,
            "{twice}"
        );
    }
    let both = [("content-length", "0"), ("transfer-encoding", "chunked")];
    assert_eq!(status(ask("GET", pods, &both, "")), 403);

    let dropped = [
        ("x-forwarded-for", "10.0.0.1"),
        ("x-forwarded-for", "10.0.0.2"),
        ("audit-id", "0"),
        ("kubectl-command", "get"),
        ("te", "trailers"),
        ("connection", "Keep-Alive, close"),
        ("user-agent", "kubectl/v1.36.0"),
        ("accept-encoding", "gzip"),
        ("host", "x"),
    ];
    let request = ask("GET", pods, &dropped, "").unwrap();
    let mut names = request.dropped_headers().to_vec();
    names.sort();
    assert_eq!(names, ["audit-id", "kubectl-command", "te", "x-forwarded-for"]);
    assert_eq!(request.user_agent(), Some("kubectl/v1.36.0"));
    assert_eq!(request.accept(), "application/json");
}

#[test]
fn headers_have_limits() {
    let names: Vec<String> = (0..65).map(|index| format!("x-{index}")).collect();
    let pairs: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    assert_eq!(status(ask("GET", "/version", &pairs[..64], "")), 200);
    assert_eq!(status(ask("GET", "/version", &pairs, "")), 400);
    let long = "x".repeat(33 * 1024);
    assert_eq!(status(ask("GET", "/version", &[("x-a", &long)], "")), 400);
}

#[test]
fn deployments_can_name_more_hostile_headers() {
    let gate = gate().add_refused_header(HeaderName::from_static("x-proxy-user"));
    let target = gate.target("GET", b"/version").unwrap();
    assert_eq!(status(gate.head(target, &headers(&[("x-proxy-user", "a")]))), 403);
}

#[test]
fn upgrades_are_websockets_to_pods() {
    let exec = "/api/v1/namespaces/team-a/pods/web-0/exec?command=ls&command=-l&command=a%20b&stdout=true";
    let request = ask("GET", exec, &WEBSOCKET, "").unwrap();
    assert_eq!(request.exec_command(), ["ls", "-l", "a b"]);
    assert!(request.query_flag("stdout") && !request.query_flag("tty"));
    let upgrade = request.upgrade().unwrap();
    assert_eq!(upgrade.protocols, ["v5.channel.k8s.io", "v4.channel.k8s.io"]);
    assert_eq!(upgrade.key, "dGhlIHNhbXBsZSBub25jZQ==");

    let with = |name: &'static str, value: &'static str| {
        let mut pairs = WEBSOCKET.to_vec();
        pairs.retain(|(key, _)| *key != name);
        pairs.push((name, value));
        pairs
    };
    for (name, value, expected) in [
        ("connection", "keep-alive, Upgrade", 200),
        ("connection", "close, Upgrade", 403),
        ("connection", "keep-alive", 403),
        ("connection", "Upgrade, HTTP2-Settings", 403),
        ("upgrade", "SPDY/3.1", 403),
        ("upgrade", "websocket, h2c", 403),
        ("sec-websocket-version", "8", 400),
        ("sec-websocket-key", "short", 400),
        ("sec-websocket-protocol", "", 400),
        ("sec-websocket-protocol", "base64.channel.k8s.io, channel.k8s.io", 400),
        ("sec-websocket-protocol", "SPDY/3.1+portforward.k8s.io", 400),
        ("sec-websocket-protocol", "x, v4.channel.k8s.io", 200),
        (
            "sec-websocket-protocol",
            "v5.channel.k8s.io, Base64url.bearer.authorization.k8s.io.eHg",
            403,
        ),
    ] {
        assert_eq!(
            status(ask("GET", exec, &with(name, value), "")),
            expected,
            "{name}: {value}"
        );
    }
    let mut lines = with("sec-websocket-protocol", "other");
    lines.push(("sec-websocket-protocol", "v4.channel.k8s.io"));
    assert_eq!(
        ask("GET", exec, &lines, "").unwrap().upgrade().unwrap().protocols,
        ["v4.channel.k8s.io"]
    );
    let forward = "/api/v1/namespaces/team-a/pods/web-0/portforward?ports=80,443";
    assert_eq!(
        ask("GET", forward, &WEBSOCKET, "")
            .unwrap()
            .upgrade()
            .unwrap()
            .protocols,
        ["v4.channel.k8s.io"]
    );
    assert_eq!(status(ask("POST", exec, &WEBSOCKET, "")), 403);
    assert_eq!(status(ask("POST", exec, &[], "")), 405);
    assert_eq!(status(ask("GET", exec, &[], "")), 400);
    let nothing = "/api/v1/namespaces/team-a/pods/web-0/exec?stdout=true";
    assert_eq!(status(ask("GET", nothing, &WEBSOCKET, "")), 400);
}

#[test]
fn one_prefix_is_taken_off_at_a_segment_boundary() {
    let gate = gate().with_path_prefix("k8s/clusters/c-1/");
    let target = |url: &str| {
        gate.target("GET", url.as_bytes())
            .map(|target| target.path_and_query().to_owned())
    };
    assert_eq!(
        target("/k8s/clusters/c-1/api/v1/pods?limit=1").unwrap(),
        "/api/v1/pods?limit=1"
    );
    for outside in [
        "/api/v1/pods",
        "/k8s/clusters/c-10/api/v1/pods",
        "/k8s/clusters/c-1",
        "/k8s/clusters/c-1?x",
        "",
    ] {
        assert_eq!(status(target(outside)), 404, "{outside}");
    }
    assert_eq!(status(target("/k8s/clusters/c-1/k8s/clusters/c-1/api")), 400);
    assert_eq!(status(target("/k8s/clusters/c-1/../c-2/api")), 400);
}

#[test]
fn an_answer_that_is_no_json_can_be_refused() {
    let yaml = headers(&[("accept", "application/yaml")]);
    let target = || gate().target("GET", b"/api/v1/pods").unwrap();
    assert_eq!(status(gate().head(target(), &yaml)), 200);
    assert_eq!(status(gate().with_not_acceptable().head(target(), &yaml)), 406);
}

#[test]
fn bodies() {
    const JSON: &str = "application/json";
    const MERGE: &str = "application/merge-patch+json";
    const PODS: &str = "/api/v1/namespaces/team-a/pods";
    const WEB: &str = "/apis/apps/v1/namespaces/team-a/deployments/web";
    const WIDGET: &str = "/apis/example.com/v1/namespaces/team-a/widgets/w";
    const EVICT: &str = "/api/v1/namespaces/team-a/pods/p/eviction";
    let deep = format!("{{\"spec\":{}{}}}", "[".repeat(70), "]".repeat(70));
    let large = format!("{{\"spec\":\"{}\"}}", "x".repeat(3 << 20));
    let rows: &[(&str, &str, &str, &str, u16)] = &[
        ("GET", PODS, JSON, "{}", 400),
        ("HEAD", PODS, "", " ", 400),
        ("GET", PODS, JSON, "", 200),
        ("POST", PODS, JSON, "", 400),
        ("POST", PODS, "", "{}", 415),
        ("POST", PODS, "application/yaml", "a: b", 415),
        (
            "POST",
            PODS,
            JSON,
            r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"team-a"}}"#,
            200,
        ),
        ("POST", PODS, JSON, r#"{"metadata":{"name":"p","namespace":""}}"#, 200),
        ("POST", PODS, JSON, r#"{"metadata":{"generateName":"p-"}}"#, 200),
        ("POST", PODS, JSON, r#"{"kind":"Secret"}"#, 400),
        ("POST", PODS, JSON, r#"{"kind":null}"#, 400),
        ("POST", PODS, JSON, r#"{"apiVersion":"apps/v1"}"#, 400),
        ("POST", PODS, JSON, r#"{"metadata":{"namespace":"team-b"}}"#, 400),
        ("POST", PODS, JSON, r#"{"metadata":[]}"#, 400),
        ("POST", PODS, JSON, r#"{"metadata":{"name":1}}"#, 400),
        ("POST", PODS, JSON, r#"{"a":1,"a":2}"#, 400),
        ("POST", PODS, JSON, r#"{"Spec":{}}"#, 400),
        ("POST", PODS, JSON, r#"[]"#, 400),
        ("POST", PODS, JSON, "k8s\0{}", 400),
        ("POST", PODS, JSON, &deep, 400),
        ("POST", PODS, JSON, &large, 413),
        (
            "POST",
            "/api/v1/namespaces",
            JSON,
            r#"{"metadata":{"namespace":"x"}}"#,
            400,
        ),
        (
            "PUT",
            WEB,
            JSON,
            r#"{"kind":"Deployment","metadata":{"name":"web","generateName":"w"}}"#,
            200,
        ),
        ("PUT", WEB, JSON, r#"{"metadata":{"name":"other"}}"#, 400),
        (
            "PUT",
            "/apis/apps/v1/namespaces/team-a/deployments/web/scale",
            JSON,
            r#"{"kind":"Scale","apiVersion":"autoscaling/v1"}"#,
            200,
        ),
        (
            "PUT",
            "/apis/apps/v1/namespaces/team-a/deployments/web/scale",
            JSON,
            r#"{"kind":"Deployment"}"#,
            400,
        ),
        ("PATCH", WEB, MERGE, r#"{"metadata":{"generateName":"w"}}"#, 400),
        ("PATCH", WEB, MERGE, r#"{"metadata":{"name":null}}"#, 400),
        ("PATCH", WEB, MERGE, r#"[]"#, 400),
        ("PATCH", WEB, JSON, r#"{}"#, 415),
        ("PATCH", WEB, "application/json-patch+json", r#"[]"#, 200),
        ("PATCH", WEB, "application/json-patch+json", r#"{}"#, 400),
        ("PATCH", WEB, "application/apply-patch+yaml", "a: b", 415),
        (
            "PATCH",
            WEB,
            "application/apply-patch+yaml",
            r#"{"kind":"Deployment"}"#,
            200,
        ),
        ("PATCH", WEB, "application/strategic-merge-patch+json", r#"{}"#, 200),
        ("PATCH", WIDGET, "application/strategic-merge-patch+json", r#"{}"#, 415),
        (
            "PATCH",
            "/apis/apps/v1/namespaces/team-a/deployments/web?force=true",
            MERGE,
            r#"{}"#,
            400,
        ),
        (
            "PATCH",
            "/apis/apps/v1/namespaces/team-a/deployments/web?force=true",
            "application/apply-patch+yaml",
            r#"{}"#,
            200,
        ),
        ("DELETE", WEB, "", "", 200),
        ("DELETE", WEB, "application/yaml", "", 200),
        ("DELETE", WEB, "", "{}", 415),
        ("DELETE", WEB, JSON, "{}", 200),
        ("DELETE", WEB, JSON, "[]", 400),
        (
            "DELETE",
            WEB,
            JSON,
            r#"{"kind":"DeleteOptions","apiVersion":"apps/v1","gracePeriodSeconds":0,"propagationPolicy":"Orphan"}"#,
            200,
        ),
        (
            "DELETE",
            WEB,
            JSON,
            r#"{"ignoreStoreReadErrorWithClusterBreakingPotential":true}"#,
            400,
        ),
        ("DELETE", WEB, JSON, r#"{"dryRun":["All","All"]}"#, 400),
        ("DELETE", WEB, JSON, r#"{"dryRun":"All"}"#, 400),
        ("DELETE", WEB, JSON, r#"{"preconditions":{"uid":"x","name":"y"}}"#, 400),
        (
            "DELETE",
            "/apis/apps/v1/namespaces/team-a/deployments/web?dryRun=All",
            JSON,
            "{}",
            400,
        ),
        (
            "DELETE",
            "/apis/apps/v1/namespaces/team-a/deployments/web?pretty=true",
            JSON,
            "{}",
            200,
        ),
        (
            "POST",
            EVICT,
            JSON,
            r#"{"kind":"Eviction","apiVersion":"policy/v1","metadata":{"name":"p"}}"#,
            200,
        ),
        (
            "POST",
            EVICT,
            JSON,
            r#"{"kind":"Eviction","apiVersion":"policy/v1beta1","deleteOptions":{"apiVersion":"policy/v1beta1"}}"#,
            200,
        ),
        ("POST", EVICT, JSON, r#"{"apiVersion":"policy/v1beta2"}"#, 400),
        ("POST", EVICT, JSON, r#"{"apiVersion":"v1"}"#, 400),
        ("POST", EVICT, JSON, r#"{"metadata":{"name":"q"}}"#, 400),
        (
            "POST",
            EVICT,
            JSON,
            r#"{"deleteOptions":{"ignoreStoreReadErrorWithClusterBreakingPotential":true}}"#,
            400,
        ),
    ];
    for (method, url, content_type, body, expected) in rows {
        let types = [("content-type", *content_type)];
        let pairs = if content_type.is_empty() {
            &types[..0]
        } else {
            &types[..]
        };
        let shown: String = body.chars().take(80).collect();
        assert_eq!(
            status(ask(method, url, pairs, body)),
            *expected,
            "{method} {url} {content_type} {shown}"
        );
    }
}

#[test]
fn options_of_a_deletion_move_into_the_body() {
    let url = "/api/v1/namespaces/team-a/pods/p?pretty=true&dryRun=All&gracePeriodSeconds=007&propagationPolicy=Orphan";
    let request = ask("DELETE", url, &[], "").unwrap();
    assert_eq!(request.target(), "/api/v1/namespaces/team-a/pods/p?pretty=true");
    let options = r#"{"kind":"DeleteOptions","apiVersion":"v1","dryRun":["All"],"gracePeriodSeconds":7,"propagationPolicy":"Orphan"}"#;
    assert_eq!(request.body(), options);
    assert_eq!(request.content_type(), Some("application/json"));
    assert!(request.is_dry_run());
    assert_eq!(request.effects().to_string(), "write");

    let plain = ask("DELETE", "/api/v1/namespaces/team-a/pods/p", &[], "").unwrap();
    assert_eq!(plain.body(), r#"{"kind":"DeleteOptions","apiVersion":"v1"}"#);
    assert!(!plain.is_dry_run());
}

#[test]
fn dry_runs_are_seen_where_the_server_reads_them() {
    let json = [("content-type", "application/json")];
    let pods = "/api/v1/namespaces/team-a/pods";
    assert!(
        ask("POST", &format!("{pods}?dryRun=All"), &json, "{}")
            .unwrap()
            .is_dry_run()
    );
    assert!(!ask("POST", pods, &json, r#"{"dryRun":["All"]}"#).unwrap().is_dry_run());
    assert!(
        ask("DELETE", pods, &json, r#"{"dryRun":["All"]}"#)
            .unwrap()
            .is_dry_run()
    );
    assert!(!ask("DELETE", pods, &json, r#"{"dryRun":[]}"#).unwrap().is_dry_run());
    let evict = format!("{pods}/p/eviction");
    assert!(
        ask("POST", &evict, &json, r#"{"deleteOptions":{"dryRun":["All"]}}"#)
            .unwrap()
            .is_dry_run()
    );
    assert!(
        !ask("POST", &evict, &json, r#"{"dryRun":["All"]}"#)
            .unwrap()
            .is_dry_run()
    );
}

#[test]
fn names_come_from_the_url_or_the_body() {
    let json = [("content-type", "application/json")];
    let pods = "/api/v1/namespaces/team-a/pods";
    let created = ask("POST", pods, &json, r#"{"metadata":{"name":"p"}}"#).unwrap();
    assert_eq!(
        (created.object_name(), created.generated_name_prefix()),
        (Some("p"), None)
    );
    let generated = ask("POST", pods, &json, r#"{"metadata":{"generateName":"p-"}}"#).unwrap();
    assert_eq!(
        (generated.object_name(), generated.generated_name_prefix()),
        (None, Some("p-"))
    );
    let namespace = ask(
        "POST",
        "/api/v1/namespaces",
        &json,
        r#"{"metadata":{"name":"guard-ns"}}"#,
    )
    .unwrap();
    assert!(namespace.effects().to_string().contains("self"));
}

#[test]
fn subresources_that_a_resource_does_not_have_are_refused() {
    let gate = gate();
    let is_refused = |path: &str| {
        let head = gate
            .target("GET", path.as_bytes())
            .and_then(|target| gate.head(target, &HeaderMap::new()));
        head.and_then(|head| head.with_body(b"")).is_err()
    };
    for path in [
        "/api/v1/namespaces/team-a/pods/p/scale",
        "/api/v1/namespaces/team-a/secrets/s/status",
        "/apis/apps/v1/namespaces/team-a/daemonsets/d/scale",
    ] {
        assert!(is_refused(path), "{path}");
    }
    for path in [
        "/api/v1/namespaces/team-a/pods/p/status",
        "/api/v1/namespaces/team-a/replicationcontrollers/r/scale",
        "/apis/apps/v1/namespaces/team-a/statefulsets/s/scale",
    ] {
        assert!(!is_refused(path), "{path}");
    }
}
