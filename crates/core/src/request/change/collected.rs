//! Collected as they are collected, which is not without end.

use std::collections::HashMap;

use super::concern::Concern;
use super::{Finding, Findings};

/// Most findings of one concern: a body of a million nulls is as destructive as one of some. The last of them stands for
/// the rest: it has no place and no value, so that no list of a policy has it, and a value that is not listed can't hide
/// behind many that are.
pub(super) const MAX_OF_ONE: usize = 64;

/// Collected as they are collected.
#[derive(Default)]
pub(super) struct Collected {
    found: Vec<Finding>,
    counts: HashMap<Concern, usize>,
}

impl Collected {
    pub(super) fn add(&mut self, mut finding: Finding) {
        let count = self.counts.entry(finding.concern).or_default();
        *count += 1;
        if *count == MAX_OF_ONE {
            finding.path = String::new();
            finding.value = None;
        }
        if *count <= MAX_OF_ONE {
            self.found.push(finding);
        }
    }

    /// Adds a finding of which nothing but its place has to be told.
    pub(super) fn at(&mut self, concern: Concern, path: String, assumed: bool) {
        self.add(Finding {
            concern,
            path,
            value: None,
            assumed,
        });
    }

    /// Whether one more of a concern would be left out.
    pub(super) fn is_full(&self, concern: Concern) -> bool {
        self.counts.get(&concern).is_some_and(|count| *count >= MAX_OF_ONE)
    }

    /// Paths of a concern.
    pub(super) fn paths(&self, concern: Concern) -> impl Iterator<Item = (&str, bool)> {
        let found = self.found.iter().filter(move |finding| finding.concern == concern);
        found.map(|finding| (finding.path.as_str(), finding.assumed))
    }

    /// All of them, in the order of their paths.
    pub(super) fn into_sorted(mut self) -> Findings {
        self.found.sort_by(|a, b| {
            let of = |finding: &Finding| (finding.path.clone(), finding.concern, finding.value.clone());
            of(a).cmp(&of(b))
        });
        self.found.dedup();
        self.found.into_iter().collect()
    }
}
