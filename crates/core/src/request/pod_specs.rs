//! Where the pod's specification stands in each kind that has one: data, reviewed at each Kubernetes minor.

/// Group, resource and the path to the specification; beside it stands the metadata that the pod gets.
const POD_SPECS: &[(&str, &str, &[&str])] = &[
    ("", "pods", &["spec"]),
    ("", "podtemplates", &["template", "spec"]),
    ("", "replicationcontrollers", &["spec", "template", "spec"]),
    ("apps", "deployments", &["spec", "template", "spec"]),
    ("apps", "replicasets", &["spec", "template", "spec"]),
    ("apps", "statefulsets", &["spec", "template", "spec"]),
    ("apps", "daemonsets", &["spec", "template", "spec"]),
    // A StatefulSet makes pods from its revisions too, not only from its template.
    ("apps", "controllerrevisions", &["data", "spec", "template", "spec"]),
    ("batch", "jobs", &["spec", "template", "spec"]),
    (
        "batch",
        "cronjobs",
        &["spec", "jobTemplate", "spec", "template", "spec"],
    ),
];

/// The lists of containers in a pod's specification.
pub(super) const CONTAINER_LISTS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// The path to the pod's specification in a built-in resource, if it has one.
pub(super) fn pod_spec(group: &str, resource: &str) -> Option<&'static [&'static str]> {
    POD_SPECS
        .iter()
        .find(|(of_group, of_resource, _)| (*of_group, *of_resource) == (group, resource))
        .map(|(.., path)| *path)
}
