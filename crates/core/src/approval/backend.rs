//! The contract of an approval backend.

use std::sync::Arc;

use async_trait::async_trait;

use super::ticket::{Ticket, TicketId, Vote};
use crate::digest::Digest;

/// Keeps tickets and collects what humans say about them. It decides nothing: who may approve, how many are needed and
/// what a denial does is decided by [`tally`](super::tally), the same for every backend.
///
/// # Contract
/// - **Who voted** is the backend's to know: it authenticates humans and never takes a vote from an agent.
/// - **Idempotent**: opening a ticket under an id that is open already changes nothing; withdrawing or consuming twice is
///   no error.
/// - **Ordering**: votes of a ticket are kept in the order of their arrival and never change; one human votes once, a
///   second vote of the same user is ignored.
/// - **Consumed once**: of any number of calls to [`consume`](Self::consume), in any processes, exactly one gets
///   [`Consumed::Now`]. A digest that differs gets [`Consumed::Mismatch`] and leaves the ticket as it was.
/// - **Closed is closed**: a ticket that is consumed or withdrawn takes no more votes, can't be consumed, and wakes all
///   who wait for votes.
/// - **Failure**: a call that returns an error may or may not have taken effect; the caller refuses the request then.
/// - **Cancellation**: dropping a future of [`votes`](Self::votes) loses nothing.
#[async_trait]
pub trait ApprovalBackend: Send + Sync + 'static {
    /// Opens a ticket.
    async fn open(&self, ticket: Ticket) -> Result<(), BackendError>;

    /// Waits until a ticket has more than `seen` votes, then returns all of them.
    async fn votes(&self, ticket: &TicketId, seen: usize) -> Result<Vec<Vote>, BackendError>;

    /// Uses a ticket up for a request of this digest.
    async fn consume(&self, ticket: &TicketId, digest: &Digest) -> Result<Consumed, BackendError>;

    /// Closes a ticket that nobody waits for any more.
    async fn withdraw(&self, ticket: &TicketId) -> Result<(), BackendError>;
}

#[async_trait]
impl<T: ApprovalBackend + ?Sized> ApprovalBackend for Arc<T> {
    async fn open(&self, ticket: Ticket) -> Result<(), BackendError> {
        (**self).open(ticket).await
    }

    async fn votes(&self, ticket: &TicketId, seen: usize) -> Result<Vec<Vote>, BackendError> {
        (**self).votes(ticket, seen).await
    }

    async fn consume(&self, ticket: &TicketId, digest: &Digest) -> Result<Consumed, BackendError> {
        (**self).consume(ticket, digest).await
    }

    async fn withdraw(&self, ticket: &TicketId) -> Result<(), BackendError> {
        (**self).withdraw(ticket).await
    }
}

/// What came of consuming a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consumed {
    /// It is used up now, by this call.
    Now,
    /// It was used up or withdrawn before.
    Closed,
    /// It is for another request; it is as it was.
    Mismatch,
}

/// Why a backend could not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// There is no such open ticket.
    #[error("there is no open ticket of this id")]
    Closed,
    /// It holds as many open tickets as it can.
    #[error("too many tickets wait for approval")]
    Full,
    /// It can't be reached or does not work.
    #[error("the approval backend is unavailable: {0}")]
    Unavailable(String),
}
