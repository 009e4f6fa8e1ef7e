//! Upgraded connections are refused with a reason, unless a rule lets them pass unseen and says so.

use countersign_core::audit::{Outcome, Stage};
use countersign_tests::control_plane;
use countersign_tests::guarded::{POLICY, Stack, refused};
use kube::api::{AttachParams, AttachedProcess};
use tokio::io::AsyncReadExt as _;

/// One more rule for the policy of the promises.
const OPAQUE: &str = "
  - name: exec-unseen
    match: { effects: [connect], verbs: [get, create], resources: [pods/exec] }
    allow: {}
    insecure_opaque_stream: true
";

async fn stack(test: &str, policy: &str) -> Option<Stack> {
    let cp = control_plane::or_skip(test).await?;
    let stack = Stack::real(cp, policy, |guard, _| guard).await;
    cp.run_pod(&stack.namespace, "web", vec![control_plane::container(&[])])
        .await;
    Some(stack)
}

async fn exec(stack: &Stack) -> kube::Result<AttachedProcess> {
    let both = AttachParams::default().stdin(false).stdout(true).stderr(true);
    stack
        .guarded_pods()
        .exec("web", ["echo", "seen by the agent"], &both)
        .await
}

#[tokio::test]
async fn streams_are_refused_with_a_reason() {
    let Some(stack) = stack("streams_are_refused_with_a_reason", POLICY).await else {
        return;
    };
    let pods = stack.guarded_pods();
    let attach = AttachParams::default().stderr(false);
    let answers = [
        exec(&stack).await.err(),
        pods.attach("web", &attach).await.err(),
        pods.portforward("web", &[80]).await.err(),
    ];
    for answer in answers {
        let status = refused::<()>(Err(answer.expect("a refusal")));
        assert_eq!(status.code, 403, "{status:?}");
        assert!(status.message.contains("insecure_opaque_stream"), "{status:?}");
    }
    assert!(stack.sent(None).await.is_empty());
}

#[tokio::test]
async fn a_rule_can_let_a_stream_pass_unseen_and_the_record_says_so() {
    let test = "a_rule_can_let_a_stream_pass_unseen_and_the_record_says_so";
    let policy = format!("{POLICY}{OPAQUE}");
    let Some(stack) = stack(test, &policy).await else {
        return;
    };
    let mut process = exec(&stack).await.expect("the rule allows it");
    let mut output = String::new();
    process
        .stdout()
        .expect("it was asked for")
        .read_to_string(&mut output)
        .await
        .unwrap();
    assert_eq!(output, "seen by the agent\n");
    process.join().await.unwrap();

    let (events, report) = stack.audit().await;
    assert!(report.is_intact() && report.is_complete(), "{report}");
    let recorded: Vec<_> = events.iter().map(|event| (event.stage, event.outcome())).collect();
    assert_eq!(
        recorded.first(),
        Some(&(Stage::RequestReceived, Some(Outcome::FailOpen)))
    );
    assert!(
        recorded.iter().all(|(_, outcome)| *outcome == Some(Outcome::FailOpen)),
        "{recorded:?}"
    );
    assert_eq!(
        events[0].annotation("countersign.dev/insecure-opaque-stream"),
        Some("true"),
        "{events:?}"
    );
}
