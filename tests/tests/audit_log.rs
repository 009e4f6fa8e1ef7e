//! Everything is recorded: what was asked, what was decided, what was answered; and whoever changes it is found out.

use std::collections::BTreeMap;

use countersign_core::audit::{Event, Outcome, Stage, annotation, verify};
use countersign_kube::{Answer, with_reason};
use countersign_tests::guarded::{POLICY, Sent, on_both, refused};
use http::Request;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::json;

fn by_request(events: &[Event]) -> BTreeMap<&str, Vec<&Event>> {
    let mut requests: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for event in events {
        requests.entry(event.audit_id.as_str()).or_default().push(event);
    }
    requests
}

#[tokio::test]
async fn every_request_has_an_intent_and_an_outcome_under_the_id_that_the_server_knows() {
    let test = "every_request_has_an_intent_and_an_outcome_under_the_id_that_the_server_knows";
    on_both(test, POLICY, async |stack| {
        let maps: Api<ConfigMap> = Api::namespaced(stack.agent.clone(), &stack.namespace);
        let map = serde_json::from_value(json!({"metadata": {"name": "a"}})).unwrap();
        with_reason("a test", maps.create(&PostParams::default(), &map))
            .await
            .unwrap();
        maps.patch("a", &PatchParams::default(), &Patch::Merge(json!({"data": {"k": "v"}})))
            .await
            .unwrap();
        maps.list(&ListParams::default()).await.unwrap();
        refused(maps.get("nothing").await);
        maps.delete("a", &DeleteParams::default()).await.unwrap();

        let (events, report) = stack.audit().await;
        assert!(report.is_intact() && report.is_complete(), "{report}");
        let requests = by_request(&events);
        let sent = stack.sent(None).await;
        assert_eq!((requests.len(), sent.len()), (5, 5));
        for Sent { audit_id, uri, .. } in &sent {
            let events = &requests[audit_id.as_str()];
            assert_eq!(events.first().unwrap().stage, Stage::RequestReceived, "{events:?}");
            let last = events.last().unwrap();
            assert_eq!(
                (last.stage, last.outcome()),
                (Stage::ResponseComplete, Some(Outcome::Allow))
            );
            assert_eq!(&last.request_uri, uri);
            assert_eq!(last.user.username, "triage-agent");
            assert!(
                last.annotation(annotation::RULE)
                    .is_some_and(|rule| rule.starts_with("promises/"))
            );
            assert!(last.response_status.is_some());
            // The API server's own record of the same request.
            if let Some(cp) = stack.control_plane() {
                let theirs = cp.audit_event(audit_id).await;
                assert_eq!((&theirs.request_uri, &theirs.verb), (&last.request_uri, &last.verb));
                assert_eq!(
                    theirs.response_status.map(|status| status.code),
                    last.response_status.as_ref().map(|status| status.code)
                );
            }
        }
        let created = events.iter().find(|event| event.verb == "create").unwrap();
        assert_eq!(created.annotation(annotation::CLAIMED_REASON), Some("a test"));
    })
    .await;
}

#[tokio::test]
async fn the_caller_is_told_the_id() {
    on_both("the_caller_is_told_the_id", POLICY, async |stack| {
        let path = format!("/api/v1/namespaces/{}/configmaps", stack.namespace);
        let request = Request::get(path)
            .header("Audit-ID", "chosen-by-the-caller")
            .body(kube::client::Body::empty());
        let answer = stack.agent.send(request.unwrap()).await.unwrap();
        let told = answer.headers()["audit-id"].to_str().unwrap().to_owned();
        assert_ne!(told, "chosen-by-the-caller");
        drop(answer);
        assert_eq!(stack.sent(None).await[0].audit_id, told);
        let (events, _) = stack.audit().await;
        assert!(events.iter().all(|event| event.audit_id == told));
    })
    .await;
}

#[tokio::test]
async fn refusals_and_callers_who_leave_are_recorded() {
    on_both("refusals_and_callers_who_leave_are_recorded", POLICY, async |stack| {
        let deployments: Api<Deployment> = Api::namespaced(stack.agent.clone(), &stack.namespace);
        refused(deployments.delete("web", &DeleteParams::default()).await);
        let strange = Request::get("/api/v1/namespaces/a//pods").body(Vec::new()).unwrap();
        refused(stack.agent.request_text(strange).await);

        stack.pod("web").await;
        for answer in [Some(Answer::Deny), Some(Answer::Approve), None] {
            let pods = stack.guarded_pods();
            let deletion = tokio::spawn(async move { pods.delete("web", &DeleteParams::default()).await.map(drop) });
            let ticket = stack.next_ticket().await;
            match answer {
                Some(answer) => {
                    stack.vote(&ticket, answer, "because");
                    let _ = deletion.await.unwrap();
                }
                None => deletion.abort(),
            }
            stack.until_nothing_is_held().await;
            if answer == Some(Answer::Approve) {
                stack.pod("web").await;
            }
        }
        let (events, report) = stack.audit().await;
        assert!(report.is_intact() && report.is_complete(), "{report}");
        let last: Vec<_> = events
            .iter()
            .filter(|event| event.stage.is_final())
            .filter_map(Event::outcome)
            .collect();
        let expected = [
            Outcome::Deny,
            Outcome::Deny,
            Outcome::HoldDenied,
            Outcome::HoldApproved,
            Outcome::CallerLeft,
        ];
        assert_eq!(last, expected);
        assert_eq!(
            events
                .iter()
                .filter(|event| event.outcome() == Some(Outcome::Hold))
                .count(),
            3
        );
    })
    .await;
}

#[tokio::test]
async fn a_changed_log_is_found_out() {
    on_both("a_changed_log_is_found_out", POLICY, async |stack| {
        for _ in 0..3 {
            stack.guarded_pods().list(&ListParams::default()).await.unwrap();
        }
        let log = stack.audit_bytes().await;
        assert!(verify(&log).is_intact() && verify(&log).is_complete());
        for at in (0..log.len()).step_by(7) {
            let mut changed = log.clone();
            changed[at] ^= 1;
            let report = verify(&changed);
            assert!(!report.is_intact() || !report.is_complete(), "byte {at} was changed");
        }
        let lines: Vec<_> = log.split_inclusive(|byte| *byte == b'\n').collect();
        for left_out in 0..lines.len() - 1 {
            let rest: Vec<_> = lines.iter().enumerate().filter(|(at, _)| *at != left_out).collect();
            let rest: Vec<u8> = rest.into_iter().flat_map(|(_, line)| line.to_vec()).collect();
            let report = verify(&rest);
            assert!(
                !report.is_intact() || !report.is_complete(),
                "line {left_out} was left out"
            );
        }
    })
    .await;
}
