//! Errors, which quote what they reject.

use super::*;

#[track_caller]
fn failed(plan: &Plan, body: &str) -> String {
    answer(plan, 422, "application/json", body).body().to_owned()
}

const LEAK: &str = r#"{"kind":"Status","apiVersion":"v1","metadata":{"continue":"c","x":"leak"},"status":"Failure","message":"Secret in version \"v1\" cannot be handled: leak","reason":"Invalid","details":{"name":"db","kind":"secrets","uid":"u","leak":1,"causes":[{"reason":"FieldValueInvalid","message":"Invalid value: \"leak\"","field":"data[leak].x"},{"reason":"leak"},"leak"],"retryAfterSeconds":3},"code":422,"leak":{}}"#;

#[test]
fn errors_about_secrets_are_rebuilt() {
    let expected = r#"{"kind":"Status","apiVersion":"v1","metadata":{"continue":"c"},"status":"Failure","message":"secrets \"db\": Invalid (the server's text is withheld: it may quote masked values)","reason":"Invalid","details":{"name":"db","kind":"secrets","uid":"u","retryAfterSeconds":3,"causes":[{"reason":"FieldValueInvalid","message":"withheld: it may quote masked values","field":"data[].x"},{"reason":"Unknown"}]},"code":422}"#;
    let custom = kind("example.com", "widgets", "Widget", Origin::Custom);
    let widgets = attributes(Verb::Patch, "example.com", "widgets", "a", "w");
    for plan in [
        secrets(Verb::Patch),
        pods(Verb::Patch),
        path("/x"),
        Plan::new(&widgets, Some(&custom), &[]),
        Plan::new(&widgets, None, &[]),
    ] {
        assert_eq!(failed(&plan, LEAK), expected);
        // Events of a watch and answers that call themselves a success carry Status objects, too.
        assert_eq!(json(&plan, LEAK).body(), expected);
        assert_eq!(answer(&plan, 422, "application/json", LEAK).masked(), 2);
    }
    // By the URL alone, or by the group in the details.
    let other = LEAK.replace("\"kind\":\"secrets\"", "\"kind\":\"pods\"");
    assert!(!failed(&secrets(Verb::Patch), &other).contains("leak"));
    assert!(!failed(&Plan::new(&widgets, Some(&custom), &[]), &other).contains("leak"));
    let group = LEAK.replace("\"kind\":\"secrets\"", "\"kind\":\"x\",\"group\":\"example.com\"");
    assert!(!failed(&plan(Verb::Get, "nodes", "Node"), &group).contains("leak"));
    // Rebuilt already: nothing to do.
    untouched(&secrets(Verb::Patch), expected);
}

#[test]
fn what_is_said_anyway_stays_readable() {
    let body = r#"{"kind":"Status","status":"Failure","message":"x","reason":"NotFound","details":{"name":"db","kind":"secrets"},"code":404}"#;
    assert!(failed(&secrets(Verb::Get), body).contains(r#""message":"secrets \"db\" not found""#));
    let fine = body.replace("\"x\"", r#""secrets \"db\" not found""#);
    assert_eq!(failed(&secrets(Verb::Get), &fine), fine);
    untouched(
        &secrets(Verb::Delete),
        r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success","details":{"name":"db","kind":"secrets","uid":"u"}}"#,
    );
}

fn status(message: &str) -> String {
    let mut text = String::from(r#"{"kind":"Status","status":"Failure","message":"#);
    crate::json::write_string(message, &mut text);
    text.push_str(r#","details":{"causes":[{"message":"#);
    crate::json::write_string(message, &mut text);
    text.push_str("}]},\"code\":422}");
    text
}

#[test]
fn other_errors_lose_quotations() {
    let nodes = plan(Verb::Patch, "nodes", "Node");
    let long = "x".repeat(65);
    let short = "spec: Invalid value: \"x\": must be y";
    assert_eq!(failed(&nodes, &status(short)), status(short));
    assert_eq!(
        failed(&nodes, &status(&format!("spec: Invalid value: \"{long}\": must be y"))),
        status(&with_markers("spec: Invalid value: \"<T>\": must be y"))
    );
    let text = "é".repeat(600);
    let masker = Masker::new(&nodes, StatusCode::UNPROCESSABLE_ENTITY, &typed("application/json")).unwrap();
    let cut = feed(masker, [status(&text).as_bytes()]);
    assert_eq!(cut.body(), status(&"é".repeat(512)));
    // Kinds with masked fields lose them all, and diffs.
    assert_eq!(
        failed(
            &pods(Verb::Patch),
            &status("spec: Invalid value: \"x\": no\n  core.PodSpec{ leak")
        ),
        status(&with_markers("spec: Invalid value: \"<T>\": no (the rest is withheld)"))
    );
    assert!(
        !failed(
            &nodes,
            &status("x\nleak").replace("\"details\":{", "\"details\":{\"kind\":\"pods\",")
        )
        .contains("leak")
    );
    // Where the policy masks something, errors are about secrets.
    let obligation = MaskObligation {
        rule: "r".into(),
        paths: vec!["spec.x".parse().unwrap()],
        names: vec![],
        namespaces: vec![],
    };
    assert!(!failed(&obliged(Verb::Patch, "nodes", "Node", &[obligation]), &status("leak")).contains("leak"));
}

#[test]
fn the_patched_object_in_an_error_goes() {
    // As kube-apiserver 1.36.3 answers a merge patch with a number where a text belongs, and one of a pod's containers.
    let patched = r#" "" is invalid: patch: Invalid value: "{\"apiVersion\":\"v1\",\"data\":{\"a\":\"leak\",\"x\":5}}": json: cannot unmarshal number into Go struct field ConfigMap.data of type string"#;
    let diff = "Pod \"web-0\" is invalid: [spec.hostname: Invalid value: \"leak\": a label, spec: Forbidden: may not change \
                `spec.x`]\n@@ -3,21 +3,17 @@\n- \"Command\": \"leak\"";
    let selector = r#"spec.selector: Invalid value: {"matchLabels":{"a":"leak","b: c":"]}leak"}}: field is immutable]"#;
    for kind_name in ["ConfigMap", "Pod", "Deployment"] {
        for text in [patched, diff, selector] {
            let clean = failed(&plan(Verb::Patch, "x", kind_name), &status(text));
            assert!(!clean.contains("leak"), "{clean}");
        }
    }
    let clean = failed(&plan(Verb::Patch, "configmaps", "ConfigMap"), &status(patched));
    assert!(
        clean.contains("countersign.masked.value\\\": json: cannot unmarshal number"),
        "{clean}"
    );
    assert!(!failed(&secrets(Verb::Patch), &status(patched)).contains("leak"));
}

#[test]
fn errors_that_are_no_status_become_one() {
    for (content_type, body) in [
        ("text/plain; charset=utf-8", "404 page not found\n"),
        ("text/html", "<html>leak"),
        ("application/octet-stream", "leak"),
        ("application/vnd.kubernetes.protobuf", "k8s\0leak"),
        ("application/json", "{\"error\":\"leak\"}"),
        ("application/json", "[\"leak\"]"),
        (
            "application/json",
            "{\"kind\":\"Status\",\"kind\":\"Status\",\"message\":\"leak\"}",
        ),
        ("application/json", "{\"kind\":\"Status\""),
        ("application/json", "leak"),
    ] {
        let outcome = answer(&pods(Verb::Get), 404, content_type, body);
        let status = crate::json::Value::parse(outcome.body().as_bytes()).unwrap();
        assert_eq!(status.get("kind").unwrap().as_str(), Some("Status"));
        assert_eq!(status.get("code"), Some(&crate::json::Value::Number("404".into())));
        assert_eq!(status.get("reason").unwrap().as_str(), Some("NotFound"));
        assert!(
            !outcome.body().contains("leak") && !outcome.body().contains("page"),
            "{body}"
        );
    }
    let masker = Masker::new(&pods(Verb::Get), StatusCode::BAD_GATEWAY, &typed("text/html")).unwrap();
    assert_eq!(masker.content_type(), Some("application/json"));
    // An empty body stays empty, as in answers to HEAD.
    for content_type in ["application/json", "text/plain"] {
        assert_eq!(answer(&pods(Verb::Get), 404, content_type, "").body(), "");
    }
}

#[test]
fn huge_errors_are_replaced() {
    let masker = Masker::new(
        &pods(Verb::Get),
        StatusCode::INTERNAL_SERVER_ERROR,
        &typed("application/json"),
    )
    .unwrap();
    let megabyte = vec![b' '; 1 << 20];
    let outcome = feed(masker, std::iter::repeat_n(megabyte.as_slice(), 20));
    assert!(outcome.body().contains("\"code\":500"));
}
