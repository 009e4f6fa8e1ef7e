//! Turns the raw request into a canonical one, or refuses it.
//!
//! 1. Method, target and headers are judged before a byte of the body is read.
//! 2. The body is read up to its limit, parsed strictly and written anew.
//! 3. What goes on is the canonical form; the original bytes end here.
//!
//! A refused caller sees a Status 400, 403, 404, 405, 406, 413, 415 or 422 of the class `malformed`, `unsupported` or
//! `identity`. The rules are those of [`countersign_core::request`].

use countersign_core::Refusal;
use countersign_core::refusal::Class;
use countersign_core::request::{Canonical, Target};
use http::{Request, StatusCode};

use crate::body::{Body, CollectError, collect};
use crate::flight::InFlight;
use crate::step::{Step, Stop};

/// The gate step.
pub struct Gate(countersign_core::request::Gate);

impl Gate {
    /// A gate with these settings.
    #[must_use]
    pub fn new(settings: countersign_core::request::Gate) -> Self {
        Self(settings)
    }

    async fn understand(&self, request: Request<Body>) -> Result<Canonical, Refusal> {
        let (head, body) = request.into_parts();
        let target = origin_form(&head.uri)?;
        let target = Target::parse(head.method.as_str(), target.as_bytes())?;
        let head = self.0.head(target, &head.headers)?;
        let body = collect(body, head.body_limit()).await.map_err(|error| match error {
            CollectError::TooLarge => Refusal::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                Class::Malformed,
                format!("the request body is larger than {} bytes", head.body_limit()),
            ),
            CollectError::Broken => Refusal::malformed("the request body broke off"),
        })?;
        head.with_body(&body)
    }
}

/// The target as it would stand in the request line; only origin-form is accepted.
fn origin_form(uri: &http::Uri) -> Result<&str, Refusal> {
    if uri.scheme().is_some() || uri.authority().is_some() {
        return Err(Refusal::malformed(
            "the request target has to be in origin form, a path and a query",
        ));
    }
    Ok(uri.path_and_query().map_or("", |target| target.as_str()))
}

impl Step for Gate {
    type In = InFlight<Request<Body>>;
    type Out = InFlight<Canonical>;

    async fn run(&self, input: Self::In) -> Result<Self::Out, Stop> {
        let (request, flight) = input.take();
        let canonical = self.understand(request).await?;
        flight.record().understood(&canonical);
        Ok(flight.with(canonical))
    }
}
