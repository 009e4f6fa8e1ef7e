//! The documents as types: for programs that write policies, and for the JSON Schema by which editors complete them.
//!
//! 1. The types only write. What is read goes through the loader, which says where something is wrong;
//!    [`PolicySet::from_documents`] sends what a program built the same way.
//! 2. The schema (feature `schema`) is generated from the types and committed in `schemas/`. It knows the same fields as
//!    the loader, and refuses nothing that the loader accepts. It accepts what only the loader can know to be wrong, such
//!    as a typo in a condition.
//!
//! An editor that speaks YAML takes it by a comment on the first line:
//! `# yaml-language-server: $schema=…/schemas/policy.json`.

mod masking;
mod policy;
mod test;

pub use masking::{DetectRuleSpec, DetectSpec, ExamplesSpec, KindSpec, MaskingSpec};
pub use policy::{
    AllowSpec, ApprovalSpec, ApproverSpec, BudgetSpec, BudgetUnit, DenySpec, LimitsSpec, MaskSpec, MatchSpec, Metadata,
    ModeName, PinName, PolicyDocument, PolicySpec, ProfileName, ReplicasSpec, RewriteOpName, RewriteSpec, RuleSpec,
    ScopeSpec, SubjectSpec, VerbName,
};
pub use test::{
    CaseSpec, ExpectSpec, HeaderValues, LiveSpec, OutcomeName, PatchName, PolicyTestDocument, PolicyTestSpec,
    RequestSpec, TestSubjectSpec,
};

use super::document::LoadErrors;
use super::set::PolicySet;

#[cfg(any(test, feature = "schema"))]
mod generate;

#[cfg(any(test, feature = "schema"))]
pub use generate::{policy_schema, policy_test_schema};

impl PolicySet {
    /// Loads documents that a program built.
    ///
    /// ```
    /// use countersign_core::policy::PolicySet;
    /// use countersign_core::policy::schema::*;
    /// use countersign_core::request::Effect;
    ///
    /// let look = RuleSpec {
    ///     matches: MatchSpec { effects: vec![Effect::Read], ..MatchSpec::default() },
    ///     allow: Some(AllowSpec {}),
    ///     ..RuleSpec::named("look")
    /// };
    /// let document = PolicyDocument::new("triage", PolicySpec {
    ///     subjects: vec![SubjectSpec { group: Some("agents".into()), ..SubjectSpec::default() }],
    ///     scopes: vec![ScopeSpec { namespaces: vec!["team-a".into()], ..ScopeSpec::default() }],
    ///     rules: vec![look],
    ///     ..PolicySpec::default()
    /// });
    /// PolicySet::from_documents(&[document])?;
    /// # Ok::<(), countersign_core::policy::LoadErrors>(())
    /// ```
    ///
    /// # Errors
    /// Everything that is wrong with them. The file of an error is the name of its document; lines and columns are those
    /// of the document as indented JSON.
    pub fn from_documents(documents: &[PolicyDocument]) -> Result<Self, LoadErrors> {
        let sources: Vec<(&str, String)> = documents
            .iter()
            .map(|document| {
                // Types with text, numbers and lists only always have a JSON form; an empty text is refused below.
                let text = serde_json::to_string_pretty(document).unwrap_or_default();
                (document.metadata.name.as_str(), text)
            })
            .collect();
        Self::from_yaml(&sources)
    }
}

#[cfg(test)]
mod tests;
