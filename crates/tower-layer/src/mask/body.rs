//! A body that masks another: chunk in, chunks out, at the end finish or abort.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use countersign_core::Refusal;
use countersign_core::mask::{Masker, Report};
use http_body::Frame;

use crate::body::{Body, BoxError};

/// The masked form of an answer's body.
pub(crate) struct MaskedBody {
    inner: Body,
    masker: Option<Masker>,
    report: Report,
}

impl std::fmt::Debug for MaskedBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MaskedBody").finish_non_exhaustive()
    }
}

/// An answer that turned out not to be maskable after its head had passed.
#[derive(Debug, thiserror::Error)]
#[error("the server's answer can't be masked: {0}")]
pub(crate) struct Unmaskable(pub(crate) countersign_core::mask::MaskError);

impl Unmaskable {
    /// The refusal, for as long as nothing was delivered.
    pub(crate) fn refusal(&self) -> Refusal {
        self.0.to_refusal()
    }
}

impl MaskedBody {
    pub(super) fn new(inner: Body, masker: Masker) -> Self {
        Self {
            inner,
            masker: Some(masker),
            report: Report::default(),
        }
    }

    /// A body that passes as it is.
    pub(super) fn opaque(inner: Body) -> Self {
        Self {
            inner,
            masker: None,
            report: Report::default(),
        }
    }

    /// What was masked; complete once the body has ended.
    pub(crate) fn report(&self) -> Report {
        match &self.masker {
            Some(masker) => masker.report(),
            None => self.report.clone(),
        }
    }

    /// Masks no more, and keeps account of what was masked until then.
    fn stop(&mut self) {
        self.report = self.report();
        self.masker = None;
    }
}

impl http_body::Body for MaskedBody {
    type Data = Bytes;
    type Error = BoxError;

    // No size hint: masking changes lengths. No trailers: they can't be masked, and Kubernetes has none.
    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        loop {
            let Some(masker) = this.masker.as_mut() else {
                return Poll::Ready(None);
            };
            let mut out = Vec::new();
            let masked = match ready!(Pin::new(&mut this.inner).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(chunk) => masker.push(&chunk, &mut out),
                    Err(_trailers) => continue,
                },
                Some(Err(error)) => {
                    this.stop();
                    return Poll::Ready(Some(Err(error)));
                }
                None => masker.finish(&mut out).map(|report| {
                    this.report = report;
                    this.masker = None;
                }),
            };
            if let Err(error) = masked {
                this.stop();
                return Poll::Ready(Some(Err(Box::new(Unmaskable(error)))));
            }
            if !out.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(out.into()))));
            }
        }
    }
}
