//! What one decision costs, and how that grows with the number of rules.
//!
//!     cargo bench -p countersign-benches --bench decide
//!
//! The same rules for everybody: a group of subjects, verbs, a resource, a namespace or a pattern of them, on some rules
//! a pattern of names as condition; deny overrides, default deny. Every peer has to come to the same decision about every
//! request before anything is measured. CPU time of one thread, median of several rounds; only ratios within one run
//! count.

mod ours;
mod peers;
mod workload;

use std::hint::black_box;
use std::time::Duration;

use workload::{Request, Workload};

const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];
/// CPU time of one round, and rounds.
const ROUND: Duration = Duration::from_millis(40);
const ROUNDS: usize = 7;

/// Something that decides.
trait Judge {
    fn name(&self) -> &'static str;
    fn allows(&mut self, request: &Request) -> bool;
}

fn main() {
    println!(
        "{:<34} {:>7} {:>12} {:>9} {:>12}",
        "", "rules", "per request", "× ours", "allocations"
    );
    let mut ours = Vec::new();
    let mut linear_1000 = Duration::ZERO;
    for size in SIZES {
        let workload = Workload::new(size);
        let mut judges: Vec<Box<dyn Judge>> = vec![Box::new(ours::Ours::new(&workload))];
        judges.extend(peers::all(&workload));
        let expected: Vec<bool> = workload
            .requests
            .iter()
            .map(|request| workload.allows(request))
            .collect();
        let allowed = expected.iter().filter(|allowed| **allowed).count();
        assert!(
            (10..expected.len() - 10).contains(&allowed),
            "the requests tell nothing: {allowed} allowed"
        );
        let mut time_of_ours = Duration::ZERO;
        for judge in &mut judges {
            for (request, expected) in workload.requests.iter().zip(&expected) {
                assert_eq!(judge.allows(request), *expected, "{} on {request:?}", judge.name());
            }
            let time = measure(&mut **judge, &workload.requests);
            if judge.name() == ours::NAME {
                time_of_ours = time;
                ours.push(time);
            }
            if judge.name() == peers::LINEAR && size == 1_000 {
                linear_1000 = time;
            }
            let ratio = time.as_secs_f64() / time_of_ours.as_secs_f64();
            let allocations = allocations(&mut **judge, &workload.requests);
            println!(
                "{:<34} {size:>7} {:>12} {ratio:>9.1} {allocations:>12.1}",
                judge.name(),
                shown(time)
            );
        }
        println!();
    }
    let growth = ours[ours.len() - 1].as_secs_f64() / ours[0].as_secs_f64();
    println!(
        "ours at 10,000 rules: {} (reach: at most 200 ns), {growth:.2}× of 10 rules (reach: at most 2×)",
        shown(ours[ours.len() - 1])
    );
    let (whole, allocations) = ours::gate_and_decision();
    println!(
        "gate and decision of a GET over 1,000 rules: {} and {allocations} allocations, \
         1/{:.1} of the linear scan's decision alone (reach: at most 1/20)",
        shown(whole),
        linear_1000.as_secs_f64() / whole.as_secs_f64()
    );
}

/// Median CPU time of one decision.
fn measure(judge: &mut dyn Judge, requests: &[Request]) -> Duration {
    let mut rounds: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let (start, mut decisions) = (cpu(), 0_u32);
            loop {
                for request in requests {
                    black_box(judge.allows(black_box(request)));
                    decisions += 1;
                    // A slow judge is not asked about all of them in every round.
                    if decisions.is_multiple_of(32) && cpu() - start > ROUND {
                        return (cpu() - start) / decisions;
                    }
                }
            }
        })
        .collect();
    rounds.sort();
    rounds[ROUNDS / 2]
}

/// Allocations of one decision, on average.
fn allocations(judge: &mut dyn Judge, requests: &[Request]) -> f64 {
    let some = &requests[..32];
    let counted = allocation_counter::measure(|| {
        for request in some {
            black_box(judge.allows(black_box(request)));
        }
    });
    counted.count_total as f64 / some.len() as f64
}

/// CPU time that this thread has used.
fn cpu() -> Duration {
    let time = nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap();
    Duration::from(time)
}

fn shown(time: Duration) -> String {
    let nanos = time.as_nanos();
    match nanos {
        0..10_000 => format!("{nanos} ns"),
        10_000..10_000_000 => format!("{:.1} µs", nanos as f64 / 1e3),
        _ => format!("{:.1} ms", nanos as f64 / 1e6),
    }
}
