//! A backend in memory, one of whose calls goes wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use countersign_core::approval::{ApprovalBackend, BackendError, Consumed, MemoryBackend, Ticket, TicketId, Vote};
use countersign_core::digest::Digest;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Open,
    Votes,
    Consume,
    Withdraw,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Mishap {
    Fails,
    Panics,
    Hangs,
    /// Answers at once and breaks its contract.
    Lies,
}

pub(super) struct Faulty {
    pub(super) memory: MemoryBackend,
    pub(super) broken: Arc<AtomicBool>,
    call: Call,
    mishap: Mishap,
}

impl Faulty {
    pub(super) fn new(call: Call, mishap: Mishap) -> Self {
        Self {
            memory: MemoryBackend::new(),
            broken: Arc::new(AtomicBool::new(true)),
            call,
            mishap,
        }
    }

    async fn pass(&self, call: Call) -> Result<(), BackendError> {
        if call != self.call || !self.broken.load(Ordering::Relaxed) {
            return Ok(());
        }
        match self.mishap {
            Mishap::Fails => Err(BackendError::Unavailable("s3cret".into())),
            Mishap::Panics => panic!("the backend panics"),
            Mishap::Hangs => std::future::pending().await,
            Mishap::Lies => Ok(()),
        }
    }
}

#[async_trait]
impl ApprovalBackend for Faulty {
    async fn open(&self, ticket: Ticket) -> Result<(), BackendError> {
        self.pass(Call::Open).await?;
        self.memory.open(ticket).await
    }

    async fn votes(&self, ticket: &TicketId, seen: usize) -> Result<Vec<Vote>, BackendError> {
        self.pass(Call::Votes).await?;
        if matches!(self.mishap, Mishap::Lies) && self.broken.load(Ordering::Relaxed) {
            return Ok(Vec::new());
        }
        self.memory.votes(ticket, seen).await
    }

    async fn consume(&self, ticket: &TicketId, digest: &Digest) -> Result<Consumed, BackendError> {
        self.pass(Call::Consume).await?;
        self.memory.consume(ticket, digest).await
    }

    async fn withdraw(&self, ticket: &TicketId) -> Result<(), BackendError> {
        self.pass(Call::Withdraw).await?;
        self.memory.withdraw(ticket).await
    }
}
