//! Where pods' specifications are found.

use super::*;

/// Kind, and an object of it with `@` where the pod's specification stands.
const KINDS: [(&str, &str, &str, &str); 10] = [
    ("", "pods", r#"{"spec":@}"#, "/spec"),
    ("", "podtemplates", r#"{"template":{"spec":@}}"#, "/template/spec"),
    (
        "",
        "replicationcontrollers",
        r#"{"spec":{"template":{"spec":@}}}"#,
        "/spec/template/spec",
    ),
    (
        "apps",
        "deployments",
        r#"{"spec":{"template":{"spec":@}}}"#,
        "/spec/template/spec",
    ),
    (
        "apps",
        "replicasets",
        r#"{"spec":{"template":{"spec":@}}}"#,
        "/spec/template/spec",
    ),
    (
        "apps",
        "statefulsets",
        r#"{"spec":{"template":{"spec":@}}}"#,
        "/spec/template/spec",
    ),
    (
        "apps",
        "daemonsets",
        r#"{"spec":{"template":{"spec":@}}}"#,
        "/spec/template/spec",
    ),
    (
        "apps",
        "controllerrevisions",
        r#"{"data":{"spec":{"template":{"spec":@}}}}"#,
        "/data/spec/template/spec",
    ),
    (
        "batch",
        "jobs",
        r#"{"spec":{"template":{"spec":@}}}"#,
        "/spec/template/spec",
    ),
    (
        "batch",
        "cronjobs",
        r#"{"spec":{"jobTemplate":{"spec":{"template":{"spec":@}}}}}"#,
        "/spec/jobTemplate/spec/template/spec",
    ),
];

const SPEC: &str = r#"{"hostPID":true,"containers":[{"name":"c","image":"x"}]}"#;

#[test]
fn every_built_in_kind_with_a_template() {
    for (group, resource, object, place) in KINDS {
        assert_eq!(
            found_in(group, resource, &Was::Nothing, &object.replace('@', SPEC)),
            [
                format!("host-pid {place}/hostPID"),
                format!("image {place}/containers/0/image x")
            ],
            "{resource}"
        );
    }
    for (group, resource) in [("", "services"), ("", "configmaps"), ("networking.k8s.io", "ingresses")] {
        let object = r#"{"spec":@}"#.replace('@', SPEC);
        assert!(
            found_in(group, resource, &Was::Nothing, &object).is_empty(),
            "{resource}"
        );
    }
}

#[test]
fn whatever_looks_like_one_in_other_kinds() {
    for (object, place) in [
        (r#"{"spec":{"template":{"spec":@}}}"#, "/spec/template/spec"),
        (r#"{"spec":@}"#, "/spec"),
        (r#"{"spec":{"podTemplate":@}}"#, "/spec/podTemplate"),
        (r#"{"spec":{"podTemplate":{"spec":@}}}"#, "/spec/podTemplate/spec"),
        (
            r#"{"spec":{"workers":[{"template":{"spec":@}}]}}"#,
            "/spec/workers/0/template/spec",
        ),
        (
            r#"{"spec":{"replicaSpecs":{"Worker":{"template":{"spec":@}}}}}"#,
            "/spec/replicaSpecs/Worker/template/spec",
        ),
        (r#"{"spec":{"podTemplates":[{"spec":@}]}}"#, "/spec/podTemplates/0/spec"),
        (r#"{"anything":{"at":{"all":@}}}"#, "/anything/at/all"),
        (r#"[{"x":@}]"#, "/0/x"),
    ] {
        for group in ["example.com", "aggregated.example.com"] {
            let object = object.replace('@', SPEC);
            assert_eq!(
                found_in(group, "widgets", &Was::Nothing, &object),
                [
                    format!("host-pid {place}/hostPID"),
                    format!("image {place}/containers/0/image x")
                ],
                "{object}"
            );
        }
    }
}

#[test]
fn a_template_is_known_by_its_place_even_without_containers() {
    for object in [
        r#"{"spec":{"template":{"spec":{"hostPID":true}}}}"#,
        r#"{"spec":{"podTemplate":{"spec":{"hostPID":true}}}}"#,
        r#"{"spec":{"podTemplate":{"hostPID":true}}}"#,
        r#"{"spec":{"sidecarPodSpec":{"hostPID":true}}}"#,
    ] {
        assert_eq!(
            found_in("example.com", "widgets", &Was::Unknown, object).len(),
            1,
            "{object}"
        );
    }
    let confined = r#"{"spec":{"template":{"metadata":{"annotations":{"seccomp.security.alpha.kubernetes.io/pod":"unconfined"}}}}}"#;
    assert_eq!(found_in("example.com", "widgets", &Was::Unknown, confined).len(), 1);
    for object in [
        r#"{"spec":{"hostPID":true,"image":"x","size":3}}"#,
        r#"{"spec":{"template":"text","containers":3}}"#,
        r#"{"spec":{"volumeClaimTemplate":{"spec":{"accessModes":["ReadWriteOnce"],"volumeName":"x"}}}}"#,
        r#"{"status":{"containers":"3/3"}}"#,
    ] {
        assert!(
            found_in("example.com", "widgets", &Was::Unknown, object).is_empty(),
            "{object}"
        );
    }
}

#[test]
fn what_lies_too_deep_is_found_for_that() {
    let mut deep = Value::Null;
    for _ in 0..300 {
        let mut object = crate::json::Object::new();
        object.insert("a", deep);
        deep = object.into();
    }
    let attributes = Attributes::for_test(Verb::Patch, "example.com", "widgets");
    let states = States {
        before: Before::Seen(deep.clone()),
        after: deep,
    };
    let mut out = Vec::new();
    findings(&attributes, &kind("example.com", "widgets"), &states, &mut out);
    assert_eq!(out.len(), 1);
    assert_eq!(
        out.first().unwrap().concern,
        super::super::super::Concern::TemplateChange
    );
}

#[test]
fn subresources_without_a_specification_are_left_alone() {
    for (subresource, found) in [
        ("", true),
        ("resize", true),
        ("ephemeralcontainers", true),
        ("status", false),
        ("eviction", false),
        ("binding", false),
    ] {
        let mut attributes = Attributes::for_test(Verb::Patch, "", "pods");
        attributes.subresource = subresource.to_owned().into();
        let mut out = Vec::new();
        let states = states(&Was::Unknown, r#"{"spec":{"hostPID":true}}"#);
        findings(&attributes, &kind("", "pods"), &states, &mut out);
        assert_eq!(!out.is_empty(), found, "{subresource}");
    }
}

#[test]
fn the_token_is_switched_off_where_it_is_left_open() {
    for (group, resource, object, place) in KINDS {
        let attributes = Attributes::for_test(Verb::Create, group, resource);
        let switch = |spec: &str| token_mount_switch(&attributes, &states(&Was::Nothing, &object.replace('@', spec)));
        let tokens = switch(SPEC).unwrap();
        assert_eq!(
            format!("/{}", tokens.join("/")),
            format!("{place}/automountServiceAccountToken")
        );
        assert!(
            switch(r#"{"automountServiceAccountToken":null}"#).is_some(),
            "{resource}"
        );
        for closed in [
            r#"{"automountServiceAccountToken":false}"#,
            r#"{"automountServiceAccountToken":true}"#,
            "7",
            "[]",
        ] {
            assert_eq!(switch(closed), None, "{resource} {closed}");
        }
        for was in [Was::NotRead, Was::Unknown, Was::Seen("{}")] {
            assert_eq!(
                token_mount_switch(&attributes, &states(&was, &object.replace('@', SPEC))),
                None
            );
        }
    }
    let attributes = Attributes::for_test(Verb::Create, "", "configmaps");
    assert_eq!(
        token_mount_switch(&attributes, &states(&Was::Nothing, r#"{"spec":{}}"#)),
        None
    );
}
