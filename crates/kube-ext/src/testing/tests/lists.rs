use super::*;

async fn with_pods() -> EmbeddedApiServer {
    let server = server();
    for (namespace, name, node, phase, tier) in [
        ("team-a", "one", "n1", "Running", "web"),
        ("team-a", "two", "n2", "Pending", "db"),
        ("team-b", "one", "n1", "Running", "cache"),
    ] {
        server
            .seed([json!({ "apiVersion": "v1", "kind": "Pod",
                "metadata": { "name": name, "namespace": namespace, "labels": { "tier": tier, "rank": "7" } },
                "spec": { "nodeName": node }, "status": { "phase": phase } })])
            .unwrap();
    }
    server
}

/// `namespace/name` of what a query finds among all pods.
async fn find(server: &EmbeddedApiServer, query: &str) -> Vec<String> {
    let list = get(server, &format!("/api/v1/pods?{query}")).await.ok();
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|item| {
            format!(
                "{}/{}",
                item["metadata"]["namespace"].as_str().unwrap(),
                item["metadata"]["name"].as_str().unwrap()
            )
        })
        .collect()
}

#[tokio::test]
async fn one_namespace_or_all() {
    let server = with_pods().await;
    let list = get(&server, "/api/v1/namespaces/team-a/pods").await;
    assert!(
        list.text
            .starts_with("{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":")
    );
    assert_eq!(names(&list.json), ["one", "two"]);
    assert!(
        list.json["items"][0].get("kind").is_none(),
        "items of built-in lists have no type"
    );
    assert_eq!(find(&server, "").await, ["team-a/one", "team-a/two", "team-b/one"]);
    assert!(names(&get(&server, "/api/v1/namespaces/nope/pods").await.ok()).is_empty());
}

#[tokio::test]
async fn custom_lists_begin_with_their_items() {
    let server = server();
    let widget = json!({ "apiVersion": "example.com/v1", "kind": "Widget", "metadata": { "name": "w" } });
    post(&server, WIDGETS, widget).await.ok();
    let list = get(&server, WIDGETS).await;
    assert!(
        list.text
            .starts_with("{\"apiVersion\":\"example.com/v1\",\"items\":[{\"apiVersion\""),
        "{}",
        list.text
    );
    assert_eq!(list.json["items"][0]["kind"], "Widget");
    assert_eq!(list.json["metadata"]["continue"], "");
    assert_eq!(list.json["kind"], "WidgetList");
}

#[tokio::test]
async fn label_selectors() {
    let server = with_pods().await;
    for (selector, found) in [
        ("tier=web", vec!["team-a/one"]),
        ("tier==web", vec!["team-a/one"]),
        ("tier!=web", vec!["team-a/two", "team-b/one"]),
        ("tier in (web, db),tier", vec!["team-a/one", "team-a/two"]),
        ("tier notin (web,db)", vec!["team-b/one"]),
        ("!tier", vec![]),
        ("!nope,tier=db", vec!["team-a/two"]),
        ("nope!=x,tier=db", vec!["team-a/two"]),
        ("rank>6,rank<8,tier=db", vec!["team-a/two"]),
        ("rank>7", vec![]),
        ("tier=", vec![]),
    ] {
        let encoded = selector
            .replace(' ', "+")
            .replace('=', "%3D")
            .replace('>', "%3E")
            .replace('<', "%3C");
        assert_eq!(
            find(&server, &format!("labelSelector={encoded}")).await,
            found,
            "{selector}"
        );
    }
    for (bad, message) in [
        (
            "a%3D%3D%3D",
            "unable to parse requirement: found '=', expected: identifier",
        ),
        (
            "a+b",
            "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
        ),
    ] {
        get(&server, &format!("{PODS}?labelSelector={bad}"))
            .await
            .is_status(400, "BadRequest", message);
    }
    for (bad, message) in [
        ("app,", "found '', expected: identifier after ','"),
        ("a%3Db%3Dc", "found '=', expected: ',' or 'end of string'"),
        ("!!a", "unable to parse requirement: found '!', expected: identifier"),
    ] {
        get(&server, &format!("{PODS}?labelSelector={bad}"))
            .await
            .is_status(400, "BadRequest", message);
    }
    for bad in ["a+in+x", "a+in+(x", ",", "a,", "a%3Eb"] {
        assert_eq!(
            get(&server, &format!("{PODS}?labelSelector={bad}")).await.status,
            400,
            "{bad}"
        );
    }
}

#[tokio::test]
async fn field_selectors() {
    let server = with_pods().await;
    for (selector, found) in [
        ("metadata.name=one", vec!["team-a/one", "team-b/one"]),
        ("metadata.name==one,metadata.namespace=team-b", vec!["team-b/one"]),
        ("metadata.name!=one", vec!["team-a/two"]),
        ("status.phase=Pending", vec!["team-a/two"]),
        (
            "spec.nodeName=n1,status.phase!=Pending",
            vec!["team-a/one", "team-b/one"],
        ),
    ] {
        let encoded = selector.replace('=', "%3D");
        assert_eq!(
            find(&server, &format!("fieldSelector={encoded}")).await,
            found,
            "{selector}"
        );
    }
    let unknown = get(&server, &format!("{SECRETS}?fieldSelector=foo%3Dx")).await;
    unknown.is_status(400, "BadRequest", "field label not supported: foo");
    get(&server, &format!("{CONFIG_MAPS}?fieldSelector=a%3Db"))
        .await
        .is_status(
            400,
            "BadRequest",
            "\"a\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
        );
    let broken = get(&server, &format!("{PODS}?fieldSelector=a")).await;
    broken.is_status(400, "BadRequest", "invalid selector: 'a'; can't understand 'a'");
}

#[tokio::test]
async fn pages_show_one_revision() {
    let server = server();
    for name in ["a", "b", "c", "d"] {
        post(&server, CONFIG_MAPS, config_map(name)).await.ok();
    }
    let first = get(&server, &format!("{CONFIG_MAPS}?limit=2")).await.ok();
    assert_eq!(names(&first), ["a", "b"]);
    assert_eq!(first["metadata"]["remainingItemCount"], 2);
    let token = first["metadata"]["continue"].as_str().unwrap();
    // What happens between the pages isn't seen.
    delete(&server, &format!("{CONFIG_MAPS}/c"), json!({})).await.ok();
    post(&server, CONFIG_MAPS, config_map("cc")).await.ok();
    patch(
        &server,
        &format!("{CONFIG_MAPS}/d"),
        MERGE,
        json!({ "data": { "a": "new" } }),
    )
    .await
    .ok();
    let second = get(&server, &format!("{CONFIG_MAPS}?limit=2&continue={token}"))
        .await
        .ok();
    assert_eq!(names(&second), ["c", "d"]);
    assert_eq!(second["items"][1]["data"]["a"], "b");
    assert_eq!(
        second["metadata"]["resourceVersion"],
        first["metadata"]["resourceVersion"]
    );
    assert!(second["metadata"].get("continue").is_none());
    assert_eq!(names(&get(&server, CONFIG_MAPS).await.ok()), ["a", "b", "cc", "d"]);
    let filtered = get(&server, &format!("{CONFIG_MAPS}?limit=1&labelSelector=app%3Dx"))
        .await
        .ok();
    assert!(
        filtered["metadata"].get("remainingItemCount").is_none(),
        "unknown under a selector"
    );
    let both = get(&server, &format!("{CONFIG_MAPS}?resourceVersion=5&continue={token}")).await;
    both.is_status(
        400,
        "BadRequest",
        "specifying resource version is not allowed when using continue",
    );
    assert_eq!(get(&server, &format!("{CONFIG_MAPS}?continue=abc")).await.status, 400);
}

#[tokio::test]
async fn pages_expire_with_the_history() {
    let server = EmbeddedApiServer::new().with_history(2);
    for name in ["a", "b", "c"] {
        post(&server, CONFIG_MAPS, config_map(name)).await.ok();
    }
    let first = get(&server, &format!("{CONFIG_MAPS}?limit=1")).await.ok();
    let token = first["metadata"]["continue"].as_str().unwrap();
    for name in ["d", "e", "f"] {
        post(&server, CONFIG_MAPS, config_map(name)).await.ok();
    }
    let expired = get(&server, &format!("{CONFIG_MAPS}?limit=9&continue={token}")).await;
    assert_eq!(
        (expired.status.as_u16(), expired.json["reason"].as_str()),
        (410, Some("Expired"))
    );
    let token = expired.json["metadata"]["continue"].as_str().unwrap();
    let rest = get(&server, &format!("{CONFIG_MAPS}?limit=9&continue={token}"))
        .await
        .ok();
    assert_eq!(
        names(&rest),
        ["b", "c", "d", "e", "f"],
        "with its token it goes on, inconsistently"
    );
    let exact = get(
        &server,
        &format!("{CONFIG_MAPS}?resourceVersion=1&resourceVersionMatch=Exact"),
    )
    .await;
    exact.is_status(410, "Expired", "The resourceVersion for the provided list is too old.");
}

#[tokio::test]
async fn revisions() {
    let server = server();
    let a = post(&server, CONFIG_MAPS, config_map("a")).await.ok();
    let revision = a["metadata"]["resourceVersion"].as_str().unwrap();
    post(&server, CONFIG_MAPS, config_map("b")).await.ok();
    let exact = format!("{CONFIG_MAPS}?resourceVersion={revision}&resourceVersionMatch=Exact");
    assert_eq!(names(&get(&server, &exact).await.ok()), ["a"]);
    for newest in [format!("resourceVersion={revision}"), "resourceVersion=0".to_owned()] {
        assert_eq!(
            names(&get(&server, &format!("{CONFIG_MAPS}?{newest}")).await.ok()),
            ["a", "b"]
        );
    }
    for path in [CONFIG_MAPS.to_owned(), format!("{CONFIG_MAPS}/a")] {
        let future = get(&server, &format!("{path}?resourceVersion=9999999")).await;
        assert_eq!(future.status, 504);
        assert_eq!(future.json["details"]["causes"][0]["reason"], "ResourceVersionTooLarge");
    }
    get(&server, &format!("{CONFIG_MAPS}?resourceVersion=x")).await.is_status(
        400,
        "BadRequest",
        "invalid resource version: resourceVersion: Invalid value: \"x\": strconv.ParseUint: parsing \"x\": invalid \
         syntax",
    );
    get(&server, &format!("{CONFIG_MAPS}?limit=x")).await.is_status(
        400,
        "BadRequest",
        "strconv.ParseInt: parsing \"x\": invalid syntax",
    );
    for (query, message) in [
        (
            "resourceVersionMatch=Exact",
            "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
        ),
        (
            "resourceVersionMatch=Foo&resourceVersion=1",
            "resourceVersionMatch: Unsupported value: \"Foo\": supported values: \"Exact\", \"NotOlderThan\", \"\"",
        ),
        (
            "sendInitialEvents=true",
            "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list",
        ),
    ] {
        let message = format!("ListOptions.meta.k8s.io \"\" is invalid: {message}");
        get(&server, &format!("{CONFIG_MAPS}?{query}"))
            .await
            .is_status(422, "Invalid", &message);
    }
}

#[tokio::test]
async fn tables() {
    let server = server();
    post(
        &server,
        SECRETS,
        json!({ "metadata": { "name": "s" }, "data": { "z": "c2VjcmV0" } }),
    )
    .await
    .ok();
    let table = raw(Method::GET, SECRETS).accept(TABLE).send(&server).await.ok();
    assert_eq!(
        (&table["kind"], &table["apiVersion"]),
        (&json!("Table"), &json!("meta.k8s.io/v1"))
    );
    let columns: Vec<_> = table["columnDefinitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| &c["name"])
        .collect();
    assert_eq!(columns, ["Name", "Age"]);
    assert_eq!(table["rows"][0]["cells"][0], "s");
    assert!(table["rows"][0]["cells"][1].as_str().unwrap().ends_with('s'));
    assert_eq!(table["rows"][0]["object"]["kind"], "PartialObjectMetadata");
    assert!(table["rows"][0]["object"].get("data").is_none());
    let path = format!("{SECRETS}/s?includeObject=");
    let shown = raw(Method::GET, &format!("{path}Object"))
        .accept(TABLE)
        .send(&server)
        .await
        .ok();
    assert_eq!(shown["rows"][0]["object"]["data"]["z"], "c2VjcmV0");
    let bare = raw(Method::GET, &format!("{path}None"))
        .accept(TABLE)
        .send(&server)
        .await
        .ok();
    assert_eq!(bare["rows"][0]["object"], Value::Null);
    let bad = raw(Method::GET, &format!("{path}Foo"))
        .accept(TABLE)
        .send(&server)
        .await;
    bad.is_status(
        400,
        "BadRequest",
        "Unable to convert to Table as requested: includeObject: Invalid value: \"Foo\": must be 'Metadata', 'Object', \
         'None', or empty",
    );
    let made = raw(Method::POST, SECRETS)
        .accept(TABLE)
        .json(json!({ "metadata": { "name": "t" } }));
    assert_eq!(made.send(&server).await.ok()["kind"], "Table", "answers of writes too");
    let absent = raw(Method::GET, &format!("{SECRETS}/nope"))
        .accept(TABLE)
        .send(&server)
        .await;
    absent.is_status(404, "NotFound", "secrets \"nope\" not found");
}

#[tokio::test]
async fn metadata_only() {
    let server = server();
    post(
        &server,
        SECRETS,
        json!({ "metadata": { "name": "s" }, "data": { "z": "c2VjcmV0" } }),
    )
    .await
    .ok();
    let one = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
    let many = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
    let path = format!("{SECRETS}/s");
    let object = raw(Method::GET, &path).accept(one).send(&server).await.ok();
    assert_eq!(object["kind"], "PartialObjectMetadata");
    assert!(object.get("data").is_none());
    let list = raw(Method::GET, SECRETS).accept(many).send(&server).await.ok();
    assert_eq!(list["kind"], "PartialObjectMetadataList");
    assert_eq!(list["items"][0]["kind"], "PartialObjectMetadata");
    assert_eq!(raw(Method::GET, SECRETS).accept(one).send(&server).await.status, 406);
    assert_eq!(raw(Method::GET, &path).accept(many).send(&server).await.status, 406);
}

#[tokio::test]
async fn what_can_be_accepted() {
    let server = server();
    for accept in [
        "*/*",
        "application/*",
        "application/vnd.kubernetes.protobuf,application/json",
        "APPLICATION/JSON",
    ] {
        let list = raw(Method::GET, CONFIG_MAPS).accept(accept).send(&server).await;
        assert_eq!(list.json["kind"], "ConfigMapList", "{accept}");
        assert_eq!(list.headers["content-type"], "application/json");
    }
    for accept in [
        "text/html",
        "application/yaml",
        "application/json;as=Nope;v=v1;g=meta.k8s.io",
    ] {
        let refused = raw(Method::GET, CONFIG_MAPS).accept(accept).send(&server).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.json["reason"]),
            (406, &json!("NotAcceptable")),
            "{accept}"
        );
    }
}
