//! Every place of an object that may hold a secret, with a canary in it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_tests::canary::Canary;
use serde_json::{Value, json};

pub(crate) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Objects with canaries, and what was planted where.
pub(crate) struct Planted {
    namespace: String,
    /// The object is made at this URL; a status, if any, is patched in behind it.
    pub(crate) objects: Vec<Object>,
    pub(crate) canaries: Vec<(String, Canary)>,
}

pub(crate) struct Object {
    /// URL of the collection.
    pub(crate) collection: String,
    pub(crate) body: Value,
    pub(crate) status: Option<Value>,
}

impl Object {
    pub(crate) fn name(&self) -> &str {
        self.body["metadata"]["name"].as_str().expect("a name")
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/{}", self.collection, self.name())
    }
}

impl Planted {
    pub(crate) fn new(namespace: &str) -> Self {
        let mut planted = Self {
            namespace: namespace.to_owned(),
            objects: Vec::new(),
            canaries: Vec::new(),
        };
        planted.secrets();
        planted.config_maps();
        planted.workloads();
        planted.statuses();
        planted.events();
        planted.storage();
        planted.metadata();
        planted.custom();
        planted
    }

    /// A value that only its place gives away.
    fn opaque(&mut self, place: &str) -> String {
        self.plant(place, Canary::escaped(&word(place), &self.namespace))
    }

    /// A value in a text that what is around it gives away.
    fn word(&mut self, place: &str) -> String {
        self.plant(place, Canary::new(&word(place), &self.namespace))
    }

    fn plant(&mut self, place: &str, canary: Canary) -> String {
        let value = canary.0.clone();
        self.canaries.push((place.to_owned(), canary));
        value
    }

    fn namespaced(&mut self, group: &str, resource: &str, body: Value) -> &mut Object {
        let collection = format!("{}/namespaces/{}/{resource}", root(group), self.namespace);
        self.add(collection, body)
    }

    fn cluster_scoped(&mut self, group: &str, resource: &str, body: Value) -> &mut Object {
        let collection = format!("{}/{resource}", root(group));
        self.add(collection, body)
    }

    fn add(&mut self, collection: String, body: Value) -> &mut Object {
        self.objects.push(Object {
            collection,
            body,
            status: None,
        });
        self.objects.last_mut().expect("it was just added")
    }

    fn secrets(&mut self) {
        let (data, string_data) = (self.opaque("Secret data"), self.opaque("Secret stringData"));
        let (label, copied) = (self.word("Secret label"), self.opaque("Secret annotation"));
        let applied = self.opaque("Secret last-applied");
        let applied = json!({"kind": "Secret", "stringData": {"a": applied}}).to_string();
        self.namespaced(
            "v1",
            "secrets",
            json!({
                "kind": "Secret",
                "metadata": {
                    "name": "planted",
                    // A label holds at most 63 characters.
                    "labels": {"copy": &label[..label.len().min(63)]},
                    "annotations": {LAST_APPLIED: applied, "copy": copied, "encoded": STANDARD.encode(&data)},
                },
                "data": {"a": STANDARD.encode(&data)},
                "stringData": {"b": string_data, "c": copied, "token": label, "password": &label[..label.len().min(63)]},
            }),
        );
        let release = self.opaque("Helm release");
        self.namespaced(
            "v1",
            "secrets",
            json!({
                "kind": "Secret",
                "type": "helm.sh/release.v1",
                "metadata": {"name": "sh.helm.release.v1.web.v1", "labels": {"owner": "helm"}},
                "stringData": {"release": release},
            }),
        );
    }

    fn config_maps(&mut self) {
        let by_key = self.opaque("ConfigMap key");
        let env = self.word("ConfigMap .env");
        let docker = self.word("ConfigMap docker config");
        let kubeconfig = self.word("ConfigMap kubeconfig");
        let (pem, binary) = (self.word("ConfigMap private key"), self.word("ConfigMap binaryData"));
        let url = self.word("ConfigMap URL");
        let auths = json!({"auths": {"registry.internal": {"auth": STANDARD.encode(format!("agent:{docker}"))}}});
        let pem = STANDARD.encode(format!("{}{pem}{}", "k".repeat(90), "k".repeat(90)));
        self.namespaced(
            "v1",
            "configmaps",
            json!({
                "kind": "ConfigMap",
                "metadata": {"name": "planted"},
                "data": {
                    "db-password": by_key,
                    ".env": format!("LOG_LEVEL=info\nDB_PASSWORD={env}\n"),
                    "config.json": auths.to_string(),
                    "kubeconfig": format!("apiVersion: v1\nkind: Config\nusers:\n- name: a\n  user:\n    token: {kubeconfig}\n"),
                    "key.pem": format!("-----BEGIN PRIVATE KEY-----\n{pem}\n-----END PRIVATE KEY-----\n"),
                    "settings": format!("url: postgres://web:{url}@db:5432/web\n"),
                    "harmless": "for everybody",
                },
                "binaryData": {"blob": STANDARD.encode(format!("password={binary}\n"))},
            }),
        );
    }

    /// A pod's spec, with a canary wherever there is room for one.
    fn pod_spec(&mut self, of: &str) -> Value {
        let env = self.opaque(&format!("{of} env"));
        let by_value = self.word(&format!("{of} env by its value"));
        let arguments = self.word(&format!("{of} args"));
        let attached = self.word(&format!("{of} attached flag"));
        let init = self.opaque(&format!("{of} init env"));
        let shell = self.word(&format!("{of} shell"));
        let header = self.word(&format!("{of} lifecycle header"));
        let probe = self.word(&format!("{of} probe header"));
        let csi = self.word(&format!("{of} CSI attribute"));
        let flex = self.word(&format!("{of} flex option"));
        json!({
            "nodeName": "nowhere",
            "restartPolicy": "Always",
            "containers": [{
                "name": "app",
                "image": "registry.internal/app:1",
                "command": ["mysql", "-u", "root", format!("-p{attached}")],
                "args": ["--verbose", format!("--password={arguments}")],
                "env": [
                    {"name": "DB_PASSWORD", "value": env},
                    {"name": "DATABASE_URL", "value": format!("postgres://web:{by_value}@db:5432/web")},
                    {"name": "LOG_LEVEL", "value": "info"},
                ],
                "lifecycle": {"preStop": {"httpGet": {"port": 80, "httpHeaders": [{"name": "Authorization", "value": format!("Bearer {header}")}]}}},
                "livenessProbe": {"httpGet": {"port": 80, "httpHeaders": [{"name": "X-Api-Key", "value": probe}]}},
                "readinessProbe": {"exec": {"command": ["sh", "-c", format!("PGPASSWORD={shell} psql -c 'select 1'")]}},
            }],
            "initContainers": [{"name": "init", "image": "registry.internal/app:1", "env": [{"name": "API_TOKEN", "value": init}]}],
            "volumes": [
                {"name": "csi", "csi": {"driver": "csi.example.com", "volumeAttributes": {"password": csi}}},
                {"name": "flex", "flexVolume": {"driver": "example.com/flex", "options": {"password": flex}}},
            ],
        })
    }

    fn workloads(&mut self) {
        let spec = self.pod_spec("Pod");
        let applied = json!({"kind": "Pod", "apiVersion": "v1", "spec": self.pod_spec("Pod last-applied")}).to_string();
        let metadata = json!({"name": "planted", "annotations": {LAST_APPLIED: applied}});
        self.namespaced("v1", "pods", json!({"kind": "Pod", "metadata": metadata, "spec": spec}));
        let template = |spec: Value| json!({"metadata": {"labels": {"app": "planted"}}, "spec": spec});
        let spec = template(self.pod_spec("PodTemplate"));
        let named = json!({"name": "planted"});
        self.namespaced(
            "v1",
            "podtemplates",
            json!({"kind": "PodTemplate", "metadata": named, "template": spec}),
        );
        let selector = json!({"matchLabels": {"app": "planted"}});
        for (group, resource, kind) in [
            ("apps/v1", "deployments", "Deployment"),
            ("apps/v1", "replicasets", "ReplicaSet"),
            ("apps/v1", "statefulsets", "StatefulSet"),
            ("apps/v1", "daemonsets", "DaemonSet"),
        ] {
            let spec =
                json!({"selector": selector, "serviceName": "planted", "template": template(self.pod_spec(kind))});
            self.namespaced(group, resource, json!({"kind": kind, "metadata": named, "spec": spec}));
        }
        let spec = json!({"selector": {"app": "planted"}, "replicas": 0, "template": template(self.pod_spec("ReplicationController"))});
        self.namespaced(
            "v1",
            "replicationcontrollers",
            json!({"kind": "ReplicationController", "metadata": named, "spec": spec}),
        );
        let never = |mut spec: Value| {
            spec["restartPolicy"] = "Never".into();
            json!({"spec": spec})
        };
        let spec = json!({"template": never(self.pod_spec("Job"))});
        self.namespaced(
            "batch/v1",
            "jobs",
            json!({"kind": "Job", "metadata": named, "spec": spec}),
        );
        let spec =
            json!({"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": never(self.pod_spec("CronJob"))}}});
        self.namespaced(
            "batch/v1",
            "cronjobs",
            json!({"kind": "CronJob", "metadata": named, "spec": spec}),
        );
        let data = json!({"spec": {"template": {"spec": self.pod_spec("ControllerRevision")}}});
        self.namespaced(
            "apps/v1",
            "controllerrevisions",
            json!({"kind": "ControllerRevision", "metadata": named, "revision": 1, "data": data}),
        );
    }

    fn statuses(&mut self) {
        let message = |text: String| format!("failed: password={text} was refused");
        let terminated = message(self.word("Pod terminated message"));
        let waiting = message(self.word("Pod waiting message"));
        let (own, condition) = (
            message(self.word("Pod status message")),
            message(self.word("Pod condition")),
        );
        let container = |name: &str, state: Value| json!({"name": name, "state": state, "image": "a", "imageID": "", "ready": false, "restartCount": 1});
        let status = json!({"status": {
            "message": own,
            "conditions": [{"type": "Ready", "status": "False", "message": condition}],
            "containerStatuses": [
                container("app", json!({"terminated": {"exitCode": 1, "message": terminated}})),
                container("other", json!({"waiting": {"reason": "CrashLoopBackOff", "message": waiting}})),
            ],
        }});
        let container = |name: &str| json!({"name": name, "image": "registry.internal/app:1"});
        let spec = json!({"nodeName": "nowhere", "containers": [container("app"), container("other")]});
        let pod = json!({"kind": "Pod", "metadata": {"name": "crashed"}, "spec": spec});
        self.namespaced("v1", "pods", pod).status = Some(status);
    }

    fn events(&mut self) {
        let message = self.word("Event message");
        let involved = json!({"kind": "Pod", "name": "planted", "namespace": self.namespace});
        let body = json!({
            "kind": "Event",
            "metadata": {"name": "planted.1"},
            "involvedObject": involved,
            "reason": "Unhealthy",
            "message": format!("probe failed: Authorization: Bearer {message}"),
        });
        self.namespaced("v1", "events", body);
        let note = self.word("Event note");
        let body = json!({
            "kind": "Event",
            "metadata": {"name": "planted.2"},
            "regarding": involved,
            "reason": "Unhealthy",
            "action": "Probing",
            "type": "Warning",
            "eventTime": "2026-01-01T00:00:00.000000Z",
            "reportingController": "kubelet",
            "reportingInstance": "node-1",
            "note": format!("probe failed: DB_PASSWORD={note}"),
        });
        self.namespaced("events.k8s.io/v1", "events", body);
    }

    fn storage(&mut self) {
        let name = format!("planted-{}", self.namespace);
        let attribute = self.opaque("PersistentVolume attribute");
        let csi =
            json!({"driver": "csi.example.com", "volumeHandle": "1", "volumeAttributes": {"password": attribute}});
        let spec = json!({"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "csi": csi});
        let body = json!({"kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec});
        self.cluster_scoped("v1", "persistentvolumes", body);
        let parameter = self.opaque("StorageClass parameter");
        let body = json!({"kind": "StorageClass", "metadata": {"name": name}, "provisioner": "csi.example.com", "parameters": {"adminSecretKey": parameter}});
        self.cluster_scoped("storage.k8s.io/v1", "storageclasses", body);
        let attached = self.opaque("VolumeAttachment metadata");
        let spec =
            json!({"attacher": "csi.example.com", "nodeName": "nowhere", "source": {"persistentVolumeName": name}});
        let body = json!({"kind": "VolumeAttachment", "metadata": {"name": name}, "spec": spec});
        let status = json!({"status": {"attached": true, "attachmentMetadata": {"password": attached}}});
        self.cluster_scoped("storage.k8s.io/v1", "volumeattachments", body)
            .status = Some(status);
    }

    fn metadata(&mut self) {
        let by_key = self.opaque("Service annotation");
        let spec = json!({"ports": [{"port": 80}]});
        let metadata = json!({"name": "planted", "annotations": {"example.com/admin-password": by_key}});
        self.namespaced(
            "v1",
            "services",
            json!({"kind": "Service", "metadata": metadata, "spec": spec}),
        );
        let snippet = self.word("Ingress annotation");
        let snippet = format!("proxy_set_header Authorization \"Bearer {snippet}\";");
        let metadata =
            json!({"name": "planted", "annotations": {"nginx.ingress.kubernetes.io/configuration-snippet": snippet}});
        let spec = json!({"defaultBackend": {"service": {"name": "planted", "port": {"number": 80}}}});
        self.namespaced(
            "networking.k8s.io/v1",
            "ingresses",
            json!({"kind": "Ingress", "metadata": metadata, "spec": spec}),
        );
        let lease = self.opaque("Lease annotation");
        let metadata = json!({"name": "planted", "annotations": {"example.com/token": lease}});
        self.namespaced(
            "coordination.k8s.io/v1",
            "leases",
            json!({"kind": "Lease", "metadata": metadata, "spec": {}}),
        );
        let account = self.opaque("ServiceAccount annotation");
        let metadata = json!({"name": "planted", "annotations": {"example.com/api-key": account}});
        self.namespaced(
            "v1",
            "serviceaccounts",
            json!({"kind": "ServiceAccount", "metadata": metadata}),
        );
    }

    fn custom(&mut self) {
        let password = self.opaque("custom resource password");
        let nested = self.opaque("custom resource nested key");
        let url = self.word("custom resource URL");
        let parameter = self.opaque("custom resource parameter");
        let embedded = self.opaque("custom resource with a Secret in it");
        let template = json!({"spec": self.pod_spec("custom resource with a pod template")});
        self.namespaced(
            "planted.example.com/v1",
            "widgets",
            json!({
                "apiVersion": "planted.example.com/v1",
                "kind": "Widget",
                "metadata": {"name": "planted"},
                "spec": {
                    "password": password,
                    "values": {"deeply": [{"nested": {"apiKey": nested}}]},
                    "connection": format!("amqp://web:{url}@queue:5672/"),
                    "parameters": [{"name": "db.password", "value": parameter}],
                    "manifests": [{"apiVersion": "v1", "kind": "Secret", "stringData": {"a": embedded}}],
                    "template": template,
                },
            }),
        );
    }
}

/// The kind of [`Planted::custom`], with a column that shows what it should not.
pub(crate) fn widget_definition() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.planted.example.com"},
        "spec": {
            "group": "planted.example.com",
            "scope": "Namespaced",
            "names": {"kind": "Widget", "listKind": "WidgetList", "plural": "widgets", "singular": "widget"},
            "versions": [{
                "name": "v1",
                "served": true,
                "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                    "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                }}},
                "additionalPrinterColumns": [{
                    "name": "Login", "type": "string", "description": "Says little.", "jsonPath": ".spec.password",
                }],
            }],
        },
    })
}

/// `/api/v1` or `/apis/GROUP/VERSION`.
fn root(group: &str) -> String {
    if group == "v1" {
        "/api/v1".to_owned()
    } else {
        format!("/apis/{group}")
    }
}

/// Initials and length, so that each place has a word of its own that is short enough for a label.
fn word(place: &str) -> String {
    let letters: String = place
        .to_lowercase()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    let vowelless: String = letters.chars().filter(|letter| !"aeiou".contains(*letter)).collect();
    vowelless
}
