//! Explanations agree with decisions, and say what a reader looks for.

use proptest::strategy::Strategy as _;

use super::*;
use crate::request::Live;

fn agent() -> Subject {
    Subject::new("agent-7").with_group("agents")
}

fn explained(policy: &PolicySet, request: &Canonical, facts: &Facts) -> Explanation {
    policy.explain(&agent(), request, facts, Timestamp::UNIX_EPOCH)
}

/// The conditions that say no to a rule.
fn missed(explanation: &Explanation, rule: &str) -> Vec<String> {
    let rule = explanation.rule(rule).unwrap();
    rule.misses.iter().map(ToString::to_string).collect()
}

#[test]
fn each_condition_says_why() {
    let policy = rules(&[
        "{ name: effects, match: { effects: [read, write] }, allow: {} }",
        "{ name: none, match: { effects: [log] }, deny: {} }",
        "{ name: verbs, match: { verbs: [create] }, deny: {} }",
        "{ name: resources, match: { resources: [services, \"*.apps\", \"*/scale\"] }, deny: {} }",
        "{ name: namespaces, match: { namespaces: [b, \"c-*\"] }, deny: {} }",
        "{ name: names, match: { names: [db] }, deny: {} }",
        "{ name: hold, match: { effects: [destructive] }, hold: { approvers: [{ group: sre }] } }",
    ]);
    let explanation = explained(
        &policy,
        &ask("update pods/web-0 in a", "write destructive"),
        &Facts::default(),
    );
    for (rule, expected) in [
        (
            "p/effects",
            "effects: it does destructive, which is not listed (listed: read, write)",
        ),
        ("p/none", "effects: it does none of log, but write, destructive"),
        (
            "p/resources",
            "resources: it is about pods, not services, *.apps, */scale",
        ),
        ("p/namespaces", "namespaces: it is in namespace a, not in b, c-*"),
        ("p/names", "names: it is named web-0, not db"),
        // It fires, but permits nothing.
        (
            "p/hold",
            "effects: it does write, which is not listed (listed: destructive)",
        ),
    ] {
        assert_eq!(missed(&explanation, rule), [expected], "{rule}");
    }
    assert_eq!(missed(&explanation, "p/verbs"), [""; 0]);
    assert!(explanation.rule("p/hold").unwrap().fired && explanation.rule("p/verbs").unwrap().fired);
    let explanation = explained(&policy, &ask("get /version", "discovery"), &Facts::default());
    assert_eq!(
        missed(&explanation, "p/verbs"),
        ["verbs: it is get; none of it is listed (create)"]
    );
}

#[test]
fn scopes_say_why() {
    let policy = load(&[&document(
        "p",
        "subjects: [{ user: \"*\" }]\nscopes: [{ namespaces: [b] }, { namespaces: [a], effects: [read] }, { namespaces: [a], resources: [services] }]\n\
         rules: [{ name: work, match: {}, allow: {} }]",
    )]);
    let explanation = explained(&policy, &ask("delete pods/x in a", "destructive"), &Facts::default());
    let [document] = &*explanation.documents else { panic!() };
    assert!(!document.in_scope);
    let told: Vec<String> = document
        .scopes
        .iter()
        .map(|scope| format!("{}: {}", scope.scope, scope.misses[0]))
        .collect();
    assert_eq!(
        told,
        [
            "namespaces b: namespaces: it is in namespace a",
            "namespaces a, for read: effects: it does destructive, which is not listed (listed: read)",
            "namespaces a, only services: resources: it is about pods, not services",
        ]
    );
    assert_eq!(
        missed(&explanation, "p/work"),
        ["scope: the request is outside of all scopes of its document"]
    );
    assert_eq!(explanation.outcome, "deny");
    assert!(explanation.message.unwrap().contains("outside the scopes of p"));
}

#[test]
fn a_label_that_is_not_known_yet_is_a_need() {
    let policy = rules(&["{ name: a, match: { labels: { app: web } }, allow: {} }"]);
    let request = ask("get pods/x in a", "read");
    let explanation = explained(&policy, &request, &Facts::default());
    assert_eq!(
        (explanation.outcome, &*explanation.needs),
        ("needs", &["the live object"][..])
    );
    assert_eq!(
        missed(&explanation, "p/a"),
        ["not known: the live object has to be read first"]
    );
    let with = |labels: &str| {
        let live = format!("{{\"metadata\":{{\"labels\":{labels}}}}}");
        let live = crate::json::Value::parse(live.as_bytes()).unwrap();
        explained(
            &policy,
            &request,
            &Facts::default().with_live_object(Live::Object(live.into())),
        )
    };
    assert_eq!(
        missed(&with("{\"app\":\"db\"}"), "p/a"),
        ["labels: the object does not have app: web"]
    );
    assert_eq!(with("{\"app\":\"web\"}").outcome, "allow");
}

#[test]
fn a_profile_is_silent_where_rules_speak() {
    let policy = load(&[&document(
        "p",
        "subjects: [{ group: agents }]\nprofile: observe\nscopes: [{ namespaces: [a] }]\n\
         rules: [{ name: no, match: { names: [x] }, deny: {} }]",
    )]);
    let silent = explained(&policy, &ask("get pods/x in a", "read"), &Facts::default());
    assert!(missed(&silent, "observe/look")[0].starts_with("profile: not asked"));
    let speaks = explained(&policy, &ask("get pods/y in a", "read"), &Facts::default());
    assert!(speaks.rule("observe/look").unwrap().fired && speaks.outcome == "allow");
}

#[test]
fn it_is_shown_as_text_and_as_json() {
    let about = document(
        "p",
        "subjects: [{ group: agents }]\nscopes: [{ namespaces: [b] }]\nrules:\n- { name: look, match: { effects: [read] }, allow: {} }\n\
         - { name: no-deletions, match: { effects: [destructive] }, deny: { message: \"Ask \\e[31mAnn.\" } }",
    );
    let other = about
        .replace("name: p ", "name: q ")
        .replace("group: agents", "user: x");
    let policy = load(&[&about, &other]);
    let request = ask("delete pods/web-0 in a", "destructive");
    let explanation = explained(&policy, &request, &Facts::default());
    let expected = "\
GET pods/web-0 in a
agent-7 asks to delete pods/web-0 in namespace a: destructive
=> deny
   Ask \\u{1b}[31mAnn.

p: out of scope
    scope namespaces b
          namespaces: it is in namespace a
  - allow   p/look
            effects: it does destructive, which is not listed (listed: read)
            scope: the request is outside of all scopes of its document
  * deny    p/no-deletions

not about agent-7: q
";
    assert_eq!(explanation.to_string(), expected);
    let json = serde_json::to_value(&explanation).unwrap();
    assert_eq!(json["documents"][0]["rules"][0]["misses"][0]["condition"], "effects");
    assert_eq!(
        json["documents"][0]["rules"][0]["misses"][0]["missing"],
        serde_json::json!(["destructive"])
    );
    assert_eq!(json["documents"][1]["aboutSubject"], false);
}

const POOL: [&str; 12] = [
    "{ name: a, match: { effects: [read, write] }, allow: {} }",
    "{ name: b, match: { resources: [pods], names: [web-*] }, allow: {} }",
    "{ name: c, match: { effects: [destructive] }, hold: { approvers: [{ group: sre }] } }",
    "{ name: d, match: { resources: [secrets], names: [db] }, deny: {} }",
    "{ name: e, match: { namespaces: [kube-*] }, deny: { message: no } }",
    "{ name: f, match: { resources: [configmaps] }, mask: { paths: [data] } }",
    "{ name: g, match: { verbs: [list, watch] }, hold: { approvers: [{ user: x }], pin: uid } }",
    "{ name: h, match: { effects: [connect] }, allow: {}, insecure_opaque_stream: true }",
    "{ name: i, match: { effects: [write, destructive] }, mode: shadow, deny: {} }",
    "{ name: j, match: { labels: { app: web } }, allow: {} }",
    "{ name: k, match: { labels: { app: \"*\" }, effects: [destructive] }, hold: { approvers: [{ user: x }] } }",
    "{ name: l, match: { resources: [configmaps] }, rewrite: [{ op: remove, path: /spec }] }",
];

const SPECS: [&str; 5] = [
    "subjects: [{ user: \"*\" }]\nscopes: [{ namespaces: [\"*\"], clusterScoped: true }]",
    "subjects: [{ group: agents }]\nscopes: [{ namespaces: [a] }]\nprofile: operate\napproval: { approvers: [{ group: sre }] }",
    "subjects: [{ user: agent-7, group: agents }]\nscopes: [{ namespaces: [\"kube-*\"], effects: [read] }]\nprofile: observe",
    "subjects: [{ user: agent-7 }]\nscopes: [{ clusterScoped: true }]\nmode: shadow",
    "subjects: [{ user: agent-8 }]\nscopes: [{ namespaces: [a] }]",
];

const REQUESTS: [(&str, &str); 12] = [
    ("get pods/web-0 in a", "read"),
    ("delete pods/web-0 in a", "destructive"),
    ("list secrets in *", "read"),
    ("get secrets/db in kube-system", "read"),
    ("get pods/x/log in kube-system", "log"),
    ("update configmaps/x in a", "write destructive"),
    ("get configmaps/x in a", "read"),
    ("get pods/x/exec in a", "connect"),
    ("delete namespaces/kube-system", "destructive"),
    ("create pods/web-0/eviction in a", "destructive"),
    ("create subjectaccessreviews.authorization.k8s.io", "review"),
    ("get /version", "discovery"),
];

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(128))]

    #[test]
    fn a_rule_fires_in_an_explanation_if_and_only_if_it_fires(
        pools in proptest::collection::vec(
            (0_usize..SPECS.len(), proptest::sample::subsequence(POOL.to_vec(), 1..=6).prop_shuffle()), 1..=3),
        labels in proptest::option::of(proptest::sample::select(vec!["{}", "{\"app\":\"web\"}", "{\"app\":\"db\"}"])),
        upgrade: bool,
    ) {
        let documents: Vec<String> = pools.iter().enumerate().map(|(index, (spec, rules))| {
            // Two documents that rewrite the same thing for somebody don't load.
            let rules = rules.iter().filter(|rule| index == 0 || !rule.contains("rewrite"));
            let rules: String = rules.map(|rule| format!("- {rule}\n")).collect();
            let rules = if rules.is_empty() { POOL[0].to_owned() + "]" } else { String::new() + "\n" + &rules };
            let open = if rules.ends_with(']') { "[" } else { "" };
            document(&format!("p{index}"), &format!("{}\nrules: {open}{rules}", SPECS[*spec]))
        }).collect();
        let documents: Vec<&str> = documents.iter().map(String::as_str).collect();
        let policy = load(&documents);
        let facts = match labels {
            None => Facts::default().with_live_object(Live::Absent),
            Some(labels) => {
                let live = format!("{{\"metadata\":{{\"labels\":{labels}}}}}");
                Facts::default().with_live_object(Live::Object(crate::json::Value::parse(live.as_bytes()).unwrap().into()))
            }
        };
        for (request, effects) in REQUESTS {
            let mut request = ask(request, effects);
            if upgrade && effects == "connect" {
                request = request.with_upgrade();
            }
            let explanation = explained(&policy, &request, &facts);
            let evaluation = policy.evaluate(&agent(), &request, &facts, Timestamp::UNIX_EPOCH);
            let Evaluation::Verdict(verdict) = evaluation else { panic!("{evaluation:?}") };
            proptest::prop_assert_eq!(explanation.outcome, verdict.outcome.as_str());
            let own = |name: &str| !name.starts_with("countersign/");
            let mut fired: Vec<(String, bool)> = verdict.fired.iter().map(|rule| (rule.name.to_string(), false))
                .chain(verdict.shadow.iter().map(|rule| (rule.name.to_string(), true)))
                .filter(|(name, _)| own(name)).collect();
            let rules = explanation.documents.iter().flat_map(|document| &document.rules);
            let mut told: Vec<(String, bool)> = rules.filter(|rule| rule.fired)
                .map(|rule| (rule.name.clone(), rule.shadow)).collect();
            fired.sort_unstable();
            told.sort_unstable();
            proptest::prop_assert_eq!(told, fired, "{}", explanation);
        }
    }

    /// What is warned of as never firing does not fire.
    #[test]
    fn a_rule_that_can_never_fire_never_does(
        verbs in proptest::sample::subsequence(vec!["get", "list", "create", "update", "delete"], 0..=2),
        effects in proptest::sample::subsequence(vec!["read", "log", "write", "destructive", "connect", "discovery"], 0..=2),
        resources in proptest::sample::subsequence(vec!["pods", "namespaces", "nodes", "configmaps", "\"pods/*\"", "\"*\""], 0..=2),
        namespaces in proptest::sample::subsequence(vec!["a", "\"kube-*\"", "\"*\""], 0..=1),
        names in proptest::sample::subsequence(vec!["web-0", "x", "db"], 0..=1),
        action in proptest::sample::select(vec!["allow: {}", "deny: {}", "mask: { paths: [x] }", "hold: { approvers: [{ user: x }] }"]),
        scope in proptest::sample::select(vec![
            "namespaces: [a]", "clusterScoped: true", "namespaces: [\"*\"], resources: [pods]",
            "namespaces: [kube-system], effects: [read]",
        ]),
    ) {
        let fields = [("verbs", &verbs), ("effects", &effects), ("resources", &resources), ("namespaces", &namespaces), ("names", &names)];
        let fields = fields.into_iter().filter(|(_, listed)| !listed.is_empty());
        let fields: Vec<String> = fields.map(|(name, listed)| format!("{name}: [{}]", listed.join(", "))).collect();
        let policy = load(&[&document("p", &format!(
            "subjects: [{{ user: \"*\" }}]\nscopes: [{{ {scope} }}]\nrules: [{{ name: r, match: {{ {} }}, {action} }}]", fields.join(", "),
        ))]);
        let never = policy.warnings().iter().any(|warning| warning.message.contains("can never"));
        for (request, effects) in REQUESTS {
            let fired = explained(&policy, &ask(request, effects), &Facts::default()).rule("p/r").is_some_and(|rule| rule.fired);
            proptest::prop_assert!(!(never && fired), "{} fires: {:?}", request, policy.warnings());
        }
    }
}
