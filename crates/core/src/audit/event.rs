//! One record: an event in the shape of `audit.k8s.io/v1`, our facts in its annotations.
//!
//! Source: k8s.io/apiserver `pkg/apis/audit/v1/types.go`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::outcome::Outcome;
use crate::refusal::Refusal;
use crate::request::Attributes;
use crate::subject::Subject;

/// Keys of annotations that the guard writes. Other keys are free.
pub mod annotation {
    /// What became of the request: an [`Outcome`](super::Outcome).
    pub const OUTCOME: &str = "countersign.dev/outcome";
    /// The rule that decided, as `policy/rule`.
    pub const RULE: &str = "countersign.dev/rule";
    /// The effects of the request, joined by commas.
    pub const EFFECTS: &str = "countersign.dev/effects";
    /// Digest of what would be sent.
    pub const DIGEST: &str = "countersign.dev/digest";
    /// Digest of the policy that the request was judged under.
    pub const POLICY: &str = "countersign.dev/policy-revision";
    /// The approval ticket.
    pub const TICKET: &str = "countersign.dev/ticket";
    /// Why the agent says it does this: a claim.
    pub const CLAIMED_REASON: &str = "countersign.dev/claimed-reason";
    /// Which human the agent says acts through it: a claim.
    pub const CLAIMED_HUMAN: &str = "countersign.dev/claimed-human";
    /// Number of masked values in the answer.
    pub const MASKED: &str = "countersign.dev/masked";

    /// Id of the log; in its first record only.
    pub const LOG: &str = "countersign.dev/log";
    /// Number of the record in its log, from 0.
    pub const SEQ: &str = "countersign.dev/seq";
    /// Hash of the record before it.
    pub const PREV: &str = "countersign.dev/prev";
    /// Hash of the record.
    pub const HASH: &str = "countersign.dev/hash";

    /// In the record of a gap: how many records are known to be lost.
    pub const GAP_RECORDS: &str = "countersign.dev/gap-records";
    /// In the record of a gap: when the first of them happened.
    pub const GAP_FROM: &str = "countersign.dev/gap-from";
    /// In the record of a gap: when the last of them happened.
    pub const GAP_TO: &str = "countersign.dev/gap-to";
    /// In the record of a gap: why they are lost.
    pub const GAP_CAUSE: &str = "countersign.dev/gap-cause";

    /// The keys that only the chain writes; from events they are taken away.
    pub const CHAIN: [&str; 4] = [LOG, SEQ, PREV, HASH];
}

/// How much an event holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Level {
    /// No bodies.
    #[default]
    Metadata,
    /// The request's body too.
    Request,
    /// Both bodies.
    RequestResponse,
}

/// At which point of the request the event was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Stage {
    /// Before it is sent: the intent.
    RequestReceived,
    /// A stream's head was answered; its end follows.
    ResponseStarted,
    /// It is over: the outcome.
    ResponseComplete,
    /// It is over, since code of ours or of the user's panicked.
    Panic,
}

impl Stage {
    /// Whether nothing follows for the same request.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::ResponseComplete | Self::Panic)
    }
}

/// `kind` and `apiVersion`, which are the same in every event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Constant<const KIND: bool>;

/// A record of the audit log.
///
/// It is written as one line of JSON, always in the order of these fields; timestamps keep their microseconds. Whatever
/// a caller chose (URI, user agent, names, claims) is in here as it came, so escape it ([`crate::escape`]) before it is
/// shown to a human. Secrets never are: who fills it in masks first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Event {
    kind: Constant<true>,
    api_version: Constant<false>,
    /// How much it holds.
    pub level: Level,
    /// Id of the request, the same in all its events.
    #[serde(rename = "auditID")]
    pub audit_id: String,
    /// At which point it was recorded.
    pub stage: Stage,
    /// Canonical path and query; of a request that has no canonical form, what was received.
    #[serde(rename = "requestURI")]
    pub request_uri: String,
    /// The verb as upstream derives it.
    pub verb: String,
    /// The subject.
    pub user: User,
    /// Where the request came from. Only the last one can't be chosen by the caller.
    #[serde(rename = "sourceIPs", default, skip_serializing_if = "Vec::is_empty")]
    pub source_ips: Vec<String>,
    /// What the caller calls itself; not to be trusted.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub user_agent: String,
    /// The object that the request is about; absent for what is no resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_ref: Option<ObjectReference>,
    /// What was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_status: Option<ResponseStatus>,
    /// When the request reached the guard.
    #[serde(with = "micros")]
    pub request_received_timestamp: Timestamp,
    /// When it reached this stage.
    #[serde(with = "micros")]
    pub stage_timestamp: Timestamp,
    /// Our facts, under the keys of [`annotation`]. It is the last field, always written: the chain continues it.
    #[serde(default)]
    pub annotations: BTreeMap<Cow<'static, str>, String>,
}

/// Who asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct User {
    /// Name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub username: String,
    /// Groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Anything else that was authenticated.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<Cow<'static, str>, Vec<String>>,
}

/// The object that a request is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ObjectReference {
    /// Resource, plural.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub resource: String,
    /// Namespace, empty for cluster scope.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Name, empty for a collection.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The uid that the request is pinned to.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// Group, empty for core.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub api_group: String,
    /// Version.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub api_version: String,
    /// The resourceVersion that the request is pinned to.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub resource_version: String,
    /// Subresource, empty for none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subresource: String,
}

/// What was answered: the part of a `metav1.Status` that a record keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ResponseStatus {
    /// Always empty, and always written by upstream.
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    /// `Failure` where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Why, for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// HTTP status code.
    pub code: u16,
}

impl Event {
    /// An event of a request, with nothing in it but this.
    #[must_use]
    pub fn new(audit_id: impl Into<String>, stage: Stage, received: Timestamp, now: Timestamp) -> Self {
        Self {
            kind: Constant,
            api_version: Constant,
            level: Level::Metadata,
            audit_id: audit_id.into(),
            stage,
            request_uri: String::new(),
            verb: String::new(),
            user: User::default(),
            source_ips: Vec::new(),
            user_agent: String::new(),
            object_ref: None,
            response_status: None,
            request_received_timestamp: received,
            stage_timestamp: now,
            annotations: BTreeMap::new(),
        }
    }

    /// The same request at a later stage.
    #[must_use]
    pub fn at(&self, stage: Stage, now: Timestamp) -> Self {
        Self {
            stage,
            stage_timestamp: now,
            ..self.clone()
        }
    }

    /// Sets an annotation.
    #[must_use]
    pub fn with(mut self, key: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.annotations.insert(key.into(), value.into());
        self
    }

    /// Says what became of the request.
    #[must_use]
    pub fn with_outcome(self, outcome: Outcome) -> Self {
        self.with(annotation::OUTCOME, outcome.as_str())
    }

    /// Says what was answered.
    #[must_use]
    pub fn with_response(mut self, status: ResponseStatus) -> Self {
        self.response_status = Some(status);
        self
    }

    /// The value of an annotation.
    #[must_use]
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.get(key).map(String::as_str)
    }

    /// What became of the request, as far as this record knows.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        self.annotation(annotation::OUTCOME)?.parse().ok()
    }
}

impl ResponseStatus {
    /// A status with a code alone.
    #[must_use]
    pub fn new(code: u16) -> Self {
        Self {
            code,
            ..Self::default()
        }
    }

    /// Says that it is a failure, and why.
    #[must_use]
    pub fn with_reason(mut self, reason: impl Into<String>, message: impl Into<String>) -> Self {
        self.status = Some("Failure".to_owned());
        self.reason = Some(reason.into());
        self.message = Some(message.into());
        self
    }
}

impl From<&Refusal> for ResponseStatus {
    fn from(refusal: &Refusal) -> Self {
        let status = refusal.to_status();
        let reason = status.get("reason").and_then(serde_json::Value::as_str);
        Self::new(refusal.status().as_u16()).with_reason(reason.unwrap_or_default(), refusal.message())
    }
}

impl From<&Subject> for User {
    fn from(subject: &Subject) -> Self {
        let extra = [
            ("countersign.dev/on-behalf-of", &subject.on_behalf_of),
            ("countersign.dev/session", &subject.session),
        ];
        Self {
            username: subject.user.clone(),
            groups: subject.groups.clone(),
            extra: extra
                .into_iter()
                .filter_map(|(key, value)| Some((Cow::Borrowed(key), vec![value.clone()?])))
                .collect(),
        }
    }
}

impl ObjectReference {
    /// The object of a resource request; `None` for any other.
    #[must_use]
    pub fn of(attributes: &Attributes) -> Option<Self> {
        attributes.is_resource_request.then(|| Self {
            resource: attributes.resource.to_string(),
            namespace: attributes.namespace.to_string(),
            name: attributes.name.to_string(),
            api_group: attributes.api_group.to_string(),
            api_version: attributes.api_version.to_string(),
            subresource: attributes.subresource.to_string(),
            ..Self::default()
        })
    }
}

impl<const KIND: bool> Constant<KIND> {
    const TEXT: &'static str = if KIND { "Event" } else { "audit.k8s.io/v1" };
}

impl<const KIND: bool> Serialize for Constant<KIND> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(Self::TEXT)
    }
}

impl<'de, const KIND: bool> Deserialize<'de> for Constant<KIND> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        if text != Self::TEXT {
            return Err(serde::de::Error::custom(format_args!("expected `{}`", Self::TEXT)));
        }
        Ok(Self)
    }
}

/// `metav1.MicroTime`: RFC 3339 in UTC with exactly six digits after the second.
pub(super) mod micros {
    use jiff::Timestamp;
    use jiff::fmt::temporal::DateTimePrinter;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use super::fmt;

    static PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(6));

    struct Micros(Timestamp);

    impl fmt::Display for Micros {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            PRINTER
                .print_timestamp(&self.0, jiff::fmt::StdFmtWrite(f))
                .map_err(|_| fmt::Error)
        }
    }

    /// The text of a timestamp.
    pub(in super::super) fn text(timestamp: Timestamp) -> String {
        Micros(timestamp).to_string()
    }

    pub(super) fn serialize<S: Serializer>(timestamp: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Micros(*timestamp))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        Timestamp::deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_as_upstream_writes_it() {
        let at = "2026-11-22T10:00:00Z".parse().unwrap();
        let mut event = Event::new("id-1", Stage::ResponseComplete, at, at)
            .with_outcome(Outcome::Deny)
            .with_response(ResponseStatus::from(&Refusal::policy("no")));
        event.request_uri = "/api/v1/namespaces/a/pods/x".into();
        event.verb = "delete".into();
        event.user = User::from(&Subject::new("agent-7").with_group("agents").with_session("s"));
        event.object_ref = Some(ObjectReference {
            resource: "pods".into(),
            namespace: "a".into(),
            name: "x".into(),
            api_version: "v1".into(),
            ..ObjectReference::default()
        });
        let line = serde_json::to_string(&event).unwrap();
        let expected = concat!(
            r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"id-1","#,
            r#""stage":"ResponseComplete","requestURI":"/api/v1/namespaces/a/pods/x","verb":"delete","#,
            r#""user":{"username":"agent-7","groups":["agents"],"extra":{"countersign.dev/session":["s"]}},"#,
            r#""objectRef":{"resource":"pods","namespace":"a","name":"x","apiVersion":"v1"},"#,
            r#""responseStatus":{"metadata":{},"status":"Failure","message":"no","reason":"Forbidden","code":403},"#,
            r#""requestReceivedTimestamp":"2026-11-22T10:00:00.000000Z","#,
            r#""stageTimestamp":"2026-11-22T10:00:00.000000Z","#,
            r#""annotations":{"countersign.dev/outcome":"deny"}}"#,
        );
        assert_eq!(line, expected);
        assert_eq!(serde_json::from_str::<Event>(&line).unwrap(), event);
        assert!(serde_json::from_str::<Event>(&line.replace("/v1\"", "/v2\"")).is_err());
    }
}
