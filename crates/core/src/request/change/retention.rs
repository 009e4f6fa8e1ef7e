//! What is deleted later, and what becomes of stored data then: fields that say so, wherever they are, once they change.

use super::collected::Collected;
use super::concern::Concern;
use super::place::Place;
use super::states::{Before, States};
use crate::json::Value;
use crate::request::key_case::FREE_MAPS;

/// Times after which something is deleted or killed, and policies of what is kept.
const FIELDS: &[(&str, Concern)] = &[
    ("ttlSecondsAfterFinished", Concern::DeletionTimer),
    ("activeDeadlineSeconds", Concern::DeletionTimer),
    ("persistentVolumeClaimRetentionPolicy", Concern::RetentionPolicy),
    ("persistentVolumeReclaimPolicy", Concern::RetentionPolicy),
    ("reclaimPolicy", Concern::RetentionPolicy),
    ("deletionPolicy", Concern::RetentionPolicy),
];

/// Finds those that a change sets; of existing objects only.
pub(super) fn findings(states: &States, out: &mut Collected) {
    let before = match &states.before {
        Before::Nothing => return,
        Before::Seen(before) => Some(before),
        Before::NotRead | Before::Unknown => None,
    };
    below(before, &states.after, Place::ROOT, states.before.is_open(), out);
}

/// Recursion is bounded by the depth of what is parsed.
fn below(before: Option<&Value>, after: &Value, place: Place<'_>, assumed: bool, out: &mut Collected) {
    match after {
        Value::Object(object) => {
            // What users name themselves says nothing, nor does a status.
            let own = place.is_at(&["metadata"]) || place.is_at(&["status"]);
            if own || place.last_key().is_some_and(|key| FREE_MAPS.contains(&key)) {
                return;
            }
            for (key, value) in object.iter() {
                let old = before.and_then(|before| before.get(key));
                let concern = FIELDS.iter().find(|(name, _)| *name == key);
                match concern {
                    Some((_, concern)) if old != Some(value) && *value != Value::Null => {
                        out.at(*concern, place.key(key).pointer(), assumed);
                    }
                    _ => below(old, value, place.key(key), assumed, out),
                }
            }
        }
        Value::Array(elements) => {
            let old = before.and_then(Value::as_array).unwrap_or_default();
            for (at, element) in elements.iter().enumerate() {
                below(old.get(at), element, place.index(at), assumed, out);
            }
        }
        _ => {}
    }
}
