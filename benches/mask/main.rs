//! What masking costs, beside libraries for JSON that mask the same values.
//!
//!     cargo bench -p countersign-benches --bench mask
//!
//! The same bytes out of everybody, but for white space and the order of keys, which is checked before anything is
//! measured. Ours is the masker that the layers use, fed with chunks of 64 KiB: once with the job of the others, once as it
//! is by default, with detectors for secrets in all other strings; heap is that of the latter. The others get the whole
//! body at once. CPU time of one thread, best of several rounds; only ratios within one run count. Heap is what was
//! allocated at most, without the input; for ours without what it handed out, which is taken after each chunk.

mod ours;
mod peers;
mod workload;

use std::hint::black_box;
use std::time::Duration;

use peers::{Peer, UNCHECKED, VALIDATING};
use workload::{LAST_APPLIED, Workload};

const ROUNDS: usize = 5;

fn main() {
    // An argument divides the sizes, to see that it all works.
    let scale = std::env::args()
        .nth(1)
        .and_then(|scale| scale.parse().ok())
        .unwrap_or(1);
    let ours = ours::FIELDS;
    println!("{:<42} {:>9} {:>9} {:>12}", "", "MB/s", "× ours", "heap");
    let mut summary = Vec::new();
    for workload in workload::all(scale) {
        let size = workload.body.len() as f64;
        println!(
            "{}, {:.1} MB, largest item {:.1} KB",
            workload.name,
            size / 1e6,
            workload.largest as f64 / 1e3
        );
        let expected = meaning(&masked(&ours, &workload));
        let speed_of_ours = measure(&ours, &workload);
        let (heap, first) = ours::heap(&workload);
        line(ours.name, speed_of_ours, speed_of_ours, heap);
        // Nobody else looks for secrets: this is what it costs.
        let whole = ours::DETECTORS;
        assert!(
            meaning(&masked(&whole, &workload)) == expected,
            "detectors mask otherwise"
        );
        let speed_of_whole = measure(&whole, &workload);
        line(whole.name, speed_of_whole, speed_of_ours, heap);
        let mut fastest: f64 = 0.0;
        let mut unchecked = 0.0;
        for peer in VALIDATING.iter().chain([&UNCHECKED]) {
            assert!(
                meaning(&masked(peer, &workload)) == expected,
                "{} masks otherwise",
                peer.name
            );
            let speed = measure(peer, &workload);
            line(peer.name, speed, speed_of_ours, heap_of(peer, &workload));
            if peer.validates {
                fastest = fastest.max(speed);
            } else {
                unchecked = speed;
            }
        }
        println!();
        let beyond = (heap as f64 - workload.largest as f64) / 1024.0;
        summary.push(format!(
            "{}: {:.1}× the fastest that validates, {:.1}× unchecked (with detectors {:.1}× and {:.1}×), {beyond:.0} KiB of \
             heap beyond the largest item, first byte out after {} KiB",
            workload.name,
            speed_of_ours / fastest,
            speed_of_ours / unchecked,
            speed_of_whole / fastest,
            speed_of_whole / unchecked,
            first / 1024
        ));
    }
    println!("{}", summary.join("\n"));
    println!("reach: 10× on pods, 6× on a watch, 3× unchecked, at most 128 KiB");
}

fn line(name: &str, speed: f64, ours: f64, heap: u64) {
    println!(
        "{name:<42} {speed:>9.0} {:>9.2} {:>9.2} MB",
        speed / ours,
        heap as f64 / 1e6
    );
}

fn masked(peer: &Peer, workload: &Workload) -> Vec<u8> {
    let mut out = Vec::new();
    (peer.mask)(workload, &mut out);
    out
}

/// Megabytes of input in a second of CPU time.
fn measure(peer: &Peer, workload: &Workload) -> f64 {
    let mut out = Vec::with_capacity(workload.body.len() + workload.body.len() / 4);
    let rounds = (0..ROUNDS).map(|_| {
        out.clear();
        let start = cpu();
        (peer.mask)(black_box(workload), &mut out);
        black_box(&out);
        cpu() - start
    });
    let best = rounds.min().unwrap();
    workload.body.len() as f64 / 1e6 / best.as_secs_f64()
}

/// Most bytes allocated at one time, without the output.
fn heap_of(peer: &Peer, workload: &Workload) -> u64 {
    let mut out = Vec::with_capacity(workload.body.len() + workload.body.len() / 4);
    allocation_counter::measure(|| (peer.mask)(workload, &mut out)).bytes_max
}

/// What an output says, with the JSON in annotations unpacked.
fn meaning(out: &[u8]) -> Vec<serde_json::Value> {
    let mut values = Vec::new();
    for value in serde_json::Deserializer::from_slice(out).into_iter() {
        let mut value: serde_json::Value = value.unwrap();
        match value.get_mut("items") {
            Some(items) => items.as_array_mut().unwrap().iter_mut().for_each(unpack),
            None => unpack(&mut value["object"]),
        }
        values.push(value);
    }
    assert!(!values.is_empty());
    values
}

fn unpack(object: &mut serde_json::Value) {
    if let Some(copy) = object
        .pointer_mut("/metadata/annotations")
        .and_then(|all| all.get_mut(LAST_APPLIED))
    {
        *copy = serde_json::from_str(copy.as_str().unwrap()).unwrap();
    }
}

/// CPU time that this thread has used.
fn cpu() -> Duration {
    let time = nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap();
    Duration::from(time)
}
