//! What masking did to one answer, in numbers.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::detect::Text;

/// What masking did to one answer: counts, never a value, a length or a hash.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    masked: u64,
    hidden: u64,
    rules: BTreeMap<String, u64>,
}

impl Report {
    pub(super) fn of_text(text: &Text) -> Self {
        let rules: BTreeMap<String, u64> = text.counts().map(|(rule, count)| (rule.to_owned(), count)).collect();
        Self {
            masked: rules.values().sum(),
            hidden: 0,
            rules,
        }
    }

    /// Scalars that were replaced, those inside annotations included.
    #[must_use]
    pub fn masked(&self) -> u64 {
        self.masked
    }

    /// Items that were left out since they are in a hidden namespace.
    #[must_use]
    pub fn hidden(&self) -> u64 {
        self.hidden
    }

    /// Replaced scalars by rule: names of the policy's rules and ids of detectors, and `secret-data`, `secret-metadata`,
    /// `field` (of another kind), `setting`, `key-name`, `json-annotation`, `status`.
    pub fn rules(&self) -> impl Iterator<Item = (&str, u64)> {
        self.rules.iter().map(|(rule, count)| (rule.as_str(), *count))
    }
}

/// The report of an answer that is still being masked.
#[derive(Debug, Default)]
pub(super) struct Tally(Report);

impl Tally {
    /// A scalar was replaced.
    pub(super) fn masked(&mut self, rule: &str) {
        self.0.masked += 1;
        match self.0.rules.get_mut(rule) {
            Some(count) => *count += 1,
            None => {
                self.0.rules.insert(rule.to_owned(), 1);
            }
        }
    }

    /// Items were left out.
    pub(super) fn hidden(&mut self, count: u64) {
        self.0.hidden += count;
    }

    pub(super) fn report(&self) -> &Report {
        &self.0
    }
}
