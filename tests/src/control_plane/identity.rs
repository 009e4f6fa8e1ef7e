//! Clients: who they are by certificate, and what they may do by RBAC.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use k8s_openapi::ByteString;
use k8s_openapi::api::authorization::v1::{
    NonResourceAttributes, ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec,
};
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding};
use kube::api::{Api, PostParams};
use kube::{Client, Config};
use serde_json::{Value, json};

use super::pki::{Authority, Pair};
use super::{ControlPlane, Error};

/// Where the rights of a client hold.
#[derive(Clone, Copy, Debug)]
pub enum Scope<'a> {
    /// In one namespace, through a `Role`.
    Namespace(&'a str),
    /// In every namespace and on cluster-scoped resources, through a `ClusterRole`.
    Cluster,
}

/// An API server and the authority that signs its clients.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    port: u16,
    ca: Arc<Authority>,
}

impl Endpoint {
    pub(super) fn new(port: u16, ca: Arc<Authority>) -> Self {
        Self { port, ca }
    }

    pub(super) fn ca(&self) -> &Authority {
        &self.ca
    }

    fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// A client configuration for a freshly signed certificate. Built by hand: what kube infers from the environment
    /// (a proxy, say) has no place between a test and its API server.
    pub(super) fn config(&self, user: &str, group: Option<&str>) -> Result<Config, Error> {
        let mut config = Config::new(self.url().parse().map_err(Error::broken)?);
        config.root_cert = Some(vec![self.ca.der().to_vec()]);
        config.auth_info = serde_json::from_value(credentials(self.ca.client(user, group)?)).map_err(Error::broken)?;
        Ok(config)
    }

    /// A kubeconfig document with everything inside it. JSON, which every reader of YAML takes.
    pub(super) fn kubeconfig(&self, user: &str, group: Option<&str>) -> Result<Value, Error> {
        Ok(json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "control-plane",
            "contexts": [{"name": "control-plane", "context": {"cluster": "control-plane", "user": user}}],
            "clusters": [{"name": "control-plane", "cluster": {
                "server": self.url(),
                "certificate-authority-data": ByteString(self.ca.pem().as_bytes().to_vec()),
            }}],
            "users": [{"name": user, "user": credentials(self.ca.client(user, group)?)}],
        }))
    }
}

fn credentials(pair: Pair) -> Value {
    json!({
        "client-certificate-data": ByteString(pair.certificate.into_bytes()),
        "client-key-data": ByteString(pair.key.into_bytes()),
    })
}

impl ControlPlane {
    /// A client of that name, in that group if any, with whatever rights RBAC gives them.
    pub fn config_for(&self, user: &str, group: Option<&str>) -> Config {
        self.endpoint().config(user, group).expect("the authority signs")
    }

    /// As [`config_for`](Self::config_for), as a kubeconfig document.
    pub fn kubeconfig_for(&self, user: &str, group: Option<&str>) -> String {
        self.endpoint()
            .kubeconfig(user, group)
            .expect("the authority signs")
            .to_string()
    }

    /// A new user who may do what `rules` say in `scope`, and nothing else but what every authenticated user may
    /// (discovery, reviews of oneself). Returns once the authorizer knows.
    pub async fn client_with(&self, rules: Vec<PolicyRule>, scope: Scope<'_>) -> Config {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let user = format!("test-user-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        self.grant(&user, rules, scope).await;
        self.config_for(&user, None)
    }

    /// Gives `user` the rights that `rules` say in `scope`, and returns once the authorizer knows.
    pub async fn grant(&self, user: &str, rules: Vec<PolicyRule>, scope: Scope<'_>) {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let name = format!("{user}-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let kind = match scope {
            Scope::Namespace(_) => "Role",
            Scope::Cluster => "ClusterRole",
        };
        let role = json!({"metadata": {"name": name}, "rules": rules});
        let binding = json!({
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
        });
        let client = self.admin();
        match scope {
            Scope::Namespace(namespace) => {
                create(&Api::<Role>::namespaced(client.clone(), namespace), role).await;
                create(&Api::<RoleBinding>::namespaced(client.clone(), namespace), binding).await;
            }
            Scope::Cluster => {
                create(&Api::<ClusterRole>::all(client.clone()), role).await;
                create(&Api::<ClusterRoleBinding>::all(client.clone()), binding).await;
            }
        }
        if let Some(rule) = rules.first() {
            wait_until_allowed(client, user, rule, scope).await;
        }
    }
}

async fn create<K>(api: &Api<K>, object: Value)
where
    K: Clone + std::fmt::Debug + serde::Serialize + serde::de::DeserializeOwned,
{
    let object = serde_json::from_value(object).expect("an RBAC object");
    api.create(&PostParams::default(), &object)
        .await
        .expect("the administrator may create RBAC objects");
}

/// The authorizer learns of roles and bindings from watches: a moment after the API server stored them.
async fn wait_until_allowed(client: Client, user: &str, rule: &PolicyRule, scope: Scope<'_>) {
    let first = |list: &Option<Vec<String>>| list.as_ref().and_then(|list| list.first().cloned());
    let verb = rule.verbs.first().cloned();
    let mut spec = SubjectAccessReviewSpec {
        user: Some(user.to_owned()),
        ..Default::default()
    };
    if let Some(path) = first(&rule.non_resource_urls) {
        spec.non_resource_attributes = Some(NonResourceAttributes { path: Some(path), verb });
    } else {
        let resource = first(&rule.resources).unwrap_or_default();
        let (resource, subresource) = match resource.split_once('/') {
            Some((resource, subresource)) => (resource.to_owned(), Some(subresource.to_owned())),
            None => (resource, None),
        };
        spec.resource_attributes = Some(ResourceAttributes {
            group: first(&rule.api_groups),
            name: first(&rule.resource_names),
            namespace: match scope {
                Scope::Namespace(namespace) => Some(namespace.to_owned()),
                Scope::Cluster => None,
            },
            resource: Some(resource),
            subresource,
            verb,
            ..Default::default()
        });
    }
    let review = SubjectAccessReview {
        spec,
        ..Default::default()
    };
    let reviews = Api::<SubjectAccessReview>::all(client);
    let begun = Instant::now();
    loop {
        let answer = reviews
            .create(&PostParams::default(), &review)
            .await
            .expect("the administrator may ask");
        if answer.status.is_some_and(|status| status.allowed) {
            return;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "the authorizer never learned of the rights of {user}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
