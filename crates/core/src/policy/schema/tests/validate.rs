//! As much of JSON Schema as ours uses; a keyword beyond that fails the test.

use std::cell::RefCell;
use std::collections::HashMap;

use serde_json::{Map, Value};

/// Keywords that say nothing about what is valid.
const WORDS: [&str; 5] = ["$schema", "definitions", "description", "title", "default"];

pub(super) fn validate(root: &Value, value: &Value) -> Result<(), String> {
    check(root, root, value, "")
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let Value::Object(keywords) = schema else {
        return if *schema == Value::Bool(false) {
            Err(format!("{at}: nothing may be here"))
        } else {
            Ok(())
        };
    };
    for (keyword, said) in keywords {
        let valid = match keyword.as_str() {
            "$ref" => {
                let target = said.as_str().unwrap().strip_prefix('#').unwrap();
                check(root, root.pointer(target).unwrap(), value, at)?;
                true
            }
            "type" => match said {
                Value::Array(types) => types.iter().any(|name| is(value, name)),
                name => is(value, name),
            },
            "const" => value == said,
            "enum" => said.as_array().unwrap().contains(value),
            "pattern" => text(value).is_none_or(|text| matches(said.as_str().unwrap(), text)),
            "minLength" => text(value).is_none_or(|text| text.chars().count() as u64 >= number(said)),
            "maxLength" => text(value).is_none_or(|text| text.chars().count() as u64 <= number(said)),
            "minimum" => value.as_f64().is_none_or(|value| value >= said.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|value| value <= said.as_f64().unwrap()),
            "minItems" => value.as_array().is_none_or(|list| list.len() as u64 >= number(said)),
            "minProperties" => value.as_object().is_none_or(|map| map.len() as u64 >= number(said)),
            "maxProperties" => value.as_object().is_none_or(|map| map.len() as u64 <= number(said)),
            "required" => value.as_object().is_none_or(|map| {
                said.as_array()
                    .unwrap()
                    .iter()
                    .all(|name| map.contains_key(name.as_str().unwrap()))
            }),
            "items" => {
                for (index, element) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, said, element, &format!("{at}/{index}"))?;
                }
                true
            }
            "properties" => {
                for (name, member) in value.as_object().into_iter().flatten() {
                    if let Some(schema) = said.get(name) {
                        check(root, schema, member, &format!("{at}/{name}"))?;
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = keywords.get("properties").and_then(Value::as_object);
                let known = |name: &str| known.is_some_and(|known: &Map<_, _>| known.contains_key(name));
                for (name, member) in value.as_object().into_iter().flatten().filter(|(name, _)| !known(name)) {
                    check(root, said, member, &format!("{at}/{name}"))?;
                }
                true
            }
            "allOf" => {
                for schema in said.as_array().unwrap() {
                    check(root, schema, value, at)?;
                }
                true
            }
            "anyOf" => fitting(root, said, value, at) >= 1,
            "oneOf" => fitting(root, said, value, at) == 1,
            word => {
                assert!(WORDS.contains(&word), "`{word}` is not understood by this test");
                true
            }
        };
        if !valid {
            return Err(format!("{at}: {keyword} {said}, not {value}"));
        }
    }
    Ok(())
}

fn fitting(root: &Value, schemas: &Value, value: &Value, at: &str) -> usize {
    let schemas = schemas.as_array().unwrap().iter();
    schemas.filter(|schema| check(root, schema, value, at).is_ok()).count()
}

fn is(value: &Value, name: &Value) -> bool {
    match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        other => panic!("{other}"),
    }
}

fn text(value: &Value) -> Option<&str> {
    value.as_str()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

fn matches(pattern: &str, text: &str) -> bool {
    thread_local! {
        static PATTERNS: RefCell<HashMap<String, regex::Regex>> = RefCell::default();
    }
    PATTERNS.with_borrow_mut(|patterns| {
        let compiled = || regex::Regex::new(pattern).unwrap();
        patterns
            .entry(pattern.to_owned())
            .or_insert_with(compiled)
            .is_match(text)
    })
}
