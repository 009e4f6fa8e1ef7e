//! `explain`, as somebody who writes a policy runs it.

use std::process::Output;

use countersign_tests::program::{command, example, run, stderr, stdout};
use serde_json::Value;

const POLICY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/policies/quickstart.yaml");

async fn explain(arguments: &[&str]) -> Output {
    let program = tokio::task::spawn_blocking(|| example("explain")).await.unwrap();
    let mut command = command(program);
    command.args(arguments);
    run(&mut command, "").await
}

/// The quickstart's agent asks.
async fn agent(arguments: &[&str]) -> Output {
    let who = ["--policy", POLICY, "--user", "agent-7", "--group", "agents"];
    explain(&[&who[..], arguments].concat()).await
}

#[tokio::test]
async fn each_rule_says_whether_it_fired() {
    let output = agent(&["DELETE", "/api/v1/namespaces/countersign-demo/pods/web-0"]).await;
    let told = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    for text in [
        "agent-7 asks to delete pods/web-0 in namespace countersign-demo: destructive\n=> hold\n",
        "quickstart: in scope\n",
        "  * hold    quickstart/deletes-need-a-human\n",
        "  - allow   quickstart/look-around\n            effects: it does destructive, which is not listed",
        "  - deny    quickstart/namespaces-stay\n            resources: it is about pods, not namespaces\n",
    ] {
        assert!(told.contains(text), "{text:?} is not in {told}");
    }
}

#[tokio::test]
async fn a_body_and_the_live_object_can_be_given() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let body = file("patch.json", "{\"metadata\":{\"labels\":{\"a\":\"b\"}}}");
    let live = file(
        "live.json",
        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"c\",\"namespace\":\"countersign-demo\"}}",
    );
    let arguments = [
        "PATCH",
        "/api/v1/namespaces/countersign-demo/configmaps/c",
        "--body",
        &body,
        "--live",
        &live,
    ];
    let merge = ["--content-type", "application/merge-patch+json", "--json"];
    let output = agent(&[&arguments[..], &merge].concat()).await;
    let told: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", stderr(&output)));
    assert_eq!(told["documents"][0]["name"], "quickstart");
    assert!(told["effects"].as_array().unwrap().contains(&"write".into()), "{told}");
}

#[tokio::test]
async fn what_the_gate_refuses_and_what_does_not_load_is_said() {
    let output = agent(&["GET", "/api/v1/namespaces/a%2Fsecrets%2Fb"]).await;
    assert!(
        stdout(&output).contains("=> refused before any policy is asked: 400"),
        "{}",
        stdout(&output)
    );
    let folder = tempfile::TempDir::new().unwrap();
    let broken = folder.path().join("broken.yaml");
    std::fs::write(&broken, "kind: Polcy\n").unwrap();
    let output = explain(&["--policy", folder.path().to_str().unwrap(), "GET", "/version"]).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("broken.yaml:1:7: `kind` is `Policy`, not `Polcy`"),
        "{}",
        stderr(&output)
    );
}
