//! The backend in memory: tickets live and die with the process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use event_listener::Event;

use super::backend::{ApprovalBackend, BackendError, Consumed};
use super::ticket::{Ticket, TicketId, Vote};
use crate::digest::Digest;

/// Keeps tickets in memory. Cheap to clone: every clone is a handle to the same tickets, to list and decide them.
///
/// It believes whoever calls [`vote`](Self::vote), so keep it away from agents.
#[derive(Debug, Clone)]
pub struct MemoryBackend {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    tickets: Mutex<BTreeMap<TicketId, Entry>>,
    changed: Event,
    capacity: usize,
}

#[derive(Debug)]
struct Entry {
    ticket: Ticket,
    votes: Vec<Vote>,
}

impl Default for MemoryBackend {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryBackend {
    /// A backend for at most 1,000 open tickets.
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(1_000)
    }

    /// A backend for at most this many open tickets.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                tickets: Mutex::default(),
                changed: Event::new(),
                capacity,
            }),
        }
    }

    /// The open tickets, oldest first.
    #[must_use]
    pub fn pending(&self) -> Vec<Ticket> {
        let mut tickets: Vec<_> = self.tickets().values().map(|entry| entry.ticket.clone()).collect();
        tickets.sort_by(|a, b| a.opened.cmp(&b.opened).then_with(|| a.id.cmp(&b.id)));
        tickets
    }

    /// Waits for an open ticket that `known` does not accept yet, and returns it.
    ///
    /// # Cancellation
    /// Safe: nothing is taken.
    pub async fn next_pending(&self, known: impl Fn(&TicketId) -> bool + Send) -> Ticket {
        loop {
            // Listen before looking, else a ticket that is opened in between is missed.
            let changed = self.shared.changed.listen();
            if let Some(ticket) = self.pending().into_iter().find(|ticket| !known(&ticket.id)) {
                return ticket;
            }
            changed.await;
        }
    }

    /// Records what a human says about a ticket; a second vote of the same user is ignored.
    ///
    /// # Errors
    /// [`BackendError::Closed`] if the ticket is not open.
    pub fn vote(&self, ticket: &TicketId, vote: Vote) -> Result<(), BackendError> {
        let mut tickets = self.tickets();
        let entry = tickets.get_mut(ticket).ok_or(BackendError::Closed)?;
        if entry.votes.iter().all(|earlier| earlier.user != vote.user) {
            entry.votes.push(vote);
        }
        drop(tickets);
        self.shared.changed.notify(usize::MAX);
        Ok(())
    }

    fn tickets(&self) -> MutexGuard<'_, BTreeMap<TicketId, Entry>> {
        // No code panics while it holds the lock, and every change is one insert or remove.
        self.shared.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl ApprovalBackend for MemoryBackend {
    async fn open(&self, ticket: Ticket) -> Result<(), BackendError> {
        let mut tickets = self.tickets();
        if !tickets.contains_key(&ticket.id) {
            if tickets.len() >= self.shared.capacity {
                return Err(BackendError::Full);
            }
            tickets.insert(
                ticket.id.clone(),
                Entry {
                    ticket,
                    votes: Vec::new(),
                },
            );
        }
        drop(tickets);
        self.shared.changed.notify(usize::MAX);
        Ok(())
    }

    async fn votes(&self, ticket: &TicketId, seen: usize) -> Result<Vec<Vote>, BackendError> {
        loop {
            let changed = self.shared.changed.listen();
            match self.tickets().get(ticket) {
                None => return Err(BackendError::Closed),
                Some(entry) if entry.votes.len() > seen => return Ok(entry.votes.clone()),
                Some(_) => {}
            }
            changed.await;
        }
    }

    async fn consume(&self, ticket: &TicketId, digest: &Digest) -> Result<Consumed, BackendError> {
        let mut tickets = self.tickets();
        let consumed = match tickets.get(ticket) {
            None => Consumed::Closed,
            Some(entry) if entry.ticket.digest != *digest => Consumed::Mismatch,
            Some(_) => {
                tickets.remove(ticket);
                Consumed::Now
            }
        };
        drop(tickets);
        self.shared.changed.notify(usize::MAX);
        Ok(consumed)
    }

    async fn withdraw(&self, ticket: &TicketId) -> Result<(), BackendError> {
        self.tickets().remove(ticket);
        self.shared.changed.notify(usize::MAX);
        Ok(())
    }
}
