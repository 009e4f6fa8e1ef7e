//! Why a request is allowed, held or denied: for each document and each of its rules, whether it fired, and if not, which
//! condition said no.
//!
//! 1. An explanation agrees with the decision: a rule fired in one if and only if it fired in the other.
//! 2. It looks at every rule, also where the index leaves out what can't fire; so it takes longer than a decision.
//! 3. It is for who writes policies. Callers are not shown it: it tells what others may do.

mod misses;
mod text;

use jiff::Timestamp;
use serde::Serialize;

use super::engine::{Evaluation, Facts, HoldTerms, Outcome, PolicyEngine as _};
use super::limits::Weighed;
use super::matching::{Asked, Place, in_scope};
use super::question::{Counted, Late, Question};
use super::set::{Action, CompiledRule, Document, PolicySet};
use super::wording::described;
use crate::request::{Canonical, Effects, Finding, Weight};
use crate::subject::Subject;

pub use misses::{Condition, Miss};

/// Why a request is allowed, held or denied. Shown as text for a terminal; serialised for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Explanation {
    /// Who asks.
    pub subject: Subject,
    /// What is asked, as `delete pods/web-0 in namespace team-a`.
    pub request: String,
    /// Method and target, as they would be sent.
    pub target: String,
    /// `allow`, `deny` or `hold`; `needs` if something has to be known first.
    pub outcome: &'static str,
    /// What a refused caller is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The smallest change that would help a refused caller, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// The terms that have to be met.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<HoldTerms>,
    /// What the documents about the subject say about masks, together; empty if answers are masked as they always are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub masking: Vec<String>,
    /// What has to be known first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<&'static str>,
    /// What the request does.
    pub effects: Effects,
    /// Rules of no document that fired: what the engine itself says, and Kubernetes' own policies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<String>,
    /// Every document of the policy, by name.
    pub documents: Vec<ExplainedDocument>,
}

/// What one document says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ExplainedDocument {
    /// Its name.
    pub name: String,
    /// Whether it is about the subject; if not, nothing else is said of it.
    pub about_subject: bool,
    /// It is evaluated and recorded, not enforced.
    pub shadow: bool,
    /// Whether the request is inside one of its scopes.
    pub in_scope: bool,
    /// Its scopes.
    pub scopes: Vec<ExplainedScope>,
    /// What its limits make of what the request does.
    pub findings: Vec<ExplainedFinding>,
    /// What the request does under these limits.
    pub effects: Effects,
    /// Its rules, then those of its profile.
    pub rules: Vec<ExplainedRule>,
}

/// One scope of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ExplainedScope {
    /// What it says.
    pub scope: String,
    /// What keeps the request out; empty if it is inside.
    pub misses: Vec<Miss>,
}

/// One finding about a change, under the limits of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ExplainedFinding {
    /// What was found.
    pub finding: Finding,
    /// What it comes to.
    pub standing: Standing,
}

/// What a finding comes to under the limits of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It is inside the limits.
    Inside,
    /// The change takes something away.
    Destructive,
    /// A human has to see it.
    Approval,
    /// It is on the hard deny list.
    Forbidden,
}

/// One rule of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ExplainedRule {
    /// `document/rule`, or `profile/rule`.
    pub name: String,
    /// `allow`, `deny`, `hold`, `rewrite` or `mask`.
    pub action: &'static str,
    /// It is evaluated and recorded, not enforced.
    pub shadow: bool,
    /// It is the profile's.
    pub profile: bool,
    /// Whether it fired.
    pub fired: bool,
    /// What could not be evaluated: such a rule denies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// Why it did not fire; of a hold that fired, what keeps it from permitting what it holds.
    pub misses: Vec<Miss>,
}

impl PolicySet {
    /// Explains what becomes of a request, as [`evaluate`](super::PolicyEngine::evaluate) decides it.
    #[must_use]
    pub fn explain(&self, subject: &Subject, request: &Canonical, facts: &Facts, now: Timestamp) -> Explanation {
        let evaluation = self.evaluate(subject, request, facts, now);
        let mut question = Question::new(subject, request, facts, now);
        if let Evaluation::Verdict(verdict) = &evaluation
            && question.depends_on_masks()
        {
            question.mask(&verdict.masks, &verdict.masking);
        }
        let documents = self.documents().iter();
        let mut explanation = Explanation {
            subject: subject.clone(),
            request: described(request),
            target: format!("{} {}", request.method(), request.target()),
            outcome: "needs",
            message: None,
            remedy: None,
            holds: Vec::new(),
            masking: match self.masking(subject) {
                Ok(masking) => masking.settings().differences(),
                Err(error) => vec![error.to_string()],
            },
            needs: Vec::new(),
            effects: request.effects(),
            others: Vec::new(),
            documents: documents.map(|document| explain(document, &question)).collect(),
        };
        match evaluation {
            Evaluation::Needs(needs) => explanation.needs = needs.into_iter().map(text::need).collect(),
            Evaluation::Verdict(verdict) => {
                explanation.outcome = verdict.outcome.as_str();
                explanation.effects = verdict.effects.union(request.effects());
                let others = verdict
                    .fired
                    .iter()
                    .filter(|rule| explanation.rule(&rule.name).is_none());
                explanation.others = others.map(|rule| format!("{} {}", rule.action, rule.name)).collect();
                match verdict.outcome {
                    Outcome::Allow => {}
                    Outcome::Hold(terms) => explanation.holds = terms.iter().map(|terms| (**terms).clone()).collect(),
                    Outcome::Deny(denial) => {
                        explanation.message = Some(denial.message(subject, request));
                        explanation.remedy = denial.remedy(request);
                    }
                }
            }
        }
        explanation
    }
}

impl Explanation {
    /// The rules that fired, those in shadow too.
    pub fn fired(&self) -> impl Iterator<Item = &ExplainedRule> {
        let rules = self.documents.iter().flat_map(|document| &document.rules);
        rules.filter(|rule| rule.fired)
    }

    /// The rule of that name, if a document about the subject has it.
    #[must_use]
    pub fn rule(&self, name: &str) -> Option<&ExplainedRule> {
        let mut rules = self.documents.iter().flat_map(|document| &document.rules);
        rules.find(|rule| rule.name == name)
    }
}

fn explain(document: &Document, question: &Question<'_>) -> ExplainedDocument {
    let about_subject = document.is_about(question.subject);
    let mut explained = ExplainedDocument {
        name: document.name.to_string(),
        about_subject,
        shadow: document.shadow,
        in_scope: false,
        scopes: Vec::new(),
        findings: Vec::new(),
        effects: question.asked.effects,
        rules: Vec::new(),
    };
    if !about_subject {
        return explained;
    }
    let findings = || question.counted(Counted::All);
    let asked = question.asked_under(&Weighed::of(&document.limits, findings()));
    explained.effects = asked.effects;
    explained.in_scope = in_scope(&document.scopes, &asked);
    explained.scopes = document
        .scopes
        .iter()
        .map(|scope| misses::scope(scope, &asked))
        .collect();
    explained.findings = findings()
        .map(|finding| ExplainedFinding {
            finding: finding.clone(),
            standing: match document.limits.weigh(finding) {
                None => Standing::Inside,
                Some(Weight::Destructive) => Standing::Destructive,
                Some(Weight::Approval) => Standing::Approval,
                Some(Weight::Forbidden) => Standing::Forbidden,
            },
        })
        .collect();
    let mut spoken = false;
    for rule in &document.rules {
        let rule = if rule.profile && spoken {
            explained_as(document, rule, Fired::No(vec![misses::spoken()]))
        } else {
            let fired = fires(document, rule, question, &asked, explained.in_scope);
            // What one rule of the profile says silences no other.
            spoken |= !rule.profile && speaks(document, rule, &fired);
            explained_as(document, rule, fired)
        };
        explained.rules.push(rule);
    }
    explained
}

/// Whether a rule fired.
enum Fired {
    /// It did; what keeps it from permitting, if it can permit.
    Yes(Vec<Miss>),
    /// It did not, for these reasons.
    No(Vec<Miss>),
    /// It can't be evaluated, and denies.
    Failed(String),
}

fn fires(
    document: &Document,
    rule: &CompiledRule,
    question: &Question<'_>,
    asked: &Asked<'_>,
    in_scope: bool,
) -> Fired {
    let narrow = || {
        let mut misses = misses::narrow(&rule.matches, asked);
        misses.extend((!in_scope).then(|| misses::out_of_scope(document)));
        if let Action::Allow {
            insecure_opaque_stream: false,
        } = rule.action
            && asked.is_upgrade
        {
            misses.push(misses::stream());
        }
        misses
    };
    // What it takes to fire, and what it takes to permit.
    let (to_fire, to_permit) = match &rule.action {
        Action::Allow { .. } => (narrow(), Vec::new()),
        Action::Hold(_) => (misses::wide(&rule.matches, asked), narrow()),
        Action::Deny { .. } | Action::Rewrite(_) => (misses::wide(&rule.matches, asked), Vec::new()),
        Action::Mask(_) => (misses::wide(&rule.matches, &asked.as_read()), Vec::new()),
    };
    let permits = matches!(rule.action, Action::Hold(_)) && to_permit.is_empty();
    if !to_fire.is_empty() && !permits {
        return Fired::No(to_fire);
    }
    match question.late(rule, asked) {
        Late::Yes { permits: true } => Fired::Yes(to_permit),
        Late::Yes { permits: false } if matches!(rule.action, Action::Allow { .. }) => {
            Fired::No(vec![misses::late_narrow(rule)])
        }
        Late::Yes { permits: false } => {
            let late = matches!(rule.action, Action::Hold(_)).then(|| misses::late_narrow(rule));
            Fired::Yes(to_permit.into_iter().chain(late).collect())
        }
        Late::No => Fired::No(vec![misses::late(rule)]),
        Late::Needs(need) => Fired::No(vec![misses::need(text::need(need))]),
        Late::Failed(message) => Fired::Failed(message),
    }
}

/// Whether what the rule says settles the matter, so that the profile has nothing to add.
fn speaks(document: &Document, rule: &CompiledRule, fired: &Fired) -> bool {
    match fired {
        Fired::Failed(_) => true,
        Fired::No(_) => false,
        Fired::Yes(_) if document.shadow || rule.shadow => false,
        Fired::Yes(misses) => match &rule.action {
            Action::Allow { .. } | Action::Deny { .. } => true,
            Action::Hold(_) => misses.is_empty(),
            Action::Rewrite(_) | Action::Mask(_) => false,
        },
    }
}

fn explained_as(document: &Document, rule: &CompiledRule, fired: Fired) -> ExplainedRule {
    let (fired, misses, failed) = match fired {
        Fired::Yes(misses) => (true, misses, None),
        Fired::No(misses) => (false, misses, None),
        Fired::Failed(message) => (true, Vec::new(), Some(message)),
    };
    ExplainedRule {
        name: rule.name.to_string(),
        action: rule.action.as_str(),
        shadow: document.shadow || rule.shadow,
        profile: rule.profile,
        fired,
        failed,
        misses,
    }
}

/// Where a request looks or acts, in words.
fn place(place: Place<'_>) -> String {
    match place {
        Place::Nowhere => "no resource".to_owned(),
        Place::Cluster => "outside of namespaces".to_owned(),
        Place::Namespace(namespace) => format!("in namespace {}", crate::escape::escape_clip(namespace, 64)),
        Place::AllNamespaces => "in all namespaces".to_owned(),
        Place::NamespaceObjects => "all namespaces themselves".to_owned(),
        Place::Unknown => "a resource that nobody knows".to_owned(),
    }
}
