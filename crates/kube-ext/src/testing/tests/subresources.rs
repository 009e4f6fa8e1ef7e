use super::*;

#[tokio::test]
async fn status_and_spec_are_kept_apart() {
    let server = server();
    server.seed([deployment("d")]).unwrap();
    let path = format!("{DEPLOYMENTS}/d");
    let body =
        json!({ "spec": { "replicas": 9 }, "metadata": { "labels": { "q": "r" } }, "status": { "replicas": 3 } });
    let changed = patch(&server, &format!("{path}/status"), MERGE, body).await.ok();
    assert_eq!(changed["status"]["replicas"], 3);
    assert_eq!(changed["spec"]["replicas"], 2);
    assert!(changed["metadata"].get("labels").is_none());
    assert_eq!(changed["metadata"]["generation"], 1);
    let kept = patch(&server, &path, MERGE, json!({ "status": { "replicas": 4 } }))
        .await
        .ok();
    assert_eq!(kept["status"]["replicas"], 3, "the main resource keeps status");
    assert_eq!(get(&server, &format!("{path}/status")).await.ok(), kept);
    let mut whole = kept.clone();
    whole["status"] = json!({ "replicas": 5 });
    assert_eq!(
        put(&server, &format!("{path}/status"), whole.clone()).await.ok()["status"]["replicas"],
        5
    );
    assert_eq!(
        put(&server, &format!("{path}/status"), whole).await.status,
        409,
        "locked like any update"
    );
    assert_eq!(
        raw(Method::DELETE, &format!("{path}/status"))
            .send(&server)
            .await
            .status,
        405
    );
    assert_eq!(
        get(&server, &format!("{SECRETS}/s/status")).await.status,
        404,
        "secrets have none"
    );
    let widget = json!({ "apiVersion": "example.com/v1", "kind": "Widget", "metadata": { "name": "w" }, "status": {} });
    assert!(post(&server, WIDGETS, widget).await.ok().get("status").is_none());
    let status = patch(
        &server,
        &format!("{WIDGETS}/w/status"),
        MERGE,
        json!({ "status": { "ok": true } }),
    )
    .await
    .ok();
    assert_eq!(status["status"]["ok"], true);
}

#[tokio::test]
async fn scale() {
    let server = server();
    server.seed([deployment("d")]).unwrap();
    let path = format!("{DEPLOYMENTS}/d/scale");
    let scale = get(&server, &path).await.ok();
    assert_eq!(
        (&scale["kind"], &scale["apiVersion"]),
        (&json!("Scale"), &json!("autoscaling/v1"))
    );
    assert_eq!(scale["spec"]["replicas"], 2);
    assert_eq!(scale["status"], json!({ "replicas": 0, "selector": "a=b" }));
    for kind in [MERGE, STRATEGIC] {
        let five = patch(&server, &path, kind, json!({ "spec": { "replicas": 5 } }))
            .await
            .ok();
        assert_eq!(five["spec"]["replicas"], 5);
    }
    let mut next = get(&server, &path).await.ok();
    let stale = next.clone();
    next["spec"]["replicas"] = json!(4);
    let four = put(&server, &path, next.clone()).await.ok();
    assert_eq!(four["spec"]["replicas"], 4);
    let parent = get(&server, &format!("{DEPLOYMENTS}/d")).await.ok();
    assert_eq!(parent["spec"]["replicas"], 4);
    assert_eq!(parent["metadata"]["generation"], 3);
    let mut stale = stale;
    stale["spec"]["replicas"] = json!(1);
    assert_eq!(put(&server, &path, stale.clone()).await.status, 409, "revision");
    let foreign = json!({ "metadata": { "name": "d", "uid": "x" }, "spec": { "replicas": 1 } });
    assert_eq!(put(&server, &path, foreign).await.status, 409, "uid");
    let uid = parent["metadata"]["uid"].as_str().unwrap();
    patch(&server, &path, MERGE, json!({ "metadata": { "uid": "x" } })).await.is_status(
        409,
        "Conflict",
        &format!(
            "Operation cannot be fulfilled on deployments/scale.apps \"d\": Precondition failed: UID in precondition: x, \
             UID in object meta: {uid}"
        ),
    );
    let negative = patch(&server, &path, MERGE, json!({ "spec": { "replicas": -1 } })).await;
    assert_eq!(
        (negative.status.as_u16(), &negative.json["reason"]),
        (422, &json!("Invalid"))
    );
    let text = patch(&server, &path, MERGE, json!({ "spec": { "replicas": "x" } })).await;
    assert_eq!(text.status, 422);
    let why = "json: cannot unmarshal string into Go struct field ScaleSpec.spec.replicas of type int32";
    assert!(text.json["message"].as_str().unwrap().ends_with(why), "{}", text.text);
    let dry = patch(
        &server,
        &format!("{path}?dryRun=All"),
        MERGE,
        json!({ "spec": { "replicas": 0 } }),
    )
    .await
    .ok();
    assert_eq!(dry["spec"], json!({}), "a zero is left out");
    assert_eq!(get(&server, &path).await.ok()["spec"]["replicas"], 4);
    let absent = get(&server, &format!("{DEPLOYMENTS}/nope/scale")).await;
    absent.is_status(404, "NotFound", "deployments.apps \"nope\" not found");
    assert_eq!(raw(Method::DELETE, &path).send(&server).await.status, 405);
    assert_eq!(get(&server, &format!("{PODS}/p/scale")).await.status, 404);
}

#[tokio::test]
async fn eviction() {
    let server = server();
    let made = post(&server, PODS, pod("p")).await.ok();
    let path = format!("{PODS}/p/eviction");
    let eviction = |options: Value| {
        json!({ "apiVersion": "policy/v1", "kind": "Eviction",
        "metadata": { "name": "p", "namespace": "default" }, "deleteOptions": options })
    };
    let other = post(&server, &path, eviction(json!({ "preconditions": { "uid": "x" } }))).await;
    assert_eq!(
        (other.status.as_u16(), &other.json["details"]),
        (409, &json!({ "name": "p", "kind": "Pod" }))
    );
    let status = json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201 });
    for (path, options) in [
        (path.clone(), json!({ "dryRun": ["All"] })),
        (format!("{path}?dryRun=All"), Value::Null),
    ] {
        let dry = post(&server, &path, eviction(options)).await;
        assert_eq!((dry.status.as_u16(), &dry.json), (201, &status));
        assert_eq!(get(&server, &format!("{PODS}/p")).await.status, 200);
    }
    let elsewhere = json!({ "metadata": { "name": "p", "namespace": "other" } });
    post(&server, &path, elsewhere).await.is_status(
        400,
        "BadRequest",
        "the namespace of the provided object does not match the namespace sent on the request",
    );
    post(
        &server,
        &path,
        json!({ "kind": "Pod", "apiVersion": "v1", "metadata": { "name": "p" } }),
    )
    .await
    .is_status(
        400,
        "BadRequest",
        "Pod in version \"v1\" cannot be handled as a Eviction: converting (v1.Pod) to (policy.Eviction): unknown \
             conversion",
    );
    for body in [json!({}), json!({ "metadata": { "name": "q" } })] {
        let message = "name in URL does not match name in Eviction object";
        post(&server, &path, body).await.is_status(400, "BadRequest", message);
    }
    let gone = post(
        &server,
        &path,
        eviction(json!({ "preconditions": { "uid": made["metadata"]["uid"] } })),
    )
    .await;
    assert_eq!(gone.json, status);
    assert_eq!(get(&server, &format!("{PODS}/p")).await.status, 404);
    assert_eq!(post(&server, &path, eviction(Value::Null)).await.status, 404);
    assert_eq!(get(&server, &path).await.status, 405);
}

#[tokio::test]
async fn logs() {
    let server = server();
    post(&server, PODS, pod("p")).await.ok();
    let path = format!("{PODS}/p/log");
    assert_eq!(get(&server, &path).await.text, "");
    server.set_log("default", "p", "one\ntwo\nthree\n");
    let log = get(&server, &path).await;
    assert_eq!(
        (log.text.as_str(), &log.headers["content-type"]),
        ("one\ntwo\nthree\n", &"text/plain".parse().unwrap())
    );
    for (query, text) in [
        ("tailLines=2", "two\nthree\n"),
        ("tailLines=0", ""),
        ("tailLines=9", "one\ntwo\nthree\n"),
        ("limitBytes=5", "one\nt"),
        ("tailLines=1&limitBytes=3", "thr"),
        ("container=c", "one\ntwo\nthree\n"),
    ] {
        assert_eq!(get(&server, &format!("{path}?{query}")).await.text, text, "{query}");
    }
    let odd = get(&server, &format!("{path}?container=z")).await;
    odd.is_status(400, "BadRequest", "container z is not valid for pod p");
    let absent = get(&server, &format!("{PODS}/nope/log")).await;
    absent.is_status(404, "NotFound", "pods \"nope\" not found");
    let two = json!({ "metadata": { "name": "two" }, "spec": { "containers": [{ "name": "a" }, { "name": "b" }] } });
    post(&server, PODS, two).await.ok();
    get(&server, &format!("{PODS}/two/log")).await.is_status(
        400,
        "BadRequest",
        "a container name must be specified for pod two, choose one of: [a b]",
    );
    assert_eq!(post(&server, &path, json!({})).await.status, 405);
}

#[tokio::test]
async fn followed_logs() {
    let server = server();
    post(&server, PODS, pod("p")).await.ok();
    server.set_log("default", "p", "one\n");
    let path = format!("{PODS}/p/log?follow=true");
    let mut body = raw(Method::GET, &path).open(&server).await.unwrap().into_body();
    let limited = raw(Method::GET, &format!("{path}&limitBytes=6"))
        .open(&server)
        .await
        .unwrap()
        .into_body();
    async fn next(body: &mut ResponseBody) -> Bytes {
        body.frame().await.unwrap().unwrap().into_data().unwrap()
    }
    assert_eq!(next(&mut body).await, "one\n");
    quiet(&mut body).await;
    server.append_log("default", "p", "two\n");
    assert_eq!(next(&mut body).await, "two\n");
    assert_eq!(limited.collect().await.unwrap().to_bytes(), "one\ntw");
    server.set_log("default", "p", "anew\n");
    assert_eq!(next(&mut body).await, "anew\n");
    delete(&server, &format!("{PODS}/p"), json!({})).await.ok();
    assert!(body.frame().await.is_none(), "the end of the pod ends its log");
}

#[tokio::test]
async fn what_is_not_served() {
    let server = server();
    post(&server, PODS, pod("p")).await.ok();
    for subresource in ["exec", "attach", "portforward", "proxy"] {
        let refused = get(&server, &format!("{PODS}/p/{subresource}?command=ls")).await;
        refused.is_status(
            501,
            "",
            &format!("the embedded API server does not serve pods/{subresource}"),
        );
    }
    let token = post(
        &server,
        "/api/v1/namespaces/default/serviceaccounts/default/token",
        json!({}),
    )
    .await;
    assert_eq!(token.status, 501);
}
