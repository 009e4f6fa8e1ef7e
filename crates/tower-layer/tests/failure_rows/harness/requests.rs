//! What the agent asks, and what approvers say.

use countersign_core::Subject;
use countersign_core::approval::{Answer as Say, Vote};
use countersign_tower::Body;
use http::Request;
use http::header::CONTENT_TYPE;
use http_body_util::{BodyExt as _, Full};

use super::server::never;

const POD: &str = "/api/v1/namespaces/team-a/pods/web";

pub(crate) fn agent() -> Subject {
    Subject::new("agent").with_group("agents")
}

pub(crate) fn request(method: &str, target: &str, body: impl Into<bytes::Bytes>) -> Request<Body> {
    let body = Full::new(body.into()).map_err(never).boxed_unsync();
    Request::builder().method(method).uri(target).body(body).unwrap()
}

pub(crate) fn with_json(method: &str, target: &str, content_type: &str, body: &str) -> Request<Body> {
    let mut request = request(method, target, body.to_owned());
    request
        .headers_mut()
        .insert(CONTENT_TYPE, content_type.parse().unwrap());
    request
}

/// Allowed at once.
pub(crate) fn get_pod() -> Request<Body> {
    request("GET", POD, "")
}

/// Held until one of `sre` approves.
pub(crate) fn delete_pod() -> Request<Body> {
    request("DELETE", POD, "")
}

/// The pod that [`delete_pod`] is about, as the server has it.
pub(crate) fn pod() -> &'static str {
    r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"web","namespace":"team-a","uid":"uid-1","resourceVersion":"7"}}"#
}

pub(crate) fn by(user: &str, answer: Say) -> Vote {
    Vote::new(user, answer, "2026-11-22T10:00:00Z".parse().unwrap()).with_group("sre")
}

pub(crate) fn approve() -> Vote {
    by("ann", Say::Approve)
}

pub(crate) fn deny() -> Vote {
    by("ann", Say::Deny).with_reason("not on a Sunday")
}
