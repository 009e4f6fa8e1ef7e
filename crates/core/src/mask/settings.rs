//! What a policy says about masks, and what is made of it at load.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use serde::Serialize;

use super::kinds::{FieldRule, FieldRuleError, FieldTreatment, Kinds};
use super::masking::Masking;
use crate::detect::{Detector as _, Detectors, Hits, RuleError, RuleSource, Rules};
use crate::request::Canonical;

/// What a policy says about masks: plain data. The default is the safe one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MaskSettings {
    /// Every value of an environment variable and of a ConfigMap is masked, whatever it looks like.
    pub strict: bool,
    /// Fields that are masked beside those that always are.
    pub kinds: Vec<FieldRule>,
    /// What identifies people is looked for too: card numbers, IBANs, e-mail addresses.
    pub pii: bool,
    /// Secrets that are looked for in text beside those that always are.
    pub rules: Vec<DetectRule>,
    /// Names whose values are secret, beside those that always are.
    pub names: Vec<String>,
    /// Shipped rules that are switched off, by their ids.
    pub insecure_disable: BTreeSet<String>,
    /// Values that were masked are not remembered, so they are not found again elsewhere.
    pub insecure_forget_known_values: bool,
    /// What becomes of a masked value that is written back.
    pub write_back: WriteBack,
    /// What becomes of a caller that accepts no JSON.
    pub accept: WithoutJson,
    /// No `Warning` header tells how many values were masked.
    pub silent: bool,
}

/// Something that is looked for in text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DetectRule {
    /// Its name in reports: `policy/rule`.
    pub id: String,
    /// What it finds.
    pub description: String,
    /// Why it is looked for.
    pub why: Option<String>,
    /// A regular expression over bytes, as in [`RuleSource::pattern`]. The group named `secret` is the secret, else all of it.
    pub pattern: String,
    /// Texts in which it finds something; exactly what stands between `⟦` and `⟧`, if anything does. Its tests at load.
    pub positive: Vec<String>,
    /// Texts in which it finds nothing.
    pub negative: Vec<String>,
}

/// What becomes of a masked value that is written back; from lax to strict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub enum WriteBack {
    /// In the `data` of a Secret that is replaced or patched, the live value of the same key stays, if the request names the
    /// version that it was read at. Everywhere else the write is refused.
    Restore,
    /// The write is refused.
    #[default]
    Refuse,
}

/// What becomes of a caller that accepts no JSON; from lax to strict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub enum WithoutJson {
    /// It gets JSON: clients decode by the type of the answer.
    #[default]
    Replace,
    /// It is refused with 406.
    Refuse,
}

impl MaskSettings {
    /// These and those: what is masked adds up, and of everything else the stricter counts. What is weakened is weakened
    /// only if both say so.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        let new = |kind: &&FieldRule| !self.kinds.contains(kind);
        let kinds: Vec<FieldRule> = other.kinds.iter().filter(new).cloned().collect();
        let new = |name: &&String| !self.names.contains(name);
        let names: Vec<String> = other.names.iter().filter(new).cloned().collect();
        self.kinds.extend(kinds);
        self.names.extend(names);
        self.rules.extend(other.rules.iter().cloned());
        self.strict |= other.strict;
        self.pii |= other.pii;
        self.insecure_disable
            .retain(|rule| other.insecure_disable.contains(rule));
        self.insecure_forget_known_values &= other.insecure_forget_known_values;
        self.write_back = self.write_back.max(other.write_back);
        self.accept = self.accept.max(other.accept);
        self.silent &= other.silent;
        self
    }

    /// What differs from the default, in words.
    #[must_use]
    pub fn differences(&self) -> Vec<String> {
        let mut said = Vec::new();
        if self.strict {
            said.push("strict: every value of environment variables and ConfigMaps".to_owned());
        }
        said.extend(self.kinds.iter().map(|rule| {
            let treatment = FieldTreatment::ALL
                .iter()
                .find(|(_, treatment)| *treatment == rule.treatment);
            let (kind, path) = (&rule.kind, String::from(rule.path.clone()));
            format!("{}: {path} of {kind}", treatment.map_or("", |(name, _)| name))
        }));
        said.extend(self.rules.iter().map(|rule| format!("looks for {}", rule.id)));
        if !self.names.is_empty() {
            said.push(format!("values named {}", self.names.join(", ")));
        }
        if self.pii {
            said.push("pii: what identifies people".to_owned());
        }
        said.extend(
            self.insecure_disable
                .iter()
                .map(|rule| format!("insecure_disable: {rule}")),
        );
        if self.insecure_forget_known_values {
            said.push("insecure_forget_known_values".to_owned());
        }
        if self.write_back == WriteBack::Restore {
            said.push("writeBack: restore".to_owned());
        }
        if self.accept == WithoutJson::Refuse {
            said.push("accept: refuse".to_owned());
        }
        if self.silent {
            said.push("warning: false".to_owned());
        }
        said
    }
}

/// Settings that can't be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A field that can't be masked.
    #[error(transparent)]
    Field(#[from] FieldRuleError),
    /// Too many names.
    #[error("these are too many names to be looked for in text")]
    Names,
    /// A rule about text that is none.
    #[error(transparent)]
    Rule(#[from] RuleError),
}

/// Settings of masks that are in force: compiled at load, shared by all requests that they are about.
#[derive(Debug, Clone, Default)]
pub struct MaskPolicy {
    settings: MaskSettings,
    masking: Masking,
}

static DEFAULT: LazyLock<Arc<MaskPolicy>> = LazyLock::new(Arc::default);

impl MaskPolicy {
    /// What is masked where nobody says anything.
    #[must_use]
    pub fn shared_default() -> Arc<Self> {
        Arc::clone(&DEFAULT)
    }

    /// Compiles settings.
    ///
    /// # Errors
    /// The first rule that is no rule.
    pub fn new(settings: MaskSettings) -> Result<Self, SettingsError> {
        let masking = Masking {
            detectors: detectors(&settings)?,
            strict: settings.strict,
            kinds: Kinds::built_in().with(&settings.kinds)?,
            known_values: !settings.insecure_forget_known_values,
        };
        Ok(Self { settings, masking })
    }

    /// What the policy says.
    #[must_use]
    pub fn settings(&self) -> &MaskSettings {
        &self.settings
    }

    /// Whether anything is masked that is not by default, or the other way round.
    pub(crate) fn masks_more(&self) -> bool {
        let MaskSettings {
            strict,
            kinds,
            pii,
            rules,
            names,
            insecure_disable,
            ..
        } = &self.settings;
        let lists = [
            kinds.is_empty(),
            rules.is_empty(),
            names.is_empty(),
            insecure_disable.is_empty(),
        ];
        *strict || *pii || lists.contains(&false)
    }

    /// Paths of what the policy masks of the objects that a request is about; through lists.
    pub(crate) fn fields_of(&self, request: &Canonical) -> impl Iterator<Item = &[String]> + Clone {
        let kind = request.kind();
        let about = move |rule: &&FieldRule| kind.is_none_or(|kind| rule.is_about(&kind.group, &kind.kind));
        self.settings
            .kinds
            .iter()
            .filter(about)
            .map(|rule| rule.path.segments())
    }

    /// How answers are masked.
    #[must_use]
    pub fn masking(&self) -> &Masking {
        &self.masking
    }
}

/// The settings decide: they are what it is made of.
impl PartialEq for MaskPolicy {
    fn eq(&self, other: &Self) -> bool {
        self.settings == other.settings
    }
}

impl Eq for MaskPolicy {}

impl DetectRule {
    /// The rule as a detector, tried on these examples.
    fn source(&self, examples: &[String], counterexamples: &[String]) -> RuleSource {
        RuleSource {
            id: self.id.clone(),
            description: self.description.clone(),
            why: self.why.clone().unwrap_or_default(),
            group: Default::default(),
            pattern: self.pattern.clone(),
            begins: Default::default(),
            check: None,
            entropy: None,
            armour: false,
            examples: examples.to_vec(),
            counterexamples: counterexamples.to_vec(),
        }
    }

    /// Compiles the rule and tries it on its examples.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn check(&self) -> Result<(), (RulePart, String)> {
        let problem = |error: &RuleError| error.problem().to_owned();
        let compiled =
            Rules::compile(vec![self.source(&[], &[])]).map_err(|error| (RulePart::Pattern, problem(&error)))?;
        for (at, text) in self.positive.iter().enumerate() {
            if text.contains('⟦') {
                let tried = Rules::compile(vec![self.source(std::slice::from_ref(text), &[])]);
                tried.map_err(|error| (RulePart::Positive(at), problem(&error)))?;
            } else if !finds(&compiled, text) {
                return Err((
                    RulePart::Positive(at),
                    "the rule finds nothing in this, or what it finds only stands for a secret".to_owned(),
                ));
            }
        }
        match self.negative.iter().position(|text| finds(&compiled, text)) {
            Some(at) => Err((RulePart::Negative(at), "the rule finds something in this".to_owned())),
            None => Ok(()),
        }
    }
}

fn finds(rules: &Rules, text: &str) -> bool {
    let mut hits = Hits::default();
    rules.detect(text.as_bytes(), &mut hits);
    !hits.is_empty()
}

/// What of a rule about text is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RulePart {
    /// The pattern.
    Pattern,
    /// This one of the positive examples.
    Positive(usize),
    /// This one of the negative examples.
    Negative(usize),
}

/// The one place where a policy's settings become detectors.
fn detectors(settings: &MaskSettings) -> Result<Detectors, SettingsError> {
    let mut detectors = Detectors::built_in().without(&settings.insecure_disable);
    if settings.pii {
        detectors = detectors.and(Arc::new(Rules::pii()));
    }
    if !settings.rules.is_empty() {
        let sources = settings.rules.iter().map(|rule| rule.source(&[], &[])).collect();
        detectors = detectors.and(Arc::new(Rules::compile(sources)?));
    }
    detectors.with_names(&settings.names).ok_or(SettingsError::Names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_settings_the_stricter_counts() {
        let lax = MaskSettings {
            insecure_disable: ["a".to_owned(), "b".to_owned()].into(),
            insecure_forget_known_values: true,
            write_back: WriteBack::Restore,
            silent: true,
            ..MaskSettings::default()
        };
        assert_eq!(lax.clone().and(&lax), lax);
        assert_eq!(lax.clone().and(&MaskSettings::default()), MaskSettings::default());
        let strict = MaskSettings {
            strict: true,
            pii: true,
            names: vec!["acme".to_owned()],
            insecure_disable: ["b".to_owned()].into(),
            accept: WithoutJson::Refuse,
            ..MaskSettings::default()
        };
        for both in [strict.clone().and(&lax), lax.and(&strict)] {
            assert_eq!(both, strict);
        }
    }
}
