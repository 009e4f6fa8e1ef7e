//! Countersign for kube-rs: every call of a [`kube::Client`] understood, judged, approved, masked and recorded.
//!
//! [`guarded_client`] is the main way: it makes a client from a [`kube::Config`], with the guard outside of everything.
//! [`GuardedClientBuilder`] guards a [`ClientBuilder`](kube::client::ClientBuilder) that you have already.
//!
//! ```no_run
//! use countersign_kube::{FileSink, Guard, PolicyFiles, Subject, guarded_client};
//! use k8s_openapi::api::core::v1::Pod;
//! use kube::Api;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let policy = PolicyFiles::load(["policy.yaml"])?.watch()?;
//! let guard = Guard::builder()
//!     .subject(Subject::new("triage-agent").with_group("agents"))
//!     .policy(policy)
//!     .audit(FileSink::open("audit.jsonl")?);
//! let client = guarded_client(kube::Config::infer().await?, guard)?;
//! let pods = Api::<Pod>::all(client).list(&Default::default()).await?;
//! # Ok(()) }
//! ```
//!
//! # What it can't do
//! A client that is made beside the guard is not guarded: give agents no other. And the credential in the
//! configuration decides what the API server lets through: RBAC is checked against it, not against the agent. Give each
//! agent an identity of its own with as few rights as it needs; the guard is then the second wall, not the only one.

mod catalog;
mod client;
mod live_catalog;
#[cfg(feature = "policy-watch")]
pub mod policy_watch;
mod single_attempt;
#[cfg(feature = "testing")]
pub mod testing;

pub use countersign_core as core;
pub use countersign_tower as tower;

pub use catalog::discover_catalog;
pub use client::{Error, ErrorKind, GuardedClientBuilder, cluster_identity, guarded_client};
pub use countersign_core::approval::{Answer, ApprovalBackend, MemoryBackend, Vote};
pub use countersign_core::policy::{PolicyEngine, PolicySet, ReloadablePolicy};
pub use countersign_core::{Refusal, Subject};
pub use countersign_tower::approval::{Operator, TerminalBackend};
pub use countersign_tower::audit::FileSink;
pub use countersign_tower::policy::{PolicyFiles, PolicyStatus};
pub use countersign_tower::{Guard, GuardBuilder, SubjectOverride, with_claims, with_reason};
pub use live_catalog::{CatalogStatus, LiveCatalog, Refresh};
#[cfg(feature = "policy-watch")]
pub use policy_watch::{ClusterPolicies, PolicyWatch};
