//! What the guard adds to a 1 KB read in process: per step and whole, against the same client without it.
//!
//!     cargo bench -p countersign-benches --bench overhead
//!
//! CPU time of one thread, not wall time: the runtime is single-threaded, the server answers from memory at once, and
//! the machine may be shared. The bare and the guarded client are measured in turns, so that a drifting machine weighs on
//! both. Equal results are checked first.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use countersign_kube::Guard;
use countersign_kube::core::approval::permit_allowed;
use countersign_kube::core::audit::{AuditSink, Chain, Durability, Encoded, Event, SinkError, Stage};
use countersign_kube::core::mask::{Masker, Plan};
use countersign_kube::core::policy::{Facts, PolicySet, Ruling, decide};
use countersign_kube::core::request::{Canonical, Catalog, ClusterIdentity, Gate, Target, seal};
use countersign_kube::core::{Subject, Timestamp};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use kube::Client;
use kube::client::{Body, ClientBuilder};
use serde_json::json;
use tower::Service;

const TARGET: &str = "/api/v1/namespaces/team-a/configmaps/app";
const ROUNDS: usize = 15;
const READS: u32 = 2_000;

const POLICY: &str = r"
apiVersion: countersign.dev/v1alpha1
kind: Policy
metadata: { name: bench }
spec:
  subjects: [{ group: agents }]
  scopes: [{ namespaces: [team-a], resources: ['*'] }]
  rules:
  - name: read
    match: { effects: [read] }
    allow: {}
";

fn main() {
    let object = Bytes::from(object().to_string());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    println!(
        "a read of {} bytes; CPU time, median of {ROUNDS} rounds\n",
        object.len()
    );
    println!("{:<34} {:>10}", "step", "µs");
    for (name, time) in steps(&object) {
        println!("{name:<34} {:>10.2}", micros(time));
    }
    let (bare, guarded) = runtime.block_on(whole(&object));
    println!("{:<34} {:>10.2}", "kube::Client, bare", micros(bare));
    println!("{:<34} {:>10.2}", "kube::Client, guarded", micros(guarded));
    println!(
        "\nthe guard adds {:.2} µs to a read (reach: at most 5)",
        micros(guarded.saturating_sub(bare))
    );
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn object() -> serde_json::Value {
    let data: serde_json::Map<_, _> = (0..12).map(|n| (format!("key-{n}"), "x".repeat(48).into())).collect();
    json!({
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": { "name": "app", "namespace": "team-a", "uid": "6f0c1d3e-0c8f-4f0e-9d70-1f3f3a7b0c11", "resourceVersion": "42" },
        "data": data,
    })
}

/// CPU time that this thread has used.
fn cpu() -> Duration {
    let time = nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap();
    Duration::from(time)
}

/// Median CPU time of one run.
fn measure(mut run: impl FnMut()) -> Duration {
    let mut rounds: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let start = cpu();
            (0..READS).for_each(|_| run());
            (cpu() - start) / READS
        })
        .collect();
    rounds.sort();
    rounds[ROUNDS / 2]
}

/// The work of each step alone, without tower around it.
fn steps(object: &Bytes) -> Vec<(&'static str, Duration)> {
    let gate = Gate::new(Arc::new(Catalog::kubernetes()));
    let engine = policy();
    let subject = subject();
    let cluster = ClusterIdentity::named("bench");
    let canonical = || -> Canonical {
        let target = Target::parse("GET", TARGET.as_bytes()).unwrap();
        gate.head(target, &HeaderMap::new()).unwrap().with_body(b"").unwrap()
    };
    let request = canonical();
    let decided = |request| match decide(&engine, &subject, request, &Facts::default(), Timestamp::UNIX_EPOCH) {
        Ruling::Granted(decided) => decided,
        other => panic!("the bench's policy allows this: {other:?}"),
    };
    let mut headers = HeaderMap::new();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let plan = Plan::new(request.attributes(), request.kind(), &[]);
    let event = Event::new(
        "0",
        Stage::ResponseComplete,
        Timestamp::UNIX_EPOCH,
        Timestamp::UNIX_EPOCH,
    );
    let mut chain = Chain::new("bench");
    let mut line = Vec::new();

    let clone = measure(|| drop(black_box(request.clone())));
    let decide = measure(|| drop(black_box(decided(request.clone())))).saturating_sub(clone);
    vec![
        ("gate", measure(|| drop(black_box(canonical())))),
        ("policy", decide),
        (
            "seal and permit",
            measure(|| {
                let sealed = seal(decided(request.clone()), cluster.clone(), None).unwrap();
                let permit = permit_allowed(&sealed).unwrap();
                drop(black_box(sealed.open(permit).unwrap()));
            })
            .saturating_sub(decide + clone),
        ),
        (
            "mask",
            measure(|| {
                let mut out = Vec::with_capacity(object.len());
                let mut masker = Masker::new(&plan, StatusCode::OK, &headers).unwrap();
                masker.push(object, &mut out).unwrap();
                masker.finish(&mut out).unwrap();
                black_box(out);
            }),
        ),
        (
            "audit, each of two records",
            measure(|| {
                line.clear();
                chain.append(&Encoded::new(&event).unwrap(), &mut line);
                black_box(&line);
            }),
        ),
    ]
}

fn policy() -> PolicySet {
    PolicySet::from_yaml(&[("bench.yaml", POLICY)]).unwrap()
}

fn subject() -> Subject {
    Subject::new("agent").with_group("agents")
}

/// A bare and a guarded client in turns.
async fn whole(object: &Bytes) -> (Duration, Duration) {
    let bare = ClientBuilder::new(Server(object.clone()), "default").build();
    let guard = Guard::builder()
        .subject(subject())
        .policy(policy())
        .audit(Chained::default())
        .cluster(ClusterIdentity::named("bench"))
        .build()
        .unwrap();
    let guarded = ClientBuilder::new(Server(object.clone()), "default")
        .with_layer(&guard.layer::<Body>())
        .build();
    assert_eq!(read(&bare).await, read(&guarded).await, "both clients read the same");

    let (mut bares, mut guardeds) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        bares.push(time(&bare).await);
        guardeds.push(time(&guarded).await);
    }
    bares.sort();
    guardeds.sort();
    (bares[ROUNDS / 2], guardeds[ROUNDS / 2])
}

async fn time(client: &Client) -> Duration {
    let start = cpu();
    for _ in 0..READS {
        black_box(read(client).await);
    }
    (cpu() - start) / READS
}

async fn read(client: &Client) -> String {
    client
        .request_text(Request::get(TARGET).body(Vec::new()).unwrap())
        .await
        .unwrap()
}

/// An API server that answers every request with the same object.
#[derive(Clone)]
struct Server(Bytes);

impl Service<Request<Body>> for Server {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        let mut response = Response::new(Full::new(self.0.clone()));
        response
            .headers_mut()
            .insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        ready(Ok(response))
    }
}

/// Encodes and chains each record, as a file sink does, and writes it nowhere.
struct Chained(Mutex<(Chain, Vec<u8>)>);

impl Default for Chained {
    fn default() -> Self {
        Self(Mutex::new((Chain::new("bench"), Vec::new())))
    }
}

#[async_trait::async_trait]
impl AuditSink for Chained {
    async fn append(&self, event: Event, _: Durability) -> Result<(), SinkError> {
        self.submit(event);
        Ok(())
    }

    fn submit(&self, event: Event) {
        let mut log = self.0.lock().unwrap();
        let (chain, line) = &mut *log;
        line.clear();
        chain.append(&Encoded::new(&event).unwrap(), line);
        black_box(line);
    }
}
