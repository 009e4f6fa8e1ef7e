//! The record of what happened: one event before a request is sent and one after, chained, and verifiable by anybody.
//!
//! 1. An [`Event`] has the shape of `audit.k8s.io/v1`, so that existing tools read it; what they don't know stands in
//!    its annotations ([`annotation`]).
//! 2. A log is JSON lines, one event each, linked by a [`Chain`] of SHA-256 hashes in their annotations.
//! 3. A request has an intent (`RequestReceived`) before it is sent and an outcome (`ResponseComplete`, or `Panic`)
//!    after; a stream has a `ResponseStarted` between them. A refused request may have its outcome alone. What became of
//!    it exactly says the [`Outcome`].
//! 4. What an [`AuditSink`] could not keep is counted and recorded as a gap. Without a sink that works nothing is sent:
//!    the caller is refused with 503.
//! 5. [`Verifier`] reads a log and gives two verdicts: integrity (nothing was changed) and completeness (nothing is
//!    missing).
//!
//! Secrets never get here: whoever fills in an event masks first. A caller's words do: [`Table`] escapes them.

mod chain;
#[cfg(feature = "conformance")]
pub mod conformance;
mod event;
mod gap;
mod memory;
mod outcome;
mod sink;
mod table;
mod verify;

pub use chain::{Chain, Encoded, Link, LinkError, MAX_EVENT, TooLarge};
pub use event::{Event, Level, ObjectReference, ResponseStatus, Stage, User, annotation};
pub use gap::{LossCause, Losses};
pub use memory::MemorySink;
pub use outcome::{Outcome, ParseOutcomeError};
pub use sink::{AuditSink, Durability, SinkError, SinkErrorKind};
pub use table::Table;
pub use verify::{Finding, Findings, Problem, Report, Verifier, verify, verify_reader};
