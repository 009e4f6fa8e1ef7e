//! What holds for objects of any shape.

use proptest::prelude::*;

use super::*;

/// Keys that the rules know, and two that they do not.
const KEYS: &[&str] = &[
    "spec",
    "template",
    "podTemplate",
    "metadata",
    "annotations",
    "containers",
    "initContainers",
    "volumes",
    "name",
    "image",
    "command",
    "env",
    "valueFrom",
    "secretKeyRef",
    "envFrom",
    "secretRef",
    "ports",
    "hostPort",
    "lifecycle",
    "livenessProbe",
    "exec",
    "securityContext",
    "privileged",
    "capabilities",
    "add",
    "seccompProfile",
    "type",
    "seLinuxOptions",
    "sysctls",
    "hostPath",
    "secret",
    "projected",
    "sources",
    "serviceAccountToken",
    "csi",
    "tolerations",
    "operator",
    "serviceAccountName",
    "serviceAccount",
    "hostUsers",
    "automountServiceAccountToken",
    "nodeName",
    "imagePullSecrets",
    "container.apparmor.security.beta.kubernetes.io/c",
    "a",
    "b/~c",
];

fn object() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
        Just("0".to_owned()),
        Just("\"Exists\"".to_owned()),
        Just("\"c\"".to_owned()),
    ];
    leaf.prop_recursive(8, 60, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|list| format!("[{}]", list.join(","))),
            proptest::collection::btree_map(proptest::sample::select(KEYS), inner, 0..6).prop_map(|members| {
                let members: Vec<_> = members
                    .iter()
                    .map(|(key, value)| format!("\"{key}\":{value}"))
                    .collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(512))]

    /// Nothing is found in what does not change, every finding has a pointer to where something is, and what is found
    /// after a look at the object is anew or gone.
    #[test]
    fn any_shape_is_taken(before in object(), after in object()) {
        for (group, resource) in [("", "pods"), ("apps", "deployments"), ("example.com", "widgets")] {
            prop_assert_eq!(found_in(group, resource, &Was::Seen(&after), &after), Vec::<String>::new());
            let attributes = Attributes::for_test(Verb::Patch, group, resource);
            for was in [Was::Nothing, Was::NotRead, Was::Unknown, Was::Seen(&before)] {
                let states = states(&was, &after);
                let mut out = Vec::new();
                findings(&attributes, &kind(group, resource), &states, &mut out);
                for finding in &out {
                    let tokens = tokens(&finding.path).unwrap();
                    let there = leads_somewhere(&states.after, &tokens)
                        || matches!(&states.before, Before::Seen(before) if leads_somewhere(before, &tokens));
                    prop_assert!(there, "{}", line(finding));
                    prop_assert_eq!(finding.assumed, matches!(was, Was::NotRead));
                }
                token_mount_switch(&attributes, &states);
            }
        }
    }
}

fn leads_somewhere(object: &Value, tokens: &[String]) -> bool {
    let end = tokens.iter().try_fold(object, |value, token| match value {
        Value::Array(elements) => elements.get(token.parse::<usize>().ok()?),
        value => value.get(token),
    });
    end.is_some()
}
