//! The scripted inner service: it answers one request after the other as it was told, and keeps what it was sent.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use countersign_tower::{Body, BoxError};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full, StreamBody};
use tokio::sync::{Notify, mpsc};
use tower::Service;

/// What breaks, breaks with this; rows look whether it comes out as it is.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the connection broke: {0}")]
pub(crate) struct Broken(pub(crate) &'static str);

/// What the server does with a request.
pub(crate) enum Answer {
    Respond(Response<Body>),
    Fail(Broken),
    PanicInCall,
    PanicInFuture,
    /// Waits for the bell, for ever if it never rings.
    Hang(Arc<Notify>, Box<Answer>),
}

/// What the server does when it is asked whether it is ready.
#[derive(Clone, Copy, Default)]
pub(crate) enum Readiness {
    #[default]
    Ready,
    Broken,
    Panics,
    Never,
}

/// A request as it reached the server.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// Clones share script and memory.
#[derive(Clone, Default)]
pub(crate) struct Server(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    script: VecDeque<Answer>,
    sent: Vec<Sent>,
    readiness: Readiness,
}

pub(crate) fn never(never: Infallible) -> BoxError {
    match never {}
}

/// A body that a row feeds, and that stays open until the row drops the sender.
pub(crate) fn open_body() -> (mpsc::UnboundedSender<Result<Bytes, BoxError>>, Body) {
    let (feed, chunks) = mpsc::unbounded_channel::<Result<Bytes, BoxError>>();
    let frames = futures_util::stream::unfold(chunks, |mut chunks| async move {
        let chunk = chunks.recv().await?;
        Some((chunk.map(Frame::data), chunks))
    });
    (feed, StreamBody::new(frames).boxed_unsync())
}

impl Answer {
    pub(crate) fn of_type(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self::streaming(
            status,
            content_type,
            Full::new(body.into()).map_err(never).boxed_unsync(),
        )
    }

    pub(crate) fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Self::of_type(status, "application/json", body)
    }

    pub(crate) fn streaming(status: u16, content_type: &str, body: Body) -> Self {
        let response = Response::builder().status(status);
        Self::Respond(response.header(CONTENT_TYPE, content_type).body(body).unwrap())
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        if let Self::Respond(response) = &mut self {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        self
    }

    pub(crate) fn after(self, bell: &Arc<Notify>) -> Self {
        Self::Hang(Arc::clone(bell), Box::new(self))
    }

    pub(crate) fn hangs() -> Self {
        Self::Fail(Broken("late")).after(&Arc::default())
    }
}

impl Server {
    pub(crate) fn script(&self, answers: impl IntoIterator<Item = Answer>) {
        self.0.lock().unwrap().script.extend(answers);
    }

    pub(crate) fn set_readiness(&self, readiness: Readiness) {
        self.0.lock().unwrap().readiness = readiness;
    }

    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.0.lock().unwrap().sent.clone()
    }
}

impl Service<Request<Full<Bytes>>> for Server {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        let readiness = self.0.lock().unwrap().readiness;
        match readiness {
            Readiness::Ready => Poll::Ready(Ok(())),
            Readiness::Broken => Poll::Ready(Err(Broken("not ready").into())),
            Readiness::Panics => panic!("the server panics before the send"),
            Readiness::Never => Poll::Pending,
        }
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        let (head, body) = request.into_parts();
        let body = body.collect().now_or_never().unwrap().unwrap().to_bytes();
        let answer = {
            let mut state = self.0.lock().unwrap();
            state.sent.push(Sent {
                method: head.method.to_string(),
                target: head.uri.to_string(),
                headers: head.headers,
                body: String::from_utf8(body.to_vec()).unwrap(),
            });
            state.script.pop_front()
        };
        let answer = answer.unwrap_or_else(|| panic!("nobody said how to answer {} {}", head.method, head.uri));
        assert!(!matches!(answer, Answer::PanicInCall), "the server panics in `call`");
        Box::pin(answered(answer))
    }
}

async fn answered(mut answer: Answer) -> Result<Response<Body>, BoxError> {
    loop {
        match answer {
            Answer::Respond(response) => return Ok(response),
            Answer::Fail(error) => return Err(error.into()),
            Answer::PanicInCall | Answer::PanicInFuture => panic!("the server panics while it answers"),
            Answer::Hang(bell, then) => {
                bell.notified().await;
                answer = *then;
            }
        }
    }
}
