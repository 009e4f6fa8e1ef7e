//! One request that is judged: who asks, what it does, and what is known of the world.

use jiff::Timestamp;

use super::engine::{Facts, Need};
use super::limits::Weighed;
use super::matching::{Asked, Labels};
use super::set::CompiledRule;
use crate::request::{Canonical, Change, Effect, Finding, Origin, Verb};
use crate::subject::Subject;

/// One request that is judged.
pub(super) struct Question<'r> {
    pub(super) subject: &'r Subject,
    pub(super) request: &'r Canonical,
    pub(super) facts: &'r Facts,
    pub(super) now: Timestamp,
    pub(super) asked: Asked<'r>,
    change: Change,
}

/// Which findings about a change count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Findings {
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
    pub(super) fn new(subject: &'r Subject, request: &'r Canonical, facts: &'r Facts, now: Timestamp) -> Self {
        let change = if request.attributes().verb.is_mutating() {
            Change::of(request, facts.live_object.as_ref())
        } else {
            Change::default()
        };
        Self {
            subject,
            request,
            facts,
            now,
            asked: Asked::new(request),
            change,
        }
    }

    pub(super) fn findings(&self, which: Findings) -> impl Iterator<Item = &Finding> {
        let findings = self.change.findings().iter();
        findings.filter(move |finding| which == Findings::All || !finding.assumed)
    }

    /// Whether looking at the live object could change what the request comes to.
    pub(super) fn has_assumptions(&self) -> bool {
        self.change.findings().iter().any(|finding| finding.assumed)
    }

    /// The request as the limits of one document see it.
    pub(super) fn asked_under(&self, weighed: &Weighed<'_>) -> Asked<'r> {
        if weighed.destructive && !self.is_harmless_dry_run() {
            self.asked.with_effect(Effect::Destructive)
        } else {
            self.asked
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
    pub(super) fn late(&self, rule: &CompiledRule, asked: &Asked<'_>) -> Late {
        let _ = asked;
        let mut permits = true;
        if let Some(listed) = &rule.matches.labels {
            match self.labels() {
                Err(need) => return Late::Needs(need),
                Ok(labels) if !labels.restricted_by(listed) => return Late::No,
                Ok(labels) => permits = labels.permitted_by(listed),
            }
        }
        if rule.when.is_some() {
            return Late::Failed("conditions are not evaluated yet".to_owned());
        }
        Late::Yes { permits }
    }

    /// The labels of the object before and after.
    fn labels(&self) -> Result<Labels<'_>, Need> {
        let request = self.request;
        let attributes = request.attributes();
        let names_one = !attributes.name.is_empty();
        if attributes.verb == Verb::Create && attributes.subresource.is_empty() {
            return Ok(Labels::of(request.json(), None));
        }
        if !names_one {
            return Ok(Labels::UNKNOWN);
        }
        let Some(live) = &self.facts.live_object else {
            return Err(Need::LiveObject);
        };
        let after = (attributes.verb == Verb::Update && attributes.subresource.is_empty()).then_some(request.json());
        match live.object() {
            Some(live) => Ok(Labels::of(Some(live), after.flatten())),
            None => Ok(Labels::UNKNOWN),
        }
    }
}
