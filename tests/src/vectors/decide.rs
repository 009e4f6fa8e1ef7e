//! `vectors decide`: a request, from its bytes to what becomes of it under `tests/policies/agent.yaml`.

use std::sync::Arc;

use countersign_core::policy::{Approver, Decided, Decision, Facts, FiredRule, PolicySet, Ruling, decide};
use countersign_core::request::{Canonical, Effects, Gate, Live, Target};
use countersign_core::{Refusal, Subject};
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{GUARD_NAMESPACE, catalog};

/// The policy that the cases are judged under.
pub const POLICY: &str = include_str!("../../policies/agent.yaml");

/// A case: of `threats.json`, or any other with these fields. Nothing else of a case is read.
#[derive(Debug, Deserialize)]
pub struct Case {
    /// Names the case in the answer.
    pub id: Value,
    /// HTTP method, as sent.
    pub method: String,
    /// Request target, as sent.
    pub url: String,
    /// Header lines, in order.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// Body; absent without one.
    #[serde(default)]
    pub body: Option<String>,
}

/// A case of `threats.json`, with what it says becomes of it.
#[derive(Debug, Deserialize)]
pub struct Expected {
    /// The case.
    #[serde(flatten)]
    pub case: Case,
    /// What it is an example of.
    pub category: String,
    /// What it is about.
    pub title: String,
    /// What becomes of it.
    pub expect: Outcome,
}

/// What becomes of a case.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// Names the case.
    pub id: Value,
    /// Sent, held or refused.
    pub outcome: Outcome,
    /// What else happens to what is sent and to its answer.
    pub obligations: Vec<&'static str>,
    /// HTTP status, if it is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The rule that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// What the request does; a request that the gate refused does nothing.
    pub effects: Effects,
    /// In words.
    pub why: String,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Sent at once.
    Forward,
    /// Sent once somebody approved it.
    Approve,
    /// Never sent.
    Deny,
}

/// Gate and policy, as the cases have them.
pub struct Judge {
    gate: Gate,
    policy: PolicySet,
    subject: Subject,
}

impl Judge {
    /// The agent, the cluster and the policy of the cases.
    ///
    /// # Panics
    /// If the policy does not load.
    #[must_use]
    pub fn new() -> Self {
        Self {
            gate: Gate::new(Arc::new(catalog()))
                .with_guard_namespace(GUARD_NAMESPACE)
                .with_guard_identity("system:serviceaccount:agent-guard:guard"),
            policy: PolicySet::from_yaml(&[("agent.yaml", POLICY)]).unwrap_or_else(|errors| panic!("{errors}")),
            subject: Subject::new("agent-7").with_group("agents"),
        }
    }

    /// Judges one case.
    #[must_use]
    pub fn decide(&self, case: &Case) -> Answer {
        let id = case.id.clone();
        let request = match self.understand(case) {
            Ok(request) => request,
            Err(refusal) => return denied(id, Effects::NONE, &refusal),
        };
        let effects = request.effects();
        let mut facts = Facts::default();
        let mut request = request;
        loop {
            let now = Timestamp::UNIX_EPOCH;
            match decide(&self.policy, &self.subject, request, &facts, now) {
                Ruling::Granted(decided) => return granted(id, case, &decided),
                Ruling::Denied { decision, refusal } => {
                    let effects = decision.map_or(effects, |decision| decision.effects());
                    return denied(id, effects, &refusal);
                }
                // No case comes with a live object.
                Ruling::Needs { request: back, .. } => {
                    request = back;
                    facts = facts
                        .with_live_object(Live::Unreadable)
                        .with_namespace(Live::Unreadable);
                }
            }
        }
    }

    fn understand(&self, case: &Case) -> Result<Canonical, Refusal> {
        let target = Target::parse(&case.method, case.url.as_bytes())?;
        let body = case.body.as_deref().unwrap_or_default();
        self.gate.head(target, &headers(case)?)?.with_body(body.as_bytes())
    }
}

impl Default for Judge {
    fn default() -> Self {
        Self::new()
    }
}

/// The header lines, if they could arrive at all: an HTTP library refuses the others before anybody sees them.
fn headers(case: &Case) -> Result<HeaderMap, Refusal> {
    let mut headers = HeaderMap::new();
    for (name, value) in &case.headers {
        let pair = HeaderName::try_from(name.as_str())
            .ok()
            .zip(HeaderValue::try_from(value.as_bytes()).ok());
        let (name, value) = pair.ok_or_else(|| Refusal::malformed("a header line is no valid HTTP"))?;
        headers.append(name, value);
    }
    Ok(headers)
}

fn granted(id: Value, case: &Case, decided: &Decided) -> Answer {
    let decision = decided.decision();
    let fired = |action: &str| decision.fired().iter().find(|rule| rule.action == action);
    let (outcome, rule, why) = if decision.holds().is_empty() {
        let rule = fired("allow");
        let why = format!("allowed by {}", name(rule));
        (Outcome::Forward, rule, why)
    } else {
        let rule = fired("hold");
        let why = format!("held by {} for {}", name(rule), approvers(decision));
        (Outcome::Approve, rule, why)
    };
    Answer {
        id,
        outcome,
        obligations: obligations(case, decided),
        status: None,
        rule: rule.map(|rule| rule.name.to_string()),
        effects: decision.effects(),
        why,
    }
}

fn name(rule: Option<&FiredRule>) -> &str {
    rule.map_or("no rule", |rule| &rule.name)
}

fn approvers(decision: &Decision) -> String {
    let approvers = decision.holds().iter().flat_map(|terms| &terms.approvers);
    let names: Vec<String> = approvers
        .map(|approver| match approver {
            Approver::User(user) => format!("user {user}"),
            Approver::Group(group) => format!("group {group}"),
        })
        .collect();
    names.join(", ")
}

/// Whether what is sent differs from what came, and whether the answer has objects in it.
fn obligations(case: &Case, decided: &Decided) -> Vec<&'static str> {
    let request = decided.request();
    let accept = case
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("accept"));
    let rewritten = request.target() != case.url
        || !decided.decision().rewrites().is_empty()
        || !request.dropped_headers().is_empty()
        || accept.is_some_and(|(_, value)| value != request.accept());
    let masked = request.attributes().is_resource_request && request.upgrade().is_none();
    [(rewritten, "rewrite"), (masked, "mask")]
        .into_iter()
        .filter_map(|(applies, obligation)| applies.then_some(obligation))
        .collect()
}

fn denied(id: Value, effects: Effects, refusal: &Refusal) -> Answer {
    let remedy = refusal
        .remedy()
        .map(|remedy| format!(" ({remedy})"))
        .unwrap_or_default();
    Answer {
        id,
        outcome: Outcome::Deny,
        obligations: Vec::new(),
        status: Some(refusal.status().as_u16()),
        rule: refusal.rule().map(ToOwned::to_owned),
        effects,
        why: format!("{}{remedy}", refusal.message()),
    }
}
