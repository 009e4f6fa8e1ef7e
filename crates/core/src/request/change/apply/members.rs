//! The members of an object while it is changed: found by key in constant time, however many there are.

use std::collections::HashMap;

use crate::json::{Object, Value};

/// Objects of fewer members are searched, as that is faster.
const SMALL: usize = 16;

/// The members of an object while it is changed.
pub(super) struct Members {
    /// `None` where one was taken out.
    slots: Vec<(String, Option<Value>)>,
    /// By key, once there are many.
    index: HashMap<String, usize>,
}

impl Members {
    pub(super) fn of(object: Object) -> Self {
        let slots: Vec<_> = object
            .into_members()
            .into_iter()
            .map(|(key, value)| (key, Some(value)))
            .collect();
        let mut members = Self {
            slots,
            index: HashMap::new(),
        };
        members.index_if_large();
        members
    }

    fn index_if_large(&mut self) {
        if self.slots.len() > SMALL && self.index.is_empty() {
            let keys = self.slots.iter().enumerate();
            self.index = keys.map(|(at, (key, _))| (key.clone(), at)).collect();
        }
    }

    fn position(&self, key: &str) -> Option<usize> {
        if self.index.is_empty() {
            self.slots.iter().position(|(name, _)| name == key)
        } else {
            self.index.get(key).copied()
        }
    }

    /// Takes the value of a key out, leaving its place.
    pub(super) fn take(&mut self, key: &str) -> Option<Value> {
        let at = self.position(key)?;
        self.slots.get_mut(at)?.1.take()
    }

    /// Sets a key, in its place if it has one.
    pub(super) fn set(&mut self, key: &str, value: Value) {
        if let Some((_, slot)) = self.position(key).and_then(|at| self.slots.get_mut(at)) {
            *slot = Some(value);
            return;
        }
        if !self.index.is_empty() {
            self.index.insert(key.to_owned(), self.slots.len());
        }
        self.slots.push((key.to_owned(), Some(value)));
        self.index_if_large();
    }

    /// Keeps the members that fit.
    pub(super) fn retain(&mut self, fits: impl Fn(&str) -> bool) {
        for (key, slot) in &mut self.slots {
            if !fits(key) {
                *slot = None;
            }
        }
    }

    pub(super) fn into_object(self) -> Object {
        let members = self.slots.into_iter();
        Object::from_unique(members.filter_map(|(key, value)| Some((key, value?))).collect())
    }
}
