//! The contract of an audit sink.

use std::sync::Arc;

use async_trait::async_trait;

use super::event::Event;

/// Keeps records.
///
/// # Contract
/// - **Order**: records of one caller come in the order of its calls, `submit` and `append` alike: once an
///   `append` with [`Durability::Synced`] is answered, everything that this caller handed over before is durable too,
///   or counted as lost. There is no order between callers.
/// - **Durability**: `append` answers when the record is taken ([`Durability::Buffered`]) or on stable storage
///   ([`Durability::Synced`]). A buffered record reaches stable storage soon and by itself; if that fails, it is lost
///   like a submitted one, and the sink answers errors from then on.
/// - **Failure**: an error means that the caller must act as if the record did not exist; whether it does is not known.
///   It is never half there. A sink that failed tries again with the next record, and does not have to be made anew.
/// - **Losses**: whatever is turned down or lost is counted, and a record of the gap ([`Losses`](super::Losses)) is
///   written before the next record that succeeds. Nothing is lost silently.
/// - **Cancellation**: a dropped `append` leaves its record whole or absent and disturbs no other.
/// - **Waiting**: `submit` never waits, not for I/O and not for room, since it is called where a caller vanished.
///   `append` doesn't wait for room either: a full sink is an error, and the request is refused.
#[async_trait]
pub trait AuditSink: Send + Sync + 'static {
    /// Keeps a record, and answers when that is certain in the way asked for.
    ///
    /// # Errors
    /// The record is not kept.
    async fn append(&self, event: Event, durability: Durability) -> Result<(), SinkError>;

    /// Keeps a record as well as can be done without waiting. What can't be kept is counted.
    fn submit(&self, event: Event);
}

/// What an answer of [`AuditSink::append`] promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Durability {
    /// The record is taken; it is lost if the machine or the program dies at once.
    Buffered,
    /// The record is on stable storage.
    Synced,
}

/// Why a record is not kept. It holds nothing of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the audit sink {kind}")]
pub struct SinkError {
    kind: SinkErrorKind,
}

/// What is wrong with a sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SinkErrorKind {
    /// More came than the sink can take. Later it may take it.
    #[error("is full")]
    Full,
    /// Storage failed.
    #[error("can't write: {0}")]
    Io(std::io::ErrorKind),
    /// The sink is closed and stays so.
    #[error("is closed")]
    Closed,
    /// The event is larger than a record may be.
    #[error("does not take an event of this size")]
    TooLarge,
}

impl SinkError {
    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> SinkErrorKind {
        self.kind
    }
}

impl From<SinkErrorKind> for SinkError {
    fn from(kind: SinkErrorKind) -> Self {
        Self { kind }
    }
}

/// Only the kind is kept: the text of an error of somebody else's may hold anything.
impl From<&std::io::Error> for SinkError {
    fn from(error: &std::io::Error) -> Self {
        SinkErrorKind::Io(error.kind()).into()
    }
}

#[async_trait]
impl<T: AuditSink + ?Sized> AuditSink for Arc<T> {
    async fn append(&self, event: Event, durability: Durability) -> Result<(), SinkError> {
        (**self).append(event, durability).await
    }

    fn submit(&self, event: Event) {
        (**self).submit(event);
    }
}

#[async_trait]
impl<T: AuditSink + ?Sized> AuditSink for Box<T> {
    async fn append(&self, event: Event, durability: Durability) -> Result<(), SinkError> {
        (**self).append(event, durability).await
    }

    fn submit(&self, event: Event) {
        (**self).submit(event);
    }
}
