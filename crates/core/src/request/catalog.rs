//! Which resources exist, and what the guard has to know of each: the URL alone can't tell.

use std::sync::Arc;

/// Who serves a resource; decides what may be believed about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Part of kube-apiserver.
    BuiltIn,
    /// From a CustomResourceDefinition, served by kube-apiserver.
    Custom,
    /// Served by an aggregated API server, which may ignore dry run and answer in any shape.
    Aggregated,
}

/// What is known of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kind {
    /// API group, empty for core.
    pub group: String,
    /// Plural resource name.
    pub resource: String,
    /// Kind of its objects.
    pub kind: String,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// Who serves it.
    pub origin: Origin,
}

/// Knows which resources exist.
///
/// Called for every request: an implementation answers from memory. A resource that it does not know is refused, so an
/// implementation that lags behind the cluster errs on the safe side.
pub trait ResourceCatalog: Send + Sync + 'static {
    /// What is known of a resource, in any version.
    fn lookup(&self, group: &str, resource: &str) -> Option<Arc<Kind>>;
}
