//! From the masked answer to the caller: recorded first, then delivered.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use countersign_core::Refusal;
use countersign_core::mask::add_warnings;
use futures_util::future::BoxFuture;
use http::{HeaderValue, Response, StatusCode};
use http_body::Frame;
use http_body_util::BodyExt as _;

use crate::body::{Body, BoxError, boxed, full};
use crate::mask::{Masked, MaskedBody, Unmaskable};
use crate::record::{AUDIT_ID, Entry};
use crate::response::refusal_response;

/// An answer up to this size is delivered once its outcome is recorded; of a larger one the head is recorded first.
const MAX_WITHHELD: usize = 64 * 1024;

/// Delivers an answer whose record is `entry`.
pub(super) async fn deliver(masked: Masked, entry: Entry) -> Result<Response<Body>, BoxError> {
    let (response, _record) = masked.into_parts();
    let (mut head, mut body) = response.into_parts();
    let status = head.status;
    if let Ok(id) = HeaderValue::from_str(entry.audit_id()) {
        head.headers.insert(AUDIT_ID, id);
    }
    add_warnings(&mut head.headers, &entry.warnings());
    let mut withheld = BytesMut::new();
    if !entry.is_stream() {
        loop {
            match body.frame().await {
                Some(Ok(frame)) => withheld.extend_from_slice(frame.data_ref().map_or(&[], |data| data)),
                Some(Err(error)) => {
                    return match error.downcast::<Unmaskable>() {
                        Ok(unmaskable) => Ok(refusal_response(entry.refused(unmaskable.refusal()).await)),
                        Err(error) => entry.failed(error).await,
                    };
                }
                None => {
                    let report = body.report();
                    // Only now all of it is known, and only here before the head goes out: a number that is too low would be
                    // worse than none.
                    if let Some(summary) = report.summary().filter(|_| entry.tells_masked()) {
                        add_warnings(&mut head.headers, &[&entry.warnings()[..], &[summary]].concat());
                    }
                    return Ok(match entry.completed(status, report, withheld.len() as u64).await {
                        Ok(()) => Response::from_parts(head, full(withheld)),
                        Err(unrecorded) => refusal_response(undelivered(unrecorded)),
                    });
                }
            }
            if withheld.len() > MAX_WITHHELD {
                break;
            }
        }
    }
    let mut entry = entry;
    if let Err(unrecorded) = entry.started(status).await {
        return Ok(refusal_response(entry.refused(undelivered(unrecorded)).await));
    }
    let body = RecordedBody {
        first: (!withheld.is_empty()).then(|| withheld.freeze()),
        inner: body,
        state: State::Open(entry),
        status,
        bytes: 0,
    };
    Ok(Response::from_parts(head, boxed(body)))
}

/// Tells the caller that the request was sent all the same.
fn undelivered(unrecorded: Refusal) -> Refusal {
    unrecorded.with_remedy("the request was sent, but its outcome could not be recorded: look before repeating it")
}

/// A body whose end is recorded before it is delivered.
struct RecordedBody {
    first: Option<Bytes>,
    inner: MaskedBody,
    state: State,
    status: StatusCode,
    bytes: u64,
}

enum State {
    Open(Entry),
    Closing(BoxFuture<'static, Result<(), BoxError>>),
    Closed,
}

/// A caller that leaves got what was masked until then.
impl Drop for RecordedBody {
    fn drop(&mut self) {
        if let State::Open(entry) = &self.state {
            entry.masked(&self.inner.report());
        }
    }
}

/// A stream whose end could not be recorded.
#[derive(Debug, thiserror::Error)]
#[error("the end of this answer could not be recorded")]
struct Unrecorded;

impl http_body::Body for RecordedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        loop {
            match &mut this.state {
                State::Open(_) => {
                    let next = match this.first.take() {
                        Some(first) => Some(Ok(Frame::data(first))),
                        None => ready!(Pin::new(&mut this.inner).poll_frame(cx)),
                    };
                    if let Some(Ok(frame)) = next {
                        this.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                        return Poll::Ready(Some(Ok(frame)));
                    }
                    let State::Open(entry) = std::mem::replace(&mut this.state, State::Closed) else {
                        continue;
                    };
                    this.state = State::Closing(close(entry, next.and_then(Result::err), this));
                }
                State::Closing(closing) => {
                    let closed = ready!(closing.as_mut().poll(cx));
                    this.state = State::Closed;
                    return Poll::Ready(closed.err().map(Err));
                }
                State::Closed => return Poll::Ready(None),
            }
        }
    }
}

fn close(entry: Entry, error: Option<BoxError>, body: &RecordedBody) -> BoxFuture<'static, Result<(), BoxError>> {
    let (status, report, bytes) = (body.status, body.inner.report(), body.bytes);
    Box::pin(async move {
        if error.is_some() {
            entry.masked(&report);
        }
        match error {
            None => entry
                .completed(status, report, bytes)
                .await
                .map_err(|_| Unrecorded.into()),
            Some(error) => match error.downcast::<Unmaskable>() {
                Ok(unmaskable) => {
                    entry.refused(unmaskable.refusal()).await;
                    Err(unmaskable as BoxError)
                }
                Err(error) => entry.failed(error).await,
            },
        }
    })
}
