//! The members of an object by key, in constant time where there are many.

use std::collections::HashMap;

use crate::json::{Object, Value};

/// Objects of fewer members are searched, as that is faster.
const SMALL: usize = 16;

/// The members of an object by key.
pub(in super::super) struct Index<'v> {
    object: &'v Object,
    keys: Option<HashMap<&'v str, &'v Value>>,
}

impl<'v> Index<'v> {
    pub(in super::super) fn of(object: &'v Object) -> Self {
        Self {
            object,
            keys: (object.len() > SMALL).then(|| object.iter().collect()),
        }
    }

    pub(in super::super) fn get(&self, key: &str) -> Option<&'v Value> {
        match &self.keys {
            Some(keys) => keys.get(key).copied(),
            None => self.object.get(key),
        }
    }
}
