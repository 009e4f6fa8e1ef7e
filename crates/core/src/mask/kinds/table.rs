//! The table, as data: reviewed at each minor version of Kubernetes.
//!
//! Paths name keys from the object's root, `*` any key, `{a b}` one of several; arrays are looked through. What no row
//! names is scanned, so a row is about what needs more than a scan, or none. `Keep` rows are only about values whose
//! syntax the API server checks so narrowly that nothing secret fits: enums, numbers, times, quantities, addresses, and
//! names of objects.

use super::Treatment::{self, Arguments, Base64, Binary, Keep, Revision, Scan, Setting, Text, Url, Whole};

/// Kubernetes 1.36, first revision.
pub(super) const VERSION: &str = "1.36-1";

/// Fields of kinds.
pub(super) struct Row<'a> {
    /// Kinds, separated by spaces.
    pub(super) kinds: &'static str,
    pub(super) path: &'a str,
    pub(super) what: What,
    /// Why, for whoever reviews the table.
    #[cfg_attr(not(test), expect(dead_code, reason = "for whoever reads the table"))]
    pub(super) why: &'static str,
}

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Is(Treatment),
    /// The part with these rows.
    PodSpec,
    Container,
    Volume,
}

const fn row(kinds: &'static str, path: &'static str, treatment: Treatment, why: &'static str) -> Row<'static> {
    Row {
        kinds,
        path,
        what: What::Is(treatment),
        why,
    }
}

const fn part(kinds: &'static str, path: &'static str, what: What, why: &'static str) -> Row<'static> {
    Row { kinds, path, what, why }
}

/// The kinds.
pub(super) const ROWS: &[Row<'static>] = &[
    // Secret material by definition.
    row("Secret", "data", Base64, "the values"),
    row("Secret", "stringData", Whole, "the values, as written"),
    row("Secret", "{type immutable}", Keep, "a name of a type; a switch"),
    row("ConfigMap", "data.*", Setting, "configuration holds passwords"),
    row("ConfigMap", "binaryData.*", Binary, "the same in base64; Helm releases"),
    row("ConfigMap", "immutable", Keep, "a switch"),
    row("TokenRequest", "status.token", Whole, "a service account's token"),
    row("TokenReview", "spec.token", Whole, "the token that is reviewed"),
    row("TokenReview", "status.user.extra", Whole, "claims of the token"),
    row(
        "CertificateSigningRequest",
        "status.certificate",
        Base64,
        "useless without it",
    ),
    row(
        "CertificateSigningRequest",
        "spec.extra",
        Whole,
        "claims of the requester",
    ),
    row(
        "CertificateSigningRequest",
        "spec.request",
        Keep,
        "public by its nature",
    ),
    row(
        "OAuthAccessToken OAuthAuthorizeToken",
        "{codeChallenge refreshToken authorizeToken accessToken}",
        Whole,
        "credentials",
    ),
    row("ServiceAccount", "{secrets imagePullSecrets}", Text, "names of Secrets"),
    // Workloads.
    part("Pod", "spec", What::PodSpec, "arguments, environment, probes, volumes"),
    part("PodTemplate", "template.spec", What::PodSpec, "a pod's"),
    part(
        "ReplicationController ReplicaSet Deployment StatefulSet DaemonSet Job",
        "spec.template.spec",
        What::PodSpec,
        "a pod's",
    ),
    part(
        "CronJob",
        "spec.jobTemplate.spec.template.spec",
        What::PodSpec,
        "a pod's",
    ),
    row(
        "ControllerRevision",
        "data",
        Revision,
        "a copy of the template, or of what nobody knows",
    ),
    row(
        "Pod",
        "status.{containerStatuses initContainerStatuses ephemeralContainerStatuses}.{name ready started restartCount imageID containerID resources allocatedResources volumeMounts user}",
        Keep,
        "checked, or written by the kubelet",
    ),
    row(
        "Pod",
        "status.{containerStatuses initContainerStatuses ephemeralContainerStatuses}.{state lastState}.{running waiting terminated}.{startedAt finishedAt exitCode signal reason containerID}",
        Keep,
        "checked, or written by the kubelet",
    ),
    row(
        "Pod",
        "status.{containerStatuses initContainerStatuses ephemeralContainerStatuses}.{state lastState}.{waiting terminated}.message",
        Scan,
        "a container writes its termination log",
    ),
    row("Pod", "status.message", Scan, "free text"),
    row("Pod", "status.conditions.message", Scan, "free text"),
    row(
        "Pod",
        "status.{phase qosClass startTime hostIP hostIPs podIP podIPs observedGeneration nominatedNodeName}",
        Keep,
        "enums, times, addresses",
    ),
    row(
        "Pod Node Deployment ReplicaSet Job StatefulSet DaemonSet PersistentVolumeClaim Service",
        "status.conditions.{type status lastProbeTime lastTransitionTime lastHeartbeatTime lastUpdateTime observedGeneration}",
        Keep,
        "enums and times",
    ),
    row(
        "Deployment ReplicaSet StatefulSet DaemonSet ReplicationController",
        "spec.{replicas minReadySeconds revisionHistoryLimit progressDeadlineSeconds paused podManagementPolicy}",
        Keep,
        "numbers and enums",
    ),
    row(
        "Deployment ReplicaSet StatefulSet DaemonSet ReplicationController",
        "status.{replicas readyReplicas availableReplicas updatedReplicas unavailableReplicas currentReplicas fullyLabeledReplicas observedGeneration collisionCount}",
        Keep,
        "numbers",
    ),
    // Text that quotes others.
    row(
        "Event",
        "{message note}",
        Scan,
        "quotes probe output and admission errors",
    ),
    row("Event", "series", Scan, "as events of old had it"),
    row(
        "Event",
        "metadata.annotations.*",
        Scan,
        "controllers copy them from objects",
    ),
    row(
        "Event",
        "{count type reason firstTimestamp lastTimestamp eventTime deprecatedCount deprecatedFirstTimestamp deprecatedLastTimestamp}",
        Keep,
        "numbers, words, times",
    ),
    row(
        "Event",
        "{involvedObject regarding related}.{kind namespace name uid apiVersion resourceVersion}",
        Keep,
        "names of objects",
    ),
    row("Status", "{status reason code}", Keep, "constants, or made ones"),
    row(
        "Status",
        "details.{name group kind uid retryAfterSeconds}",
        Keep,
        "names of objects",
    ),
    // Storage.
    row(
        "PersistentVolume",
        "spec.csi.volumeAttributes.*",
        Scan,
        "drivers take credentials",
    ),
    row(
        "PersistentVolume",
        "spec.flexVolume.options.*",
        Scan,
        "drivers take credentials",
    ),
    row(
        "PersistentVolume PersistentVolumeClaim",
        "spec.{capacity accessModes storageClassName volumeMode persistentVolumeReclaimPolicy volumeName}",
        Keep,
        "quantities, enums, names",
    ),
    row("PersistentVolumeClaim", "spec.dataSource", Text, "names an object"),
    row(
        "PersistentVolumeClaim",
        "status.conditions.message",
        Scan,
        "quotes what drivers answer",
    ),
    row(
        "StorageClass VolumeAttributesClass",
        "parameters.*",
        Scan,
        "drivers take credentials",
    ),
    row(
        "VolumeAttachment",
        "status.attachmentMetadata.*",
        Scan,
        "drivers answer what they like",
    ),
    row("CSINode", "spec.drivers", Scan, "drivers answer what they like"),
    // URLs with credentials in them. Certificates of authorities are public, and clients compare them.
    row(
        "ValidatingWebhookConfiguration MutatingWebhookConfiguration",
        "webhooks.clientConfig.url",
        Url,
        "user and query",
    ),
    row(
        "ValidatingWebhookConfiguration MutatingWebhookConfiguration",
        "webhooks.clientConfig.caBundle",
        Keep,
        "public",
    ),
    row(
        "CustomResourceDefinition",
        "spec.conversion.webhook.clientConfig.url",
        Url,
        "user and query",
    ),
    row(
        "CustomResourceDefinition",
        "spec.conversion.webhook.clientConfig.caBundle",
        Keep,
        "public",
    ),
    row(
        "CustomResourceDefinition",
        "spec.versions.schema",
        Text,
        "says what fields are called, not what is in them",
    ),
    row(
        "CustomResourceDefinition",
        "spec.validation",
        Text,
        "the same, as it was once",
    ),
    row(
        "CustomResourceDefinition",
        "{spec status}.{names acceptedNames}",
        Text,
        "names",
    ),
    row(
        "APIService",
        "spec.{groupPriorityMinimum versionPriority version group}",
        Keep,
        "names and numbers",
    ),
    row("APIService", "spec.caBundle", Keep, "public"),
    row("APIService", "spec.service", Scan, "as an object of old had a URL"),
    // Annotations that controllers take configuration from.
    row(
        "Ingress Service Gateway",
        "metadata.annotations.*",
        Scan,
        "cloud keys, passwords, snippets",
    ),
    row("Ingress", "spec.tls", Text, "names of Secrets and hosts"),
    row("Gateway", "spec.listeners.tls", Text, "names of Secrets"),
    row(
        "Service",
        "spec.{clusterIP clusterIPs ports type sessionAffinity ipFamilies ipFamilyPolicy internalTrafficPolicy externalTrafficPolicy healthCheckNodePort allocateLoadBalancerNodePorts publishNotReadyAddresses}",
        Keep,
        "enums, numbers, addresses",
    ),
    // What only counts and names.
    row(
        "Node",
        "status.{capacity allocatable addresses daemonEndpoints}",
        Keep,
        "quantities and addresses",
    ),
    row("Node", "spec.{podCIDR podCIDRs}", Keep, "addresses"),
    row(
        "Lease",
        "spec.{acquireTime renewTime leaseDurationSeconds leaseTransitions}",
        Keep,
        "times and numbers",
    ),
    row("EndpointSlice", "{addressType ports}", Keep, "enums and numbers"),
    row(
        "EndpointSlice",
        "endpoints.{addresses conditions nodeName zone hints targetRef}",
        Keep,
        "addresses and names",
    ),
    row(
        "Endpoints",
        "subsets.{addresses notReadyAddresses ports}",
        Keep,
        "addresses and names",
    ),
    row(
        "ResourceQuota",
        "{spec status}.{hard used}",
        Keep,
        "quantities under names of resources",
    ),
    row("LimitRange", "spec.limits", Keep, "quantities"),
    row("Role ClusterRole", "rules", Text, "names of resources, such as secrets"),
    row("RoleBinding ClusterRoleBinding", "{roleRef subjects}", Text, "names"),
];

/// A pod.
pub(super) const POD_SPEC: &[Row<'static>] = &[
    part(
        "",
        "{containers initContainers ephemeralContainers}",
        What::Container,
        "",
    ),
    part("", "volumes", What::Volume, ""),
    row("", "imagePullSecrets", Text, "names of Secrets"),
    row(
        "",
        "{restartPolicy dnsPolicy nodeName serviceAccountName serviceAccount automountServiceAccountToken hostNetwork hostPID hostIPC hostUsers shareProcessNamespace priority priorityClassName preemptionPolicy enableServiceLinks terminationGracePeriodSeconds activeDeadlineSeconds setHostnameAsFQDN schedulerName runtimeClassName overhead os}",
        Keep,
        "enums, numbers, names of objects",
    ),
    row(
        "",
        "tolerations.{effect operator tolerationSeconds}",
        Keep,
        "enums and numbers",
    ),
];

/// A container of a pod. The environment, headers and whatever else has a name and a value are scanned by that name.
pub(super) const CONTAINER: &[Row<'static>] = &[
    row("", "env.value", Setting, "passwords are handed over here"),
    row("", "env.name", Keep, "a name"),
    row("", "env.valueFrom", Text, "names of Secrets, ConfigMaps and fields"),
    row("", "envFrom", Text, "names of Secrets and ConfigMaps"),
    row("", "{command args}", Arguments, "flags take passwords"),
    row(
        "",
        "lifecycle.{postStart preStop}.exec.command",
        Arguments,
        "flags take passwords",
    ),
    row(
        "",
        "{livenessProbe readinessProbe startupProbe}.exec.command",
        Arguments,
        "flags take passwords",
    ),
    row(
        "",
        "lifecycle.{postStart preStop}.httpGet.httpHeaders",
        Scan,
        "authorization",
    ),
    row(
        "",
        "{livenessProbe readinessProbe startupProbe}.httpGet.httpHeaders",
        Scan,
        "authorization",
    ),
    row(
        "",
        "{livenessProbe readinessProbe startupProbe}.{initialDelaySeconds periodSeconds timeoutSeconds successThreshold failureThreshold terminationGracePeriodSeconds tcpSocket grpc}",
        Keep,
        "numbers and ports",
    ),
    row(
        "",
        "{livenessProbe readinessProbe startupProbe}.httpGet.{port scheme}",
        Keep,
        "a port, an enum",
    ),
    row(
        "",
        "{name imagePullPolicy terminationMessagePolicy ports resources resizePolicy restartPolicy stdin stdinOnce tty}",
        Keep,
        "names, enums, numbers, quantities",
    ),
    row(
        "",
        "volumeMounts.{name readOnly mountPropagation recursiveReadOnly}",
        Keep,
        "names and enums",
    ),
];

/// A volume of a pod. Literals of its drivers are scanned.
pub(super) const VOLUME: &[Row<'static>] = &[
    row("", "name", Keep, "a name"),
    row(
        "",
        "{secret configMap projected downwardAPI persistentVolumeClaim emptyDir}",
        Text,
        "names of objects, keys and paths",
    ),
    row("", "csi.volumeAttributes.*", Scan, "drivers take credentials"),
    row("", "csi.nodePublishSecretRef", Text, "names a Secret"),
    row("", "flexVolume.options.*", Scan, "drivers take credentials"),
    row(
        "",
        "{flexVolume iscsi rbd cephfs cinder scaleIO storageos}.secretRef",
        Text,
        "names a Secret",
    ),
    row("", "azureFile.secretName", Text, "names a Secret"),
];

/// What custom resources put into the Secrets that they make.
pub(super) const SECRET_TEMPLATE: &[Row<'static>] = &[
    row("", "data", Base64, "the values of a Secret"),
    row("", "stringData", Whole, "the values of a Secret"),
];
