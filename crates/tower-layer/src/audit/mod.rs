//! Around everything: what was asked, decided, approved, sent and answered, also when nobody waits for it any more.
//!
//! 1. The record is opened when the request arrives, before anything looks at it.
//! 2. The intent is written before the request is sent, the outcome before the answer is delivered; both durably if the
//!    request does more than reading. If the intent can't be written, nothing is sent. If the outcome can't be written,
//!    nothing is delivered, and what happened is recorded as `unknown`.
//! 3. Of a stream (a watch, a followed log, a large list) the head is recorded before the first byte goes out, and the
//!    end when it is over.
//! 4. A refusal, a breakdown, a panic and a caller who goes away are outcomes like others.
//!
//! A caller whose request can't be recorded sees a Status 503 of the class `unavailable`.
//! [`AuditLayer::insecure_reads_without_audit`] lets reads pass then, recorded as `fail-open` once the sink is back.

mod delivery;
pub mod file;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use countersign_core::Refusal;
use countersign_core::audit::AuditSink;
use countersign_core::mask::add_warnings;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use tower::{Layer, Service, ServiceExt as _};
use tracing::Instrument as _;

pub use file::FileSink;

use crate::body::{Body, BoxError, boxed};
use crate::clock::Clock;
use crate::mask::Masked;
use crate::record::{Entry, Record, Recorder, sent_and_broken};
use crate::response::refusal_response;
use crate::step::{Next, Stop};

/// A request that arrived, with its open record. Only audit makes one.
#[derive(Debug)]
pub struct Attempt {
    request: Request<Body>,
    record: Record,
}

impl Attempt {
    /// The request as it arrived.
    #[must_use]
    pub fn request(&self) -> &Request<Body> {
        &self.request
    }

    pub(crate) fn into_parts(self) -> (Request<Body>, Record) {
        (self.request, self.record)
    }
}

/// Records what happens below it.
#[derive(Clone)]
pub struct AuditLayer {
    recorder: Arc<Recorder>,
}

impl AuditLayer {
    /// Records into this sink.
    pub fn new(sink: Arc<dyn AuditSink>, clock: Arc<dyn Clock>) -> Self {
        Self {
            recorder: Arc::new(Recorder::new(sink, clock)),
        }
    }

    /// Lets requests that only read pass while the sink is down.
    #[must_use]
    pub fn insecure_reads_without_audit(self) -> Self {
        let recorder = self.recorder.insecure_reads_without_audit();
        Self {
            recorder: Arc::new(recorder),
        }
    }
}

impl<S: Next<Attempt, Response = Masked>> Layer<S> for AuditLayer {
    type Service = Audit<S>;

    fn layer(&self, inner: S) -> Audit<S> {
        Audit {
            recorder: Arc::clone(&self.recorder),
            inner,
        }
    }
}

/// The service of [`AuditLayer`].
#[derive(Clone)]
pub struct Audit<S> {
    recorder: Arc<Recorder>,
    inner: S,
}

impl<S, B> Service<Request<B>> for Audit<S>
where
    S: Next<Attempt, Response = Masked>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    /// A panic in here would end a `kube::Client` for ever, whose buffer calls it in a worker of its own; and a future
    /// that is dropped before its first poll has to be recorded. So only the record is opened here, and carefully.
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let opened = std::panic::catch_unwind(AssertUnwindSafe(|| Entry::open(&self.recorder, &request)));
        let inner = self.inner.clone();
        Box::pin(async move {
            let Ok((entry, record)) = opened else {
                return Ok(refusal_response(Refusal::unavailable(
                    "the record of this request could not be opened",
                )));
            };
            let span = entry.span();
            let attempt = Attempt {
                request: request.map(boxed),
                record,
            };
            run(inner, attempt, entry).instrument(span).await
        })
    }
}

async fn run<S>(inner: S, attempt: Attempt, entry: Entry) -> Result<Response<Body>, BoxError>
where
    S: Next<Attempt, Response = Masked>,
{
    let answered = AssertUnwindSafe(async { inner.oneshot(attempt).await.map_err(Into::into) })
        .catch_unwind()
        .await;
    match answered {
        Ok(Ok(masked)) => AssertUnwindSafe(delivery::deliver(masked, entry))
            .catch_unwind()
            .await
            // Recorded when the unwinding dropped the entry.
            .unwrap_or_else(|_panic| Ok(refusal_response(sent_and_broken()))),
        Ok(Err(Stop::Refused(refusal))) => {
            let warnings = entry.warnings();
            let mut response = refusal_response(entry.refused(refusal).await);
            add_warnings(response.headers_mut(), &warnings);
            Ok(response)
        }
        Ok(Err(Stop::Failed(error))) => entry.failed(error).await,
        Err(_panic) => Ok(refusal_response(entry.panicked().await)),
    }
}
