//! A permit can't be cloned.

use countersign_core::approval::Permit;

fn twice(permit: &Permit) -> Permit {
    permit.clone()
}

fn main() {}
