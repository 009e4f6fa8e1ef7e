//! Masked values that are written back: what keeps the live value, and every other use that a marker could be put to.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what is wrong by panicking"
)]

use std::sync::Arc;

use countersign_core::approval::{Ticket, permit_allowed};
use countersign_core::json::Value;
use countersign_core::policy::{Decided, Facts, Need, PolicySet, Ruling, decide};
use countersign_core::request::{Canonical, Catalog, ClusterIdentity, Gate, Live, Target, pin_read, seal};
use countersign_core::subject::Claims;
use countersign_core::{Refusal, Subject};
use http::HeaderMap;
use jiff::Timestamp;

const SECRET: &str = "/api/v1/namespaces/team-a/secrets/db";
const MARK: &str = "Y291bnRlcnNpZ24ubWFza2VkLnZhbHVl";
const MERGE: &str = "application/merge-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";
const LIVE: &str = r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"db","namespace":"team-a","uid":"u1","resourceVersion":"7"},
    "data":{"password":"aHVudGVyMg==","user":"Ym9i","lost":"Y291bnRlcnNpZ24ubWFza2VkLnZhbHVl"},"type":"Opaque"}"#;

/// Changes pass, or are held, and masked values are restored, or not.
fn policy(mode: &str, action: &str) -> PolicySet {
    let text = format!(
        "apiVersion: countersign.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: p }}\nspec:\n  \
         subjects: [{{ user: agent }}]\n  scopes: [{{ namespaces: [team-a], resources: ['*'] }}]\n  \
         approval: {{ approvers: [{{ group: sre }}] }}\n  masking: {{ writeBack: {mode} }}\n  \
         rules: [{{ name: a, match: {{ effects: [write, destructive] }}, {action}: {{}} }}]\n"
    );
    PolicySet::from_yaml(&[("p.yaml", text)]).unwrap_or_else(|errors| panic!("{errors}"))
}

fn request(method: &str, target: &str, content_type: &str, body: &str) -> Canonical {
    let catalog = Catalog::kubernetes().with_custom("example.com", "widgets", "Widget", true);
    let gate = Gate::new(Arc::new(catalog));
    let mut headers = HeaderMap::new();
    headers.insert(http::header::CONTENT_TYPE, content_type.parse().unwrap());
    let target = Target::parse(method, target.as_bytes()).unwrap();
    let head = gate.head(target, &headers).unwrap();
    head.with_body(body.as_bytes())
        .unwrap_or_else(|refusal| panic!("{refusal:?}"))
}

fn put(body: &str) -> Canonical {
    request("PUT", SECRET, "application/json", body)
}

fn live() -> Arc<Value> {
    Arc::new(Value::parse(LIVE.as_bytes()).unwrap())
}

/// Decides with the live object, which is read where it is asked for.
fn judge(policy: &PolicySet, request: Canonical) -> Result<Decided, Refusal> {
    let ask = |request, facts: &Facts| decide(policy, &Subject::new("agent"), request, facts, Timestamp::UNIX_EPOCH);
    match ask(request, &Facts::default()) {
        Ruling::Granted(decided) => Ok(decided),
        Ruling::Denied { refusal, .. } => Err(refusal),
        Ruling::Needs { request, needs } => {
            assert_eq!(needs, [Need::LiveObject]);
            match ask(request, &Facts::default().with_live_object(Live::Object(live()))) {
                Ruling::Granted(decided) => Ok(decided),
                Ruling::Denied { refusal, .. } => Err(refusal),
                Ruling::Needs { .. } => panic!("it asks again"),
            }
        }
    }
}

fn restoring(request: Canonical) -> Result<Decided, Refusal> {
    judge(&policy("restore", "allow"), request)
}

/// What reaches the server.
fn sent(decided: Decided) -> String {
    let sealed = seal(decided, ClusterIdentity::named("c"), None).unwrap();
    let shown = format!("{sealed:?}");
    // Of all that is shown or recorded, only the object that was read for the decision has the value.
    assert_eq!(shown.matches("aHVudGVyMg==").count(), 1, "{shown}");
    let permit = permit_allowed(&sealed).unwrap();
    let (_, plan) = sealed.open(permit).unwrap();
    assert_eq!(plan.len(), 1);
    String::from_utf8(plan[0].body.to_vec()).unwrap()
}

const READ: &str = r#""metadata":{"name":"db","uid":"u1","resourceVersion":"7"}"#;

#[test]
fn what_was_read_can_be_replaced() {
    let body = format!(r#"{{{READ},"data":{{"password":"{MARK}","user":"{MARK}","more":"bmV3"}}}}"#);
    let decided = restoring(put(&body)).unwrap();
    assert_eq!(decided.restored(), ["password", "user"]);
    // The rest is judged as ever: `lost` vanishes.
    assert!(decided.decision().effects().to_string().contains("destructive"));
    assert_eq!(
        sent(decided),
        format!(r#"{{{READ},"data":{{"password":"aHVudGVyMg==","user":"Ym9i","more":"bmV3"}}}}"#)
    );
}

#[test]
fn what_stays_is_not_overwritten() {
    let write_only = policy("restore", "allow");
    let body = format!(r#"{{{READ},"data":{{"password":"{MARK}"}}}}"#);
    for content_type in [MERGE, STRATEGIC] {
        let decided = judge(&write_only, request("PATCH", SECRET, content_type, &body)).unwrap();
        assert!(
            !decided.decision().effects().to_string().contains("destructive"),
            "{content_type}"
        );
        assert_eq!(sent(decided), body.replace(MARK, "aHVudGVyMg=="));
    }
    let own = body.replace(MARK, "aHVudGVyMg==");
    let decided = judge(&write_only, request("PATCH", SECRET, MERGE, &own)).unwrap();
    assert!(
        decided.decision().effects().to_string().contains("destructive"),
        "a guess at the value"
    );
}

#[test]
fn a_uid_is_pinned_where_none_is_named() {
    let body = format!(r#"{{"metadata":{{"name":"db","resourceVersion":"7"}},"data":{{"password":"{MARK}"}}}}"#);
    let sent = sent(restoring(put(&body)).unwrap());
    assert!(sent.contains(r#""resourceVersion":"7","uid":"u1""#), "{sent}");
}

#[test]
fn without_the_mode_it_is_refused() {
    let body = format!(r#"{{{READ},"data":{{"password":"{MARK}"}}}}"#);
    let refusal = judge(&policy("refuse", "allow"), put(&body)).unwrap_err();
    assert_eq!(
        (refusal.status().as_u16(), refusal.rule()),
        (422, Some("countersign/masked-value"))
    );
    assert!(refusal.message().ends_with("at data.password"), "{refusal:?}");
    let denied = judge(&policy("restore", "deny"), put(&body)).unwrap_err();
    assert_eq!(denied.status(), 403);
}

#[test]
fn another_version_is_a_conflict_and_none_is_refused() {
    for (metadata, status) in [
        (r#"{"name":"db"}"#, 422),
        (r#"{"name":"db","uid":"u1"}"#, 422),
        (r#"{"name":"db","uid":"u1","resourceVersion":""}"#, 422),
        (r#"{"name":"db","uid":"u1","resourceVersion":"6"}"#, 409),
        (r#"{"name":"db","uid":"u2","resourceVersion":"7"}"#, 409),
    ] {
        let body = format!(r#"{{"metadata":{metadata},"data":{{"password":"{MARK}"}}}}"#);
        let refusal = restoring(put(&body)).unwrap_err();
        assert_eq!(refusal.status().as_u16(), status, "{metadata}");
    }
}

/// Moved anywhere else, the marker would fetch the value to where it can be read.
#[test]
fn a_marker_fetches_nothing_to_another_place() {
    let text = "countersign.masked.value";
    let twice = "WTI5MWJuUmxjbk5wWjI0dWJXRnphMlZrTG5aaGJIVmw=";
    let moved = [
        format!(r#""data":{{"other":"{MARK}"}}"#),
        format!(r#""data":{{"lost":"{MARK}"}}"#),
        format!(r#""data":{{"password":"{text}"}}"#),
        format!(r#""data":{{"password":" {MARK}"}}"#),
        format!(r#""data":{{"password":"{MARK}\n"}}"#),
        format!(r#""data":{{"password":"{twice}"}}"#),
        format!(r#""data":{{"password":["{MARK}"]}}"#),
        format!(r#""data":{{"password":{{"a":"{MARK}"}}}}"#),
        format!(r#""data":{{"{text}":"{MARK}"}}"#),
        format!(r#""data":{{"{MARK}":"eA=="}}"#),
        format!(r#""data":"{MARK}""#),
        format!(r#""stringData":{{"password":"{text}"}}"#),
        format!(r#""stringData":{{"password":"{MARK}"}}"#),
        format!(r#""type":"{MARK}""#),
        format!(r#""data":{{"password":"{MARK}"}},"type":"{MARK}""#),
        format!(r#""data":{{"password":"{MARK}"}},"stringData":{{"copy":"{MARK}"}}"#),
        format!(r#""spec":{{"data":{{"password":"{MARK}"}}}}"#),
    ];
    for moved in moved {
        let body = format!("{{{READ},{moved}}}");
        let refusal = restoring(put(&body)).unwrap_err();
        assert_eq!(refusal.status().as_u16(), 422, "{body}");
        let patched = restoring(request("PATCH", SECRET, MERGE, &body)).unwrap_err();
        assert_eq!(patched.status().as_u16(), 422, "{body}");
    }
    for metadata in ["annotations", "labels"] {
        let body = format!(
            r#"{{"metadata":{{"name":"db","uid":"u1","resourceVersion":"7","{metadata}":{{"x":"{text}"}}}},"data":{{"password":"{MARK}"}}}}"#
        );
        assert_eq!(restoring(put(&body)).unwrap_err().status(), 422, "{metadata}");
    }
}

#[test]
fn a_marker_fetches_nothing_into_another_object() {
    let namespace = "/api/v1/namespaces/team-a";
    let data = |name: &str| {
        format!(r#"{{"metadata":{{"name":"{name}","uid":"u1","resourceVersion":"7"}},"data":{{"password":"{MARK}"}}}}"#)
    };
    for (method, target, content_type, body) in [
        (
            "POST",
            format!("{namespace}/secrets"),
            "application/json",
            format!(r#"{{"metadata":{{"name":"new"}},"data":{{"password":"{MARK}"}}}}"#),
        ),
        (
            "PUT",
            format!("{namespace}/configmaps/db"),
            "application/json",
            data("db"),
        ),
        ("PATCH", format!("{namespace}/configmaps/db"), MERGE, data("db")),
        (
            "PUT",
            "/apis/example.com/v1/namespaces/team-a/widgets/db".to_owned(),
            "application/json",
            data("db").replace(
                "{\"metadata",
                "{\"kind\":\"Widget\",\"apiVersion\":\"example.com/v1\",\"metadata",
            ),
        ),
        (
            "PATCH",
            SECRET.to_owned(),
            "application/json-patch+json",
            format!(r#"[{{"op":"replace","path":"/data/password","value":"{MARK}"}}]"#),
        ),
        (
            "PATCH",
            SECRET.to_owned(),
            "application/json-patch+json",
            format!(r#"[{{"op":"add","path":"/data","value":{{"password":"{MARK}"}}}}]"#),
        ),
        (
            "PATCH",
            format!("{SECRET}?fieldManager=agent&force=true"),
            "application/apply-patch+yaml",
            format!(r#"{{"apiVersion":"v1","kind":"Secret",{READ},"data":{{"password":"{MARK}"}}}}"#),
        ),
    ] {
        let refusal = restoring(request(method, &target, content_type, &body)).unwrap_err();
        assert_eq!(
            (refusal.status().as_u16(), refusal.rule()),
            (422, Some("countersign/masked-value")),
            "{method} {target}"
        );
    }
}

/// An object of the same name that was made anew since is another one.
#[test]
fn a_marker_fetches_nothing_from_an_object_that_took_the_name() {
    let body = format!(r#"{{{READ},"data":{{"password":"{MARK}"}}}}"#);
    let held = judge(&policy("restore", "hold"), put(&body)).unwrap();
    assert!(pin_read(&held).is_some());
    let anew = LIVE.replace("\"u1\"", "\"u2\"").replace("\"7\"", "\"9\"");
    let anew = Value::parse(anew.as_bytes()).unwrap();
    assert_eq!(
        seal(held, ClusterIdentity::named("c"), Some(&anew))
            .unwrap_err()
            .status(),
        409
    );
}

#[test]
fn approvers_and_digests_see_the_marker() {
    let body = format!(r#"{{{READ},"data":{{"password":"{MARK}"}}}}"#);
    let sealed = |live: &str| {
        let live = Value::parse(live.as_bytes()).unwrap();
        let held = judge(&policy("restore", "hold"), put(&body)).unwrap();
        seal(held, ClusterIdentity::named("c"), Some(&live)).unwrap()
    };
    let one = sealed(LIVE);
    let ticket = Ticket::new(&one, &Claims::default(), "n", Timestamp::UNIX_EPOCH);
    assert_eq!(ticket.review.restored, ["data.password"]);
    assert!(ticket.review.body.contains(MARK) && !ticket.review.body.contains("aHVudGVyMg=="));
    // Else whoever sees the digest could try values against it.
    let other = sealed(&LIVE.replace("aHVudGVyMg==", "b3RoZXI="));
    assert_eq!(one.digest(), other.digest());
}

#[test]
fn nothing_is_left_of_a_value_that_was_destroyed() {
    let body = format!(r#"{{{READ},"data":{{"lost":"{MARK}","password":"{MARK}"}}}}"#);
    let refusal = restoring(put(&body)).unwrap_err();
    assert!(refusal.message().ends_with("at data.lost"), "{refusal:?}");
}
