//! What the head of an answer decides.

use super::*;

fn refused(plan: &Plan, status: u16, headers: &[(&'static str, &'static str)]) -> bool {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, HeaderValue::from_static(value));
    }
    match Masker::new(plan, StatusCode::from_u16(status).unwrap(), &map) {
        Ok(_) => false,
        Err(refusal) => {
            assert_eq!(refusal.status(), StatusCode::BAD_GATEWAY);
            true
        }
    }
}

fn log() -> Plan {
    let mut attributes = attributes(Verb::Get, "", "pods", "a", "p");
    attributes.subresource = "log".into();
    Plan::new(&attributes, None, &[])
}

#[test]
fn the_head_decides() {
    const TYPE: &str = "content-type";
    for content_type in [
        "application/vnd.kubernetes.protobuf",
        "application/cbor",
        "application/yaml",
        "text/html",
        "text/plain",
        "application/json-seq",
        "",
    ] {
        assert!(
            refused(&pods(Verb::Get), 200, &[(TYPE, content_type)]),
            "{content_type}"
        );
    }
    for content_type in [
        "application/json",
        "Application/JSON ; charset=utf-8",
        "application/json;stream=watch",
    ] {
        assert!(
            !refused(&pods(Verb::Get), 200, &[(TYPE, content_type)]),
            "{content_type}"
        );
    }
    assert!(refused(
        &pods(Verb::Get),
        200,
        &[(TYPE, "application/json"), (TYPE, "application/json")]
    ));
    for encoding in ["gzip", "identity", ""] {
        for status in [200, 404] {
            let headers = [(TYPE, "application/json"), ("content-encoding", encoding)];
            assert!(refused(&pods(Verb::Get), status, &headers));
        }
    }
    for status in [100, 101, 301, 302, 304, 307, 308] {
        assert!(refused(&pods(Verb::Get), status, &[(TYPE, "application/json")]));
    }
    for (plan, passes) in [
        (log(), true),
        (path("/healthz"), true),
        (path("/livez/ping"), true),
        (path("/readyz"), true),
        (path("/metrics"), false),
        (path("/healthzx"), false),
    ] {
        assert_eq!(refused(&plan, 200, &[(TYPE, "text/plain; charset=utf-8")]), !passes);
        assert!(refused(&plan, 200, &[(TYPE, "text/html")]));
    }
}

#[test]
fn json_that_the_server_calls_text() {
    let body = r#"{"paths":{"api/v1":{"serverRelativeURL":"/openapi/v3/api/v1?hash=x"}}}"#;
    let index = path("/openapi/v3");
    assert_eq!(answer(&index, 200, "text/plain; charset=utf-8", body).body(), body);
    let masker = Masker::new(&index, StatusCode::OK, &typed("text/plain")).unwrap();
    assert_eq!(masker.content_type(), Some("application/json"));
    let Outcome::Aborted(_, kind) = answer(&index, 200, "text/plain", "text") else {
        panic!()
    };
    assert_eq!(kind, MaskErrorKind::NotAnObject);
}

#[test]
fn bodies_that_should_not_be_there() {
    for (status, headers) in [(204, typed("text/html")), (200, HeaderMap::new())] {
        let status = StatusCode::from_u16(status).unwrap();
        let masker = || Masker::new(&pods(Verb::Get), status, &headers).unwrap();
        assert_eq!(masker().content_type(), None);
        assert_eq!(feed(masker(), [b"".as_slice()]).body(), "");
        assert_eq!(
            feed(masker(), [b"leak".as_slice()]),
            Outcome::Aborted(String::new(), MaskErrorKind::UnexpectedBody)
        );
    }
    assert_eq!(json(&pods(Verb::Get), "").body(), "");
}

#[test]
fn log_lines_come_out_as_they_end() {
    let mut masker = Masker::new(&log(), StatusCode::OK, &typed("text/plain")).unwrap();
    assert_eq!(masker.content_type(), Some("text/plain"));
    let mut out = Vec::new();
    masker.push(b"one\ntw", &mut out).unwrap();
    assert_eq!(out, b"one\n");
    masker.push(b"o\n\xff\n", &mut out).unwrap();
    assert_eq!(out, b"one\ntwo\n\xff\n");
    masker.push(b"three", &mut out).unwrap();
    masker.finish(&mut out).unwrap();
    assert_eq!(out, b"one\ntwo\n\xff\nthree");
    assert_eq!(answer(&log(), 200, "text/plain", "a\n\nb\r\nc").body(), "a\n\nb\r\nc");

    let mut masker = Masker::new(&log(), StatusCode::OK, &typed("text/plain")).unwrap();
    let mut out = Vec::new();
    for _ in 0..100 {
        masker.push(&[b'x'; 4096], &mut out).unwrap();
    }
    assert!(out.len() > 300_000, "a line without end is not held");
    masker.finish(&mut out).unwrap();
    assert_eq!(out.len(), 409_600);
}

#[test]
fn errors_say_nothing_of_the_body() {
    let mut masker = Masker::new(&pods(Verb::Get), StatusCode::OK, &typed("application/json")).unwrap();
    let error = masker.push(b"leak", &mut Vec::new()).unwrap_err();
    assert!(!masker.has_emitted());
    let refusal = error.to_refusal();
    assert_eq!(refusal.status(), StatusCode::BAD_GATEWAY);
    assert!(!refusal.to_status().to_string().contains("leak"));
}

#[test]
fn names_that_stand_alone_and_values_of_custom_resources() {
    let mut widgets = attributes(Verb::Get, "example.com", "widgets", "a", "w");
    widgets.api_version = "v1".into();
    let plan = Plan::new(
        &widgets,
        Some(&kind("example.com", "widgets", "Widget", Origin::Custom)),
        &[],
    );
    let masked = |spec: &str| {
        let body =
            format!(r#"{{"kind":"Widget","apiVersion":"example.com/v1","metadata":{{"name":"w"}},"spec":{spec}}}"#);
        fed(&plan, &[body.as_bytes()]).masked()
    };
    for spec in [
        r#"{"token":"super-secret-token"}"#,
        r#"{"clientSecret":"Super_secret"}"#,
        r#"{"tokens":["T5_y1!q"]}"#,
        r#"{"secrets":{"a":"T5_y1!q"}}"#,
        r#"{"auth":"hunter2"}"#,
        r#"{"session":"abcdefghijklmnop"}"#,
        r#"{"note":"Basic dXNlcjpodW50ZXIyMng="}"#,
        r#"{"note":"OJRBRY6HqsP795nf4Gakq5p1Vm8kV6um4yvMpy62"}"#,
        r#"{"note":"-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\n"}"#,
        r#"{"note":"{\"auths\":{\"r\":{\"username\":\"bob\",\"password\":\"yy6xxq\"}}}"}"#,
    ] {
        assert_eq!(masked(spec), 1, "{spec}");
    }
    for spec in [
        r#"{"secret":"my-secret"}"#,
        r#"{"credentials":{"secretName":"db","passwordRef":"x"}}"#,
        r#"{"cookie":"Strict","session":"none"}"#,
        r#"{"auth":"ldap"}"#,
        r#"{"configHash":"OJRBRY6HqsP795nf4Gakq5p1Vm8kV6um4yvMpy62"}"#,
        r#"{"note":"c2F5cyBzb21ldGhpbmcgdGhhdCBjYW4gYmUgcmVhZA=="}"#,
        r#"{"note":"5f3c77f62484c077d4806cd1f806c98a5f3c77f62484c077d4806cd1f806c98a"}"#,
    ] {
        assert_eq!(masked(spec), 0, "{spec}");
    }
}
