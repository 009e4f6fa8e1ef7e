//! What is passed over for its place comes out as if every value had been looked at by all that may decide about it.

use proptest::prelude::*;

use super::*;
use crate::detect::Detectors;
use crate::mask::Masking;

/// A path that leads everywhere and to nothing: as long as it does, nothing is passed over.
const NOWHERE: &str = "*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.nowhere";

fn fields_only(resource: &str, kind_name: &str, obligations: &[MaskObligation]) -> Plan {
    let masking = Masking {
        detectors: Detectors::insecure_none(),
        ..Masking::default()
    };
    obliged(Verb::List, resource, kind_name, obligations).masking(masking)
}

#[track_caller]
fn agree(body: &str) {
    let nowhere = MaskObligation {
        rule: "nowhere".into(),
        paths: vec![NOWHERE.parse().unwrap()],
        names: Vec::new(),
        namespaces: Vec::new(),
    };
    for (resource, kind) in [
        ("pods", "Pod"),
        ("secrets", "Secret"),
        ("configmaps", "ConfigMap"),
        ("deployments", "Deployment"),
    ] {
        let quick = fed(&fields_only(resource, kind, &[]), &[body.as_bytes()]);
        let careful = fed(
            &fields_only(resource, kind, std::slice::from_ref(&nowhere)),
            &[body.as_bytes()],
        );
        assert_eq!(quick, careful, "{resource}: {body}");
    }
}

#[test]
fn what_counts_wherever_it_is() {
    const ENV: &str = r#"[{"name":"DB_PASSWORD","value":"hunter2-long"},{"value":"hunter3-long","name":"API_TOKEN"},{"value":"x","key":"TOKEN"}]"#;
    let mut masked = 0;
    for part in [
        format!(r#"{{"containers":[{{"name":"c","env":{ENV}}}]}}"#),
        format!(r#"{{"tolerations":{{"containers":[{{"env":{ENV}}}]}}}}"#),
        format!(r#"{{"tolerations":[{{"\u0063ontainers":[{{"env":{ENV}}}]}}]}}"#),
        r#"{"affinity":{"kind":"Secret","data":{"a":"Yg=="}}}"#.to_owned(),
        r#"{"affinity":[[{"k\u0069nd":"Secret","stringData":{"a":"b"}}]]}"#.to_owned(),
        r#"{"x":{"template":{"data":{"a":"b"}}},"template":{"stringData":{"a":"b"}}}"#.to_owned(),
        r#"{"x":{"metadata":{"managedFields":[{}],"annotations":{"auth":"a:b"}}},"metadata":{"managedFields":[]}}"#.to_owned(),
        format!(r#"{{"containers":{{"kind":"Secret","data":{{"a":"Yg=="}},"env":{ENV}}},"x":"\"kind\""}}"#),
        format!(r#"{{ "initContainers" : [ {{ "env" : {ENV} , "args" : [ "a" , {{ }} , [ ] , "\\" ] }} ] , "x" : [ ] }}"#),
        r#"{"volumes":[{"csi":{"volumeAttributes":{"a":"b"}},"configMap":{"items":[{"key":"kind","path":"containers"}]}}]}"#.to_owned(),
    ] {
        for body in [
            format!(r#"{{"kind":"Pod","spec":{part},"status":{part}}}"#),
            format!(r#"{{"kind":"Deployment","spec":{{"template":{{"metadata":{{}},"spec":{part}}}}}}}"#),
            format!(r#"{{"metadata":{{}},"spec":{part},"other":{part}}}"#),
            format!(
                r#"{{"kind":"Pod","metadata":{{"annotations":{{"kubectl.kubernetes.io/last-applied-configuration":{}}}}}}}"#,
                serde_json_string(&format!(r#"{{"kind":"Pod","spec":{part}}}"#))
            ),
        ] {
            agree(&body);
            agree(&format!(r#"{{"kind":"List","items":[{body},{body}]}}"#));
            masked += fed(&fields_only("pods", "Pod", &[]), &[body.as_bytes()]).masked();
        }
    }
    assert!(masked > 60, "{masked}");
}

fn serde_json_string(text: &str) -> String {
    let mut json = String::new();
    crate::json::write_string(text, &mut json);
    json
}

fn any_object() -> impl Strategy<Value = String> {
    const KEYS: [&str; 24] = [
        "spec",
        "containers",
        "initContainers",
        "env",
        "name",
        "value",
        "valueFrom",
        "kind",
        "metadata",
        "annotations",
        "template",
        "data",
        "stringData",
        "volumes",
        "args",
        "command",
        "k\\u0069nd",
        "status",
        "tolerations",
        "items",
        "managedFields",
        "affinity",
        "conta\\u0069ners",
        "securityContext",
    ];
    const SCALARS: [&str; 12] = [
        "1",
        "true",
        "null",
        "\"\"",
        "\"Secret\"",
        "\"Pod\"",
        "\"DB_PASSWORD\"",
        "\"hunter2-long\"",
        "\"kind\"",
        "\"a \\\"containers\\\" b\"",
        "{}",
        "[]",
    ];
    let leaf = (0..SCALARS.len()).prop_map(|at| SCALARS[at].to_owned());
    let value = leaf.prop_recursive(7, 80, 5, |inner| {
        let members = prop::collection::btree_map(0..KEYS.len(), inner.clone(), 0..6);
        prop_oneof![
            1 => prop::collection::vec(inner, 0..4).prop_map(|parts| format!("[{}]", parts.join(","))),
            3 => members.prop_map(|members| {
                let members: Vec<_> = members.into_iter().map(|(key, value)| format!("\"{}\":{value}", KEYS[key])).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    });
    value.prop_map(|value| format!(r#"{{"kind":"Pod","spec":{value},"template":{value}}}"#))
}

proptest! {
    #[test]
    fn nothing_is_passed_over_that_counts(body in any_object()) {
        agree(&body);
    }
}
