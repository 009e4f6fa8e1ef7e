//! A policy from the cluster itself: ConfigMaps and `CountersignPolicy` objects of one namespace, watched.
//!
//! 1. Sources are the keys `*.yaml` and `*.yml` of ConfigMaps with the label `countersign.dev/policy=true`, and
//!    `CountersignPolicy` objects (`countersign.dev/v1alpha1`), whose `spec` is that of a policy document and whose name is
//!    the document's. All of them together are one policy; names of documents are unique across them.
//! 2. At the start nothing is permitted before all sources are known and right. [`ClusterPolicies::ready`] waits for that.
//! 3. After that each source stands for itself: one that is broken, or that contradicts what is in force, stays at its last
//!    good version; one that has none is left out; the others go on. A source that is deleted is gone, and without any
//!    source everything is denied. Changes within a tenth of a second are put in force at once.
//! 4. What is broken says so: as an event at level ERROR, in the metrics `countersign.policy.reloads` and
//!    `countersign.policy.stale`, in [`ClusterPolicies::status`], and on a custom resource as the condition `Accepted` with
//!    the errors (`InForce`, `Invalid`, or `Waiting` for others at the start), the generation that was seen and the
//!    revision in force.
//! 5. While the API server can't be reached, what is in force stays.
//!
//! A request that is judged while the policy is replaced is refused with 503, and one that was held under the old policy
//! has to be asked for again: see [`ReloadablePolicy`].
//!
//! # Deployment
//!
//! The client that watches is beside the guard, with an identity of its own, which no agent has: it may list and watch
//! `configmaps` and `countersignpolicies` of that namespace, and patch `countersignpolicies/status`. Make the namespace the
//! guard's own ([`GuardBuilder::guard_namespace`](countersign_tower::GuardBuilder::guard_namespace)): the guard then refuses
//! every request that touches it. Whoever may write there by another way decides what agents may do.
//!
//! The definition of the custom resource is [`COUNTERSIGN_POLICY_CRD`]; where only ConfigMaps are used, it is not needed
//! ([`PolicyWatch::only_config_maps`]).
//!
//! ```no_run
//! use countersign_kube::policy_watch::PolicyWatch;
//! use countersign_kube::{FileSink, Guard, Subject, guarded_client};
//!
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! let policies = PolicyWatch::new(kube::Client::try_default().await?, "countersign").start();
//! policies.ready().await;
//! let guard = Guard::builder()
//!     .subject(Subject::new("triage-agent").with_group("agents"))
//!     .policy(policies.clone())
//!     .guard_namespace("countersign")
//!     .audit(FileSink::open("audit.jsonl")?);
//! let client = guarded_client(kube::Config::infer().await?, guard)?;
//! # Ok(()) }
//! ```

mod compose;
mod condition;
mod observe;
mod resource;
mod task;

use std::collections::BTreeMap;
use std::fmt;

use countersign_core::digest::Digest;
use countersign_core::policy::{Evaluation, Facts, PolicyEngine, PolicySet, ReloadablePolicy};
use countersign_core::request::Canonical;
use countersign_core::{Subject, Timestamp};
use countersign_tower::policy::{PolicyReporter, PolicyStatus};
use kube::runtime::watcher;
use kube::{Api, Client};
use tokio::sync::{mpsc, watch};

pub use resource::{COUNTERSIGN_POLICY_CRD, countersign_policy};

use compose::Composer;
use resource::Holder;
use task::{Published, Task};

/// Changes that wait to be looked at.
const QUEUE: usize = 64;

/// Which policies are watched, and by whom.
#[derive(Clone)]
#[must_use]
pub struct PolicyWatch {
    client: Client,
    namespace: String,
    holders: Vec<Holder>,
}

impl fmt::Debug for PolicyWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (namespace, holders) = (&self.namespace, &self.holders);
        f.debug_struct("PolicyWatch")
            .field("namespace", namespace)
            .field("holders", holders)
            .finish_non_exhaustive()
    }
}

impl PolicyWatch {
    /// Watches ConfigMaps and custom resources of a namespace. The client must not be a guarded one.
    pub fn new(client: Client, namespace: impl Into<String>) -> Self {
        Self {
            client,
            namespace: namespace.into(),
            holders: vec![Holder::ConfigMap, Holder::Custom],
        }
    }

    /// Watches ConfigMaps alone, where the custom resource is not defined.
    pub fn only_config_maps(mut self) -> Self {
        self.holders = vec![Holder::ConfigMap];
        self
    }

    /// Watches custom resources alone.
    pub fn only_custom_resources(mut self) -> Self {
        self.holders = vec![Holder::Custom];
        self
    }

    /// Begins to watch, until the last handle is dropped.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn start(self) -> ClusterPolicies {
        let policy = ReloadablePolicy::new(PolicySet::deny_all());
        let now = Timestamp::now();
        let (published, status) = watch::channel(Published {
            status: PolicyStatus::in_force(policy.revision(), now)
                .with_problem("the policies of the cluster are not known yet".to_owned(), now),
            begun: false,
        });
        let (conditions, wanted) = watch::channel(condition::Conditions::new());
        let (told, changes) = mpsc::channel(QUEUE);
        for holder in &self.holders {
            let api = Api::namespaced_with(self.client.clone(), &self.namespace, &holder.resource());
            let config = match holder {
                Holder::ConfigMap => watcher::Config::default().labels(resource::LABEL),
                Holder::Custom => watcher::Config::default(),
            };
            if *holder == Holder::Custom {
                tokio::spawn(condition::write(api.clone(), wanted.clone()));
            }
            let told = told.clone();
            let observed = observe::observe(*holder, api, config, told.clone());
            tokio::spawn(async move {
                // Nobody listens any more once the last handle is dropped.
                tokio::select! {
                    () = observed => {}
                    () = told.closed() => {}
                }
            });
        }
        let task = Task {
            policy: policy.clone(),
            published,
            conditions,
            reporter: PolicyReporter::new(format!("namespace {}", self.namespace)),
            objects: self.holders.iter().map(|holder| (*holder, None)).collect(),
            failed: BTreeMap::new(),
            composer: Composer::default(),
            last: None,
        };
        tokio::spawn(task.run(changes));
        ClusterPolicies {
            policy,
            published: status,
        }
    }
}

/// The policies of a cluster, in force. Cheap to clone: every clone is a handle to the same policy.
#[derive(Debug, Clone)]
pub struct ClusterPolicies {
    policy: ReloadablePolicy,
    published: watch::Receiver<Published>,
}

impl ClusterPolicies {
    /// Waits until the policies that were there at the start are in force. Before that everything is denied.
    ///
    /// # Cancellation
    /// Safe: nothing is taken.
    pub async fn ready(&self) {
        let begun = self
            .published
            .clone()
            .wait_for(|published| published.begun)
            .await
            .is_ok();
        if !begun {
            // The runtime that watched is gone; whoever waits on another one waits for ever.
            std::future::pending().await
        }
    }

    /// What is in force, since when, and why newer versions are not.
    #[must_use]
    pub fn status(&self) -> PolicyStatus {
        let status = self.published.borrow().status.clone();
        match self.published.has_changed() {
            Ok(_) => status,
            Err(_ended) => status.with_problem("nobody watches the policies any more".to_owned(), Timestamp::now()),
        }
    }
}

impl PolicyEngine for ClusterPolicies {
    fn evaluate(&self, subject: &Subject, request: &Canonical, facts: &Facts, now: Timestamp) -> Evaluation {
        self.policy.evaluate(subject, request, facts, now)
    }

    fn revision(&self) -> Digest {
        self.policy.revision()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_of_this_resource() {
        let definition: serde_json::Value = serde_saphyr::from_str(COUNTERSIGN_POLICY_CRD).unwrap();
        let resource = countersign_policy();
        assert_eq!(
            definition["metadata"]["name"],
            format!("{}.{}", resource.plural, resource.group)
        );
        assert_eq!(definition["spec"]["group"], *resource.group);
        assert_eq!(definition["spec"]["names"]["kind"], *resource.kind);
        assert_eq!(definition["spec"]["versions"][0]["name"], *resource.version);
    }
}
