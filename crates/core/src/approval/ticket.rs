//! What approvers see, and what they say.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::digest::{Digest, FieldHasher};
use crate::policy::{Approver, HoldTerms};
use crate::request::{Effects, Finding, PinnedObject, Sealed};
use crate::subject::{Claims, Subject};

/// Names a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TicketId(String);

impl TicketId {
    /// A ticket's name.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TicketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One request that waits for approvers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Ticket {
    /// Its name, derived from the key: opening the same ticket twice gives the same one.
    pub id: TicketId,
    /// Digest of the sealed request that is approved.
    pub digest: Digest,
    /// Who has to approve: every one of these terms.
    pub terms: Vec<HoldTerms>,
    /// When it was opened.
    pub opened: Timestamp,
    /// When it lapses: the shortest timeout of all terms.
    pub expires: Timestamp,
    /// What approvers see.
    pub review: Review,
}

/// What approvers see of a request, as data. Everything in it that came from the caller is untrusted text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Review {
    /// Who asks.
    pub subject: Subject,
    /// What the agent says about it: claims, not facts.
    pub claims: Claims,
    /// The cluster.
    pub cluster: String,
    /// HTTP method.
    pub method: String,
    /// Canonical path and query.
    pub target: String,
    /// Verb.
    pub verb: &'static str,
    /// Resource, with subresource and group.
    pub resource: String,
    /// Namespace, empty for cluster scope.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// What it does.
    pub effects: Effects,
    /// What is of concern about the change. Paths and values are the agent's text.
    pub findings: Vec<Finding>,
    /// What the policy changed in the agent's request, as `policy/rule: replace /spec/replicas`.
    pub rewrites: Vec<String>,
    /// Paths in the body at which the mask's marker stands for a live value that stays as it is.
    pub restored: Vec<String>,
    /// Type of the body, empty without one: the same bytes mean another change as another kind of patch.
    pub content_type: String,
    /// The body exactly as it will be sent, pins included; but with the mask's marker where a value is restored.
    pub body: String,
    /// The objects that it is pinned to.
    pub targets: Vec<PinnedObject>,
    /// Whether it can't be undone by another request.
    pub irreversible: bool,
}

/// A request with more body than this can't be shown whole, so it can't be approved.
pub const MAX_REVIEW_BYTES: usize = 64 * 1024;

impl Ticket {
    /// The ticket for a held request. `nonce` tells calls apart that each wait for an approval of their own.
    #[must_use]
    pub fn new(sealed: &Sealed, claims: &Claims, nonce: &str, now: Timestamp) -> Self {
        let mut key = FieldHasher::new("countersign.dev/ticket/v1");
        key.field("digest", sealed.digest().as_bytes()).field("nonce", nonce);
        let terms: Vec<HoldTerms> = sealed
            .decision()
            .holds()
            .iter()
            .map(|terms| (**terms).clone())
            .collect();
        let timeout = terms.iter().map(|terms| terms.timeout).min().unwrap_or_default();
        Self {
            id: TicketId(key.finish().short()),
            digest: sealed.digest(),
            terms,
            opened: now,
            // A timeout that no clock reaches is no timeout; the ticket then lapses at once.
            expires: now.checked_add(timeout).unwrap_or(now),
            review: Review::new(sealed, claims),
        }
    }
}

impl Review {
    fn new(sealed: &Sealed, claims: &Claims) -> Self {
        let request = sealed.request();
        let attributes = request.attributes();
        let mut resource = attributes.resource.to_string();
        if !attributes.subresource.is_empty() {
            resource = format!("{resource}/{}", attributes.subresource);
        }
        if !attributes.api_group.is_empty() {
            resource = format!("{resource}.{}", attributes.api_group);
        }
        let bodies: Vec<_> = sealed
            .plan()
            .iter()
            .map(|request| String::from_utf8_lossy(&request.body))
            .collect();
        Self {
            subject: sealed.subject().clone(),
            claims: claims.clone(),
            cluster: sealed.cluster().as_str().to_owned(),
            method: request.method().to_string(),
            target: request.target().to_owned(),
            verb: attributes.verb.as_str(),
            resource,
            namespace: attributes.namespace.to_string(),
            name: attributes.name.to_string(),
            effects: sealed.decision().effects(),
            findings: sealed.decision().findings().to_vec(),
            rewrites: sealed.decision().rewrites().iter().map(ToString::to_string).collect(),
            restored: sealed.restored().iter().map(|key| format!("data.{key}")).collect(),
            content_type: request.content_type().unwrap_or_default().to_owned(),
            body: bodies.join("\n"),
            targets: sealed.targets().to_vec(),
            irreversible: sealed
                .decision()
                .effects()
                .contains(crate::request::Effect::Destructive),
        }
    }
}

/// What an approver says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Send it.
    Approve,
    /// Don't.
    Deny,
}

/// One answer of one human. The backend vouches for who it was; what it counts for is decided by
/// [`tally`](super::tally).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Vote {
    /// Who.
    pub user: String,
    /// The groups that the backend knows them to be in.
    #[serde(default)]
    pub groups: Vec<String>,
    /// What they said.
    pub answer: Answer,
    /// Why, in their own words.
    #[serde(default)]
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
}

impl Vote {
    /// A vote of a human in some groups.
    #[must_use]
    pub fn new(user: impl Into<String>, answer: Answer, at: Timestamp) -> Self {
        Self {
            user: user.into(),
            groups: Vec::new(),
            answer,
            reason: None,
            at,
        }
    }

    /// Adds a group.
    #[must_use]
    pub fn with_group(mut self, group: impl Into<String>) -> Self {
        self.groups.push(group.into());
        self
    }

    /// Adds a reason.
    #[must_use]
    pub fn with_reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Whether this human is one of the approvers.
    #[must_use]
    pub fn is_by_any_of(&self, approvers: &[Approver]) -> bool {
        approvers.iter().any(|approver| match approver {
            Approver::User(user) => *user == self.user,
            Approver::Group(group) => self.groups.contains(group),
        })
    }
}
