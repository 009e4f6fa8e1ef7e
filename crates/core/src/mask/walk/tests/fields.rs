//! Kinds and paths.

use super::*;

/// Objects with a canary, a whole value or a base64 at every place of the table, and neighbours that stay.
const PLACES: &[(&str, &str)] = &[
    (
        "Secret",
        r#"{"kind":"Secret","data":{"a":"BASE64eA==","n":7007},"stringData":{"a":"WHOLE"},"type":"Opaque","immutable":true}"#,
    ),
    (
        "ConfigMap",
        r#"{"kind":"ConfigMap","data":{"a":"x CANARY1 y","b":"plain","c":"-----BEGIN PRIVATE KEY-----\nM\n"},"immutable":false}"#,
    ),
    (
        "ConfigMap",
        r#"{"kind":"ConfigMap","data":{"k":"WHOLE"},"binaryData":{"b":"BASE64","c":"cGxhaW4="}}"#,
    ),
    (
        "TokenRequest",
        r#"{"kind":"TokenRequest","spec":{"audiences":["a"]},"status":{"token":"WHOLE","expirationTimestamp":"2026-01-01T00:00:00Z"}}"#,
    ),
    (
        "TokenReview",
        r#"{"kind":"TokenReview","spec":{"token":"WHOLE"},"status":{"user":{"username":"u","extra":{"a":["WHOLE"]}}}}"#,
    ),
    (
        "CertificateSigningRequest",
        r#"{"kind":"CertificateSigningRequest","spec":{"request":"cHVibGlj","extra":{"a":["WHOLE"]}},"status":{"certificate":"BASE64"}}"#,
    ),
    (
        "OAuthAccessToken",
        r#"{"kind":"OAuthAccessToken","refreshToken":"WHOLE","clientName":"c"}"#,
    ),
    (
        "Event",
        r#"{"kind":"Event","type":"Warning","message":"said CANARY1","note":"CANARY2","series":{"note":"CANARY3","count":3},"involvedObject":{"kind":"Pod","name":"p"},"metadata":{"annotations":{"a":"CANARY4"}}}"#,
    ),
    (
        "PersistentVolume",
        r#"{"kind":"PersistentVolume","spec":{"capacity":{"storage":"1Gi"},"csi":{"driver":"d","volumeAttributes":{"x":"CANARY1"}},"flexVolume":{"options":{"x":"CANARY2"}}}}"#,
    ),
    (
        "StorageClass",
        r#"{"kind":"StorageClass","parameters":{"x":"CANARY1","type":"gp3"},"provisioner":"p"}"#,
    ),
    (
        "VolumeAttributesClass",
        r#"{"kind":"VolumeAttributesClass","parameters":{"x":"CANARY1"}}"#,
    ),
    (
        "VolumeAttachment",
        r#"{"kind":"VolumeAttachment","status":{"attached":true,"attachmentMetadata":{"x":"CANARY1"},"attachError":{"message":"CANARY2"}}}"#,
    ),
    (
        "CSINode",
        r#"{"kind":"CSINode","spec":{"drivers":[{"name":"d","nodeID":"CANARY1"}]}}"#,
    ),
    (
        "ValidatingWebhookConfiguration",
        r#"{"kind":"ValidatingWebhookConfiguration","webhooks":[{"clientConfig":{"url":"https://u:CANARY1@h/?t=CANARY2","caBundle":"Q0E="}}]}"#,
    ),
    (
        "MutatingWebhookConfiguration",
        r#"{"kind":"MutatingWebhookConfiguration","webhooks":[{"clientConfig":{"url":"https://CANARY1@h/?t=CANARY2"}}]}"#,
    ),
    (
        "CustomResourceDefinition",
        r#"{"kind":"CustomResourceDefinition","spec":{"conversion":{"webhook":{"clientConfig":{"url":"https://u:CANARY1@h","caBundle":"Q0E="}}},"versions":[{"schema":{"openAPIV3Schema":{"properties":{"password":{"type":"string","description":"CANARY2"}}}}}]}}"#,
    ),
    (
        "APIService",
        r#"{"kind":"APIService","spec":{"caBundle":"Q0E=","service":{"name":"s","url":"https://u:CANARY1@h"}}}"#,
    ),
    (
        "Ingress",
        r#"{"kind":"Ingress","metadata":{"annotations":{"a":"CANARY1","nginx.ingress.kubernetes.io/server-snippet":"WHOLE x","x/basic-auth":"WHOLE y","b":"c"}}}"#,
    ),
    (
        "Service",
        r#"{"kind":"Service","metadata":{"annotations":{"a":"CANARY1"}},"spec":{"clusterIP":"10.0.0.1","ports":[{"port":80}],"externalName":"CANARY2"}}"#,
    ),
    (
        "Gateway",
        r#"{"kind":"Gateway","metadata":{"annotations":{"a":"CANARY1"}}}"#,
    ),
    (
        "ControllerRevision",
        r#"{"kind":"ControllerRevision","data":{"x":"WHOLE","y":{"z":[7007,true,null]}},"revision":1}"#,
    ),
    (
        "ControllerRevision",
        r#"{"kind":"ControllerRevision","data":{"spec":{"template":{"$patch":"replace","spec":{"containers":[{"name":"a","args":["--x=CANARY1"],"env":[{"name":"X","value":"CANARY2"}]}]}}}},"revision":1}"#,
    ),
    (
        "Node",
        r#"{"kind":"Node","metadata":{"labels":{"a":"CANARY1"},"annotations":{"b":"CANARY2"}},"status":{"nodeInfo":{"machineID":"CANARY3"}}}"#,
    ),
    ("Lease", r#"{"kind":"Lease","spec":{"holderIdentity":"CANARY1"}}"#),
    (
        "Role",
        r#"{"kind":"Role","rules":[{"resources":["secrets"],"resourceNames":["CANARY1"]}]}"#,
    ),
    (
        "Namespace",
        r#"{"kind":"Namespace","metadata":{"name":"CANARY1","uid":"CANARY2","annotations":{"a":"CANARY3"}}}"#,
    ),
    (
        "EndpointSlice",
        r#"{"kind":"EndpointSlice","endpoints":[{"hostname":"CANARY1"}]}"#,
    ),
];

#[test]
fn every_place() {
    for (kind, body) in PLACES {
        let body = body.replace("-----BEGIN PRIVATE KEY-----\\nM\\n", "WHOLEKEY").replace(
            "\"metadata\":{\"name\":\"CANARY1\",\"uid\":\"CANARY2\"",
            "\"metadata\":{\"name\":\"n\",\"uid\":\"u\"",
        );
        // What looks like nothing, in a ConfigMap, is masked for what it is.
        let body = if *kind == "ConfigMap" {
            body.replace("\"k\":\"WHOLE\"", "\"k\":\"CANARY9\"")
        } else {
            body
        };
        let real = body
            .replace(
                "WHOLEKEY",
                "-----BEGIN PRIVATE KEY-----\\nM\\n-----END PRIVATE KEY-----",
            )
            .replace("\"b\":\"BASE64\"", "\"b\":\"eCBDQU5BUlkx\"");
        // Of a URL, the user goes too.
        let body = body.replace("//u:CANARY1@", "//CANARY1@");
        for plan in [built_in(kind), custom("Widget")] {
            let (out, _) = masked(&plan, &real);
            assert_eq!(out, expected(&body), "{kind}");
        }
        // In a list that names the kind, and in one that does not.
        let kindless = real.replacen(&format!("\"kind\":\"{kind}\","), "", 1);
        let list = format!("{{\"kind\":\"{kind}List\",\"items\":[{kindless}]}}");
        let (out, _) = masked(&built_in("Pod"), &list);
        let kindless = body.replacen(&format!("\"kind\":\"{kind}\","), "", 1);
        assert_eq!(
            out,
            expected(&format!("{{\"kind\":\"{kind}List\",\"items\":[{kindless}]}}")),
            "{kind}"
        );
    }
}

/// A pod with a canary wherever the table has a path, `%` in the place of what is around the pod's own.
const POD_SPEC: &str = r#"{"hostname":"CANARY1","nodeName":"n","volumes":[{"name":"v","csi":{"driver":"d","volumeAttributes":{"a":"CANARY2"},"nodePublishSecretRef":{"name":"s"}}},{"name":"w","flexVolume":{"options":{"a":"CANARY3"}}},{"name":"x","secret":{"secretName":"s","items":[{"key":"k","path":"p"}],"defaultMode":420}},{"iscsi":{"initiatorName":"CANARY4"}},{"rbd":{"keyring":"CANARY5"}},{"cephfs":{"secretFile":"CANARY6"}},{"azureDisk":{"diskURI":"CANARY7"}}],%"containers":[{"name":"c","image":"CANARY8/i","command":["sh","-c","CANARY9"],"args":["a","CANARY10"],"env":[{"name":"A","value":"CANARY11"},{"value":"CANARY12","name":"B"},{"name":"C","valueFrom":{"secretKeyRef":{"name":"s","key":"password"}}}],"lifecycle":{"preStop":{"exec":{"command":["CANARY13"]}},"postStart":{"httpGet":{"port":80,"httpHeaders":[{"name":"X","value":"CANARY14"}]}}},"livenessProbe":{"exec":{"command":["CANARY15"]},"periodSeconds":10},"readinessProbe":{"httpGet":{"path":"/CANARY16","httpHeaders":[{"name":"X","value":"CANARY17"}]}},"resources":{"limits":{"cpu":"1"}},"terminationMessagePath":"CANARY18"}],"imagePullSecrets":[{"name":"s"}]}"#;

#[test]
fn every_holder_of_a_pod() {
    let init = POD_SPEC
        .split_once("%\"containers\":")
        .unwrap()
        .1
        .split_once(",\"imagePull")
        .unwrap()
        .0;
    let spec = POD_SPEC.replace(
        '%',
        &format!("\"initContainers\":{init},\"ephemeralContainers\":{init},"),
    );
    for (kind, before, after) in [
        ("Pod", "\"spec\":", ""),
        ("PodTemplate", "\"template\":{\"spec\":", "}"),
        (
            "Deployment",
            "\"spec\":{\"replicas\":2,\"template\":{\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":",
            "}}",
        ),
        ("ReplicaSet", "\"spec\":{\"template\":{\"spec\":", "}}"),
        ("ReplicationController", "\"spec\":{\"template\":{\"spec\":", "}}"),
        ("StatefulSet", "\"spec\":{\"template\":{\"spec\":", "}}"),
        ("DaemonSet", "\"spec\":{\"template\":{\"spec\":", "}}"),
        ("Job", "\"spec\":{\"template\":{\"spec\":", "}}"),
        (
            "CronJob",
            "\"spec\":{\"jobTemplate\":{\"spec\":{\"template\":{\"spec\":",
            "}}}}",
        ),
        ("Rollout", "\"spec\":{\"deep\":[{\"template\":{\"spec\":", "}}]}"),
    ] {
        let body = format!("{{\"kind\":\"{kind}\",\"metadata\":{{\"name\":\"n\"}},{before}{spec}{after}}}");
        let report = check(&built_in(kind), &body);
        assert_eq!(report.rules().collect::<Vec<_>>(), [("canary", report.masked())]);
        check(&custom(kind), &body);
        check(&built_in("Node"), &body);
    }
}

#[test]
fn what_containers_say() {
    check(
        &built_in("Pod"),
        r#"{"kind":"Pod","status":{"phase":"Running","podIP":"10.0.0.1","message":"CANARY1","conditions":[{"type":"Ready","message":"CANARY2"}],"containerStatuses":[{"name":"c","ready":true,"state":{"waiting":{"reason":"x","message":"CANARY3"}},"lastState":{"terminated":{"exitCode":1,"message":"CANARY4"}}}],"initContainerStatuses":[{"state":{"terminated":{"message":"CANARY5"}}}]}}"#,
    );
}

#[test]
fn strict_masks_every_setting() {
    let plan = built_in("Pod").masking(Masking {
        strict: true,
        ..masking()
    });
    for body in [
        r#"{"kind":"Pod","spec":{"containers":[{"name":"c","env":[{"name":"A","value":"WHOLE"},{"name":"B","valueFrom":{"fieldRef":{"fieldPath":"x"}}}]}]}}"#,
        r#"{"kind":"ConfigMap","data":{"a":"WHOLE"},"binaryData":{"a":"BASE64"}}"#,
        r#"{"kind":"Rollout","spec":{"template":{"spec":{"initContainers":[{"env":[{"value":"WHOLE"}]}]}}}}"#,
    ] {
        let report = check(&plan, body);
        assert_eq!(report.rules().map(|(rule, _)| rule).collect::<Vec<_>>(), ["setting"]);
    }
}

#[test]
fn files_of_credentials_go_whole() {
    let files = [
        r"apiVersion: v1\nclusters:\n- name: c\nusers:\n- name: u\n  user: {}\n",
        r#"{\"auths\":{\"r.io\":{\"auth\":\"YTpi\"}}}"#,
        r"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA",
    ];
    for file in files {
        let body = |text: &str| {
            format!("{{\"kind\":\"ConfigMap\",\"data\":{{\"f\":\"{text}\",\"g\":\"users and clusters\"}}}}")
        };
        assert_eq!(masked(&built_in("ConfigMap"), &body(file)).0, body(MARKER));
    }
    let info = r#"{"kind":"ConfigMap","metadata":{"name":"cluster-info"},"data":{"jws-kubeconfig-abcdef":"WHOLE","kubeconfig":"clusters:\n- name: x\nusers: []\n"}}"#;
    check(&built_in("ConfigMap"), info);
}

#[test]
fn rules_of_a_policy() {
    let rule = |kind: &str, path: &str, treatment: FieldTreatment| FieldRule {
        kind: kind.to_owned(),
        groups: vec!["example.com".to_owned()],
        path: path.parse().unwrap(),
        treatment,
        why: None,
    };
    let rules = [
        rule("Widget", "spec.items.*.seed", FieldTreatment::Mask),
        rule("Widget", "spec.blob", FieldTreatment::MaskBase64),
        rule("Pod", "status.podIP", FieldTreatment::Mask),
    ];
    let masking = Masking {
        kinds: Kinds::built_in().with(&rules).unwrap(),
        ..masking()
    };
    let widget = r#"{"apiVersion":"example.com/v1","kind":"Widget","spec":{"items":[{"seed":"WHOLE","x":"CANARY1","y":"z"}],"blob":"BASE64"}}"#;
    check(&custom("Widget").masking(masking.clone()), widget);
    check(&built_in("Node").masking(masking.clone()), widget);
    let listed = r#"{"kind":"WidgetList","items":[{"spec":{"blob":"BASE64"}}]}"#;
    check(&custom("Widget").masking(masking.clone()), listed);
    let other = r#"{"apiVersion":"other.com/v1","kind":"Widget","spec":{"blob":"b"}}"#;
    untouched(&built_in("Node").masking(masking.clone()), other);
    let pod = r#"{"apiVersion":"example.com/v1","kind":"Pod","status":{"podIP":"WHOLE","hostIP":"10.0.0.1"}}"#;
    check(&built_in("Pod").masking(masking), pod);
}

#[test]
fn what_is_kept_is_looked_at_only_in_what_the_url_names() {
    let pod = r#"{"kind":"Pod","spec":{"nodeName":"CANARY1"}}"#;
    untouched(&built_in("Pod"), pod);
    check(&custom("Pod"), pod);
    check(&built_in("Node"), pod);
    check(&built_in("ConfigMap"), &format!(r#"{{"kind":"ConfigMap","x":{pod}}}"#));
}

#[test]
fn strings_are_replaced_in_place() {
    for (body, out) in [
        (r#"{"a":"x CANARY1 y CANARY2"}"#, r#"{"a":"x <T> y <T>"}"#),
        (r#"{"a":"\u0043ANARY1 \"q\" \\ \n"}"#, r#"{"a":"<T> \"q\" \\ \n"}"#),
        (r#"{"a" : "\u00e9CANARY1\ud83d\ude00" }"#, "{\"a\" : \"é<T>😀\" }"),
        (
            r#"{"a":["CANARY1",{"b":"CANARY2"}],"CANARY3":1}"#,
            r#"{"a":["<T>",{"b":"<T>"}],"CANARY3":1}"#,
        ),
        (r#"{"a":"countersign.masked.value"}"#, r#"{"a":"<T>"}"#),
    ] {
        assert_eq!(masked(&custom("Widget"), body).0, out.replace("<T>", MARKER));
    }
    let report = check(&custom("Widget"), r#"{"a":"CANARY1 CANARY2","b":"CANARY3"}"#);
    assert_eq!(report.masked(), 2, "a scalar counts once");
}

#[test]
fn numbers_by_their_names() {
    check(
        &custom("Widget"),
        r#"{"spec":{"pin":7007,"port":80,"userPassword":{"x":[7007,1.5e3]},"replicas":3}}"#
            .replace("1.5e3", "7007")
            .as_str(),
    );
    untouched(
        &custom("Widget"),
        r#"{"spec":{"tokens":4096,"pinned":1,"password":0,"secretRef":{"version":2}}}"#,
    );
}

#[test]
fn identity_is_never_masked() {
    untouched(
        &custom("Widget"),
        r#"{"apiVersion":"CANARY1","kind":"CANARY2","metadata":{"name":"CANARY3","namespace":"CANARY4","uid":"CANARY5","resourceVersion":"CANARY6","ownerReferences":[{"uid":"CANARY7","name":"x","kind":"Pod"}],"creationTimestamp":"CANARY8"}}"#,
    );
}

#[test]
fn the_api_itself_holds_no_values() {
    let mut attributes = Attributes {
        is_resource_request: false,
        path: "/openapi/v3".into(),
        ..built_in_attributes()
    };
    attributes.resource = "".into();
    let plan = Plan::new(&attributes, None, &[]).masking(masking());
    untouched(&plan, r#"{"components":{"password":{"example":"CANARY1"}}}"#);
    check(&plan, r#"{"x":{"kind":"Secret","data":{"a":"BASE64"}}}"#);
}

fn built_in_attributes() -> Attributes {
    Attributes {
        is_resource_request: true,
        verb: Verb::Get,
        api_prefix: "api",
        api_group: "".into(),
        api_version: "v1".into(),
        namespace: "".into(),
        resource: "pods".into(),
        subresource: Default::default(),
        name: "".into(),
        before_resource: 0,
        field_selector: String::new().into(),
        label_selector: String::new().into(),
        path: String::new().into(),
    }
}
