//! The server as a tower service.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited, StreamBody};
use serde_json::{Value, json};
use tokio::sync::watch;
use tower::{BoxError, Service};

use super::api::{self, Call, Reply, ReplyBody};
use super::errors::ApiError;
use super::fault::{Action, Fault, Faults, Injected};
use super::kinds::Resource;
use super::object::new_uid;
use super::query::Query;
use super::requests::{RecordedRequest, Requests};
use super::seed::{SeedError, seed};
use super::state::State;
use super::watch as streams;

/// Upstream's limit on a request body.
const BODY_LIMIT: usize = 3 * 1024 * 1024;
const AUDIT_ID: HeaderName = HeaderName::from_static("audit-id");

/// The body of an answer.
pub type ResponseBody = UnsyncBoxBody<Bytes, BoxError>;

/// An API server in memory. Clones are the same server.
#[derive(Clone)]
pub struct EmbeddedApiServer {
    inner: Arc<Inner>,
}

/// What the clones share. Streams hold it weakly: they end when the last clone goes.
pub(super) struct Inner {
    state: Mutex<State>,
    requests: Mutex<Requests>,
    faults: Mutex<Faults>,
    /// Moves with every change of objects and logs.
    changed: watch::Sender<u64>,
}

impl EmbeddedApiServer {
    /// A server with the built-in kinds and the namespaces that every cluster has.
    #[must_use]
    pub fn new() -> Self {
        let mut state = State::new();
        for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
            let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
            // A Namespace with a name is always in order.
            let _ = seed(&mut state, namespace);
        }
        let inner = Inner {
            state: Mutex::new(state),
            requests: Mutex::default(),
            faults: Mutex::default(),
            changed: watch::Sender::new(0),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Serves a custom resource too, with the subresource `status`.
    #[must_use]
    pub fn with_resource(self, group: &str, version: &str, kind: &str, plural: &str, namespaced: bool) -> Self {
        let resource = Arc::new(Resource::custom(group, version, kind, plural, namespaced));
        self.inner.lock().registry.push(resource);
        self
    }

    /// Keeps so many changes for watches and paged lists; who asks for an older revision gets 410 `Expired`.
    #[must_use]
    pub fn with_history(self, changes: usize) -> Self {
        self.inner.lock().store.set_capacity(changes);
        self
    }

    /// How often a quiet watch that allows bookmarks gets one; a minute if not set.
    #[must_use]
    pub fn with_bookmark_interval(self, interval: Duration) -> Self {
        self.inner.lock().bookmark_every = interval;
        self
    }

    /// A client of this server, with the namespace `default`. Must be called within a tokio runtime.
    #[must_use]
    pub fn client(&self) -> kube::Client {
        kube::Client::new(self.clone(), "default")
    }

    /// Puts objects in place as they are, status included, replacing what is there. Missing namespaces are made.
    ///
    /// # Errors
    ///
    /// Fails at the first object that has no name, no known kind, or fields of the wrong type; those before it stay.
    pub fn seed(&self, objects: impl IntoIterator<Item = Value>) -> Result<(), SeedError> {
        self.inner
            .change(|state| objects.into_iter().try_for_each(|object| seed(state, object)))
    }

    /// Sets the log of a pod, for all its containers. The pod need not be there yet.
    pub fn set_log(&self, namespace: &str, pod: &str, text: impl Into<Vec<u8>>) {
        self.inner.change(|state| {
            let log = state.logs.entry((namespace.to_owned(), pod.to_owned())).or_default();
            log.edition += 1;
            log.text = text.into();
        });
    }

    /// Appends to the log of a pod; who follows it gets the new text.
    pub fn append_log(&self, namespace: &str, pod: &str, text: impl AsRef<[u8]>) {
        self.inner.change(|state| {
            let log = state.logs.entry((namespace.to_owned(), pod.to_owned())).or_default();
            log.text.extend_from_slice(text.as_ref());
        });
    }

    /// The requests received so far, oldest first; those that a fault met are among them.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        lock(&self.inner.requests).all()
    }

    /// Forgets the requests received so far.
    pub fn clear_requests(&self) {
        lock(&self.inner.requests).clear();
    }

    /// Puts a fault in place. Of several that match, the oldest is met first.
    pub fn inject(&self, fault: Fault) -> Injected {
        lock(&self.inner.faults).add(fault)
    }
}

impl Default for EmbeddedApiServer {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for EmbeddedApiServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedApiServer")
            .field("revision", &self.inner.lock().store.revision())
            .finish()
    }
}

impl<B> Service<Request<B>> for EmbeddedApiServer
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move { inner.serve(request).await })
    }
}

impl Inner {
    async fn serve<B>(self: Arc<Self>, request: Request<B>) -> Result<Response<ResponseBody>, BoxError>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let (head, body) = request.into_parts();
        let body = match Limited::new(body, BODY_LIMIT).collect().await {
            Ok(body) => Some(body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => None,
            Err(error) => return Err(error),
        };
        let recorded = RecordedRequest {
            method: head.method,
            uri: head
                .uri
                .path_and_query()
                .map_or_else(|| "/".to_owned(), |uri| uri.as_str().to_owned()),
            headers: head.headers,
            body: body.clone().unwrap_or_default(),
        };
        lock(&self.requests).add(recorded.clone());
        let fault = lock(&self.faults).take(&recorded);
        match fault {
            None => Ok(self.answer(&recorded, body.is_some())),
            Some((Action::Answer { status, headers, body }, _)) => {
                let mut response = Response::new(full(body));
                *response.status_mut() = status;
                *response.headers_mut() = headers;
                Ok(response)
            }
            Some((Action::Break(why), _)) => Err(why.into()),
            Some((Action::LoseAnswer(why), _)) => {
                let _ = self.answer(&recorded, body.is_some());
                Err(why.into())
            }
            Some((Action::CutBody { after, why }, _)) => {
                Ok(self.answer(&recorded, body.is_some()).map(|body| cut(body, after, why)))
            }
            Some((Action::Hang, injected)) => {
                injected.released().await;
                Ok(self.answer(&recorded, body.is_some()))
            }
        }
    }

    fn answer(self: &Arc<Self>, request: &RecordedRequest, whole: bool) -> Response<ResponseBody> {
        let (path, query) = request.uri.split_once('?').unwrap_or((&request.uri, ""));
        let call = Call {
            method: &request.method,
            path,
            query: Query::parse(query),
            headers: &request.headers,
            body: &request.body,
        };
        // One lock for the answer and the start of its stream: nothing happens in between.
        let (reply, body) = self.change(|state| {
            let reply = if whole {
                api::handle(state, &call)
            } else {
                Reply::refusal(&ApiError::too_large(format_args!("limit is {BODY_LIMIT}")))
            };
            let body = self.body(state, &reply);
            (reply, body)
        });
        let length = body.size_hint().exact();
        let mut response = Response::new(if request.method == Method::HEAD {
            full(Bytes::new())
        } else {
            body
        });
        *response.status_mut() = StatusCode::from_u16(reply.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
        if let Some(length) = length {
            headers.insert(CONTENT_LENGTH, length.into());
        }
        let audit_id = request
            .headers
            .get(AUDIT_ID)
            .cloned()
            .or_else(|| HeaderValue::try_from(new_uid()).ok());
        headers.extend(audit_id.map(|id| (AUDIT_ID, id)));
        response
    }

    fn body(self: &Arc<Self>, state: &State, reply: &Reply) -> ResponseBody {
        match &reply.body {
            ReplyBody::Full(bytes) => full(bytes.clone()),
            ReplyBody::Watch(spec) => BodyExt::boxed_unsync(StreamBody::new(streams::watch(self, state, spec.clone()))),
            ReplyBody::Log(spec) if spec.follow => {
                BodyExt::boxed_unsync(StreamBody::new(streams::follow(self, state, spec.clone())))
            }
            ReplyBody::Log(spec) => full(streams::log_now(state, spec)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Does something under the lock, and wakes the streams if objects or logs may have changed.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let done = change(&mut self.lock());
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
        done
    }

    pub(super) fn with_state<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.lock())
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

/// A panic elsewhere leaves the data whole: nothing here is changed in steps that could be seen half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn full(bytes: Bytes) -> ResponseBody {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

/// The first bytes of a body, then an error.
fn cut(body: ResponseBody, after: usize, why: String) -> ResponseBody {
    let frames = futures_util::stream::unfold((body, after, Some(why)), |(mut body, mut left, mut why)| async move {
        let frame = if left > 0 { body.frame().await } else { None };
        let item: Result<Frame<Bytes>, BoxError> = match frame {
            Some(Ok(frame)) => {
                let mut data = frame.into_data().unwrap_or_default();
                data.truncate(left);
                left -= data.len();
                Ok(Frame::data(data))
            }
            Some(Err(error)) => Err(error),
            None => Err(why.take()?.into()),
        };
        Some((item, (body, left, why)))
    });
    BodyExt::boxed_unsync(StreamBody::new(frames))
}
