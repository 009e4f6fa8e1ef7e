//! The backend that asks the human in front of a terminal.

use std::io::{BufRead, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use async_trait::async_trait;
use countersign_core::Timestamp;
use countersign_core::approval::{
    Answer, ApprovalBackend, BackendError, Consumed, MemoryBackend, Review, Ticket, TicketId, Vote,
};
use countersign_core::digest::Digest;
use countersign_core::escape::{escape_clip, escape_line};
use countersign_core::policy::{Approver, HoldTerms};

/// Shows each held request to whoever sits at the terminal, and asks.
///
/// An approval is the first characters of the digest, typed back: what was typed ahead, before the request was shown,
/// approves nothing. Any other answer denies, and so does an input that has ended: then nobody is there to ask.
#[derive(Debug, Clone)]
pub struct TerminalBackend {
    tickets: MemoryBackend,
    prompts: Sender<Ticket>,
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
        let (prompts, receiver) = channel();
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
        self.tickets.open(ticket.clone()).await?;
        self.prompts
            .send(ticket)
            .map_err(|_| BackendError::Unavailable("the terminal is closed".into()))
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

struct Terminal<R, W> {
    operator: Operator,
    tickets: MemoryBackend,
    input: R,
    output: W,
}

impl<R: BufRead, W: Write> Terminal<R, W> {
    fn run(mut self, prompts: &Receiver<Ticket>) {
        while let Ok(ticket) = prompts.recv() {
            // A ticket may have been withdrawn while another was asked about.
            if !self.tickets.pending().iter().any(|open| open.id == ticket.id) {
                continue;
            }
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
        self.output.write_all(render(ticket, self.operator.ansi).as_bytes())?;
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

/// `ann, group sre`
fn approvers(terms: &HoldTerms) -> String {
    let names = terms.approvers.iter().map(|approver| match approver {
        Approver::User(user) => user.clone(),
        Approver::Group(group) => format!("group {group}"),
    });
    names.collect::<Vec<_>>().join(", ")
}

/// Longest line of a body that is shown; what is cut is counted, and the digest covers it all.
const MAX_LINE: usize = 2_000;

/// A ticket as a human reads it. All text of the caller's is escaped.
fn render(ticket: &Ticket, ansi: bool) -> String {
    let Review {
        subject,
        claims,
        target,
        method,
        resource,
        namespace,
        name,
        effects,
        body,
        targets,
        ..
    } = &ticket.review;
    let mut lines = Vec::new();
    let mut line = |label: &str, value: String| lines.push(format!("  {label:<9} {value}"));
    let groups = if subject.groups.is_empty() {
        String::new()
    } else {
        format!(" ({})", subject.groups.join(", "))
    };
    line("who", escape_line(&format!("{}{groups}", subject.user)));
    if let Some(principal) = &subject.on_behalf_of {
        line("for", escape_line(principal));
    }
    if let Some(reason) = &claims.reason {
        line("why", format!("“{}” (the agent says)", escape_clip(reason, MAX_LINE)));
    }
    if let Some(human) = &claims.acting_human {
        line("human", format!("{} (the agent says)", escape_clip(human, MAX_LINE)));
    }
    let place = if namespace.is_empty() {
        String::new()
    } else {
        format!(" in {namespace}")
    };
    line(
        "what",
        escape_line(&format!("{} {resource} {name}{place}", ticket.review.verb)),
    );
    line("request", escape_line(&format!("{method} {target}")));
    if !body.is_empty() {
        line("body", escape_clip(body, MAX_LINE));
    }
    for target in targets {
        let version = target
            .resource_version
            .as_ref()
            .map(|v| format!(", version {v}"))
            .unwrap_or_default();
        line("pinned to", escape_line(&format!("uid {}{version}", target.uid)));
    }
    line("effects", effects.to_string());
    if ticket.review.irreversible {
        line("undo", "none: what is deleted or overwritten is gone".into());
    }
    for terms in &ticket.terms {
        line(
            "held by",
            escape_line(&format!("{}, for {} of {}", terms.rule, terms.quorum, approvers(terms))),
        );
    }
    line("cluster", escape_line(&ticket.review.cluster));
    line("digest", ticket.digest.to_string());
    let waits = Duration::try_from(ticket.expires.duration_since(ticket.opened)).unwrap_or_default();
    line("waits", format!("{} s", waits.as_secs()));
    let title = if ansi {
        "\u{1b}[1;33mApproval needed\u{1b}[0m"
    } else {
        "Approval needed"
    };
    format!("\n{title}\n{}\n", lines.join("\n"))
}
