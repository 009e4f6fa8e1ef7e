//! Where documents permit, and what is said outside.

use super::*;

fn scoped() -> PolicySet {
    load(&[&document(
        "p",
        "subjects: [{ group: agents }]
scopes:
- namespaces: [team-a, \"team-a-*\"]
  resources: [\"*\"]
- namespaces: [\"*\"]
  effects: [read, read-stream]
  clusterScoped: true
rules:
- { name: a, match: {}, allow: {} }",
    )])
}

#[test]
fn scopes_bound_what_is_permitted() {
    table(
        &scoped(),
        &[
            ("delete pods/x in team-a", "destructive", "allow p/a"),
            ("delete pods/x in team-a-1", "destructive", "allow p/a"),
            ("create pods/x/eviction in team-a", "destructive", "allow p/a"),
            ("delete pods/x in team-b", "destructive", "deny"),
            ("get pods/x in team-b", "read", "allow p/a"),
            ("get pods/x/log in team-b", "log", "deny"),
            // All effects have to be in the same scope.
            ("get pods/x in team-b", "read write", "deny"),
            ("list pods in *", "read", "allow p/a"),
            ("deletecollection pods in *", "destructive", "deny"),
            ("get nodes/n1", "read", "allow p/a"),
            ("delete nodes/n1", "destructive", "deny"),
            // A Namespace object is where its name is; those without a name are cluster-scoped.
            ("delete namespaces/team-a", "destructive", "allow p/a"),
            ("delete namespaces/team-b", "destructive", "deny"),
            ("list namespaces", "read", "allow p/a"),
            ("create namespaces", "write", "deny"),
            // Discovery needs no scope.
            ("get /version", "discovery", "allow p/a"),
            ("get /logs", "read", "deny"),
        ],
    );
}

#[test]
fn scopes_list_resources_narrowly() {
    let policy = load(&[&document(
        "p",
        "subjects: [{ user: agent-7 }]\nscopes: [{ namespaces: [a], resources: [pods, pods/log] }]\nrules: [{ name: a, match: {}, allow: {} }]",
    )]);
    table(
        &policy,
        &[
            ("get pods/x in a", "read", "allow p/a"),
            ("get pods/x/log in a", "log", "allow p/a"),
            ("get pods/x/status in a", "read", "deny"),
            ("list pods in *", "read", "deny"),
            ("get namespaces/a", "read", "deny"),
        ],
    );
}

#[test]
fn an_unknown_resource_is_nowhere() {
    let attributes = ask("get widgets.example.com/x in team-a", "read").attributes().clone();
    let unknown = Canonical::for_test(attributes, Effects::only(Effect::Read), None);
    assert_eq!(told(&verdict(&scoped(), &unknown)), "deny");
    let known = ask("get widgets.example.com/x in team-a", "read");
    let nothing = Canonical::for_test(known.attributes().clone(), Effects::NONE, known.kind().cloned());
    assert_eq!(told(&verdict(&scoped(), &nothing)), "deny");
}

#[test]
fn documents_permit_inside_their_own_scopes_and_restrict_everywhere() {
    let a = document(
        "a",
        "subjects: [{ user: agent-7 }]\nscopes: [{ namespaces: [a] }]\nrules: [{ name: x, match: { effects: [read] }, allow: {} }]",
    );
    let b = document(
        "b",
        "subjects: [{ group: agents }]\nscopes: [{ namespaces: [b] }]
approval: { approvers: [{ group: sre }], timeout: 90s, pin: uid }
rules:
- { name: x, match: { effects: [write] }, allow: {} }
- { name: h, match: { resources: [secrets] }, hold: {} }
- { name: m, match: { resources: [configmaps] }, mask: { paths: [data.*] } }",
    );
    let other = document(
        "other",
        "subjects: [{ user: agent-8 }, { group: humans }]\nrules: [{ name: x, match: {}, deny: {} }]",
    );
    let policy = load(&[&other, &b, &a]);
    table(
        &policy,
        &[
            ("get pods/x in a", "read", "allow a/x"),
            ("get pods/x in b", "read", "deny"),
            ("update pods/x in a", "write", "deny"),
            ("update pods/x in b", "write", "allow b/x"),
            ("get secrets/x in a", "read", "hold a/x b/h"),
            ("get configmaps/x in a", "read", "allow a/x b/m"),
            // The hold permits too, inside its own scopes.
            ("get secrets/x in b", "read", "hold b/h"),
        ],
    );
    let held = verdict(&policy, &ask("get secrets/x in b", "read"));
    let expected = HoldTerms {
        rule: "b/h".into(),
        approvers: vec![Approver::Group("sre".into())],
        quorum: 1,
        timeout: std::time::Duration::from_secs(90),
        pin: Pin::Uid,
    };
    assert_eq!(held.outcome, Outcome::Hold(vec![expected.into()]));
}

#[test]
fn a_refusal_says_what_was_asked_and_what_would_help() {
    let policy = scoped();
    assert_eq!(
        refused(&policy, &ask("delete pods/web-0 in team-b", "destructive")),
        "agent-7 may not delete pods/web-0 in namespace team-b: it is outside the scopes of p \
         (in scope for destructive: namespaces team-a, team-a-*)"
    );
    assert_eq!(
        refused(&policy, &ask("delete nodes/n1", "destructive")),
        "agent-7 may not delete nodes/n1: it is outside the scopes of p \
         (in scope for destructive: namespaces team-a, team-a-*)"
    );
    let policy = rules(&[
        "{ name: reads, match: { effects: [read, read-stream] }, allow: {} }",
        "{ name: secrets, match: { effects: [read], resources: [secrets] }, allow: {} }",
        "{ name: no, match: { resources: [nodes] }, deny: { message: Nodes are not yours. } }",
        "{ name: never, match: { resources: [leases.coordination.k8s.io] }, deny: {} }",
    ]);
    for (request, effects, expected) in [
        (
            "deletecollection deployments.apps in team-b",
            "destructive",
            "agent-7 may not deletecollection deployments.apps in namespace team-b: \
             no rule allows what it does: destructive (the nearest rule, p/reads, allows only read, read-stream)",
        ),
        (
            "list pods in *",
            "read write",
            "agent-7 may not list pods in all namespaces: no rule allows what it does: write \
             (the nearest rule, p/reads, allows only read, read-stream)",
        ),
        ("delete nodes/n1", "destructive", "Nodes are not yours."),
        (
            "get leases.coordination.k8s.io/x in a",
            "read",
            "agent-7 may not get leases.coordination.k8s.io/x in namespace a: the rule p/never denies it",
        ),
        (
            "get /version",
            "discovery",
            "agent-7 may not get /version: no rule allows what it does: discovery \
             (the nearest rule, p/reads, allows only read, read-stream)",
        ),
    ] {
        assert_eq!(refused(&policy, &ask(request, effects)), expected);
    }
    let narrow = rules(&["{ name: a, match: { resources: [pods] }, allow: {} }"]);
    assert_eq!(
        refused(&narrow, &ask("delete namespaces/team-b", "destructive")),
        "agent-7 may not delete namespaces/team-b: no rule allows it"
    );
    assert_eq!(
        refused(&PolicySet::deny_all(), &ask("get pods/x/log in a", "log")),
        "agent-7 may not get pods/x/log in namespace a: no policy is about this subject"
    );
}
