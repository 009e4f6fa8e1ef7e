//! The examples as a user runs them: as programs.

use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

const PATIENCE: Duration = Duration::from_secs(60);

/// The program of an example, built by the cargo that built this test.
///
/// Blocks, for a minute if nothing of it was built before.
pub fn example(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let folder = BUILT.get_or_init(|| {
        let workspace = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        let built = std::process::Command::new(env!("CARGO"))
            // Of the whole workspace, as its tests were: with the same features nothing is built twice.
            .args(["build", "--quiet", "--workspace", "--examples"])
            .current_dir(workspace)
            .stdin(Stdio::null())
            .status();
        assert!(built.expect("cargo starts").success(), "the examples do not build");
        // This test is target/<profile>/deps/<test>; the examples are in target/debug.
        let test = std::env::current_exe().expect("a test is a file");
        let target = test.ancestors().nth(3).expect("target/<profile>/deps");
        target.join("debug").join("examples")
    });
    folder.join(name)
}

/// A command that does not outlive its test, with nothing of ours or the user's in its environment that changes its way.
pub fn command(program: impl Into<PathBuf>) -> Command {
    let mut command = Command::new(program.into());
    command
        .env_remove("KUBECONFIG")
        .env_remove("RUST_LOG")
        .env("HOME", "/nonexistent")
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Runs it to its end, with this on its standard input.
pub async fn run(command: &mut Command, stdin: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).spawn().expect("it starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    // Who does not read all of it has ended, and says why.
    let _ = pipe.write_all(stdin.as_bytes()).await;
    drop(pipe);
    let ended = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
    ended.expect("it ends").expect("it ran")
}

/// What it wrote to its standard output.
pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What it wrote to its standard error.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
