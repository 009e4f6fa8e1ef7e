//! Tests of policies, as somebody who writes them runs them.

use std::process::Output;

use countersign_tests::program::{command, example, run, stderr, stdout};
use tempfile::TempDir;

const POLICIES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/policies");

async fn policy_test(arguments: &[&str]) -> Output {
    let program = tokio::task::spawn_blocking(|| example("policy-test")).await.unwrap();
    let mut command = command(program);
    command.args(arguments);
    run(&mut command, "").await
}

/// Runs the tests of one shipped policy; `change` changes the text of its tests.
async fn shipped(name: &str, change: impl Fn(String) -> String, more: &[&str]) -> Output {
    let folder = TempDir::new().unwrap();
    let text = std::fs::read_to_string(format!("{POLICIES}/{name}.test.yaml")).unwrap();
    std::fs::write(folder.path().join("x.test.yaml"), change(text)).unwrap();
    let policy = format!("{POLICIES}/{name}.yaml");
    let arguments = ["--policy", &policy, folder.path().to_str().unwrap()];
    policy_test(&[&arguments[..], more].concat()).await
}

#[tokio::test]
async fn the_shipped_policies_pass_theirs_and_every_rule_fires() {
    for name in ["quickstart", "gateway", "triage"] {
        let output = shipped(name, |text| text, &["--strict"]).await;
        let told = stdout(&output);
        assert_eq!(output.status.code(), Some(0), "{told}{}", stderr(&output));
        assert!(
            told.contains(" passed, 0 failed\n") && !told.contains("no case made fire"),
            "{told}"
        );
    }
}

#[tokio::test]
async fn a_failure_shows_what_differs_and_why() {
    let output = shipped(
        "quickstart",
        |text| {
            text.replace(
                "outcome: hold, rule: quickstart/deletes-need-a-human",
                "outcome: allow, rule: quickstart/edits",
            )
        },
        &[],
    )
    .await;
    let told = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{told}{}", stderr(&output));
    for text in [
        "  FAIL  a deletion of a pod waits for a human",
        "outcome   expected allow\n                  actual   hold\n",
        "- allow   quickstart/edits\n                  verbs: it is delete; not all of it is listed (create, update, patch)",
        "7 passed, 1 failed",
    ] {
        assert!(told.contains(text), "{text:?} is not in {told}");
    }
}

#[tokio::test]
async fn a_broken_file_is_told_with_its_place() {
    let output = shipped("quickstart", |text| text.replace("outcome: hold", "outcome: held"), &[]).await;
    assert_eq!(output.status.code(), Some(2));
    let told = stderr(&output);
    assert!(
        told.contains("x.test.yaml:19:") && told.contains("unknown outcome `held`; did you mean `hold`?"),
        "{told}"
    );
}
