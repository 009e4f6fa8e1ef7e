//! Keys that differ in case only: the API server tells them apart, webhooks and aggregated servers may not.

use std::collections::HashSet;

use super::quote::Quoted;
use crate::json::{Object, Value};
use crate::refusal::Refusal;

/// Keys of an object's top level that decide what it is; another spelling is not let through.
const TOP_LEVEL: [&str; 7] = ["apiVersion", "kind", "metadata", "spec", "data", "stringData", "status"];

/// Maps whose keys are the user's own.
pub(super) const FREE_MAPS: [&str; 12] = [
    "data",
    "stringData",
    "binaryData",
    "labels",
    "annotations",
    "matchLabels",
    "nodeSelector",
    "limits",
    "requests",
    "parameters",
    "options",
    "volumeAttributes",
];

/// Refuses objects in which two keys differ in case only, except free maps, and misspelt keys at the top.
pub(super) fn check(body: &Value) -> Result<(), Refusal> {
    if let Some(object) = body.as_object() {
        object.iter().try_for_each(|(key, _)| check_top_level(key))?;
    }
    check_below(body, false)
}

/// Refuses a misspelt key of an object's top level.
pub(super) fn check_top_level(key: &str) -> Result<(), Refusal> {
    let is_misspelt = |meant: &&&str| **meant != key && fold(meant) == fold(key);
    match TOP_LEVEL.iter().find(is_misspelt) {
        None => Ok(()),
        Some(meant) => {
            let message = format!(
                "the body has a key {} that differs from `{meant}` in case only",
                Quoted(key)
            );
            Err(Refusal::malformed(message).with_remedy(format!("write `{meant}`")))
        }
    }
}

/// Recursion is bounded by the depth of the parser.
fn check_below(value: &Value, free: bool) -> Result<(), Refusal> {
    match value {
        Value::Array(elements) => elements.iter().try_for_each(|element| check_below(element, false)),
        Value::Object(object) => {
            if !free {
                check_object(object)?;
            }
            object
                .iter()
                .try_for_each(|(key, value)| check_below(value, FREE_MAPS.contains(&key)))
        }
        _ => Ok(()),
    }
}

fn check_object(object: &Object) -> Result<(), Refusal> {
    let mut seen = HashSet::with_capacity(object.len());
    match object.iter().find(|(key, _)| !seen.insert(fold(key))) {
        None => Ok(()),
        Some((key, _)) => Err(Refusal::malformed(format!(
            "the body has keys that differ in case only: {}",
            Quoted(key)
        ))
        .with_remedy("give each key once")),
    }
}

/// Folds case as Go's JSON decoder does when it compares keys: beyond ASCII, `ſ` is an s and the Kelvin sign a k.
fn fold(key: &str) -> String {
    if key.is_ascii() {
        return key.to_ascii_lowercase();
    }
    key.chars()
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_variants_are_refused_outside_of_free_maps() {
        let passes = |text: &str| check(&Value::parse(text.as_bytes()).unwrap()).is_ok();
        for right in [
            r#"{"kind":"Pod","spec":{"a":1,"b":1}}"#,
            r#"{"metadata":{"labels":{"App":"x","app":"y"}},"data":{"A":"","a":""}}"#,
            r#"{"spec":{"Kind":1,"resources":{"limits":{"A":1,"a":1}},"csi":{"volumeAttributes":{"X":"","x":""}}}}"#,
            r#"[{"op":"add","value":{"a":1}}]"#,
        ] {
            assert!(passes(right), "{right}");
        }
        for wrong in [
            r#"{"Spec":{}}"#,
            r#"{"ſpec":{}}"#,
            "{\"\u{212a}ind\":1}",
            r#"{"APIVersion":"v1"}"#,
            r#"{"spec":{"a":{"hostPID":1,"hostpid":1}}}"#,
            r#"{"metadata":{"labels":{"x":{"A":1,"a":1}}}}"#,
            r#"{"data":[{"A":1,"a":1}]}"#,
            r#"[{"op":"add","value":{"A":1,"a":2}}]"#,
        ] {
            assert!(!passes(wrong), "{wrong}");
        }
    }
}
