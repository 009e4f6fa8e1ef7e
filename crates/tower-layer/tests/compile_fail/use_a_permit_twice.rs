//! Opening a sealed request uses the permit up.

use countersign_core::approval::Permit;
use countersign_core::request::Sealed;

fn twice(one: Sealed, other: Sealed, permit: Permit) {
    let _ = one.open(permit);
    let _ = other.open(permit);
}

fn main() {}
