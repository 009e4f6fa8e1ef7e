//! Where a name of a secret may be: the cheap look at every byte, after which few places are left to look at closely.

use std::sync::LazyLock;

use aho_corasick::packed::{Config, MatchKind, Searcher};
use aho_corasick::{AhoCorasick, AhoCorasickBuilder};
use std::ops::Range;

use super::bytes::rest;

/// What every name of a secret has in it, in the three ways in which names are written.
const STEMS: &[&str] = &[
    "pass",
    "code=",
    "appid=",
    "IDENTIFIED BY",
    "dentified by",
    "Pass",
    "PASS",
    "pwd",
    "Pwd",
    "PWD",
    "ecret",
    "ECRET",
    "oken",
    "OKEN",
    "key",
    "Key",
    "KEY",
    "redential",
    "REDENTIAL",
    "creds",
    "uthoriz",
    "UTHORIZ",
    "auth",
    "Auth",
    "AUTH",
    "earer",
    "EARER",
    "ookie",
    "OOKIE",
    "ession",
    "ESSION",
    "SESSID",
    "ignature",
    "IGNATURE",
    "onnectionS",
    "onnection_s",
    "ONNECTION_S",
    "connstr",
    "ubeconfig",
    "UBECONFIG",
    "ockerc",
    "OCKERC",
    "psk",
    "PSK",
    "sas",
    "SAS",
    "Sas",
    "sig=",
    "jwt",
    "JWT",
    "pin",
    "PIN",
    "Pin",
    "otp",
    "OTP",
    "nemonic",
    "phrase",
];

enum Anchors {
    Packed(Searcher),
    Automaton(AhoCorasick),
    /// Not even that could be built: every byte is looked at closely.
    None,
}

static ANCHORS: LazyLock<Anchors> = LazyLock::new(|| {
    let packed = Config::new()
        .match_kind(MatchKind::LeftmostFirst)
        .builder()
        .extend(STEMS)
        .build();
    packed.map_or_else(
        || {
            AhoCorasickBuilder::new()
                .build(STEMS)
                .map_or(Anchors::None, Anchors::Automaton)
        },
        Anchors::Packed,
    )
});

/// The next place where a name of a secret may be.
pub(super) fn next(text: &[u8], from: usize) -> Option<Range<usize>> {
    let text = rest(text, from);
    let found = match &*ANCHORS {
        Anchors::Packed(searcher) => searcher.find(text)?.span(),
        Anchors::Automaton(automaton) => automaton.find(text)?.span(),
        Anchors::None => (!text.is_empty()).then_some(aho_corasick::Span { start: 0, end: 1 })?,
    };
    Some(from + found.start..from + found.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_have_one() {
        for name in [
            "password",
            "DB_PWD",
            "clientSecret",
            "API_TOKEN",
            "x-api-key",
            "userPin",
            "Set-Cookie",
            "sig=",
            "credentials",
        ] {
            assert!(next(name.as_bytes(), 0).is_some(), "{name}");
        }
        assert_eq!(next(b"the quick brown fox", 0), None);
    }
}
