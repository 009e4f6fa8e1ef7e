//! The peers: libraries for JSON, each used to mask the same values in the way it is made for.

mod lazy;
mod streaming;
mod trees;

use super::workload::Workload;

/// A way to mask.
pub struct Peer {
    pub name: &'static str,
    /// Whether malformed JSON is refused.
    pub validates: bool,
    pub is_ours: bool,
    pub mask: fn(&Workload, &mut Vec<u8>),
}

pub const VALIDATING: [Peer; 4] = [
    Peer {
        name: "serde_json Value: parse, change, print",
        validates: true,
        is_ours: false,
        mask: trees::mask::<trees::SerdeJson>,
    },
    Peer {
        name: "simd-json borrowed Value",
        validates: true,
        is_ours: false,
        mask: trees::mask::<trees::SimdJson>,
    },
    Peer {
        name: "sonic-rs Value",
        validates: true,
        is_ours: false,
        mask: trees::mask::<trees::Sonic>,
    },
    Peer {
        name: "struson, streaming",
        validates: true,
        is_ours: false,
        mask: streaming::mask,
    },
];

pub const UNCHECKED: Peer = Peer {
    name: "sonic-rs lazy, unchecked",
    validates: false,
    is_ours: false,
    mask: lazy::mask,
};
