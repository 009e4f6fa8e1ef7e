//! Fuzz targets: what must hold for any input, as functions that panic where it does not.
//!
//! `tests/fuzz/run` feeds them from libFuzzer; `cargo test -p countersign-fuzz` from the seeds alone.
//!
//! | target | an input is | what holds |
//! |---|---|---|
//! | [`gate`] | a [request](message::Message) | accepted, it means the same to a model of upstream, and is the same the second time |
//! | [`policy`] | a policy file | it is loaded or refused with places; loaded twice, it is the same policy |
//! | [`mask`] | a request, and the answer to it | what comes out does not depend on how the answer is cut, and differs from it by masked values alone |
//! | [`change`] | a request, and a live object | what another implementation of the patch shows to vanish is destructive; reading the live object leaves nothing assumed |

use std::sync::Arc;

use countersign_core::request::{Catalog, Gate};

#[allow(dead_code, reason = "only what is compared")]
#[path = "../../../crates/core/src/mask/blocks/mod.rs"]
mod blocks;
pub mod change;
pub mod gate;
pub mod mask;
pub mod message;
pub mod policy;
pub mod seeds;
#[path = "../../../crates/core/tests/upstream/mod.rs"]
mod upstream;
#[path = "../../../crates/core/tests/vectors/mod.rs"]
mod vectors;
#[path = "../../../crates/core/tests/whole/mod.rs"]
mod whole;

/// A fuzz target.
#[derive(Debug, Clone, Copy)]
pub struct FuzzTarget {
    /// The name of its binary and of its folder of seeds.
    pub name: &'static str,
    /// Panics where something that has to hold does not; else says whether the input got past the first refusal.
    pub check: fn(&[u8]) -> bool,
}

/// All of them.
pub const TARGETS: [FuzzTarget; 4] = [
    FuzzTarget {
        name: "gate",
        check: gate::check,
    },
    FuzzTarget {
        name: "policy",
        check: policy::check,
    },
    FuzzTarget {
        name: "change",
        check: change::check,
    },
    FuzzTarget {
        name: "mask",
        check: mask::check,
    },
];

/// The body of a target's binary where it is not built for libFuzzer: checks the files that its arguments name.
///
/// # Panics
/// If one can't be read, or as the target does.
pub fn replay(check: fn(&[u8]) -> bool) {
    let files: Vec<_> = std::env::args_os().skip(1).collect();
    assert!(
        !files.is_empty(),
        "usage: give files to replay; to fuzz, run tests/fuzz/run"
    );
    for file in files {
        let input = std::fs::read(&file).expect("a file to replay");
        let begun = std::time::Instant::now();
        let accepted = if check(&input) { "accepted" } else { "refused" };
        println!("{}: {accepted}, {:?}", file.display(), begun.elapsed());
    }
}

/// A gate that knows one resource of every origin.
fn new_gate() -> Gate {
    let catalog = Catalog::kubernetes()
        .with_custom("example.com", "widgets", "Widget", true)
        .with_custom("example.com", "clusterwidgets", "ClusterWidget", false)
        .with_custom("argoproj.io", "applications", "Application", true)
        .with_selectable_field("example.com", "widgets", "spec.color");
    Gate::new(Arc::new(catalog))
        .with_guard_namespace("agent-guard")
        .with_guard_identity("system:serviceaccount:agent-guard:guard")
}
