//! Only steps put another stage into a request in flight.

use countersign_core::policy::Decided;
use countersign_core::request::Canonical;
use countersign_tower::InFlight;

fn skip_the_policy(flight: InFlight<Canonical>, decided: Decided) -> InFlight<Decided> {
    let (_, flight) = flight.take();
    flight.with(decided)
}

fn main() {}
