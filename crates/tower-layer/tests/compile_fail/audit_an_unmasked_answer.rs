//! Audit stands around masked answers only.

use countersign_tower::audit::{Attempt, AuditLayer};
use countersign_tower::forward::Unmasked;
use countersign_tower::{Next, Stop};
use tower::{Layer as _, Service};

fn stack<S>(audit: AuditLayer, unmasked: S)
where
    S: Service<Attempt, Response = Unmasked, Error = Stop, Future: Send> + Clone + Send + 'static,
{
    fn is_next<S: Next<Attempt>>(_: &S) {}
    is_next(&unmasked);
    audit.layer(unmasked);
}

fn main() {}
