//! The API server: objects, rights, the audit log.

use countersign_tests::control_plane::{self, AuditEvent, ObjectRef, Scope};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod, Secret};
use k8s_openapi::api::rbac::v1::PolicyRule;
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use kube::{Client, ResourceExt};
use serde_json::json;

use super::{code, kubectl, stdout};

fn rule(verbs: &[&str], resources: &[&str]) -> PolicyRule {
    let strings = |list: &[&str]| list.iter().map(|&one| one.to_owned()).collect::<Vec<_>>();
    PolicyRule {
        api_groups: Some(strings(&[""])),
        resources: Some(strings(resources)),
        verbs: strings(verbs),
        ..PolicyRule::default()
    }
}

#[tokio::test]
async fn is_ready_and_serves_objects() {
    let Some(cp) = control_plane::or_skip("is_ready_and_serves_objects").await else {
        return;
    };
    let namespace = cp.namespace("objects").await;
    let maps: Api<ConfigMap> = Api::namespaced(cp.admin(), &namespace);
    let made = json!({"metadata": {"name": "one"}, "data": {"key": "value"}});
    maps.create(&PostParams::default(), &serde_json::from_value(made).unwrap())
        .await
        .unwrap();
    assert_eq!(maps.get("one").await.unwrap().data.unwrap()["key"], "value");
    let output = kubectl(cp, &["get", "nodes", "-o", "name"], "").await;
    assert_eq!(stdout(&output), format!("node/{}\n", control_plane::NODE));
}

#[tokio::test]
async fn each_namespace_is_a_new_one() {
    let Some(cp) = control_plane::or_skip("each_namespace_is_a_new_one").await else {
        return;
    };
    let (first, second) = (cp.namespace("same").await, cp.namespace("same").await);
    assert_ne!(first, second);
    assert!(first.starts_with("same-") && second.starts_with("same-"));
}

#[tokio::test]
async fn a_client_has_the_rights_it_names_and_no_others() {
    let Some(cp) = control_plane::or_skip("a_client_has_the_rights_it_names_and_no_others").await else {
        return;
    };
    let (own, other) = (cp.namespace("own").await, cp.namespace("other").await);
    let config = cp
        .client_with(vec![rule(&["get", "list"], &["pods"])], Scope::Namespace(&own))
        .await;
    let client = Client::try_from(config).unwrap();
    let list = ListParams::default();
    assert!(
        Api::<Pod>::namespaced(client.clone(), &own)
            .list(&list)
            .await
            .unwrap()
            .items
            .is_empty()
    );
    let forbidden = |error| code(error) == 403;
    assert!(forbidden(
        Api::<Pod>::namespaced(client.clone(), &other)
            .list(&list)
            .await
            .unwrap_err()
    ));
    assert!(forbidden(
        Api::<Secret>::namespaced(client.clone(), &own)
            .list(&list)
            .await
            .unwrap_err()
    ));
    let delete = Api::<Pod>::namespaced(client.clone(), &own)
        .delete("x", &DeleteParams::default())
        .await;
    assert!(forbidden(delete.unwrap_err()));

    let config = cp
        .client_with(vec![rule(&["list"], &["namespaces"])], Scope::Cluster)
        .await;
    let everywhere = Api::<Namespace>::all(Client::try_from(config).unwrap());
    assert!(
        everywhere
            .list(&list)
            .await
            .unwrap()
            .iter()
            .any(|namespace| namespace.name_any() == other)
    );
}

#[tokio::test]
async fn the_audit_log_says_what_was_asked() {
    let Some(cp) = control_plane::or_skip("the_audit_log_says_what_was_asked").await else {
        return;
    };
    let namespace = cp.namespace("audit").await;
    let id = format!("{namespace}-get");
    let path = format!("/api/v1/namespaces/{namespace}/pods/nobody?pretty=true");
    let request = http::Request::get(&path)
        .header("Audit-ID", &id)
        .body(Vec::new())
        .unwrap();
    assert_eq!(code(cp.admin().request_text(request).await.unwrap_err()), 404);

    let event = cp.audit_event(&id).await;
    assert_eq!(
        (event.verb.as_str(), event.request_uri.as_str()),
        ("get", path.as_str())
    );
    assert_eq!(event.user.username, "admin");
    assert_eq!(event.response_status.unwrap().code, 404);
    let expected = ObjectRef {
        resource: "pods".to_owned(),
        namespace: namespace.clone(),
        name: "nobody".to_owned(),
        api_version: "v1".to_owned(),
        ..ObjectRef::default()
    };
    assert_eq!(event.object_ref.unwrap(), expected);

    let maps: Api<ConfigMap> = Api::namespaced(cp.admin(), &namespace);
    for _ in 0..2 {
        maps.delete("nobody", &DeleteParams::default()).await.unwrap_err();
    }
    let events = cp.audit_events().await;
    let here = |event: &&AuditEvent| {
        event.verb == "delete"
            && event
                .object_ref
                .as_ref()
                .is_some_and(|object| object.namespace == namespace)
    };
    assert_eq!(events.iter().filter(here).count(), 2);
    assert!(
        !events
            .iter()
            .any(|event| event.audit_id.starts_with("countersign-fixture"))
    );
}
