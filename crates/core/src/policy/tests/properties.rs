//! What holds for every order of rules and every broken document.

use proptest::strategy::Strategy;

use super::*;

const POOL: [&str; 8] = [
    "{ name: a, match: { effects: [read, write] }, allow: {} }",
    "{ name: b, match: { resources: [pods], names: [web-*] }, allow: {} }",
    "{ name: c, match: { effects: [destructive] }, hold: { approvers: [{ group: sre }] } }",
    "{ name: d, match: { resources: [secrets], names: [db] }, deny: {} }",
    "{ name: e, match: { namespaces: [kube-*] }, deny: { message: no } }",
    "{ name: f, match: { resources: [configmaps] }, mask: { paths: [data] } }",
    "{ name: g, match: { verbs: [list, watch] }, hold: { approvers: [{ user: x }], pin: uid } }",
    "{ name: h, match: { effects: [connect] }, allow: {}, insecure_opaque_stream: true }",
];

const REQUESTS: [(&str, &str); 8] = [
    ("get pods/web-0 in a", "read"),
    ("delete pods/web-0 in a", "destructive"),
    ("list secrets in *", "read"),
    ("get secrets/db in kube-system", "read"),
    ("update configmaps/x in a", "write destructive"),
    ("get pods/x/exec in a", "connect"),
    ("delete namespaces/kube-system", "destructive"),
    ("create pods/web-0/eviction in a", "destructive"),
];

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(64))]

    #[test]
    fn the_order_of_rules_never_changes_an_outcome(order in proptest::sample::subsequence(POOL.to_vec(), 1..=8).prop_shuffle()) {
        let mut sorted = order.clone();
        sorted.sort_unstable();
        let (shuffled, sorted) = (rules(&order), rules(&sorted));
        for (request, effects) in REQUESTS {
            let (one, other) = (verdict(&shuffled, &ask(request, effects)), verdict(&sorted, &ask(request, effects)));
            let mut fired = [one.fired.to_vec(), other.fired.to_vec()];
            fired.iter_mut().for_each(|fired| fired.sort_unstable_by(|a, b| a.name.cmp(&b.name)));
            proptest::prop_assert_eq!(one.outcome.as_str(), other.outcome.as_str());
            proptest::prop_assert_eq!(&fired[0], &fired[1]);
        }
    }

    /// Whatever is typed into a document, loading it ends in a policy or in an error with a place in it.
    #[test]
    fn a_broken_document_is_an_error_with_a_place(
        at in 0_usize..2000,
        cut in 0_usize..20,
        paste in "[ -~\\n\\t*&!<é\u{202e}]{0,12}",
    ) {
        let whole = format!("{}{}", document("p", "subjects: [{ user: a }]\nscopes: [{ clusterScoped: true }]\nrules:"),
            POOL.map(|rule| format!("  - {rule}\n")).concat());
        let mut text: Vec<char> = whole.chars().collect();
        let start = at.min(text.len());
        let end = (start + cut).min(text.len());
        text.splice(start..end, paste.chars());
        let text: String = text.into_iter().collect();
        if let Err(errors) = PolicySet::from_yaml(&[("p.yaml", &text)]) {
            let lines = text.lines().count() + 1;
            for error in errors.errors() {
                proptest::prop_assert!((1..=lines).contains(&error.line) && error.column >= 1, "{}", error);
                proptest::prop_assert!(!error.message.is_empty());
            }
        }
    }
}
