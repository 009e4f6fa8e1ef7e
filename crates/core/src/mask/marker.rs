//! The marker that stands where a value was, and the search for it in what a caller sends.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use memchr::memmem;

use crate::escape::escape_clip;
use crate::json::Value;

/// What stands where a string was: the same for every value, so that it tells nothing about it.
///
/// Deliberately valid as a label value, a DNS name, a YAML and a shell word.
pub const MARKER: &str = "countersign.masked.value";

/// How often base64, or JSON in a string, is unpacked in search of the marker.
const MAX_LEVELS: usize = 3;

/// Most paths that are named to a caller: the body is the caller's, and the message must not outgrow it.
const MAX_PATHS: usize = 32;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

static ENCODED: LazyLock<String> = LazyLock::new(|| STANDARD.encode(MARKER));

/// What every base64 text has in it that holds the marker, for each of the three ways in which the marker can lie
/// across the groups of three bytes. Free of `+` and `/`, so it is the same in the URL-safe alphabet.
static ALIGNED: LazyLock<[String; 3]> = LazyLock::new(|| {
    [0, 1, 2].map(|offset: usize| {
        let mut bytes = vec![0; offset];
        bytes.extend_from_slice(MARKER.as_bytes());
        // Only whole groups are the same whatever is around the marker; the first is not if anything is before it.
        let first = if offset == 0 { 0 } else { 3 };
        let last = bytes.len() - bytes.len() % 3;
        STANDARD.encode(bytes.get(first..last).unwrap_or_default())
    })
});

/// Base64 of the marker.
pub(super) fn encoded() -> &'static str {
    &ENCODED
}

/// Decodes base64 of any flavour: standard or URL-safe, padded or not, in lines or not.
pub(crate) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    if text.bytes().any(|byte| byte.is_ascii_whitespace()) {
        let joined: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        return STANDARD.decode(&joined).or_else(|_| URL_SAFE.decode(&joined)).ok();
    }
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()
}

/// Base64 as Kubernetes writes it.
pub(super) fn encode_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The paths at which a request body carries the marker: as text, as base64 (any flavour, up to three times, at any
/// alignment), in JSON inside a string; in keys too. At most 32, in the order of the body.
///
/// Such a body was read masked; writing it back would destroy what was masked.
#[must_use]
pub fn marker_paths(body: &Value) -> Vec<String> {
    let mut search = Search {
        trail: Vec::new(),
        found: Vec::new(),
    };
    search.value(body);
    search.found
}

struct Search<'a> {
    trail: Vec<Step<'a>>,
    found: Vec<String>,
}

enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

impl<'a> Search<'a> {
    fn value(&mut self, value: &'a Value) {
        if self.found.len() >= MAX_PATHS {
            return;
        }
        match value {
            Value::String(text) => {
                if carries(text, 0) {
                    self.found.push(path(&self.trail));
                }
            }
            Value::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    self.trail.push(Step::Index(index));
                    self.value(element);
                    self.trail.pop();
                }
            }
            Value::Object(object) => {
                for (key, member) in object.iter() {
                    self.trail.push(Step::Key(key));
                    if carries(key, 0) {
                        self.found.push(path(&self.trail));
                    } else {
                        self.value(member);
                    }
                    self.trail.pop();
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// Longest piece of a key in a path.
const MAX_KEY: usize = 64;

fn path(trail: &[Step<'_>]) -> String {
    let mut path = String::new();
    for step in trail {
        match step {
            Step::Index(index) => path.push_str(&format!("[{index}]")),
            Step::Key(key)
                if (1..=MAX_KEY).contains(&key.len())
                    && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)) =>
            {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(key);
            }
            // A key is the caller's, and may be as long as the body.
            Step::Key(key) => path.push_str(&format!("[\"{}\"]", escape_clip(key, MAX_KEY))),
        }
    }
    path
}

/// Whether a text carries the marker in any form.
pub(crate) fn carries_marker(text: &str) -> bool {
    carries(text, 0)
}

/// Whether a value is the marker as it stands in a field that is base64, and nothing else.
pub(crate) fn is_encoded_marker(value: &Value) -> bool {
    value.as_str() == Some(encoded())
}

fn carries(text: &str, level: usize) -> bool {
    if contains(text.as_bytes()) {
        return true;
    }
    if level == MAX_LEVELS {
        return false;
    }
    if text.trim_start().starts_with(['{', '[', '"'])
        && let Ok(inner) = Value::parse(text.as_bytes())
        && inside(&inner, level + 1)
    {
        return true;
    }
    match decode_base64(text) {
        // Nothing shorter than the marker can decode to it.
        Some(bytes) if bytes.len() >= MARKER.len() => match std::str::from_utf8(&bytes) {
            Ok(decoded) => carries(decoded, level + 1),
            Err(_) => contains(&bytes),
        },
        _ => false,
    }
}

fn inside(value: &Value, level: usize) -> bool {
    match value {
        Value::String(text) => carries(text, level),
        Value::Array(elements) => elements.iter().any(|element| inside(element, level)),
        Value::Object(object) => object
            .iter()
            .any(|(key, member)| carries(key, level) || inside(member, level)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn contains(bytes: &[u8]) -> bool {
    memmem::find(bytes, MARKER.as_bytes()).is_some()
        || ALIGNED
            .iter()
            .any(|core| memmem::find(bytes, core.as_bytes()).is_some())
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose;

    use super::*;

    fn paths(text: &str) -> Vec<String> {
        marker_paths(&Value::parse(text.as_bytes()).unwrap())
    }

    fn in_data(value: &str) -> Vec<String> {
        let mut text = String::from("{\"data\":{\"k\":");
        crate::json::write_string(value, &mut text);
        text.push_str("}}");
        paths(&text)
    }

    #[test]
    fn the_marker_is_valid_everywhere() {
        assert!(MARKER.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'.'));
        assert_eq!(encoded(), "Y291bnRlcnNpZ24ubWFza2VkLnZhbHVl");
        for core in ALIGNED.iter() {
            assert!(core.len() >= 24 && core.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        }
    }

    #[test]
    fn found_in_every_form() {
        let url_safe = general_purpose::URL_SAFE_NO_PAD;
        let mut forms = vec![MARKER.to_owned(), format!("prefix-{MARKER}-suffix")];
        for offset in 0..3 {
            let padded = format!("{}{MARKER}{}", "x".repeat(offset), "y".repeat(offset));
            forms.push(STANDARD.encode(&padded));
            forms.push(url_safe.encode(format!("{padded}\u{3ff}>>??")));
            forms.push(STANDARD.encode(STANDARD.encode(&padded)));
            forms.push(STANDARD.encode(STANDARD.encode(STANDARD.encode(&padded))));
            forms.push(format!("https://x/{}?y", STANDARD.encode(&padded)));
            forms.push(STANDARD.encode([&[0xff, 0xfe], padded.as_bytes()].concat()));
        }
        let mut lines = STANDARD.encode(format!("some text before {MARKER} and after"));
        lines.insert(30, '\n');
        forms.push(lines);
        forms.push(format!(r#"{{"data":{{"a":"{}"}}}}"#, encoded()));
        forms.push(format!(
            r#"{{"a":"[\"countersign.\\u006dasked.value\"]","b":"{}"}}"#,
            "c"
        ));
        forms.push(r#"["countersign\u002emasked\u002evalue"]"#.to_owned());
        for form in forms {
            assert_eq!(in_data(&form), ["data.k"], "{form}");
        }
        for form in [
            "",
            "countersign",
            "countersign.masked",
            "Y291bnRlcnNpZ24",
            "{}",
            "[",
            "not json {",
        ] {
            assert!(in_data(form).is_empty(), "{form}");
        }
    }

    #[test]
    fn paths_name_the_place() {
        let body = format!(
            r#"[{{"op":"add","path":"/data/x","value":"{MARKER}"}},{{"value":{{"a.b/c":{{"":"{MARKER}"}},"{MARKER}":1}}}}]"#
        );
        assert_eq!(
            paths(&body),
            [
                "[0].value".to_owned(),
                "[1].value[\"a.b/c\"][\"\"]".to_owned(),
                format!("[1].value[\"{MARKER}\"]"),
            ]
        );
        let many = format!("[{}0]", format!("\"{MARKER}\",").repeat(100));
        assert_eq!(paths(&many).len(), MAX_PATHS);
    }
}
