//! What looks for secrets, together.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::ansi::Plain;
use super::contexts::{self, Contexts, encoded, guard};
use super::hit::Hits;
use super::lines::{self, LineState};
use super::own_names::{self, OwnNames};
use super::quiet::Quiet;
use super::rules::Rules;

/// How often an encoding within an encoding is unpacked.
const MAX_LEVELS: u8 = 3;

/// Finds secrets in text.
///
/// # Contract
/// A detector is a pure function of the text: the same text gives the same hits, on whatever thread, as long as
/// [`revision`](Detector::revision) stays the same. It finds what is in
/// the text it is given, which for streams is one line (or, of a longer one, a part that overlaps with the next).
/// It takes time and memory in proportion to the text, whatever is in it: the text may be hostile. It does not panic; where
/// one does all the same, the answer at hand is given up.
pub trait Detector: fmt::Debug + Send + Sync {
    /// Adds the secrets in a text. The text need not be UTF-8.
    fn detect(&self, text: &[u8], hits: &mut Hits);

    /// Whether there is surely no secret in a text. Most texts have none: worth implementing where it costs far less than to
    /// look for them. `false` says nothing.
    fn is_quiet(&self, _text: &[u8]) -> bool {
        false
    }

    /// A number that grows whenever more is found than before. What was found harmless is not looked at again in the same
    /// answer until then. Asked often, so to answer must cost next to nothing.
    fn revision(&self) -> u64 {
        0
    }

    /// Adds the secrets in some lines of a stream (the last one may lack its end). How many come at once must not matter:
    /// each is looked at alone. Worth implementing where that is faster for many.
    fn detect_lines(&self, lines: &[u8], hits: &mut Hits) {
        lines::one_by_one(lines, hits, |line, hits| self.detect(line, hits));
    }

    /// What finds secrets that go on over lines of one stream, if there are any; asked instead of `detect_lines` then.
    fn line_state(&self) -> Option<Box<dyn LineState>> {
        None
    }
}

/// All that looks for secrets in one answer; cheap to clone.
#[derive(Debug, Clone)]
pub struct Detectors {
    all: Arc<[Arc<dyn Detector>]>,
    /// What tells for all of those that come with this crate, which are so many at the front, whether a text is quiet.
    quiet: Option<(&'static Quiet, usize)>,
    /// Names whose values are secret besides.
    names: Option<Arc<OwnNames>>,
    /// Rules that are switched off.
    disabled: Arc<BTreeSet<String>>,
}

impl Detectors {
    /// The rules that come with this crate.
    #[must_use]
    pub fn built_in() -> Self {
        Self {
            all: Arc::new([Arc::new(Rules::built_in()), Arc::new(Contexts)]),
            quiet: Some((Quiet::built_in(), 2)),
            names: None,
            disabled: Arc::default(),
        }
    }

    /// All of them.
    pub(super) fn all(&self) -> &[Arc<dyn Detector>] {
        &self.all
    }

    #[cfg(test)]
    pub(super) fn of_contexts() -> Self {
        Self {
            all: Arc::new([Arc::new(Contexts)]),
            quiet: None,
            names: None,
            disabled: Arc::default(),
        }
    }

    /// These, and another one.
    #[must_use]
    pub fn and(self, detector: Arc<dyn Detector>) -> Self {
        Self {
            all: self.all.iter().cloned().chain([detector]).collect(),
            ..self
        }
    }

    /// These, and names whose values are secret, in text and of fields; none if the names are too many to be looked for.
    #[must_use]
    pub fn with_names(self, names: &[String]) -> Option<Self> {
        if names.is_empty() {
            return Some(self);
        }
        let names = Arc::new(OwnNames::new(names)?);
        let found = Self {
            names: Some(Arc::clone(&names)),
            ..self
        };
        Some(found.and(names))
    }

    /// These, without what rules of these ids find.
    #[must_use]
    pub fn without(self, rules: &BTreeSet<String>) -> Self {
        let disabled = self.disabled.union(rules).cloned().collect();
        Self {
            disabled: Arc::new(disabled),
            ..self
        }
    }

    /// The ids of all rules that come with this crate.
    #[must_use]
    pub fn built_in_rules() -> BTreeSet<String> {
        let contexts = contexts::RULES.iter().map(|rule| (*rule).to_owned());
        Rules::built_in()
            .ids()
            .chain(Rules::pii().ids())
            .chain(contexts)
            .collect()
    }

    /// Forgets what rules have found that are switched off.
    pub(super) fn forget_disabled(&self, hits: &mut Hits) {
        if !self.disabled.is_empty() {
            hits.retain(|hit| !self.disabled.contains(hit.rule.as_str()));
        }
    }

    /// Whether there is surely no secret in a text.
    fn is_quiet(&self, text: &[u8]) -> bool {
        let (quiet, others) = match self.quiet {
            Some((quiet, count)) => (quiet.is_quiet(text), count),
            None => (encoded::is_absent(text), 0),
        };
        quiet && self.all.iter().skip(others).all(|detector| detector.is_quiet(text))
    }

    /// A number that grows whenever one of them finds more than before.
    pub(crate) fn revision(&self) -> u64 {
        self.all
            .iter()
            .fold(0, |sum, detector| sum.wrapping_add(detector.revision()))
    }

    /// None: nothing is looked for in text. What is masked by its kind and path still is, and the values of environment
    /// variables and ConfigMaps whose names say that they are secret.
    #[must_use]
    pub fn insecure_none() -> Self {
        Self {
            all: Arc::new([]),
            quiet: None,
            names: None,
            disabled: Arc::default(),
        }
    }

    /// Whether there are none.
    pub(crate) fn is_none(&self) -> bool {
        self.all.is_empty()
    }

    /// Adds the secrets in a text.
    pub fn detect(&self, text: &[u8], hits: &mut Hits) {
        if self.is_none() {
            return;
        }
        self.colours_aside(text, hits);
        if self.is_quiet(text) {
            return;
        }
        let mut found = Hits::default();
        self.detect_level(text, MAX_LEVELS, None, &mut found);
        guard::keep_json(text, &found, hits);
    }

    /// Adds the secrets that the codes of a terminal divide.
    pub(super) fn colours_aside(&self, text: &[u8], hits: &mut Hits) {
        let Some(plain) = Plain::of(text) else {
            return;
        };
        let mut found = Hits::default();
        self.detect(plain.text(), &mut found);
        for hit in found.as_slice() {
            hits.push(plain.place(&hit.range), hit.rule.clone());
        }
    }

    /// Adds the secrets in what is encoded in a text, and leaves of them and of those that were found before what keeps
    /// JSON intact.
    pub(super) fn complete(&self, text: &[u8], mut found: Hits, hits: &mut Hits) {
        self.forget_disabled(&mut found);
        self.detect_inside(text, MAX_LEVELS, None, &mut found);
        guard::keep_json(text, &found, hits);
    }

    /// Looks at a text and, so many levels down, at what is encoded in it. The budget is how much may still be unpacked
    /// of the run that the text comes from. Of a text that comes from none, each run has its own, wherever it was cut.
    fn detect_level(&self, text: &[u8], levels: u8, budget: Option<&mut usize>, hits: &mut Hits) {
        for detector in self.all.iter() {
            detector.detect(text, hits);
        }
        self.forget_disabled(hits);
        self.detect_inside(text, levels, budget, hits);
    }

    fn detect_inside(&self, text: &[u8], levels: u8, mut budget: Option<&mut usize>, hits: &mut Hits) {
        if let Some(below) = levels.checked_sub(1) {
            self.detect_runs(text, below, budget.as_deref_mut(), hits);
            self.detect_escaped(text, below, budget, hits);
        }
    }

    /// Base64 and its kin: a run with a secret in it is one in whole.
    fn detect_runs(&self, text: &[u8], levels: u8, mut budget: Option<&mut usize>, hits: &mut Hits) {
        let mut from = 0;
        while let Some(run) = encoded::next_run(text, from) {
            from = run.end;
            let mut own = encoded::MAX_INFLATED;
            let budget = budget.as_deref_mut().unwrap_or(&mut own);
            if let Some((place, plain)) = encoded::decoded(text, run, budget) {
                let mut inner = Hits::default();
                self.detect_level(&plain, levels, Some(budget), &mut inner);
                if let Some(first) = inner.as_slice().first() {
                    hits.push(place, first.rule.clone());
                }
            }
        }
    }

    /// Escapes: what is found is a secret where it was.
    fn detect_escaped(&self, text: &[u8], levels: u8, mut budget: Option<&mut usize>, hits: &mut Hits) {
        let mut from = 0;
        let mut escaped = encoded::Escaped::default();
        while let Some((resolved, end)) = escaped.next(text, from) {
            from = end;
            let mut own = encoded::MAX_INFLATED;
            let budget = budget.as_deref_mut().unwrap_or(&mut own);
            let mut inner = Hits::default();
            self.detect_level(&resolved.text, levels, Some(budget), &mut inner);
            for hit in inner.as_slice() {
                if let Some(place) = resolved.place(&hit.range) {
                    hits.push(place, hit.rule.clone());
                }
            }
        }
    }

    /// Adds the secrets in the value of something named: an environment variable, a key of a ConfigMap, a column. The
    /// name may say that the whole of it is one.
    pub fn detect_named(&self, name: &str, value: &[u8], hits: &mut Hits) {
        let is_ours = || {
            self.names
                .as_ref()
                .is_some_and(|names| names.tell(name.as_bytes(), value))
        };
        let is_on = !self.disabled.contains(own_names::RULE);
        if is_on && (contexts::is_secret_value(name.as_bytes(), value) || is_ours()) {
            hits.push(0..value.len(), own_names::RULE);
            return;
        }
        self.detect(value, hits);
    }

    /// Whether all of what is set under a name is a secret.
    pub(crate) fn is_secret_setting(&self, name: &str, value: &str) -> bool {
        !self.disabled.contains(own_names::RULE) && contexts::is_secret_setting(name.as_bytes(), value.as_bytes())
    }

    /// Adds a value that was drawn at random: where nothing is known of what a field is for.
    pub(crate) fn detect_random(&self, name: Option<&str>, value: &[u8], hits: &mut Hits) {
        let is_on = !self.is_none() && !self.disabled.contains(contexts::RANDOM);
        if is_on && contexts::is_random_value(name, value) {
            hits.push(0..value.len(), contexts::RANDOM);
        }
    }

    /// Adds the secrets in the arguments of a command, to the hits of the same index; `password` behind `-p` is one.
    pub fn detect_arguments(&self, arguments: &[&[u8]], hits: &mut [Hits]) {
        for (argument, hits) in arguments.iter().zip(hits.iter_mut()) {
            self.detect(argument, hits);
        }
        contexts::arguments(arguments, |index, range| {
            if let Some(hits) = hits.get_mut(index) {
                hits.push(range, "argument");
                self.forget_disabled(hits);
            }
        });
    }
}

impl Default for Detectors {
    fn default() -> Self {
        Self::built_in()
    }
}
