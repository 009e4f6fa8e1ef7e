//! A real API server concludes from every accepted case of the classification file what the guard concludes, as its audit
//! log says of the request that the guard sent.

use std::fmt::Write as _;
use std::sync::Arc;

use countersign_core::audit::Event;
use countersign_core::digest::Digest;
use countersign_core::policy::{Evaluation, Facts, Outcome, PolicyEngine, Verdict};
use countersign_core::request::{Attributes, Canonical, Catalog, Gate, Target};
use countersign_core::{Refusal, Subject, Timestamp};
use countersign_tests::control_plane::{self, AuditEvent, ControlPlane, ObjectRef};
use countersign_tests::guarded::{POLICY, Stack};
use countersign_tests::vectors::classify::Case;
use countersign_tests::vectors::{cases, exceptions};
use http::Request;
use kube::client::Body;
use serde::Deserialize;

/// Accepted by method and URL, and refused by the rest of the gate.
const REFUSED: &str = include_str!("../vectors/classification-refused.txt");

#[derive(Deserialize)]
struct Expected {
    #[serde(flatten)]
    case: Case,
    gate: GateOutcome,
}

#[derive(Deserialize)]
struct GateOutcome {
    outcome: String,
}

/// Sends whatever the gate lets through, streams included: here it is the server that is asked.
struct Everything;

impl PolicyEngine for Everything {
    fn evaluate(&self, _: &Subject, _: &Canonical, _: &Facts, _: Timestamp) -> Evaluation {
        let mut verdict = Verdict::new(Outcome::Allow);
        verdict.insecure_opaque_stream = true;
        Evaluation::Verdict(verdict)
    }

    fn revision(&self) -> Digest {
        Digest::of(b"everything")
    }
}

/// A case that was sent to the guard, and what its gate made of it.
struct Asked {
    line: String,
    passed: Result<Canonical, Refusal>,
}

/// What both sides say about a request.
#[derive(Debug, PartialEq, Eq)]
struct Concluded {
    verb: String,
    object: Option<ObjectRef>,
}

impl Concluded {
    /// As the gate reads it.
    fn by_gate(attributes: &Attributes) -> Self {
        let object = attributes.is_resource_request.then(|| ObjectRef {
            resource: attributes.resource.to_string(),
            namespace: attributes.namespace.to_string(),
            name: attributes.name.to_string(),
            subresource: attributes.subresource.to_string(),
            api_group: attributes.api_group.to_string(),
            api_version: attributes.api_version.to_string(),
            ..ObjectRef::default()
        });
        Self {
            verb: attributes.verb.as_str().to_owned(),
            object,
        }
    }

    /// As the server reads it.
    fn by_server(event: &AuditEvent) -> Self {
        Self {
            verb: event.verb.clone(),
            object: event.object_ref.clone(),
        }
    }

    /// As the guard records it.
    fn by_guard(event: &Event) -> Self {
        let object = event.object_ref.as_ref().map(|object| ObjectRef {
            resource: object.resource.clone(),
            namespace: object.namespace.clone(),
            name: object.name.clone(),
            subresource: object.subresource.clone(),
            api_group: object.api_group.clone(),
            api_version: object.api_version.clone(),
            uid: object.uid.clone(),
            resource_version: object.resource_version.clone(),
        });
        Self {
            verb: event.verb.clone(),
            object,
        }
    }
}

/// What is in the file and not in Kubernetes, as custom resources, and again as aggregated groups: each is let through in
/// ways that the other is not. The server has none of them, and classifies before it looks.
fn catalogs(cases: &[Expected]) -> [Catalog; 2] {
    let mut custom = Catalog::kubernetes().with_selectable_field("group", "resource", "foo");
    let mut aggregated = Catalog::kubernetes();
    for case in cases {
        let target = Target::parse(&case.case.method, case.case.url.as_bytes());
        let Ok(target) = target else { continue };
        let attributes = target.attributes();
        if attributes.is_resource_request
            && !Catalog::kubernetes().contains(&attributes.api_group, &attributes.resource)
        {
            let namespaced = !attributes.namespace.is_empty();
            custom = custom.with_custom(&attributes.api_group, &attributes.resource, "Thing", namespaced);
            aggregated = aggregated.with_aggregated(&attributes.api_group);
        }
    }
    [custom, aggregated]
}

/// The case with headers and body of the smallest request that can have its method and URL.
fn request(case: &Case) -> Request<&'static str> {
    let request = Request::builder().method(case.method.as_str()).uri(case.url.as_str());
    let (path, query) = case.url.split_once('?').unwrap_or((&case.url, ""));
    let (request, body) = match case.method.as_str() {
        "GET"
            if ["/exec", "/attach", "/portforward"]
                .iter()
                .any(|end| path.ends_with(end)) =>
        {
            let handshake = request
                .header("connection", "Upgrade")
                .header("upgrade", "websocket")
                .header("sec-websocket-version", "13")
                .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
                .header("sec-websocket-protocol", "v5.channel.k8s.io");
            (handshake, "")
        }
        "POST" | "PUT" if !path.contains("/proxy/") => (request.header("content-type", "application/json"), "{}"),
        "PATCH" if query.contains("force=") => (request.header("content-type", "application/apply-patch+yaml"), "{}"),
        "PATCH" => (request.header("content-type", "application/merge-patch+json"), "{}"),
        _ => (request, ""),
    };
    request.body(body).expect("a case can be sent")
}

/// A gate that knows this catalog, and the same gate in a guard in front of the API server.
async fn way(cp: &'static ControlPlane, catalog: Catalog) -> (Gate, Stack) {
    let gate = || Gate::new(Arc::new(catalog.clone()));
    let stack = Stack::real(cp, POLICY, |guard, _| guard.gate(gate()).policy(Everything)).await;
    (gate(), stack)
}

/// Sends the canonical target of a case to the server without the guard: what the gate says about it, and the server.
async fn beside_the_guard(cp: &ControlPlane, case: &Case) -> (Concluded, Concluded) {
    let target = Target::parse(&case.method, case.url.as_bytes()).unwrap();
    let id = format!("beside-the-guard-{}", case.id.as_str().unwrap());
    let (mut head, body) = request(case).into_parts();
    head.uri = target.path_and_query().parse().unwrap();
    head.headers.insert("audit-id", id.parse().unwrap());
    let body = Body::from(body.as_bytes().to_vec());
    let _ = cp.admin().send(Request::from_parts(head, body)).await.unwrap();
    let event = cp.audit_event(&id).await;
    (Concluded::by_gate(target.attributes()), Concluded::by_server(&event))
}

/// The records of each request, requests in the order of their first records.
fn by_request(events: Vec<Event>) -> Vec<Vec<Event>> {
    let mut requests: Vec<Vec<Event>> = Vec::new();
    for event in events {
        match requests
            .iter_mut()
            .find(|request| request[0].audit_id == event.audit_id)
        {
            Some(request) => request.push(event),
            None => requests.push(vec![event]),
        }
    }
    requests
}

fn pass(gate: &Gate, case: &Case, request: &Request<&str>) -> Result<Canonical, Refusal> {
    let target = gate.target(&case.method, case.url.as_bytes())?;
    gate.head(target, request.headers())?
        .with_body(request.body().as_bytes())
}

#[tokio::test]
async fn the_api_server_concludes_what_the_guard_concludes() {
    let Some(cp) = control_plane::or_skip("the_api_server_concludes_what_the_guard_concludes").await else {
        return;
    };
    let cases: Vec<Expected> = cases("requestinfo.json");
    let accepted: Vec<_> = cases.iter().filter(|case| case.gate.outcome != "reject").collect();
    let [custom, aggregated] = catalogs(&cases);
    let ways = [way(cp, custom).await, way(cp, aggregated).await];

    let mut listed = exceptions(REFUSED);
    let (mut wrong, mut exempt, mut compared) = (String::new(), String::new(), 0);
    // By way and in the order of sending, since the guard's own refusals come without an id.
    let mut asked: [Vec<Asked>; 2] = [Vec::new(), Vec::new()];
    for Expected { case, .. } in &accepted {
        let (id, request) = (case.id.as_str().unwrap(), request(case));
        let line = format!("{id} {} {}", case.method, case.url);
        let passed = ways.each_ref().map(|(gate, _)| pass(gate, case, &request));
        let way = usize::from(passed[0].is_err() && passed[1].is_ok());
        // Only the head of the answer is awaited: a watch has no end.
        let request = request.map(|body| Body::from(body.as_bytes().to_vec()));
        let status = ways[way].1.agent.send(request).await.unwrap().status();
        let [custom, aggregated] = passed;
        let passed = if way == 0 { custom } else { aggregated };
        match (&passed, listed.remove(id)) {
            (Ok(_), Some(reason)) => {
                let _ = writeln!(wrong, "{line} is sent now, take it off the list: {reason}");
            }
            (Err(refusal), None) => {
                let _ = writeln!(wrong, "{line} is refused: {}", refusal.message());
            }
            (Err(refusal), Some(reason)) => {
                assert_eq!(status, refusal.status(), "{line}");
                let _ = writeln!(exempt, "{line}: {reason}");
                let (ours, theirs) = beside_the_guard(cp, case).await;
                assert_eq!(ours, theirs, "{line}");
            }
            (Ok(_), None) => {}
        }
        asked[way].push(Asked { line, passed });
    }
    for id in listed.keys() {
        let _ = writeln!(wrong, "{id} is listed, but there is no such accepted case");
    }

    let server = cp.audit_events().await;
    for ((_, stack), asked) in ways.iter().zip(&asked) {
        let records = by_request(stack.audit().await.0);
        assert_eq!(records.len(), asked.len());
        for (Asked { line, passed }, records) in asked.iter().zip(records) {
            let record = records.last().expect("one at least");
            // The last one: an earlier one would be a read of the guard's own.
            let event = server.iter().rfind(|event| event.audit_id == record.audit_id);
            match (passed, event) {
                (Err(_), None) => {}
                (Err(_), Some(event)) => panic!("{line} was refused and sent: {event:?}"),
                (Ok(_), None) => {
                    let _ = writeln!(wrong, "{line} is not in the server's audit log: {record:?}");
                }
                (Ok(request), Some(event)) => {
                    let ours = Concluded::by_gate(request.attributes());
                    let (theirs, recorded) = (Concluded::by_server(event), Concluded::by_guard(record));
                    if [&theirs, &recorded] != [&ours; 2] || event.request_uri != request.target() {
                        let uri = &event.request_uri;
                        let _ = writeln!(
                            wrong,
                            "{line}: {ours:?}, recorded {recorded:?}, the server: {theirs:?} {uri}"
                        );
                    }
                    compared += 1;
                }
            }
        }
    }
    let all = accepted.len();
    println!(
        "{compared} of {all} accepted cases agree through the guard; refused by it, and agree beside it:\n{exempt}"
    );
    assert!(wrong.is_empty(), "{compared} compared\n{wrong}");
    assert!(compared >= 70, "only {compared} compared");
}
