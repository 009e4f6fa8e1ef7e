//! Runs cases: the same gate, the same decision, compared with what is expected.

use std::collections::BTreeSet;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::report::{CaseReport, Difference, TestReport};
use super::spec::{Case, Expect};
use crate::policy::decide::{Decision, Ruling, decide};
use crate::policy::engine::{Facts, FiredRule, Need};
use crate::policy::explain::Explanation;
use crate::policy::set::PolicySet;
use crate::refusal::Refusal;
use crate::request::{Canonical, Effects, Gate};

pub(super) fn run(cases: &[Case], policy: &PolicySet, gate: &Gate) -> TestReport {
    let mut fired = BTreeSet::new();
    let reports = cases
        .iter()
        .map(|case| run_case(case, policy, gate, &mut fired))
        .collect();
    let rules = policy.documents().iter().flat_map(|document| &document.rules);
    // A profile is tested where it is made.
    let own = rules.filter(|rule| !rule.profile).map(|rule| rule.name.to_string());
    TestReport {
        cases: reports,
        never_fired: own.filter(|name| !fired.contains(name)).collect(),
    }
}

/// What became of a case.
struct Actual {
    outcome: &'static str,
    /// Rules that asked for the outcome.
    rules: Vec<String>,
    effects: Effects,
    message: String,
    rewrites: Vec<String>,
    masks: Vec<String>,
    shadow: Vec<String>,
}

fn run_case(case: &Case, policy: &PolicySet, gate: &Gate, fired: &mut BTreeSet<String>) -> CaseReport {
    let (actual, explanation) = match understand(case, gate) {
        Err(refusal) => (Actual::refused(&refusal, None, Effects::NONE), None),
        Ok(request) => {
            let mut facts = Facts::default();
            facts.live_object.clone_from(&case.live);
            facts.namespace.clone_from(&case.namespace);
            let explanation = policy.explain(&case.subject, &request, &facts, case.now);
            fired.extend(explanation.fired().map(|rule| rule.name.clone()));
            let effects = request.effects();
            let actual = match decide(policy, &case.subject, request, &facts, case.now) {
                Ruling::Granted(decided) => Actual::of(decided.decision(), decided.decision().outcome().as_str()),
                Ruling::Denied { decision, refusal } => Actual::refused(&refusal, decision.as_ref(), effects),
                Ruling::Needs { needs, .. } => Actual::open(&needs, effects),
            };
            (actual, Some(explanation))
        }
    };
    let differences = compare(&case.expect, &actual);
    let explanation = explanation.filter(|_| !differences.is_empty());
    CaseReport {
        place: case.place.clone(),
        suite: case.suite.clone(),
        name: case.name.clone(),
        why: explanation
            .map(|explanation| why(&case.expect, &actual, &explanation))
            .unwrap_or_default(),
        differences,
    }
}

fn understand(case: &Case, gate: &Gate) -> Result<Canonical, Refusal> {
    let mut headers = HeaderMap::new();
    for (name, value) in &case.request.headers {
        let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) else {
            return Err(Refusal::malformed("a header that HTTP does not have"));
        };
        headers.append(name, value);
    }
    let target = gate.target(&case.request.method, case.request.target.as_bytes())?;
    gate.head(target, &headers)?.with_body(&case.request.body)
}

impl Actual {
    fn of(decision: &Decision, outcome: &'static str) -> Self {
        let names = |fired: &[FiredRule], action: Option<&str>| {
            let mut names: Vec<String> = fired
                .iter()
                .filter(|rule| action.is_none_or(|action| rule.action == action))
                .map(|rule| rule.name.to_string())
                .collect();
            names.sort_unstable();
            names
        };
        let fired = decision.fired();
        let mut masks: Vec<String> = decision.masks().iter().map(|mask| mask.rule.clone()).collect();
        masks.sort_unstable();
        Self {
            outcome,
            rules: names(fired, Some(outcome)),
            effects: decision.effects(),
            message: String::new(),
            rewrites: names(fired, Some("rewrite")),
            masks,
            shadow: names(decision.shadow(), None),
        }
    }

    fn refused(refusal: &Refusal, decision: Option<&Decision>, effects: Effects) -> Self {
        let mut actual = match decision {
            Some(decision) => Self::of(decision, "deny"),
            None => Self::open(&[], effects),
        };
        actual.outcome = "deny";
        refusal.message().clone_into(&mut actual.message);
        if let Some(rule) = refusal
            .rule()
            .filter(|rule| !actual.rules.iter().any(|known| known == rule))
        {
            actual.rules.push(rule.to_owned());
        }
        actual
    }

    /// What can't be decided without something that the case does not give.
    fn open(needs: &[Need], effects: Effects) -> Self {
        let outcome = match needs {
            [] => "nothing",
            needs if needs.contains(&Need::LiveObject) => "open: give the object as `live`, or `live: absent`",
            _ => "open: give the Namespace as `namespaceObject`",
        };
        Self {
            outcome,
            rules: Vec::new(),
            effects,
            message: String::new(),
            rewrites: Vec::new(),
            masks: Vec::new(),
            shadow: Vec::new(),
        }
    }
}

fn compare(expect: &Expect, actual: &Actual) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut differ = |what, differs: bool, expected: String, actual: String| {
        if differs {
            differences.push(Difference { what, expected, actual });
        }
    };
    let told = |names: &[String]| {
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        }
    };
    differ(
        "outcome",
        expect.outcome != actual.outcome,
        expect.outcome.to_owned(),
        actual.outcome.to_owned(),
    );
    if let Some(rule) = &expect.rule {
        differ("rule", !actual.rules.contains(rule), rule.clone(), told(&actual.rules));
    }
    if let Some(effects) = expect.effects {
        differ(
            "effects",
            effects != actual.effects,
            effects.to_string(),
            actual.effects.to_string(),
        );
    }
    if let Some(message) = &expect.message {
        let differs = !message.matches(&actual.message);
        differ("message", differs, message.as_str().to_owned(), actual.message.clone());
    }
    for (what, expected, actual) in [
        ("rewrites", &expect.rewrites, &actual.rewrites),
        ("masks", &expect.masks, &actual.masks),
        ("shadow", &expect.shadow, &actual.shadow),
    ] {
        if let Some(expected) = expected {
            differ(what, expected != actual, told(expected), told(actual));
        }
    }
    differences
}

/// What is said of the rule that was expected and of those that decided.
fn why(expect: &Expect, actual: &Actual, explanation: &Explanation) -> String {
    let names = expect.rule.iter().chain(&actual.rules);
    let mut seen: Vec<&str> = Vec::new();
    let mut text = String::new();
    for name in names {
        if seen.contains(&name.as_str()) {
            continue;
        }
        seen.push(name);
        match explanation.rule(name) {
            Some(rule) => text.push_str(&rule.to_string()),
            None if name.starts_with("countersign/") => {
                text.push_str(&format!("  * a rule of the guard itself: {name}\n"))
            }
            None => text.push_str(&format!("  ? no document about this subject has the rule {name}\n")),
        }
    }
    if text.is_empty() {
        text = explanation.to_string();
    } else if let Some(message) = &explanation.message {
        text.push_str(&format!("  {}\n", crate::escape::escape_clip(message, 512)));
    }
    text
}
