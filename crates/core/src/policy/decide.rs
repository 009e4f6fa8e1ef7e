//! The only function that turns a request into a decided one.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jiff::Timestamp;

use super::budget::Budget;
use super::denial::Denial;
use super::engine::{
    Evaluation, Facts, FiredRule, HoldTerms, MaskObligation, MaskPath, Need, Outcome, Pin, PolicyEngine, Rewrite,
    Verdict,
};
use super::write_back::WrittenBack;
use crate::digest::Digest;
use crate::json;
use crate::mask::{MaskPolicy, WithoutJson, WriteBack};
use crate::refusal::{ObjectRef, Refusal};
use crate::request::{
    Canonical, Effects, Finding, Live, RewriteOperation, Rewritten, check_fields, check_paths, check_tests,
    not_acceptable,
};
use crate::subject::Subject;

/// What was decided, with every rule that fired, under which revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    verdict: Verdict,
    revision: Digest,
}

impl Decision {
    /// Allow, deny or hold.
    #[must_use]
    pub fn outcome(&self) -> &Outcome {
        &self.verdict.outcome
    }

    /// Every rule that fired.
    #[must_use]
    pub fn fired(&self) -> &[FiredRule] {
        &self.verdict.fired
    }

    /// Every rule in shadow mode that would have fired: recorded, not enforced.
    #[must_use]
    pub fn shadow(&self) -> &[FiredRule] {
        &self.verdict.shadow
    }

    /// What the request does, with what its body and the live object tell.
    #[must_use]
    pub fn effects(&self) -> Effects {
        self.verdict.effects
    }

    /// What was of concern about the change.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.verdict.findings
    }

    /// What the policy changed in the request, in this order.
    #[must_use]
    pub fn rewrites(&self) -> &[Rewrite] {
        &self.verdict.rewrites
    }

    /// Budgets that have to have something left.
    #[must_use]
    pub fn budgets(&self) -> &[Arc<Budget>] {
        &self.verdict.budgets
    }

    /// What the caller is told in `Warning` headers.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.verdict.warnings
    }

    /// Keys and values for the record.
    #[must_use]
    pub fn annotations(&self) -> &[(String, String)] {
        &self.verdict.annotations
    }

    /// What has to be masked in the answer beyond what is always masked.
    #[must_use]
    pub fn masks(&self) -> &[Arc<MaskObligation>] {
        &self.verdict.masks
    }

    /// How the answer is masked, and what becomes of masked values that are written back.
    #[must_use]
    pub fn masking(&self) -> &Arc<MaskPolicy> {
        &self.verdict.masking
    }

    /// Digest of the rules it was made under.
    #[must_use]
    pub fn revision(&self) -> Digest {
        self.revision
    }

    /// The terms of all holds that fired; empty if it is not held.
    #[must_use]
    pub fn holds(&self) -> &[Arc<HoldTerms>] {
        match &self.verdict.outcome {
            Outcome::Hold(terms) => terms,
            Outcome::Allow | Outcome::Deny(_) => &[],
        }
    }

    /// The strictest pin of all holds that fired.
    #[must_use]
    pub fn pin(&self) -> Option<Pin> {
        self.holds().iter().map(|terms| terms.pin).max()
    }

    /// Whether a rule allows an upgraded connection whose bytes nobody sees.
    #[must_use]
    pub fn insecure_opaque_stream(&self) -> bool {
        self.verdict.insecure_opaque_stream
    }
}

/// A request of a subject that may be sent, at once or after an approval.
#[derive(Debug)]
pub struct Decided {
    subject: Subject,
    request: Canonical,
    decision: Decision,
    facts: Facts,
    restored: Vec<String>,
}

impl Decided {
    /// Who asks.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The request.
    #[must_use]
    pub fn request(&self) -> &Canonical {
        &self.request
    }

    /// The decision: allow or hold.
    #[must_use]
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// The live object that the engine read to decide; what is sent is pinned to it.
    #[must_use]
    pub fn live_object(&self) -> Option<&Arc<json::Value>> {
        self.facts.live_object.as_ref().and_then(Live::object)
    }

    /// Keys of a Secret's `data` that stay as they are: the body has the marker in their place.
    #[must_use]
    pub fn restored(&self) -> &[String] {
        &self.restored
    }

    /// Whether the engine looked for the live object to decide, and there was none.
    #[must_use]
    pub fn found_no_object(&self) -> bool {
        self.facts.live_object == Some(Live::Absent)
    }
}

/// What came of asking the engine.
#[derive(Debug)]
pub enum Ruling {
    /// The request may go on.
    Granted(Decided),
    /// It may not.
    Denied {
        /// The decision; none if the engine did not make one.
        decision: Option<Decision>,
        /// What the caller is told.
        refusal: Refusal,
    },
    /// The engine has to know this first; ask again with the request and these facts.
    Needs {
        /// The request, back.
        request: Canonical,
        /// What to fetch.
        needs: Vec<Need>,
    },
}

/// How often rewrites may call for others.
const ROUNDS: usize = 4;

/// Asks the engine about one request. What it rewrites is judged again, and is what goes on.
///
/// A body that carries the mask's marker is refused: 422 of the rule `countersign/masked-value`; before the engine is asked,
/// unless the marker could be restored and the engine's verdict says whether it is. `facts` holds what earlier calls named; an engine that asks for what it was given is refused, as is one that panics,
/// changes its revision meanwhile, or holds a request without terms that can be met.
#[must_use]
pub fn decide(
    engine: &dyn PolicyEngine,
    subject: &Subject,
    request: Canonical,
    facts: &Facts,
    now: Timestamp,
) -> Ruling {
    let written_back = match WrittenBack::of(&request) {
        Ok(written_back) => written_back,
        Err(refusal) => {
            return Ruling::Denied {
                decision: None,
                refusal,
            };
        }
    };
    let mut request = request;
    let mut rewritten: Option<Applied> = None;
    for _ in 0..ROUNDS {
        let (mut verdict, revision) = match ask(engine, subject, &request, facts, now) {
            Err(refusal) => {
                return Ruling::Denied {
                    decision: None,
                    refusal,
                };
            }
            Ok((Evaluation::Needs(needs), _)) => {
                // Whoever asks again begins anew.
                let request = rewritten.map_or(request, |applied| applied.original);
                return Ruling::Needs { request, needs };
            }
            Ok((Evaluation::Verdict(verdict), _)) if written_back.needs_live(&verdict, facts) => {
                return Ruling::Needs {
                    request: rewritten.map_or(request, |applied| applied.original),
                    needs: vec![Need::LiveObject],
                };
            }
            Ok((Evaluation::Verdict(verdict), revision)) => (verdict, revision),
        };
        let operations: Vec<RewriteOperation> = verdict
            .rewrites
            .iter()
            .flat_map(|rewrite| rewrite.operations.iter().cloned())
            .collect();
        let original = (!operations.is_empty()).then(|| request.clone());
        match request.rewritten(&operations, facts.live_object.as_ref()) {
            Ok(Rewritten::Changed(changed)) => {
                let applied = rewritten.get_or_insert_with(|| Applied {
                    original: original.unwrap_or_else(|| changed.clone()),
                    rewrites: Vec::new(),
                });
                applied.rewrites.extend(verdict.rewrites);
                request = changed;
            }
            Ok(Rewritten::Unchanged(request)) => {
                verdict.effects = verdict.effects.union(request.effects());
                verdict.rewrites = rewritten.map(|applied| applied.rewrites).unwrap_or_default();
                return rule(subject, request, Decision { verdict, revision }, facts, written_back);
            }
            Err(refusal) => {
                verdict.rewrites = Vec::new();
                let denies = matches!(verdict.outcome, Outcome::Deny(_));
                let decision = Decision { verdict, revision };
                return match original {
                    // What is denied as it is, is denied for that.
                    Some(request) if denies => rule(subject, request, decision, facts, written_back),
                    _ => Ruling::Denied {
                        decision: Some(decision),
                        refusal,
                    },
                };
            }
        }
    }
    Ruling::Denied {
        decision: None,
        refusal: Refusal::unavailable("the rewrites of the policy never come to an end on this request"),
    }
}

/// What rewrites made of a request so far.
struct Applied {
    original: Canonical,
    rewrites: Vec<Rewrite>,
}

fn ask(
    engine: &dyn PolicyEngine,
    subject: &Subject,
    request: &Canonical,
    facts: &Facts,
    now: Timestamp,
) -> Result<(Evaluation, Digest), Refusal> {
    let asked = catch_unwind(AssertUnwindSafe(|| {
        let before = engine.revision();
        let evaluation = engine.evaluate(subject, request, facts, now);
        (before, evaluation, engine.revision())
    }));
    let Ok((revision, evaluation, after)) = asked else {
        return Err(Refusal::unavailable(
            "the policy engine broke down while it judged this request",
        ));
    };
    if revision != after {
        return Err(Refusal::unavailable(
            "the policy was replaced while it judged this request",
        ));
    }
    match &evaluation {
        Evaluation::Needs(needs) if needs.is_empty() || needs.iter().any(|need| facts.has(*need)) => Err(
            Refusal::unavailable("the policy engine asks for facts that it was given"),
        ),
        _ => Ok((evaluation, revision)),
    }
}

/// From a decision to what becomes of the request.
fn rule(subject: &Subject, request: Canonical, decision: Decision, facts: &Facts, written_back: WrittenBack) -> Ruling {
    match granted(subject, &request, &decision, facts, written_back) {
        Ok(restored) => Ruling::Granted(Decided {
            subject: subject.clone(),
            request,
            decision,
            facts: facts.clone(),
            restored,
        }),
        Err(refusal) => Ruling::Denied {
            decision: Some(decision),
            refusal,
        },
    }
}

/// Whether a request may go on, and which masked values in it stay what they stand for.
fn granted(
    subject: &Subject,
    request: &Canonical,
    decision: &Decision,
    facts: &Facts,
    written_back: WrittenBack,
) -> Result<Vec<String>, Refusal> {
    let settings = decision.masking().settings();
    refuse_oracle(request, decision)?;
    if settings.write_back == WriteBack::Refuse {
        written_back.clone().restored(request, WriteBack::Refuse, facts)?;
    }
    match decision.outcome() {
        Outcome::Hold(terms) if terms.is_empty() || terms.iter().any(|t| t.quorum == 0 || t.approvers.is_empty()) => {
            return Err(Refusal::unavailable(
                "the policy holds this request, but names nobody who could approve it",
            ));
        }
        Outcome::Allow | Outcome::Hold(_) => {}
        Outcome::Deny(denial) => return Err(policy_refusal(subject, request, decision, denial)),
    }
    if settings.accept == WithoutJson::Refuse && !request.accepts_json() {
        return Err(not_acceptable());
    }
    written_back.restored(request, settings.write_back, facts)
}

/// A JSON Patch must not read what the policy masks, as it must not read what is always masked.
fn refuse_oracle(request: &Canonical, decision: &Decision) -> Result<(), Refusal> {
    let Some(json::Value::Array(operations)) = request.json() else {
        return Ok(());
    };
    let masks = decision.masks().iter().flat_map(|mask| &mask.paths);
    check_paths(operations, masks.map(MaskPath::segments))?;
    check_fields(operations, decision.masking().fields_of(request))?;
    check_tests(request, operations, decision.masks(), decision.masking().masking())
}

fn policy_refusal(subject: &Subject, request: &Canonical, decision: &Decision, denial: &Denial) -> Refusal {
    let attributes = request.attributes();
    let mut refusal = Refusal::policy(denial.message(subject, request)).with_object(ObjectRef {
        group: attributes.api_group.to_string(),
        resource: attributes.resource.to_string(),
        name: attributes.name.to_string(),
    });
    if let Some(rule) = decision.fired().iter().find(|rule| rule.action == "deny") {
        refusal = refusal.with_rule(&*rule.name);
    }
    match denial.remedy(request) {
        Some(remedy) => refusal.with_remedy(remedy),
        None => refusal,
    }
}
