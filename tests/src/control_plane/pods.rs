//! Running a pod and waiting for it, from a test's point of view.

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{Container, Pod, PodSpec};
use kube::ResourceExt;
use kube::api::{Api, PostParams};

use super::{ControlPlane, NODE};

const PATIENCE: Duration = Duration::from_secs(20);

/// A container called `app` that runs `command`; one that is idle, if that is empty.
pub fn container(command: &[&str]) -> Container {
    Container {
        name: "app".to_owned(),
        image: Some("registry.internal/app:1".to_owned()),
        command: (!command.is_empty()).then(|| command.iter().map(|&part| part.to_owned()).collect()),
        ..Container::default()
    }
}

impl ControlPlane {
    /// Makes a pod of these containers on the fixture's node, and returns it when it runs (or has run: a command may
    /// be quick).
    pub async fn run_pod(&self, namespace: &str, name: &str, containers: Vec<Container>) -> Pod {
        let mut pod = Pod {
            spec: Some(PodSpec {
                containers,
                ..PodSpec::default()
            }),
            ..Pod::default()
        };
        pod.metadata.name = Some(name.to_owned());
        self.run(namespace, pod).await
    }

    /// As [`run_pod`](Self::run_pod), of a pod with labels, owners, a restart policy or what else it takes.
    pub async fn run(&self, namespace: &str, mut pod: Pod) -> Pod {
        pod.spec.get_or_insert_default().node_name = Some(NODE.to_owned());
        let pods: Api<Pod> = Api::namespaced(self.admin(), namespace);
        let name = pods
            .create(&PostParams::default(), &pod)
            .await
            .expect("a valid pod, of a new name")
            .name_any();
        let begun = Instant::now();
        loop {
            let pod = pods.get(&name).await.expect("a pod that was just made");
            let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
            if phase.is_some_and(|phase| phase != "Pending") {
                return pod;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{namespace}/{name} does not run within {PATIENCE:?}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until there is no pod of that name any more.
    pub async fn wait_until_gone(&self, namespace: &str, name: &str) {
        let pods: Api<Pod> = Api::namespaced(self.admin(), namespace);
        let begun = Instant::now();
        while pods.get_opt(name).await.expect("the administrator may ask").is_some() {
            assert!(
                begun.elapsed() < PATIENCE,
                "{namespace}/{name} is not gone within {PATIENCE:?}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
