//! What became of a request, more precisely than a stage and a status code can say it.

use std::fmt;

/// What became of a request; the value of [`annotation::OUTCOME`](super::annotation::OUTCOME).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The policy permits it; in a final record: it was sent, and the answer was delivered.
    Allow,
    /// Refused by the policy, or before the policy was asked. Nothing was sent.
    Deny,
    /// It waits for an approver. Nothing was sent so far.
    Hold,
    /// An approver permits it; in a final record: it was sent once, and the answer was delivered.
    HoldApproved,
    /// An approver refused it. Nothing was sent.
    HoldDenied,
    /// Nobody decided in time. Nothing was sent.
    HoldExpired,
    /// The caller was told to repeat it after approval. Nothing was sent.
    HoldDeferred,
    /// It passed only since an `insecure_` setting lets it.
    FailOpen,
    /// The caller went away before anything was sent.
    CallerLeft,
    /// It was sent, and nobody knows what it did: the answer was lost or could not be recorded.
    Unknown,
    /// A breakdown: of ours, of the user's code, or of the connection before anything was sent.
    Error,
    /// No request: records are missing here.
    Gap,
}

/// A text that is no outcome.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an outcome of a request")]
pub struct ParseOutcomeError;

impl Outcome {
    /// All outcomes.
    pub const ALL: [Self; 12] = [
        Self::Allow,
        Self::Deny,
        Self::Hold,
        Self::HoldApproved,
        Self::HoldDenied,
        Self::HoldExpired,
        Self::HoldDeferred,
        Self::FailOpen,
        Self::CallerLeft,
        Self::Unknown,
        Self::Error,
        Self::Gap,
    ];

    /// The name in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Hold => "hold",
            Self::HoldApproved => "hold-approved",
            Self::HoldDenied => "hold-denied",
            Self::HoldExpired => "hold-expired",
            Self::HoldDeferred => "hold-deferred",
            Self::FailOpen => "fail-open",
            Self::CallerLeft => "caller-left",
            Self::Unknown => "unknown",
            Self::Error => "error",
            Self::Gap => "gap",
        }
    }

    /// Whether a final record with this outcome says that the request was sent, or may have been.
    #[must_use]
    pub fn was_sent(self) -> bool {
        matches!(self, Self::Allow | Self::HoldApproved | Self::FailOpen | Self::Unknown)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for Outcome {
    type Err = ParseOutcomeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|outcome| outcome.as_str() == text)
            .ok_or(ParseOutcomeError)
    }
}
