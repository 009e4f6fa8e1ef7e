//! `kind: PolicyTest`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::policy::{Metadata, VerbName};
use crate::request::Effect;

/// Tests of a policy: what should become of which request of whom.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct PolicyTestDocument {
    /// Always `countersign.dev/v1alpha1`.
    #[cfg_attr(any(test, feature = "schema"), schemars(extend("const" = "countersign.dev/v1alpha1")))]
    pub api_version: &'static str,
    /// Always `PolicyTest`.
    #[cfg_attr(any(test, feature = "schema"), schemars(extend("const" = "PolicyTest")))]
    pub kind: &'static str,
    /// The name of the document.
    pub metadata: Metadata,
    /// The cases.
    pub spec: PolicyTestSpec,
}

/// Cases, and who asks in them.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct PolicyTestSpec {
    /// Who asks in the cases that name nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<TestSubjectSpec>,
    /// The cases.
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub cases: Vec<CaseSpec>,
}

/// One case.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct CaseSpec {
    /// What is tested, in words.
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub name: String,
    /// Who asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<TestSubjectSpec>,
    /// What is asked.
    pub request: RequestSpec,
    /// The object as the server has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<LiveSpec>,
    /// The Namespace object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace_object: Option<LiveSpec>,
    /// The time of the request, as `2026-03-01T09:00:00Z`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub now: Option<String>,
    /// What should become of it.
    pub expect: ExpectSpec,
}

/// Who asks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct TestSubjectSpec {
    /// The name of the agent.
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub user: String,
    /// Groups that it is in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(any(test, feature = "schema"), schemars(inner(length(min = 1))))]
    pub groups: Vec<String>,
    /// Whom it works for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub on_behalf_of: Option<String>,
    /// Its session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub session: Option<String>,
}

/// A request: as it is sent (`method` and `path`), or in the words of RBAC (`verb` and `resource`).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[cfg_attr(any(test, feature = "schema"), schemars(extend("anyOf" = super::generate::requests())))]
pub struct RequestSpec {
    /// HTTP method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub method: Option<String>,
    /// Path and query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub path: Option<String>,
    /// A verb of RBAC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verb: Option<VerbName>,
    /// `pods`, `pods/exec`, `deployments.apps`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub resource: Option<String>,
    /// The namespace of the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub namespace: Option<String>,
    /// The name of the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub name: Option<String>,
    /// The version of the API; that of the body, or `v1`, where none is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub version: Option<String>,
    /// The type of a patch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<PatchName>,
    /// Keys and values of the query.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, HeaderValues>,
    /// Whether the server is asked not to store what it does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// Headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, HeaderValues>,
    /// The body; text is sent as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "super::generate::Anything"))]
    pub body: Option<serde_json::Value>,
}

/// One value, or several of one name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub enum HeaderValues {
    /// Text.
    Text(String),
    /// A whole number, sent as text.
    Number(i64),
    /// `true` or `false`, sent as text.
    Flag(bool),
    /// Several.
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "super::generate::Several"))]
    Several(Vec<HeaderValues>),
}

/// An object, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub enum LiveSpec {
    /// The object.
    Object(serde_json::Map<String, serde_json::Value>),
    /// `absent`, or `unreadable`.
    Missing(#[cfg_attr(any(test, feature = "schema"), schemars(extend("enum" = ["absent", "unreadable"])))] String),
}

/// The type of a patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub enum PatchName {
    /// JSON Patch.
    Json,
    /// Merge patch.
    Merge,
    /// Strategic merge patch.
    Strategic,
    /// Server-side apply.
    Apply,
}

/// What should become of a request; what is left out does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct ExpectSpec {
    /// The outcome.
    pub outcome: OutcomeName,
    /// A rule that fired and asked for this outcome, as `document/rule`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(regex(pattern = "/")))]
    pub rule: Option<String>,
    /// Everything that the request does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effects: Option<Vec<Effect>>,
    /// What a refused caller is told; a pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub message: Option<String>,
    /// All rules that rewrite the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(inner(regex(pattern = "/"))))]
    pub rewrites: Option<Vec<String>>,
    /// All rules that mask the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(inner(regex(pattern = "/"))))]
    pub masks: Option<Vec<String>>,
    /// All rules in shadow that fired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(inner(regex(pattern = "/"))))]
    pub shadow: Option<Vec<String>>,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub enum OutcomeName {
    /// It is sent.
    Allow,
    /// It is refused.
    Deny,
    /// It waits for a human.
    Hold,
}

impl PolicyTestDocument {
    /// A document of this name.
    #[must_use]
    pub fn new(name: impl Into<String>, spec: PolicyTestSpec) -> Self {
        Self {
            api_version: "countersign.dev/v1alpha1",
            kind: "PolicyTest",
            metadata: Metadata { name: name.into() },
            spec,
        }
    }
}
