//! Warnings: each kind, and what comes close without being certain.

use super::*;
use crate::policy::PolicySet;
use crate::request::Catalog;

fn warned(text: &str) -> Vec<String> {
    let policy = PolicySet::from_yaml(&[("agent.yaml", text)]).unwrap_or_else(|errors| panic!("{errors}"));
    let line = |warning: &LoadWarning| warning.to_string().lines().next().unwrap_or_default().to_owned();
    policy.warnings().iter().map(line).collect()
}

/// What is said about one rule, in a document with a scope for one namespace, with its place cut off.
fn of_rule(rule: &str) -> String {
    let warnings = warned(&rules(&[&format!("{{ name: a, {rule} }}")]));
    let cut = |line: &String| {
        line.split_once("warning: ")
            .map_or(String::new(), |(_, text)| text.to_owned())
    };
    warnings.iter().map(cut).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_warning_has_its_place_and_is_no_error() {
    let text = rules(&["{ name: a, match: { resources: [deployment.apps] }, deny: {} }"]);
    let policy = PolicySet::from_yaml(&[("agent.yaml", &text)]).unwrap();
    let expected = "\
agent.yaml:8:37: warning: Kubernetes has no `deployment` in its group `apps`; did you mean `deployments.apps`?
  |
8 |   - { name: a, match: { resources: [deployment.apps] }, deny: {} }
  |                                     ^^^^^^^^^^^^^^^";
    assert_eq!(policy.warnings()[0].to_string(), expected);
    assert_eq!((policy.warnings()[0].line, policy.warnings()[0].column), (8, 37));
}

#[test]
fn resources_that_nobody_knows() {
    let resource = |name: &str| of_rule(&format!("match: {{ resources: [\"{name}\"] }}, deny: {{}}"));
    for (name, expected) in [
        ("pods.apps", "Kubernetes has no `pods` in its group `apps`"),
        (
            "deployments.app",
            "Kubernetes has no group `app`; did you mean `deployments.apps`?",
        ),
        ("widgets.core", "Kubernetes has no group `core`"),
        (
            "ingresses.networking.k8s.oi",
            "nothing of Kubernetes is called `ingresses.networking.k8s.oi`; did you mean `ingresses.networking.k8s.io`?",
        ),
    ] {
        assert_eq!(resource(name), expected, "{name}");
    }
    for name in [
        "deployments.apps",
        "deployments.extensions",
        "events.events.k8s.io",
        "widgets.example.com",
        "services.serving.knative.dev",
        "pods.custom.metrics.k8s.io",
        "*.apps",
        "deployment.*",
        "volumesnapshots.snapshot.storage.k8s.io",
    ] {
        assert_eq!(resource(name), "", "{name}");
    }
    let text = rules(&["{ name: a, match: { resources: [widgets.example.com, gadgets.example.com] }, deny: {} }"]);
    let catalog = Catalog::kubernetes().with_custom("example.com", "widgets", "Widget", true);
    let policy = PolicySet::from_yaml_with_catalog(&[("a.yaml", text)], &catalog).unwrap();
    let told: Vec<&str> = policy
        .warnings()
        .iter()
        .map(|warning| warning.message.as_str())
        .collect();
    assert_eq!(told, ["the cluster has no `gadgets.example.com`"]);
}

#[test]
fn rules_that_can_never_fire() {
    for (rule, expected) in [
        (
            "match: { resources: [nodes, clusterroles.rbac.authorization.k8s.io], namespaces: [team-a] }, deny: {}",
            "this rule can never fire: none of its resources is in a namespace",
        ),
        (
            "match: { verbs: [get, list], effects: [write, destructive] }, allow: {}",
            "this rule can never permit anything: a get or a list is never write, destructive",
        ),
        (
            "match: { verbs: [delete], effects: [read] }, deny: {}",
            "this rule can never fire: a delete is never read",
        ),
        (
            "match: { verbs: [create], resources: [pods], names: [web] }, allow: {}",
            "this rule can never permit anything: what it is about has no name yet when it is asked for, so `names` never fits",
        ),
        (
            "match: { namespaces: [team-b] }, allow: {}",
            "this rule can never permit anything: what it matches is outside of every scope of agent",
        ),
        (
            "match: { resources: [nodes] }, allow: {}",
            "this rule can never permit anything: what it matches is outside of every scope of agent",
        ),
    ] {
        assert_eq!(of_rule(rule), expected, "{rule}");
    }
    for rule in [
        // A Namespace is in the namespace of its name.
        "match: { resources: [namespaces], namespaces: [team-a] }, allow: {}",
        "match: { resources: [nodes, pods], namespaces: [team-a] }, deny: {}",
        "match: { resources: [\"nodes.*\"], namespaces: [team-a] }, deny: {}",
        "match: { verbs: [get, delete], effects: [destructive] }, allow: {}",
        "match: { verbs: [get], effects: [connect] }, allow: {}, insecure_opaque_stream: true",
        "match: { verbs: [create], effects: [destructive, review] }, deny: {}",
        // The answer to a change shows the object.
        "match: { verbs: [get], effects: [write] }, mask: { paths: [data] }",
        // The field selector may name one; an eviction has a name.
        "match: { verbs: [list], resources: [pods], names: [web] }, allow: {}",
        "match: { verbs: [create], resources: [pods/eviction], names: [web] }, allow: {}",
        "match: { verbs: [create], resources: [pods], names: [web] }, deny: {}",
        "match: { verbs: [create, update], resources: [pods], names: [web] }, allow: {}",
        // Discovery needs no scope, and what restricts has none.
        "match: { effects: [discovery] }, allow: {}",
        "match: { namespaces: [team-b] }, deny: {}",
        "match: { namespaces: [\"team-*\"] }, allow: {}",
        "match: { resources: [\"*\"] }, allow: {}",
    ] {
        assert_eq!(of_rule(rule), "", "{rule}");
    }
}

#[test]
fn rules_that_another_makes_useless() {
    let both = |first: &str, second: &str| {
        let text = rules(&[&format!("{{ name: a, {first} }}"), &format!("{{ name: b, {second} }}")]);
        warned(&text).join("\n").replace("agent.yaml:", "")
    };
    let allow = "match: { effects: [read], resources: [pods/log, deployments.apps], names: [web] }, allow: {}";
    let useless = "8:13: warning: this rule can never permit anything: agent/b denies all of it";
    for deny in [
        "match: {}, deny: {}",
        "match: { effects: [read, write], names: [\"w*\"] }, deny: {}",
        "match: { resources: [pods, \"*.apps\"] }, deny: {}",
        "match: { resources: [\"*\"] }, deny: { message: no }",
    ] {
        assert_eq!(both(allow, deny), useless, "{deny}");
    }
    for deny in [
        "match: { effects: [write] }, deny: {}",
        "match: { verbs: [get] }, deny: {}",
        "match: { resources: [pods] }, deny: {}",
        "match: { namespaces: [\"*\"] }, deny: {}",
        "match: { names: [w] }, deny: {}",
        "match: { labels: { app: web } }, deny: {}",
        "match: {}, when: subject.user == 'x', deny: {}",
        "match: {}, mode: shadow, deny: {}",
        "match: {}, hold: { approvers: [{ user: x }] }",
    ] {
        assert_eq!(both(allow, deny), "", "{deny}");
    }
    let deny = "match: { names: [x], effects: [read] }, deny: { message: no }";
    let same = "match: { effects: [read], names: [x] }, deny: { message: no }";
    assert_eq!(both(deny, same), "9:13: warning: this rule says the same as agent/a");
    assert_eq!(both(deny, &same.replace("no }", "never }")), "");
}

#[test]
fn budgets_that_nothing_draws_on() {
    let text = |effects: &str, more: &str| {
        let budget = format!("{{ name: x, effects: [{effects}], count: requests, max: 1, per: 1h }}");
        let rule = "{ name: a, match: { effects: [read, write] }, allow: {} }";
        document(&format!(
            "subjects: [{{ user: a }}]\nscopes: [{{ namespaces: [a] }}]\nbudgets: [{budget}]\nrules: [{rule}]{more}"
        ))
    };
    let nothing = "agent.yaml:7:21: warning: nothing draws on this budget: no rule permits destructive";
    assert_eq!(warned(&text("destructive", "")), [nothing]);
    assert_eq!(warned(&text("destructive, write", "")), [""; 0]);
    let operate = "\nprofile: operate\napproval: { approvers: [{ user: x }] }";
    assert_eq!(warned(&text("destructive", operate)), [""; 0]);
    // What another document permits to the same subject counts.
    let other =
        document("subjects: [{ group: b }]\nscopes: [{ namespaces: [a] }]\nrules: [{ name: a, match: {}, allow: {} }]");
    let both = format!(
        "{}---\n{}",
        text("destructive", ""),
        other.replace("name: agent ", "name: other ")
    );
    assert_eq!(warned(&both), [""; 0]);
}

#[test]
fn fields_that_no_object_has_are_errors() {
    let when = |resources: &str, action: &str, when: &str| {
        lines(&rules(&[&format!(
            "{{ name: a, match: {{ resources: [{resources}], effects: [write, destructive] }}, when: \"{when}\", {action}: {{}} }}"
        )]))
    };
    let typo = when("deployments.apps", "deny", "object.spec.replica > 3");
    assert!(typo.len() == 1 && typo[0].contains("replica"), "{typo:?}");
    assert_eq!(when("deployments.apps", "deny", "object.spec.replicas > 3"), [""; 0]);
    // One of them has it, or it can't be told.
    assert_eq!(
        when("pods, deployments.apps", "deny", "object.spec.replicas > 3"),
        [""; 0]
    );
    assert_eq!(when("widgets.example.com", "deny", "object.spec.replica > 3"), [""; 0]);
    assert_eq!(when("\"*.apps\"", "deny", "object.spec.replica > 3"), [""; 0]);
}
