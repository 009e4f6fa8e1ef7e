//! Limits, labels, rewrites, budgets, modes and profiles.

use std::time::Duration;

use super::*;
use crate::policy::budget::Unit;
use crate::policy::limits::Limits;
use crate::request::Concern;

/// A document that denies everything, with these fields of `spec` before its rules, from line 5 on.
fn spec(fields: &str) -> String {
    document(&format!(
        "{fields}\nsubjects: [{{ user: agent-7 }}]\nrules: [{{ name: a, match: {{}}, deny: {{}} }}]"
    ))
}

#[track_caller]
fn spec_says(fields: &str, expected: &[&str]) {
    says(&spec(fields), expected);
}

#[track_caller]
fn loaded(text: &str) -> Document {
    let mut documents = load([("agent.yaml", text)].into_iter()).unwrap_or_else(|errors| panic!("{errors}"));
    documents.0.remove(0)
}

#[test]
fn subjects_name_users_groups_and_principals_together() {
    let subjects = |subjects: &str| {
        document(&format!(
            "subjects: {subjects}\nrules: [{{ name: a, match: {{}}, deny: {{}} }}]"
        ))
    };
    let document = loaded(&subjects("[{ agent: a-*, group: g, onBehalfOf: \"*@x\" }]"));
    let agent = crate::Subject::new("a-1").with_group("g");
    assert!(!document.is_about(&agent));
    assert!(!document.is_about(&agent.clone().on_behalf_of("ann@y")));
    assert!(document.is_about(&agent.on_behalf_of("ann@x")));
    assert!(!document.is_about(&crate::Subject::new("b").with_group("g").on_behalf_of("ann@x")));
    says(
        &subjects("[{ user: a, agent: a }, { onbehalfof: x }, { group: }]"),
        &[
            "agent.yaml:5:32: `agent` is another word for `user`: write one of them",
            "agent.yaml:5:39: unknown field `onbehalfof` in a subject; did you mean `onBehalfOf`?",
            "agent.yaml:5:63: `group` is text, not nothing",
        ],
    );
}

#[test]
fn labels_are_names_and_patterns() {
    let matches = |labels: &str| format!("{{ name: a, match: {{ labels: {labels} }}, deny: {{}} }}");
    let document = loaded(&rules(&[&matches(
        "{ app: web, example.com/tier: \"*\", empty: \"\" }",
    )]));
    let labels = document.rules[0].matches.labels.as_ref().unwrap();
    let labels: Vec<_> = labels
        .iter()
        .map(|(name, glob)| (name.as_str(), glob.as_str()))
        .collect();
    assert_eq!(labels, [("app", "web"), ("example.com/tier", "*"), ("empty", "")]);
    for (labels, expected) in [
        ("{}", "33: `labels` is empty"),
        (
            "[app]",
            "33: `labels` is a mapping, not a list: write `labels: { app: web }`",
        ),
        (
            "{ app: true }",
            "40: the value of a label is text, not a boolean: write it in quotes",
        ),
        (
            "{ a/b/c: x }",
            "35: `a/b/c` is no name of a label: `app`, or `example.com/app`",
        ),
        (
            "{ app: a/b }",
            "40: `a/b` is no value of a label: at most 63 letters, digits, `-`, `_`, `.`, and `*` for any run of them",
        ),
        ("{ app: a, app: b }", "43: duplicate label `app`"),
    ] {
        rule_says(&matches(labels), &[&format!("agent.yaml:8:{expected}")]);
    }
}

#[test]
fn limits_are_read() {
    let limits = "limits: { images: [\"registry.internal/*\"], replicas: { min: 0, max: 20 }, applyManagers: [agent-7], \
                  secretAnnotations: [], capabilities: [NET_BIND_SERVICE] }\ninsecure_permit: [host-path, rbac]";
    let globs = |text: &str| vec![crate::policy::glob::Glob::new(text)];
    let expected = Limits {
        images: globs("registry.internal/*"),
        min_replicas: Some(0),
        max_replicas: Some(20),
        apply_managers: globs("agent-7"),
        secret_annotations: Vec::new(),
        capabilities: vec!["NET_BIND_SERVICE".into()],
        insecure_permit: vec![Concern::HostPath, Concern::Rbac],
    };
    assert_eq!(loaded(&spec(limits)).limits, expected);
    assert_eq!(loaded(&spec("mode: enforce")).limits, Limits::default());
}

#[test]
fn limits_are_checked() {
    for (limits, expected) in [
        (
            "{ image: [a] }",
            "13: unknown field `image` in `limits`; did you mean `images`?",
        ),
        ("{ images: a }", "21: `images` is a list, not text; did you mean `[a]`?"),
        ("{ images: [a b] }", "22: an image has no blanks"),
        ("{ replicas: {} }", "23: `replicas` has `min`, `max` or both"),
        ("{ replicas: { min: -1 } }", "30: `min` is a whole number, at least 0"),
        ("{ replicas: { min: 1.5 } }", "30: `min` is a whole number, at least 0"),
        ("{ replicas: { min: 3, max: 2 } }", "38: `max` is 2, below `min`: 3"),
        (
            "{ replicas: { max: 0 } }",
            "30: `max` is 0, below `min`: 1, which holds where none is said",
        ),
        (
            "{ capabilities: [CAP_NET_ADMN] }",
            "28: unknown capability `CAP_NET_ADMN`; did you mean `NET_ADMIN`?",
        ),
        (
            "{ secretAnnotations: [\"a b\"] }",
            "33: `a b` is no key of an annotation: write `example.com/key`, with `*` for any run of characters",
        ),
    ] {
        spec_says(&format!("limits: {limits}"), &[&format!("agent.yaml:5:{expected}")]);
    }
}

#[test]
fn only_what_is_forbidden_is_permitted_by_name() {
    spec_says(
        "insecure_permit: [hostpath, image, suspend, x]",
        &[
            "agent.yaml:5:21: unknown concern `hostpath`; did you mean `host-path`?",
            "agent.yaml:5:31: `image` is not forbidden, but needs a human: `spec.approval` says whom",
            "agent.yaml:5:38: `suspend` is not forbidden, but destructive: a rule permits it that lists this effect",
            "agent.yaml:5:47: unknown concern `x`",
        ],
    );
    spec_says(
        "insecure_permits: [rbac]",
        &["agent.yaml:5:3: unknown field `insecure_permits` in `spec`; did you mean `insecure_permit`?"],
    );
}

#[test]
fn a_mode_is_one_of_two() {
    assert!(loaded(&spec("mode: shadow")).shadow);
    let document = loaded(&rules(&[
        "{ name: a, match: {}, mode: shadow, deny: {} }",
        "{ name: b, match: {}, mode: enforce, deny: {} }",
    ]));
    assert!(document.rules[0].shadow && !document.rules[1].shadow && !document.shadow);
    spec_says(
        "mode: shadows",
        &["agent.yaml:5:9: unknown mode `shadows`; did you mean `shadow`?"],
    );
    says(
        &rules(&["{ name: a, match: {}, mode: enforce, deny: {} }"]).replace("  scopes", "  mode: shadow\n  scopes"),
        &["agent.yaml:9:33: this rule can't be enforced: `spec.mode` of the document is `shadow`"],
    );
}

#[test]
fn budgets_are_read_and_checked() {
    let document = loaded(&spec(
        "budgets: [{ name: deletions, effects: [destructive], count: objects, max: 5, per: 720h }]",
    ));
    let [budget] = &*document.budgets else { panic!() };
    assert_eq!(
        (budget.name.as_str(), budget.unit, budget.max),
        ("agent/deletions", Unit::Objects, 5)
    );
    assert_eq!(budget.per, Duration::from_secs(30 * 24 * 3600));
    for (budget, expected) in [
        (
            "{}",
            vec![
                "13: a budget has no `name`",
                "13: a budget has no `effects`",
                "13: a budget has no `count`",
                "13: a budget has no `max`",
                "13: a budget has no `per`",
            ],
        ),
        (
            "{ name: A, effects: [destroy], count: object, max: 0, per: 721h }",
            vec![
                "21: `A` is no DNS label, as the name of a budget has to be",
                "34: unknown effect `destroy`",
                "51: unknown unit `object`; did you mean `objects`?",
                "64: `max` is a whole number, at least 1",
                "72: the window of a budget is at most 30 days, `720h`",
            ],
        ),
    ] {
        let expected: Vec<String> = expected.iter().map(|line| format!("agent.yaml:5:{line}")).collect();
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        spec_says(&format!("budgets: [{budget}]"), &expected);
    }
    let budget = "{ name: x, effects: [read], count: requests, max: 1, per: 1s }";
    spec_says(
        &format!("budgets: [{budget}, {budget}]"),
        &["agent.yaml:5:85: there is another budget named `x` in this document"],
    );
}

fn rewriting(name: &str, matches: &str, operation: &str) -> String {
    format!("{{ name: {name}, match: {{ {matches} }}, rewrite: [{operation}] }}")
}

#[test]
fn rewrites_are_read() {
    let rewrite = "{ op: replace, path: /spec/replicas, value: 20 }, { op: remove, path: /metadata/labels/a~1b }, \
                   { op: add, path: /spec/x, value: { a: [1.5, ~, \"t\", true] } }";
    let document = loaded(&rules(&[&rewriting("a", "", rewrite)]));
    let Action::Rewrite(operations) = &document.rules[0].action else {
        panic!()
    };
    let told: Vec<String> = operations
        .iter()
        .map(|o| {
            let value = o
                .value()
                .map(|value| String::from_utf8(value.to_bytes().to_vec()).unwrap());
            format!("{} {} {}", o.op().as_str(), o.pointer(), value.unwrap_or_default())
        })
        .collect();
    assert_eq!(
        told,
        [
            "replace /spec/replicas 20",
            "remove /metadata/labels/a~1b ",
            "add /spec/x {\"a\":[1.5,null,\"t\",true]}"
        ]
    );
}

#[test]
fn rewrites_are_checked() {
    let path = "`path` is text, not a number: write it in quotes";
    for (operation, expected) in [
        (
            "{ op: move, path: /a }",
            "45: unknown operation `move`; did you mean `remove`?",
        ),
        ("{ op: add, path: /a }", "39: a rewrite has no `value`"),
        ("{ op: remove, path: /a, value: 1 }", "70: a `remove` has no `value`"),
        ("{ op: remove, path: 7 }", &format!("59: {path}")),
        (
            "{ op: remove, path: a }",
            "59: the path is no JSON Pointer: it begins with `/`, and `~` is written `~0`, `/` in a key `~1`",
        ),
        (
            "{ op: add, path: /a, value: .nan }",
            "67: no valid YAML: value `.nan` is not a finite number",
        ),
        ("{ op: add, path: /a, value: { x: 1, x: 2 } }", "75: duplicate key `x`"),
        (
            "{ op: add, path: /a, value: { 1: 2 } }",
            "69: a key is text, not a number: write it in quotes",
        ),
    ] {
        rule_says(&rewriting("a", "", operation), &[&format!("agent.yaml:8:{expected}")]);
    }
    for path in [
        "",
        "/metadata",
        "/metadata/name",
        "/metadata/namespace/x",
        "/kind",
        "/apiVersion",
        "/metadata/uid",
    ] {
        let operation = format!("{{ op: remove, path: \"{path}\" }}");
        let told = lines(&rules(&[&rewriting("a", "", &operation)])).join("");
        assert!(
            told.starts_with("agent.yaml:8:59: ") && told.ends_with("can't be rewritten"),
            "{told}"
        );
    }
    rule_says(
        &rewriting("a", "", "{ op: remove, path: /a }, { op: add, path: /a, value: 1 }"),
        &["agent.yaml:8:82: this rule changes `/a` twice"],
    );
}

/// What is said of two rules, each of which has this match and sets this path.
fn pair(a: (&str, &str), b: (&str, &str)) -> Vec<String> {
    let rule = |name: &str, (matches, path): (&str, &str)| {
        rewriting(name, matches, &format!("{{ op: add, path: {path}, value: 1 }}"))
    };
    lines(&rules(&[&rule("a", a), &rule("b", b)]))
}

#[test]
fn two_rewrites_of_one_path_are_an_error() {
    let conflict = "agent.yaml:9:56: `/spec/a` is rewritten by agent/a too, at agent.yaml:8:56: both rules could be about one request";
    assert_eq!(pair(("", "/spec/a"), ("", "/spec/a")), [conflict]);
    let both = |a: &str, b: &str| !pair((a, "/spec/a"), (b, "/spec/a")).is_empty();
    for (a, b) in [
        ("resources: [pods]", "resources: [\"pods/*\"]"),
        ("resources: [pods]", "resources: [\"*\"]"),
        ("resources: [deployments.apps]", "resources: [deployments.extensions]"),
        ("resources: [\"*.apps\"]", "resources: [\"*.extensions\"]"),
        ("resources: [\"*.a.io\"]", "resources: [\"x.*.io\"]"),
        ("verbs: [update]", "verbs: [create]"),
        ("verbs: [patch]", "verbs: [create, delete]"),
        ("names: [a]", "names: [b]"),
        ("names: [\"a*\"], verbs: [patch]", "names: [\"*b\"], verbs: [patch]"),
        ("namespaces: [a]", "namespaces: [b]"),
        (
            "namespaces: [\"a*\"], resources: [pods]",
            "namespaces: [ab], resources: [pods]",
        ),
        ("effects: [write]", "effects: [destructive]"),
        ("labels: { a: x }", "labels: { a: y }"),
    ] {
        assert!(both(a, b) && both(b, a), "{a} / {b}");
    }
    for (a, b) in [
        ("resources: [pods]", "resources: [services]"),
        ("resources: [deployments.apps]", "resources: [deployments.example.com]"),
        ("resources: [pods/exec]", "resources: [pods/log]"),
        ("verbs: [patch]", "verbs: [update]"),
        ("verbs: [patch]", "verbs: [delete]"),
        ("names: [a], verbs: [patch]", "names: [b]"),
        (
            "namespaces: [a], resources: [pods]",
            "namespaces: [b], resources: [pods]",
        ),
    ] {
        assert!(!both(a, b) && !both(b, a), "{a} / {b}");
    }
}

#[test]
fn a_rewrite_above_below_or_beside_in_a_list_is_a_conflict_too() {
    let both = |a: &str, b: &str| !pair(("", a), ("", b)).is_empty();
    assert!(both("/spec", "/spec/a") && both("/spec/a/b", "/spec/a"));
    assert!(both("/spec/a/0", "/spec/a/1/x") && both("/spec/a/-", "/spec/a/0"));
    assert!(!both("/spec/a", "/spec/b") && !both("/spec/a", "/spec/ab"));
}

#[test]
fn rewrites_of_two_documents_are_compared() {
    let rule = rewriting("a", "", "{ op: remove, path: /spec/a }");
    let first = rules(&[&rule]);
    let load = |second: &str| load([("a.yaml", first.as_str()), ("b.yaml", second)].into_iter());
    let second = first.replace("name: agent ", "name: other ");
    let errors = load(&second).unwrap_err();
    let [error] = errors.errors() else { panic!("{errors}") };
    assert_eq!((error.file.as_str(), error.line), ("b.yaml", 8));
    assert!(
        error.message.contains("is rewritten by agent/a too, at a.yaml:8:"),
        "{error}"
    );
    // Nobody is both of these; somebody may be both of those.
    assert!(load(&second.replace("agent-7", "agent-8")).is_ok());
    assert!(load(&second.replace("user: agent-7", "group: agents")).is_err());
    // What is not enforced changes nothing.
    assert!(load(&second.replace("  scopes", "  mode: shadow\n  scopes")).is_ok());
}

#[test]
fn a_hostile_number_of_rewrites_is_refused() {
    let operations = "{ op: remove, path: /a },".repeat(600);
    let text = rules(&[
        &rewriting("a", "", "{ op: remove, path: /b }"),
        &rewriting("b", "", &operations),
    ]);
    assert!(lines(&text)[0].contains("changes `/a` twice"));
    let distinct: String = (0..600).map(|i| format!("{{ op: remove, path: /a{i} }},")).collect();
    let text = rules(&[&rewriting("a", "", &distinct)]);
    assert!(
        lines(&text)[0].ends_with("these policies have more than 512 rewrites"),
        "{:?}",
        lines(&text)
    );
}

#[test]
fn every_profile_loads() {
    let names = |profile: &str| {
        let text = document(&format!(
            "subjects: [{{ user: a }}]\nscopes: [{{ namespaces: [a] }}]\nprofile: {profile}\napproval: {{ approvers: [{{ group: sre }}], timeout: 5m }}"
        ));
        loaded(&text)
    };
    for profile in &PROFILES {
        let document = names(profile.name);
        assert!(document.rules.iter().all(|rule| rule.profile));
        let of = |name: &str| document.rules.iter().filter(|rule| rule.name.starts_with(name)).count();
        assert!(
            of(&format!("{}/", profile.name)) > 0 && of("observe/") > 0,
            "{document:#?}"
        );
        for rule in &document.rules {
            if let Action::Hold(terms) = &rule.action {
                assert_eq!((&*terms.rule, terms.timeout), (&*rule.name, Duration::from_secs(300)));
            }
        }
    }
}

#[test]
fn a_profile_stands_after_the_rules_and_takes_the_terms_of_the_document() {
    let with = |fields: &str| {
        document(&format!(
            "subjects: [{{ user: a }}]\nscopes: [{{ namespaces: [a] }}]\n{fields}\nrules: [{{ name: a, match: {{}}, deny: {{}} }}]"
        ))
    };
    let document = loaded(&with("profile: observe"));
    assert_eq!(&*document.rules[0].name, "agent/a");
    assert!(!document.rules[0].profile && document.rules[1].profile);
    assert_ne!(document.digest, loaded(&with("mode: enforce")).digest);
    says(
        &with("profile: operate"),
        &[
            "agent.yaml:7:12: `operate` holds requests, but nobody could approve them: name `approvers` in `spec.approval`",
        ],
    );
    says(
        &with("profile: operator"),
        &["agent.yaml:7:12: unknown profile `operator`; did you mean `operate`?"],
    );
    says(
        &with("profile: observe").replace("name: agent ", "name: observe "),
        &["agent.yaml:3:19: the name `observe` is reserved for rules of the profile"],
    );
    // A profile permits inside the scopes of the document that names it.
    says(
        &super::document("subjects: [{ user: a }]\nprofile: observe"),
        &["agent.yaml:5:3: `spec` has no `scopes`: its rules permit something, but only inside its scopes"],
    );
}

#[test]
fn a_condition_is_wrong_at_a_place_inside_of_it() {
    let head = "{ name: a, match: {}, deny: {} }\n- name: b\n  match: {}\n  deny: {}\n  when: ";
    let place = |when: &str| {
        let text = rules(&[&format!("{head}{when}")]);
        let errors = errors(&text);
        let [error] = &*errors else { panic!("{errors:#?}") };
        let line = text.lines().nth(error.line - 1).unwrap();
        let rest: String = line.chars().skip(error.column - 1).collect();
        (error.line, rest, error.suggestion.clone().unwrap_or_default())
    };
    for (when, line, rest) in [
        ("objekt.x == 1", 12, "objekt.x == 1"),
        ("true && objekt.x", 12, "objekt.x"),
        ("\"true && objekt.x\"", 12, "objekt.x\""),
        ("\"'\\\"' == 'a' && objekt.x\"", 12, "objekt.x\""),
        ("'''a'' == ''a'' && objekt.x'", 12, "objekt.x'"),
        ("|\n    true\n      && objekt.x", 14, "objekt.x"),
        (">-\n    true &&\n    true &&\n    objekt.x", 15, "objekt.x"),
        ("true &&\n    true && objekt.x", 13, "objekt.x"),
    ] {
        let when_indented = when.replace('\n', "\n  ");
        assert_eq!(
            place(&when_indented),
            (line, rest.to_owned(), "object".to_owned()),
            "{when}"
        );
    }
}
