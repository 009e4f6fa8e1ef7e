//! Starts a real Kubernetes control plane with a small world in it, for people and for trying any client.
//!
//! The first two lines of standard output are `KUBECONFIG=…` and `AUDIT_LOG=…`; they come when it is ready. It ends with
//! Ctrl-C, `SIGTERM` or `SIGHUP`, and leaves nothing behind.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use countersign_tests::control_plane::ControlPlane;
use tokio::signal::unix::{SignalKind, signal};

/// Start etcd, kube-apiserver and a kubelet that executes, with namespaces team-a and team-b, Secrets, workloads, custom
/// resources and the running pod team-a/web-0; print KUBECONFIG=… and AUDIT_LOG=… on standard output; stop on Ctrl-C.
///
/// The binaries are those in the folder KUBEBUILDER_ASSETS, else built once per machine from Go modules. No controller
/// and no scheduler runs: a namespace never finishes deleting, a Deployment makes no pods, and a pod runs only with
/// nodeName countersign-node. Containers are processes of this machine.
#[derive(Parser)]
#[command(name = "control-plane")]
struct Arguments {
    /// Keep all files in this folder, which has to be empty or absent, and leave them there at the end.
    #[arg(long, value_name = "DIR")]
    work_dir: Option<PathBuf>,
    /// Leave out the small world: start with nothing but what the API server makes itself.
    #[arg(long)]
    empty: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "control-plane: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn run(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let _ = writeln!(io::stderr(), "control-plane: starting …");
    // Before the start: from here on a signal ends this program through its own end, also while it is starting.
    let mut signals = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
    let [interrupt, terminate, hangup] = &mut signals;
    let (interrupt, terminate, hangup) = (into(interrupt)?, into(terminate)?, into(hangup)?);
    let work_dir = arguments.work_dir.clone();
    let up = async {
        let control_plane = tokio::task::spawn_blocking(move || ControlPlane::start(work_dir.as_deref())).await??;
        if !arguments.empty {
            control_plane.seed().await?;
        }
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "KUBECONFIG={}", control_plane.kubeconfig_path().display())?;
        writeln!(stdout, "AUDIT_LOG={}", control_plane.audit_log().display())?;
        stdout.flush()?;
        let kubectl = control_plane.kubectl().map(|path| path.display().to_string());
        let _ = writeln!(
            io::stderr(),
            "control-plane: ready; kubectl: {}",
            kubectl.as_deref().unwrap_or("none")
        );
        let _ = writeln!(io::stderr(), "control-plane: Ctrl-C stops it and removes everything");
        Ok::<_, Box<dyn std::error::Error>>(control_plane)
    };
    let control_plane = tokio::select! {
        started = up => started?,
        _ = interrupt.recv() => std::process::exit(130),
        _ = terminate.recv() => std::process::exit(143),
        _ = hangup.recv() => std::process::exit(129),
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    let _ = writeln!(io::stderr(), "control-plane: stopping …");
    control_plane.stop();
    Ok(())
}

fn into<T>(signal: &mut io::Result<T>) -> io::Result<&mut T> {
    signal
        .as_mut()
        .map_err(|error| io::Error::new(error.kind(), error.to_string()))
}
