//! From the bytes of a request to what it means: parsed, refused or rebuilt; attributes, effects, and the sealed form.
//!
//! One rule above all: parse, decide, re-serialise, forward. What is sent is generated from the parsed form; the
//! original bytes of target, headers and body never leave. What can't be parsed exactly is refused.
//!
//! The front gate takes a request in three steps, each of which can refuse it:
//!
//! 1. [`Target::parse`], or [`Gate::target`] below a path prefix: method and URL. Segments are split raw, decoded once and
//!    classified as kube-apiserver classifies them; whatever could be split or decoded in two ways is refused. Query keys
//!    come from an allowlist per kind of request, their values follow rules.
//! 2. [`Gate::head`]: headers and catalog. Hostile headers are refused, others dropped; `Accept` becomes one that can be
//!    masked; an upgrade has to be a WebSocket handshake to a pod. The resource has to be known, its scope has to fit the
//!    path, its subresource the method. From here on the request has [`Effects`].
//! 3. [`Head::with_body`]: the body. Strict JSON of a type that fits the method, which says of kind, name and namespace what
//!    the URL says. Options of a deletion are read where the server reads them, and sent in the body.
//!
//! A refused caller sees a Status: 400 for what is malformed, 403 for hostile headers and unknown subresources, 404 for
//! unknown resources and the wrong scope, 405, 406, 413 and 415 as in HTTP. Nothing else is known of a refused request.
//!
//! What is data is in tables that were reviewed for one Kubernetes minor ([`REVIEWED_FOR`]): resources, subresources and
//! effects, query keys, selectable fields. A newer server's additions are refused until somebody looks at them.
//!
//! Deployment: the credential behind the guard should be able to do no more than the agent may. The API server checks
//! `bind`, `escalate` and `impersonate` against that credential, not against the agent.

mod accept;
mod agreement;
mod alphabets;
mod attributes;
mod body;
mod canonical;
mod catalog;
mod catalog_table;
mod change;
mod classify;
mod collection;
mod content_type;
mod delete_options;
mod effect_table;
mod effects;
mod gate;
mod guard_names;
mod headers;
mod key_case;
mod label_selector;
mod live;
mod managed_fields;
mod names;
mod patch_oracle;
mod path;
mod percent;
mod pod_specs;
mod pointer;
mod query;
mod query_keys;
mod quote;
mod rewrite;
mod seal;
mod selectable_fields;
mod selector;
mod target;
mod text;
mod upgrade;
mod usage;

pub(crate) use accept::not_acceptable;
pub use attributes::{Attributes, Verb};
pub use canonical::{Canonical, Upgrade};
pub use catalog::{Catalog, Kind, Origin, PrinterColumn, ResourceCatalog};
pub(crate) use catalog_table::BUILT_IN;
pub use catalog_table::REVIEWED_FOR;
pub use change::{Change, Concern, Finding, Findings, Weight};
pub use collection::{COLLECTION_ACCEPT, collection_page};
pub use effects::{Effect, Effects};
pub use gate::{Gate, Head};
pub use live::{Live, namespace_target};
pub(crate) use patch_oracle::{check_fields, check_paths, check_tests};
pub(crate) use pointer::is_index;
pub(crate) use rewrite::Rewritten;
pub use rewrite::{RewriteError, RewriteOp, RewriteOperation};
pub use seal::{ClusterIdentity, Outgoing, PinRead, PinnedObject, Sealed, object_target, pin_read, seal};
pub use target::Target;
pub use text::Text;
