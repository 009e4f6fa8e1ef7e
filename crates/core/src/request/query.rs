//! The query: split and decoded strictly, keys from an allowlist, values by their rule.

use std::borrow::Cow;
use std::collections::HashSet;

use super::label_selector;
use super::names;
use super::percent;
use super::query_keys::{Class, Rule};
use super::quote::Quoted;
use super::selector::{self, FieldTerm};
use crate::refusal::Refusal;

/// A query that follows the rules of its class.
#[derive(Debug, Clone, Default)]
pub(super) struct Query {
    pairs: Vec<(Cow<'static, str>, String)>,
    /// The terms of the field selector.
    pub(super) field_terms: Vec<FieldTerm>,
}

/// Pairs of a query, split and decoded, before their keys are looked at.
pub(super) struct Pairs<'a> {
    raw_len: usize,
    pairs: Vec<(&'a str, Cow<'a, str>)>,
}

impl<'a> Pairs<'a> {
    /// Splits at `&` and decodes once. What Go would drop silently is refused, so that all parties see the same pairs.
    pub(super) fn split(raw: &'a str) -> Result<Self, Refusal> {
        // No class allows more; what is longer is not worth splitting.
        Class::Exec.check_len(raw.len())?;
        let mut pairs = Vec::new();
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            if pair.contains(';') {
                return Err(Refusal::malformed("semicolon in the query")
                    .with_remedy("separate pairs with `&`, and write `;` in a value as `%3B`"));
            }
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if key.contains(['%', '+']) {
                return Err(Refusal::malformed(format!("encoded query key {}", Quoted(key)))
                    .with_remedy("write query keys plainly"));
            }
            let value = percent::decode_query(value)
                .map_err(|error| Refusal::malformed(format!("{error} in the value of query key {}", Quoted(key))))?;
            pairs.push((key, value));
        }
        Ok(Self {
            raw_len: raw.len(),
            pairs,
        })
    }

    /// Whether `watch` is asked for, by upstream's rule: the first value counts, and all but `false` and `0` is yes.
    pub(super) fn asks_watch(&self) -> bool {
        self.pairs
            .iter()
            .find(|(key, _)| *key == "watch")
            .is_some_and(|(_, value)| is_true(value))
    }

    /// Checks every pair against the rules of a class.
    pub(super) fn check(self, class: Class) -> Result<Query, Refusal> {
        class.check_len(self.raw_len)?;
        if self.pairs.is_empty() {
            return Ok(Query::default());
        }
        if class == Class::Proxy {
            return self.check_proxy();
        }
        let mut query = Query {
            pairs: Vec::with_capacity(self.pairs.len()),
            field_terms: Vec::new(),
        };
        for (key, value) in self.pairs {
            let Some((key, rule)) = class.find(key) else {
                let message = format!("query key {} is not allowed for {}", Quoted(key), class.name());
                return Err(Refusal::malformed(message).with_remedy("leave it out"));
            };
            let repeatable = matches!(key, "command" | "ports");
            if !repeatable && query.pairs.iter().any(|(seen, _)| seen == key) {
                return Err(duplicate(key));
            }
            check_value(key, rule, &value)?;
            if let Rule::FieldSelector = rule {
                query.field_terms = parse_field_selector(&value)?;
            }
            query.pairs.push((Cow::Borrowed(key), value.into_owned()));
        }
        Ok(query)
    }

    /// Below `proxy` any key goes, once; the class as a whole is the policy's to deny.
    fn check_proxy(self) -> Result<Query, Refusal> {
        let mut seen = HashSet::with_capacity(self.pairs.len());
        if let Some((key, _)) = self.pairs.iter().find(|(key, _)| !seen.insert(*key)) {
            return Err(duplicate(key));
        }
        let pairs = self.pairs.into_iter();
        Ok(Query {
            pairs: pairs
                .map(|(key, value)| (Cow::Owned(key.to_owned()), value.into_owned()))
                .collect(),
            field_terms: Vec::new(),
        })
    }
}

impl Query {
    /// The decoded pairs, in the order received.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(key, value)| (key.as_ref(), value.as_str()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The first value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.pairs().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// Takes all pairs of some keys out.
    pub(super) fn remove(&mut self, keys: &[&str]) {
        self.pairs.retain(|(key, _)| !keys.contains(&key.as_ref()));
    }

    /// The name that a field selector fixes, if it does: an empty one is none.
    pub(super) fn selected_name(&self) -> Option<&str> {
        self.name_terms().next().filter(|name| !name.is_empty())
    }

    fn name_terms(&self) -> impl Iterator<Item = &str> {
        name_terms(&self.field_terms)
    }

    /// Appends the canonical form with its `?`, or nothing if there are no pairs.
    pub(super) fn write(&self, target: &mut String) {
        for (index, (key, value)) in self.pairs().enumerate() {
            target.push(if index == 0 { '?' } else { '&' });
            target.push_str(key);
            target.push('=');
            percent::push_value(target, value);
        }
    }
}

/// Upstream's reading of a boolean.
pub(super) fn is_true(value: &str) -> bool {
    value != "0" && !value.eq_ignore_ascii_case("false")
}

fn duplicate(key: &str) -> Refusal {
    Refusal::malformed(format!("duplicate query key {}", Quoted(key))).with_remedy("give each key once")
}

fn check_value(key: &str, rule: Rule, value: &str) -> Result<(), Refusal> {
    let wrong = |expected: &str| {
        let message = format!("query key {key} has the value {}", Quoted(value));
        Err(Refusal::malformed(message).with_remedy(format!("give {expected}")))
    };
    match rule {
        Rule::Text | Rule::FieldSelector => Ok(()),
        Rule::Bool if ["true", "false"].iter().any(|word| value.eq_ignore_ascii_case(word)) => Ok(()),
        Rule::Bool if matches!(value, "1" | "0") => Ok(()),
        Rule::Bool => wrong("`true` or `false`"),
        Rule::Integer if is_integer(value) => Ok(()),
        Rule::Integer => wrong("1 to 18 digits"),
        Rule::Ports
            if value
                .split(',')
                .all(|port| is_integer(port) && port.parse::<u16>().is_ok()) =>
        {
            Ok(())
        }
        Rule::Ports => wrong("port numbers joined by commas"),
        Rule::OneOf(allowed) if allowed.contains(&value) => Ok(()),
        Rule::OneOf(allowed) => wrong(&format!("`{}`", allowed.join("` or `"))),
        Rule::LabelSelector => label_selector::check(value)
            .map_err(|why| Refusal::malformed(format!("labelSelector does not parse: {}", why.0))),
    }
}

fn is_integer(value: &str) -> bool {
    (1..=18).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit())
}

fn parse_field_selector(value: &str) -> Result<Vec<FieldTerm>, Refusal> {
    let terms = selector::parse_fields(value)
        .map_err(|why| Refusal::malformed(format!("fieldSelector does not parse: {}", why.0)))?;
    // Upstream takes the first name in sorted order, whatever the others say.
    if name_terms(&terms).count() > 1 {
        return Err(Refusal::malformed("fieldSelector fixes metadata.name twice"));
    }
    if let Some(name) = name_terms(&terms).find(|name| !names::is_path_segment_name(name)) {
        let message = format!("fieldSelector fixes metadata.name to {}", Quoted(name));
        return Err(Refusal::malformed(message).with_remedy("give the name of an object"));
    }
    Ok(terms)
}

fn name_terms(terms: &[FieldTerm]) -> impl Iterator<Item = &str> {
    terms
        .iter()
        .filter(|term| !term.negated && term.field == "metadata.name")
        .map(|term| term.value.as_str())
}
