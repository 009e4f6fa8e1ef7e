//! What working out a change may cost: hostile patches double an object with every operation.

use crate::json::{MAX_DEPTH, Value};

/// Most bytes and values that operations may copy: those of the largest object twice over.
const MAX_COPIED: usize = 8 * 1024 * 1024;

/// Most members and elements that are looked at, or moved, while operations find their places.
const MAX_STEPS: usize = 32 * 1024 * 1024;

/// What is left of it.
pub(super) struct Budget {
    copied: usize,
    steps: usize,
}

/// A change that costs more than anything that is meant to be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct TooLarge;

impl Budget {
    pub(super) fn new() -> Self {
        Self {
            copied: MAX_COPIED,
            steps: MAX_STEPS,
        }
    }

    /// Pays for steps.
    pub(super) fn step(&mut self, steps: usize) -> Result<(), TooLarge> {
        self.steps = self.steps.checked_sub(steps.max(1)).ok_or(TooLarge)?;
        Ok(())
    }

    /// Pays for a copy of a value that goes `depth` levels deep into an object.
    pub(super) fn copy(&mut self, value: &Value, depth: usize) -> Result<(), TooLarge> {
        if depth > MAX_DEPTH {
            return Err(TooLarge);
        }
        let own = match value {
            Value::Null | Value::Bool(_) => 0,
            Value::Number(text) | Value::String(text) => text.len(),
            Value::Array(elements) => {
                elements.iter().try_for_each(|element| self.copy(element, depth + 1))?;
                0
            }
            Value::Object(object) => {
                for (key, member) in object.iter() {
                    self.copied = self.copied.checked_sub(key.len()).ok_or(TooLarge)?;
                    self.copy(member, depth + 1)?;
                }
                0
            }
        };
        // A value costs memory even where its text is a single byte.
        self.copied = self.copied.checked_sub(own + 8).ok_or(TooLarge)?;
        Ok(())
    }
}
