//! What the embedded server answers, request by request. The expected texts are those of a real 1.36.3.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tower::{BoxError, ServiceExt};

use super::*;

mod clients;
mod deletes;
mod discoveries;
mod faults;
mod lists;
mod patches;
mod subresources;
mod units;
mod watches;
mod writes;

const MERGE: &str = "application/merge-patch+json";
const JSON_PATCH: &str = "application/json-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";
const APPLY: &str = "application/apply-patch+yaml";
const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";
const SECRETS: &str = "/api/v1/namespaces/default/secrets";
const PODS: &str = "/api/v1/namespaces/default/pods";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";
const WIDGETS: &str = "/apis/example.com/v1/namespaces/default/widgets";

/// An answer read whole.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
    json: Value,
}

impl Answer {
    #[track_caller]
    fn ok(self) -> Value {
        assert!(self.status.is_success(), "{}", self.text);
        self.json
    }

    /// That it is a Status with this code, reason and message.
    #[track_caller]
    fn is_status(&self, code: u16, reason: &str, message: &str) {
        assert_eq!(self.status.as_u16(), code, "{}", self.text);
        assert_eq!(self.json["kind"], "Status", "{}", self.text);
        assert_eq!(self.json["code"], code);
        assert_eq!(self.json["status"], "Failure");
        assert_eq!(
            self.json["reason"].as_str().unwrap_or_default(),
            reason,
            "{}",
            self.text
        );
        assert_eq!(self.json["message"], message);
    }
}

/// A request of a test.
struct Raw(http::request::Builder, Bytes);

fn raw(method: Method, path: &str) -> Raw {
    Raw(Request::builder().method(method).uri(path), Bytes::new())
}

impl Raw {
    fn accept(self, value: &str) -> Self {
        self.header("accept", value)
    }

    fn header(self, name: &str, value: &str) -> Self {
        Raw(self.0.header(name, value), self.1)
    }

    fn json(self, body: Value) -> Self {
        self.body("application/json", body.to_string())
    }

    fn body(self, content_type: &str, body: impl Into<Bytes>) -> Self {
        Raw(self.0.header("content-type", content_type), body.into())
    }

    fn request(self) -> Request<Full<Bytes>> {
        self.0.body(Full::new(self.1)).unwrap()
    }

    async fn open(self, server: &EmbeddedApiServer) -> Result<http::Response<ResponseBody>, BoxError> {
        server.clone().oneshot(self.request()).await
    }

    async fn send(self, server: &EmbeddedApiServer) -> Answer {
        let (head, body) = self.open(server).await.unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let json = serde_json::from_str(&text).unwrap_or_default();
        Answer {
            status: head.status,
            headers: head.headers,
            text,
            json,
        }
    }
}

async fn get(server: &EmbeddedApiServer, path: &str) -> Answer {
    raw(Method::GET, path).send(server).await
}

async fn post(server: &EmbeddedApiServer, path: &str, body: Value) -> Answer {
    raw(Method::POST, path).json(body).send(server).await
}

async fn put(server: &EmbeddedApiServer, path: &str, body: Value) -> Answer {
    raw(Method::PUT, path).json(body).send(server).await
}

async fn patch(server: &EmbeddedApiServer, path: &str, kind: &str, body: Value) -> Answer {
    raw(Method::PATCH, path).body(kind, body.to_string()).send(server).await
}

async fn delete(server: &EmbeddedApiServer, path: &str, body: Value) -> Answer {
    raw(Method::DELETE, path).json(body).send(server).await
}

/// A server with a custom resource.
fn server() -> EmbeddedApiServer {
    EmbeddedApiServer::new().with_resource("example.com", "v1", "Widget", "widgets", true)
}

fn config_map(name: &str) -> Value {
    json!({ "metadata": { "name": name, "labels": { "app": "x" } }, "data": { "a": "b" } })
}

fn pod(name: &str) -> Value {
    json!({ "metadata": { "name": name }, "spec": { "containers": [{ "name": "c", "image": "i" }] } })
}

fn deployment(name: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name, "namespace": "default" },
        "spec": {
            "replicas": 2, "selector": { "matchLabels": { "a": "b" } },
            "template": { "metadata": { "labels": { "a": "b" } }, "spec": { "containers": [
                { "name": "c", "image": "i:1", "env": [{ "name": "A", "value": "1" }, { "name": "B", "value": "2" }],
                  "ports": [{ "containerPort": 80 }], "args": ["x"] },
                { "name": "side", "image": "s:1" },
            ] } },
        },
    })
}

/// Names of the items of a list.
fn names(list: &Value) -> Vec<&str> {
    list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["metadata"]["name"].as_str().unwrap())
        .collect()
}

/// The next JSON line of a stream, which must come soon.
async fn line(body: &mut ResponseBody) -> Value {
    let frame = tokio::time::timeout(Duration::from_secs(5), body.frame())
        .await
        .expect("nothing came");
    let data = frame.expect("the stream ended").unwrap().into_data().unwrap();
    assert_eq!(data.last(), Some(&b'\n'));
    serde_json::from_slice(&data).unwrap()
}

/// That nothing comes for a while.
async fn quiet(body: &mut ResponseBody) {
    let frame = tokio::time::timeout(Duration::from_millis(50), body.frame()).await;
    assert!(frame.is_err(), "{frame:?}");
}
