//! The masker of Countersign.

use std::sync::Arc;

use countersign_kube::core::detect::Detectors;
use countersign_kube::core::mask::{Masker, Masking, Plan};
use countersign_kube::core::request::{Catalog, Gate, Target};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::peers::Peer;
use super::workload::{Shape, Workload};

const CHUNK: usize = 64 * 1024;

/// What the peers do, and nothing else: fields that are masked for where they are or what they are called.
pub const FIELDS: Peer = Peer {
    name: "countersign, fields only",
    validates: true,
    is_ours: true,
    mask: |workload, out| mask(workload, Detectors::insecure_none(), out),
};

/// As it is by default: every string that is not known to be harmless is looked at, too.
pub const DETECTORS: Peer = Peer {
    name: "countersign, fields and detectors",
    validates: true,
    is_ours: true,
    mask: |workload, out| mask(workload, Detectors::built_in(), out),
};

fn mask(workload: &Workload, detectors: Detectors, out: &mut Vec<u8>) {
    let mut masker = masker(workload, detectors);
    for chunk in workload.body.chunks(CHUNK) {
        masker.push(chunk, out).unwrap();
    }
    masker.finish(out).unwrap();
}

/// A masker for the request that the server answers so.
fn masker(workload: &Workload, detectors: Detectors) -> Masker {
    let target = match workload.shape {
        Shape::Secrets => "/api/v1/secrets",
        Shape::ConfigMaps => "/api/v1/configmaps",
        Shape::Pods => "/api/v1/pods",
        Shape::PodEvents => "/api/v1/pods?watch=true",
    };
    let gate = Gate::new(Arc::new(Catalog::kubernetes()));
    let head = gate.head(Target::parse("GET", target.as_bytes()).unwrap(), &HeaderMap::new());
    let request = head.unwrap().with_body(b"").unwrap();
    let masking = Masking {
        detectors,
        ..Masking::default()
    };
    let plan = Plan::new(request.attributes(), request.kind(), &[]).masking(masking);
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Masker::new(&plan, StatusCode::OK, &headers).unwrap()
}

/// Most bytes allocated at one time, without what was handed out, and how much of the input was read when the first
/// byte came out.
pub fn heap(workload: &Workload) -> (u64, usize) {
    let mut out = Vec::with_capacity(16 * CHUNK);
    let mut first = 0;
    let counted = allocation_counter::measure(|| {
        let mut masker = masker(workload, Detectors::built_in());
        for (number, chunk) in workload.body.chunks(CHUNK).enumerate() {
            masker.push(chunk, &mut out).unwrap();
            if first == 0 && masker.has_emitted() {
                first = (number + 1) * CHUNK;
            }
            out.clear();
        }
        masker.finish(&mut out).unwrap();
    });
    (counted.bytes_max, first)
}
