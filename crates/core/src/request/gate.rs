//! The front gate: header rules, then the body, on a parsed target.

use std::sync::Arc;

use http::HeaderMap;

use super::attributes::Attributes;
use super::canonical::Canonical;
use super::catalog::ResourceCatalog;
use super::target::Target;
use crate::refusal::Refusal;

/// What the gate has to be told.
pub struct Gate {
    catalog: Arc<dyn ResourceCatalog>,
}

impl Gate {
    /// A gate that knows these resources.
    pub fn new(catalog: Arc<dyn ResourceCatalog>) -> Self {
        Self { catalog }
    }

    /// Names the guard's own namespace: whatever touches it has the effect `self`.
    #[must_use]
    pub fn with_guard_namespace(self, _namespace: impl Into<String>) -> Self {
        self
    }

    /// Applies header rules and what discovery knows.
    ///
    /// # Errors
    /// The refusal.
    pub fn head(&self, _target: Target, _headers: &HeaderMap) -> Result<Head, Refusal> {
        let _ = &self.catalog;
        todo!()
    }
}

/// A request whose head is understood and whose body is awaited.
#[derive(Debug, Clone)]
pub struct Head {
    request: Canonical,
}

impl Head {
    /// What the API server concludes.
    #[must_use]
    pub fn attributes(&self) -> &Attributes {
        self.request.attributes()
    }

    /// Bytes of body that are read at the most.
    #[must_use]
    pub fn body_limit(&self) -> usize {
        3 * 1024 * 1024
    }

    /// Reads the body.
    ///
    /// # Errors
    /// The refusal.
    pub fn with_body(self, _body: &[u8]) -> Result<Canonical, Refusal> {
        todo!()
    }
}
