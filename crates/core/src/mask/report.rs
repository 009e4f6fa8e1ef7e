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

impl Report {
    /// How many values were masked by what, in words for the caller: `3 values masked (secret-data 2, status 1)`. None if
    /// nothing was.
    #[must_use]
    pub fn summary(&self) -> Option<String> {
        let values = match self.masked {
            0 => return None,
            1 => "1 value".to_owned(),
            masked => format!("{masked} values"),
        };
        let rules: Vec<String> = self.rules().map(|(rule, count)| format!("{rule} {count}")).collect();
        Some(format!("{values} masked ({})", rules.join(", ")))
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
