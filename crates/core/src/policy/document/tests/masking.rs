//! `masking`: what is read, what is wrong with it, and what several documents come to.

use super::*;
use crate::mask::{FieldTreatment, WithoutJson, WriteBack};
use crate::policy::PolicySet;
use crate::subject::Subject;

const RULE: &str = "{ id: acme, description: d, pattern: \"acme-[a-z]+\", examples: { positive: [acme-qwvzt] } }";

/// A document whose `masking`, from line 8 on, has these fields.
fn masking(fields: &[&str]) -> String {
    let fields: String = fields.iter().map(|field| format!("  {field}\n")).collect();
    document(&format!(
        "subjects: [{{ user: agent-7 }}]\nrules: [{{ name: a, match: {{}}, deny: {{}} }}]\nmasking:\n{fields}"
    ))
}

#[test]
fn all_of_it_is_read() {
    let text = masking(&[
        "strict: true",
        "kinds: [{ kind: Widget, groups: [example.com, \"\"], path: spec.key, treatment: scan, why: w }]",
        &format!("detect: {{ pii: true, names: [acmeKey], insecure_disable: [named-value], rules: [{RULE}] }}"),
        "insecure_forget_known_values: true",
        "writeBack: restore",
        "accept: refuse",
        "warning: false",
    ]);
    let (documents, _) = load([("agent.yaml", text.as_str())].into_iter()).unwrap();
    let read = documents[0].masking.as_ref().unwrap();
    assert!(read.strict && read.pii && read.silent && read.insecure_forget_known_values);
    assert_eq!(
        (read.write_back, read.accept),
        (WriteBack::Restore, WithoutJson::Refuse)
    );
    assert_eq!(read.kinds[0].treatment, FieldTreatment::Scan);
    assert_eq!(read.rules[0].id, "agent/acme");
    assert!(read.kinds[0].is_about("", "widget") && !read.kinds[0].is_about("apps", "Widget"));
    assert_eq!(read.differences().len(), 10);
}

#[test]
fn what_is_wrong_has_its_place() {
    for (field, expected) in [
        (
            "strikt: true",
            "8:5: unknown field `strikt` in `masking`; did you mean `strict`?",
        ),
        ("strict: yes", "8:13: `strict` is `true` or `false`, not text"),
        ("writeBack: keep", "8:16: unknown mode `keep`"),
        (
            "kinds: [{ kind: Widget, path: a, treatment: masc }]",
            "8:49: unknown treatment `masc`; did you mean `mask`?",
        ),
        (
            "kinds: [{ kind: Widget, path: \"a..b\", treatment: mask }]",
            "8:35: `a..b` is no path: keys joined by dots, `*` for every member, a key with dots as [\"a.b\"]",
        ),
        (
            "kinds: [{ kind: Widget, path: metadata.name, treatment: mask }]",
            "8:35: `metadata.name` identifies the object, and is never masked",
        ),
        (
            "kinds: [{ kind: a/b, path: a, treatment: mask }]",
            "8:21: `a/b` is no kind: write it as objects do, `Widget`",
        ),
        (
            "kinds: [{ kind: A, groups: [A], path: a, treatment: mask }]",
            "8:33: `A` is no group: write `apps`, `example.com`, or `\"\"` for core",
        ),
        (
            "detect: { pi: true }",
            "8:15: unknown field `pi` in `detect`; did you mean `pii`?",
        ),
        (
            "detect: { names: [\"a b\"] }",
            "8:23: `a b` is no name of a value: at most 64 letters, digits, `-`, `_` and `.`",
        ),
        (
            "detect: { rules: [{ id: a, description: d, pattern: bcdef, examples: { positive: [bcdef, c] } }] }",
            "8:94: the rule finds nothing in this, or what it finds only stands for a secret",
        ),
        (
            "detect: { rules: [{ id: a, description: d, pattern: bcdef, examples: { positive: [bcdef], negative: [bcdef] } }] }",
            "8:106: the rule finds something in this",
        ),
        (
            "detect: { rules: [{ id: a, description: d, pattern: \"bcd(\", examples: { positive: [b] } }] }",
            "8:57: the pattern is no regular expression: unclosed group (at byte 3)",
        ),
        (
            "detect: { rules: [{ id: a, description: d, pattern: bcdef+, examples: { positive: [\"x ⟦bcdef⟧f\"] } }] }",
            "8:88: in example 1 it finds bytes 2 to 8 instead of bytes 2 to 7",
        ),
        (
            "detect: { rules: [{ id: a, description: d, pattern: b }] }",
            "8:23: a rule of `detect` has no `examples`",
        ),
        (
            "detect: { insecure_disable: [named-valu] }",
            "8:34: there is no shipped rule `named-valu`: only those are switched off; did you mean `named-value`?",
        ),
    ] {
        says(&masking(&[field]), &[&format!("agent.yaml:{expected}")]);
    }
    let twice = format!("detect: {{ rules: [{RULE}, {RULE}] }}");
    let found = lines(&masking(&[&twice]));
    assert!(
        found[0].ends_with("there is another rule `acme` in this document"),
        "{found:?}"
    );
}

/// A document about a group, with this `masking`.
fn about(group: &str, mode: &str, masking: &str) -> (String, String) {
    let text = format!(
        "apiVersion: countersign.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: {group} }}\nspec:\n  mode: {mode}\n  \
         subjects: [{{ group: {group} }}]\n  rules: [{{ name: a, match: {{}}, deny: {{}} }}]\n{masking}"
    );
    (format!("{group}.yaml"), text)
}

#[test]
fn of_several_documents_the_stricter_counts() {
    let sources = [
        about(
            "lax",
            "enforce",
            &format!("  masking: {{ writeBack: restore, warning: false, detect: {{ rules: [{RULE}] }} }}\n"),
        ),
        about("default", "enforce", "  masking: {}\n"),
        about("silent", "enforce", ""),
        about(
            "also-lax",
            "enforce",
            &format!("  masking: {{ writeBack: restore, accept: refuse, detect: {{ rules: [{RULE}] }} }}\n"),
        ),
        about("shadow", "shadow", "  masking: { strict: true, writeBack: refuse }\n"),
    ];
    let policy = PolicySet::from_yaml(&sources).unwrap_or_else(|errors| panic!("{errors}"));
    let masking = |groups: &[&str]| {
        let subject = groups
            .iter()
            .fold(Subject::new("a"), |subject, group| subject.with_group(*group));
        policy.masking(&subject).unwrap()
    };
    let lax = masking(&["lax"]);
    assert_eq!(lax.settings().write_back, WriteBack::Restore);
    assert!(lax.settings().silent);
    // Computed at load, not for each request.
    assert!(std::sync::Arc::ptr_eq(&lax, &masking(&["lax", "silent", "shadow"])));
    let both = masking(&["lax", "default"]);
    assert!(!both.settings().silent);
    assert_eq!(
        (both.settings().write_back, both.settings().rules.len()),
        (WriteBack::Refuse, 1)
    );
    assert!(std::sync::Arc::ptr_eq(&both, &masking(&["default", "lax"])));
    let together = masking(&["lax", "also-lax"]);
    assert_eq!(together.settings().write_back, WriteBack::Restore);
    assert_eq!(together.settings().accept, WithoutJson::Refuse);
    let ids: Vec<&str> = together.settings().rules.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(ids, ["also-lax/acme", "lax/acme"]);
    assert_eq!(*masking(&["nobody", "silent"]), crate::mask::MaskPolicy::default());
}

#[test]
fn the_revision_covers_it() {
    let revision = |masking: &str| {
        use crate::policy::PolicyEngine as _;
        PolicySet::from_yaml(&[about("a", "enforce", masking)])
            .unwrap()
            .revision()
    };
    assert_ne!(revision(""), revision("  masking: { strict: true }\n"));
}
