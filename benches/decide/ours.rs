//! The policy engine of Countersign.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use countersign_kube::core::policy::{Evaluation, Facts, Outcome, PolicyEngine, PolicySet};
use countersign_kube::core::request::{Canonical, Catalog, Gate, Target};
use countersign_kube::core::{Subject, Timestamp};
use http::{HeaderMap, HeaderValue};

use super::workload::{Request, Rule, Workload};
use super::{Judge, ROUNDS, cpu};

pub const NAME: &str = "countersign";

/// A request as the gate hands it on.
#[derive(Debug)]
pub struct Asked {
    subject: Subject,
    request: Canonical,
}

impl Asked {
    pub fn new(
        user: &str,
        groups: &[String],
        verb: &str,
        (group, resource): (&str, &str),
        namespace: &str,
        name: &str,
    ) -> Self {
        let prefix = match group {
            "" => "/api/v1".to_owned(),
            "autoscaling" => "/apis/autoscaling/v2".to_owned(),
            group => format!("/apis/{group}/v1"),
        };
        let target = format!("{prefix}/namespaces/{namespace}/{resource}/{name}");
        let (method, body) = match verb {
            "get" => ("GET", ""),
            "patch" => ("PATCH", r#"{"metadata":{"labels":{"a":"b"}}}"#),
            _ => ("DELETE", ""),
        };
        let mut headers = HeaderMap::new();
        if verb == "patch" {
            let merge = HeaderValue::from_static("application/merge-patch+json");
            headers.insert(http::header::CONTENT_TYPE, merge);
        }
        let gate = Gate::new(Arc::new(Catalog::kubernetes()));
        let target = Target::parse(method, target.as_bytes()).unwrap();
        let head = gate.head(target, &headers).unwrap();
        let subject = groups
            .iter()
            .fold(Subject::new(user), |subject, group| subject.with_group(group));
        Self {
            subject,
            request: head.with_body(body.as_bytes()).unwrap(),
        }
    }
}

pub struct Ours {
    policy: PolicySet,
    facts: Facts,
}

impl Ours {
    pub fn new(workload: &Workload) -> Self {
        Self {
            policy: policy(&workload.rules),
            facts: Facts::default(),
        }
    }
}

impl Judge for Ours {
    fn name(&self) -> &'static str {
        NAME
    }

    fn allows(&mut self, request: &Request) -> bool {
        let Asked { subject, request } = &request.canonical;
        match self
            .policy
            .evaluate(subject, request, &self.facts, Timestamp::UNIX_EPOCH)
        {
            Evaluation::Verdict(verdict) => verdict.outcome == Outcome::Allow,
            Evaluation::Needs(needs) => panic!("{needs:?}"),
        }
    }
}

/// A document per group of subjects.
fn policy(rules: &[Rule]) -> PolicySet {
    let mut documents: BTreeMap<&str, String> = BTreeMap::new();
    for (number, rule) in rules.iter().enumerate() {
        let document = documents.entry(&rule.subject).or_insert_with(|| {
            format!(
                "apiVersion: countersign.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: {subject} }}\nspec:\n  \
                 subjects: [{{ group: {subject} }}]\n  scopes: [{{ namespaces: [\"*\"] }}]\n  rules:\n",
                subject = rule.subject
            )
        });
        let (group, resource) = rule.resource;
        let dot = if group.is_empty() { "" } else { "." };
        let names = rule
            .name
            .as_ref()
            .map_or(String::new(), |name| format!(", names: [\"{name}\"]"));
        let action = if rule.deny { "deny" } else { "allow" };
        let _ = writeln!(
            document,
            "  - {{ name: r-{number}, match: {{ verbs: {:?}, resources: [{resource}{dot}{group}], namespaces: [\"{}\"]{names} }}, {action}: {{}} }}",
            rule.verbs, rule.namespace
        );
    }
    let sources: Vec<(String, String)> = documents
        .into_iter()
        .map(|(name, text)| (format!("{name}.yaml"), text))
        .collect();
    PolicySet::from_yaml(&sources).unwrap_or_else(|errors| panic!("{errors}"))
}

/// CPU time and allocations of gate and decision of one GET, over 1,000 rules.
pub fn gate_and_decision() -> (Duration, u64) {
    const DECISIONS: u32 = 50_000;
    let workload = Workload::new(1_000);
    let ours = Ours::new(&workload);
    let gate = Gate::new(Arc::new(Catalog::kubernetes()));
    let request = workload.requests.iter().find(|request| request.verb == "get").unwrap();
    let subject = &request.canonical.subject;
    let target = request.canonical.request.target().to_owned();
    let mut headers = HeaderMap::new();
    headers.insert(http::header::ACCEPT, HeaderValue::from_static("application/json"));
    let once = || {
        let target = Target::parse("GET", black_box(target.as_bytes())).unwrap();
        let request = gate.head(target, &headers).unwrap().with_body(b"").unwrap();
        black_box(
            ours.policy
                .evaluate(subject, &request, &ours.facts, Timestamp::UNIX_EPOCH),
        );
    };
    let mut rounds: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = cpu();
            (0..DECISIONS).for_each(|_| once());
            (cpu() - start) / DECISIONS
        })
        .collect();
    rounds.sort();
    (rounds[ROUNDS / 2], allocation_counter::measure(once).count_total)
}
