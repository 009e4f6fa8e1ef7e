//! From a subject and a request to a decision: allow, deny or hold, with obligations, under a revision.
//!
//! 1. The strongest outcome wins: deny over hold over allow. Nothing matched: deny.
//! 2. An engine that fails or panics is a deny that says so.
//! 3. Only [`decide`] makes a [`Decided`], and it calls the engine itself: nobody can bring a ready verdict.

mod decide;
mod engine;

pub use decide::{Decided, Decision, Ruling, decide};
pub use engine::{
    Approver, Evaluation, Facts, FiredRule, HoldTerms, MaskObligation, MaskPath, Need, Outcome, ParseMaskPathError,
    Pin, PolicyEngine, Verdict,
};
