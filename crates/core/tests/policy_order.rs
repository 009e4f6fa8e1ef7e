//! The order of rules, documents and files never changes a decision.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use countersign_core::Subject;
use countersign_core::policy::{Decision, Facts, PolicyEngine as _, PolicySet, Ruling, decide};
use countersign_core::request::{Canonical, Catalog, Gate};
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// A document before its rules are written in some order.
#[derive(Debug, Clone)]
struct Document {
    subjects: Vec<String>,
    scopes: Vec<String>,
    rules: Vec<String>,
}

impl Document {
    fn write(&self, name: usize) -> String {
        let rules: String = self.rules.iter().map(|rule| format!("  - {rule}\n")).collect();
        let (subjects, scopes) = (self.subjects.join(", "), self.scopes.join(", "));
        format!(
            "apiVersion: countersign.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: p{name} }}\nspec:\n  \
             subjects: [{subjects}]\n  scopes: [{scopes}]\n  \
             approval: {{ approvers: [{{ group: sre }}], quorum: 2, timeout: 5m }}\n  rules:\n{rules}"
        )
    }
}

/// Some of these, in their order: `key: [a, b]`, or nothing, which matches everything.
fn list(key: &'static str, of: Vec<&'static str>) -> impl Strategy<Value = Option<String>> {
    let some = subsequence(of, 1..=3).prop_map(move |words| format!("{key}: [{}]", words.join(", ")));
    proptest::option::weighted(0.5, some)
}

fn fields() -> impl Strategy<Value = String> {
    let effects = vec![
        "discovery",
        "read",
        "read-stream",
        "log",
        "write",
        "destructive",
        "connect",
        "escalation",
    ];
    let verbs = vec![
        "get",
        "list",
        "watch",
        "create",
        "update",
        "patch",
        "delete",
        "deletecollection",
    ];
    let resources = vec![
        "pods",
        "pods/log",
        "pods/*",
        "pods/eviction",
        "secrets",
        "configmaps",
        "deployments.apps",
        "\"*/scale\"",
        "\"*.apps\"",
        "\"*.example.com\"",
        "\"*\"",
    ];
    let names = vec!["web", "\"web-*\"", "\"*-0\"", "db"];
    let namespaces = vec!["team-a", "team-b", "\"team-*\"", "kube-system"];
    (
        list("effects", effects),
        list("verbs", verbs),
        list("resources", resources),
        list("names", names),
        list("namespaces", namespaces),
    )
        .prop_map(|(a, b, c, d, e)| [a, b, c, d, e].into_iter().flatten().collect::<Vec<_>>().join(", "))
}

fn action() -> impl Strategy<Value = &'static str> {
    select(vec![
        "allow: {}",
        "allow: {}",
        "allow: {}",
        "deny: {}",
        "deny: { message: no }",
        "hold: {}",
        "hold: { approvers: [{ user: alice }], quorum: 1, timeout: 1m, pin: uid }",
        "mask: { paths: [\"data.*\"] }",
        "mask: { paths: [spec] }",
    ])
}

fn document() -> impl Strategy<Value = Document> {
    let subjects = subsequence(
        vec![
            "{ group: agents }",
            "{ user: agent-7 }",
            "{ user: \"*\" }",
            "{ group: others }",
        ],
        1..=2,
    );
    let scopes = subsequence(
        vec![
            "{ namespaces: [team-a] }",
            "{ namespaces: [\"team-*\"], effects: [read, write] }",
            "{ namespaces: [\"*\"], clusterScoped: true }",
            "{ clusterScoped: true, resources: [namespaces] }",
        ],
        1..=3,
    );
    let owned = |words: Vec<&str>| words.into_iter().map(str::to_owned).collect();
    let rules = proptest::collection::vec((fields(), action()), 1..8);
    (subjects, scopes, rules).prop_map(move |(subjects, scopes, rules)| Document {
        subjects: owned(subjects),
        scopes: owned(scopes),
        rules: rules
            .into_iter()
            .enumerate()
            .map(|(at, (fields, action))| format!("{{ name: r{at}, match: {{ {fields} }}, {action} }}"))
            .collect(),
    })
}

/// The same documents twice: as they are, each in a file of its own; and with everything that is a list in another order,
/// spread over files in another way.
fn policies() -> impl Strategy<Value = (Vec<Document>, Vec<String>, Vec<String>)> {
    let shuffled = |document: Document| {
        let Document {
            subjects,
            scopes,
            rules,
        } = document;
        (
            Just(subjects).prop_shuffle(),
            Just(scopes).prop_shuffle(),
            Just(rules).prop_shuffle(),
        )
            .prop_map(|(subjects, scopes, rules)| Document {
                subjects,
                scopes,
                rules,
            })
    };
    proptest::collection::vec(document(), 1..4).prop_flat_map(move |documents| {
        let others: Vec<_> = documents.iter().cloned().map(shuffled).collect();
        (Just(documents), others, any::<bool>()).prop_flat_map(|(documents, others, one_file)| {
            let write = |(name, document): (usize, &Document)| document.write(name);
            let files: Vec<_> = documents.iter().enumerate().map(write).collect();
            let others: Vec<_> = others.iter().enumerate().map(write).collect();
            let others = Just(others)
                .prop_shuffle()
                .prop_map(move |files| if one_file { vec![files.join("---\n")] } else { files });
            (Just(documents), Just(files), others)
        })
    })
}

const REQUESTS: [(&str, &str, &str); 16] = [
    ("GET", "/version", ""),
    ("GET", "/api/v1/namespaces/team-a/pods/web-0", ""),
    ("GET", "/api/v1/namespaces/team-a/pods", ""),
    ("GET", "/api/v1/pods?watch=true", ""),
    ("GET", "/api/v1/secrets?fieldSelector=metadata.name=db", ""),
    ("GET", "/api/v1/namespaces/kube-system/secrets/db", ""),
    ("GET", "/api/v1/namespaces/team-a/pods/web-0/log", ""),
    ("GET", "/api/v1/namespaces/team-b", ""),
    ("GET", "/apis/example.com/v1/namespaces/team-b/widgets", ""),
    (
        "POST",
        "/api/v1/namespaces/team-b/configmaps",
        r#"{"metadata":{"name":"web"}}"#,
    ),
    (
        "PATCH",
        "/apis/apps/v1/namespaces/team-a/deployments/web",
        r#"{"spec":{"replicas":2}}"#,
    ),
    (
        "PUT",
        "/apis/apps/v1/namespaces/team-a/deployments/web/scale",
        r#"{"spec":{"replicas":2}}"#,
    ),
    ("DELETE", "/api/v1/namespaces/team-a/pods/web-0", ""),
    ("DELETE", "/api/v1/namespaces/team-b/pods", ""),
    ("POST", "/api/v1/namespaces/team-a/pods/web-0/eviction", "{}"),
    ("DELETE", "/api/v1/namespaces/team-a", ""),
];

static UNDERSTOOD: LazyLock<Vec<Canonical>> = LazyLock::new(|| REQUESTS.map(understand).into());

fn understand((method, target, body): (&str, &str, &str)) -> Canonical {
    let catalog = Catalog::kubernetes().with_custom("example.com", "widgets", "Widget", true);
    let gate = Gate::new(Arc::new(catalog));
    let content_type = match method {
        "PATCH" => "application/merge-patch+json",
        _ => "application/json",
    };
    let headers = HeaderMap::from_iter([(http::header::CONTENT_TYPE, HeaderValue::from_static(content_type))]);
    let target = gate.target(method, target.as_bytes()).unwrap();
    gate.head(target, &headers).unwrap().with_body(body.as_bytes()).unwrap()
}

fn load(files: &[String]) -> PolicySet {
    let sources: Vec<_> = files
        .iter()
        .enumerate()
        .map(|(at, text)| (format!("{at}.yaml"), text))
        .collect();
    PolicySet::from_yaml(&sources).unwrap_or_else(|errors| panic!("{errors}\n{files:#?}"))
}

/// What must not depend on the order: outcome, fired rules, terms and obligations. (Of several rules that deny, the first
/// one speaks.)
fn decided(policy: &PolicySet, request: &Canonical) -> (String, Vec<String>) {
    let agent = Subject::new("agent-7").with_group("agents");
    let decision = match decide(
        policy,
        &agent,
        request.clone(),
        &Facts::default(),
        Timestamp::UNIX_EPOCH,
    ) {
        Ruling::Granted(granted) => granted.decision().clone(),
        Ruling::Denied { decision, .. } => decision.expect("the engine decides"),
        Ruling::Needs { needs, .. } => return (format!("needs {needs:?}"), Vec::new()),
    };
    (decision.outcome().as_str().to_owned(), parts(&decision))
}

fn parts(decision: &Decision) -> Vec<String> {
    let fired = decision.fired().iter().map(|rule| format!("{rule:?}"));
    let holds = decision.holds().iter().map(|terms| format!("{terms:?}"));
    let masks = decision.masks().iter().map(|mask| format!("{mask:?}"));
    let mut parts: Vec<_> = fired.chain(holds).chain(masks).collect();
    parts.sort();
    parts
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn order_never_changes_a_decision((documents, files, others) in policies()) {
        let (one, other) = (load(&files), load(&others));
        for request in &*UNDERSTOOD {
            let (expected, found) = (decided(&one, request), decided(&other, request));
            prop_assert_eq!(expected, found, "{} {} under {:#?}", request.method(), request.target(), documents);
        }
    }

    #[test]
    fn the_revision_is_that_of_the_documents_whatever_their_files((_, files, _) in policies(), whole in any::<bool>()) {
        let mut others = files.clone();
        others.reverse();
        if whole {
            others = vec![others.join("---\n")];
        }
        prop_assert_eq!(load(&files).revision(), load(&others).revision());
    }
}

/// Policies that deny everything would prove nothing.
#[test]
fn every_outcome_and_several_rules_at_once_come_about() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..50 {
        let (_, files, _) = policies().new_tree(&mut runner).unwrap().current();
        let policy = load(&files);
        for request in &*UNDERSTOOD {
            let (outcome, parts) = decided(&policy, request);
            *outcomes.entry(outcome).or_default() += 1;
            if parts.len() > 2 {
                *outcomes.entry("several".to_owned()).or_default() += 1;
            }
        }
    }
    for outcome in ["allow", "deny", "hold", "several"] {
        assert!(outcomes.get(outcome).is_some_and(|count| *count >= 50), "{outcomes:?}");
    }
}
