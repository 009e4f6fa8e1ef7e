//! Server-side apply: managers, and what they lose.

use super::*;

fn applied(url: &str, query: &str, body: &str) -> Canonical {
    apply(&format!("{url}?fieldManager=agent{query}"), body)
}

fn managed(spec: &str, entries: &[(&str, &str, &str)]) -> String {
    let entries: Vec<String> = entries
        .iter()
        .map(|(manager, operation, fields)| {
            format!(
                r#"{{"manager":"{manager}","operation":"{operation}","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{fields}}}"#
            )
        })
        .collect();
    let entries = entries.join(",");
    format!(r#"{{"metadata":{{"name":"x","managedFields":[{entries}]}},{spec}}}"#)
}

#[test]
fn force_and_managers_are_told() {
    alone(
        &applied(CONFIG_MAP, "&force=true", r#"{"metadata":{"labels":{"a":"b"}}}"#),
        &["removes-field? ", "forced-apply ", "apply-manager =agent"],
    );
    alone(
        &applied(WIDGET, "", r#"{"spec":{"a":null}}"#),
        &["removes-field? ", "apply-manager =agent", "removes-field? /spec/a"],
    );
}

#[test]
fn an_apply_removes_what_its_manager_applied_before_and_nobody_else_owns() {
    let fields = r#"{"f:data":{".":{},"f:a":{},"f:b":{},"f:c":{}},"f:metadata":{"f:labels":{"f:x":{}}}}"#;
    let other = r#"{"f:data":{"f:b":{}}}"#;
    let live = managed(
        r#""data":{"a":"1","b":"2","c":"3","d":"4"}"#,
        &[("agent", "Apply", fields), ("kubectl", "Update", other)],
    );
    for (body, expected) in [
        (r#"{"data":{"a":"1","b":"2","c":"3"}}"#, &["apply-manager =agent"][..]),
        (
            r#"{"data":{"a":"1"}}"#,
            &["apply-manager =agent", "removes-field /data/c"],
        ),
        (
            r#"{"data":{"a":"9","c":"3","e":"5"}}"#,
            &["apply-manager =agent", "overwrites-data /data/a"],
        ),
        (
            "{}",
            &["apply-manager =agent", "removes-field /data/a", "removes-field /data/c"],
        ),
    ] {
        with(&applied(CONFIG_MAP, "", body), &live, expected);
    }
    // Somebody else's name, other operation: nothing was applied before.
    let updated = managed(r#""data":{"a":"1"}"#, &[("agent", "Update", fields)]);
    with(&applied(CONFIG_MAP, "", "{}"), &updated, &["apply-manager =agent"]);
    // Applied in another version of the kind: its names may be others.
    let other_version = live.replace(r#""apiVersion":"v1""#, r#""apiVersion":"v1beta1""#);
    with(
        &applied(CONFIG_MAP, "", r#"{"data":{"a":"1","b":"2","c":"3"}}"#),
        &other_version,
        &["removes-field ", "apply-manager =agent"],
    );
}

#[test]
fn lists_lose_elements_by_their_keys() {
    let fields = r#"{"f:spec":{"f:template":{"f:spec":{"f:containers":{
        "k:{\"name\":\"app\"}":{".":{},"f:name":{},"f:image":{},"f:args":{},
            "f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}}}},
        "k:{\"name\":\"side\"}":{".":{},"f:name":{}}}}}},
        "f:metadata":{"f:finalizers":{"v:\"a/b\"":{}}}}"#;
    let containers = r#"[{"name":"app","image":"i","args":["x"],"ports":[{"containerPort":80,"protocol":"TCP"}],
        "imagePullPolicy":"Always"},{"name":"side","image":"j"}]"#;
    let live = managed(
        &format!(r#""spec":{{"template":{{"spec":{{"containers":{containers}}}}}}}"#),
        &[("agent", "Apply", fields)],
    );
    let live = live
        .replace(r#""apiVersion":"v1""#, r#""apiVersion":"apps/v1""#)
        .replacen(r#""name":"x""#, r#""name":"web","finalizers":["a/b","c/d"]"#, 1);
    let body = |metadata: &str, containers: &str| {
        format!(r#"{{"metadata":{metadata},"spec":{{"template":{{"spec":{{"containers":[{containers}]}}}}}}}}"#)
    };
    let finalizers = r#"{"finalizers":["a/b"]}"#;
    let app = r#"{"name":"app","image":"i","args":["x"],"ports":[{"containerPort":80}]}"#;
    let side = r#"{"name":"side"}"#;
    for (body, expected) in [
        (
            body(finalizers, &format!("{app},{side}")),
            &["apply-manager =agent"][..],
        ),
        (
            body(finalizers, app),
            &["apply-manager =agent", "removes-field /spec/template/spec/containers/1"],
        ),
        (
            body("{}", &format!("{app},{side}")),
            &[
                "apply-manager =agent",
                "finalizers /metadata/finalizers",
                "removes-field /metadata/finalizers/0",
            ],
        ),
        (
            body(finalizers, &format!(r#"{{"name":"app","image":"i"}},{side}"#)),
            &[
                "apply-manager =agent",
                "removes-field /spec/template/spec/containers/0/args",
                "removes-field /spec/template/spec/containers/0/ports/0",
            ],
        ),
        (
            body(
                finalizers,
                &format!(r#"{},{side}"#, app.replace(r#"["x"]"#, r#"["y"]"#)),
            ),
            &[
                "apply-manager =agent",
                "removes-field /spec/template/spec/containers/0/args/0",
            ],
        ),
    ] {
        with(&applied(DEPLOYMENT, "", &body), &live, expected);
    }
}

#[test]
fn who_owns_what_tells_how_a_custom_resource_merges() {
    let body = r#"{"spec":{"list":[{"id":"b","x":1}],"map":{"n":1}}}"#;
    let live = |fields: &str| {
        let spec = r#""spec":{"list":[{"id":"a","x":1}],"map":{"m":1}}"#;
        managed(spec, &[("other", "Update", fields)])
            .replace(r#""apiVersion":"v1""#, r#""apiVersion":"example.com/v1""#)
    };
    with(
        &applied(WIDGET, "", body),
        &live(r#"{"f:spec":{"f:list":{"k:{\"id\":\"a\"}":{".":{},"f:id":{}}},"f:map":{"f:m":{}}}}"#),
        &["apply-manager =agent"],
    );
    // Atomic, or owned by nobody: it may be replaced.
    for fields in [r#"{"f:spec":{"f:list":{},"f:map":{}}}"#, r#"{"f:spec":{"f:other":{}}}"#] {
        with(
            &applied(WIDGET, "", body),
            &live(fields),
            &[
                "apply-manager =agent",
                "removes-field /spec/list/0",
                "removes-field /spec/map/m",
            ],
        );
    }
}
