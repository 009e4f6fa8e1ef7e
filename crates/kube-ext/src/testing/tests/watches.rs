use super::*;

async fn open(server: &EmbeddedApiServer, path: &str) -> ResponseBody {
    let response = raw(Method::GET, path).open(server).await.unwrap();
    assert_eq!(response.status(), 200);
    response.into_body()
}

fn event(value: &Value) -> (&str, &str) {
    (
        value["type"].as_str().unwrap(),
        value["object"]["metadata"]["name"].as_str().unwrap_or_default(),
    )
}

fn revision(object: &Value) -> u64 {
    object["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn state_first_then_changes() {
    let server = server();
    post(&server, CONFIG_MAPS, config_map("a")).await.ok();
    for query in ["watch=true", "watch=1&resourceVersion=0", "watch="] {
        let mut body = open(&server, &format!("{CONFIG_MAPS}?{query}")).await;
        let first = line(&mut body).await;
        assert_eq!(event(&first), ("ADDED", "a"));
        assert_eq!(first["object"]["kind"], "ConfigMap");
        quiet(&mut body).await;
    }
    let mut body = open(&server, &format!("{CONFIG_MAPS}?watch=true")).await;
    line(&mut body).await;
    post(&server, SECRETS, json!({ "metadata": { "name": "unseen" } }))
        .await
        .ok();
    post(&server, CONFIG_MAPS, config_map("b")).await.ok();
    patch(
        &server,
        &format!("{CONFIG_MAPS}/b"),
        MERGE,
        json!({ "data": { "a": "c" } }),
    )
    .await
    .ok();
    let gone = delete(&server, &format!("{CONFIG_MAPS}/b"), json!({})).await;
    assert_eq!(gone.status, 200);
    let events = [line(&mut body).await, line(&mut body).await, line(&mut body).await];
    assert_eq!(
        events.each_ref().map(event),
        [("ADDED", "b"), ("MODIFIED", "b"), ("DELETED", "b")]
    );
    assert_eq!(events[2]["object"]["data"]["a"], "c", "the last state");
    assert!(
        revision(&events[2]["object"]) > revision(&events[1]["object"]),
        "at the revision of the delete"
    );
}

#[tokio::test]
async fn from_a_revision_nothing_is_lost() {
    let server = server();
    post(&server, CONFIG_MAPS, config_map("a")).await.ok();
    let from = revision(&get(&server, CONFIG_MAPS).await.ok());
    post(&server, CONFIG_MAPS, config_map("b")).await.ok();
    let mut body = open(&server, &format!("{CONFIG_MAPS}?watch=true&resourceVersion={from}")).await;
    assert_eq!(event(&line(&mut body).await), ("ADDED", "b"));
    for round in 0..200 {
        post(&server, CONFIG_MAPS, config_map(&format!("n{round}"))).await.ok();
    }
    for round in 0..200 {
        assert_eq!(event(&line(&mut body).await), ("ADDED", format!("n{round}").as_str()));
    }
    quiet(&mut body).await;
}

#[tokio::test]
async fn selectors_add_and_delete() {
    let server = server();
    let mut body = open(&server, &format!("{CONFIG_MAPS}?watch=true&labelSelector=app%3Dx")).await;
    post(&server, CONFIG_MAPS, config_map("a")).await.ok();
    let path = format!("{CONFIG_MAPS}/a");
    let relabel = |value: &str| json!({ "metadata": { "labels": { "app": value } } });
    let left = patch(&server, &path, MERGE, relabel("y")).await.ok();
    patch(&server, &path, MERGE, json!({ "data": { "unseen": "1" } }))
        .await
        .ok();
    patch(&server, &path, MERGE, relabel("x")).await.ok();
    assert_eq!(event(&line(&mut body).await), ("ADDED", "a"));
    let gone = line(&mut body).await;
    assert_eq!(event(&gone), ("DELETED", "a"));
    assert_eq!(
        gone["object"]["metadata"]["labels"]["app"], "x",
        "as it was when it still matched"
    );
    assert_eq!(revision(&gone["object"]), revision(&left));
    assert_eq!(event(&line(&mut body).await), ("ADDED", "a"));
    let mut named = open(&server, "/api/v1/configmaps?watch=true&fieldSelector=metadata.name%3Dz").await;
    quiet(&mut named).await;
    server
        .seed([json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "z", "namespace": "n" } })])
        .unwrap();
    assert_eq!(event(&line(&mut named).await), ("ADDED", "z"));
}

#[tokio::test]
async fn initial_events_end_with_a_bookmark() {
    let server = server();
    post(&server, CONFIG_MAPS, config_map("a")).await.ok();
    let query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let mut body = open(&server, &format!("{CONFIG_MAPS}?{query}")).await;
    assert_eq!(event(&line(&mut body).await), ("ADDED", "a"));
    let bookmark = line(&mut body).await;
    assert_eq!(bookmark["type"], "BOOKMARK");
    assert_eq!(bookmark["object"]["kind"], "ConfigMap");
    assert_eq!(
        bookmark["object"]["metadata"]["annotations"],
        json!({ "k8s.io/initial-events-end": "true" })
    );
    quiet(&mut body).await;
    let query = "watch=true&sendInitialEvents=false&resourceVersionMatch=NotOlderThan";
    let mut body = open(&server, &format!("{CONFIG_MAPS}?{query}")).await;
    quiet(&mut body).await;
    post(&server, CONFIG_MAPS, config_map("b")).await.ok();
    assert_eq!(event(&line(&mut body).await), ("ADDED", "b"));
    get(&server, &format!("{CONFIG_MAPS}?watch=true&sendInitialEvents=true")).await.is_status(
        422,
        "Invalid",
        "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting \
         resourceVersionMatch to NotOlderThan",
    );
    let refused = get(
        &server,
        &format!("{CONFIG_MAPS}?watch=1&resourceVersionMatch=Exact&resourceVersion=1"),
    )
    .await;
    assert_eq!(refused.json["details"]["causes"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn quiet_watches_get_bookmarks() {
    let server = EmbeddedApiServer::new().with_bookmark_interval(Duration::from_millis(20));
    let from = revision(&get(&server, CONFIG_MAPS).await.ok());
    let path = format!("{CONFIG_MAPS}?watch=true&resourceVersion={from}");
    let mut with = open(&server, &format!("{path}&allowWatchBookmarks=true")).await;
    post(&server, SECRETS, json!({ "metadata": { "name": "s" } }))
        .await
        .ok();
    let mut seen = 0;
    while seen <= from {
        let bookmark = line(&mut with).await;
        assert_eq!(bookmark["type"], "BOOKMARK");
        assert!(bookmark["object"]["metadata"].get("annotations").is_none());
        seen = revision(&bookmark["object"]);
    }
    let mut without = open(&server, &path).await;
    quiet(&mut without).await;
}

#[tokio::test]
async fn ends_on_timeout_or_with_the_server() {
    let server = server();
    let mut body = open(&server, &format!("{CONFIG_MAPS}?watch=true&timeoutSeconds=1")).await;
    assert!(body.frame().await.is_none());
    let mut body = open(&server, &format!("{CONFIG_MAPS}?watch=true")).await;
    quiet(&mut body).await;
    drop(server);
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn too_old_is_gone() {
    let server = EmbeddedApiServer::new().with_history(2);
    for name in ["a", "b", "c", "d"] {
        post(&server, CONFIG_MAPS, config_map(name)).await.ok();
    }
    let mut body = open(&server, &format!("{CONFIG_MAPS}?watch=true&resourceVersion=1")).await;
    let error = line(&mut body).await;
    assert_eq!(error["type"], "ERROR");
    assert_eq!(
        (&error["object"]["code"], &error["object"]["reason"]),
        (&json!(410), &json!("Expired"))
    );
    assert!(
        error["object"]["message"]
            .as_str()
            .unwrap()
            .starts_with("too old resource version: 1 (")
    );
    assert!(body.frame().await.is_none());
    let mut slow = open(
        &server,
        &format!("{CONFIG_MAPS}?watch=true&sendInitialEvents=false&resourceVersionMatch=NotOlderThan"),
    )
    .await;
    for name in ["e", "f", "g"] {
        post(&server, CONFIG_MAPS, config_map(name)).await.ok();
    }
    assert_eq!(line(&mut slow).await["type"], "ERROR", "who doesn't keep up is told so");
    let odd = get(&server, &format!("{CONFIG_MAPS}?watch=true&resourceVersion=abc")).await;
    odd.is_status(
        500,
        "",
        "resourceVersion: Invalid value: \"abc\": strconv.ParseUint: parsing \"abc\": invalid syntax",
    );
}

#[tokio::test]
async fn tables_and_metadata() {
    let server = server();
    for name in ["a", "b"] {
        post(
            &server,
            SECRETS,
            json!({ "metadata": { "name": name }, "data": { "z": "c2VjcmV0" } }),
        )
        .await
        .ok();
    }
    let path = format!("{SECRETS}?watch=true");
    let mut body = raw(Method::GET, &path)
        .accept(TABLE)
        .open(&server)
        .await
        .unwrap()
        .into_body();
    let (first, second) = (line(&mut body).await, line(&mut body).await);
    assert_eq!(first["object"]["columnDefinitions"].as_array().unwrap().len(), 2);
    assert_eq!(second["object"]["columnDefinitions"], Value::Null, "columns come once");
    assert_eq!(second["object"]["rows"][0]["cells"][0], "b");
    let accept = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
    let mut body = raw(Method::GET, &path)
        .accept(accept)
        .open(&server)
        .await
        .unwrap()
        .into_body();
    let first = line(&mut body).await;
    assert_eq!(first["object"]["kind"], "PartialObjectMetadata");
    assert!(first["object"].get("data").is_none());
}

#[tokio::test]
async fn the_old_prefix_and_named_gets() {
    let server = server();
    post(&server, CONFIG_MAPS, config_map("a")).await.ok();
    post(&server, CONFIG_MAPS, config_map("b")).await.ok();
    let mut body = open(&server, "/api/v1/watch/namespaces/default/configmaps").await;
    assert_eq!(event(&line(&mut body).await), ("ADDED", "a"));
    let mut body = open(&server, "/api/v1/watch/namespaces/default/configmaps/b").await;
    assert_eq!(event(&line(&mut body).await), ("ADDED", "b"));
    quiet(&mut body).await;
    let plain = get(&server, &format!("{CONFIG_MAPS}/a?watch=true")).await.ok();
    assert_eq!(plain["kind"], "ConfigMap", "a named watch is a get");
    let plain = get(&server, &format!("{CONFIG_MAPS}?watch=False")).await.ok();
    assert_eq!(plain["kind"], "ConfigMapList");
}
