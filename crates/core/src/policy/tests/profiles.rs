//! What the shipped profiles do, as a policy test.

use std::sync::Arc;

use super::*;
use crate::request::{Catalog, Gate};

fn policy(profile: &str) -> PolicySet {
    let spec = "subjects: [{ group: agents }]\nscopes: [{ namespaces: [a, kube-system], clusterScoped: true }]\napproval: { approvers: [{ group: sre }] }";
    load(&[&document("p", &format!("{spec}\nprofile: {profile}"))])
}

#[track_caller]
fn passes(profile: &str, cases: &[(&str, &str)]) {
    let head = "apiVersion: countersign.dev/v1alpha1\nkind: PolicyTest\nmetadata: { name: t }\nspec:\n  subject: { user: x, groups: [agents] }\n  cases:\n";
    let cases: String = cases
        .iter()
        .enumerate()
        .map(|(index, (request, expect))| {
            format!("  - {{ name: c{index}, request: {{ {request} }}, expect: {{ {expect} }} }}\n")
        })
        .collect();
    let tests = PolicyTests::from_yaml(&[("t.yaml", format!("{head}{cases}"))]);
    let tests = tests.unwrap_or_else(|errors| panic!("{errors}"));
    let report = tests.run(&policy(profile), &Gate::new(Arc::new(Catalog::kubernetes())));
    assert_eq!(report.failed(), 0, "{profile}: {report}");
}

const GET: &str = "verb: get, resource: pods, namespace: a, name: x";
const LOG: &str = "verb: get, resource: pods/log, namespace: a, name: x";
const PROTECTED_LOG: &str = "verb: get, resource: pods/log, namespace: kube-system, name: x";
const DELETE: &str = "verb: delete, resource: pods, namespace: a, name: x";
const DRY_DELETE: &str = "verb: delete, resource: pods, namespace: a, name: x, dryRun: true";
const EVICT: &str = "verb: create, resource: pods/eviction, namespace: a, name: x, body: { apiVersion: policy/v1, kind: Eviction, metadata: { name: x, namespace: a } }, version: v1";
const CREATE: &str = "verb: create, resource: configmaps, namespace: a, body: { apiVersion: v1, kind: ConfigMap, metadata: { name: x } }";
const DRY_CREATE: &str = "verb: create, resource: configmaps, namespace: a, dryRun: true, body: { apiVersion: v1, kind: ConfigMap, metadata: { name: x } }";
const PROTECTED_CREATE: &str = "verb: create, resource: configmaps, namespace: kube-system, body: { apiVersion: v1, kind: ConfigMap, metadata: { name: x } }";
const EXEC: &str = "verb: get, resource: pods/exec, namespace: a, name: x, query: { command: [ls], stdout: true }";
const REVIEW: &str = "verb: create, resource: tokenreviews.authentication.k8s.io, body: { apiVersion: authentication.k8s.io/v1, kind: TokenReview, spec: { token: x } }";
const STATUS: &str =
    "verb: patch, patch: merge, resource: pods/status, namespace: a, name: x, body: { status: { message: x } }";
const ROLE: &str = "verb: create, resource: roles.rbac.authorization.k8s.io, namespace: a, body: { apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: { name: x }, rules: [] }";
const API: &str = "method: GET, path: /apis";

const DENY: &str = "outcome: deny";

#[test]
fn observe_only_looks() {
    let look = "outcome: allow, rule: observe/look";
    let protected = "outcome: deny, rule: observe/protected-namespaces";
    passes(
        "observe",
        &[
            (API, look),
            (GET, look),
            (LOG, look),
            (PROTECTED_LOG, protected),
            (DELETE, DENY),
            (DRY_DELETE, DENY),
            (CREATE, DENY),
            (DRY_CREATE, DENY),
            (EXEC, DENY),
            (REVIEW, DENY),
        ],
    );
}

#[test]
fn suggest_changes_nothing() {
    let (dry, no) = (
        "outcome: allow, rule: suggest/dry-runs",
        "outcome: deny, rule: suggest/no-changes",
    );
    passes(
        "suggest",
        &[
            (GET, "outcome: allow, rule: observe/look"),
            (DELETE, no),
            (DRY_DELETE, dry),
            (CREATE, no),
            (DRY_CREATE, dry),
            (PROTECTED_CREATE, DENY),
            (EVICT, no),
            (EXEC, DENY),
            (ROLE, DENY),
        ],
    );
}

#[test]
fn operate_changes_and_asks() {
    let held = "outcome: hold, rule: operate/destructive";
    let protected = "outcome: deny, rule: operate/protected-namespaces";
    passes(
        "operate",
        &[
            (API, "outcome: allow"),
            (GET, "outcome: allow, rule: observe/look"),
            (LOG, "outcome: allow"),
            (PROTECTED_LOG, "outcome: deny, rule: observe/protected-namespaces"),
            (CREATE, "outcome: allow, rule: operate/changes"),
            (PROTECTED_CREATE, protected),
            (DELETE, held),
            (EVICT, held),
            (EXEC, "outcome: deny, rule: operate/connections"),
            (REVIEW, "outcome: deny, rule: operate/token-reviews"),
            (STATUS, "outcome: deny, rule: operate/status-writes"),
            (ROLE, DENY),
        ],
    );
}
