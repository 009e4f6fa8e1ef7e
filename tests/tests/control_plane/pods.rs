//! The pods of the node: what of them runs on this machine, and that it ends.

use countersign_tests::control_plane::{self, container};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{Api, AttachParams, DeleteParams, LogParams};
use serde_json::json;

use super::{PATIENCE, marked, until};

#[tokio::test]
async fn a_deleted_pod_really_goes_away() {
    let Some(cp) = control_plane::or_skip("a_deleted_pod_really_goes_away").await else {
        return;
    };
    let namespace = cp.namespace("delete").await;
    // It ignores the polite signal, and has a child outside its process group.
    let script = format!("trap '' TERM; setsid sleep 4243 & while :; do sleep 1; done # {namespace}");
    cp.run_pod(&namespace, "web", vec![container(&["sh", "-c", &script])])
        .await;
    let pods: Api<Pod> = Api::namespaced(cp.admin(), &namespace);
    let first = pods.get("web").await.unwrap();
    let mark = format!("COUNTERSIGN_CONTAINER={}/app", first.uid().unwrap());
    until("three processes run", || marked(&mark).len() >= 3).await;
    pods.delete("web", &DeleteParams::default()).await.unwrap();
    cp.wait_until_gone(&namespace, "web").await;
    assert_eq!(marked(&mark), [] as [i32; 0]);

    // The name is free, and a forced deletion ends what runs under it too.
    let second = cp.run_pod(&namespace, "web", vec![container(&["sleep", "4244"])]).await;
    assert_ne!(first.uid(), second.uid());
    let mark = format!("COUNTERSIGN_CONTAINER={}/app", second.uid().unwrap());
    until("it runs", || !marked(&mark).is_empty()).await;
    pods.delete("web", &DeleteParams::default().grace_period(0))
        .await
        .unwrap();
    until("it is gone", || marked(&mark).is_empty()).await;
}

#[tokio::test]
async fn a_command_that_fails_shows_in_the_status_of_its_pod() {
    let Some(cp) = control_plane::or_skip("a_command_that_fails_shows_in_the_status_of_its_pod").await else {
        return;
    };
    let namespace = cp.namespace("fail").await;
    let spec = json!({"metadata": {"name": "job"}, "spec": {"restartPolicy": "Never", "containers": [
        {"name": "app", "image": "x", "command": ["sh", "-c", "echo gone; exit 5"]},
    ]}});
    cp.run(&namespace, serde_json::from_value(spec).unwrap()).await;
    let pods: Api<Pod> = Api::namespaced(cp.admin(), &namespace);
    let failed = |pod: Option<&Pod>| {
        let status = pod.and_then(|pod| pod.status.as_ref());
        let code = status.and_then(|status| {
            status
                .container_statuses
                .as_ref()?
                .first()?
                .state
                .as_ref()?
                .terminated
                .as_ref()
                .map(|end| end.exit_code)
        });
        code == Some(5) && status.and_then(|status| status.phase.as_deref()) == Some("Failed")
    };
    let wait = kube::runtime::wait::await_condition(pods.clone(), "job", failed);
    tokio::time::timeout(PATIENCE, wait).await.unwrap().unwrap();
    assert_eq!(pods.logs("job", &LogParams::default()).await.unwrap(), "gone\n");
}

#[tokio::test]
async fn a_command_without_a_terminal_outlives_its_client_but_not_its_pod() {
    let test = "a_command_without_a_terminal_outlives_its_client_but_not_its_pod";
    let Some(cp) = control_plane::or_skip(test).await else {
        return;
    };
    let namespace = cp.namespace("outlive").await;
    let pod = cp.run_pod(&namespace, "web", vec![container(&[])]).await;
    let pods: Api<Pod> = Api::namespaced(cp.admin(), &namespace);
    // It goes on to write: what nobody reads must not stall it.
    let script =
        "echo begun; while ! [ -e go ]; do sleep 0.05; done; yes | head -c 1000000; touch done; exec sleep 4246";
    let mut process = pods
        .exec("web", ["sh", "-c", script], &AttachParams::default())
        .await
        .unwrap();
    let mark = format!("COUNTERSIGN_CONTAINER={}/app", pod.uid().unwrap());
    until("it runs", || !marked(&mark).is_empty()).await;
    drop(process.stdout());
    process.abort();
    drop(process);
    let work = cp.work_dir().join("pods").join(pod.uid().unwrap()).join("app");
    std::fs::write(work.join("go"), "").unwrap();
    until("it has gone on", || work.join("done").exists()).await;
    assert!(!marked(&mark).is_empty());
    pods.delete("web", &DeleteParams::default()).await.unwrap();
    cp.wait_until_gone(&namespace, "web").await;
    assert_eq!(marked(&mark), [] as [i32; 0]);
}
