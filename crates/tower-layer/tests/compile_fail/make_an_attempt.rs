//! A request without a record can't enter.

use countersign_tower::Body;
use countersign_tower::Record;
use countersign_tower::audit::Attempt;

fn enter(request: http::Request<Body>, record: Record) -> Attempt {
    Attempt { request, record }
}

fn main() {}
