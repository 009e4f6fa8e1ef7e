//! Runs machine-readable cases from standard input; see [`countersign_tests::vectors`].

use std::io::{BufReader, stdin, stdout};
use std::process::ExitCode;

use countersign_tests::vectors::{answer_lines, classify, decide, mask};

const USAGE: &str = "usage: vectors classify|decide|mask-json|mask-text < cases > answers";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (input, output) = (BufReader::new(stdin().lock()), stdout().lock());
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["classify"] => answer_lines(input, output, classify::classify),
        ["decide"] => {
            let judge = decide::Judge::new();
            answer_lines(input, output, |case: &decide::Case| judge.decide(case))
        }
        ["mask-json"] => answer_lines(input, output, mask::mask_json),
        ["mask-text"] => answer_lines(input, output, mask::mask_text),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vectors: {error}");
            ExitCode::from(2)
        }
    }
}
