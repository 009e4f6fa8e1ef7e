//! The resources of a cluster, kept up to date.

use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use countersign_core::Timestamp;
use countersign_core::request::{Catalog, Kind, ResourceCatalog};
use futures_util::future::select;
use kube::Client;
use tokio::sync::Notify;

use crate::catalog::discover_catalog;

/// A discovery that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// The resources of a cluster, asked for again every minute and whenever a request names one that is not known.
///
/// 1. A request never waits for it. One that names an unknown resource is refused, and may pass a moment later if the
///    resource has come meanwhile.
/// 2. However many unknown resources are named, the cluster is asked at most every five seconds.
/// 3. If the cluster can't be asked, what was known stays, and [`status`](Self::status) says so.
///
/// Cheap to clone: every clone is a handle to the same catalog. It is kept up to date until the last is dropped.
///
/// ```no_run
/// # use std::sync::Arc;
/// use countersign_kube::LiveCatalog;
/// use countersign_kube::core::request::Gate;
///
/// # async fn start(client: kube::Client) -> kube::Result<()> {
/// // A client beside the guard, with an identity of its own that may list CustomResourceDefinitions and APIServices.
/// let catalog = LiveCatalog::start(client).await?;
/// let gate = Gate::new(Arc::new(catalog.clone())); // `.gate(gate)` on the guard's builder
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct LiveCatalog(Arc<Shared>);

struct Shared {
    catalog: ArcSwap<Catalog>,
    status: Mutex<CatalogStatus>,
    missed: Arc<Notify>,
}

/// How often a cluster is asked for its resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refresh {
    /// Without a reason.
    pub every: Duration,
    /// With one: a resource that is not known.
    pub at_most_every: Duration,
}

impl Default for Refresh {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(60),
            at_most_every: Duration::from_secs(5),
        }
    }
}

/// How old a catalog is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CatalogStatus {
    /// When the cluster was last asked with success.
    pub refreshed: Timestamp,
    /// Why it could not be asked since; none if it could.
    pub error: Option<String>,
}

impl LiveCatalog {
    /// Asks a cluster for its resources, and goes on asking.
    ///
    /// # Errors
    /// If the cluster can't be asked the first time.
    pub async fn start(client: Client) -> kube::Result<Self> {
        Self::start_with(client, Refresh::default(), |catalog| catalog).await
    }

    /// As [`start`](Self::start), asking at other times; whatever is found goes through `adjust`, for fields that may be
    /// selected and aggregated groups that no APIService names.
    ///
    /// # Errors
    /// If the cluster can't be asked the first time.
    pub async fn start_with(
        client: Client,
        refresh: Refresh,
        adjust: impl Fn(Catalog) -> Catalog + Send + Sync + 'static,
    ) -> kube::Result<Self> {
        let found = adjust(discover_catalog(&client).await?);
        let missed = Arc::new(Notify::new());
        let shared = Arc::new(Shared {
            catalog: ArcSwap::from_pointee(found),
            status: Mutex::new(CatalogStatus {
                refreshed: Timestamp::now(),
                error: None,
            }),
            missed: Arc::clone(&missed),
        });
        tokio::spawn(keep(Arc::downgrade(&shared), missed, client, refresh, adjust));
        Ok(Self(shared))
    }

    /// How old it is.
    #[must_use]
    pub fn status(&self) -> CatalogStatus {
        self.0.status().clone()
    }
}

impl fmt::Debug for LiveCatalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LiveCatalog").field(&*self.0.status()).finish()
    }
}

impl ResourceCatalog for LiveCatalog {
    fn lookup(&self, group: &str, resource: &str) -> Option<Arc<Kind>> {
        let found = self.0.catalog.load().lookup(group, resource);
        if found.is_none() {
            self.0.missed.notify_one();
        }
        found
    }

    fn is_selectable(&self, kind: &Kind, field: &str) -> bool {
        self.0.catalog.load().is_selectable(kind, field)
    }
}

impl Shared {
    fn status(&self) -> MutexGuard<'_, CatalogStatus> {
        // Every change of it is one assignment.
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shared {
    /// Wakes the task, which ends then.
    fn drop(&mut self) {
        self.missed.notify_one();
    }
}

async fn keep(
    shared: Weak<Shared>,
    missed: Arc<Notify>,
    client: Client,
    refresh: Refresh,
    adjust: impl Fn(Catalog) -> Catalog + Send + Sync + 'static,
) {
    loop {
        // What is missed meanwhile is remembered, and asked for right after.
        tokio::time::sleep(refresh.at_most_every).await;
        let rest = refresh.every.saturating_sub(refresh.at_most_every);
        select(pin!(missed.notified()), pin!(tokio::time::sleep(rest))).await;
        if shared.strong_count() == 0 {
            return;
        }
        let found = tokio::time::timeout(PATIENCE, discover_catalog(&client)).await;
        let Some(shared) = shared.upgrade() else { return };
        let error = match found {
            Ok(Ok(found)) => {
                shared.catalog.store(Arc::new(adjust(found)));
                *shared.status() = CatalogStatus {
                    refreshed: Timestamp::now(),
                    error: None,
                };
                continue;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_elapsed) => format!("no answer in {PATIENCE:?}"),
        };
        tracing::warn!(
            error,
            "the resources of the cluster can't be discovered; what is known stays"
        );
        shared.status().error = Some(error);
    }
}
