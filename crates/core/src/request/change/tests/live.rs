//! What the live object shows.

use super::*;
use crate::policy::MaskObligation;

const LIVE_MAP: &str = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"app","namespace":"a","uid":"u",
    "resourceVersion":"7","labels":{"a":"1"},"finalizers":["x/y","z/w"],"managedFields":[{"manager":"m"}]},
    "data":{"k":"v","l":"w"}}"#;

const LIVE_DEPLOYMENT: &str = r#"{"apiVersion":"apps/v1","kind":"Deployment",
    "metadata":{"name":"web","namespace":"a","uid":"u","resourceVersion":"7","generation":1,"labels":{"a":"1"},
        "annotations":{"deployment.kubernetes.io/revision":"1"}},
    "spec":{"replicas":2,"progressDeadlineSeconds":600,"revisionHistoryLimit":10,
        "selector":{"matchLabels":{"app":"web"}},
        "strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":"25%","maxUnavailable":"25%"}},
        "template":{"metadata":{"labels":{"app":"web"},"creationTimestamp":null},
            "spec":{"containers":[
                {"name":"app","image":"registry.internal/app:1","imagePullPolicy":"IfNotPresent","args":["-v"],
                    "env":[{"name":"A","value":"1"},{"name":"PASSWORD","value":"x"}],"resources":{},
                    "ports":[{"containerPort":80,"protocol":"TCP"}],
                    "terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File"},
                {"name":"side","image":"registry.internal/side","imagePullPolicy":"Always","resources":{},
                    "terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File"}],
                "dnsPolicy":"ClusterFirst","restartPolicy":"Always","schedulerName":"default-scheduler",
                "securityContext":{},"terminationGracePeriodSeconds":30,"tolerations":[{"key":"a"},{"key":"b"}]}}},
    "status":{"replicas":2}}"#;

const CONTAINERS: &str = "/spec/template/spec/containers";

#[test]
fn a_patch_removes_what_was_there() {
    for (body, expected) in [
        (
            r#"{"metadata":{"labels":{"a":null}}}"#,
            &["removes-field /metadata/labels/a"][..],
        ),
        (r#"{"metadata":{"labels":{"b":null}}}"#, &[]),
        (r#"{"metadata":{"labels":{"a":"2"}}}"#, &[]),
        (r#"{"metadata":{"finalizers":["z/w","x/y","n/n"]}}"#, &[]),
        (
            r#"{"metadata":{"finalizers":["z/w"]}}"#,
            &[
                "finalizers /metadata/finalizers",
                "removes-field /metadata/finalizers/0",
            ],
        ),
        (r#"{"data":{"new":"1"}}"#, &[]),
        (r#"{"data":{"k":"v"}}"#, &["overwrites-data /data/k"]),
        (r#"{"data":{"l":null}}"#, &["removes-field /data/l"]),
        (r#"{"data":7}"#, &["removes-field /data"]),
        (
            r#"{"metadata":{"ownerReferences":[{"uid":"1"}]}}"#,
            &["owner-references /metadata/ownerReferences"],
        ),
    ] {
        with(&merge(CONFIG_MAP, body), LIVE_MAP, expected);
    }
    for (operation, expected) in [
        (r#"{"op":"remove","path":"/data/k"}"#, &["removes-field /data/k"][..]),
        (r#"{"op":"add","path":"/data/n","value":"1"}"#, &[]),
        (
            r#"{"op":"replace","path":"/metadata/labels","value":{"a":"1","b":"2"}}"#,
            &[],
        ),
        (
            r#"{"op":"replace","path":"/metadata/labels","value":{"b":"2"}}"#,
            &["removes-field /metadata/labels/a"],
        ),
        (
            r#"{"op":"copy","from":"/metadata/labels/a","path":"/metadata/labels/b"}"#,
            &[],
        ),
        (
            r#"{"op":"move","from":"/metadata/labels/a","path":"/metadata/labels/b"}"#,
            &["removes-field /metadata/labels/a"],
        ),
        (
            r#"{"op":"remove","path":"/metadata/finalizers/-1"}"#,
            &[
                "finalizers /metadata/finalizers",
                "removes-field /metadata/finalizers/1",
            ],
        ),
        // The server adds a null where there is nothing to copy.
        (
            r#"{"op":"copy","from":"/metadata/labels/c","path":"/metadata/labels/b"}"#,
            &[],
        ),
        (
            r#"{"op":"copy","from":"/metadata/labels/c","path":"/metadata/labels/a"}"#,
            &["removes-field /metadata/labels/a"],
        ),
        // It does not apply: the body alone decides.
        (r#"{"op":"add","path":"","value":{}}"#, &["removes-field "]),
        (
            r#"{"op":"remove","path":"/metadata/labels/c"}"#,
            &["removes-field /metadata/labels/c"],
        ),
    ] {
        with(&json_patch(CONFIG_MAP, &format!("[{operation}]")), LIVE_MAP, expected);
    }
}

#[test]
fn a_put_of_what_was_read_drops_nothing() {
    let seen = LIVE_DEPLOYMENT.replace(r#""value":"x""#, r#""value":"y""#);
    with(&put(DEPLOYMENT, &seen), LIVE_DEPLOYMENT, &[]);
    let unmanaged = LIVE_MAP.replace(r#","managedFields":[{"manager":"m"}]"#, "");
    with(&put(CONFIG_MAP, &unmanaged), LIVE_MAP, &[]);
    with(
        &put(CONFIG_MAP, &unmanaged.replace(r#""k":"v""#, r#""k":"other""#)),
        LIVE_MAP,
        &["overwrites-data /data/k"],
    );
    with(
        &put(CONFIG_MAP, &unmanaged.replace(r#""labels":{"a":"1"},"#, "")),
        LIVE_MAP,
        &["removes-field /metadata/labels"],
    );
}

#[test]
fn a_put_without_what_the_server_fills_in_drops_nothing() {
    let manifest = r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","labels":{"a":"1"},
            "annotations":{"deployment.kubernetes.io/revision":"1"}},
        "spec":{"replicas":2,"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"}},
            "spec":{"containers":[
                {"name":"side","image":"registry.internal/side"},
                {"name":"app","image":"registry.internal/app:1","args":["-v"],"ports":[{"containerPort":80}],
                    "env":[{"name":"A","value":"2"},{"name":"PASSWORD","value":"x"}]}],
                "tolerations":[{"key":"b"},{"key":"a"}]}}}}"#;
    with(&put(DEPLOYMENT, manifest), LIVE_DEPLOYMENT, &[]);
    for (old, new, expected) in [
        (r#""replicas":2,"#, "", "removes-field /spec/replicas"),
        (
            r#","args":["-v"]"#,
            "",
            "removes-field /spec/template/spec/containers/0/args",
        ),
        (
            r#""args":["-v"]"#,
            r#""args":["-q"]"#,
            "removes-field /spec/template/spec/containers/0/args/0",
        ),
        (
            r#"{"name":"side","image":"registry.internal/side"},"#,
            "",
            "removes-field /spec/template/spec/containers/1",
        ),
        (r#"{"key":"b"},"#, "", "removes-field /spec/template/spec/tolerations/1"),
        (
            r#""containerPort":80"#,
            r#""containerPort":80,"protocol":"UDP""#,
            "removes-field /spec/template/spec/containers/0/ports/0",
        ),
        (
            r#""selector""#,
            r#""strategy":{"type":"Recreate"},"selector""#,
            "removes-field /spec/strategy/rollingUpdate",
        ),
    ] {
        assert!(manifest.contains(old));
        with(
            &put(DEPLOYMENT, &manifest.replace(old, new)),
            LIVE_DEPLOYMENT,
            &[expected],
        );
    }
}

#[test]
fn strategic_patches_merge_lists_by_their_keys() {
    let containers = |inner: &str| format!(r#"{{"spec":{{"template":{{"spec":{{"containers":[{inner}]}}}}}}}}"#);
    let args = format!("removes-field {CONTAINERS}/0/args/0");
    let side = format!("removes-field {CONTAINERS}/1");
    let app = format!("removes-field {CONTAINERS}/0");
    let env = format!("removes-field {CONTAINERS}/0/env/0");
    for (inner, expected) in [
        (r#"{"name":"app","image":"registry.internal/app:2"}"#, vec![]),
        (r#"{"name":"new","image":"x"}"#, vec![]),
        (r#"{"name":"app","env":[{"name":"B","value":"1"}]}"#, vec![]),
        (r#"{"name":"app","args":["-v","-x"]}"#, vec![]),
        (r#"{"name":"app","args":["-x"]}"#, vec![args.as_str()]),
        (r#"{"name":"side","$patch":"delete"}"#, vec![side.as_str()]),
        (r#"{"name":"none","$patch":"delete"}"#, vec![]),
        (
            r#"{"name":"side","image":"registry.internal/side"},{"$patch":"replace"}"#,
            {
                vec![
                    app.as_str(),
                    "removes-field /spec/template/spec/containers/1/imagePullPolicy",
                ]
            },
        ),
        (
            r#"{"name":"app","env":[{"name":"A","$patch":"delete"}]}"#,
            vec![env.as_str()],
        ),
    ] {
        let found = Change::of(
            &strategic(DEPLOYMENT, &containers(inner)),
            Some(&object(LIVE_DEPLOYMENT)),
        );
        let expected: Vec<&str> = expected
            .into_iter()
            .filter(|line| !line.contains("imagePullPolicy"))
            .collect();
        assert_eq!(lines(&found), expected, "{inner}");
    }
    with(
        &strategic(
            DEPLOYMENT,
            r#"{"spec":{"strategy":{"$retainKeys":["type"],"type":"Recreate"}}}"#,
        ),
        LIVE_DEPLOYMENT,
        &["removes-field /spec/strategy/rollingUpdate"],
    );
    // A merge patch replaces the list, and drops what the server does not fill in again.
    with(
        &merge(
            DEPLOYMENT,
            &containers(r#"{"name":"app","image":"registry.internal/app:1"}"#),
        ),
        LIVE_DEPLOYMENT,
        &[
            "removes-field /spec/template/spec/containers/0/args",
            "removes-field /spec/template/spec/containers/0/env",
            "removes-field /spec/template/spec/containers/0/ports",
            "removes-field /spec/template/spec/containers/1",
        ],
    );
}

#[test]
fn nothing_tells_whether_a_guess_at_a_masked_value_was_right() {
    let secret =
        r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"db"},"data":{"p":"cGFzcw=="},"type":"Opaque"}"#;
    for (right, wrong) in [
        (
            put(SECRET, secret),
            put(SECRET, &secret.replace("cGFzcw==", "Z3Vlc3M=")),
        ),
        (
            merge(SECRET, r#"{"data":{"p":"cGFzcw=="}}"#),
            merge(SECRET, r#"{"data":{"p":"Z3Vlc3M="}}"#),
        ),
        (
            apply(&format!("{SECRET}?fieldManager=a"), r#"{"data":{"p":"cGFzcw=="}}"#),
            apply(&format!("{SECRET}?fieldManager=a"), r#"{"data":{"p":"Z3Vlc3M="}}"#),
        ),
    ] {
        let of = |request: &Canonical| Change::of(request, Some(&object(secret)));
        assert_eq!(of(&right), of(&wrong));
        assert!(lines(&of(&right)).contains(&"overwrites-data /data/p".to_owned()));
    }
    with(
        &put(SECRET, &secret.replace("\"data\"", "\"stringData\"")),
        secret,
        &["overwrites-data /stringData/p"],
    );
    with(&merge(SECRET, r#"{"stringData":{"q":"x"}}"#), secret, &[]);
    // Nor does a text that was there before, which no server shows, stand for what is removed.
    with(
        &merge(SECRET, r#"{"data":null}"#),
        &secret.replace(r#""type""#, r#""stringData":{"p":"x"},"type""#),
        &["removes-field /data/p"],
    );
    // The policy masks more.
    let masks = [MaskObligation {
        rule: "hide".to_owned(),
        paths: vec!["data.*".parse().unwrap()],
        names: Vec::new(),
        namespaces: Vec::new(),
    }];
    let plain = LIVE_MAP.replace(r#","managedFields":[{"manager":"m"}]"#, "");
    let live = object(LIVE_MAP);
    let change = Change::under(
        &put(CONFIG_MAP, &plain),
        Some(&live),
        &masks.map(std::sync::Arc::new),
        &crate::mask::MaskPolicy::default(),
    );
    assert_eq!(lines(&change), ["overwrites-data /data/k", "overwrites-data /data/l"]);
}

#[test]
fn numbers_and_owners_that_stay_are_no_findings() {
    let owned = |uid: &str| {
        LIVE_DEPLOYMENT.replace(
            r#""generation":1"#,
            &format!(r#""generation":1,"ownerReferences":[{{"uid":"{uid}"}}]"#),
        )
    };
    with(&put(DEPLOYMENT, &owned("1")), &owned("1"), &[]);
    with(
        &put(DEPLOYMENT, &owned("2")),
        &owned("1"),
        &[
            "owner-references /metadata/ownerReferences",
            "removes-field /metadata/ownerReferences/0",
        ],
    );
    with(&merge(DEPLOYMENT, r#"{"spec":{"replicas":2}}"#), LIVE_DEPLOYMENT, &[]);
    with(
        &merge(DEPLOYMENT, r#"{"spec":{"replicas":0}}"#),
        LIVE_DEPLOYMENT,
        &["replicas /spec/replicas=0"],
    );
}

#[test]
fn a_service_loses_what_belongs_to_its_type() {
    let live = r#"{"kind":"Service","metadata":{"name":"web"},"spec":{"type":"NodePort","clusterIP":"10.0.0.1",
        "clusterIPs":["10.0.0.1"],"ipFamilies":["IPv4"],"ipFamilyPolicy":"SingleStack","sessionAffinity":"None",
        "internalTrafficPolicy":"Cluster","externalTrafficPolicy":"Cluster","selector":{"app":"web"},
        "ports":[{"port":80,"protocol":"TCP","targetPort":80,"nodePort":30000}]}}"#;
    with(
        &merge(SERVICE, r#"{"spec":{"type":"ClusterIP"}}"#),
        live,
        &["removes-field /spec/type"],
    );
    alone(
        &merge(SERVICE, r#"{"spec":{"type":"ClusterIP"}}"#),
        &["removes-field? /spec/type"],
    );
    with(
        &put(
            SERVICE,
            r#"{"metadata":{"name":"web"},"spec":{"type":"NodePort","selector":{"app":"web"},"ports":[{"port":80}]}}"#,
        ),
        live,
        &[],
    );
}

#[test]
fn the_status_of_a_custom_resource_may_be_a_part_like_any_other() {
    let live = |fields: &str| format!(r#"{{"metadata":{{"name":"w"{fields}}},"spec":{{"a":1}},"status":{{"b":1}}}}"#);
    let manifest = r#"{"metadata":{"name":"w"},"spec":{"a":1}}"#;
    with(&put(WIDGET, manifest), &live(""), &["removes-field /status"]);
    let with_subresource = live(r#","managedFields":[{"manager":"m","subresource":"status"}]"#);
    with(&put(WIDGET, manifest), &with_subresource, &[]);
    with(
        &put(&format!("{WIDGET}/status"), r#"{"metadata":{"name":"w"}}"#),
        &with_subresource,
        &["removes-field /status"],
    );
}

#[test]
fn absent_and_resulting_objects() {
    let merged = merge(CONFIG_MAP, r#"{"metadata":{"labels":{"a":null}}}"#);
    let change = Change::of(&merged, Some(&Live::Absent));
    assert_eq!(lines(&change), ["removes-field /metadata/labels/a"]);
    assert!(!change.is_open() && Change::of(&merged, None).is_open());
    let applied = apply(&format!("{CONFIG_MAP}?fieldManager=a"), r#"{"data":{"k":"x"}}"#);
    assert_eq!(lines(&Change::of(&applied, Some(&Live::Absent))), ["apply-manager =a"]);

    let result = |request: &Canonical, live: Option<&Live>| {
        let object = request.resulting_object(live)?;
        Some(String::from_utf8(object.to_bytes().to_vec()).unwrap())
    };
    assert_eq!(result(&merged, None), None);
    assert_eq!(result(&merged, Some(&Live::Unreadable)), None);
    assert_eq!(
        result(&applied, Some(&Live::Absent)).as_deref(),
        Some(r#"{"data":{"k":"x"}}"#)
    );
    let secret = object(r#"{"metadata":{"name":"db"},"data":{"p":"cGFzcw=="}}"#);
    assert_eq!(
        result(&merge(SECRET, r#"{"data":{"q":"eA=="}}"#), Some(&secret)).as_deref(),
        Some(r#"{"metadata":{"name":"db"},"data":{"p":"cGFzcw==","q":"eA=="}}"#)
    );
    assert_eq!(
        result(&put(CONFIG_MAP, r#"{"data":{}}"#), None).as_deref(),
        Some(r#"{"data":{}}"#)
    );
}
