//! The metadata of every kind: managed fields, JSON in annotations, and a Secret's values in its own metadata.

use super::marker::MARKER;
use super::object::{Context, Policy, Walk};
use super::obligation::{Place, mask_scalars};
use super::rules::{self, Rules};
use super::secret::{self, Values};
use super::splice::splice;
use crate::json::{ErrorKind, Object, Value};
use crate::policy::MaskObligation;

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// How many strings deep JSON is looked for.
const MAX_LEVELS: usize = 3;

const ANNOTATION: &str = "json-annotation";

/// What is known of the object whose metadata is masked.
#[derive(Clone, Copy, Default)]
pub(super) struct Scope<'a> {
    pub(super) rules: Rules,
    pub(super) obligations: &'a [&'a MaskObligation],
    /// A Secret's metadata without its data: its values can't be recognised.
    pub(super) nothing_to_compare: bool,
    pub(super) level: usize,
}

/// What became of a text that may be JSON.
enum Unpacked {
    /// It is JSON, and masked.
    Masked,
    /// It is no JSON.
    No,
    /// It is, but can't be read reliably.
    Unreadable,
}

impl Walk<'_> {
    /// Masks the metadata of an object. `values` are those of the Secret that it is, or none.
    pub(super) fn metadata(&mut self, metadata: &mut Object, scope: Scope<'_>, values: &Values) {
        if metadata.remove("managedFields").is_some() {
            self.tally.touched = true;
        }
        match metadata.get_mut("annotations") {
            Some(Value::Object(annotations)) => {
                for (key, value) in annotations.iter_mut() {
                    match value {
                        Value::String(text) => self.annotation(key, text, scope, values),
                        other if scope.rules.secret => {
                            mask_scalars(other, Place::Inside, MARKER, ANNOTATION, self.tally);
                        }
                        _ => {}
                    }
                }
            }
            Some(other) if scope.rules.secret => mask_scalars(other, Place::Inside, MARKER, ANNOTATION, self.tally),
            _ => {}
        }
        if let Some(labels) = metadata.get_mut("labels")
            && !values.is_empty()
        {
            values.mask_inside(labels, Place::Inside, self.tally);
        }
    }

    fn annotation(&mut self, key: &str, text: &mut String, scope: Scope<'_>, values: &Values) {
        let is_copy = key == LAST_APPLIED;
        if scope.nothing_to_compare && !is_copy {
            if !rules::is_harmless_annotation(key) {
                secret::mask_text(text, self.tally);
            }
            return;
        }
        let looks_like_json = text.trim_start().starts_with(['{', '[']);
        if is_copy || looks_like_json {
            match self.unpack(text, is_copy, scope, values) {
                Unpacked::Masked => return,
                Unpacked::No if !is_copy => {}
                Unpacked::No | Unpacked::Unreadable => {
                    if text != MARKER && !text.is_empty() {
                        MARKER.clone_into(text);
                        self.tally.masked(ANNOTATION);
                    }
                    return;
                }
            }
        }
        if !values.is_empty() {
            values.mask(text, self.tally);
        }
    }

    /// Masks JSON in a string, in its place.
    fn unpack(&mut self, text: &mut String, is_copy: bool, scope: Scope<'_>, values: &Values) -> Unpacked {
        if scope.level >= MAX_LEVELS {
            return Unpacked::Unreadable;
        }
        let mut tree = match Value::parse(text.as_bytes()) {
            Ok(tree @ (Value::Object(_) | Value::Array(_))) => tree,
            Err(error) if matches!(error.kind, ErrorKind::DuplicateKey | ErrorKind::TooDeep) => {
                return Unpacked::Unreadable;
            }
            Ok(_) | Err(_) => return Unpacked::No,
        };
        let outer_touched = std::mem::take(&mut self.tally.touched);
        // Only the copy that kubectl keeps has the fields of the object it is in; other JSON is an object of its own.
        let context = Context {
            rules: scope.rules,
            policy: if is_copy {
                Policy::Same(scope.obligations)
            } else {
                Policy::Part
            },
            level: scope.level + 1,
        };
        self.value(&mut tree, context);
        if !values.is_empty() {
            let place = if is_copy { Place::Root } else { Place::Inside };
            values.mask_inside(&mut tree, place, self.tally);
        }
        if self.tally.touched {
            match Value::parse(text.as_bytes()) {
                Ok(old) => *text = splice(text, &old, &tree),
                Err(_) => return Unpacked::Unreadable,
            }
        }
        self.tally.touched |= outer_touched;
        Unpacked::Masked
    }
}

/// Adds the values that a Secret's last-applied configuration holds: those that it had before.
pub(super) fn collect_old_values(object: &Object, values: &mut Values) {
    let text = object
        .get("metadata")
        .and_then(|metadata| metadata.at(&["annotations", LAST_APPLIED]))
        .and_then(Value::as_str);
    if let Some(text) = text
        && let Ok(Value::Object(copy)) = Value::parse(text.as_bytes())
    {
        values.collect(&copy);
    }
}
