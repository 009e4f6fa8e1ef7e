//! Ways past the guard that were thought of, each as the request that tries it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

use std::sync::Arc;

use countersign_core::json::Value;
use countersign_core::policy::{Decided, Facts, Need, PolicySet, Ruling, decide};
use countersign_core::request::{
    Canonical, Catalog, ClusterIdentity, Effect, Gate, Live, Target, object_target, pin_read, seal,
};
use countersign_core::{Refusal, Subject};
use http::HeaderMap;
use jiff::Timestamp;

fn understand(method: &str, target: &str, content_type: &str, body: &str) -> Result<Canonical, Refusal> {
    let catalog = Catalog::kubernetes().with_custom("example.com", "widgets", "Widget", true);
    let gate = Gate::new(Arc::new(catalog));
    let mut headers = HeaderMap::new();
    if !content_type.is_empty() {
        headers.insert(http::header::CONTENT_TYPE, content_type.parse().unwrap());
    }
    let target = Target::parse(method, target.as_bytes())?;
    gate.head(target, &headers)?.with_body(body.as_bytes())
}

fn judge(rules: &str, request: Canonical) -> Result<Decided, Refusal> {
    match rule(rules, request, &Facts::default()) {
        Ruling::Granted(decided) => Ok(decided),
        Ruling::Denied { refusal, .. } => Err(refusal),
        Ruling::Needs { .. } => panic!("a policy set needs no facts"),
    }
}

/// What has to be known about an object that is read; the object is asked for once.
fn judge_on(rules: &str, request: impl Fn() -> Canonical, live: &str) -> Result<Decided, Refusal> {
    let live = Live::Object(Arc::new(Value::parse(live.as_bytes()).unwrap()));
    let facts = match rule(rules, request(), &Facts::default()) {
        Ruling::Needs { needs, .. } => {
            assert_eq!(needs, [Need::LiveObject]);
            Facts::default().with_live_object(live)
        }
        _ => Facts::default(),
    };
    match rule(rules, request(), &facts) {
        Ruling::Granted(decided) => Ok(decided),
        Ruling::Denied { refusal, .. } => Err(refusal),
        Ruling::Needs { .. } => panic!("it asks again"),
    }
}

fn rule(rules: &str, request: Canonical, facts: &Facts) -> Ruling {
    let policy = format!(
        "apiVersion: countersign.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: p }}\nspec:\n  \
         subjects: [{{ user: agent }}]\n  scopes: [{{ namespaces: [team-a], resources: ['*'] }}]\n  \
         approval: {{ approvers: [{{ group: sre }}], quorum: 1, timeout: 1m, pin: uid }}\n  rules:\n{rules}"
    );
    let policy = PolicySet::from_yaml(&[("p.yaml", policy)]).unwrap_or_else(|errors| panic!("{errors}"));
    decide(&policy, &Subject::new("agent"), request, facts, Timestamp::UNIX_EPOCH)
}

const CHANGES: &str = "  - name: changes\n    match: { verbs: [create, update, patch] }\n    allow: {}\n";
const HELD: &str = "  - name: held\n    match: { effects: [read, write, destructive, connect] }\n    hold: {}\n";

#[test]
fn an_eviction_is_no_mere_create() {
    // To the server both versions are the same eviction.
    for version in ["policy/v1", "policy/v1beta1"] {
        let body = format!(r#"{{"apiVersion":"{version}","kind":"Eviction","metadata":{{"name":"web-0"}}}}"#);
        let target = "/api/v1/namespaces/team-a/pods/web-0/eviction";
        let eviction = || understand("POST", target, "application/json", &body).unwrap();
        assert!(judge(CHANGES, eviction()).is_err(), "{version}");
        let deletions = "  - name: deletions\n    match: { verbs: [delete] , resources: ['*'] }\n    hold: {}\n";
        let held = judge(&format!("{CHANGES}{deletions}"), eviction()).unwrap();
        assert_eq!(held.decision().holds().len(), 1, "{version}");
    }
}

#[test]
fn the_answer_to_a_change_is_masked_like_a_read() {
    let mask = "  - name: hide\n    match: { verbs: [get, list, watch], resources: [configmaps] }\n    mask: { paths: [data.*] }\n";
    let target = "/api/v1/namespaces/team-a/configmaps/app";
    let patch = understand("PATCH", target, "application/merge-patch+json", "{}").unwrap();
    let decided = judge(&format!("{CHANGES}{mask}"), patch).unwrap();
    assert_eq!(decided.decision().masks().len(), 1);
}

#[test]
fn a_json_patch_reads_nothing_that_the_policy_masks() {
    let mask = "  - name: hide\n    match: { resources: [services] }\n    mask: { paths: [spec.clusterIP] }\n";
    let rules = format!("{CHANGES}{mask}");
    let patch = |body: &str| {
        let target = "/api/v1/namespaces/team-a/services/app";
        judge(
            &rules,
            understand("PATCH", target, "application/json-patch+json", body).unwrap(),
        )
    };
    assert!(patch(r#"[{"op":"copy","from":"/spec/clusterIP","path":"/metadata/labels/x"}]"#).is_err());
    assert!(patch(r#"[{"op":"test","path":"/spec","value":{}}]"#).is_err());
    assert!(patch(r#"[{"op":"test","path":"/spec/type","value":"ClusterIP"}]"#).is_ok());
}

/// What is masked only for what it looks like may be compared with what nobody would mask there.
#[test]
fn a_test_compares_with_nothing_that_would_be_masked() {
    let test = |path: &str, value: &str| {
        let target = "/apis/apps/v1/namespaces/team-a/deployments/web";
        let body = format!(r#"[{{"op":"test","path":"{path}","value":{value}}}]"#);
        judge(
            CHANGES,
            understand("PATCH", target, "application/json-patch+json", &body).unwrap(),
        )
        .is_ok()
    };
    const TOKEN: &str = r#""ghp_012345678901234567890123456789abcdef""#;
    for (path, value) in [
        ("/metadata/resourceVersion", r#""123""#),
        ("/metadata/uid", r#""3f1c9b7e-44d0-4a8c-9e6b-2f1c9b7e44d0""#),
        ("/metadata/generation", "3"),
        ("/metadata/labels", r#"{"app":"web"}"#),
        ("/metadata/labels/app", r#""web""#),
        ("/metadata/finalizers", r#"["example.com/keep"]"#),
        ("/metadata/annotations/deployment.kubernetes.io~1revision", r#""3""#),
        ("/spec/replicas", "3"),
        ("/spec/paused", "true"),
        ("/spec/selector", r#"{"matchLabels":{"app":"web"}}"#),
        ("/spec/strategy/type", r#""Recreate""#),
        ("/spec/template/spec/containers/0/name", r#""app""#),
        (
            "/spec/template/spec/containers/0/image",
            r#""registry.internal/app:1.2.3""#,
        ),
    ] {
        assert!(test(path, value), "{path}");
    }
    for (path, value) in [
        ("/metadata/labels", r#"{"db-password":"hunter2"}"#),
        ("/metadata/annotations/note", TOKEN),
        ("/spec/strategy/type", TOKEN),
        ("/spec/selector/matchLabels/x", TOKEN),
        ("/spec/template/metadata/annotations/db-password", r#""hunter2""#),
        (
            "/spec/template/spec/containers/0/image",
            r#""https://u:hunter2xyz@h/x""#,
        ),
        // What it is called stands beside it.
        ("/spec/template/spec/securityContext/sysctls/0/value", r#""x""#),
    ] {
        assert!(!test(path, value), "{path}");
    }
}

#[test]
fn a_held_connection_sends_nothing_before_its_approval() {
    for target in [
        "/api/v1/namespaces/team-a/services/app:80/proxy/admin/shutdown",
        "/api/v1/namespaces/team-a/pods/web-0/proxy/",
    ] {
        let proxied = understand("POST", target, "", "").unwrap();
        let decided = judge(HELD, proxied).unwrap();
        assert_eq!(pin_read(&decided), None, "{target}");
        assert_eq!(
            seal(decided, ClusterIdentity::named("c"), None).unwrap_err().status(),
            422
        );
    }
}

#[test]
fn an_empty_name_does_not_hide_a_generated_one() {
    let body = r#"{"metadata":{"generateName":"x-","name":""}}"#;
    let target = "/api/v1/namespaces/team-a/configmaps";
    let create = understand("POST", target, "application/json", body).unwrap();
    let refusal = seal(judge(HELD, create).unwrap(), ClusterIdentity::named("c"), None).unwrap_err();
    assert_eq!(refusal.status(), 422);
}

#[test]
fn a_secret_that_logs_in_is_a_credential() {
    let target = "/api/v1/namespaces/team-a/secrets";
    for secret_type in ["bootstrap.kubernetes.io/token", "kubernetes.io/service-account-token"] {
        let body = format!(r#"{{"metadata":{{"name":"x"}},"type":"{secret_type}"}}"#);
        let create = understand("POST", target, "application/json", &body).unwrap();
        assert!(create.effects().contains(Effect::Credential), "{secret_type}");
        assert!(judge(CHANGES, create).is_err());
    }
}

/// A type that a JSON Patch takes from elsewhere may be any.
#[test]
fn a_json_patch_makes_a_secret_a_credential_too() {
    let credential = |resource: &str, operation: &str| {
        let target = format!("/api/v1/namespaces/team-a/{resource}/db");
        let patch = understand(
            "PATCH",
            &target,
            "application/json-patch+json",
            &format!("[{operation}]"),
        )
        .unwrap();
        let found = patch.effects().contains(Effect::Credential);
        assert!(!found || judge(CHANGES, patch).is_err(), "{operation}");
        found
    };
    for secret_type in ["bootstrap.kubernetes.io/token", "kubernetes.io/service-account-token"] {
        for operation in ["add", "replace"] {
            for (path, value) in [
                ("/type", format!(r#""{secret_type}""#)),
                ("", format!(r#"{{"type":"{secret_type}"}}"#)),
            ] {
                let operation = format!(r#"{{"op":"{operation}","path":"{path}","value":{value}}}"#);
                assert!(credential("secrets", &operation), "{operation}");
                assert!(!credential("configmaps", &operation), "{operation}");
            }
        }
    }
    for operation in [
        r#"{"op":"copy","from":"/metadata/labels/a","path":"/type"}"#,
        r#"{"op":"move","from":"/metadata/labels/a","path":"/type"}"#,
        r#"{"op":"add","path":"/metadata/labels/x","value":"bootstrap.kubernetes.io/token"},{"op":"copy","from":"/metadata/labels/x","path":"/type"}"#,
    ] {
        assert!(credential("secrets", operation), "{operation}");
    }
    for operation in [
        r#"{"op":"replace","path":"/type","value":"Opaque"}"#,
        r#"{"op":"test","path":"/type","value":"bootstrap.kubernetes.io/token"}"#,
        r#"{"op":"copy","from":"/type","path":"/metadata/labels/a"}"#,
        r#"{"op":"replace","path":"/metadata/labels/type","value":"bootstrap.kubernetes.io/token"}"#,
    ] {
        assert!(!credential("secrets", operation), "{operation}");
    }
}

#[test]
fn what_others_may_do_is_told_only_where_a_rule_names_it() {
    let rule =
        |resources: &str| format!("  - name: look\n    match: {{ effects: [review]{resources} }}\n    allow: {{}}\n");
    let ask = |rules: &str, resource: &str| {
        let target = format!("/apis/authorization.k8s.io/v1/namespaces/team-a/{resource}");
        judge(
            rules,
            understand("POST", &target, "application/json", r#"{"spec":{"user":"admin"}}"#).unwrap(),
        )
    };
    assert!(ask(&rule(""), "localsubjectaccessreviews").is_err());
    assert!(ask(&rule(", resources: ['*']"), "localsubjectaccessreviews").is_err());
    let named = rule(", resources: [localsubjectaccessreviews.authorization.k8s.io]");
    assert!(ask(&named, "localsubjectaccessreviews").is_ok());
}

#[test]
fn a_long_key_makes_no_long_refusal() {
    let key = "\u{ad}".repeat(200_000);
    let markers = vec!["\"countersign.masked.value\""; 32].join(",");
    let body = format!(r#"{{"metadata":{{"name":"x"}},"{key}":[{markers}]}}"#);
    let target = "/api/v1/namespaces/team-a/configmaps";
    let create = understand("POST", target, "application/json", &body).unwrap();
    let refusal = judge(CHANGES, create).unwrap_err();
    assert_eq!(refusal.status(), 422);
    assert!(refusal.message().len() < 20_000, "{}", refusal.message().len());
}

/// A collection that a field selector narrows down to one object has a name, but what is behind its URL is a list, which
/// has no labels.
#[test]
fn a_list_of_one_does_not_shed_its_labels() {
    let look = "  - name: look\n    match: { effects: [read, read-stream] }\n    allow: {}\n";
    let mask = "  - name: hide\n    match: { labels: { tier: internal } }\n    mask: { paths: [data.*] }\n";
    for query in [
        "fieldSelector=metadata.name%3Dapp",
        "fieldSelector=metadata.name%3Dapp&watch=true",
    ] {
        let target = format!("/api/v1/namespaces/team-a/configmaps?{query}");
        let list = || understand("GET", &target, "", "").unwrap();
        assert_eq!(object_target(&list()), None, "{query}");
        let live = r#"{"kind":"ConfigMapList","metadata":{},"items":[]}"#;
        let decided = judge_on(&format!("{look}{mask}"), list, live).unwrap();
        assert_eq!(decided.decision().masks().len(), 1, "{query}");
    }
}

/// A hold that only restricts says nothing about whether what is of concern was to be permitted.
#[test]
fn a_hold_that_does_not_permit_approves_no_concern() {
    let rules = "  - name: changes\n    match: { effects: [write] }\n    allow: {}\n  \
                 - name: interns\n    match: { names: [web] }\n    hold: { approvers: [{ group: interns }] }\n";
    let body = r#"{"metadata":{"name":"web"},"spec":{"serviceAccountName":"admin","containers":[{"name":"a","image":"evil"}]}}"#;
    let target = "/api/v1/namespaces/team-a/pods";
    let create = understand("POST", target, "application/json", body).unwrap();
    let decided = judge(rules, create).unwrap();
    let holds = decided.decision().holds();
    assert_eq!(holds.len(), 2, "{holds:?}");
    assert!(holds.iter().any(|terms| terms.rule.starts_with("countersign/")));
}

/// More effects are not always worse: a condition can ask that one is not there.
#[test]
fn a_condition_can_be_about_what_is_not_there() {
    let rules = "  - name: changes\n    match: { effects: [write, destructive] }\n    allow: {}\n  \
                 - name: only-destructive\n    match: { effects: [write] }\n    \
                 when: '!(\"destructive\" in effects)'\n    deny: {}\n";
    let target = "/api/v1/namespaces/team-a/configmaps/app";
    let body = r#"{"metadata":{"name":"app"},"data":{"a":"b"}}"#;
    let live = r#"{"metadata":{"name":"app","uid":"u","resourceVersion":"1"},"data":{"a":"b"}}"#;
    let update = || understand("PUT", target, "application/json", body).unwrap();
    assert!(judge_on(rules, update, live).is_err());
}

/// Of an object that can't be read nobody knows the labels, whatever the change leaves behind.
#[test]
fn a_replacement_does_not_vouch_for_labels_that_it_replaces() {
    let changes = "  - name: changes\n    match: { effects: [write, destructive] }\n    allow: {}\n";
    let protected = "  - name: keep\n    match: { labels: { keep: \"true\" } }\n    deny: {}\n";
    let target = "/api/v1/namespaces/team-a/configmaps/app";
    let body = r#"{"metadata":{"name":"app"},"data":{"a":"b"}}"#;
    let update = || understand("PUT", target, "application/json", body).unwrap();
    let unreadable = Facts::default().with_live_object(Live::Unreadable);
    let ruling = rule(&format!("{changes}{protected}"), update(), &unreadable);
    assert!(matches!(ruling, Ruling::Denied { .. }), "{ruling:?}");
    let own = "  - name: own\n    match: { labels: { mine: \"true\" } }\n    allow: {}\n";
    let body = r#"{"metadata":{"name":"app","labels":{"mine":"true"}},"data":{"a":"b"}}"#;
    let claim = understand("PUT", target, "application/json", body).unwrap();
    let ruling = rule(own, claim, &unreadable);
    assert!(matches!(ruling, Ruling::Denied { .. }), "{ruling:?}");
}

/// Whether a value equals the hidden one can be read off the answer to a dry run: off a conflict, or off the generation.
#[test]
fn a_dry_run_is_no_guess_at_what_is_hidden() {
    let suggest = |mask: &str, target: &str, body: &str| {
        let policy = format!(
            "apiVersion: countersign.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: p }}\nspec:\n  profile: suggest\n  \
             subjects: [{{ user: agent }}]\n  scopes: [{{ namespaces: [team-a] }}]\n{mask}"
        );
        let policy = PolicySet::from_yaml(&[("p.yaml", policy)]).unwrap_or_else(|errors| panic!("{errors}"));
        let request = understand("PATCH", target, "application/merge-patch+json", body).unwrap();
        let facts = Facts::default().with_live_object(Live::Object(Arc::new(
            Value::parse(br#"{"metadata":{"name":"x","uid":"u","resourceVersion":"1"},"spec":{"pin":"1234"},"data":{"a":"eA=="}}"#).unwrap(),
        )));
        matches!(
            decide(&policy, &Subject::new("agent"), request, &facts, Timestamp::UNIX_EPOCH),
            Ruling::Granted(_)
        )
    };
    let secret = "/api/v1/namespaces/team-a/secrets/x?dryRun=All";
    assert!(!suggest("", secret, r#"{"data":{"a":"eA=="}}"#));
    assert!(suggest("", secret, r#"{"metadata":{"labels":{"a":"b"}}}"#));
    let widget = "/apis/example.com/v1/namespaces/team-a/widgets/x?dryRun=All";
    assert!(!suggest("", widget, r#"{"spec":{"pin":"1234"}}"#));
    let hide =
        "  rules:\n  - name: hide\n    match: { resources: [services] }\n    mask: { paths: [spec.sessionAffinity] }\n";
    let service = "/api/v1/namespaces/team-a/services/x?dryRun=All";
    assert!(suggest("", service, r#"{"spec":{"sessionAffinity":"None"}}"#));
    assert!(!suggest(hide, service, r#"{"spec":{"sessionAffinity":"None"}}"#));
}

/// A change of a status carries labels along, for some kinds.
#[test]
fn a_status_carries_no_labels_in() {
    let rules = "  - name: own\n    match: { resources: [pods/status], labels: { mine: \"true\" } }\n    allow: {}\n  \
                 - name: keep\n    match: { labels: { keep: \"true\" } }\n    deny: {}\n";
    let target = "/api/v1/namespaces/team-a/pods/app/status";
    let live = r#"{"metadata":{"name":"app","uid":"u","resourceVersion":"1","labels":{"mine":"true"}}}"#;
    let patch = |labels: &str| {
        let body = format!(r#"{{"metadata":{{"labels":{labels}}}}}"#);
        judge_on(
            rules,
            || understand("PATCH", target, "application/merge-patch+json", &body).unwrap(),
            live,
        )
    };
    assert!(patch(r#"{"a":"b"}"#).is_ok());
    assert!(patch(r#"{"keep":"true"}"#).is_err());
}

/// What no rule would permit whatever the object is like is not looked up: the answer would tell what it is like.
#[test]
fn nothing_is_told_about_objects_out_of_scope() {
    let rules = "  - name: changes\n    match: { effects: [write, destructive] }\n    allow: {}\n  \
                 - name: keep\n    match: { labels: { keep: \"true\" } }\n    deny: {}\n  \
                 - name: frozen\n    match: { verbs: [delete] }\n    \
                 when: oldObject.?metadata.?labels.?frozen.orValue(\"\") == \"true\"\n    deny: {}\n";
    let delete = |namespace: &str| {
        let target = format!("/api/v1/namespaces/{namespace}/pods/app");
        rule(rules, understand("DELETE", &target, "", "").unwrap(), &Facts::default())
    };
    assert!(matches!(delete("team-a"), Ruling::Needs { .. }));
    let out = delete("team-b");
    assert!(matches!(out, Ruling::Denied { .. }), "{out:?}");
}

/// Kubernetes' own policies see each object that a collection's deletion deletes; here none is known, which is no error
/// of theirs that they could ignore.
#[test]
fn a_collection_is_not_deleted_past_a_policy_that_ignores_errors() {
    let vap = "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: { name: keep }\n\
spec:\n  failurePolicy: Ignore\n  matchConstraints:\n    resourceRules:\n    - { apiGroups: [''], apiVersions: [v1], operations: [DELETE], resources: [pods] }\n  \
validations:\n  - { expression: \"!has(oldObject.metadata.labels)\" }\n---\n\
apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: { name: keep }\n\
spec: { policyName: keep, validationActions: [Deny] }\n";
    let all = "apiVersion: countersign.dev/v1alpha1\nkind: Policy\nmetadata: { name: p }\nspec:\n  \
               subjects: [{ user: agent }]\n  scopes: [{ namespaces: [team-a] }]\n  \
               rules: [{ name: all, match: { effects: [destructive] }, allow: {} }]\n";
    let policy = PolicySet::from_yaml(&[("p.yaml", all), ("v.yaml", vap)]).unwrap_or_else(|errors| panic!("{errors}"));
    let request = understand("DELETE", "/api/v1/namespaces/team-a/pods", "", "").unwrap();
    let ruling = decide(
        &policy,
        &Subject::new("agent"),
        request,
        &Facts::default(),
        Timestamp::UNIX_EPOCH,
    );
    assert!(matches!(ruling, Ruling::Denied { .. }), "{ruling:?}");
}

/// What is permitted for what an object is like is held to that, even if it is deleted.
#[test]
fn a_deletion_is_held_to_the_labels_that_it_was_permitted_for() {
    let rules = "  - name: batch\n    match: { verbs: [delete], labels: { tier: batch } }\n    allow: {}\n";
    let live = r#"{"metadata":{"name":"app","uid":"u","resourceVersion":"7","labels":{"tier":"batch"}}}"#;
    let target = "/api/v1/namespaces/team-a/pods/app";
    let decided = judge_on(rules, || understand("DELETE", target, "", "").unwrap(), live).unwrap();
    let sealed = seal(decided, ClusterIdentity::named("c"), None).unwrap();
    let body = String::from_utf8_lossy(&sealed.plan()[0].body).into_owned();
    assert!(body.contains(r#""resourceVersion":"7""#), "{body}");
}

/// What is permitted because there is no such object can't become a change of one that appears meanwhile.
#[test]
fn what_is_judged_as_a_create_changes_nothing() {
    let absent = Facts::default().with_live_object(Live::Absent);
    let judged = |request| match decide(
        &PolicySet::insecure_allow_all(),
        &Subject::new("agent"),
        request,
        &absent,
        Timestamp::UNIX_EPOCH,
    ) {
        Ruling::Granted(decided) => decided,
        other => panic!("{other:?}"),
    };
    let map = "/api/v1/namespaces/team-a/configmaps/app";
    let apply = format!("{map}?fieldManager=agent");
    let object = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"app","resourceVersion":"9"}}"#;
    let in_metadata = r#""metadata":{"name":"app","resourceVersion":"1"}"#;
    for (method, target, content_type, body, expected) in [
        (
            "PATCH",
            apply.as_str(),
            "application/apply-patch+yaml",
            object,
            in_metadata,
        ),
        ("PUT", map, "application/json", object, in_metadata),
        (
            "PATCH",
            map,
            "application/merge-patch+json",
            r#"{"data":{"a":"b"}}"#,
            r#""metadata":{"resourceVersion":"1"}"#,
        ),
        (
            "PATCH",
            map,
            "application/json-patch+json",
            r#"[{"op":"add","path":"/data/a","value":"b"}]"#,
            r#"[{"op":"test","path":"/metadata/resourceVersion","value":"1"},{"op":"add""#,
        ),
        ("DELETE", map, "", "", r#""preconditions":{"resourceVersion":"1"}"#),
    ] {
        let request = || understand(method, target, content_type, body).unwrap();
        let decided = judged(request());
        let sealed = seal(decided, ClusterIdentity::named("c"), None).unwrap();
        assert!(sealed.targets().is_empty());
        let sent = String::from_utf8_lossy(&sealed.plan()[0].body).into_owned();
        assert!(sent.contains(expected), "{method} {content_type}: {sent}");
        // It is there by the time that it would be pinned.
        let appeared = Value::parse(object.as_bytes()).unwrap();
        let decided = judged(request());
        let refusal = seal(decided, ClusterIdentity::named("c"), Some(&appeared)).unwrap_err();
        assert_eq!(refusal.status(), 409, "{method} {content_type}");
    }
}
