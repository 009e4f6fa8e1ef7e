//! A sealed request with a permit of another one's making is not permitted by hand.

use countersign_core::approval::Permit;
use countersign_core::request::Sealed;
use countersign_tower::approval::Permitted;

fn permit(sealed: Sealed, permit: Permit) -> Permitted {
    Permitted { sealed, permit }
}

fn main() {}
