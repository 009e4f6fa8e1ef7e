//! What a decision says, as annotations of bounded length.

use std::borrow::Cow;
use std::collections::BTreeMap;

use countersign_core::escape::escape_clip;
use countersign_core::policy::Decision;

use super::key;

/// Longest item of a list.
const MAX_ITEM: usize = 256;

/// Most items of a list.
const MAX_ITEMS: usize = 64;

/// Most keys of a policy's own, and the longest of them.
const MAX_KEYS: usize = 32;
const MAX_KEY: usize = 128;

/// Items joined by commas; what is too long is clipped, and what is too many is counted.
pub(super) fn list(items: impl Iterator<Item = String>) -> String {
    let mut all: Vec<_> = Vec::new();
    let mut left_out = 0;
    for item in items {
        if all.len() < MAX_ITEMS {
            all.push(escape_clip(&item, MAX_ITEM));
        } else {
            left_out += 1;
        }
    }
    if left_out > 0 {
        all.push(format!("…+{left_out}"));
    }
    all.join(",")
}

/// Adds what fired, what would have, what was of concern, and what the policy itself wants recorded.
pub(super) fn annotate(annotations: &mut BTreeMap<Cow<'static, str>, String>, decision: &Decision) {
    let rules = |rules: &[countersign_core::policy::FiredRule]| {
        list(rules.iter().map(|rule| format!("{}={}", rule.name, rule.action)))
    };
    let findings = decision.findings().iter().map(|finding| match &finding.value {
        Some(value) => format!("{}:{}={value}", finding.concern, finding.path),
        None => format!("{}:{}", finding.concern, finding.path),
    });
    let lists = [
        (key::FIRED, rules(decision.fired())),
        (key::SHADOW, rules(decision.shadow())),
        (key::FINDINGS, list(findings)),
        (key::REWRITES, list(decision.rewrites().iter().map(ToString::to_string))),
        (key::WARNINGS, list(decision.warnings().iter().cloned())),
    ];
    for (key, list) in lists {
        if !list.is_empty() {
            annotations.insert(key.into(), list);
        }
    }
    // Below a prefix of their own, so that no policy can speak for the guard.
    for (name, value) in decision.annotations().iter().take(MAX_KEYS) {
        let name = escape_clip(name, MAX_KEY);
        annotations.insert(
            format!("{}{name}", key::POLICY).into(),
            escape_clip(value, super::MAX_RAW),
        );
    }
}
