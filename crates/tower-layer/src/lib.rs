//! The tower layers of Countersign, and the guard that composes them.
//!
//! ```text
//!  request ─► audit ─► identify ─► gate ─► policy ─► seal ─► approval ─► mask ─► forward ─► server
//!                                                                        ◄─ masked answer ◄─┘
//! ```
//!
//! [`Guard`] is the composition that we stand behind. Each step is a layer of its own, in a folder of its own, typed by
//! what the step before it made, so that a stack in the wrong order does not compile; put layers of yours between them
//! where you need to.
//!
//! A refusal is a response, a `metav1.Status` that every Kubernetes client understands, with the typed
//! [`Refusal`](countersign_core::Refusal) in its extensions. An error is the inner service's.

pub mod approval;
pub mod audit;
mod body;
mod clock;
mod flight;
pub mod forward;
pub mod gate;
mod guard;
pub mod identify;
pub mod mask;
pub mod policy;
mod record;
mod response;
pub mod seal;
mod step;

pub use body::{Body, BoxError};
pub use clock::{Clock, SystemClock};
pub use flight::InFlight;
pub use guard::{BuildError, Guard, GuardBuilder, GuardLayer, GuardService};
pub use identify::{SubjectOverride, with_claims, with_reason};
pub use record::Record;
pub use response::refusal_response;
pub use step::{Next, Step, StepLayer, StepService, Stop};
