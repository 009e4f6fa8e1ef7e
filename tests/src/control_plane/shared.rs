//! The control plane that the tests of one process share, and what happens where none can be had.

use std::env;
use std::fs::File;
use std::io::{self, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{ControlPlane, Error, os};

static SHARED: OnceLock<Result<ControlPlane, Error>> = OnceLock::new();
static SKIPPED: AtomicUsize = AtomicUsize::new(0);

const REMEDY: &str = "set KUBEBUILDER_ASSETS to a folder with etcd and kube-apiserver, or install Go 1.26";

impl ControlPlane {
    /// The one of this process, started by the first who asks.
    pub async fn shared() -> Result<&'static Self, Error> {
        // Not on the caller's own runtime: a start blocks, for minutes where the binaries have to be built.
        let started = tokio::task::spawn_blocking(|| {
            SHARED.get_or_init(|| {
                // Statics are not dropped when a process exits.
                os::at_exit(at_exit);
                Self::start(None)
            })
        });
        started.await.map_err(Error::broken)?.as_ref().map_err(Clone::clone)
    }
}

/// The shared control plane; or `None` where this machine has none, and then the test called `test` is counted as one
/// that did not run. Panics where the environment asks for one, and when one that can be had does not start.
pub async fn or_skip(test: &str) -> Option<&'static ControlPlane> {
    match ControlPlane::shared().await {
        Ok(control_plane) => Some(control_plane),
        Err(error) if !error.is_unavailable() => panic!("the control plane does not start: {error}"),
        Err(error) if is_required() => panic!("COUNTERSIGN_REQUIRE_CONTROL_PLANE is set: {error}\nremedy: {REMEDY}"),
        Err(error) => {
            skip(test, &error);
            None
        }
    }
}

fn is_required() -> bool {
    env::var_os("COUNTERSIGN_REQUIRE_CONTROL_PLANE").is_some_and(|value| !value.is_empty() && value != "0")
}

fn skip(test: &str, error: &Error) {
    SKIPPED.fetch_add(1, Ordering::SeqCst);
    let reason = error.to_string().replace('\n', " | ");
    // To the real standard error, as libtest keeps back what `eprintln!` of a passing test writes.
    let _ = writeln!(io::stderr(), "DID NOT RUN {test}: no control plane: {reason}");
    if let Some(path) = env::var_os("COUNTERSIGN_SKIPPED_FILE") {
        // One write call a line, so that lines of several processes do not mix.
        let file = File::options().create(true).append(true).open(path);
        let _ = file.and_then(|mut file| file.write_all(format!("{test}\n").as_bytes()));
    }
}

/// Runs after libtest's own summary: so this is the last line, and nothing is left when the process has ended.
extern "C" fn at_exit() {
    let _ = std::panic::catch_unwind(|| {
        if let Some(Ok(control_plane)) = SHARED.get() {
            control_plane.stop();
        }
        let skipped = SKIPPED.load(Ordering::SeqCst);
        if skipped > 0 {
            let _ = writeln!(io::stderr(), "{skipped} tests did not run: no control plane ({REMEDY})");
        }
    });
}
