//! A value that exists nowhere else, and the ways in which it could come through.

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A value that is looked for in everything that leaves the guard.
#[derive(Clone, Debug)]
pub struct Canary(pub String);

impl Canary {
    /// Long enough that no base64 of it around other bytes looks different in all three alignments by accident.
    #[must_use]
    pub fn new(word: &str, namespace: &str) -> Self {
        Self(format!("canary-{word}-{namespace}-sings"))
    }

    /// With characters that JSON escapes, or that Go's encoder escapes in JSON.
    #[must_use]
    pub fn escaped(word: &str, namespace: &str) -> Self {
        Self(format!("canary\"{word}<{namespace}>&\\sings"))
    }

    /// The form in which it is in these bytes, if any.
    #[must_use]
    pub fn is_in(&self, haystack: &[u8]) -> Option<&'static str> {
        Search::new([self]).found_in(haystack).first().map(|found| found.form)
    }

    /// Every form that it can take, with the name of each.
    fn forms(&self) -> Vec<(&'static str, String)> {
        let mut forms = vec![("plain", self.0.clone()), ("hex", hex::encode(&self.0))];
        for once in [json(&self.0), go(&self.0)] {
            forms.push(("JSON in JSON", json(&once)));
            forms.push(("JSON in JSON", go(&once)));
            forms.push(("JSON", once));
        }
        for offset in 0..3 {
            let encoded = STANDARD.encode([&b"...."[..offset], self.0.as_bytes()].concat());
            // The groups of three bytes that hold nothing but the canary.
            forms.push(("base64", encoded[4..encoded.len() - 4].to_owned()));
        }
        forms
    }
}

/// Looks for many canaries at once.
#[derive(Debug)]
pub struct Search {
    automaton: AhoCorasick,
    /// For each pattern: which canary, in which form.
    patterns: Vec<(usize, &'static str)>,
}

/// A canary that came through.
#[derive(Debug)]
pub struct Found {
    /// Which of those that were looked for.
    pub index: usize,
    /// `plain`, `base64`, …
    pub form: &'static str,
    /// What stands around the first of them.
    pub around: String,
}

impl Search {
    #[must_use]
    pub fn new<'a>(canaries: impl IntoIterator<Item = &'a Canary>) -> Self {
        let (mut patterns, mut forms) = (Vec::new(), Vec::new());
        for (index, canary) in canaries.into_iter().enumerate() {
            for (name, form) in canary.forms() {
                patterns.push((index, name));
                forms.push(form);
            }
        }
        // In any case of letters: a label, or a host name, is in lower case.
        let automaton = AhoCorasick::builder().ascii_case_insensitive(true).build(forms);
        Self {
            automaton: automaton.expect("few and short patterns"),
            patterns,
        }
    }

    /// Those that are in these bytes, each where it was found first.
    #[must_use]
    pub fn found_in(&self, haystack: &[u8]) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        for hit in self.automaton.find_overlapping_iter(haystack) {
            let (index, form) = self.patterns[hit.pattern().as_usize()];
            if found.iter().all(|known| known.index != index) {
                let around = hit.start().saturating_sub(200)..haystack.len().min(hit.end() + 80);
                let around = String::from_utf8_lossy(&haystack[around]).into_owned();
                found.push(Found { index, form, around });
            }
        }
        found
    }
}

/// As the inside of a JSON string.
fn json(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// The same as Go's encoder writes it.
fn go(text: &str) -> String {
    json(text)
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_is_found_in_every_form() {
        for canary in [Canary::new("word", "team"), Canary::escaped("word", "team")] {
            for around in ["", "x", "xy", "xyz"] {
                let text = format!("{around}{}{around}", canary.0);
                assert!(canary.is_in(text.as_bytes()).is_some());
                assert_eq!(canary.is_in(STANDARD.encode(&text).as_bytes()), Some("base64"));
                assert_eq!(canary.is_in(hex::encode(&text).as_bytes()), Some("hex"));
                let json = serde_json::to_string(&text).unwrap();
                assert!(canary.is_in(json.as_bytes()).is_some());
                let json = serde_json::to_string(&json).unwrap();
                assert!(canary.is_in(json.as_bytes()).is_some());
            }
            assert_eq!(canary.is_in(b"nothing"), None);
        }
        let two = [Canary::new("one", "team"), Canary::new("two", "team")];
        let found = Search::new(&two).found_in(two[1].0.to_uppercase().as_bytes());
        assert_eq!((found.len(), found[0].index, found[0].form), (1, 1, "plain"));
        let go = r#"canary\\\"word\\u003cteam\\u003e\\u0026\\\\sings"#;
        assert!(Canary::escaped("word", "team").is_in(go.as_bytes()).is_some());
    }
}
