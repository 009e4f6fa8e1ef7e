use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::policy::document::error::{Problems, Source};
use crate::policy::document::{fields, yaml};
use crate::policy::{PolicySet, PolicyTests};

mod validate;

use validate::validate;

/// A document with every field that there is.
const WHOLE: &str = r#"
apiVersion: countersign.dev/v1alpha1
kind: Policy
metadata: { name: whole }
spec:
  subjects: [{ user: a }, { agent: a, group: b, onBehalfOf: c }]
  profile: operate
  mode: enforce
  scopes: [{ namespaces: ["a-*"], clusterScoped: true, effects: [read, write], resources: [pods, "*.apps"] }]
  limits: { images: [x], replicas: { min: 1, max: 2 }, applyManagers: [m], secretAnnotations: [a/b], capabilities: [CHOWN] }
  insecure_permit: [host-path]
  masking:
    strict: true
    kinds: [{ kind: Widget, groups: ["", example.com], path: spec.key, treatment: mask-base64, why: it is a key }]
    detect:
      pii: true
      names: [acmeKey]
      insecure_disable: [named-value]
      rules:
      - { id: acme, description: tokens of ACME, why: they open doors, pattern: "acme-(?P<secret>[a-z]+)", examples: { positive: [acme-qwvzt, "acme-⟦qwvzt⟧ 1"], negative: [acme] } }
    insecure_forget_known_values: true
    writeBack: restore
    accept: refuse
    warning: false
  approval: { approvers: [{ user: x }, { group: y }], quorum: 2, timeout: 1h30m, pin: uid }
  rules:
  - { name: a, match: { effects: [connect] }, allow: {}, insecure_opaque_stream: true }
  - { name: b, match: { effects: [read], verbs: [get, deletecollection], resources: [pods/exec], namespaces: [a], names: [b], labels: { c: d } }, mode: shadow, deny: { message: no } }
  - { name: c, match: {}, when: "object.kind == 'x'", hold: { approvers: [{ group: y }], quorum: 1, timeout: 1m, pin: resourceVersion } }
  - { name: d, match: {}, rewrite: [{ op: add, path: /spec/a, value: { b: [1, ~] } }, { op: remove, path: /spec/c }] }
  - { name: e, match: {}, mask: { paths: [data.*] } }
  budgets: [{ name: f, effects: [destructive], count: objects, max: 3, per: 1h }]
"#;

const WHOLE_TEST: &str = r#"
apiVersion: countersign.dev/v1alpha1
kind: PolicyTest
metadata: { name: whole }
spec:
  subject: { user: a, groups: [b], onBehalfOf: c, session: d }
  cases:
  - name: a
    request: { method: GET, path: /api, headers: { a: b }, body: { c: d } }
    expect: { outcome: allow }
  - name: b
    subject: { user: a }
    request: { verb: patch, patch: merge, resource: pods, namespace: a, name: b, version: v1, query: { a: [b, 1, true], c: d }, dryRun: true, headers: {}, body: text }
    live: { metadata: {} }
    namespaceObject: absent
    now: 2026-03-01T09:00:00Z
    expect: { outcome: deny, rule: a/b, effects: [read], message: m, rewrites: [a/b], masks: [], shadow: [c/d] }
"#;

fn folder(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("schemas")
        .join(name)
}

#[test]
fn the_committed_schemas_are_those_of_the_types() {
    for (name, schema) in [
        ("policy.json", policy_schema()),
        ("policy-test.json", policy_test_schema()),
    ] {
        let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
        let path = folder(name);
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &text).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        // The order of keys depends on who else is built.
        assert!(
            serde_json::from_str::<Value>(&committed).is_ok_and(|committed| committed == schema),
            "{name} is stale: run this test with UPDATE_SCHEMAS=1"
        );
    }
}

/// Definitions of a schema, and what the loader calls them.
const POLICY_PARTS: [(&str, &str); 20] = [
    ("", "a policy document"),
    ("Metadata", "`metadata`"),
    ("PolicySpec", "`spec`"),
    ("SubjectSpec", "a subject"),
    ("ScopeSpec", "a scope"),
    ("LimitsSpec", "`limits`"),
    ("ReplicasSpec", "`replicas`"),
    ("ApprovalSpec", "`approval`"),
    ("ApprovalSpec", "`hold`"),
    ("ApproverSpec", "an approver"),
    ("RuleSpec", "a rule"),
    ("MatchSpec", "`match`"),
    ("DenySpec", "`deny`"),
    ("RewriteSpec", "a rewrite"),
    ("BudgetSpec", "a budget"),
    ("MaskingSpec", "`masking`"),
    ("KindSpec", "a kind"),
    ("DetectSpec", "`detect`"),
    ("DetectRuleSpec", "a rule of `detect`"),
    ("ExamplesSpec", "`examples`"),
];

fn fields_of(schema: &Value, definition: &str) -> BTreeSet<String> {
    let place = if definition.is_empty() {
        schema
    } else {
        &schema["definitions"][definition]
    };
    assert_eq!(place["additionalProperties"], false, "{definition}");
    place["properties"].as_object().unwrap().keys().cloned().collect()
}

#[test]
fn schema_and_loader_know_the_same_fields() {
    fields::known::take();
    PolicySet::from_yaml(&[("a.yaml", WHOLE)]).unwrap_or_else(|errors| panic!("{errors}"));
    let mut known = fields::known::take();
    let schema = policy_schema();
    for (definition, what) in POLICY_PARTS {
        assert_eq!(Some(&fields_of(&schema, definition)), known.get(what), "{what}");
    }
    assert_eq!(Some(&fields_of(&schema, "MaskSpec")), known.get("`mask`"));
    for what in POLICY_PARTS.map(|(_, what)| what).into_iter().chain(["`mask`"]) {
        known.remove(what);
    }
    assert!(known.is_empty(), "{known:?}");

    PolicyTests::from_yaml(&[("a.yaml", WHOLE_TEST)]).unwrap_or_else(|errors| panic!("{errors}"));
    let mut known = fields::known::take();
    let requests: BTreeSet<String> = ["a request", "a request with a `path`"]
        .into_iter()
        .flat_map(|what| known.remove(what).unwrap())
        .collect();
    let schema = policy_test_schema();
    assert_eq!(fields_of(&schema, "RequestSpec"), requests);
    for (definition, what) in [
        ("", "a policy test"),
        ("Metadata", "`metadata`"),
        ("PolicyTestSpec", "`spec`"),
        ("CaseSpec", "a case"),
        ("TestSubjectSpec", "a subject"),
        ("ExpectSpec", "`expect`"),
    ] {
        assert_eq!(Some(fields_of(&schema, definition)), known.remove(what), "{what}");
    }
    assert!(known.is_empty(), "{known:?}");
}

fn as_json(text: &str) -> Value {
    let source = Source { name: "a.yaml", text };
    let mut problems = Problems::default();
    problems.turn_to(source);
    let nodes = yaml::parse(source, &mut problems);
    let value = nodes[0].json(&mut problems).unwrap();
    serde_json::from_slice(&value.to_bytes()).unwrap()
}

/// The shipped examples, and ours with everything in them.
fn documents() -> Vec<(Value, bool)> {
    let mut documents = vec![(as_json(WHOLE), false), (as_json(WHOLE_TEST), true)];
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/policies");
    // Not part of the published crate.
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        documents.push((as_json(&text), path.to_string_lossy().ends_with(".test.yaml")));
    }
    documents
}

fn loads(document: &Value, is_test: bool) -> Result<(), String> {
    let source = [("a.json", document.to_string())];
    let loaded = if is_test {
        PolicyTests::from_yaml(&source).map(|_| ())
    } else {
        PolicySet::from_yaml(&source).map(|_| ())
    };
    loaded.map_err(|errors| errors.to_string())
}

#[test]
fn examples_are_valid_and_what_is_invalid_does_not_load() {
    let schemas = [policy_schema(), policy_test_schema()];
    let mut refused = 0;
    for (document, is_test) in documents() {
        let schema = &schemas[usize::from(is_test)];
        validate(schema, &document).unwrap_or_else(|error| panic!("{error}"));
        loads(&document, is_test).unwrap_or_else(|errors| panic!("{errors}"));
        // One in a few: loading takes its time, and mutants of one field are much alike.
        for mutant in mutants(&document).into_iter().step_by(6) {
            if let Err(error) = validate(schema, &mutant) {
                refused += 1;
                assert!(loads(&mutant, is_test).is_err(), "{error}, but it loads:\n{mutant:#}");
            }
        }
    }
    assert!(refused > 200, "{refused}");
}

/// Every document in which one value is something else, or one field is gone, renamed or added.
fn mutants(value: &Value) -> Vec<Value> {
    let others = [json!(null), json!(-7), json!("x y"), json!([]), json!({})];
    let mut mutants: Vec<Value> = others.into_iter().filter(|other| other != value).collect();
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                let without = || members.clone().into_iter().filter(|(name, _)| name != key);
                mutants.push(without().collect());
                mutants.push(without().chain([(format!("{key}x"), member.clone())]).collect());
                mutants.extend(mutants_of(member, |mutant| {
                    without().chain([(key.clone(), mutant)]).collect()
                }));
            }
            let added = members.clone().into_iter().chain([("added".to_owned(), json!("x"))]);
            mutants.push(added.collect());
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                mutants.extend(mutants_of(element, |mutant| {
                    let mut elements = elements.clone();
                    elements[index] = mutant;
                    Value::Array(elements)
                }));
            }
        }
        Value::String(text) => mutants.push(json!(format!("{text}x"))),
        _ => {}
    }
    mutants
}

fn mutants_of(value: &Value, put: impl Fn(Value) -> Value) -> impl Iterator<Item = Value> {
    mutants(value).into_iter().map(put)
}

#[test]
fn built_documents_load_as_written_ones_do() {
    let document = PolicyDocument::new(
        "built",
        PolicySpec {
            subjects: vec![SubjectSpec {
                group: Some("agents".into()),
                ..SubjectSpec::default()
            }],
            rules: vec![RuleSpec {
                deny: Some(DenySpec::default()),
                ..RuleSpec::named("none")
            }],
            ..PolicySpec::default()
        },
    );
    validate(&policy_schema(), &serde_json::to_value(&document).unwrap()).unwrap();
    PolicySet::from_documents(std::slice::from_ref(&document)).unwrap();
    let mut broken = document;
    broken.spec.rules[0].name = "None".into();
    let errors = PolicySet::from_documents(&[broken]).unwrap_err();
    assert!(errors.to_string().starts_with("built:15:"), "{errors}");
}
