//! The words and contracts of Countersign: pure data and pure functions, no I/O, no clock, no runtime.
//!
//! A Kubernetes API request is understood ([`request`]), judged ([`policy`]), if need be approved by a human
//! ([`approval`]), its answer masked ([`mask`]) and all of it recorded ([`audit`]). Each step is one function from the
//! type that the step before it made to the next, with private fields, so that a step can't be skipped:
//!
//! | type | made by | from |
//! |---|---|---|
//! | [`request::Canonical`] | [`request::Head::with_body`] | the raw request |
//! | [`policy::Decided`] | [`policy::decide`] | a [`subject::Subject`], a `Canonical` and a [`policy::PolicyEngine`] |
//! | [`request::Sealed`] | [`request::seal`] | a `Decided` and the pins of its targets |
//! | [`approval::Permit`] | [`approval::permit`] | a `Sealed` and an [`approval::ApprovalBackend`] |
//!
//! Time is passed in; what needs a runtime lives in `countersign-tower`.

#![cfg_attr(test, allow(clippy::string_slice, reason = "a test may panic"))]

pub use jiff::Timestamp;

pub mod approval;
pub mod audit;
#[cfg(test)]
mod cpu;
pub mod detect;
pub mod digest;
pub mod escape;
pub mod json;
pub mod mask;
pub mod policy;
pub mod refusal;
pub mod request;
pub mod subject;

pub use refusal::Refusal;
pub use subject::Subject;
