use http::header::{HeaderValue, RETRY_AFTER};

use super::*;

#[tokio::test]
async fn requests_are_recorded() {
    let server = server();
    raw(Method::DELETE, &format!("{PODS}/p?dryRun=All"))
        .header("x-test", "1")
        .json(json!({ "a": 1 }))
        .send(&server)
        .await;
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].method, Method::DELETE);
    assert_eq!(requests[0].uri, format!("{PODS}/p?dryRun=All"));
    assert_eq!(requests[0].path(), format!("{PODS}/p"));
    assert_eq!(requests[0].headers["x-test"], "1");
    assert_eq!(requests[0].body, "{\"a\":1}");
    server.clear_requests();
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn answers() {
    let server = server();
    let fault = Fault::status(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", "busy")
        .with_header(RETRY_AFTER, HeaderValue::from_static("1"))
        .on_method(Method::POST)
        .on_path("configmaps");
    let injected = server.inject(fault.times(2));
    get(&server, CONFIG_MAPS).await.ok();
    post(&server, SECRETS, json!({ "metadata": { "name": "s" } }))
        .await
        .ok();
    for _ in 0..2 {
        let busy = post(&server, CONFIG_MAPS, config_map("a")).await;
        busy.is_status(503, "ServiceUnavailable", "busy");
        assert_eq!(busy.headers["retry-after"], "1");
    }
    assert_eq!(injected.hits(), 2);
    assert_eq!(
        get(&server, &format!("{CONFIG_MAPS}/a")).await.status,
        404,
        "nothing was executed"
    );
    post(&server, CONFIG_MAPS, config_map("a")).await.ok();
    assert_eq!(server.requests().len(), 6, "met or not, all are recorded");
}

#[tokio::test]
async fn broken_connections() {
    let server = server();
    server.inject(Fault::transport_error("connection refused"));
    let error = raw(Method::POST, CONFIG_MAPS)
        .json(config_map("a"))
        .open(&server)
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "connection refused");
    assert_eq!(get(&server, &format!("{CONFIG_MAPS}/a")).await.status, 404);
    server.inject(Fault::lost_answer("connection reset"));
    let error = raw(Method::POST, CONFIG_MAPS)
        .json(config_map("a"))
        .open(&server)
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "connection reset");
    assert_eq!(
        get(&server, &format!("{CONFIG_MAPS}/a")).await.status,
        200,
        "executed all the same"
    );
    server.inject(Fault::cut_body(10, "reset"));
    let mut body = raw(Method::GET, CONFIG_MAPS).open(&server).await.unwrap().into_body();
    assert_eq!(
        body.frame().await.unwrap().unwrap().into_data().unwrap(),
        "{\"kind\":\"C"
    );
    assert_eq!(body.frame().await.unwrap().unwrap_err().to_string(), "reset");
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn hangs() {
    let server = server();
    let injected = server.inject(Fault::hang().on_method(Method::POST));
    let pending = tokio::spawn({
        let server = server.clone();
        async move { post(&server, CONFIG_MAPS, config_map("a")).await }
    });
    injected.reached().await;
    assert_eq!(get(&server, &format!("{CONFIG_MAPS}/a")).await.status, 404);
    assert!(!pending.is_finished());
    injected.release();
    pending.await.unwrap().ok();
    assert_eq!(get(&server, &format!("{CONFIG_MAPS}/a")).await.status, 200);
}
