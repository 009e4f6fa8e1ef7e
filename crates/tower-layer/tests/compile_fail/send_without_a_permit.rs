//! Forward takes what approval made, not what the seal made.

use countersign_core::request::Sealed;
use countersign_tower::InFlight;
use countersign_tower::forward::Forward;
use tower::Service as _;

fn send(mut forward: Forward, sealed: InFlight<Sealed>) {
    let _ = forward.call(sealed);
}

fn main() {}
