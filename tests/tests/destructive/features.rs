//! Objects as sets of features, so that two of a kind have much in common and differ in little.

use serde_json::{Value, json};

/// Random numbers that are the same in every run.
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % end
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<'v, T>(&mut self, values: &'v [T]) -> &'v T {
        &values[self.below(values.len())]
    }
}

/// A kind of object.
pub(crate) struct Kind {
    pub(crate) api_version: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) path: &'static str,
    pub(crate) built_in: bool,
    /// What every object of the kind has.
    base: fn() -> Value,
    features: &'static [Feature],
}

/// Where it is set, and the values that it may have. A place in a list is named by the element's key: `containers[app]`.
struct Feature(&'static str, fn() -> Vec<Value>);

/// Which features an object has, and with which of their values.
#[derive(Clone, Debug)]
pub(crate) struct Manifest(Vec<Option<usize>>);

pub(crate) const KINDS: &[Kind] = &[
    Kind {
        api_version: "v1",
        kind: "ConfigMap",
        path: "/api/v1/namespaces/NAMESPACE/configmaps",
        built_in: true,
        base: || json!({}),
        features: &[
            LABEL_A,
            LABEL_B,
            ANNOTATION,
            FINALIZER,
            FINALIZER_2,
            Feature("data.a", texts),
            Feature("data.b", texts),
            Feature("data.c", texts),
            Feature("binaryData.d", encoded),
        ],
    },
    Kind {
        api_version: "v1",
        kind: "Secret",
        path: "/api/v1/namespaces/NAMESPACE/secrets",
        built_in: true,
        base: || json!({"type": "Opaque"}),
        features: &[
            LABEL_A,
            LABEL_B,
            ANNOTATION,
            FINALIZER,
            Feature("data.a", encoded),
            Feature("data.b", encoded),
            Feature("stringData.a", texts),
            Feature("stringData.c", texts),
        ],
    },
    Kind {
        api_version: "apps/v1",
        kind: "Deployment",
        path: "/apis/apps/v1/namespaces/NAMESPACE/deployments",
        built_in: true,
        base: || {
            json!({"spec": {"selector": {"matchLabels": {"app": "web"}}, "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "app", "image": "registry.internal/app:1"}]},
            }}})
        },
        features: &[
            LABEL_A,
            LABEL_B,
            ANNOTATION,
            FINALIZER,
            FINALIZER_2,
            Feature("spec.replicas", || vec![json!(1), json!(2), json!(5)]),
            Feature("spec.paused", || vec![json!(true), json!(false)]),
            Feature("spec.minReadySeconds", || vec![json!(5), json!(9)]),
            Feature("spec.revisionHistoryLimit", || vec![json!(10), json!(3)]),
            Feature("spec.strategy", || {
                vec![
                    json!({"type": "Recreate"}),
                    json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}),
                ]
            }),
            Feature("spec.template.metadata.labels.tier", texts),
            Feature("spec.template.spec.terminationGracePeriodSeconds", || {
                vec![json!(30), json!(5)]
            }),
            Feature("spec.template.spec.nodeSelector.disk", texts),
            Feature("spec.template.spec.securityContext.runAsNonRoot", || vec![json!(true)]),
            Feature("spec.template.spec.tolerations", || {
                let one = json!({"key": "a", "operator": "Exists"});
                let two = json!({"key": "b", "operator": "Exists", "effect": "NoSchedule"});
                vec![json!([one]), json!([one, two]), json!([two])]
            }),
            Feature("spec.template.spec.containers[app].image", || {
                vec![json!("registry.internal/app:2"), json!("registry.internal/app")]
            }),
            Feature("spec.template.spec.containers[app].args", || {
                vec![json!(["-v"]), json!(["-v", "-x"]), json!(["-q"])]
            }),
            Feature("spec.template.spec.containers[app].env[A].value", texts),
            Feature("spec.template.spec.containers[app].env[PASSWORD].value", texts),
            Feature("spec.template.spec.containers[app].env[NODE].valueFrom", || {
                vec![json!({"fieldRef": {"fieldPath": "spec.nodeName"}})]
            }),
            Feature("spec.template.spec.containers[app].ports", || {
                vec![
                    json!([{"containerPort": 80}]),
                    json!([{"containerPort": 80}, {"containerPort": 81, "protocol": "UDP"}]),
                ]
            }),
            Feature("spec.template.spec.containers[app].resources.limits.cpu", || {
                vec![json!("100m"), json!("1")]
            }),
            Feature("spec.template.spec.containers[app].livenessProbe", || {
                vec![
                    json!({"httpGet": {"path": "/healthz", "port": 80}}),
                    json!({"httpGet": {"port": 81}, "periodSeconds": 20}),
                    json!({"exec": {"command": ["true"]}}),
                ]
            }),
            Feature("spec.template.spec.containers[side].image", || {
                vec![json!("registry.internal/side:1"), json!("registry.internal/side:2")]
            }),
            Feature("spec.template.spec.initContainers[init].image", || {
                vec![json!("registry.internal/init:1")]
            }),
            Feature("spec.template.spec.volumes[scratch]", || {
                vec![
                    json!({"emptyDir": {}}),
                    json!({"emptyDir": {"sizeLimit": "1Gi"}}),
                    json!({"configMap": {"name": "x"}}),
                ]
            }),
            Feature("spec.template.spec.volumes[more]", || vec![json!({"emptyDir": {}})]),
        ],
    },
    Kind {
        api_version: "v1",
        kind: "Service",
        path: "/api/v1/namespaces/NAMESPACE/services",
        built_in: true,
        base: || json!({"spec": {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80}]}}),
        features: &[
            LABEL_A,
            ANNOTATION,
            Feature("spec.selector.tier", texts),
            Feature("spec.type", || vec![json!("NodePort"), json!("ClusterIP")]),
            Feature("spec.sessionAffinity", || vec![json!("ClientIP"), json!("None")]),
            Feature("spec.publishNotReadyAddresses", || vec![json!(true)]),
            Feature("spec.ports[http].targetPort", || vec![json!(8080), json!(80)]),
            Feature("spec.ports[https].port", || vec![json!(443)]),
        ],
    },
    Kind {
        api_version: "batch/v1",
        kind: "Job",
        path: "/apis/batch/v1/namespaces/NAMESPACE/jobs",
        built_in: true,
        base: || {
            let container = json!({"name": "app", "image": "registry.internal/app:1"});
            json!({"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}})
        },
        features: &[
            LABEL_A,
            LABEL_B,
            ANNOTATION,
            FINALIZER,
            Feature("spec.parallelism", || vec![json!(1), json!(2)]),
            Feature("spec.backoffLimit", || vec![json!(6), json!(1)]),
            Feature("spec.activeDeadlineSeconds", || vec![json!(600)]),
            Feature("spec.ttlSecondsAfterFinished", || vec![json!(600)]),
        ],
    },
    Kind {
        api_version: "apps/v1",
        kind: "StatefulSet",
        path: "/apis/apps/v1/namespaces/NAMESPACE/statefulsets",
        built_in: true,
        base: || {
            let claim = json!({"metadata": {"name": "data"}, "spec": {
                "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
            }});
            json!({"spec": {"serviceName": "db", "selector": {"matchLabels": {"app": "db"}}, "volumeClaimTemplates": [claim],
                "template": {
                    "metadata": {"labels": {"app": "db"}},
                    "spec": {"containers": [{"name": "app", "image": "registry.internal/app:1"}]},
                },
            }})
        },
        features: &[
            LABEL_A,
            ANNOTATION,
            FINALIZER,
            Feature("spec.replicas", || vec![json!(1), json!(2), json!(5)]),
            Feature("spec.minReadySeconds", || vec![json!(5), json!(9)]),
            Feature("spec.persistentVolumeClaimRetentionPolicy.whenScaled", || {
                vec![json!("Retain"), json!("Delete")]
            }),
            Feature("spec.updateStrategy", || {
                vec![
                    json!({"type": "OnDelete"}),
                    json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}),
                ]
            }),
            Feature("spec.template.spec.containers[app].image", || {
                vec![json!("registry.internal/app:2")]
            }),
            Feature("spec.template.spec.containers[app].envFrom", || {
                let (one, two) = (
                    json!({"configMapRef": {"name": "a"}}),
                    json!({"secretRef": {"name": "b"}}),
                );
                vec![json!([one]), json!([one, two]), json!([two])]
            }),
            Feature("spec.template.spec.imagePullSecrets[one]", || vec![json!({})]),
            Feature("spec.template.spec.hostAliases", || {
                vec![
                    json!([{"ip": "10.0.0.1", "hostnames": ["a"]}]),
                    json!([{"ip": "10.0.0.1", "hostnames": ["a", "b"]}]),
                    json!([{"ip": "10.0.0.2", "hostnames": ["a"]}]),
                ]
            }),
            Feature("spec.template.spec.topologySpreadConstraints", || {
                let of = |unsatisfiable: &str| {
                    json!({"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": unsatisfiable,
                        "labelSelector": {"matchLabels": {"app": "db"}}})
                };
                vec![json!([of("DoNotSchedule")]), json!([of("ScheduleAnyway")])]
            }),
            Feature("spec.template.spec.affinity.nodeAffinity", || {
                let term = |value: &str| {
                    json!({"nodeSelectorTerms": [{"matchExpressions": [
                        {"key": "disk", "operator": "In", "values": [value]}]}]})
                };
                vec![
                    json!({"requiredDuringSchedulingIgnoredDuringExecution": term("ssd")}),
                    json!({"requiredDuringSchedulingIgnoredDuringExecution": term("hdd")}),
                ]
            }),
        ],
    },
    Kind {
        api_version: "batch/v1",
        kind: "CronJob",
        path: "/apis/batch/v1/namespaces/NAMESPACE/cronjobs",
        built_in: true,
        base: || {
            let container = json!({"name": "app", "image": "registry.internal/app:1"});
            json!({"spec": {"schedule": "0 * * * *", "jobTemplate": {"spec": {"template": {"spec": {
                "restartPolicy": "Never", "containers": [container],
            }}}}}})
        },
        features: &[
            LABEL_A,
            ANNOTATION,
            Feature("spec.schedule", || vec![json!("5 * * * *"), json!("6 * * * *")]),
            Feature("spec.suspend", || vec![json!(true), json!(false)]),
            Feature("spec.timeZone", || vec![json!("Etc/UTC")]),
            Feature("spec.concurrencyPolicy", || vec![json!("Allow"), json!("Forbid")]),
            Feature("spec.successfulJobsHistoryLimit", || vec![json!(3), json!(5)]),
            Feature("spec.startingDeadlineSeconds", || vec![json!(30)]),
            Feature("spec.jobTemplate.metadata.labels.a", texts),
            Feature("spec.jobTemplate.spec.backoffLimit", || vec![json!(6), json!(1)]),
            Feature("spec.jobTemplate.spec.ttlSecondsAfterFinished", || vec![json!(600)]),
            Feature("spec.jobTemplate.spec.template.spec.containers[app].command", || {
                vec![json!(["true"]), json!(["sleep", "1"])]
            }),
        ],
    },
    Kind {
        api_version: "networking.k8s.io/v1",
        kind: "Ingress",
        path: "/apis/networking.k8s.io/v1/namespaces/NAMESPACE/ingresses",
        built_in: true,
        base: || {
            let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
            json!({"spec": {"defaultBackend": backend}})
        },
        features: &[
            LABEL_A,
            ANNOTATION,
            Feature("spec.ingressClassName", || vec![json!("nginx")]),
            Feature("spec.tls", || {
                vec![json!([{"hosts": ["a.example.com"], "secretName": "tls"}])]
            }),
            Feature("spec.rules", || {
                let rule = |host: &str, port: u32| {
                    let backend = json!({"service": {"name": "web", "port": {"number": port}}});
                    json!({"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}})
                };
                vec![
                    json!([rule("a.example.com", 80)]),
                    json!([rule("a.example.com", 80), rule("b.example.com", 80)]),
                    json!([rule("a.example.com", 81)]),
                ]
            }),
        ],
    },
    Kind {
        api_version: "autoscaling/v2",
        kind: "HorizontalPodAutoscaler",
        path: "/apis/autoscaling/v2/namespaces/NAMESPACE/horizontalpodautoscalers",
        built_in: true,
        base: || {
            let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"});
            json!({"spec": {"maxReplicas": 10, "scaleTargetRef": target}})
        },
        features: &[
            LABEL_A,
            ANNOTATION,
            Feature("spec.minReplicas", || vec![json!(1), json!(2)]),
            Feature("spec.maxReplicas", || vec![json!(5), json!(9)]),
            Feature("spec.metrics", || {
                let of = |name: &str, percent: u32| {
                    json!({"type": "Resource", "resource": {"name": name,
                        "target": {"type": "Utilization", "averageUtilization": percent}}})
                };
                vec![
                    json!([of("cpu", 50)]),
                    json!([of("cpu", 50), of("memory", 60)]),
                    json!([of("memory", 60)]),
                ]
            }),
            Feature("spec.behavior.scaleDown.stabilizationWindowSeconds", || {
                vec![json!(60), json!(90)]
            }),
        ],
    },
    Kind {
        api_version: "destructive.example.com/v1",
        kind: "Gadget",
        path: "/apis/destructive.example.com/v1/namespaces/NAMESPACE/gadgets",
        built_in: false,
        base: || json!({"spec": {}}),
        features: &[
            LABEL_A,
            LABEL_B,
            ANNOTATION,
            FINALIZER,
            Feature("spec.size", || vec![json!(1), json!(2)]),
            Feature("spec.colour", texts),
            Feature("spec.nested.a", texts),
            Feature("spec.nested.b", texts),
            Feature("spec.items", || {
                let (one, two) = (json!({"id": "one", "value": "1"}), json!({"id": "two", "value": "2"}));
                vec![json!([one]), json!([one, two]), json!([two])]
            }),
            Feature("spec.tags", || vec![json!(["a"]), json!(["a", "b"]), json!(["b"])]),
            Feature("spec.atomicMap", || {
                vec![json!({"a": "1"}), json!({"a": "1", "b": "2"}), json!({"b": "2"})]
            }),
            Feature("spec.atomicList", || vec![json!(["a"]), json!(["a", "b"])]),
            Feature("spec.extra", || {
                vec![
                    json!("text"),
                    json!({"a": 1}),
                    json!({"a": 1, "b": [1, {"c": 2}]}),
                    json!([1, 2]),
                ]
            }),
        ],
    },
];

const LABEL_A: Feature = Feature("metadata.labels.a", texts);
const LABEL_B: Feature = Feature("metadata.labels.b", texts);
const ANNOTATION: Feature = Feature("metadata.annotations.example", texts);
const FINALIZER: Feature = Feature("metadata.finalizers[]", || vec![json!("example.com/a")]);
const FINALIZER_2: Feature = Feature("metadata.finalizers[]", || vec![json!("example.com/b")]);

fn texts() -> Vec<Value> {
    vec![json!("one"), json!("two"), json!("three")]
}

fn encoded() -> Vec<Value> {
    vec![json!("b25l"), json!("dHdv"), json!("dGhyZWU=")]
}

impl Manifest {
    pub(crate) fn random(kind: &Kind, rng: &mut Rng) -> Self {
        let features = kind.features.iter();
        Self(
            features
                .map(|feature| rng.one_in(2).then(|| rng.below(feature.1().len())))
                .collect(),
        )
    }

    /// One that differs in few features: more often in what it has in addition than in what it lacks.
    pub(crate) fn edited(&self, kind: &Kind, rng: &mut Rng) -> Self {
        let mut edited = self.clone();
        for _ in 0..=rng.below(3) {
            let at = rng.below(edited.0.len());
            let variants = kind.features[at].1().len();
            edited.0[at] = match edited.0[at] {
                Some(_) if rng.one_in(3) => None,
                Some(_) | None => Some(rng.below(variants)),
            };
        }
        edited
    }

    /// The object that has these features.
    pub(crate) fn object(&self, kind: &Kind, name: &str) -> Value {
        let mut object = (kind.base)();
        object["apiVersion"] = json!(kind.api_version);
        object["kind"] = json!(kind.kind);
        object["metadata"] = json!({"name": name});
        for (Feature(path, values), variant) in kind.features.iter().zip(&self.0) {
            if let Some(variant) = variant {
                let steps: Vec<&str> = path.split('.').collect();
                set(&mut object, &steps, values()[*variant].clone());
            }
        }
        object
    }
}

fn set(object: &mut Value, steps: &[&str], value: Value) {
    let (step, rest) = steps.split_first().expect("a path");
    let (key, element) = match step.split_once('[') {
        Some((key, element)) => (key, Some(element.trim_end_matches(']'))),
        None => (*step, None),
    };
    let place = &mut object[key];
    let place = match element {
        None => place,
        Some(name) => {
            if place.is_null() {
                *place = json!([]);
            }
            let elements = place.as_array_mut().expect("a list");
            if name.is_empty() {
                elements.push(value);
                return;
            }
            let at = elements.iter().position(|element| element["name"] == name);
            let at = at.unwrap_or_else(|| {
                elements.push(json!({"name": name}));
                elements.len() - 1
            });
            &mut elements[at]
        }
    };
    if !rest.is_empty() {
        set(place, rest, value);
    } else if let (Some(old), Value::Object(new)) = (place.as_object_mut(), &value) {
        old.extend(new.clone());
    } else {
        *place = value;
    }
}
