//! Sets of bytes.

use std::fmt;

/// A set of bytes, as a table: one load per test.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::detect) struct ByteSet(Box<[bool; 256]>);

impl ByteSet {
    /// The bytes for which this holds.
    pub(in crate::detect) fn of(holds: impl Fn(u8) -> bool) -> Self {
        let mut set = Box::new([false; 256]);
        for (byte, slot) in (0..=u8::MAX).zip(set.iter_mut()) {
            *slot = holds(byte);
        }
        Self(set)
    }

    pub(in crate::detect) fn contains(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte)).copied().unwrap_or(false)
    }

    pub(super) fn bytes(&self) -> impl Iterator<Item = u8> + '_ {
        (0..=u8::MAX).filter(|byte| self.contains(*byte))
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.0.iter().any(|in_it| *in_it)
    }

    pub(super) fn meets(&self, other: &Self) -> bool {
        self.bytes().any(|byte| other.contains(byte))
    }

    /// Adds the bytes of another set.
    pub(super) fn add(&mut self, other: &Self) {
        for (slot, more) in self.0.iter_mut().zip(other.0.iter()) {
            *slot |= more;
        }
    }

    /// How many bytes at the start of a text are in the set, at most `max`.
    pub(super) fn leading(&self, text: &[u8], max: usize) -> usize {
        text.iter()
            .take(max)
            .position(|byte| !self.contains(*byte))
            .unwrap_or_else(|| text.len().min(max))
    }

    /// How many bytes at the end of a text are in the set, at most `max`.
    pub(super) fn trailing(&self, text: &[u8], max: usize) -> usize {
        text.iter()
            .rev()
            .take(max)
            .position(|byte| !self.contains(*byte))
            .unwrap_or_else(|| text.len().min(max))
    }
}

impl fmt::Debug for ByteSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.bytes().map(char::from)).finish()
    }
}
