use super::*;

const RUNNING: &str = "the object has been modified; please apply your changes to the latest version and try again";

async fn with_secret() -> (EmbeddedApiServer, String, Value) {
    let server = server();
    let body = json!({ "metadata": { "name": "s" }, "data": { "z": "c2VjcmV0" } });
    let made = post(&server, SECRETS, body).await.ok();
    (server, format!("{SECRETS}/s"), made)
}

#[tokio::test]
async fn merge() {
    let (server, path, _) = with_secret().await;
    let body = json!({ "data": { "z": null, "y": "AAAA" }, "metadata": { "labels": { "a": "b" } } });
    let patched = patch(&server, &path, MERGE, body).await.ok();
    assert_eq!(patched["data"], json!({ "y": "AAAA" }));
    assert_eq!(patched["metadata"]["labels"]["a"], "b");
    assert_eq!(get(&server, &path).await.ok(), patched);
    let typed = patch(&server, &path, "application/merge-patch+json; charset=utf-8", json!({})).await;
    assert_eq!(typed.status, 200, "parameters are cut off");
}

#[tokio::test]
async fn merge_and_json_patches_leak_the_whole_object_in_errors() {
    let (server, path, _) = with_secret().await;
    let wrong = [
        (
            MERGE,
            json!({ "metadata": { "labels": 5 } }),
            "number",
            "labels of type map[string]string",
        ),
        (
            MERGE,
            json!({ "metadata": { "labels": { "a": 5 } } }),
            "number",
            "labels of type string",
        ),
        (
            MERGE,
            json!({ "metadata": { "annotations": [1] } }),
            "array",
            "annotations of type map[string]string",
        ),
        (
            JSON_PATCH,
            json!([{ "op": "add", "path": "/metadata/labels", "value": 5 }]),
            "number",
            "labels of type map[string]string",
        ),
    ];
    for (kind, body, found, field) in wrong {
        let refused = patch(&server, &path, kind, body).await;
        assert_eq!(refused.status, 422, "{}", refused.text);
        assert_eq!(refused.json["reason"], "Invalid");
        let message = refused.json["message"].as_str().unwrap();
        assert!(
            message.starts_with(" \"\" is invalid: patch: Invalid value: \"{\\\"")
                && message.contains("\\\"apiVersion\\\":\\\"v1\\\""),
            "{message}"
        );
        assert!(
            message.contains("\\\"data\\\":{\\\"z\\\":\\\"c2VjcmV0\\\"}"),
            "{message}"
        );
        let why = format!("json: cannot unmarshal {found} into Go struct field ObjectMeta.metadata.{field}");
        assert!(message.ends_with(&why), "{message}");
        let cause = &refused.json["details"]["causes"][0];
        assert_eq!(cause["field"], "patch");
        assert!(cause["message"].as_str().unwrap().contains("c2VjcmV0"));
    }
    let refused = patch(&server, &path, MERGE, json!({ "data": { "x": "not base64!" } })).await;
    let message = refused.json["message"].as_str().unwrap();
    assert!(message.contains("c2VjcmV0") && message.ends_with("illegal base64 data at input byte 3"));
    let refused = patch(&server, &path, STRATEGIC, json!({ "metadata": { "labels": 5 } })).await;
    let message = refused.json["message"].as_str().unwrap();
    let shown =
        " \"\" is invalid: patch: Invalid value: \"map[metadata:map[labels:5]]\": cannot restore map from int64";
    assert_eq!(message, shown, "a strategic one shows the patch alone");
}

#[tokio::test]
async fn custom_resources_leak_too() {
    let server = server();
    let widget = json!({ "apiVersion": "example.com/v1", "kind": "Widget", "metadata": { "name": "w" },
        "spec": { "password": "hunter2" } });
    post(&server, WIDGETS, widget).await.ok();
    let refused = patch(
        &server,
        &format!("{WIDGETS}/w"),
        MERGE,
        json!({ "metadata": { "labels": 5 } }),
    )
    .await;
    assert_eq!(refused.status, 422);
    let message = refused.json["message"].as_str().unwrap();
    assert!(message.contains("hunter2"));
    assert!(message.ends_with("Go struct field ObjectMeta.labels of type map[string]string"));
}

#[tokio::test]
async fn json_patch() {
    let (server, path, _) = with_secret().await;
    let body = json!([
        { "op": "test", "path": "/data/z", "value": "c2VjcmV0" },
        { "op": "add", "path": "/data/y", "value": "AAAA" },
        { "op": "remove", "path": "/data/z" },
    ]);
    assert_eq!(
        patch(&server, &path, JSON_PATCH, body).await.ok()["data"],
        json!({ "y": "AAAA" })
    );
    let rejected = "the server rejected our request due to an error in our request";
    for operation in [
        json!({ "op": "test", "path": "/data/y", "value": "other" }),
        json!({ "op": "remove", "path": "/data/nope" }),
        json!({ "op": "foo", "path": "/data/y" }),
    ] {
        let refused = patch(&server, &path, JSON_PATCH, json!([operation])).await;
        refused.is_status(422, "Invalid", rejected);
        assert_eq!(refused.json["details"], json!({}));
    }
    assert_eq!(patch(&server, &path, JSON_PATCH, json!({ "a": 1 })).await.status, 400);
    let lenient = json!([
        { "op": "replace", "path": "/data/new", "value": "AAAA" },
        { "op": "test", "path": "/data/nope", "value": null },
    ]);
    let lenient = patch(&server, &path, JSON_PATCH, lenient).await.ok();
    assert_eq!(
        lenient["data"]["new"], "AAAA",
        "upstream's replace adds a missing member"
    );
    let whole = json!([{ "op": "replace", "path": "", "value": {} }]);
    patch(&server, &path, JSON_PATCH, whole)
        .await
        .is_status(422, "Invalid", rejected);
    assert_eq!(patch(&server, &path, JSON_PATCH, json!([5])).await.status, 400);
    let many = vec![json!({ "op": "test", "path": "/kind", "value": "Secret" }); 10_001];
    patch(&server, &path, JSON_PATCH, json!(many)).await.is_status(
        413,
        "RequestEntityTooLarge",
        "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001",
    );
    let renamed = json!([{ "op": "replace", "path": "/metadata/name", "value": "t" }]);
    patch(&server, &path, JSON_PATCH, renamed).await.is_status(
        400,
        "BadRequest",
        "the name of the object (t) does not match the name on the URL (s)",
    );
}

#[tokio::test]
async fn locks_and_identity() {
    let (server, path, made) = with_secret().await;
    let stale = patch(&server, &path, MERGE, json!({ "metadata": { "resourceVersion": "5" } })).await;
    stale.is_status(
        409,
        "Conflict",
        &format!("Operation cannot be fulfilled on secrets \"s\": {RUNNING}"),
    );
    let other = patch(&server, &path, MERGE, json!({ "metadata": { "uid": "5" } })).await;
    let message = "Secret \"s\" is invalid: metadata.uid: Invalid value: \"5\": field is immutable";
    other.is_status(422, "Invalid", message);
    assert_eq!(other.json["details"]["causes"].as_array().unwrap().len(), 2);
    let null = json!({ "metadata": { "uid": null, "resourceVersion": null, "creationTimestamp": null } });
    assert_eq!(patch(&server, &path, MERGE, null).await.ok(), made);
    let pinned = json!({ "metadata": { "uid": made["metadata"]["uid"],
        "resourceVersion": made["metadata"]["resourceVersion"], "labels": { "a": "b" } } });
    patch(&server, &path, MERGE, pinned).await.ok();
    let absent = patch(&server, &format!("{SECRETS}/nope"), MERGE, json!({})).await;
    absent.is_status(404, "NotFound", "secrets \"nope\" not found");
    let away = json!({ "metadata": { "namespace": "x" } });
    assert_eq!(patch(&server, &path, MERGE, away).await.status, 400);
}

#[tokio::test]
async fn content_types_and_options() {
    let (server, path, _) = with_secret().await;
    for kind in ["application/json", "text/plain", "Application/Merge-Patch+JSON", ""] {
        let refused = patch(&server, &path, kind, json!({})).await;
        refused.is_status(415, "UnsupportedMediaType", "415: Unsupported Media Type");
    }
    let widget = json!({ "apiVersion": "example.com/v1", "kind": "Widget", "metadata": { "name": "w" } });
    post(&server, WIDGETS, widget).await.ok();
    patch(&server, &format!("{WIDGETS}/w"), STRATEGIC, json!({})).await.is_status(
        415,
        "UnsupportedMediaType",
        "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, \
         application/merge-patch+json, application/apply-patch+yaml",
    );
    let forced = patch(&server, &format!("{path}?force=true"), MERGE, json!({})).await;
    let message =
        "PatchOptions.meta.k8s.io \"\" is invalid: force: Forbidden: may not be specified for non-apply patch";
    forced.is_status(422, "Invalid", message);
    for body in ["5", "{x"] {
        let refused = raw(Method::PATCH, &path).body(MERGE, body).send(&server).await;
        assert_eq!(refused.status, 400);
        assert!(
            refused.json["message"]
                .as_str()
                .unwrap()
                .starts_with("error decoding patch: ")
        );
    }
}

#[tokio::test]
async fn strategic_merges_by_key() {
    let server = server();
    server.seed([deployment("d")]).unwrap();
    let path = format!("{DEPLOYMENTS}/d");
    let template = |containers: Value| json!({ "spec": { "template": { "spec": { "containers": containers } } } });
    let body = template(json!([
        { "name": "new", "image": "n:1" },
        { "name": "c", "image": "i:2", "args": ["y"], "env": [{ "name": "B", "value": "3" }, { "name": "C", "value": "4" }],
          "ports": [{ "containerPort": 80, "protocol": "TCP" }] },
    ]));
    let patched = patch(&server, &path, STRATEGIC, body).await.ok();
    let containers = &patched["spec"]["template"]["spec"]["containers"];
    let order: Vec<_> = containers
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(order, ["new", "c", "side"], "what is new comes first");
    let c = &containers[1];
    assert_eq!(c["image"], "i:2");
    assert_eq!(c["args"], json!(["y"]), "lists of primitives are replaced");
    assert_eq!(c["ports"], json!([{ "containerPort": 80, "protocol": "TCP" }]));
    let env: Vec<_> = c["env"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (e["name"].clone(), e["value"].clone()))
        .collect();
    assert_eq!(
        env,
        [("A", "1"), ("B", "3"), ("C", "4")].map(|(n, v)| (json!(n), json!(v)))
    );

    let body = template(json!([{ "name": "side", "$patch": "delete" }]));
    let patched = patch(&server, &path, STRATEGIC, body).await.ok();
    assert_eq!(
        patched["spec"]["template"]["spec"]["containers"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let body = template(json!([{ "$patch": "replace" }, { "name": "only", "image": "o" }]));
    let patched = patch(&server, &path, STRATEGIC, body).await.ok();
    assert_eq!(
        patched["spec"]["template"]["spec"]["containers"],
        json!([{ "name": "only", "image": "o" }])
    );
    let body = json!({ "metadata": { "labels": { "$patch": "replace", "k": "v" } }, "spec": { "replicas": null } });
    let patched = patch(&server, &path, STRATEGIC, body).await.ok();
    assert_eq!(patched["metadata"]["labels"], json!({ "k": "v" }));
    assert!(patched["spec"].get("replicas").is_none());
    let refused = patch(&server, &path, STRATEGIC, template(json!([{ "image": "nameless" }]))).await;
    refused.is_status(
        500,
        "",
        "map: map[image:nameless] does not contain declared merge key: name",
    );
    let refused = patch(&server, &path, STRATEGIC, json!({ "$patch": "what" })).await;
    refused.is_status(500, "", "unknown patch type: what in map: map[$patch:what]");
    let refused = patch(&server, &path, STRATEGIC, json!({ "spec": 5 })).await;
    assert!(
        refused.json["message"]
            .as_str()
            .unwrap()
            .ends_with("cannot restore struct from: int64")
    );
}

#[tokio::test]
async fn strategic_lists_of_primitives_and_orders() {
    let server = server();
    let body = json!({ "metadata": { "name": "c", "finalizers": ["a/1", "b/2"] } });
    post(&server, CONFIG_MAPS, body).await.ok();
    let path = format!("{CONFIG_MAPS}/c");
    let finalizers = |body: Value| {
        let (server, path) = (server.clone(), path.clone());
        async move { patch(&server, &path, STRATEGIC, body).await.ok()["metadata"]["finalizers"].clone() }
    };
    let added = finalizers(json!({ "metadata": { "finalizers": ["c/3"] } })).await;
    assert_eq!(added, json!(["c/3", "a/1", "b/2"]));
    let gone = finalizers(json!({ "metadata": { "$deleteFromPrimitiveList/finalizers": ["a/1"] } })).await;
    assert_eq!(gone, json!(["c/3", "b/2"]));
    let ordered = finalizers(json!({ "metadata": { "$setElementOrder/finalizers": ["b/2", "c/3"] } })).await;
    assert_eq!(ordered, json!(["b/2", "c/3"]));
    let kept = json!({ "data": { "$retainKeys": ["x"], "x": "1" } });
    let kept = patch(&server, &path, STRATEGIC, kept).await.ok();
    assert_eq!(kept["data"], json!({ "x": "1" }));
}

#[tokio::test]
async fn apply() {
    let server = server();
    let path = format!("{CONFIG_MAPS}/ap");
    let body = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "ap" }, "data": { "x": "y" } });
    patch(&server, &path, APPLY, body.clone()).await.is_status(
        422,
        "Invalid",
        "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch",
    );
    let path = format!("{path}?fieldManager=m");
    let made = patch(&server, &path, APPLY, body.clone()).await;
    assert_eq!(made.status, 201);
    let again = patch(&server, &path, APPLY, body.clone()).await;
    assert_eq!(again.status, 200);
    assert_eq!(again.json, made.json, "applied twice, changed once");
    let mut more = json!({ "apiVersion": "v1", "kind": "ConfigMap", "data": { "z": "1" } });
    let nameless = "the name of the object (ap based on URL) was undeterminable: name must be provided";
    patch(&server, &path, APPLY, more.clone())
        .await
        .is_status(400, "BadRequest", nameless);
    more["metadata"] = json!({ "name": "ap" });
    let merged = patch(&server, &path, APPLY, more).await.ok();
    assert_eq!(merged["data"], json!({ "x": "y", "z": "1" }), "nothing is pruned");

    let with = |change: &dyn Fn(&mut Value)| {
        let mut body = body.clone();
        change(&mut body);
        patch(&server, &path, APPLY, body)
    };
    with(&|body| body["kind"] = json!("Secret")).await.is_status(
        400,
        "BadRequest",
        "invalid object type: /v1, Kind=Secret",
    );
    with(&|body| body["metadata"]["name"] = json!("s9")).await.is_status(
        400,
        "BadRequest",
        "the name of the object (s9) does not match the name on the URL (ap)",
    );
    with(&|body| body["metadata"]["managedFields"] = json!([{}]))
        .await
        .is_status(400, "BadRequest", "metadata.managedFields must be nil");
    with(&|body| body["metadata"]["labels"] = json!(5)).await.is_status(
        500,
        "",
        "failed to create typed patch object (/ap; /v1, Kind=ConfigMap): .metadata.labels: expected map, got &{5}",
    );
    assert_eq!(
        with(&|body| body["metadata"]["resourceVersion"] = json!("5"))
            .await
            .status,
        409
    );
    assert_eq!(with(&|body| body["metadata"]["uid"] = json!("z")).await.status, 422);
    let mut absent = body.clone();
    absent["metadata"] = json!({ "name": "no", "uid": "z" });
    patch(&server, &format!("{CONFIG_MAPS}/no?fieldManager=m"), APPLY, absent).await.is_status(
        409,
        "Conflict",
        "Operation cannot be fulfilled on configmaps \"no\": uid mismatch: the provided object specified uid z, and no \
         existing object was found",
    );
    let yaml = raw(Method::PATCH, &path).body(APPLY, "a: [b").send(&server).await;
    assert_eq!(yaml.status, 400);
    let away = "/api/v1/namespaces/nope/configmaps/ap?fieldManager=m";
    patch(&server, away, APPLY, body)
        .await
        .is_status(404, "NotFound", "namespaces \"nope\" not found");
}

#[tokio::test]
async fn json_patches_cannot_blow_up() {
    let server = server();
    let widget = json!({ "apiVersion": "example.com/v1", "kind": "Widget", "metadata": { "name": "w" },
        "spec": { "a": { "k": "v".repeat(1000) }, "b": {} } });
    post(&server, WIDGETS, widget).await.ok();
    let path = format!("{WIDGETS}/w");
    let refused = "the server rejected our request due to an error in our request";
    // Doubles each time.
    let copies: Vec<_> = (0..40)
        .map(|round| json!({ "op": "copy", "from": "/spec/a", "path": format!("/spec/a/{round}") }))
        .collect();
    patch(&server, &path, JSON_PATCH, json!(copies))
        .await
        .is_status(422, "Invalid", refused);
    // One level deeper each time.
    let mut moves = Vec::new();
    for _ in 0..2_000 {
        moves.push(json!({ "op": "move", "from": "/spec/a", "path": "/spec/b/c" }));
        moves.push(json!({ "op": "move", "from": "/spec/b", "path": "/spec/a" }));
        moves.push(json!({ "op": "add", "path": "/spec/b", "value": {} }));
    }
    patch(&server, &path, JSON_PATCH, json!(moves))
        .await
        .is_status(422, "Invalid", refused);
    // A little deeper than what could be read again.
    patch(&server, &path, JSON_PATCH, json!(moves[..3 * 130]))
        .await
        .is_status(422, "Invalid", refused);
    patch(&server, &path, JSON_PATCH, json!(moves[..3 * 20])).await.ok();
}
