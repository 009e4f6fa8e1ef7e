//! The control plane that the other tests stand on, shown on the real thing: through kube-rs, and through kubectl of
//! the same build.

mod api;
mod kubelet;
mod leftovers;
mod pods;

use std::fs;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use countersign_tests::control_plane::ControlPlane;
use tokio::io::AsyncWriteExt;

const PATIENCE: Duration = Duration::from_secs(20);

fn code(error: kube::Error) -> u16 {
    match error {
        kube::Error::Api(status) => status.code,
        other => panic!("not a refusal of the API server: {other}"),
    }
}

async fn kubectl(cp: &ControlPlane, arguments: &[&str], stdin: &str) -> Output {
    let mut command = tokio::process::Command::new(cp.kubectl().expect("a build has kubectl"));
    command
        .args(arguments)
        .env("KUBECONFIG", cp.kubeconfig_path())
        .kill_on_drop(true);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("kubectl starts");
    child
        .stdin
        .take()
        .expect("a pipe")
        .write_all(stdin.as_bytes())
        .await
        .expect("kubectl reads");
    tokio::time::timeout(PATIENCE, child.wait_with_output())
        .await
        .expect("kubectl ends")
        .expect("kubectl ran")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The processes whose file `name` under `/proc` holds `wanted`.
fn processes(name: &str, wanted: &str) -> Vec<i32> {
    let pids = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let holds = |pid: &i32| {
        let bytes = fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).replace('\0', " ").contains(wanted)
    };
    pids.filter(holds).collect()
}

fn commands_with(argument: &str) -> Vec<i32> {
    processes("cmdline", argument)
}

fn marked(mark: &str) -> Vec<i32> {
    processes("environ", mark)
}
