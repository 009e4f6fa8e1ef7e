use super::*;

fn treatment(kind: &str, path: &str) -> Option<Treatment> {
    let mut node = built_in_node(kind)?;
    for key in path.split('.') {
        match node.step(key) {
            Step::To(next) => node = next,
            Step::Same => {}
            Step::Off | Step::Nothing => return None,
        }
    }
    node.treatment()
}

#[test]
fn the_table_is_compiled() {
    for (kind, path, expected) in [
        ("Secret", "data", Some(Treatment::Base64)),
        ("secret", "data.key.deeper", Some(Treatment::Base64)),
        ("Secret", "metadata", None),
        ("ConfigMap", "data.any", Some(Treatment::Setting)),
        (
            "CronJob",
            "spec.jobTemplate.spec.template.spec.initContainers.env.value",
            Some(Treatment::Setting),
        ),
        (
            "Pod",
            "spec.ephemeralContainers.lifecycle.preStop.exec.command",
            Some(Treatment::Arguments),
        ),
        ("Pod", "spec.containers.image", None),
        ("Pod", "spec.containers.resources.limits.cpu", Some(Treatment::Keep)),
        (
            "Pod",
            "status.containerStatuses.lastState.terminated.message",
            Some(Treatment::Scan),
        ),
        ("Pod", "spec.volumes.secret.secretName", Some(Treatment::Text)),
        (
            "MutatingWebhookConfiguration",
            "webhooks.clientConfig.caBundle",
            Some(Treatment::Keep),
        ),
    ] {
        assert_eq!(treatment(kind, path), expected, "{kind} {path}");
    }
    assert!(built_in_node("Widget").is_none());
}

#[test]
fn every_row_says_why() {
    let rows = table::ROWS
        .iter()
        .chain(table::POD_SPEC)
        .chain(table::CONTAINER)
        .chain(table::VOLUME);
    for row in rows {
        assert!(!row.path.is_empty());
        assert!(
            alternatives(row.path)
                .iter()
                .all(|path| !path.contains(['{', '}', '[', ' '])),
            "{}",
            row.path
        );
    }
    assert!(
        table::ROWS
            .iter()
            .all(|row| !row.why.is_empty() && !row.kinds.is_empty())
    );
}

#[test]
fn kinds_with_masked_paths() {
    let kinds = Kinds::built_in();
    // What the table must know; errors about these lose every quotation.
    for kind in [
        "APIService",
        "CSINode",
        "CertificateSigningRequest",
        "ConfigMap",
        "ControllerRevision",
        "CronJob",
        "CustomResourceDefinition",
        "DaemonSet",
        "Deployment",
        "Event",
        "Gateway",
        "Ingress",
        "Job",
        "MutatingWebhookConfiguration",
        "OAuthAccessToken",
        "OAuthAuthorizeToken",
        "PersistentVolume",
        "PersistentVolumeClaim",
        "Pod",
        "PodTemplate",
        "ReplicaSet",
        "ReplicationController",
        "Secret",
        "Service",
        "StatefulSet",
        "StorageClass",
        "TokenRequest",
        "TokenReview",
        "ValidatingWebhookConfiguration",
        "VolumeAttachment",
        "VolumeAttributesClass",
    ] {
        assert!(kinds.has_masked_paths(kind), "{kind}");
        assert!(
            kinds.may_have_masked_paths(&format!("{}s", kind.to_ascii_lowercase())),
            "{kind}"
        );
    }
    for kind in [
        "Node",
        "Namespace",
        "Lease",
        "Role",
        "ServiceAccount",
        "EndpointSlice",
        "Widget",
    ] {
        assert!(!kinds.has_masked_paths(kind), "{kind}");
    }
    assert!(kinds.may_have_masked_paths("storageclasses") && kinds.may_have_masked_paths("ingresses"));
    assert!(!kinds.may_have_masked_paths("") && !kinds.may_have_masked_paths("s"));
}

#[test]
fn a_policy_adds_and_never_takes_away() {
    let rule = |kind: &str, path: &str| FieldRule {
        kind: kind.to_owned(),
        groups: vec!["example.com".to_owned()],
        path: path.parse().unwrap(),
        treatment: FieldTreatment::Mask,
        why: None,
    };
    let kinds = Kinds::built_in()
        .with(&[rule("Widget", "spec.pin"), rule("widget", "spec.*.x")])
        .unwrap();
    assert!(kinds.has_masked_paths("Widget") && kinds.has_masked_paths("Secret"));
    assert_eq!(kinds.extra("Widget", Some("example.com")).count(), 1);
    assert_eq!(kinds.extra("Widget", None).count(), 1);
    assert_eq!(kinds.extra("Widget", Some("")).count(), 0);
    let more = kinds.with(&[rule("Gadget", "spec")]).unwrap();
    assert!(more.has_masked_paths("Widget") && more.has_masked_paths("Gadget"));
    let error = Kinds::built_in().with(&[rule("Widget", "spec"), rule("Widget", "metadata.name")]);
    assert_eq!(error.unwrap_err().rule, 1);
}
