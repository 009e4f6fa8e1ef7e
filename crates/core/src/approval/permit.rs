//! Permits: without one a sealed request can't be opened.

use http::StatusCode;
use jiff::Timestamp;

use super::backend::{ApprovalBackend, BackendError, Consumed};
use super::tally::{Standing, tally};
use super::ticket::{Ticket, TicketId};
use crate::digest::Digest;
use crate::policy::{Outcome, PolicyEngine};
use crate::refusal::{Class, Refusal, Retry};
use crate::request::Sealed;

/// Leave to send one sealed request, once. It can't be cloned, stored for later or made outside this file.
#[derive(Debug)]
#[must_use = "a permit that is dropped is lost: its ticket is used up"]
pub struct Permit {
    digest: Digest,
    grant: Grant,
}

/// On whose word a request is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// The policy allows it.
    Policy,
    /// Humans approved it.
    Approval {
        /// The ticket that was used up.
        ticket: TicketId,
        /// Who approved.
        by: Vec<String>,
    },
}

impl Permit {
    /// Digest of the sealed request that it is for.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// On whose word it was given.
    #[must_use]
    pub fn grant(&self) -> &Grant {
        &self.grant
    }
}

/// The permit for a request that the policy allows; none for one that it holds.
#[must_use]
pub fn permit_allowed(sealed: &Sealed) -> Option<Permit> {
    match sealed.decision().outcome() {
        Outcome::Allow => Some(Permit {
            digest: sealed.digest(),
            grant: Grant::Policy,
        }),
        Outcome::Hold(_) | Outcome::Deny(_) => None,
    }
}

/// The permit for a held request: re-validates it and uses its ticket up.
///
/// # Errors
/// A refusal if approvals are missing or the deadline has passed, if the policy was replaced since the review, if the
/// ticket is for another request or was used up before, if the backend fails. In the last case the ticket may be used up
/// all the same; it is never used twice.
///
/// # Cancellation
/// Dropped while the backend consumes the ticket, the ticket may be used up without a permit.
pub async fn permit(
    backend: &dyn ApprovalBackend,
    engine: &dyn PolicyEngine,
    sealed: &Sealed,
    ticket: &Ticket,
    now: Timestamp,
) -> Result<Permit, Refusal> {
    let refuse = |message: String| {
        Err(Refusal::new(StatusCode::CONFLICT, Class::Approval, message).with_ticket(ticket.id.as_str()))
    };
    if ticket.digest != sealed.digest()
        || !ticket
            .terms
            .iter()
            .eq(sealed.decision().holds().iter().map(|terms| &**terms))
    {
        return refuse("the ticket is for another request than the one to be sent".into());
    }
    if now >= ticket.expires {
        return refuse(format!("the approval lapsed at {}", ticket.expires));
    }
    if engine.revision() != sealed.decision().revision() {
        return Err(Refusal::new(
            StatusCode::CONFLICT,
            Class::Approval,
            "the policy was replaced since this request was reviewed",
        )
        .with_retry(Retry::Later)
        .with_remedy("send the request again: it is judged and reviewed under the new policy"));
    }
    let votes = backend
        .votes(&ticket.id, 0)
        .await
        .map_err(|error| backend_refusal(&error))?;
    let by = match tally(ticket, &votes) {
        Standing::Approved { by } => by,
        Standing::Pending { missing } => return refuse(format!("{missing} approvals are missing")),
        Standing::Denied { by, .. } => {
            let message = format!("{by} denied this request");
            return Err(Refusal::new(StatusCode::FORBIDDEN, Class::Approval, message).with_ticket(ticket.id.as_str()));
        }
    };
    match backend
        .consume(&ticket.id, &sealed.digest())
        .await
        .map_err(|error| backend_refusal(&error))?
    {
        Consumed::Now => Ok(Permit {
            digest: sealed.digest(),
            grant: Grant::Approval {
                ticket: ticket.id.clone(),
                by,
            },
        }),
        Consumed::Closed => refuse("the approval was used up before".into()),
        Consumed::Mismatch => refuse("the ticket is for another request than the one to be sent".into()),
    }
}

/// What the caller is told when a backend fails; the error's own text is for the record, not for the agent.
#[must_use]
pub fn backend_refusal(error: &BackendError) -> Refusal {
    match error {
        BackendError::Full => Refusal::new(
            StatusCode::TOO_MANY_REQUESTS,
            Class::Overload,
            "too many requests wait for approval",
        )
        .with_retry(Retry::Later),
        BackendError::Closed => Refusal::new(
            StatusCode::CONFLICT,
            Class::Approval,
            "the ticket was withdrawn or used up",
        ),
        BackendError::Unavailable(_) => Refusal::unavailable("the approval backend does not work"),
    }
}
