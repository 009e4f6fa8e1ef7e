//! Why a condition can't be evaluated, and the meter that ends what takes too long.

use std::fmt;

/// Steps that one expression may take, in the units of upstream's limit: about one per operation, one per ten bytes of
/// text.
pub(super) const STEPS: u64 = 1_000_000;

/// Why a condition has no value. Texts of objects are never part of the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::policy) enum EvaluationError {
    /// It took more steps than it may.
    #[error("it takes more than {STEPS} steps on this object")]
    Exhausted,
    /// A field or key is not there.
    #[error("no such key: {0}")]
    Missing(String),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

/// Why an expression has no value.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    /// Out of steps: nothing absorbs it.
    Exhausted,
    /// A field that is not there, by its name in the expression.
    Missing(String),
    /// A function or operator without a meaning for values of these types; whoever called it names them.
    Overload,
    /// Anything else.
    Failed(String),
}

impl Fault {
    pub(super) fn new(message: impl fmt::Display) -> Self {
        Self::Failed(message.to_string())
    }
}

impl From<Fault> for EvaluationError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Exhausted => Self::Exhausted,
            Fault::Missing(name) => Self::Missing(name),
            Fault::Overload => Self::Failed("no such overload".to_owned()),
            Fault::Failed(message) => Self::Failed(message),
        }
    }
}

/// What is left of the steps.
#[derive(Debug)]
pub(super) struct Meter {
    left: u64,
}

impl Meter {
    pub(super) fn new() -> Self {
        Self { left: STEPS }
    }

    /// Takes steps, or ends the evaluation.
    pub(super) fn charge(&mut self, steps: usize) -> Result<(), Fault> {
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        match self.left.checked_sub(steps) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(Fault::Exhausted)
            }
        }
    }

    /// Takes the steps for reading or writing so many bytes.
    pub(super) fn bytes(&mut self, bytes: usize) -> Result<(), Fault> {
        self.charge(bytes / 10)
    }

    pub(super) fn is_exhausted(&self) -> bool {
        self.left == 0
    }
}
