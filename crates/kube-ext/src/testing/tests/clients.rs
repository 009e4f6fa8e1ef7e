//! Through kube: what users of the server write.

use std::collections::BTreeMap;

use futures_util::{AsyncBufReadExt, StreamExt, TryStreamExt, pin_mut};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret};
use kube::api::{
    Api, DeleteParams, DynamicObject, EvictParams, ListParams, LogParams, Patch, PatchParams, PostParams, Preconditions,
};
use kube::core::{ApiResource, GroupVersionKind};
use kube::discovery::Discovery;
use kube::runtime::watcher::{self, Event, InitialListStrategy};

use super::*;

fn map(name: &str) -> ConfigMap {
    let mut map = ConfigMap::default();
    map.metadata.name = Some(name.to_owned());
    map.data = Some(BTreeMap::from([("a".to_owned(), "b".to_owned())]));
    map
}

#[tokio::test]
async fn typed_verbs() {
    let server = EmbeddedApiServer::new();
    let maps: Api<ConfigMap> = Api::namespaced(server.client(), "default");
    let made = maps.create(&PostParams::default(), &map("a")).await.unwrap();
    assert_eq!(maps.get("a").await.unwrap(), made);
    assert!(maps.get_opt("b").await.unwrap().is_none());
    let mut next = made.clone();
    next.data = None;
    let replaced = maps.replace("a", &PostParams::default(), &next).await.unwrap();
    assert!(replaced.data.is_none());
    let conflict = maps.replace("a", &PostParams::default(), &next).await.unwrap_err();
    assert!(matches!(conflict, kube::Error::Api(status) if status.is_conflict()));
    let apply = PatchParams::apply("test");
    let applied = maps.patch("a", &apply, &Patch::Apply(map("a"))).await.unwrap();
    assert!(applied.data.is_some());
    let merge = Patch::Merge(json!({ "data": { "x": "y" } }));
    assert_eq!(
        maps.patch("a", &PatchParams::default(), &merge)
            .await
            .unwrap()
            .data
            .unwrap()
            .len(),
        2
    );
    let listed = maps.list(&ListParams::default().limit(1)).await.unwrap();
    assert_eq!(listed.items.len(), 1);
    let wrong = Preconditions {
        uid: Some("other".to_owned()),
        resource_version: None,
    };
    let wrong = DeleteParams {
        preconditions: Some(wrong),
        ..DeleteParams::default()
    };
    assert!(matches!(maps.delete("a", &wrong).await.unwrap_err(), kube::Error::Api(status) if status.is_conflict()));
    assert!(
        maps.delete("a", &DeleteParams::default().dry_run())
            .await
            .unwrap()
            .is_right()
    );
    assert!(maps.delete("a", &DeleteParams::default()).await.unwrap().is_right());
    let gone = maps.get("a").await.unwrap_err();
    assert!(matches!(gone, kube::Error::Api(status) if status.is_not_found() && status.message.contains("\"a\"")));
    let everywhere: Api<Secret> = Api::all(server.client());
    let deleted = everywhere.list_metadata(&ListParams::default()).await.unwrap();
    assert!(deleted.items.is_empty());
}

#[tokio::test]
async fn subresources() {
    let server = EmbeddedApiServer::new();
    server.seed([deployment("d")]).unwrap();
    let deployments: Api<Deployment> = Api::default_namespaced(server.client());
    assert_eq!(
        deployments.get_scale("d").await.unwrap().spec.unwrap().replicas,
        Some(2)
    );
    let three = Patch::Merge(json!({ "spec": { "replicas": 3 } }));
    deployments
        .patch_scale("d", &PatchParams::default(), &three)
        .await
        .unwrap();
    assert_eq!(deployments.get("d").await.unwrap().spec.replicas, Some(3));
    let status = Patch::Merge(json!({ "status": { "replicas": 3 } }));
    deployments
        .patch_status("d", &PatchParams::default(), &status)
        .await
        .unwrap();

    let pods: Api<Pod> = Api::default_namespaced(server.client());
    let made: Pod = serde_json::from_value(pod("p")).unwrap();
    pods.create(&PostParams::default(), &made).await.unwrap();
    server.set_log("default", "p", "one\n");
    assert_eq!(pods.logs("p", &LogParams::default()).await.unwrap(), "one\n");
    let mut lines = pods
        .log_stream(
            "p",
            &LogParams {
                follow: true,
                ..LogParams::default()
            },
        )
        .await
        .unwrap()
        .lines();
    assert_eq!(lines.try_next().await.unwrap().as_deref(), Some("one"));
    server.append_log("default", "p", "two\n");
    assert_eq!(lines.try_next().await.unwrap().as_deref(), Some("two"));
    pods.evict("p", &EvictParams::default()).await.unwrap();
    assert!(lines.try_next().await.unwrap().is_none());
}

#[tokio::test]
async fn discovery_and_dynamic_objects() {
    let server = server();
    let client = server.client();
    assert_eq!(client.apiserver_version().await.unwrap().minor, "36");
    for aggregated in [false, true] {
        let discovery = Discovery::new(client.clone());
        let discovery = if aggregated {
            discovery.run_aggregated().await
        } else {
            discovery.run().await
        };
        let kind = GroupVersionKind::gvk("example.com", "v1", "Widget");
        let (resource, capabilities) = discovery.unwrap().resolve_gvk(&kind).unwrap();
        assert_eq!(resource.plural, "widgets");
        assert_eq!(capabilities.subresources.len(), 1);
    }
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("example.com", "v1", "Widget"));
    let widgets: Api<DynamicObject> = Api::default_namespaced_with(client, &resource);
    let widget = DynamicObject::new("w", &resource).data(json!({ "spec": { "size": 1 } }));
    widgets.create(&PostParams::default(), &widget).await.unwrap();
    assert_eq!(widgets.get("w").await.unwrap().data["spec"]["size"], 1);
}

/// What a watcher saw, until it saw a name.
async fn until(server: &EmbeddedApiServer, config: watcher::Config, last: &str) -> Vec<String> {
    let maps: Api<ConfigMap> = Api::all(server.client());
    let events = watcher::watcher(maps, config);
    pin_mut!(events);
    let mut seen = Vec::new();
    while let Some(event) = events.next().await {
        let (word, object) = match event.unwrap() {
            Event::Init | Event::InitDone => continue,
            Event::InitApply(object) => ("init", object),
            Event::Apply(object) => ("apply", object),
            Event::Delete(object) => ("delete", object),
        };
        let name = object.metadata.name.unwrap();
        seen.push(format!("{word} {name}"));
        if name == last {
            return seen;
        }
    }
    seen
}

#[tokio::test]
async fn watchers_side_by_side() {
    for strategy in [InitialListStrategy::ListWatch, InitialListStrategy::StreamingList] {
        let server = EmbeddedApiServer::new();
        let maps: Api<ConfigMap> = Api::default_namespaced(server.client());
        maps.create(&PostParams::default(), &map("first")).await.unwrap();
        let config = watcher::Config {
            initial_list_strategy: strategy,
            ..watcher::Config::default()
        };
        let watchers: Vec<_> = (0..2)
            .map(|_| {
                let (server, config) = (server.clone(), config.clone());
                tokio::spawn(async move { until(&server, config, "last").await })
            })
            .collect();
        while server
            .requests()
            .iter()
            .filter(|request| request.uri.contains("watch=true"))
            .count()
            < 2
        {
            tokio::task::yield_now().await;
        }
        for name in ["second", "third"] {
            maps.create(&PostParams::default(), &map(name)).await.unwrap();
        }
        maps.delete("second", &DeleteParams::default()).await.unwrap();
        maps.create(&PostParams::default(), &map("last")).await.unwrap();
        for watcher in watchers {
            let seen = tokio::time::timeout(Duration::from_secs(10), watcher)
                .await
                .unwrap()
                .unwrap();
            assert_eq!(
                seen,
                [
                    "init first",
                    "apply second",
                    "apply third",
                    "delete second",
                    "apply last"
                ]
            );
        }
    }
}
