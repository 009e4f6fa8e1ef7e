//! The quickstart, as the README's first command runs it.

use std::process::{Output, Stdio};
use std::time::Duration;

use countersign_core::audit::verify;
use countersign_tests::control_plane;
use countersign_tests::program::{command, example, run, stderr, stdout};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::Api;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

const PATIENCE: Duration = Duration::from_secs(30);
const PASSWORD: &str = "correct horse";

async fn quickstart(arguments: &[&str]) -> (TempDir, Command) {
    let program = tokio::task::spawn_blocking(|| example("quickstart")).await.unwrap();
    let folder = TempDir::new().unwrap();
    let mut command = command(program);
    command
        .args(arguments)
        .arg("--audit")
        .arg(folder.path().join("audit.jsonl"));
    (folder, command)
}

/// What every run has to show.
fn assert_story(output: &Output, folder: &TempDir) -> String {
    // However the lines are broken.
    let told = stdout(output).split_whitespace().collect::<Vec<_>>().join(" ");
    let asked = stderr(output);
    assert_eq!(output.status.code(), Some(0), "{told}{asked}");
    for line in [
        "database: password = countersign.masked.value",
        "web wants 3 replicas",
        "403 Forbidden countersign: Deleting a namespace takes everything in it along.",
        "integrity: intact",
        "completeness: complete",
    ] {
        assert!(told.contains(line), "{line:?} is not in {told}");
    }
    // The last step is refused with the paths.
    let last = told.split("writes it back").nth(1).expect("the last step");
    assert!(last.contains("countersign:") && last.contains("password"), "{last}");
    for text in [&told, &asked] {
        assert!(!text.contains('\u{1b}'), "colour, though it is no terminal: {text}");
        assert!(!text.contains(PASSWORD), "{text}");
    }
    let log = std::fs::read(folder.path().join("audit.jsonl")).unwrap();
    assert!(!String::from_utf8_lossy(&log).contains(PASSWORD));
    let report = verify(&log);
    assert!(report.is_intact() && report.is_complete(), "{report}");
    told
}

fn assert_fits(output: &Output) {
    for text in [stdout(output), stderr(output)] {
        let wide: Vec<_> = text.lines().filter(|line| line.chars().count() > 100).collect();
        assert!(wide.is_empty(), "wider than 100 columns: {wide:#?}");
    }
}

#[tokio::test]
async fn nobody_is_asked() {
    let (folder, mut command) = quickstart(&["--yes"]).await;
    let output = run(&mut command, "").await;
    let told = assert_story(&output, &folder);
    assert!(told.contains("pod web-0 is deleted, once"), "{told}");
    assert!(stderr(&output).contains("approved without asking"));
}

#[tokio::test]
async fn its_lines_fit_on_a_terminal() {
    let (_folder, mut command) = quickstart(&["--yes"]).await;
    assert_fits(&run(&mut command, "").await);
}

#[tokio::test]
async fn nobody_is_there() {
    let (folder, mut command) = quickstart(&[]).await;
    let output = run(&mut command, "").await;
    let told = assert_story(&output, &folder);
    assert!(
        told.contains("denied this request: nobody is at the terminal"),
        "{told}"
    );
    assert!(!told.contains("is deleted, once"), "{told}");
}

/// Answers what it is asked with what `answer` makes of the code, and returns what was written on both sides.
async fn asked(command: &mut Command, answer: impl Fn(&str) -> String) -> Output {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut errors = child.stderr.take().unwrap();
    let mut seen = Vec::new();
    let code = loop {
        let mut chunk = [0; 4096];
        let read = tokio::time::timeout(PATIENCE, errors.read(&mut chunk))
            .await
            .expect("a question")
            .unwrap();
        assert_ne!(read, 0, "it ended without a question");
        seen.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&seen).into_owned();
        if let Some((code, _)) = text
            .split_once("To approve, type ")
            .and_then(|(_, rest)| rest.split_once(';'))
        {
            break code.to_owned();
        }
    };
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(answer(&code).as_bytes()).await.unwrap();
    let ended = async {
        errors.read_to_end(&mut seen).await.unwrap();
        child.wait_with_output().await.unwrap()
    };
    let output = tokio::time::timeout(PATIENCE, ended).await.expect("it ends");
    Output { stderr: seen, ..output }
}

#[tokio::test]
async fn a_human_types_the_code() {
    let (folder, mut command) = quickstart(&[]).await;
    let output = asked(&mut command, |code| format!("{code}\n")).await;
    let told = assert_story(&output, &folder);
    assert!(told.contains("pod web-0 is deleted, once"), "{told}");
    let shown = stderr(&output);
    for text in ["triage-agent", "web-0", "the rollout of web hangs", "agent says"] {
        assert!(shown.contains(text), "{text:?} is not in {shown}");
    }
}

#[tokio::test]
async fn a_human_types_something_else() {
    let (folder, mut command) = quickstart(&[]).await;
    let told = assert_story(&asked(&mut command, |_| "yes\n".to_owned()).await, &folder);
    assert!(
        told.contains("denied this request") && !told.contains("is deleted, once"),
        "{told}"
    );
}

#[tokio::test]
async fn on_a_cluster() {
    let Some(cp) = control_plane::or_skip("on_a_cluster").await else {
        return;
    };
    let (folder, mut command) = quickstart(&["--cluster", "--yes"]).await;
    let output = run(command.env("KUBECONFIG", cp.kubeconfig_path()), "").await;
    let told = assert_story(&output, &folder);
    assert!(told.contains("pod web-0 is deleted, once"), "{told}");
    // It takes its namespace along; who finishes that is a controller.
    let namespace = Api::<Namespace>::all(cp.admin())
        .get_opt("countersign-demo")
        .await
        .unwrap();
    assert!(namespace.is_none_or(|namespace| namespace.metadata.deletion_timestamp.is_some()));
}
