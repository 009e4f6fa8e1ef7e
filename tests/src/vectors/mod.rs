//! Runs machine-readable cases: one JSON object per line in, one per line out, in input order.
//!
//! | subcommand | a case is | what answers |
//! |---|---|---|
//! | `classify` | method and URL | the front gate's reading of them |
//! | `decide` | a whole request | what becomes of it under a policy |
//! | `mask-json` | an answer of the server | what is handed out of it |
//! | `mask-text` | a text, such as a log | what is handed out of it |
//!
//! A line that is no case stops the run: nothing is skipped silently.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead, Write};

use countersign_core::request::Catalog;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub mod classify;
pub mod decide;
pub mod mask;

/// The namespace that the guard of the cases lives in.
pub(crate) const GUARD_NAMESPACE: &str = "agent-guard";

/// The resources that the cases are about.
pub(crate) fn catalog() -> Catalog {
    Catalog::kubernetes()
        .with_custom("example.com", "widgets", "Widget", true)
        .with_custom("example.com", "clusterwidgets", "ClusterWidget", false)
        .with_custom("argoproj.io", "applications", "Application", true)
}

/// The text of a file of cases: the shared one if this checkout lies beside it, else the copy of the repository.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn file(name: &str) -> String {
    let workspace = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let read = |folder| std::fs::read_to_string(format!("{workspace}/{folder}/{name}")).ok();
    let text = ["../shared/vectors", "tests/vectors"].into_iter().find_map(read);
    text.unwrap_or_else(|| panic!("there are no cases {name}"))
}

/// The cases of a file, as many as it says.
///
/// # Panics
/// If there are none, others than it says, or one of another shape.
#[must_use]
pub fn cases<T: DeserializeOwned>(name: &str) -> Vec<T> {
    #[derive(Deserialize)]
    struct File<T> {
        count: usize,
        cases: Vec<T>,
    }
    let File { count, cases } = serde_json::from_str(&file(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(cases.len(), count, "{name}");
    cases
}

/// A list of exceptions: on each line a case and the reason; `#` begins a comment.
///
/// # Panics
/// If a line has no reason, or names a case twice.
#[must_use]
pub fn exceptions(list: &str) -> BTreeMap<&str, &str> {
    let mut exceptions = BTreeMap::new();
    for line in list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (id, reason) = line.split_once(' ').unwrap_or_else(|| panic!("no reason: {line}"));
        assert!(exceptions.insert(id, reason.trim()).is_none(), "{id} is listed twice");
    }
    exceptions
}

/// Why a run stopped.
#[derive(Debug)]
pub enum Error {
    /// A line is no case.
    Line {
        /// Number of the line, from 1.
        number: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// Reading or writing failed.
    Io(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { number, source } => write!(f, "line {number} is no case: {source}"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Answers each line of `input`. Every answer is flushed, so that a caller may wait for it before the next question.
///
/// # Errors
/// The first line that is no case, or the first failure to read or write.
pub fn answer_lines<Case: DeserializeOwned, Answer: Serialize>(
    mut input: impl BufRead,
    mut output: impl Write,
    answer: impl Fn(&Case) -> Answer,
) -> Result<(), Error> {
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let case = serde_json::from_slice(&line).map_err(|source| Error::Line { number, source })?;
        serde_json::to_writer(&mut output, &answer(&case)).map_err(io::Error::from)?;
        output.write_all(b"\n")?;
        output.flush()?;
    }
    Ok(())
}
