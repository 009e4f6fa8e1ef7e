//! Names whose values a policy says are secret.
//!
//! 1. Names are compared without case and separators, and count at the end of longer ones: `acmeKey` is the end of
//!    `SPRING_ACME_KEY`.
//! 2. In text a value is what follows the name and a `:` or a `=`, in quotes or up to a blank, a comma or a bracket.

use regex::bytes::{Regex, RegexBuilder};

use super::contexts;
use super::detectors::Detector;
use super::hit::Hits;

/// Name of the rule of each hit.
pub(crate) const RULE: &str = "named-value";

/// Largest compiled pattern of all names.
const MAX_PATTERN: usize = 4 * 1024 * 1024;

/// Names whose values are secret.
#[derive(Debug)]
pub(super) struct OwnNames {
    compact: Vec<Vec<u8>>,
    /// How much of the end of a name is looked at.
    longest: usize,
    in_text: Regex,
}

impl OwnNames {
    /// These names; none if they are too many to be looked for.
    pub(super) fn new(names: &[String]) -> Option<Self> {
        let compact: Vec<Vec<u8>> = names.iter().map(|name| compact(name.as_bytes())).collect();
        let patterns: Vec<String> = compact.iter().map(|name| pattern(name)).collect();
        let pattern = format!(
            r#"(?i-u)(?:{})\\{{0,2}}["']?[ \t]{{0,4}}[:=][ \t]{{0,4}}(?:\\{{0,2}}["'])?(?P<secret>\$\{{[^\s}}]*\}}|[^\s"'\\,;&<>{{}}\[\]()]+)"#,
            patterns.join("|")
        );
        let in_text = RegexBuilder::new(&pattern).size_limit(MAX_PATTERN).build().ok()?;
        // With something between any two letters, and some more: it is looked at for each of many values.
        let longest = compact.iter().map(Vec::len).max().unwrap_or_default() * 2 + 64;
        Some(Self {
            compact,
            longest,
            in_text,
        })
    }

    /// Whether a value of a name is secret.
    pub(super) fn tell(&self, name: &[u8], value: &[u8]) -> bool {
        let name = compact(name.get(name.len().saturating_sub(self.longest)..).unwrap_or_default());
        self.compact.iter().any(|known| name.ends_with(known)) && contexts::is_secret_value(b"password", value)
    }
}

impl Detector for OwnNames {
    fn detect(&self, text: &[u8], hits: &mut Hits) {
        for found in self.in_text.captures_iter(text) {
            if let Some(secret) = found.name("secret")
                && contexts::is_secret_value(b"password", secret.as_bytes())
            {
                hits.push(secret.range(), RULE);
            }
        }
    }

    fn is_quiet(&self, text: &[u8]) -> bool {
        !self.in_text.is_match(text)
    }
}

fn compact(name: &[u8]) -> Vec<u8> {
    let letters = name.iter().filter(|byte| byte.is_ascii_alphanumeric());
    letters.map(u8::to_ascii_lowercase).collect()
}

/// The letters of a name, with a separator between any two of them.
fn pattern(compact: &[u8]) -> String {
    let letters: Vec<String> = compact.iter().map(|byte| char::from(*byte).to_string()).collect();
    letters.join("[-_. ]?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_policy_count_like_ours() {
        let names = OwnNames::new(&["acmeKey".to_owned(), "x-door".to_owned()]).unwrap();
        for name in ["acmeKey", "ACME_KEY", "spring.acme-key", "X_Door"] {
            assert!(names.tell(name.as_bytes(), b"opensesame"), "{name}");
        }
        for (name, value) in [
            ("acmeKeys", "opensesame"),
            ("acme", "opensesame"),
            ("acmeKey", ""),
            ("acmeKey", "${ACME_KEY}"),
        ] {
            assert!(!names.tell(name.as_bytes(), value.as_bytes()), "{name} {value}");
        }
        for (text, secret) in [
            ("ACME_KEY=opensesame next", Some("opensesame")),
            (r#"{"acmeKey": "open", "b": 1}"#, Some("open")),
            (r#"{\"acmeKey\":\"open\"}"#, Some("open")),
            ("acme-key: 'open sesame'", Some("open")),
            ("--x-door=sesame,b", Some("sesame")),
            ("acme key", None),
            ("acmeKey: ${X}", None),
        ] {
            let mut hits = Hits::default();
            names.detect(text.as_bytes(), &mut hits);
            let found = hits.as_slice().first().map(|hit| &text[hit.range.clone()]);
            assert_eq!(found, secret, "{text}");
        }
    }
}
