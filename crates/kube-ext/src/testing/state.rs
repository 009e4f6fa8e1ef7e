//! What one lock protects: the kinds, the objects and the logs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::kinds::{self, Resource};
use super::object::{Object, meta_text};
use super::store::{Key, Store};

/// How many changes are kept for watches and paged lists, unless set otherwise.
const HISTORY: usize = 10_000;

/// The server's state.
#[derive(Debug)]
pub(super) struct State {
    pub(super) registry: Vec<Arc<Resource>>,
    pub(super) store: Store,
    pub(super) logs: BTreeMap<(String, String), Log>,
    /// How often a quiet watch gets a bookmark, if it allows them.
    pub(super) bookmark_every: Duration,
}

/// The log of a pod. It only grows; setting it anew begins another edition.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) text: Vec<u8>,
    pub(super) edition: u64,
}

/// What a request is about.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) resource: Arc<Resource>,
    /// Empty for what is cluster-scoped, and for all namespaces.
    pub(super) namespace: String,
    /// Empty for a collection.
    pub(super) name: String,
    /// Empty for the resource itself.
    pub(super) subresource: String,
    /// Asked for below the old `/watch/` prefix.
    pub(super) watch_prefix: bool,
}

impl Target {
    pub(super) fn key(&self) -> Key {
        Key::new(&self.resource, &self.namespace, &self.name)
    }

    /// The namespace to list in; none is all of them.
    pub(super) fn scope(&self) -> Option<&str> {
        (!self.namespace.is_empty()).then_some(self.namespace.as_str())
    }
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            registry: kinds::built_in().map(Arc::new).collect(),
            store: Store::new(HISTORY),
            logs: BTreeMap::new(),
            bookmark_every: Duration::from_secs(60),
        }
    }

    pub(super) fn find(&self, group: &str, version: &str, plural: &str) -> Option<Arc<Resource>> {
        self.registry
            .iter()
            .find(|resource| resource.group == group && resource.version == version && resource.plural == plural)
            .cloned()
    }

    pub(super) fn find_kind(&self, api_version: &str, kind: &str) -> Option<Arc<Resource>> {
        self.registry
            .iter()
            .find(|resource| resource.kind == kind && resource.api_version() == api_version)
            .cloned()
    }

    pub(super) fn knows_group(&self, group: &str) -> bool {
        self.registry.iter().any(|resource| resource.group == group)
    }

    /// The kind Namespace, which is always there.
    pub(super) fn namespaces(&self) -> Option<Arc<Resource>> {
        self.find("", "v1", "namespaces")
    }

    /// The object that a target names.
    pub(super) fn get(&self, target: &Target) -> Option<&Arc<Object>> {
        self.store.get(&target.key())
    }

    /// Forgets the log of a pod that is gone.
    pub(super) fn removed(&mut self, resource: &Resource, object: &Object) {
        if resource.is_pod() {
            let key = (
                meta_text(object, "namespace").to_owned(),
                meta_text(object, "name").to_owned(),
            );
            self.logs.remove(&key);
        }
    }
}
