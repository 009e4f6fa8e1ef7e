//! What clients make of masked answers: kubectl, the types of kube-rs, and the Python client.

use std::collections::BTreeMap;
use std::env;
use std::io::Write as _;
use std::path::Path;

use countersign_tests::gateway::Gateway;
use countersign_tests::program::{command, run};
use k8s_openapi::api::{
    admissionregistration::v1 as admission, apps::v1 as apps, batch::v1 as batch, coordination::v1 as coordination,
    core::v1 as core, discovery::v1 as discovery, events::v1 as events, networking::v1 as networking,
    policy::v1 as policy, rbac::v1 as rbac, scheduling::v1 as scheduling, storage::v1 as storage,
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Client;
use kube::api::{Api, ListParams};
use serde::Deserialize;

const MARKER: &str = "countersign.masked.value";

/// Decodes every object of these kinds, and counts them.
macro_rules! decode {
    ($client:expr, $($kind:ty),+ $(,)?) => {{
        let mut decoded = 0;
        $({
            let list = Api::<$kind>::all($client.clone()).list(&ListParams::default()).await;
            decoded += list.unwrap_or_else(|error| panic!("{}: {error}", stringify!($kind))).items.len();
        })+
        decoded
    }};
}

/// Objects that the types of kube-rs were made of.
pub(crate) async fn kube_rs(agent: &Client) -> usize {
    decode!(
        agent,
        admission::MutatingWebhookConfiguration,
        admission::ValidatingAdmissionPolicy,
        admission::ValidatingWebhookConfiguration,
        apps::ControllerRevision,
        apps::DaemonSet,
        apps::Deployment,
        apps::ReplicaSet,
        apps::StatefulSet,
        batch::CronJob,
        batch::Job,
        coordination::Lease,
        core::ConfigMap,
        core::Event,
        core::LimitRange,
        core::Namespace,
        core::Node,
        core::PersistentVolume,
        core::PersistentVolumeClaim,
        core::Pod,
        core::PodTemplate,
        core::ReplicationController,
        core::ResourceQuota,
        core::Secret,
        core::Service,
        core::ServiceAccount,
        discovery::EndpointSlice,
        events::Event,
        networking::Ingress,
        networking::NetworkPolicy,
        policy::PodDisruptionBudget,
        rbac::ClusterRole,
        rbac::ClusterRoleBinding,
        rbac::Role,
        rbac::RoleBinding,
        scheduling::PriorityClass,
        storage::CSIDriver,
        storage::StorageClass,
        storage::VolumeAttachment,
        CustomResourceDefinition,
    )
}

/// Everything that kubectl prints of what is planted in a namespace, in every form; each command has to succeed.
pub(crate) async fn kubectl(gateway: &Gateway, namespace: &str) -> String {
    let kinds = "secrets,configmaps,pods,podtemplates,deployments,replicasets,statefulsets,daemonsets,\
                 replicationcontrollers,jobs,cronjobs,controllerrevisions,events,services,ingresses,leases,\
                 serviceaccounts,widgets.planted.example.com,persistentvolumes,storageclasses,volumeattachments";
    let mut printed = String::new();
    for form in ["json", "yaml", "wide", "name"] {
        let arguments = ["get", kinds, "--namespace", namespace, "--output", form];
        printed.push_str(&Gateway::ok(&gateway.kubectl(&arguments).await));
    }
    let json = gateway
        .kubectl(&["get", kinds, "--namespace", namespace, "--output", "json"])
        .await;
    let list: serde_json::Value = serde_json::from_str(&Gateway::ok(&json)).expect("JSON");
    assert!(list["items"].as_array().is_some_and(|items| items.len() > 20));
    let described = gateway.kubectl(&["describe", kinds, "--namespace", namespace]).await;
    printed.push_str(&Gateway::ok(&described));
    printed
}

#[derive(Debug, Deserialize)]
struct Decoded {
    objects: usize,
    kinds: usize,
    events: usize,
    custom: usize,
    data: BTreeMap<String, String>,
}

/// Reads everything with the official Python client. Where there is none, says so loudly; panics where the environment
/// asks for it.
pub(crate) async fn python(gateway: &Gateway, namespace: &str, secret: &str) -> Option<String> {
    let Some(python) = env::var_os("COUNTERSIGN_PYTHON") else {
        let remedy = "COUNTERSIGN_PYTHON names no Python that has what tests/python/requirements.txt asks for";
        assert!(env::var_os("CI").is_none(), "{remedy}");
        // To the real standard error: what a passing test writes is kept back.
        let _ = writeln!(std::io::stderr(), "DID NOT RUN: the Python client: {remedy}");
        return None;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/python/decode.py");
    let mut client = command(Path::new(&python));
    client
        .env("KUBECONFIG", &gateway.kubeconfig)
        .args([script, namespace, secret]);
    let printed = Gateway::ok(&run(&mut client, "").await);
    let decoded: Decoded = serde_json::from_str(&printed).expect("one line of JSON");
    println!(
        "the Python client decoded {} objects in {} lists",
        decoded.objects, decoded.kinds
    );
    assert!(
        decoded.objects > 50 && decoded.kinds > 30 && decoded.events > 1 && decoded.custom == 1,
        "{decoded:?}"
    );
    assert!(decoded.data.values().all(|value| value == MARKER), "{decoded:?}");
    Some(printed)
}
