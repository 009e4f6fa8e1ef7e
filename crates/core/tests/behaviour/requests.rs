//! The requests of the tables.

use countersign_core::request::Live;

/// Where a request can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Where {
    Namespace,
    AllNamespaces,
    /// Discovery, and what is in no namespace.
    Outside,
}

pub(super) struct Request {
    pub(super) heading: &'static str,
    pub(super) what: &'static str,
    pub(super) method: &'static str,
    pub(super) place: Where,
    path: String,
    patch: Option<&'static str>,
    body: &'static str,
    live: &'static str,
}

/// A handshake that the gate accepts.
const HANDSHAKE: [(&str, &str); 4] = [
    ("connection", "Upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

impl Request {
    /// As it is written in the table.
    pub(super) fn written(&self) -> String {
        let mut text = format!("{} {}", self.method, self.path);
        for part in [self.patch.unwrap_or_default(), self.body] {
            if !part.is_empty() {
                text.push(' ');
                text.push_str(part);
            }
        }
        text
    }

    pub(super) fn changes(&self) -> bool {
        self.method != "GET" && !self.path.contains("/proxy") && !self.path.ends_with("reviews")
    }

    pub(super) fn target(&self, namespace: &str, dry_run: bool) -> String {
        let mut target = self.path.replace("{ns}", &format!("namespaces/{namespace}"));
        if dry_run {
            target.push(if target.contains('?') { '&' } else { '?' });
            target.push_str("dryRun=All");
        }
        target
    }

    pub(super) fn headers(&self) -> Vec<(&'static str, &'static str)> {
        let mut headers = Vec::new();
        if !self.body.is_empty() {
            let kind = match self.patch {
                Some("merge") => "application/merge-patch+json",
                Some("json") => "application/json-patch+json",
                Some("strategic") => "application/strategic-merge-patch+json",
                Some("apply") => "application/apply-patch+yaml",
                _ => "application/json",
            };
            headers.push(("content-type", kind));
        }
        if ["/exec?", "/attach?", "/portforward"]
            .iter()
            .any(|part| self.path.contains(part))
        {
            headers.extend(HANDSHAKE);
            let protocol = match self.path.contains("/portforward") {
                true => "v4.channel.k8s.io",
                false => "v5.channel.k8s.io",
            };
            headers.push(("sec-websocket-protocol", protocol));
        }
        headers
    }

    pub(super) fn body_in(&self, namespace: &str) -> String {
        self.body.replace("{ns}", namespace)
    }

    pub(super) fn live(&self, namespace: &str) -> Live {
        match self.live {
            "" => Live::Absent,
            live => super::live(&live.replace("{ns}", namespace)),
        }
    }
}

/// A ConfigMap.
const CONFIG_MAP: &str = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c","namespace":"{ns}","resourceVersion":"7"},"data":{"a":"1"}}"#;
/// A Secret.
const SECRET: &str = r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s","namespace":"{ns}","resourceVersion":"7"},"type":"Opaque","data":{"a":"MQ=="}}"#;
/// A Deployment of two replicas.
const DEPLOYMENT: &str = r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d","namespace":"{ns}","resourceVersion":"7"},"spec":{"replicas":2,"selector":{"matchLabels":{"app":"d"}},"template":{"metadata":{"labels":{"app":"d"}},"spec":{"automountServiceAccountToken":false,"containers":[{"name":"c","image":"registry.example.com/d:1"}]}}}}"#;
/// Its scale.
const SCALE: &str = r#"{"apiVersion":"autoscaling/v1","kind":"Scale","metadata":{"name":"d","namespace":"{ns}","resourceVersion":"7"},"spec":{"replicas":2}}"#;
/// A pod.
const POD: &str = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"{ns}","resourceVersion":"7"},"spec":{"containers":[{"name":"c","image":"registry.example.com/p:1"}]}}"#;
/// A custom resource.
const WIDGET: &str = r#"{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"w","namespace":"{ns}","resourceVersion":"7"},"spec":{"size":1}}"#;

/// The table, section by section: `what | method path | patch | body | live`.
pub(super) fn requests() -> Vec<Request> {
    let mut requests = Vec::new();
    for (heading, rows) in SECTIONS {
        for (what, line, patch, body, live) in *rows {
            let (method, path) = line.split_once(' ').expect(line);
            // `all`: in a namespace, and over all of them.
            let mut push = |path: String, place| {
                requests.push(Request {
                    heading,
                    what,
                    method,
                    place,
                    path,
                    patch: (!patch.is_empty()).then_some(*patch),
                    body,
                    live,
                });
            };
            if path.contains("{ns}") {
                push(path.to_owned(), Where::Namespace);
            } else if path.contains("/all/") {
                push(path.replace("/all/", "/{ns}/"), Where::Namespace);
                push(path.replace("/all/", "/"), Where::AllNamespaces);
            } else {
                push(path.to_owned(), Where::Outside);
            }
        }
    }
    requests
}

type Row = (&'static str, &'static str, &'static str, &'static str, &'static str);

#[rustfmt::skip]
const SECTIONS: &[(&str, &[Row])] = &[
    ("Discovery", &[
        ("the server's version", "GET /version", "", "", ""),
        ("the groups", "GET /apis", "", "", ""),
        ("a group's resources", "GET /apis/apps/v1", "", "", ""),
        ("the schema", "GET /openapi/v3", "", "", ""),
    ]),
    ("Reading", &[
        ("a pod", "GET /api/v1/{ns}/pods/p", "", "", ""),
        ("pods", "GET /api/v1/all/pods", "", "", ""),
        ("pods, watched", "GET /api/v1/all/pods?watch=true", "", "", ""),
        ("a Secret, masked", "GET /api/v1/{ns}/secrets/s", "", "", ""),
        ("Secrets, masked", "GET /api/v1/all/secrets", "", "", ""),
        ("Secrets, watched, masked", "GET /api/v1/all/secrets?watch=true", "", "", ""),
        ("a Deployment", "GET /apis/apps/v1/{ns}/deployments/d", "", "", ""),
        ("Deployments", "GET /apis/apps/v1/all/deployments", "", "", ""),
        ("Deployments, watched", "GET /apis/apps/v1/all/deployments?watch=true", "", "", ""),
        ("a scale", "GET /apis/apps/v1/{ns}/deployments/d/scale", "", "", ""),
        ("a status", "GET /api/v1/{ns}/pods/p/status", "", "", ""),
        ("a custom resource", "GET /apis/example.com/v1/{ns}/widgets/w", "", "", ""),
        ("custom resources", "GET /apis/example.com/v1/all/widgets", "", "", ""),
        ("custom resources, watched", "GET /apis/example.com/v1/all/widgets?watch=true", "", "", ""),
        ("a node", "GET /api/v1/nodes/n", "", "", ""),
        ("nodes", "GET /api/v1/nodes", "", "", ""),
        ("nodes, watched", "GET /api/v1/nodes?watch=true", "", "", ""),
        ("namespaces", "GET /api/v1/namespaces", "", "", ""),
        ("cluster roles", "GET /apis/rbac.authorization.k8s.io/v1/clusterroles", "", "", ""),
        ("policies of the guard", "GET /apis/countersign.dev/v1alpha1/{ns}/countersignpolicies", "", "", ""),
    ]),
    ("Logs", &[
        ("a log", "GET /api/v1/{ns}/pods/p/log", "", "", ""),
        ("a log, followed", "GET /api/v1/{ns}/pods/p/log?follow=true", "", "", ""),
    ]),
    ("Reviews", &[
        ("what I may do", "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "", r#"{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview","spec":{"resourceAttributes":{"verb":"get","resource":"pods"}}}"#, ""),
        ("who I am", "POST /apis/authentication.k8s.io/v1/selfsubjectreviews", "", r#"{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}"#, ""),
        ("what others may do", "POST /apis/authorization.k8s.io/v1/subjectaccessreviews", "", r#"{"apiVersion":"authorization.k8s.io/v1","kind":"SubjectAccessReview","spec":{"user":"ann","resourceAttributes":{"verb":"get","resource":"pods"}}}"#, ""),
        ("what others may do in a namespace", "POST /apis/authorization.k8s.io/v1/{ns}/localsubjectaccessreviews", "", r#"{"apiVersion":"authorization.k8s.io/v1","kind":"LocalSubjectAccessReview","metadata":{"namespace":"{ns}"},"spec":{"user":"ann","resourceAttributes":{"namespace":"{ns}","verb":"get","resource":"pods"}}}"#, ""),
        ("whose token this is", "POST /apis/authentication.k8s.io/v1/tokenreviews", "", r#"{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{"token":"x"}}"#, ""),
    ]),
    ("ConfigMaps", &[
        ("create", "POST /api/v1/{ns}/configmaps", "", r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"a":"1"}}"#, ""),
        ("add a key", "PATCH /api/v1/{ns}/configmaps/c", "merge", r#"{"data":{"b":"2"}}"#, CONFIG_MAP),
        ("change a value", "PATCH /api/v1/{ns}/configmaps/c", "merge", r#"{"data":{"a":"2"}}"#, CONFIG_MAP),
        ("remove a key", "PATCH /api/v1/{ns}/configmaps/c", "merge", r#"{"data":{"a":null}}"#, CONFIG_MAP),
        ("add a label", "PATCH /api/v1/{ns}/configmaps/c", "merge", r#"{"metadata":{"labels":{"a":"b"}}}"#, CONFIG_MAP),
        ("add a key", "PATCH /api/v1/{ns}/configmaps/c", "json", r#"[{"op":"add","path":"/data/b","value":"2"}]"#, CONFIG_MAP),
        ("remove a key", "PATCH /api/v1/{ns}/configmaps/c", "json", r#"[{"op":"remove","path":"/data/a"}]"#, CONFIG_MAP),
        ("add a key", "PATCH /api/v1/{ns}/configmaps/c", "strategic", r#"{"data":{"b":"2"}}"#, CONFIG_MAP),
        ("replace all keys", "PATCH /api/v1/{ns}/configmaps/c", "strategic", r#"{"data":{"$patch":"replace","b":"2"}}"#, CONFIG_MAP),
        ("apply a new one", "PATCH /api/v1/{ns}/configmaps/c?fieldManager=agent", "apply", r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"a":"1"}}"#, ""),
        ("apply to one that others made", "PATCH /api/v1/{ns}/configmaps/c?fieldManager=agent", "apply", r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"b":"2"}}"#, CONFIG_MAP),
        ("apply with force", "PATCH /api/v1/{ns}/configmaps/c?fieldManager=agent&force=true", "apply", r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"b":"2"}}"#, CONFIG_MAP),
        ("update, adding a key", "PUT /api/v1/{ns}/configmaps/c", "", r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c","resourceVersion":"7"},"data":{"a":"1","b":"2"}}"#, CONFIG_MAP),
        ("update, dropping a key", "PUT /api/v1/{ns}/configmaps/c", "", r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c","resourceVersion":"7"},"data":{"b":"2"}}"#, CONFIG_MAP),
        ("delete", "DELETE /api/v1/{ns}/configmaps/c", "", "", CONFIG_MAP),
        ("delete all", "DELETE /api/v1/{ns}/configmaps", "", "", ""),
        ("make it an owner's", "PATCH /api/v1/{ns}/configmaps/c", "merge", r#"{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"p","uid":"u"}]}}"#, CONFIG_MAP),
    ]),
    ("Secrets", &[
        ("create", "POST /api/v1/{ns}/secrets", "", r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"stringData":{"a":"1"}}"#, ""),
        ("create a token of a service account", "POST /api/v1/{ns}/secrets", "", r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s","annotations":{"kubernetes.io/service-account.name":"x"}},"type":"kubernetes.io/service-account-token"}"#, ""),
        ("create one that a controller copies", "POST /api/v1/{ns}/secrets", "", r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s","annotations":{"replicator.example.com/replicate-to":"*"}}}"#, ""),
        ("add a key", "PATCH /api/v1/{ns}/secrets/s", "merge", r#"{"stringData":{"b":"2"}}"#, SECRET),
        ("change a value", "PATCH /api/v1/{ns}/secrets/s", "merge", r#"{"stringData":{"a":"2"}}"#, SECRET),
        ("add a label", "PATCH /api/v1/{ns}/secrets/s", "merge", r#"{"metadata":{"labels":{"a":"b"}}}"#, SECRET),
        ("update", "PUT /api/v1/{ns}/secrets/s", "", r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s","resourceVersion":"7"},"type":"Opaque","data":{"b":"Mg=="}}"#, SECRET),
        ("delete", "DELETE /api/v1/{ns}/secrets/s", "", "", SECRET),
        ("delete all", "DELETE /api/v1/{ns}/secrets", "", "", ""),
    ]),
    ("Deployments", &[
        ("create, with an image of a known registry", "POST /apis/apps/v1/{ns}/deployments", "", r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{"replicas":2,"selector":{"matchLabels":{"app":"d"}},"template":{"metadata":{"labels":{"app":"d"}},"spec":{"containers":[{"name":"c","image":"registry.example.com/d:1"}]}}}}"#, ""),
        ("create, with any image", "POST /apis/apps/v1/{ns}/deployments", "", r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{"selector":{"matchLabels":{"app":"d"}},"template":{"metadata":{"labels":{"app":"d"}},"spec":{"containers":[{"name":"c","image":"nginx"}]}}}}"#, ""),
        ("create, of more replicas than some limits have", "POST /apis/apps/v1/{ns}/deployments", "", r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{"replicas":50,"selector":{"matchLabels":{"app":"d"}},"template":{"metadata":{"labels":{"app":"d"}},"spec":{"containers":[{"name":"c","image":"registry.example.com/d:1"}]}}}}"#, ""),
        ("create, with a Secret in its environment", "POST /apis/apps/v1/{ns}/deployments", "", r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{"selector":{"matchLabels":{"app":"d"}},"template":{"metadata":{"labels":{"app":"d"}},"spec":{"containers":[{"name":"c","image":"registry.example.com/d:1","envFrom":[{"secretRef":{"name":"s"}}]}]}}}}"#, ""),
        ("another image of a known registry", "PATCH /apis/apps/v1/{ns}/deployments/d", "strategic", r#"{"spec":{"template":{"spec":{"containers":[{"name":"c","image":"registry.example.com/d:2"}]}}}}"#, DEPLOYMENT),
        ("another image", "PATCH /apis/apps/v1/{ns}/deployments/d", "strategic", r#"{"spec":{"template":{"spec":{"containers":[{"name":"c","image":"nginx"}]}}}}"#, DEPLOYMENT),
        ("restart", "PATCH /apis/apps/v1/{ns}/deployments/d", "strategic", r#"{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"2026-03-01T09:00:00Z"}}}}}"#, DEPLOYMENT),
        ("scale to 3", "PATCH /apis/apps/v1/{ns}/deployments/d", "merge", r#"{"spec":{"replicas":3}}"#, DEPLOYMENT),
        ("scale to 0", "PATCH /apis/apps/v1/{ns}/deployments/d", "merge", r#"{"spec":{"replicas":0}}"#, DEPLOYMENT),
        ("scale to 3, by its scale", "PATCH /apis/apps/v1/{ns}/deployments/d/scale", "merge", r#"{"spec":{"replicas":3}}"#, SCALE),
        ("scale to 0, by its scale", "PATCH /apis/apps/v1/{ns}/deployments/d/scale", "merge", r#"{"spec":{"replicas":0}}"#, SCALE),
        ("scale to 0, by its scale", "PUT /apis/apps/v1/{ns}/deployments/d/scale", "", r#"{"apiVersion":"autoscaling/v1","kind":"Scale","metadata":{"name":"d","resourceVersion":"7"},"spec":{"replicas":0}}"#, SCALE),
        ("add a label", "PATCH /apis/apps/v1/{ns}/deployments/d", "json", r#"[{"op":"add","path":"/metadata/labels","value":{"a":"b"}}]"#, DEPLOYMENT),
        ("remove its number of replicas", "PATCH /apis/apps/v1/{ns}/deployments/d", "json", r#"[{"op":"remove","path":"/spec/replicas"}]"#, DEPLOYMENT),
        ("write its status", "PATCH /apis/apps/v1/{ns}/deployments/d/status", "merge", r#"{"status":{"replicas":3}}"#, DEPLOYMENT),
        ("delete", "DELETE /apis/apps/v1/{ns}/deployments/d", "", "", DEPLOYMENT),
        ("delete all", "DELETE /apis/apps/v1/{ns}/deployments", "", "", ""),
    ]),
    ("Pods", &[
        ("create, with an image of a known registry", "POST /api/v1/{ns}/pods", "", r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"registry.example.com/p:1"}]}}"#, ""),
        ("create, with a command", "POST /api/v1/{ns}/pods", "", r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"registry.example.com/p:1","command":["sh"]}]}}"#, ""),
        ("create, with a Secret as a volume", "POST /api/v1/{ns}/pods", "", r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"registry.example.com/p:1"}],"volumes":[{"name":"v","secret":{"secretName":"s"}}]}}"#, ""),
        ("create, under an account", "POST /api/v1/{ns}/pods", "", r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"serviceAccountName":"admin","containers":[{"name":"c","image":"registry.example.com/p:1"}]}}"#, ""),
        ("create, privileged", "POST /api/v1/{ns}/pods", "", r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"registry.example.com/p:1","securityContext":{"privileged":true}}]}}"#, ""),
        ("create, with a path of the host", "POST /api/v1/{ns}/pods", "", r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"registry.example.com/p:1"}],"volumes":[{"name":"v","hostPath":{"path":"/"}}]}}"#, ""),
        ("create, in the host's network", "POST /api/v1/{ns}/pods", "", r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"hostNetwork":true,"containers":[{"name":"c","image":"registry.example.com/p:1"}]}}"#, ""),
        ("add a label", "PATCH /api/v1/{ns}/pods/p", "merge", r#"{"metadata":{"labels":{"a":"b"}}}"#, POD),
        ("write its status", "PATCH /api/v1/{ns}/pods/p/status", "merge", r#"{"status":{"phase":"Failed"}}"#, POD),
        ("add a container to debug it", "PATCH /api/v1/{ns}/pods/p/ephemeralcontainers", "strategic", r#"{"spec":{"ephemeralContainers":[{"name":"e","image":"busybox"}]}}"#, POD),
        ("evict", "POST /api/v1/{ns}/pods/p/eviction", "", r#"{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"p"}}"#, POD),
        ("delete", "DELETE /api/v1/{ns}/pods/p", "", "", POD),
        ("delete at once", "DELETE /api/v1/{ns}/pods/p?gracePeriodSeconds=0", "", "", POD),
        ("delete all", "DELETE /api/v1/{ns}/pods", "", "", ""),
    ]),
    ("Custom resources", &[
        ("create", "POST /apis/example.com/v1/{ns}/widgets", "", r#"{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"w"},"spec":{"size":1}}"#, ""),
        ("add a field", "PATCH /apis/example.com/v1/{ns}/widgets/w", "merge", r#"{"spec":{"colour":"red"}}"#, WIDGET),
        ("remove a field", "PATCH /apis/example.com/v1/{ns}/widgets/w", "merge", r#"{"spec":{"size":null}}"#, WIDGET),
        ("write its status", "PATCH /apis/example.com/v1/{ns}/widgets/w/status", "merge", r#"{"status":{"ready":true}}"#, WIDGET),
        ("delete", "DELETE /apis/example.com/v1/{ns}/widgets/w", "", "", WIDGET),
        ("of a controller that acts with rights of its own", "POST /apis/argoproj.io/v1alpha1/{ns}/applications", "", r#"{"apiVersion":"argoproj.io/v1alpha1","kind":"Application","metadata":{"name":"a"}}"#, ""),
        ("a policy of the guard", "POST /apis/countersign.dev/v1alpha1/{ns}/countersignpolicies", "", r#"{"apiVersion":"countersign.dev/v1alpha1","kind":"CountersignPolicy","metadata":{"name":"x"},"spec":{}}"#, ""),
    ]),
    ("Connections", &[
        ("a command", "GET /api/v1/{ns}/pods/p/exec?command=ls&stdout=true", "", "", ""),
        ("attach", "GET /api/v1/{ns}/pods/p/attach?stdout=true", "", "", ""),
        ("a port", "GET /api/v1/{ns}/pods/p/portforward?ports=80", "", "", ""),
        ("a pod, by proxy", "GET /api/v1/{ns}/pods/p/proxy/", "", "", ""),
        ("a service, by proxy", "POST /api/v1/{ns}/services/s/proxy/reload", "", "", ""),
        ("a node, by proxy", "GET /api/v1/nodes/n/proxy/metrics", "", "", ""),
    ]),
    ("Credentials", &[
        ("a token of a service account", "POST /api/v1/{ns}/serviceaccounts/x/token", "", r#"{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}"#, ""),
        ("a certificate", "POST /apis/certificates.k8s.io/v1/certificatesigningrequests", "", r#"{"apiVersion":"certificates.k8s.io/v1","kind":"CertificateSigningRequest","metadata":{"name":"x"},"spec":{"signerName":"kubernetes.io/kube-apiserver-client","request":"","usages":["client auth"]}}"#, ""),
    ]),
    ("What is never sent", &[
        ("a role binding", "POST /apis/rbac.authorization.k8s.io/v1/{ns}/rolebindings", "", r#"{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"name":"r"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"admin"}}"#, ""),
        ("a role binding, deleted", "DELETE /apis/rbac.authorization.k8s.io/v1/{ns}/rolebindings/r", "", "", ""),
        ("a cluster role", "POST /apis/rbac.authorization.k8s.io/v1/clusterroles", "", r#"{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"r"}}"#, ""),
        ("the definition of a resource", "DELETE /apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com", "", "", ""),
        ("a webhook", "POST /apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", "", r#"{"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingWebhookConfiguration","metadata":{"name":"x"}}"#, ""),
        ("an admission policy", "DELETE /apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/x", "", "", ""),
        ("an API service", "DELETE /apis/apiregistration.k8s.io/v1/apiservices/v1.example.com", "", "", ""),
        ("a namespace", "POST /api/v1/namespaces", "", r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"team-c"}}"#, ""),
        ("labels of a namespace", "PATCH /api/v1/namespaces/team-a", "merge", r#"{"metadata":{"labels":{"a":"b"}}}"#, ""),
        ("a node", "PATCH /api/v1/nodes/n", "merge", r#"{"spec":{"unschedulable":true}}"#, ""),
        ("a node, deleted", "DELETE /api/v1/nodes/n", "", "", ""),
        ("a service account", "POST /api/v1/{ns}/serviceaccounts", "", r#"{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"x"}}"#, ""),
        ("where a pod runs", "POST /api/v1/{ns}/pods/p/binding", "", r#"{"apiVersion":"v1","kind":"Binding","metadata":{"name":"p"},"target":{"kind":"Node","name":"n"}}"#, ""),
        ("endpoints", "POST /api/v1/{ns}/endpoints", "", r#"{"apiVersion":"v1","kind":"Endpoints","metadata":{"name":"x"}}"#, ""),
        ("a storage class", "DELETE /apis/storage.k8s.io/v1/storageclasses/x", "", "", ""),
        ("a persistent volume", "DELETE /api/v1/persistentvolumes/x", "", "", ""),
    ]),
    ("Namespaces", &[
        ("delete one that is in the scopes", "DELETE /api/v1/namespaces/team-a", "", "", ""),
        ("delete one of the cluster", "DELETE /api/v1/namespaces/kube-system", "", "", ""),
        ("delete the guard's", "DELETE /api/v1/namespaces/countersign", "", "", ""),
    ]),
    ("What the gate refuses", &[
        ("a path with an escape", "GET /api/v1/{ns}/pods/a%2Fb", "", "", ""),
        ("a resource that nobody knows", "GET /apis/unknown.example.com/v1/{ns}/things", "", "", ""),
    ]),
];
