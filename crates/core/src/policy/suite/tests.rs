use std::sync::Arc;

use super::*;
use crate::request::Catalog;

const POLICY: &str = r#"
apiVersion: countersign.dev/v1alpha1
kind: Policy
metadata: { name: p }
spec:
  subjects: [{ group: agents }]
  scopes: [{ namespaces: [a] }]
  approval: { approvers: [{ group: sre }] }
  rules:
  - { name: look, match: { effects: [read] }, allow: {} }
  - { name: deletions, match: { effects: [destructive] }, hold: {} }
  - { name: edits, match: { effects: [write, destructive] }, allow: {} }
  - { name: not-the-database, match: { names: [db], effects: [destructive] }, deny: { message: "Ask Ann." } }
  - { name: hide, match: { resources: [configmaps] }, mask: { paths: [data] } }
  - { name: web, match: { resources: [services], labels: { app: web } }, deny: {} }
  - { name: streams, match: { effects: [connect] }, mode: shadow, deny: {} }
"#;

fn policy() -> PolicySet {
    PolicySet::from_yaml(&[("p.yaml", POLICY)]).unwrap()
}

fn tests(cases: &[&str]) -> Result<PolicyTests, LoadErrors> {
    let head = "apiVersion: countersign.dev/v1alpha1\nkind: PolicyTest\nmetadata: { name: t }\nspec:\n  subject: { user: x, groups: [agents] }\n  cases:\n";
    let cases: String = cases.iter().map(|case| format!("  - {case}\n")).collect();
    PolicyTests::from_yaml(&[("t.yaml", format!("{head}{cases}"))])
}

fn run(cases: &[&str]) -> TestReport {
    let tests = tests(cases).unwrap_or_else(|errors| panic!("{errors}"));
    tests.run(&policy(), &Gate::new(Arc::new(Catalog::kubernetes())))
}

#[track_caller]
fn pass(cases: &[&str]) -> TestReport {
    let report = run(cases);
    assert_eq!((report.passed(), report.failed()), (cases.len(), 0), "{report}");
    report
}

#[test]
fn what_is_as_expected_passes() {
    let report = pass(&[
        "{ name: sent, request: { method: GET, path: \"/api/v1/namespaces/a/pods?limit=5\" }, expect: { outcome: allow, rule: p/look, effects: [read], masks: [] } }",
        "{ name: list, request: { verb: list, resource: pods, namespace: a, query: { limit: 5 } }, expect: { outcome: allow } }",
        "{ name: watch, request: { verb: watch, resource: pods, namespace: a }, expect: { outcome: deny, effects: [read-stream] } }",
        "{ name: delete, request: { verb: delete, resource: deployments.apps, namespace: a, name: web }, expect: { outcome: hold, rule: p/deletions } }",
        "{ name: db, request: { verb: delete, resource: pods, namespace: a, name: db }, expect: { outcome: deny, rule: p/not-the-database, message: \"Ask *\" } }",
        "{ name: dry, request: { verb: delete, resource: pods, namespace: a, name: x, dryRun: true }, expect: { outcome: allow, effects: [write] } }",
        "{ name: mask, request: { verb: get, resource: configmaps, namespace: a, name: x }, expect: { outcome: allow, masks: [p/hide] } }",
        "{ name: other, subject: { user: y }, request: { verb: get, resource: pods, namespace: a, name: x }, expect: { outcome: deny, message: \"y may not get pods/x in namespace a: no policy*\" } }",
        "{ name: gate, request: { method: GET, path: /api/v1/namespaces/a%2Fb/pods }, expect: { outcome: deny } }",
        "{ name: exec, request: { verb: get, resource: pods/exec, namespace: a, name: x, query: { command: [ls, -l], stdout: true } }, expect: { outcome: deny, rule: countersign/opaque-stream, effects: [connect], shadow: [p/streams] } }",
        "{ name: live, request: { verb: get, resource: services, namespace: a, name: x }, live: { metadata: { labels: { app: web } } }, expect: { outcome: deny, rule: p/web } }",
        "{ name: edit, request: { verb: create, resource: configmaps, namespace: b, body: { apiVersion: v1, kind: ConfigMap, metadata: { name: x } } }, expect: { outcome: deny } }",
        "{ name: text, request: { verb: create, resource: configmaps, namespace: a, body: \"{\" }, expect: { outcome: deny, message: \"*JSON*\" } }",
        "{ name: version, request: { verb: patch, patch: merge, resource: horizontalpodautoscalers.autoscaling, namespace: b, name: x, version: v2, body: { spec: { maxReplicas: 3 } } }, live: absent, expect: { outcome: deny } }",
    ]);
    assert_eq!(report.never_fired, [""; 0]);
}

#[test]
fn what_is_not_as_expected_says_why() {
    let report = run(&[
        "{ name: a, request: { verb: delete, resource: pods, namespace: a, name: x }, expect: { outcome: allow, rule: p/look, effects: [read] } }",
        "{ name: b, request: { verb: get, resource: services, namespace: a, name: x }, expect: { outcome: allow } }",
        "{ name: c, request: { verb: get, resource: pods, namespace: a, name: x }, expect: { outcome: allow, rule: q/look, masks: [p/hide] } }",
    ]);
    let expected = "\
t
  FAIL  a  (t.yaml:7:5)
        outcome   expected allow
                  actual   hold
        rule      expected p/look
                  actual   p/deletions
        effects   expected read
                  actual   destructive
        - allow   p/look
                  effects: it does destructive, which is not listed (listed: read)
        * hold    p/deletions
  FAIL  b  (t.yaml:8:5)
        outcome   expected allow
                  actual   open: give the object as `live`, or `live: absent`
";
    let told = report.to_string();
    assert!(told.starts_with(expected), "{told}");
    assert!(
        told.contains("? no document about this subject has the rule q/look"),
        "{told}"
    );
    assert!(
        told.contains("masks     expected p/hide\n                  actual   none"),
        "{told}"
    );
    assert!(
        told.contains("\n0 passed, 3 failed\nrules that no case made fire: p/not-the-database, p/hide"),
        "{told}"
    );
}

#[test]
fn a_file_is_read_strictly() {
    let told = |case: &str| match tests(&[case]) {
        Ok(_) => String::new(),
        Err(errors) => errors
            .errors()
            .iter()
            .map(|e| e.to_string().lines().next().unwrap().to_owned())
            .collect::<Vec<_>>()
            .join("\n"),
    };
    let request = "request: { verb: get, resource: pods, namespace: a, name: x }";
    for (case, expected) in [
        (
            format!("{{ name: a, {request}, expects: {{ outcome: allow }} }}"),
            "unknown field `expects` in a case; did you mean `expect`?",
        ),
        (
            format!("{{ name: a, {request}, expect: {{ outcome: alow }} }}"),
            "unknown outcome `alow`; did you mean `allow`?",
        ),
        (
            format!("{{ name: a, {request}, expect: {{ outcome: deny, rule: look }} }}"),
            "a rule is named with its document: `document/rule`",
        ),
        (
            format!("{{ name: a, {request}, now: 9, expect: {{ outcome: deny }} }}"),
            "a time is text, not a number: write it in quotes",
        ),
        (
            format!("{{ name: a, {request}, live: x, expect: {{ outcome: deny }} }}"),
            "this is an object, `absent`, or `unreadable`, not text",
        ),
        (
            "{ name: a, request: { verb: get, resource: deployments }, expect: { outcome: deny } }".to_owned(),
            "`deployments` is no resource of the core group; did you mean `deployments.apps`?",
        ),
        (
            "{ name: a, request: { verb: patch, resource: pods }, expect: { outcome: deny } }".to_owned(),
            "`patch: merge`, `json`, `strategic` or `apply` stands beside `verb: patch`, and only there",
        ),
        (
            "{ name: a, request: { path: /api, verb: get, method: GET }, expect: { outcome: deny } }".to_owned(),
            "unknown field `verb` in a request with a `path`",
        ),
    ] {
        let said = told(&case);
        assert!(said.contains(expected), "{case}: {said}");
    }
    assert!(
        PolicyTests::from_yaml(&[("t.yaml", POLICY)])
            .unwrap_err()
            .to_string()
            .contains("`kind` is `PolicyTest`, not `Policy`")
    );
}
