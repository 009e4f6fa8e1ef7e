//! An object before and after a change.

use crate::json::Value;

/// An object before and after a change.
#[derive(Debug)]
pub(super) struct States {
    pub(super) before: Before,
    /// What the object is afterwards. Where the change is a patch and the object before it is unknown, only what the
    /// patch writes: the patch, applied to an empty object.
    pub(super) after: Value,
}

/// An object before a change.
#[derive(Debug)]
pub(super) enum Before {
    /// There is none: it is created.
    Nothing,
    /// Nobody looked; what is found could turn out to be there already.
    NotRead,
    /// It can't be known; what is found stands.
    Unknown,
    /// The object, masked as the caller sees it. So no decision tells whether a guess at a masked value was right: what a
    /// change supplies at a masked place always differs from what is there.
    Seen(Value),
}

impl Before {
    /// Whether looking at the live object could take a finding away.
    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::NotRead)
    }
}
