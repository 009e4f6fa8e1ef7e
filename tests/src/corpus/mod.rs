//! The labelled corpus that measures how well secrets in text are found.
//!
//! 1. [`samples`] writes it, from templates (`tests/corpus/templates/`) and the forms in which issuers write tokens, and
//!    always the same; `tests/corpus/samples.jsonl` is what it wrote. Nothing in it is, or ever was, a secret of anyone.
//! 2. It says what real programs print and what formats define, not what the detectors know: it was written without them.
//!    About half of the samples are look-alikes, in which nothing must change.
//! 3. A label is exactly what must not be read. What may be masked along with it is not said; the score tells how much was.
//! 4. No label is ambiguous: six bytes of a secret never stand outside of it in its text.
//! 5. Personal data is a group of its own (`pii`, `pii-alike`), as the detectors for it are.
//!
//! `cargo run -p countersign-tests --bin corpus -- score` masks every sample as a log and prints the table of
//! [`score`]; `generate` writes the file anew.

pub mod objects;
pub mod sample;
pub mod score;

mod keys;
mod marked;
mod providers;
mod rng;
mod template;
mod values;
mod wrapped;

use std::fmt::Write as _;

use rng::Rng;
use sample::{Sample, Unfit};
use score::{Seen, see};
use template::{Template, fill, templates};

use crate::vectors::mask::{TextCase, mask_text};

/// Where the file is.
pub const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/samples.jsonl");

const SEED: u64 = 5;
/// How often a text is made anew because a part of its secret stands elsewhere in it as well.
const TRIES: usize = 200;

const SECRETS: &str = include_str!("../../corpus/templates/secrets.txt");
const HARMLESS: &str = include_str!("../../corpus/templates/harmless.txt");
const PII: &str = include_str!("../../corpus/templates/pii.txt");

/// Contexts that are scored on their own.
#[must_use]
pub fn is_pii(context: &str) -> bool {
    context.starts_with("pii")
}

/// All samples, in the order of the file.
#[must_use]
pub fn samples() -> Vec<Sample> {
    let mut all = Vec::new();
    for template in templates(SECRETS) {
        all.extend(positives(&template));
    }
    all.extend(wrapped::providers());
    all.extend(wrapped::keys());
    all.extend(wrapped::positives(&templates(SECRETS)));
    for template in templates(HARMLESS) {
        all.extend(look_alikes(&template));
    }
    all.extend(wrapped::harmless(&templates(HARMLESS)));
    for template in templates(PII) {
        match template.context {
            "pii-alike" => all.extend(look_alikes(&template)),
            _ => all.extend(positives(&template)),
        }
    }
    all
}

/// The file.
///
/// # Panics
/// Never: samples are JSON.
#[must_use]
pub fn file() -> String {
    let mut file = String::new();
    for sample in samples() {
        let line = serde_json::to_string(&sample).expect("a sample is JSON");
        writeln!(file, "{line}").expect("a string takes it");
    }
    file
}

/// Masks every sample whose id contains `only` as the log of a pod, and says what came of it.
#[must_use]
pub fn see_all(only: &str) -> Vec<Seen> {
    let wanted = samples().into_iter().filter(|sample| sample.id.contains(only));
    wanted
        .map(|sample| see(&sample, &mask_text(&case(&sample, None)).masked))
        .collect()
}

/// A sample as a case of `vectors mask-text`.
#[must_use]
pub fn case(sample: &Sample, chunk: Option<usize>) -> TextCase {
    TextCase {
        id: sample.id.clone().into(),
        text: sample.text.clone(),
        chunk,
    }
}

fn positives(template: &Template) -> impl Iterator<Item = Sample> {
    (0..template.times).map(|time| {
        let id = format!("{}/{}.{time}", template.context, template.number);
        positive(&id, template.context, |rng| fill(template.text, rng))
    })
}

/// A sample that is not ambiguous.
fn positive(id: &str, context: &str, marked: impl Fn(&mut Rng) -> String) -> Sample {
    let mut rng = Rng::named(SEED, id);
    for _ in 0..TRIES {
        match Sample::positive(id, context, &marked(&mut rng)) {
            Ok(sample) => return sample,
            Err(Unfit::Ambiguous) => {}
            Err(Unfit::NoSecret) => panic!("{id} has no secret"),
        }
    }
    panic!("{id} is ambiguous whatever its values are")
}

fn look_alikes(template: &Template) -> Vec<Sample> {
    let mut all: Vec<Sample> = Vec::new();
    for time in 0..template.times {
        let id = format!("{}/{}.{time}", template.context, template.number);
        let text = fill(template.text, &mut Rng::named(SEED, &id));
        assert_eq!(text, marked::unmark(&text).0, "{id} has a secret");
        // Without a gap, or with a small one, it may be the same again.
        if all.iter().all(|sample| sample.text != text) {
            all.push(Sample::harmless(&id, template.context, &text));
        }
    }
    all
}
