//! Without approval there is nothing that forward could send.

use countersign_tower::forward::Forward;
use countersign_tower::mask::MaskLayer;
use countersign_tower::seal::Seal;
use countersign_tower::StepLayer;
use tower::Layer as _;

fn stack(seal: Seal, forward: Forward) {
    let _ = StepLayer::new(seal).layer(MaskLayer.layer(forward));
}

fn main() {}
