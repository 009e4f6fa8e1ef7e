//! A decided request comes from `decide`, which asks the engine itself.

use countersign_core::Subject;
use countersign_core::policy::{Decided, Decision, Facts};
use countersign_core::request::Canonical;

fn decide(subject: Subject, request: Canonical, decision: Decision) -> Decided {
    Decided {
        subject,
        request,
        decision,
        facts: Facts::default(),
    }
}

fn main() {}
