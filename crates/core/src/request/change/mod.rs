//! What a change does to an object, as far as its body and the live object tell: findings, each with its place.
//!
//! Rules: `kubernetes.md` sections 4.1, 7.6, 7.8, 18 and 21. A finding says what is there; whether it is of concern under
//! a policy's limits is the policy's matter (`policy/limits.rs`).

#[cfg(test)]
mod cases;
mod claims;
mod concern;
pub(super) mod hard_deny;
mod place;
mod routing;
mod rules;
mod secret_annotation;
mod service;
mod sightings;
mod states;
mod workload;

use serde::Serialize;

pub use concern::{Concern, Weight};

use super::attributes::Verb;
use super::canonical::Canonical;
use super::live::Live;

/// What a create, an update, a patch or a deletion does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    findings: Vec<Finding>,
    supplies_hidden_value: bool,
}

/// One thing that a change does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What it is.
    pub concern: Concern,
    /// JSON Pointer (RFC 6901) of the place in the object; empty for the whole of it.
    pub path: String,
    /// What limits are compared with: a number of replicas, an image, a manager, an annotation key, a capability.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// It is assumed because the live object was not looked at; looking may show that it is not so.
    pub assumed: bool,
}

impl Change {
    /// Understands a request.
    ///
    /// `live` is what reading the object gave; `None` if nobody read it yet. What the body alone does not settle is a
    /// finding that is [`assumed`](Finding::assumed) as long as the object was not read, and stays a finding (no longer
    /// assumed) if it is [`Live::Unreadable`]. Requests that change nothing have no findings.
    #[must_use]
    pub fn of(request: &Canonical, live: Option<&Live>) -> Self {
        let writes = matches!(request.attributes().verb, Verb::Create | Verb::Update | Verb::Patch);
        if !writes {
            return Self::default();
        }
        Self {
            findings: vec![Finding {
                concern: Concern::RemovesField,
                path: String::new(),
                value: None,
                assumed: live.is_none(),
            }],
            supplies_hidden_value: true,
        }
    }

    /// What it does, in the order of the paths.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Whether it supplies a value at a place of an existing object where a value may be masked: then even a dry run
    /// could tell whether a guess was right.
    #[must_use]
    pub fn supplies_hidden_value(&self) -> bool {
        self.supplies_hidden_value
    }
}
