//! What decides at a candidate whether a rule matches there.

use std::ops::Range;

use memchr::memchr2;
use regex::bytes::Regex;

use super::boundary::begins_word;
use super::set::ByteSet;

/// Longest text that a regex is run on; sequences need no limit, since what they read they read once.
const MAX_REGEX: usize = 4096;

/// A part of a sequence.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// One of these, of which none begins with another.
    Literal(Vec<Box<[u8]>>),
    /// As many bytes of a set as there are.
    Run { set: ByteSet, min: usize, max: usize },
    /// Here begins what has to be hidden, if that isn't all.
    Open,
    /// Here it ends.
    Close,
}

/// How a rule matches, once a literal of its is found.
#[derive(Debug)]
pub(in crate::detect) struct Program {
    pub(super) how: How,
    /// What the prefilter looks for; none for a sequence that begins with a run, which is then tried at each word.
    pub(super) literals: Vec<Box<[u8]>>,
    /// Whether a match has to begin where a word does.
    pub(super) at_word: bool,
}

#[derive(Debug)]
pub(super) enum How {
    /// Steps, and the index of the one that the literals are of.
    Sequence { steps: Vec<Step>, pivot: usize },
    /// Anchored; begins with a literal.
    Regex(Regex),
}

/// A match of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::detect) struct Match {
    /// All of it.
    pub(in crate::detect) whole: Range<usize>,
    /// The part that has to be hidden.
    pub(in crate::detect) secret: Range<usize>,
}

impl Program {
    /// The match around a literal at this place, or how many bytes were read for nothing.
    pub(super) fn run(&self, text: &[u8], at: usize) -> Result<Match, usize> {
        match &self.how {
            How::Sequence { steps, pivot } => {
                // Where nothing stands before the literal, this is the cheapest test.
                if *pivot == 0 && self.at_word && !begins_word(text, at) {
                    return Err(0);
                }
                let mut found = Found::default();
                let forwards = steps.get(*pivot..).unwrap_or_default();
                let end = forward(forwards, text, at, &mut found)?;
                let backwards = steps.get(..*pivot).unwrap_or_default();
                let start = backward(backwards, text, at, &mut found).map_err(|read| read + end - at)?;
                if *pivot > 0 && self.at_word && !begins_word(text, start) {
                    return Err(end - start);
                }
                Ok(Match {
                    whole: start..end,
                    secret: found.open.unwrap_or(start)..found.close.unwrap_or(end),
                })
            }
            How::Regex(regex) => {
                if self.at_word && !begins_word(text, at) {
                    return Err(0);
                }
                let rest = text.get(at..).unwrap_or_default();
                let rest = rest.get(..MAX_REGEX).unwrap_or(rest);
                let line = rest.get(..memchr2(b'\n', b'\r', rest).unwrap_or(rest.len()));
                let line = line.unwrap_or_default();
                let captures = regex.captures(line).ok_or(line.len())?;
                let whole = captures.get(0).ok_or(line.len())?.range();
                let secret = captures.name("secret").map_or(whole.clone(), |secret| secret.range());
                Ok(Match {
                    whole: whole.start + at..whole.end + at,
                    secret: secret.start + at..secret.end + at,
                })
            }
        }
    }
}

#[derive(Default)]
struct Found {
    open: Option<usize>,
    close: Option<usize>,
}

/// Where the steps end that begin here, or how many bytes they read before they failed.
fn forward(steps: &[Step], text: &[u8], from: usize, found: &mut Found) -> Result<usize, usize> {
    let mut at = from;
    for (index, step) in steps.iter().enumerate() {
        let rest = text.get(at..).unwrap_or_default();
        match step {
            Step::Literal(any) => {
                let literal = any.iter().find(|literal| rest.starts_with(literal));
                at += literal.ok_or(at - from)?.len();
            }
            Step::Run { set, min, max } => {
                // Most candidates fail at the last byte that they need, without a look at those before it.
                if *min > 1 && !rest.get(*min - 1).is_some_and(|last| set.contains(*last)) {
                    return Err(at - from + 1);
                }
                let length = set.leading(rest, *max);
                // A run at the end has to be over when its limit is reached: more of it is something else.
                let is_last = !steps.iter().skip(index + 1).any(Step::consumes);
                let goes_on = is_last && length == *max && rest.get(length).is_some_and(|next| set.contains(*next));
                if length < *min || goes_on {
                    return Err(at - from + length);
                }
                at += length;
            }
            Step::Open => found.open = Some(at),
            Step::Close => found.close = Some(at),
        }
    }
    Ok(at)
}

/// Where the steps begin that end here, or how many bytes they read before they failed.
fn backward(steps: &[Step], text: &[u8], from: usize, found: &mut Found) -> Result<usize, usize> {
    let mut at = from;
    for (index, step) in steps.iter().enumerate().rev() {
        let rest = text.get(..at).unwrap_or_default();
        match step {
            Step::Literal(any) => {
                let literal = any.iter().find(|literal| rest.ends_with(literal));
                at -= literal.ok_or(from - at)?.len();
            }
            Step::Run { set, min, max } => {
                let first = rest.len().checked_sub(*min).and_then(|first| rest.get(first));
                if *min > 1 && !first.is_some_and(|first| set.contains(*first)) {
                    return Err(from - at + 1);
                }
                let length = set.trailing(rest, *max);
                let before = rest.len().checked_sub(length + 1).and_then(|before| rest.get(before));
                let is_first = !steps.iter().take(index).any(Step::consumes);
                let goes_on = is_first && length == *max && before.is_some_and(|before| set.contains(*before));
                if length < *min || goes_on {
                    return Err(from - at + length);
                }
                at -= length;
            }
            Step::Open => found.open = Some(at),
            Step::Close => found.close = Some(at),
        }
    }
    Ok(at)
}

impl Step {
    pub(super) fn consumes(&self) -> bool {
        matches!(self, Self::Literal(_) | Self::Run { .. })
    }
}
