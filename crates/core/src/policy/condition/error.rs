//! What is wrong with a condition, and where.

use crate::policy::document::nearest;

/// What is wrong with a condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(in crate::policy) struct ConditionError {
    /// What is wrong.
    pub(in crate::policy) message: String,
    /// Where, in characters from the beginning of the text.
    pub(in crate::policy) offset: usize,
    /// What was probably meant.
    pub(in crate::policy) suggestion: Option<String>,
}

impl ConditionError {
    pub(super) fn new(offset: usize, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            offset,
            suggestion: None,
        }
    }

    /// With the known word that comes nearest.
    pub(super) fn with_nearest(mut self, word: &str, known: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.suggestion = nearest(word, known);
        self
    }
}
