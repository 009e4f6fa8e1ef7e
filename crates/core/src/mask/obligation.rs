//! Masking whole values, and the policy's paths to them.

use super::marker::{self, MARKER};
use super::report::Tally;
use super::rules::Rules;
use crate::json::{Object, Value};
use crate::policy::MaskObligation;

/// Where a value is, as far as it matters: what identifies an object is never masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The object itself.
    Root,
    /// Its `metadata`.
    Metadata,
    /// Anywhere else.
    Inside,
}

impl Place {
    /// The place of a member; none for members that identify the object.
    pub(super) fn member(self, key: &str) -> Option<Self> {
        match (self, key) {
            (Self::Root, "apiVersion" | "kind")
            | (
                Self::Metadata,
                "name" | "namespace" | "generateName" | "uid" | "resourceVersion" | "generation" | "selfLink"
                | "continue" | "creationTimestamp" | "deletionTimestamp",
            ) => None,
            (Self::Root, "metadata") => Some(Self::Metadata),
            _ => Some(Self::Inside),
        }
    }
}

/// Masks every scalar at or below a value.
pub(super) fn mask_scalars(value: &mut Value, place: Place, text: &str, rule: &str, tally: &mut Tally) {
    match value {
        Value::String(old) => {
            // Masked by another rule already, in whatever form fits the field.
            if old != MARKER && old != marker::encoded() {
                text.clone_into(old);
                tally.masked(rule);
            }
        }
        Value::Number(old) => {
            if old != "0" {
                "0".clone_into(old);
                tally.masked(rule);
            }
        }
        Value::Array(elements) => {
            for element in elements {
                mask_scalars(element, Place::Inside, text, rule, tally);
            }
        }
        Value::Object(object) => {
            for (key, member) in object.iter_mut() {
                if let Some(place) = place.member(key) {
                    mask_scalars(member, place, text, rule, tally);
                }
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

/// Masks what the obligations name in one object.
pub(super) fn apply(obligations: &[&MaskObligation], object: &mut Object, rules: Rules, tally: &mut Tally) {
    for obligation in obligations {
        for path in &obligation.paths {
            let Some((first, rest)) = path.segments().split_first() else {
                continue;
            };
            for (key, member) in object.iter_mut() {
                if (first == "*" || first == key)
                    && let Some(place) = Place::Root.member(key)
                {
                    let is_base64 = key == "binaryData" || (rules.secret && key == "data");
                    let text = if is_base64 { marker::encoded() } else { MARKER };
                    follow(member, place, rest, text, &obligation.rule, tally);
                }
            }
        }
    }
}

/// Masks the cells of a Table's row whose object is under an obligation: which column shows which path is not known.
pub(super) fn mask_cells(cells: &mut Value, shown: &[bool], rule: &str, tally: &mut Tally) {
    let Value::Array(cells) = cells else {
        mask_scalars(cells, Place::Inside, MARKER, rule, tally);
        return;
    };
    for (index, cell) in cells.iter_mut().enumerate() {
        if !shown.get(index).copied().unwrap_or(false) {
            mask_scalars(cell, Place::Inside, MARKER, rule, tally);
        }
    }
}

/// For each column of a Table, whether its cells only identify the object or tell its age.
pub(super) fn shown_columns(definitions: Option<&Value>) -> Vec<bool> {
    let shown = |column: &Value| {
        column
            .get("name")
            .and_then(Value::as_str)
            .is_some_and(|name| matches!(name, "Name" | "Namespace" | "Age"))
    };
    let columns = definitions.and_then(Value::as_array).unwrap_or_default();
    columns.iter().map(shown).collect()
}

fn follow(value: &mut Value, place: Place, path: &[String], text: &str, rule: &str, tally: &mut Tally) {
    let Some((first, rest)) = path.split_first() else {
        mask_scalars(value, place, text, rule, tally);
        return;
    };
    match value {
        Value::Object(object) => {
            for (key, member) in object.iter_mut() {
                if (first == "*" || first == key)
                    && let Some(place) = place.member(key)
                {
                    follow(member, place, rest, text, rule, tally);
                }
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter_mut().enumerate() {
                if first == "*" || first.parse() == Ok(index) {
                    follow(element, Place::Inside, rest, text, rule, tally);
                }
            }
        }
        _ => {}
    }
}
