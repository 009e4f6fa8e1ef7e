//! Every request is sent once, and a breakdown in user code breaks one call, not the client.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use countersign_core::Timestamp;
use countersign_core::approval::{ApprovalBackend, BackendError, Consumed, Ticket, TicketId};
use countersign_core::audit::{AuditSink, Durability, Event, MemorySink, SinkError};
use countersign_core::digest::Digest;
use countersign_core::policy::{Evaluation, Facts};
use countersign_core::request::{Canonical, ClusterIdentity};
use countersign_kube::testing::{EmbeddedApiServer, Fault};
use countersign_kube::{
    Guard, GuardBuilder, GuardedClientBuilder as _, MemoryBackend, PolicyEngine, PolicySet, Subject, Vote,
    guarded_client,
};
use countersign_tests::guarded::{POLICY, on_both_with, refused};
use http::{Method, StatusCode};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use kube::client::{Body, ClientBuilder};
use kube::{Client, Config};
use serde_json::json;
use tokio::net::TcpListener;
use tower::ServiceExt as _;

/// A server on loopback that answers everything with 503, and how many requests it got.
async fn busy() -> (Config, Arc<AtomicUsize>) {
    let server = EmbeddedApiServer::new();
    let status = Fault::status(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", "busy");
    server.inject(status.times(1_000));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (server, counted) = (server.clone(), Arc::clone(&counted));
            let service = service_fn(move |request| {
                counted.fetch_add(1, Ordering::SeqCst);
                server.clone().oneshot(request)
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    (Config::new(format!("http://{address}").parse().unwrap()), count)
}

fn guard() -> GuardBuilder {
    Guard::builder()
        .subject(Subject::new("agent"))
        .policy(PolicySet::insecure_allow_all())
        .audit(MemorySink::new("once"))
}

/// Calls that change something, and one that reads.
async fn calls(client: Client) -> usize {
    let maps: Api<ConfigMap> = Api::namespaced(client, "default");
    let map = serde_json::from_value(json!({"metadata": {"name": "a"}})).unwrap();
    let codes = [
        refused(maps.create(&PostParams::default(), &map).await).code,
        refused(maps.patch("a", &PatchParams::default(), &Patch::Merge(json!({}))).await).code,
        refused(maps.delete("a", &DeleteParams::default()).await).code,
        refused(maps.get("a").await).code,
    ];
    assert_eq!(codes, [503; 4]);
    codes.len()
}

#[tokio::test]
async fn what_is_answered_with_503_is_not_repeated() {
    let (config, sends) = busy().await;
    let client = guarded_client(config, guard()).unwrap();
    assert_eq!(calls(client).await, sends.load(Ordering::SeqCst));
}

#[tokio::test]
async fn nor_by_a_retry_layer_that_is_in_the_stack_already() {
    let (mut config, sends) = busy().await;
    config.default_retry = true;
    let guard = guard().cluster(ClusterIdentity::named("busy")).build().unwrap();
    let client = ClientBuilder::try_from(config).unwrap().guarded(&guard).build();
    assert_eq!(calls(client).await, sends.load(Ordering::SeqCst));
}

/// Shows that the two above can fail.
#[tokio::test]
async fn without_the_guard_kube_repeats_it() {
    let (mut config, sends) = busy().await;
    config.default_retry = true;
    let maps: Api<ConfigMap> = Api::namespaced(Client::try_from(config).unwrap(), "default");
    // It goes on for longer than a test should.
    let params = DeleteParams::default();
    let call = maps.delete("a", &params);
    let _ = tokio::time::timeout(std::time::Duration::from_secs(3), call).await;
    assert!(sends.load(Ordering::SeqCst) > 1);
}

/// An answer that is lost is not asked for again either: the caller is told, and looks.
#[tokio::test]
async fn a_lost_answer_is_not_asked_for_again() {
    let server = EmbeddedApiServer::new();
    let guard = guard().cluster(ClusterIdentity::named("embedded")).build().unwrap();
    let client = ClientBuilder::new(server.clone(), "default").guarded(&guard).build();
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    let map = serde_json::from_value(json!({"metadata": {"name": "a"}})).unwrap();
    server.inject(Fault::lost_answer("connection reset").on_method(Method::POST));
    assert!(maps.create(&PostParams::default(), &map).await.is_err());
    assert_eq!(server.requests().len(), 1);
    assert!(maps.get("a").await.is_ok());
}

/// Breaks down once, when it is told to.
#[derive(Clone, Default)]
struct Fuse(Arc<AtomicBool>);

impl Fuse {
    fn light(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn check(&self) {
        if self.0.swap(false, Ordering::SeqCst) {
            // Not by `panic!`: its report would fill the output of a test that passes.
            std::panic::resume_unwind(Box::new("on purpose"));
        }
    }
}

struct Engine(Fuse, PolicySet);

impl PolicyEngine for Engine {
    fn evaluate(&self, subject: &Subject, request: &Canonical, facts: &Facts, now: Timestamp) -> Evaluation {
        self.0.check();
        self.1.evaluate(subject, request, facts, now)
    }

    fn revision(&self) -> Digest {
        self.1.revision()
    }
}

struct Backend(Fuse, MemoryBackend);

#[async_trait]
impl ApprovalBackend for Backend {
    async fn open(&self, ticket: Ticket) -> Result<(), BackendError> {
        self.0.check();
        self.1.open(ticket).await
    }

    async fn votes(&self, ticket: &TicketId, seen: usize) -> Result<Vec<Vote>, BackendError> {
        self.1.votes(ticket, seen).await
    }

    async fn consume(&self, ticket: &TicketId, digest: &Digest) -> Result<Consumed, BackendError> {
        self.1.consume(ticket, digest).await
    }

    async fn withdraw(&self, ticket: &TicketId) -> Result<(), BackendError> {
        self.1.withdraw(ticket).await
    }
}

struct Sink(Fuse, MemorySink);

#[async_trait]
impl AuditSink for Sink {
    async fn append(&self, event: Event, durability: Durability) -> Result<(), SinkError> {
        self.0.check();
        self.1.append(event, durability).await
    }

    fn submit(&self, event: Event) {
        self.1.submit(event);
    }
}

#[tokio::test]
async fn a_panic_of_user_code_breaks_one_call_and_not_the_client() {
    let (engine, backend, sink) = (Fuse::default(), Fuse::default(), Fuse::default());
    let customise = |guard: GuardBuilder, tickets: &MemoryBackend| {
        let policy = PolicySet::from_yaml(&[("all.yaml", POLICY.replace("NAMESPACE", "promise-*"))]).unwrap();
        guard
            .policy(Engine(engine.clone(), policy))
            .approval(Backend(backend.clone(), tickets.clone()))
            .audit(Sink(sink.clone(), MemorySink::new("test")))
    };
    on_both_with(
        "a_panic_of_user_code_breaks_one_call_and_not_the_client",
        POLICY,
        customise,
        async |stack| {
            stack.pod("web").await;
            let pods: Api<Pod> = stack.guarded_pods();
            for (fuse, code) in [(&engine, 503), (&backend, 503), (&sink, 503)] {
                fuse.light();
                // Held, so that it gets to all three.
                let status = refused(pods.delete("web", &DeleteParams::default()).await);
                assert_eq!(status.code, code, "{status:?}");
                assert!(pods.get("web").await.is_ok());
            }
            assert_eq!(stack.sent(Some(Method::DELETE)).await, []);
        },
    )
    .await;
}

/// The same of the whole `Client`, whose buffer would be gone for ever.
#[tokio::test]
async fn a_panic_of_the_inner_service_breaks_one_call_and_not_the_client() {
    let fuse = Fuse::default();
    let (server, inner) = (EmbeddedApiServer::new(), fuse.clone());
    let service = tower::service_fn({
        let server = server.clone();
        move |request: http::Request<Body>| {
            inner.check();
            server.clone().oneshot(request)
        }
    });
    let guard = guard().cluster(ClusterIdentity::named("embedded")).build().unwrap();
    let client = ClientBuilder::new(service, "default").guarded(&guard).build();
    let pods: Api<Pod> = Api::default_namespaced(client);
    fuse.light();
    assert_eq!(refused(pods.get("web").await).code, 503);
    assert_eq!(refused(pods.get("web").await).code, 404);
}
