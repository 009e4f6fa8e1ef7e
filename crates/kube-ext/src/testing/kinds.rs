//! Which kinds there are, and what is special about each.

/// The resource lives in namespaces.
pub(super) const NAMESPACED: u16 = 1;
/// It has the subresource `status`; the main resource then keeps `status` as it is.
pub(super) const STATUS: u16 = 1 << 1;
/// It has the subresource `scale`.
pub(super) const SCALE: u16 = 1 << 2;
/// `metadata.generation` counts changes of anything but metadata and status.
pub(super) const GENERATION: u16 = 1 << 3;
/// A delete answers with the object, not with a Status.
pub(super) const RETURNS_DELETED: u16 = 1 << 4;
/// A PUT creates what isn't there.
pub(super) const CREATE_ON_UPDATE: u16 = 1 << 5;
/// A delete without a policy orphans (batch/v1 Jobs).
pub(super) const ORPHANS: u16 = 1 << 6;
/// A custom resource: another code path upstream, with other errors.
pub(super) const CUSTOM: u16 = 1 << 7;
/// The name is a path segment, not a DNS name (RBAC).
pub(super) const PATH_NAMES: u16 = 1 << 8;
/// An update must name the revision that it changes.
pub(super) const LOCKED: u16 = 1 << 9;

/// A kind that is served.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) kind: String,
    pub(super) plural: String,
    pub(super) short_names: &'static [&'static str],
    /// What a field selector may name besides `metadata.name` and `metadata.namespace`.
    pub(super) selectable: &'static [&'static str],
    flags: u16,
}

impl Resource {
    /// A custom resource, with `status`.
    pub(super) fn custom(group: &str, version: &str, kind: &str, plural: &str, namespaced: bool) -> Self {
        let scope = if namespaced { NAMESPACED } else { 0 };
        Self {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
            short_names: &[],
            selectable: &[],
            flags: CUSTOM | STATUS | GENERATION | LOCKED | scope,
        }
    }

    /// The kind of a body that isn't stored: Scale, Eviction.
    pub(super) fn body(group: &str, version: &str, kind: &str) -> Self {
        let flags = if kind == "Scale" { SCALE } else { 0 };
        Self {
            flags,
            ..Self::custom(group, version, kind, "", true)
        }
    }

    pub(super) fn is(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    /// `v1`, `apps/v1`.
    pub(super) fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// `pods`, `deployments.apps`: the identity of what is stored, whatever version it is asked for in.
    pub(super) fn qualified(&self) -> String {
        qualify(&self.plural, &self.group)
    }

    /// `Pod`, `Deployment.apps`: as errors about the content name it.
    pub(super) fn qualified_kind(&self) -> String {
        qualify(&self.kind, &self.group)
    }

    /// The Go package of the kind, as some messages show it.
    pub(super) fn package(&self) -> &str {
        match self.group.split('.').next() {
            _ if self.is(CUSTOM) => "unstructured",
            None | Some("") => "core",
            Some(first) => first,
        }
    }

    pub(super) fn is_namespace(&self) -> bool {
        self.group.is_empty() && self.kind == "Namespace"
    }

    pub(super) fn is_pod(&self) -> bool {
        self.group.is_empty() && self.kind == "Pod"
    }

    pub(super) fn is_secret(&self) -> bool {
        self.group.is_empty() && self.kind == "Secret"
    }

    pub(super) fn is_config_map(&self) -> bool {
        self.group.is_empty() && self.kind == "ConfigMap"
    }

    /// The subresources that are served, each with its kind and verbs.
    pub(super) fn subresources(&self) -> Vec<Subresource> {
        let mut found = Vec::new();
        if self.is(STATUS) {
            found.push(Subresource {
                name: "status",
                group_version: None,
                kind: self.kind.clone(),
                verbs: EDIT,
            });
        }
        if self.is(SCALE) {
            let group_version = Some(("autoscaling", "v1"));
            found.push(Subresource {
                name: "scale",
                group_version,
                kind: "Scale".to_owned(),
                verbs: EDIT,
            });
        }
        if self.is_pod() {
            found.push(Subresource {
                name: "log",
                group_version: None,
                kind: "Pod".to_owned(),
                verbs: &["get"],
            });
            let group_version = Some(("policy", "v1"));
            found.push(Subresource {
                name: "eviction",
                group_version,
                kind: "Eviction".to_owned(),
                verbs: &["create"],
            });
        }
        if self.is_namespace() {
            let kind = "Namespace".to_owned();
            found.push(Subresource {
                name: "finalize",
                group_version: None,
                kind,
                verbs: &["update"],
            });
        }
        found
    }

    /// The subresources that a real server has and this one doesn't: 501.
    pub(super) fn lacks(&self, subresource: &str) -> bool {
        let lacking: &[&str] = match (self.group.as_str(), self.plural.as_str()) {
            ("", "pods") => &[
                "exec",
                "attach",
                "portforward",
                "proxy",
                "binding",
                "ephemeralcontainers",
                "resize",
            ],
            ("", "services" | "nodes") => &["proxy"],
            ("", "serviceaccounts") => &["token"],
            _ => &[],
        };
        lacking.contains(&subresource)
    }

    /// The verbs of the resource itself.
    pub(super) fn verbs(&self) -> &'static [&'static str] {
        if self.is(CUSTOM) {
            &[
                "delete",
                "deletecollection",
                "get",
                "list",
                "patch",
                "create",
                "update",
                "watch",
            ]
        } else if self.is_namespace() {
            &["create", "delete", "get", "list", "patch", "update", "watch"]
        } else {
            &[
                "create",
                "delete",
                "deletecollection",
                "get",
                "list",
                "patch",
                "update",
                "watch",
            ]
        }
    }
}

/// A subresource as discovery shows it.
pub(super) struct Subresource {
    pub(super) name: &'static str,
    /// Where its kind isn't of the resource's own group.
    pub(super) group_version: Option<(&'static str, &'static str)>,
    pub(super) kind: String,
    pub(super) verbs: &'static [&'static str],
}

const EDIT: &[&str] = &["get", "patch", "update"];

fn qualify(word: &str, group: &str) -> String {
    if group.is_empty() {
        word.to_owned()
    } else {
        format!("{word}.{group}")
    }
}

/// group, version, kind, plural, short names, flags, selectable fields.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
    u16,
    &'static [&'static str],
);

const POD_FIELDS: &[&str] = &[
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.nominatedNodeName",
];
const EVENT_FIELDS: &[&str] = &[
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
];

/// Namespaced, with status and generation: most workloads.
const WORKLOAD: u16 = NAMESPACED | STATUS | GENERATION;
const RBAC: &str = "rbac.authorization.k8s.io";

#[rustfmt::skip]
const BUILT_IN: &[Row] = &[
    ("", "v1", "Namespace", "namespaces", &["ns"], STATUS | RETURNS_DELETED, &["status.phase"]),
    ("", "v1", "Pod", "pods", &["po"], WORKLOAD | RETURNS_DELETED, POD_FIELDS),
    ("", "v1", "Secret", "secrets", &[], NAMESPACED, &["type"]),
    ("", "v1", "ConfigMap", "configmaps", &["cm"], NAMESPACED, &[]),
    ("", "v1", "ServiceAccount", "serviceaccounts", &["sa"], NAMESPACED | RETURNS_DELETED, &[]),
    ("", "v1", "Service", "services", &["svc"], NAMESPACED | STATUS | RETURNS_DELETED | CREATE_ON_UPDATE, &["spec.clusterIP", "spec.type"]),
    ("", "v1", "Event", "events", &["ev"], NAMESPACED | CREATE_ON_UPDATE, EVENT_FIELDS),
    ("", "v1", "Node", "nodes", &["no"], STATUS, &["spec.unschedulable"]),
    ("", "v1", "Endpoints", "endpoints", &["ep"], NAMESPACED | CREATE_ON_UPDATE, &[]),
    ("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", &["pvc"], NAMESPACED | STATUS | RETURNS_DELETED, &[]),
    ("", "v1", "PersistentVolume", "persistentvolumes", &["pv"], STATUS | RETURNS_DELETED, &[]),
    ("", "v1", "ResourceQuota", "resourcequotas", &["quota"], NAMESPACED | STATUS | RETURNS_DELETED, &[]),
    ("", "v1", "LimitRange", "limitranges", &["limits"], NAMESPACED | CREATE_ON_UPDATE, &[]),
    ("", "v1", "PodTemplate", "podtemplates", &[], NAMESPACED | GENERATION | RETURNS_DELETED, &[]),
    ("apps", "v1", "Deployment", "deployments", &["deploy"], WORKLOAD | SCALE, &[]),
    ("apps", "v1", "ReplicaSet", "replicasets", &["rs"], WORKLOAD | SCALE, &["status.replicas"]),
    ("apps", "v1", "StatefulSet", "statefulsets", &["sts"], WORKLOAD | SCALE, &[]),
    ("apps", "v1", "DaemonSet", "daemonsets", &["ds"], WORKLOAD, &[]),
    ("apps", "v1", "ControllerRevision", "controllerrevisions", &[], NAMESPACED, &[]),
    ("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", &["hpa"], NAMESPACED | STATUS, &[]),
    ("batch", "v1", "Job", "jobs", &[], WORKLOAD | ORPHANS, &["status.successful"]),
    ("batch", "v1", "CronJob", "cronjobs", &["cj"], WORKLOAD, &[]),
    ("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", &["pdb"], WORKLOAD | LOCKED, &[]),
    ("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", &["netpol"], NAMESPACED | GENERATION, &[]),
    ("networking.k8s.io", "v1", "Ingress", "ingresses", &["ing"], WORKLOAD, &[]),
    (RBAC, "v1", "Role", "roles", &[], NAMESPACED | PATH_NAMES | CREATE_ON_UPDATE, &[]),
    (RBAC, "v1", "RoleBinding", "rolebindings", &[], NAMESPACED | PATH_NAMES | CREATE_ON_UPDATE, &[]),
    (RBAC, "v1", "ClusterRole", "clusterroles", &[], PATH_NAMES | CREATE_ON_UPDATE, &[]),
    (RBAC, "v1", "ClusterRoleBinding", "clusterrolebindings", &[], PATH_NAMES | CREATE_ON_UPDATE, &[]),
    ("coordination.k8s.io", "v1", "Lease", "leases", &[], NAMESPACED | CREATE_ON_UPDATE | LOCKED, &[]),
    ("storage.k8s.io", "v1", "StorageClass", "storageclasses", &["sc"], RETURNS_DELETED, &[]),
    ("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", &["pc"], 0, &[]),
];

/// The built-in kinds.
pub(super) fn built_in() -> impl Iterator<Item = Resource> {
    BUILT_IN.iter().map(
        |&(group, version, kind, plural, short_names, flags, selectable)| Resource {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
            short_names,
            selectable,
            flags,
        },
    )
}
