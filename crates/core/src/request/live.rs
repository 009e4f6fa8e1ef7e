//! An object as the server has it, or why there is none to look at.

use std::sync::Arc;

use super::canonical::Canonical;
use super::percent;
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

/// Path of the Namespace object of the namespace that a request is in; none if it is in none.
#[must_use]
pub fn namespace_target(request: &Canonical) -> Option<String> {
    let namespace = request.attributes().namespace.as_str();
    if namespace.is_empty() {
        return None;
    }
    let mut target = String::from("/api/v1/namespaces/");
    percent::push_segment(&mut target, namespace);
    Some(target)
}
