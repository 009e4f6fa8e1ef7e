//! Changes of a request that a policy asks for, before it is sealed.

use crate::json::Value;

/// One change, as in a JSON Patch (RFC 6902).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RewriteOperation {
    pub(crate) op: RewriteOp,
    /// Tokens of the pointer, unescaped.
    pub(crate) path: Vec<String>,
    /// What to put there; none for a removal.
    pub(crate) value: Option<Value>,
}

/// What is done at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RewriteOp {
    /// Set a member, or insert an element.
    Add,
    /// Set what is there.
    Replace,
    /// Take out what is there.
    Remove,
}
