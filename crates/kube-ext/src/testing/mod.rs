//! An API server in memory, for tests and for the quickstart: a tower service that answers as a kube-apiserver 1.36 does.
//!
//! It speaks HTTP, so that raw requests, Tables, watches, dry runs, preconditions and Status errors pass through the layers
//! under test as they do in front of a cluster; the fakes for typed `Api` calls that were looked at keep their service to
//! themselves and know no watches, Tables, dry runs or preconditions.
//!
//! What it does:
//!
//! 1. **Discovery**: `/api`, `/apis`, groups, versions, the aggregated form, `/version`, health. Custom resources are added
//!    with [`EmbeddedApiServer::with_resource`].
//! 2. **Reads**: get, list with label and field selectors, `limit` and `continue` at one revision, `resourceVersionMatch`;
//!    Tables and metadata-only answers by `Accept`. Bytes come in upstream's key order and escaping.
//! 3. **Watches**: from the state or from a revision, with selectors, bookmarks, `sendInitialEvents`, `timeoutSeconds`.
//!    Nothing between a list and a watch is lost; a revision older than the history ends in 410 `Expired`. They end on
//!    their timeout, or when the last clone of the server is dropped.
//! 4. **Writes**: create, update, merge patch, JSON Patch, strategic merge patch, apply; optimistic locks, UID checks,
//!    `dryRun=All`, `generation`. A patch whose result doesn't decode leaks the whole object in its 422, as upstream's does.
//! 5. **Deletes**: options from the body, or from the query if there is none; preconditions, finalizers, propagation
//!    policies, whole collections.
//! 6. **Subresources**: `status`, `scale`, `eviction`, `log` (also followed), and `finalize` of namespaces.
//! 7. **Records and faults**: [`EmbeddedApiServer::requests`] is what was received; [`EmbeddedApiServer::inject`] answers,
//!    breaks, loses or holds the next request that matches.
//!
//! A refused caller sees a `metav1.Status` with upstream's code, reason, message and details, or, where upstream has one, a
//! plain `404 page not found`.
//!
//! What it does not do, and a real server does:
//!
//! - authentication, RBAC, reviews, admission, quotas, priority and fairness, audit;
//! - validation beyond the shape of metadata, names, Secrets, ConfigMaps and replicas, and defaulting of any field
//!   (`spec.replicas` counts as 1 where it is absent, in `scale` only); `fieldValidation` is ignored;
//! - field ownership: apply merges and never conflicts or prunes, and `managedFields` are dropped;
//! - controllers: nothing schedules, scales, collects garbage or finishes a namespace; foreground and orphan deletes wait
//!   for a finalizer that somebody else takes off, and an eviction looks at no disruption budget;
//! - a kubelet: a deleted pod without finalizers is gone at once, its grace period notwithstanding;
//! - exec, attach, port-forward, proxy, token requests, bindings, ephemeral containers, resize: 501;
//! - of `log`: anything but `container`, `follow`, `tailLines` and `limitBytes`; one log per pod;
//! - YAML, protobuf and CBOR bodies (apply patches are read as JSON), compression, `pretty`, `Warning` headers, OpenAPI,
//!   CRDs as objects, more than one name for a resource (`events.k8s.io`), conversion between versions;
//! - a schema: strategic merge knows the merge keys of pods, their templates, services, nodes and metadata, and replaces
//!   every other list; Tables have the columns Name and Age; a read of a future revision is refused at once, not after a wait.
//!
//! # Examples
//!
//! ```
//! use countersign_kube::testing::{EmbeddedApiServer, Fault};
//! use http::StatusCode;
//! use k8s_openapi::api::core::v1::ConfigMap;
//! use kube::Api;
//! use serde_json::json;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = EmbeddedApiServer::new();
//! server.seed([json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "settings" } })])?;
//!
//! let maps: Api<ConfigMap> = Api::default_namespaced(server.client());
//! assert_eq!(maps.get("settings").await?.metadata.namespace.as_deref(), Some("default"));
//!
//! let absent = maps.get("nothing").await.unwrap_err();
//! assert!(matches!(absent, kube::Error::Api(status) if status.message == "configmaps \"nothing\" not found"));
//!
//! server.inject(Fault::status(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", "busy"));
//! assert!(maps.get("settings").await.is_err());
//! assert_eq!(server.requests().len(), 3);
//! # Ok(())
//! # }
//! ```

mod api;
mod decode;
mod delete;
mod discovery;
mod errors;
mod fault;
mod golang;
mod json_patch;
mod kinds;
mod negotiate;
mod object;
mod patch;
mod query;
mod read;
mod render;
mod requests;
mod seed;
mod selector;
mod server;
mod state;
mod store;
mod strategic;
mod subresource;
mod table;
mod watch;
mod write;

#[cfg(test)]
mod tests;

pub use fault::{Fault, Injected};
pub use requests::RecordedRequest;
pub use seed::SeedError;
pub use server::{EmbeddedApiServer, ResponseBody};
