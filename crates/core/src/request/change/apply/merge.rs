//! JSON Merge Patch. RFC 7386.

use super::members::Members;
use crate::json::{Object, Value};

/// The object after a merge patch. Recursion is bounded by the depth of the patch.
pub(super) fn merge(target: Option<Value>, patch: &Value) -> Value {
    let Value::Object(patch) = patch else {
        return patch.clone();
    };
    let target = match target {
        Some(Value::Object(target)) => target,
        _ => Object::new(),
    };
    let mut members = Members::of(target);
    for (key, value) in patch.iter() {
        let old = members.take(key);
        if *value != Value::Null {
            members.set(key, merge(old, value));
        }
    }
    members.into_object().into()
}
