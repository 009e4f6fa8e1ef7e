//! A guarded client in front of either API server. A test that runs on both, by [`on_both`], keeps the one in memory from
//! drifting away from the real one.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use countersign_core::approval::Ticket;
use countersign_core::audit::{AuditSink, Durability, Event, Outcome, Report, Stage, verify};
use countersign_core::digest::Digest;
use countersign_core::policy::{Evaluation, Facts};
use countersign_core::request::{Canonical, ClusterIdentity};
use countersign_core::{Subject, Timestamp};
use countersign_kube::testing::EmbeddedApiServer;
use countersign_kube::{
    Answer, FileSink, Guard, GuardBuilder, GuardedClientBuilder as _, MemoryBackend, PolicyEngine, PolicySet, Vote,
    guarded_client,
};
use http::{Method, Request};
use http_body_util::BodyExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, PostParams};
use kube::client::{Body, ClientBuilder};
use kube::{Client, Config};
use serde_json::json;
use tempfile::TempDir;

use crate::control_plane::{self, ControlPlane};

/// Reads everywhere, changes in the namespace of the test, deletions of pods held.
pub const POLICY: &str = include_str!("../policies/promises.yaml");

const FLUSH: &str = "flush-of-the-test";
const PATIENCE: Duration = Duration::from_secs(20);

/// An API server, a guard in front of it, and a client on either side of the guard.
pub struct Stack {
    /// The namespace of this test, in which the policy lets the agent work.
    pub namespace: String,
    /// A client beside the guard, which may do everything.
    pub admin: Client,
    /// The guarded client.
    pub agent: Client,
    /// What the guarded client received so far.
    pub received: Tap,
    /// Where held requests wait.
    pub backend: MemoryBackend,
    /// The policy in force.
    pub policy: ReplaceablePolicy,
    server: Server,
    sink: Arc<FileSink>,
    folder: TempDir,
}

enum Server {
    Embedded(EmbeddedApiServer),
    Real { cp: &'static ControlPlane, user: String },
}

/// A request that reached the API server through the guard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The header `Audit-ID`.
    pub audit_id: String,
    /// The method.
    pub method: Method,
    /// Path and query.
    pub uri: String,
}

/// Runs a test on the API server in memory, then on the real one; there it counts as not run where there is none.
///
/// In `policy`, the word `NAMESPACE` stands for the namespace of the test.
pub async fn on_both(test: &str, policy: &str, body: impl AsyncFn(&Stack)) {
    on_both_with(test, policy, |guard, _| guard, body).await;
}

/// As [`on_both`], with a guard that is changed by `customise`, which also gets [`Stack::backend`].
pub async fn on_both_with(
    test: &str,
    policy: &str,
    customise: impl Fn(GuardBuilder, &MemoryBackend) -> GuardBuilder,
    body: impl AsyncFn(&Stack),
) {
    // Shown with a failure only.
    println!("{test}: on the API server in memory");
    body(&Stack::embedded(policy, &customise)).await;
    println!("{test}: on the control plane");
    if let Some(cp) = control_plane::or_skip(test).await {
        body(&Stack::real(cp, policy, &customise).await).await;
    }
}

impl Stack {
    /// On an API server in memory.
    pub fn embedded(policy: &str, customise: impl Fn(GuardBuilder, &MemoryBackend) -> GuardBuilder) -> Self {
        let server = EmbeddedApiServer::new();
        let namespace = "promise-embedded".to_owned();
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        server.seed([object]).expect("a namespace");
        let parts = Parts::new(&namespace, policy);
        let guard = customise(
            parts.guard().cluster(ClusterIdentity::named("embedded")),
            &parts.backend,
        );
        let guard = guard.build().expect("a guard with all its parts");
        let agent = ClientBuilder::new(server.clone(), namespace.as_str())
            .guarded(&guard)
            .build();
        parts.stack(namespace, server.client(), agent, Server::Embedded(server))
    }

    /// On the control plane, with a credential for the guard that may do everything.
    pub async fn real(
        cp: &'static ControlPlane,
        policy: &str,
        customise: impl Fn(GuardBuilder, &MemoryBackend) -> GuardBuilder,
    ) -> Self {
        let namespace = cp.namespace("promise").await;
        // A user of its own, to be told apart in the server's audit log.
        let user = format!("guard-of-{namespace}");
        let config = cp.config_for(&user, Some("system:masters"));
        Self::real_as(cp, namespace, (user, config), policy, customise)
    }

    /// On the control plane, with this user's credential for the guard.
    pub fn real_as(
        cp: &'static ControlPlane,
        namespace: String,
        (user, config): (String, Config),
        policy: &str,
        customise: impl Fn(GuardBuilder, &MemoryBackend) -> GuardBuilder,
    ) -> Self {
        let parts = Parts::new(&namespace, policy);
        let guard = customise(parts.guard(), &parts.backend);
        let agent = guarded_client(config, guard).expect("a guard with all its parts");
        parts.stack(namespace, cp.admin(), agent, Server::Real { cp, user })
    }

    /// Another namespace, for what is compared.
    pub async fn other_namespace(&self) -> String {
        match &self.server {
            Server::Embedded(server) => {
                let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "promise-other"}});
                server.seed([object]).expect("a namespace");
                "promise-other".to_owned()
            }
            Server::Real { cp, .. } => cp.namespace("promise-other").await,
        }
    }

    /// Makes a pod beside the guard. It never runs, so a deletion removes it at once.
    pub async fn pod(&self, name: &str) -> Pod {
        let pod = json!({
            "metadata": {"name": name, "labels": {"app": "web"}},
            "spec": {"containers": [{"name": "app", "image": "registry.internal/app:1"}]},
        });
        let pod = serde_json::from_value(pod).expect("a pod");
        let made = self.pods().create(&PostParams::default(), &pod).await;
        made.expect("the administrator may create pods")
    }

    /// Makes a pod that has printed `log`.
    pub async fn pod_with_log(&self, namespace: &str, name: &str, log: &str) {
        match &self.server {
            Server::Embedded(server) => {
                let metadata = json!({"name": name, "namespace": namespace});
                let spec = json!({"containers": [{"name": "app"}]});
                let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec});
                server.seed([pod]).expect("a pod");
                server.set_log(namespace, name, log);
            }
            Server::Real { cp, .. } => {
                let printing = control_plane::container(&["printf", "%s", log]);
                cp.run_pod(namespace, name, vec![printing]).await;
            }
        }
    }

    /// The pods of the test, beside the guard.
    pub fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.admin.clone(), &self.namespace)
    }

    /// The pods of the test, through the guard.
    pub fn guarded_pods(&self) -> Api<Pod> {
        Api::namespaced(self.agent.clone(), &self.namespace)
    }

    /// Puts another policy in force.
    pub fn replace_policy(&self, policy: &str) {
        self.policy.replace(load(&self.namespace, policy));
    }

    /// What reached the API server through the guard so far, as the server itself tells it; of one method, if any.
    pub async fn sent(&self, method: Option<Method>) -> Vec<Sent> {
        let mut sent: Vec<_> = match &self.server {
            // Who else sends here has no Audit-ID.
            Server::Embedded(server) => server.requests().into_iter().filter_map(Sent::embedded).collect(),
            Server::Real { cp, user } => {
                let events = cp.audit_events().await.into_iter();
                let by_guard = events.filter(|event| event.user.username == *user && event.is_complete());
                by_guard.map(Sent::real).collect()
            }
        };
        sent.retain(|sent| method.as_ref().is_none_or(|method| *method == sent.method));
        sent
    }

    /// The next request that waits for approval.
    pub async fn next_ticket(&self) -> Ticket {
        let next = tokio::time::timeout(PATIENCE, self.backend.next_pending(|_| false));
        next.await.expect("a request is held")
    }

    /// Votes on a ticket as a human of the group `sre`.
    pub fn vote(&self, ticket: &Ticket, answer: Answer, reason: &str) {
        let vote = Vote::new("alice", answer, Timestamp::now())
            .with_group("sre")
            .with_reason(reason);
        self.backend.vote(&ticket.id, vote).expect("an open ticket");
    }

    /// Waits until no request waits for approval.
    pub async fn until_nothing_is_held(&self) {
        until("no ticket is open", async || self.backend.pending().is_empty()).await;
    }

    /// The guard's audit log as it is on disk now.
    pub async fn audit_bytes(&self) -> Vec<u8> {
        let now = Timestamp::now();
        let event = Event::new(FLUSH, Stage::ResponseComplete, now, now).with_outcome(Outcome::Deny);
        // What is handed over before a synced record is on disk with it.
        let flushed = self.sink.append(event, Durability::Synced).await;
        flushed.expect("the sink works");
        fs::read(self.audit_path()).expect("the log is there")
    }

    /// The path of the guard's audit log.
    pub fn audit_path(&self) -> PathBuf {
        self.folder.path().join("audit.jsonl")
    }

    /// The records of the guard, and what `verify` says about all of them.
    pub async fn audit(&self) -> (Vec<Event>, Report) {
        let log = self.audit_bytes().await;
        (events(&log), verify(&log))
    }

    /// The real one, if it is that.
    pub fn control_plane(&self) -> Option<&'static ControlPlane> {
        match &self.server {
            Server::Embedded(_) => None,
            Server::Real { cp, .. } => Some(cp),
        }
    }

    /// The one in memory, if it is that.
    pub fn embedded_server(&self) -> Option<&EmbeddedApiServer> {
        match &self.server {
            Server::Embedded(server) => Some(server),
            Server::Real { .. } => None,
        }
    }
}

/// The events of an audit log, without those of [`Stack::audit_bytes`].
pub fn events(log: &[u8]) -> Vec<Event> {
    let lines = log.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let events = lines.map(|line| serde_json::from_slice::<Event>(line).expect("an event"));
    events.filter(|event| event.audit_id != FLUSH).collect()
}

/// Waits until something holds; panics if that takes too long.
pub async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The status of a call that was answered with an error; panics on any other result.
#[track_caller]
pub fn refused<T>(answer: kube::Result<T>) -> kube::core::Status {
    match answer {
        Ok(_) => panic!("this request should have been refused"),
        Err(kube::Error::Api(status)) => *status,
        Err(error) => panic!("not an answer: {error:?}"),
    }
}

impl Sent {
    fn embedded(request: countersign_kube::testing::RecordedRequest) -> Option<Self> {
        Some(Self {
            audit_id: request.headers.get("audit-id")?.to_str().ok()?.to_owned(),
            method: request.method,
            uri: request.uri,
        })
    }

    fn real(event: control_plane::AuditEvent) -> Self {
        Self {
            audit_id: event.audit_id,
            method: match event.verb.as_str() {
                "create" => Method::POST,
                "update" => Method::PUT,
                "patch" => Method::PATCH,
                "delete" | "deletecollection" => Method::DELETE,
                _ => Method::GET,
            },
            uri: event.request_uri,
        }
    }
}

/// What a guard is made of, but for its cluster.
struct Parts {
    backend: MemoryBackend,
    policy: ReplaceablePolicy,
    sink: Arc<FileSink>,
    folder: TempDir,
}

impl Parts {
    fn new(namespace: &str, policy: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let sink = FileSink::open(folder.path().join("audit.jsonl")).expect("a new log");
        Self {
            backend: MemoryBackend::new(),
            policy: ReplaceablePolicy::new(load(namespace, policy)),
            sink: Arc::new(sink),
            folder,
        }
    }

    fn guard(&self) -> GuardBuilder {
        Guard::builder()
            .subject(Subject::new("triage-agent").with_group("agents"))
            .policy(self.policy.clone())
            .approval(self.backend.clone())
            .audit(Arc::clone(&self.sink))
    }

    fn stack(self, namespace: String, admin: Client, agent: Client, server: Server) -> Stack {
        let received = Tap::default();
        Stack {
            namespace,
            admin,
            agent: received.clone().on(agent),
            received,
            backend: self.backend,
            policy: self.policy,
            server,
            sink: self.sink,
            folder: self.folder,
        }
    }
}

fn load(namespace: &str, policy: &str) -> PolicySet {
    let text = policy.replace("NAMESPACE", namespace);
    PolicySet::from_yaml(&[("test.yaml", text)]).unwrap_or_else(|errors| panic!("{errors}"))
}

/// A policy that can be replaced while requests are under way.
#[derive(Clone)]
pub struct ReplaceablePolicy(Arc<RwLock<PolicySet>>);

impl ReplaceablePolicy {
    fn new(policy: PolicySet) -> Self {
        Self(Arc::new(RwLock::new(policy)))
    }

    fn replace(&self, policy: PolicySet) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = policy;
    }

    fn now(&self) -> PolicySet {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl PolicyEngine for ReplaceablePolicy {
    fn evaluate(&self, subject: &Subject, request: &Canonical, facts: &Facts, now: Timestamp) -> Evaluation {
        self.now().evaluate(subject, request, facts, now)
    }

    fn revision(&self) -> Digest {
        self.now().revision()
    }
}

/// Every byte that a client received: heads and bodies, streams included.
#[derive(Clone, Default)]
pub struct Tap(Arc<Mutex<Vec<u8>>>);

impl Tap {
    /// The client with this tap on it.
    pub fn on(self, client: Client) -> Client {
        let namespace = client.default_namespace().to_owned();
        let service = tower::service_fn(move |request: Request<Body>| {
            let (client, tap) = (client.clone(), self.clone());
            async move {
                let response = client.send(request).await?;
                tap.add(format!("{:?} {:?}\n", response.status(), response.headers()).as_bytes());
                let body = response.map(move |body| {
                    body.map_frame(move |frame| {
                        tap.add(frame.data_ref().map_or(&[][..], |data| data));
                        frame
                    })
                });
                Ok::<_, kube::Error>(body)
            }
        });
        Client::new(service, namespace)
    }

    /// What was received so far.
    pub fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn add(&self, bytes: &[u8]) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
    }
}
