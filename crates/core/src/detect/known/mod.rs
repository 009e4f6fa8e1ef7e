//! Values that were masked before in the same session, found again wherever they turn up: in a log, the output of a
//! command, an event, another object.
//!
//! 1. [`KnownValues::remember`] is told each value that was masked because of where it was (the data of a Secret). It
//!    keeps hashes of parts of it under a random key of its own, never the value or a copy of it.
//! 2. A value is found as it is, escaped for JSON (once or twice) or a URL, in hex, and in base64 wherever it begins
//!    there. Of a value with several lines each line is remembered: text is looked at line by line.
//! 3. Up to 32 bytes, the whole of a form must be there. Of a longer one any 24 bytes in a row are enough (in base64 and
//!    hex: 40); what may belong to the same value next to them is masked too.
//! 4. Not remembered: what is shorter than [`KnownLimits::shortest`]; what other texts share (words, names, addresses,
//!    numbers with a meaning, certificates and public keys, the head and the fixed structure of private keys and of
//!    tokens); placeholders. Under a name that says `password` or the like, all but the most common words is.
//! 5. Memory has a bound, [`KnownLimits::bytes`]; the values that were not seen for the longest time are forgotten first.
//!
//! # Limits
//! This is a net under the rules, not a wall: what is cut into pieces below rule 3, compressed, encrypted, reversed,
//! encoded twice in base64, or was never read in the session is not found. Remembering and looking are linear in the
//! text. Whoever can read the memory of the process can test guesses against the hashes.

mod forms;
mod sessions;
mod table;
mod worth;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::detectors::Detector;
use super::hit::Hits;
use table::Table;

pub use sessions::Sessions;

/// Name of the rule of each hit.
const RULE: &str = "known-value";

/// How much is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct KnownLimits {
    /// Most memory of one session, in bytes; a password takes about 350, a private key of 2048 bits 20,000.
    pub bytes: usize,
    /// Shortest value, in bytes; less than 8 counts as 8.
    pub shortest: usize,
    /// How many bytes of one value are remembered.
    pub longest: usize,
}

impl Default for KnownLimits {
    fn default() -> Self {
        Self {
            bytes: 256 * 1024,
            shortest: 8,
            longest: 4 * 1024,
        }
    }
}

impl KnownLimits {
    /// These, with another bound on memory.
    #[must_use]
    pub fn with_bytes(self, bytes: usize) -> Self {
        Self { bytes, ..self }
    }

    /// These, with another shortest value.
    #[must_use]
    pub fn with_shortest(self, shortest: usize) -> Self {
        Self { shortest, ..self }
    }

    /// These, with another part of long values.
    #[must_use]
    pub fn with_longest(self, longest: usize) -> Self {
        Self { longest, ..self }
    }
}

/// The values that were masked in one session.
pub struct KnownValues {
    limits: KnownLimits,
    table: RwLock<Table>,
    /// How often something was remembered.
    revision: AtomicU64,
}

impl KnownValues {
    /// Without a value yet, with a new random key.
    #[must_use]
    pub fn new(limits: KnownLimits) -> Self {
        Self {
            limits,
            table: RwLock::new(Table::new(limits.bytes)),
            revision: AtomicU64::new(0),
        }
    }

    /// Remembers a value that was masked, as far as it is worth it.
    pub fn remember(&self, value: &[u8]) {
        self.remember_as(None, value);
    }

    /// Remembers the value of a key. The name decides in doubt: `password` is a secret even if it looks like a word,
    /// `username` is none.
    pub fn remember_named(&self, name: &str, value: &[u8]) {
        self.remember_as(Some(name), value);
    }

    fn remember_as(&self, name: Option<&str>, value: &[u8]) {
        let seen = self.read().seen_key(name, value);
        if self.read().is_fresh(seen) {
            return;
        }
        // The expensive part, without the lock.
        let units = worth::units(name, value, &self.limits);
        let forms: Vec<_> = units.iter().flat_map(forms::forms).collect();
        let mut table = self.write();
        table.mark_seen(seen);
        for form in &forms {
            table.insert(form);
        }
        self.revision.fetch_add(1, Ordering::Release);
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.read().is_empty()
    }

    // A panic can't leave the table in a state that hurts: at worst a value is remembered in part.
    fn read(&self) -> RwLockReadGuard<'_, Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Table> {
        self.table.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for KnownValues {
    fn default() -> Self {
        Self::new(KnownLimits::default())
    }
}

impl Detector for KnownValues {
    fn detect(&self, text: &[u8], hits: &mut Hits) {
        self.read().find_all(text, |range| hits.push(range, RULE));
    }

    fn revision(&self) -> u64 {
        self.revision.load(Ordering::Acquire)
    }

    fn is_quiet(&self, text: &[u8]) -> bool {
        let table = self.read();
        let mut is_quiet = true;
        if !table.is_empty() {
            table.find_all(text, |_| is_quiet = false);
        }
        is_quiet
    }
}

/// Without what is remembered, hashes included.
impl fmt::Debug for KnownValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownValues")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
