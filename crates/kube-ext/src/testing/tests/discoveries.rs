use super::*;

#[tokio::test]
async fn documents() {
    let server = server();
    let core = get(&server, "/api").await;
    assert!(core.text.starts_with("{\"kind\":\"APIVersions\",\"versions\":[\"v1\"]"));
    let groups = get(&server, "/apis").await.ok();
    let names: Vec<_> = groups["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| group["name"].as_str().unwrap())
        .collect();
    assert!(names.contains(&"apps") && names.contains(&"example.com"));
    let group = get(&server, "/apis/apps").await.ok();
    assert_eq!(
        group["preferredVersion"],
        json!({ "groupVersion": "apps/v1", "version": "v1" })
    );
    let pods = get(&server, "/api/v1").await.ok();
    let entry = |name: &str| {
        pods["resources"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["name"] == name)
            .unwrap()
    };
    assert_eq!(entry("pods")["kind"], "Pod");
    assert_eq!(entry("pods")["namespaced"], true);
    assert_eq!(entry("pods")["shortNames"], json!(["po"]));
    assert_eq!(entry("pods/eviction")["group"], "policy");
    assert_eq!(entry("namespaces")["namespaced"], false);
    assert!(
        !entry("namespaces")["verbs"]
            .as_array()
            .unwrap()
            .contains(&json!("deletecollection"))
    );
    let custom = get(&server, "/apis/example.com/v1").await.ok();
    assert_eq!(custom["resources"][0]["name"], "widgets");
    assert_eq!(get(&server, "/version").await.ok()["minor"], "36");
    assert!(
        get(&server, "/").await.ok()["paths"]
            .as_array()
            .unwrap()
            .contains(&json!("/apis/apps/v1"))
    );
    for path in ["/healthz", "/livez", "/readyz"] {
        let health = get(&server, path).await;
        assert_eq!((health.text.as_str(), health.status.as_u16()), ("ok", 200));
        assert_eq!(health.headers["content-type"], "text/plain; charset=utf-8");
    }
}

#[tokio::test]
async fn aggregated() {
    let server = server();
    let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
    for (path, resource) in [("/api", "namespaces"), ("/apis", "deployments")] {
        let list = raw(Method::GET, path).accept(accept).send(&server).await;
        let sent = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
        assert_eq!(list.headers["content-type"], sent);
        assert_eq!(
            list.json["items"][0]["versions"][0]["resources"][0]["resource"],
            resource
        );
    }
}

#[tokio::test]
async fn paths_that_lead_nowhere() {
    let server = server();
    for path in [
        "/foo",
        "/apis/nope",
        "/apis/nope/v1",
        "/apis/nope/v1/foos",
        "/apis/example.com/v1/foos",
        "/healthz/",
    ] {
        let page = get(&server, path).await;
        assert_eq!(
            (page.status.as_u16(), page.text.as_str()),
            (404, "404 page not found\n"),
            "{path}"
        );
        assert_eq!(page.headers["content-type"], "text/plain; charset=utf-8");
    }
    for path in [
        "/api/v2",
        "/api/v2/pods",
        "/apis/apps/v2",
        "/apis/apps/v1/foos",
        "/api/v1/namespaces/default/foo",
        "/api/v1/namespaces/default/nodes",
        "/api/v1/namespaces/default/namespaces",
        "/api/v1/pods/p",
        "/api/v1/namespaces/default/pods//status",
        "/api/v1//namespaces/default",
        "/api/v1/namespaces/default/pods/p/foo",
        "/api/v1/namespaces/default/pods/p/log/x",
        "/api/v1/namespaces/default/configmaps/a%2Fb",
    ] {
        let message = "the server could not find the requested resource";
        get(&server, path).await.is_status(404, "NotFound", message);
    }
    let unknown = get(&server, "/api/v1/watch").await;
    assert_eq!(unknown.status, 500);
    assert!(
        unknown
            .text
            .ends_with("unable to determine kind and namespace from url, /api/v1/watch\n")
    );
    assert_eq!(get(&server, "/api/v1/pods/%zz").await.status, 400);
    assert_eq!(
        get(&server, "/api/v1/namespaces/default/").await.ok()["kind"],
        "Namespace",
        "one slash at the end"
    );
    assert_eq!(
        get(&server, "/%61pi/v1/namespaces").await.ok()["kind"],
        "NamespaceList",
        "decoded, as Go does"
    );
}

#[tokio::test]
async fn methods_that_are_not_allowed() {
    let server = server();
    let message = "the server does not allow this method on the requested resource";
    for (method, path) in [
        (Method::PUT, PODS),
        (Method::PATCH, PODS),
        (Method::OPTIONS, PODS),
        (Method::POST, "/api/v1/namespaces/default/pods/p"),
        (Method::POST, "/api/v1/pods"),
        (Method::POST, "/version"),
        (Method::POST, "/api"),
        (Method::POST, "/api/v1/watch/namespaces/default/pods"),
    ] {
        let refused = raw(method.clone(), path).json(json!({})).send(&server).await;
        refused.is_status(405, "MethodNotAllowed", message);
    }
    for path in ["/apis", "/apis/apps", "/apis/example.com/v1"] {
        assert_eq!(
            raw(Method::POST, path).send(&server).await.status,
            200,
            "{path} looks at no method"
        );
    }
    assert_eq!(raw(Method::POST, "/healthz").send(&server).await.status, 200);
}

#[tokio::test]
async fn head() {
    let server = server();
    assert_eq!(
        raw(Method::HEAD, PODS).send(&server).await.status,
        405,
        "built-in resources refuse it"
    );
    let custom = raw(Method::HEAD, WIDGETS).send(&server).await;
    assert_eq!((custom.status.as_u16(), custom.text.as_str()), (200, ""));
    assert_eq!(
        custom.headers["content-length"],
        get(&server, WIDGETS).await.headers["content-length"]
    );
    assert_eq!(raw(Method::HEAD, "/healthz").send(&server).await.status, 200);
}

#[tokio::test]
async fn headers() {
    let server = server();
    let answer = raw(Method::GET, PODS).header("audit-id", "hello").send(&server).await;
    assert_eq!(answer.headers["audit-id"], "hello");
    assert_eq!(answer.headers["content-length"], answer.text.len().to_string());
    assert_eq!(answer.headers["cache-control"], "no-cache, private");
    assert_eq!(get(&server, PODS).await.headers["audit-id"].len(), 36);
}

#[tokio::test]
async fn text_is_escaped_as_go_escapes_it() {
    let server = server();
    let body = json!({ "metadata": { "name": "c" }, "data": { "a": "x<&>y\u{2028}" } });
    let made = post(&server, CONFIG_MAPS, body).await;
    assert!(made.text.contains(r"x\u003c\u0026\u003ey\u2028"), "{}", made.text);
    assert!(
        made.text
            .starts_with("{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{")
    );
    assert!(made.text.ends_with("}\n"));
    assert_eq!(made.json["data"]["a"], "x<&>y\u{2028}");
}
