//! An answer is masked by the mask alone.

use countersign_tower::Record;
use countersign_tower::mask::Masked;

fn pass(record: Record, masked: Masked) -> Masked {
    Masked { record, ..masked }
}

fn main() {}
