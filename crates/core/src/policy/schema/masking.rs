//! `masking` of `kind: Policy`.

use serde::Serialize;

use crate::mask::{FieldTreatment, WithoutJson, WriteBack};

/// What is masked besides what always is, and what becomes of masked values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct MaskingSpec {
    /// Whether every value of an environment variable and of a ConfigMap is masked, whatever it looks like.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub strict: bool,
    /// Fields of kinds that are masked besides those that always are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub kinds: Vec<KindSpec>,
    /// What is looked for in text besides what always is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detect: Option<DetectSpec>,
    /// Values that were masked are not remembered, so they are not found again in logs, events and other objects.
    #[serde(
        rename = "insecure_forget_known_values",
        default,
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub insecure_forget_known_values: bool,
    /// What becomes of a masked value that is written back; it is refused where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_back: Option<WriteBack>,
    /// What becomes of a caller that accepts no JSON; it gets JSON where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept: Option<WithoutJson>,
    /// Whether a `Warning` header tells how many values were masked, where that is known before the answer goes out; yes
    /// where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<bool>,
}

/// A field of a kind of object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct KindSpec {
    /// The kind, as objects name it: `Widget`.
    #[cfg_attr(any(test, feature = "schema"), schemars(regex(pattern = "^[A-Za-z0-9]{1,63}$")))]
    pub kind: String,
    /// Groups that the kind is in, `""` for core; of any group where nothing is said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub groups: Vec<String>,
    /// Where the values are, from the object's root, through lists: `spec.credentials.*`.
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub path: String,
    /// What becomes of them.
    pub treatment: FieldTreatment,
    /// Why, for whoever reads the policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub why: Option<String>,
}

/// What is looked for in text besides what always is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct DetectSpec {
    /// Whether what identifies people is looked for: card numbers, IBANs, e-mail addresses.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pii: bool,
    /// Rules of your own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub rules: Vec<DetectRuleSpec>,
    /// Names whose values are secret, such as `acmeKey`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(
        any(test, feature = "schema"),
        schemars(length(min = 1), inner(regex(pattern = "^[A-Za-z0-9._-]{1,64}$")))
    )]
    pub names: Vec<String>,
    /// Shipped rules that are switched off, by their ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(
        any(test, feature = "schema"),
        schemars(length(min = 1), inner(regex(pattern = super::generate::DNS_LABEL)))
    )]
    pub insecure_disable: Vec<String>,
}

/// Something that is looked for in text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct DetectRuleSpec {
    /// A DNS label, once in a document; reported as `policy/rule`.
    #[cfg_attr(any(test, feature = "schema"), schemars(regex(pattern = super::generate::DNS_LABEL)))]
    pub id: String,
    /// What it finds.
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub description: String,
    /// Why it is looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub why: Option<String>,
    /// A regular expression, in the syntax of Rust's `regex`, without Unicode. The group `secret` (`(?P<secret>…)`) is the
    /// secret, or else all of it.
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1)))]
    pub pattern: String,
    /// Its tests, which are run when the policy is loaded.
    pub examples: ExamplesSpec,
}

/// Tests of a rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct ExamplesSpec {
    /// Texts in which it finds something; exactly what stands between `⟦` and `⟧`, if anything does.
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1), inner(length(min = 1))))]
    pub positive: Vec<String>,
    /// Texts in which it finds nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(any(test, feature = "schema"), schemars(length(min = 1), inner(length(min = 1))))]
    pub negative: Vec<String>,
}
