//! Says who asks.
//!
//! 1. The subject comes from the program that embeds the guard, never from the request: headers are the caller's.
//! 2. An override for one request needs the [`SubjectOverride`] that [`Identify::with_override`] hands out; an override
//!    made with another guard's capability is refused, and so is a request without any subject.
//! 3. The stated reason and the acting human ([`with_reason`], [`with_claims`]) are claims: recorded, shown to approvers
//!    as claims, never used for rights. They are task-local, so they work through `kube::Api`.
//!
//! A refused caller sees a Status 403 of the class `identity`.
//!
//! A proxy authenticates its callers itself, takes the header away that it authenticated by (the gate refuses
//! credentials), and attaches the subject with the capability.

use std::future::Future;
use std::sync::Arc;

use countersign_core::refusal::Class;
use countersign_core::subject::Claims;
use countersign_core::{Refusal, Subject};
use http::{Request, StatusCode};

use crate::audit::Attempt;
use crate::body::Body;
use crate::flight::InFlight;
use crate::step::{Step, Stop};

tokio::task_local! {
    static CLAIMS: Claims;
}

/// Runs a future whose requests state this reason.
///
/// # Example
/// ```
/// # async fn list() {}
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// countersign_tower::with_reason("checking why the rollout hangs", list()).await;
/// # }
/// ```
pub async fn with_reason<F: Future>(reason: impl Into<String>, future: F) -> F::Output {
    let claims = CLAIMS.try_with(Clone::clone).unwrap_or_default().with_reason(reason);
    CLAIMS.scope(claims, future).await
}

/// Runs a future whose requests make these claims.
pub async fn with_claims<F: Future>(claims: Claims, future: F) -> F::Output {
    CLAIMS.scope(claims, future).await
}

/// The identify step.
#[derive(Debug)]
pub struct Identify {
    subject: Option<Subject>,
    key: Arc<()>,
}

/// The capability to say who asks, request by request. Whoever holds it can be anybody: keep it from agents.
#[derive(Debug, Clone)]
pub struct SubjectOverride {
    key: Arc<()>,
}

#[derive(Debug, Clone)]
struct Overridden {
    subject: Subject,
    key: Arc<()>,
}

impl Identify {
    /// Every request is this subject's.
    #[must_use]
    pub fn fixed(subject: Subject) -> Self {
        Self {
            subject: Some(subject),
            key: Arc::new(()),
        }
    }

    /// Every request needs an override: for a proxy, whose callers differ.
    #[must_use]
    pub fn per_request() -> (Self, SubjectOverride) {
        let key = Arc::new(());
        (
            Self {
                subject: None,
                key: Arc::clone(&key),
            },
            SubjectOverride { key },
        )
    }

    /// Hands out the capability to override the subject of single requests.
    #[must_use]
    pub fn with_override(self) -> (Self, SubjectOverride) {
        let key = Arc::clone(&self.key);
        (self, SubjectOverride { key })
    }

    fn identify(&self, request: &mut Request<Body>) -> Result<Subject, Refusal> {
        let refuse = |message: &str| Err(Refusal::new(StatusCode::FORBIDDEN, Class::Identity, message));
        match (request.extensions_mut().remove::<Overridden>(), &self.subject) {
            (Some(overridden), _) if Arc::ptr_eq(&overridden.key, &self.key) => Ok(overridden.subject),
            (Some(_), _) => refuse("the subject of this request was set with a capability of another guard"),
            (None, Some(subject)) => Ok(subject.clone()),
            (None, None) => refuse("nobody said who makes this request"),
        }
    }
}

impl SubjectOverride {
    /// Says who makes this request.
    pub fn attach<B>(&self, request: &mut Request<B>, subject: Subject) {
        request.extensions_mut().insert(Overridden {
            subject,
            key: Arc::clone(&self.key),
        });
    }
}

impl Step for Identify {
    type In = Attempt;
    type Out = InFlight<Request<Body>>;

    async fn run(&self, attempt: Attempt) -> Result<Self::Out, Stop> {
        let (mut request, record) = attempt.into_parts();
        let claims = CLAIMS.try_with(Clone::clone).unwrap_or_default();
        let subject = self.identify(&mut request)?;
        record.identified(&subject, &claims);
        Ok(InFlight::new(subject, claims, record, request))
    }
}
