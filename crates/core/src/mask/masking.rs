//! How answers are masked, beyond the kinds and paths that always are.

use super::kinds::Kinds;
use crate::detect::Detectors;

/// How answers are masked, beyond the kinds and paths that always are; cheap to clone. The default is the safe one.
#[derive(Debug, Clone)]
pub struct Masking {
    /// What looks for secrets in text.
    pub detectors: Detectors,
    /// Whether every value of an environment variable and of a ConfigMap is masked, whatever it looks like.
    pub strict: bool,
    /// Which fields of which kinds are masked.
    pub kinds: Kinds,
    /// Whether values that were masked are remembered, and found again elsewhere.
    pub known_values: bool,
}

impl Default for Masking {
    fn default() -> Self {
        Self {
            detectors: Detectors::default(),
            strict: false,
            kinds: Kinds::default(),
            known_values: true,
        }
    }
}
