//! Seal: a held change is pinned to the object that was reviewed, or refused.

use countersign_core::audit::Outcome::{Allow, CallerLeft, Deny, Error, Hold, HoldApproved};
use countersign_core::audit::Stage::{RequestReceived, ResponseComplete};
use http::Request;
use serde_json::{Value, json};

use crate::harness::{Answer, Broken, Sent, World, approve, delete_pod, pod, request, with_json};

const SETTINGS: &str = "/api/v1/namespaces/team-a/configmaps/settings";

fn settings() -> Value {
    json!({
        "kind": "ConfigMap", "apiVersion": "v1", "data": {"a": "b"},
        "metadata": {"name": "settings", "namespace": "team-a", "uid": "uid-2", "resourceVersion": "8"},
    })
}

async fn refused(request: Request<countersign_tower::Body>, read: Answer, refusal: (u16, &str)) {
    let world = World::answering([read]);
    assert_eq!(world.ask(request).await.refusal(), refusal);
    world.nothing_sent();
    assert!(world.backend.pending().is_empty(), "nobody was asked");
    assert_eq!(world.record(), [(ResponseComplete, Deny)]);
}

#[tokio::test]
async fn the_object_to_pin_can_not_be_read() {
    refused(delete_pod(), Answer::json(500, "{}"), (502, "upstream")).await;
}

#[tokio::test]
async fn the_object_to_pin_is_no_json() {
    refused(delete_pod(), Answer::json(200, "<html>"), (502, "upstream")).await;
}

#[tokio::test]
async fn the_object_to_pin_has_no_uid() {
    let read = Answer::json(200, r#"{"metadata":{"name":"web","resourceVersion":"7"}}"#);
    refused(delete_pod(), read, (502, "upstream")).await;
}

#[tokio::test]
async fn the_object_to_pin_has_another_name() {
    let read = Answer::json(200, pod().replace("\"web\"", "\"db\""));
    refused(delete_pod(), read, (502, "upstream")).await;
}

#[tokio::test]
async fn there_is_no_object_to_pin() {
    refused(delete_pod(), Answer::json(404, "{}"), (404, "conflict")).await;
}

#[tokio::test]
async fn reading_the_object_to_pin_breaks_down() {
    let world = World::answering([Answer::Fail(Broken("pin"))]);
    let error = world.send(delete_pod()).await.unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Broken("pin")));
    world.nothing_sent();
    assert_eq!(world.record(), [(ResponseComplete, Error)]);
}

#[tokio::test]
async fn the_caller_leaves_while_the_object_to_pin_is_read() {
    let world = World::answering([Answer::hangs()]);
    let asked = world.spawn(delete_pod());
    world.reached(1).await;
    asked.abort();
    assert!(asked.await.unwrap_err().is_cancelled());
    world.nothing_sent();
    assert_eq!(world.record(), [(ResponseComplete, CallerLeft)]);
}

#[tokio::test]
async fn the_body_names_another_uid() {
    let body = r#"{"kind":"DeleteOptions","apiVersion":"v1","preconditions":{"uid":"uid-9"}}"#;
    let delete = with_json("DELETE", "/api/v1/namespaces/team-a/pods/web", "application/json", body);
    refused(delete, Answer::json(200, pod()), (409, "conflict")).await;
}

#[tokio::test]
async fn the_body_names_an_older_version() {
    let mut body = settings();
    body["metadata"]["resourceVersion"] = "7".into();
    let put = with_json("PUT", SETTINGS, "application/json", &body.to_string());
    refused(put, Answer::json(200, settings().to_string()), (409, "conflict")).await;
}

/// Without an object to read: nothing reaches the server at all.
async fn unpinnable(request: Request<countersign_tower::Body>) {
    let world = World::with(|guard| guard.policy(HoldsEverything));
    assert_eq!(world.ask(request).await.refusal(), (422, "approval"));
    assert!(world.server.sent().is_empty());
    assert!(world.backend.pending().is_empty(), "nobody was asked");
    assert_eq!(world.record(), [(ResponseComplete, Deny)]);
}

#[tokio::test]
async fn a_generated_name_can_not_be_held() {
    let body = r#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"generateName":"note-"}}"#;
    let target = "/api/v1/namespaces/team-a/configmaps";
    unpinnable(with_json("POST", target, "application/json", body)).await;
}

#[tokio::test]
async fn a_collection_can_not_be_held() {
    unpinnable(request("DELETE", "/api/v1/namespaces/team-a/pods", "")).await;
}

/// Holds a change, approves it, and returns the body that was sent and the whole record.
async fn approved(request: Request<countersign_tower::Body>, live: String) -> (Sent, Value) {
    let world = World::answering([Answer::json(200, live.clone()), Answer::json(200, live)]);
    let asked = world.spawn(request);
    let ticket = world.vote(approve()).await;
    assert_eq!(asked.await.unwrap().unwrap().status(), 200);
    let sent = world.sent_once();
    assert_eq!(ticket.review.body, sent.body, "what was shown is what was sent");
    let outcomes = [
        (RequestReceived, Hold),
        (RequestReceived, HoldApproved),
        (ResponseComplete, HoldApproved),
    ];
    assert_eq!(world.record(), outcomes);
    let object = world.last().object_ref.unwrap();
    assert!(!object.uid.is_empty(), "the record names the object");
    let body = serde_json::from_str(&sent.body).unwrap();
    (sent, body)
}

#[tokio::test]
async fn a_delete_carries_its_pins() {
    let (sent, body) = approved(delete_pod(), pod().into()).await;
    assert_eq!(sent.method, "DELETE");
    assert_eq!(body["kind"], "DeleteOptions");
    assert_eq!(body["preconditions"], json!({"uid": "uid-1", "resourceVersion": "7"}));
}

#[tokio::test]
async fn a_put_carries_its_pins() {
    let body = json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "settings"}, "data": {"a": "c"}});
    let put = with_json("PUT", SETTINGS, "application/json", &body.to_string());
    let (_, body) = approved(put, settings().to_string()).await;
    assert_eq!(
        body["metadata"],
        json!({"name": "settings", "uid": "uid-2", "resourceVersion": "8"})
    );
    assert_eq!(body["data"], json!({"a": "c"}));
}

#[tokio::test]
async fn merge_and_strategic_patches_carry_their_pins() {
    for content_type in ["application/merge-patch+json", "application/strategic-merge-patch+json"] {
        let patch = with_json("PATCH", SETTINGS, content_type, r#"{"data":{"a":"c"}}"#);
        let (sent, body) = approved(patch, settings().to_string()).await;
        assert_eq!(sent.headers["content-type"], content_type);
        assert_eq!(
            body["metadata"],
            json!({"uid": "uid-2", "resourceVersion": "8"}),
            "{content_type}"
        );
    }
}

#[tokio::test]
async fn a_json_patch_tests_its_pins_first() {
    let patch = r#"[{"op":"replace","path":"/data/a","value":"c"}]"#;
    let patch = with_json("PATCH", SETTINGS, "application/json-patch+json", patch);
    let (_, body) = approved(patch, settings().to_string()).await;
    assert_eq!(
        body,
        json!([
            {"op": "test", "path": "/metadata/uid", "value": "uid-2"},
            {"op": "test", "path": "/metadata/resourceVersion", "value": "8"},
            {"op": "replace", "path": "/data/a", "value": "c"},
        ])
    );
}

#[tokio::test]
async fn an_apply_carries_its_pins() {
    let body = json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "settings"}, "data": {"a": "c"}});
    let target = format!("{SETTINGS}?fieldManager=agent");
    let apply = with_json("PATCH", &target, "application/apply-patch+yaml", &body.to_string());
    let (_, body) = approved(apply, settings().to_string()).await;
    assert_eq!(
        body["metadata"],
        json!({"name": "settings", "uid": "uid-2", "resourceVersion": "8"})
    );
}

#[tokio::test]
async fn an_eviction_carries_its_pins() {
    let body =
        json!({"kind": "Eviction", "apiVersion": "policy/v1", "metadata": {"name": "web", "namespace": "team-a"}});
    let target = "/api/v1/namespaces/team-a/pods/web/eviction";
    let evict = with_json("POST", target, "application/json", &body.to_string());
    let (_, body) = approved(evict, pod().into()).await;
    assert_eq!(
        body["deleteOptions"]["preconditions"],
        json!({"uid": "uid-1", "resourceVersion": "7"})
    );
}

use countersign_core::digest::Digest;
use countersign_core::policy::{Approver, Evaluation, Facts, HoldTerms, Need, Outcome, Pin, PolicyEngine, Verdict};
use countersign_core::request::{Canonical, Live};
use countersign_core::{Subject, Timestamp};

/// What the built-in engine refuses by itself has to be refused by the seal too.
struct HoldsEverything;

impl PolicyEngine for HoldsEverything {
    fn evaluate(&self, _: &Subject, _: &Canonical, _: &Facts, _: Timestamp) -> Evaluation {
        let terms = HoldTerms {
            rule: "rows/hold".into(),
            approvers: vec![Approver::Group("sre".into())],
            quorum: 1,
            timeout: std::time::Duration::from_secs(60),
            pin: Pin::Uid,
        };
        Evaluation::Verdict(Verdict::new(Outcome::Hold(vec![terms.into()])))
    }

    fn revision(&self) -> Digest {
        Digest::of(b"holds everything")
    }
}

/// Allows what creates an object, and holds what changes one.
struct AllowsNewObjects;

impl PolicyEngine for AllowsNewObjects {
    fn evaluate(&self, subject: &Subject, request: &Canonical, facts: &Facts, now: Timestamp) -> Evaluation {
        match &facts.live_object {
            None => Evaluation::Needs(vec![Need::LiveObject]),
            Some(Live::Absent) => Evaluation::Verdict(Verdict::new(Outcome::Allow)),
            Some(_) => HoldsEverything.evaluate(subject, request, facts, now),
        }
    }

    fn revision(&self) -> Digest {
        Digest::of(b"allows new objects")
    }
}

#[tokio::test]
async fn an_object_that_appears_after_it_was_looked_for() {
    let world = World::with(|guard| guard.policy(AllowsNewObjects));
    let conflict = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Conflict","code":409}"#;
    world
        .server
        .script([Answer::json(404, "{}"), Answer::json(409, conflict)]);
    let body = r#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"settings"},"data":{"a":"b"}}"#;
    let target = format!("{SETTINGS}?fieldManager=agent");
    let apply = with_json("PATCH", &target, "application/apply-patch+yaml", body);
    assert_eq!(world.ask(apply).await.status(), 409);
    let sent: Value = serde_json::from_str(&world.sent_once().body).unwrap();
    // No object has it; an apply creates one all the same.
    assert_eq!(sent["metadata"], json!({"name": "settings", "resourceVersion": "1"}));
    assert_eq!(world.record(), [(RequestReceived, Allow), (ResponseComplete, Allow)]);
}
