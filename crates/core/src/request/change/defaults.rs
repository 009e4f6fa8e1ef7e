//! What the server puts where a change leaves a field out: then nothing is lost.

use super::difference::canonical;
use super::place::ANY;
use crate::json::Value;
use crate::request::pod_specs::pod_spec;

/// What stands where a field is left out.
#[derive(Debug, Clone, Copy)]
enum Filled {
    /// This value, as JSON.
    With(&'static str),
    /// This value, as long as the field beside it has this one, or none.
    While(&'static str, &'static str, &'static str),
    /// What is there now.
    Kept,
    /// This value in a part that is there; and in one that is not, as long as this field beside it is not either.
    Inside(&'static str, &'static str),
    /// What is there now, as long as the type of the Service stays.
    KeptForType,
    /// What is there now, unless the Service is, or was, only a name for something outside.
    KeptInside,
    /// `Always` for images without a tag or with `latest`, else `IfNotPresent`.
    PullPolicy,
    /// The port that the Service has there.
    SamePort,
}

use Filled::{Inside, Kept, KeptForType, KeptInside, PullPolicy, SamePort, While, With};

/// Below the specification of a pod.
#[rustfmt::skip]
const POD_SPEC: &[(&[&str], Filled)] = &[
    (&["restartPolicy"], With(r#""Always""#)),
    (&["dnsPolicy"], With(r#""ClusterFirst""#)),
    (&["schedulerName"], With(r#""default-scheduler""#)),
    (&["terminationGracePeriodSeconds"], With("30")),
    (&["securityContext"], With("{}")),
    (&["enableServiceLinks"], With("true")),
    (&["volumes", ANY, "configMap", "defaultMode"], With("420")),
    (&["volumes", ANY, "secret", "defaultMode"], With("420")),
    (&["volumes", ANY, "projected", "defaultMode"], With("420")),
    (&["volumes", ANY, "downwardAPI", "defaultMode"], With("420")),
    (&["volumes", ANY, "downwardAPI", "items", ANY, "fieldRef", "apiVersion"], With(r#""v1""#)),
    (&["volumes", ANY, "projected", "sources", ANY, "serviceAccountToken", "expirationSeconds"], With("3600")),
    (&["volumes", ANY, "hostPath", "type"], With(r#""""#)),
];

/// Below a container.
#[rustfmt::skip]
const CONTAINER: &[(&[&str], Filled)] = &[
    (&["terminationMessagePath"], With(r#""/dev/termination-log""#)),
    (&["terminationMessagePolicy"], With(r#""File""#)),
    (&["imagePullPolicy"], PullPolicy),
    (&["resources"], With("{}")),
    (&["ports", ANY, "protocol"], With(r#""TCP""#)),
    (&["env", ANY, "valueFrom", "fieldRef", "apiVersion"], With(r#""v1""#)),
    (&["lifecycle", ANY, "httpGet", "scheme"], With(r#""HTTP""#)),
];

/// Below a probe of a container.
#[rustfmt::skip]
const PROBE: &[(&[&str], Filled)] = &[
    (&["timeoutSeconds"], With("1")),
    (&["periodSeconds"], With("10")),
    (&["successThreshold"], With("1")),
    (&["failureThreshold"], With("3")),
    (&["httpGet", "scheme"], With(r#""HTTP""#)),
    (&["httpGet", "path"], With(r#""/""#)),
    (&["grpc", "service"], With(r#""""#)),
];

/// Group, resource, field.
#[rustfmt::skip]
const KINDS: &[(&str, &str, &[&str], Filled)] = &[
    ("", "secrets", &["type"], With(r#""Opaque""#)),
    ("", "services", &["spec", "type"], With(r#""ClusterIP""#)),
    ("", "services", &["spec", "sessionAffinity"], With(r#""None""#)),
    ("", "services", &["spec", "sessionAffinityConfig", "clientIP", "timeoutSeconds"], With("10800")),
    ("", "services", &["spec", "internalTrafficPolicy"], With(r#""Cluster""#)),
    ("", "services", &["spec", "externalTrafficPolicy"], KeptForType),
    ("", "services", &["spec", "clusterIP"], KeptInside),
    ("", "services", &["spec", "clusterIPs"], KeptInside),
    ("", "services", &["spec", "ipFamilies"], KeptInside),
    ("", "services", &["spec", "ipFamilyPolicy"], KeptInside),
    ("", "services", &["spec", "ports", ANY, "protocol"], With(r#""TCP""#)),
    ("", "services", &["spec", "ports", ANY, "targetPort"], SamePort),
    ("", "services", &["spec", "ports", ANY, "nodePort"], KeptForType),
    ("", "replicationcontrollers", &["spec", "replicas"], With("1")),
    ("", "persistentvolumeclaims", &["spec", "volumeMode"], With(r#""Filesystem""#)),
    ("apps", "deployments", &["spec", "replicas"], With("1")),
    ("apps", "deployments", &["spec", "revisionHistoryLimit"], With("10")),
    ("apps", "deployments", &["spec", "progressDeadlineSeconds"], With("600")),
    ("apps", "deployments", &["spec", "strategy", "type"], With(r#""RollingUpdate""#)),
    ("apps", "deployments", &["spec", "strategy", "rollingUpdate", "maxUnavailable"], While("type", r#""RollingUpdate""#, r#""25%""#)),
    ("apps", "deployments", &["spec", "strategy", "rollingUpdate", "maxSurge"], While("type", r#""RollingUpdate""#, r#""25%""#)),
    ("apps", "replicasets", &["spec", "replicas"], With("1")),
    ("apps", "statefulsets", &["spec", "replicas"], With("1")),
    ("apps", "statefulsets", &["spec", "revisionHistoryLimit"], With("10")),
    ("apps", "statefulsets", &["spec", "podManagementPolicy"], With(r#""OrderedReady""#)),
    ("apps", "statefulsets", &["spec", "updateStrategy", "type"], With(r#""RollingUpdate""#)),
    ("apps", "statefulsets", &["spec", "updateStrategy", "rollingUpdate", "partition"], Inside("type", "0")),
    ("apps", "statefulsets", &["spec", "persistentVolumeClaimRetentionPolicy", "whenDeleted"], With(r#""Retain""#)),
    ("apps", "statefulsets", &["spec", "persistentVolumeClaimRetentionPolicy", "whenScaled"], With(r#""Retain""#)),
    ("apps", "statefulsets", &["spec", "volumeClaimTemplates", ANY, "apiVersion"], With(r#""v1""#)),
    ("apps", "statefulsets", &["spec", "volumeClaimTemplates", ANY, "kind"], With(r#""PersistentVolumeClaim""#)),
    ("apps", "statefulsets", &["spec", "volumeClaimTemplates", ANY, "spec", "volumeMode"], With(r#""Filesystem""#)),
    ("apps", "statefulsets", &["spec", "volumeClaimTemplates", ANY, "status"], Kept),
    ("apps", "daemonsets", &["spec", "revisionHistoryLimit"], With("10")),
    ("apps", "daemonsets", &["spec", "updateStrategy", "type"], With(r#""RollingUpdate""#)),
    ("apps", "daemonsets", &["spec", "updateStrategy", "rollingUpdate", "maxUnavailable"], While("type", r#""RollingUpdate""#, "1")),
    ("apps", "daemonsets", &["spec", "updateStrategy", "rollingUpdate", "maxSurge"], While("type", r#""RollingUpdate""#, "0")),
    ("batch", "jobs", &["spec", "completions"], With("1")),
    ("batch", "jobs", &["spec", "parallelism"], With("1")),
    ("batch", "jobs", &["spec", "backoffLimit"], With("6")),
    ("batch", "jobs", &["spec", "completionMode"], With(r#""NonIndexed""#)),
    ("batch", "jobs", &["spec", "suspend"], With("false")),
    ("batch", "jobs", &["spec", "manualSelector"], With("false")),
    ("batch", "jobs", &["spec", "podReplacementPolicy"], With(r#""TerminatingOrFailed""#)),
    ("batch", "cronjobs", &["spec", "concurrencyPolicy"], With(r#""Allow""#)),
    ("batch", "cronjobs", &["spec", "suspend"], With("false")),
    ("batch", "cronjobs", &["spec", "jobTemplate", "metadata"], With("{}")),
    ("batch", "cronjobs", &["spec", "jobTemplate", "spec", "template", "metadata"], With("{}")),
    ("batch", "jobs", &["spec", "template", "metadata"], With("{}")),
    ("batch", "cronjobs", &["spec", "successfulJobsHistoryLimit"], With("3")),
    ("batch", "cronjobs", &["spec", "failedJobsHistoryLimit"], With("1")),
    ("autoscaling", "horizontalpodautoscalers", &["spec", "minReplicas"], With("1")),
    ("autoscaling", "horizontalpodautoscalers", &["spec", "metrics"], With(r#"[{"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":80}}}]"#)),
    ("autoscaling", "horizontalpodautoscalers", &["spec", "behavior", "scaleDown", "selectPolicy"], With(r#""Max""#)),
    ("autoscaling", "horizontalpodautoscalers", &["spec", "behavior", "scaleDown", "policies"], With(r#"[{"type":"Percent","value":100,"periodSeconds":15}]"#)),
    ("autoscaling", "horizontalpodautoscalers", &["spec", "behavior", "scaleUp", "selectPolicy"], With(r#""Max""#)),
    ("autoscaling", "horizontalpodautoscalers", &["spec", "behavior", "scaleUp", "stabilizationWindowSeconds"], With("0")),
    ("autoscaling", "horizontalpodautoscalers", &["spec", "behavior", "scaleUp", "policies"], With(r#"[{"type":"Pods","value":4,"periodSeconds":15},{"type":"Percent","value":100,"periodSeconds":15}]"#)),
];

/// What is known of a field that a change leaves out.
pub(super) struct Omitted<'a> {
    pub(super) group: &'a str,
    pub(super) resource: &'a str,
    pub(super) before: &'a Value,
    pub(super) after: &'a Value,
}

impl Omitted<'_> {
    /// Whether the server puts the same value there again.
    pub(super) fn is_filled_in(&self, path: &[String], value: &Value) -> bool {
        let filled = self.rules(path).any(|filled| self.fills(filled, path, value));
        // A thing is there again if each of its parts is.
        filled
            || value.as_object().is_some_and(|object| {
                !object.is_empty()
                    && object.iter().all(|(key, member)| {
                        let below: Vec<String> = path.iter().cloned().chain([key.to_owned()]).collect();
                        self.is_filled_in(&below, member)
                    })
            })
    }

    fn rules<'p>(&self, path: &'p [String]) -> impl Iterator<Item = Filled> + use<'p, '_> {
        let of_kind = KINDS.iter().filter(|(group, resource, field, _)| {
            (*group, *resource) == (self.group, self.resource) && fits(path, field)
        });
        let below_pod = pod_spec(self.group, self.resource).and_then(|prefix| below(path, prefix));
        of_kind
            .map(|(.., filled)| *filled)
            .chain(below_pod.into_iter().flat_map(|path| in_pod(path).into_iter()))
    }

    fn fills(&self, filled: Filled, path: &[String], value: &Value) -> bool {
        let is = |text: &str| Value::parse(text.as_bytes()).is_ok_and(|expected| is_same(&expected, value));
        match filled {
            With(text) => is(text),
            Kept => true,
            While(beside, expected, text) => {
                // Beside the parent of the field.
                let depth = path.len().saturating_sub(2);
                let parent = path.get(..depth).and_then(|path| find(self.after, path));
                let found = parent
                    .and_then(|parent| parent.get(beside))
                    .filter(|found| **found != Value::Null);
                is(text) && found.is_none_or(|found| Value::parse(expected.as_bytes()).is_ok_and(|one| one == *found))
            }
            Inside(beside, text) => {
                let part = path.len().saturating_sub(1);
                let (part, around) = (path.get(..part), path.get(..part.saturating_sub(1)));
                let part = part
                    .and_then(|path| find(self.after, path))
                    .is_some_and(|part| part.as_object().is_some());
                let beside = around.and_then(|path| find(self.after, path)?.get(beside));
                is(text) && (part || beside.is_none_or(|beside| *beside == Value::Null))
            }
            KeptForType => service_type(self.before) == service_type(self.after),
            KeptInside => [self.before, self.after]
                .iter()
                .all(|object| service_type(object) != "ExternalName"),
            PullPolicy => {
                let image = self
                    .beside(path)
                    .and_then(|container| container.get("image"))
                    .and_then(Value::as_str);
                let expected = if image.is_none_or(is_latest) {
                    "Always"
                } else {
                    "IfNotPresent"
                };
                value.as_str() == Some(expected)
            }
            SamePort => self.beside(path).and_then(|port| port.get("port")) == Some(value),
        }
    }

    /// What the field stands in, before the change.
    fn beside(&self, path: &[String]) -> Option<&Value> {
        find(self.before, path.split_last()?.1)
    }
}

fn service_type(object: &Value) -> &str {
    object
        .at(&["spec", "type"])
        .and_then(Value::as_str)
        .unwrap_or("ClusterIP")
}

fn is_same(one: &Value, other: &Value) -> bool {
    let text = |value: &Value| {
        let mut text = String::new();
        canonical(value, &mut text);
        text
    };
    text(one) == text(other)
}

fn in_pod(path: &[String]) -> Vec<Filled> {
    let mut found: Vec<Filled> = of(POD_SPEC, path).collect();
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        if let Some(path) = below(path, &[list, ANY]) {
            found.extend(of(CONTAINER, path));
            for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
                if let Some(path) = below(path, &[probe]) {
                    found.extend(of(PROBE, path));
                }
            }
        }
    }
    found
}

fn of(table: &'static [(&[&str], Filled)], path: &[String]) -> impl Iterator<Item = Filled> {
    table
        .iter()
        .filter(|(field, _)| fits(path, field))
        .map(|(_, filled)| *filled)
}

fn fits(path: &[String], field: &[&str]) -> bool {
    below(path, field).is_some_and(<[String]>::is_empty)
}

/// What of a path is below a prefix.
fn below<'p>(path: &'p [String], prefix: &[&str]) -> Option<&'p [String]> {
    let (head, tail) = path.split_at_checked(prefix.len())?;
    let fits = head.iter().zip(prefix).all(|(token, key)| *key == ANY || token == key);
    fits.then_some(tail)
}

fn find<'v>(value: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, token| match value {
        Value::Array(elements) => elements.get(token.parse::<usize>().ok()?),
        other => other.get(token),
    })
}

fn is_latest(image: &str) -> bool {
    let name = image.rsplit('/').next().unwrap_or(image);
    !name.contains('@') && name.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}
