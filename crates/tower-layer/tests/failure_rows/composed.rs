//! A stack of one's own: a layer that knows nothing of steps stands between two of them.

use std::sync::Arc;
use std::time::Duration;

use countersign_core::approval::MemoryBackend;
use countersign_core::audit::Outcome::{Deny, Error, Hold};
use countersign_core::audit::Stage::{RequestReceived, ResponseComplete};
use countersign_core::policy::PolicyEngine;
use countersign_core::request::{Catalog, ClusterIdentity, Gate as GateSettings};
use countersign_tower::approval::Approval;
use countersign_tower::audit::AuditLayer;
use countersign_tower::forward::{Forward, Upstream};
use countersign_tower::gate::Gate;
use countersign_tower::identify::Identify;
use countersign_tower::mask::MaskLayer;
use countersign_tower::policy::Policy;
use countersign_tower::seal::Seal;
use countersign_tower::{Clock, StepLayer};
use tower::timeout::TimeoutLayer;
use tower::timeout::error::Elapsed;
use tower::{ServiceBuilder, ServiceExt as _};

use crate::harness::{Answer, FaultySink, ManualClock, Server, World, agent, delete_pod, pod, recorded, settle};

/// The order of the guard, with a timeout around the approval.
async fn ask(
    request: http::Request<countersign_tower::Body>,
    backend: &MemoryBackend,
    sink: &FaultySink,
) -> Result<http::Response<countersign_tower::Body>, countersign_tower::BoxError> {
    let server = Server::default();
    server.script([Answer::json(200, pod())]);
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new());
    let engine: Arc<dyn PolicyEngine> = Arc::new(World::policy());
    let upstream = Upstream::new(server);
    let settings = GateSettings::new(Arc::new(Catalog::kubernetes()));
    let approval = Approval::new(Arc::new(backend.clone()), Arc::clone(&engine), Arc::clone(&clock));
    let service = ServiceBuilder::new()
        .layer(AuditLayer::new(Arc::new(sink.clone()), Arc::clone(&clock)))
        .layer(StepLayer::new(Identify::fixed(agent())))
        .layer(StepLayer::new(Gate::new(settings)))
        .layer(StepLayer::new(Policy::new(engine, upstream.prober(), clock)))
        .layer(StepLayer::new(Seal::new(
            ClusterIdentity::named("rows"),
            upstream.prober(),
        )))
        .layer(TimeoutLayer::new(Duration::from_millis(20)))
        .layer(StepLayer::new(approval))
        .layer(MaskLayer)
        .service(Forward::new(upstream));
    service.oneshot(request).await
}

#[tokio::test]
async fn its_error_comes_out_as_it_is_and_the_ticket_is_withdrawn() {
    let (backend, sink) = (MemoryBackend::new(), FaultySink::new(100));
    let error = ask(delete_pod(), &backend, &sink).await.unwrap_err();
    assert!(error.is::<Elapsed>(), "{error}");
    settle().await;
    assert!(backend.pending().is_empty());
    let record: Vec<_> = sink.memory.events().iter().map(recorded).collect();
    assert_eq!(record, [(RequestReceived, Hold), (ResponseComplete, Error)]);
}

#[tokio::test]
async fn a_refusal_passes_through_it_as_a_refusal() {
    let (backend, sink) = (MemoryBackend::with_capacity(0), FaultySink::new(100));
    let response = ask(delete_pod(), &backend, &sink).await.unwrap();
    assert_eq!(response.status(), 429);
    assert!(response.extensions().get::<countersign_core::Refusal>().is_some());
    let record: Vec<_> = sink.memory.events().iter().map(recorded).collect();
    assert_eq!(record, [(RequestReceived, Hold), (ResponseComplete, Deny)]);
}
