//! How much of what is secret leaks, and how much of what is not is masked, over the corpus of labelled samples.

use countersign_tests::corpus::score::Score;
use countersign_tests::corpus::{FILE, case, file, is_pii, objects, samples, see_all};
use countersign_tests::vectors::mask::mask_text;

/// Most of the secrets that may leak, in percent. What is above nothing are notations that hardly anybody uses.
const LEAK: f64 = 1.0;
/// Most of the look-alikes that may be changed, in percent.
const TOUCHED: f64 = 0.1;
/// Most of the look-alikes' bytes that may go, in percent.
const BYTES: f64 = 0.05;

fn judge(score: &Score) {
    println!("{score}");
    let total = &score.total;
    assert!(total.leak() <= LEAK, "{:.2} % of the secrets leak", total.leak());
    assert!(
        total.touch() <= TOUCHED,
        "{:.2} % of the look-alikes are changed",
        total.touch()
    );
    assert!(
        total.over() <= BYTES,
        "{:.3} % of the look-alikes' bytes are masked",
        total.over()
    );
    assert!(total.broken == 0, "{} texts were JSON and are no more", total.broken);
}

#[test]
fn secrets_in_text_go_and_look_alikes_stay() {
    judge(&Score::of(&see_all(""), |context| !is_pii(context)));
}

#[test]
fn secrets_in_objects_go_and_look_alikes_stay() {
    judge(&Score::of(&objects::see_all(""), |_| true));
}

#[test]
fn how_a_text_is_cut_changes_nothing() {
    // One way of each sample: the ways are tried for every split point elsewhere.
    for (sample, chunk) in samples().iter().zip([1, 7, 64].into_iter().cycle()) {
        let whole = mask_text(&case(sample, None)).masked;
        let cut = mask_text(&case(sample, Some(chunk))).masked;
        assert_eq!(cut, whole, "{}, in chunks of {chunk}", sample.id);
    }
}

#[test]
fn the_corpus_is_what_its_generator_writes() {
    let written = std::fs::read_to_string(FILE).expect("tests/corpus/samples.jsonl is there");
    assert!(
        written == file(),
        "run `cargo run -p countersign-tests --bin corpus -- generate` and commit what it wrote"
    );
}

#[test]
fn the_corpus_is_large_and_balanced() {
    let samples = samples();
    let harmless = samples.iter().filter(|sample| sample.harmless).count();
    let positive = samples.len() - harmless;
    assert!(samples.len() >= 1500, "{} samples", samples.len());
    assert!(
        harmless * 3 >= samples.len() && positive * 3 >= samples.len(),
        "{positive} with secrets, {harmless} without"
    );
    let mut ids: Vec<&str> = samples.iter().map(|sample| sample.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), samples.len(), "ids are used once");
}
