//! Whether a change supplies a value where one may be masked: then even a dry run could tell whether a guess was right, by
//! a conflict or by `metadata.generation`.
//!
//! A removal supplies none, nor do names of keys that a strategic merge patch orders or retains.

use super::Masked;
use super::apply::{DELETE_FROM, DIRECTIVE, ELEMENT_ORDER, Op, RETAIN_KEYS};
use super::write::Write;
use crate::json::Value;
use crate::policy::MaskPath;
use crate::request::canonical::Canonical;
use crate::request::catalog::Kind;
use crate::request::patch_oracle::{hides, meets, meets_field};

/// Whether a change supplies a value where one may be masked, by what is masked anyway or by the policy.
pub(super) fn supplies(request: &Canonical, write: &Write<'_>, kind: &Kind, masked: Masked<'_>) -> bool {
    let of_policy = || {
        masked
            .obligations
            .iter()
            .flat_map(|mask| &mask.paths)
            .map(MaskPath::segments)
    };
    let may_hide = |path: &[String]| {
        hides(kind, path)
            || of_policy().any(|masked| meets(path, masked.iter().map(String::as_str)))
            || masked.policy.fields_of(request).any(|masked| meets_field(path, masked))
    };
    let mut path = Vec::new();
    match write {
        Write::Create(_) => false,
        Write::Replace(body) | Write::Merge(body) | Write::Strategic(body) => below(body, &may_hide, &mut path),
        Write::Apply(applied) => below(applied.body, &may_hide, &mut path),
        Write::JsonPatch(operations) => operations.iter().any(|operation| {
            path.clone_from(&operation.path);
            matches!(operation.op, Op::Add | Op::Replace) && below(operation.value, &may_hide, &mut path)
        }),
    }
}

/// Recursion is bounded by the depth of the body.
fn below(value: &Value, may_hide: &impl Fn(&[String]) -> bool, path: &mut Vec<String>) -> bool {
    // What holds nothing that may be masked need not be looked into.
    if !may_hide(path) {
        return false;
    }
    match value {
        Value::Null => false,
        Value::Array(elements) => elements.iter().enumerate().any(|(at, element)| {
            path.push(at.to_string());
            let found = below(element, may_hide, path);
            path.pop();
            found
        }),
        Value::Object(object) => object.iter().any(|(key, member)| {
            if key == DIRECTIVE || key == RETAIN_KEYS {
                return false;
            }
            // Elements that are objects are ordered by their names, which nothing masks.
            let ordered = key.strip_prefix(ELEMENT_ORDER);
            if ordered.is_some() && is_list_of_objects(member) {
                return false;
            }
            let field = ordered.or_else(|| key.strip_prefix(DELETE_FROM)).unwrap_or(key);
            path.push(field.to_owned());
            let found = below(member, may_hide, path);
            path.pop();
            found
        }),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

fn is_list_of_objects(value: &Value) -> bool {
    let elements = value.as_array();
    elements.is_some_and(|elements| elements.iter().all(|element| element.as_object().is_some()))
}
