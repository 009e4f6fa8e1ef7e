//! What can be of concern about a change, as data: each entry with the name that policies and records use.

use std::fmt;

use serde::{Serialize, Serializer};

/// What follows from a concern, before a policy's limits are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// The change takes something away, or arms something that will: the effect `destructive`.
    Destructive,
    /// A human has to see it: what runs gets rights or values that the agent does not have.
    Approval,
    /// It is never sent, unless the policy permits it by an `insecure` field that names it.
    Forbidden,
}

/// One thing about a change that a policy cares for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Concern {
    /// A field goes away, or an object or list is replaced as a whole.
    RemovesField,
    /// A value of an existing key of a Secret or ConfigMap is replaced.
    OverwritesData,
    /// Replicas, parallelism or bounds of an autoscaler; the finding's value is the number. Of concern if it is 0 or
    /// outside the policy's bounds.
    Replicas,
    /// A Job or CronJob is suspended.
    Suspend,
    /// Owners are added or changed: the garbage collector deletes what has no owner.
    OwnerReferences,
    /// Finalizers are removed: a pending deletion goes through.
    Finalizers,
    /// A time after which something is deleted or killed.
    DeletionTimer,
    /// What becomes of stored data when its owner goes.
    RetentionPolicy,
    /// An object that protects others is changed.
    Protection,
    /// A node is changed.
    Node,
    /// A server-side apply with `force` takes fields from their managers.
    ForcedApply,
    /// A server-side apply under a manager name; the finding's value is the name. Of concern if the policy does not list
    /// it, since an apply removes what its manager applied before and leaves out now.
    ApplyManager,
    /// An explicit reset of `metadata.managedFields`.
    ManagedFields,
    /// Program or arguments of a container of a new workload.
    Command,
    /// What an existing container runs, with which environment, volumes, ports, hooks or security context.
    TemplateChange,
    /// A Secret is handed to a workload.
    SecretReference,
    /// A service account other than the namespace's default.
    ServiceAccount,
    /// A token of the service account is projected into a workload.
    TokenProjection,
    /// `automountServiceAccountToken: true`.
    TokenMount,
    /// An image; the finding's value. Of concern if it is outside of the policy's list.
    Image,
    /// A probe that executes a command.
    ExecProbe,
    /// A lifecycle hook.
    LifecycleHook,
    /// `hostNetwork`.
    HostNetwork,
    /// `hostPID`.
    HostPid,
    /// `hostIPC`.
    HostIpc,
    /// A privileged container; on Windows, a process of the host.
    Privileged,
    /// An added capability; the finding's value. Of concern if the policy does not list it.
    Capabilities,
    /// A volume on the host's file system.
    HostPath,
    /// A port on the host.
    HostPort,
    /// Seccomp is switched off.
    Seccomp,
    /// AppArmor or SELinux is switched off or chosen.
    AppArmor,
    /// Kernel parameters.
    Sysctls,
    /// An unmasked `/proc`.
    ProcMount,
    /// `hostUsers`.
    HostUsers,
    /// A node chosen by name, past the scheduler.
    NodeName,
    /// A toleration by which a pod gets onto control-plane nodes.
    ControlPlaneToleration,
    /// `externalIPs` of a Service: traffic of others.
    ExternalIps,
    /// `loadBalancerIP` of a Service.
    LoadBalancerIp,
    /// A Service of the type ExternalName.
    ExternalName,
    /// Annotations of an Ingress that are configuration of the proxy, or its authentication.
    IngressSnippet,
    /// A reference into another namespace.
    CrossNamespace,
    /// An annotation of a Secret; the finding's value is its key. Of concern if the policy does not list it, since
    /// controllers copy Secrets by annotation.
    SecretAnnotation,
    /// A ResourceClaim with admin access.
    AdminAccess,
    /// Changes of `rbac.authorization.k8s.io`.
    Rbac,
    /// Changes of `admissionregistration.k8s.io`.
    Admission,
    /// Changes of `apiregistration.k8s.io`.
    ApiServices,
    /// Changes of `apiextensions.k8s.io`.
    CustomResourceDefinitions,
    /// Changes of `certificates.k8s.io`.
    Certificates,
    /// The token APIs of `authentication.k8s.io`.
    Tokens,
    /// Changes of `flowcontrol.apiserver.k8s.io`.
    FlowControl,
    /// Changes of PriorityClasses.
    PriorityClasses,
    /// Changes of RuntimeClasses.
    RuntimeClasses,
    /// Changes of `storage.k8s.io`.
    Storage,
    /// Changes of PersistentVolumes.
    PersistentVolumes,
    /// Changes of nodes and their subresources.
    Nodes,
    /// Creates and changes of Namespaces.
    Namespaces,
    /// `namespaces/finalize`.
    NamespaceFinalize,
    /// Changes of ServiceAccounts.
    ServiceAccounts,
    /// `pods/ephemeralcontainers`.
    EphemeralContainers,
    /// `pods/binding` and `bindings`.
    Bindings,
    /// Changes of Endpoints and EndpointSlices.
    Endpoints,
    /// What the change makes of the object can't be worked out within bounds, so nothing is known of it.
    TooLarge,
}

/// Every concern with its name and weight, in the order of the enum.
#[rustfmt::skip]
const TABLE: &[(Concern, &str, Weight)] = &[
    (Concern::RemovesField, "removes-field", Weight::Destructive),
    (Concern::OverwritesData, "overwrites-data", Weight::Destructive),
    (Concern::Replicas, "replicas", Weight::Destructive),
    (Concern::Suspend, "suspend", Weight::Destructive),
    (Concern::OwnerReferences, "owner-references", Weight::Destructive),
    (Concern::Finalizers, "finalizers", Weight::Destructive),
    (Concern::DeletionTimer, "deletion-timer", Weight::Destructive),
    (Concern::RetentionPolicy, "retention-policy", Weight::Destructive),
    (Concern::Protection, "protection", Weight::Destructive),
    (Concern::Node, "node", Weight::Destructive),
    (Concern::ForcedApply, "forced-apply", Weight::Destructive),
    (Concern::ApplyManager, "apply-manager", Weight::Destructive),
    (Concern::ManagedFields, "managed-fields", Weight::Destructive),
    (Concern::Command, "command", Weight::Approval),
    (Concern::TemplateChange, "template-change", Weight::Approval),
    (Concern::SecretReference, "secret-reference", Weight::Approval),
    (Concern::ServiceAccount, "service-account", Weight::Approval),
    (Concern::TokenProjection, "token-projection", Weight::Approval),
    (Concern::TokenMount, "token-mount", Weight::Approval),
    (Concern::Image, "image", Weight::Approval),
    (Concern::ExecProbe, "exec-probe", Weight::Approval),
    (Concern::LifecycleHook, "lifecycle-hook", Weight::Approval),
    (Concern::HostNetwork, "host-network", Weight::Forbidden),
    (Concern::HostPid, "host-pid", Weight::Forbidden),
    (Concern::HostIpc, "host-ipc", Weight::Forbidden),
    (Concern::Privileged, "privileged", Weight::Forbidden),
    (Concern::Capabilities, "capabilities", Weight::Forbidden),
    (Concern::HostPath, "host-path", Weight::Forbidden),
    (Concern::HostPort, "host-port", Weight::Forbidden),
    (Concern::Seccomp, "unconfined-seccomp", Weight::Forbidden),
    (Concern::AppArmor, "unconfined-apparmor", Weight::Forbidden),
    (Concern::Sysctls, "sysctls", Weight::Forbidden),
    (Concern::ProcMount, "proc-mount", Weight::Forbidden),
    (Concern::HostUsers, "host-users", Weight::Forbidden),
    (Concern::NodeName, "node-name", Weight::Forbidden),
    (Concern::ControlPlaneToleration, "control-plane-toleration", Weight::Forbidden),
    (Concern::ExternalIps, "external-ips", Weight::Forbidden),
    (Concern::LoadBalancerIp, "load-balancer-ip", Weight::Forbidden),
    (Concern::ExternalName, "external-name", Weight::Forbidden),
    (Concern::IngressSnippet, "ingress-snippet", Weight::Forbidden),
    (Concern::CrossNamespace, "cross-namespace-reference", Weight::Forbidden),
    (Concern::SecretAnnotation, "secret-annotation", Weight::Forbidden),
    (Concern::AdminAccess, "admin-access", Weight::Forbidden),
    (Concern::Rbac, "rbac", Weight::Forbidden),
    (Concern::Admission, "admission", Weight::Forbidden),
    (Concern::ApiServices, "api-services", Weight::Forbidden),
    (Concern::CustomResourceDefinitions, "custom-resource-definitions", Weight::Forbidden),
    (Concern::Certificates, "certificates", Weight::Forbidden),
    (Concern::Tokens, "tokens", Weight::Forbidden),
    (Concern::FlowControl, "flow-control", Weight::Forbidden),
    (Concern::PriorityClasses, "priority-classes", Weight::Forbidden),
    (Concern::RuntimeClasses, "runtime-classes", Weight::Forbidden),
    (Concern::Storage, "storage", Weight::Forbidden),
    (Concern::PersistentVolumes, "persistent-volumes", Weight::Forbidden),
    (Concern::Nodes, "nodes", Weight::Forbidden),
    (Concern::Namespaces, "namespaces", Weight::Forbidden),
    (Concern::NamespaceFinalize, "namespace-finalize", Weight::Forbidden),
    (Concern::ServiceAccounts, "service-accounts", Weight::Forbidden),
    (Concern::EphemeralContainers, "ephemeral-containers", Weight::Forbidden),
    (Concern::Bindings, "bindings", Weight::Forbidden),
    (Concern::Endpoints, "endpoints", Weight::Forbidden),
    (Concern::TooLarge, "too-large", Weight::Forbidden),
];

impl Concern {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(concern, ..)| *concern)
    }

    /// The concern of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|concern| concern.as_str() == name)
    }

    /// The name in policies and records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        TABLE.get(self as usize).map_or("", |(_, name, _)| name)
    }

    /// What follows from it.
    #[must_use]
    pub fn weight(self) -> Weight {
        TABLE
            .get(self as usize)
            .map_or(Weight::Forbidden, |(.., weight)| *weight)
    }
}

impl fmt::Display for Concern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Concern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (index, (concern, name, _)) in TABLE.iter().enumerate() {
            assert_eq!(*concern as usize, index, "{name}");
            assert_eq!(Concern::named(name), Some(*concern));
        }
    }
}
