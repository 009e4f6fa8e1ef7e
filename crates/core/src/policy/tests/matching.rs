//! Which requests a rule is about: narrow where it permits, wide where it restricts.

use super::*;

#[test]
fn allows_need_all_effects_and_restrictions_any() {
    let policy = rules(&[
        "{ name: a, match: { effects: [read, write] }, allow: {} }",
        "{ name: h, match: { effects: [destructive] }, hold: { approvers: [{ group: sre }] } }",
        "{ name: d, match: { effects: [log] }, deny: {} }",
    ]);
    table(
        &policy,
        &[
            ("get pods/x in a", "read", "allow p/a"),
            ("update pods/x in a", "read write", "allow p/a"),
            ("watch pods in a", "read read-stream", "deny"),
            // The hold sees it, but nothing permits the write together with it.
            ("update pods/x in a", "write destructive", "deny p/h"),
            ("delete pods/x in a", "destructive", "hold p/h"),
            ("get pods/x/log in a", "read log", "deny p/d"),
        ],
    );
}

#[test]
fn bare_resources_are_narrow_in_an_allow_and_wide_elsewhere() {
    let allow = rules(&[
        "{ name: a, match: { resources: [pods, deployments.apps/scale, services/*, \"*/status\"] }, allow: {} }",
    ]);
    table(
        &allow,
        &[
            ("get pods/x in a", "read", "allow p/a"),
            ("get pods/x/log in a", "log", "deny"),
            ("get pods/x/status in a", "read", "allow p/a"),
            ("get pods.metrics.k8s.io/x in a", "read", "deny"),
            ("get deployments.apps/x in a", "read", "deny"),
            ("get deployments.apps/x/scale in a", "read", "allow p/a"),
            ("get deployments.apps/x/status in a", "read", "allow p/a"),
            ("get services/x in a", "read", "deny"),
            ("get services/x/status in a", "read", "allow p/a"),
        ],
    );
    let deny = rules(&[
        "{ name: a, match: {}, allow: {} }",
        "{ name: d, match: { resources: [pods, deployments.apps, services/*, \"*.example.com\", \"*.*.example.org\"] }, deny: {} }",
    ]);
    table(
        &deny,
        &[
            ("get pods/x in a", "read", "deny p/a p/d"),
            ("get pods/x/log in a", "log", "deny p/a p/d"),
            ("update deployments.apps/x/scale in a", "write", "deny p/a p/d"),
            ("get services/x in a", "read", "allow p/a"),
            ("get services/x/status in a", "read", "deny p/a p/d"),
            ("get widgets.example.com/x in a", "read", "deny p/a p/d"),
            ("get widgets.x.example.com/x in a", "read", "allow p/a"),
            ("get widgets.x.example.org/x in a", "read", "deny p/a p/d"),
            ("get pods.metrics.k8s.io/x in a", "read", "allow p/a"),
            ("get /version", "discovery", "allow p/a"),
        ],
    );
    let star = rules(&["{ name: a, match: { resources: [\"*\"] }, allow: {} }"]);
    table(
        &star,
        &[
            ("get pods/x/log in a", "log", "allow p/a"),
            ("get nodes/x", "read", "allow p/a"),
            ("get /version", "discovery", "deny"),
        ],
    );
}

#[test]
fn a_resource_of_several_groups_is_one() {
    let policy = rules(&[
        "{ name: a, match: {}, allow: {} }",
        "{ name: d, match: { resources: [events, deployments.apps, ingresses.networking.k8s.io] }, deny: {} }",
    ]);
    table(
        &policy,
        &[
            ("get events/x in a", "read", "deny p/a p/d"),
            ("get events.events.k8s.io/x in a", "read", "deny p/a p/d"),
            ("get deployments.extensions/x in a", "read", "deny p/a p/d"),
            ("get ingresses.extensions/x in a", "read", "deny p/a p/d"),
            ("get replicasets.extensions/x in a", "read", "allow p/a"),
            ("get deployments.example.com/x in a", "read", "allow p/a"),
            ("get events.example.com/x in a", "read", "allow p/a"),
        ],
    );
    let allow = rules(&["{ name: a, match: { resources: [events.events.k8s.io] }, allow: {} }"]);
    table(&allow, &[("get events/x in a", "read", "allow p/a")]);
}

#[test]
fn names_need_a_name() {
    let policy = rules(&[
        "{ name: a, match: { resources: [secrets], names: [db, web-*] }, allow: {} }",
        "{ name: b, match: { resources: [configmaps] }, allow: {} }",
        "{ name: d, match: { resources: [configmaps], names: [\"*-internal\"] }, deny: {} }",
    ]);
    table(
        &policy,
        &[
            ("get secrets/db in a", "read", "allow p/a"),
            ("get secrets/web-1 in a", "read", "allow p/a"),
            ("get secrets/dbx in a", "read", "deny"),
            ("list secrets in a", "read", "deny"),
            // A field selector on metadata.name gives a list a name.
            ("list secrets/db in a", "read", "allow p/a"),
            ("create secrets in a", "write", "deny"),
            ("get configmaps/x in a", "read", "allow p/b"),
            ("get configmaps/x-internal in a", "read", "deny p/b p/d"),
            ("list configmaps in a", "read", "deny p/b p/d"),
        ],
    );
}

#[test]
fn names_in_proxy_urls_are_taken_apart() {
    let policy = rules(&[
        "{ name: a, match: { effects: [connect], resources: [services/proxy], names: [web] }, allow: {} }",
        "{ name: d, match: { names: [vault, \"https:*\"] }, deny: {} }",
    ]);
    table(
        &policy,
        &[
            ("get services/web/proxy in a", "connect", "allow p/a"),
            ("get services/web:80/proxy in a", "connect", "allow p/a"),
            ("get services/http:web:80/proxy in a", "connect", "allow p/a"),
            ("get services/http:web:/proxy in a", "connect", "allow p/a"),
            ("get services/https:web:80/proxy in a", "connect", "deny p/a p/d"),
            ("get services/web:vault:80/proxy in a", "connect", "deny p/d"),
            ("get services/vault:web/proxy in a", "connect", "deny p/d"),
        ],
    );
}

#[test]
fn verbs_that_may_create_are_creates_too() {
    let policy = rules(&[
        "{ name: a, match: { verbs: [get, list, update, patch, delete] }, allow: {} }",
        "{ name: d, match: { verbs: [create], resources: [pods] }, deny: {} }",
    ]);
    table(
        &policy,
        &[
            ("get pods/x in a", "read", "allow p/a"),
            ("head pods/x in a", "read", "allow p/a"),
            ("patch pods/x in a", "write", "allow p/a"),
            ("update pods/x in a", "write", "deny p/d"),
            ("update secrets/x in a", "write", "deny"),
            ("update pods/x/status in a", "write", "allow p/a"),
            ("create secrets in a", "write", "deny"),
            ("deletecollection secrets in a", "destructive", "deny"),
        ],
    );
    let apply = ask("patch pods/x in a", "write").with_content_type("application/apply-patch+yaml");
    assert_eq!(told(&verdict(&policy, &apply)), "deny p/d");
}

#[test]
fn effects_that_leave_the_api_or_give_rights_are_listed_or_denied() {
    let policy = rules(&[
        "{ name: all, match: {}, allow: {} }",
        "{ name: hold, match: {}, hold: { approvers: [{ group: sre }] } }",
    ]);
    for effect in ["connect", "credential", "escalation"] {
        table(&policy, &[("get pods/x/y in a", effect, "deny p/hold")]);
    }
    let listed =
        rules(&["{ name: all, match: { effects: [connect, credential, escalation, self, read] }, allow: {} }"]);
    for effect in ["connect", "credential", "escalation"] {
        table(&listed, &[("get pods/x/y in a", effect, "allow p/all")]);
    }
    table(
        &listed,
        &[("get pods/x in guard", "read self", "deny countersign/self p/all")],
    );
    assert_eq!(
        refused(&listed, &ask("get pods/x in guard", "read self")),
        "agent-7 may not get pods/x in namespace guard: it touches the guard itself"
    );
}

#[test]
fn namespaces_of_rules_follow_the_request() {
    let policy = rules(&[
        "{ name: a, match: { namespaces: [a] }, allow: {} }",
        "{ name: all, match: { namespaces: [\"*\"], effects: [read-stream] }, allow: {} }",
        "{ name: d, match: { namespaces: [kube-*], effects: [read, destructive] }, deny: {} }",
    ]);
    table(
        &policy,
        &[
            ("get pods/x in a", "read", "allow p/a"),
            ("get pods/x in b", "read", "deny"),
            ("get pods/x in kube-system", "read", "deny p/d"),
            // All namespaces: only `*` permits them, any pattern restricts them.
            ("list pods in *", "read", "deny p/d"),
            ("watch pods in *", "read-stream", "allow p/all"),
            ("get nodes/x", "read", "deny"),
            ("delete namespaces/kube-system", "destructive", "deny p/d"),
            ("delete namespaces/a", "destructive", "allow p/a"),
            ("list namespaces", "read", "deny p/d"),
        ],
    );
}

#[test]
fn masks_apply_item_by_item_where_there_may_be_several() {
    let policy = rules(&[
        "{ name: a, match: {}, allow: {} }",
        "{ name: m, match: { resources: [configmaps], names: [\"*-internal\"], namespaces: [team-*] }, mask: { paths: [data.*] } }",
    ]);
    let masks = |text: &str| -> Vec<(Vec<String>, Vec<String>)> {
        let masks = verdict(&policy, &ask(text, "read")).masks;
        masks
            .iter()
            .map(|mask| (mask.names.clone(), mask.namespaces.clone()))
            .collect()
    };
    let (names, namespaces) = (vec!["*-internal".to_owned()], vec!["team-*".to_owned()]);
    assert_eq!(masks("get configmaps/x-internal in team-a"), [(vec![], vec![])]);
    assert_eq!(masks("get configmaps/x in team-a"), []);
    assert_eq!(masks("get configmaps/x-internal in b"), []);
    assert_eq!(masks("list configmaps in team-a"), [(names.clone(), vec![])]);
    assert_eq!(masks("list configmaps in *"), [(names, namespaces)]);
    let obligation = &verdict(&policy, &ask("list configmaps in *", "read")).masks[0];
    assert_eq!(obligation.rule, "p/m");
    assert!(obligation.covers("team-a", "x-internal"));
    assert!(!obligation.covers("team-a", "x"));
    assert!(!obligation.covers("b", "x-internal"));
    // A mask never permits.
    let alone = rules(&["{ name: m, match: {}, mask: { paths: [data] } }"]);
    table(&alone, &[("get pods/x in a", "read", "deny p/m")]);
}

#[test]
fn subjects_are_matched_by_user_or_group() {
    let policy = |subject: &str| {
        let rule = "rules: [{ name: a, match: { effects: [discovery] }, allow: {} }]";
        load(&[&document("p", &format!("subjects: [{subject}]\n{rule}"))])
    };
    let request = ask("get /version", "discovery");
    for subject in [
        "{ user: agent-7 }",
        "{ user: \"agent-*\" }",
        "{ group: agents }",
        "{ group: x }, { group: a* }",
    ] {
        assert_eq!(told(&verdict(&policy(subject), &request)), "allow p/a", "{subject}");
    }
    for subject in [
        "{ user: agent }",
        "{ user: agents }",
        "{ group: agent-7 }",
        "{ group: agent }",
    ] {
        assert_eq!(told(&verdict(&policy(subject), &request)), "deny", "{subject}");
    }
}
