//! What is wrong with a rule.

use crate::escape::escape_clip;

/// A rule that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("detection rule \"{}\": {problem}", escape_clip(rule, 64))]
pub struct RuleError {
    rule: String,
    problem: String,
}

impl RuleError {
    pub(super) fn new(rule: &str, problem: impl Into<String>) -> Self {
        Self {
            rule: rule.to_owned(),
            problem: problem.into(),
        }
    }

    /// The id of the rule.
    #[must_use]
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// What is wrong with it. No example is quoted: it may be a real secret.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }
}
