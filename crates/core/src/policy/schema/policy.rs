//! `kind: Policy`.

use serde::Serialize;

use super::masking::MaskingSpec;
use crate::request::Effect;

/// A policy of Countersign: who may do what, where, and what needs a human.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct PolicyDocument {
    /// Always `countersign.dev/v1alpha1`.
    #[cfg_attr(any(test, feature = "schema"), schemars(extend("const" = "countersign.dev/v1alpha1")))]
    pub api_version: &'static str,
    /// Always `Policy`.
    #[cfg_attr(any(test, feature = "schema"), schemars(extend("const" = "Policy")))]
    pub kind: &'static str,
    /// The name of the document.
    pub metadata: Metadata,
    /// What it says.
    pub spec: PolicySpec,
}

/// The name of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct Metadata {
    /// A DNS label; the first part of the names of rules and budgets.
    #[cfg_attr(any(test, feature = "schema"), schemars(regex(pattern = super::generate::DNS_LABEL)))]
    pub name: String,
}

/// What a policy says.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct PolicySpec {
    /// Whom the document is about; any of these.
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub subjects: Vec<SubjectSpec>,
    /// Shipped rules that speak where those of the document neither permit nor deny.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<ProfileName>,
    /// `shadow`: evaluated and recorded, not enforced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<ModeName>,
    /// What is permitted is permitted inside one of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub scopes: Vec<ScopeSpec>,
    /// What is of no concern about a change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<LimitsSpec>,
    /// Entries of the hard deny list that the rules may permit nevertheless.
    #[serde(rename = "insecure_permit", default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(
        any(test, feature = "schema"),
        schemars(length(min = 1), with = "Vec<super::generate::Forbidden>")
    )]
    pub insecure_permit: Vec<String>,
    /// The terms of holds that name none, and of what needs a human by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalSpec>,
    /// What is masked besides, and what becomes of masked values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masking: Option<MaskingSpec>,
    /// The rules, in any order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub rules: Vec<RuleSpec>,
    /// How much of something each subject may do in a while.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub budgets: Vec<BudgetSpec>,
}

/// A subject: all that is named has to fit. Patterns, in which `*` is any run of characters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[cfg_attr(any(test, feature = "schema"), schemars(extend("minProperties" = 1)))]
pub struct SubjectSpec {
    /// The name of the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub user: Option<String>,
    /// Another word for `user`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub agent: Option<String>,
    /// A group that it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub group: Option<String>,
    /// Whom it works for, if that was authenticated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub on_behalf_of: Option<String>,
}

/// A shipped document whose rules others can build on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub enum ProfileName {
    /// Looking only.
    Observe,
    /// Looking, and changes as dry runs.
    Suggest,
    /// Looking, and changes; what may take something away is held.
    Operate,
}

/// Whether something is enforced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub enum ModeName {
    /// It is.
    Enforce,
    /// It is evaluated and recorded only.
    Shadow,
}

/// Where rules may permit something.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct ScopeSpec {
    /// Patterns of namespaces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1), inner(regex(pattern = super::generate::NAMESPACE))))]
    pub namespaces: Vec<String>,
    /// Whether objects outside of namespaces are inside.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cluster_scoped: bool,
    /// Effects of which a request has no others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub effects: Vec<Effect>,
    /// Resources: `pods`, `pods/exec`, `deployments.apps`, `*.example.com`, `*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1), inner(length(min = 1))))]
    pub resources: Vec<String>,
}

/// What is of no concern about a change. What is not listed is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct LimitsSpec {
    /// Patterns of images that may run without a human.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(any(test, feature = "schema"), schemars(inner(length(min = 1))))]
    pub images: Vec<String>,
    /// Bounds of replicas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<ReplicasSpec>,
    /// Patterns of field managers whose server-side applies may remove what they applied before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(any(test, feature = "schema"), schemars(inner(length(min = 1))))]
    pub apply_managers: Vec<String>,
    /// Patterns of the keys of annotations that Secrets may have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(any(test, feature = "schema"), schemars(inner(length(min = 1))))]
    pub secret_annotations: Vec<String>,
    /// Capabilities that containers may add.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "Vec<super::generate::Capability>"))]
    pub capabilities: Vec<String>,
}

/// Bounds of replicas; outside of them a change takes something away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[cfg_attr(any(test, feature = "schema"), schemars(extend("minProperties" = 1)))]
pub struct ReplicasSpec {
    /// Fewest; 1 where none is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
    /// Most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
}

/// Who approves, how many of them, how long is waited, and what is pinned.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct ApprovalSpec {
    /// Who may approve; any of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub approvers: Vec<ApproverSpec>,
    /// How many different approvers are needed; 1 where none is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(range(min = 1)))]
    pub quorum: Option<u32>,
    /// How long the request waits, as `90s`, `10m` or `1h30m`; ten minutes where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(regex(pattern = super::generate::DURATION)))]
    pub timeout: Option<String>,
    /// What the request is pinned to; `resourceVersion` where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<PinName>,
}

/// A human, or a group of them, who may approve: one of both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[cfg_attr(any(test, feature = "schema"), schemars(extend("minProperties" = 1, "maxProperties" = 1)))]
pub struct ApproverSpec {
    /// One approver by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(regex(pattern = "^[^*]+$")))]
    pub user: Option<String>,
    /// Everybody in a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(regex(pattern = "^[^*]+$")))]
    pub group: Option<String>,
}

/// What a held request is pinned to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub enum PinName {
    /// The same object.
    Uid,
    /// The same object, unchanged.
    ResourceVersion,
}

/// A rule: what it is about, and one thing that it asks for.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[cfg_attr(any(test, feature = "schema"), schemars(extend("oneOf" = super::generate::actions())))]
pub struct RuleSpec {
    /// A DNS label, once in a document.
    #[cfg_attr(any(test, feature = "schema"), schemars(regex(pattern = super::generate::DNS_LABEL)))]
    pub name: String,
    /// What it is about; what is left out matches everything.
    #[serde(rename = "match")]
    pub matches: MatchSpec,
    /// A condition in CEL that has to hold besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub when: Option<String>,
    /// `shadow`: evaluated and recorded, not enforced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<ModeName>,
    /// It is permitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow: Option<AllowSpec>,
    /// It is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deny: Option<DenySpec>,
    /// It waits until humans approve it. What is left out, `spec.approval` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<ApprovalSpec>,
    /// It is changed before it is decided again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub rewrite: Vec<RewriteSpec>,
    /// Values of its answer are masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<MaskSpec>,
    /// Beside `allow`: an upgraded connection is let through, unseen and unrecorded.
    #[serde(
        rename = "insecure_opaque_stream",
        default,
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub insecure_opaque_stream: bool,
}

/// What a rule is about; what is left out matches everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct MatchSpec {
    /// Effects: all of a request's for an allow, any for everything else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub effects: Vec<Effect>,
    /// Verbs of RBAC.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub verbs: Vec<VerbName>,
    /// Resources: `pods`, `pods/exec`, `deployments.apps`, `*.example.com`, `*/scale`, `*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1), inner(length(min = 1))))]
    pub resources: Vec<String>,
    /// Patterns of namespaces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1), inner(regex(pattern = super::generate::NAMESPACE))))]
    pub namespaces: Vec<String>,
    /// Patterns of object names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(
        any(test, feature = "schema"),
        schemars(length(min = 1), inner(regex(pattern = "^[^/%]+$")))
    )]
    pub names: Vec<String>,
    /// Labels of the object, with patterns of their values.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    #[cfg_attr(any(test, feature = "schema"), schemars(extend("minProperties" = 1)))]
    pub labels: std::collections::BTreeMap<String, String>,
}

/// A verb of RBAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[expect(missing_docs, reason = "they are called what they are called in Kubernetes")]
pub enum VerbName {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
    Delete,
    DeleteCollection,
}

/// There is nothing to say about an allow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct AllowSpec {}

/// How a request is refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct DenySpec {
    /// What the caller is told instead of the guard's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub message: Option<String>,
}

/// One change, as in a JSON Patch.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct RewriteSpec {
    /// What is done.
    pub op: RewriteOpName,
    /// Where: a JSON Pointer into the object.
    #[cfg_attr(any(test, feature = "schema"), schemars(regex(pattern = "^/")))]
    pub path: String,
    /// What is put there, for `add` and `replace`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "super::generate::Anything"))]
    pub value: Option<serde_json::Value>,
}

/// What is done at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub enum RewriteOpName {
    /// Set a member, or insert an element.
    Add,
    /// Set what is there.
    Replace,
    /// Take out what is there.
    Remove,
}

/// Values that are masked in answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct MaskSpec {
    /// Paths from the object's root, such as `data.*`.
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1), inner(length(min = 1))))]
    pub paths: Vec<String>,
}

/// How much of something each subject may do in a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct BudgetSpec {
    /// A DNS label, once in a document.
    #[cfg_attr(any(test, feature = "schema"), schemars(regex(pattern = super::generate::DNS_LABEL)))]
    pub name: String,
    /// Effects that draw on it; any one.
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub effects: Vec<Effect>,
    /// What is counted.
    pub count: BudgetUnit,
    /// How many in the window.
    #[cfg_attr(any(test, feature = "schema"), schemars(range(min = 1)))]
    pub max: u32,
    /// Length of the sliding window, as `1h`; at most `720h`.
    #[cfg_attr(any(test, feature = "schema"), schemars(regex(pattern = super::generate::DURATION)))]
    pub per: String,
}

/// What a budget counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub enum BudgetUnit {
    /// One for each request.
    Requests,
    /// One for each object that a request touches.
    Objects,
}

impl PolicyDocument {
    /// A document of this name.
    #[must_use]
    pub fn new(name: impl Into<String>, spec: PolicySpec) -> Self {
        Self {
            api_version: "countersign.dev/v1alpha1",
            kind: "Policy",
            metadata: Metadata { name: name.into() },
            spec,
        }
    }
}

impl RuleSpec {
    /// A rule of this name that is about every request, and has to be told what it asks for.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }
}
