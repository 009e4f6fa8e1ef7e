//! The policy's paths, and hidden namespaces.

use super::*;

fn obligation(paths: &[&str], names: &[&str], namespaces: &[&str]) -> MaskObligation {
    MaskObligation {
        rule: "hide".into(),
        paths: paths.iter().map(|path| path.parse().unwrap()).collect(),
        names: names.iter().map(|&name| name.into()).collect(),
        namespaces: namespaces.iter().map(|&name| name.into()).collect(),
    }
}

#[test]
fn paths_are_masked_item_by_item() {
    let plan = obliged(
        Verb::List,
        "configmaps",
        "ConfigMap",
        &[obligation(&["data.*", "binaryData.k"], &["*-internal"], &["team-*"])],
    );
    let body = r#"{"kind":"ConfigMapList","items":[{"metadata":{"name":"a-internal","namespace":"team-a"},"data":{"x":"y"},"binaryData":{"k":"eA==","l":"eA=="}},{"metadata":{"name":"a","namespace":"team-a"},"data":{"x":"y"}},{"metadata":{"name":"a-internal","namespace":"other"},"data":{"x":"y"}},{"data":{"x":"y"}}]}"#;
    let outcome = json(&plan, body);
    assert_eq!(
        outcome.body(),
        with_markers(
            r#"{"kind":"ConfigMapList","items":[{"metadata":{"name":"a-internal","namespace":"team-a"},"data":{"x":"<T>"},"binaryData":{"k":"<B>","l":"eA=="}},{"metadata":{"name":"a","namespace":"team-a"},"data":{"x":"y"}},{"metadata":{"name":"a-internal","namespace":"other"},"data":{"x":"y"}},{"data":{"x":"<T>"}}]}"#
        )
    );
    let Outcome::Whole(_, report) = outcome else { panic!() };
    assert_eq!(report.rules().collect::<Vec<_>>(), [("hide", 3)]);
}

#[test]
fn paths_meet_what_is_masked_anyway() {
    let all = obligation(&["data.*", "*.x", "binaryData", "metadata.annotations.*"], &[], &[]);
    let plan = obliged(Verb::Get, "secrets", "Secret", &[all]);
    let body = r#"{"kind":"Secret","data":{"x":"eA==","y":"eA=="},"stringData":{"x":"y"},"binaryData":{"x":"eA=="}}"#;
    let outcome = json(&plan, body);
    assert_eq!(
        outcome.body(),
        with_markers(
            r#"{"kind":"Secret","data":{"x":"<B>","y":"<B>"},"stringData":{"x":"<T>"},"binaryData":{"x":"<B>"}}"#
        )
    );
    assert_eq!(outcome.masked(), 4);
}

#[test]
fn paths_reach_through_arrays_and_copies() {
    let plan = obliged(
        Verb::Get,
        "pods",
        "Pod",
        &[obligation(
            &["spec.containers.*.env.0.value", "metadata.*", "*.x"],
            &[],
            &[],
        )],
    );
    let body = r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"n","uid":"u","labels":{"a":"b"},"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"kind\":\"Pod\",\"status\":{\"x\":\"old\"}}"}},"spec":{"containers":[{"env":[{"value":"s"},{"value":"t"}]}]},"status":{"x":{"y":[1,"z",true]}}}"#;
    let expected = r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"n","uid":"u","labels":{"a":"<T>"},"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"<T>"}},"spec":{"containers":[{"env":[{"value":"<T>"},{"value":"t"}]}]},"status":{"x":{"y":[0,"<T>",true]}}}"#;
    assert_eq!(json(&plan, body).body(), with_markers(expected));
    let plan = obliged(Verb::Get, "pods", "Pod", &[obligation(&["status.x"], &["n"], &[])]);
    assert!(
        json(&plan, body)
            .body()
            .contains(r#"\"status\":{\"x\":\"countersign.masked.value\"}"#)
    );
}

#[test]
fn paths_at_the_elements_of_an_object_with_items() {
    let plan = obliged(Verb::Get, "widgets", "Widget", &[obligation(&["items.*.x"], &[], &[])]);
    let body = r#"{"items":[{"x":"y","z":"w"},"v"],"kind":"Widget"}"#;
    assert_eq!(
        json(&plan, body).body(),
        with_markers(r#"{"items":[{"x":"<T>","z":"w"},"v"],"kind":"Widget"}"#)
    );
}

#[test]
fn cells_of_rows_under_an_obligation() {
    let plan = obliged(Verb::List, "pods", "Pod", &[obligation(&["status.podIP"], &["a"], &[])]);
    let body = r#"{"kind":"Table","columnDefinitions":[{"name":"Name"},{"name":"IP"},{"name":"Age"}],"rows":[{"cells":["a","10.0.0.1","5d",3],"object":{"metadata":{"name":"a"}}},{"cells":["b","10.0.0.2","5d"],"object":{"metadata":{"name":"b"}}}]}"#;
    assert_eq!(
        json(&plan, body).body(),
        with_markers(
            r#"{"kind":"Table","columnDefinitions":[{"name":"Name"},{"name":"IP"},{"name":"Age"}],"rows":[{"cells":["a","<T>","5d",0],"object":{"metadata":{"name":"a"}}},{"cells":["b","10.0.0.2","5d"],"object":{"metadata":{"name":"b"}}}]}"#
        )
    );
}

#[test]
fn hidden_namespaces_leave_lists() {
    let plan = pods(Verb::List).hiding_namespace("guard").hiding_namespace("other");
    let pod = |namespace: &str| format!(r#"{{"metadata":{{"name":"p","namespace":"{namespace}"}}}}"#);
    let list = |items: &[String]| format!("{{\"kind\":\"PodList\",\"items\":[{}]}}", items.join(","));
    for hidden in 0..8_u32 {
        let namespaces: Vec<&str> = (0..3)
            .map(|bit| {
                if hidden >> bit & 1 == 1 {
                    ["guard", "other", "guard"][bit]
                } else {
                    "team-a"
                }
            })
            .collect();
        let all: Vec<String> = namespaces.iter().map(|namespace| pod(namespace)).collect();
        let seen: Vec<String> = namespaces
            .iter()
            .filter(|ns| **ns == "team-a")
            .map(|ns| pod(ns))
            .collect();
        let outcome = json(&plan, &list(&all));
        assert_eq!(outcome.body(), list(&seen));
        let Outcome::Whole(_, report) = outcome else { panic!() };
        assert_eq!(report.hidden(), u64::from(hidden.count_ones()));
        // The same where the list is not handed out element by element.
        let outer =
            |items: &[String]| format!("{{\"spec\":{{}},\"kind\":\"PodList\",\"items\":[{}]}}", items.join(","));
        assert_eq!(json(&plan, &outer(&all)).body(), outer(&seen));
    }
    // Only a row of a Table may lack its object: an item without a namespace is in none.
    let placeless = r#"{"items":[ {"metadata":{}} , {"metadata":{"namespace":"a"}} ] , "x":1}"#;
    assert_eq!(json(&plan, placeless).body(), placeless);
}

#[test]
fn hidden_namespaces_leave_tables_and_watches() {
    let plan = pods(Verb::Watch).hiding_namespace("guard");
    let rows = |rows: &str| format!("{{\"kind\":\"Table\",\"rows\":[{rows}]}}");
    let guarded = r#"{"cells":["g"],"object":{"metadata":{"namespace":"guard"}}}"#;
    let open = r#"{"cells":["a"],"object":{"metadata":{"namespace":"a"}}}"#;
    assert_eq!(
        json(
            &plan,
            &rows(&format!(
                "{guarded},{open},{{\"cells\":[\"?\"],\"object\":null}},{{\"cells\":[]}}"
            ))
        )
        .body(),
        rows(open)
    );
    let event = |kind: &str, object: &str| format!("{{\"type\":\"{kind}\",\"object\":{object}}}\n");
    let stream = [
        event("ADDED", r#"{"metadata":{"namespace":"guard"}}"#),
        event("ADDED", r#"{"metadata":{"namespace":"a"}}"#),
        event("DELETED", &rows(guarded)),
        event("BOOKMARK", r#"{"kind":"Pod","metadata":{"resourceVersion":"1"}}"#),
        event("ADDED", &rows(&format!("{open},{guarded}"))),
        event("ERROR", r#"{"kind":"Status","code":410}"#),
        event("ADDED", r#"{"metadata":{}}"#),
    ];
    let expected = [
        stream[1].clone(),
        stream[3].clone(),
        event("ADDED", &rows(open)),
        stream[5].clone(),
        stream[6].clone(),
    ];
    assert_eq!(json(&plan, &stream.concat()).body(), expected.concat());

    let namespaces = plan_for_namespaces();
    assert_eq!(
        json(
            &namespaces,
            r#"{"kind":"NamespaceList","items":[{"metadata":{"name":"guard"}},{"metadata":{"name":"a"}}]}"#
        )
        .body(),
        r#"{"kind":"NamespaceList","items":[{"metadata":{"name":"a"}}]}"#
    );
    assert_eq!(
        json(
            &path("/x").hiding_namespace("guard"),
            r#"{"kind":"List","items":[{"kind":"Namespace","metadata":{"name":"guard"}},{"kind":"Node"}]}"#
        )
        .body(),
        r#"{"kind":"List","items":[{"kind":"Node"}]}"#
    );
}

fn plan_for_namespaces() -> Plan {
    plan(Verb::List, "namespaces", "Namespace").hiding_namespace("guard")
}
