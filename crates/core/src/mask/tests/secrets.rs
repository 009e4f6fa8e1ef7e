//! Secrets, wherever they are.

use super::*;
use crate::mask::{FieldRule, FieldTreatment, Kinds, Masking};
use crate::request::{Catalog, ResourceCatalog as _};

/// base64("hunter2-and-more"), base64("bob")
const PASSWORD: &str = "aHVudGVyMi1hbmQtbW9yZQ==";

#[test]
fn a_single_object() {
    let body = "{\n  \"kind\": \"Secret\", \"apiVersion\": \"v1\",\n  \"metadata\": {\"name\": \"db\"},\n  \
                \"data\": {\"p\": \"aHVudGVyMg==\", \"empty\": \"\"}, \"stringData\": {\"q\": \"x\"}, \"type\": \"Opaque\"\n}\n";
    let expected = with_markers(
        "{\n  \"kind\": \"Secret\", \"apiVersion\": \"v1\",\n  \"metadata\": {\"name\": \"db\"},\n  \
         \"data\": {\"p\": \"<B>\", \"empty\": \"<B>\"}, \"stringData\": {\"q\": \"<T>\"}, \"type\": \"Opaque\"\n}\n",
    );
    for plan in [secrets(Verb::Get), pods(Verb::Patch), path("/version")] {
        let outcome = json(&plan, body);
        assert_eq!(outcome.body(), expected);
        assert_eq!(outcome.masked(), 3);
    }
    // Masked before, or without anything to mask.
    untouched(&secrets(Verb::Get), &expected);
    untouched(
        &secrets(Verb::Get),
        r#"{"kind":"Secret","metadata":{"name":"x"},"data":null,"immutable":true}"#,
    );
}

#[test]
fn the_url_decides_where_the_body_says_nothing() {
    let outcome = json(
        &secrets(Verb::Get),
        r#"{"metadata":{},"data":{"a":"eA==","n":7,"o":{"x":["y",true,null]}}}"#,
    );
    assert_eq!(
        outcome.body(),
        with_markers(r#"{"metadata":{},"data":{"a":"<B>","n":0,"o":{"x":["<B>",true,null]}}}"#)
    );
    // The catalog may not know it: the resource's name is enough.
    let unknown = Plan::new(&attributes(Verb::Get, "example.com", "secrets", "a", "b"), None, &[]);
    assert_eq!(json(&unknown, r#"{"kind":"X","data":{"a":"b"}}"#).masked(), 1);
    // Both maskers where body and URL disagree.
    assert_eq!(
        json(&secrets(Verb::Get), r#"{"kind":"ConfigMap","data":{"a":"b"}}"#).body(),
        with_markers(r#"{"kind":"ConfigMap","data":{"a":"<B>"}}"#)
    );
    // Where objects are expected, other things are values.
    assert_eq!(
        json(&secrets(Verb::List), r#"{"kind":"SecretList","items":["x",1,["y"]]}"#).body(),
        with_markers(r#"{"kind":"SecretList","items":["<T>",0,["<T>"]]}"#)
    );
}

#[test]
fn lists() {
    let body = r#"{"kind":"SecretList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[ {"metadata":{"name":"a"},"data":{"k":"djE="}} , {"metadata":{"name":"b"}},{"kind":"Secret","stringData":{"k":"v"}} ]}
"#;
    let expected = with_markers(
        r#"{"kind":"SecretList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[ {"metadata":{"name":"a"},"data":{"k":"<B>"}} , {"metadata":{"name":"b"}},{"kind":"Secret","stringData":{"k":"<T>"}} ]}
"#,
    );
    for plan in [
        secrets(Verb::List),
        secrets(Verb::DeleteCollection),
        pods(Verb::List),
        path("/x"),
    ] {
        assert_eq!(json(&plan, body).body(), expected);
    }
    untouched(&secrets(Verb::List), r#"{"kind":"SecretList","items":[]}"#);
    untouched(&secrets(Verb::List), "{\"items\" : [ \n ] ,\"kind\":\"SecretList\"} ");
    untouched(
        &secrets(Verb::List),
        r#"{"kind":"SecretList","items":null,"metadata":{}}"#,
    );
}

#[test]
fn lists_of_mixed_kinds_and_lists_in_lists() {
    let body = r#"{"kind":"List","apiVersion":"v1","items":[{"kind":"ConfigMap","data":{"a":"b"}},{"kind":"Secret","data":{"a":"Yg=="}},{"kind":"SecretList","items":[{"data":{"a":"Yg=="}}]}]}"#;
    let expected = with_markers(
        r#"{"kind":"List","apiVersion":"v1","items":[{"kind":"ConfigMap","data":{"a":"b"}},{"kind":"Secret","data":{"a":"<B>"}},{"kind":"SecretList","items":[{"data":{"a":"<B>"}}]}]}"#,
    );
    assert_eq!(json(&pods(Verb::List), body).body(), expected);
}

#[test]
fn an_item_that_claims_to_be_a_status() {
    let body = r#"{"kind":"SecretList","items":[{"kind":"Status","data":{"a":"b"}}]}"#;
    for plan in [pods(Verb::List), path("/x")] {
        let expected = with_markers(r#"{"kind":"SecretList","items":[{"kind":"Status","data":{"a":"<B>"}}]}"#);
        assert_eq!(json(&plan, body).body(), expected);
    }
    let dropped = r#"{"kind":"SecretList","items":[{"kind":"Status"}]}"#;
    assert_eq!(json(&secrets(Verb::List), body).body(), dropped);
}

#[test]
fn nested_objects_of_the_kind() {
    let body = r#"{"kind":"Widget","spec":{"deep":[[{"manifest":{"kind":"Secret","data":{"a":"Yg=="}}}]],"template":{"metadata":{},"data":{"t":"x"}},"ref":{"kind":"Secret","name":"n"}},"metadata":{"x":{"kind":"Secret","stringData":{"y":"z"}}},"list":{"kind":"List","items":[{"kind":"Secret","data":{"q":"r"}}]}}"#;
    let outcome = json(&pods(Verb::Get), body);
    assert_eq!(
        outcome.body(),
        with_markers(
            r#"{"kind":"Widget","spec":{"deep":[[{"manifest":{"kind":"Secret","data":{"a":"<B>"}}}]],"template":{"metadata":{},"data":{"t":"<B>"}},"ref":{"kind":"Secret","name":"n"}},"metadata":{"x":{"kind":"Secret","stringData":{"y":"<T>"}}},"list":{"kind":"List","items":[{"kind":"Secret","data":{"q":"<B>"}}]}}"#
        )
    );
    assert_eq!(outcome.masked(), 4);
}

#[test]
fn tables_and_partial_objects() {
    let body = r#"{"kind":"Table","columnDefinitions":[{"name":"Name","type":"string"}],"rows":[{"cells":["a",2],"object":{"kind":"Secret","data":{"a":"Yg=="}}},{"cells":["b"],"object":{"kind":"PartialObjectMetadata","metadata":{"name":"b","annotations":{"note":"free text","helm.sh/hook":"pre-install"},"managedFields":[]}}},{"cells":["c"],"object":{"metadata":{},"data":{"x":"y"}}},{"cells":["d"],"object":null}],"metadata":{"resourceVersion":"7"}}"#;
    let outcome = json(&secrets(Verb::List), body);
    assert_eq!(
        outcome.body(),
        with_markers(
            r#"{"kind":"Table","columnDefinitions":[{"name":"Name","type":"string"}],"rows":[{"cells":["a",2],"object":{"kind":"Secret","data":{"a":"<B>"}}},{"cells":["b"],"object":{"kind":"PartialObjectMetadata","metadata":{"name":"b","annotations":{"note":"<T>","helm.sh/hook":"pre-install"}}}},{"cells":["c"],"object":{"metadata":{},"data":{"x":"<B>"}}},{"cells":["d"],"object":null}],"metadata":{"resourceVersion":"7"}}"#
        )
    );
    assert_eq!(outcome.masked(), 3);
    let list = r#"{"kind":"PartialObjectMetadataList","items":[{"metadata":{"annotations":{"a":"b"}}}]}"#;
    assert_eq!(
        json(&secrets(Verb::List), list).body(),
        with_markers(r#"{"kind":"PartialObjectMetadataList","items":[{"metadata":{"annotations":{"a":"<T>"}}}]}"#)
    );
    untouched(&pods(Verb::List), list);
}

#[test]
fn cells_of_custom_resources_by_what_they_show() {
    let catalog = Catalog::kubernetes()
        .with_custom("example.com", "widgets", "Widget", true)
        .with_printer_column("example.com", "widgets", "Login", ".spec.login.password")
        .with_printer_column("example.com", "widgets", "Door", ".spec.doors[0].number")
        .with_printer_column("example.com", "widgets", "Color", ".spec.color");
    let kind = catalog.lookup("example.com", "widgets").unwrap();
    let attributes = attributes(Verb::List, "example.com", "widgets", "", "");
    let plan = Plan::new(&attributes, Some(&kind), &[]);
    let body = r#"{"kind":"Table","columnDefinitions":[{"name":"Name"},{"name":"Login"},{"name":"Door"},{"name":"Color"}],"rows":[{"cells":["a","opensesame","left","red"],"object":null}]}"#;
    let masked = body.replace("opensesame", MARKER);
    assert_eq!(json(&plan, body).body(), masked);
    // What a policy masks by its path.
    let door = FieldRule {
        kind: "Widget".into(),
        groups: Vec::new(),
        path: "spec.doors.*.number".parse().unwrap(),
        treatment: FieldTreatment::Mask,
        why: None,
    };
    let kinds = Kinds::built_in().with(&[door]).unwrap();
    let plan = plan.masking(Masking {
        kinds,
        ..Masking::default()
    });
    assert_eq!(json(&plan, body).body(), masked.replace("left", MARKER));
}

#[test]
fn managed_fields_go_and_do_not_count() {
    let body = r#"{"kind":"Deployment","metadata":{"name":"x","managedFields":[{"manager":"y"}],"uid":"u"},"spec":{"template":{"metadata":{"managedFields":[]},"spec":{}}}}"#;
    let outcome = json(&pods(Verb::Get), body);
    assert_eq!(
        outcome.body(),
        r#"{"kind":"Deployment","metadata":{"name":"x","uid":"u"},"spec":{"template":{"metadata":{},"spec":{}}}}"#
    );
    assert_eq!(outcome.masked(), 0);
}

fn annotated(kind: &str, data: &str, annotations: &[(&str, &str)]) -> String {
    let mut text = format!(r#"{{"kind":"{kind}","data":{data},"metadata":{{"annotations":{{"#);
    for (index, (key, value)) in annotations.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        crate::json::write_string(key, &mut text);
        text.push(':');
        crate::json::write_string(value, &mut text);
    }
    text.push_str("}}}");
    text
}

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

#[test]
fn long_values_in_texts_of_any_name() {
    let value = "pq7 ".repeat(75);
    let data = format!("{{\"k\":\"{}\"}}", marker::encode_base64(value.as_bytes()));
    for name in ["managedFields", "annotations", "labels", "note"] {
        let outcome = fed(
            &secrets(Verb::Get),
            &[annotated("Secret", &data, &[(name, &value)]).as_bytes()],
        );
        assert!(!outcome.body().contains("pq7"), "{name}: {}", outcome.body());
    }
}

#[test]
fn an_odd_copy_still_tells_the_values_it_had() {
    let copy = r#"{"data":{"p":"emVicmE0Mi1naXJhZmZl"},"x":1,"x":2}"#;
    let texts = [("note", "see zebra42-giraffe there"), (LAST_APPLIED, copy)];
    let outcome = json(&secrets(Verb::Get), &annotated("Secret", "{\"p\":\"eA==\"}", &texts));
    assert!(!outcome.body().contains("zebra42"), "{}", outcome.body());
}

#[test]
fn last_applied_is_masked_in_place() {
    let copy = "{ \"kind\":\"Secret\",\"data\":{\"a\":\"b2xk\"},\"x\":\"\\u003c\"}\n";
    let masked = with_markers("{ \"kind\":\"Secret\",\"data\":{\"a\":\"<B>\"},\"x\":\"\\u003c\"}\n");
    // The kind inside decides, whatever is around it.
    let outcome = json(&pods(Verb::Get), &annotated("ConfigMap", "{}", &[(LAST_APPLIED, copy)]));
    assert_eq!(outcome.body(), annotated("ConfigMap", "{}", &[(LAST_APPLIED, &masked)]));
    assert_eq!(outcome.masked(), 1);
    // So does the kind around it, and the value it had before is known in other annotations.
    let kindless = copy.replace("\"Secret\"", "\"Other\"");
    let outcome = json(
        &pods(Verb::Get),
        &annotated(
            "Secret",
            "{}",
            &[("note", "was old"), ("eq", "old"), (LAST_APPLIED, &kindless)],
        ),
    );
    assert_eq!(
        outcome.body(),
        annotated(
            "Secret",
            "{}",
            &[
                ("note", "was old"),
                ("eq", MARKER),
                (LAST_APPLIED, &masked.replace("\"Secret\"", "\"Other\""))
            ]
        )
    );
    // Copies of other kinds stay as they are, byte for byte.
    untouched(
        &pods(Verb::Get),
        &annotated(
            "Deployment",
            "{}",
            &[(LAST_APPLIED, "{\"kind\":\"Deployment\", \"spec\":{}}\n")],
        ),
    );
}

#[test]
fn what_cant_be_read_in_an_annotation_goes_whole() {
    let deep = format!("{}{}", "[".repeat(70), "]".repeat(70));
    for (key, text) in [
        (LAST_APPLIED, "not json"),
        (LAST_APPLIED, "\"text\""),
        (LAST_APPLIED, "{\"a\":1,\"a\":2}"),
        (LAST_APPLIED, "{\"a\":"),
        ("other", "{\"a\":1,\"a\":2}"),
        ("other", &deep),
    ] {
        let outcome = json(&pods(Verb::Get), &annotated("Pod", "{}", &[(key, text)]));
        assert_eq!(outcome.body(), annotated("Pod", "{}", &[(key, MARKER)]), "{text}");
        assert_eq!(outcome.masked(), 1);
    }
    untouched(
        &pods(Verb::Get),
        &annotated(
            "Pod",
            "{}",
            &[("a", "[info] x"), ("b", "{{ template }}"), (LAST_APPLIED, "")],
        ),
    );
}

#[test]
fn other_json_in_annotations() {
    let inner = r#"[{"kind":"Secret","data":{"a":"eA=="}},1]"#;
    let deeper = annotated("Pod", "{}", &[("x", inner)]);
    let outcome = json(
        &pods(Verb::Get),
        &annotated("Pod", "{}", &[("x", inner), ("y", &deeper)]),
    );
    let masked = inner.replace("eA==", marker::encoded());
    let deeper = annotated("Pod", "{}", &[("x", &masked)]);
    assert_eq!(
        outcome.body(),
        annotated("Pod", "{}", &[("x", &masked), ("y", &deeper)])
    );
    assert_eq!(outcome.masked(), 2);
    // Beyond some depth it is not looked for any more.
    let mut text = inner.to_owned();
    for _ in 0..3 {
        text = annotated("Pod", "{}", &[("x", &text)]);
    }
    let outcome = json(&pods(Verb::Get), &annotated("Pod", "{}", &[("x", &text)]));
    assert!(!outcome.body().contains("eA=="));
    assert_eq!(outcome.masked(), 1);
}

#[test]
fn values_repeated_in_the_metadata() {
    let data = format!(r#"{{"p":"{PASSWORD}","u":"Ym9i","s":"YWI="}}"#);
    let body = annotated(
        "Secret",
        &data,
        &[
            ("raw", "connect with hunter2-and-more please"),
            ("base64", &format!("x{PASSWORD}y")),
            ("unpadded", "aHVudGVyMi1hbmQtbW9yZQ"),
            ("equal", "bob"),
            ("contained", "bobby and ab"),
            ("json", r#"{"pass":"hunter2-and-more","n":[1],"user":"bob"}"#),
        ],
    )
    .replace(
        "\"annotations\"",
        r#""labels":{"user":"bob","app":"db"},"name":"bob","annotations""#,
    );
    let outcome = json(&secrets(Verb::Get), &body);
    let expected = annotated(
        "Secret",
        r#"{"p":"<B>","u":"<B>","s":"<B>"}"#,
        &[
            ("raw", "connect with <T> please"),
            ("base64", "x<T>y"),
            ("unpadded", "<T>"),
            ("equal", "<T>"),
            ("contained", "bobby and ab"),
            ("json", r#"{"pass":"<T>","n":[1],"user":"<T>"}"#),
        ],
    )
    .replace(
        "\"annotations\"",
        r#""labels":{"user":"<T>","app":"db"},"name":"bob","annotations""#,
    );
    assert_eq!(outcome.body(), with_markers(&expected));
    assert_eq!(outcome.masked(), 3 + 4 + 2 + 1);
}
