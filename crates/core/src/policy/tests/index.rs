//! The index finds every rule and every document that a look at all of them would.

use proptest::collection::vec;
use proptest::option;
use proptest::sample::select;
use proptest::strategy::Strategy;

use super::*;
use crate::policy::index::Index;
use crate::policy::matching::Asked;
use crate::policy::set::Action;

const RESOURCES: [&str; 14] = [
    "*",
    "pods",
    "pods/exec",
    "pods/*",
    "*/scale",
    "*.apps",
    "*.*",
    "deployments.apps",
    "deployments.extensions",
    "events",
    "events.events.k8s.io",
    "namespaces",
    "nodes",
    "widgets.example.com",
];
const NAMESPACES: [&str; 7] = ["a", "b", "c", "team-*", "*", "kube-system", "not-there"];
const NAMES: [&str; 4] = ["web", "a", "*", "db-*"];
const VERBS: [&str; 5] = ["get", "list", "create", "delete", "update"];
const ACTIONS: [&str; 3] = ["deny: {}", "allow: {}", "mask: { paths: [data] }"];
const REQUESTS: [&str; 19] = [
    "get pods/web in a",
    "get pods/web/exec in b",
    "get pods/https:web:443/proxy in team-x",
    "list pods in *",
    "list pods in other",
    "create pods in a",
    "deletecollection pods in *",
    "create pods/web/eviction in c",
    "update deployments.apps/web/scale in a",
    "get deployments.extensions/web in b",
    "list events.events.k8s.io in a",
    "list namespaces",
    "create namespaces",
    "delete namespaces/a",
    "get namespaces/team-1/status",
    "get nodes/n1",
    "list nodes",
    "patch widgets.example.com/db-1 in kube-system",
    "get /version",
];

fn list(values: &'static [&'static str], at_most: usize) -> impl Strategy<Value = Option<Vec<&'static str>>> {
    option::of(vec(select(values), 1..=at_most))
}

fn rule() -> impl Strategy<Value = String> {
    let many = (0_usize..100).prop_map(|count| (0..count).map(|at| format!("n{at}")).collect::<Vec<_>>());
    let fields = (
        list(&RESOURCES, 4),
        list(&NAMESPACES, 3),
        list(&NAMES, 2),
        list(&VERBS, 3),
    );
    (fields, option::weighted(0.1, many), select(&ACTIONS[..])).prop_map(
        |((resources, namespaces, names, verbs), many, action)| {
            let quoted = |key: &str, values: Option<Vec<&str>>| {
                values.map(|mut values| {
                    values.sort_unstable();
                    values.dedup();
                    format!(
                        "{key}: [{}]",
                        values
                            .iter()
                            .map(|value| format!("\"{value}\""))
                            .collect::<Vec<_>>()
                            .join(", ")
                    )
                })
            };
            // So many that their combinations are not kept.
            let namespaces = namespaces.map(|mut namespaces| {
                let many = many
                    .iter()
                    .flatten()
                    .map(|name| &*Box::leak(name.clone().into_boxed_str()));
                namespaces.extend(many);
                namespaces
            });
            let fields = [
                Some("effects: [read, write, destructive, connect, discovery]".to_owned()),
                quoted("resources", resources),
                quoted("namespaces", namespaces),
                quoted("names", names),
                quoted("verbs", verbs),
            ];
            format!(
                "match: {{ {} }}, {action}",
                fields.into_iter().flatten().collect::<Vec<_>>().join(", ")
            )
        },
    )
}

/// As the YAML of one entry.
fn subject() -> impl Strategy<Value = String> {
    let one = |key: &'static str, values: &'static [&'static str]| {
        option::of(select(values)).prop_map(move |value| value.map(|value| format!("{key}: \"{value}\"")))
    };
    let all = (
        one("user", &["agent-7", "agent-*", "*", "other"]),
        one("group", &["agents", "ag*", "others"]),
        one("onBehalfOf", &["ann", "*"]),
    );
    all.prop_map(|(user, group, on_behalf_of)| {
        let fields: Vec<String> = [user, group, on_behalf_of].into_iter().flatten().collect();
        if fields.is_empty() {
            "{ user: agent-7 }".to_owned()
        } else {
            format!("{{ {} }}", fields.join(", "))
        }
    })
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(128))]

    #[test]
    fn no_rule_is_overlooked(texts in vec(rule(), 1..12)) {
        let texts: Vec<String> = texts.iter().enumerate().map(|(at, text)| format!("{{ name: r{at}, {text} }}")).collect();
        let policy = rules(&texts.iter().map(String::as_str).collect::<Vec<_>>());
        let documents = policy.documents();
        let index = Index::new(documents);
        for request in REQUESTS {
            let request = ask(request, if request.starts_with("get /") { "discovery" } else { "write" });
            let asked = Asked::new(&request);
            let found = index.rules(0, &index.lookup(&asked));
            proptest::prop_assert!(found.is_sorted_by(|a, b| a < b), "each once, in their order: {:?}", found);
            for (at, rule) in (0_u32..).zip(&documents[0].rules) {
                let matters = rule.matches.restricts(&asked)
                    || (matches!(rule.action, Action::Mask(_)) && rule.matches.restricts(&asked.as_read()))
                    || rule.matches.missed(&asked).nothing();
                proptest::prop_assert!(!matters || found.contains(&at), "{} on {:?}", texts[at as usize], request.attributes());
            }
        }
    }

    #[test]
    fn no_document_is_overlooked(subjects in vec(vec(subject(), 1..4), 1..6)) {
        let texts: Vec<String> = subjects.iter().enumerate().map(|(at, subjects)| {
            let spec = "scopes: [{ clusterScoped: true }]\nrules: [{ name: a, match: {}, deny: {} }]";
            document(&format!("p{at}"), &format!("subjects: [{}]\n{spec}", subjects.join(", ")))
        }).collect();
        let policy = load(&texts.iter().map(String::as_str).collect::<Vec<_>>());
        let documents = policy.documents();
        let index = Index::new(documents);
        for (user, group, principal) in [
            ("agent-7", "agents", None),
            ("agent-7", "agents", Some("ann")),
            ("agent-8", "others", Some("bob")),
            ("other", "none", None),
        ] {
            let mut subject = Subject::new(user).with_group(group).with_group("agents");
            subject.on_behalf_of = principal.map(str::to_owned);
            let found = index.documents(&subject, documents).to_vec();
            let all: Vec<u32> = (0_u32..).zip(documents).filter(|(_, document)| document.is_about(&subject)).map(|(id, _)| id).collect();
            proptest::prop_assert_eq!(found, all);
        }
    }
}
