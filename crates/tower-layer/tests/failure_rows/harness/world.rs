//! One guard and everything around it.

use std::time::Duration;

use countersign_core::Refusal;
use countersign_core::approval::{MemoryBackend, Ticket, Vote};
use countersign_core::audit::{Event, Outcome, Stage, annotation};
use countersign_core::policy::PolicySet;
use countersign_core::request::ClusterIdentity;
use countersign_tower::{Body, BoxError, Guard, GuardBuilder, GuardService};
use http::header::RETRY_AFTER;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use tower::{Service as _, ServiceExt as _};

use super::clock::ManualClock;
use super::requests::agent;
use super::server::{Answer, Sent, Server};
use super::sink::FaultySink;

/// Reads and new Services pass, changes of some objects are held.
const POLICY: &str = r#"
apiVersion: countersign.dev/v1alpha1
kind: Policy
metadata: { name: rows }
spec:
  subjects: [{ group: agents }]
  scopes: [{ namespaces: [team-a] }]
  approval: { approvers: [{ group: sre }], timeout: 60s }
  rules:
  - name: look
    match: { effects: [discovery, read, read-stream, log] }
    allow: {}
  - name: create
    match: { resources: [services], verbs: [create], effects: [write, destructive] }
    allow: {}
  - name: changes-need-a-human
    match: { resources: [pods, configmaps], names: [web, settings], effects: [write, destructive] }
    hold: { pin: resourceVersion }
  - name: evictions-need-a-human
    match: { resources: [pods/eviction], effects: [write, destructive] }
    hold: { pin: uid }
  - name: collections-need-a-human
    match: { resources: [pods], verbs: [deletecollection], effects: [write, destructive] }
    hold: {}
"#;

/// Longer than any row takes, so that what hangs fails.
const STUCK: Duration = Duration::from_secs(30);

/// A guard, the server behind it, and the parts that rows look into or break.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) sink: FaultySink,
    pub(crate) backend: MemoryBackend,
    pub(crate) clock: ManualClock,
    pub(crate) service: GuardService,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) response: Response<()>,
    pub(crate) body: String,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|guard| guard)
    }

    /// A world whose guard is changed before it is built.
    pub(crate) fn with(change: impl FnOnce(GuardBuilder) -> GuardBuilder) -> Self {
        Self::with_capacity(1_000, change)
    }

    /// A world whose sink is full after so many records.
    pub(crate) fn with_capacity(records: usize, change: impl FnOnce(GuardBuilder) -> GuardBuilder) -> Self {
        let server = Server::default();
        let sink = FaultySink::new(records);
        let backend = MemoryBackend::new();
        let clock = ManualClock::new();
        let guard = Guard::builder()
            .subject(agent())
            .policy(Self::policy())
            .audit(sink.clone())
            .cluster(ClusterIdentity::named("rows"))
            .approval(backend.clone())
            .clock(clock.clone());
        let service = change(guard).build().unwrap().wrap(server.clone());
        Self {
            server,
            sink,
            backend,
            clock,
            service,
        }
    }

    pub(crate) fn policy() -> PolicySet {
        PolicySet::from_yaml(&[("rows.yaml", POLICY)]).unwrap_or_else(|error| panic!("{error}"))
    }

    /// A policy whose `masking` says this.
    pub(crate) fn policy_with(masking: &str) -> PolicySet {
        let text = POLICY.replace("  rules:\n", &format!("  masking: {masking}\n  rules:\n"));
        PolicySet::from_yaml(&[("rows.yaml", text)]).unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        let world = Self::new();
        world.server.script(answers);
        world
    }

    /// Sends a request; the body of the answer is still to come.
    pub(crate) async fn send(&self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        self.service.clone().oneshot(request).await
    }

    /// Sends a request and reads the answer whole.
    pub(crate) async fn ask(&self, request: Request<Body>) -> Answered {
        let answered = async { whole(self.send(request).await.unwrap()).await };
        tokio::time::timeout(STUCK, answered)
            .await
            .expect("the request is stuck")
    }

    /// Sends a request that somebody waits for in the background.
    pub(crate) fn spawn(&self, request: Request<Body>) -> tokio::task::JoinHandle<Result<Answered, BoxError>> {
        // Called out here, since the guard is always ready, and since the future of `oneshot` is not `Send` in the
        // compiler's eyes.
        let asked = self.service.clone().call(request);
        let answered = async move { Ok(whole(asked.await?).await) };
        tokio::spawn(async move {
            tokio::time::timeout(STUCK, answered)
                .await
                .expect("the request is stuck")
        })
    }

    /// Waits for a ticket.
    pub(crate) async fn ticket(&self) -> Ticket {
        self.backend.next_pending(|_| false).await
    }

    /// Waits for a ticket and votes on it.
    pub(crate) async fn vote(&self, vote: Vote) -> Ticket {
        let ticket = self.ticket().await;
        self.backend.vote(&ticket.id, vote).unwrap();
        ticket
    }

    /// Everything that was sent for callers; what is left are reads of the guard's own.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        let probes = self.probes();
        let mut sent = self.server.sent();
        sent.retain(|sent| sent.method != "GET" || !probes.contains(&sent.target));
        sent
    }

    /// Targets of the guard's own reads.
    pub(crate) fn probes(&self) -> Vec<String> {
        let events = self.events();
        let probes = events
            .iter()
            .filter_map(|event| event.annotation("countersign.dev/probes"));
        probes.flat_map(|probes| probes.split(',').map(str::to_owned)).collect()
    }

    pub(crate) fn nothing_sent(&self) {
        let sent = self.sent();
        assert!(sent.is_empty(), "sent: {sent:?}");
    }

    /// The one request that was sent for the caller.
    pub(crate) fn sent_once(&self) -> Sent {
        let mut sent = self.sent();
        assert_eq!(sent.len(), 1, "sent: {sent:?}");
        sent.remove(0)
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.sink.memory.events()
    }

    /// Stage and outcome of every record.
    pub(crate) fn record(&self) -> Vec<(Stage, Outcome)> {
        self.events().iter().map(recorded).collect()
    }

    /// The last record.
    pub(crate) fn last(&self) -> Event {
        self.events().pop().unwrap()
    }

    /// Waits until so many requests reached the server.
    pub(crate) async fn reached(&self, requests: usize) {
        for _ in 0..10_000 {
            if self.server.sent().len() >= requests {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("only {:?} reached the server", self.server.sent());
    }
}

impl Answered {
    /// Status and class, if it is a refusal; a Status for the client in any case, without the header that makes client-go
    /// repeat.
    pub(crate) fn refusal(&self) -> (u16, &'static str) {
        let refusal = self.response.extensions().get::<Refusal>();
        let Some(refusal) = refusal else {
            panic!("no refusal: {self:?}")
        };
        let status: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(status["kind"], "Status");
        assert_eq!(status["code"], self.response.status().as_u16());
        assert!(!self.response.headers().contains_key(RETRY_AFTER));
        (refusal.status().as_u16(), refusal.class().as_str())
    }

    pub(crate) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }
}

pub(crate) fn recorded(event: &Event) -> (Stage, Outcome) {
    let outcome = event.outcome().unwrap_or_else(|| panic!("no outcome: {event:?}"));
    assert!(event.annotation(annotation::OUTCOME).is_some());
    (event.stage, outcome)
}

async fn whole(response: Response<Body>) -> Answered {
    let (head, mut body) = response.into_parts();
    let mut text = String::new();
    // By hand: the future of `collect` over a boxed error is not `Send` in the compiler's eyes.
    while let Some(frame) = body.frame().await {
        text.push_str(std::str::from_utf8(frame.unwrap().data_ref().unwrap()).unwrap());
    }
    Answered {
        response: Response::from_parts(head, ()),
        body: text,
    }
}
