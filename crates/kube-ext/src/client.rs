//! Guarded clients.

use bytes::Bytes;
use countersign_core::request::ClusterIdentity;
use countersign_tower::{BoxError, BuildError, Guard, GuardBuilder, GuardService};
use http::{Request, Response};
use kube::Client;
use kube::client::{Body, ClientBuilder};
use tower::Service;

use crate::single_attempt::SingleAttempt;

/// A guarded client could not be made.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(#[from] Cause);

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error("the client's configuration is not usable")]
    Client(#[source] kube::Error),
    #[error(transparent)]
    Guard(BuildError),
}

/// What was wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client's configuration.
    Client,
    /// The guard's configuration.
    Guard,
}

impl Error {
    /// What was wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self.0 {
            Cause::Client(_) => ErrorKind::Client,
            Cause::Guard(_) => ErrorKind::Guard,
        }
    }
}

/// The cluster of a configuration: its URL and the CA that vouches for it. An approval for one cluster is void for
/// another.
#[must_use]
pub fn cluster_identity(config: &kube::Config) -> ClusterIdentity {
    let certificates = config.root_cert.clone().unwrap_or_default();
    ClusterIdentity::of_server(&config.cluster_url.to_string(), &certificates)
}

/// Makes a guarded client from a configuration.
///
/// Takes the cluster's identity from it, unless the builder names one, and switches kube's retry off: it repeats any
/// request that is answered with 429, 503 or 504, below the guard and unseen, and one approval would pay for many sends.
///
/// # Errors
/// If the guard lacks a part, or kube can't use the configuration.
///
/// # Panics
/// Like every `kube::Client`, outside of a tokio runtime.
pub fn guarded_client(mut config: kube::Config, guard: GuardBuilder) -> Result<Client, Error> {
    config.default_retry = false;
    let guard = if guard.has_cluster() {
        guard
    } else {
        guard.cluster(cluster_identity(&config))
    };
    let guard = guard.build().map_err(Cause::Guard)?;
    let builder = ClientBuilder::try_from(config).map_err(Cause::Client)?;
    Ok(builder.with_layer(&guard.layer::<Body>()).build())
}

/// Guards the stack of a [`ClientBuilder`].
pub trait GuardedClientBuilder {
    /// The stack with the guard outside of everything that is in it by now. Add no layer after it: what is outside of
    /// the guard can change nothing that was approved, but it sees what the agent sees and can answer in its stead.
    ///
    /// A retry layer that is in the stack already can't be taken out. It is starved instead: it repeats only what it can
    /// clone, and no request that the guard sends can be cloned.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[must_use]
    fn guarded(self, guard: &Guard) -> ClientBuilder<GuardService>;
}

impl<S, B> GuardedClientBuilder for ClientBuilder<S>
where
    S: Service<Request<Body>, Response = Response<B>> + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    fn guarded(self, guard: &Guard) -> ClientBuilder<GuardService> {
        self.with_layer(&tower::layer::layer_fn(|inner| {
            guard.wrap::<_, Bytes>(SingleAttempt::new(inner))
        }))
    }
}
