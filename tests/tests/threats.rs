//! The shared threat cases about answers and errors, on the wire: each is sent through a guard to a real API server whose
//! objects hold canaries, is sent on, held or refused as the case says, and brings none of them back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_core::Subject;
use countersign_core::request::{Catalog, Gate};
use countersign_kube::Answer;
use countersign_tests::canary::{Canary, Search};
use countersign_tests::control_plane;
use countersign_tests::guarded::{Stack, until};
use countersign_tests::vectors::cases;
use countersign_tests::vectors::decide::{Case, Expected, Outcome, POLICY};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};

const CATEGORIES: [&str; 2] = [
    "Response masking and content negotiation",
    "Error-path leaks and oracles",
];
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a watch is read.
const WATCHED: Duration = Duration::from_millis(1500);

/// What is in the cluster, and where the canaries sit.
#[derive(Default)]
struct World {
    canaries: Vec<(&'static str, Canary)>,
}

impl World {
    /// A value that only its place gives away.
    fn opaque(&mut self, place: &'static str) -> String {
        self.add(place, Canary::escaped)
    }

    /// A value in a text, given away by what is around it.
    fn word(&mut self, place: &'static str) -> String {
        self.add(place, Canary::new)
    }

    fn add(&mut self, place: &'static str, make: impl Fn(&str, &str) -> Canary) -> String {
        let word: String = place
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|letter| letter.to_ascii_lowercase())
            .collect();
        let canary = make(&word, "threats");
        let value = canary.0.clone();
        self.canaries.push((place, canary));
        value
    }

    fn pod_spec(&mut self, env: &'static str, argument: &'static str, header: &'static str) -> Value {
        let (env, argument, header) = (self.opaque(env), self.word(argument), self.word(header));
        json!({"nodeName": "nowhere", "containers": [{
            "name": "app",
            "image": "registry.internal/app:1",
            "args": [format!("--password={argument}")],
            "env": [{"name": "DB_PASSWORD", "value": env}],
            "livenessProbe": {"httpGet": {"port": 80, "httpHeaders": [{"name": "Authorization", "value": format!("Bearer {header}")}]}},
        }]})
    }

    /// URL of the collection and body of each object, in the order in which they have to be made.
    fn objects(&mut self) -> Vec<(String, Value)> {
        let team = |path: &str| path.replace("NS", "namespaces/team-a");
        let mut objects: Vec<(String, Value)> = vec![
            (
                "/api/v1/namespaces".to_owned(),
                json!({"metadata": {"name": "agent-guard"}}),
            ),
            (
                "/api/v1/namespaces".to_owned(),
                json!({"metadata": {"name": "team-a", "annotations": {"example.com/api-key": self.opaque("Namespace annotation")}}}),
            ),
        ];
        let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions".to_owned();
        for (group, version, kind) in [
            ("example.com", "v1", "Widget"),
            ("argoproj.io", "v1alpha1", "Application"),
        ] {
            objects.push((definitions.clone(), definition(group, version, kind)));
        }
        let (data, copy) = (self.opaque("Secret data"), self.opaque("Secret last-applied"));
        let other = self.opaque("annotation of another tool");
        let applied = json!({"kind": "Secret", "stringData": {"a": copy}}).to_string();
        let other = json!({"data": {"a": STANDARD.encode(other)}}).to_string();
        let annotations =
            json!({"kubectl.kubernetes.io/last-applied-configuration": applied, "tool.example.com/last": other});
        for name in ["db", "cache"] {
            let secret = json!({
                "metadata": {"name": name, "annotations": annotations},
                "stringData": {"password": data, "user": "app"},
            });
            objects.push((team("/api/v1/NS/secrets"), secret));
        }
        let (env, token) = (self.word("ConfigMap .env"), self.word("ConfigMap kubeconfig"));
        let data = json!({
            ".env": format!("LOG_LEVEL=info\nDB_PASSWORD={env}\n"),
            "kubeconfig": kubeconfig(&token),
        });
        objects.push((
            team("/api/v1/NS/configmaps"),
            json!({"metadata": {"name": "app"}, "data": data}),
        ));
        let (token, jws) = (self.word("cluster-info kubeconfig"), self.opaque("cluster-info JWS"));
        let data = json!({"kubeconfig": kubeconfig(&token), "jws-kubeconfig-abcdef": jws});
        objects.push((
            "/api/v1/namespaces/kube-public/configmaps".to_owned(),
            json!({"metadata": {"name": "cluster-info"}, "data": data}),
        ));
        let spec = self.pod_spec("Pod env", "Pod argument", "Pod probe header");
        for name in ["web-0", "job-x"] {
            let pod = json!({"metadata": {"name": name}, "spec": spec});
            objects.push((team("/api/v1/NS/pods"), pod));
        }
        let hidden = self.word("label of a pod of the guard");
        objects.push((
            "/api/v1/namespaces/agent-guard/pods".to_owned(),
            json!({"metadata": {"name": "guard", "labels": {"sign": hidden}}, "spec": {"nodeName": "nowhere", "containers": [{"name": "app", "image": "a"}]}}),
        ));
        let spec = self.pod_spec("Deployment env", "Deployment argument", "Deployment probe header");
        let labels = json!({"app": "web"});
        let template = json!({"metadata": {"labels": labels}, "spec": without_node(spec)});
        objects.push((
            team("/apis/apps/v1/NS/deployments"),
            json!({"metadata": {"name": "web"}, "spec": {"selector": {"matchLabels": labels}, "template": template}}),
        ));
        let message = format!("probe failed: Authorization: Bearer {}", self.word("Event message"));
        objects.push((
            team("/api/v1/NS/events"),
            json!({"metadata": {"name": "web-0.1"}, "involvedObject": {"kind": "Pod", "name": "web-0", "namespace": "team-a"}, "reason": "Unhealthy", "message": message}),
        ));
        objects.push((
            "/apis/certificates.k8s.io/v1/certificatesigningrequests".to_owned(),
            json!({"metadata": {"name": "x"}, "spec": {"request": STANDARD.encode(signing_request()), "signerName": "example.com/agents", "usages": ["client auth"]}}),
        ));
        let annotation = self.opaque("webhook configuration annotation");
        objects.push((
            "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations".to_owned(),
            json!({"metadata": {"name": "x", "annotations": {"example.com/admin-password": annotation}}, "webhooks": []}),
        ));
        let (password, url) = (self.opaque("Widget password"), self.word("Widget URL"));
        objects.push((
            team("/apis/example.com/v1/NS/widgets"),
            json!({
                "apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "left"},
                "spec": {"password": password, "connection": format!("amqp://web:{url}@queue:5672/")},
            }),
        ));
        let (value, inline) = (self.opaque("Helm parameter"), self.word("Helm values"));
        objects.push((
            team("/apis/argoproj.io/v1alpha1/NS/applications"),
            json!({
                "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "web"},
                "spec": {"source": {"helm": {
                    "parameters": [{"name": "db.password", "value": value}],
                    "values": format!("replicas: 2\ndb:\n  password: {inline}\n"),
                }}},
            }),
        ));
        objects
    }
}

fn without_node(mut spec: Value) -> Value {
    spec["nodeName"] = Value::Null;
    spec
}

fn kubeconfig(token: &str) -> String {
    format!("apiVersion: v1\nkind: Config\nusers:\n- name: a\n  user:\n    token: {token}\n")
}

fn signing_request() -> String {
    let key = KeyPair::generate().expect("a key");
    let request = CertificateParams::new(vec!["agent".to_owned()]).expect("a name");
    request.serialize_request(&key).expect("signed").pem().expect("text")
}

/// A custom resource, with columns that print what they should not.
fn definition(group: &str, version: &str, kind: &str) -> Value {
    let (singular, plural) = (kind.to_lowercase(), format!("{}s", kind.to_lowercase()));
    json!({
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "listKind": format!("{kind}List"), "plural": plural, "singular": singular},
            "versions": [{
                "name": version,
                "served": true,
                "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
                "additionalPrinterColumns": [
                    {"name": "Password", "type": "string", "jsonPath": ".spec.password"},
                    {"name": "Queue", "type": "string", "jsonPath": ".spec.connection"},
                ],
            }],
        },
    })
}

async fn send(client: &Client, case: &Case) -> Response<Body> {
    let mut request = Request::builder().method(case.method.as_str()).uri(case.url.as_str());
    for (name, value) in &case.headers {
        request = request.header(name, value);
    }
    let body = case.body.clone().unwrap_or_default().into_bytes();
    let request = request.body(Body::from(body)).expect("a case can be sent");
    let answer = tokio::time::timeout(PATIENCE, client.send(request)).await;
    answer.expect("an answer in time").expect("an answer")
}

async fn post(client: &Client, url: &str, object: &Value) {
    let case = Case {
        id: Value::Null,
        method: Method::POST.to_string(),
        url: url.to_owned(),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: Some(object.to_string()),
    };
    until("the server takes it", async || {
        // What is just defined is not served at once.
        let answer = send(client, &case).await;
        let status = answer.status();
        let said = answer.into_body().collect().await.expect("a body").to_bytes();
        let said = String::from_utf8_lossy(&said);
        assert!(
            status == StatusCode::CREATED || status == StatusCode::NOT_FOUND,
            "{url}: {status} {said}"
        );
        status == StatusCode::CREATED
    })
    .await;
}

/// A status that no object can be made with.
async fn terminated(client: &Client, message: &str) {
    let state = json!({"terminated": {"exitCode": 1, "message": message}});
    let container =
        json!({"name": "app", "state": state, "image": "a", "imageID": "", "ready": false, "restartCount": 1});
    let case = Case {
        id: Value::Null,
        method: Method::PATCH.to_string(),
        url: "/api/v1/namespaces/team-a/pods/job-x/status".to_owned(),
        headers: vec![("content-type".to_owned(), "application/merge-patch+json".to_owned())],
        body: Some(json!({"status": {"containerStatuses": [container]}}).to_string()),
    };
    assert_eq!(send(client, &case).await.status(), StatusCode::OK);
}

/// Reads to the end, or as much of a watch as there is at once.
async fn read(answer: Response<Body>) -> Vec<u8> {
    let (mut body, mut read) = (answer.into_body(), Vec::new());
    while let Ok(Some(frame)) = tokio::time::timeout(WATCHED, body.frame()).await {
        read.extend_from_slice(frame.expect("no broken answer").data_ref().map_or(&[][..], |data| data));
    }
    read
}

/// What became of a case, and the answer.
async fn outcome(stack: &Stack, case: &Case) -> (Outcome, Response<Body>) {
    let mut answer = std::pin::pin!(send(&stack.agent, case));
    let held = async {
        let ticket = stack.backend.next_pending(|_| false).await;
        stack.vote(&ticket, Answer::Deny, "nobody needs it");
    };
    let (answer, held) = tokio::select! {
        answer = &mut answer => (answer, false),
        () = held => (answer.await, true),
    };
    // The server's own; what the guard says by itself has none.
    let outcome = match (held, answer.headers().contains_key("audit-id")) {
        (true, false) => Outcome::Approve,
        (false, true) => Outcome::Forward,
        (false, false) => Outcome::Deny,
        (true, true) => panic!("{}: held, refused, and answered by the server", case.id),
    };
    (outcome, answer)
}

#[tokio::test]
async fn answers_and_errors_leak_nothing() {
    let Some(cp) = control_plane::or_skip("answers_and_errors_leak_nothing").await else {
        return;
    };
    let catalog = Catalog::kubernetes()
        .with_custom("example.com", "widgets", "Widget", true)
        .with_custom("argoproj.io", "applications", "Application", true);
    let gate = || Gate::new(Arc::new(catalog.clone())).with_guard_namespace("agent-guard");
    let agent = Subject::new("agent-7").with_group("agents");
    let stack = Stack::real(cp, POLICY, |guard, _| {
        guard.gate(gate()).subject(agent.clone()).guard_namespace("agent-guard")
    })
    .await;
    let mut world = World::default();
    for (collection, object) in world.objects() {
        post(&stack.admin, &collection, &object).await;
    }
    let message = format!("failed: password={} was refused", world.word("termination message"));
    terminated(&stack.admin, &message).await;

    let cases: Vec<Expected> = cases("threats.json");
    let cases = cases.iter().filter(|case| CATEGORIES.contains(&case.category.as_str()));
    let (mut wrong, mut statuses) = (Vec::new(), BTreeMap::<u16, u32>::new());
    let (mut changes, mut beside) = (0, Vec::new());
    for Expected {
        case, title, expect, ..
    } in cases
    {
        let (outcome, answer) = outcome(&stack, case).await;
        let (status, body) = (answer.status(), read(answer).await);
        if outcome == Outcome::Forward {
            beside.extend(read(send(&stack.admin, case).await).await);
        }
        changes += usize::from(outcome == Outcome::Forward && case.method != "GET");
        *statuses.entry(status.as_u16()).or_default() += 1;
        let body = String::from_utf8_lossy(&body);
        if outcome != *expect {
            wrong.push(format!(
                "{} {title}: {outcome:?} instead of {expect:?}, {status} {body}",
                case.id
            ));
        }
        // What goes out is read as JSON by whoever asked, whatever it asked for; a watch is a line of it for each event.
        for line in body.lines().filter(|_| outcome == Outcome::Forward) {
            if serde_json::from_str::<Value>(line).is_err() && serde_json::from_str::<Value>(&body).is_err() {
                wrong.push(format!("{} {title}: no JSON: {line}", case.id));
            }
        }
    }
    println!("answers by status: {statuses:?}");
    assert!(
        statuses.values().sum::<u32>() >= 39 && statuses[&200] >= 28,
        "{statuses:?}"
    );

    // What was held or refused is not in the server's log.
    let sent = async || {
        stack
            .sent(None)
            .await
            .into_iter()
            .filter(|sent| sent.method != Method::GET)
            .count()
    };
    until("the server has logged all changes", async || sent().await >= changes).await;
    assert_eq!(sent().await, changes);

    let (received, log) = (stack.received.bytes(), stack.audit_bytes().await);
    let search = Search::new(world.canaries.iter().map(|(_, canary)| canary));
    // Whoever asks the same beside the guard gets all of them.
    let found = search.found_in(&beside);
    for (index, (place, _)) in world.canaries.iter().enumerate() {
        assert!(
            found.iter().any(|found| found.index == index),
            "no canary beside the guard: {place}"
        );
    }
    for (who, bytes) in [("the agent received", received), ("the audit holds", log)] {
        for found in search.found_in(&bytes) {
            let place = world.canaries[found.index].0;
            wrong.push(format!(
                "{who} the canary of {place}, as {}: {}",
                found.form, found.around
            ));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
