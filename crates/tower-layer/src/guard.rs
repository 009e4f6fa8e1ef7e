//! The composition that we stand behind: the only place that knows the order of the steps, with a reason for each.

use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use bytes::Bytes;
use countersign_core::Subject;
use countersign_core::approval::{ApprovalBackend, BackendError, Consumed, Ticket, TicketId, Vote};
use countersign_core::audit::AuditSink;
use countersign_core::detect::{Detector, Sessions};
use countersign_core::digest::Digest;
use countersign_core::policy::{BudgetStore, MemoryBudgets, PolicyEngine};
use countersign_core::request::{Catalog, ClusterIdentity, Gate as GateSettings};
use futures_util::future::BoxFuture;
use http::{Request, Response};
use tower::{Layer, Service};

use crate::approval::Approval;
use crate::audit::{Audit, AuditLayer};
use crate::body::{Body, BoxError};
use crate::clock::{Clock, SystemClock};
use crate::forward::{Forward, InnerService, Upstream};
use crate::gate::Gate;
use crate::identify::Identify;
use crate::mask::{Mask, MaskLayer};
use crate::policy::Policy;
use crate::seal::Seal;
use crate::step::{StepLayer, StepService};

/// All steps in their order. Cheap to clone; every clone shares policy, backend, sink and limits.
///
/// ```
/// use bytes::Bytes;
/// use countersign_core::Subject;
/// use countersign_core::audit::{MemorySink, Outcome};
/// use countersign_core::policy::PolicySet;
/// use countersign_core::request::ClusterIdentity;
/// use countersign_tower::{BoxError, Guard};
/// use http::{Request, Response, StatusCode};
/// use http_body_util::Full;
/// use tower::{ServiceExt as _, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), BoxError> {
/// let policy = PolicySet::from_yaml(&[("policy.yaml", r#"
/// apiVersion: countersign.dev/v1alpha1
/// kind: Policy
/// metadata: { name: docs }
/// spec:
///   subjects: [{ user: agent }]
///   scopes: [{ namespaces: [team-a], resources: ["*"] }]
///   rules: [{ name: look, match: { effects: [read] }, allow: {} }]
/// "#)])?;
/// let sink = MemorySink::new("docs");
/// let guard = Guard::builder()
///     .subject(Subject::new("agent"))
///     .policy(policy)
///     .audit(sink.clone())
///     .cluster(ClusterIdentity::named("docs"))
///     .build()?;
/// let server = service_fn(|_: Request<Full<Bytes>>| async {
///     let pod = r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"web-0"}}"#;
///     Response::builder().header("content-type", "application/json").body(Full::<Bytes>::from(pod))
/// });
/// let guarded = guard.wrap::<_, Full<Bytes>>(server);
///
/// let request = |method, path| Request::builder().method(method).uri(path).body(Full::<Bytes>::default());
/// let allowed = guarded.clone().oneshot(request("GET", "/api/v1/namespaces/team-a/pods/web-0")?).await?;
/// assert_eq!(allowed.status(), StatusCode::OK);
/// let refused = guarded.oneshot(request("DELETE", "/api/v1/namespaces/team-a/pods/web-0")?).await?;
/// assert_eq!(refused.status(), StatusCode::FORBIDDEN);
///
/// // Before and after the first; of the second, which was never sent, the refusal.
/// let outcomes: Vec<_> = sink.events().iter().filter_map(|event| event.outcome()).collect();
/// assert_eq!(outcomes, [Outcome::Allow, Outcome::Allow, Outcome::Deny]);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Guard {
    identify: StepLayer<Identify>,
    gate: StepLayer<Gate>,
    engine: Arc<dyn PolicyEngine>,
    budgets: Arc<dyn BudgetStore>,
    cluster: ClusterIdentity,
    approval: StepLayer<Approval>,
    audit: AuditLayer,
    clock: Arc<dyn Clock>,
    guard_namespace: Option<String>,
    detectors: Vec<Arc<dyn Detector>>,
    sessions: Arc<Sessions>,
}

impl Guard {
    /// Starts to configure a guard.
    pub fn builder() -> GuardBuilder {
        GuardBuilder::default()
    }

    /// Guards an inner service whose request body is `IB`. The service must not repeat requests by itself.
    pub fn wrap<S: InnerService<IB>, IB: From<Bytes> + Send + 'static>(&self, inner: S) -> GuardService {
        let upstream = Upstream::new::<S, IB>(inner);
        let (engine, budgets) = (Arc::clone(&self.engine), Arc::clone(&self.budgets));
        let policy = Policy::new(engine, upstream.prober(), Arc::clone(&self.clock)).with_budgets(budgets);
        let seal = Seal::new(self.cluster.clone(), upstream.prober());
        let (sessions, clock) = (Arc::clone(&self.sessions), Arc::clone(&self.clock));
        let mut forward = Forward::new(upstream).with_known_values(sessions, clock);
        if let Some(namespace) = &self.guard_namespace {
            forward = forward.with_hidden_namespace(namespace);
        }
        for detector in &self.detectors {
            forward = forward.add_detector(Arc::clone(detector));
        }
        // From the inside out; each line says why it stands where it stands.
        let service = forward; // The only one that reaches the server, so it is last.
        let service = MaskLayer.layer(service); // Nothing above it ever sees a secret, the audit included.
        let service = self.approval.layer(service); // Waits last: nothing may change after a human has looked.
        let service = StepLayer::new(seal).layer(service); // Fixes the bytes that the human is shown.
        let service = StepLayer::new(policy).layer(service); // Judges what was understood, and nothing else.
        let service = self.gate.layer(service); // Understands; the caller's own bytes end here.
        let service = self.identify.layer(service); // Before the gate, whose refusals are somebody's too.
        let service = self.audit.layer(service); // Around everything: refusals, panics and vanished callers too.
        GuardService(service)
    }

    /// A layer for services whose request body is `IB`.
    #[must_use]
    pub fn layer<IB>(&self) -> GuardLayer<IB> {
        GuardLayer {
            guard: self.clone(),
            body: PhantomData,
        }
    }
}

type Steps = StepService<
    Identify,
    StepService<Gate, StepService<Policy, StepService<Seal, StepService<Approval, Mask<Forward>>>>>,
>;

/// A guarded service: takes requests of any body, answers with masked ones.
///
/// Its errors are the inner service's; every answer of the guard's own is a response.
///
/// With a request body whose error is boxed, call it outside of the `async` block that awaits the answer: the compiler
/// can't see that such a block is `Send`.
#[derive(Clone)]
pub struct GuardService(Audit<Steps>);

impl<B> Service<Request<B>> for GuardService
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Service::<Request<B>>::poll_ready(&mut self.0, cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.0.call(request)
    }
}

/// [`Guard::wrap`] as a layer.
pub struct GuardLayer<IB> {
    guard: Guard,
    body: PhantomData<fn(IB)>,
}

impl<IB> Clone for GuardLayer<IB> {
    fn clone(&self) -> Self {
        Self {
            guard: self.guard.clone(),
            body: PhantomData,
        }
    }
}

impl<S: InnerService<IB>, IB: From<Bytes> + Send + 'static> Layer<S> for GuardLayer<IB> {
    type Service = GuardService;

    fn layer(&self, inner: S) -> GuardService {
        self.guard.wrap::<S, IB>(inner)
    }
}

/// Configures a [`Guard`]. Who asks, the policy, the audit sink and the cluster have to be said.
#[derive(Default)]
#[must_use]
pub struct GuardBuilder {
    identify: Option<Identify>,
    engine: Option<Arc<dyn PolicyEngine>>,
    budgets: Option<Arc<dyn BudgetStore>>,
    sink: Option<Arc<dyn AuditSink>>,
    cluster: Option<ClusterIdentity>,
    backend: Option<Arc<dyn ApprovalBackend>>,
    gate: Option<GateSettings>,
    clock: Option<Arc<dyn Clock>>,
    guard_namespace: Option<String>,
    detectors: Vec<Arc<dyn Detector>>,
    max_held: Option<usize>,
    reads_without_audit: bool,
}

/// A guard that lacks a part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the guard has no {part}: call `{remedy}`")]
pub struct BuildError {
    part: &'static str,
    remedy: &'static str,
}

impl GuardBuilder {
    /// Every request is this subject's.
    pub fn subject(self, subject: Subject) -> Self {
        self.identify(Identify::fixed(subject))
    }

    /// Says who asks in another way.
    pub fn identify(mut self, identify: Identify) -> Self {
        self.identify = Some(identify);
        self
    }

    /// Decides by this engine.
    pub fn policy(mut self, engine: impl PolicyEngine) -> Self {
        self.engine = Some(Arc::new(engine));
        self
    }

    /// Keeps account of the policy's budgets here; by default in memory, for this guard and its clones alone. Give several
    /// guards one store to make them share what a subject may do.
    pub fn budgets(mut self, store: impl BudgetStore) -> Self {
        self.budgets = Some(Arc::new(store));
        self
    }

    /// Records into this sink.
    pub fn audit(mut self, sink: impl AuditSink) -> Self {
        self.sink = Some(Arc::new(sink));
        self
    }

    /// Names the cluster. `countersign-kube` does it from the client's configuration.
    pub fn cluster(mut self, cluster: ClusterIdentity) -> Self {
        self.cluster = Some(cluster);
        self
    }

    /// Whether the cluster was named.
    #[must_use]
    pub fn has_cluster(&self) -> bool {
        self.cluster.is_some()
    }

    /// Asks this backend about held requests. Without one they are refused: nobody can approve them.
    pub fn approval(mut self, backend: impl ApprovalBackend) -> Self {
        self.backend = Some(Arc::new(backend));
        self
    }

    /// Replaces the gate's settings; by default it knows the resources of Kubernetes itself.
    pub fn gate(mut self, gate: GateSettings) -> Self {
        self.gate = Some(gate);
        self
    }

    /// Names the namespace that the guard itself lives in: requests that touch it are refused, its objects are left out
    /// of wider lists and watches.
    pub fn guard_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.guard_namespace = Some(namespace.into());
        self
    }

    /// Looks for secrets in answers with this too, beside what the policy and the guard itself look for.
    pub fn add_detector(mut self, detector: impl Detector + 'static) -> Self {
        self.detectors.push(Arc::new(detector));
        self
    }

    /// Holds at most this many requests at a time.
    pub fn max_held(mut self, requests: usize) -> Self {
        self.max_held = Some(requests);
        self
    }

    /// Replaces the clock.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Lets requests that only read pass while the audit sink is down, recorded as `fail-open`.
    pub fn insecure_reads_without_audit(mut self) -> Self {
        self.reads_without_audit = true;
        self
    }

    /// The guard.
    ///
    /// # Errors
    /// Names the part that is missing and how to say it.
    pub fn build(self) -> Result<Guard, BuildError> {
        let missing = |part, remedy| BuildError { part, remedy };
        let identify = self
            .identify
            .ok_or(missing("subject", ".subject(Subject::new(\"my-agent\"))"))?;
        let engine = self
            .engine
            .ok_or(missing("policy", ".policy(PolicySet::from_yaml(…)?)"))?;
        let sink = self
            .sink
            .ok_or(missing("audit sink", ".audit(FileSink::open(\"audit.jsonl\")?)"))?;
        let cluster = self
            .cluster
            .ok_or(missing("cluster", ".cluster(ClusterIdentity::named(\"prod\"))"))?;
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock));
        let backend = self.backend.unwrap_or_else(|| Arc::new(NobodyApproves));
        let mut gate = self
            .gate
            .unwrap_or_else(|| GateSettings::new(Arc::new(Catalog::kubernetes())));
        if let Some(namespace) = &self.guard_namespace {
            gate = gate.with_guard_namespace(namespace);
        }
        let approval = Approval::new(backend, Arc::clone(&engine), Arc::clone(&clock))
            .with_max_held(self.max_held.unwrap_or(Approval::DEFAULT_MAX_HELD));
        let mut audit = AuditLayer::new(sink, Arc::clone(&clock));
        if self.reads_without_audit {
            audit = audit.insecure_reads_without_audit();
        }
        Ok(Guard {
            identify: StepLayer::new(identify),
            gate: StepLayer::new(Gate::new(gate)),
            engine,
            budgets: self.budgets.unwrap_or_else(|| Arc::new(MemoryBudgets::new())),
            cluster,
            approval: StepLayer::new(approval),
            audit,
            clock,
            guard_namespace: self.guard_namespace,
            detectors: self.detectors,
            sessions: Arc::default(),
        })
    }
}

/// The backend of a guard that was given none.
struct NobodyApproves;

#[async_trait]
impl ApprovalBackend for NobodyApproves {
    async fn open(&self, _: Ticket) -> Result<(), BackendError> {
        Err(BackendError::Unavailable("this guard has no approval backend".into()))
    }

    async fn votes(&self, _: &TicketId, _: usize) -> Result<Vec<Vote>, BackendError> {
        Err(BackendError::Closed)
    }

    async fn consume(&self, _: &TicketId, _: &Digest) -> Result<Consumed, BackendError> {
        Ok(Consumed::Closed)
    }

    async fn withdraw(&self, _: &TicketId) -> Result<(), BackendError> {
        Ok(())
    }
}
