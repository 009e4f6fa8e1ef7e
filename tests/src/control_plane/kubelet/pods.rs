//! The pods of the node: from their binding to the end of their deletion.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{join_all, select_all};
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, DeleteParams, Patch, PatchParams, Preconditions};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::NODE;
use super::container::{Container, State};
use crate::control_plane::launch::Launcher;

/// A test has no time for the 30 seconds that a real pod has by default.
const LONGEST_GRACE: Duration = Duration::from_secs(2);

/// By namespace and name.
type Running = HashMap<(String, String), Arc<Pod>>;

#[derive(Clone)]
pub(super) struct Pods {
    client: Client,
    launcher: Arc<Launcher>,
    running: Arc<Mutex<Running>>,
}

struct Pod {
    namespace: String,
    name: String,
    uid: String,
    ip: String,
    since: Timestamp,
    restarts: bool,
    containers: Vec<Arc<Container>>,
    /// How long it has to end, once it has to.
    ending: watch::Sender<Option<Duration>>,
}

impl Pods {
    pub(super) fn new(client: Client, launcher: Arc<Launcher>) -> Self {
        Self {
            client,
            launcher,
            running: Arc::default(),
        }
    }

    pub(super) fn container(&self, namespace: &str, pod: &str, container: &str) -> Option<Arc<Container>> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let pod = running.get(&(namespace.to_owned(), pod.to_owned()))?;
        pod.containers.iter().find(|one| one.name == container).cloned()
    }

    pub(super) fn has(&self, namespace: &str, pod: &str) -> bool {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.contains_key(&(namespace.to_owned(), pod.to_owned()))
    }

    /// Follows the pods of the node for as long as the runtime lives.
    pub(super) async fn watch(self) {
        let bound = watcher::Config::default().fields(&format!("spec.nodeName={NODE}"));
        let events = watcher(Api::<core::Pod>::all(self.client.clone()), bound).default_backoff();
        let mut events = std::pin::pin!(events);
        while let Some(event) = events.next().await {
            match event {
                Ok(watcher::Event::Apply(pod) | watcher::Event::InitApply(pod)) => self.applied(&pod),
                Ok(watcher::Event::Delete(pod)) => self.deleted(&pod),
                Ok(watcher::Event::Init | watcher::Event::InitDone) => {}
                Err(_) => {} // The watcher starts anew after its back-off.
            }
        }
    }

    fn applied(&self, object: &core::Pod) {
        let key = (object.namespace().unwrap_or_default(), object.name_any());
        let uid = object.uid().unwrap_or_default();
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let known = running.get(&key).filter(|pod| pod.uid == uid);
        let seconds = object
            .metadata
            .deletion_timestamp
            .as_ref()
            .map(|_| object.metadata.deletion_grace_period_seconds);
        match (known, seconds) {
            (Some(_), None) => {}
            (Some(pod), Some(seconds)) => pod.end(seconds),
            // Deleted before it ever ran here: it still is for the kubelet to say that it has ended.
            (None, Some(_)) => {
                let (api, name) = (self.api(&key.0), key.1);
                tokio::spawn(async move { delete(&api, &name, &uid).await });
            }
            (None, None) => {
                let pod = Arc::new(Pod::start(&self.launcher, object));
                if let Some(former) = running.insert(key, Arc::clone(&pod)) {
                    former.end(Some(0));
                }
                tokio::spawn(self.clone().run(pod));
            }
        }
    }

    /// Gone from the API server without the kubelet: a forced deletion.
    fn deleted(&self, object: &core::Pod) {
        let key = (object.namespace().unwrap_or_default(), object.name_any());
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pod) = running
            .get(&key)
            .filter(|pod| Some(&pod.uid) == object.metadata.uid.as_ref())
        {
            pod.end(Some(0));
        }
    }

    async fn run(self, pod: Arc<Pod>) {
        let api = self.api(&pod.namespace);
        let mut states: Vec<_> = pod
            .containers
            .iter()
            .map(|container| container.state.subscribe())
            .collect();
        let mut ending = pod.ending.subscribe();
        let grace = loop {
            for state in &mut states {
                state.mark_unchanged();
            }
            // A pod that went away or was changed meanwhile comes again, as an event of the watch.
            let patch = Patch::Merge(json!({"metadata": {"uid": pod.uid}, "status": pod.status()}));
            let _ = api.patch_status(&pod.name, &PatchParams::default(), &patch).await;
            tokio::select! {
                biased;
                grace = ending.wait_for(Option::is_some) => break grace.ok().and_then(|grace| *grace).unwrap_or_default(),
                _ = select_all(states.iter_mut().map(|state| Box::pin(state.changed()))) => {}
            }
        };
        join_all(pod.containers.iter().map(|container| container.stop(grace))).await;
        delete(&api, &pod.name, &pod.uid).await;
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (pod.namespace.clone(), pod.name.clone());
        if running.get(&key).is_some_and(|now| now.uid == pod.uid) {
            running.remove(&key);
        }
    }

    fn api(&self, namespace: &str) -> Api<core::Pod> {
        Api::namespaced(self.client.clone(), namespace)
    }
}

/// The kubelet's last word on a pod: grace period 0, and only if it still is the same pod.
async fn delete(api: &Api<core::Pod>, name: &str, uid: &str) {
    let preconditions = Preconditions {
        uid: Some(uid.to_owned()),
        resource_version: None,
    };
    let params = DeleteParams::default().grace_period(0).preconditions(preconditions);
    let _ = api.delete(name, &params).await; // Gone already, or another pod of that name.
}

impl Pod {
    fn start(launcher: &Arc<Launcher>, object: &core::Pod) -> Self {
        static COUNT: AtomicU16 = AtomicU16::new(1);
        let [high, low] = COUNT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let spec = object.spec.as_ref();
        let containers = spec.map(|spec| spec.containers.as_slice()).unwrap_or_default();
        Self {
            namespace: object.namespace().unwrap_or_default(),
            name: object.name_any(),
            uid: object.uid().unwrap_or_default(),
            ip: format!("10.244.{high}.{low}"),
            since: Timestamp::now(),
            restarts: spec
                .and_then(|spec| spec.restart_policy.as_deref())
                .is_none_or(|policy| policy == "Always"),
            containers: containers
                .iter()
                .map(|container| Container::start(launcher, object, container))
                .collect(),
            ending: watch::Sender::new(None),
        }
    }

    fn end(&self, seconds: Option<i64>) {
        let seconds = seconds
            .and_then(|seconds| u64::try_from(seconds).ok())
            .unwrap_or_default();
        self.ending
            .send_replace(Some(Duration::from_secs(seconds).min(LONGEST_GRACE)));
    }

    fn status(&self) -> Value {
        let states: Vec<_> = self
            .containers
            .iter()
            .map(|container| container.state.borrow().clone())
            .collect();
        let failed = |state: &State| matches!(state, State::Terminated { code, .. } if *code != 0);
        let running = |state: &State| matches!(state, State::Running { .. });
        let phase = match () {
            () if self.restarts || states.iter().any(running) => "Running",
            () if states.iter().any(failed) => "Failed",
            () => "Succeeded",
        };
        let since = seconds(self.since);
        let ready = if states.iter().all(running) { "True" } else { "False" };
        let condition = |kind: &str, status: &str| json!({"type": kind, "status": status, "lastTransitionTime": since});
        json!({
            "phase": phase,
            "hostIP": "127.0.0.1",
            "podIP": self.ip,
            "podIPs": [{"ip": self.ip}],
            "startTime": since,
            "conditions": [
                condition("PodScheduled", "True"), condition("Initialized", "True"),
                condition("ContainersReady", ready), condition("Ready", ready),
            ],
            "containerStatuses":
                self.containers.iter().zip(&states).map(|(container, state)| self.container_status(container, state))
                    .collect::<Vec<_>>(),
        })
    }

    fn container_status(&self, container: &Container, state: &State) -> Value {
        let id = format!("fixture://{}/{}", self.uid, container.name);
        let is_running = matches!(state, State::Running { .. });
        json!({
            "name": container.name,
            "image": container.image,
            "imageID": "",
            "containerID": id,
            "ready": is_running,
            "started": is_running,
            "restartCount": 0,
            "state": match state {
                State::Running { since } => json!({"running": {"startedAt": seconds(*since)}}),
                State::Terminated { since, at, code, reason, message } => json!({"terminated": {
                    "exitCode": code, "reason": reason, "message": message, "containerID": id,
                    "startedAt": seconds(*since), "finishedAt": seconds(*at),
                }}),
            },
        })
    }
}

/// `metav1.Time` has no fractions.
fn seconds(at: Timestamp) -> String {
    at.strftime("%FT%TZ").to_string()
}
