//! A real Kubernetes control plane for tests: etcd, kube-apiserver and a kubelet that executes.
//!
//! ```no_run
//! use countersign_tests::control_plane;
//!
//! #[tokio::test]
//! async fn a_pod_is_listed() {
//!     let Some(cp) = control_plane::or_skip("a_pod_is_listed").await else { return };
//!     let namespace = cp.namespace("listing").await;
//!     cp.run_pod(&namespace, "web", vec![control_plane::container(&["sleep", "60"])]).await;
//!     // … cp.admin(), cp.client_with(rules, scope), cp.audit_events(), cp.kubectl()
//! }
//! ```
//!
//! 1. The binaries are those in the folder `KUBEBUILDER_ASSETS`, kubebuilder's convention; without it they are built
//!    once per machine from Go modules (`tests/control-plane/go.mod`) into the user's cache folder, which takes some
//!    minutes, 2.4 GB of Go's build cache and 0.6 GB of modules, and leaves 190 MB.
//! 2. Where neither can be had, a test prints one line and does not run, the last line of its binary says how many did
//!    not, and each appends its name to the file that `COUNTERSIGN_SKIPPED_FILE` names. With
//!    `COUNTERSIGN_REQUIRE_CONTROL_PLANE=1` such a test fails instead. Binaries that are there and don't start are a
//!    failure in any case.
//! 3. One control plane serves all tests of a process. It starts with the first that asks, on a thread and a runtime of
//!    its own, listens on free ports of 127.0.0.1, with TLS, RBAC and the audit log on. Tests keep apart by namespace.
//! 4. Nothing is left behind: no process, no folder; not after a panic, not after `SIGKILL` (`reaper.rs`).
//!
//! # What it is not
//!
//! - No controller runs. A namespace that is deleted stays `Terminating` for ever, nothing is garbage collected, and a
//!   Deployment makes no pods. No scheduler either: a pod runs if its `nodeName` is [`NODE`].
//! - The containers are processes of this machine, without isolation: no image is pulled, the command runs as the user
//!   who runs the tests, in a folder and an environment of its own. A container without `command` runs nothing, and can
//!   be executed in all the same. Init containers are not run, nothing is restarted, volumes are not mounted, of the
//!   environment only plain values are set.
//! - A port-forward goes to 127.0.0.1 of this machine, and only over `v4.channel.k8s.io` (kube-rs; not kubectl's SPDY).
//!   Exec and attach speak WebSocket, `v5.channel.k8s.io` and `v4.channel.k8s.io`: kubectl 1.31 and later, kube-rs.

mod audit;
mod binaries;
mod identity;
mod kubelet;
mod launch;
mod os;
mod pki;
mod pods;
mod reaper;
mod seed;
mod servers;
mod shared;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, PostParams};
use kube::{Client, Config};
use serde_json::json;
use tokio::sync::oneshot;

pub use self::audit::{AuditEvent, AuditUser, ObjectRef, ResponseStatus};
pub use self::identity::Scope;
pub use self::kubelet::NODE;
pub use self::pods::container;
pub use self::shared::or_skip;

use self::binaries::Binaries;
use self::identity::Endpoint;
use self::kubelet::Kubelet;
use self::launch::Launcher;
use self::pki::Authority;
use self::servers::Servers;

/// A running control plane. Dropped, it is gone, with all that it ran.
pub struct ControlPlane {
    endpoint: Endpoint,
    kubectl: Option<PathBuf>,
    kubeconfig: PathBuf,
    audit_log: PathBuf,
    launcher: Arc<Launcher>,
    running: Mutex<Option<Running>>,
}

/// Why there is no control plane.
#[derive(Clone, Debug)]
pub struct Error {
    unavailable: bool,
    message: String,
}

/// The fixture's thread.
struct Running {
    stop: oneshot::Sender<()>,
    stopped: mpsc::Receiver<()>,
}

impl ControlPlane {
    /// Starts one, and returns when it is ready: in about three seconds, or in minutes where the binaries are to be
    /// built first. Blocks the thread.
    ///
    /// Its files are in `work_dir`, which has to be empty or absent and stays at the end; without it, in a temporary
    /// folder that does not.
    pub fn start(work_dir: Option<&Path>) -> Result<Self, Error> {
        let work_dir = work_dir.map(Path::to_owned);
        let (stop, stopping) = oneshot::channel();
        let (stopped, has_stopped) = mpsc::channel();
        let (report, reported) = mpsc::channel();
        // A thread and a runtime of its own: it outlives the runtimes of single tests, and the children, which die with
        // the thread that spawned them.
        let thread = thread::Builder::new().name("control-plane".to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            match runtime
                .map_err(Error::from)
                .and_then(|runtime| Ok((runtime.block_on(bring_up(work_dir))?, runtime)))
            {
                Err(error) => drop(report.send(Err(error))),
                Ok(((parts, servers), runtime)) => {
                    let launcher = Arc::clone(&parts.launcher);
                    if report.send(Ok(parts)).is_ok() {
                        let _ = runtime.block_on(stopping);
                    }
                    drop(servers);
                    runtime.shutdown_background();
                    launcher.finish();
                }
            }
            drop(stopped);
        });
        thread?;
        let Parts {
            endpoint,
            kubectl,
            kubeconfig,
            audit_log,
            launcher,
        } = reported.recv().map_err(|_| Error::broken("the fixture panicked"))??;
        let running = Mutex::new(Some(Running {
            stop,
            stopped: has_stopped,
        }));
        Ok(Self {
            endpoint,
            kubectl,
            kubeconfig,
            audit_log,
            launcher,
            running,
        })
    }

    /// The administrator's configuration (group `system:masters`).
    pub fn admin_config(&self) -> Config {
        self.config_for("admin", Some("system:masters"))
    }

    /// The administrator's client: a new one at each call, as a client belongs to the runtime that it was made in.
    pub fn admin(&self) -> Client {
        Client::try_from(self.admin_config()).expect("a configuration that was built whole")
    }

    /// The administrator's kubeconfig file.
    pub fn kubeconfig_path(&self) -> &Path {
        &self.kubeconfig
    }

    /// The audit log of the API server: `audit.k8s.io/v1` events, one a line.
    pub fn audit_log(&self) -> &Path {
        &self.audit_log
    }

    /// The folder of this control plane's files, the servers' logs among them.
    pub fn work_dir(&self) -> &Path {
        self.launcher.work_dir()
    }

    /// kubectl of the same build, else that of the `PATH`.
    pub fn kubectl(&self) -> Option<&Path> {
        self.kubectl.as_deref()
    }

    /// Makes a namespace of which nobody else knows the name: `prefix-` and five characters.
    pub async fn namespace(&self, prefix: &str) -> String {
        let wanted = json!({"metadata": {"generateName": format!("{prefix}-")}});
        let wanted: Namespace = serde_json::from_value(wanted).expect("a namespace");
        let made = Api::<Namespace>::all(self.admin())
            .create(&PostParams::default(), &wanted)
            .await;
        made.expect("the administrator may create namespaces")
            .metadata
            .name
            .expect("the server names what it made")
    }

    /// Fills it with a small world to try clients on (`seed.rs`).
    pub async fn seed(&self) -> Result<(), kube::Error> {
        seed::world(self).await
    }

    /// Ends it: returns when nothing of it is left. Doing so twice is harmless.
    pub fn stop(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Running { stop, stopped }) = running {
            let _ = stop.send(());
            // Should the thread hang, the reaper does not need it.
            let _ = stopped.recv_timeout(Duration::from_secs(5));
        }
        self.launcher.finish();
    }

    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for ControlPlane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlPlane")
            .field("kubeconfig", &self.kubeconfig)
            .finish_non_exhaustive()
    }
}

impl Error {
    /// Whether this machine just has no control plane, as against one that does not work.
    pub fn is_unavailable(&self) -> bool {
        self.unavailable
    }

    fn unavailable(message: impl fmt::Display) -> Self {
        Self {
            unavailable: true,
            message: message.to_string(),
        }
    }

    fn broken(message: impl fmt::Display) -> Self {
        Self {
            unavailable: false,
            message: message.to_string(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::broken(error)
    }
}

impl From<rcgen::Error> for Error {
    fn from(error: rcgen::Error) -> Self {
        Self::broken(error)
    }
}

/// What the handle keeps of a control plane that is up.
struct Parts {
    endpoint: Endpoint,
    kubectl: Option<PathBuf>,
    kubeconfig: PathBuf,
    audit_log: PathBuf,
    launcher: Arc<Launcher>,
}

async fn bring_up(work_dir: Option<PathBuf>) -> Result<(Parts, Servers), Error> {
    let binaries = Binaries::find_or_build()?;
    let keep = work_dir.is_some();
    let work_dir = match work_dir {
        Some(dir) => given(&dir)?,
        None => tempfile::Builder::new()
            .prefix("countersign-control-plane-")
            .tempdir()?
            .keep(),
    };
    let launcher = Arc::new(Launcher::new(&work_dir, keep)?);
    let ca = Arc::new(Authority::new()?);
    let servers = Servers::start(&binaries, &ca, &launcher).await?;
    let endpoint = servers.endpoint.clone();
    let kubeconfig = work_dir.join("kubeconfig");
    fs::write(
        &kubeconfig,
        endpoint.kubeconfig("admin", Some("system:masters"))?.to_string(),
    )?;
    Kubelet::start(&endpoint, &launcher).await?;
    let audit_log = work_dir.join("audit.jsonl");
    Ok((
        Parts {
            endpoint,
            kubectl: binaries.kubectl,
            kubeconfig,
            audit_log,
            launcher,
        },
        servers,
    ))
}

/// The work folder that somebody asked for; as an absolute path, as it goes into the environment of others.
fn given(dir: &Path) -> Result<PathBuf, Error> {
    fs::create_dir_all(dir)?;
    if fs::read_dir(dir)?.next().is_some() {
        return Err(Error::broken(format!("{} is not empty", dir.display())));
    }
    Ok(fs::canonicalize(dir)?)
}

/// The last `lines` lines.
fn tail(text: &str, lines: usize) -> &str {
    let text = text.trim_end();
    text.rmatch_indices('\n')
        .nth(lines.saturating_sub(1))
        .map_or(text, |(at, _)| text.get(at + 1..).unwrap_or(text))
}
