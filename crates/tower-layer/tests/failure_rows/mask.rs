//! Mask: what can't be masked does not come out, and what streams does not wait.

use bytes::Bytes;
use countersign_core::audit::Outcome::{Allow, Unknown};
use countersign_core::audit::Stage::{RequestReceived, ResponseComplete, ResponseStarted};
use countersign_tower::Body;
use http_body_util::BodyExt as _;

use crate::harness::{Answer, Broken, World, get_pod, open_body, pod, request};

const INTENT: (countersign_core::audit::Stage, countersign_core::audit::Outcome) = (RequestReceived, Allow);
const STARTED: (countersign_core::audit::Stage, countersign_core::audit::Outcome) = (ResponseStarted, Allow);

fn list_secrets() -> http::Request<Body> {
    request("GET", "/api/v1/namespaces/team-a/secrets", "")
}

async fn next(body: &mut Body) -> String {
    let frame = body.frame().await.unwrap().unwrap();
    String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap()
}

/// Nothing of this answer comes out.
async fn unmaskable(answer: Answer) {
    let world = World::answering([answer]);
    let answered = world.ask(list_secrets()).await;
    assert_eq!(answered.refusal(), (502, "upstream"));
    assert!(!answered.body.contains("s3cret"), "{}", answered.body);
    let from_server = answered
        .response
        .headers()
        .values()
        .any(|value| value.to_str().unwrap().contains("s3cret"));
    assert!(!from_server);
    world.sent_once();
    assert_eq!(world.record(), [INTENT, (ResponseComplete, Unknown)]);
    assert_eq!(world.last().annotation("countersign.dev/upstream-code"), Some("200"));
}

#[tokio::test]
async fn an_answer_in_protobuf() {
    unmaskable(Answer::of_type(
        200,
        "application/vnd.kubernetes.protobuf",
        "k8s\0s3cret",
    ))
    .await;
}

#[tokio::test]
async fn an_answer_in_html() {
    unmaskable(Answer::of_type(200, "text/html", "<p>s3cret")).await;
}

#[tokio::test]
async fn a_compressed_answer() {
    unmaskable(Answer::json(200, "s3cret").with_header("content-encoding", "gzip")).await;
}

#[tokio::test]
async fn an_answer_without_a_type() {
    unmaskable(Answer::of_type(200, "", "s3cret")).await;
}

#[tokio::test]
async fn an_answer_that_is_no_json() {
    unmaskable(Answer::json(200, "s3cret").with_header("x-debug", "s3cret")).await;
}

#[tokio::test]
async fn an_answer_that_ends_too_early() {
    unmaskable(Answer::json(
        200,
        r#"{"kind":"SecretList","items":[{"data":{"a":"s3cret"#,
    ))
    .await;
}

#[tokio::test]
async fn an_answer_that_breaks_off_early() {
    let (feed, body) = open_body();
    feed.send(Ok(Bytes::from(r#"{"kind":"PodList","items":["#))).unwrap();
    feed.send(Err(Broken("body").into())).unwrap();
    let world = World::answering([Answer::streaming(200, "application/json", body)]);
    let error = world.send(list_secrets()).await.unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Broken("body")));
    world.sent_once();
    assert_eq!(world.record(), [INTENT, (ResponseComplete, Unknown)]);
}

/// A list of more than what is withheld, with a secret in each item.
fn long_list() -> String {
    let item = |n| {
        format!(
            r#"{{"metadata":{{"name":"s-{n}","labels":{{"pad":"{}"}}}},"data":{{"a":"czNjcmV0"}}}}"#,
            "x".repeat(200)
        )
    };
    let items: Vec<_> = (0..1_000).map(item).collect();
    format!(
        r#"{{"kind":"SecretList","apiVersion":"v1","metadata":{{"resourceVersion":"7"}},"items":[{}]"#,
        items.join(",")
    )
}

#[tokio::test]
async fn a_long_answer_is_recorded_before_its_first_byte_and_comes_out_whole() {
    let list = long_list() + "}";
    let world = World::answering([Answer::json(200, list.clone())]);
    let response = world.send(list_secrets()).await.unwrap();
    assert_eq!(world.record(), [INTENT, STARTED]);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let masked: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let mut expected: serde_json::Value = serde_json::from_str(&list).unwrap();
    for item in expected["items"].as_array_mut().unwrap() {
        item["data"]["a"] = "Y291bnRlcnNpZ24ubWFza2VkLnZhbHVl".into();
    }
    assert_eq!(masked, expected);
    assert_eq!(world.record(), [INTENT, STARTED, (ResponseComplete, Allow)]);
    let bytes = world.last().annotation("countersign.dev/bytes").map(str::to_owned);
    assert_eq!(bytes, Some(body.len().to_string()));
    assert_eq!(world.last().annotation("countersign.dev/masked"), Some("1000"));
}

#[tokio::test]
async fn an_answer_that_turns_out_malformed_late_is_aborted() {
    let list = long_list().replace("\"s-999\"", "!s3cret");
    let (feed, body) = open_body();
    for chunk in list.as_bytes().chunks(1_000) {
        feed.send(Ok(Bytes::copy_from_slice(chunk))).unwrap();
    }
    drop(feed);
    let world = World::answering([Answer::streaming(200, "application/json", body)]);
    let mut body = world.send(list_secrets()).await.unwrap().into_body();
    let mut text = String::new();
    let error = loop {
        match body.frame().await {
            Some(Ok(frame)) => text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap()),
            Some(Err(error)) => break error,
            None => panic!("a cut answer ended as if it were whole"),
        }
    };
    assert!(!error.to_string().contains("s3cret"));
    assert!(text.contains("s-10") && !text.contains("czNjcmV0") && !text.contains("s3cret"));
    world.sent_once();
    assert_eq!(world.record(), [INTENT, STARTED, (ResponseComplete, Unknown)]);
    assert!(body.frame().await.is_none(), "nothing follows");
}

#[tokio::test]
async fn a_long_answer_that_breaks_off_ends_in_the_servers_error() {
    let (feed, body) = open_body();
    feed.send(Ok(Bytes::from(long_list()))).unwrap();
    feed.send(Err(Broken("body").into())).unwrap();
    let world = World::answering([Answer::streaming(200, "application/json", body)]);
    let error = world
        .send(list_secrets())
        .await
        .unwrap()
        .into_body()
        .collect()
        .await
        .unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Broken("body")));
    assert_eq!(world.record(), [INTENT, STARTED, (ResponseComplete, Unknown)]);
}

#[tokio::test]
async fn a_watch_event_comes_through_while_the_server_stays_open() {
    let (feed, body) = open_body();
    let world = World::answering([Answer::streaming(200, "application/json", body)]);
    let watch = request("GET", "/api/v1/namespaces/team-a/secrets?watch=1", "");
    let mut body = world.send(watch).await.unwrap().into_body();
    assert_eq!(world.record(), [INTENT, STARTED]);
    for _ in 0..2 {
        let event = r#"{"type":"ADDED","object":{"kind":"Secret","apiVersion":"v1","metadata":{"name":"db"},"data":{"a":"czNjcmV0"}}}"#;
        feed.send(Ok(Bytes::from(format!("{event}\n")))).unwrap();
        let event = next(&mut body).await;
        assert!(event.contains("\"db\"") && !event.contains("czNjcmV0"), "{event}");
    }
    drop(feed);
    assert!(body.frame().await.is_none());
    assert_eq!(world.record(), [INTENT, STARTED, (ResponseComplete, Allow)]);
}

#[tokio::test]
async fn a_log_line_comes_through_while_the_server_stays_open() {
    let (feed, body) = open_body();
    let world = World::answering([Answer::streaming(200, "text/plain", body)]);
    let log = request("GET", "/api/v1/namespaces/team-a/pods/web/log?follow=true", "");
    let mut body = world.send(log).await.unwrap().into_body();
    feed.send(Ok(Bytes::from("started\n"))).unwrap();
    assert_eq!(next(&mut body).await, "started\n");
    assert_eq!(world.record(), [INTENT, STARTED]);
    drop(feed);
    assert!(body.frame().await.is_none());
    assert_eq!(world.record(), [INTENT, STARTED, (ResponseComplete, Allow)]);
}

#[tokio::test]
async fn the_caller_leaves_in_the_middle_of_a_stream() {
    let (feed, body) = open_body();
    let world = World::answering([Answer::streaming(200, "text/plain", body)]);
    let log = request("GET", "/api/v1/namespaces/team-a/pods/web/log?follow=true", "");
    let mut body = world.send(log).await.unwrap().into_body();
    feed.send(Ok(Bytes::from("started\n"))).unwrap();
    next(&mut body).await;
    drop(body);
    assert!(feed.is_closed(), "the server is told");
    assert_eq!(world.record(), [INTENT, STARTED, (ResponseComplete, Allow)]);
    assert_eq!(world.last().annotation("countersign.dev/ended-by"), Some("caller"));
}

#[tokio::test]
async fn an_answer_without_a_body() {
    let empty = http::Response::builder().status(204).body(http_body_util::Empty::new());
    let empty = empty.unwrap().map(|body| {
        body.map_err(|never: std::convert::Infallible| match never {})
            .boxed_unsync()
    });
    let world = World::answering([Answer::Respond(empty)]);
    let answer = world.ask(get_pod()).await;
    assert_eq!((answer.status(), answer.body.as_str()), (204, ""));
    assert!(!answer.response.headers().contains_key("content-type"));
    assert_eq!(world.record(), [INTENT, (ResponseComplete, Allow)]);
}

#[tokio::test]
async fn an_answer_to_head() {
    let world = World::answering([Answer::json(200, "")]);
    let answer = world
        .ask(request("HEAD", "/api/v1/namespaces/team-a/pods/web", ""))
        .await;
    assert_eq!((answer.status(), answer.body.as_str()), (200, ""));
    assert_eq!(answer.response.headers()["content-type"], "application/json");
    assert_eq!(world.record(), [INTENT, (ResponseComplete, Allow)]);
}

#[tokio::test]
async fn an_answer_whose_body_panics() {
    let frames = futures_util::stream::poll_fn(|_| -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, _>>> {
        panic!("the server's body panics")
    });
    let body = http_body_util::StreamBody::new(frames).boxed_unsync();
    let world = World::answering([
        Answer::streaming(200, "application/json", body),
        Answer::json(200, pod()),
    ]);
    let answer = world.ask(get_pod()).await;
    assert_eq!(answer.refusal(), (503, "unavailable"));
    world.sent_once();
    let panicked = (countersign_core::audit::Stage::Panic, Unknown);
    assert_eq!(world.record(), [INTENT, panicked]);
    assert_eq!(world.ask(get_pod()).await.status(), 200, "the next request works");
}

/// A Secret with two values.
const SECRET: &str =
    r#"{"kind":"Secret","apiVersion":"v1","metadata":{"name":"db"},"data":{"a":"czNjcmV0","b":"czNjcmV0"}}"#;

fn get_secret() -> http::Request<Body> {
    request("GET", "/api/v1/namespaces/team-a/secrets/db", "")
}

fn warnings(answered: &crate::harness::Answered) -> Vec<String> {
    let values = answered.response.headers().get_all("warning").iter();
    values.map(|value| value.to_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_caller_and_the_record_are_told_how_much_was_masked() {
    let world = World::answering([
        Answer::json(200, SECRET).with_header("warning", "299 - \"deprecated\""),
        Answer::json(200, pod()),
    ]);
    let answered = world.ask(get_secret()).await;
    let told = warnings(&answered);
    assert_eq!(told.len(), 2);
    assert_eq!(told[0], "299 countersign \"2 values masked (secret-data 2)\"");
    assert_eq!(world.last().annotation("countersign.dev/masked"), Some("2"));
    assert_eq!(
        world.last().annotation("countersign.dev/masked-by"),
        Some("secret-data=2")
    );
    let nothing = world.ask(get_pod()).await;
    assert_eq!(warnings(&nothing), [""; 0]);
    assert_eq!(world.last().annotation("countersign.dev/masked"), Some("0"));
    assert_eq!(world.last().annotation("countersign.dev/masked-by"), None);
}

#[tokio::test]
async fn a_policy_can_keep_the_number_from_the_caller() {
    let world = World::with(|guard| guard.policy(World::policy_with("{ warning: false }")));
    world.server.script([Answer::json(200, SECRET)]);
    assert_eq!(warnings(&world.ask(get_secret()).await), [""; 0]);
    assert_eq!(
        world.last().annotation("countersign.dev/masked-by"),
        Some("secret-data=2")
    );
}

/// What is not known yet is not told.
#[tokio::test]
async fn no_number_stands_before_an_answer_that_goes_on() {
    let world = World::answering([Answer::json(200, long_list() + "}")]);
    let answered = world.ask(list_secrets()).await;
    assert_eq!(warnings(&answered), [""; 0]);
    assert_eq!(
        world.last().annotation("countersign.dev/masked-by"),
        Some("secret-data=1000")
    );
}

#[tokio::test]
async fn what_a_caller_got_before_it_left_is_recorded() {
    let (feed, body) = open_body();
    let world = World::answering([Answer::streaming(200, "application/json", body)]);
    let watch = request("GET", "/api/v1/namespaces/team-a/secrets?watch=1", "");
    let mut body = world.send(watch).await.unwrap().into_body();
    let event = format!("{{\"type\":\"ADDED\",\"object\":{SECRET}}}\n");
    feed.send(Ok(Bytes::from(event))).unwrap();
    next(&mut body).await;
    drop(body);
    assert_eq!(world.last().annotation("countersign.dev/ended-by"), Some("caller"));
    assert_eq!(
        world.last().annotation("countersign.dev/masked-by"),
        Some("secret-data=2")
    );
}

#[tokio::test]
async fn what_was_masked_before_an_answer_was_aborted_is_recorded() {
    let (feed, body) = open_body();
    feed.send(Ok(Bytes::from(long_list()))).unwrap();
    feed.send(Err(Broken("body").into())).unwrap();
    let world = World::answering([Answer::streaming(200, "application/json", body)]);
    world
        .send(list_secrets())
        .await
        .unwrap()
        .into_body()
        .collect()
        .await
        .unwrap_err();
    assert_eq!(
        world.last().annotation("countersign.dev/masked-by"),
        Some("secret-data=1000")
    );
}

#[derive(Debug)]
struct FindsCanary;

impl countersign_core::detect::Detector for FindsCanary {
    fn detect(&self, text: &[u8], hits: &mut countersign_core::detect::Hits) {
        let found = text.windows(6).position(|window| window == b"canary");
        if let Some(at) = found {
            hits.push(at..at + 6, "canary");
        }
    }
}

/// Detectors of the policy, and of whoever built the guard.
#[tokio::test]
async fn a_log_is_looked_through_with_all_detectors() {
    let rule = "{ id: acme, description: d, pattern: \"acme-[a-z]+\", examples: { positive: [acme-qwvzt] } }";
    let masking = format!("{{ detect: {{ rules: [{rule}] }} }}");
    let world = World::with(|guard| guard.policy(World::policy_with(&masking)).add_detector(FindsCanary));
    world
        .server
        .script([Answer::of_type(200, "text/plain", "a canary and acme-token\n")]);
    let answered = world
        .ask(request("GET", "/api/v1/namespaces/team-a/pods/web/log", ""))
        .await;
    let marker = countersign_core::mask::MARKER;
    assert_eq!(answered.body, format!("a {marker} and {marker}\n"));
    assert_eq!(
        world.last().annotation("countersign.dev/masked-by"),
        Some("canary=1,rows/acme=1")
    );
}

#[tokio::test]
async fn a_caller_that_accepts_no_json_is_refused_where_the_policy_says_so() {
    let ask = |accept: &str| {
        let mut request = get_pod();
        request.headers_mut().insert("accept", accept.parse().unwrap());
        request
    };
    let world = World::with(|guard| guard.policy(World::policy_with("{ accept: refuse }")));
    let answered = world.ask(ask("application/vnd.kubernetes.protobuf")).await;
    assert_eq!(answered.refusal(), (406, "unsupported"));
    world.nothing_sent();
    world
        .server
        .script([Answer::json(200, pod()), Answer::json(200, pod())]);
    let both = "application/vnd.kubernetes.protobuf,application/json";
    assert_eq!(world.ask(ask(both)).await.status(), 200);
    // By default it gets JSON, which says that it is.
    let lax = World::answering([Answer::json(200, pod())]);
    let answered = lax.ask(ask("application/vnd.kubernetes.protobuf")).await;
    assert_eq!(answered.response.headers()["content-type"], "application/json");
    assert_eq!(lax.sent_once().headers["accept"], "application/json");
}
