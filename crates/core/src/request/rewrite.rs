//! Changes of a request that a policy asks for, before it is sealed.

use crate::json::{MAX_DEPTH, Value};

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

/// A text that is no JSON Pointer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no path: keys behind a `/` each, as in `/spec/replicas`, with `~1` for `/` and `~0` for `~` in a key"
)]
pub struct ParsePointerError(String);

impl RewriteOp {
    /// The name in policies and in JSON Patch.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Replace => "replace",
            Self::Remove => "remove",
        }
    }
}

impl RewriteOperation {
    /// A change at a place given as a JSON Pointer (RFC 6901).
    ///
    /// # Errors
    /// If it is no pointer, or points deeper than anything that is read.
    pub fn new(op: RewriteOp, pointer: &str, value: Option<Value>) -> Result<Self, ParsePointerError> {
        let path = tokens(pointer).ok_or_else(|| ParsePointerError(pointer.to_owned()))?;
        Ok(Self { op, path, value })
    }

    /// What is done.
    #[must_use]
    pub fn op(&self) -> RewriteOp {
        self.op
    }

    /// The keys that lead to the place.
    #[must_use]
    pub fn path(&self) -> &[String] {
        &self.path
    }

    /// What is put there; none for a removal.
    #[must_use]
    pub fn value(&self) -> Option<&Value> {
        self.value.as_ref()
    }

    /// The place as a JSON Pointer.
    #[must_use]
    pub fn pointer(&self) -> String {
        self.path.iter().fold(String::new(), |pointer, token| {
            pointer + "/" + &token.replace('~', "~0").replace('/', "~1")
        })
    }
}

fn tokens(pointer: &str) -> Option<Vec<String>> {
    let Some(rest) = pointer.strip_prefix('/') else {
        return pointer.is_empty().then(Vec::new);
    };
    let tokens = rest.split('/').take(MAX_DEPTH + 1);
    let tokens: Vec<String> = tokens.map(unescaped).collect::<Option<_>>()?;
    (tokens.len() <= MAX_DEPTH).then_some(tokens)
}

fn unescaped(token: &str) -> Option<String> {
    let valid = token.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    valid.then(|| token.replace("~1", "/").replace("~0", "~"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_read_back() {
        for (pointer, path) in [
            ("", &[][..]),
            ("/", &[""]),
            ("/spec/replicas", &["spec", "replicas"]),
            (
                "/metadata/annotations/example.com~1a~0b",
                &["metadata", "annotations", "example.com/a~b"],
            ),
            ("/~01", &["~1"]),
        ] {
            let operation = RewriteOperation::new(RewriteOp::Remove, pointer, None).unwrap();
            assert_eq!(operation.path(), path);
            assert_eq!(operation.pointer(), pointer);
        }
        for text in ["spec", "/~", "/~2", "a/b", "/a~"] {
            assert!(RewriteOperation::new(RewriteOp::Remove, text, None).is_err(), "{text}");
        }
        assert!(RewriteOperation::new(RewriteOp::Remove, &"/a".repeat(MAX_DEPTH + 1), None).is_err());
    }
}
