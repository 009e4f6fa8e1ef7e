//! Which outcome wins, and what comes with it.

use super::*;

#[test]
fn the_strongest_outcome_wins_and_nothing_is_a_deny() {
    let policy = rules(&[
        "{ name: all, match: { resources: [pods, secrets] }, allow: {} }",
        "{ name: ask, match: { effects: [destructive] }, hold: { approvers: [{ group: sre }] } }",
        "{ name: no, match: { names: [db-*] }, deny: {} }",
    ]);
    table(
        &policy,
        &[
            ("get pods/web-0 in a", "read", "allow p/all"),
            ("delete pods/web-0 in a", "destructive", "hold p/all p/ask"),
            ("delete pods/db-0 in a", "destructive", "deny p/all p/ask p/no"),
            ("get configmaps/x in a", "read", "deny"),
            ("get /version", "discovery", "deny"),
        ],
    );
}

#[test]
fn a_hold_restricts_widely_and_permits_narrowly() {
    let policy = rules(&[
        "{ name: h, match: { resources: [pods], names: [web-*] }, hold: { approvers: [{ group: sre }] } }",
        "{ name: a, match: { resources: [pods/eviction] }, allow: {} }",
    ]);
    table(
        &policy,
        &[
            ("delete pods/web-0 in a", "destructive", "hold p/h"),
            // Held as a subresource of pods; permitted by the allow, not by the hold.
            ("create pods/web-0/eviction in a", "destructive", "hold p/h p/a"),
            ("create pods/web-0/binding in a", "write", "deny p/h"),
            // Without a name the hold can't tell, so it restricts and does not permit.
            ("deletecollection pods in a", "destructive", "deny p/h"),
            ("delete pods/db-0 in a", "destructive", "deny"),
            ("create pods/db-0/eviction in a", "destructive", "allow p/a"),
        ],
    );
}

#[test]
fn upgrades_are_allowed_by_rules_that_say_so_only() {
    let request = ask("get pods/web-0/exec in a", "connect").with_upgrade();
    let opaque =
        "{ name: o, match: { effects: [connect], resources: [pods/exec] }, allow: {}, insecure_opaque_stream: true }";
    let plain = "{ name: p, match: { effects: [connect] }, allow: {} }";
    let hold = "{ name: h, match: { resources: [pods] }, hold: { approvers: [{ group: sre }] } }";
    let denied = verdict(&rules(&[plain]), &request);
    assert_eq!(
        (told(&denied).as_str(), denied.insecure_opaque_stream),
        ("deny countersign/opaque-stream", false)
    );
    let allowed = verdict(&rules(&[opaque, plain]), &request);
    assert_eq!(
        (told(&allowed).as_str(), allowed.insecure_opaque_stream),
        ("allow p/o", true)
    );
    let held = verdict(&rules(&[opaque, hold]), &request);
    assert_eq!(
        (told(&held).as_str(), held.insecure_opaque_stream),
        ("hold p/o p/h", true)
    );
    let listed =
        "{ name: h, match: { effects: [connect], resources: [pods/exec] }, hold: { approvers: [{ group: sre }] } }";
    assert_eq!(
        told(&verdict(&rules(&[listed]), &request)),
        "deny p/h countersign/opaque-stream"
    );
    // A GET by its method; upstream checks `create` for it, and so does a rule that denies it.
    let create = "{ name: c, match: { verbs: [create], resources: [pods/exec] }, deny: {} }";
    assert_eq!(told(&verdict(&rules(&[opaque, create]), &request)), "deny p/o p/c");
    assert_eq!(
        refused(&rules(&[plain]), &request),
        "agent-7 may not get pods/web-0/exec in namespace a: upgraded streams are not supported yet \
         (only an allow rule with `insecure_opaque_stream: true` lets one through, unseen and unrecorded)"
    );
    // Without an upgrade, the same rule is an allow as any other.
    let proxy = ask("get pods/web-0/exec in a", "connect");
    assert!(!verdict(&rules(&[opaque]), &proxy).insecure_opaque_stream);
}

#[test]
fn all_holds_that_fire_are_kept() {
    let policy = rules(&[
        "{ name: a, match: {}, hold: { approvers: [{ user: x }, { user: y }], quorum: 2, timeout: 1h, pin: uid } }",
        "{ name: b, match: { effects: [destructive] }, hold: { approvers: [{ group: sre }] } }",
    ]);
    let Outcome::Hold(terms) = verdict(&policy, &ask("delete pods/x in a", "destructive")).outcome else {
        panic!("not held");
    };
    let told: Vec<_> = terms
        .iter()
        .map(|t| (t.rule.as_str(), t.quorum, t.timeout.as_secs(), t.pin))
        .collect();
    assert_eq!(
        told,
        [("p/a", 2, 3600, Pin::Uid), ("p/b", 1, 600, Pin::ResourceVersion)]
    );
}

#[test]
fn allow_all_shows_in_the_record() {
    let policy = PolicySet::insecure_allow_all();
    table(
        &policy,
        &[
            (
                "delete pods/x in a",
                "destructive",
                "allow countersign/insecure_allow_all",
            ),
            (
                "create serviceaccounts/x/token in a",
                "credential",
                "allow countersign/insecure_allow_all",
            ),
            (
                "get pods/x in guard",
                "read self",
                "deny countersign/self countersign/insecure_allow_all",
            ),
        ],
    );
    let exec = ask("get pods/x/exec in a", "connect").with_upgrade();
    let expected = "deny countersign/insecure_allow_all countersign/opaque-stream";
    assert_eq!(told(&verdict(&policy, &exec)), expected);
}

#[test]
fn the_revision_is_that_of_what_is_said() {
    let rule = "rules: [{ name: a, match: { effects: [read], names: [x] }, allow: {} }]";
    let a = document(
        "a",
        &format!("subjects: [{{ user: x }}]\nscopes: [{{ clusterScoped: true }}]\n{rule}"),
    );
    let b = a.replace("name: a }\n", "name: b }\n");
    let set = |documents: &[&str]| load(documents).revision();
    assert_eq!(set(&[&a, &b]), set(&[&b, &a]));
    assert_eq!(set(&[&a, &b]), set(&[&format!("{b}---\n{a}")]));
    let layout = a
        .replace("effects: [read], names: [x]", "names:   [ 'x' ], effects: [read] ")
        .replace('\n', " # x\n");
    assert_eq!(set(&[&a]), set(&[&layout]));
    let mut revisions = vec![
        set(&[]),
        set(&[&a]),
        set(&[&b]),
        set(&[&a, &b]),
        set(&[&a.replace("[x]", "[y]")]),
        set(&[&a.replace("[read]", "[read, log]")]),
        PolicySet::insecure_allow_all().revision(),
    ];
    assert_eq!(PolicySet::deny_all().revision(), set(&[]));
    let count = revisions.len();
    revisions.sort_unstable();
    revisions.dedup();
    assert_eq!(revisions.len(), count);
}

#[test]
fn the_document_of_the_manual_loads() {
    let manual = include_str!("../mod.rs");
    let (_, after) = manual.split_once("```yaml\n").unwrap();
    let (yaml, _) = after.split_once("//! ```").unwrap();
    let yaml: String = yaml
        .lines()
        .map(|line| format!("{}\n", line.trim_start_matches("//!").trim_end()))
        .collect();
    let policy = load(&[&yaml]);
    let said = refused(&policy, &ask("delete pods/web-0 in team-b", "destructive"));
    // As the manual says it.
    let words = |text: &str| text.replace("//!", "").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(manual).contains(&words(&said)), "{said}");
}
