//! Bodies that are made to cost.

use std::time::Duration;

use super::*;
use crate::cpu;

/// Debug builds included.
const PATIENCE: Duration = Duration::from_secs(20);

#[track_caller]
fn in_time(request: &Canonical, live: Option<&Live>) -> Change {
    let (change, taken) = cpu::timed(|| Change::of(request, live));
    assert!(taken < PATIENCE, "{taken:?}");
    assert!(change.findings().len() < 1_000);
    change
}

fn too_large(change: &Change) -> bool {
    change
        .findings()
        .iter()
        .any(|finding| finding.concern == Concern::TooLarge)
}

#[test]
fn copies_that_double() {
    let mut operations = vec![r#"{"op":"add","path":"/spec/a","value":{"x":"0123456789"}}"#.to_owned()];
    for _ in 0..900 {
        operations.push(r#"{"op":"copy","from":"/metadata/labels","path":"/metadata/labels/b"}"#.to_owned());
    }
    let bomb = json_patch(DEPLOYMENT, &format!("[{}]", operations.join(",")));
    assert!(too_large(&in_time(
        &bomb,
        Some(&object(r#"{"metadata":{"labels":{"a":"b"}},"spec":{}}"#))
    )));
    in_time(&bomb, None);
    // Side by side, each as large as all before.
    let wide: Vec<String> = (0..900)
        .map(|n| format!(r#"{{"op":"copy","from":"/metadata/labels","path":"/metadata/labels/{n}"}}"#))
        .collect();
    let bomb = json_patch(DEPLOYMENT, &format!("[{}]", wide.join(",")));
    let live = object(r#"{"metadata":{"labels":{"matchLabels":{"app":"web"}}}}"#);
    assert!(too_large(&in_time(&bomb, Some(&live))));
}

#[test]
fn a_thousand_operations_on_wide_objects_and_long_lists() {
    let labels: Vec<String> = (0..50_000).map(|n| format!(r#""k{n}":"v""#)).collect();
    let wide = object(&format!(r#"{{"metadata":{{"labels":{{{}}}}}}}"#, labels.join(",")));
    let long = object(&format!(r#"{{"spec":{{"list":[{}0]}}}}"#, "0,".repeat(200_000)));
    let thousand = |operation: &dyn Fn(usize) -> String| {
        let operations: Vec<String> = (0..1_000).map(operation).collect();
        format!("[{}]", operations.join(","))
    };
    let adds = thousand(&|n| format!(r#"{{"op":"add","path":"/metadata/labels/n{n}","value":"v"}}"#));
    let removes = thousand(&|n| format!(r#"{{"op":"remove","path":"/metadata/labels/k{n}"}}"#));
    let inserts = thousand(&|_| r#"{"op":"add","path":"/spec/list/0","value":1}"#.to_owned());
    let moves = thousand(&|_| r#"{"op":"move","from":"/metadata/labels","path":"/metadata/labels2"}"#.to_owned());
    for (patch, live) in [(&adds, &wide), (&removes, &wide), (&inserts, &long), (&moves, &wide)] {
        in_time(&json_patch(DEPLOYMENT, patch), Some(live));
        in_time(&json_patch(DEPLOYMENT, patch), None);
    }
}

#[test]
fn wide_bodies_against_wide_objects() {
    let members = |value: &str| -> String {
        let members: Vec<String> = (0..50_000).map(|n| format!(r#""key-{n}":{value}"#)).collect();
        members.join(",")
    };
    let live = object(&format!(r#"{{"data":{{{}}}}}"#, members(r#""eA==""#)));
    for body in [
        format!(r#"{{"data":{{{}}}}}"#, members("null")),
        format!(r#"{{"data":{{{}}}}}"#, members(r#""x""#)),
    ] {
        for request in [
            merge(CONFIG_MAP, &body),
            strategic(CONFIG_MAP, &body),
            put(CONFIG_MAP, &body),
        ] {
            in_time(&request, Some(&live));
            in_time(&request, None);
        }
    }
    let fields = format!(r#"{{"f:data":{{{}}}}}"#, members("{}").replace("key-", "f:key-"));
    let owned = format!(
        r#"{{"metadata":{{"managedFields":[{{"manager":"agent","operation":"Apply","apiVersion":"v1","fieldsV1":{fields}}},{{"manager":"other","operation":"Update","fieldsV1":{fields}}}]}},"data":{{{}}}}}"#,
        members(r#""eA==""#)
    );
    let applied = apply(&format!("{CONFIG_MAP}?fieldManager=agent"), r#"{"data":{"key-1":"x"}}"#);
    in_time(&applied, Some(&object(&owned)));
}

#[test]
fn long_lists_of_equal_keys() {
    let elements = |value: &str| vec![format!(r#"{{"name":"a","image":"{value}"}}"#); 20_000].join(",");
    let spec = |elements: &str| format!(r#"{{"spec":{{"template":{{"spec":{{"containers":[{elements}]}}}}}}}}"#);
    let live = object(&spec(&elements("x")));
    let body = spec(&elements("y"));
    in_time(&strategic(DEPLOYMENT, &body), Some(&live));
    in_time(&merge(DEPLOYMENT, &body), Some(&live));
    in_time(&apply(&format!("{DEPLOYMENT}?fieldManager=agent"), &body), Some(&live));
    in_time(&put(DEPLOYMENT, &body), Some(&live));
}

#[test]
fn depth_is_bounded_whatever_operations_make_of_it() {
    let path = "/a".repeat(60);
    let deep = format!("{}1{}", r#"{"a":"#.repeat(50), "}".repeat(50));
    let patch = format!(r#"[{{"op":"add","path":"/spec{path}","value":{deep}}}]"#);
    assert!(too_large(&in_time(&json_patch(WIDGET, &patch), None)));
    let patch = r#"[{"op":"add","path":"/spec/list/1000000","value":1}]"#;
    assert!(too_large(&in_time(&json_patch(WIDGET, patch), None)));
    let body = format!("{}null{}", r#"{"a":"#.repeat(60), "}".repeat(60));
    in_time(&merge(WIDGET, &body), Some(&object("{}")));
}

#[test]
fn paths_of_findings_are_short() {
    let key = "k".repeat(100_000);
    let nulls: Vec<String> = (0..1_000).map(|n| format!(r#""{n}":null"#)).collect();
    let body = format!(r#"{{"spec":{{"{key}":{{{}}}}}}}"#, nulls.join(","));
    let change = in_time(&merge(WIDGET, &body), None);
    assert_eq!(change.findings().len(), 64);
    assert!(change.findings().iter().all(|finding| finding.path.len() < 1_000));
}
