//! The tower shell around the steps, once: a [`Step`] is a plain function, [`StepLayer`] makes a layer of it.

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll};

use countersign_core::Refusal;
use futures_util::future::BoxFuture;
use tower::{Layer, Service, ServiceExt as _};

use crate::body::BoxError;

/// One step of the pipeline: from the type that the step before it made to the next.
pub trait Step: Send + Sync + 'static {
    /// What the step before it made.
    type In: Send + 'static;
    /// What it makes.
    type Out: Send + 'static;

    /// Does the step.
    ///
    /// An `Err` ends the request: nothing behind this step sees it. Dropping the future means that the caller is gone.
    fn run(&self, input: Self::In) -> impl Future<Output = Result<Self::Out, Stop>> + Send;
}

/// Why a request ends at a step.
#[derive(Debug)]
pub enum Stop {
    /// The guard worked, and its answer is no.
    Refused(Refusal),
    /// The connection to the server broke down, or a layer of somebody else failed.
    Failed(BoxError),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<BoxError> for Stop {
    fn from(error: BoxError) -> Self {
        match error.downcast::<StopError>() {
            Ok(stop) => stop.0,
            Err(error) => Self::Failed(error),
        }
    }
}

impl From<std::convert::Infallible> for Stop {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

/// A [`Stop`] on its way through a layer whose error is boxed, such as tower's `Timeout`.
#[derive(Debug, thiserror::Error)]
#[error("the request was stopped")]
struct StopError(Stop);

impl From<Stop> for BoxError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Failed(error) => error,
            refused @ Stop::Refused(_) => Box::new(StopError(refused)),
        }
    }
}

/// A service that takes what a step made; layers that know nothing of steps fit in between.
#[diagnostic::on_unimplemented(message = "the guard's steps are out of order: `{Self}` does not take `{In}`")]
pub trait Next<In>: Service<In, Error: Into<Stop>, Future: Send> + Clone + Send + 'static {}

impl<S, In> Next<In> for S where S: Service<In, Error: Into<Stop>, Future: Send> + Clone + Send + 'static {}

/// Runs a step before an inner service.
#[derive(Debug)]
pub struct StepLayer<T>(Arc<T>);

impl<T> StepLayer<T> {
    /// A layer of this step.
    pub fn new(step: T) -> Self {
        Self(Arc::new(step))
    }
}

impl<T> Clone for StepLayer<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Step, S: Next<T::Out>> Layer<S> for StepLayer<T> {
    type Service = StepService<T, S>;

    fn layer(&self, inner: S) -> Self::Service {
        StepService {
            step: Arc::clone(&self.0),
            inner,
        }
    }
}

/// A step and the service behind it.
#[derive(Debug)]
pub struct StepService<T, S> {
    step: Arc<T>,
    inner: S,
}

impl<T, S: Clone> Clone for StepService<T, S> {
    fn clone(&self) -> Self {
        Self {
            step: Arc::clone(&self.step),
            inner: self.inner.clone(),
        }
    }
}

impl<T: Step, S: Next<T::Out>> Service<T::In> for StepService<T, S> {
    type Response = S::Response;
    type Error = Stop;
    type Future = BoxFuture<'static, Result<S::Response, Stop>>;

    /// Always ready: a ready inner service held across a wait would starve every other request of the client.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Stop>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, input: T::In) -> Self::Future {
        let step = Arc::clone(&self.step);
        let inner = self.inner.clone();
        Box::pin(async move {
            let output = step.run(input).await?;
            inner.oneshot(output).await.map_err(Into::into)
        })
    }
}
