//! What is stored: objects, one global revision, and a bounded history of changes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde_json::Value;

use super::errors::ApiError;
use super::kinds::Resource;
use super::object::{Object, meta_text, resource_version, set_meta};

/// Where an object is stored. The order is that of lists: by resource, namespace, name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    resource: String,
    pub(super) namespace: String,
    pub(super) name: String,
}

impl Key {
    pub(super) fn new(resource: &Resource, namespace: &str, name: &str) -> Self {
        Self {
            resource: resource.qualified(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    /// Whether the object is of a resource, and in a namespace if one is given.
    pub(super) fn is_in(&self, qualified: &str, namespace: Option<&str>) -> bool {
        self.resource == qualified && namespace.is_none_or(|namespace| self.namespace == namespace)
    }
}

/// One change, as a watch needs it: `before` is absent for what was created, `deleted` is the last state of what went.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) revision: u64,
    pub(super) key: Key,
    pub(super) before: Option<Arc<Object>>,
    /// The object after the change; of a delete the last state, at the revision of the delete.
    pub(super) after: Arc<Object>,
    pub(super) deleted: bool,
}

/// All objects, under the lock of the server.
#[derive(Debug)]
pub(super) struct Store {
    revision: u64,
    objects: BTreeMap<Key, Arc<Object>>,
    history: VecDeque<Change>,
    capacity: usize,
    /// The revision of the newest change that the history no longer has.
    forgotten: u64,
}

impl Store {
    pub(super) fn new(capacity: usize) -> Self {
        // Upstream starts above 1 as well; 0 means "any" in requests.
        Self {
            revision: 1,
            objects: BTreeMap::new(),
            history: VecDeque::new(),
            capacity,
            forgotten: 0,
        }
    }

    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    /// The oldest revision that a watch may start from and a list may show.
    pub(super) fn oldest(&self) -> u64 {
        self.forgotten
    }

    pub(super) fn set_capacity(&mut self, capacity: usize) {
        self.capacity = capacity;
        self.forget();
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Arc<Object>> {
        self.objects.get(key)
    }

    /// The objects of a resource in list order, of one namespace or all.
    pub(super) fn list(&self, resource: &Resource, namespace: Option<&str>) -> Vec<(Key, Arc<Object>)> {
        let start = Key::new(resource, namespace.unwrap_or_default(), "");
        let qualified = resource.qualified();
        self.objects
            .range(start..)
            .take_while(|(key, _)| key.is_in(&qualified, namespace))
            .map(|(key, object)| (key.clone(), Arc::clone(object)))
            .collect()
    }

    /// The same as it was at a revision: the changes since are undone, newest first. `None` once they are forgotten.
    pub(super) fn list_at(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        revision: u64,
    ) -> Option<Vec<(Key, Arc<Object>)>> {
        if revision < self.forgotten {
            return None;
        }
        let mut then: BTreeMap<Key, Arc<Object>> = self.list(resource, namespace).into_iter().collect();
        let qualified = resource.qualified();
        let since = self
            .history
            .iter()
            .rev()
            .take_while(|change| change.revision > revision);
        for change in since.filter(|change| change.key.is_in(&qualified, namespace)) {
            match &change.before {
                Some(before) => then.insert(change.key.clone(), Arc::clone(before)),
                None => then.remove(&change.key),
            };
        }
        Some(then.into_iter().collect())
    }

    /// The changes after a revision, oldest first.
    pub(super) fn changes_after(&self, revision: u64) -> impl Iterator<Item = &Change> {
        let from = self.history.partition_point(|change| change.revision <= revision);
        self.history.range(from..)
    }

    /// Writes an object at the next revision.
    pub(super) fn put(&mut self, key: Key, mut object: Object) -> Arc<Object> {
        self.revision += 1;
        set_meta(&mut object, "resourceVersion", Some(self.revision.to_string().into()));
        let after = Arc::new(object);
        let before = self.objects.insert(key.clone(), Arc::clone(&after));
        self.remember(Change {
            revision: self.revision,
            key,
            before,
            after: Arc::clone(&after),
            deleted: false,
        });
        after
    }

    /// Removes an object; `last` is its last state, which comes back at the revision of the delete.
    pub(super) fn remove(&mut self, key: &Key, mut last: Object) -> Arc<Object> {
        let Some(before) = self.objects.remove(key) else {
            return Arc::new(last);
        };
        self.revision += 1;
        set_meta(&mut last, "resourceVersion", Some(self.revision.to_string().into()));
        let after = Arc::new(last);
        let change = Change {
            revision: self.revision,
            key: key.clone(),
            before: Some(before),
            after: Arc::clone(&after),
            deleted: true,
        };
        self.remember(change);
        after
    }

    fn remember(&mut self, change: Change) {
        self.history.push_back(change);
        self.forget();
    }

    fn forget(&mut self) {
        while self.history.len() > self.capacity {
            if let Some(change) = self.history.pop_front() {
                self.forgotten = change.revision;
            }
        }
    }

    /// Refuses what can't be created in a namespace that isn't there or is going away.
    pub(super) fn check_namespace(
        &self,
        namespaces: &Resource,
        resource: &Resource,
        namespace: &str,
        name: &str,
    ) -> Result<(), ApiError> {
        let Some(found) = self.get(&Key::new(namespaces, "", namespace)) else {
            return Err(ApiError::namespace_not_found(namespace));
        };
        if meta_text(found, "deletionTimestamp").is_empty() {
            return Ok(());
        }
        Err(ApiError::terminating(resource, name, namespace))
    }

    /// Refuses a read that asks for a revision that is still to come.
    pub(super) fn check_reached(&self, asked: u64) -> Result<(), ApiError> {
        if asked > self.revision {
            return Err(ApiError::revision_too_large(asked, self.revision));
        }
        Ok(())
    }
}

/// The object as of another revision, for a watch: what left a selector is shown as it was before.
pub(super) fn at_revision(object: &Arc<Object>, revision: u64) -> Arc<Object> {
    if resource_version(object) == revision {
        return Arc::clone(object);
    }
    let mut copy = Object::clone(object);
    set_meta(&mut copy, "resourceVersion", Some(Value::String(revision.to_string())));
    Arc::new(copy)
}
