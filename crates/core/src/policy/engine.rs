//! The contract of a policy engine, and the plain data that it returns.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::budget::Budget;
use super::denial::Denial;
use super::glob::matches;
use crate::digest::Digest;
use crate::mask::MaskPolicy;
use crate::request::{Canonical, Effects, Findings, Live, RewriteOperation};
use crate::subject::Subject;

/// Judges requests.
///
/// # Contract
/// - **Total**: every request gets an evaluation. What can't be evaluated is a deny whose message names the rule.
/// - **Deterministic**: the same arguments under the same [`revision`](Self::revision) give the same evaluation.
/// - **No waiting**: no I/O and no locks that are held across I/O. What the engine can't know, it names in
///   [`Evaluation::Needs`]; the caller fetches it and asks once more. Needs that were answered are not asked for again;
///   an engine that does is refused.
/// - **Failure**: a panic is caught and refused.
pub trait PolicyEngine: Send + Sync + 'static {
    /// What should happen to a request.
    fn evaluate(&self, subject: &Subject, request: &Canonical, facts: &Facts, now: Timestamp) -> Evaluation;

    /// Digest of the rules in force. An approval given under one revision is void under another.
    fn revision(&self) -> Digest;
}

impl<T: PolicyEngine + ?Sized> PolicyEngine for Arc<T> {
    fn evaluate(&self, subject: &Subject, request: &Canonical, facts: &Facts, now: Timestamp) -> Evaluation {
        (**self).evaluate(subject, request, facts, now)
    }

    fn revision(&self) -> Digest {
        (**self).revision()
    }
}

/// What an engine can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Need {
    /// The live object that the request is about.
    LiveObject,
    /// The Namespace object of the namespace that the request is in.
    Namespace,
}

/// What was fetched for an engine. What nobody fetched yet is `None`.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Facts {
    /// The live object.
    pub live_object: Option<Live>,
    /// The Namespace object.
    pub namespace: Option<Live>,
}

impl Facts {
    /// Facts with the live object, or with the knowledge that there is none to look at.
    #[must_use]
    pub fn with_live_object(mut self, live: Live) -> Self {
        self.live_object = Some(live);
        self
    }

    /// Facts with the Namespace object.
    #[must_use]
    pub fn with_namespace(mut self, live: Live) -> Self {
        self.namespace = Some(live);
        self
    }

    /// Whether a need is answered.
    #[must_use]
    pub fn has(&self, need: Need) -> bool {
        match need {
            Need::LiveObject => self.live_object.is_some(),
            Need::Namespace => self.namespace.is_some(),
        }
    }
}

/// What an engine answers.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "made once per request and taken apart at once")]
pub enum Evaluation {
    /// It knows.
    Verdict(Verdict),
    /// It has to know this first.
    Needs(Vec<Need>),
}

/// What should happen to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// Allow, deny or hold.
    pub outcome: Outcome,
    /// What the request does beyond what the gate saw, by what its body and the live object tell.
    pub effects: Effects,
    /// Every rule that fired and counts, in the order of the documents.
    pub fired: FiredRules,
    /// Every rule in shadow mode that would have fired: recorded, not enforced.
    pub shadow: Vec<FiredRule>,
    /// What was of concern about the change.
    pub findings: Findings,
    /// What has to be changed in the request before it is judged again.
    pub rewrites: Vec<Rewrite>,
    /// What has to be masked in the answer beyond what is always masked.
    pub masks: Vec<Arc<MaskObligation>>,
    /// How answers to the subject are masked, and what becomes of masked values that it writes back.
    pub masking: Arc<MaskPolicy>,
    /// Budgets that have to have something left, and are charged when the request goes on.
    pub budgets: Vec<Arc<Budget>>,
    /// What the caller is told in `Warning` headers, whatever the outcome.
    pub warnings: Vec<String>,
    /// Keys and values for the record.
    pub annotations: Vec<(String, String)>,
    /// A rule allows an upgraded connection whose bytes nobody sees; recorded as such.
    pub insecure_opaque_stream: bool,
}

impl Verdict {
    /// A verdict without fired rules and obligations.
    #[must_use]
    pub fn new(outcome: Outcome) -> Self {
        Self::masked_by(MaskPolicy::shared_default(), outcome)
    }

    /// The same, where answers are masked like this.
    #[inline]
    pub(super) fn masked_by(masking: Arc<MaskPolicy>, outcome: Outcome) -> Self {
        Self {
            outcome,
            effects: Effects::NONE,
            fired: FiredRules::default(),
            shadow: Vec::new(),
            findings: Findings::default(),
            rewrites: Vec::new(),
            masks: Vec::new(),
            masking,
            budgets: Vec::new(),
            warnings: Vec::new(),
            annotations: Vec::new(),
            insecure_opaque_stream: false,
        }
    }
}

/// A change of the request that a rule asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrite {
    /// `policy/rule`.
    pub rule: Arc<str>,
    /// What to change, in this order.
    pub operations: Arc<[RewriteOperation]>,
}

/// `team/cap-replicas: replace /spec/replicas`
impl fmt::Display for Rewrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.rule)?;
        for (index, operation) in self.operations.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(f, "{comma} {} {}", operation.op().as_str(), operation.pointer())?;
        }
        Ok(())
    }
}

/// Allow, deny or hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Send it.
    Allow,
    /// Never send it.
    Deny(Denial),
    /// Send it once all of these terms are met; at least one.
    Hold(Vec<Arc<HoldTerms>>),
}

impl Outcome {
    /// The name in records.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny(_) => "deny",
            Self::Hold(_) => "hold",
        }
    }
}

/// A rule that fired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiredRule {
    /// `policy/rule`.
    pub name: Arc<str>,
    /// What it asked for: `allow`, `deny`, `hold`, `mask` or `rewrite`.
    pub action: &'static str,
}

/// Rules that fired. A few are kept in place, so that a decision allocates nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FiredRules(SmallVec<[FiredRule; 4]>);

impl FiredRules {
    /// Adds a rule.
    pub fn push(&mut self, rule: FiredRule) {
        self.0.push(rule);
    }
}

impl Deref for FiredRules {
    type Target = [FiredRule];

    fn deref(&self) -> &[FiredRule] {
        &self.0
    }
}

impl FromIterator<FiredRule> for FiredRules {
    fn from_iter<I: IntoIterator<Item = FiredRule>>(rules: I) -> Self {
        Self(rules.into_iter().collect())
    }
}

/// Who has to approve, and for how long the request waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HoldTerms {
    /// The rule that holds the request.
    pub rule: String,
    /// Who may approve; any of them.
    pub approvers: Vec<Approver>,
    /// How many different approvers are needed.
    pub quorum: u32,
    /// How long the request waits.
    pub timeout: Duration,
    /// What the request is pinned to.
    pub pin: Pin,
}

/// A human, or a group of them, who may approve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Approver {
    /// One approver by name.
    User(String),
    /// Everybody in a group.
    Group(String),
}

/// What a held request is pinned to, from lax to strict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Pin {
    /// The same object: an object deleted and created anew under the same name is another one.
    Uid,
    /// The same object, unchanged.
    ResourceVersion,
}

/// Values to be masked in the answer, beyond those that always are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MaskObligation {
    /// The rule that asks for it.
    pub rule: String,
    /// Paths of masked values from the object's root, such as `data.*`.
    pub paths: Vec<MaskPath>,
    /// Globs of object names it is limited to; empty for all. A list is masked item by item.
    pub names: Vec<String>,
    /// Globs of namespaces it is limited to; empty for all. A list is masked item by item.
    pub namespaces: Vec<String>,
}

impl MaskObligation {
    /// Whether an item with this namespace and name is masked. What is empty is not known, or not there, and matches.
    #[must_use]
    pub fn covers(&self, namespace: &str, name: &str) -> bool {
        let any = |globs: &[String], text: &str| {
            globs.is_empty() || text.is_empty() || globs.iter().any(|glob| matches(glob, text))
        };
        any(&self.names, name) && any(&self.namespaces, namespace)
    }
}

/// A path to masked values: keys, with `*` for every member or element.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct MaskPath(Vec<String>);

/// A text that is no mask path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no path: keys joined by dots, `*` for every member, a key with dots as [\"a.b\"]")]
pub struct ParseMaskPathError(String);

impl MaskPath {
    /// The keys; `*` stands for every member or element.
    #[must_use]
    pub fn segments(&self) -> &[String] {
        &self.0
    }
}

impl std::str::FromStr for MaskPath {
    type Err = ParseMaskPathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseMaskPathError(text.to_owned());
        let mut segments = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(quoted) = rest.strip_prefix("[\"") {
                let (key, after) = quoted.split_once("\"]").ok_or_else(error)?;
                segments.push(key.to_owned());
                rest = after;
            } else {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                let (key, after) = rest.split_at_checked(end).ok_or_else(error)?;
                if key.is_empty() {
                    return Err(error());
                }
                segments.push(key.to_owned());
                rest = after;
            }
            if let Some(after) = rest.strip_prefix('.') {
                if after.is_empty() {
                    return Err(error());
                }
                rest = after;
            } else if !rest.is_empty() && !rest.starts_with('[') {
                return Err(error());
            }
        }
        if segments.is_empty() || segments.iter().any(String::is_empty) {
            return Err(error());
        }
        Ok(Self(segments))
    }
}

impl TryFrom<String> for MaskPath {
    type Error = ParseMaskPathError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<MaskPath> for String {
    fn from(path: MaskPath) -> Self {
        let mut text = String::new();
        for segment in path.0 {
            if segment.contains('.') || segment.contains('[') {
                text.push_str(&format!("[\"{segment}\"]"));
            } else {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(&segment);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mask_paths_read_back() {
        for text in [
            "data.*",
            "metadata.annotations[\"example.com/a.b\"]",
            "spec.items.*.value",
        ] {
            assert_eq!(String::from(text.parse::<MaskPath>().unwrap()), text);
        }
        for text in ["", ".", "data.", "a..b", "a[b]", "a[\"x\"]b"] {
            assert!(text.parse::<MaskPath>().is_err(), "{text}");
        }
    }
}
