//! The cheap look at a text, most of which have nothing in them.

use std::sync::LazyLock;

use memchr::memchr;

use super::contexts::{self, encoded};
use super::engine::Fingerprints;
use super::rules::Rules;

/// Whether a text has nothing in it that the detectors of this crate find: none of the literals that each of their hits
/// has in it or beside it, and nothing that could be unpacked.
#[derive(Debug)]
pub(super) struct Quiet {
    marks: Fingerprints,
    rules: Rules,
}

impl Quiet {
    /// For the rules and contexts that come with this crate.
    pub(super) fn built_in() -> &'static Self {
        static QUIET: LazyLock<Quiet> = LazyLock::new(|| {
            let rules = Rules::built_in();
            let mut marks: Vec<Box<[u8]>> = contexts::marks().map(|mark| mark.as_bytes().into()).collect();
            marks.extend(rules.engine().literals().map(Box::from));
            Quiet {
                marks: Fingerprints::new(marks),
                rules,
            }
        });
        &QUIET
    }

    pub(super) fn is_quiet(&self, text: &[u8]) -> bool {
        !self.marks.any(text)
            && memchr(b'@', text).is_none()
            && !self.rules.engine().may_match_without(text)
            && encoded::is_absent(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_long_enough() {
        assert!(contexts::marks().all(|mark| mark.len() >= crate::detect::engine::SHORTEST));
    }

    #[test]
    fn tells_what_has_nothing_in_it() {
        let quiet = Quiet::built_in();
        for text in [
            "",
            "a",
            "8080",
            "postgres.shop.svc",
            "eu-west-1",
            "/var/lib/data",
            "512Mi",
        ] {
            assert!(quiet.is_quiet(text.as_bytes()), "{text}");
        }
        for text in [
            "DB_PASSWORD=x",
            "user:x@host",
            "a%3Db",
            "\\u0061",
            "cGFzc3dvcmQ9aHVudGVyMg",
            "07401b.f395accd246ae52d",
            "hvs.x",
        ] {
            assert!(!quiet.is_quiet(text.as_bytes()), "{text}");
        }
    }
}
