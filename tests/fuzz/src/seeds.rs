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
        "mask" => answers(),
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

/// Answers of every form, with the requests that they answer.
fn answers() -> Vec<(String, String)> {
    let applied = serde_json::json!({
        "kind": "Secret", "metadata": { "name": "a" }, "stringData": { "p": "hunter2 \"quoted\" \u{e9}\n" },
    });
    let annotations = serde_json::json!({
        "kubectl.kubernetes.io/last-applied-configuration": format!("{applied}\n"), "note": "hunter2 again", "n": "{\"pin\":1234}",
    });
    let managed = r#"[{"manager":"m","fieldsV1":{"f:data":{"k:{\"a\":\"b\"}":{}}}}]"#;
    let secret = format!(
        r#"{{"kind":"Secret","metadata":{{"name":"a","managedFields":{managed},"annotations":{annotations}}},"data":{{"p":"aHVudGVyMg=="}} , "type":"Opaque"}}"#
    );
    let pod = format!(
        r#"{{"metadata":{{"name":"p","namespace":"x","annotations":{annotations}}},"spec":{{"containers":[{{"name":"c","args":["--password=hunter2hunter2","-v"],"env":[{{"name":"DB_PASSWORD","value":"hunter2hunter2"}},{{"name":"N","value":"1"}}]}}]}},"status":{{"x":[1,-2.50e3,true,null,{{}},[]],"containerStatuses":[{{"state":{{"terminated":{{"message":"token=abcdefghijklmnop"}}}}}}]}}}}"#
    );
    let event = format!("{{\"type\":\"ADDED\",\"object\":{secret}}}\n");
    let config = r#"{"kind":"ConfigMap","data":{"password":"hunter2hunter2","app.yaml":"a: b\npassword: hunter2hunter2\n"},"binaryData":{"x":"AAEC"}}"#;
    let row = |object: &str| format!(r#"{{"cells":["a",1,"\\\""],"object":{object}}}"#);
    let table = format!(
        r#"{{"kind":"Table","columnDefinitions":[{{"name":"Name"}},{{"name":"Age"}}],"rows":[{},{}]}}"#,
        row(r#"{"metadata":{"namespace":"agent-guard"}}"#),
        row(&secret)
    );
    let status = r#"{"kind":"Status","status":"Failure","message":"Secret \"a\" is invalid: data: Invalid value: \"hunter2\"","reason":"Invalid","details":{"causes":[{"message":"x"}]},"code":422}"#;
    let cases = [
        ("secret", "/api/v1/namespaces/x/secrets/a", "200", secret.clone()),
        ("secret-as-pod", "/api/v1/namespaces/x/pods/a", "200", secret.clone()),
        (
            "secrets",
            "/api/v1/secrets",
            "200",
            format!(
                r#"{{"kind":"SecretList","metadata":{{"continue":"x"}},"items":[{secret} , {{"data":{{"a":"b"}}}},3,"x\u0022]"]}}"#
            ),
        ),
        (
            "kind-late",
            "/api/v1/secrets",
            "200",
            format!(r#"{{"items":[{secret}],"kind":"SecretList"}}"#),
        ),
        (
            "hidden",
            "/api/v1/pods",
            "200",
            format!(
                r#"{{"apiVersion":"v1","items":[{{"metadata":{{"namespace":"agent-guard"}}}},{pod}],"kind":"PodList"}}"#
            ),
        ),
        (
            "pods",
            "/api/v1/pods",
            "200",
            format!(r#"{{"kind":"PodList","items":[{pod},{pod}]}}"#),
        ),
        ("pod", "/api/v1/namespaces/x/pods/p", "200", pod.clone()),
        ("events", "/api/v1/secrets?watch=true", "200", event.repeat(2)),
        (
            "cut-event",
            "/api/v1/secrets?watch=true",
            "200",
            format!("{event}{}", &event[..40]),
        ),
        (
            "other-events",
            "/api/v1/pods?watch=true",
            "200",
            format!("{{\"type\":\"BOOKMARK\",\"object\":{pod}}}\n{{\"type\":\"ERROR\",\"object\":{status}}}\n"),
        ),
        ("table", "/api/v1/secrets", "200", table),
        ("config", "/api/v1/namespaces/x/configmaps/c", "200", config.to_owned()),
        (
            "configs",
            "/api/v1/configmaps",
            "200",
            format!(r#"{{"kind":"ConfigMapList","items":[{config}]}}"#),
        ),
        (
            "custom",
            "/apis/example.com/v1/namespaces/x/widgets/w",
            "200",
            format!(
                r#"{{"kind":"Widget","spec":{{"token":"hunter2hunter2","template":{{"data":{{"a":"b"}}}},"inner":{secret},"list":[{pod}]}}}}"#
            ),
        ),
        (
            "mixed",
            "/api/v1/pods",
            "200",
            format!(r#"{{"kind":"List","items":[{secret},{config},{pod}]}}"#),
        ),
        ("failure", "/api/v1/namespaces/x/secrets/a", "422", status.to_owned()),
        (
            "failure-of-pods",
            "/api/v1/namespaces/x/pods/a",
            "404",
            status.to_owned(),
        ),
        (
            "discovery",
            "/apis",
            "200",
            r#"{"kind":"APIGroupList","groups":[{"name":"apps","versions":[{"version":"v1"}]}]}"#.to_owned(),
        ),
        (
            "twice",
            "/api/v1/secrets",
            "200",
            r#"{"kind":"Secret","data":{"a":"x","a":"y"}}"#.to_owned(),
        ),
        (
            "space",
            "/api/v1/secrets",
            "200",
            format!(" \r\n\t{{ \"items\" : [ {secret} ,\n{secret} ] }} \n"),
        ),
    ];
    let message = |(name, url, status, body): (&str, &str, &str, String)| {
        let headers = [("content-type", "application/json"), ("status", status)];
        (name.to_owned(), Message::write("GET", url, &headers, &body, None))
    };
    let log = Message::write(
        "GET",
        "/api/v1/namespaces/x/pods/p/log",
        &[("content-type", "text/plain")],
        "a\npassword=hunter2hunter2\n",
        None,
    );
    cases
        .into_iter()
        .map(message)
        .chain([("log".to_owned(), log)])
        .collect()
}

fn live(url: &str) -> &'static str {
    let found = LIVE.iter().find(|(resource, _)| url.contains(resource));
    found.map_or(r#"{"metadata":{}}"#, |(_, object)| object)
}

fn text<'c>(case: &'c Value, field: &str) -> &'c str {
    case[field].as_str().expect("a field of every case")
}
