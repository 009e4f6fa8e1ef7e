//! What is masked: answers as kube-apiserver sends them, made up.
//!
//! Pods are what a Deployment makes, as the server keeps them: environment, arguments, probes, volumes, conditions, the
//! status of each container, `managedFields`. Of most lists here, each pod is of a Deployment of its own and has the
//! annotation that `kubectl apply` leaves, JSON inside JSON; of one, ten at a time are replicas, as in most clusters.

use std::fmt::Write as _;

pub const MARKER: &str = "countersign.masked.value";
pub const MARKER_BASE64: &str = "Y291bnRlcnNpZ24ubWFza2VkLnZhbHVl";
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Whether the value of an environment variable, or below a key of a ConfigMap, is masked in this bench.
pub fn is_secret_name(name: &str) -> bool {
    ["PASSWORD", "TOKEN", "password"].iter().any(|end| name.ends_with(end))
}

/// One answer.
pub struct Workload {
    pub name: &'static str,
    pub shape: Shape,
    pub body: Vec<u8>,
    /// Bytes of the largest item.
    pub largest: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    Secrets,
    Pods,
    ConfigMaps,
    PodEvents,
}

pub fn all(scale: usize) -> Vec<Workload> {
    vec![
        list("SecretList", Shape::Secrets, 7_600_000 / scale, secret),
        list("ConfigMapList", Shape::ConfigMaps, 9_800_000 / scale, config_map),
        list("PodList", Shape::Pods, 37_600_000 / scale, |dice| {
            let deployment = deployment(dice);
            pod(dice, &deployment, Form::Applied)
        }),
        replicas("PodList of replicas", 37_600_000 / scale),
        watch("watch of pods", 75_700_000 / scale),
    ]
}

/// Pods of Deployments with ten replicas each.
fn replicas(name: &'static str, size: usize) -> Workload {
    let (mut current, mut number) = (None, 0);
    list(name, Shape::Pods, size, |dice| {
        if number % 10 == 0 {
            current = Some(deployment(dice));
        }
        number += 1;
        pod(dice, current.as_ref().unwrap(), Form::Replica)
    })
}

fn list(name: &'static str, shape: Shape, size: usize, mut item: impl FnMut(&mut Dice) -> String) -> Workload {
    let kind = match shape {
        Shape::Secrets => "SecretList",
        Shape::ConfigMaps => "ConfigMapList",
        Shape::Pods | Shape::PodEvents => "PodList",
    };
    let mut body =
        format!(r#"{{"kind":"{kind}","apiVersion":"v1","metadata":{{"resourceVersion":"184467440"}},"items":["#);
    let (mut dice, mut largest) = (Dice(7), 0);
    while body.len() < size {
        if largest > 0 {
            body.push(',');
        }
        let item = item(&mut dice);
        largest = largest.max(item.len());
        body.push_str(&item);
    }
    body.push_str("]}\n");
    Workload {
        name,
        shape,
        body: body.into_bytes(),
        largest,
    }
}

fn watch(name: &'static str, size: usize) -> Workload {
    let (mut dice, mut largest, mut body) = (Dice(11), 0, String::new());
    while body.len() < size {
        let kind = dice.pick(&["ADDED", "MODIFIED", "MODIFIED", "MODIFIED", "DELETED"]);
        let deployment = deployment(&mut dice);
        let pod = pod(&mut dice, &deployment, Form::Event);
        let event = format!("{{\"type\":\"{kind}\",\"object\":{pod}}}\n");
        largest = largest.max(event.len());
        body.push_str(&event);
    }
    Workload {
        name,
        shape: Shape::PodEvents,
        body: body.into_bytes(),
        largest,
    }
}

fn secret(dice: &mut Dice) -> String {
    let mut data = String::new();
    for number in 0..dice.below(3) + 1 {
        let key = dice.pick(&["tls.crt", "tls.key", "password", "config.json", "token", "ca.crt"]);
        let length = [24, 64, 1_200, 2_400][dice.below(4) as usize] + dice.below(16) * 4;
        let _ = write!(data, r#""{number}-{key}":"{}","#, dice.text(length as usize));
    }
    data.pop();
    let name = dice.name();
    format!(
        r#"{{"metadata":{{"name":"{name}","namespace":"team-{}","uid":"{}","resourceVersion":"{}","creationTimestamp":"2026-03-01T10:00:00Z","labels":{{"app.kubernetes.io/name":"{name}","app.kubernetes.io/managed-by":"Helm"}},"managedFields":[{{"manager":"helm","operation":"Update","apiVersion":"v1","time":"2026-03-01T10:00:00Z","fieldsType":"FieldsV1","fieldsV1":{{"f:data":{{".":{{}},"f:password":{{}}}},"f:metadata":{{"f:labels":{{".":{{}},"f:app.kubernetes.io/managed-by":{{}}}}}},"f:type":{{}}}}}}]}},"data":{{{data}}},"type":"Opaque"}}"#,
        dice.below(40),
        dice.uid(),
        dice.below(99_999_999),
    )
}

fn config_map(dice: &mut Dice) -> String {
    let name = dice.name();
    let mut data = format!(
        r#""LOG_LEVEL":"info","DB_HOST":"postgres.team-a.svc","DB_PASSWORD":"{}""#,
        dice.text(18)
    );
    for number in 0..dice.below(4) {
        let _ = write!(data, r#","server-{number}.conf":""#);
        for line in 0..dice.below(30) {
            let _ = write!(
                data,
                r"location /path-{line} {{\n\tproxy_pass http://backend-{line}:8080;\n}}\n"
            );
        }
        data.push('"');
    }
    format!(
        r#"{{"metadata":{{"name":"{name}","namespace":"team-{}","uid":"{}","resourceVersion":"{}","creationTimestamp":"2026-03-01T10:00:00Z","managedFields":[{{"manager":"helm","operation":"Update","apiVersion":"v1","time":"2026-03-01T10:00:00Z","fieldsType":"FieldsV1","fieldsV1":{{"f:data":{{".":{{}},"f:LOG_LEVEL":{{}},"f:DB_HOST":{{}}}}}}}}]}},"data":{{{data}}}}}"#,
        dice.below(40),
        dice.uid(),
        dice.below(99_999_999),
    )
}

struct Deployment {
    app: String,
    containers: String,
}

fn deployment(dice: &mut Dice) -> Deployment {
    let app = dice.name();
    let containers: Vec<String> = (0..1 + dice.below(3))
        .map(|number| container(dice, &app, number))
        .collect();
    Deployment {
        containers: containers.join(","),
        app,
    }
}

/// How a pod is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// In a list, made by `kubectl apply`.
    Applied,
    /// The same in an event of a watch.
    Event,
    /// In a list, made by a ReplicaSet.
    Replica,
}

fn pod(dice: &mut Dice, deployment: &Deployment, form: Form) -> String {
    let Deployment { app, containers } = deployment;
    let uid = dice.uid();
    let name = format!("{app}-{:x}-{}", dice.below(0xffff_ffff), dice.below(99_999));
    let namespace = format!("team-{}", dice.below(40));
    let applied = format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"annotations":{{}},"labels":{{"app":"{app}"}},"name":"{name}","namespace":"{namespace}"}},"spec":{{"containers":[{containers}],"serviceAccountName":"{app}"}}}}"#
    );
    let mut annotation = serde_json::to_string(&format!("{applied}\n")).unwrap();
    // As Go writes it.
    annotation = annotation
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026");
    let applied = match form {
        Form::Replica => String::new(),
        Form::Applied | Form::Event => format!("\"{LAST_APPLIED}\":{annotation},"),
    };
    let kind = if form == Form::Event {
        r#""kind":"Pod","apiVersion":"v1","#
    } else {
        ""
    };
    let times = "2026-03-01T10:00:00Z";
    let statuses: Vec<String> = (0..containers.matches("\"image\"").count())
        .map(|number| {
            format!(
                r#"{{"name":"c-{number}","state":{{"running":{{"startedAt":"{times}"}}}},"lastState":{{"terminated":{{"exitCode":{},"reason":"Error","startedAt":"{times}","finishedAt":"{times}","containerID":"containerd://{}"}}}},"ready":true,"restartCount":{},"image":"registry.internal/{app}:1.{number}","imageID":"registry.internal/{app}@sha256:{}","containerID":"containerd://{}","started":true}}"#,
                dice.below(2), dice.hex(64), dice.below(9), dice.hex(64), dice.hex(64)
            )
        })
        .collect();
    let conditions: Vec<String> = [
        "PodReadyToStartContainers",
        "Initialized",
        "Ready",
        "ContainersReady",
        "PodScheduled",
    ]
    .iter()
    .map(|kind| format!(r#"{{"type":"{kind}","status":"True","lastProbeTime":null,"lastTransitionTime":"{times}"}}"#))
    .collect();
    format!(
        r#"{{{kind}"metadata":{{"name":"{name}","generateName":"{app}-","namespace":"{namespace}","uid":"{uid}","resourceVersion":"{}","generation":1,"creationTimestamp":"{times}","labels":{{"app":"{app}","app.kubernetes.io/name":"{app}","app.kubernetes.io/part-of":"shop","pod-template-hash":"{:x}","team":"{namespace}"}},"annotations":{{"checksum/config":"{}",{applied}"prometheus.io/port":"9090","prometheus.io/scrape":"true"}},"ownerReferences":[{{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"{app}","uid":"{}","controller":true,"blockOwnerDeletion":true}}],"managedFields":{MANAGED}}},"spec":{{"volumes":[{{"name":"config","configMap":{{"name":"{app}-config","defaultMode":420}}}},{{"name":"kube-api-access","projected":{{"sources":[{{"serviceAccountToken":{{"expirationSeconds":3607,"path":"token"}}}},{{"configMap":{{"name":"kube-root-ca.crt","items":[{{"key":"ca.crt","path":"ca.crt"}}]}}}},{{"downwardAPI":{{"items":[{{"path":"namespace","fieldRef":{{"apiVersion":"v1","fieldPath":"metadata.namespace"}}}}]}}}}],"defaultMode":420}}}}],"containers":[{containers}],"restartPolicy":"Always","terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst","serviceAccountName":"{app}","serviceAccount":"{app}","nodeName":"node-{}","securityContext":{{"runAsNonRoot":true,"fsGroup":1000}},"schedulerName":"default-scheduler","tolerations":[{{"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":300}},{{"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":"NoExecute","tolerationSeconds":300}}],"priority":0,"enableServiceLinks":true,"preemptionPolicy":"PreemptLowerPriority"}},"status":{{"phase":"Running","conditions":[{}],"hostIP":"10.0.0.{}","hostIPs":[{{"ip":"10.0.0.1"}}],"podIP":"10.244.1.{}","podIPs":[{{"ip":"10.244.1.2"}}],"startTime":"{times}","containerStatuses":[{}],"qosClass":"Burstable"}}}}"#,
        dice.below(99_999_999),
        dice.below(0xffff_ffff),
        dice.hex(64),
        dice.uid(),
        dice.below(400),
        conditions.join(","),
        dice.below(255),
        dice.below(255),
        statuses.join(","),
    )
}

fn container(dice: &mut Dice, app: &str, number: u64) -> String {
    let mut env = String::new();
    for name in [
        "LOG_LEVEL",
        "DB_HOST",
        "DB_USER",
        "REGION",
        "FEATURE_FLAGS",
        "HTTP_PORT",
    ] {
        if dice.below(4) > 0 {
            let value = dice.pick(&[
                "info",
                "postgres.shop.svc",
                "eu-west-1",
                "8080",
                "checkout,search",
                "true",
            ]);
            let _ = write!(env, r#"{{"name":"{name}","value":"{value}"}},"#);
        }
    }
    for name in ["DB_PASSWORD", "API_TOKEN"] {
        if dice.below(2) > 0 {
            let _ = write!(env, r#"{{"name":"{name}","value":"{}"}},"#, dice.text(20));
        }
    }
    let _ = write!(
        env,
        r#"{{"name":"POD_NAME","valueFrom":{{"fieldRef":{{"apiVersion":"v1","fieldPath":"metadata.name"}}}}}},{{"name":"DB_CA","valueFrom":{{"secretKeyRef":{{"name":"{app}-db","key":"ca.crt"}}}}}}"#
    );
    format!(
        r#"{{"name":"c-{number}","image":"registry.internal/{app}:1.{number}","command":["/usr/bin/server"],"args":["--listen=:8080","--log-format=json","--config=/etc/{app}/config.yaml","--shutdown-timeout=30s"],"ports":[{{"name":"http","containerPort":8080,"protocol":"TCP"}},{{"name":"metrics","containerPort":9090,"protocol":"TCP"}}],"env":[{env}],"resources":{{"limits":{{"cpu":"500m","memory":"512Mi"}},"requests":{{"cpu":"100m","memory":"128Mi"}}}},"volumeMounts":[{{"name":"config","readOnly":true,"mountPath":"/etc/{app}"}},{{"name":"kube-api-access","readOnly":true,"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}}],"livenessProbe":{{"httpGet":{{"path":"/healthz","port":"http","scheme":"HTTP"}},"initialDelaySeconds":5,"timeoutSeconds":1,"periodSeconds":10,"successThreshold":1,"failureThreshold":3}},"readinessProbe":{{"httpGet":{{"path":"/readyz","port":"http","scheme":"HTTP"}},"timeoutSeconds":1,"periodSeconds":10,"successThreshold":1,"failureThreshold":3}},"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File","imagePullPolicy":"IfNotPresent","securityContext":{{"capabilities":{{"drop":["ALL"]}},"readOnlyRootFilesystem":true,"allowPrivilegeEscalation":false}}}}"#
    )
}

const MANAGED: &str = r#"[{"manager":"kube-controller-manager","operation":"Update","apiVersion":"v1","time":"2026-03-01T10:00:00Z","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:annotations":{".":{},"f:checksum/config":{},"f:prometheus.io/port":{},"f:prometheus.io/scrape":{}},"f:generateName":{},"f:labels":{".":{},"f:app":{},"f:pod-template-hash":{},"f:team":{}},"f:ownerReferences":{".":{},"k:{\"uid\":\"1b4e28ba-2fa1-11d2-883f-0016d3cca427\"}":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"c-0\"}":{".":{},"f:args":{},"f:command":{},"f:env":{".":{},"k:{\"name\":\"DB_HOST\"}":{".":{},"f:name":{},"f:value":{}},"k:{\"name\":\"DB_PASSWORD\"}":{".":{},"f:name":{},"f:value":{}},"k:{\"name\":\"LOG_LEVEL\"}":{".":{},"f:name":{},"f:value":{}}},"f:image":{},"f:imagePullPolicy":{},"f:livenessProbe":{".":{},"f:failureThreshold":{},"f:httpGet":{".":{},"f:path":{},"f:port":{},"f:scheme":{}},"f:periodSeconds":{}},"f:name":{},"f:ports":{".":{},"k:{\"containerPort\":8080,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{},"f:name":{},"f:protocol":{}}},"f:resources":{".":{},"f:limits":{".":{},"f:cpu":{},"f:memory":{}}},"f:terminationMessagePath":{},"f:volumeMounts":{".":{},"k:{\"mountPath\":\"/etc/app\"}":{".":{},"f:mountPath":{},"f:name":{}}}}},"f:dnsPolicy":{},"f:enableServiceLinks":{},"f:restartPolicy":{},"f:schedulerName":{},"f:securityContext":{},"f:serviceAccount":{}}}},{"manager":"kubelet","operation":"Update","apiVersion":"v1","time":"2026-03-01T10:00:05Z","fieldsType":"FieldsV1","fieldsV1":{"f:status":{"f:conditions":{"k:{\"type\":\"ContainersReady\"}":{".":{},"f:lastProbeTime":{},"f:lastTransitionTime":{},"f:status":{},"f:type":{}},"k:{\"type\":\"Ready\"}":{".":{},"f:lastProbeTime":{},"f:lastTransitionTime":{},"f:status":{},"f:type":{}}},"f:containerStatuses":{},"f:hostIP":{},"f:phase":{},"f:podIP":{},"f:podIPs":{".":{},"k:{\"ip\":\"10.244.1.2\"}":{".":{},"f:ip":{}}},"f:startTime":{}}},"subresource":"status"}]"#;

/// Numbers that only look like chance: every run has the same input.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }

    fn pick<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.below(texts.len() as u64) as usize]
    }

    fn hex(&mut self, length: usize) -> String {
        (0..length)
            .map(|_| char::from(b"0123456789abcdef"[self.below(16) as usize]))
            .collect()
    }

    /// Letters and digits, also valid as base64.
    fn text(&mut self, length: usize) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        (0..length.next_multiple_of(4))
            .map(|_| char::from(LETTERS[self.below(62) as usize]))
            .collect()
    }

    fn uid(&mut self) -> String {
        let hex = self.hex(32);
        format!(
            "{}-{}-{}-{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..]
        )
    }

    fn name(&mut self) -> String {
        let (one, other) = (
            self.pick(&["cart", "search", "checkout", "billing", "mail", "catalog"]),
            self.pick(&["api", "worker", "frontend", "cron", "gateway"]),
        );
        format!("{one}-{other}")
    }
}
