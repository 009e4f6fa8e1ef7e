//! A canary in every place that may hold a secret, on a real API server, and nothing of any of them in what the agent
//! receives or what the audit writes: as objects, lists, Tables, metadata, watches, logs, answers to writes and errors.

mod clients;
mod places;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_core::request::Gate;
use countersign_kube::LiveCatalog;
use countersign_tests::canary::{Canary, Search};
use countersign_tests::control_plane;
use countersign_tests::gateway::Gateway;
use countersign_tests::guarded::{Stack, until};
use futures_util::AsyncReadExt as _;
use futures_util::future::join_all;
use http::{Method, Request};
use kube::Client;
use kube::api::{Api, LogParams};
use kube::discovery::{Discovery, Scope, verbs};
use places::{Planted, widget_definition};
use serde_json::{Value, json};

const POLICY: &str = include_str!("../../policies/promises.yaml");
const JSON: &str = "application/json";

async fn call(
    client: &Client,
    method: Method,
    url: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> kube::Result<String> {
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let bytes = if body.is_null() {
        Vec::new()
    } else {
        body.to_string().into_bytes()
    };
    client.request_text(request.body(bytes).expect("a request")).await
}

async fn get(client: &Client, url: &str, accept: &str) -> kube::Result<String> {
    call(client, Method::GET, url, &[("accept", accept)], &Value::Null).await
}

/// What the server answers, refusals included: they are looked at like anything else.
async fn whatever(what: &str, answer: impl Future<Output = kube::Result<String>>) {
    let ended = tokio::time::timeout(Duration::from_secs(60), answer).await;
    assert!(ended.is_ok(), "no answer in time: {what}");
}

/// Defines the custom resource.
async fn define(admin: &Client) {
    let crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let made = call(
        admin,
        Method::POST,
        crds,
        &[("content-type", JSON)],
        &widget_definition(),
    )
    .await;
    made.expect("a new kind");
    until("the new kind is served", async || {
        get(admin, "/apis/planted.example.com/v1/widgets", JSON).await.is_ok()
    })
    .await;
}

/// Makes the objects beside the guard.
async fn plant(stack: &Stack, planted: &Planted) {
    let headers = [("content-type", JSON)];
    for object in &planted.objects {
        let made = call(&stack.admin, Method::POST, &object.collection, &headers, &object.body).await;
        if let Err(error) = made {
            panic!("{}: {error}", object.url());
        }
        if let Some(status) = &object.status {
            let url = format!("{}/status", object.url());
            let headers = [("content-type", "application/merge-patch+json")];
            let patched = call(&stack.admin, Method::PATCH, &url, &headers, status).await;
            patched.expect("a status");
        }
    }
}

/// Every form in which the agent can read a URL.
async fn read(agent: &Client, url: &str) {
    let table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
    for (accept, query) in [
        (JSON, ""),
        (table, ""),
        (table, "?includeObject=Object"),
        (table, "?includeObject=Metadata"),
        (
            "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json",
            "",
        ),
        (
            "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json",
            "",
        ),
        ("application/vnd.kubernetes.protobuf", ""),
        ("application/yaml", ""),
    ] {
        whatever(url, get(agent, &format!("{url}{query}"), accept)).await;
    }
}

/// What a watch sends first, up to the end of its second.
async fn watch(agent: &Client, url: &str) {
    let table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
    for accept in [JSON, table] {
        let query = "?watch=true&resourceVersion=0&timeoutSeconds=1";
        whatever(url, get(agent, &format!("{url}{query}"), accept)).await;
    }
}

/// Writes whose answers hold the whole object, and writes that fail and say why.
async fn write(agent: &Client, url: &str) {
    let label = json!({"metadata": {"labels": {"touched": "yes"}}});
    for query in ["?dryRun=All", ""] {
        let headers = [("content-type", "application/merge-patch+json")];
        whatever(
            url,
            call(agent, Method::PATCH, &format!("{url}{query}"), &headers, &label),
        )
        .await;
    }
    for broken in [
        json!({"metadata": {"labels": 5}}),
        json!({"spec": 5}),
        json!({"spec": {"containers": 5}}),
        json!({"data": 5}),
        json!({"data": {"a": 5}}),
        json!({"message": 5}),
        json!({"spec": {"containers": [{"name": "app", "image": "registry.internal/app:2", "env": [{"name": "A", "value": "b"}]}]}}),
    ] {
        for kind in ["application/merge-patch+json", "application/strategic-merge-patch+json"] {
            whatever(url, call(agent, Method::PATCH, url, &[("content-type", kind)], &broken)).await;
        }
    }
}

/// Every collection that the server has.
async fn collections(admin: &Client, namespace: &str) -> Vec<String> {
    let discovery = Discovery::new(admin.clone()).run().await.expect("discovery");
    let mut all = Vec::new();
    for group in discovery.groups() {
        for (resource, capabilities) in group.recommended_resources() {
            if capabilities.supports_operation(verbs::LIST) {
                let root = if resource.group.is_empty() {
                    "/api".to_owned()
                } else {
                    format!("/apis/{}", resource.group)
                };
                let (version, plural) = (&resource.version, &resource.plural);
                all.push(format!("{root}/{version}/{plural}"));
                if capabilities.scope == Scope::Namespaced {
                    all.push(format!("{root}/{version}/namespaces/{namespace}/{plural}"));
                }
            }
        }
    }
    assert!(all.len() > 40, "{all:?}");
    all
}

#[tokio::test]
async fn no_canary_comes_through() {
    let Some(cp) = control_plane::or_skip("no_canary_comes_through").await else {
        return;
    };
    // Nobody approves: what is held is refused soon.
    define(&cp.admin()).await;
    let catalog = LiveCatalog::start(cp.admin())
        .await
        .expect("the resources of the cluster");
    let policy = POLICY.replace("timeout: 1m", "timeout: 1s");
    let stack = Stack::real(cp, &policy, |guard, _| guard.gate(Gate::new(Arc::new(catalog.clone())))).await;
    let mut planted = Planted::new(&stack.namespace);
    plant(&stack, &planted).await;

    // What is looked for is there.
    let collections = collections(&stack.admin, &stack.namespace).await;
    let mut stored = String::new();
    for url in collections.iter().filter(|url| !url.contains("/namespaces/")) {
        stored.push_str(&get(&stack.admin, url, JSON).await.unwrap_or_default());
    }
    let found = Search::new(planted.canaries.iter().map(|(_, canary)| canary)).found_in(stored.as_bytes());
    for (index, (place, canary)) in planted.canaries.iter().enumerate() {
        assert!(
            found.iter().any(|found| found.index == index),
            "no canary in {place}: {}",
            canary.0
        );
    }

    // First of all, as an agent may meet a value where nothing gives it away but that it was the value of a Secret: in a
    // label, where the Secret's data is not in the answer.
    whatever("/api/v1/secrets", get(&stack.agent, "/api/v1/secrets", JSON)).await;
    join_all(collections.iter().map(|url| read(&stack.agent, url))).await;
    let urls: Vec<String> = planted.objects.iter().map(places::Object::url).collect();
    join_all(urls.iter().map(|url| read(&stack.agent, url))).await;
    // Each takes a second or two, whatever happens.
    join_all(collections.iter().map(|url| watch(&stack.agent, url))).await;
    join_all(urls.iter().map(|url| write(&stack.agent, url))).await;
    planted.canaries.extend(logs(&stack).await);
    let decoded = clients::kube_rs(&stack.agent).await;
    assert!(decoded > 50, "{decoded} objects");
    let printed = through_the_gateway(&stack).await;

    let (received, log) = (stack.received.bytes(), stack.audit_bytes().await);
    assert!(
        received.len() > 100_000,
        "{} bytes are too few to show anything",
        received.len()
    );
    let canaries = &planted.canaries;
    let search = Search::new(planted.canaries.iter().map(|(_, canary)| canary));
    let leaks: Vec<String> = [
        ("the agent received", &received),
        ("the audit holds", &log),
        ("kubectl or Python has", &printed),
    ]
    .into_iter()
    .flat_map(|(who, bytes)| {
        let found = search.found_in(bytes).into_iter();
        found.map(move |found| (who, &canaries[found.index].0, found))
    })
    .map(|(who, place, found)| format!("{who} the canary of {place}, as {}: {}", found.form, found.around))
    .collect();
    println!(
        "{} canaries, {} collections, {} objects; {} bytes received, {} bytes of audit",
        planted.canaries.len(),
        collections.len(),
        planted.objects.len(),
        received.len(),
        log.len()
    );
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
}

/// What clients print and what the gateway in front of them writes down.
async fn through_the_gateway(stack: &Stack) -> Vec<u8> {
    let gateway = Gateway::start("no_canary_comes_through")
        .await
        .expect("there is a control plane");
    let mut printed = clients::kubectl(&gateway, &stack.namespace).await;
    printed.extend(clients::python(&gateway, &stack.namespace, "planted").await);
    let (code, said, log) = gateway.stop().await;
    assert_eq!(code, Some(0), "{said}");
    [printed.into_bytes(), said.into_bytes(), log].concat()
}

/// Canaries in logs: by their names, and as values of a Secret that the agent has read masked before.
async fn logs(stack: &Stack) -> Vec<(String, Canary)> {
    let named = Canary::new("logged", &stack.namespace);
    let known = Canary::new("printed", &stack.namespace);
    let secret = json!({"kind": "Secret", "metadata": {"name": "printed"}, "stringData": {"password": known.0}});
    let secrets = format!("/api/v1/namespaces/{}/secrets", stack.namespace);
    let made = call(&stack.admin, Method::POST, &secrets, &[("content-type", JSON)], &secret).await;
    made.expect("a secret");
    whatever(&secrets, get(&stack.agent, &format!("{secrets}/printed"), JSON)).await;
    let text = format!(
        "starting\nlevel=info password={0} user=web\nAuthorization: Bearer {0}\nconnected with {1}\n{2}\n",
        named.0,
        known.0,
        STANDARD.encode(format!("x{}", known.0))
    );
    stack.pod_with_log(&stack.namespace, "chatty", &text).await;
    let beside: Api<k8s_openapi::api::core::v1::Pod> = stack.pods();
    until("the log is there", async || {
        beside
            .logs("chatty", &LogParams::default())
            .await
            .is_ok_and(|log| log.contains(&named.0))
    })
    .await;
    let pods = stack.guarded_pods();
    for params in [
        LogParams::default(),
        LogParams {
            timestamps: true,
            ..LogParams::default()
        },
        LogParams {
            tail_lines: Some(3),
            ..LogParams::default()
        },
    ] {
        let log = pods.logs("chatty", &params).await.expect("a log");
        assert!(log.contains("level=info") || params.tail_lines.is_some(), "{log}");
    }
    let params = LogParams {
        follow: true,
        ..LogParams::default()
    };
    let mut followed = String::new();
    pods.log_stream("chatty", &params)
        .await
        .expect("a log")
        .read_to_string(&mut followed)
        .await
        .expect("all of it");
    assert!(followed.contains("starting"), "{followed}");
    vec![
        ("a log, by name".to_owned(), named),
        ("a log, as known".to_owned(), known),
    ]
}
