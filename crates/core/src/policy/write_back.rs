//! Masked values that come back in a write: refused, or taken for the live values that they stand for.
//!
//! 1. A marker anywhere but as the whole value of a key of a Secret's `data` is refused, whatever the policy says: put
//!    into another field or object, the value behind it could be read there.
//! 2. There, in an update, a merge patch or a strategic merge patch of a Secret, it stays what it stands for, if the
//!    policy says `restore`: the live value of the same key of the same object, at the version that the caller read.
//!    So the body has to name that version, and is pinned to it and to the uid.
//! 3. A JSON Patch says what it changes, and an apply would make its manager the owner of a value that it never saw: in
//!    both a marker is refused.
//! 4. What goes through approval and audit has the marker still. The value takes its place when the request is taken
//!    apart to be sent, and is in no digest: a digest of it could be guessed against.

use http::StatusCode;

use super::engine::{Facts, Outcome, Verdict};
use crate::json::Value;
use crate::mask::{WriteBack, carries_marker, is_encoded_marker, marker_paths};
use crate::refusal::{Class, Refusal};
use crate::request::{Canonical, Live, Verb};

/// What of a request's body is masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum WrittenBack {
    /// Nothing.
    Nothing,
    /// The values of these keys of a Secret's `data`.
    Keys(Vec<String>),
}

impl WrittenBack {
    /// What of a request's body is masked.
    ///
    /// # Errors
    /// The refusal, where it can't be what it stands for.
    pub(super) fn of(request: &Canonical) -> Result<Self, Refusal> {
        let Some(body) = request.json() else {
            return Ok(Self::Nothing);
        };
        let paths = marker_paths(body);
        if paths.is_empty() {
            return Ok(Self::Nothing);
        }
        if !can_restore(request) {
            return Err(refused(&paths));
        }
        let mut rest = body.clone();
        let mut keys = Vec::new();
        if let Some(data) = rest
            .as_object_mut()
            .and_then(|object| object.get_mut("data"))
            .and_then(Value::as_object_mut)
        {
            data.retain(|key, value| {
                let stands_for_live = is_encoded_marker(value) && !carries_marker(key);
                if stands_for_live {
                    keys.push(key.to_owned());
                }
                !stands_for_live
            });
        }
        if marker_paths(&rest).is_empty() {
            Ok(Self::Keys(keys))
        } else {
            Err(refused(&paths))
        }
    }

    /// Whether the live object has to be read before it is known what becomes of it.
    pub(super) fn needs_live(&self, verdict: &Verdict, facts: &Facts) -> bool {
        let is_denied = matches!(verdict.outcome, Outcome::Deny { .. });
        let restores = verdict.masking.settings().write_back == WriteBack::Restore;
        *self != Self::Nothing && restores && !is_denied && facts.live_object.is_none()
    }

    /// The keys whose live values stay, under a policy and with what is known.
    ///
    /// # Errors
    /// 422 with the paths, if one of them is not what the caller read; 409 if it was read at another version.
    pub(super) fn restored(self, request: &Canonical, mode: WriteBack, facts: &Facts) -> Result<Vec<String>, Refusal> {
        let Self::Keys(keys) = self else {
            return Ok(Vec::new());
        };
        let live = facts.live_object.as_ref().and_then(Live::object);
        let (WriteBack::Restore, Some(live)) = (mode, live) else {
            return Err(refused(&paths(&keys)));
        };
        let lost: Vec<String> = keys
            .iter()
            .filter(|key| live_value(live, key).is_none())
            .cloned()
            .collect();
        if !lost.is_empty() {
            return Err(refused(&paths(&lost)));
        }
        let text = |object: &Value, key: &str| {
            let text = object.at(&["metadata", key]).and_then(Value::as_str);
            text.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let read_at = request.json().and_then(|body| text(body, "resourceVersion"));
        let Some(read_at) = read_at else {
            let message = "the body carries masked values, but not the version that they were read at";
            return Err(unprocessable(message.to_owned()).with_remedy(
                "send the metadata.resourceVersion of the object along, or a patch with only the fields that change",
            ));
        };
        let claimed = request.json().and_then(|body| text(body, "uid"));
        let is_same = claimed.is_none_or(|uid| Some(uid) == text(live, "uid"));
        if !is_same || Some(read_at) != text(live, "resourceVersion") {
            return Err(Refusal::new(
                StatusCode::CONFLICT,
                Class::Conflict,
                "the object is another one than the masked values were read from",
            )
            .with_rule(RULE)
            .with_remedy("read it again and repeat the change"));
        }
        Ok(keys)
    }
}

/// Rule of refusals for what is masked.
const RULE: &str = "countersign/masked-value";

/// Whether what a request writes could be what it read.
fn can_restore(request: &Canonical) -> bool {
    let attributes = request.attributes();
    let patches = ["application/merge-patch+json", "application/strategic-merge-patch+json"];
    let is_whole = match attributes.verb {
        Verb::Update => true,
        Verb::Patch => request.content_type().is_some_and(|sent| patches.contains(&sent)),
        _ => false,
    };
    let is_secret = (attributes.api_group.as_str(), attributes.resource.as_str()) == ("", "secrets");
    is_whole && is_secret && attributes.subresource.is_empty()
}

/// The value of a key of a live Secret, if it can take the place of a marker.
pub(crate) fn live_value<'l>(live: &'l Value, key: &str) -> Option<&'l str> {
    let value = live.get("data")?.get(key)?.as_str()?;
    // Where a marker was stored, nothing is left to be restored.
    (!carries_marker(value)).then_some(value)
}

fn paths(keys: &[String]) -> Vec<String> {
    let mut data = crate::json::Object::new();
    for key in keys {
        data.insert(key, crate::mask::MARKER);
    }
    let mut body = crate::json::Object::new();
    body.insert("data", data);
    marker_paths(&body.into())
}

/// A masked value that is written back would replace the real one.
fn refused(paths: &[String]) -> Refusal {
    let paths = paths.join(", ");
    unprocessable(format!(
        "the body carries the mask's marker instead of a value at {paths}"
    ))
    // kubectl shows the causes of a 422 only.
    .with_remedy(format!(
        "send a patch with only the fields that change, or the real value of {paths}"
    ))
}

fn unprocessable(message: String) -> Refusal {
    Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, Class::Unsupported, message).with_rule(RULE)
}
