//! Values of Secrets and ConfigMaps: once overwritten they are gone.
//!
//! 1. A value for a key that is there, or of which nobody knows whether it is, overwrites; a new key does not.
//! 2. It does not matter whether the value is the same, so that no decision tells whether a guess was right. Two requests
//!    state what they do not change: a PUT and an apply. In these, a value that the caller sees, and that stays, is not
//!    overwritten.
//! 3. The mask's marker in the `data` of a Secret stands for the live value, which stays.
//! 4. An apply without force by a listed manager takes nobody's value, but for the one that it applied itself. Only of a
//!    Secret it counts even if nobody knows what is there: there the conflict tells whether a guess was right.

use super::collected::Collected;
use super::concern::Concern;
use super::place::pointer_of;
use super::states::{Before, States};
use super::write::Write;
use crate::json::{Object, Value};
use crate::mask::{is_encoded_marker, is_masked};
use crate::request::attributes::Attributes;

use super::apply::Index;

/// Finds values that are overwritten. `given`: what the body writes.
pub(super) fn findings(
    attributes: &Attributes,
    write: &Write<'_>,
    given: &Value,
    states: &States,
    out: &mut Collected,
) {
    let is_secret = match (attributes.api_group.as_str(), attributes.resource.as_str()) {
        ("", "secrets") => true,
        ("", "configmaps") => false,
        _ => return,
    };
    let states_all = matches!(write, Write::Replace(_) | Write::Apply(_));
    let is_gentle = matches!(write, Write::Apply(applied) if !applied.force) && !is_secret;
    for map in ["data", "binaryData", "stringData"] {
        let Some(Value::Object(values)) = given.get(map) else {
            continue;
        };
        let stored = if is_secret { "data" } else { map };
        let before = match &states.before {
            Before::Nothing => return,
            Before::NotRead | Before::Unknown if is_gentle => return,
            Before::NotRead | Before::Unknown => None,
            Before::Seen(before) => Some(before.get(stored).and_then(Value::as_object)),
        };
        let empty = Object::new();
        let old = before.map(|before| Index::of(before.unwrap_or(&empty)));
        // A null that is no removal makes the value empty.
        for (key, value) in values.iter() {
            let overwrites = old.as_ref().is_none_or(|old| match old.get(key) {
                None | Some(Value::Null) => false,
                // It stands for the live value, or the request is refused.
                Some(_) if is_secret && map == "data" && is_encoded_marker(value) => false,
                Some(old) => !states_all || is_secret || old != value || is_masked(old),
            });
            if overwrites && !out.is_full(Concern::OverwritesData) {
                let path = pointer_of(&[map.to_owned(), key.to_owned()]);
                out.at(Concern::OverwritesData, path, states.before.is_open());
            }
        }
    }
}
