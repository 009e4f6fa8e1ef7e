//! The guard behind a server on loopback, for kubectl and clients in any language.
//!
//!     cargo run -p countersign-examples --example gateway -- --policy examples/policies/gateway.yaml
//!     KUBECONFIG=… kubectl get pods        # in another terminal; the first line that the gateway prints has the path
//!
//! The kubeconfig that it writes holds a bearer token made for this run; whoever has the file is the subject. The
//! gateway's own credential is the kubeconfig that it was started with, and never leaves it.

use std::convert::Infallible;
use std::io::{BufReader, IsTerminal as _, Write as _, stderr, stdin};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Parser;
use countersign_examples::Result;
use countersign_kube::core::refusal::Class;
use countersign_kube::core::request::Gate;
use countersign_kube::tower::identify::Identify;
use countersign_kube::tower::{Body, BoxError, refusal_response};
use countersign_kube::{
    FileSink, Guard, Operator, PolicyFiles, Refusal, Subject, SubjectOverride, TerminalBackend, discover_catalog,
    guarded_client,
};
use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use kube::Client;
use kube::config::{KubeConfigOptions, Kubeconfig};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tracing_subscriber::EnvFilter;

/// Largest request body that is read; the gate refuses what is larger than it can take.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// A guarded gateway to a cluster, on loopback.
#[derive(Parser)]
struct Options {
    /// The policy: a YAML file, or a directory of them; watched, and replaced when it changes. May be repeated.
    #[arg(long, required = true)]
    policy: Vec<PathBuf>,
    /// The kubeconfig that leads to the cluster; by default what kubectl would use.
    #[arg(long)]
    kubeconfig: Option<PathBuf>,
    /// Who makes the requests that arrive.
    #[arg(long, default_value = "agent")]
    subject: String,
    /// A group of the subject; may be repeated.
    #[arg(long = "group", default_value = "agents")]
    groups: Vec<String>,
    /// Where to listen; a loopback address.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Where the audit log goes.
    #[arg(long, default_value = "countersign-audit.jsonl")]
    audit: PathBuf,
    /// A group of the human at this terminal, who approves; may be repeated.
    #[arg(long = "approver-group", default_value = "sre")]
    approver_groups: Vec<String>,
    /// The namespace that the guard itself lives in, which no request may touch.
    #[arg(long)]
    guard_namespace: Option<String>,
    /// Approve what is held without asking.
    #[arg(long)]
    yes: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    // A policy that breaks while the gateway runs says so there. Not below `info`: kube writes whole URLs at `debug`.
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .init();
    if !options.listen.ip().is_loopback() {
        return Err(format!("{} is no loopback address: this example has no login", options.listen).into());
    }
    let (client, identity) = guarded(&options).await?;
    let listener = TcpListener::bind(options.listen).await?;
    let token = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    let certificate = generate_simple_self_signed(["127.0.0.1".to_owned(), "localhost".to_owned()])?;
    let tls = tls_acceptor(&certificate)?;
    let folder = tempfile::Builder::new().prefix("countersign-gateway-").tempdir()?;
    let kubeconfig = write_kubeconfig(folder.path(), listener.local_addr()?, &certificate, &token)?;

    println!("KUBECONFIG={}", kubeconfig.display());
    std::io::stdout().flush()?;
    eprintln!(
        "listening on https://{}, recording to {}",
        listener.local_addr()?,
        options.audit.display()
    );

    let subject = options
        .groups
        .iter()
        .fold(Subject::new(&options.subject), |s, group| s.with_group(group));
    let door = Arc::new(Door {
        client,
        identity,
        subject,
        token: format!("Bearer {token}"),
    });
    serve(listener, tls, door).await
}

/// A guarded client to the cluster, and the capability to say who makes a request.
async fn guarded(options: &Options) -> Result<(Client, SubjectOverride)> {
    let config = match &options.kubeconfig {
        Some(path) => {
            let kubeconfig = Kubeconfig::read_from(path)?;
            kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?
        }
        None => kube::Config::infer().await?,
    };
    let policy = PolicyFiles::load(&options.policy)?.watch()?;
    let mut operator = Operator::new(std::env::var("USER").unwrap_or_else(|_| "operator".into()));
    operator = options
        .approver_groups
        .iter()
        .fold(operator, Operator::with_group)
        .with_ansi(stderr().is_terminal());
    if options.yes {
        operator = operator.insecure_approve_everything();
    }
    let catalog = discover_catalog(&Client::try_from(config.clone())?).await?;
    let (identify, identity) = Identify::per_request();
    let mut guard = Guard::builder()
        .identify(identify)
        .policy(policy)
        .gate(Gate::new(Arc::new(catalog)))
        .approval(TerminalBackend::start(operator, BufReader::new(stdin()), stderr())?)
        .audit(FileSink::open(&options.audit)?);
    if let Some(namespace) = &options.guard_namespace {
        guard = guard.guard_namespace(namespace);
    }
    Ok((guarded_client(config, guard)?, identity))
}

/// What stands between a connection and the guard: the token, and who it makes the caller.
struct Door {
    client: Client,
    identity: SubjectOverride,
    subject: Subject,
    token: String,
}

impl Door {
    async fn answer(&self, request: Request<Incoming>) -> std::result::Result<Response<Body>, Infallible> {
        Ok(self.forward(request).await.unwrap_or_else(refusal_response))
    }

    async fn forward(&self, mut request: Request<Incoming>) -> std::result::Result<Response<Body>, Refusal> {
        // The header ends here: the guard refuses credentials that a caller brings.
        let presented = request.headers_mut().remove(AUTHORIZATION);
        if !presented.is_some_and(|value| equal(value.as_bytes(), self.token.as_bytes())) {
            return Err(Refusal::new(
                StatusCode::UNAUTHORIZED,
                Class::Identity,
                "no valid bearer token",
            ));
        }
        // Set by the client of this hop; the guard sets its own.
        request.headers_mut().remove(http::header::HOST);
        self.identity.attach(&mut request, self.subject.clone());
        let caller = hyper::upgrade::on(&mut request);
        let (head, body) = request.into_parts();
        let body = Limited::new(body, MAX_BODY).collect().await.map_err(|_| {
            Refusal::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                Class::Malformed,
                "the request body is too large or broke off",
            )
        })?;
        let request = Request::from_parts(head, kube::client::Body::from(body.to_bytes()));
        let mut response = self.client.send(request).await.map_err(|error| {
            eprintln!("the cluster can't be reached: {error}");
            Refusal::upstream("the cluster can't be reached")
        })?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let server = hyper::upgrade::on(&mut response);
            tokio::spawn(async move {
                if let (Ok(caller), Ok(server)) = (caller.await, server.await) {
                    let (mut caller, mut server) = (TokioIo::new(caller), TokioIo::new(server));
                    let _ = tokio::io::copy_bidirectional(&mut caller, &mut server).await;
                }
            });
        }
        Ok(response.map(|body| body.map_err(BoxError::from).boxed_unsync()))
    }
}

/// Compares in a time that tells nothing of where two texts differ.
fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

async fn serve(listener: TcpListener, tls: TlsAcceptor, door: Arc<Door>) -> Result<()> {
    let graceful = GracefulShutdown::new();
    let mut server = Builder::new(TokioExecutor::new()).http1_only();
    // A head that does not arrive in time is a connection that is held open for nothing.
    server.http1().timer(TokioTimer::new());
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    loop {
        let (stream, _) = tokio::select! {
            accepted = listener.accept() => accepted?,
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
        };
        let (tls, door, server, watcher) = (tls.clone(), Arc::clone(&door), server.clone(), graceful.watcher());
        tokio::spawn(async move {
            let Ok(stream) = tls.accept(stream).await else { return };
            let service = service_fn(move |request| {
                let door = Arc::clone(&door);
                async move { door.answer(request).await }
            });
            let server = server
                .serve_connection_with_upgrades(TokioIo::new(stream), service)
                .into_owned();
            let _ = watcher.watch(server).await;
        });
    }
    eprintln!("draining: no new requests");
    drop(listener);
    let drained = tokio::time::timeout(std::time::Duration::from_secs(10), graceful.shutdown()).await;
    eprintln!(
        "{}",
        if drained.is_ok() {
            "drained"
        } else {
            "gave up on streams that did not end in 10 s"
        }
    );
    Ok(())
}

fn tls_acceptor(certificate: &CertifiedKey<rcgen::KeyPair>) -> Result<TlsAcceptor> {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(certificate.signing_key.serialize_der()));
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.cert.der().clone()], key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Writes a kubeconfig for this gateway, readable by its owner alone.
fn write_kubeconfig(
    folder: &Path,
    address: SocketAddr,
    certificate: &CertifiedKey<rcgen::KeyPair>,
    token: &str,
) -> Result<PathBuf> {
    use std::os::unix::fs::OpenOptionsExt as _;

    let authority = folder.join("ca.crt");
    std::fs::write(&authority, certificate.cert.pem())?;
    let kubeconfig = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{
            "name": "countersign",
            "cluster": { "server": format!("https://{address}"), "certificate-authority": authority },
        }],
        "users": [{ "name": "agent", "user": { "token": token } }],
        "contexts": [{ "name": "countersign", "context": { "cluster": "countersign", "user": "agent" } }],
        "current-context": "countersign",
    });
    let path = folder.join("kubeconfig");
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    file.write_all(kubeconfig.to_string().as_bytes())?;
    Ok(path)
}
