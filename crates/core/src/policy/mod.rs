//! From a subject and a request to a decision: allow, deny or hold, with obligations, under a revision.

mod decide;
mod document;
mod engine;
mod glob;
mod judge;
mod matching;
mod resource;
mod set;
mod wording;

pub use decide::{Decided, Decision, Ruling, decide};
pub use document::{LoadError, LoadErrors};
pub use engine::{
    Approver, Evaluation, Facts, FiredRule, HoldTerms, MaskObligation, MaskPath, Need, Outcome, ParseMaskPathError,
    Pin, PolicyEngine, Verdict,
};
pub use set::PolicySet;
