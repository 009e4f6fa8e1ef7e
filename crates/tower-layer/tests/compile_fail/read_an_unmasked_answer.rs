//! Nobody but the mask looks into an answer that is not masked yet.

use countersign_tower::forward::Unmasked;

fn read(unmasked: Unmasked) {
    let _ = unmasked.response.body();
}

fn main() {}
