//! Approval of one exact request by humans, used up by sending it.
//!
//! 1. A held request is opened as a [`Ticket`] at an [`ApprovalBackend`], which collects [`Vote`]s and nothing else.
//! 2. [`tally`] says what the votes amount to: every hold that fired has its quorum of different approvers who may
//!    approve; none of them is the requester or the one on whose behalf it asks; one denial by an approver ends it.
//! 3. [`permit`] reads the votes from the backend itself, checks deadline, digest and policy revision once more, and has
//!    the backend consume the ticket: exactly one caller ever gets the [`Permit`].
//! 4. A [`Permit`] can't be cloned, and [`Sealed::open`](crate::request::Sealed::open) takes it by value.

mod backend;
#[cfg(feature = "conformance")]
pub mod conformance;
mod memory;
mod permit;
mod tally;
mod ticket;

pub use backend::{ApprovalBackend, BackendError, Consumed};
pub use memory::MemoryBackend;
pub use permit::{Grant, Permit, backend_refusal, permit, permit_allowed};
pub use tally::{Standing, tally};
pub use ticket::{Answer, MAX_REVIEW_BYTES, Review, Ticket, TicketId, Vote};
