//! Values of Secrets stay behind the guard: whatever is asked, and in whatever form the answer comes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_tests::canary::Canary;
use countersign_tests::guarded::{POLICY, Stack, on_both, refused, until};
use futures_util::{StreamExt as _, TryStreamExt as _};
use http::{Method, Request};
use k8s_openapi::api::core::v1::Secret;
use kube::Resource as _;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use serde_json::{Value, json};

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
const MARKER: &str = "countersign.masked.value";

/// Panics if one of the canaries is in what the agent received, or in the guard's audit log.
async fn assert_silent(stack: &Stack, canaries: &[&Canary]) {
    let (received, log) = (stack.received.bytes(), stack.audit_bytes().await);
    assert!(!received.is_empty() && !log.is_empty());
    for canary in canaries {
        assert_eq!(canary.is_in(&received), None, "the agent received {}", canary.0);
        assert_eq!(canary.is_in(&log), None, "{} is in the audit log", canary.0);
    }
}

fn secret(name: &str, canary: &Canary) -> Secret {
    let applied = json!({"apiVersion": "v1", "kind": "Secret", "stringData": {"password": canary.0}}).to_string();
    let encoded = json!({"data": {"token": STANDARD.encode(&canary.0)}}).to_string();
    let object = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name,
            "labels": {"app": "web"},
            "annotations": {LAST_APPLIED: applied, "example.com/last-applied-configuration": encoded},
        },
        "stringData": {"password": canary.0, "token": STANDARD.encode(&canary.0)},
    });
    serde_json::from_value(object).unwrap()
}

/// A Secret `database` with a canary in it, and the API of Secrets on both sides of the guard.
async fn seeded(stack: &Stack) -> (Canary, Api<Secret>, Api<Secret>) {
    let canary = Canary::new("stored", &stack.namespace);
    let beside: Api<Secret> = Api::namespaced(stack.admin.clone(), &stack.namespace);
    beside
        .create(&PostParams::default(), &secret("database", &canary))
        .await
        .unwrap();
    // What is looked for is there.
    assert_eq!(value(&beside.get("database").await.unwrap(), "password"), canary.0);
    (canary, beside, Api::namespaced(stack.agent.clone(), &stack.namespace))
}

fn value(secret: &Secret, key: &str) -> String {
    String::from_utf8(secret.data.as_ref().unwrap()[key].0.clone()).unwrap()
}

#[tokio::test]
async fn reads() {
    on_both("reads", POLICY, async |stack| {
        let (canary, _, secrets) = seeded(stack).await;
        let read = secrets.get("database").await.unwrap();
        assert_eq!(
            (value(&read, "password").as_str(), value(&read, "token").as_str()),
            (MARKER, MARKER)
        );
        assert!(read.metadata.annotations.unwrap().contains_key(LAST_APPLIED));
        let list = secrets.list(&ListParams::default()).await.unwrap();
        assert_eq!((list.items.len(), value(&list.items[0], "token").as_str()), (1, MARKER));
        assert!(
            secrets
                .get_metadata("database")
                .await
                .unwrap()
                .metadata
                .annotations
                .is_some()
        );
        assert_eq!(
            secrets.list_metadata(&ListParams::default()).await.unwrap().items.len(),
            1
        );
        let everywhere: Api<Secret> = Api::all(stack.agent.clone());
        everywhere.list(&ListParams::default().labels("app=web")).await.unwrap();

        let url = Secret::url_path(&(), Some(&stack.namespace));
        for what in ["", "/database"] {
            for (accept, include) in [
                ("application/json;as=Table;v=v1;g=meta.k8s.io", "?includeObject=Object"),
                (
                    "application/json;as=Table;v=v1;g=meta.k8s.io",
                    "?includeObject=Metadata",
                ),
                ("application/json;as=Table;v=v1;g=meta.k8s.io", ""),
                (
                    "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json",
                    "",
                ),
            ] {
                let request = Request::get(format!("{url}{what}{include}")).header("Accept", accept);
                // A refusal is as good as a masked answer.
                let _ = stack.agent.request::<Value>(request.body(Vec::new()).unwrap()).await;
            }
        }
        assert_silent(stack, &[&canary]).await;
    })
    .await;
}

#[tokio::test]
async fn watches() {
    on_both("watches", POLICY, async |stack| {
        let (canary, beside, secrets) = seeded(stack).await;
        let second = Canary::new("second", &stack.namespace);
        let mut events = secrets.watch(&WatchParams::default(), "0").await.unwrap().boxed();
        let mut seen = Vec::new();
        let change = Patch::Merge(json!({"stringData": {"password": second.0}}));
        beside
            .patch("database", &PatchParams::default(), &change)
            .await
            .unwrap();
        beside.delete("database", &DeleteParams::default()).await.unwrap();
        while seen.last() != Some(&"deleted") {
            let event: WatchEvent<Secret> = events.try_next().await.unwrap().unwrap();
            let (kind, object) = match event {
                WatchEvent::Added(object) => ("added", object),
                WatchEvent::Modified(object) => ("modified", object),
                WatchEvent::Deleted(object) => ("deleted", object),
                WatchEvent::Bookmark(_) => continue,
                other => panic!("{other:?}"),
            };
            assert_eq!(value(&object, "password"), MARKER);
            seen.push(kind);
        }
        assert_silent(stack, &[&canary, &second]).await;
    })
    .await;
}

/// The answers of writes hold the whole object, and what the agent supplied is masked like the rest.
#[tokio::test]
async fn writes() {
    on_both("writes", POLICY, async |stack| {
        let (canary, beside, secrets) = seeded(stack).await;
        let own = Canary::new("supplied", &stack.namespace);
        let post = PostParams::default();
        let made = secrets.create(&post, &secret("own", &own)).await.unwrap();
        assert_eq!(value(&made, "password"), MARKER);
        assert_eq!(value(&beside.get("own").await.unwrap(), "password"), own.0);
        let dry_run = PostParams { dry_run: true, ..PostParams::default() };
        assert_eq!(value(&secrets.create(&dry_run, &secret("dry", &own)).await.unwrap(), "password"), MARKER);

        let label = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "database", "labels": {"touched": "yes"}}});
        for patch in [Patch::Merge(&label), Patch::Strategic(&label)] {
            let patched = secrets.patch("database", &PatchParams::default(), &patch).await.unwrap();
            assert_eq!((value(&patched, "password").as_str(), value(&patched, "token").as_str()), (MARKER, MARKER));
        }
        let dry_run = PatchParams { dry_run: true, ..PatchParams::apply("test").force() };
        for params in [dry_run, PatchParams::apply("test").force()] {
            let applied = secrets.patch("database", &params, &Patch::Apply(&label)).await.unwrap();
            assert_eq!(value(&applied, "password"), MARKER);
        }
        let replaced = secrets.replace("database", &post, &secret("database", &own)).await.unwrap();
        assert_eq!(value(&replaced, "token"), MARKER);
        secrets.delete("own", &DeleteParams::default()).await.unwrap();
        let rest = DeleteParams { dry_run: true, ..DeleteParams::default() };
        // Both answer with the objects that go.
        secrets.delete_collection(&rest, &ListParams::default()).await.unwrap();
        secrets.delete_collection(&DeleteParams::default(), &ListParams::default()).await.unwrap();
        assert_eq!(beside.list(&ListParams::default()).await.unwrap().items.len(), 0);
        assert_silent(stack, &[&canary, &own]).await;
    })
    .await;
}

/// A server that can't decode the outcome of a patch quotes the whole object in its 422.
#[tokio::test]
async fn errors_that_quote_the_object() {
    on_both("errors_that_quote_the_object", POLICY, async |stack| {
        let (canary, beside, secrets) = seeded(stack).await;
        let mut leaks = 0;
        for patch in [
            json!({"metadata": {"labels": 5}}),
            json!({"metadata": {"labels": {"app": 5}}}),
            json!({"metadata": {"annotations": 5}}),
            json!({"data": 5}),
            json!({"data": {"password": 5}}),
            json!({"data": {"password": "not base64!"}}),
            json!({"type": "another"}),
            json!({"immutable": "yes"}),
        ] {
            for patch in [Patch::Merge(&patch), Patch::Strategic(&patch)] {
                let leaked = beside.patch("database", &PatchParams::default(), &patch).await;
                if let Err(kube::Error::Api(status)) = leaked {
                    leaks += usize::from(canary.is_in(format!("{status:?}").as_bytes()).is_some());
                    let status = refused(secrets.patch("database", &PatchParams::default(), &patch).await);
                    assert!(status.code >= 400, "{status:?}");
                }
            }
        }
        assert!(leaks > 0, "the server tells nothing any more: this test shows nothing");
        assert_silent(stack, &[&canary]).await;
    })
    .await;
}

/// Written back, a marker would destroy the value.
#[tokio::test]
async fn a_masked_value_is_not_written_back() {
    on_both("a_masked_value_is_not_written_back", POLICY, async |stack| {
        let (canary, beside, secrets) = seeded(stack).await;
        let before = beside.get("database").await.unwrap();
        let mut read = secrets.get("database").await.unwrap();
        read.metadata
            .labels
            .get_or_insert_default()
            .insert("touched".to_owned(), "yes".to_owned());
        let status = refused(secrets.replace("database", &PostParams::default(), &read).await);
        assert!(
            status.message.contains("data.password") || status.message.contains("password"),
            "{status:?}"
        );
        for body in [
            json!({"data": {"password": STANDARD.encode(MARKER)}}),
            json!({"stringData": {"password": MARKER}}),
            json!({"metadata": {"annotations": {"copy": MARKER}}}),
        ] {
            for patch in [Patch::Merge(&body), Patch::Strategic(&body)] {
                refused(secrets.patch("database", &PatchParams::default(), &patch).await);
            }
        }
        let copy: Secret = serde_json::from_value(json!({"metadata": {"name": "copy"}, "data": read.data})).unwrap();
        refused(secrets.create(&PostParams::default(), &copy).await);
        assert_eq!(beside.get("database").await.unwrap(), before);
        assert_eq!(beside.get_opt("copy").await.unwrap(), None);
        for method in [Method::PUT, Method::PATCH, Method::POST] {
            assert_eq!(stack.sent(Some(method)).await, []);
        }
        assert_silent(stack, &[&canary]).await;
    })
    .await;
}

/// What a policy names is masked by item, in lists too.
#[tokio::test]
async fn paths_of_the_policy() {
    let policy = format!(
        "{POLICY}  - name: hide-internal-config\n    match: {{ resources: [configmaps], names: [\"*-internal\"] }}\n    mask: {{ paths: [data.*] }}\n"
    );
    on_both("paths_of_the_policy", &policy, async |stack| {
        use k8s_openapi::api::core::v1::ConfigMap;
        let canary = Canary::new("configured", &stack.namespace);
        let beside: Api<ConfigMap> = Api::namespaced(stack.admin.clone(), &stack.namespace);
        for (name, value) in [("web-internal", canary.0.as_str()), ("web-public", "for everybody")] {
            let map = json!({"metadata": {"name": name}, "data": {"key": value}});
            let map = serde_json::from_value(map).unwrap();
            beside.create(&PostParams::default(), &map).await.unwrap();
        }
        let maps: Api<ConfigMap> = Api::namespaced(stack.agent.clone(), &stack.namespace);
        until("both are listed", async || {
            maps.list(&ListParams::default()).await.unwrap().items.len() == 2
        })
        .await;
        let list = maps.list(&ListParams::default()).await.unwrap();
        let values: Vec<_> = list
            .items
            .iter()
            .map(|map| map.data.as_ref().unwrap()["key"].as_str())
            .collect();
        assert_eq!(values, [MARKER, "for everybody"]);
        assert_eq!(maps.get("web-internal").await.unwrap().data.unwrap()["key"], MARKER);
        assert_eq!(
            maps.get("web-public").await.unwrap().data.unwrap()["key"],
            "for everybody"
        );
        assert_silent(stack, &[&canary]).await;
    })
    .await;
}

/// Written back under `writeBack: restore`, a marker is what it stands for; but only where it was read.
#[tokio::test]
async fn what_was_read_masked_can_be_replaced() {
    let policy = format!("{POLICY}  masking: {{ writeBack: restore }}\n");
    on_both("what_was_read_masked_can_be_replaced", &policy, async |stack| {
        let (canary, beside, secrets) = seeded(stack).await;
        // Without what kubectl applied, which has the values once more.
        let bare = json!({"metadata": {"annotations": null}});
        beside
            .patch("database", &PatchParams::default(), &Patch::Merge(bare))
            .await
            .unwrap();
        let mut read = secrets.get("database").await.unwrap();
        let stale = read.clone();
        let labels = read.metadata.labels.get_or_insert_default();
        labels.insert("touched".to_owned(), "yes".to_owned());
        let own = Canary::new("replaced", &stack.namespace);
        let values = read.data.as_mut().unwrap();
        values.insert("token".to_owned(), k8s_openapi::ByteString(own.0.clone().into_bytes()));
        let replaced = secrets
            .replace("database", &PostParams::default(), &read)
            .await
            .unwrap();
        assert_eq!(value(&replaced, "password"), MARKER);
        let now = beside.get("database").await.unwrap();
        assert_eq!(
            (value(&now, "password"), value(&now, "token")),
            (canary.0.clone(), own.0.clone())
        );
        assert_eq!(now.metadata.labels.unwrap()["touched"], "yes");

        // Read before the last change.
        let conflict = refused(secrets.replace("database", &PostParams::default(), &stale).await);
        assert_eq!(conflict.code, 409, "{conflict:?}");
        let read = secrets.get("database").await.unwrap();
        let version = read.metadata.resource_version.clone().unwrap();
        let patch = |data: Value| json!({"metadata": {"resourceVersion": version}, "data": data});
        let marker = STANDARD.encode(MARKER);
        let same = Patch::Strategic(patch(json!({"password": marker})));
        secrets.patch("database", &PatchParams::default(), &same).await.unwrap();
        for moved in [
            patch(json!({"copy": marker})),
            json!({"data": {"password": marker}}),
            json!({"metadata": {"resourceVersion": version, "labels": {"copy": MARKER}}}),
            json!({"metadata": {"resourceVersion": version}, "stringData": {"password": MARKER}}),
        ] {
            let status = refused(
                secrets
                    .patch("database", &PatchParams::default(), &Patch::Merge(&moved))
                    .await,
            );
            assert_eq!(status.code, 422, "{moved}");
        }
        let mut copy = read.clone();
        copy.metadata = serde_json::from_value(json!({"name": "copy"})).unwrap();
        assert_eq!(refused(secrets.create(&PostParams::default(), &copy).await).code, 422);
        let now = beside.get("database").await.unwrap();
        assert_eq!(
            (value(&now, "password"), value(&now, "token")),
            (canary.0.clone(), own.0.clone())
        );
        assert_silent(stack, &[&canary, &own]).await;
        let restored = stack.audit().await.0;
        let restored = restored
            .iter()
            .filter_map(|event| event.annotation("countersign.dev/restored"));
        assert!(restored.into_iter().any(|paths| paths == "data.password"));
    })
    .await;
}
