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

const ROUNDS: usize = 7;

fn main() {
    // An argument divides the sizes, to see that it all works.
    let scale = std::env::args()
        .nth(1)
        .and_then(|scale| scale.parse().ok())
        .unwrap_or(1);
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
        let all: Vec<&Peer> = [&ours::FIELDS, &ours::DETECTORS]
            .into_iter()
            .chain(&VALIDATING)
            .chain([&UNCHECKED])
            .collect();
        let expected = meaning(&masked(&ours::FIELDS, &workload));
        for peer in &all {
            assert!(
                meaning(&masked(peer, &workload)) == expected,
                "{} masks otherwise",
                peer.name
            );
        }
        // Now that all that is made once, for all answers, is there.
        let (heap, first) = ours::heap(&workload);
        let speeds = measure(&all, &workload);
        let speed_of = |is: &dyn Fn(&Peer) -> bool| {
            let of_those = all.iter().zip(&speeds).filter(|(peer, _)| is(peer));
            of_those.map(|(_, speed)| *speed).fold(0.0, f64::max)
        };
        let speed_of_ours = speed_of(&|peer| peer.name == ours::FIELDS.name);
        let speed_of_whole = speed_of(&|peer| peer.name == ours::DETECTORS.name);
        for (peer, speed) in all.iter().zip(&speeds) {
            let heap = if peer.is_ours { heap } else { heap_of(peer, &workload) };
            line(peer.name, *speed, speed_of_ours, heap);
        }
        let fastest = speed_of(&|peer| !peer.is_ours && peer.validates);
        let unchecked = speed_of(&|peer| !peer.validates);
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

/// Megabytes of input in a second of CPU time, of each: the best of several rounds, in which they take turns, so that what
/// else the machine does in the meantime is at the cost of all of them.
fn measure(peers: &[&Peer], workload: &Workload) -> Vec<f64> {
    let mut out = Vec::with_capacity(workload.body.len() + workload.body.len() / 4);
    let mut best = vec![Duration::MAX; peers.len()];
    for _ in 0..ROUNDS {
        for (peer, best) in peers.iter().zip(&mut best) {
            out.clear();
            let start = cpu();
            (peer.mask)(black_box(workload), &mut out);
            black_box(&out);
            *best = (*best).min(cpu() - start);
        }
    }
    let speed = |time: &Duration| workload.body.len() as f64 / 1e6 / time.as_secs_f64();
    best.iter().map(speed).collect()
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
