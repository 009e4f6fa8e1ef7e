//! Which policy is in force, since when, and what became of newer versions.

use countersign_core::Timestamp;
use countersign_core::digest::Digest;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Gauge};

/// Which policy is in force, and whether it is the newest.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyStatus {
    /// Digest of the rules in force, as every decision carries it.
    pub revision: Digest,
    /// When they came into force.
    pub since: Timestamp,
    /// Why a newer version is not in force; none if what is in force is what the source says.
    pub error: Option<PolicyProblem>,
}

/// Why a newer version of a policy is not in force.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyProblem {
    /// When it was first seen.
    pub since: Timestamp,
    /// What is wrong, with file, line and column where a document is to blame.
    pub message: String,
}

impl PolicyStatus {
    /// A policy that came into force.
    #[must_use]
    pub fn in_force(revision: Digest, since: Timestamp) -> Self {
        Self {
            revision,
            since,
            error: None,
        }
    }

    /// The same policy, with a newer version that is broken. One that is broken as before is not news.
    #[must_use]
    pub fn with_problem(mut self, message: String, now: Timestamp) -> Self {
        if self.error.as_ref().is_none_or(|known| known.message != message) {
            self.error = Some(PolicyProblem { since: now, message });
        }
        self
    }
}

/// Tells an operator what becomes of new versions: as an event, and as the metrics `countersign.policy.reloads` (by
/// outcome, `accepted` or `refused`) and `countersign.policy.stale` (1 while a broken version waits to be repaired).
#[derive(Debug, Clone)]
pub struct PolicyReporter {
    source: String,
    reloads: Counter<u64>,
    stale: Gauge<u64>,
}

impl PolicyReporter {
    /// Reports under the name of a source, such as a directory.
    #[must_use]
    pub fn new(source: impl Into<String>) -> Self {
        let meter = opentelemetry::global::meter("countersign");
        Self {
            source: source.into(),
            reloads: meter
                .u64_counter("countersign.policy.reloads")
                .with_description("New versions of the policy, by what became of them")
                .build(),
            stale: meter
                .u64_gauge("countersign.policy.stale")
                .with_description("1 while the policy in force is not what its source says")
                .build(),
        }
    }

    /// A new version is in force.
    pub fn accepted(&self, status: &PolicyStatus) {
        let (source, revision) = (&self.source, status.revision);
        tracing::info!(source, %revision, "policy in force");
        self.count("accepted", 0);
    }

    /// A new version is broken; what was in force stays.
    pub fn refused(&self, status: &PolicyStatus) {
        let (source, revision) = (&self.source, status.revision);
        let error = status.error.as_ref().map_or("", |problem| problem.message.as_str());
        // In the message, not in a field: those are shown on one line, and this has excerpts.
        tracing::error!(source, %revision, "the new policy is broken; the old one stays in force:\n{error}");
        self.count("refused", 1);
    }

    /// What is broken was put back to what is in force.
    pub fn recovered(&self, status: &PolicyStatus) {
        let (source, revision) = (&self.source, status.revision);
        tracing::info!(source, %revision, "the policy's source says again what is in force");
        self.stale.record(0, &[self.attribute()]);
    }

    fn count(&self, outcome: &'static str, stale: u64) {
        self.reloads
            .add(1, &[KeyValue::new("outcome", outcome), self.attribute()]);
        self.stale.record(stale, &[self.attribute()]);
    }

    fn attribute(&self) -> KeyValue {
        KeyValue::new("source", self.source.clone())
    }
}
