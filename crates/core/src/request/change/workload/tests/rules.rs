//! Each rule by itself: what a new pod may say, and what is found in it.

use super::*;

#[test]
fn the_pod_as_a_whole() {
    for (spec, expected) in [
        (r#""hostNetwork":true"#, "host-network /spec/hostNetwork"),
        (r#""hostPID":true"#, "host-pid /spec/hostPID"),
        (r#""hostIPC":true"#, "host-ipc /spec/hostIPC"),
        (r#""hostNetwork":"true""#, "host-network /spec/hostNetwork"),
        (r#""hostUsers":true"#, "host-users /spec/hostUsers"),
        (r#""hostUsers":false"#, ""),
        (r#""hostNetwork":false,"hostPID":null,"shareProcessNamespace":true"#, ""),
        (r#""nodeName":"n1""#, "node-name /spec/nodeName n1"),
        (r#""nodeName":"","nodeSelector":{"a":"b"}"#, ""),
        (
            r#""automountServiceAccountToken":true"#,
            "token-mount /spec/automountServiceAccountToken",
        ),
        (r#""automountServiceAccountToken":false"#, ""),
        (
            r#""serviceAccountName":"ci""#,
            "service-account /spec/serviceAccountName ci",
        ),
        (r#""serviceAccount":"ci""#, "service-account /spec/serviceAccount ci"),
        (
            r#""serviceAccountName":"ci","serviceAccount":"ci""#,
            "service-account /spec/serviceAccountName ci",
        ),
        (r#""serviceAccountName":"default","serviceAccount":"""#, ""),
        (
            r#""imagePullSecrets":[{"name":"reg"},{}]"#,
            "secret-reference /spec/imagePullSecrets/0 reg; secret-reference /spec/imagePullSecrets/1",
        ),
        (
            r#""securityContext":{"sysctls":[{"name":"kernel.shm_rmid_forced","value":"1"}]}"#,
            "sysctls /spec/securityContext/sysctls/0 kernel.shm_rmid_forced",
        ),
        (
            r#""securityContext":{"runAsNonRoot":true,"runAsUser":0,"fsGroup":1,"supplementalGroups":[1]}"#,
            "",
        ),
    ] {
        assert_eq!(in_pod(&Was::Nothing, &pod(spec)), expected, "{spec}");
    }
}

#[test]
fn tolerations() {
    for (toleration, caught) in [
        (
            r#"{"key":"node-role.kubernetes.io/control-plane","operator":"Exists"}"#,
            true,
        ),
        (
            r#"{"key":"node-role.kubernetes.io/master","operator":"Equal","value":""}"#,
            true,
        ),
        (r#"{"key":"node-role.kubernetes.io/etcd","effect":"NoExecute"}"#, true),
        (r#"{"key":"CriticalAddonsOnly","operator":"Exists"}"#, true),
        (r#"{"operator":"Exists"}"#, true),
        (r#"{"key":"","operator":"Exists","effect":"NoSchedule"}"#, true),
        (
            r#"{"key":"dedicated","operator":"Equal","value":"gpu","effect":"NoSchedule"}"#,
            false,
        ),
        (
            r#"{"key":"node.kubernetes.io/not-ready","operator":"Exists","tolerationSeconds":300}"#,
            false,
        ),
        ("7", false),
    ] {
        let found = in_pod(&Was::Nothing, &pod(&format!(r#""tolerations":[{toleration}]"#)));
        assert_eq!(
            found.starts_with("control-plane-toleration /spec/tolerations/0"),
            caught,
            "{toleration}"
        );
        assert_eq!(found.is_empty(), !caught, "{toleration}");
    }
}

#[test]
fn security_contexts() {
    for (context, expected) in [
        (r#"{"privileged":true}"#, "privileged @/privileged"),
        (r#"{"privileged":1}"#, "privileged @/privileged"),
        (
            r#"{"windowsOptions":{"hostProcess":true}}"#,
            "privileged @/windowsOptions/hostProcess",
        ),
        (
            r#"{"capabilities":{"add":["NET_ADMIN","ALL"],"drop":["ALL"]}}"#,
            "capabilities @/capabilities/add/0 NET_ADMIN; capabilities @/capabilities/add/1 ALL",
        ),
        (
            r#"{"seccompProfile":{"type":"Unconfined"}}"#,
            "unconfined-seccomp @/seccompProfile/type Unconfined",
        ),
        (
            r#"{"appArmorProfile":{"type":"Unconfined"}}"#,
            "unconfined-apparmor @/appArmorProfile/type Unconfined",
        ),
        (
            r#"{"seLinuxOptions":{"type":"spc_t","user":"system_u","role":"system_r","level":"s0"}}"#,
            "unconfined-apparmor @/seLinuxOptions/type spc_t; unconfined-apparmor @/seLinuxOptions/user system_u; \
             unconfined-apparmor @/seLinuxOptions/role system_r",
        ),
        (r#"{"procMount":"Unmasked"}"#, "proc-mount @/procMount Unmasked"),
        (
            r#"{"privileged":false,"allowPrivilegeEscalation":true,"procMount":"Default","capabilities":{"drop":["ALL"]},
                "seccompProfile":{"type":"RuntimeDefault"},"appArmorProfile":{"type":"Localhost","localhostProfile":"x"},
                "seLinuxOptions":{"level":"s0:c1,c2","type":"container_t"},"windowsOptions":{"hostProcess":false}}"#,
            "",
        ),
        (
            r#"{"capabilities":7,"seccompProfile":"x","seLinuxOptions":[],"windowsOptions":true}"#,
            "",
        ),
        (r#""text""#, ""),
    ] {
        let at = |place: &str| expected.replace('@', place);
        let of_container = container(&format!(r#""securityContext":{context}"#));
        assert_eq!(
            in_pod(&Was::Nothing, &of_container),
            at("/spec/containers/0/securityContext"),
            "{context}"
        );
        let of_pod = pod(&format!(r#""securityContext":{context}"#));
        assert_eq!(in_pod(&Was::Nothing, &of_pod), at("/spec/securityContext"), "{context}");
    }
}

#[test]
fn annotations_of_the_pod() {
    for (key, value, expected) in [
        (
            "container.apparmor.security.beta.kubernetes.io/c",
            "unconfined",
            "unconfined-apparmor",
        ),
        (
            "container.apparmor.security.beta.kubernetes.io/c",
            "runtime/default",
            "",
        ),
        ("container.apparmor.security.beta.kubernetes.io/c", "localhost/x", ""),
        (
            "seccomp.security.alpha.kubernetes.io/pod",
            "unconfined",
            "unconfined-seccomp",
        ),
        (
            "container.seccomp.security.alpha.kubernetes.io/c",
            "unconfined",
            "unconfined-seccomp",
        ),
        ("seccomp.security.alpha.kubernetes.io/pod", "docker/default", ""),
        ("example.com/profile", "unconfined", ""),
    ] {
        let metadata = format!(r#"{{"metadata":{{"annotations":{{"{key}":"{value}"}}}}}}"#);
        let place = key.replace('/', "~1");
        let expected = if expected.is_empty() {
            String::new()
        } else {
            format!("{expected} /metadata/annotations/{place} {value}")
        };
        assert_eq!(in_pod(&Was::Nothing, &metadata), expected, "{key}");
        let template = format!(r#"{{"spec":{{"template":{metadata}}}}}"#);
        let found = found_in("apps", "deployments", &Was::Nothing, &template).join("; ");
        assert_eq!(found, expected.replace(" /", " /spec/template/"), "{key}");
    }
}

#[test]
fn volumes() {
    for (source, expected) in [
        (r#""hostPath":{"path":"/"}"#, "host-path @/hostPath /"),
        (r#""hostPath":{}"#, "host-path @/hostPath"),
        (r#""secret":{"secretName":"db"}"#, "secret-reference @/secret db"),
        (
            r#""projected":{"sources":[{"secret":{"name":"db"}},{"serviceAccountToken":{"audience":"vault"}},
                {"podCertificate":{"signerName":"a/b"}},{"clusterTrustBundle":{"name":"x"}},{"configMap":{"name":"x"}}]}"#,
            "secret-reference @/projected/sources/0/secret db; \
             token-projection @/projected/sources/1/serviceAccountToken vault; \
             token-projection @/projected/sources/2/podCertificate a/b",
        ),
        (
            r#""csi":{"driver":"x","nodePublishSecretRef":{"name":"db"}}"#,
            "secret-reference @/csi/nodePublishSecretRef db",
        ),
        (
            r#""csi":{"driver":"secrets-store.csi.k8s.io","volumeAttributes":{"secretProviderClass":"vault"}}"#,
            "secret-reference @/csi vault",
        ),
        (
            r#""azureFile":{"secretName":"db"}"#,
            "secret-reference @/azureFile/secretName db",
        ),
        (
            r#""cephfs":{"secretRef":{"name":"db"}}"#,
            "secret-reference @/cephfs/secretRef db",
        ),
        (
            r#""iscsi":{"secretRef":{"name":"db"}}"#,
            "secret-reference @/iscsi/secretRef db",
        ),
        (
            r#""flexVolume":{"driver":"d","secretRef":{"name":"db"}}"#,
            "secret-reference @/flexVolume/secretRef db",
        ),
        (
            r#""image":{"reference":"evil.example/x","pullPolicy":"Always"}"#,
            "image @/image/reference evil.example/x",
        ),
        (r#""emptyDir":{}"#, ""),
        (r#""configMap":{"name":"x"}"#, ""),
        (r#""persistentVolumeClaim":{"claimName":"secret"}"#, ""),
        (
            r#""csi":{"driver":"inline.storage","volumeAttributes":{"size":"1Gi"}}"#,
            "",
        ),
        (r#""hostPath":null,"secret":null"#, ""),
    ] {
        let pod = pod(&format!(r#""volumes":[{{"name":"v",{source}}}]"#));
        let expected = expected.replace('@', "/spec/volumes/0");
        assert_eq!(in_pod(&Was::Nothing, &pod), expected, "{source}");
    }
}

#[test]
fn containers() {
    for (members, expected) in [
        (r#""command":["sh"],"args":["-c"]"#, "command @/command; command @/args"),
        (r#""command":[],"args":null"#, ""),
        (
            r#""env":[{"name":"A","value":"x"},{"name":"B","valueFrom":{"secretKeyRef":{"name":"db","key":"k"}}}]"#,
            "secret-reference @/env/1/valueFrom/secretKeyRef db",
        ),
        (
            r#""env":[{"name":"A","valueFrom":{"configMapKeyRef":{"name":"x"}}},{"name":"B","valueFrom":{"fieldRef":{}}}]"#,
            "",
        ),
        (
            r#""envFrom":[{"configMapRef":{"name":"x"}},{"secretRef":{"name":"db"}}]"#,
            "secret-reference @/envFrom/1/secretRef db",
        ),
        (
            r#""ports":[{"containerPort":80,"hostPort":80},{"containerPort":81,"hostPort":0},{"hostPort":"82"}]"#,
            "host-port @/ports/0/hostPort 80; host-port @/ports/2/hostPort",
        ),
        (
            r#""livenessProbe":{"exec":{"command":["id"]}}"#,
            "exec-probe @/livenessProbe/exec",
        ),
        (
            r#""readinessProbe":{"exec":{}},"startupProbe":{"exec":{}}"#,
            "exec-probe @/readinessProbe/exec; exec-probe @/startupProbe/exec",
        ),
        (
            r#""livenessProbe":{"httpGet":{"port":80}},"readinessProbe":{"grpc":{"port":1}}"#,
            "",
        ),
        (
            r#""lifecycle":{"postStart":{"exec":{"command":["id"]}},"preStop":{"httpGet":{"port":80}}}"#,
            "lifecycle-hook @/lifecycle/postStart; lifecycle-hook @/lifecycle/preStop",
        ),
        (r#""lifecycle":{"stopSignal":"SIGTERM"}"#, ""),
        (
            r#""volumeMounts":[{"name":"v","mountPath":"/v"}],"resources":{"limits":{"cpu":"1"}}"#,
            "",
        ),
        (
            r#""env":7,"envFrom":"x","ports":{},"lifecycle":[],"livenessProbe":true,"command":1"#,
            "command @/command",
        ),
    ] {
        let expected = expected.replace('@', "/spec/containers/0");
        assert_eq!(in_pod(&Was::Nothing, &container(members)), expected, "{members}");
    }
}

#[test]
fn every_list_of_containers_is_looked_at() {
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        let pod = format!(
            r#"{{"spec":{{"{list}":[7,{{"name":"c","image":"x/y","securityContext":{{"privileged":true}}}}]}}}}"#
        );
        assert_eq!(
            found_in("", "pods", &Was::Nothing, &pod),
            [
                format!("image /spec/{list}/1/image x/y"),
                format!("privileged /spec/{list}/1/securityContext/privileged"),
            ]
        );
    }
}

#[test]
fn an_image_that_is_no_text_is_found_without_a_value() {
    let pod = r#"{"spec":{"containers":[{"image":7}]}}"#;
    assert_eq!(
        found_in("", "pods", &Was::Nothing, pod),
        ["image /spec/containers/0/image"]
    );
}

#[test]
fn hostile_shapes_are_taken() {
    for object in [
        "7",
        "[]",
        r#"{"spec":[]}"#,
        r#"{"metadata":{"annotations":[]},"spec":{"containers":{"a":{"b":{}}},"volumes":[[],{},null],"tolerations":"x"}}"#,
        r#"{"spec":{"containers":[{"name":{},"env":[[]],"ports":[null],"securityContext":[{"privileged":true}]}]}}"#,
        r#"{"spec":{"volumes":[{"name":1,"projected":{"sources":{"0":{"secret":7}}},"secret":[1],"csi":"x"}]}}"#,
    ] {
        for was in [
            Was::Nothing,
            Was::NotRead,
            Was::Unknown,
            Was::Seen(object),
            Was::Seen("{}"),
        ] {
            found_in("", "pods", &was, object);
            found_in("example.com", "widgets", &was, object);
        }
        assert_eq!(in_pod(&Was::Seen(object), object), "", "{object}");
    }
}
