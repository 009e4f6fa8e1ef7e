//! How answers are masked, beyond the kinds and paths that always are.

use super::kinds::Kinds;
use crate::detect::Detectors;

/// How answers are masked, beyond the kinds and paths that always are; cheap to clone. The default is the safe one.
#[derive(Debug, Clone, Default)]
pub struct Masking {
    /// What looks for secrets in text.
    pub detectors: Detectors,
    /// Whether every value of an environment variable and of a ConfigMap is masked, whatever it looks like.
    pub strict: bool,
    /// Which fields of which kinds are masked.
    pub kinds: Kinds,
}
