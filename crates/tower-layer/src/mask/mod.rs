//! Masks answers on their way back, chunk by chunk.
//!
//! 1. What to mask is decided by the request's plan and by what the answer turns out to be, never by what was asked for.
//! 2. An answer that can't be masked is refused with 502 and none of its bytes.
//! 3. An error that is found late aborts the stream; no client takes that for an end.
//! 4. `Content-Length` is that of the masked body, where all of it is there before its head goes out. Otherwise there is
//!    none, nor are there trailers.
//! 5. An upgraded connection passes unseen, and only where a rule says `insecure_opaque_stream`.

mod body;

use std::task::{Context, Poll};

use countersign_core::mask::{Masker, response_headers};
use futures_util::future::BoxFuture;
use http::header::{CONNECTION, CONTENT_TYPE, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_PROTOCOL, UPGRADE};
use http::{HeaderValue, Response, StatusCode};
use tower::{Layer, Service, ServiceExt as _};

pub(crate) use body::{MaskedBody, Unmaskable};

use crate::approval::Permitted;
use crate::body::full;
use crate::flight::InFlight;
use crate::forward::Unmasked;
use crate::record::Record;
use crate::step::{Next, Stop};

/// An answer without secrets. Audit accepts no other.
#[derive(Debug)]
pub struct Masked {
    response: Response<MaskedBody>,
    record: Record,
}

impl Masked {
    pub(crate) fn into_parts(self) -> (Response<MaskedBody>, Record) {
        (self.response, self.record)
    }
}

/// Masks what the service below answers.
#[derive(Debug, Clone, Copy, Default)]
pub struct MaskLayer;

impl<S: Next<InFlight<Permitted>, Response = Unmasked>> Layer<S> for MaskLayer {
    type Service = Mask<S>;

    fn layer(&self, inner: S) -> Mask<S> {
        Mask { inner }
    }
}

/// The service of [`MaskLayer`].
#[derive(Debug, Clone)]
pub struct Mask<S> {
    inner: S,
}

impl<S: Next<InFlight<Permitted>, Response = Unmasked>> Service<InFlight<Permitted>> for Mask<S> {
    type Response = Masked;
    type Error = Stop;
    type Future = BoxFuture<'static, Result<Masked, Stop>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Stop>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, input: InFlight<Permitted>) -> Self::Future {
        let inner = self.inner.clone();
        Box::pin(async move { mask(inner.oneshot(input).await.map_err(Into::into)?) })
    }
}

fn mask(unmasked: Unmasked) -> Result<Masked, Stop> {
    let (response, plan, record) = unmasked.into_parts();
    let (mut head, body) = response.into_parts();
    if head.status == StatusCode::SWITCHING_PROTOCOLS {
        let kept = [CONNECTION, UPGRADE, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_PROTOCOL];
        let mut headers = response_headers(&plan, &head.headers);
        for name in kept {
            if let Some(value) = head.headers.remove(&name) {
                headers.insert(name, value);
            }
        }
        head.headers = headers;
        // The extension that holds the upgraded connection stays; hyper hands it to the caller.
        return Ok(Masked {
            response: Response::from_parts(head, MaskedBody::opaque(full(""))),
            record,
        });
    }
    let masker = Masker::new(&plan, head.status, &head.headers)?;
    head.headers = response_headers(&plan, &head.headers);
    head.headers.remove(CONTENT_TYPE);
    if let Some(content_type) = masker.content_type().and_then(|text| HeaderValue::from_str(text).ok()) {
        head.headers.insert(CONTENT_TYPE, content_type);
    }
    // Only a 101 has use for them, and a layer below may have left secrets there.
    head.extensions.clear();
    Ok(Masked {
        response: Response::from_parts(head, MaskedBody::new(body, masker)),
        record,
    })
}
