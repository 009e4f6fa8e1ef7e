//! Holds what the policy holds until humans approve it, and hands out the permit to send it once.
//!
//! 1. An allowed request passes at once.
//! 2. A held request opens a ticket; the call stays open until the votes decide it or its deadline passes. Nothing else
//!    waits with it: other requests of the same client go on.
//! 3. Before the permit is given, deadline, digest and policy revision are checked once more, and the backend consumes
//!    the ticket: exactly one request is ever sent for it.
//! 4. A caller that goes away withdraws its ticket.
//! 5. At most a set number of requests are held at a time; a body too large to be shown whole can't be approved.
//! 6. A backend that fails or panics is a refusal with 503.
//!
//! A refused caller sees a Status of the class `approval`: 403 if it was denied, 504 if nobody answered in time, 409 if
//! what was approved is no longer what would be sent; 429 if too many requests are held.

mod review;
mod terminal;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use countersign_core::Refusal;
use countersign_core::approval::{
    ApprovalBackend, BackendError, MAX_REVIEW_BYTES, Permit, Standing, Ticket, backend_refusal, permit, permit_allowed,
    tally,
};
use countersign_core::policy::PolicyEngine;
use countersign_core::refusal::{Class, Retry};
use countersign_core::request::Sealed;
use futures_util::FutureExt as _;
use futures_util::future::{Either, select};
use http::StatusCode;
use tokio::sync::Semaphore;

pub use terminal::{Operator, TerminalBackend};

use crate::clock::Clock;
use crate::flight::InFlight;
use crate::step::{Step, Stop};

/// A sealed request with leave to be sent once.
#[derive(Debug)]
pub struct Permitted {
    sealed: Sealed,
    permit: Permit,
}

impl Permitted {
    /// The request.
    #[must_use]
    pub fn sealed(&self) -> &Sealed {
        &self.sealed
    }

    /// On whose word it is sent.
    pub fn permit(&self) -> &Permit {
        &self.permit
    }

    pub(crate) fn into_parts(self) -> (Sealed, Permit) {
        (self.sealed, self.permit)
    }
}

/// The approval step.
pub struct Approval {
    backend: Arc<dyn ApprovalBackend>,
    engine: Arc<dyn PolicyEngine>,
    clock: Arc<dyn Clock>,
    held: Semaphore,
}

impl Approval {
    /// Holds at most this many requests at a time, if nothing else is said.
    pub const DEFAULT_MAX_HELD: usize = 1_000;

    /// Asks this backend; the engine tells whether the policy was replaced meanwhile.
    pub fn new(backend: Arc<dyn ApprovalBackend>, engine: Arc<dyn PolicyEngine>, clock: Arc<dyn Clock>) -> Self {
        Self {
            backend,
            engine,
            clock,
            held: Semaphore::new(Self::DEFAULT_MAX_HELD),
        }
    }

    /// Holds at most this many requests at a time; more are refused with 429.
    #[must_use]
    pub fn with_max_held(mut self, requests: usize) -> Self {
        self.held = Semaphore::new(requests);
        self
    }

    async fn hold(&self, sealed: &Sealed, flight: &InFlight<()>) -> Result<Permit, Stop> {
        let Ok(_place) = self.held.try_acquire() else {
            return Err(backend_refusal(&BackendError::Full).into());
        };
        let ticket = Ticket::new(sealed, flight.claims(), flight.record().audit_id(), self.clock.now());
        if ticket.review.body.len() > MAX_REVIEW_BYTES {
            return Err(Refusal::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                Class::Approval,
                format!("the body is larger than the {MAX_REVIEW_BYTES} bytes that an approver can be shown"),
            )
            .with_remedy("send a patch with only the fields that change")
            .into());
        }
        // Written before anybody can approve it, so that a crash leaves a trace of what was waiting.
        flight.record().held(&ticket).await?;
        let withdraw = WithdrawOnDrop {
            backend: Arc::clone(&self.backend),
            ticket: Some(ticket),
        };
        let ticket = withdraw.ticket();
        let permit = self.await_permit(sealed, ticket, flight).await?;
        withdraw.consumed();
        flight.record().permitted(permit.grant());
        Ok(permit)
    }

    async fn await_permit(&self, sealed: &Sealed, ticket: &Ticket, flight: &InFlight<()>) -> Result<Permit, Stop> {
        let decided = async {
            self.backend
                .open(ticket.clone())
                .await
                .map_err(|error| failed(&error))?;
            self.await_approvals(ticket, flight).await?;
            permit(&*self.backend, &*self.engine, sealed, ticket, self.clock.now()).await
        };
        let decided = AssertUnwindSafe(decided).catch_unwind();
        let deadline = self.clock.sleep_until(ticket.expires);
        match select(Box::pin(decided), deadline).await {
            Either::Left((Ok(permit), _)) => Ok(permit?),
            Either::Left((Err(_panic), _)) => Err(Refusal::unavailable("the approval backend broke down")
                .with_ticket(ticket.id.as_str())
                .into()),
            Either::Right(((), _)) => Err(Refusal::new(
                StatusCode::GATEWAY_TIMEOUT,
                Class::Approval,
                format!(
                    "nobody approved this request in time; it was held until {}",
                    ticket.expires
                ),
            )
            .with_ticket(ticket.id.as_str())
            .with_retry(Retry::Later)
            .into()),
        }
    }

    async fn await_approvals(&self, ticket: &Ticket, flight: &InFlight<()>) -> Result<(), Refusal> {
        let mut seen = 0;
        loop {
            let votes = self
                .backend
                .votes(&ticket.id, seen)
                .await
                .map_err(|error| failed(&error))?;
            // Asked again at once, such a backend would never let go of the thread, and no deadline would end it.
            if votes.len() <= seen {
                return Err(Refusal::unavailable(
                    "the approval backend answered before there was a new vote",
                ));
            }
            seen = votes.len();
            flight.record().voted(&votes);
            match tally(ticket, &votes) {
                Standing::Pending { .. } => {}
                Standing::Approved { .. } => return Ok(()),
                Standing::Denied { by, reason } => {
                    let message = match reason {
                        Some(reason) => format!("{by} denied this request: {reason}"),
                        None => format!("{by} denied this request"),
                    };
                    return Err(
                        Refusal::new(StatusCode::FORBIDDEN, Class::Approval, message).with_ticket(ticket.id.as_str())
                    );
                }
            }
        }
    }
}

fn failed(error: &BackendError) -> Refusal {
    tracing::warn!(%error, "approval backend failed");
    backend_refusal(error)
}

/// Takes the ticket back when the request ends without having used it up: denied, lapsed, or the caller is gone.
struct WithdrawOnDrop {
    backend: Arc<dyn ApprovalBackend>,
    ticket: Option<Ticket>,
}

impl WithdrawOnDrop {
    #[expect(
        clippy::expect_used,
        reason = "the ticket is taken only by `consumed`, which takes self"
    )]
    fn ticket(&self) -> &Ticket {
        self.ticket.as_ref().expect("not consumed yet")
    }

    fn consumed(mut self) {
        self.ticket = None;
    }
}

impl Drop for WithdrawOnDrop {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket.take() else { return };
        let backend = Arc::clone(&self.backend);
        // Without a runtime the process is going down, and the deadline closes the ticket.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = backend.withdraw(&ticket.id).await {
                    tracing::warn!(%error, ticket = %ticket.id, "could not withdraw a ticket; it lapses at its deadline");
                }
            });
        }
    }
}

impl Step for Approval {
    type In = InFlight<Sealed>;
    type Out = InFlight<Permitted>;

    async fn run(&self, input: Self::In) -> Result<Self::Out, Stop> {
        let (sealed, flight) = input.take();
        let permit = match permit_allowed(&sealed) {
            Some(permit) => permit,
            None => self.hold(&sealed, &flight).await?,
        };
        Ok(flight.with(Permitted { sealed, permit }))
    }
}
