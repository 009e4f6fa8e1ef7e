//! Finds the matches of many rules in one pass over a text, in time proportional to the text.
//!
//! 1. Every rule has a literal of which each of its matches holds one form: `ghp_`, `AKIA`, `:AA`. The prefilter finds
//!    the literals of all rules, some dozens with vector instructions, hundreds with a table; text without any of them
//!    is passed over.
//! 2. Where a literal is, the program of its rule is run, forwards and backwards from there. Most are plain sequences
//!    of literals and runs of characters, which take no backtracking; the rest is a regex that is anchored there.
//! 3. A match stays within a line, so it is the same whether lines come one by one or many at once. What stretches over
//!    lines is found by [`blocks`].
//! 4. What a rule spends on candidates that come to nothing is counted per line. Once it is out of proportion to the line,
//!    which takes a text that was written for it, the rest of the line counts as a match.

pub(super) mod blocks;
mod boundary;
mod compile;
mod fingerprints;
mod pairs;
mod prefilter;
mod program;
mod scan;
mod set;

pub(super) use compile::compile;
pub(super) use fingerprints::Fingerprints;
#[cfg(test)]
pub(super) use fingerprints::SHORTEST;
pub(super) use scan::{Engine, Found};
