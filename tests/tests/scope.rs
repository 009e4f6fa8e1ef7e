//! What policy forbids is not sent, and what the guard's own credential may not do stays forbidden by the server.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use countersign_core::audit::{AuditSink, Durability, Event, MemorySink, SinkError, Stage};
use countersign_kube::GuardBuilder;
use countersign_tests::control_plane::{self, Scope};
use countersign_tests::guarded::{POLICY, Stack, on_both, on_both_with, refused};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Node, Pod, Secret};
use k8s_openapi::api::rbac::v1::{ClusterRole, PolicyRule};
use kube::Client;
use kube::api::{Api, DeleteParams, EvictParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

/// One namespace, nothing outside, reads of Secrets excepted.
const ONE_NAMESPACE: &str = r#"
apiVersion: countersign.dev/v1alpha1
kind: Policy
metadata: { name: one-namespace }
spec:
  subjects: [{ group: agents }]
  scopes: [{ namespaces: [NAMESPACE] }]
  rules:
  - name: everything
    match: { effects: [discovery, read, read-stream, log, write, destructive] }
    allow: {}
  - name: no-secrets
    match: { resources: [secrets] }
    deny: { message: "Secrets are none of your business." }
"#;

fn object<K: serde::de::DeserializeOwned>(object: Value) -> K {
    serde_json::from_value(object).unwrap()
}

#[track_caller]
fn forbidden<T>(answer: kube::Result<T>) -> String {
    let status = refused(answer);
    assert_eq!((status.code, status.reason.as_str()), (403, "Forbidden"), "{status:?}");
    assert!(status.message.starts_with("countersign: "), "{status:?}");
    status.message
}

#[tokio::test]
async fn an_identity_stays_in_its_namespace() {
    on_both("an_identity_stays_in_its_namespace", ONE_NAMESPACE, async |stack| {
        let other = stack.other_namespace().await;
        let maps = |namespace: &str| Api::<ConfigMap>::namespaced(stack.agent.clone(), namespace);
        let map: ConfigMap = object(json!({"metadata": {"name": "a"}}));
        let (list, post, patch) = (ListParams::default(), PostParams::default(), PatchParams::default());

        let outside = maps(&other);
        assert!(forbidden(outside.get("a").await).contains("may not get configmaps/a"));
        forbidden(outside.list(&list).await);
        forbidden(outside.create(&post, &map).await);
        forbidden(outside.replace("a", &post, &map).await);
        forbidden(outside.patch("a", &patch, &Patch::Merge(json!({}))).await);
        forbidden(
            outside
                .patch(
                    "a",
                    &PatchParams::apply("x"),
                    &Patch::Apply(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})),
                )
                .await,
        );
        forbidden(outside.delete("a", &DeleteParams::default()).await);
        forbidden(outside.delete_collection(&DeleteParams::default(), &list).await);
        forbidden(outside.watch(&kube::api::WatchParams::default(), "0").await.map(drop));
        // A label that looks like the namespace, a field selector, a limit: still all namespaces.
        let everywhere: Api<ConfigMap> = Api::all(stack.agent.clone());
        forbidden(everywhere.list(&list).await);
        forbidden(
            everywhere
                .list(&list.clone().fields(&format!("metadata.namespace={}", stack.namespace)))
                .await,
        );
        let pods: Api<Pod> = Api::namespaced(stack.agent.clone(), &other);
        forbidden(pods.logs("a", &kube::api::LogParams::default()).await);
        forbidden(pods.evict("a", &EvictParams::default()).await);

        // Outside of all namespaces.
        forbidden(Api::<Node>::all(stack.agent.clone()).list(&list).await);
        forbidden(Api::<ClusterRole>::all(stack.agent.clone()).get("cluster-admin").await);
        forbidden(
            Api::<Namespace>::all(stack.agent.clone())
                .delete(&other, &DeleteParams::default())
                .await,
        );
        // Inside, but denied by a rule; and a verb that no rule allows.
        let secrets: Api<Secret> = Api::namespaced(stack.agent.clone(), &stack.namespace);
        assert!(forbidden(secrets.get("a").await).contains("none of your business"));
        forbidden(secrets.list(&list).await);
        assert_eq!(stack.sent(None).await, [], "something that is forbidden was sent");

        // Inside, all of it works.
        let inside = maps(&stack.namespace);
        inside.create(&post, &map).await.unwrap();
        assert_eq!(inside.list(&list).await.unwrap().items.len(), 1);
        inside.delete("a", &DeleteParams::default()).await.unwrap();
        assert_eq!(stack.sent(None).await.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn nothing_is_allowed_by_nobody() {
    let nobody = POLICY.replace("{ group: agents }", "{ group: others }");
    on_both("nothing_is_allowed_by_nobody", &nobody, async |stack| {
        forbidden(stack.guarded_pods().list(&ListParams::default()).await);
        forbidden(stack.agent.apiserver_version().await.map(drop));
        assert_eq!(stack.sent(None).await, []);
    })
    .await;
}

#[tokio::test]
async fn rbac_has_the_last_word() {
    let Some(cp) = control_plane::or_skip("rbac_has_the_last_word").await else {
        return;
    };
    let namespace = cp.namespace("promise-rbac").await;
    let strings = |list: &[&str]| list.iter().map(|&one| one.to_owned()).collect::<Vec<_>>();
    let rule = PolicyRule {
        api_groups: Some(strings(&[""])),
        resources: Some(strings(&["configmaps"])),
        verbs: strings(&["get", "list"]),
        ..PolicyRule::default()
    };
    let user = "guard-with-few-rights".to_owned();
    cp.grant(&user, vec![rule], Scope::Namespace(&namespace)).await;
    let config = cp.config_for(&user, None);
    let stack = Stack::real_as(cp, namespace, (user.clone(), config), POLICY, |guard, _| guard);

    let maps: Api<ConfigMap> = Api::namespaced(stack.agent.clone(), &stack.namespace);
    assert!(maps.list(&ListParams::default()).await.unwrap().items.is_empty());
    // The policy allows it, the server does not: its refusal comes through as it is.
    let map: ConfigMap = object(json!({"metadata": {"name": "a"}}));
    let status = refused(maps.create(&PostParams::default(), &map).await);
    assert_eq!((status.code, status.reason.as_str()), (403, "Forbidden"));
    assert!(
        status.message.contains(&user) && !status.message.contains("countersign:"),
        "{status:?}"
    );
    let deployments: Api<Deployment> = Api::namespaced(stack.agent.clone(), &stack.namespace);
    let status = refused(deployments.list(&ListParams::default()).await);
    assert!(
        status.code == 403 && !status.message.contains("countersign:"),
        "{status:?}"
    );
    let sent = stack.sent(None).await;
    assert_eq!(sent.len(), 3, "{sent:?}");
}

/// What takes nothing away; for an apply that depends on what is there.
const NOTHING_DESTRUCTIVE: &str = r#"
apiVersion: countersign.dev/v1alpha1
kind: Policy
metadata: { name: nothing-destructive }
spec:
  subjects: [{ group: agents }]
  scopes: [{ namespaces: [NAMESPACE] }]
  limits: { applyManagers: [agent] }
  rules: [{ name: writes, match: { effects: [write] }, allow: {} }]
"#;

/// Creates a ConfigMap of the same name once a patch was judged, just before it is sent.
#[derive(Clone)]
struct Meanwhile {
    records: Arc<MemorySink>,
    /// Who creates it, and in which namespace; nobody for now.
    others: Arc<Mutex<Option<(Client, String)>>>,
}

#[async_trait]
impl AuditSink for Meanwhile {
    async fn append(&self, event: Event, durability: Durability) -> Result<(), SinkError> {
        let is_due = event.stage == Stage::RequestReceived && event.verb == "patch";
        let others = self.others.lock().unwrap().take_if(|_| is_due);
        if let Some((client, namespace)) = others {
            let name = event.object_ref.as_ref().unwrap().name.clone();
            let map: ConfigMap = object(json!({"metadata": {"name": name}, "data": {"of": "others"}}));
            let maps = Api::namespaced(client, &namespace);
            maps.create(&PostParams::default(), &map).await.unwrap();
        }
        self.records.append(event, durability).await
    }

    fn submit(&self, event: Event) {
        self.records.submit(event);
    }
}

/// An apply that was permitted where it creates an object does not become a change of one that appears meanwhile.
#[tokio::test]
async fn what_was_judged_as_new_changes_nothing_that_is_there() {
    let meanwhile = Meanwhile {
        records: Arc::new(MemorySink::new("meanwhile")),
        others: Arc::default(),
    };
    let recording = |guard: GuardBuilder, _: &_| guard.audit(meanwhile.clone());
    let test = "what_was_judged_as_new_changes_nothing_that_is_there";
    on_both_with(test, NOTHING_DESTRUCTIVE, recording, async |stack| {
        let maps = |client: &Client| Api::<ConfigMap>::namespaced(client.clone(), &stack.namespace);
        let apply = async |name: &str| {
            let metadata = json!({"name": name});
            let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"by": "agent"}});
            let apply = PatchParams::apply("agent");
            maps(&stack.agent).patch(name, &apply, &Patch::Apply(map)).await
        };
        let made = apply("new").await.unwrap();
        assert_eq!(made.data.unwrap()["by"], "agent");

        *meanwhile.others.lock().unwrap() = Some((stack.admin.clone(), stack.namespace.clone()));
        assert_eq!(refused(apply("contested").await).code, 409);
        let kept = maps(&stack.admin).get("contested").await.unwrap();
        assert_eq!(json!(kept.data), json!({"of": "others"}));
    })
    .await;
}
