//! What a command prints that prints a secret: `cat /run/secrets/db_password`, and the secret on the line below.

use std::ops::Range;

use memchr::memmem;

use crate::detect::names::{Secrecy, secrecy};

use super::bytes::{part, trimmed};
use super::sink::Sink;
use super::value::{Place, is_of_words, is_secret, looks_secret};

/// What such a command has in it, if no name of a secret.
pub(super) const MARKS: &[&str] = &["base64 -", "get-secret-value", "secrets versions access", "{.data."];

/// Where a prompt ends at the latest.
const LONGEST_PROMPT: usize = 96;

/// What the line before says of the next one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Carry(Option<Secrecy>);

impl Carry {
    pub(super) fn is_idle(&self) -> bool {
        self.0.is_none()
    }
}

/// Looks at a line; `marked` says whether it may be such a command.
pub(super) fn scan(line: &[u8], marked: bool, carry: &mut Carry, sink: &mut Sink<'_>) {
    if let Some(secrecy) = carry.0.take()
        && let Some(printed) = printed(line, secrecy)
    {
        sink.push(printed, "spoken-value");
        return;
    }
    if marked {
        carry.0 = command(line);
    }
}

/// The one word of a line, if it is a secret.
fn printed(line: &[u8], secrecy: Secrecy) -> Option<Range<usize>> {
    let mut range = trimmed(line, 0..line.len());
    // What Elasticsearch says when it has made one.
    if let Some(value) = part(line, range.clone()).strip_prefix(b"New value: ") {
        range = range.end - value.len()..range.end;
    }
    let word = part(line, range.clone());
    let is_word = word.len() >= 4 && !word.iter().any(u8::is_ascii_whitespace) && !word.ends_with(b":");
    let is_one = secrecy == Secrecy::Password || looks_secret(word, 8) || is_of_words(word, 3);
    (is_word && is_one && is_secret(secrecy, word, Place::Assigned)).then_some(range)
}

/// What a command prints, if that is a secret.
fn command(line: &[u8]) -> Option<Secrecy> {
    let line = line.trim_ascii();
    let is_said = line.ends_with(b":") && memmem::find(line, b"assword for the elastic user").is_some();
    if is_said || line.ends_with(b"reset.") && memmem::find(line, b"assword for the [").is_some() {
        return Some(Secrecy::Password);
    }
    // Behind the prompt.
    let head = part(line, 0..line.len().min(LONGEST_PROMPT));
    let is_prompt = |pair: &[u8]| matches!(pair, [b'$' | b'#' | b'>' | b'%', b' ']);
    let prompt = head.windows(2).position(is_prompt);
    let text = prompt
        .map_or(line, |prompt| part(line, prompt + 2..line.len()))
        .trim_ascii();
    let mut words = text.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let (program, last) = (words.next()?, words.next_back()?);
    let has = |part: &[u8]| memmem::find(text, part).is_some();
    let is_alone = words.clone().next().is_none();
    let name = match program {
        b"cat" if is_alone => last.rsplit(|byte| *byte == b'/').next()?,
        b"printenv" if is_alone => last,
        b"echo" if is_alone => variable(last)?,
        b"kubectl" | b"oc" | b"k" if has(b"secret") && (decodes(text) || has(b"{.data.") && !has(b"|")) => {
            return Some(Secrecy::Password);
        }
        b"aws" if has(b"get-secret-value") && has(b"text") => return Some(Secrecy::Password),
        b"gcloud" if has(b"secrets versions access") => return Some(Secrecy::Password),
        _ => return None,
    };
    secrecy(name).filter(|secrecy| matches!(secrecy, Secrecy::Password | Secrecy::Token))
}

/// `$NAME`, `"$NAME"`, `${NAME}`.
fn variable(word: &[u8]) -> Option<&[u8]> {
    let word = word.strip_prefix(b"\"").unwrap_or(word);
    let word = word.strip_suffix(b"\"").unwrap_or(word).strip_prefix(b"$")?;
    Some(match word.strip_prefix(b"{") {
        Some(braced) => braced.strip_suffix(b"}")?,
        None => word,
    })
}

/// Whether a pipe ends in what decodes base64.
fn decodes(text: &[u8]) -> bool {
    let last = text
        .rsplit(|byte| *byte == b'|')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    let last = last
        .strip_suffix(b"; echo")
        .or_else(|| last.strip_suffix(b";echo"))
        .unwrap_or(last);
    matches!(last, b"base64 -d" | b"base64 --decode" | b"base64 -D")
}
