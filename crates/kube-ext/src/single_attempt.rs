//! Requests that a retry layer below can't repeat.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use countersign_tower::BoxError;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use kube::Client;
use kube::client::Body;
use tokio::sync::Mutex;
use tower::{Service, ServiceExt as _};

/// Hands requests on in bodies that can't be cloned.
///
/// kube's retry policy repeats only what `Body::try_clone` clones: bodies that are held whole, which every constructor
/// of `Body` makes. The bodies of a client's answers are not; so an echoing client turns one into the other.
pub(crate) struct SingleAttempt<S> {
    inner: Arc<Mutex<S>>,
    echo: Client,
}

impl<S> SingleAttempt<S> {
    pub(crate) fn new(inner: S) -> Self {
        let echo = tower::service_fn(|request: Request<Body>| async {
            Ok::<_, Infallible>(Response::new(request.into_body()))
        });
        Self {
            inner: Arc::new(Mutex::new(inner)),
            echo: Client::new(echo, "default"),
        }
    }
}

impl<S, B> Service<Request<Bytes>> for SingleAttempt<S>
where
    S: Service<Request<Body>, Response = Response<B>> + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: Send + 'static,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<B>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let (inner, echo) = (Arc::clone(&self.inner), self.echo.clone());
        Box::pin(async move {
            let (head, bytes) = request.into_parts();
            let body = echo.send(Request::new(Body::from(bytes))).await?.into_body();
            let answer = {
                let mut inner = inner.lock().await;
                inner
                    .ready()
                    .await
                    .map_err(Into::into)?
                    .call(Request::from_parts(head, body))
            };
            answer.await.map_err(Into::into)
        })
    }
}
