//! The gateway example as a program in front of the control plane, and the kubectl of the same build behind it.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::Child;

use crate::control_plane::{self, ControlPlane};
use crate::program::{command, example, run, stderr, stdout};

const PATIENCE: Duration = Duration::from_secs(20);

/// A gateway that runs, and what it wrote.
pub struct Gateway {
    /// What it is in front of.
    pub cp: &'static ControlPlane,
    process: Child,
    /// The kubeconfig that it wrote for its clients.
    pub kubeconfig: PathBuf,
    folder: TempDir,
}

impl Gateway {
    /// Starts one that approves everything; `None` without a control plane.
    pub async fn start(test: &str) -> Option<Self> {
        let policy = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/policies/gateway.yaml");
        Self::start_under(test, Path::new(policy)).await
    }

    /// As above, under another policy.
    pub async fn start_under(test: &str, policy: &Path) -> Option<Self> {
        let cp = control_plane::or_skip(test).await?;
        let program = tokio::task::spawn_blocking(|| example("gateway")).await.unwrap();
        let folder = TempDir::new().unwrap();
        let mut process = command(program)
            .args(["--yes", "--policy"])
            .arg(policy)
            .arg("--kubeconfig")
            .arg(cp.kubeconfig_path())
            .arg("--audit")
            .arg(folder.path().join("audit.jsonl"))
            .spawn()
            .expect("the gateway starts");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let first = tokio::time::timeout(PATIENCE, lines.next_line())
            .await
            .unwrap()
            .unwrap();
        let Some(line) = first else {
            let mut said = String::new();
            process.stderr.take().unwrap().read_to_string(&mut said).await.unwrap();
            panic!("the gateway says nothing on its standard output, but: {said}");
        };
        let kubeconfig = PathBuf::from(line.strip_prefix("KUBECONFIG=").expect("KUBECONFIG=… comes first"));
        Some(Self {
            cp,
            process,
            kubeconfig,
            folder,
        })
    }

    pub fn kubectl_command(&self, arguments: &[&str]) -> tokio::process::Command {
        let mut kubectl = command(self.cp.kubectl().expect("a build has kubectl"));
        // Its cache would be of another server at the next start.
        kubectl
            .env("KUBECONFIG", &self.kubeconfig)
            .env("HOME", self.folder.path());
        kubectl.args(arguments);
        kubectl
    }

    pub async fn kubectl(&self, arguments: &[&str]) -> Output {
        self.kubectl_with(arguments, "").await
    }

    pub async fn kubectl_with(&self, arguments: &[&str], stdin: &str) -> Output {
        run(&mut self.kubectl_command(arguments), stdin).await
    }

    /// As above, of a command that has to succeed.
    #[track_caller]
    pub fn ok(output: &Output) -> String {
        assert!(output.status.success(), "{}{}", stdout(output), stderr(output));
        stdout(output)
    }

    /// Ends it in the ordinary way, and returns its exit code, its standard error and its audit log.
    pub async fn stop(mut self) -> (Option<i32>, String, Vec<u8>) {
        let pid = i32::try_from(self.process.id().expect("it runs")).unwrap();
        kill(Pid::from_raw(pid), Signal::SIGTERM).unwrap();
        let ended = tokio::time::timeout(PATIENCE, self.process.wait()).await;
        let code = ended.expect("it ends").unwrap().code();
        let mut said = String::new();
        self.process
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .await
            .unwrap();
        (
            code,
            said,
            std::fs::read(self.folder.path().join("audit.jsonl")).unwrap(),
        )
    }
}
