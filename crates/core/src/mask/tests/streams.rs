//! Watches, lists whose kind comes late, limits.

use super::*;

#[test]
fn events_come_out_one_by_one() {
    let one = r#"{"type":"ADDED","object":{"kind":"Secret","data":{"a":"Yg=="}}}"#;
    let masked = with_markers(r#"{"type":"ADDED","object":{"kind":"Secret","data":{"a":"<B>"}}}"#);
    for plan in [secrets(Verb::Watch), pods(Verb::Watch), pods(Verb::Get)] {
        let mut masker = Masker::new(&plan, StatusCode::OK, &typed("application/json;stream=watch")).unwrap();
        let mut out = Vec::new();
        masker.push(one.as_bytes(), &mut out).unwrap();
        assert_eq!(out, masked.as_bytes(), "at the closing brace");
        masker.push(b"\n", &mut out).unwrap();
        assert_eq!(out.last(), Some(&b'\n'), "at the newline");
        masker.push(one.as_bytes(), &mut out).unwrap();
        assert_eq!(out, format!("{masked}\n{masked}").as_bytes());
    }
    let body = format!("{one}\n{one}\r\n{one}{one}\n");
    let expected = format!("{masked}\n{masked}\r\n{masked}{masked}\n");
    assert_eq!(json(&secrets(Verb::Watch), &body).body(), expected);
}

#[test]
fn every_kind_of_event() {
    let body = r#"{"type":"BOOKMARK","object":{"kind":"Secret","metadata":{"resourceVersion":"5","annotations":{"k8s.io/initial-events-end":"true"}}}}
{"type":"ERROR","object":{"kind":"Status","status":"Failure","message":"etcd said hunter2","reason":"Expired","code":410}}
{"type":"MODIFIED","object":{"kind":"PartialObjectMetadata","metadata":{"annotations":{"a":"b"}}}}
{"type":"ADDED","object":{"kind":"Table","rows":[{"cells":["a"],"object":{"kind":"Secret","data":{"a":"b"}}}]}}
{"object":{"data":{"a":"b"}},"type":"DELETED","data":{"c":"d"}}
"#;
    let expected = with_markers(
        r#"{"type":"BOOKMARK","object":{"kind":"Secret","metadata":{"resourceVersion":"5","annotations":{"k8s.io/initial-events-end":"true"}}}}
{"type":"ERROR","object":{"kind":"Status","status":"Failure","message":"Expired (the server's text is withheld: it may quote masked values)","reason":"Expired","code":410}}
{"type":"MODIFIED","object":{"kind":"PartialObjectMetadata","metadata":{"annotations":{"a":"<T>"}}}}
{"type":"ADDED","object":{"kind":"Table","rows":[{"cells":["a"],"object":{"kind":"Secret","data":{"a":"<B>"}}}]}}
{"object":{"data":{"a":"<B>"}},"type":"DELETED","data":{"c":"<B>"}}
"#,
    );
    assert_eq!(json(&secrets(Verb::Watch), body).body(), expected);
}

#[test]
fn a_watch_may_end_inside_an_event() {
    let event = "{\"type\":\"ADDED\",\"object\":{\"kind\":\"Pod\",\"x\":[\"é\\ud83d\\ude00\",-1.5e3,true,null]}}\n";
    for end in 1..event.len() - 2 {
        let stream = [event.as_bytes(), &event.as_bytes()[..end]].concat();
        let masker = Masker::new(&pods(Verb::Watch), StatusCode::OK, &typed("application/json")).unwrap();
        match feed(masker, [stream.as_slice()]) {
            Outcome::Whole(out, _) => assert_eq!(out, event, "{end}"),
            Outcome::Aborted(_, kind) => panic!("{kind} at {end}"),
        }
    }
    assert_eq!(json(&pods(Verb::Watch), "{\"type\":\"ADD").body(), "");
    // What is no beginning of valid JSON is an error, and so is an end inside anything but a watch.
    let out = aborts(
        &pods(Verb::Watch),
        &format!("{event}{{\"type\":x"),
        MaskErrorKind::Malformed,
    );
    assert_eq!(out, event);
    aborts(&pods(Verb::Watch), "{\"a\":1,\"a\":", MaskErrorKind::DuplicateKey);
    aborts(&pods(Verb::Get), "{\"kind\":\"Pod\"", MaskErrorKind::Truncated);
    aborts(
        &pods(Verb::List),
        "{\"kind\":\"PodList\",\"items\":[{},{}",
        MaskErrorKind::Truncated,
    );
}

#[test]
fn the_first_items_come_before_the_last_ones() {
    let mut masker = Masker::new(&secrets(Verb::List), StatusCode::OK, &typed("application/json")).unwrap();
    let mut out = Vec::new();
    masker.push(br#"{"kind":"SecretList","items":["#, &mut out).unwrap();
    assert!(!masker.has_emitted(), "an error can still be an answer");
    masker.push(br#"{"data":{"a":"b"}}"#, &mut out).unwrap();
    let first = with_markers(r#"{"kind":"SecretList","items":[{"data":{"a":"<B>"}}"#);
    assert_eq!(out, first.as_bytes());
    masker.push(br#",{"data":{"c":"d"}"#, &mut out).unwrap();
    assert_eq!(out, first.as_bytes(), "nothing of an item before its end");
    masker.push(b"},3", &mut out).unwrap();
    masker.push(b"]}", &mut out).unwrap();
    masker.finish(&mut out).unwrap();
    assert_eq!(
        out,
        with_markers(r#"{"kind":"SecretList","items":[{"data":{"a":"<B>"}},{"data":{"c":"<B>"}},0]}"#).as_bytes()
    );
}

#[test]
fn a_kind_that_comes_late() {
    let items = r#"{"items":[{"metadata":{"name":"a"},"data":{"x":"y"}}]"#;
    let first = json(&secrets(Verb::List), &format!("{items},\"kind\":\"SecretList\"}}"));
    assert_eq!(first.masked(), 1);
    // Not what the URL names, and one of them matters.
    for (plan, kind) in [
        (pods(Verb::List), "SecretList"),
        (pods(Verb::List), "Secret"),
        (pods(Verb::List), "ConfigMapList"),
        (secrets(Verb::List), "WidgetList"),
        (path("/apis"), "SecretList"),
    ] {
        aborts(
            &plan,
            &format!("{items},\"kind\":\"{kind}\"}}"),
            MaskErrorKind::KindDisagrees,
        );
    }
    // Nothing that matters, or nothing that disagrees.
    let nodes = plan(Verb::List, "nodes", "Node");
    for (plan, kind) in [
        (&nodes, "WidgetList"),
        (&nodes, "List"),
        (&nodes, "Table"),
        (&nodes, "NodeList"),
    ] {
        untouched(plan, &format!("{items},\"kind\":\"{kind}\"}}"));
    }
    assert_eq!(
        json(&secrets(Verb::List), &format!("{items},\"kind\":\"List\"}}")).masked(),
        1
    );
}

#[test]
fn only_an_envelope_is_handed_out_early() {
    // What might be an object of another kind is read whole before any of it goes out.
    for body in [
        r#"{"data":{"a":"b"},"items":[{}],"kind":"Secret"}"#,
        r#"{"metadata":{"annotations":{"a":"{\"kind\":\"Secret\",\"data\":{\"x\":\"y\"}}"}},"items":[],"kind":"X"}"#,
        r#"{"spec":{"kind":"Secret","data":{"a":"b"}},"rows":[],"kind":"Secret"}"#,
    ] {
        assert_eq!(json(&pods(Verb::Get), body).masked(), 1, "{body}");
    }
    // What comes after the items is masked too.
    let outcome = json(
        &secrets(Verb::List),
        r#"{"items":[],"data":{"a":"b"},"metadata":{"managedFields":[],"resourceVersion":"1"},"kind":"SecretList","rows":[{"cells":[],"object":{"data":{"a":"b"}}}]}"#,
    );
    assert_eq!(
        outcome.body(),
        with_markers(
            r#"{"items":[],"data":{"a":"<B>"},"metadata":{"resourceVersion":"1"},"kind":"SecretList","rows":[{"cells":[],"object":{"data":{"a":"b"}}}]}"#
        )
    );
}

#[test]
fn strict_json_only() {
    for (body, kind) in [
        ("[]", MaskErrorKind::NotAnObject),
        ("null", MaskErrorKind::NotAnObject),
        ("\"x\"", MaskErrorKind::NotAnObject),
        ("k8s\0", MaskErrorKind::NotAnObject),
        ("{\"a\":1}{\"a\":2}", MaskErrorKind::Malformed),
        ("{\"a\":1} x", MaskErrorKind::Malformed),
        ("{\"a\":1,\"a\":2}", MaskErrorKind::DuplicateKey),
        ("{\"items\":[],\"items\":[]}", MaskErrorKind::DuplicateKey),
        (
            "{\"kind\":\"PodList\",\"items\":[],\"kind\":\"SecretList\"}",
            MaskErrorKind::DuplicateKey,
        ),
        ("{\"items\":[{\"a\":1,\"a\":2}]}", MaskErrorKind::DuplicateKey),
        ("{\"items\":[1 2]}", MaskErrorKind::Malformed),
        ("{\"items\":[1,]}", MaskErrorKind::Malformed),
        ("{\"items\":[,1]}", MaskErrorKind::Malformed),
        ("{\"items\":[nul]}", MaskErrorKind::Malformed),
        ("{\"items\":[}]}", MaskErrorKind::Malformed),
        ("{\"items\":[{]}", MaskErrorKind::Malformed),
        ("{\"items\":[{}}", MaskErrorKind::Malformed),
        ("{\"a\" \"items\":[{}]}", MaskErrorKind::Malformed),
        ("{\"items\":[\u{c}]}", MaskErrorKind::Malformed),
        ("{\"items\":[1]\"kind\":\"x\"}", MaskErrorKind::Malformed),
        ("{\"a\":tru}", MaskErrorKind::Malformed),
        ("{]", MaskErrorKind::Malformed),
        ("{\"a\":\"\\ud800\"}", MaskErrorKind::Malformed),
    ] {
        aborts(&pods(Verb::List), body, kind);
    }
    // Escaped, it is the same key.
    assert_eq!(
        json(
            &secrets(Verb::List),
            r#"{"\u0069tems":[{"d\u0061ta":{"a":"b"}}],"x":[1],"y":[2]}"#
        )
        .body(),
        with_markers(r#"{"\u0069tems":[{"d\u0061ta":{"a":"<B>"}}],"x":[1],"y":[2]}"#)
    );
    untouched(
        &pods(Verb::List),
        " \r\n\t{\"a\":[{}],\"b\":\"items\",\"c\":[]} \n".trim_start(),
    );
}

#[test]
fn limits() {
    let deep = |n: usize| format!("{{\"a\":{}{}}}", "[".repeat(n), "]".repeat(n));
    assert!(matches!(
        fed(&pods(Verb::Get), &[deep(63).as_bytes()]),
        Outcome::Whole(..)
    ));
    assert!(matches!(
        fed(&pods(Verb::Get), &[deep(64).as_bytes()]),
        Outcome::Aborted(_, MaskErrorKind::TooDeep)
    ));
    let listed = |n: usize| format!("{{\"items\":[{}]}}", deep(n));
    assert!(matches!(
        fed(&pods(Verb::Get), &[listed(61).as_bytes()]),
        Outcome::Whole(..)
    ));
    assert!(matches!(
        fed(&pods(Verb::Get), &[listed(62).as_bytes()]),
        Outcome::Aborted(_, MaskErrorKind::TooDeep)
    ));

    // The limit is for an item, not for a list; and it holds before the item is complete.
    let large = "x".repeat(super::super::MAX_ITEM / 4);
    let item = format!("{{\"apiVersion\":\"{large}\"}}");
    let chunks: Vec<&[u8]> = [b"{\"items\":[".as_slice(), item.as_bytes()]
        .into_iter()
        .chain([b",".as_slice(), item.as_bytes()].repeat(5))
        .chain([b"]}".as_slice()])
        .collect();
    assert!(matches!(fed(&pods(Verb::List), &chunks), Outcome::Whole(..)));
    let chunks: Vec<&[u8]> = [b"{\"items\":[{\"apiVersion\":\"".as_slice()]
        .into_iter()
        .chain([large.as_bytes()].repeat(4))
        .collect();
    assert_eq!(
        fed(&pods(Verb::List), &chunks),
        Outcome::Aborted(String::new(), MaskErrorKind::ItemTooLarge)
    );
    let spaces = vec![b' '; super::super::MAX_ITEM];
    assert!(matches!(
        fed(&pods(Verb::List), &[b"{\"items\":[", &spaces, b"  "]),
        Outcome::Aborted(_, MaskErrorKind::ItemTooLarge)
    ));
    // Many arrays at the root, and lists in lists, cost no more than their size.
    let arrays: Vec<String> = (0..50_000).map(|n| format!("\"{n}\":[]")).collect();
    assert!(matches!(
        fed(&pods(Verb::Get), &[format!("{{{}}}", arrays.join(",")).as_bytes()]),
        Outcome::Whole(..)
    ));
    let nested = format!(
        "{}{}",
        "{\"kind\":\"List\",\"rows\":[],\"items\":[".repeat(30),
        "]}".repeat(30)
    );
    assert!(matches!(
        fed(&secrets(Verb::Get), &[nested.as_bytes()]),
        Outcome::Whole(..)
    ));
    let nested = format!("{}0{}", "{\"rows\":[{\"x\":1,\"object\":".repeat(20), "}]}".repeat(20));
    assert!(matches!(
        fed(&secrets(Verb::Get), &[nested.as_bytes()]),
        Outcome::Whole(..)
    ));
}

#[test]
fn the_deepest_answer_fits_the_stack() {
    // As deep as allowed, and in an annotation at the bottom as deep again, as often as strings are unpacked.
    let around = |inner: &str| {
        let kind = "{\"kind\":\"Secret\",\"a\":";
        format!("{}{{\"metadata\":{inner}}}{}", kind.repeat(60), "}".repeat(60))
    };
    let mut body = around("{}");
    for _ in 0..4 {
        let mut annotations = String::from("{\"annotations\":{\"x\":");
        crate::json::write_string(&body, &mut annotations);
        annotations.push_str("}}");
        body = around(&annotations);
    }
    let Outcome::Whole(out, report) = fed(&secrets(Verb::Get), &[body.as_bytes()]) else {
        panic!()
    };
    assert_eq!(report.masked(), 1);
    assert!(out.contains(MARKER));
}

mod any {
    use proptest::prelude::*;

    use super::*;

    const CORPUS: [&str; 6] = [
        r#"{"kind":"SecretList","metadata":{"continue":"x"},"items":[{"metadata":{"name":"a","annotations":{"n":"hunter2-long","kubectl.kubernetes.io/last-applied-configuration":"{\"kind\":\"Secret\",\"stringData\":{\"a\":\"é\\\"\"}}\n"}},"stringData":{"p":"hunter2-long"}},{"metadata":{"managedFields":[1]},"data":{"a":"Yg=="}}]}"#,
        "{\"type\":\"ADDED\",\"object\":{\"kind\":\"Secret\",\"data\":{\"\\u00e9\":\"Yg==\"}}}\n{\"type\":\"DELETED\",\"object\":{\"kind\":\"Pod\"}}\n{\"type\":",
        r#"{"kind":"Table","columnDefinitions":[{"name":"Name"}],"rows":[ {"cells":["a","\\\""],"object":{"metadata":{"namespace":"guard"}}} , {"cells":["b"],"object":{"metadata":{"namespace":"x"},"data":{"a":"b"}}}]}"#,
        r#"{"apiVersion":"v1","items":[{"metadata":{"namespace":"guard"}},{"kind":"Secret","metadata":{"namespace":"y"},"data":{"a":"b"}}],"kind":"List"}"#,
        r#"{"kind":"Secret","data":{"a":"x","a":"y"}}"#,
        "{\"items\":[{\"data\":{\"k\":\"\u{1F600}\"}} , 12 ,\"\\u0022]\", [[{}]] ]} \n",
    ];

    proptest! {
        #[test]
        fn cuts_change_nothing(index in 0..CORPUS.len(), cuts in prop::collection::vec(0_usize..600, 0..8), watch: bool) {
            let plan = secrets(if watch { Verb::Watch } else { Verb::List }).hiding_namespace("guard");
            let body = CORPUS[index].as_bytes();
            let whole = fed(&plan, &[body]);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(body.len())).chain([0, body.len()]).collect();
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|pair| &body[pair[0]..pair[1]]).collect();
            prop_assert_eq!(fed(&plan, &chunks), whole);
        }

        #[test]
        fn nothing_secret_survives_damage(index in 0..CORPUS.len(), at in 0_usize..600, byte: u8, drop: bool) {
            // Whatever a broken server sends: no panic, and a JSON value that comes out whole parses again.
            let mut body = CORPUS[index].as_bytes().to_vec();
            let at = at.min(body.len() - 1);
            if drop { body.truncate(at) } else { body[at] = byte };
            let masker = Masker::new(&secrets(Verb::List), StatusCode::OK, &typed("application/json")).unwrap();
            let mut masker = masker;
            let mut out = Vec::new();
            if masker.push(&body, &mut out).and_then(|()| masker.finish(&mut out)).is_ok() && index != 1 && !out.is_empty() {
                prop_assert!(crate::json::Value::parse(&out).is_ok());
            }
        }
    }
}
