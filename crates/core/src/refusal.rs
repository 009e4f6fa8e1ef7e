//! A refusal: why a request is not carried out, as data, and as the `metav1.Status` that every client understands.
//!
//! A refusal is a response, never an error: the guard worked, and its answer is no. Machine-readable facts travel in
//! `details.causes`, each a pair of a `reason` below `countersign.dev/` and its value in `message`.

use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

/// Which kind of thing stood in the way; the `countersign.dev/class` of the Status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Class {
    /// The request can't be parsed exactly.
    Malformed,
    /// The request is clear, but of a form that the guard does not forward.
    Unsupported,
    /// Nobody knows who asks, or a header tried to say so.
    Identity,
    /// The policy says no.
    Policy,
    /// A budget of the policy is spent.
    Budget,
    /// No human approved it, or what was approved is no longer what would be sent.
    Approval,
    /// The object is not what it was when it was reviewed.
    Conflict,
    /// Too many requests, holds or bytes.
    Overload,
    /// A part of the guard that has to work does not: engine, backend, sink.
    Unavailable,
    /// The server's answer can't be handed out.
    Upstream,
}

impl Class {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unsupported => "unsupported",
            Self::Identity => "identity",
            Self::Policy => "policy",
            Self::Budget => "budget",
            Self::Approval => "approval",
            Self::Conflict => "conflict",
            Self::Overload => "overload",
            Self::Unavailable => "unavailable",
            Self::Upstream => "upstream",
        }
    }
}

/// Whether asking again can help; the `countersign.dev/retry` of the Status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Retry {
    /// The same request will be refused again.
    Never,
    /// The same request may pass later, without anybody changing it.
    Later,
    /// The same request passes once its ticket is approved.
    AfterApproval,
}

impl Retry {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Later => "later",
            Self::AfterApproval => "after-approval",
        }
    }
}

/// Why a request was not carried out.
///
/// Messages are for the caller, who is hostile: they hold nothing that the caller did not send and no upstream bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    status: StatusCode,
    class: Class,
    message: String,
    rule: Option<String>,
    ticket: Option<String>,
    remedy: Option<String>,
    retry: Retry,
    /// Boxed, since few refusals have any of it and all of them travel in a `Result`.
    more: Option<Box<More>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct More {
    object: Option<ObjectRef>,
    retry_after: Option<u32>,
    facts: Vec<(&'static str, String)>,
}

/// The object that a refusal is about, as in `details` of a Status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectRef {
    /// API group, empty for core.
    pub group: String,
    /// Resource (upstream's `details.kind` of a Status holds the resource for errors of the API machinery).
    pub resource: String,
    /// Name, empty if the request has none.
    pub name: String,
}

/// Cold: what is made of a request that is not refused should lie together.
impl Refusal {
    /// A refusal with this status code and message, of which at most 4,096 characters are kept; asking again does not
    /// help.
    #[cold]
    #[must_use]
    pub fn new(status: StatusCode, class: Class, message: impl Into<String>) -> Self {
        Self {
            status,
            class,
            message: clipped(message.into()),
            rule: None,
            ticket: None,
            remedy: None,
            retry: Retry::Never,
            more: None,
        }
    }

    /// 400: the request can't be parsed exactly.
    #[cold]
    #[must_use]
    pub fn malformed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, Class::Malformed, message)
    }

    /// 403: the policy says no.
    #[cold]
    #[must_use]
    pub fn policy(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, Class::Policy, message)
    }

    /// 503: a part of the guard does not work; asking later may help.
    #[cold]
    #[must_use]
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, Class::Unavailable, message).with_retry(Retry::Later)
    }

    /// 502: the server's answer can't be handed out.
    #[cold]
    #[must_use]
    pub fn upstream(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_GATEWAY, Class::Upstream, message)
    }

    /// Names the rule that said no.
    #[must_use]
    pub fn with_rule(mut self, rule: impl Into<String>) -> Self {
        self.rule = Some(rule.into());
        self
    }

    /// Names the ticket that an approver has to decide.
    #[must_use]
    pub fn with_ticket(mut self, ticket: impl Into<String>) -> Self {
        self.ticket = Some(ticket.into());
        self
    }

    /// Says what the smallest change is that would be allowed.
    #[must_use]
    pub fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Says whether asking again can help.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Names the object that it is about.
    #[must_use]
    pub fn with_object(mut self, object: ObjectRef) -> Self {
        self.more().object = Some(object);
        self
    }

    /// Says after how many seconds asking again can help: in the details, never as a header, on which clients repeat by
    /// themselves.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: u32) -> Self {
        self.more().retry_after = Some(seconds);
        self
    }

    /// Adds a machine-readable cause; its reason is a name below `countersign.dev/`.
    #[must_use]
    pub fn with_fact(mut self, reason: &'static str, value: impl Into<String>) -> Self {
        self.more().facts.push((reason, value.into()));
        self
    }

    fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    /// HTTP status code of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The `metav1.StatusReason` of the answer.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        reason(self.status)
    }

    /// What stood in the way.
    #[must_use]
    pub fn class(&self) -> Class {
        self.class
    }

    /// What the caller is told.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The rule that said no, if one did.
    #[must_use]
    pub fn rule(&self) -> Option<&str> {
        self.rule.as_deref()
    }

    /// The ticket, if an approver could still decide.
    #[must_use]
    pub fn ticket(&self) -> Option<&str> {
        self.ticket.as_deref()
    }

    /// The smallest change that would be allowed, if it is known.
    #[must_use]
    pub fn remedy(&self) -> Option<&str> {
        self.remedy.as_deref()
    }

    /// Whether asking again can help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.retry
    }

    /// The `metav1.Status` of this refusal.
    #[must_use]
    pub fn to_status(&self) -> Value {
        let mut causes = vec![
            cause("countersign.dev/class", self.class.as_str()),
            cause("countersign.dev/retry", self.retry.as_str()),
        ];
        let optional = [
            ("countersign.dev/rule", &self.rule),
            ("countersign.dev/ticket", &self.ticket),
            ("countersign.dev/remedy", &self.remedy),
        ];
        causes.extend(
            optional
                .into_iter()
                .filter_map(|(reason, value)| Some(cause(reason, value.as_deref()?))),
        );
        let more = self.more.as_deref().cloned().unwrap_or_default();
        causes.extend(more.facts.iter().map(|(reason, value)| cause(reason, value)));
        let mut details = json!({ "causes": causes });
        if let (Some(object), Some(details)) = (more.object, details.as_object_mut()) {
            details.insert("group".into(), object.group.into());
            details.insert("kind".into(), object.resource.into());
            details.insert("name".into(), object.name.into());
        }
        if let (Some(seconds), Some(details)) = (more.retry_after, details.as_object_mut()) {
            details.insert("retryAfterSeconds".into(), seconds.into());
        }
        let message = match &self.remedy {
            Some(remedy) => format!("countersign: {} ({remedy})", self.message),
            None => format!("countersign: {}", self.message),
        };
        json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": self.reason(),
            "details": details,
            "code": self.status.as_u16(),
        })
    }
}

/// What is cut off of a message is nobody's loss: it quotes the caller.
fn clipped(message: String) -> String {
    const MAX: usize = 4_096;
    match message.char_indices().nth(MAX) {
        None => message,
        Some((end, _)) => format!("{}…", message.get(..end).unwrap_or_default()),
    }
}

fn cause(reason: &str, message: &str) -> Value {
    json!({ "reason": reason, "message": message })
}

/// The `metav1.StatusReason` for a status code, as k8s.io/apimachinery `pkg/api/errors` gives it.
fn reason(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        405 => "MethodNotAllowed",
        406 => "NotAcceptable",
        409 => "Conflict",
        413 => "RequestEntityTooLarge",
        415 => "UnsupportedMediaType",
        422 => "Invalid",
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        504 => "Timeout",
        _ => "InternalError",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_a_status_with_facts() {
        let status = Refusal::policy("deleting namespaces is not allowed")
            .with_rule("triage-agents/no-namespaces")
            .with_remedy("delete single objects instead")
            .with_object(ObjectRef {
                resource: "namespaces".into(),
                name: "x".into(),
                ..ObjectRef::default()
            })
            .to_status();
        assert_eq!(status["code"], 403);
        assert_eq!(status["reason"], "Forbidden");
        assert_eq!(status["details"]["name"], "x");
        assert_eq!(status["details"]["causes"][0]["message"], "policy");
        assert!(
            status["message"]
                .as_str()
                .unwrap()
                .contains("delete single objects instead")
        );
    }
}
