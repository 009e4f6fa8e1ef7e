//! Secrets that can be told by what they look like: tokens of providers, keys, hashes of passwords.
//!
//! 1. Rules are data ([`RuleSource`]): those that come with this crate lie in `data/`, others are added by the policy. The
//!    examples in them are their tests.
//! 2. A rule needs a literal of two bytes or more in all its matches, or has to begin at a word with a run of characters.
//!    Anything else would slow down all text, and is refused when it is loaded.
//! 3. A match lies within one line. Only a rule with `armour` goes on in the lines that follow.
//! 4. What only stands for a secret (`xxxxxxxxxxxx`, `your-token-here`) is none.
//!
//! ```
//! use countersign_core::detect::{Detector, Hits, Rules};
//!
//! let text = b"Authorization failed for glpat-x3Kd9sLq0Zp4TnVw8RyB (user 7)";
//! let mut hits = Hits::default();
//! Rules::built_in().detect(text, &mut hits);
//! assert_eq!(&text[hits.as_slice()[0].range.clone()], b"glpat-x3Kd9sLq0Zp4TnVw8RyB");
//! assert_eq!(hits.as_slice()[0].rule, "gitlab-token");
//! ```

mod built_in;
mod check;
mod error;
mod lines;
mod source;

#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use memchr::memchr2;
use smol_str::SmolStr;

pub use check::Check;
pub use error::RuleError;
pub use source::{Begins, Group, RuleSource};

use super::detectors::Detector;
use super::engine::blocks::{Block, Rest, rest_of_line};
use super::engine::{Engine, Found, compile};
use super::hit::Hits;
use super::lines::LineState;

/// Most rules, and longest id.
const MAX_RULES: usize = 1024;
const MAX_ID: usize = 128;

/// Rules, ready to be looked for. Cheap to clone.
#[derive(Clone)]
pub struct Rules(Arc<Inner>);

struct Inner {
    rules: Vec<Rule>,
    engine: Engine,
}

struct Rule {
    id: SmolStr,
    check: Option<Check>,
    entropy: f64,
    armour: bool,
    /// Whether placeholders have to be told from the real thing.
    is_secret: bool,
}

impl Rules {
    /// The rules for secrets that come with this crate.
    #[must_use]
    pub fn built_in() -> Self {
        static RULES: LazyLock<Rules> = LazyLock::new(|| built_in::of_group(Group::Secrets));
        RULES.clone()
    }

    /// The rules for personal data that come with this crate: card and account numbers, e-mail addresses.
    #[must_use]
    pub fn pii() -> Self {
        static RULES: LazyLock<Rules> = LazyLock::new(|| built_in::of_group(Group::Pii));
        RULES.clone()
    }

    /// Compiles rules, and tries them on their examples.
    ///
    /// # Errors
    /// The first rule that is wrong: its id, pattern or one of its examples.
    pub fn compile(sources: Vec<RuleSource>) -> Result<Self, RuleError> {
        let examples: Vec<(Vec<String>, Vec<String>)> = sources
            .iter()
            .map(|source| (source.examples.clone(), source.counterexamples.clone()))
            .collect();
        let rules = Self::untried(sources)?;
        for (index, (examples, counterexamples)) in examples.iter().enumerate() {
            rules.try_examples(index, examples, counterexamples)?;
        }
        Ok(rules)
    }

    fn untried(sources: Vec<RuleSource>) -> Result<Self, RuleError> {
        let mut rules: Vec<Rule> = Vec::with_capacity(sources.len());
        let mut programs = Vec::with_capacity(sources.len());
        for source in sources {
            let fault = |problem: &str| RuleError::new(&source.id, problem);
            let is_id = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-/".contains(&byte);
            if !(1..=MAX_ID).contains(&source.id.len()) || !source.id.bytes().all(is_id) {
                return Err(fault(
                    "the id has to be of 1 to 128 lower-case letters, digits, `-` and `/`",
                ));
            }
            if rules.iter().any(|rule| rule.id == source.id) {
                return Err(fault("there are two rules of this id"));
            }
            if rules.len() == MAX_RULES {
                return Err(fault("there are more than 1024 rules"));
            }
            let program = compile(&source.pattern, source.begins == Begins::Word)
                .map_err(|error| RuleError::new(&source.id, error.to_string()))?;
            programs.push(program);
            rules.push(Rule {
                id: source.id.into(),
                check: source.check,
                entropy: source.entropy.unwrap_or(0.0),
                armour: source.armour,
                is_secret: source.group == Group::Secrets,
            });
        }
        Ok(Self(Arc::new(Inner {
            rules,
            engine: Engine::new(programs),
        })))
    }

    /// Checks that a rule finds what its examples say, and nothing else in them.
    fn try_examples(&self, index: usize, examples: &[String], counterexamples: &[String]) -> Result<(), RuleError> {
        let Some(rule) = self.0.rules.get(index) else {
            return Ok(());
        };
        let found_in = |text: &str| {
            let mut hits = Hits::default();
            self.detect(text.as_bytes(), &mut hits);
            let mut ranges: Vec<Range<usize>> = hits
                .as_slice()
                .iter()
                .filter(|hit| hit.rule == rule.id)
                .map(|hit| hit.range.clone())
                .collect();
            ranges.sort_by_key(|range| range.start);
            ranges
        };
        for (number, example) in (1..).zip(examples) {
            let (text, marked) = marked(example)
                .ok_or_else(|| RuleError::new(&rule.id, format!("example {number} has to have a secret in `⟦…⟧`")))?;
            let found = found_in(&text);
            if found != marked {
                let problem = format!(
                    "in example {number} it finds {} instead of {}",
                    places(&found),
                    places(&marked)
                );
                return Err(RuleError::new(&rule.id, problem));
            }
        }
        for (number, example) in (1..).zip(counterexamples) {
            let found = found_in(example);
            if !found.is_empty() {
                let problem = format!("in counterexample {number} it finds {}", places(&found));
                return Err(RuleError::new(&rule.id, problem));
            }
        }
        Ok(())
    }

    /// The ids of all of them.
    pub fn ids(&self) -> impl Iterator<Item = String> {
        self.0.rules.iter().map(|rule| rule.id.to_string())
    }

    /// What finds them.
    pub(super) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    fn id(&self, index: usize) -> SmolStr {
        self.0.rules.get(index).map(|rule| rule.id.clone()).unwrap_or_default()
    }

    /// Finds what lies within lines; and where blocks open whose key is in the lines that follow: the opening itself, and
    /// the end of its line.
    fn within_lines(&self, text: &[u8], hits: &mut Hits) -> Vec<(Range<usize>, usize, usize)> {
        let mut openings = Vec::new();
        self.0.engine.scan(text, |index, found| {
            let Some(rule) = self.0.rules.get(index) else {
                return false;
            };
            let matched = match found {
                Found::Match(matched) => matched,
                Found::Unread(range) => {
                    hits.push(range, rule.id.clone());
                    return true;
                }
            };
            if rule.armour {
                let rest = text.get(matched.whole.end..).unwrap_or_default();
                let line_end = matched.whole.end + memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
                let rest = text.get(matched.whole.end..line_end).unwrap_or_default();
                match rest_of_line(rest) {
                    Rest::Key(length) => {
                        let end = matched.whole.end + length;
                        hits.push(matched.whole.start..end, rule.id.clone());
                    }
                    Rest::Nothing => openings.push((matched.whole, line_end, index)),
                    Rest::Prose => return false,
                }
                return true;
            }
            match rule.accept(text, matched.secret) {
                Some(secret) => {
                    hits.push(secret, rule.id.clone());
                    true
                }
                None => false,
            }
        });
        openings.sort_by_key(|(opening, ..)| opening.start);
        openings
    }
}

impl Rule {
    /// The part of a match that is a secret.
    fn accept(&self, text: &[u8], secret: Range<usize>) -> Option<Range<usize>> {
        let secret = match self.check {
            Some(check) => check.pass(text, secret)?,
            None => secret,
        };
        let value = text.get(secret.clone())?;
        if self.entropy > 0.0 && check::entropy(value) < self.entropy {
            return None;
        }
        (!self.is_secret || !check::is_placeholder(value)).then_some(secret)
    }
}

impl Detector for Rules {
    fn detect(&self, text: &[u8], hits: &mut Hits) {
        let openings = self.within_lines(text, hits);
        let mut done = 0;
        for (opening, line_end, index) in openings {
            let Some(rule) = self.0.rules.get(index).filter(|_| opening.start >= done) else {
                continue;
            };
            let mut key = opening;
            let end = lines::rest_of_block(text, line_end + 1, &mut Block::default(), |part| {
                // The whole block is one secret, unless something else stands in between.
                let between = text.get(key.end..part.start).unwrap_or_default();
                if between.iter().all(|byte| b" \t\r\n\"'`,;|>\\+nr".contains(byte)) {
                    key.end = part.end;
                } else {
                    hits.push(std::mem::replace(&mut key, part), rule.id.clone());
                }
            });
            done = end.unwrap_or(text.len());
            hits.push(key, rule.id.clone());
        }
    }

    fn detect_lines(&self, lines: &[u8], hits: &mut Hits) {
        // Without the lines that follow, an opening is all there is of a key.
        for (opening, _, index) in self.within_lines(lines, hits) {
            if let Some(rule) = self.0.rules.get(index) {
                hits.push(opening, rule.id.clone());
            }
        }
    }

    fn line_state(&self) -> Option<Box<dyn LineState>> {
        let has_armour = self.0.rules.iter().any(|rule| rule.armour);
        has_armour.then(|| Box::new(lines::Blocks::new(self.clone())) as Box<dyn LineState>)
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.rules.iter().map(|rule| &rule.id))
            .finish()
    }
}

/// A text without its marks, and what stood between them.
fn marked(example: &str) -> Option<(String, Vec<Range<usize>>)> {
    let (mut text, mut ranges) = (String::with_capacity(example.len()), Vec::new());
    let mut rest = example;
    while let Some((before, opened)) = rest.split_once('⟦') {
        let (secret, after) = opened.split_once('⟧')?;
        text.push_str(before);
        let start = text.len();
        text.push_str(secret);
        ranges.push(start..text.len());
        rest = after;
    }
    text.push_str(rest);
    (!ranges.is_empty()).then_some((text, ranges))
}

fn places(ranges: &[Range<usize>]) -> String {
    if ranges.is_empty() {
        return "nothing".to_owned();
    }
    let places: Vec<String> = ranges
        .iter()
        .map(|range| format!("bytes {} to {}", range.start, range.end))
        .collect();
    places.join(", ")
}
