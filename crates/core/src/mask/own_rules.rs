//! Rules of a policy about secrets in text.
//!
//! 1. A pattern takes time in proportion to the text (`regex` has no backtracking) and is bounded in size.
//! 2. It may not match an empty text: then it says nothing about where a secret is.
//! 3. Its examples are its tests: a rule that misses one of its positive ones, or finds something in a negative one, is
//!    none.

use regex::bytes::{Regex, RegexBuilder};
use smol_str::SmolStr;

use super::settings::DetectRule;
use crate::detect::{Detector, Hits};

/// Largest compiled pattern.
const MAX_PATTERN: usize = 1024 * 1024;

/// Why a rule is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RuleError {
    /// Which of the rules.
    pub rule: usize,
    /// What of it is wrong.
    pub part: RulePart,
    /// What is wrong.
    pub message: String,
}

/// What of a rule is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RulePart {
    /// The pattern.
    Pattern,
    /// The name of the group that is the secret.
    Secret,
    /// This one of the positive examples.
    Positive(usize),
    /// This one of the negative examples.
    Negative(usize),
}

/// Finds what a policy's rules describe.
#[derive(Debug)]
pub(super) struct OwnRules(Vec<OwnRule>);

#[derive(Debug)]
struct OwnRule {
    id: SmolStr,
    pattern: Regex,
    /// Number of the group that is the secret; 0 is the whole match.
    secret: usize,
}

impl OwnRules {
    pub(super) fn new(rules: &[DetectRule]) -> Result<Self, RuleError> {
        let compiled = rules.iter().enumerate().map(|(at, rule)| {
            OwnRule::new(rule).map_err(|(part, message)| RuleError {
                rule: at,
                part,
                message,
            })
        });
        compiled.collect::<Result<_, _>>().map(Self)
    }
}

impl Detector for OwnRules {
    fn detect(&self, text: &[u8], hits: &mut Hits) {
        for rule in &self.0 {
            rule.detect(text, hits);
        }
    }
}

impl OwnRule {
    fn new(rule: &DetectRule) -> Result<Self, (RulePart, String)> {
        let pattern = RegexBuilder::new(&rule.pattern)
            .size_limit(MAX_PATTERN)
            .dfa_size_limit(MAX_PATTERN)
            .build()
            .map_err(|error| (RulePart::Pattern, syntax(&error)))?;
        if pattern.is_match(b"") {
            let message = "this matches an empty text, and so everywhere".to_owned();
            return Err((RulePart::Pattern, message));
        }
        let named = |name: &String| {
            let found = pattern.capture_names().position(|group| group == Some(name));
            found.ok_or_else(|| (RulePart::Secret, format!("the pattern has no group named `{name}`")))
        };
        let secret = rule.secret.as_ref().map(named).transpose()?.unwrap_or_default();
        let compiled = Self {
            id: rule.id.as_str().into(),
            pattern,
            secret,
        };
        let finds = |text: &String| {
            let mut hits = Hits::default();
            compiled.detect(text.as_bytes(), &mut hits);
            !hits.is_empty()
        };
        if let Some(at) = rule.positive.iter().position(|text| !finds(text)) {
            return Err((RulePart::Positive(at), "the rule finds nothing in this".to_owned()));
        }
        if let Some(at) = rule.negative.iter().position(finds) {
            return Err((RulePart::Negative(at), "the rule finds something in this".to_owned()));
        }
        Ok(compiled)
    }

    fn detect(&self, text: &[u8], hits: &mut Hits) {
        if self.secret == 0 {
            self.pattern
                .find_iter(text)
                .for_each(|found| hits.push(found.range(), self.id.clone()));
            return;
        }
        for found in self.pattern.captures_iter(text) {
            // A group that took no part says nothing about where the secret is: then all of it is.
            if let Some(secret) = found.get(self.secret).or_else(|| found.get(0)) {
                hits.push(secret.range(), self.id.clone());
            }
        }
    }
}

/// The last line of a message of `regex`, which says what is wrong; those before it repeat the pattern.
fn syntax(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    let what = last.strip_prefix("error: ").unwrap_or(last);
    format!("this is no pattern: {what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(pattern: &str, secret: Option<&str>, positive: &[&str], negative: &[&str]) -> DetectRule {
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        DetectRule {
            id: "p/r".to_owned(),
            description: String::new(),
            why: None,
            pattern: pattern.to_owned(),
            secret: secret.map(str::to_owned),
            positive: texts(positive),
            negative: texts(negative),
        }
    }

    #[test]
    fn a_group_can_be_the_secret() {
        let rules = [rule("key=(?P<value>[a-z]+)", Some("value"), &["key=abc"], &["key=1"])];
        let rules = OwnRules::new(&rules).unwrap();
        let (mut hits, mut out) = (Hits::default(), Vec::new());
        let text = b"key=abc \xff key=def";
        rules.detect(text, &mut hits);
        hits.replace(text, &mut out, |rule| assert_eq!(rule, "p/r"));
        assert_eq!(out, b"key=countersign.masked.value \xff key=countersign.masked.value");
    }

    #[test]
    fn what_is_no_rule_is_told() {
        let part = |rule| OwnRules::new(&[rule]).unwrap_err().part;
        assert_eq!(part(rule("(", None, &[], &[])), RulePart::Pattern);
        assert_eq!(part(rule("a*", None, &[], &[])), RulePart::Pattern);
        assert_eq!(part(rule(r"(\w{900}){900}", None, &[], &[])), RulePart::Pattern);
        assert_eq!(part(rule("a", Some("x"), &[], &[])), RulePart::Secret);
        assert_eq!(part(rule("a", None, &["a", "b"], &[])), RulePart::Positive(1));
        assert_eq!(part(rule("a", None, &["a"], &["a"])), RulePart::Negative(0));
    }
}
