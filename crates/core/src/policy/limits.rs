//! What a document bounds: a change outside of these limits takes something away, needs a human, or is not permitted.
//!
//! 1. Limits belong to their document: what its rules permit, they permit inside of them.
//! 2. What is not listed is not inside: without `images` every image needs a human, without `applyManagers` every apply
//!    may take something away, without `replicas` only 0 stops a workload.
//! 3. What is on the hard deny list is permitted only by its name under `insecure_permit`.

use super::glob::Glob;
use crate::request::{Concern, Finding, Weight};

/// The limits of one document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) images: Vec<Glob>,
    pub(super) min_replicas: Option<u64>,
    pub(super) max_replicas: Option<u64>,
    pub(super) apply_managers: Vec<Glob>,
    pub(super) secret_annotations: Vec<Glob>,
    pub(super) capabilities: Vec<String>,
    pub(super) insecure_permit: Vec<Concern>,
}

/// The annotation in which kubectl keeps what it applied; the guard looks into it.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

impl Limits {
    /// What follows from a finding under these limits; `None` if it is inside of them.
    pub(super) fn weigh(&self, finding: &Finding) -> Option<Weight> {
        let value = finding.value.as_deref().unwrap_or_default();
        let listed = |globs: &[Glob]| !value.is_empty() && globs.iter().any(|glob| glob.matches(value));
        let inside = match finding.concern {
            Concern::Image => listed(&self.images),
            Concern::Replicas => self.has_replicas(value),
            Concern::ApplyManager => listed(&self.apply_managers),
            Concern::SecretAnnotation => value == LAST_APPLIED || listed(&self.secret_annotations),
            Concern::Capabilities => self.capabilities.iter().any(|listed| listed == value),
            _ => false,
        };
        let weight = finding.concern.weight();
        let permitted = weight == Weight::Forbidden && self.insecure_permit.contains(&finding.concern);
        (!inside && !permitted).then_some(weight)
    }

    fn has_replicas(&self, value: &str) -> bool {
        let Ok(replicas) = value.parse::<u64>() else {
            return false;
        };
        replicas >= self.min_replicas.unwrap_or(1) && self.max_replicas.is_none_or(|max| replicas <= max)
    }
}

/// What the findings about a change come to under the limits of one document.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Weighed<'c> {
    /// The change takes something away.
    pub(super) destructive: bool,
    /// The first finding that needs a human.
    pub(super) approval: Option<&'c Finding>,
    /// The first finding on the hard deny list.
    pub(super) forbidden: Option<&'c Finding>,
}

impl<'c> Weighed<'c> {
    pub(super) fn of(limits: &Limits, findings: impl Iterator<Item = &'c Finding>) -> Self {
        let mut weighed = Self::default();
        for finding in findings {
            match limits.weigh(finding) {
                None => {}
                Some(Weight::Destructive) => weighed.destructive = true,
                Some(Weight::Approval) => weighed.approval = weighed.approval.or(Some(finding)),
                Some(Weight::Forbidden) => weighed.forbidden = weighed.forbidden.or(Some(finding)),
            }
        }
        weighed
    }
}
