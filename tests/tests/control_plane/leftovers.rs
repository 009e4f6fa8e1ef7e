//! What is left behind, which is nothing; and what is said where there is no control plane.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use countersign_tests::control_plane;
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::Client;
use kube::api::{Api, AttachParams, ListParams, LogParams};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::AsyncReadExt;

use super::{commands_with, marked, stdout, until};

/// The program, started: its process, its kubeconfig and its work folder.
fn program(arguments: &[&str]) -> (Child, BTreeMap<String, PathBuf>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_control-plane"))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().take(2);
    let said = lines.map(|line| {
        let line = line.expect("two lines");
        let (key, value) = line.split_once('=').expect("KEY=value");
        (key.to_owned(), PathBuf::from(value))
    });
    let said = said.collect();
    (child, said)
}

#[tokio::test]
async fn the_program_ends_cleanly_and_leaves_nothing() {
    if control_plane::or_skip("the_program_ends_cleanly_and_leaves_nothing")
        .await
        .is_none()
    {
        return;
    }
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        let (mut child, said) = tokio::task::spawn_blocking(|| program(&[])).await.unwrap();
        let kubeconfig = said["KUBECONFIG"].clone();
        let work_dir = kubeconfig.parent().unwrap().to_owned();
        assert!(said["AUDIT_LOG"].is_file());
        let client = client_of(&kubeconfig).await;
        let pods: Api<Pod> = Api::namespaced(client.clone(), "team-a");
        assert!(
            pods.logs("web-0", &LogParams::default())
                .await
                .unwrap()
                .starts_with("web-0 is up")
        );
        for namespace in ["team-a", "team-b", "kube-system"] {
            let secrets = Api::<Secret>::namespaced(client.clone(), namespace)
                .list(&ListParams::default())
                .await;
            assert!(!secrets.unwrap().items.is_empty(), "{namespace}");
        }
        let escaped = ["sh", "-c", "setsid sleep 4245 >/dev/null 2>&1 & echo started"];
        let mut process = pods.exec("web-0", escaped, &AttachParams::default()).await.unwrap();
        let mut started = String::new();
        process.stdout().unwrap().read_to_string(&mut started).await.unwrap();
        assert_eq!(started, "started\n");
        // A process that was just made has no program of its own yet.
        until("all its processes are there", || processes_of(&work_dir).len() >= 6).await;

        kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
        let ended = tokio::task::spawn_blocking(move || child.wait().unwrap())
            .await
            .unwrap();
        if signal == Signal::SIGTERM {
            // It ends with its own end, and that is when all is gone.
            assert!(ended.success(), "{ended}");
            assert_eq!(processes_of(&work_dir), [] as [i32; 0]);
            assert!(!work_dir.exists());
        }
        until("all its processes are gone", || processes_of(&work_dir).is_empty()).await;
        until("its files are gone", || !work_dir.exists()).await;
    }
}

async fn client_of(kubeconfig: &Path) -> Client {
    let kubeconfig = kube::config::Kubeconfig::read_from(kubeconfig).unwrap();
    Client::try_from(
        kube::Config::from_custom_kubeconfig(kubeconfig, &Default::default())
            .await
            .unwrap(),
    )
    .unwrap()
}

#[test]
fn without_binaries_a_test_says_that_it_did_not_run() {
    let test = std::env::current_exe().unwrap();
    let skipped = tempfile::NamedTempFile::new().unwrap();
    let run = |required: &str| {
        let mut command = Command::new(&test);
        command
            .args(["--exact", "api::each_namespace_is_a_new_one"])
            .env_clear();
        command.env("COUNTERSIGN_SKIPPED_FILE", skipped.path());
        // Neither binaries nor a Go to build them with.
        command
            .env("HOME", skipped.path())
            .env("COUNTERSIGN_REQUIRE_CONTROL_PLANE", required);
        command.output().unwrap()
    };
    let output = run("");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(
        said.starts_with("DID NOT RUN each_namespace_is_a_new_one: no control plane"),
        "{said}"
    );
    assert!(
        said.lines()
            .last()
            .unwrap()
            .starts_with("1 test did not run: no control plane"),
        "{said}"
    );
    assert_eq!(
        fs::read_to_string(skipped.path()).unwrap(),
        "each_namespace_is_a_new_one\n"
    );

    let output = run("1");
    let said = stdout(&output);
    assert!(!output.status.success(), "{said}");
    assert!(
        said.contains("KUBEBUILDER_ASSETS") && said.contains("install Go"),
        "{said}"
    );
}

/// By command line, and by the mark that each process of a fixture inherits.
fn processes_of(work_dir: &Path) -> Vec<i32> {
    let work_dir = work_dir.to_str().unwrap();
    let mut found = [commands_with(work_dir), marked(work_dir)].concat();
    found.sort();
    found.dedup();
    found
}
