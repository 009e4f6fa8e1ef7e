//! What is known of kinds: which field rules an object needs, and about which kinds errors may quote a secret.
//!
//! Kinds count by name, in any group: the kind in a body is only a claim.

/// The field rules that apply to an object; those of several kinds can apply to one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Rules {
    /// `data` and `stringData` are secret, and so is what repeats them in the metadata.
    pub(super) secret: bool,
}

impl Rules {
    pub(super) const NONE: Self = Self { secret: false };

    /// The rules for objects of a kind.
    pub(super) fn of_kind(kind: &str) -> Self {
        Self {
            secret: kind.eq_ignore_ascii_case("Secret"),
        }
    }

    /// The rules for objects of a resource.
    pub(super) fn of_resource(resource: &str) -> Self {
        Self {
            secret: resource.eq_ignore_ascii_case("secrets"),
        }
    }

    /// These rules and those.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            secret: self.secret || other.secret,
        }
    }
}

/// The kind of a list's items, if the list's kind says it.
pub(super) fn item_kind(list_kind: &str) -> Option<&str> {
    let kind = list_kind.strip_suffix("List")?;
    (!kind.is_empty() && kind != "PartialObjectMetadata").then_some(kind)
}

/// Kinds with fields that hold, or may hold, something secret.
const WITH_MASKED_PATHS: [&str; 31] = [
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
];

/// Whether objects of a kind have fields that are, or may be, masked.
pub(super) fn has_masked_paths(kind: &str) -> bool {
    WITH_MASKED_PATHS.iter().any(|known| kind.eq_ignore_ascii_case(known))
}

/// The same for what an error calls its kind: a kind, or a resource, which is the kind in lower case and plural.
pub(super) fn may_have_masked_paths(kind_or_resource: &str) -> bool {
    WITH_MASKED_PATHS.iter().any(|known| {
        kind_or_resource
            .split_at_checked(known.len())
            .is_some_and(|(name, plural)| name.eq_ignore_ascii_case(known) && matches!(plural, "" | "s" | "es"))
    })
}

/// Groups that kube-apiserver serves itself. Others are those of custom or aggregated resources.
const BUILT_IN_GROUPS: [&str; 24] = [
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "extensions",
    "flowcontrol.apiserver.k8s.io",
    "internal.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
    "storagemigration.k8s.io",
];

/// Whether kube-apiserver serves a group itself.
pub(super) fn is_built_in_group(group: &str) -> bool {
    BUILT_IN_GROUPS.contains(&group)
}

/// Annotations of Secrets that say nothing about their values.
const HARMLESS_ANNOTATIONS: [&str; 14] = [
    "k8s.io/initial-events-end",
    "kubernetes.io/service-account.name",
    "kubernetes.io/service-account.uid",
    "meta.helm.sh/release-name",
    "meta.helm.sh/release-namespace",
    "helm.sh/hook",
    "helm.sh/hook-weight",
    "helm.sh/hook-delete-policy",
    "helm.sh/resource-policy",
    "cert-manager.io/certificate-name",
    "cert-manager.io/issuer-group",
    "cert-manager.io/issuer-kind",
    "cert-manager.io/issuer-name",
    "argocd.argoproj.io/sync-wave",
];

/// Whether an annotation of a Secret says nothing about its values, whatever it is set to by those who own the key.
pub(super) fn is_harmless_annotation(key: &str) -> bool {
    HARMLESS_ANNOTATIONS.contains(&key)
}
