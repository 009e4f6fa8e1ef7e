//! From the bytes of a request to what it means: parsed, refused or rebuilt; attributes, effects, and the sealed form.
//!
//! One rule above all: parse, decide, re-serialise, forward. What is sent is generated from the parsed form; the
//! original bytes of target, headers and body never leave. What can't be parsed exactly is refused.

mod accept;
mod agreement;
mod attributes;
mod body;
mod canonical;
mod catalog;
mod catalog_table;
mod classify;
mod content_type;
mod delete_options;
mod effect_table;
mod effects;
mod gate;
mod guard_names;
mod headers;
mod key_case;
mod names;
mod percent;
mod query;
mod query_keys;
mod quote;
mod seal;
mod selectable_fields;
mod selector;
mod target;

pub use attributes::{Attributes, Verb};
pub use canonical::{Canonical, Upgrade};
pub use catalog::{Catalog, Kind, Origin, ResourceCatalog};
pub use catalog_table::REVIEWED_FOR;
pub use effects::{Effect, Effects};
pub use gate::{Gate, Head};
pub use seal::{ClusterIdentity, Outgoing, PinRead, PinnedObject, Sealed, object_target, pin_read, seal};
pub use target::Target;
