//! The answer without its secrets: bytes of a response in, bytes that may be handed out, as they come.
//!
//! A [`Plan`] says what the request asked for, a [`Masker`] is fed the answer chunk by chunk. It has no I/O and no
//! clock, and how the bytes are cut never changes what comes out.
//!
//! 1. The head of the *answer* decides how it is read, never what was asked for: a server may ignore that. JSON is
//!    masked, `text/plain` passes for pod logs and health endpoints only, line by line. Any `Content-Encoding`, any
//!    other type and every redirect is refused; an error that is no JSON becomes a Status of ours with its code.
//! 2. JSON is read item by item: the elements of `items` and `rows` at the root, each event of a watch, else the whole
//!    value. An item is handed out only after all of it was parsed strictly and masked; what needs no change comes out
//!    byte for byte. Memory is bounded by the largest item ([`MAX_ITEM`]; for discovery documents [`MAX_DOCUMENT`]).
//! 3. Kinds decide, together: the one that the URL names, the one of the list around an item, and the item's own. An
//!    object inside another that carries a `kind` is masked as that kind, wherever it is.
//! 4. What the table of kinds and paths ([`Kinds`]) names is masked by place: of a Secret, every scalar of `data` and
//!    `stringData`, and what of its values shows up again in its annotations and labels (without data to compare, in
//!    metadata-only answers, its annotations are replaced whole); tokens, issued certificates, files of credentials.
//! 5. Everything else is scanned: by its name (its key, the `name` beside it, a key around it) and by what it looks like.
//!    Where a name decides, the whole value goes; where a detector finds something, only that. The arguments of a command
//!    are looked at together. A cell in a Table of a custom resource counts as what its column shows
//!    ([`PrinterColumn`](crate::request::PrinterColumn)). What the table says to keep, since nothing but a narrow syntax can stand there, is passed
//!    over, in objects of Kubernetes itself that the URL names.
//! 6. Of every object, `managedFields` is removed, and JSON in strings (`last-applied-configuration`) is masked in its
//!    place by the kind inside; in an annotation, if it can't be read, it is replaced whole.
//! 7. The policy's paths are masked in each object that its names and namespaces match, and in no cell of a Table row of
//!    such an object anything but name, namespace and age is shown.
//! 8. Status errors about kinds whose values are secret are rebuilt, since the server quotes what it rejects; those about
//!    other kinds lose long quotations, and are scanned.
//! 9. Strings become [`MARKER`] (base64 of it where the field is base64), numbers `0`; booleans, `null`, keys, types and
//!    counts stay, and so does what identifies an object. A scalar counts once, when it changes: what is the marker already
//!    does not count.
//! 10. Objects of hidden namespaces are left out of lists, Tables and watches.
//!
//! A caller whose answer can't be masked sees a 502 with a Status that holds no byte of it, if nothing was handed out
//! yet; else the body ends in an error, never cleanly, after complete items only.
//!
//! What rule 4 names is sound; what rule 5 finds is best effort. And a masked number can't be told from a `0`, so
//! [`marker_paths`] does not see it in what is written back.
//!
//! What a policy adds to this, and weakens of it, is in [`MaskSettings`].
//!
//! ```
//! use countersign_core::mask::marker_paths;
//! use countersign_core::json::Value;
//!
//! let body = Value::parse(br#"{"data":{"token":"Y291bnRlcnNpZ24ubWFza2VkLnZhbHVl","user":"Ym9i"}}"#).unwrap();
//! assert_eq!(marker_paths(&body), ["data.token"]);
//! ```

mod blocks;
mod cursor;
mod edits;
mod engine;
mod error;
mod headers;
mod index;
mod keys;
mod kinds;
mod marker;
mod masker;
mod masking;
mod plan;
mod report;
mod scan;
mod seen;
mod settings;
mod skip;
mod strings;
mod walk;

#[cfg(test)]
mod tests;

pub use engine::{MAX_DOCUMENT, MAX_ITEM};
pub use error::{MaskError, MaskErrorKind};
pub use headers::{add_warnings, response_headers, warning_header};
pub use kinds::{FieldRule, FieldRuleError, FieldTreatment, KINDS_VERSION, Kinds};
pub(crate) use kinds::{Standing, standing};
pub use marker::{MARKER, marker_paths};
pub(crate) use marker::{carries_marker, decode_base64, is_encoded_marker};
pub use masker::Masker;
pub use masking::Masking;
pub use plan::Plan;
pub use report::Report;
pub use settings::{DetectRule, MaskPolicy, MaskSettings, RulePart, SettingsError, WithoutJson, WriteBack};

use crate::json::{self, Value};
use crate::policy::MaskObligation;
use crate::request::{Canonical, is_index};

/// A live object of a request as an answer to its caller would show it.
pub(crate) fn as_seen(
    request: &Canonical,
    object: &Value,
    obligations: &[std::sync::Arc<MaskObligation>],
    masking: &Masking,
) -> Value {
    let plan = Plan::new(request.attributes(), request.kind(), obligations).masking(masking.clone());
    let bytes = object.to_bytes();
    let masked = engine::mask_bytes(&plan, &mut report::Tally::default(), &bytes, |walk, page| {
        walk.root(page)
    });
    let seen = masked.ok().flatten().and_then(|masked| Value::parse(&masked).ok());
    // What can't be masked is not shown at all.
    seen.unwrap_or(Value::Null)
}

/// Whether an answer to this request's caller would not show a value as it is, if it stood at this place of its object.
pub(crate) fn masks_at(
    request: &Canonical,
    pointer: &[String],
    value: &Value,
    obligations: &[std::sync::Arc<MaskObligation>],
    masking: &Masking,
) -> bool {
    let mut object = value.clone();
    for (depth, token) in pointer.iter().enumerate().rev() {
        let parent = depth.checked_sub(1).and_then(|above| pointer.get(above));
        object = if is_index(parent.map_or("", String::as_str), token) {
            Value::Array(vec![object])
        } else {
            json::Object::from_unique(vec![(token.clone(), object)]).into()
        };
    }
    if let (Value::Object(object), Some(kind)) = (&mut object, request.kind()) {
        object.insert("kind", kind.kind.as_str());
    }
    as_seen(request, &object, obligations, masking) != object
}

/// Whether a value stands for one that is masked.
pub(crate) fn is_masked(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|text| text == MARKER || text == marker::encoded())
}
