//! Secrets that their surroundings tell: a name before them, a flag, a place in a URL, a header or a file.
//!
//! 1. A name tells ([`names`](super::names)), in every notation in which a name has a value: `NAME=x`, `name: x`,
//!    `"name": "x"` and the same quoted again, `--name x`, `<name>x</name>`, `name: NAME` with `value: x` after it, a
//!    header, a sentence. A place that is less sure needs a value that looks like a secret.
//! 2. A position tells: arguments of known programs, the password of a URL or of a connection string, the fields of
//!    `.pgpass`, `.netrc`, `/etc/shadow` and their kin.
//! 3. What can't be a secret stays, whatever its name: nothing, a placeholder, a variable, a reference, a path, the marker.
//! 4. Base64, hexadecimal digits and gzip are unpacked, three levels deep and at most a MiB of what a run of them has
//!    zipped; a run with a secret in it goes whole. Percent-encoding and `\\u0041` are resolved, and what is found is
//!    masked where it was. This is done for all detectors ([`Detectors`](super::Detectors)).
//! 5. A line of JSON is one afterwards: no hit goes over the end of a string or splits an escape, and what is no string
//!    but a number becomes `0`.
//! 6. A line is looked at by itself, with what the lines before it said ([`LineState`]).
//!
//! Time is linear in the text: what was looked at for one name is not looked at again for the next one, or is bounded.

mod anchors;
mod announced;
mod assignment;
mod bare;
mod blocks;
mod bytes;
mod calls;
mod columns;
pub(super) mod encoded;
mod exceptions;
mod fallback;
mod files;
pub(super) mod guard;
mod harmless;
mod header;
mod lines;
mod manifest;
mod named;
mod pair;
mod program_stems;
mod programs;
mod prose;
mod quote;
mod sentence;
mod servers;
mod shell;
mod sink;
mod stems;
mod transcript;
mod url;
mod value;
mod words;
mod yaml_secret;

#[cfg(test)]
mod tests;

pub(super) use shell::arguments;

use std::sync::LazyLock;

use memchr::{memchr, memchr2, memrchr2};

use super::detectors::Detector;
use super::hit::Hits;
use super::lines::LineState as Stream;
use super::names::{Alone, Secrecy};
use lines::LineState;
use sink::Sink;
use stems::Stems;
use value::Place;

/// The rules of all hits.
pub(super) const RULES: [&str; 12] = [
    "access-list",
    "argument",
    "http-credentials",
    "named-block",
    "named-element",
    "named-value",
    "password-hash",
    "pgpass",
    RANDOM,
    "spoken-value",
    "url-password",
    "web-key",
];

/// The rule of what was drawn at random, and is nothing else that is known.
pub(super) const RANDOM: &str = "random-value";

/// Finds what surroundings tell.
#[derive(Debug, Clone, Copy, Default)]
pub struct Contexts;

impl Detector for Contexts {
    fn detect(&self, text: &[u8], hits: &mut Hits) {
        lines(text, 0, &mut LineState::default(), hits);
    }

    fn line_state(&self) -> Option<Box<dyn Stream>> {
        Some(Box::<LineState>::default())
    }
}

impl Stream for LineState {
    fn lines(&mut self, text: &[u8], hits: &mut Hits) {
        lines(text, 0, self, hits);
    }
}

/// What a text has in it where anything is found: one of these, or a byte `@`.
pub(super) fn marks() -> impl Iterator<Item = &'static str> {
    SETS.into_iter().flatten().copied()
}

/// The marks of each of the searches.
const SETS: [&[&str]; 8] = [
    anchors::STEMS,
    program_stems::STEMS,
    files::MARKS,
    transcript::MARKS,
    calls::FIRST,
    calls::SECOND,
    calls::THIRD,
    calls::INSERTS,
];

/// One search for all of them.
static MARKS: LazyLock<Stems> = LazyLock::new(|| Stems::new(marks()));

/// What there may be in a line.
#[derive(Debug, Clone, Copy, Default)]
struct Marked {
    name: bool,
    program: bool,
    file: bool,
    transcript: bool,
    call: bool,
}

impl Marked {
    /// What the marks of a line say, the first of which is not before `from`.
    fn of(line: &[u8], from: usize) -> Self {
        let mut marked = Self::default();
        MARKS.each(line, from, |mut index| {
            let set = SETS.iter().position(|set| {
                let is_it = index < set.len();
                index = index.saturating_sub(set.len());
                is_it
            });
            match set {
                Some(0) => marked.name = true,
                Some(1) => marked.program = true,
                Some(2) => marked.file = true,
                Some(3) => marked.transcript = true,
                _ => marked.call = true,
            }
        });
        marked
    }
}

/// Looks at lines that follow those that the state has seen; `offset` is where they begin for the hits.
fn lines(text: &[u8], offset: usize, state: &mut LineState, hits: &mut Hits) {
    let mut start = 0;
    let mut candidates = Candidates::default();
    while start < text.len() {
        if state.is_idle() {
            let Some(next) = candidates.next(text, start) else {
                return;
            };
            start = memrchr2(b'\n', b'\r', bytes::part(text, start..next)).map_or(start, |end| start + end + 1);
        }
        let end = memchr2(b'\n', b'\r', bytes::rest(text, start)).map_or(text.len(), |end| start + end);
        let line = bytes::part(text, start..end);
        if line.is_empty() {
            start = end + 1;
            continue;
        }
        let first = candidates.mark.flatten().map_or(0, |mark| mark.saturating_sub(start));
        let marked = Marked::of(line, first);
        let sink = &mut Sink::new(hits, offset + start);
        if !lines::follow(line, &mut state.names, sink) && marked.name {
            assignment::scan(line, &mut state.names, sink);
        }
        if marked.program || !state.shell.is_idle() {
            shell::scan(line, &mut state.shell, sink);
        }
        url::scan(line, sink);
        if marked.file || !state.announced.is_idle() {
            files::scan(line, &mut state.announced, sink);
        }
        if marked.call {
            calls::scan(line, sink);
        }
        columns::scan(line, marked.name, &mut state.columns, sink);
        yaml_secret::scan(line, marked.name, &mut state.secret, sink);
        transcript::scan(line, marked.name || marked.transcript, &mut state.printed, sink);
        start = end + 1;
    }
}

/// The next place for each of the searches, so that none looks at a byte twice.
#[derive(Debug, Default)]
struct Candidates {
    mark: Option<Option<usize>>,
    userinfo: Option<Option<usize>>,
}

impl Candidates {
    /// The first place at or after a position where there may be something.
    fn next(&mut self, text: &[u8], from: usize) -> Option<usize> {
        let mark = refreshed(&mut self.mark, from, || MARKS.next(text, from).map(|found| found.start));
        let userinfo = refreshed(&mut self.userinfo, from, || {
            memchr(b'@', bytes::rest(text, from)).map(|found| from + found)
        });
        [mark, userinfo].into_iter().flatten().min()
    }
}

/// What a search found before, or finds now if that is behind us.
fn refreshed(last: &mut Option<Option<usize>>, from: usize, search: impl FnOnce() -> Option<usize>) -> Option<usize> {
    match *last {
        Some(None) => None,
        Some(Some(found)) if found >= from => Some(found),
        _ => {
            let found = search();
            *last = Some(found);
            found
        }
    }
}

/// Whether the whole value of a name is a secret, where nothing but the value can follow the name.
pub(super) fn is_secret_value(name: &[u8], value: &[u8]) -> bool {
    let value = value.trim_ascii();
    let is_one = |secrecy| value::is_secret(secrecy, value, Place::Assigned);
    match super::names::alone(name) {
        None => false,
        Some(Alone::Any(Secrecy::Token)) => value::is_token_of(name, value),
        Some(Alone::Any(secrecy)) => is_one(secrecy),
        Some(Alone::Long) => value.len() >= LEAST_LONG && (is_one(Secrecy::Perhaps) || value::is_token_of(name, value)),
        Some(Alone::NoWord) => value::looks_secret(value, LEAST_NO_WORD),
    }
}

/// Whether the whole value of an environment variable or of a key of a ConfigMap is a secret, by a name that ends with one:
/// such a value is no reference to an object.
pub(super) fn is_secret_setting(name: &[u8], value: &[u8]) -> bool {
    let is_secret = matches!(super::names::alone(name), Some(Alone::Any(Secrecy::Token)));
    is_secret && value::is_token(value.trim_ascii())
}

/// Whether a value was drawn at random, and its name does not say that it may be shown: of a digest, an identifier.
pub(super) fn is_random_value(name: Option<&str>, value: &[u8]) -> bool {
    const LEAST: usize = 24;
    const LONGEST: usize = 128;
    const SHOWN: [&str; 20] = [
        "hash",
        "digest",
        "checksum",
        "sum",
        "id",
        "uid",
        "uuid",
        "version",
        "revision",
        "name",
        "ref",
        "cert",
        "certificate",
        "bundle",
        "publickey",
        "fingerprint",
        "etag",
        "image",
        "continue",
        "etag",
    ];
    let is_shown = |name: &str| {
        let name = name
            .trim_end_matches(|last: char| last.is_ascii_digit())
            .to_ascii_lowercase();
        SHOWN.iter().any(|word| name.ends_with(word))
    };
    // Of a public key: `n`, `x`, `kid`.
    let is_shown = |name: &str| name.len() <= 3 || is_shown(name);
    (LEAST..=LONGEST).contains(&value.len())
        && value
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/_-=".contains(byte))
        && !value
            .split(|byte| *byte == b'=')
            .skip(1)
            .any(|behind| !behind.is_empty())
        && value::looks_random(value)
        && !name.is_some_and(is_shown)
        // What gzip and base64 say was looked through.
        && !value.starts_with(b"H4sI")
        && !encoded::says_text(value)
}

/// Fewest bytes of a session, a cookie or a signature that is one whatever it looks like.
const LEAST_LONG: usize = 16;
/// Fewest bytes of what is called `auth` and is no word.
const LEAST_NO_WORD: usize = 4;
