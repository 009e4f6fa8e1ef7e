//! Changes of existing workloads: what is new is found, what was there is not.

use super::*;

/// One of everything that a pod can be found for.
const EVERYTHING: &str = r#"{"metadata":{"annotations":{"seccomp.security.alpha.kubernetes.io/pod":"unconfined"}},"spec":{
    "hostNetwork":true,"hostPID":true,"hostIPC":true,"hostUsers":true,"nodeName":"n1","automountServiceAccountToken":true,
    "serviceAccountName":"ci","serviceAccount":"ci","imagePullSecrets":[{"name":"r1"},{"name":"r2"}],
    "tolerations":[{"operator":"Exists"},{"key":"node-role.kubernetes.io/master"}],
    "securityContext":{"sysctls":[{"name":"a","value":"1"},{"name":"b","value":"1"}],"seccompProfile":{"type":"Unconfined"}},
    "volumes":[{"name":"h","hostPath":{"path":"/"}},{"name":"s","secret":{"secretName":"db"}},
        {"name":"p","projected":{"sources":[{"serviceAccountToken":{"path":"t"}},{"secret":{"name":"x"}}]}}],
    "initContainers":[{"name":"i","image":"x","command":["a"]}],
    "containers":[
        {"name":"a","image":"x","command":["a"],"env":[{"name":"A","valueFrom":{"secretKeyRef":{"name":"db","key":"k"}}}],
         "securityContext":{"privileged":true,"capabilities":{"add":["A","B"]}}},
        {"name":"b","image":"y","args":["b"],"ports":[{"name":"p","hostPort":80}],"envFrom":[{"secretRef":{"name":"db"}}],
         "livenessProbe":{"exec":{"command":["x"]}},"lifecycle":{"preStop":{"sleep":{"seconds":1}}}}]}}"#;

#[test]
fn writing_back_what_was_read_changes_nothing() {
    assert!(found_in("", "pods", &Was::Unknown, EVERYTHING).len() > 30);
    assert_eq!(in_pod(&Was::Seen(EVERYTHING), EVERYTHING), "");
    let reordered = Value::parse(EVERYTHING.as_bytes()).unwrap();
    let mut text = String::new();
    reverse(&reordered, &[]).write(&mut text);
    assert_ne!(text, EVERYTHING);
    assert_eq!(in_pod(&Was::Seen(EVERYTHING), &text), "");
    assert_eq!(in_pod(&Was::Seen(&text), EVERYTHING), "");
}

/// The same object with its keys the other way round, and its lists too where their order says nothing.
fn reverse(value: &Value, path: &[&str]) -> Value {
    let at = path.last().copied().unwrap_or_default();
    let free = ["containers", "volumes", "tolerations", "imagePullSecrets"].contains(&at);
    match value {
        Value::Array(elements) if free => Value::Array(elements.iter().rev().map(|e| reverse(e, &[])).collect()),
        Value::Array(elements) => Value::Array(elements.iter().map(|e| reverse(e, &[])).collect()),
        Value::Object(object) => {
            let mut reversed = crate::json::Object::new();
            let members: Vec<_> = object.iter().collect();
            for (key, member) in members.into_iter().rev() {
                reversed.insert(key, reverse(member, &[key]));
            }
            reversed.into()
        }
        other => other.clone(),
    }
}

#[test]
fn fields_of_an_existing_template() {
    for (before, after, expected) in [
        (r#""command":["a"]"#, r#""command":["b"]"#, "template-change @/command"),
        ("", r#""args":["b"]"#, "template-change @/args"),
        (r#""args":["b"]"#, "", "template-change @/args"),
        (
            r#""env":[{"name":"A","value":"1"}]"#,
            r#""env":[{"name":"A","value":"2"}]"#,
            "template-change @/env",
        ),
        (
            "",
            r#""envFrom":[{"configMapRef":{"name":"x"}}]"#,
            "template-change @/envFrom",
        ),
        ("", r#""ports":[{"containerPort":80}]"#, "template-change @/ports"),
        (
            "",
            r#""securityContext":{"runAsUser":0}"#,
            "template-change @/securityContext",
        ),
        (
            r#""securityContext":{"runAsNonRoot":true}"#,
            "",
            "template-change @/securityContext",
        ),
        (
            "",
            r#""volumeMounts":[{"name":"v","mountPath":"/v"}]"#,
            "template-change @/volumeMounts",
        ),
        (
            r#""livenessProbe":{"exec":{"command":["a"]},"periodSeconds":1}"#,
            r#""livenessProbe":{"exec":{"command":["b"]},"periodSeconds":1}"#,
            "exec-probe @/livenessProbe/exec; template-change @/livenessProbe/exec",
        ),
        (
            r#""livenessProbe":{"exec":{"command":["a"]},"periodSeconds":1}"#,
            r#""livenessProbe":{"exec":{"command":["a"]},"periodSeconds":2}"#,
            "",
        ),
        (
            r#""livenessProbe":{"exec":{"command":["a"]}}"#,
            r#""livenessProbe":{"httpGet":{"port":1}}"#,
            "template-change @/livenessProbe/exec",
        ),
        (
            "",
            r#""lifecycle":{"stopSignal":"SIGINT"}"#,
            "template-change @/lifecycle",
        ),
        ("", r#""securityContext":{},"env":[],"args":null"#, ""),
        (
            "",
            r#""resources":{"limits":{"cpu":"1"}},"imagePullPolicy":"Always""#,
            "",
        ),
    ] {
        let (before, after) = (container(before), container(after));
        let expected = expected.replace('@', "/spec/containers/0");
        assert_eq!(in_pod(&Was::Seen(&before), &after), expected, "{before} {after}");
    }
}

#[test]
fn an_image_change_is_an_image_and_nothing_else() {
    let before = r#"{"spec":{"containers":[{"name":"a","image":"x:1","command":["a"]}]}}"#;
    let after = r#"{"spec":{"containers":[{"name":"a","image":"x:2","command":["a"]}]}}"#;
    assert_eq!(in_pod(&Was::Seen(before), after), "image /spec/containers/0/image x:2");
}

#[test]
fn the_rest_of_the_pod() {
    for (before, after, expected) in [
        ("", r#""hostPID":true"#, "host-pid /spec/hostPID"),
        (r#""hostPID":true"#, "", ""),
        (r#""hostUsers":false"#, "", "host-users /spec/hostUsers"),
        (
            r#""hostUsers":false"#,
            r#""hostUsers":true"#,
            "host-users /spec/hostUsers",
        ),
        ("", r#""hostUsers":false"#, ""),
        (
            r#""automountServiceAccountToken":false"#,
            "",
            "token-mount /spec/automountServiceAccountToken",
        ),
        (
            r#""automountServiceAccountToken":false"#,
            r#""automountServiceAccountToken":true"#,
            "token-mount /spec/automountServiceAccountToken",
        ),
        (
            r#""automountServiceAccountToken":false"#,
            r#""automountServiceAccountToken":false"#,
            "",
        ),
        (
            r#""serviceAccountName":"ci","serviceAccount":"ci""#,
            r#""serviceAccount":"ci""#,
            "",
        ),
        (
            r#""serviceAccountName":"a""#,
            r#""serviceAccountName":"b""#,
            "service-account /spec/serviceAccountName b",
        ),
        (
            r#""volumes":[{"name":"a","hostPath":{"path":"/var/log"}}]"#,
            r#""volumes":[{"name":"a","hostPath":{"path":"/"}}]"#,
            "template-change /spec/volumes/0; host-path /spec/volumes/0/hostPath /",
        ),
        (
            r#""volumes":[{"name":"a","emptyDir":{}}]"#,
            r#""volumes":[{"name":"b","emptyDir":{}},{"name":"a","emptyDir":{}}]"#,
            "template-change /spec/volumes/0",
        ),
        (
            r#""volumes":[{"name":"a","emptyDir":{}},{"name":"b","emptyDir":{}}]"#,
            r#""volumes":[{"name":"b","emptyDir":{}}]"#,
            "template-change /spec/volumes/0",
        ),
        (
            r#""securityContext":{}"#,
            r#""securityContext":{"runAsUser":0}"#,
            "template-change /spec/securityContext",
        ),
        (
            r#""tolerations":[{"key":"a"}]"#,
            r#""tolerations":[{"key":"a"},{"operator":"Exists"}]"#,
            "control-plane-toleration /spec/tolerations/1",
        ),
    ] {
        let (before, after) = (pod(before), pod(after));
        assert_eq!(in_pod(&Was::Seen(&before), &after), expected, "{before} {after}");
    }
}

#[test]
fn what_one_container_has_excuses_no_other() {
    let before = r#"{"spec":{"containers":[{"name":"a","securityContext":{"privileged":true}},{"name":"b"}]}}"#;
    let after = r#"{"spec":{"containers":[{"name":"b","securityContext":{"privileged":true}},{"name":"a"}]}}"#;
    let found = in_pod(&Was::Seen(before), after);
    assert!(
        found.contains("privileged /spec/containers/0/securityContext/privileged"),
        "{found}"
    );
    // Nor does one of a name excuse two of it.
    let twice = r#"{"spec":{"containers":[{"name":"a","securityContext":{"privileged":true}},
        {"name":"a","securityContext":{"privileged":true}}]}}"#;
    let found = found_in("example.com", "widgets", &Was::Seen(before), twice).join("; ");
    assert!(
        found.contains("privileged /spec/containers/1/securityContext/privileged"),
        "{found}"
    );
    // Nor is a name taken for a path.
    let before = r#"{"spec":{"containers":[{"name":"a.15:securityContext","image":"x"}]}}"#;
    let after = r#"{"spec":{"containers":[{"name":"a","image":"x"}]}}"#;
    assert_eq!(in_pod(&Was::Seen(before), after), "image /spec/containers/0/image x");
}

#[test]
fn a_new_container_is_found_for_what_it_has() {
    let before = container("");
    let after = r#"{"spec":{"containers":[{"name":"new","image":"x","command":["id"],"volumeMounts":[{"name":"v"}]},
        {"name":"c","image":"i"}]}}"#;
    assert_eq!(
        in_pod(&Was::Seen(&before), after),
        "image /spec/containers/0/image x; template-change /spec/containers/0/command; \
         template-change /spec/containers/0/volumeMounts"
    );
}

#[test]
fn of_an_object_that_nobody_has_seen_every_mention_counts() {
    for (spec, expected) in [
        (
            r#"{"containers":[{"name":"c","command":["id"]}]}"#,
            "template-change @/command",
        ),
        (r#"{"containers":[{"name":"c","env":[]}]}"#, "template-change @/env"),
        (r#"{"containers":{"0":{"args":{"-":"x"}}}}"#, "template-change @/args"),
        (
            r#"{"containers":{"0":{"securityContext":{"capabilities":{"add":{"-":"ALL"}}}}}}"#,
            "template-change @/securityContext; capabilities @/securityContext/capabilities/add/- ALL",
        ),
        (r#"{"containers":[{"name":"c","$patch":"delete"}],"replicas":1}"#, ""),
        (
            r#"{"containers":[null,{"name":"c"}],"$setElementOrder/containers":[{"name":"c"}]}"#,
            "",
        ),
    ] {
        let patch = format!(r#"{{"spec":{spec}}}"#);
        let expected = expected.replace('@', "/spec/containers/0");
        assert_eq!(in_pod(&Was::Unknown, &patch), expected, "{spec}");
        let assumed = found_in("", "pods", &Was::NotRead, &patch);
        assert!(assumed.iter().all(|line| line.ends_with(" (assumed)")), "{assumed:?}");
        assert_eq!(assumed.join("; ").replace(" (assumed)", ""), expected, "{spec}");
    }
}

/// What is found after looking was assumed before it, so that a policy which looks only where it has to misses nothing.
/// What is gone is another matter: then a field was removed, which is found as that.
#[test]
fn looking_only_takes_findings_away() {
    let objects = [
        EVERYTHING,
        r#"{"spec":{}}"#,
        r#"{"spec":{"containers":[{"name":"a"}]}}"#,
    ];
    for before in objects {
        for after in objects {
            let assumed = found_in("", "pods", &Was::NotRead, after);
            for line in found_in("", "pods", &Was::Seen(before), after) {
                let gone = line.starts_with("template-change") && before == EVERYTHING;
                assert!(gone || assumed.contains(&format!("{line} (assumed)")), "{line}");
            }
        }
    }
}

#[test]
fn many_elements_cost_no_square() {
    let containers: Vec<_> = (0..20_000)
        .map(|n| format!(r#"{{"name":"c{n}","image":"i","env":[{{"name":"A","value":"{n}"}}]}}"#))
        .collect();
    let before = format!(r#"{{"spec":{{"containers":[{}]}}}}"#, containers.join(","));
    let reversed: Vec<_> = containers.into_iter().rev().collect();
    let after = format!(r#"{{"spec":{{"containers":[{}]}}}}"#, reversed.join(","));
    let (lost, taken) = crate::cpu::timed(|| in_pod(&Was::Seen(&before), &after));
    assert_eq!(lost, "");
    assert!(taken.as_secs() < 20, "{taken:?}");
}
