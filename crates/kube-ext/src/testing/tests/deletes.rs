use super::*;

#[tokio::test]
async fn answers_with_a_status_or_the_object() {
    let server = server();
    let made = post(&server, CONFIG_MAPS, config_map("c1")).await.ok();
    let path = format!("{CONFIG_MAPS}/c1");
    let gone = delete(&server, &path, json!({})).await.ok();
    let details = json!({ "name": "c1", "kind": "configmaps", "uid": made["metadata"]["uid"] });
    let status =
        json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details });
    assert_eq!(gone, status);
    get(&server, &path)
        .await
        .is_status(404, "NotFound", "configmaps \"c1\" not found");
    delete(&server, &path, json!({}))
        .await
        .is_status(404, "NotFound", "configmaps \"c1\" not found");

    post(&server, PODS, pod("p")).await.ok();
    let gone = delete(&server, &format!("{PODS}/p"), json!({})).await.ok();
    assert_eq!(gone["kind"], "Pod");
    assert!(gone["metadata"]["deletionTimestamp"].is_string());
    assert_eq!(gone["metadata"]["deletionGracePeriodSeconds"], 0);
    assert_eq!(gone["metadata"]["generation"], 2);
    assert_eq!(get(&server, &format!("{PODS}/p")).await.status, 404);

    server.seed([deployment("d")]).unwrap();
    let gone = raw(Method::DELETE, &format!("{DEPLOYMENTS}/d"))
        .send(&server)
        .await
        .ok();
    assert_eq!(gone["details"]["group"], "apps");
}

#[tokio::test]
async fn preconditions() {
    let server = server();
    let made = post(&server, CONFIG_MAPS, config_map("c1")).await.ok();
    let path = format!("{CONFIG_MAPS}/c1");
    let (uid, revision) = (&made["metadata"]["uid"], &made["metadata"]["resourceVersion"]);
    let other = delete(&server, &path, json!({ "preconditions": { "uid": "abc" } })).await;
    let message = format!(
        "Operation cannot be fulfilled on ConfigMap \"c1\": the UID in the precondition (abc) does not match the UID in \
         record ({}). The object might have been deleted and then recreated",
        uid.as_str().unwrap()
    );
    other.is_status(409, "Conflict", &message);
    assert_eq!(other.json["details"], json!({ "name": "c1", "kind": "ConfigMap" }));
    let stale = delete(&server, &path, json!({ "preconditions": { "resourceVersion": "1" } })).await;
    let message = format!(
        "Operation cannot be fulfilled on ConfigMap \"c1\": the ResourceVersion in the precondition (1) does not match \
         the ResourceVersion in record ({}). The object might have been modified",
        revision.as_str().unwrap()
    );
    stale.is_status(409, "Conflict", &message);
    delete(
        &server,
        &path,
        json!({ "preconditions": { "uid": uid, "resourceVersion": revision } }),
    )
    .await
    .ok();
}

#[tokio::test]
async fn options_in_the_query_are_ignored_beside_a_body() {
    let server = server();
    post(&server, CONFIG_MAPS, config_map("c1")).await.ok();
    let path = format!("{CONFIG_MAPS}/c1");
    raw(Method::DELETE, &format!("{path}?dryRun=All"))
        .send(&server)
        .await
        .ok();
    delete(&server, &path, json!({ "dryRun": ["All"] })).await.ok();
    assert_eq!(get(&server, &path).await.status, 200);
    let options = json!({ "kind": "DeleteOptions", "apiVersion": "v1" });
    delete(&server, &format!("{path}?dryRun=All"), options).await.ok();
    assert_eq!(get(&server, &path).await.status, 404, "deleted for real");
}

#[tokio::test]
async fn options_that_are_refused() {
    let server = server();
    post(&server, CONFIG_MAPS, config_map("c1")).await.ok();
    let path = format!("{CONFIG_MAPS}/c1");
    delete(&server, &path, json!({ "dryRun": ["Some"] })).await.is_status(
        422,
        "Invalid",
        "DeleteOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: [\"Some\"]: supported values: \"All\"",
    );
    delete(&server, &path, json!({ "propagationPolicy": "Foo" })).await.is_status(
        422,
        "Invalid",
        "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: \"Foo\": supported values: \
         \"Foreground\", \"Background\", \"Orphan\", \"nil\"",
    );
    assert_eq!(delete(&server, &path, json!({ "kind": "Pod" })).await.status, 400);
    assert_eq!(delete(&server, &path, json!([])).await.status, 400);
    let typed = raw(Method::DELETE, &path).body("text/plain", "{}").send(&server).await;
    assert_eq!(typed.status, 415);
    assert_eq!(get(&server, &path).await.status, 200);
}

#[tokio::test]
async fn finalizers_keep_the_object() {
    let server = server();
    post(
        &server,
        CONFIG_MAPS,
        json!({ "metadata": { "name": "f", "finalizers": ["a.io/b"] } }),
    )
    .await
    .ok();
    let path = format!("{CONFIG_MAPS}/f");
    let marked = raw(Method::DELETE, &path).send(&server).await.ok();
    assert_eq!(marked["kind"], "ConfigMap");
    assert!(marked["metadata"]["deletionTimestamp"].is_string());
    assert_eq!(get(&server, &path).await.ok(), marked);
    assert_eq!(
        raw(Method::DELETE, &path).send(&server).await.ok(),
        marked,
        "a second time changes nothing"
    );
    post(&server, CONFIG_MAPS, config_map("f")).await.is_status(
        409,
        "AlreadyExists",
        "object is being deleted: configmaps \"f\" already exists",
    );
    let freed = patch(&server, &path, MERGE, json!({ "metadata": { "finalizers": null } }))
        .await
        .ok();
    assert_eq!(
        freed["metadata"]["resourceVersion"],
        marked["metadata"]["resourceVersion"]
    );
    assert_eq!(get(&server, &path).await.status, 404);
}

#[tokio::test]
async fn propagation_waits_for_a_collector_that_is_not_there() {
    let server = server();
    post(&server, CONFIG_MAPS, config_map("c")).await.ok();
    let path = format!("{CONFIG_MAPS}/c");
    let held = delete(&server, &path, json!({ "propagationPolicy": "Foreground" }))
        .await
        .ok();
    assert_eq!(held["metadata"]["finalizers"], json!(["foregroundDeletion"]));
    let gone = delete(&server, &path, json!({ "propagationPolicy": "Background" }))
        .await
        .ok();
    assert_eq!(gone["kind"], "Status");
    let jobs = "/apis/batch/v1/namespaces/default/jobs";
    post(&server, jobs, json!({ "metadata": { "name": "j" } })).await.ok();
    let held = raw(Method::DELETE, &format!("{jobs}/j")).send(&server).await.ok();
    assert_eq!(
        held["metadata"]["finalizers"],
        json!(["orphan"]),
        "jobs orphan unless told otherwise"
    );
}

#[tokio::test]
async fn namespaces_terminate() {
    let server = server();
    let namespace = "/api/v1/namespaces/n";
    let made = post(&server, "/api/v1/namespaces", json!({ "metadata": { "name": "n" } }))
        .await
        .ok();
    assert_eq!(made["metadata"]["labels"]["kubernetes.io/metadata.name"], "n");
    assert_eq!(made["spec"]["finalizers"], json!(["kubernetes"]));
    let marked = delete(&server, namespace, json!({})).await.ok();
    assert_eq!(marked["status"]["phase"], "Terminating");
    let refused = post(&server, "/api/v1/namespaces/n/configmaps", config_map("a")).await;
    refused.is_status(
        403,
        "Forbidden",
        "configmaps \"a\" is forbidden: unable to create new content in namespace n because it is being terminated",
    );
    assert_eq!(refused.json["details"]["causes"][0]["reason"], "NamespaceTerminating");
    let finalize = json!({ "metadata": { "name": "n" }, "spec": { "finalizers": [] } });
    put(&server, &format!("{namespace}/finalize"), finalize).await.ok();
    assert_eq!(get(&server, namespace).await.status, 404);
}

#[tokio::test]
async fn collections() {
    let server = server();
    for name in ["a", "b"] {
        post(
            &server,
            SECRETS,
            json!({ "metadata": { "name": name, "labels": { "app": name } } }),
        )
        .await
        .ok();
    }
    let dry = raw(Method::DELETE, &format!("{SECRETS}?dryRun=All&labelSelector=app%3Da"))
        .send(&server)
        .await
        .ok();
    assert_eq!(dry["kind"], "SecretList");
    assert_eq!(names(&dry), ["a"]);
    assert_eq!(names(&get(&server, SECRETS).await.ok()), ["a", "b"]);
    let other = delete(&server, SECRETS, json!({ "preconditions": { "uid": "x" } })).await;
    assert_eq!(other.status, 409);
    let gone = raw(Method::DELETE, &format!("{SECRETS}?fieldSelector=metadata.name%3Da"))
        .send(&server)
        .await
        .ok();
    assert_eq!(names(&gone), ["a"]);
    assert_eq!(names(&delete(&server, SECRETS, json!({})).await.ok()), ["b"]);
    assert!(names(&get(&server, SECRETS).await.ok()).is_empty());
    for path in ["/api/v1/namespaces", "/api/v1/pods"] {
        assert_eq!(raw(Method::DELETE, path).send(&server).await.status, 405);
    }
}
