//! The backend that asks the human in front of a terminal.

use std::io::{BufRead, Write};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use async_trait::async_trait;
use countersign_core::Timestamp;
use countersign_core::approval::{
    Answer, ApprovalBackend, BackendError, Consumed, MemoryBackend, Ticket, TicketId, Vote,
};
use countersign_core::digest::Digest;

use super::review;

/// Shows each held request to whoever sits at the terminal, and asks.
///
/// An approval is the first characters of the digest, typed back: what was typed ahead, before the request was shown,
/// approves nothing. Any other answer denies, and so does an input that has ended: then nobody is there to ask.
#[derive(Debug, Clone)]
pub struct TerminalBackend {
    tickets: MemoryBackend,
    prompts: SyncSender<TicketId>,
}

/// Who sits at the terminal, and how they are asked.
#[derive(Debug, Clone)]
pub struct Operator {
    user: String,
    groups: Vec<String>,
    approves_everything: bool,
    ansi: bool,
}

impl Operator {
    /// A human of this name. The backend believes it: whoever reaches the terminal is this human.
    #[must_use]
    pub fn new(user: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            groups: Vec::new(),
            approves_everything: false,
            ansi: false,
        }
    }

    /// Adds a group that the human belongs to.
    #[must_use]
    pub fn with_group(mut self, group: impl Into<String>) -> Self {
        self.groups.push(group.into());
        self
    }

    /// Shows requests in colour.
    #[must_use]
    pub fn with_ansi(mut self, ansi: bool) -> Self {
        self.ansi = ansi;
        self
    }

    /// Approves every request without asking: for tests and demonstrations.
    #[must_use]
    pub fn insecure_approve_everything(mut self) -> Self {
        self.approves_everything = true;
        self
    }
}

impl TerminalBackend {
    /// Asks on this input and output, in a thread of its own that ends with the last handle to this backend.
    ///
    /// # Errors
    /// If the thread can't be started.
    pub fn start<R, W>(operator: Operator, input: R, output: W) -> std::io::Result<Self>
    where
        R: BufRead + Send + 'static,
        W: Write + Send + 'static,
    {
        let tickets = MemoryBackend::new();
        let (prompts, receiver) = sync_channel(MAX_PROMPTS);
        let terminal = Terminal {
            operator,
            tickets: tickets.clone(),
            input,
            output,
        };
        std::thread::Builder::new()
            .name("countersign-terminal".into())
            .spawn(move || terminal.run(&receiver))?;
        Ok(Self { tickets, prompts })
    }
}

#[async_trait]
impl ApprovalBackend for TerminalBackend {
    async fn open(&self, ticket: Ticket) -> Result<(), BackendError> {
        let id = ticket.id.clone();
        self.tickets.open(ticket).await?;
        let asked = self.prompts.try_send(id.clone()).map_err(|error| match error {
            TrySendError::Full(_) => BackendError::Full,
            TrySendError::Disconnected(_) => BackendError::Unavailable("the terminal is closed".into()),
        });
        if asked.is_err() {
            self.tickets.withdraw(&id).await?;
        }
        asked
    }

    async fn votes(&self, ticket: &TicketId, seen: usize) -> Result<Vec<Vote>, BackendError> {
        self.tickets.votes(ticket, seen).await
    }

    async fn consume(&self, ticket: &TicketId, digest: &Digest) -> Result<Consumed, BackendError> {
        self.tickets.consume(ticket, digest).await
    }

    async fn withdraw(&self, ticket: &TicketId) -> Result<(), BackendError> {
        self.tickets.withdraw(ticket).await
    }
}

/// Most tickets that wait for the human, those included that were withdrawn meanwhile.
const MAX_PROMPTS: usize = 1_000;

struct Terminal<R, W> {
    operator: Operator,
    tickets: MemoryBackend,
    input: R,
    output: W,
}

impl<R: BufRead, W: Write> Terminal<R, W> {
    fn run(mut self, prompts: &Receiver<TicketId>) {
        while let Ok(id) = prompts.recv() {
            // A ticket may have been withdrawn while another was asked about.
            let Some(ticket) = self.tickets.pending().into_iter().find(|open| open.id == id) else {
                continue;
            };
            let vote = match self.ask(&ticket) {
                Ok(vote) => vote,
                Err(error) => self
                    .vote(Answer::Deny)
                    .with_reason(format!("the terminal failed: {error}")),
            };
            if self.tickets.vote(&ticket.id, vote).is_err() {
                let _ = writeln!(self.output, "  (nobody waits for this request any more)");
            }
        }
    }

    fn vote(&self, answer: Answer) -> Vote {
        let vote = Vote::new(self.operator.user.clone(), answer, Timestamp::now());
        self.operator.groups.iter().fold(vote, Vote::with_group)
    }

    fn ask(&mut self, ticket: &Ticket) -> std::io::Result<Vote> {
        let code: String = ticket.digest.short().chars().take(4).collect();
        self.output
            .write_all(review::render(ticket, self.operator.ansi).as_bytes())?;
        if self.operator.approves_everything {
            writeln!(self.output, "  approved without asking")?;
            return Ok(self
                .vote(Answer::Approve)
                .with_reason("approves everything without asking"));
        }
        write!(self.output, "  To approve, type {code}; anything else denies: ")?;
        self.output.flush()?;
        let mut line = String::new();
        if self.input.read_line(&mut line)? == 0 {
            writeln!(self.output, "\n  denied: nobody is at the terminal")?;
            return Ok(self.vote(Answer::Deny).with_reason("nobody is at the terminal"));
        }
        let answer = if line.trim() == code {
            Answer::Approve
        } else {
            Answer::Deny
        };
        writeln!(
            self.output,
            "  {}",
            if answer == Answer::Approve {
                "approved"
            } else {
                "denied"
            }
        )?;
        Ok(self.vote(answer))
    }
}
