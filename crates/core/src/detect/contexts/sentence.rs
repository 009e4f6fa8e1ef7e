//! Whether what follows a name is prose, or a value of several words.

use std::ops::Range;

use crate::detect::names::Secrecy;

use super::bytes::{at, is_blank, part, rest, skip};
use super::harmless::is_harmless;
use super::named::{Delimiter, Named};
use super::value::{self, Place, is_secret, looks_secret};

/// Whether words go on after the value, and it is one of them: `invalid token: could not parse`.
pub(super) fn is_sentence(line: &[u8], first: &Range<usize>, secrecy: Secrecy) -> bool {
    let word = part(line, first.clone());
    let next = skip(line, first.end, is_blank);
    // `open /etc/tls/tls.key: no such file`.
    let goes_on = next > first.end && (at(line, next).is_ascii_alphabetic() || at(line, next) == b'/');
    // `map[password:x user:bob]`.
    let following = skip(line, next, |byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if at(line, following) == b':' && at(line, following + 1) > b' ' {
        return false;
    }
    let plain = value::is_plain_word(word) && !looks_secret(word, 6);
    plain
        && goes_on
        && (secrecy != Secrecy::Password || !at(line, first.end + 1).is_ascii_uppercase())
        && !rest(line, next).iter().take(48).any(|byte| *byte == b'=')
}

/// Whether a value without quotes is several words, up to the end of the line.
pub(super) fn several(line: &[u8], named: &Named, first: &Range<usize>, all: &Range<usize>) -> bool {
    if named.secrecy != Secrecy::Password || !is_blank(at(line, first.end)) {
        return false;
    }
    let name = part(line, named.name.clone());
    let capitals = !name.iter().any(u8::is_ascii_lowercase);
    if named.delimiter == Delimiter::Equal && capitals && named.value == named.name.end + 1 {
        // `PGPASSWORD=x psql`.
        return false;
    }
    let text = part(line, first.clone());
    // `!reference [.secrets, db]`, `<%= ENV['X'] %>`; a passphrase may begin with a word that says nothing.
    if (matches!(text.first(), Some(b'!' | b'<' | b'{' | b'$' | b'[')) || text.contains(&b'(')) && is_harmless(text) {
        return false;
    }
    let more = part(line, first.end..all.end);
    let sentence = is_prose(part(line, all.clone()));
    let words = more.iter().filter(|byte| **byte == b' ').count();
    !looks_secret(text, 6)
        && !sentence
        && (words >= 2 || is_secret(named.secrecy, text, Place::Assigned))
        && !more.contains(&b'=')
        && !more.contains(&b':')
        && !more.contains(&b'(')
        && more.len() < 128
}

/// Whether a text is a sentence, by words that no passphrase has in it.
pub(super) fn is_prose(text: &[u8]) -> bool {
    const PROSE: [&[u8]; 37] = [
        b"de",
        b"la",
        b"you",
        b"your",
        b"this",
        b"please",
        b"enter",
        b"page",
        b"is",
        b"must",
        b"the",
        b"be",
        b"for",
        b"to",
        b"not",
        b"a",
        b"an",
        b"was",
        b"of",
        b"with",
        b"in",
        b"at",
        b"should",
        b"required",
        b"characters",
        b"failed",
        b"from",
        b"has",
        b"too",
        b"or",
        b"password",
        b"user",
        b"account",
        b"changed",
        b"updated",
        b"expiry",
        b"successfully",
    ];
    text.ends_with(b".")
        || text
            .split(|byte| *byte == b' ')
            .any(|word| PROSE.iter().any(|prose| word.eq_ignore_ascii_case(prose)))
}
