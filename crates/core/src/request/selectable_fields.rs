//! Which fields objects of built-in resources can be selected by: data, reviewed at each Kubernetes minor.
//!
//! Source: the field label conversions of kubernetes 1.36.3, without the old alias `spec.host`. None of them holds
//! anything secret.

/// Group, resource, and the fields beyond `metadata.name` and `metadata.namespace`.
const FIELDS: &[(&str, &str, &[&str])] = &[
    (
        "",
        "pods",
        &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        ],
    ),
    ("", "nodes", &["spec.unschedulable"]),
    ("", "replicationcontrollers", &["status.replicas"]),
    ("", "events", EVENT),
    ("events.k8s.io", "events", EVENT),
    ("", "namespaces", &["status.phase"]),
    ("", "secrets", &["type"]),
    ("", "services", &["spec.clusterIP", "spec.type"]),
    ("batch", "jobs", &["status.successful"]),
    (
        "certificates.k8s.io",
        "certificatesigningrequests",
        &["spec.signerName"],
    ),
    ("certificates.k8s.io", "clustertrustbundles", &["spec.signerName"]),
    (
        "certificates.k8s.io",
        "podcertificaterequests",
        &["spec.signerName", "spec.podName", "spec.nodeName"],
    ),
    ("resource.k8s.io", "resourceslices", &["spec.nodeName", "spec.driver"]),
];

const EVENT: &[&str] = &[
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "regarding.kind",
    "regarding.namespace",
    "regarding.name",
    "regarding.uid",
    "regarding.apiVersion",
    "regarding.resourceVersion",
    "regarding.fieldPath",
    "reason",
    "reportingComponent",
    "reportingController",
    "source",
    "type",
];

/// Whether objects of a built-in resource can be selected by a field.
pub(super) fn is_selectable(group: &str, resource: &str, field: &str) -> bool {
    FIELDS
        .iter()
        .any(|(of, name, fields)| (*of, *name) == (group, resource) && fields.contains(&field))
}
