//! etcd and kube-apiserver: their files, their flags, and when they are ready.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::process::Child;

use super::binaries::Binaries;
use super::identity::Endpoint;
use super::launch::{Group, Launcher};
use super::pki::{self, Authority, Pair};
use super::{Error, tail};

/// How long a slow machine under load may take; three seconds are usual.
const READY_WITHIN: Duration = Duration::from_secs(120);

const AUDIT_POLICY: &str = r#"{
  "apiVersion": "audit.k8s.io/v1", "kind": "Policy",
  "omitStages": ["RequestReceived"], "rules": [{"level": "Metadata"}]
}"#;

/// Both servers, running; dropped, they are killed.
pub(super) struct Servers {
    pub(super) endpoint: Endpoint,
    processes: [(&'static str, Child, Group); 2],
}

impl Servers {
    /// Writes their files into the launcher's work folder, starts both and waits until the API server is ready.
    pub(super) async fn start(
        binaries: &Binaries,
        ca: &Arc<Authority>,
        launcher: &Arc<Launcher>,
    ) -> Result<Self, Error> {
        let dir = launcher.work_dir();
        write_files(dir, ca)?;
        let mut last = None;
        // A port that was free a moment ago may be taken by the time a server binds it.
        for _ in 0..4 {
            let mut servers = Self::spawn(binaries, ca, launcher)?;
            match servers.ready().await {
                Ok(()) => return Ok(servers),
                Err(error) if error.to_string().contains("address already in use") => last = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(last.unwrap_or_else(|| Error::broken("no free port")))
    }

    fn spawn(binaries: &Binaries, ca: &Arc<Authority>, launcher: &Arc<Launcher>) -> Result<Self, Error> {
        let dir = launcher.work_dir();
        let [client, peer, secure] = free_ports().map_err(Error::from)?;
        let (client, peer) = (format!("http://127.0.0.1:{client}"), format!("http://127.0.0.1:{peer}"));
        let data = dir.join("etcd");
        let _ = fs::remove_dir_all(&data);

        let mut etcd = Command::new(&binaries.etcd);
        etcd.arg("--data-dir").arg(&data).args([
            "--unsafe-no-fsync",
            &format!("--listen-client-urls={client}"),
            &format!("--advertise-client-urls={client}"),
            &format!("--listen-peer-urls={peer}"),
            &format!("--initial-advertise-peer-urls={peer}"),
            &format!("--initial-cluster=default={peer}"),
        ]);
        let file = |flag: &str, name: &str| format!("--{flag}={}", dir.join(name).display());
        let mut apiserver = Command::new(&binaries.kube_apiserver);
        apiserver.args([
            &format!("--etcd-servers={client}"),
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            &format!("--secure-port={secure}"),
            "--endpoint-reconciler-type=none",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--allow-privileged",
            &file("cert-dir", "generated"),
            &file("tls-cert-file", "apiserver.crt"),
            &file("tls-private-key-file", "apiserver.key"),
            &file("client-ca-file", "ca.crt"),
            "--authorization-mode=RBAC",
            // No controller makes the default service account, without which the plugin refuses every pod.
            "--disable-admission-plugins=ServiceAccount",
            "--service-account-issuer=https://kubernetes.default.svc",
            &file("service-account-key-file", "service-account.pub"),
            &file("service-account-signing-key-file", "service-account.key"),
            &file("kubelet-certificate-authority", "ca.crt"),
            &file("kubelet-client-certificate", "kubelet-client.crt"),
            &file("kubelet-client-key", "kubelet-client.key"),
            &file("audit-policy-file", "audit-policy.json"),
            &file("audit-log-path", "audit.jsonl"),
        ]);
        let start = |name: &'static str, mut command: Command| -> Result<_, Error> {
            let log = File::create(dir.join(format!("{name}.log")))?;
            command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
            let (child, group) = launcher
                .spawn(command)
                .map_err(|error| Error::broken(format!("{name}: {error}")))?;
            Ok((name, child, group))
        };
        let processes = [start("etcd", etcd)?, start("kube-apiserver", apiserver)?];
        Ok(Self {
            endpoint: Endpoint::new(secure, Arc::clone(ca)),
            processes,
        })
    }

    /// Ready means: its own checks pass, and the namespaces exist that it makes after them.
    async fn ready(&mut self) -> Result<(), Error> {
        let mut probe = self.endpoint.config("countersign-fixture", Some("system:masters"))?;
        probe.default_retry = false;
        let client = kube::Client::try_from(probe).map_err(Error::broken)?;
        let begun = Instant::now();
        loop {
            if let Some(died) = self.exited() {
                return Err(died);
            }
            let mut ready = true;
            for path in [
                "/readyz",
                "/api/v1/namespaces/default",
                "/api/v1/namespaces/kube-system",
            ] {
                let request = http::Request::get(path).body(Vec::new()).map_err(Error::broken)?;
                ready = ready && client.request_text(request).await.is_ok();
            }
            if ready {
                return Ok(());
            }
            if begun.elapsed() > READY_WITHIN {
                return Err(Error::broken(format!(
                    "not ready within {READY_WITHIN:?}:\n{}",
                    self.logs()
                )));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn exited(&mut self) -> Option<Error> {
        self.processes.iter_mut().find_map(|(name, child, group)| {
            let status = child.try_wait().ok().flatten()?;
            Some(Error::broken(format!(
                "{name} ended ({status}):\n{}",
                group.work_dir_tail(name)
            )))
        })
    }

    fn logs(&self) -> String {
        self.processes
            .iter()
            .map(|(name, _, group)| format!("{name}:\n{}\n", group.work_dir_tail(name)))
            .collect()
    }
}

impl Group {
    fn work_dir_tail(&self, name: &str) -> String {
        let log = fs::read(self.work_dir().join(format!("{name}.log"))).unwrap_or_default();
        tail(&String::from_utf8_lossy(&log), 12).to_owned()
    }
}

fn write_files(dir: &Path, ca: &Authority) -> Result<(), Error> {
    let pair = |name: &str, Pair { certificate, key }: Pair| -> io::Result<()> {
        fs::write(dir.join(format!("{name}.crt")), certificate)?;
        fs::write(dir.join(format!("{name}.key")), key)
    };
    fs::write(dir.join("ca.crt"), ca.pem())?;
    pair("apiserver", ca.server("kube-apiserver")?)?;
    pair("kubelet-client", ca.client("kube-apiserver-kubelet-client", None)?)?;
    let (private, public) = pki::signing_key()?;
    fs::write(dir.join("service-account.key"), private)?;
    fs::write(dir.join("service-account.pub"), public)?;
    fs::write(dir.join("audit-policy.json"), AUDIT_POLICY)?;
    Ok(())
}

/// Free at this moment, and different: all are held until all are known.
fn free_ports<const N: usize>() -> io::Result<[u16; N]> {
    let mut ports = [0; N];
    let mut held = Vec::with_capacity(N);
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}
