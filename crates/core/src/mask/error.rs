//! Why masking a body was given up.

use crate::json;
use crate::refusal::Refusal;

/// A body that can't be masked.
///
/// Its stream has to end in an error, never cleanly; if nothing was handed out yet, [`MaskError::to_refusal`] gives the
/// answer instead. Holds no byte of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the server's answer can't be masked: {kind}")]
pub struct MaskError {
    kind: MaskErrorKind,
}

/// What is wrong with a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum MaskErrorKind {
    /// Not JSON, or something follows the JSON.
    #[error("it is not valid JSON")]
    Malformed,
    /// JSON, but no object.
    #[error("it is no JSON object")]
    NotAnObject,
    /// It ends inside a value.
    #[error("it ends too early")]
    Truncated,
    /// Nested too deeply.
    #[error("it is nested too deeply")]
    TooDeep,
    /// One item is larger than what is held in memory.
    #[error("an item in it is too large")]
    ItemTooLarge,
    /// The same key twice in one object.
    #[error("a key in it is there twice")]
    DuplicateKey,
    /// The kind came after the items, and they may have been masked as the wrong one.
    #[error("its kind comes late and is not the one that the URL names")]
    KindDisagrees,
    /// A body where the head announced none.
    #[error("it has a body without a type")]
    UnexpectedBody,
}

impl MaskError {
    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> MaskErrorKind {
        self.kind
    }

    /// The answer for a caller to whom nothing was handed out yet.
    #[must_use]
    pub fn to_refusal(&self) -> Refusal {
        Refusal::upstream(self.to_string())
    }
}

impl From<MaskErrorKind> for MaskError {
    fn from(kind: MaskErrorKind) -> Self {
        Self { kind }
    }
}

impl From<json::Error> for MaskError {
    fn from(error: json::Error) -> Self {
        Self {
            kind: match error.kind {
                json::ErrorKind::DuplicateKey => MaskErrorKind::DuplicateKey,
                json::ErrorKind::TooDeep => MaskErrorKind::TooDeep,
                _ => MaskErrorKind::Malformed,
            },
        }
    }
}
