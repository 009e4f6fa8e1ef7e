//! Which object is masked as what.

use super::*;

#[test]
fn both_maskers_where_url_and_body_disagree() {
    let body = r#"{"kind":"ConfigMap","data":{"a":"BASE64","b":"BASE64x"},"x":"CANARY1"}"#;
    check(&built_in("Secret"), body);
    let revision = r#"{"kind":"ControllerRevision","data":{"a":"WHOLE"}}"#;
    check(&built_in("ConfigMap"), revision);
    // The catalog may not know the resource: its name is enough.
    let unknown = Attributes {
        is_resource_request: true,
        verb: Verb::Get,
        api_prefix: "apis",
        api_group: "example.com".into(),
        api_version: "v1".into(),
        namespace: "".into(),
        resource: "controllerrevisions".into(),
        subresource: Default::default(),
        name: "".into(),
        before_resource: 0,
        field_selector: String::new().into(),
        label_selector: String::new().into(),
        path: String::new().into(),
    };
    check(
        &Plan::new(&unknown, None, &[]).masking(masking()),
        r#"{"data":{"a":"WHOLE"}}"#,
    );
}

#[test]
fn objects_wherever_they_are() {
    let secret = r#"{"apiVersion":"v1","data":{"a":"BASE64"},"kind":"Secret"}"#;
    let revision = r#"{"data":{"a":"WHOLE"},"\u006bind":"ControllerRevision"}"#;
    for body in [
        format!(r#"{{"kind":"List","items":[{secret},{revision},{{"kind":"Widget","x":"CANARY1"}}]}}"#),
        format!(r#"{{"kind":"Widget","spec":{{"a":[[{secret}]],"b":{revision}}}}}"#),
        format!(r#"{{"kind":"Widget","metadata":{{"x":{secret},"y":"CANARY1"}}}}"#),
        format!(r#"{{"type":"ADDED","object":{secret}}}"#),
        format!(r#"{{"kind":"Table","columnDefinitions":[],"rows":[{{"cells":["CANARY1",1],"object":{revision}}}]}}"#),
        r#"{"kind":"Widget","list":{"kind":"SecretList","items":[{"data":{"a":"BASE64"}}]}}"#.to_owned(),
    ] {
        check(&custom("Widget"), &body);
        check(&built_in("Node"), &body);
    }
}

#[test]
fn tables() {
    let body = r#"{"kind":"Table","columnDefinitions":[{"name":"Name"},{"name":"Info"}],"rows":[{"cells":["CANARY0","x CANARY1",7],"object":{"kind":"PartialObjectMetadata","metadata":{"name":"n","annotations":{"a":"CANARY2"}}}}]}"#;
    let body = body.replace("CANARY0", "name");
    check(&built_in("Pod"), &body);
    check(&custom("Widget"), &body);
    let event = format!(r#"{{"type":"MODIFIED","object":{body}}}"#);
    check(&built_in("Pod"), &event);
    // Not one by one, and with its columns behind its rows.
    let late = r#"{"x":{},"kind":"Table","rows":[{"cells":["n","CANARY1"]}],"columnDefinitions":[{"name":"Name"},{"name":"Info"}]}"#;
    check(&built_in("Pod"), late);
}

#[test]
fn events_of_a_watch() {
    check(
        &built_in("Secret"),
        r#"{"type":"BOOKMARK","object":{"kind":"Secret","metadata":{"resourceVersion":"5"}}}
{"type":"ADDED","object":{"data":{"a":"BASE64"}}}
{"type":"ERROR","object":{"kind":"Status","status":"Failure","reason":"Expired","code":410}}
"#,
    );
    let (out, _) = masked(
        &built_in("Node"),
        r#"{"type":"ERROR","object":{"kind":"Status","message":"said CANARY1","reason":"Expired","code":410}}"#,
    );
    assert!(out.contains("\"message\":\"said countersign.masked.value\"") && !out.contains("CANARY"));
}

#[test]
fn statuses() {
    let status = |message: &str| {
        format!(
            r#"{{"kind":"Status","message":"{message}","reason":"Invalid","details":{{"name":"n","causes":[{{"message":"{message}","field":"spec"}}]}},"code":422}}"#
        )
    };
    // A detector's hit counts as its own.
    let report = check(&built_in("Node"), &status("spec: CANARY1 is wrong"));
    assert_eq!(report.rules().collect::<Vec<_>>(), [("canary", 2)]);
    // What is cut was looked at before: half a secret would stay.
    let long = format!("{}CANARY12345678", "x".repeat(1016));
    let (out, _) = masked(&built_in("Node"), &status(&long));
    assert!(!out.contains("CANARY"), "{out}");
    // About kinds whose values are secret nothing of the text stays.
    let (out, _) = masked(&custom("Widget"), &status("spec: other"));
    assert!(!out.contains("other"));
}

fn in_annotation(kind: &str, key: &str, inner: &str) -> String {
    let mut text = format!(r#"{{"kind":"{kind}","metadata":{{"annotations":{{"{key}":"#);
    crate::json::write_string(inner, &mut text);
    text.push_str(r#","other":"stays"}}}"#);
    text
}

#[test]
fn json_in_annotations() {
    const LAST: &str = "kubectl.kubernetes.io/last-applied-configuration";
    for key in [LAST, "example.com/state"] {
        for (kind, inner) in [
            (
                "Pod",
                r#"{"kind":"Pod", "spec":{"containers":[{"env":[{"name":"A","value":"CANARY1"}],"image":"i"}]}}"#,
            ),
            (
                "ConfigMap",
                "{\"kind\":\"ConfigMap\",\"data\":{\"a\":\"CANARY1 \\\"x\\\"\"}}\n",
            ),
            // Either kind is enough: the one outside, the one inside.
            ("Secret", r#"{"kind":"Widget","data":{"a":"BASE64"}}"#),
            ("Widget", r#"{"data":{"a":"WHOLE"},"kind":"ControllerRevision"}"#),
            (
                "Widget",
                r#"[{"kind":"Secret","stringData":{"a":"WHOLE"}},"CANARY1",1]"#,
            ),
        ] {
            check(&custom("Widget"), &in_annotation(kind, key, inner));
        }
        // What does not change is not written anew.
        untouched(
            &custom("Widget"),
            &in_annotation("Widget", key, "{ \"a\":\"\\u003c\\/\" }\n"),
        );
    }
    // In any string, too.
    let body = r#"{"spec":{"manifest":"{\"kind\":\"Secret\",\"data\":{\"a\":\"BASE64\"}}","note":"[x] CANARY1"}}"#;
    check(&custom("Widget"), body);
    let twice = in_annotation(
        "Widget",
        "x",
        &in_annotation("Pod", LAST, r#"{"kind":"Secret","data":{"a":"eA=="}}"#),
    );
    let (out, _) = masked(&built_in("Pod"), &twice);
    assert!(out.contains(marker::encoded()) && !out.contains("eA=="));
}

#[test]
fn a_secrets_own_values() {
    let body = |label: &str, note: &str, json: &str| {
        format!(
            r#"{{"kind":"Secret","metadata":{{"name":"hunter22","labels":{{"a":"{label}"}},"annotations":{{"note":"{note}","json":"{{\"x\":[\"{json}\",1],\"command\":[\"{json}\"]}}","n":"CANARY1"}}}},"data":{{"p":"aHVudGVyMjI="}}}}"#
        )
    };
    let (out, report) = masked(&built_in("Secret"), &body("hunter22", "is hunter22!", "aHVudGVyMjI="));
    assert_eq!(
        out,
        expected(&body(MARKER, &format!("is {MARKER}!"), MARKER)).replace("aHVudGVyMjI=", marker::encoded())
    );
    assert_eq!(
        report.rules().collect::<Vec<_>>(),
        [("canary", 1), ("secret-data", 1), ("secret-metadata", 4)]
    );
}

#[test]
fn obligations_reach_into_what_is_embedded() {
    let obligation = MaskObligation {
        rule: "hide".into(),
        paths: vec!["spec.a.*.data".parse().unwrap(), "spec.b".parse().unwrap()],
        names: vec![],
        namespaces: vec![],
    };
    let attributes = Attributes {
        is_resource_request: true,
        verb: Verb::Get,
        api_prefix: "apis",
        api_group: "example.com".into(),
        api_version: "v1".into(),
        namespace: "".into(),
        resource: "widgets".into(),
        subresource: Default::default(),
        name: "".into(),
        before_resource: 0,
        field_selector: String::new().into(),
        label_selector: String::new().into(),
        path: String::new().into(),
    };
    let plan = Plan::new(&attributes, None, &[Arc::new(obligation)]).masking(masking());
    let body = r#"{"kind":"Widget","spec":{"a":[{"kind":"Pod","data":{"x":"WHOLE"},"y":"z"}],"b":{"kind":"ConfigMap","data":"WHOLE","command":["WHOLE"]},"c":"CANARY1"}}"#;
    let body = body.replace(r#""b":{"kind":"ConfigMap""#, r#""b":{"kind":"WHOLE""#);
    check(&plan, &body);
}

#[test]
fn hostile_depth_and_size_cost_no_square() {
    let deep = |n: usize| {
        format!(
            "{}0{}",
            "{\"a\":{\"value\":".repeat(n),
            "},\"kind\":\"Secret\"}".repeat(n)
        )
    };
    masked(&custom("Widget"), &format!("{{\"x\":{}}}", deep(30)));
    let wide: String = (0..20_000)
        .map(|n| format!("{{\"value\":\"v{n}\",\"kind\":\"K\"}},"))
        .collect();
    masked(&custom("Widget"), &format!("{{\"x\":[{wide}0]}}"));
    let strings: String = (0..2_000).map(|_| "\"{\\\"a\\\":[\",".to_owned()).collect();
    masked(&custom("Widget"), &format!("{{\"x\":[{strings}0]}}"));
}

#[test]
fn columns_that_only_the_first_event_names() {
    let event = |columns: &str, cells: &str| {
        format!(r#"{{"type":"ADDED","object":{{"kind":"Table",{columns}"rows":[{{"cells":{cells}}}]}}}}"#)
    };
    let named = r#""columnDefinitions":[{"name":"Name"},{"name":"Password"},{"name":"Phase"}],"#;
    let cells = r#"["w","WHOLE!",true]"#;
    let first = event(named, &cells.replace("true", "\"Ready\""));
    for columns in ["", r#""columnDefinitions":null,"#, r#""columnDefinitions":[],"#] {
        let second = event(columns, &cells.replace("true", "\"Pending\""));
        check(&custom("Widget"), &format!("{first}\n{second}\n"));
        // Of what nobody has named, only what is no text stays.
        check(&custom("Widget"), &event(columns, &cells.replace("\"w\"", "\"WHOLE\"")));
        untouched(&built_in("Pod"), &event(columns, r#"["w","1/1"]"#));
    }
    // An object that only looks like a Table names nothing.
    let pretender = r#"{"type":"ADDED","object":{"kind":"Widget","spec":{"kind":"Table","columnDefinitions":[{"name":"Name"},{"name":"Age"}],"rows":[]}}}"#;
    check(
        &custom("Widget"),
        &format!("{first}\n{pretender}\n{}\n", event("", cells)),
    );
    let late = r#"{"kind":"Table","rows":[{"cells":["WHOLE","WHOLE"]}],"columnDefinitions":[{"name":"Name"},{"name":"Password"}]}"#;
    check(&custom("Widget"), late);
}

#[test]
fn secret_keys_cover_what_has_a_kind() {
    for spec in [
        r#"{"credentials":{"kind":"Basic","user":"WHOLE"}}"#,
        r#"{"password":{"kind":"Literal","value":"WHOLE"}}"#,
        r#"{"credentials":{"a":[{"kind":"List","items":["WHOLE"],"rows":["WHOLE"]}]}}"#,
        r#"{"params":[{"name":"DB_PASSWORD","value":{"plain":"WHOLE"}},{"name":"region","value":{"plain":"eu"}}]}"#,
        r#"{"clientSecret":"WHOLE","tlsSecret":"web-tls","secret":"web-tls"}"#,
    ] {
        check(&custom("Widget"), &format!(r#"{{"kind":"Widget","spec":{spec}}}"#));
    }
    untouched(
        &custom("Widget"),
        r#"{"kind":"Widget","spec":{"credentials":{"kind":"Basic","name":"n"}}}"#,
    );
}

#[test]
fn settings_are_no_references() {
    for name in ["client_secret", "secret", "app.secret"] {
        check(
            &built_in("ConfigMap"),
            &format!(r#"{{"kind":"ConfigMap","data":{{"{name}":"WHOLE"}}}}"#),
        );
        check(
            &built_in("Pod"),
            &format!(
                r#"{{"kind":"Pod","spec":{{"containers":[{{"name":"c","env":[{{"name":"{name}","value":"WHOLE"}}]}}]}}}}"#
            ),
        );
    }
}

#[test]
fn answers_about_secrets_that_call_themselves_something_else() {
    for body in [
        r#"{"kind":"Foo","items":[{"data":{"a":"BASE64"}}]}"#,
        r#"{"kind":"Secret","items":[{"data":{"a":"BASE64"}}]}"#,
        r#"{"kind":"SecretList","items":{"a":{"data":{"a":"WHOLE"}}}}"#,
    ] {
        check(&built_in("Secret"), body);
    }
}

#[test]
fn userinfo_of_webhooks() {
    let webhook = |url: &str| {
        format!(r#"{{"kind":"ValidatingWebhookConfiguration","webhooks":[{{"clientConfig":{{"url":"{url}"}}}}]}}"#)
    };
    for (url, masked_url) in [
        ("https://sometoken9@h/x", "https://countersign.masked.value@h/x"),
        ("https://admin:kiwi1234@h/x", "https://countersign.masked.value@h/x"),
        ("https://h/x@y?z=1", "https://h/x@y?z=1"),
        ("//u@h", "//countersign.masked.value@h"),
        (
            "https://countersign.masked.value@h/x",
            "https://countersign.masked.value@h/x",
        ),
    ] {
        let (out, _) = masked(&built_in("ValidatingWebhookConfiguration"), &webhook(url));
        assert_eq!(out, webhook(masked_url));
    }
}
