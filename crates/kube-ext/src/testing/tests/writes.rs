use super::*;

#[tokio::test]
async fn create_sets_what_the_server_sets() {
    let server = server();
    let made = post(&server, CONFIG_MAPS, config_map("c1")).await;
    assert_eq!(made.status, 201);
    let meta = &made.json["metadata"];
    assert_eq!(made.json["kind"], "ConfigMap");
    assert_eq!(made.json["apiVersion"], "v1");
    assert_eq!(meta["namespace"], "default");
    assert_eq!(meta["uid"].as_str().unwrap().len(), 36);
    assert!(meta["resourceVersion"].as_str().unwrap().parse::<u64>().unwrap() > 1);
    assert!(meta["creationTimestamp"].as_str().unwrap().ends_with('Z'));
    assert!(meta.get("generation").is_none(), "config maps have none");
    assert_eq!(get(&server, &format!("{CONFIG_MAPS}/c1")).await.ok(), made.json);

    let made = post(&server, PODS, pod("p")).await.ok();
    assert_eq!(made["metadata"]["generation"], 1);
    assert_eq!(made["status"]["phase"], "Pending");
}

#[tokio::test]
async fn create_ignores_system_fields_and_status() {
    let server = server();
    let mut body = pod("p");
    body["metadata"]["uid"] = json!("mine");
    body["metadata"]["deletionTimestamp"] = json!("2020-01-01T00:00:00Z");
    body["metadata"]["managedFields"] = json!([{}]);
    body["status"] = json!({ "phase": "Running" });
    let made = post(&server, PODS, body).await.ok();
    assert_ne!(made["metadata"]["uid"], "mine");
    assert!(made["metadata"].get("deletionTimestamp").is_none());
    assert!(made["metadata"].get("managedFields").is_none());
    assert_eq!(made["status"]["phase"], "Pending");
}

#[tokio::test]
async fn create_refusals() {
    let server = server();
    post(&server, CONFIG_MAPS, config_map("c1")).await.ok();
    let again = post(&server, CONFIG_MAPS, config_map("c1")).await;
    again.is_status(409, "AlreadyExists", "configmaps \"c1\" already exists");
    assert_eq!(again.json["details"], json!({ "name": "c1", "kind": "configmaps" }));
    post(
        &server,
        CONFIG_MAPS,
        json!({ "metadata": { "name": "x", "namespace": "other" } }),
    )
    .await
    .is_status(
        400,
        "BadRequest",
        "the namespace of the provided object does not match the namespace sent on the request",
    );
    let nowhere = post(&server, "/api/v1/namespaces/nope/pods", pod("p")).await;
    nowhere.is_status(404, "NotFound", "namespaces \"nope\" not found");
    post(&server, CONFIG_MAPS, json!({ "metadata": {} })).await.is_status(
        422,
        "Invalid",
        "ConfigMap \"\" is invalid: metadata.name: Required value: name or generateName is required",
    );
    let bad = post(&server, CONFIG_MAPS, json!({ "metadata": { "name": "Bad_Name" } })).await;
    assert_eq!(bad.status, 422);
    assert_eq!(bad.json["details"]["causes"][0]["field"], "metadata.name");
    assert!(
        bad.json["message"]
            .as_str()
            .unwrap()
            .contains("a lowercase RFC 1123 subdomain must consist of")
    );
    post(
        &server,
        CONFIG_MAPS,
        json!({ "metadata": { "name": "x", "resourceVersion": "5" } }),
    )
    .await
    .is_status(500, "", "resourceVersion should not be set on objects to be created");
    post(
        &server,
        CONFIG_MAPS,
        json!({ "kind": "Pod", "apiVersion": "v1", "metadata": { "name": "g" } }),
    )
    .await
    .is_status(
        400,
        "BadRequest",
        "Pod in version \"v1\" cannot be handled as a ConfigMap: converting (v1.Pod) to (core.ConfigMap): unknown \
             conversion",
    );
}

#[tokio::test]
async fn bodies_that_cannot_be_read() {
    let server = server();
    let broken = raw(Method::POST, CONFIG_MAPS)
        .body("application/json", "{bad")
        .send(&server)
        .await;
    assert_eq!(broken.status, 400);
    let message = broken.json["message"].as_str().unwrap();
    assert!(message.starts_with("the object provided is unrecognized (must be of type ConfigMap): couldn't get"));
    assert!(message.ends_with("({bad)"), "{message}");
    let long = format!("{{{}", "s".repeat(100));
    let broken = raw(Method::POST, CONFIG_MAPS)
        .body("application/json", long)
        .send(&server)
        .await;
    assert!(
        broken.json["message"]
            .as_str()
            .unwrap()
            .ends_with(&format!("({{{} ...)", "s".repeat(29)))
    );
    let number = raw(Method::POST, CONFIG_MAPS)
        .body("application/json", "5")
        .send(&server)
        .await;
    assert!(
        number.json["message"].as_str().unwrap().ends_with("(35)"),
        "hex where it can't be an object"
    );
    for kind in ["text/foo", "application/yaml", "application/vnd.kubernetes.protobuf"] {
        let odd = raw(Method::POST, CONFIG_MAPS).body(kind, "{}").send(&server).await;
        odd.is_status(
            415,
            "UnsupportedMediaType",
            "the body of the request was in an unknown format - accepted media types include: application/json",
        );
    }
    let big = vec![b' '; 3 * 1024 * 1024 + 1];
    let big = raw(Method::POST, CONFIG_MAPS)
        .body("application/json", big)
        .send(&server)
        .await;
    big.is_status(
        413,
        "RequestEntityTooLarge",
        "Request entity too large: limit is 3145728",
    );
    let untyped = Raw(
        Request::builder().method(Method::POST).uri(CONFIG_MAPS),
        config_map("u").to_string().into(),
    );
    assert_eq!(untyped.send(&server).await.status, 201, "no type is JSON");
}

#[tokio::test]
async fn generate_name() {
    let server = server();
    let body = json!({ "metadata": { "generateName": "g-" } });
    let one = post(&server, CONFIG_MAPS, body.clone()).await.ok();
    let two = post(&server, CONFIG_MAPS, body).await.ok();
    let name = one["metadata"]["name"].as_str().unwrap();
    assert!(name.starts_with("g-") && name.len() == 7);
    assert_eq!(one["metadata"]["generateName"], "g-");
    assert_ne!(one["metadata"]["name"], two["metadata"]["name"]);
}

#[tokio::test]
async fn secrets_fold_string_data() {
    let server = server();
    let body = json!({ "metadata": { "name": "s" }, "stringData": { "a": "b" }, "data": { "z": "eg==" } });
    let made = post(&server, SECRETS, body).await.ok();
    assert_eq!(made["data"], json!({ "a": "Yg==", "z": "eg==" }));
    assert_eq!(made["type"], "Opaque");
    assert!(made.get("stringData").is_none());
    let path = format!("{SECRETS}/s");
    let changed = patch(&server, &path, MERGE, json!({ "stringData": { "q": "r" } }))
        .await
        .ok();
    assert_eq!(changed["data"], json!({ "a": "Yg==", "q": "cg==", "z": "eg==" }));
    let bad = json!({ "metadata": { "name": "t" }, "data": { "z": "not base64!" } });
    let message = "Secret in version \"v1\" cannot be handled as a Secret: illegal base64 data at input byte 3";
    post(&server, SECRETS, bad).await.is_status(400, "BadRequest", message);
    let bad = json!({ "metadata": { "name": "t", "labels": 5 } });
    let message = "Secret in version \"v1\" cannot be handled as a Secret: json: cannot unmarshal number into Go struct \
                   field ObjectMeta.metadata.labels of type map[string]string";
    post(&server, SECRETS, bad).await.is_status(400, "BadRequest", message);
}

#[tokio::test]
async fn update() {
    let server = server();
    let made = post(&server, CONFIG_MAPS, config_map("c1")).await.ok();
    let path = format!("{CONFIG_MAPS}/c1");
    let mut next = made.clone();
    next["data"] = json!({ "a": "c" });
    let updated = put(&server, &path, next.clone()).await.ok();
    assert_eq!(updated["data"]["a"], "c");
    assert_ne!(
        updated["metadata"]["resourceVersion"],
        made["metadata"]["resourceVersion"]
    );
    assert_eq!(
        put(&server, &path, updated.clone()).await.ok(),
        updated,
        "nothing changed, no new revision"
    );
    let stale = put(&server, &path, next).await;
    stale.is_status(
        409,
        "Conflict",
        "Operation cannot be fulfilled on configmaps \"c1\": the object has been modified; please apply your changes to \
         the latest version and try again",
    );
    let other = put(&server, &path, json!({ "metadata": { "name": "c1", "uid": "5" } })).await;
    let uid = made["metadata"]["uid"].as_str().unwrap();
    other.is_status(
        409,
        "Conflict",
        &format!(
            "Operation cannot be fulfilled on configmaps \"c1\": StorageError: invalid object, Code: 4, Key: \
             /registry/configmaps/default/c1, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in \
             precondition: 5, UID in object meta: {uid}"
        ),
    );
    let unlocked = put(
        &server,
        &path,
        json!({ "metadata": { "name": "c1" }, "data": { "n": "1" } }),
    )
    .await
    .ok();
    assert_eq!(unlocked["metadata"]["uid"], made["metadata"]["uid"]);
    assert_eq!(
        unlocked["metadata"]["creationTimestamp"],
        made["metadata"]["creationTimestamp"]
    );
    assert!(unlocked["metadata"].get("labels").is_none(), "a PUT replaces");
    put(&server, &path, json!({ "metadata": { "name": "c2" } }))
        .await
        .is_status(
            400,
            "BadRequest",
            "the name of the object (c2) does not match the name on the URL (c1)",
        );
    put(&server, &path, json!({ "metadata": {} })).await.is_status(
        400,
        "BadRequest",
        "the name of the object (c1 based on URL) was undeterminable: name must be provided",
    );
    let absent = put(&server, &format!("{CONFIG_MAPS}/c9"), config_map("c9")).await;
    absent.is_status(404, "NotFound", "configmaps \"c9\" not found");
    let lease = "/apis/coordination.k8s.io/v1/namespaces/default/leases/l";
    let made = put(&server, lease, json!({ "metadata": { "name": "l" }, "spec": {} })).await;
    assert_eq!(made.status, 201, "a PUT of a lease creates");
}

#[tokio::test]
async fn generation_counts_changes_of_the_spec() {
    let server = server();
    server.seed([deployment("d")]).unwrap();
    let path = format!("{DEPLOYMENTS}/d");
    let labelled = patch(&server, &path, MERGE, json!({ "metadata": { "labels": { "q": "s" } } }))
        .await
        .ok();
    assert_eq!(labelled["metadata"]["generation"], 1);
    let scaled = patch(&server, &path, MERGE, json!({ "spec": { "replicas": 3 } }))
        .await
        .ok();
    assert_eq!(scaled["metadata"]["generation"], 2);
}

#[tokio::test]
async fn custom_resources_are_stricter() {
    let server = server();
    let untyped = post(&server, WIDGETS, json!({ "metadata": { "name": "w" } })).await;
    assert_eq!(untyped.status, 400);
    assert!(
        untyped.json["message"]
            .as_str()
            .unwrap()
            .contains("Object 'Kind' is missing")
    );
    let widget = json!({ "apiVersion": "example.com/v1", "kind": "Widget", "metadata": { "name": "w" }, "spec": 5 });
    let made = post(&server, WIDGETS, widget.clone()).await.ok();
    assert_eq!(made["metadata"]["generation"], 1);
    put(&server, &format!("{WIDGETS}/w"), widget).await.is_status(
        422,
        "Invalid",
        "widgets.example.com \"w\" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an \
         update",
    );
    let absent = get(&server, &format!("{WIDGETS}/nope")).await;
    absent.is_status(404, "NotFound", "widgets.example.com \"nope\" not found");
    let details = json!({ "name": "nope", "group": "example.com", "kind": "widgets" });
    assert_eq!(absent.json["details"], details);
}

#[tokio::test]
async fn dry_run_changes_nothing() {
    let server = server();
    post(
        &server,
        SECRETS,
        json!({ "metadata": { "name": "s" }, "data": { "z": "AAAA" } }),
    )
    .await
    .ok();
    let before = get(&server, SECRETS).await.ok();
    let body = json!({ "metadata": { "name": "dry" }, "stringData": { "a": "b" } });
    let made = post(&server, &format!("{SECRETS}?dryRun=All"), body.clone()).await;
    assert_eq!(made.status, 201);
    assert_eq!(made.json["data"]["a"], "Yg==");
    assert!(made.json["metadata"]["uid"].is_string());
    assert!(made.json["metadata"].get("resourceVersion").is_none());
    let path = format!("{SECRETS}/s?dryRun=All");
    let changed = patch(&server, &path, MERGE, json!({ "data": { "z": "BBBB" } }))
        .await
        .ok();
    assert_eq!(changed["data"]["z"], "BBBB");
    assert_eq!(
        changed["metadata"]["resourceVersion"],
        before["items"][0]["metadata"]["resourceVersion"]
    );
    put(&server, &path, json!({ "metadata": { "name": "s" } })).await.ok();
    raw(Method::DELETE, &path).send(&server).await.ok();
    raw(Method::DELETE, &format!("{SECRETS}?dryRun=All"))
        .send(&server)
        .await
        .ok();
    assert_eq!(get(&server, SECRETS).await.ok(), before);
    post(&server, &format!("{SECRETS}?dryRun=Foo"), body).await.is_status(
        422,
        "Invalid",
        "CreateOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: [\"Foo\"]: supported values: \"All\"",
    );
    let twice = raw(Method::DELETE, &format!("{SECRETS}/s?dryRun=All&dryRun="))
        .send(&server)
        .await;
    assert_eq!(twice.status, 422);
}

#[tokio::test]
async fn seeded_objects_keep_what_they_bring() {
    let server = EmbeddedApiServer::new();
    server
        .seed([
            json!({ "apiVersion": "v1", "kind": "List", "items": [
                { "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "p", "namespace": "team-a", "uid": "u-1" },
                  "spec": { "nodeName": "n1" }, "status": { "phase": "Running" } },
            ] }),
            json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "c" } }),
        ])
        .unwrap();
    let pod = get(&server, "/api/v1/namespaces/team-a/pods/p").await.ok();
    assert_eq!(pod["metadata"]["uid"], "u-1");
    assert_eq!(pod["status"]["phase"], "Running");
    assert_eq!(
        get(&server, "/api/v1/namespaces/team-a").await.ok()["status"]["phase"],
        "Active"
    );
    assert_eq!(get(&server, &format!("{CONFIG_MAPS}/c")).await.status, 200);
    for bad in [
        json!(5),
        json!({ "apiVersion": "v1", "kind": "Nope", "metadata": { "name": "x" } }),
        json!({ "apiVersion": "v1", "kind": "Pod", "metadata": {} }),
        json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "x", "labels": 5 } }),
    ] {
        assert!(server.seed([bad]).is_err());
    }
}

#[tokio::test]
async fn what_a_typed_server_drops_or_refuses() {
    let server = server();
    let body =
        json!({ "metadata": { "name": "c", "extra": 1 }, "extra": 1, "data": {}, "binaryData": { "a": "AB==" } });
    let made = post(&server, CONFIG_MAPS, body).await.ok();
    assert_eq!(made["binaryData"]["a"], "AA==", "decoded and encoded again");
    assert!(made.get("extra").is_none() && made.get("data").is_none() && made["metadata"].get("extra").is_none());
    let path = format!("{CONFIG_MAPS}/c");
    let marked = json!({ "metadata": { "deletionTimestamp": "2020-01-01T00:00:00Z" } });
    patch(&server, &path, MERGE, marked).await.is_status(
        422,
        "Invalid",
        "ConfigMap \"c\" is invalid: metadata.deletionTimestamp: Invalid value: \"2020-01-01T00:00:00Z\": field is \
         immutable",
    );
    let odd = json!({ "metadata": { "name": "c", "resourceVersion": "abc" } });
    put(&server, &path, odd)
        .await
        .is_status(500, "", "strconv.ParseUint: parsing \"abc\": invalid syntax");
    post(&server, SECRETS, json!({ "metadata": { "name": "s" } }))
        .await
        .ok();
    let retyped = patch(&server, &format!("{SECRETS}/s"), MERGE, json!({ "type": "other" })).await;
    retyped.is_status(
        422,
        "Invalid",
        "Secret \"s\" is invalid: type: Invalid value: \"other\": field is immutable",
    );
    let lease = "/apis/coordination.k8s.io/v1/namespaces/default/leases/l";
    put(&server, lease, json!({ "metadata": { "name": "l" } })).await.ok();
    let unlocked = put(&server, lease, json!({ "metadata": { "name": "l" } })).await;
    assert_eq!(unlocked.status, 422, "a lease is updated at a revision only");
    let roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles";
    post(&server, roles, json!({ "metadata": { "name": "a:B" } }))
        .await
        .ok();
    assert_eq!(
        post(&server, roles, json!({ "metadata": { "name": "a/b" } }))
            .await
            .status,
        422
    );
}

#[tokio::test]
async fn custom_resources_name_their_type() {
    let server = server();
    let widget =
        |api_version: &str, kind: &str| json!({ "apiVersion": api_version, "kind": kind, "metadata": { "name": "w" } });
    post(&server, WIDGETS, widget("example.com/v1", "Other"))
        .await
        .is_status(
            422,
            "Invalid",
            "Other.example.com \"w\" is invalid: kind: Invalid value: \"Other\": must be Widget",
        );
    post(&server, WIDGETS, widget("example.com/v2", "Widget"))
        .await
        .is_status(
            400,
            "BadRequest",
            "the API version in the data (example.com/v2) does not match the expected API version (example.com/v1)",
        );
    post(&server, WIDGETS, widget("example.com/v1", "Widget")).await.ok();
    let nameless = patch(&server, &format!("{WIDGETS}/w"), MERGE, json!({ "kind": null })).await;
    assert_eq!(nameless.status, 422);
    assert!(
        nameless.json["message"]
            .as_str()
            .unwrap()
            .contains("Object 'Kind' is missing in '{")
    );
}
