//! Status objects: the server quotes what it rejects, so an error can be a read.
//!
//! About kinds whose values are secret, an error keeps what is known to be harmless and gets a text of ours. About
//! others it loses quoted values, and what is very long.

use http::StatusCode;

use smol_str::SmolStr;

use super::policy::Policy;
use super::{Context, Page, Result, Walk};
use crate::detect::Hits;
use crate::json::{Object, Value};
use crate::mask::error::{MaskError, MaskErrorKind};
use crate::mask::kinds;
use crate::mask::marker::MARKER;
use crate::mask::plan::{Plan, Quoting, is_built_in_group};
use crate::refusal::{Class, Refusal, Retry};

const RULE: &str = "status";

/// Longest quoted value that stays, about kinds without masked fields, in bytes between the quotes.
const MAX_QUOTED: usize = 64;
/// Longest text that stays, in bytes.
const MAX_TEXT: usize = 1024;
/// Longest name, field or other word that stays, in bytes.
const MAX_WORD: usize = 256;

/// What the server may give as a reason: `metav1.StatusReason`.
const REASONS: [&str; 22] = [
    "AlreadyExists",
    "BadRequest",
    "Conflict",
    "Expired",
    "Forbidden",
    "Gone",
    "InternalError",
    "Invalid",
    "MethodNotAllowed",
    "NotAcceptable",
    "NotFound",
    "RequestEntityTooLarge",
    "ResourceExpired",
    "ServerTimeout",
    "ServiceUnavailable",
    "StorageReadError",
    "StoreReadError",
    "Timeout",
    "TooManyRequests",
    "Unauthorized",
    "Unknown",
    "UnsupportedMediaType",
];

/// What it may give as the reason of a cause: `metav1.CauseType` and `field.ErrorType`.
const CAUSES: [&str; 18] = [
    "FieldManagerConflict",
    "FieldValueDuplicate",
    "FieldValueForbidden",
    "FieldValueInvalid",
    "FieldValueNotFound",
    "FieldValueNotSupported",
    "FieldValueRequired",
    "FieldValueTooLong",
    "FieldValueTooMany",
    "FieldValueTooShort",
    "FieldValueTypeInvalid",
    "InternalError",
    "NamespaceTerminating",
    "ResourceVersionTooLarge",
    "RetryAfter",
    "UnexpectedServerResponse",
    "Unknown",
    "Timeout",
];

impl<'p> Walk<'p> {
    /// Masks the Status ahead, error or success. Whether it did: if there is nothing to take out of it, it can be walked
    /// over like any other object.
    pub(super) fn status(&mut self, page: &mut Page<'_>, context: &Context<'_, 'p>) -> Result<bool> {
        let range = page.cursor.clone().skip()?;
        let parsed = Value::parse(page.cursor.text_at(&range).as_bytes());
        let mut status = match parsed {
            Ok(Value::Object(status)) => status,
            Ok(_) => return Err(MaskErrorKind::Malformed),
            Err(error) => return Err(MaskError::from(error).kind()),
        };
        let before = status.clone();
        let logged = self.log.len();
        self.mask_status(&mut status);
        if status == before {
            self.log.truncate(logged);
            return Ok(false);
        }
        // What is left of it is walked over as what it now is.
        let mut text = String::new();
        Value::Object(status).write(&mut text);
        let mut rest = Page::of(&text, None);
        let as_part = Context {
            policy: Policy::Part,
            ..context.clone()
        };
        self.object(&mut rest, &as_part, None, None)?;
        let mut masked = Vec::with_capacity(text.len());
        rest.edits.apply(text.as_bytes(), &mut masked);
        page.cursor.skip()?;
        let masked = String::from_utf8(masked).map_err(|_| MaskErrorKind::Malformed)?;
        page.edits.replace(range, masked);
        Ok(true)
    }

    fn mask_status(&mut self, status: &mut Object) {
        let mut scribe = Scribe {
            plan: self.plan,
            log: &mut self.log,
        };
        match quoting(status, self.plan) {
            Quoting::Secrets => *status = rebuild(status, &mut scribe),
            Quoting::MaskedPaths => scribe.scrub_status(status, 0),
            Quoting::Anything => scribe.scrub_status(status, MAX_QUOTED),
        }
    }
}

/// Masks the texts of a Status, and notes what it did.
struct Scribe<'s> {
    plan: &'s Plan,
    log: &'s mut Vec<SmolStr>,
}

impl Scribe<'_> {
    fn masked(&mut self) {
        self.log.push(SmolStr::new_static(RULE));
    }
}

/// The Status that stands for an error which is none.
pub(in crate::mask) fn ours(code: StatusCode) -> Vec<u8> {
    let refusal = Refusal::new(
        code,
        Class::Upstream,
        format!(
            "the server answered {} without a Kubernetes Status; its text is withheld",
            code.as_u16()
        ),
    );
    let refusal = match code.as_u16() {
        408 | 429 | 500..=599 => refusal.with_retry(Retry::Later),
        _ => refusal,
    };
    refusal.to_status().to_string().into_bytes()
}

fn quoting(status: &Object, plan: &Plan) -> Quoting {
    let detail = |key| {
        status
            .get("details")
            .and_then(|details| details.get(key))
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let kind = detail("kind");
    if kinds::singulars(kind).any(|kind| kinds::is_secret(&kind)) || !is_built_in_group(detail("group")) {
        return Quoting::Secrets;
    }
    match plan.quoting() {
        Quoting::Anything if plan.kinds().may_have_masked_paths(kind) => Quoting::MaskedPaths,
        by_url => by_url,
    }
}

/// A new Status with what is known to be harmless of the old one.
fn rebuild(old: &Object, scribe: &mut Scribe<'_>) -> Object {
    let mut new = Object::new();
    for (key, value) in old.iter() {
        match (key, value) {
            ("kind", _) => new.insert(key, "Status"),
            ("apiVersion", _) => new.insert(key, "v1"),
            ("metadata", Value::Object(metadata)) => {
                let listed = ["resourceVersion", "continue", "remainingItemCount", "selfLink"];
                new.insert(key, only(metadata, &listed));
            }
            ("status", Value::String(text)) => {
                new.insert(key, if text == "Success" { "Success" } else { "Failure" });
            }
            ("message", Value::String(text)) => {
                let ours = message(old);
                if *text != ours {
                    scribe.masked();
                }
                new.insert(key, ours);
            }
            ("reason", Value::String(reason)) => new.insert(key, known(reason, &REASONS)),
            ("code", Value::Number(_)) => new.insert(key, value.clone()),
            ("details", Value::Object(details)) => new.insert(key, rebuild_details(details, scribe)),
            _ => {}
        }
    }
    new
}

fn rebuild_details(old: &Object, scribe: &mut Scribe<'_>) -> Object {
    let mut new = only(old, &["name", "group", "kind", "uid", "retryAfterSeconds"]);
    if let Some(Value::Array(causes)) = old.get("causes") {
        let causes = causes.iter().filter_map(Value::as_object).map(|cause| {
            let mut kept = Object::new();
            for (key, value) in cause.iter() {
                match (key, value) {
                    ("reason", Value::String(reason)) => kept.insert(key, known(reason, &CAUSES)),
                    ("message", Value::String(text)) => {
                        if text != WITHHELD {
                            scribe.masked();
                        }
                        kept.insert(key, WITHHELD);
                    }
                    ("field", Value::String(field)) => kept.insert(key, without_brackets(field)),
                    _ => {}
                }
            }
            Value::Object(kept)
        });
        new.insert("causes", Value::Array(causes.collect()));
    }
    new
}

const WITHHELD: &str = "withheld: it may quote masked values";

/// A text of ours for an error, as close to the server's as harmless parts allow.
fn message(status: &Object) -> String {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let details = status.get("details");
    let detail = |key| cut(&text(details.and_then(|details| details.get(key))), MAX_WORD).to_owned();
    let (mut kind, name) = (detail("kind"), detail("name"));
    let group = detail("group");
    if !group.is_empty() && !kind.is_empty() {
        kind = format!("{kind}.{group}");
    }
    let reason = text(status.get("reason"));
    let subject = match (kind.is_empty(), name.is_empty()) {
        (false, false) => format!("{kind} \"{name}\": "),
        (false, true) => format!("{kind}: "),
        _ => String::new(),
    };
    match (known(&reason, &REASONS), name.is_empty()) {
        ("NotFound", false) => format!("{kind} \"{name}\" not found"),
        ("AlreadyExists", false) => format!("{kind} \"{name}\" already exists"),
        (reason, _) => format!("{subject}{reason} (the server's text is withheld: it may quote masked values)"),
    }
}

/// Members with short texts and numbers, of those that are listed.
fn only(object: &Object, listed: &[&str]) -> Object {
    let mut kept = Object::new();
    for (key, value) in object.iter().filter(|(key, _)| listed.contains(key)) {
        match value {
            // A `continue` token is opaque, and useless when cut.
            Value::String(text) if key == "continue" => kept.insert(key, text.clone()),
            Value::String(text) => kept.insert(key, cut(text, MAX_WORD)),
            Value::Number(_) => kept.insert(key, value.clone()),
            _ => {}
        }
    }
    kept
}

fn known<'a>(reason: &str, known: &[&'a str]) -> &'a str {
    known.iter().find(|name| **name == reason).copied().unwrap_or("Unknown")
}

/// A field path without what stands in brackets, which can be a key that the caller does not know.
fn without_brackets(field: &str) -> String {
    let mut kept = String::new();
    let mut depth = 0_usize;
    for character in field.chars() {
        if character == ']' {
            depth = depth.saturating_sub(1);
        }
        if depth == 0 {
            kept.push(character);
        }
        if character == '[' {
            depth += 1;
        }
    }
    cut(&kept, MAX_WORD).to_owned()
}

impl Scribe<'_> {
    fn scrub_status(&mut self, status: &mut Object, max_quoted: usize) {
        if let Some(Value::String(text)) = status.get_mut("message") {
            self.scrub(text, max_quoted);
        }
        let causes = status
            .get_mut("details")
            .and_then(Value::as_object_mut)
            .and_then(|details| details.get_mut("causes"));
        if let Some(Value::Array(causes)) = causes {
            for cause in causes {
                let message = cause.as_object_mut().and_then(|cause| cause.get_mut("message"));
                if let Some(Value::String(text)) = message {
                    self.scrub(text, max_quoted);
                }
            }
        }
    }

    fn scrub(&mut self, text: &mut String, max_quoted: usize) {
        let (mut clean, _) = without_payloads(text, max_quoted);
        if max_quoted == 0 {
            // Diffs of whole objects follow in further lines; decoders quote the place in the body where they gave up.
            for start in ["\n", ", error found in #", "|..."] {
                if let Some((before, _)) = clean.split_once(start) {
                    clean = format!("{before} (the rest is withheld)");
                }
            }
        }
        let mut rule = None;
        // Before it is cut: of a secret that is cut in two, half would stay.
        if self.plan.scans() {
            let mut hits = Hits::default();
            self.plan.detectors().detect(clean.as_bytes(), &mut hits);
            if !hits.is_empty() {
                let mut masked = Vec::new();
                hits.replace(clean.as_bytes(), &mut masked, |found| {
                    rule.get_or_insert_with(|| SmolStr::new(found));
                });
                clean = String::from_utf8_lossy(&masked).into_owned();
            }
        }
        let clean = cut(&clean, MAX_TEXT);
        if clean != text {
            *text = clean.to_owned();
            self.log.push(rule.unwrap_or(SmolStr::new_static(RULE)));
        }
    }
}

/// A text in which quoted values longer than `max_quoted` bytes are replaced, and whether any was.
pub(in crate::mask) fn without_payloads(text: &str, max_quoted: usize) -> (String, bool) {
    const LABELS: [&str; 4] = [
        "Invalid value: ",
        "Unsupported value: ",
        "Duplicate value: ",
        "Not found: ",
    ];
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut replaced = false;
    loop {
        let next = LABELS
            .iter()
            .filter_map(|label| Some(rest.find(label)? + label.len()))
            .min();
        let Some((before, after)) = next.and_then(|at| rest.split_at_checked(at)) else {
            out.push_str(rest);
            return (out, replaced);
        };
        out.push_str(before);
        let (payload, behind) = after.split_at_checked(payload_length(after)).unwrap_or((after, ""));
        let is_quoted = payload.starts_with('"');
        let length = if is_quoted {
            payload.len().saturating_sub(2)
        } else {
            payload.len()
        };
        let is_plain = !is_quoted && !payload.is_empty() && payload.len() <= 20 && payload.bytes().all(is_number);
        if length > max_quoted && !is_plain {
            replaced = true;
            out.push('"');
            out.push_str(MARKER);
            out.push('"');
        } else {
            out.push_str(payload);
        }
        rest = behind;
    }
}

fn is_number(byte: u8) -> bool {
    byte.is_ascii_digit() || b"+-.eE".contains(&byte)
}

/// How many bytes of a text belong to the value at its beginning: a Go string literal, or whatever stands there up to
/// the colon that begins the explanation, brackets and strings inside it passed over.
fn payload_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    let mut quote = None;
    let mut at = 0;
    let starts_quoted = text.starts_with('"');
    while let Some(byte) = bytes.get(at).copied() {
        match (quote, byte) {
            (Some(b'"'), b'\\') => at += 1,
            (Some(open), _) if byte == open => {
                quote = None;
                if starts_quoted && depth == 0 {
                    return at + 1;
                }
            }
            (Some(_), _) => {}
            (None, b'"' | b'`') => quote = Some(byte),
            (None, b'{' | b'[' | b'(') => depth += 1,
            (None, b'}' | b']' | b')') if depth > 0 => depth -= 1,
            (None, b']') => return at,
            (None, b':') if depth == 0 && bytes.get(at + 1) == Some(&b' ') => return at,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// The beginning of a text, at most so many bytes.
fn cut(text: &str, max: usize) -> &str {
    let end = (0..=max.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_values_go() {
        let long = "x".repeat(65);
        for (text, max, expected) in [
            (
                "a: Invalid value: \"short\": no",
                64,
                "a: Invalid value: \"short\": no".to_owned(),
            ),
            (
                "a: Invalid value: \"short\": no",
                0,
                format!("a: Invalid value: \"{MARKER}\": no"),
            ),
            (
                &format!("Invalid value: \"{long}\\\"\": no, b: Invalid value: 70000: too large"),
                64,
                format!("Invalid value: \"{MARKER}\": no, b: Invalid value: 70000: too large"),
            ),
            (
                &format!("Invalid value: {{\"a: b\":[\"{long}\"]}}: field is immutable"),
                64,
                format!("Invalid value: \"{MARKER}\": field is immutable"),
            ),
            (
                "[a: Duplicate value: \"k\", b: Not found: \"v]\"]",
                0,
                format!("[a: Duplicate value: \"{MARKER}\", b: Not found: \"{MARKER}\"]"),
            ),
            (
                "Invalid value: \"never closed",
                0,
                format!("Invalid value: \"{MARKER}\""),
            ),
            ("Invalid value: ", 0, "Invalid value: ".to_owned()),
        ] {
            assert_eq!(without_payloads(text, max).0, expected, "{text}");
        }
    }

    #[test]
    fn brackets_are_emptied() {
        assert_eq!(without_brackets("data[password].x[0]"), "data[].x[]");
        assert_eq!(without_brackets("data[a[b]c"), "data[");
        assert_eq!(cut("aé", 2), "a");
    }
}
