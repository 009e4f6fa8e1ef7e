//! A guarded client is a `kube::Client` like any other: the same calls give the same answers with and without the guard,
//! but for what policy and masks change.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use countersign_tests::guarded::{POLICY, Stack, on_both, refused};
use futures_util::{AsyncBufReadExt as _, StreamExt as _, TryStreamExt as _};
use http::Request;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret};
use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, ListParams, LogParams, Patch, PatchParams, PostParams, WatchEvent,
    WatchParams,
};
use kube::core::GroupVersionKind;
use kube::discovery::{Discovery, Scope};
use kube::runtime::controller::Action;
use kube::runtime::{Controller, watcher};
use kube::{Client, Resource as _, ResourceExt as _};
use serde::Serialize;
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(20);

/// What calls were answered, in their order, without what differs from one object to the next.
struct Transcript {
    namespace: String,
    answers: Vec<(String, Value)>,
}

impl Transcript {
    fn new(namespace: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            answers: Vec::new(),
        }
    }

    fn add<T: Serialize>(&mut self, call: &str, answer: kube::Result<T>) {
        let mut answer = match answer {
            Ok(answer) => serde_json::to_value(answer).unwrap(),
            Err(kube::Error::Api(status)) => json!({"refused": *status}),
            Err(error) => panic!("{call}: {error:?}"),
        };
        neutral(&mut answer, &self.namespace);
        self.answers.push((call.to_owned(), answer));
    }
}

fn neutral(value: &mut Value, namespace: &str) {
    match value {
        Value::Object(fields) => {
            // What each object has of its own. Field managers are left out by the mask.
            for field in ["uid", "resourceVersion", "creationTimestamp", "managedFields"] {
                fields.remove(field);
            }
            for (key, field) in fields.iter_mut() {
                match key.as_str() {
                    "continue" => *field = "somewhere".into(),
                    "cells" => *field = field.as_array().map_or(0, Vec::len).into(),
                    _ => neutral(field, namespace),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| neutral(item, namespace)),
        Value::String(text) => *text = text.replace(namespace, "HERE"),
        _ => {}
    }
}

/// Makes the same calls in the agent's namespace through the guard, in another one without it, and compares.
async fn compare(stack: &Stack, calls: impl AsyncFn(&Client, &str, &mut Transcript)) {
    let other = stack.other_namespace().await;
    let (mut guarded, mut plain) = (Transcript::new(&stack.namespace), Transcript::new(&other));
    let calls = async {
        calls(&stack.admin, &other, &mut plain).await;
        calls(&stack.agent, &stack.namespace, &mut guarded).await;
    };
    tokio::time::timeout(PATIENCE, calls).await.expect("the calls end");
    assert!(!plain.answers.is_empty());
    for (plain, guarded) in plain.answers.iter().zip(&guarded.answers) {
        assert_eq!(plain, guarded, "left is without the guard");
    }
    assert_eq!(plain.answers.len(), guarded.answers.len());
    // The guarded calls went through the guard.
    let (events, report) = stack.audit().await;
    assert!(
        !events.is_empty() && report.is_intact() && report.is_complete(),
        "{report}"
    );
}

fn object<K: serde::de::DeserializeOwned>(object: Value) -> K {
    serde_json::from_value(object).unwrap()
}

fn map(name: &str, value: &str) -> ConfigMap {
    object(json!({"metadata": {"name": name, "labels": {"app": "web"}}, "data": {"key": value}}))
}

#[tokio::test]
async fn objects() {
    on_both("objects", POLICY, async |stack| {
        compare(stack, async |client, namespace, transcript| {
            let maps: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
            let post = PostParams::default();
            transcript.add("create", maps.create(&post, &map("a", "1")).await);
            transcript.add("create what is there", maps.create(&post, &map("a", "1")).await);
            let invalid = maps.create(&post, &map("A_", "1")).await; // Of it the mask leaves no value that the server quotes.
            transcript.add("create what is not valid", invalid.map_err(code_only));
            let dry_run = PostParams { dry_run: true, ..PostParams::default() };
            transcript.add("create, dry run", maps.create(&dry_run, &map("dry", "1")).await);
            transcript.add("get", maps.get("a").await);
            transcript.add("get what is not there", maps.get("dry").await);
            transcript.add("get metadata", maps.get_metadata("a").await);
            transcript.add("merge patch", maps.patch("a", &PatchParams::default(), &Patch::Merge(json!({"data": {"key": "2", "more": "x"}}))).await);
            let operations = object(json!([{"op": "remove", "path": "/data/more"}, {"op": "add", "path": "/metadata/labels/example.com~1tier", "value": "y"}]));
            transcript.add("JSON patch", maps.patch("a", &PatchParams::default(), &Patch::Json::<()>(operations)).await);
            let mut old = maps.get("a").await.unwrap();
            old.data.get_or_insert_default().insert("key".to_owned(), "3".to_owned());
            transcript.add("replace", maps.replace("a", &post, &old).await);
            transcript.add("replace what has changed", maps.replace("a", &post, &old).await);
            let applied = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": {"key": "ü \u{2028} \\"}});
            let apply = PatchParams::apply("test");
            transcript.add("apply, new", maps.patch("applied", &apply, &Patch::Apply(&applied)).await);
            transcript.add("apply, again", maps.patch("applied", &apply, &Patch::Apply(&applied)).await);
            transcript.add("list", maps.list(&ListParams::default()).await);
            transcript.add("list by label", maps.list(&ListParams::default().labels("app in (web), app!=db")).await);
            transcript.add("list by field", maps.list(&ListParams::default().fields("metadata.name=applied")).await);
            transcript.add("list metadata", maps.list_metadata(&ListParams::default()).await);
            let page = maps.list(&ListParams::default().limit(1)).await.unwrap();
            let next = page.metadata.continue_.clone().unwrap();
            transcript.add("first page", Ok(page));
            transcript.add("next page", maps.list(&ListParams::default().limit(1).continue_token(&next)).await);
            transcript.add("delete", maps.delete("applied", &DeleteParams::default()).await.map(|answer| json!({"object": answer.clone().left(), "status": answer.right()})));
            transcript.add("delete what is not there", maps.delete("applied", &DeleteParams::default()).await.map(|_| ()));
            transcript.add("list afterwards", maps.list(&ListParams::default()).await);
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn kinds_and_subresources() {
    on_both("kinds_and_subresources", POLICY, async |stack| {
        compare(stack, async |client, namespace, transcript| {
            let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
            let web: Deployment = object(json!({
                "metadata": {"name": "web"},
                "spec": {
                    "replicas": 3,
                    "selector": {"matchLabels": {"app": "web"}},
                    "template": {
                        "metadata": {"labels": {"app": "web"}},
                        "spec": {"automountServiceAccountToken": false, "containers": [{"name": "app", "image": "registry.internal/app:1"}]},
                    },
                },
            }));
            transcript.add("create", deployments.create(&PostParams::default(), &web).await);
            let change = json!({"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "registry.internal/app:2"}]}}}});
            transcript.add("strategic merge patch", deployments.patch("web", &PatchParams::default(), &Patch::Strategic(change)).await);
            transcript.add("get scale", deployments.get_scale("web").await);
            let scale = Patch::Merge(json!({"spec": {"replicas": 5}}));
            transcript.add("patch scale", deployments.patch_scale("web", &PatchParams::default(), &scale).await);
            transcript.add("get status", deployments.get_status("web").await);
            let status = Patch::Merge(json!({"status": {"replicas": 5}}));
            transcript.add("patch status", deployments.patch_status("web", &PatchParams::default(), &status).await);
            // Without a type, as agents that know no schema do.
            let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("apps", "v1", "Deployment"));
            let dynamic: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &resource);
            transcript.add("get, dynamic", dynamic.get("web").await);
            transcript.add("list, dynamic", dynamic.list(&ListParams::default()).await);
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn raw_requests() {
    on_both("raw_requests", POLICY, async |stack| {
        compare(stack, async |client, namespace, transcript| {
            let maps: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
            maps.create(&PostParams::default(), &map("a", "1")).await.unwrap();
            let url = ConfigMap::url_path(&(), Some(namespace));
            let get = |path: String| Request::get(path).body(Vec::new()).unwrap();
            transcript.add("get", client.request::<Value>(get(format!("{url}/a"))).await);
            let text = client.request_text(get(format!("{url}/a"))).await;
            transcript.add(
                "as text",
                text.map(|text| serde_json::from_str::<Value>(&text).unwrap()),
            );
            let table = Request::get(&url).header(
                "Accept",
                "application/json;as=Table;v=v1;g=meta.k8s.io, application/json",
            );
            transcript.add(
                "as a table",
                client.request::<Value>(table.body(Vec::new()).unwrap()).await,
            );
            transcript.add("version", client.request::<Value>(get("/version".to_owned())).await);
            transcript.add(
                "no such resource",
                client.request::<Value>(get(format!("{url}x"))).await.map_err(code_only),
            );
        })
        .await;
    })
    .await;
}

/// The guard answers in the server's stead what it does not understand: with the same code, in other words.
fn code_only(error: kube::Error) -> kube::Error {
    let kube::Error::Api(status) = error else { return error };
    let code = status.code;
    kube::Error::Api(Box::new(kube::core::Status {
        code,
        ..kube::core::Status::default()
    }))
}

#[tokio::test]
async fn watches() {
    on_both("watches", POLICY, async |stack| {
        compare(stack, async |client, namespace, transcript| {
            let maps: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
            let change = Patch::Merge(json!({"data": {"key": "2"}}));
            let from = maps
                .list(&ListParams::default())
                .await
                .unwrap()
                .metadata
                .resource_version
                .unwrap();
            let mut events = maps.watch(&WatchParams::default(), &from).await.unwrap().boxed();
            maps.create(&PostParams::default(), &map("a", "1")).await.unwrap();
            maps.patch("a", &PatchParams::default(), &change).await.unwrap();
            maps.delete("a", &DeleteParams::default()).await.unwrap();
            for _ in 0..3 {
                let event: WatchEvent<ConfigMap> = events.try_next().await.unwrap().unwrap();
                transcript.add("event", Ok(event));
            }
            drop(events);

            for config in [watcher::Config::default(), watcher::Config::default().streaming_lists()] {
                maps.create(&PostParams::default(), &map("b", "1")).await.unwrap();
                let mut watched = watcher(maps.clone(), config).boxed();
                loop {
                    let event = watched.try_next().await.unwrap().unwrap();
                    let done = matches!(event, watcher::Event::InitDone);
                    transcript.add("watcher", Ok(told(event)));
                    if done {
                        break;
                    }
                }
                maps.patch("b", &PatchParams::default(), &change).await.unwrap();
                transcript.add("watcher", Ok(told(watched.try_next().await.unwrap().unwrap())));
                maps.delete("b", &DeleteParams::default()).await.unwrap();
                transcript.add("watcher", Ok(told(watched.try_next().await.unwrap().unwrap())));
            }
        })
        .await;
    })
    .await;
}

fn told(event: watcher::Event<ConfigMap>) -> Value {
    match event {
        watcher::Event::Apply(map) => json!({"apply": map}),
        watcher::Event::Delete(map) => json!({"delete": map}),
        watcher::Event::Init => json!("init"),
        watcher::Event::InitApply(map) => json!({"init-apply": map}),
        watcher::Event::InitDone => json!("init-done"),
    }
}

#[tokio::test]
async fn a_controller_reconciles() {
    on_both("a_controller_reconciles", POLICY, async |stack| {
        compare(stack, async |client, namespace, transcript| {
            let maps: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
            maps.create(&PostParams::default(), &map("a", "1")).await.unwrap();
            let reconcile = async |map: Arc<ConfigMap>, maps: Arc<Api<ConfigMap>>| {
                let seen = Patch::Merge(json!({"metadata": {"annotations": {"seen": "yes"}}}));
                maps.patch(&map.name_any(), &PatchParams::default(), &seen).await?;
                Ok::<_, kube::Error>(Action::await_change())
            };
            let mut runs = Controller::new(maps.clone(), watcher::Config::default())
                .run(reconcile, |_, error, _| panic!("{error}"), Arc::new(maps.clone()))
                .boxed();
            let (reconciled, _) = runs.next().await.unwrap().unwrap();
            transcript.add("reconciled", Ok(reconciled.name));
            transcript.add("the object", maps.get("a").await);
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn discovery() {
    on_both("discovery", POLICY, async |stack| {
        compare(stack, async |client, _, transcript| {
            transcript.add("version", client.apiserver_version().await.map(debug));
            transcript.add("groups", client.list_api_groups().await);
            transcript.add("core", client.list_core_api_resources("v1").await);
            let found = Discovery::new(client.clone()).run().await.unwrap();
            let mut resources: Vec<_> = found
                .groups()
                .flat_map(kube::discovery::ApiGroup::recommended_resources)
                .map(|(resource, can)| {
                    format!(
                        "{} {} {}",
                        resource.api_version,
                        resource.plural,
                        can.scope == Scope::Namespaced
                    )
                })
                .collect();
            resources.sort();
            assert!(resources.iter().any(|resource| resource == "apps/v1 deployments true"));
            transcript.add("resources", Ok(resources));
        })
        .await;
    })
    .await;
}

fn debug(value: impl Debug) -> String {
    format!("{value:?}")
}

#[tokio::test]
async fn logs() {
    on_both("logs", POLICY, async |stack| {
        compare(stack, async |client, namespace, transcript| {
            stack
                .pod_with_log(namespace, "printer", "first line\nsecond: a=b\n")
                .await;
            let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
            transcript.add("logs", pods.logs("printer", &LogParams::default()).await);
            let tail = LogParams {
                tail_lines: Some(1),
                ..LogParams::default()
            };
            transcript.add("the tail", pods.logs("printer", &tail).await);
            let follow = LogParams {
                follow: true,
                ..LogParams::default()
            };
            let mut lines = pods.log_stream("printer", &follow).await.unwrap().lines();
            transcript.add("followed", Ok(lines.try_next().await.unwrap()));
            transcript.add("of nobody", pods.logs("nobody", &LogParams::default()).await);
        })
        .await;
    })
    .await;
}

/// What is changed on purpose: values of Secrets, and nothing else of them.
#[tokio::test]
async fn of_a_secret_only_the_values_are_changed() {
    on_both("of_a_secret_only_the_values_are_changed", POLICY, async |stack| {
        let secret: Secret = object(json!({
            "metadata": {"name": "database", "labels": {"app": "web"}},
            "stringData": {"username": "app", "password": "correct horse"},
        }));
        let beside: Api<Secret> = Api::namespaced(stack.admin.clone(), &stack.namespace);
        let made = beside.create(&PostParams::default(), &secret).await.unwrap();
        let guarded: Api<Secret> = Api::namespaced(stack.agent.clone(), &stack.namespace);
        let mut seen = guarded.get("database").await.unwrap();
        for value in seen.data.iter_mut().flat_map(|data| data.values_mut()) {
            assert_eq!(value.0, b"countersign.masked.value");
        }
        assert_eq!(seen.data.as_ref().map(|data| data.len()), Some(2));
        seen.data.clone_from(&made.data);
        seen.metadata.managed_fields.clone_from(&made.metadata.managed_fields);
        assert_eq!(seen, made);
    })
    .await;
}

/// What is refused on purpose looks to kube like any refusal of an API server.
#[tokio::test]
async fn a_refusal_is_an_ordinary_status() {
    on_both("a_refusal_is_an_ordinary_status", POLICY, async |stack| {
        let deployments: Api<Deployment> = Api::namespaced(stack.agent.clone(), &stack.namespace);
        let status = refused(deployments.delete("web", &DeleteParams::default()).await);
        assert_eq!((status.code, status.reason.as_str()), (403, "Forbidden"));
        assert!(status.is_failure() && status.is_forbidden());
        assert!(
            status
                .message
                .contains("triage-agent may not delete deployments.apps/web"),
            "{status:?}"
        );
    })
    .await;
}
