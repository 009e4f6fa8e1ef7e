//! What the body alone tells.

use super::*;

#[test]
fn merge_patches_remove_by_nulls_and_lists() {
    for (body, expected) in [
        (r#"{"metadata":{"labels":{"a":"b"}}}"#, &[][..]),
        (
            r#"{"metadata":{"labels":{"a":null}}}"#,
            &["removes-field? /metadata/labels/a"],
        ),
        (r#"{"spec":{"x":[]}}"#, &["removes-field? /spec/x"]),
        (r#"{"spec":null}"#, &["removes-field? /spec"]),
        (r#"{"spec":"x"}"#, &["removes-field? /spec"]),
        (r#"{"metadata":{"labels":5}}"#, &["removes-field? /metadata/labels"]),
        (r#"{"spec":{"spec":"x","labels":"x"}}"#, &[]),
        (r#"{"metadata":{"resourceVersion":null,"uid":null}}"#, &[]),
        (
            r#"{"metadata":{"finalizers":null}}"#,
            &[
                "removes-field? /metadata/finalizers",
                "finalizers? /metadata/finalizers",
            ],
        ),
        (
            r#"{"metadata":{"ownerReferences":[{"uid":"1"}]}}"#,
            &[
                "removes-field? /metadata/ownerReferences",
                "owner-references? /metadata/ownerReferences",
            ],
        ),
        (r#"{"spec":{"size":2}}"#, &[]),
        (r#"{"spec":{"replicas":3}}"#, &["replicas? /spec/replicas=3"]),
        (r#"{"spec":{"suspend":true}}"#, &["suspend? /spec/suspend"]),
        (r#"{"spec":{"suspend":false}}"#, &[]),
        (
            r#"{"spec":{"a":{"deletionPolicy":"Delete"}}}"#,
            &["retention-policy? /spec/a/deletionPolicy"],
        ),
    ] {
        alone(&merge(WIDGET, body), expected);
    }
}

#[test]
fn strategic_merge_patches_remove_by_directives_and_by_lists_that_are_not_merged() {
    let containers = |inner: &str| format!(r#"{{"spec":{{"template":{{"spec":{{"containers":[{inner}]}}}}}}}}"#);
    for (body, expected) in [
        (containers(r#"{"name":"app","image":"b"}"#), &[][..]),
        (
            containers(r#"{"name":"app","$patch":"delete"}"#),
            &["removes-field? /spec/template/spec/containers/0"],
        ),
        (
            containers(r#"{"name":"app"},{"$patch":"replace"}"#),
            &["removes-field? /spec/template/spec/containers/1"],
        ),
        (containers(r#"{"name":"app","ports":[{"containerPort":1}]}"#), &[]),
        (
            containers(r#"{"name":"app","args":["x"]}"#),
            &["removes-field? /spec/template/spec/containers/0/args"],
        ),
        (
            r#"{"metadata":{"$deleteFromPrimitiveList/finalizers":["a"]}}"#.to_owned(),
            &[
                "removes-field? /metadata/finalizers",
                "finalizers? /metadata/finalizers",
            ],
        ),
        (r#"{"metadata":{"finalizers":["a"]}}"#.to_owned(), &[]),
        (
            r#"{"spec":{"strategy":{"$retainKeys":["type"],"type":"Recreate"}}}"#.to_owned(),
            &["removes-field? /spec/strategy"],
        ),
        (
            r#"{"spec":{"template":{"metadata":{"labels":{"$patch":"delete"}}}}}"#.to_owned(),
            &["removes-field? /spec/template/metadata/labels"],
        ),
        (
            r#"{"spec":{"$setElementOrder/x":[{"name":"a"}],"replicas":0}}"#.to_owned(),
            &["replicas? /spec/replicas=0"],
        ),
    ] {
        alone(&strategic(DEPLOYMENT, &body), expected);
    }
}

#[test]
fn json_patches_remove_by_operation_and_value() {
    for (operation, expected) in [
        (r#"{"op":"replace","path":"/spec/paused","value":true}"#, &[][..]),
        (
            r#"{"op":"remove","path":"/spec/paused"}"#,
            &["removes-field? /spec/paused"],
        ),
        (
            r#"{"op":"replace","path":"/spec/strategy","value":{}}"#,
            &["removes-field? /spec/strategy"],
        ),
        (
            r#"{"op":"replace","path":"/spec","value":"x"}"#,
            &["removes-field? /spec"],
        ),
        (
            r#"{"op":"add","path":"/metadata/labels","value":"x"}"#,
            &["removes-field? /metadata/labels"],
        ),
        (
            r#"{"op":"replace","path":"/spec/template/spec/containers","value":false}"#,
            &["removes-field? /spec/template/spec/containers"],
        ),
        (
            r#"{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"a"}"#,
            &[],
        ),
        (
            r#"{"op":"replace","path":"/spec/paused","value":null}"#,
            &["removes-field? /spec/paused"],
        ),
        (
            r#"{"op":"add","path":"/metadata/labels","value":{}}"#,
            &["removes-field? /metadata/labels"],
        ),
        (r#"{"op":"add","path":"/metadata/labels/1","value":"x"}"#, &[]),
        (r#"{"op":"replace","path":"/metadata/labels/1","value":"x"}"#, &[]),
        (
            r#"{"op":"add","path":"/spec/template/spec/tolerations/-","value":{"key":"a"}}"#,
            &[],
        ),
        (
            r#"{"op":"add","path":"/spec/template/spec/tolerations/0","value":{"key":"a"}}"#,
            &[],
        ),
        (
            r#"{"op":"replace","path":"/spec/template/spec/tolerations/0","value":{"key":"a"}}"#,
            &["removes-field? /spec/template/spec/tolerations/0"],
        ),
        (
            r#"{"op":"replace","path":"/metadata/finalizers/-1","value":"a"}"#,
            &[
                "finalizers? /metadata/finalizers",
                "removes-field? /metadata/finalizers/-1",
            ],
        ),
        (
            r#"{"op":"copy","from":"/metadata/labels/a","path":"/metadata/labels/b"}"#,
            &["removes-field? /metadata/labels/b"],
        ),
        (r#"{"op":"add","path":"","value":{}}"#, &["removes-field? "]),
        (
            r#"{"op":"move","from":"/metadata/labels/a","path":"/metadata/labels/b"}"#,
            &["removes-field? /metadata/labels/a"],
        ),
        (r#"{"op":"test","path":"/spec/replicas","value":3}"#, &[]),
        (
            r#"{"op":"replace","path":"/spec/replicas","value":0}"#,
            &["replicas? /spec/replicas=0"],
        ),
        (
            r#"{"op":"replace","path":"","value":{"spec":{"replicas":7}}}"#,
            &["removes-field? ", "replicas? /spec/replicas=7"],
        ),
        (
            r#"{"op":"replace","path":"/metadata/ownerReferences/0/uid","value":"1"}"#,
            &["owner-references? /metadata/ownerReferences"],
        ),
    ] {
        alone(&json_patch(DEPLOYMENT, &format!("[{operation}]")), expected);
    }
    let operation = r#"[{"op":"add","path":"/spec/by/7","value":{}}]"#;
    alone(&json_patch(WIDGET, operation), &["removes-field? /spec/by/7"]);
}

#[test]
fn a_put_drops_what_it_leaves_out_but_not_of_a_scale() {
    alone(&put(CONFIG_MAP, "{}"), &["removes-field? "]);
    let scale = format!("{DEPLOYMENT}/scale");
    alone(
        &put(&scale, r#"{"spec":{"replicas":3}}"#),
        &["replicas? /spec/replicas=3"],
    );
    alone(&put(&scale, "{}"), &["replicas? /spec/replicas=0"]);
    alone(
        &merge(&scale, r#"{"spec":{"replicas":0}}"#),
        &["replicas? /spec/replicas=0"],
    );
    alone(
        &merge(&scale, r#"{"spec":{"replicas":null}}"#),
        &["removes-field? /spec/replicas"],
    );
}

#[test]
fn numbers_are_told_as_the_server_reads_them() {
    let told = |number: &str| {
        let change = Change::of(
            &merge(DEPLOYMENT, &format!(r#"{{"spec":{{"replicas":{number}}}}}"#)),
            None,
        );
        change.findings()[0].value.clone().unwrap()
    };
    for (number, expected) in [
        ("7", "7"),
        ("-0", "0"),
        ("0.9", "0"),
        ("1e1", "10"),
        ("1e400", "9223372036854775807"),
        ("99999999999999999999", "9223372036854775807"),
        (r#""7""#, "7"),
        ("{}", "0"),
    ] {
        assert_eq!(told(number), expected, "{number}");
    }
}

#[test]
fn data_is_overwritten_unless_the_key_is_new() {
    for url in [CONFIG_MAP, SECRET] {
        alone(&merge(url, r#"{"data":{"a":"eA=="}}"#), &["overwrites-data? /data/a"]);
        alone(&merge(url, r#"{"data":{"a":null}}"#), &["removes-field? /data/a"]);
        alone(
            &strategic(url, r#"{"data":{"a":"eA=="}}"#),
            &["overwrites-data? /data/a"],
        );
        alone(
            &json_patch(url, r#"[{"op":"add","path":"/data/7","value":"eA=="}]"#),
            &["overwrites-data? /data/7"],
        );
    }
    alone(
        &merge(SECRET, r#"{"stringData":{"a":"x"}}"#),
        &["overwrites-data? /stringData/a"],
    );
    alone(
        &merge(CONFIG_MAP, r#"{"binaryData":{"a":"eA=="}}"#),
        &["overwrites-data? /binaryData/a"],
    );
    let applied = |url: &str| apply(&format!("{url}?fieldManager=agent"), r#"{"data":{"a":"eA=="}}"#);
    alone(&applied(CONFIG_MAP), &["removes-field? ", "apply-manager =agent"]);
    alone(
        &applied(SECRET),
        &["removes-field? ", "apply-manager =agent", "overwrites-data? /data/a"],
    );
}

#[test]
fn creates_have_nothing_to_lose_but_their_owner() {
    let create = |body: &str| request("POST", "/apis/batch/v1/namespaces/a/jobs", "application/json", body);
    alone(
        &create(r#"{"spec":{"parallelism":0,"suspend":true,"ttlSecondsAfterFinished":0}}"#),
        &[],
    );
    alone(
        &create(r#"{"metadata":{"ownerReferences":[{"uid":"1"}]}}"#),
        &["owner-references /metadata/ownerReferences"],
    );
}

#[test]
fn timers_retention_protection_and_nodes() {
    alone(
        &merge(
            "/apis/batch/v1/namespaces/a/jobs/j",
            r#"{"spec":{"ttlSecondsAfterFinished":0,"parallelism":0}}"#,
        ),
        &[
            "replicas? /spec/parallelism=0",
            "deletion-timer? /spec/ttlSecondsAfterFinished",
        ],
    );
    alone(
        &merge(
            "/apis/apps/v1/namespaces/a/statefulsets/db",
            r#"{"spec":{"persistentVolumeClaimRetentionPolicy":{"whenScaled":"Delete"}}}"#,
        ),
        &["retention-policy? /spec/persistentVolumeClaimRetentionPolicy"],
    );
    alone(
        &merge(
            "/apis/policy/v1/namespaces/a/poddisruptionbudgets/x",
            r#"{"metadata":{"labels":{"a":"b"}}}"#,
        ),
        &["protection "],
    );
    alone(
        &merge("/api/v1/nodes/n", r#"{"spec":{"unschedulable":true}}"#),
        &["node "],
    );
    alone(
        &merge(
            "/apis/autoscaling/v2/namespaces/a/horizontalpodautoscalers/h",
            r#"{"spec":{"minReplicas":1,"maxReplicas":50}}"#,
        ),
        &["replicas? /spec/maxReplicas=50", "replicas? /spec/minReplicas=1"],
    );
    // What users name themselves says nothing.
    alone(
        &merge(DEPLOYMENT, r#"{"metadata":{"labels":{"reclaimPolicy":"x"}}}"#),
        &[],
    );
}

#[test]
fn what_asks_or_deletes_has_no_findings() {
    for (method, url) in [("GET", DEPLOYMENT), ("DELETE", DEPLOYMENT)] {
        let gate = Gate::new(Arc::new(Catalog::kubernetes()));
        let head = gate.head(gate.target(method, url.as_bytes()).unwrap(), &HeaderMap::new());
        let change = Change::of(&head.unwrap().with_body(b"").unwrap(), None);
        assert_eq!(change, Change::default());
    }
}

#[test]
fn dry_runs_that_supply_nothing_that_may_be_masked() {
    let dry = |url: &str| format!("{url}?dryRun=All");
    let supplies = |request: &Canonical| Change::of(request, None).supplies_hidden_value();
    for supplied in [
        strategic(
            &dry(DEPLOYMENT),
            r#"{"spec":{"template":{"spec":{"containers":[{"name":"app","env":[{"name":"P","value":"hunter2"}]}]}}}}"#,
        ),
        merge(&dry(SECRET), r#"{"data":{"a":"eA=="}}"#),
        merge(&dry(SECRET), r#"{"metadata":{"annotations":{"a":"x"}}}"#),
        merge(&dry(WIDGET), r#"{"spec":{"size":2}}"#),
        merge(&dry(DEPLOYMENT), r#"{"metadata":{"annotations":{"db-password":"x"}}}"#),
        merge(
            &dry("/apis/networking.k8s.io/v1/namespaces/a/ingresses/i"),
            r#"{"metadata":{"labels":{"a":null},"annotations":{"x.io/password":"guess"}}}"#,
        ),
        put(&dry(CONFIG_MAP), r#"{"data":{"a":"x"}}"#),
        json_patch(
            &dry(SECRET),
            r#"[{"op":"replace","path":"","value":{"data":{"a":"eA=="}}}]"#,
        ),
        strategic(
            &dry(DEPLOYMENT),
            r#"{"spec":{"template":{"spec":{"containers":[{"name":"app","$deleteFromPrimitiveList/args":["x"]}]}}}}"#,
        ),
    ] {
        assert!(supplies(&supplied), "{:?}", supplied.json());
    }
    for harmless in [
        merge(&dry(SECRET), r#"{"metadata":{"labels":{"a":"b"}}}"#),
        merge(&dry(SECRET), r#"{"metadata":{"labels":5}}"#),
        merge(&dry(SECRET), r#"{"bogus":1}"#),
        merge(&dry(SECRET), r#"{"data":{"a":null}}"#),
        apply(
            &format!("{SECRET}?fieldManager=x&dryRun=All"),
            r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"db"}}"#,
        ),
        json_patch(&dry(SECRET), r#"[{"op":"remove","path":"/data/a"}]"#),
        merge(&dry(DEPLOYMENT), r#"{"spec":{"replicas":3}}"#),
        strategic(
            &dry(DEPLOYMENT),
            r#"{"spec":{"template":{"spec":{"$setElementOrder/containers":[{"name":"a"}],"containers":[{"name":"a","image":"b"}]}}}}"#,
        ),
    ] {
        assert!(!supplies(&harmless), "{:?}", harmless.json());
    }
    let create = request(
        "POST",
        "/api/v1/namespaces/a/secrets",
        "application/json",
        r#"{"data":{"a":"eA=="}}"#,
    );
    assert!(!supplies(&create));
}
