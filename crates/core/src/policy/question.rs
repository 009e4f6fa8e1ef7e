//! One request that is judged: who asks, what it does, and what is known of the world.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;

use super::admission::{Guardrail, GuardrailOutcome};
use super::condition::{Condition, Evaluation, Inputs, Operation, Root};
use super::engine::{Facts, MaskObligation, Need};
use super::glob::Glob;
use super::limits::Weighed;
use super::matching::{Asked, Labels};
use super::set::CompiledRule;
use crate::json::Value;
use crate::mask::MaskPolicy;
use crate::request::{Canonical, Change, Effect, Finding, Findings, Live, Origin, Verb};
use crate::subject::Subject;

/// One request that is judged.
pub(super) struct Question<'r> {
    pub(super) subject: &'r Subject,
    pub(super) request: &'r Canonical,
    pub(super) facts: &'r Facts,
    pub(super) now: Timestamp,
    pub(super) asked: Asked<'r>,
    change: Cow<'r, Change>,
}

/// Which findings about a change count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    /// All of them: the worst that it can be.
    All,
    /// Those that no look at the live object could take away: the best that it can be.
    Certain,
}

/// What a rule's conditions say once everything else about it fits.
pub(super) enum Late {
    /// It fires; whether it permits may hang on more than that.
    Yes { permits: bool },
    /// It does not fire.
    No,
    /// This has to be known first.
    Needs(Need),
    /// A condition can't be evaluated.
    Failed(String),
}

impl<'r> Question<'r> {
    #[inline]
    pub(super) fn new(subject: &'r Subject, request: &'r Canonical, facts: &'r Facts, now: Timestamp) -> Self {
        // What the body alone tells is known already.
        let change = match &facts.live_object {
            None => Cow::Borrowed(request.change()),
            live => Cow::Owned(Change::of(request, live.as_ref())),
        };
        Self {
            subject,
            request,
            facts,
            now,
            change,
            asked: Asked::new(request),
        }
    }

    /// Whether a change is compared with the live object.
    fn compares_with_live(&self) -> bool {
        self.is_change()
            && self
                .facts
                .live_object
                .as_ref()
                .is_some_and(|live| live.object().is_some())
    }

    /// Whether it depends on what the policy masks what a change comes to.
    pub(super) fn depends_on_masks(&self) -> bool {
        self.compares_with_live() || self.is_change() && self.request.is_dry_run()
    }

    /// Takes into account what the policy masks: no finding may tell whether a guess at it was right.
    pub(super) fn mask(&mut self, masks: &[Arc<MaskObligation>], policy: &MaskPolicy) {
        if !masks.is_empty() || policy.masks_more() {
            self.change = Cow::Owned(Change::under(
                self.request,
                self.facts.live_object.as_ref(),
                masks,
                policy,
            ));
        }
    }

    fn is_change(&self) -> bool {
        matches!(
            self.request.attributes().verb,
            Verb::Create | Verb::Update | Verb::Patch
        )
    }

    /// Where `automountServiceAccountToken: false` has to be added.
    pub(super) fn token_mount_switch(&self) -> Option<&[String]> {
        self.change.token_mount_switch()
    }

    /// What the change does.
    pub(super) fn findings(&self) -> &Findings {
        self.change.findings()
    }

    /// What counts of it.
    pub(super) fn counted(&self, which: Counted) -> impl Iterator<Item = &Finding> {
        let findings = self.change.findings().iter();
        findings.filter(move |finding| which == Counted::All || !finding.assumed)
    }

    /// Whether looking at the live object could change what the request comes to.
    pub(super) fn has_assumptions(&self) -> bool {
        self.change.findings().iter().any(|finding| finding.assumed)
    }

    /// Whether looking at the live object could show what the body does not: nobody knows the types of custom resources,
    /// so a value may take the place of an object.
    pub(super) fn may_hide_something(&self) -> bool {
        let untyped = self.request.kind().is_none_or(|kind| kind.origin != Origin::BuiltIn);
        untyped && self.request.attributes().verb == Verb::Patch && self.change.is_open()
    }

    /// The request as the limits of one document see it.
    #[inline]
    pub(super) fn asked_under(&self, weighed: &Weighed<'_>) -> Cow<'_, Asked<'r>> {
        if weighed.destructive && !self.is_harmless_dry_run() {
            Cow::Owned(self.asked.with_effect(Effect::Destructive))
        } else {
            Cow::Borrowed(&self.asked)
        }
    }

    /// A dry run takes nothing away, if the server that is asked for one can be believed; but one that supplies a value
    /// where one is hidden would tell whether it was guessed right.
    fn is_harmless_dry_run(&self) -> bool {
        let believed = self
            .request
            .kind()
            .is_some_and(|kind| kind.origin != Origin::Aggregated);
        self.request.is_dry_run() && believed && !self.change.supplies_hidden_value()
    }

    /// What is left of a rule that fits: labels and condition.
    #[inline]
    pub(super) fn late(&self, rule: &CompiledRule, asked: &Asked<'_>) -> Late {
        let mut permits = true;
        if let Some(listed) = &rule.matches.labels {
            match self.labels(listed) {
                Err(need) => return Late::Needs(need),
                Ok(LabelsSay::Restricts(false)) => return Late::No,
                Ok(LabelsSay::Permits) => {}
                Ok(LabelsSay::Restricts(true)) => permits = false,
            }
        }
        match &rule.when {
            None => Late::Yes { permits },
            Some(condition) => self.condition(condition, asked, permits),
        }
    }

    /// What the labels of the object before and after say.
    fn labels(&self, listed: &[(String, Glob)]) -> Result<LabelsSay, Need> {
        let request = self.request;
        let attributes = request.attributes();
        let say = |labels: &Labels<'_>| {
            if labels.permitted_by(listed) {
                LabelsSay::Permits
            } else {
                LabelsSay::Restricts(labels.restricted_by(listed))
            }
        };
        if attributes.verb == Verb::Create && attributes.subresource.is_empty() {
            return Ok(say(&Labels::of(request.json(), None)));
        }
        if attributes.name.is_empty() || attributes.verb.is_of_collection() {
            return Ok(say(&Labels::UNKNOWN));
        }
        let Some(live) = &self.facts.live_object else {
            return Err(Need::LiveObject);
        };
        // The status of some kinds takes labels along.
        let changes = self.is_change() && matches!(attributes.subresource.as_str(), "" | "status");
        let after = changes.then(|| request.resulting_object(Some(live)));
        Ok(match (live.object(), after) {
            // What a change leaves behind can't be told.
            (_, Some(None)) | (None, None) => say(&Labels::UNKNOWN),
            // Nor what it replaces, where that can't be read.
            (None, _) if *live == Live::Unreadable => say(&Labels::UNKNOWN),
            (before, Some(Some(after))) => say(&Labels::of(
                before.map_or(Some(&*after), |live| Some(live)),
                Some(&after),
            )),
            (Some(before), None) => say(&Labels::of(Some(before), None)),
        })
    }

    fn condition(&self, condition: &Condition, asked: &Asked<'_>, permits: bool) -> Late {
        let (request, reads) = (self.request, condition.reads());
        let live = self.facts.live_object.as_ref();
        let operation = Operation::of(request, live);
        let reads_object = reads.contains(Root::Object) || reads.contains(Root::OldObject);
        // A read changes nothing: there is no object before and after.
        if operation.is_none() && reads_object {
            return Late::No;
        }
        let names_one = !request.attributes().name.is_empty();
        let changes = matches!(operation, Some(Operation::Update | Operation::Delete));
        // Whether a PUT or an apply creates only the live object tells.
        let may_create = Operation::of(request, Some(&Live::Absent)) == Some(Operation::Create);
        let ambiguous = may_create && operation != Some(Operation::Create) && reads.contains(Root::Request);
        if changes && names_one && (reads_object || ambiguous) && live.is_none() {
            return Late::Needs(Need::LiveObject);
        }
        if reads.contains(Root::NamespaceObject) && self.is_in_namespace() && self.facts.namespace.is_none() {
            return Late::Needs(Need::Namespace);
        }
        let object = reads_object.then(|| request.resulting_object(live)).flatten();
        // A dry run that may do more, or tell more, than one should is judged as what it is a rehearsal of.
        let inputs = self
            .inputs(object.as_deref())
            .with_effects(asked.effects)
            .with_dry_run(self.is_harmless_dry_run());
        match condition.holds(&mut Evaluation::new(&inputs)) {
            Ok(true) => Late::Yes { permits },
            Ok(false) => Late::No,
            Err(error) => Late::Failed(error.to_string()),
        }
    }

    fn is_in_namespace(&self) -> bool {
        let namespaced = self.request.kind().is_some_and(|kind| kind.namespaced);
        namespaced && !self.request.attributes().namespace.is_empty()
    }

    /// What conditions are evaluated on.
    fn inputs<'i>(&'i self, object: Option<&'i Value>) -> Inputs<'i> {
        let (live, namespace) = (self.facts.live_object.as_ref(), self.facts.namespace.as_ref());
        Inputs::new(self.subject, self.request, live, namespace, object, self.now)
    }

    /// What one of Kubernetes' own policies says.
    pub(super) fn guardrail(&self, guardrail: &Guardrail) -> Result<GuardrailOutcome, Vec<Need>> {
        let needs = guardrail.needs(self.request);
        let needed = [(needs.live, Need::LiveObject), (needs.namespace, Need::Namespace)];
        let missing = needed
            .into_iter()
            .filter(|(needed, need)| *needed && !self.facts.has(*need));
        let missing: Vec<Need> = missing.map(|(_, need)| need).collect();
        if !missing.is_empty() {
            return Err(missing);
        }
        let object = self.request.resulting_object(self.facts.live_object.as_ref());
        Ok(guardrail.judge(&self.inputs(object.as_deref())))
    }
}

/// What labels say of a rule.
enum LabelsSay {
    /// The object has them, before and after.
    Permits,
    /// It has them before or after, or may have them; or not at all.
    Restricts(bool),
}
