//! The only caller of the inner service.
//!
//! 1. A permitted request is taken apart here and nowhere else; opening it uses the permit up.
//! 2. The intent is recorded before the first byte leaves; if that fails, nothing is sent.
//! 3. Each request is sent once. An answer that does not come is unknown, never repeated.
//! 4. The inner service is made ready after the decision, never held across a wait.
//! 5. How the answer is masked was decided with the request.
//! 6. What an answer's head can already tell is refused here: redirects, upgrades that nobody asked for.
//!
//! A caller sees the inner service's error as it is, or a Status 502.

mod upstream;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use countersign_core::Refusal;
use countersign_core::detect::{Detector, Sessions};
use countersign_core::mask::Plan;
use countersign_core::request::Canonical;
use futures_util::future::BoxFuture;
use http::{Response, StatusCode};
use tower::Service;

pub use upstream::{InnerService, Prober, Upstream};

use crate::approval::Permitted;
use crate::body::Body;
use crate::clock::Clock;
use crate::flight::InFlight;
use crate::record::Record;
use crate::step::Stop;

/// An answer with secrets in it, on its way to the mask.
#[derive(Debug)]
pub struct Unmasked {
    response: Response<Body>,
    plan: Plan,
    record: Record,
}

impl Unmasked {
    pub(crate) fn into_parts(self) -> (Response<Body>, Plan, Record) {
        (self.response, self.plan, self.record)
    }
}

/// Sends permitted requests.
#[derive(Clone)]
pub struct Forward {
    upstream: Upstream,
    hidden_namespace: Option<String>,
    detectors: Vec<Arc<dyn Detector>>,
    known: Option<(Arc<Sessions>, Arc<dyn Clock>)>,
}

impl Forward {
    /// Sends to this upstream.
    #[must_use]
    pub fn new(upstream: Upstream) -> Self {
        Self {
            upstream,
            hidden_namespace: None,
            detectors: Vec::new(),
            known: None,
        }
    }

    /// Leaves objects of this namespace out of lists and watches.
    #[must_use]
    pub fn with_hidden_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.hidden_namespace = Some(namespace.into());
        self
    }

    /// Looks for secrets in answers with this too.
    #[must_use]
    pub fn add_detector(mut self, detector: Arc<dyn Detector>) -> Self {
        self.detectors.push(detector);
        self
    }

    /// Finds values again that were masked before in the same session of the same subject, unless the policy forgets them.
    #[must_use]
    pub fn with_known_values(mut self, sessions: Arc<Sessions>, clock: Arc<dyn Clock>) -> Self {
        self.known = Some((sessions, clock));
        self
    }

    async fn send(self, input: InFlight<Permitted>) -> Result<Unmasked, Stop> {
        let (permitted, flight) = input.take();
        let (sealed, permit) = permitted.into_parts();
        let (decided, plan) = sealed.open(permit)?;
        let request = decided.request();
        // What was reserved for this request stays reserved from the moment it is sent; the mark is in the record.
        let (record, _reserved) = flight.into_parts();
        let mut answer = None;
        for outgoing in &plan {
            record.intent().await?;
            answer = Some(self.upstream.send(outgoing, request, &record).await?);
        }
        let Some(response) = answer else {
            return Err(Refusal::unavailable("there was nothing to send").into());
        };
        record.answered(response.status());
        refuse_by_head(request, response.status())?;
        let mut masking = decided.decision().masking().masking().clone();
        for detector in self.detectors {
            masking.detectors = masking.detectors.and(detector);
        }
        let mut plan = Plan::new(request.attributes(), request.kind(), decided.decision().masks()).masking(masking);
        if let Some((sessions, clock)) = &self.known {
            let subject = decided.subject();
            // With its length, so that no two of these are the same by accident, or on purpose.
            let (user, session) = (&subject.user, subject.session.as_deref().unwrap_or_default());
            let session = format!("{} {user} {session}", user.len());
            plan = plan.knowing(sessions.get(&session, clock.now()));
        }
        if let Some(namespace) = self.hidden_namespace {
            plan = plan.hiding_namespace(namespace);
        }
        Ok(Unmasked { response, plan, record })
    }
}

/// CVE-2022-3172: a redirect would make the client carry its credentials elsewhere. CVE-2018-1002105: a connection that
/// left HTTP without being asked to.
fn refuse_by_head(request: &Canonical, status: StatusCode) -> Result<(), Refusal> {
    if status.is_redirection() {
        return Err(Refusal::upstream("the server answered with a redirect"));
    }
    if status.is_informational() && (status != StatusCode::SWITCHING_PROTOCOLS || request.upgrade().is_none()) {
        return Err(Refusal::upstream(
            "the server switched protocols without being asked to",
        ));
    }
    Ok(())
}

impl Service<InFlight<Permitted>> for Forward {
    type Response = Unmasked;
    type Error = Stop;
    type Future = BoxFuture<'static, Result<Unmasked, Stop>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Stop>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, input: InFlight<Permitted>) -> Self::Future {
        let sending: Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(self.clone().send(input));
        sending
    }
}
