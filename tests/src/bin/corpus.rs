//! Writes the corpus, or says how well its secrets are found; see [`countersign_tests::corpus`].

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use countersign_tests::corpus::score::{Score, Seen};
use countersign_tests::corpus::{self, FILE, is_pii, objects};

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Writes tests/corpus/samples.jsonl.
    Generate,
    /// Masks every sample and prints what leaked and what was touched.
    Score {
        /// Prints so many of the misses.
        #[arg(long, default_value_t = 0)]
        show: usize,
        /// Only samples whose id contains this.
        #[arg(long, default_value = "")]
        only: String,
        /// In whole objects, not as a log.
        #[arg(long)]
        objects: bool,
    },
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Generate => match std::fs::write(FILE, corpus::file()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("corpus: {FILE}: {error}");
                ExitCode::FAILURE
            }
        },
        Command::Score { show, only, objects } => {
            let seen = if objects {
                objects::see_all(&only)
            } else {
                corpus::see_all(&only)
            };
            for seen in seen.iter().filter(|seen| is_miss(seen)).take(show) {
                print_miss(seen);
            }
            println!("{}", Score::of(&seen, |context| !is_pii(context)));
            ExitCode::SUCCESS
        }
    }
}

fn is_miss(seen: &Seen) -> bool {
    !seen.leaked.is_empty() || seen.touched || seen.broken
}

fn print_miss(seen: &Seen) {
    let broken = if seen.broken { " BROKEN" } else { "" };
    match &seen.leaked[..] {
        [] => println!(
            "{} touched{broken}\n    {}",
            seen.id,
            seen.masked.replace('\n', "\n    ")
        ),
        leaked => println!(
            "{} leaked {leaked:?}{broken}\n    {}",
            seen.id,
            seen.masked.replace('\n', "\n    ")
        ),
    }
}
