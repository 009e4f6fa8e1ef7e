//! Regular expressions in RE2's syntax, as Go reads it, run by Rust's engine, which is as linear in the text.
//!
//! The two differ in a few places. A pattern is rewritten where its meaning would differ (`\d` is ASCII in RE2), and is
//! an error where the rewriting does not know how.

use regex::{Regex, RegexBuilder};

use super::{Function, Overload, Run, Style, Ty, overload};
use crate::policy::condition::fault::{Fault, Meter};
use crate::policy::condition::value::{Text, Value};

const MATCHES: &[Overload] = &[overload(&[Ty::Text, Ty::Text], Ty::Bool)];

const fn pattern(name: &'static str, style: Style, overloads: &'static [Overload], run: super::Pattern) -> Function {
    Function {
        name,
        style,
        overloads,
        run: Run::Pattern(run),
        tried_at_load: false,
    }
}

pub(super) const FUNCTIONS: &[Function] = &[
    pattern("matches", Style::Member, MATCHES, matches),
    pattern("matches", Style::Global, MATCHES, matches),
    pattern(
        "find",
        Style::Member,
        &[overload(&[Ty::Text, Ty::Text], Ty::Text)],
        find,
    ),
    pattern(
        "findAll",
        Style::Member,
        &[
            overload(&[Ty::Text, Ty::Text], Ty::Texts),
            overload(&[Ty::Text, Ty::Text, Ty::Int], Ty::Texts),
        ],
        find_all,
    ),
];

/// Compiles a pattern, or says what is wrong with it.
pub(in crate::policy::condition) fn compile(pattern: &str) -> Result<Regex, String> {
    let rewritten = rewrite(pattern)?;
    RegexBuilder::new(&rewritten)
        .size_limit(1 << 20)
        .dfa_size_limit(1 << 20)
        .nest_limit(64)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "the pattern is too large".to_owned(),
            other => {
                // The last line says what; those before it draw a picture.
                let text = other.to_string();
                let reason = text.lines().last().unwrap_or_default();
                format!("no valid pattern: {}", reason.strip_prefix("error: ").unwrap_or(reason))
            }
        })
}

/// From RE2's syntax to that of Rust's engine.
fn rewrite(pattern: &str) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern.chars().peekable();
    let mut in_class = false;
    // A `]` right after the opening is a literal.
    let mut class_begins = false;
    while let Some(character) = rest.next() {
        let begins = std::mem::take(&mut class_begins);
        match character {
            '\\' => {
                let escaped = rest.next().ok_or("no valid pattern: it ends in a backslash")?;
                escape(escaped, in_class, &mut out)?;
            }
            '[' if !in_class => {
                in_class = true;
                class_begins = true;
                out.push('[');
                if rest.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
            }
            '[' if rest.peek() == Some(&':') => {
                out.push('[');
                for next in rest.by_ref() {
                    out.push(next);
                    if next == ']' {
                        break;
                    }
                }
            }
            // Rust's engine has classes within classes, and sets: none of that is RE2's.
            '[' | '&' | '~' if in_class => {
                out.push('\\');
                out.push(character);
            }
            ']' if in_class && begins => out.push_str("\\]"),
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '(' if !in_class && rest.peek() == Some(&'?') => {
                out.push('(');
                flags(&mut rest, &mut out)?;
            }
            other => out.push(other),
        }
    }
    Ok(out)
}

/// What follows `(` of `(?…`: flags that RE2 has.
fn flags(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) -> Result<(), String> {
    while let Some(next) = rest.next_if(|next| matches!(next, '?' | 'i' | 'm' | 's' | 'U' | '-' | 'P')) {
        out.push(next);
    }
    match rest.peek() {
        Some(')' | ':' | '<') => Ok(()),
        _ => Err("no valid pattern: after `(?` comes a flag of `imsU`, `:` or a name".to_owned()),
    }
}

fn escape(escaped: char, in_class: bool, out: &mut String) -> Result<(), String> {
    let ascii = match (escaped, in_class) {
        ('d', false) => "[0-9]",
        ('d', true) => "0-9",
        ('D', _) => "[^0-9]",
        ('w', false) => "[0-9A-Za-z_]",
        ('w', true) => "0-9A-Za-z_",
        ('W', _) => "[^0-9A-Za-z_]",
        ('s', false) => "[\\t\\n\\f\\r ]",
        ('s', true) => "\\t\\n\\f\\r ",
        ('S', _) => "[^\\t\\n\\f\\r ]",
        ('b', false) => "(?-u:\\b)",
        ('A' | 'z', false) | ('p' | 'P' | 'a' | 'f' | 't' | 'n' | 'r' | 'v' | 'x', _) => {
            out.push('\\');
            out.push(escaped);
            return Ok(());
        }
        _ if escaped.is_ascii_punctuation() => {
            // `\<` is a word boundary in Rust's engine, and a plain character in RE2.
            if !matches!(escaped, '<' | '>') {
                out.push('\\');
            }
            out.push(escaped);
            return Ok(());
        }
        _ => return Err(format!("no valid pattern: `\\{escaped}` is not supported")),
    };
    out.push_str(ascii);
    Ok(())
}

/// The text to search in, paid for.
fn subject<'a, 'v>(meter: &mut Meter, arguments: &'a [Value<'v>]) -> Result<&'a Text<'v>, Fault> {
    let Some(Value::Text(text)) = arguments.first() else {
        return Err(Fault::Overload);
    };
    // A step of the automaton costs more than comparing a byte.
    meter.charge(text.as_str().len())?;
    Ok(text)
}

fn matches<'v>(meter: &mut Meter, regex: &Regex, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
    let text = subject(meter, arguments)?;
    Ok(Value::Bool(regex.is_match(text.as_str())))
}

fn find<'v>(meter: &mut Meter, regex: &Regex, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
    let text = subject(meter, arguments)?;
    Ok(match regex.find(text.as_str()) {
        Some(found) => text.part(found.start(), found.end()).map_or(Value::Null, Value::Text),
        None => Value::text(""),
    })
}

fn find_all<'v>(meter: &mut Meter, regex: &Regex, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
    let text = subject(meter, arguments)?;
    let limit = match arguments.get(2) {
        None => usize::MAX,
        // Go: any negative number means all of them.
        Some(Value::Int(limit)) => usize::try_from(*limit).unwrap_or(usize::MAX),
        Some(_) => return Err(Fault::Overload),
    };
    let mut all = Vec::new();
    for found in regex.find_iter(text.as_str()).take(limit) {
        meter.charge(1)?;
        all.extend(text.part(found.start(), found.end()).map(Value::Text));
    }
    Ok(Value::list(all))
}
