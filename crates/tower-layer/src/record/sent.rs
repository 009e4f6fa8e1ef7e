//! Whether a request was sent, for those who hold something on its behalf.

use std::sync::Arc;

use super::Shared;

/// Tells whether a request was sent. It reads the record and writes nothing, so it may outlive both of its ends.
pub(crate) struct SentMark(Arc<Shared>);

impl SentMark {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.facts().sent
    }
}
