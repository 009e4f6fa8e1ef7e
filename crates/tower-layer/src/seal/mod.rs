//! Fixes the final bytes of a decided request: pins injected, one digest over all of it.
//!
//! 1. A held change of an existing object is pinned to the object as it is now: its uid, and its version where the policy
//!    or the kind of change asks for it. The API server checks both, so no time passes between check and change.
//! 2. So is what is sent at once, if the policy read the object to decide. If it found none, what is sent can only meet none:
//!    it carries a `metadata.resourceVersion` that no object has, with which an apply or a PUT still creates one. Admission
//!    webhooks see it.
//! 3. What can't be pinned is refused: a generated name, a whole collection, an object that does not exist.
//! 4. Nothing may change after it.
//!
//! A refused caller sees a Status 404, 409 or 422 of the class `conflict` or `approval`; or the API server's own, if the
//! object is no longer what it was: 409, and 422 to a JSON Patch.

use countersign_core::policy::Decided;
use countersign_core::request::{ClusterIdentity, Sealed, pin_read, seal};

use crate::flight::InFlight;
use crate::forward::Prober;
use crate::step::{Step, Stop};

/// The seal step.
pub struct Seal {
    cluster: ClusterIdentity,
    prober: Prober,
}

impl Seal {
    /// Seals requests for this cluster; objects to pin are read through the prober.
    #[must_use]
    pub fn new(cluster: ClusterIdentity, prober: Prober) -> Self {
        Self { cluster, prober }
    }
}

impl Step for Seal {
    type In = InFlight<Decided>;
    type Out = InFlight<Sealed>;

    async fn run(&self, input: Self::In) -> Result<Self::Out, Stop> {
        let (decided, flight) = input.take();
        let live = match pin_read(&decided) {
            Some(read) if decided.live_object().is_none() => self.prober.get(read.target(), flight.record()).await?,
            _ => None,
        };
        let sealed = seal(decided, self.cluster.clone(), live.as_ref())?;
        flight.record().sealed(&sealed);
        Ok(flight.with(sealed))
    }
}
