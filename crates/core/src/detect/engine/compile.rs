//! From a regex to a program.

use regex::bytes::RegexBuilder;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::literal::{Extractor, Literal};
use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use super::program::{How, Program, Step};
use super::set::ByteSet;

/// Longest pattern.
const MAX_PATTERN: usize = 2048;
/// Deepest nesting of a pattern.
const MAX_NESTING: u32 = 32;
/// Largest compiled regex, for patterns that are no sequence.
const MAX_REGEX: usize = 1 << 20;
/// Most literals of one rule, and how much of each is looked for.
const MAX_LITERALS: usize = 64;
const MIN_LITERAL: usize = 4;
const MAX_LITERAL: usize = 12;
/// Highest limit of a run before the literal that could hold the literal.
const MAX_RUN: usize = 256;
/// Most steps of a sequence: `(?:[0-9]{4}-){3}` is unrolled.
const MAX_STEPS: usize = 64;

/// What is wrong with a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::detect) enum Fault {
    #[error("the pattern has more than {MAX_PATTERN} bytes")]
    Long,
    #[error("the pattern is no regular expression: {0}")]
    Syntax(String),
    #[error(
        "the pattern is too large: give runs no upper limit (`+`, `{{20,}}`) instead of a high one, or less in brackets"
    )]
    Large,
    #[error("the pattern can match the empty text")]
    Empty,
    #[error("the pattern can only match across lines, but lines are looked at one by one")]
    Lines,
    #[error(
        "no text of two bytes or more is in everything that the pattern matches, so that all text would have to be \
         looked at closely: add a prefix, a separator or the name that stands before it"
    )]
    NoLiteral,
}

/// Compiles a pattern. `at_word`: a match begins where a word does.
pub(in crate::detect) fn compile(pattern: &str, at_word: bool) -> Result<Program, Fault> {
    if pattern.len() > MAX_PATTERN {
        return Err(Fault::Long);
    }
    let hir = ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .nest_limit(MAX_NESTING)
        .build()
        .parse(pattern)
        .map_err(|error| Fault::Syntax(summary(&error)))?;
    if hir.properties().minimum_len().is_none_or(|length| length == 0) {
        return Err(Fault::Empty);
    }
    let mut parts = Vec::new();
    if flatten(&hir, &mut parts).is_some()
        && let Some(program) = sequence(&parts, at_word)?
    {
        return Ok(program);
    }
    let literals = literals(&hir).filter(|found| found.iter().all(|literal| literal.len() > 1));
    let regex = RegexBuilder::new(&format!("^(?:{pattern})"))
        .unicode(false)
        .size_limit(MAX_REGEX)
        .nest_limit(MAX_NESTING + 2)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => Fault::Large,
            other => Fault::Syntax(other.to_string()),
        })?;
    Ok(Program {
        how: How::Regex(regex),
        literals: literals.ok_or(Fault::NoLiteral)?,
        at_word,
    })
}

/// A parser's error in one line, without the drawing of the pattern.
fn summary(error: &regex_syntax::Error) -> String {
    let (kind, at) = match error {
        regex_syntax::Error::Parse(error) => (error.kind().to_string(), error.span().start.offset),
        regex_syntax::Error::Translate(error) => (error.kind().to_string(), error.span().start.offset),
        other => return other.to_string(),
    };
    format!("{kind} (at byte {at})")
}

/// A step, and the regex that it came from.
type Part = (Step, Hir);

/// The steps of a pattern; none if it is no sequence.
fn flatten(hir: &Hir, parts: &mut Vec<Part>) -> Option<()> {
    if parts.len() > MAX_STEPS {
        return None;
    }
    match hir.kind() {
        HirKind::Empty => {}
        HirKind::Literal(literal) => parts.push((Step::Literal(vec![literal.0.clone()]), hir.clone())),
        HirKind::Class(class) => parts.push((
            Step::Run {
                set: set_of(class)?,
                min: 1,
                max: 1,
            },
            hir.clone(),
        )),
        HirKind::Repetition(repetition) => repeated(repetition, hir, parts)?,
        HirKind::Capture(capture) if capture.name.as_deref() == Some("secret") => {
            parts.push((Step::Open, Hir::empty()));
            flatten(&capture.sub, parts)?;
            parts.push((Step::Close, Hir::empty()));
        }
        HirKind::Capture(capture) => flatten(&capture.sub, parts)?,
        HirKind::Concat(all) => all.iter().try_for_each(|one| flatten(one, parts))?,
        HirKind::Alternation(_) => parts.push((Step::Literal(finite(hir)?), hir.clone())),
        HirKind::Look(_) => return None,
    }
    Some(())
}

fn repeated(repetition: &Repetition, hir: &Hir, parts: &mut Vec<Part>) -> Option<()> {
    let set = match repetition.sub.kind() {
        HirKind::Class(class) => set_of(class),
        HirKind::Literal(literal) => match *literal.0 {
            [only] => Some(ByteSet::of(|byte| byte == only)),
            _ => None,
        },
        _ => None,
    };
    let (min, max) = (repetition.min, repetition.max);
    match set {
        Some(set) if repetition.greedy => {
            let max = max.map_or(usize::MAX, |max| usize::try_from(max).unwrap_or(usize::MAX));
            let min = usize::try_from(min).unwrap_or(usize::MAX);
            parts.push((Step::Run { set, min, max }, hir.clone()));
        }
        None if max == Some(min) => (0..min).try_for_each(|_| flatten(&repetition.sub, parts))?,
        None if (min, max) == (0, Some(1)) && repetition.greedy => {
            let mut any = finite(&repetition.sub)?;
            any.push(Box::default());
            parts.push((Step::Literal(any), hir.clone()));
        }
        _ => return None,
    }
    Some(())
}

fn set_of(class: &Class) -> Option<ByteSet> {
    match class {
        Class::Bytes(class) => Some(ByteSet::of(|byte| {
            class
                .ranges()
                .iter()
                .any(|range| (range.start()..=range.end()).contains(&byte))
        })),
        Class::Unicode(_) => None,
    }
}

/// All texts that a pattern matches, if they are few and none begins with another.
fn finite(hir: &Hir) -> Option<Vec<Box<[u8]>>> {
    let found = Extractor::new()
        .limit_class(8)
        .limit_repeat(8)
        .limit_total(MAX_LITERALS)
        .extract(hir);
    let all: Vec<Box<[u8]>> = found
        .literals()
        .filter(|_| found.is_exact())?
        .iter()
        .map(|literal| literal.as_bytes().into())
        .collect();
    let clash = clash(&all, |one, other| one.starts_with(other));
    (!clash).then_some(all)
}

/// Whether this holds for any two of some literals.
fn clash(all: &[Box<[u8]>], holds: impl Fn(&[u8], &[u8]) -> bool) -> bool {
    let mut rest = all;
    while let [one, others @ ..] = rest {
        if others.iter().any(|other| holds(one, other) || holds(other, one)) {
            return true;
        }
        rest = others;
    }
    false
}

/// Makes a program of steps; none if running them one after the other, each as far as it goes, isn't what the regex means.
fn sequence(parts: &[Part], at_word: bool) -> Result<Option<Program>, Fault> {
    let mut steps: Vec<Step> = parts.iter().map(|(step, _)| step.clone()).collect();
    for step in &mut steps {
        match step {
            Step::Literal(any)
                if any
                    .iter()
                    .any(|literal| literal.iter().any(|byte| b"\n\r".contains(byte))) =>
            {
                return Err(Fault::Lines);
            }
            Step::Run { set, min, .. } => {
                *set = ByteSet::of(|byte| set.contains(byte) && !b"\n\r".contains(&byte));
                if set.is_empty() && *min > 0 {
                    return Err(Fault::Lines);
                }
            }
            _ => {}
        }
    }
    let Some(first) = steps.iter().position(Step::consumes) else {
        return Err(Fault::Empty);
    };
    let candidates = (first..steps.len()).filter_map(|pivot| {
        let rest: Vec<Hir> = parts.iter().skip(pivot).map(|(_, hir)| hir.clone()).collect();
        let found = literals(&Hir::concat(rest))?;
        let shortest = found.iter().map(|literal| literal.len()).min()?;
        let backwards = (0..pivot).all(|index| {
            // A run that could hold the literal is read again for each; so it needs a limit.
            let limited = matches!(steps.get(index), Some(Step::Run { max, .. }) if *max <= MAX_RUN);
            settled(&steps, index, true) && (limited || settled(&steps, index, false))
        });
        let forwards = (pivot..steps.len()).all(|index| settled(&steps, index, false));
        // One common byte is worse than everything else.
        let good = backwards && forwards && steps.get(pivot)?.consumes() && (shortest > 1 || found.len() == 1);
        good.then(|| (4 - shortest.min(4), found.len(), pivot, found))
    });
    if let Some((.., pivot, literals)) = candidates.min_by_key(|(length, count, pivot, _)| (*length, *count, *pivot)) {
        return Ok(Some(Program {
            // Marks before the literal stay with it.
            how: How::Sequence {
                pivot: if pivot == first { 0 } else { pivot },
                steps,
            },
            literals,
            at_word,
        }));
    }
    if !(0..steps.len()).all(|index| settled(&steps, index, false)) {
        return Ok(None);
    }
    // Without any literal, it is tried at each word.
    if !at_word || !matches!(steps.get(first), Some(Step::Run { min: 1.., .. })) {
        return Err(Fault::NoLiteral);
    }
    Ok(Some(Program {
        how: How::Sequence { steps, pivot: 0 },
        literals: Vec::new(),
        at_word,
    }))
}

/// Whether a step that goes as far as it can never takes what the one behind it needs (before it, when run backwards).
fn settled(steps: &[Step], index: usize, backwards: bool) -> bool {
    let next = if backwards {
        let before = steps.get(..index).unwrap_or_default();
        edge(before.iter().rev(), true)
    } else {
        let behind = steps.get(index + 1..).unwrap_or_default();
        edge(behind.iter(), false)
    };
    match steps.get(index) {
        Some(Step::Run { set, min, max }) => min == max || !set.meets(&next),
        Some(Step::Literal(any)) if backwards && clash(any, |one, other| one.ends_with(other)) => false,
        Some(Step::Literal(any)) if any.iter().any(|literal| literal.is_empty()) => !next
            .bytes()
            .any(|byte| any.iter().any(|literal| end_of(literal, backwards) == Some(byte))),
        _ => true,
    }
}

/// The bytes that may come first in some steps (last, when they are run backwards).
fn edge<'a>(steps: impl Iterator<Item = &'a Step>, backwards: bool) -> ByteSet {
    let mut edge = ByteSet::of(|_| false);
    for step in steps {
        let may_be_empty = match step {
            Step::Literal(any) => {
                edge.add(&ByteSet::of(|byte| {
                    any.iter().any(|literal| end_of(literal, backwards) == Some(byte))
                }));
                any.iter().any(|literal| literal.is_empty())
            }
            Step::Run { set, min, .. } => {
                edge.add(set);
                *min == 0
            }
            Step::Open | Step::Close => true,
        };
        if !may_be_empty {
            break;
        }
    }
    edge
}

fn end_of(literal: &[u8], last: bool) -> Option<u8> {
    if last { literal.last() } else { literal.first() }.copied()
}

/// Literals of which one begins each match; none if there are too many or no useful ones.
fn literals(hir: &Hir) -> Option<Vec<Box<[u8]>>> {
    let found = Extractor::new()
        .limit_class(16)
        .limit_repeat(8)
        .limit_total(MAX_LITERALS)
        .extract(hir);
    let all = found.literals()?;
    // Long ones occur more rarely, but only few can be looked for at once.
    let few = 2 * cut(all, MIN_LITERAL).len();
    let all = (MIN_LITERAL..=MAX_LITERAL)
        .rev()
        .map(|length| cut(all, length))
        .find(|cut| cut.len() <= few)?;
    (!all.is_empty() && all.iter().all(|literal| !literal.is_empty())).then_some(all)
}

/// Literals cut to a length, without those that begin with another one: they are found with it.
fn cut(literals: &[Literal], length: usize) -> Vec<Box<[u8]>> {
    let cut = literals.iter().map(|literal| literal.as_bytes());
    let mut all: Vec<Box<[u8]>> = cut
        .map(|literal| literal.get(..length).unwrap_or(literal).into())
        .collect();
    all.sort();
    all.dedup_by(|later, earlier| later.starts_with(earlier));
    all
}
