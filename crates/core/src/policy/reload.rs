//! A policy that can be replaced while requests are judged.

use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::Timestamp;

use super::engine::{Evaluation, Facts, PolicyEngine};
use super::set::PolicySet;
use crate::digest::Digest;
use crate::request::Canonical;
use crate::subject::Subject;

/// A [`PolicySet`] that can be replaced. Cheap to clone: every clone is a handle to the same policy.
///
/// Replacing is atomic: a request is judged under the old policy or the new one, never under parts of both. One that is
/// replaced while it judges a request refuses that request; what waits for an approval under the old one is refused when
/// it is approved, and has to be asked for again.
///
/// ```
/// use countersign_core::policy::{PolicyEngine as _, PolicySet, ReloadablePolicy};
///
/// let policy = ReloadablePolicy::new(PolicySet::deny_all());
/// let engine = policy.clone(); // for the guard
/// let before = engine.revision();
/// policy.replace(PolicySet::insecure_allow_all());
/// assert_ne!(engine.revision(), before);
/// assert_eq!(engine.revision(), policy.current().revision());
/// ```
#[derive(Debug, Clone)]
pub struct ReloadablePolicy(Arc<ArcSwap<PolicySet>>);

impl ReloadablePolicy {
    /// Begins with this policy.
    #[must_use]
    pub fn new(policy: PolicySet) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(policy)))
    }

    /// Puts another policy in force, and returns the one that was.
    pub fn replace(&self, policy: PolicySet) -> Arc<PolicySet> {
        self.0.swap(Arc::new(policy))
    }

    /// The policy in force.
    #[must_use]
    pub fn current(&self) -> Arc<PolicySet> {
        self.0.load_full()
    }
}

impl PolicyEngine for ReloadablePolicy {
    fn evaluate(&self, subject: &Subject, request: &Canonical, facts: &Facts, now: Timestamp) -> Evaluation {
        self.0.load().evaluate(subject, request, facts, now)
    }

    fn revision(&self) -> Digest {
        self.0.load().revision()
    }
}
