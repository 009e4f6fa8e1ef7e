mod language;
mod lint;
mod masking;

use super::*;

/// A document with this `spec`, whose fields are not indented.
fn document(spec: &str) -> String {
    let spec: String = spec.lines().map(|line| format!("  {line}\n")).collect();
    format!("apiVersion: countersign.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: agent }}\nspec:\n{spec}")
}

/// A document with these rules, from line 8 on.
fn rules(rules: &[&str]) -> String {
    let rules: String = rules.iter().map(|rule| format!("- {rule}\n")).collect();
    document(&format!(
        "subjects: [{{ user: agent-7 }}]\nscopes: [{{ namespaces: [team-a] }}]\nrules:\n{rules}"
    ))
}

fn errors(text: &str) -> Vec<LoadError> {
    load([("agent.yaml", text)].into_iter()).map_or_else(|errors| errors.errors().to_vec(), |_| Vec::new())
}

/// The first line of each error.
fn lines(text: &str) -> Vec<String> {
    let line = |error: &LoadError| error.to_string().lines().next().unwrap_or_default().to_owned();
    errors(text).iter().map(line).collect()
}

#[track_caller]
fn says(text: &str, expected: &[&str]) {
    let start: String = text.chars().take(500).collect();
    assert_eq!(lines(text), expected, "\n{start}");
}

#[track_caller]
fn rule_says(rule: &str, expected: &[&str]) {
    says(&rules(&[rule]), expected);
}

#[test]
fn an_error_shows_its_place() {
    let text = rules(&["{ name: a, match: {}, hold: { approver: [{ group: sre }] } }"]);
    let errors = load([("agent.yaml", text.as_str())].into_iter()).unwrap_err();
    let expected = "\
agent.yaml:8:35: unknown field `approver` in `hold`; did you mean `approvers`?
  |
8 |   - { name: a, match: {}, hold: { approver: [{ group: sre }] } }
  |                                   ^^^^^^^^";
    assert_eq!(errors.to_string(), expected);
    let [error] = errors.errors() else { panic!("{errors}") };
    assert_eq!((error.file.as_str(), error.line, error.column), ("agent.yaml", 8, 35));
    assert_eq!(error.suggestion.as_deref(), Some("approvers"));
}

#[test]
fn a_long_line_is_shown_around_the_place() {
    let long = "x".repeat(400);
    let text = rules(&[&format!("{{ name: a, match: {{ names: [{long}] }}, deni: {{}} }}")]);
    let errors = errors(&text);
    let shown: Vec<&str> = errors[1].excerpt.lines().collect();
    let column = shown[2].find('^').unwrap();
    assert_eq!(shown[1].get(column..column + 4), Some("deni"), "{shown:#?}");
    assert!(shown[1].len() < 200);
}

#[test]
fn all_errors_of_all_files_are_told_in_order() {
    let first = rules(&[
        "{ name: a, match: { effects: [reed] }, deny: {} }",
        "{ name: a, math: {}, deny: {} }",
    ]);
    let second = document("rules: []");
    let errors = load([("a.yaml", first.as_str()), ("b.yaml", second.as_str())].into_iter()).unwrap_err();
    let places: Vec<_> = errors
        .errors()
        .iter()
        .map(|e| (e.file.as_str(), e.line, e.column))
        .collect();
    let expected = [
        ("a.yaml", 8, 35),
        ("a.yaml", 9, 5),
        ("a.yaml", 9, 13),
        ("a.yaml", 9, 16),
        ("b.yaml", 5, 3),
        ("b.yaml", 5, 10),
    ];
    assert_eq!(places, expected, "{errors}");
}

#[test]
fn yaml_that_readers_could_take_differently_is_refused() {
    let anchors = "anchors and aliases are not allowed in a policy: write it out";
    rule_says(
        "{ name: a, match: &x {}, deny: {} }",
        &[&format!("agent.yaml:8:26: {anchors}")],
    );
    rule_says(
        "{ name: a, match: *x, deny: {} }",
        &[&format!("agent.yaml:8:23: {anchors}")],
    );
    rule_says(
        "{ name: a, match: {}, <<: {}, deny: {} }",
        &["agent.yaml:8:27: merge keys are not allowed in a policy: write it out"],
    );
    rule_says(
        "{ name: a, match: !custom {}, deny: {} }",
        &["agent.yaml:8:31: tags are not allowed in a policy"],
    );
    rule_says(
        "{ name: a, match: {}, deny: {}, deny: {} }",
        &["agent.yaml:8:37: duplicate field `deny` in a rule"],
    );
    rule_says(
        "{ name: a, match: {}, 1: x, deny: {} }",
        &["agent.yaml:8:27: a field name is text, not a number"],
    );
    rule_says(
        "{ name: a, match: { names: [x }, deny: {} }",
        &["agent.yaml:8:32: no valid YAML: mismatched bracket '[' closed by '}'"],
    );
    says("", &["agent.yaml:1:1: there is no policy document in this file"]);
    says(
        "# x\n---\n---\n",
        &["agent.yaml:1:1: there is no policy document in this file"],
    );
    says("- x", &["agent.yaml:1:1: a policy document is a mapping, not a list"]);
    let deep = "this is too large or too deep for a policy";
    says(&"- ".repeat(1000), &[&format!("agent.yaml:1:65: {deep}")]);
    says(&"[".repeat(100_000), &[&format!("agent.yaml:1:33: {deep}")]);
    says(&"{a: ".repeat(100_000), &[&format!("agent.yaml:1:129: {deep}")]);
    says(
        &" ".repeat(1024 * 1024 + 1),
        &["agent.yaml:1:1: the file has more than 1048576 bytes"],
    );
}

#[test]
fn a_document_says_what_it_is() {
    let text = rules(&["{ name: a, match: {}, deny: {} }"]);
    assert_eq!(lines(&text), [""; 0]);
    says(
        &text.replace("v1alpha1", "v1"),
        &["agent.yaml:1:13: `apiVersion` is `countersign.dev/v1alpha1`, not `countersign.dev/v1`"],
    );
    says(
        &text.replace("kind: Policy", "kind: policy"),
        &["agent.yaml:2:7: `kind` is `Policy`, not `policy`"],
    );
    says(
        &text.replace("kind: Policy", "kin: Policy"),
        &[
            "agent.yaml:1:1: a policy document has no `kind`",
            "agent.yaml:2:1: unknown field `kin` in a policy document; did you mean `kind`?",
        ],
    );
    says(
        &text.replace("name: agent ", "name: Agent "),
        &["agent.yaml:3:19: `Agent` is no DNS label: at most 63 lower-case letters, digits and `-`, not at an end"],
    );
    says(
        &text.replace("name: agent ", "name: countersign "),
        &["agent.yaml:3:19: the name `countersign` is reserved for rules that are in no document"],
    );
    says(
        &format!("{text}---\n{text}"),
        &["agent.yaml:12:19: there is another document named `agent`"],
    );
}

#[test]
fn a_spec_says_whom_it_is_about_and_where() {
    let rule = "rules: [{ name: a, match: {}, allow: {} }]";
    let subjects = "subjects: [{ user: agent-7 }]";
    says(
        &document(&format!("{subjects}\n{rule}")),
        &["agent.yaml:5:3: `spec` has no `scopes`: its rules permit something, but only inside its scopes"],
    );
    says(
        &document(&format!("scopes: [{{ clusterScoped: true }}]\n{rule}")),
        &["agent.yaml:5:3: `spec` has no `subjects`"],
    );
    says(
        &document(&format!("{subjects}\nscopes: []\n{rule}")),
        &["agent.yaml:6:11: `scopes` is empty"],
    );
    says(
        &document(&format!(
            "{subjects}\nscopes: [{{ effects: [read] }}, {{ namespaces: team-a }}]\n{rule}"
        )),
        &[
            "agent.yaml:6:12: a scope has `namespaces`, `clusterScoped: true` or both, else nothing is inside",
            "agent.yaml:6:47: `namespaces` is a list, not text; did you mean `[team-a]`?",
        ],
    );
    says(
        &document(&format!("subjects: [{{}}, {{ user: 7 }}]\n{rule}")),
        &[
            "agent.yaml:5:3: `spec` has no `scopes`: its rules permit something, but only inside its scopes",
            "agent.yaml:5:14: a subject has `user` (or `agent`), `group`, `onBehalfOf` or several of them",
            "agent.yaml:5:26: `user` is text, not a number: write it in quotes",
        ],
    );
    says(
        &document(&format!("{subjects}\nscopes: [{{ clusterScoped: yes }}]\n{rule}")),
        &["agent.yaml:6:29: `clusterScoped` is `true` or `false`, not text"],
    );
    let discovery = "rules: [{ name: a, match: { effects: [discovery] }, allow: {} }]";
    says(&document(&format!("{subjects}\n{discovery}")), &[]);
}

#[test]
fn a_rule_asks_for_one_thing() {
    let one = "agent.yaml:8:5: a rule has exactly one of `allow`, `deny`, `hold`, `rewrite` and `mask`";
    rule_says("{ name: a, match: {} }", &[one]);
    rule_says("{ name: a, match: {}, allow: {}, deny: {} }", &[one]);
    rule_says("{ match: {}, deny: {} }", &["agent.yaml:8:5: a rule has no `name`"]);
    rule_says(
        "{ name: A, match: {}, deny: {} }",
        &["agent.yaml:8:13: `A` is no DNS label, as the name of a rule has to be"],
    );
    rule_says(
        "{ name: a, deny: {} }",
        &["agent.yaml:8:5: a rule has no `match`: write `match: {}` if it is about every request"],
    );
    says(
        &rules(&["{ name: a, match: {}, deny: {} }", "{ name: a, match: {}, allow: {} }"]),
        &["agent.yaml:9:13: there is another rule named `a` in this document"],
    );
    for allow in ["true", "~", "[]", "{ all: x }"] {
        rule_says(
            &format!("{{ name: a, match: {{}}, allow: {allow} }}"),
            &["agent.yaml:8:34: there is nothing to say about an allow: write `allow: {}`"],
        );
    }
    rule_says(
        "{ name: a, match: {}, deny: { messege: no } }",
        &["agent.yaml:8:35: unknown field `messege` in `deny`; did you mean `message`?"],
    );
}

#[test]
fn streams_are_opened_on_purpose_only() {
    rule_says(
        "{ name: a, match: {}, deny: {}, insecure_opaque_stream: true }",
        &["agent.yaml:8:61: `insecure_opaque_stream` stands beside `allow` only"],
    );
    rule_says(
        "{ name: a, match: {}, allow: {}, insecure_opaque_stream: true }",
        &["agent.yaml:8:62: `insecure_opaque_stream` does nothing in a rule whose `effects` don't list `connect`"],
    );
    rule_says(
        "{ name: a, match: { effects: [connect] }, allow: {}, insecure_opaque_stream: true }",
        &[],
    );
}

#[test]
fn a_hold_can_be_ended() {
    let hold = |hold: &str| format!("{{ name: a, match: {{}}, hold: {hold} }}");
    let nobody = "agent.yaml:8:33: nobody could approve this: name `approvers` here or in `spec.approval`";
    rule_says(&hold("{}"), &[nobody]);
    rule_says(&hold("{ quorum: 2 }"), &[nobody]);
    rule_says(
        &hold("{ approvers: [{ user: x }, { user: y }, { user: x }], quorum: 3 }"),
        &["agent.yaml:8:95: a quorum of 3 can't be reached: only 2 users are named as approvers"],
    );
    rule_says(&hold("{ approvers: [{ user: x }, { group: y }], quorum: 3 }"), &[]);
    let number = "a quorum is a number of approvers, at least 1";
    for quorum in ["0", "-1", "1.5", "x", "4294967296"] {
        let rule = hold(&format!("{{ quorum: {quorum}, approvers: [{{ group: y }}] }}"));
        rule_says(&rule, &[&format!("agent.yaml:8:43: {number}")]);
    }
    rule_says(
        &hold("{ approvers: [{ group: \"sre-*\" }, {}] }"),
        &[
            "agent.yaml:8:56: approvers are named exactly: `*` has no meaning here",
            "agent.yaml:8:67: an approver is either `{ user: … }` or `{ group: … }`",
        ],
    );
    rule_says(
        &hold("{ approvers: [{ group: sre }], pin: resourceversion }"),
        &["agent.yaml:8:69: unknown pin `resourceversion`; did you mean `resourceVersion`?"],
    );
}

#[test]
fn timeouts_are_written_as_in_go() {
    let timeout = |value: &str| {
        let rule = format!("{{ name: a, match: {{}}, hold: {{ approvers: [{{ group: sre }}], timeout: {value} }} }}");
        lines(&rules(&[&rule])).join("")
    };
    for valid in ["10m", "90s", "1h30m", "1h0m1s", "168h"] {
        assert_eq!(timeout(valid), "", "{valid}");
    }
    for invalid in [
        "10",
        "m",
        "1m1h",
        "1m1m",
        "1.5h",
        "-1s",
        "10 m",
        "1d",
        "99999999999999999999s",
        "\"\"",
        "10M",
    ] {
        assert!(
            timeout(invalid).ends_with("a timeout is written as `90s`, `10m` or `1h30m`"),
            "{invalid}"
        );
    }
    assert!(timeout("169h").ends_with("a timeout is at most a week, `168h`"));
    assert!(timeout("0s").ends_with("a timeout is at least a second, `1s`"));
}

#[test]
fn defaults_of_holds_are_checked_with_the_holds() {
    let with = |approval: &str, hold: &str| {
        document(&format!(
            "subjects: [{{ user: x }}]\nscopes: [{{ namespaces: [a] }}]\napproval: {approval}\nrules:\n- {{ name: a, match: {{}}, hold: {hold} }}"
        ))
    };
    says(&with("{ approvers: [{ user: x }] }", "{}"), &[]);
    says(
        &with("{ approvers: [{ user: x }] }", "{ quorum: 2 }"),
        &["agent.yaml:9:43: a quorum of 2 can't be reached: only one user is named as approvers"],
    );
    says(
        &with("{ approvers: [{ user: x }], quorum: 2 }", "{}"),
        &["agent.yaml:7:49: a quorum of 2 can't be reached: only one user is named as approvers"],
    );
    says(
        &with("{ aprovers: [{ user: x }] }", "{}"),
        &["agent.yaml:7:15: unknown field `aprovers` in `approval`; did you mean `approvers`?"],
    );
}

#[test]
fn names_of_the_domain_are_known() {
    let matching = |what: &str| lines(&rules(&[&format!("{{ name: a, match: {{ {what} }}, deny: {{}} }}")])).join("\n");
    for (text, expected) in [
        ("effects: []", "34: `effects` is empty"),
        (
            "effects: [destructiv]",
            "35: unknown effect `destructiv`; did you mean `destructive`?",
        ),
        ("verbs: [remove]", "33: unknown verb `remove`"),
        ("verbs: [Get]", "33: unknown verb `Get`; did you mean `get`?"),
        ("verbs: [\"*\"]", "33: leave `verbs` out to match every verb"),
        (
            "names: [pods/web-0]",
            "33: `pods/web-0` is no name of an object: it has a `/` or `%`",
        ),
        (
            "namespaces: [Team_A]",
            "38: `Team_A` is no namespace: lower-case letters, digits, `-`, and `*` for any run of them",
        ),
        (
            "namespace: [a]",
            "25: unknown field `namespace` in `match`; did you mean `namespaces`?",
        ),
    ] {
        assert_eq!(matching(text), format!("agent.yaml:8:{expected}"), "{text}");
    }
}

#[test]
fn a_resource_that_does_not_exist_is_no_silent_miss() {
    let matching = |resource: &str| {
        let rule = format!("{{ name: a, match: {{ resources: [\"{resource}\"] }}, deny: {{}} }}");
        lines(&rules(&[&rule]))
            .join("\n")
            .trim_start_matches("agent.yaml:8:37: ")
            .to_owned()
    };
    for valid in [
        "*",
        "pods",
        "pods/exec",
        "pods/*",
        "*/scale",
        "deployments.apps",
        "deployments.apps/scale",
        "*.example.com",
        "*.*.example.com",
        "widgets.*",
        "pods.custom.metrics.k8s.io/http_requests:rate",
    ] {
        assert_eq!(matching(valid), "", "{valid}");
    }
    let form = "write `pods`, `pods/exec`, `deployments.apps`, `deployments.apps/scale`, `*.example.com` or `*`";
    for (text, expected) in [
        (
            "deployments",
            "`deployments` is no resource of the core group; did you mean `deployments.apps`?",
        ),
        (
            "deployments/scale",
            "`deployments/scale` is no resource of the core group; did you mean `deployments.apps/scale`?",
        ),
        ("pod", "`pod` is no resource of the core group; did you mean `pods`?"),
        (
            "cronjob",
            "`cronjob` is no resource of the core group; did you mean `cronjobs.batch`?",
        ),
        ("widgets", "`widgets` is no resource of the core group"),
        (
            "pods/exce",
            "`pods/exce` is no resource: there is no such subresource; did you mean `pods/exec`?",
        ),
        (
            "*/*",
            "`*/*` is no resource: every resource with its subresources is `*`; did you mean `*`?",
        ),
        ("Pods", &format!("`Pods` is no resource: {form}; did you mean `pods`?")),
        ("pods.", &format!("`pods.` is no resource: {form}")),
        ("pods/", &format!("`pods/` is no resource: {form}")),
        ("pods/a/b", &format!("`pods/a/b` is no resource: {form}")),
        ("po*", &format!("`po*` is no resource: {form}")),
    ] {
        assert_eq!(matching(text), expected, "{text}");
    }
}

#[test]
fn mask_paths_are_checked() {
    rule_says(
        "{ name: a, match: {}, mask: {} }",
        &["agent.yaml:8:33: `mask` has no `paths`"],
    );
    rule_says(
        "{ name: a, match: {}, mask: { paths: [\"data.*\", \"data..x\"] } }",
        &[
            "agent.yaml:8:53: `data..x` is no path: keys joined by dots, `*` for every member, a key with dots as [\"a.b\"]",
        ],
    );
}

#[test]
fn thousands_of_errors_are_as_good_as_some() {
    let unknown = vec!["podz"; 20_000].join(", ");
    let rule = format!("{{ name: a, match: {{ resources: [{unknown}] }}, allow: {{}} }}");
    let errors = errors(&rules(&[&rule]));
    assert_eq!(errors.len(), 32);
    assert!(errors.iter().all(|error| error.suggestion.is_some()));
}
