//! `vectors classify`: method and URL, as the front gate reads them.

use countersign_core::request::{Attributes, Target};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A case: of `requestinfo.json`, or any other with these fields.
#[derive(Debug, Deserialize)]
pub struct Case {
    /// Names the case in the answer.
    pub id: Value,
    /// HTTP method, as sent.
    pub method: String,
    /// Request target, as sent.
    pub url: String,
}

/// What the gate makes of a case.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// Names the case.
    pub id: Value,
    /// Accepted, accepted after a rewrite, or refused.
    pub outcome: Outcome,
    /// What upstream concludes; a refused request has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Attributes>,
    /// Canonical path and query; a refused request has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Why it was refused or rewritten.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What becomes of a request line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Accepted as it is.
    Classify,
    /// Accepted without its trailing slash.
    Canonicalize,
    /// Refused.
    Reject,
}

/// Reads one request line.
#[must_use]
pub fn classify(case: &Case) -> Answer {
    let id = case.id.clone();
    match Target::parse(&case.method, case.url.as_bytes()) {
        Err(refusal) => Answer {
            id,
            outcome: Outcome::Reject,
            attributes: None,
            target: None,
            reason: Some(refusal.message().to_owned()),
        },
        Ok(target) => {
            let (outcome, reason) = if target.is_canonicalized() {
                (Outcome::Canonicalize, Some("the trailing slash is dropped".to_owned()))
            } else {
                (Outcome::Classify, None)
            };
            Answer {
                id,
                outcome,
                attributes: Some(target.attributes().clone()),
                target: Some(target.path_and_query().to_owned()),
                reason,
            }
        }
    }
}
