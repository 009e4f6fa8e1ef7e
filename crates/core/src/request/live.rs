//! An object as the server has it, or why there is none to look at.

use std::sync::Arc;

use crate::json::Value;

/// What reading an object gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Live {
    /// The object.
    Object(Arc<Value>),
    /// There is none.
    Absent,
    /// It can't be read: the guard may not, or the resource has no read. The worst is assumed.
    Unreadable,
}

impl Live {
    /// The object, if there is one.
    #[must_use]
    pub fn object(&self) -> Option<&Arc<Value>> {
        match self {
            Self::Object(object) => Some(object),
            Self::Absent | Self::Unreadable => None,
        }
    }
}
