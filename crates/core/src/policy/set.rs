//! The built-in engine: documents, compiled.

use std::sync::Arc;

use jiff::Timestamp;

use super::admission::Guardrail;
use super::budget::Budget;
use super::condition::Condition;
use super::denial::Denial;
use super::document::{self, Contents, LoadErrors, LoadWarning};
use super::engine::{Evaluation, Facts, HoldTerms, MaskPath, Need, Outcome, PolicyEngine, Verdict};
use super::glob::Glob;
use super::index::Index;
use super::judge::Tally;
use super::limits::Limits;
use super::masks::Masks;
use super::matching::{Match, Scope};
use super::question::{Counted, Question};
use crate::digest::{Digest, FieldHasher};
use crate::mask::{MaskPolicy, MaskSettings, SettingsError};
use crate::request::{Canonical, ResourceCatalog, RewriteOperation};
use crate::subject::Subject;

/// Policy documents in force: the built-in [`PolicyEngine`]. What they mean is in the [module's manual](super).
///
/// Cheap to clone. Replacing a policy at run time means making a new one.
#[derive(Debug, Clone)]
pub struct PolicySet {
    rules: Rules,
    revision: Digest,
    warnings: Arc<[LoadWarning]>,
}

#[derive(Debug, Clone)]
enum Rules {
    Documents(Arc<Compiled>),
    AllowAll,
}

/// Documents and the way to their rules.
#[derive(Debug, Default)]
struct Compiled {
    /// Sorted by name, so that the order of files has no meaning.
    documents: Vec<Document>,
    index: Index,
    /// What they say about masks.
    masks: Masks,
    /// Kubernetes' own policies, which restrict everybody; sorted by name.
    guardrails: Vec<Guardrail>,
}

/// One compiled document.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) name: Arc<str>,
    /// Over the canonical form.
    pub(super) digest: Digest,
    pub(super) subjects: Vec<SubjectMatch>,
    pub(super) scopes: Arc<[Scope]>,
    pub(super) limits: Limits,
    /// The terms of holds that name none, and of what needs a human by itself.
    pub(super) approval: Option<Arc<HoldTerms>>,
    /// Its own rules, then those of its profile.
    pub(super) rules: Vec<CompiledRule>,
    pub(super) budgets: Vec<Arc<Budget>>,
    /// What it says about masks, if it does.
    pub(super) masking: Option<MaskSettings>,
    /// Evaluated and recorded, not enforced.
    pub(super) shadow: bool,
}

/// One entry of `subjects`: all that it names has to fit.
#[derive(Debug, Default)]
pub(super) struct SubjectMatch {
    pub(super) user: Option<Glob>,
    pub(super) group: Option<Glob>,
    pub(super) on_behalf_of: Option<Glob>,
}

/// One compiled rule.
#[derive(Debug)]
pub(super) struct CompiledRule {
    /// `document/rule`, or `profile/rule`.
    pub(super) name: Arc<str>,
    pub(super) matches: Match,
    /// What has to hold besides.
    pub(super) when: Option<Condition>,
    pub(super) action: Action,
    /// Evaluated and recorded, not enforced.
    pub(super) shadow: bool,
    /// It is the profile's: it speaks where the document's own rules neither permit nor deny.
    pub(super) profile: bool,
}

/// What a rule asks for.
#[derive(Debug)]
pub(super) enum Action {
    Allow { insecure_opaque_stream: bool },
    Deny { message: Option<Arc<str>> },
    Hold(Arc<HoldTerms>),
    Rewrite(Arc<[RewriteOperation]>),
    Mask(Vec<MaskPath>),
}

impl Action {
    /// The name in records.
    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Self::Allow { .. } => "allow",
            Self::Deny { .. } => "deny",
            Self::Hold(_) => "hold",
            Self::Rewrite(_) => "rewrite",
            Self::Mask(_) => "mask",
        }
    }
}

impl PolicySet {
    /// Loads documents from the texts of named files, each of which may hold several, separated by `---`.
    ///
    /// The order of files and of the documents in them has no meaning. Without any document everything is denied.
    ///
    /// # Errors
    /// Everything that is wrong with them, with file, line and column; a set is loaded as a whole or not at all.
    pub fn from_yaml(sources: &[(impl AsRef<str>, impl AsRef<str>)]) -> Result<Self, LoadErrors> {
        Self::load(sources, None)
    }

    /// Like [`from_yaml`](Self::from_yaml), and warns of resources that this catalog does not know.
    ///
    /// # Errors
    /// The same.
    pub fn from_yaml_with_catalog(
        sources: &[(impl AsRef<str>, impl AsRef<str>)],
        catalog: &dyn ResourceCatalog,
    ) -> Result<Self, LoadErrors> {
        Self::load(sources, Some(catalog))
    }

    /// What is no error in the documents, but can't be what was meant: resources that nobody knows, rules that can never
    /// fire.
    #[must_use]
    pub fn warnings(&self) -> &[LoadWarning] {
        &self.warnings
    }

    fn load(
        sources: &[(impl AsRef<str>, impl AsRef<str>)],
        catalog: Option<&dyn ResourceCatalog>,
    ) -> Result<Self, LoadErrors> {
        let sources = sources.iter().map(|(name, text)| (name.as_ref(), text.as_ref()));
        let Contents {
            mut documents,
            mut guardrails,
            warnings,
        } = document::load_all(sources, catalog)?;
        documents.sort_by(|a, b| a.name.cmp(&b.name));
        guardrails.sort_by(|a, b| a.name.cmp(&b.name));
        let mut hasher = FieldHasher::new("countersign policy set v1");
        for document in &documents {
            hasher.field("document", document.digest.as_bytes());
        }
        for guardrail in &guardrails {
            hasher.field("guardrail", guardrail.digest.as_bytes());
        }
        Ok(Self {
            rules: Rules::Documents(Arc::new(Compiled {
                index: Index::new(&documents),
                masks: Masks::new(&documents),
                documents,
                guardrails,
            })),
            revision: hasher.finish(),
            warnings: warnings.into(),
        })
    }

    /// A policy that denies everything.
    #[must_use]
    pub fn deny_all() -> Self {
        Self {
            rules: Rules::Documents(Arc::default()),
            revision: FieldHasher::new("countersign policy set v1").finish(),
            warnings: Arc::default(),
        }
    }

    /// No policy: everybody may do everything, except touch the guard itself and open upgraded streams.
    ///
    /// For users of other parts of the guard, such as masks and audit. The rule `countersign/insecure_allow_all` is in
    /// the record of every request.
    #[must_use]
    pub fn insecure_allow_all() -> Self {
        Self {
            rules: Rules::AllowAll,
            revision: FieldHasher::new("countersign policy insecure_allow_all").finish(),
            warnings: Arc::default(),
        }
    }
}

impl PolicySet {
    /// The documents, in the order of their names.
    pub(super) fn documents(&self) -> &[Document] {
        match &self.rules {
            Rules::Documents(compiled) => &compiled.documents,
            Rules::AllowAll => &[],
        }
    }
}

impl PolicyEngine for PolicySet {
    fn evaluate(&self, subject: &Subject, request: &Canonical, facts: &Facts, now: Timestamp) -> Evaluation {
        let masking = match self.masking(subject) {
            Ok(masking) => masking,
            Err(error) => {
                let message = format!("the masks of the policy can't be compiled together: {error}");
                return Evaluation::Verdict(Verdict::new(Outcome::Deny(Denial::new(message))));
            }
        };
        self.evaluate_masked(masking, subject, request, facts, now)
    }

    fn revision(&self) -> Digest {
        self.revision
    }
}

impl PolicySet {
    /// What is masked in the answers to a subject.
    pub(super) fn masking(&self, subject: &Subject) -> Result<Arc<MaskPolicy>, SettingsError> {
        match &self.rules {
            Rules::AllowAll => Ok(MaskPolicy::shared_default()),
            Rules::Documents(compiled) => {
                let Compiled {
                    documents,
                    index,
                    masks,
                    ..
                } = &**compiled;
                masks.of(documents, || index.documents(subject, documents))
            }
        }
    }

    /// What should happen to a request whose answer is masked like this.
    fn evaluate_masked(
        &self,
        masking: Arc<MaskPolicy>,
        subject: &Subject,
        request: &Canonical,
        facts: &Facts,
        now: Timestamp,
    ) -> Evaluation {
        // It is large to move: filled in where it is handed out from.
        let mut evaluation = Evaluation::Verdict(Verdict::masked_by(masking, Outcome::Allow));
        if let Evaluation::Verdict(verdict) = &mut evaluation
            && let Err(needs) = self.weigh(subject, request, facts, now, verdict)
        {
            evaluation = Evaluation::Needs(needs);
        }
        evaluation
    }

    /// Fills a verdict that is empty but for the masking in.
    fn weigh(
        &self,
        subject: &Subject,
        request: &Canonical,
        facts: &Facts,
        now: Timestamp,
        worst: &mut Verdict,
    ) -> Result<(), Vec<Need>> {
        let mut question = Question::new(subject, request, facts, now);
        if question.depends_on_masks() {
            question.mask(&[], &worst.masking);
        }
        self.judge(&question, Counted::All, worst)?;
        // What the policy masks besides is masked before the change is compared with the live object, and guessed at by no
        // dry run.
        if !worst.masks.is_empty() && question.depends_on_masks() {
            question.mask(&worst.masks, &worst.masking);
            *worst = Verdict::masked_by(Arc::clone(&worst.masking), Outcome::Allow);
            self.judge(&question, Counted::All, worst)?;
        }
        // The live object is read only where it makes a difference.
        if question.may_hide_something() && worst.outcome == Outcome::Allow {
            return Err(vec![Need::LiveObject]);
        }
        if !question.has_assumptions() {
            return Ok(());
        }
        // Even where the worst is allowed: a condition can ask for what is not found.
        let mut best = Verdict::masked_by(Arc::clone(&worst.masking), Outcome::Allow);
        self.judge(&question, Counted::Certain, &mut best)?;
        if best.outcome == worst.outcome {
            Ok(())
        } else {
            Err(vec![Need::LiveObject])
        }
    }

    fn judge(&self, question: &Question<'_>, counted: Counted, verdict: &mut Verdict) -> Result<(), Vec<Need>> {
        let mut tally = Tally::new(question, counted, verdict);
        match &self.rules {
            Rules::AllowAll => tally.allow_all(),
            Rules::Documents(compiled) => {
                let Compiled {
                    documents,
                    index,
                    guardrails,
                    ..
                } = &**compiled;
                tally.switch_token_mount_off();
                let lookup = index.lookup(&question.asked);
                for id in index.documents(question.subject, documents) {
                    let Some(document) = at(documents, id) else { continue };
                    let rules = index.rules(id, &lookup);
                    tally.add(document, rules.iter().filter_map(|rule| at(&document.rules, *rule)));
                }
                for guardrail in guardrails {
                    tally.guard(guardrail);
                }
            }
        }
        tally.conclude()
    }
}

fn at<T>(list: &[T], index: u32) -> Option<&T> {
    list.get(usize::try_from(index).ok()?)
}

impl Document {
    pub(super) fn is_about(&self, subject: &Subject) -> bool {
        self.subjects.iter().any(|entry| entry.is(subject))
    }
}

impl SubjectMatch {
    fn is(&self, subject: &Subject) -> bool {
        let any_group = |glob: &Glob| subject.groups.iter().any(|group| glob.matches(group));
        let behalf = |glob: &Glob| subject.on_behalf_of.as_deref().is_some_and(|who| glob.matches(who));
        self.user.as_ref().is_none_or(|glob| glob.matches(&subject.user))
            && self.group.as_ref().is_none_or(any_group)
            && self.on_behalf_of.as_ref().is_none_or(behalf)
    }
}
