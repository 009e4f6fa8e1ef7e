//! All rules over one text.

use std::ops::Range;

use memchr::memchr2;

use super::boundary::begins_word;
use super::fingerprints::SHORTEST;
use super::pairs::Pairs;
use super::prefilter::Prefilter;
use super::program::{How, Match, Program, Step};
use super::set::ByteSet;

/// What a rule may read in vain in one line, besides so many times what is left of the line.
const SPARE: usize = 64 * 1024;
const TIMES: usize = 16;
/// Reading less than this in vain is not counted: a candidate costs about as much.
const NEGLIGIBLE: usize = 64;

/// Many rules, ready to be looked for.
#[derive(Debug)]
pub(in crate::detect) struct Engine {
    programs: Vec<Program>,
    prefilter: Prefilter,
    /// The literals that are too short for [`Fingerprints`](super::Fingerprints).
    short: Pairs,
    /// Rules without a literal, and the bytes with which their matches begin.
    at_words: Vec<(usize, ByteSet)>,
    begin_words: ByteSet,
}

/// What was found for a rule.
#[derive(Debug)]
pub(in crate::detect) enum Found {
    /// A match.
    Match(Match),
    /// Too much was read in vain: this could hold anything.
    Unread(Range<usize>),
}

impl Engine {
    /// Looks for these.
    pub(in crate::detect) fn new(programs: Vec<Program>) -> Self {
        let mut at_words = Vec::new();
        let mut begin_words = ByteSet::of(|_| false);
        for (index, program) in programs
            .iter()
            .enumerate()
            .filter(|(_, program)| program.literals.is_empty())
        {
            if let How::Sequence { steps, .. } = &program.how
                && let Some(Step::Run { set, .. }) = steps.iter().find(|step| step.consumes())
            {
                begin_words.add(set);
                at_words.push((index, set.clone()));
            }
        }
        let literals = programs.iter().map(|program| program.literals.as_slice()).enumerate();
        Self {
            short: Pairs::new(literals.clone().flat_map(|(rule, literals)| {
                let short = literals.iter().filter(|literal| literal.len() < SHORTEST);
                short.map(move |literal| (&**literal, rule))
            })),
            prefilter: Prefilter::new(literals),
            programs,
            at_words,
            begin_words,
        }
    }

    /// What a text with a match has in it: one of these, or what [`Engine::may_match_without`] sees.
    pub(in crate::detect) fn literals(&self) -> impl Iterator<Item = &[u8]> {
        let all = self.programs.iter().flat_map(|program| &program.literals);
        all.map(|literal| &**literal)
            .filter(|literal| literal.len() >= SHORTEST)
    }

    /// Whether a text may have a match without one of these literals.
    pub(in crate::detect) fn may_match_without(&self, text: &[u8]) -> bool {
        let matches = |rule: usize, at: usize| {
            let program = self.programs.get(rule);
            program.is_some_and(|program| program.run(text, at).map_or_else(|read| read > NEGLIGIBLE, |_| true))
        };
        !self.at_words.is_empty() || self.short.any(text, matches)
    }

    /// Hands out what is found of each rule, by its index. The receiver says whether it accepts a match; it is not asked
    /// about others of the same rule within one that it did.
    pub(in crate::detect) fn scan(&self, text: &[u8], mut found: impl FnMut(usize, Found) -> bool) {
        let mut state = State::default();
        self.prefilter
            .candidates(text, |rule, at| self.verify(text, rule, at, &mut state, &mut found));
        if self.at_words.is_empty() {
            return;
        }
        let mut behind_word = false;
        for (at, byte) in text.iter().enumerate() {
            if self.begin_words.contains(*byte) && (!behind_word || begins_word(text, at)) {
                for (rule, set) in &self.at_words {
                    if set.contains(*byte) {
                        self.verify(text, *rule, at, &mut state, &mut found);
                    }
                }
            }
            behind_word = byte.is_ascii_alphanumeric() || *byte == b'_';
        }
    }

    fn verify(
        &self,
        text: &[u8],
        rule: usize,
        at: usize,
        state: &mut State,
        found: &mut impl FnMut(usize, Found) -> bool,
    ) {
        let Some(program) = self.programs.get(rule) else {
            return;
        };
        if state.covered.get(rule).is_some_and(|covered| at < *covered) {
            return;
        }
        let read = match program.run(text, at) {
            Ok(matched) => {
                let end = matched.whole.end;
                let length = matched.whole.len();
                if found(rule, Found::Match(matched)) {
                    state.cover(rule, end, self.programs.len());
                    return;
                }
                length
            }
            Err(read) => read,
        };
        if read > NEGLIGIBLE
            && let Some(line_end) = state.spend(text, rule, at, read, self.programs.len())
        {
            found(rule, Found::Unread(at..line_end));
            state.cover(rule, line_end, self.programs.len());
        }
    }
}

/// What is known of each rule; empty until there is something, which for most texts is never.
#[derive(Default)]
struct State {
    /// Where its last match ends.
    covered: Vec<usize>,
    /// What it has read in vain in the line at hand.
    spent: Vec<Spent>,
}

#[derive(Default, Clone)]
struct Spent {
    line_end: usize,
    left: usize,
}

impl State {
    fn cover(&mut self, rule: usize, end: usize, rules: usize) {
        self.covered.resize(rules, 0);
        if let Some(covered) = self.covered.get_mut(rule) {
            *covered = end.max(*covered);
        }
    }

    /// Counts what was read in vain. The end of the line, if that was too much.
    fn spend(&mut self, text: &[u8], rule: usize, at: usize, read: usize, rules: usize) -> Option<usize> {
        self.spent.resize(rules, Spent::default());
        let spent = self.spent.get_mut(rule)?;
        if at >= spent.line_end {
            let rest = text.get(at..).unwrap_or_default();
            let length = memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
            *spent = Spent {
                line_end: at + length,
                left: SPARE + TIMES * length,
            };
        }
        let left = spent.left.checked_sub(read);
        spent.left = left.unwrap_or(0);
        left.is_none().then_some(spent.line_end)
    }
}
