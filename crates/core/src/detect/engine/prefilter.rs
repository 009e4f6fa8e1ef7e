//! Where any of many literals is.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use aho_corasick::packed::{self, MatchKind};
use aho_corasick::{AhoCorasick, Anchored, Input, Span};
use memchr::memchr_iter;

use super::fingerprints::{Fingerprints, SHORTEST};

/// Most literals of one searcher with vector instructions, and of several of them.
const MAX_LITERALS: usize = 64;
const MAX_PACKED: usize = 128;
/// How much of a text is searched for all literals before more of it is: it stays in the nearest cache meanwhile.
const BLOCK: usize = 16 * 1024;

/// Finds literals, each of which stands for rules.
#[derive(Debug, Default)]
pub(super) struct Prefilter {
    groups: Vec<Group>,
}

/// Literals that are looked for at once, none of which begins with another.
#[derive(Debug)]
struct Group {
    searcher: Searcher,
    /// The rules of each literal.
    rules: Vec<Vec<usize>>,
    longest: usize,
}

enum Searcher {
    Byte(u8),
    /// Vector instructions, where the processor has them.
    Packed(packed::Searcher),
    /// For more literals than those can look for at once.
    Fingerprints(Fingerprints),
    Automaton(AhoCorasick),
}

impl Prefilter {
    /// Looks for the literals of rules, by their indices.
    pub(super) fn new<'a>(rules: impl Iterator<Item = (usize, &'a [Box<[u8]>])>) -> Self {
        // Searchers skip by the shortest of their literals. All literals of a rule go into one, so that its candidates
        // come in order.
        let mut by_length: BTreeMap<usize, Literals<'_>> = BTreeMap::new();
        for (rule, literals) in rules {
            let Some(shortest) = literals.iter().map(|literal| literal.len()).min() else {
                continue;
            };
            let level = by_length.entry(shortest.min(4)).or_default();
            for literal in literals {
                level.entry(literal).or_default().push(rule);
            }
        }
        let mut groups = Vec::new();
        let long = by_length.split_off(&SHORTEST);
        if long.values().map(BTreeMap::len).sum::<usize>() > MAX_PACKED {
            let mut all: Literals<'_> = BTreeMap::new();
            for (literal, rules) in long.into_values().flatten() {
                all.entry(literal).or_default().extend(rules);
            }
            groups.extend(Group::new(all, true));
        } else {
            by_length.extend(long);
        }
        for level in by_length.values() {
            let most = if level.keys().any(|literal| literal.len() == 1) {
                1
            } else {
                MAX_LITERALS
            };
            for part in parts(level, most) {
                groups.extend(Group::new(part, false));
            }
        }
        Self { groups }
    }

    /// Calls this with each rule and each place of one of its literals; places of one rule come in order.
    pub(super) fn candidates(&self, text: &[u8], mut candidate: impl FnMut(usize, usize)) {
        let mut start = 0;
        while start < text.len() {
            let end = (start + BLOCK).min(text.len());
            for group in &self.groups {
                group.candidates(text, start..end, &mut candidate);
            }
            start = end;
        }
    }
}

/// Literals, each with its rules.
type Literals<'a> = BTreeMap<&'a [u8], Vec<usize>>;

/// Literals in sets of at most so many; rules that have a literal in common stay together.
fn parts<'a>(level: &Literals<'a>, most: usize) -> Vec<Literals<'a>> {
    let mut of_rule: BTreeMap<usize, Vec<&[u8]>> = BTreeMap::new();
    for (literal, rules) in level {
        for rule in rules {
            of_rule.entry(*rule).or_default().push(literal);
        }
    }
    let mut parts: Vec<Literals<'a>> = Vec::new();
    for (rule, literals) in of_rule {
        let home = parts.iter().position(|part| {
            let new = literals.iter().filter(|literal| !part.contains_key(**literal)).count();
            part.len() + new <= most
        });
        let home = home.unwrap_or(parts.len());
        if home == parts.len() {
            parts.push(BTreeMap::new());
        }
        if let Some(part) = parts.get_mut(home) {
            for literal in literals {
                part.entry(literal).or_default().push(rule);
            }
        }
    }
    parts
}

impl Group {
    fn new(literals: Literals<'_>, many: bool) -> Option<Self> {
        let mut distinct: Vec<(&[u8], Vec<usize>)> = Vec::new();
        for (literal, rules) in literals {
            match distinct.last_mut() {
                // Found with the shorter one, which sorts before it.
                Some((shorter, all)) if literal.starts_with(shorter) => all.extend(rules),
                _ => distinct.push((literal, rules)),
            }
        }
        let longest = distinct.iter().map(|(literal, _)| literal.len()).max()?;
        let texts = || distinct.iter().map(|(literal, _)| *literal);
        let packed = || {
            packed::Config::new()
                .match_kind(MatchKind::LeftmostFirst)
                .builder()
                .extend(texts())
                .build()
        };
        let searcher = match distinct.as_slice() {
            [([only], _)] => Searcher::Byte(*only),
            _ if many => Searcher::Fingerprints(Fingerprints::new(texts().map(Into::into))),
            _ => match packed() {
                Some(searcher) => Searcher::Packed(searcher),
                None => Searcher::Automaton(
                    AhoCorasick::builder()
                        .match_kind(aho_corasick::MatchKind::LeftmostFirst)
                        .build(texts())
                        .ok()?,
                ),
            },
        };
        Some(Self {
            searcher,
            longest,
            rules: distinct
                .into_iter()
                .map(|(_, mut rules)| {
                    rules.sort_unstable();
                    rules.dedup();
                    rules
                })
                .collect(),
        })
    }

    fn candidates(&self, text: &[u8], block: Range<usize>, candidate: &mut impl FnMut(usize, usize)) {
        if let Searcher::Fingerprints(all) = &self.searcher {
            return all.find(text, block, |literal, at| {
                for rule in self.rules.get(literal).into_iter().flatten() {
                    candidate(*rule, at);
                }
            });
        }
        if let (Searcher::Byte(byte), [rules]) = (&self.searcher, self.rules.as_slice()) {
            for at in memchr_iter(*byte, text.get(block.clone()).unwrap_or_default()) {
                for rule in rules {
                    candidate(*rule, block.start + at);
                }
            }
            return;
        }
        let last = (block.end + self.longest - 1).min(text.len());
        let mut from = block.start;
        while let Some((literal, at)) = self.searcher.find(text, from..last) {
            if at >= block.end {
                break;
            }
            for rule in self.rules.get(literal).into_iter().flatten() {
                candidate(*rule, at);
            }
            from = at + 1;
        }
    }
}

impl Searcher {
    /// The first literal in a part of a text, and where it begins.
    fn find(&self, text: &[u8], span: Range<usize>) -> Option<(usize, usize)> {
        match self {
            Self::Packed(searcher) => {
                let found = searcher.find_in(text, Span::from(span))?;
                Some((found.pattern().as_usize(), found.start()))
            }
            // All of a part at once, above.
            Self::Byte(_) | Self::Fingerprints(_) => None,
            Self::Automaton(searcher) => {
                let input = Input::new(text).span(span).anchored(Anchored::No);
                let found = searcher.try_find(input).ok()??;
                Some((found.pattern().as_usize(), found.start()))
            }
        }
    }
}

impl fmt::Debug for Searcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Byte(_) => "Byte",
            Self::Packed(_) => "Packed",
            Self::Fingerprints(_) => "Fingerprints",
            Self::Automaton(_) => "Automaton",
        })
    }
}
