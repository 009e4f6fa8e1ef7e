//! How fast secrets are found in logs.
//!
//!     cargo bench -p countersign-benches --bench detect
//!
//! The same 42 rules and the same 100 MB for everybody, once with few hits, once with many. All have to find the same
//! before anything is measured. CPU time of one thread, the best of several rounds; only ratios within one run count.
//! Hyperscan is not among the peers: no crate of it builds without a C++ library that has to be installed.

mod peers;
mod rules;
mod workload;

use std::hint::black_box;
use std::ops::Range;
use std::time::Duration;

use countersign_core::detect::{Detector as _, Detectors, Hits, Rules, Text};

const SIZE: usize = 100_000_000;
const ROUNDS: usize = 3;
/// How much of a stream comes at once.
const CHUNK: usize = 64 * 1024;

/// A match: which rule, where.
type Found = (usize, Range<usize>);

/// Something that finds secrets.
trait Finder {
    fn name(&self) -> &'static str;
    fn find(&mut self, text: &[u8], found: &mut dyn FnMut(Found));
}

fn main() {
    println!("{:<44} {:>10} {:>10} {:>8}", "", "hits", "MB/s", "ours ×");
    for (name, every) in [("few hits", 350_000), ("many hits", 700)] {
        let text = workload::logs(SIZE, every);
        println!("{name}, {} MB", text.len() / 1_000_000);
        let mut finders: Vec<Box<dyn Finder>> = vec![Box::new(Ours::new())];
        finders.extend(peers::all());
        let expected = all(&mut *finders[0], &text);
        assert!(
            expected.len() > text.len() / every / 2,
            "the text tells nothing: {}",
            expected.len()
        );
        check_chunks(&text, &expected);
        let mut ours = Duration::ZERO;
        let mut ratios = Vec::new();
        for (index, finder) in finders.iter_mut().enumerate() {
            let found = all(&mut **finder, &text);
            compare(finder.name(), &found, &expected);
            let time = best(|| finder.find(black_box(&text), &mut |found| _ = black_box(found)));
            if index == 0 {
                ours = time;
            }
            let ratio = time.as_secs_f64() / ours.as_secs_f64();
            ratios.push((finder.name(), ratio));
            print(finder.name(), expected.len(), text.len(), time, ratio);
        }
        let reach = [(peers::REGEX_SET, 3.0), (peers::REGEX_AUTOMATA, 2.5)];
        for (peer, least) in reach {
            let ratio = ratios
                .iter()
                .find(|(name, _)| *name == peer)
                .map_or(0.0, |(_, ratio)| *ratio);
            println!("  {ratio:.2}× {peer} (reach: at least {least}×)");
        }
        built_in(&text, ours);
        println!();
    }
}

/// Whether the same was found. One peer can't find what overlaps with something else; that alone may be missing.
fn compare(name: &str, found: &[Found], expected: &[Found]) {
    let mut missing = Vec::new();
    let mut rest = found.iter().peekable();
    for hit in expected {
        if rest.next_if_eq(&hit).is_none() {
            missing.push(hit);
        }
    }
    assert_eq!(rest.next(), None, "{name} finds something else");
    let overlaps = |hit: &Found| {
        expected
            .iter()
            .any(|other| other != hit && other.1.start < hit.1.end && hit.1.start < other.1.end)
    };
    assert!(
        missing.is_empty()
            || name == peers::REGEX_AUTOMATA && missing.len() < 10 && missing.iter().all(|hit| overlaps(hit)),
        "{name} misses {} hits: {:?}",
        missing.len(),
        missing.first()
    );
}

/// What our engine costs with all the rules that come with it, and as a masked stream.
fn built_in(text: &[u8], ours: Duration) {
    let rules = Rules::built_in();
    let mut hits = Hits::default();
    rules.detect_lines(text, &mut hits);
    let time = best(|| {
        let mut hits = Hits::default();
        rules.detect_lines(black_box(text), &mut hits);
        black_box(hits);
    });
    let ratio = time.as_secs_f64() / ours.as_secs_f64();
    print(
        "  with all built-in rules for secrets",
        hits.as_slice().len(),
        text.len(),
        time,
        ratio,
    );
    let mut out = Vec::with_capacity(2 * CHUNK);
    let mut count = 0;
    let time = best(|| {
        let mut stream = Text::new(Detectors::built_in());
        for chunk in text.chunks(CHUNK) {
            out.clear();
            stream.push(black_box(chunk), &mut out);
            black_box(&out);
        }
        stream.finish(&mut out);
        count = stream.counts().map(|(_, count)| count as usize).sum();
    });
    let ratio = time.as_secs_f64() / ours.as_secs_f64();
    print("  as a masked stream, all detectors", count, text.len(), time, ratio);
}

/// Our engine, with the same rules.
struct Ours {
    rules: Rules,
    hits: Hits,
}

impl Ours {
    fn new() -> Self {
        Self {
            rules: Rules::compile(rules::sources()).unwrap(),
            hits: Hits::default(),
        }
    }
}

impl Finder for Ours {
    fn name(&self) -> &'static str {
        "ours"
    }

    fn find(&mut self, text: &[u8], found: &mut dyn FnMut(Found)) {
        self.hits.clear();
        self.rules.detect_lines(text, &mut self.hits);
        for hit in self.hits.as_slice() {
            found((rules::index(&hit.rule), hit.range.clone()));
        }
    }
}

/// Lines that come in chunks of any size give the same.
fn check_chunks(text: &[u8], expected: &[Found]) {
    let mut ours = Ours::new();
    let mut found = Vec::new();
    let mut from = 0;
    for size in (1_000..90_000).step_by(7_919).cycle() {
        if from == text.len() {
            break;
        }
        let rest = &text[from..];
        let cut = rest.len().min(size);
        let length = memchr::memchr(b'\n', &rest[cut..]).map_or(rest.len(), |end| cut + end + 1);
        ours.find(&rest[..length], &mut |(rule, range)| {
            found.push((rule, range.start + from..range.end + from));
        });
        from += length;
    }
    found.sort_by_key(|(rule, range)| (range.start, *rule));
    assert!(found == expected, "chunks change what is found");
}

fn all(finder: &mut dyn Finder, text: &[u8]) -> Vec<Found> {
    let mut all = Vec::new();
    finder.find(text, &mut |found| all.push(found));
    all.sort_by_key(|(rule, range)| (range.start, *rule));
    all
}

fn best(mut work: impl FnMut()) -> Duration {
    let rounds = (0..ROUNDS).map(|_| {
        let start = cpu();
        work();
        cpu() - start
    });
    rounds.min().unwrap()
}

fn print(name: &str, hits: usize, bytes: usize, time: Duration, ratio: f64) {
    let speed = bytes as f64 / time.as_secs_f64() / 1e6;
    println!("{name:<44} {hits:>10} {speed:>10.0} {ratio:>8.2}");
}

/// CPU time that this thread has used.
fn cpu() -> Duration {
    let time = nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap();
    Duration::from(time)
}
