//! The inner service behind one door: permitted requests go in by [`Forward`](super::Forward), probes by [`Prober`].

use std::marker::PhantomData;
use std::sync::Arc;

use bytes::Bytes;
use countersign_core::json::Value;
use countersign_core::request::{COLLECTION_ACCEPT, Canonical, Live, Outgoing, collection_page};
use countersign_core::{Refusal, json};
use futures_util::future::BoxFuture;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use tokio::sync::Mutex;
use tower::{Service, ServiceExt as _};

use crate::body::{Body, BoxError, boxed, collect};
use crate::record::{AUDIT_ID, Record};
use crate::step::Stop;

/// Largest object that is read as a pin or a fact.
const MAX_PROBE_BYTES: usize = 8 * 1024 * 1024;

/// Objects that are asked for at a time when a collection is counted.
const PAGE: u64 = 500;

/// Most objects of a collection that are counted.
const MAX_COUNTED: u64 = 20_000;

/// The inner service, shared by the steps that read or send through it. Only this crate can.
#[derive(Clone)]
pub struct Upstream {
    transport: Arc<dyn Transport>,
}

/// Reads objects on behalf of the guard: GET on the request's own targets, recorded, the answer never handed out.
#[derive(Clone)]
pub struct Prober {
    transport: Arc<dyn Transport>,
}

/// What can be guarded: any service of HTTP, such as kube's, which is neither `Clone` nor `Sync`. `IB` is the body of the
/// requests that it takes.
pub trait InnerService<IB>:
    Service<Request<IB>, Response = Response<Self::ResponseBody>, Error: Into<BoxError>, Future: Send> + Send + 'static
{
    /// The body of its answers.
    type ResponseBody: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static;
}

impl<S, IB, SB> InnerService<IB> for S
where
    S: Service<Request<IB>, Response = Response<SB>, Error: Into<BoxError>, Future: Send> + Send + 'static,
    SB: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type ResponseBody = SB;
}

trait Transport: Send + Sync {
    /// Sends a request; `sending` is called once the service is ready, right before it gets the request.
    fn send<'a>(
        &'a self,
        head: http::request::Parts,
        body: Bytes,
        sending: &'a (dyn Fn() + Sync),
    ) -> BoxFuture<'a, Result<Response<Body>, BoxError>>;
}

/// The lock is held to get the service ready and to call it, not while it answers.
struct Locked<S, IB> {
    inner: Mutex<S>,
    body: PhantomData<fn(IB)>,
}

impl<S: InnerService<IB>, IB: From<Bytes> + Send + 'static> Transport for Locked<S, IB> {
    fn send<'a>(
        &'a self,
        head: http::request::Parts,
        body: Bytes,
        sending: &'a (dyn Fn() + Sync),
    ) -> BoxFuture<'a, Result<Response<Body>, BoxError>> {
        Box::pin(async move {
            let answer = {
                let mut inner = self.inner.lock().await;
                let ready = inner.ready().await.map_err(Into::into)?;
                sending();
                ready.call(Request::from_parts(head, IB::from(body)))
            };
            answer.await.map(|response| response.map(boxed)).map_err(Into::into)
        })
    }
}

impl Upstream {
    /// Takes the inner service over. `IB` is its request body.
    pub fn new<S: InnerService<IB>, IB: From<Bytes> + Send + 'static>(inner: S) -> Self {
        Self {
            transport: Arc::new(Locked {
                inner: Mutex::new(inner),
                body: PhantomData,
            }),
        }
    }

    /// The reading side.
    #[must_use]
    pub fn prober(&self) -> Prober {
        Prober {
            transport: Arc::clone(&self.transport),
        }
    }

    /// Sends one request of a permitted plan, once.
    pub(super) async fn send(
        &self,
        outgoing: &Outgoing,
        request: &Canonical,
        record: &Record,
    ) -> Result<Response<Body>, Stop> {
        let mut head = head(&outgoing.method, &outgoing.target, &outgoing.accept, record)?;
        if let Some(content_type) = outgoing.content_type {
            head.headers
                .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        if let Some(upgrade) = request.upgrade() {
            insert_upgrade(&mut head.headers, upgrade)?;
        }
        self.transport
            .send(head, outgoing.body.clone(), &|| record.sent())
            .await
            .map_err(Stop::Failed)
    }
}

impl Prober {
    /// Reads one object; `None` if there is none.
    ///
    /// # Errors
    /// A refusal with 502 or 503 that holds no upstream bytes, if the object can't be read.
    pub(crate) async fn get(&self, target: &str, record: &Record) -> Result<Option<Value>, Stop> {
        match self.read(target, "application/json", record).await? {
            Ok(object) => Ok(Some(object)),
            Err(StatusCode::NOT_FOUND) => Ok(None),
            Err(status) => Err(unreadable(status)),
        }
    }

    /// Reads one object as a fact for the policy engine, for which it is a fact too that the guard may not read it.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub(crate) async fn fact(&self, target: &str, record: &Record) -> Result<Live, Stop> {
        match self.read(target, "application/json", record).await? {
            Ok(object) => Ok(Live::Object(Arc::new(object))),
            Err(StatusCode::NOT_FOUND) => Ok(Live::Absent),
            Err(StatusCode::FORBIDDEN | StatusCode::METHOD_NOT_ALLOWED) => Ok(Live::Unreadable),
            Err(status) => Err(unreadable(status)),
        }
    }

    /// Counts the objects that a deletion of a collection would delete, up to a bound: there may be more than it says only
    /// if it says the bound. None if the request deletes no collection.
    ///
    /// # Errors
    /// As [`get`](Self::get), and with 403 if there are more than are ever counted.
    pub(crate) async fn count(&self, request: &Canonical, bound: u64, record: &Record) -> Result<Option<u64>, Stop> {
        let (mut counted, mut token) = (0_u64, None);
        loop {
            let limit = bound.saturating_sub(counted).clamp(1, PAGE);
            let Some(target) = collection_page(request, limit, token.as_deref()) else {
                return Ok(None);
            };
            let page = match self.read(&target, COLLECTION_ACCEPT, record).await? {
                Ok(page) => page,
                Err(status) => return Err(unreadable(status)),
            };
            let Some(items) = page.get("items").and_then(Value::as_array) else {
                return Err(Refusal::upstream("the objects of the collection could not be counted").into());
            };
            // A page without items that says it goes on counts too, so that this ends.
            counted = counted.saturating_add((items.len() as u64).max(1));
            token = page
                .at(&["metadata", "continue"])
                .and_then(Value::as_str)
                .filter(|token| !token.is_empty())
                .map(str::to_owned);
            if token.is_none() && items.is_empty() {
                return Ok(Some(counted - 1));
            }
            if token.is_none() || counted >= bound {
                return Ok(Some(counted.min(bound)));
            }
            if counted >= MAX_COUNTED {
                let message = format!("the collection holds more than the {MAX_COUNTED} objects that are counted");
                return Err(Refusal::policy(message)
                    .with_remedy("narrow it down with a label selector")
                    .into());
            }
        }
    }

    /// Reads JSON, or says with which status it was not to be had.
    async fn read(&self, target: &str, accept: &str, record: &Record) -> Result<Result<Value, StatusCode>, Stop> {
        let head = head(&Method::GET, target, accept, record)?;
        record.probed(target);
        let response = self
            .transport
            .send(head, Bytes::new(), &|| ())
            .await
            .map_err(Stop::Failed)?;
        if response.status() != StatusCode::OK {
            return Ok(Err(response.status()));
        }
        let body = collect(response.into_body(), MAX_PROBE_BYTES)
            .await
            .map_err(|_| Refusal::upstream("the object that the request is about could not be read whole"))?;
        match Value::parse_with_depth(&body, json::MAX_DEPTH) {
            Ok(object) => Ok(Ok(object)),
            Err(_) => Err(Refusal::upstream("the object that the request is about is no valid JSON").into()),
        }
    }
}

fn unreadable(status: StatusCode) -> Stop {
    Refusal::upstream(format!(
        "the object that the request is about could not be read: {status}"
    ))
    .into()
}

/// The head of a request of ours: everything in it is made here, nothing is copied from the caller's headers.
fn head(method: &Method, target: &str, accept: &str, record: &Record) -> Result<http::request::Parts, Refusal> {
    let bug = |_| Refusal::unavailable("a canonical request could not be written");
    let uri: Uri = target
        .parse()
        .map_err(|_| Refusal::unavailable("a canonical target could not be written"))?;
    let (mut head, ()) = Request::new(()).into_parts();
    head.method = method.clone();
    head.uri = uri;
    head.headers.insert(ACCEPT, HeaderValue::from_str(accept).map_err(bug)?);
    // Compressed answers can't be masked.
    head.headers
        .insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    head.headers
        .insert(USER_AGENT, HeaderValue::from_str(&record.user_agent()).map_err(bug)?);
    head.headers
        .insert(AUDIT_ID, HeaderValue::from_str(record.audit_id()).map_err(bug)?);
    Ok(head)
}

fn insert_upgrade(headers: &mut HeaderMap, upgrade: &countersign_core::request::Upgrade) -> Result<(), Refusal> {
    let bug = |_| Refusal::unavailable("a canonical upgrade could not be written");
    let protocols = upgrade.protocols.join(", ");
    headers.insert(http::header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(http::header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(http::header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    headers.insert(
        http::header::SEC_WEBSOCKET_KEY,
        HeaderValue::from_str(&upgrade.key).map_err(bug)?,
    );
    headers.insert(
        http::header::SEC_WEBSOCKET_PROTOCOL,
        HeaderValue::from_str(&protocols).map_err(bug)?,
    );
    Ok(())
}
