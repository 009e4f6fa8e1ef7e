//! The policy does not judge before the gate has understood.

use countersign_tower::approval::Approval;
use countersign_tower::forward::Forward;
use countersign_tower::gate::Gate;
use countersign_tower::mask::Mask;
use countersign_tower::policy::Policy;
use countersign_tower::seal::Seal;
use countersign_tower::{StepLayer, StepService};
use tower::Layer as _;

type BehindThePolicy = StepService<Seal, StepService<Approval, Mask<Forward>>>;
type FromTheGate = StepService<Gate, StepService<Policy, BehindThePolicy>>;

fn stack(policy: Policy, from_the_gate: FromTheGate) {
    let _ = StepLayer::new(policy).layer(from_the_gate);
}

fn main() {}
