//! A rule as it is written.

use serde::Deserialize;

use super::check::Check;

/// A rule for a format of secrets that can be recognised by itself.
///
/// ```yaml
/// id: acme-key
/// description: API key of Acme
/// why: allows to order anything
/// pattern: 'acme_[a-z0-9]{32,}'
/// examples: ['key: ⟦acme_0123456789abcdef0123456789abcdef⟧ (rotated)']
/// counterexamples: ['acme_key']
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RuleSource {
    /// Name of the rule, in kebab case, behind that of its policy and a `/` if it is of one; reports and metrics show it.
    pub id: String,
    /// What it finds.
    pub description: String,
    /// What somebody who reads such a value can do with it.
    #[serde(default)]
    pub why: String,
    /// What kind of thing it finds.
    #[serde(default)]
    pub group: Group,
    /// Regular expression over bytes, in the syntax of the `regex` crate, without Unicode classes. A match lies within
    /// one line. What has to be hidden is the group named `secret`, or else all of it.
    pub pattern: String,
    /// Where a match may begin.
    #[serde(default)]
    pub begins: Begins,
    /// What a match has to pass besides.
    #[serde(default)]
    pub check: Option<Check>,
    /// Least entropy of the secret, in bits per character.
    #[serde(default)]
    pub entropy: Option<f64>,
    /// The secret goes on in the lines that follow, as a key in armour does.
    #[serde(default)]
    pub armour: bool,
    /// Texts in which it has to find exactly what stands between `⟦` and `⟧`.
    #[serde(default)]
    pub examples: Vec<String>,
    /// Texts in which it must find nothing.
    #[serde(default)]
    pub counterexamples: Vec<String>,
}

/// What kind of thing a rule finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// What gives access to something.
    #[default]
    Secrets,
    /// What tells something about a person.
    Pii,
}

/// Where a match may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Begins {
    /// Where a word does: behind anything but a letter, a digit or `_`. Escapes in JSON and URLs, and colour codes of
    /// terminals, are no part of a word.
    #[default]
    Word,
    /// Anywhere: for prefixes that don't occur by chance.
    Anywhere,
}
