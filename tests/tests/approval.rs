//! What is held is sent once, and only what a human approved.

use std::sync::OnceLock;

use async_trait::async_trait;
use countersign_core::approval::{ApprovalBackend, BackendError, Consumed, Ticket, TicketId};
use countersign_core::audit::Outcome;
use countersign_core::digest::Digest;
use countersign_core::{Timestamp, audit};
use countersign_kube::{Answer, MemoryBackend, Vote, with_reason};
use countersign_tests::guarded::{POLICY, Stack, on_both, on_both_with, refused, until};
use http::Method;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

type Deletion = JoinHandle<kube::Result<()>>;

/// Changes of ConfigMaps are held too, and nobody has longer than a second for those.
const HOLDS_CHANGES: &str = r#"
apiVersion: countersign.dev/v1alpha1
kind: Policy
metadata: { name: holds-changes }
spec:
  subjects: [{ group: agents }]
  scopes: [{ namespaces: [NAMESPACE] }]
  approval: { approvers: [{ group: sre }], quorum: 1, timeout: 1m, pin: uid }
  rules:
  - name: changes-need-a-human
    match: { verbs: [patch, delete] }
    hold: {}
"#;

fn delete(stack: &Stack, name: &'static str) -> Deletion {
    let pods = stack.guarded_pods();
    tokio::spawn(async move { pods.delete(name, &DeleteParams::default()).await.map(drop) })
}

async fn deletions(stack: &Stack) -> usize {
    stack.sent(Some(Method::DELETE)).await.len()
}

async fn exists(stack: &Stack, name: &str) -> bool {
    stack.pods().get_opt(name).await.unwrap().is_some()
}

async fn outcomes(stack: &Stack) -> Vec<Outcome> {
    let (events, report) = stack.audit().await;
    assert!(report.is_intact() && report.is_complete(), "{report}");
    let last = events.iter().filter(|event| event.stage.is_final());
    last.filter_map(audit::Event::outcome).collect()
}

/// Waits until two requests of the agent are on record as held.
async fn until_both_are_held(stack: &Stack) {
    until("both are held", async || {
        let (events, _) = stack.audit().await;
        let held = events.iter().filter(|event| event.outcome() == Some(Outcome::Hold));
        held.count() == 2
    })
    .await;
}

#[tokio::test]
async fn a_held_deletion_is_sent_once_and_only_after_approval() {
    on_both(
        "a_held_deletion_is_sent_once_and_only_after_approval",
        POLICY,
        async |stack| {
            stack.pod("web").await;
            let pods = stack.guarded_pods();
            let deletion = tokio::spawn(with_reason("the pod hangs", async move {
                pods.delete("web", &DeleteParams::default()).await
            }));
            let ticket = stack.next_ticket().await;
            assert_eq!(ticket.review.subject.user, "triage-agent");
            assert_eq!(ticket.review.claims.reason.as_deref(), Some("the pod hangs"));
            assert_eq!((ticket.review.verb, ticket.review.name.as_str()), ("delete", "web"));
            assert_eq!(ticket.review.targets.len(), 1);
            // Long enough for a request that does not wait to arrive.
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            assert!(!deletion.is_finished());
            assert_eq!(deletions(stack).await, 0);
            assert!(exists(stack, "web").await);

            stack.vote(&ticket, Answer::Approve, "yes");
            deletion.await.unwrap().unwrap();
            stack.until_nothing_is_held().await;
            assert!(!exists(stack, "web").await);
            let sent = stack.sent(Some(Method::DELETE)).await;
            assert_eq!(sent.len(), 1, "{sent:?}");

            let (events, report) = stack.audit().await;
            assert!(report.is_intact() && report.is_complete(), "{report}");
            let last = events.iter().rfind(|event| event.audit_id == sent[0].audit_id).unwrap();
            assert_eq!(last.outcome(), Some(Outcome::HoldApproved));
            let approved = events
                .iter()
                .any(|event| event.annotations.values().any(|value| value.contains("alice")));
            assert!(approved, "nobody wrote down who approved");
        },
    )
    .await;
}

#[tokio::test]
async fn an_approval_is_for_one_call() {
    on_both("an_approval_is_for_one_call", POLICY, async |stack| {
        stack.pod("a").await;
        stack.pod("b").await;
        let a = delete(stack, "a");
        let ticket_a = stack.next_ticket().await;
        let b = delete(stack, "b");
        until("both are held", async || stack.backend.pending().len() == 2).await;
        stack.vote(&ticket_a, Answer::Approve, "a, not b");
        a.await.unwrap().unwrap();
        assert!(exists(stack, "b").await && !b.is_finished());
        stack.vote(&stack.next_ticket().await, Answer::Deny, "b serves the customers");
        let denied = refused(b.await.unwrap());
        assert_eq!((denied.code, denied.reason.as_str()), (403, "Forbidden"));
        assert!(
            denied
                .message
                .contains("alice denied this request: b serves the customers"),
            "{denied:?}"
        );
        assert!(exists(stack, "b").await);

        // The same request again is another call, and waits for an approval of its own.
        let pod = stack.pod("a").await;
        let again = delete(stack, "a");
        let ticket = stack.next_ticket().await;
        assert_ne!(ticket.id, ticket_a.id);
        again.abort();
        stack.until_nothing_is_held().await;
        assert_eq!(stack.pods().get("a").await.unwrap().metadata.uid, pod.metadata.uid);
        assert_eq!(deletions(stack).await, 1);
    })
    .await;
}

/// A backend that takes every ticket for the first one: so an approval of one request is offered to another.
struct Confused {
    tickets: MemoryBackend,
    first: OnceLock<TicketId>,
}

#[async_trait]
impl ApprovalBackend for Confused {
    async fn open(&self, ticket: Ticket) -> Result<(), BackendError> {
        if *self.first.get_or_init(|| ticket.id.clone()) == ticket.id {
            return self.tickets.open(ticket).await;
        }
        Ok(())
    }

    async fn votes(&self, _: &TicketId, seen: usize) -> Result<Vec<Vote>, BackendError> {
        self.tickets.votes(self.first.get().unwrap(), seen).await
    }

    async fn consume(&self, _: &TicketId, digest: &Digest) -> Result<Consumed, BackendError> {
        self.tickets.consume(self.first.get().unwrap(), digest).await
    }

    async fn withdraw(&self, ticket: &TicketId) -> Result<(), BackendError> {
        self.tickets.withdraw(ticket).await
    }
}

fn confused(guard: countersign_kube::GuardBuilder, tickets: &MemoryBackend) -> countersign_kube::GuardBuilder {
    guard.approval(Confused {
        tickets: tickets.clone(),
        first: OnceLock::new(),
    })
}

#[tokio::test]
async fn an_approval_for_one_pod_does_not_delete_another() {
    on_both_with(
        "an_approval_for_one_pod_does_not_delete_another",
        POLICY,
        confused,
        async |stack| {
            stack.pod("a").await;
            stack.pod("b").await;
            let a = delete(stack, "a");
            let ticket = stack.next_ticket().await;
            let b = delete(stack, "b");
            // B has to be held before A's ticket is used up: its call then finds A's approval.
            until_both_are_held(stack).await;
            stack.vote(&ticket, Answer::Approve, "a");
            let (a, b) = (a.await.unwrap(), refused(b.await.unwrap()));
            a.unwrap();
            assert_eq!(b.code, 409, "{b:?}");
            assert!(exists(stack, "b").await && !exists(stack, "a").await);
            // Nor does the approval that was used up delete anything more.
            let more = refused(stack.guarded_pods().delete("b", &DeleteParams::default()).await);
            assert_eq!(more.code, 409, "{more:?}");
            assert_eq!(deletions(stack).await, 1);
        },
    )
    .await;
}

#[tokio::test]
async fn an_approval_for_one_body_does_not_send_another() {
    on_both_with(
        "an_approval_for_one_body_does_not_send_another",
        HOLDS_CHANGES,
        confused,
        async |stack| {
            let maps: Api<ConfigMap> = Api::namespaced(stack.admin.clone(), &stack.namespace);
            let settings = json!({"metadata": {"name": "settings"}, "data": {"replicas": "1"}});
            let settings = serde_json::from_value(settings).unwrap();
            maps.create(&PostParams::default(), &settings).await.unwrap();
            let change = |replicas: &'static str| {
                let maps: Api<ConfigMap> = Api::namespaced(stack.agent.clone(), &stack.namespace);
                let patch = Patch::Merge(json!({"data": {"replicas": replicas}}));
                tokio::spawn(async move { maps.patch("settings", &PatchParams::default(), &patch).await })
            };
            let two = change("2");
            let ticket = stack.next_ticket().await;
            assert!(
                ticket.review.body.contains(r#""replicas":"2""#),
                "{}",
                ticket.review.body
            );
            let hundred = change("100");
            until_both_are_held(stack).await;
            stack.vote(&ticket, Answer::Approve, "two, not a hundred");
            let (two, hundred) = (two.await.unwrap(), refused(hundred.await.unwrap()));
            assert_eq!(hundred.code, 409, "{hundred:?}");
            two.unwrap();
            assert_eq!(maps.get("settings").await.unwrap().data.unwrap()["replicas"], "2");
            assert_eq!(stack.sent(Some(Method::PATCH)).await.len(), 1);
        },
    )
    .await;
}

#[tokio::test]
async fn an_approval_is_void_once_the_policy_changed() {
    on_both("an_approval_is_void_once_the_policy_changed", POLICY, async |stack| {
        stack.pod("web").await;
        let deletion = delete(stack, "web");
        let ticket = stack.next_ticket().await;
        stack.replace_policy(&POLICY.replace("timeout: 1m", "timeout: 2m"));
        stack.vote(&ticket, Answer::Approve, "under the old policy");
        let refused = refused(deletion.await.unwrap());
        assert_eq!(refused.code, 409, "{refused:?}");
        assert!(refused.message.contains("policy was replaced"), "{refused:?}");
        assert!(exists(stack, "web").await);
        assert_eq!(deletions(stack).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_pod_that_was_made_anew_is_not_deleted() {
    on_both("a_pod_that_was_made_anew_is_not_deleted", POLICY, async |stack| {
        let reviewed = stack.pod("web").await;
        let deletion = delete(stack, "web");
        let ticket = stack.next_ticket().await;
        assert_eq!(Some(&ticket.review.targets[0].uid), reviewed.metadata.uid.as_ref());
        stack.pods().delete("web", &DeleteParams::default()).await.unwrap();
        let anew = stack.pod("web").await;
        stack.vote(&ticket, Answer::Approve, "the one that I saw");
        let conflict = refused(deletion.await.unwrap());
        assert_eq!(
            (conflict.code, conflict.reason.as_str()),
            (409, "Conflict"),
            "{conflict:?}"
        );
        assert_eq!(stack.pods().get("web").await.unwrap().metadata.uid, anew.metadata.uid);
        assert_eq!(deletions(stack).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_caller_that_goes_away_takes_its_request_along() {
    on_both(
        "a_caller_that_goes_away_takes_its_request_along",
        POLICY,
        async |stack| {
            stack.pod("web").await;
            let deletion = delete(stack, "web");
            let ticket = stack.next_ticket().await;
            deletion.abort();
            stack.until_nothing_is_held().await;
            let late = Vote::new("alice", Answer::Approve, Timestamp::now()).with_group("sre");
            assert_eq!(stack.backend.vote(&ticket.id, late), Err(BackendError::Closed));
            assert!(exists(stack, "web").await);
            assert_eq!(deletions(stack).await, 0);
            assert_eq!(outcomes(stack).await, [Outcome::CallerLeft]);
        },
    )
    .await;
}

#[tokio::test]
async fn nobody_approves_their_own_request_or_without_the_right() {
    on_both(
        "nobody_approves_their_own_request_or_without_the_right",
        POLICY,
        async |stack| {
            stack.pod("web").await;
            let deletion = delete(stack, "web");
            let ticket = stack.next_ticket().await;
            let vote = |user: &str, group: &str| {
                let vote = Vote::new(user, Answer::Approve, Timestamp::now()).with_group(group);
                stack.backend.vote(&ticket.id, vote).unwrap();
            };
            vote("triage-agent", "sre");
            vote("mallory", "marketing");
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            assert!(!deletion.is_finished() && exists(stack, "web").await);
            stack.vote(&ticket, Answer::Approve, "a human of the right group");
            deletion.await.unwrap().unwrap();
            assert_eq!(deletions(stack).await, 1);
        },
    )
    .await;
}

#[tokio::test]
async fn what_nobody_answers_is_refused_at_the_deadline() {
    let policy = POLICY.replace("timeout: 1m", "timeout: 1s");
    on_both(
        "what_nobody_answers_is_refused_at_the_deadline",
        &policy,
        async |stack| {
            stack.pod("web").await;
            let late = refused(delete(stack, "web").await.unwrap());
            assert_eq!((late.code, late.reason.as_str()), (504, "Timeout"), "{late:?}");
            stack.until_nothing_is_held().await;
            assert!(exists(stack, "web").await);
            assert_eq!(deletions(stack).await, 0);
            assert_eq!(outcomes(stack).await, [Outcome::HoldExpired]);
        },
    )
    .await;
}

#[tokio::test]
async fn a_refusal_has_machine_readable_facts() {
    on_both("a_refusal_has_machine_readable_facts", POLICY, async |stack| {
        stack.pod("web").await;
        let deletion = delete(stack, "web");
        let ticket = stack.next_ticket().await;
        stack.vote(&ticket, Answer::Deny, "no");
        let status = serde_json::to_value(refused(deletion.await.unwrap())).unwrap();
        let causes: Vec<_> = status["details"]["causes"].as_array().into_iter().flatten().collect();
        let fact = |reason: &str| {
            causes
                .iter()
                .find(|cause| cause["reason"] == reason)
                .map(|cause| &cause["message"])
        };
        assert_eq!(fact("countersign.dev/class"), Some(&Value::from("approval")));
        assert_eq!(fact("countersign.dev/ticket"), Some(&Value::from(ticket.id.as_str())));
    })
    .await;
}
