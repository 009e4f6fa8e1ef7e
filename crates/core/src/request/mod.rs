//! From the bytes of a request to what it means: parsed, refused or rebuilt; attributes, effects, and the sealed form.
//!
//! One rule above all: parse, decide, re-serialise, forward. What is sent is generated from the parsed form; the
//! original bytes of target, headers and body never leave. What can't be parsed exactly is refused.

mod attributes;
mod canonical;
mod catalog;
mod classify;
mod effects;
mod gate;
mod names;
mod percent;
mod query;
mod query_keys;
mod quote;
mod selector;
mod target;

pub use attributes::{Attributes, Verb};
pub use canonical::{Canonical, Upgrade};
pub use catalog::{Kind, Origin, ResourceCatalog};
pub use effects::{Effect, Effects};
pub use gate::{Gate, Head};
pub use target::Target;
