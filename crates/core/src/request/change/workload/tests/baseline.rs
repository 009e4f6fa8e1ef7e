//! The controls of the baseline level of the Pod Security Standards, as of Kubernetes 1.36: each is found, or left out on
//! purpose.

use super::*;

/// Control, a field or annotation of a pod that violates it, and the finding; none where the rules leave it out.
#[rustfmt::skip]
const CONTROLS: &[(&str, &str, Option<&str>)] = &[
    ("HostProcess", r#"{"spec":{"securityContext":{"windowsOptions":{"hostProcess":true}}}}"#, Some("privileged")),
    ("HostProcess", r#"{"spec":{"@":[{"securityContext":{"windowsOptions":{"hostProcess":true}}}]}}"#, Some("privileged")),
    ("Host Namespaces", r#"{"spec":{"hostNetwork":true}}"#, Some("host-network")),
    ("Host Namespaces", r#"{"spec":{"hostPID":true}}"#, Some("host-pid")),
    ("Host Namespaces", r#"{"spec":{"hostIPC":true}}"#, Some("host-ipc")),
    ("Privileged Containers", r#"{"spec":{"@":[{"securityContext":{"privileged":true}}]}}"#, Some("privileged")),
    // The policy lists the capabilities that may be added; the baseline's fourteen are one such list.
    ("Capabilities", r#"{"spec":{"@":[{"securityContext":{"capabilities":{"add":["SYS_ADMIN"]}}}]}}"#, Some("capabilities")),
    ("HostPath Volumes", r#"{"spec":{"volumes":[{"hostPath":{"path":"/"}}]}}"#, Some("host-path")),
    ("Host Ports", r#"{"spec":{"@":[{"ports":[{"hostPort":80}]}]}}"#, Some("host-port")),
    // Where the kubelet probes is no right of the pod; what a probe executes and what hooks do is found.
    ("Host Probes / Lifecycle Hooks", r#"{"spec":{"@":[{"livenessProbe":{"httpGet":{"host":"x"}}}]}}"#, None),
    ("Host Probes / Lifecycle Hooks", r#"{"spec":{"@":[{"readinessProbe":{"tcpSocket":{"host":"x"}}}]}}"#, None),
    ("Host Probes / Lifecycle Hooks", r#"{"spec":{"@":[{"lifecycle":{"postStart":{"httpGet":{"host":"x"}}}}]}}"#, Some("lifecycle-hook")),
    ("Host Probes / Lifecycle Hooks", r#"{"spec":{"@":[{"lifecycle":{"preStop":{"tcpSocket":{"host":"x"}}}}]}}"#, Some("lifecycle-hook")),
    ("AppArmor", r#"{"spec":{"securityContext":{"appArmorProfile":{"type":"Unconfined"}}}}"#, Some("unconfined-apparmor")),
    ("AppArmor", r#"{"spec":{"@":[{"securityContext":{"appArmorProfile":{"type":"Unconfined"}}}]}}"#, Some("unconfined-apparmor")),
    ("AppArmor", r#"{"metadata":{"annotations":{"container.apparmor.security.beta.kubernetes.io/c":"unconfined"}}}"#, Some("unconfined-apparmor")),
    ("SELinux", r#"{"spec":{"securityContext":{"seLinuxOptions":{"type":"spc_t"}}}}"#, Some("unconfined-apparmor")),
    ("SELinux", r#"{"spec":{"@":[{"securityContext":{"seLinuxOptions":{"user":"x"}}}]}}"#, Some("unconfined-apparmor")),
    ("SELinux", r#"{"spec":{"@":[{"securityContext":{"seLinuxOptions":{"role":"x"}}}]}}"#, Some("unconfined-apparmor")),
    ("/proc Mount Type", r#"{"spec":{"@":[{"securityContext":{"procMount":"Unmasked"}}]}}"#, Some("proc-mount")),
    ("Seccomp", r#"{"spec":{"securityContext":{"seccompProfile":{"type":"Unconfined"}}}}"#, Some("unconfined-seccomp")),
    ("Seccomp", r#"{"spec":{"@":[{"securityContext":{"seccompProfile":{"type":"Unconfined"}}}]}}"#, Some("unconfined-seccomp")),
    // The baseline lets through a dozen harmless ones; the rules let through none.
    ("Sysctls", r#"{"spec":{"securityContext":{"sysctls":[{"name":"kernel.msgmax","value":"1"}]}}}"#, Some("sysctls")),
];

#[test]
fn every_control_is_found_or_left_out_on_purpose() {
    for (control, pod, expected) in CONTROLS {
        for list in crate::request::pod_specs::CONTAINER_LISTS {
            let found = found_in("", "pods", &Was::Nothing, &pod.replace('@', list));
            let concerns: Vec<_> = found.iter().filter_map(|line| line.split(' ').next()).collect();
            let expected: Vec<_> = expected.iter().copied().collect();
            assert_eq!(concerns, expected, "{control}: {pod}");
        }
    }
}

#[test]
fn the_restricted_pod_of_the_documentation_is_free_of_findings() {
    let restricted = r#"{"spec":{"securityContext":{"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}},
        "hostUsers":false,"automountServiceAccountToken":false,
        "volumes":[{"name":"a","emptyDir":{}},{"name":"b","configMap":{"name":"x"}},{"name":"c","downwardAPI":{}},
            {"name":"d","ephemeral":{"volumeClaimTemplate":{"spec":{}}}},{"name":"e","persistentVolumeClaim":{"claimName":"x"}}],
        "containers":[{"name":"c","image":"i","securityContext":{"allowPrivilegeEscalation":false,"runAsUser":1000,
            "capabilities":{"drop":["ALL"]}}}]}}"#;
    assert_eq!(in_pod(&Was::Nothing, restricted), "");
}
