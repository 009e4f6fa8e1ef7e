//! A sealed request is sent once, whatever permits there are.

use countersign_core::approval::Permit;
use countersign_core::request::Sealed;

fn twice(sealed: Sealed, one: Permit, other: Permit) {
    let _ = sealed.open(one);
    let _ = sealed.open(other);
}

fn main() {}
