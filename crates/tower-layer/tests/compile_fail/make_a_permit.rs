//! A permit comes from `permit` and `permit_allowed` alone.

use countersign_core::approval::{Grant, Permit};
use countersign_core::request::Sealed;

fn permit(sealed: &Sealed) -> Permit {
    Permit {
        digest: sealed.digest(),
        grant: Grant::Policy,
    }
}

fn main() {}
