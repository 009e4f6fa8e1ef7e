//! What others would build from the crates that there are.

use aho_corasick::AhoCorasick;
use memchr::memchr_iter;
use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};
use regex_automata::meta;
use regex_automata::util::syntax;

use crate::rules::RULES;
use crate::{Finder, Found};

pub const REGEX_SET: &str = "RegexSet per line, then verify";
pub const REGEX_AUTOMATA: &str = "regex-automata, many patterns at once";

pub fn all() -> Vec<Box<dyn Finder>> {
    vec![Box::new(Set::new()), Box::new(Meta::new()), Box::new(Corasick::new())]
}

fn regexes() -> Vec<Regex> {
    let compile = |pattern: &str| RegexBuilder::new(pattern).unicode(false).build().unwrap();
    RULES.iter().map(|(_, pattern, _)| compile(pattern)).collect()
}

struct Set {
    set: RegexSet,
    regexes: Vec<Regex>,
}

impl Set {
    fn new() -> Self {
        Self {
            set: RegexSetBuilder::new(RULES.iter().map(|(_, pattern, _)| *pattern))
                .unicode(false)
                .build()
                .unwrap(),
            regexes: regexes(),
        }
    }
}

impl Finder for Set {
    fn name(&self) -> &'static str {
        REGEX_SET
    }

    fn find(&mut self, text: &[u8], found: &mut dyn FnMut(Found)) {
        let mut from = 0;
        for end in memchr_iter(b'\n', text).chain([text.len()]) {
            let line = &text[from..end];
            if self.set.is_match(line) {
                for rule in self.set.matches(line) {
                    for hit in self.regexes[rule].find_iter(line) {
                        found((rule, from + hit.start()..from + hit.end()));
                    }
                }
            }
            from = end + 1;
        }
    }
}

struct Meta(meta::Regex);

impl Meta {
    fn new() -> Self {
        let patterns: Vec<&str> = RULES.iter().map(|(_, pattern, _)| *pattern).collect();
        let regex = meta::Regex::builder()
            .syntax(syntax::Config::new().unicode(false).utf8(false))
            .build_many(&patterns);
        Self(regex.unwrap())
    }
}

impl Finder for Meta {
    fn name(&self) -> &'static str {
        REGEX_AUTOMATA
    }

    fn find(&mut self, text: &[u8], found: &mut dyn FnMut(Found)) {
        for hit in self.0.find_iter(text) {
            found((hit.pattern().as_usize(), hit.range()));
        }
    }
}

struct Corasick {
    literals: AhoCorasick,
    rules: Vec<usize>,
    regexes: Vec<Regex>,
    /// The start of the line in which each rule was last tried.
    tried: Vec<usize>,
}

impl Corasick {
    fn new() -> Self {
        let literals = RULES
            .iter()
            .enumerate()
            .flat_map(|(rule, (.., literals))| literals.iter().map(move |literal| (rule, *literal)));
        let (rules, literals): (Vec<usize>, Vec<&str>) = literals.unzip();
        Self {
            literals: AhoCorasick::new(literals).unwrap(),
            rules,
            regexes: regexes(),
            tried: vec![usize::MAX; RULES.len()],
        }
    }
}

impl Finder for Corasick {
    fn name(&self) -> &'static str {
        "aho-corasick, then verify"
    }

    fn find(&mut self, text: &[u8], found: &mut dyn FnMut(Found)) {
        self.tried.fill(usize::MAX);
        for candidate in self.literals.find_overlapping_iter(text) {
            let rule = self.rules[candidate.pattern().as_usize()];
            let start = memchr::memrchr(b'\n', &text[..candidate.start()]).map_or(0, |at| at + 1);
            if std::mem::replace(&mut self.tried[rule], start) == start {
                continue;
            }
            let end = memchr::memchr(b'\n', &text[candidate.start()..]).map_or(text.len(), |at| candidate.start() + at);
            for hit in self.regexes[rule].find_iter(&text[start..end]) {
                found((rule, start + hit.start()..start + hit.end()));
            }
        }
    }
}
