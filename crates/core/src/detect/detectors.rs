//! What looks for secrets, together.

use std::fmt;
use std::sync::Arc;

use super::contexts::{self, LineState};
use super::hit::Hits;

/// Finds secrets in text.
///
/// # Contract
/// A detector is a pure function of the text: the same text gives the same hits, on whatever thread. It finds what is in
/// the text it is given, which for streams is one line (or, of a longer one, a part that overlaps with the next).
/// It takes time and memory in proportion to the text, whatever is in it: the text may be hostile. It does not panic; where
/// one does all the same, the answer at hand is given up.
pub trait Detector: fmt::Debug + Send + Sync {
    /// Adds the secrets in a text. The text need not be UTF-8.
    fn detect(&self, text: &[u8], hits: &mut Hits);
}

/// All that looks for secrets in one answer; cheap to clone.
#[derive(Debug, Clone)]
pub struct Detectors {
    all: Arc<[Arc<dyn Detector>]>,
}

impl Detectors {
    /// The rules that come with this crate.
    #[must_use]
    pub fn built_in() -> Self {
        Self { all: Arc::new([]) }
    }

    #[cfg(test)]
    pub(super) fn of_contexts() -> Self {
        Self { all: Arc::new([]) }
    }

    /// These, and another one.
    #[must_use]
    pub fn and(self, detector: Arc<dyn Detector>) -> Self {
        Self {
            all: self.all.iter().cloned().chain([detector]).collect(),
        }
    }

    /// Adds the secrets in a text.
    pub fn detect(&self, text: &[u8], hits: &mut Hits) {
        self.detect_lines(&mut LineState::default(), text, hits);
    }

    /// Adds the secrets in lines that follow those that the state has seen.
    ///
    /// The lines are complete, and how many there are at a time makes no difference.
    pub fn detect_lines(&self, state: &mut LineState, text: &[u8], hits: &mut Hits) {
        contexts::lines(text, 0, state, hits);
        for detector in self.all.iter() {
            detector.detect(text, hits);
        }
    }

    /// Adds the secrets in the value of something named: an environment variable, a key of a ConfigMap, a column. The
    /// name may say that the whole of it is one.
    pub fn detect_named(&self, name: &str, value: &[u8], hits: &mut Hits) {
        if contexts::is_secret_value(name.as_bytes(), value) {
            hits.push(0..value.len(), "named-value");
            return;
        }
        self.detect(value, hits);
    }

    /// Adds the secrets in the arguments of a command, to the hits of the same index; `password` behind `-p` is one.
    pub fn detect_arguments(&self, arguments: &[&[u8]], hits: &mut [Hits]) {
        for (argument, hits) in arguments.iter().zip(hits.iter_mut()) {
            self.detect(argument, hits);
        }
        contexts::arguments(arguments, |index, range| {
            if let Some(hits) = hits.get_mut(index) {
                hits.push(range, "argument");
            }
        });
    }
}

impl Default for Detectors {
    fn default() -> Self {
        Self::built_in()
    }
}
