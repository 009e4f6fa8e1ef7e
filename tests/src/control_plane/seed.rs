//! A small world to try clients on: what a cluster with two teams would have.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::GroupVersionKind;
use serde_json::{Value, json};

use super::{ControlPlane, NODE};

/// Namespaces `team-a` and `team-b` and `kube-system`: in each Secrets, ConfigMaps and a Deployment with its ReplicaSet
/// and its pods; the custom resources `widgets` and `clusterwidgets` of `example.com/v1`; and the pod `team-a/web-0`,
/// which logs, serves nothing, and can be executed in.
pub(super) async fn world(cp: &ControlPlane) -> Result<(), kube::Error> {
    let client = cp.admin();
    define_widgets(&client).await?;
    for (team, replicas) in [("team-a", 2), ("team-b", 1)] {
        create(
            &client,
            None,
            json!({
                "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": team, "labels": {"team": team}},
            }),
        )
        .await?;
        for object in team_objects(team) {
            create(&client, Some(team), object).await?;
        }
        workload(&client, team, "web", replicas).await?;
    }
    for object in system_objects() {
        create(&client, Some("kube-system"), object).await?;
    }
    workload(&client, "kube-system", "coredns", 1).await?;
    create(&client, None, json!({
        "apiVersion": "example.com/v1", "kind": "ClusterWidget", "metadata": {"name": "shared"}, "spec": {"size": 3},
    })).await?;
    cp.run(
        "team-a",
        serde_json::from_value(web_0()).map_err(kube::Error::SerdeError)?,
    )
    .await;
    wait_for_pods(&client).await
}

fn team_objects(team: &str) -> Vec<Value> {
    let password = format!("{team}-hunter2-correct-horse");
    vec![
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db", "labels": {"app": "web"}},
            "type": "Opaque", "stringData": {"username": "app", "password": password}}),
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "api-token", "annotations": {
                // What `kubectl apply` leaves: the values once more, in the clear.
                "kubectl.kubernetes.io/last-applied-configuration": json!({
                    "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "api-token", "namespace": team},
                    "stringData": {"token": format!("{team}-0123456789abcdef0123456789abcdef")},
                }).to_string(),
            }},
            "type": "Opaque", "stringData": {"token": format!("{team}-0123456789abcdef0123456789abcdef")}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web-config"},
            "data": {"LOG_LEVEL": "info", "config.yaml": "replicas: 2\nregion: north\n"}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web-internal"},
            "data": {"upstream": "db.internal:5432"}}),
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "web"}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}}),
        json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "left"},
            "spec": {"size": 1, "colour": "red"}}),
        json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "right"},
            "spec": {"size": 2, "colour": "green"}}),
    ]
}

fn system_objects() -> Vec<Value> {
    vec![
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "coredns"},
            "data": {"Corefile": ".:53 {\n    errors\n    health\n}\n"}}),
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "etcd-certs"}, "type": "Opaque",
            "stringData": {"tls.key": "not a key, but nobody's business either"}}),
    ]
}

fn web_0() -> Value {
    let script = "echo 'web-0 is up'; n=0; while sleep 5; do n=$((n + 1)); echo \"GET /healthz 200 request=$n\"; done";
    json!({
        "metadata": {"name": "web-0", "labels": {"app": "web-0"}},
        "spec": {"containers": [{
            "name": "app", "image": "registry.internal/web:1.0", "command": ["sh", "-c", script],
            "env": [{"name": "REGION", "value": "north"}],
        }]},
    })
}

/// A Deployment with its ReplicaSet and idle pods: what its controllers would have made, as none runs.
async fn workload(client: &Client, namespace: &str, name: &str, replicas: u8) -> Result<(), kube::Error> {
    let labels = json!({"app": name});
    let pod = json!({
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": name, "image": format!("registry.internal/{name}:1.0")}]},
    });
    let spec = json!({"replicas": replicas, "selector": {"matchLabels": labels}, "template": pod});
    let metadata = |name: &str, owner: Option<Value>| json!({"name": name, "labels": labels, "ownerReferences": owner});
    let owner = |kind: &str, owner: &DynamicObject| {
        json!([{"apiVersion": "apps/v1", "kind": kind, "name": owner.metadata.name, "uid": owner.metadata.uid,
            "controller": true, "blockOwnerDeletion": true}])
    };
    let object = |kind: &str, metadata: Value| json!({"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec});
    let deployment = create(client, Some(namespace), object("Deployment", metadata(name, None))).await?;
    let set_name = format!("{name}-6c9f4d7b88");
    let set_metadata = metadata(&set_name, Some(owner("Deployment", &deployment)));
    let set = create(client, Some(namespace), object("ReplicaSet", set_metadata)).await?;
    for index in 0..replicas {
        let mut pod = pod.clone();
        pod["apiVersion"] = json!("v1");
        pod["kind"] = json!("Pod");
        pod["metadata"] = metadata(&format!("{set_name}-{index}"), Some(owner("ReplicaSet", &set)));
        pod["spec"]["nodeName"] = json!(NODE);
        create(client, Some(namespace), pod).await?;
    }
    let counts = json!({"replicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas});
    for (kind, name) in [("Deployment", name), ("ReplicaSet", &set_name)] {
        let patch = Patch::Merge(json!({"status": counts}));
        dynamic(client, Some(namespace), "apps/v1", kind)
            .patch_status(name, &PatchParams::default(), &patch)
            .await?;
    }
    Ok(())
}

async fn define_widgets(client: &Client) -> Result<(), kube::Error> {
    for (kind, scope) in [("Widget", "Namespaced"), ("ClusterWidget", "Cluster")] {
        let singular = kind.to_lowercase();
        let plural = format!("{singular}s");
        let name = format!("{plural}.example.com");
        let subresources = if scope == "Namespaced" {
            json!({"status": {}})
        } else {
            json!({})
        };
        let properties = json!({
            "spec": {"type": "object", "properties": {"size": {"type": "integer"}, "colour": {"type": "string"}}},
            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        });
        create(
            client,
            None,
            json!({
                "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": name},
                "spec": {
                    "group": "example.com", "scope": scope,
                    "names": {"kind": kind, "plural": plural, "singular": singular},
                    "versions": [{
                        "name": "v1", "served": true, "storage": true, "subresources": subresources,
                        "schema": {"openAPIV3Schema": {"type": "object", "properties": properties}},
                        "additionalPrinterColumns": [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}],
                    }],
                },
            }),
        )
        .await?;
        // Stored is not served yet: the API server has to set up its handlers first.
        while dynamic(client, None, "example.com/v1", kind)
            .list(&Default::default())
            .await
            .is_err()
        {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    Ok(())
}

async fn wait_for_pods(client: &Client) -> Result<(), kube::Error> {
    let pods: Api<Pod> = Api::all(client.clone());
    let runs = |pod: &Pod| {
        pod.status
            .as_ref()
            .is_some_and(|status| status.phase.as_deref() == Some("Running"))
    };
    while !pods.list(&Default::default()).await?.iter().all(runs) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

async fn create(client: &Client, namespace: Option<&str>, object: Value) -> Result<DynamicObject, kube::Error> {
    let object: DynamicObject = serde_json::from_value(object).map_err(kube::Error::SerdeError)?;
    let types = object.types.clone().unwrap_or_default();
    dynamic(client, namespace, &types.api_version, &types.kind)
        .create(&PostParams::default(), &object)
        .await
}

fn dynamic(client: &Client, namespace: Option<&str>, api_version: &str, kind: &str) -> Api<DynamicObject> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
    match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    }
}
