//! The gateway example on a real control plane, with the kubectl of the same build.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use countersign_core::audit::{Outcome, verify};
use countersign_tests::control_plane::{self, ControlPlane};
use countersign_tests::gateway::Gateway;
use countersign_tests::guarded::events;
use countersign_tests::program::{run, stderr};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod, Secret};
use kube::Client;
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::sync::OnceCell;

const TEAM: &str = "team-a";

/// The namespace that the gateway's policy lets its agents work in, and objects in it.
async fn make_team(cp: &'static ControlPlane) {
    static MADE: OnceCell<()> = OnceCell::const_new();
    let made = MADE.get_or_init(|| async {
        let client = cp.admin();
        let post = PostParams::default();
        let namespace = serde_json::from_value(json!({"metadata": {"name": TEAM}})).unwrap();
        Api::<Namespace>::all(client.clone())
            .create(&post, &namespace)
            .await
            .unwrap();
        let secret = json!({"metadata": {"name": "database"}, "stringData": {"password": "canary-in-the-gateway"}});
        let secret = serde_json::from_value(secret).unwrap();
        Api::<Secret>::namespaced(client, TEAM)
            .create(&post, &secret)
            .await
            .unwrap();
    });
    made.await;
}

fn map(value: &str) -> String {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": TEAM}, "data": {"key": value}})
        .to_string()
}

const PATIENCE: Duration = Duration::from_secs(20);

/// A gateway in front of a control plane on which the team has its namespace.
async fn start(test: &str) -> Option<Gateway> {
    let gateway = Gateway::start(test).await?;
    make_team(gateway.cp).await;
    Some(gateway)
}

async fn next_line(lines: &mut tokio::io::Lines<BufReader<tokio::process::ChildStdout>>) -> String {
    let line = tokio::time::timeout(PATIENCE, lines.next_line()).await;
    line.expect("a line in time").unwrap().expect("not the end")
}

#[tokio::test]
async fn kubectl_works_through_it() {
    let Some(gateway) = start("kubectl_works_through_it").await else {
        return;
    };
    let maps: Api<ConfigMap> = Api::namespaced(gateway.cp.admin(), TEAM);

    // Reads, in each form.
    let table = Gateway::ok(&gateway.kubectl(&["get", "secrets", "-n", TEAM]).await);
    assert!(table.starts_with("NAME") && table.contains("database"), "{table}");
    let yaml = Gateway::ok(
        &gateway
            .kubectl(&["get", "secret", "database", "-n", TEAM, "-o", "yaml"])
            .await,
    );
    assert!(yaml.contains("password: Y291bnRlcnNpZ24ubWFza2VkLnZhbHVl"), "{yaml}");
    assert!(!yaml.contains("canary") && !yaml.contains("Y2FuYXJ5"), "{yaml}");
    let described = Gateway::ok(&gateway.kubectl(&["describe", "secret", "database", "-n", TEAM]).await);
    assert!(
        described.contains("password:") && !described.contains("canary"),
        "{described}"
    );
    let everywhere = Gateway::ok(&gateway.kubectl(&["get", "namespaces", "-o", "name"]).await);
    assert!(everywhere.contains("namespace/kube-system"), "{everywhere}");

    // Changes.
    let created = Gateway::ok(&gateway.kubectl_with(&["apply", "-f", "-"], &map("1")).await);
    assert_eq!(created, "configmap/settings created\n");
    let changed = Gateway::ok(&gateway.kubectl_with(&["apply", "-f", "-"], &map("2")).await);
    assert_eq!(changed, "configmap/settings configured\n");
    assert_eq!(maps.get("settings").await.unwrap().data.unwrap()["key"], "2");
    let applied = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
    Gateway::ok(&gateway.kubectl_with(&applied, &map("3")).await);
    assert_eq!(maps.get("settings").await.unwrap().data.unwrap()["key"], "3");

    // Held, and approved by `--yes`.
    let deleted = Gateway::ok(&gateway.kubectl(&["delete", "configmap", "settings", "-n", TEAM]).await);
    assert!(deleted.contains("\"settings\" deleted"), "{deleted}");
    assert_eq!(maps.get_opt("settings").await.unwrap(), None);

    // Denied, in words that help.
    let outside = map("1").replace(TEAM, "default");
    let outside = gateway.kubectl_with(&["apply", "-f", "-"], &outside).await;
    let told = stderr(&outside);
    assert!(
        !outside.status.success() && told.contains("countersign: agent may not create"),
        "{told}"
    );
    // kubectl sends protobuf here, which nobody could review.
    let imperative = gateway.kubectl(&["create", "configmap", "x", "-n", TEAM]).await;
    assert!(stderr(&imperative).contains("send application/json"), "{imperative:?}");

    let (code, said, log) = gateway.stop().await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("approved without asking"), "{said}");
    assert!(!said.contains('\u{1b}'), "{said}");
    let report = verify(&log);
    assert!(report.is_intact() && report.is_complete(), "{report}");
    let outcomes: Vec<_> = events(&log)
        .iter()
        .filter_map(countersign_core::audit::Event::outcome)
        .collect();
    assert!(outcomes.contains(&Outcome::HoldApproved) && outcomes.contains(&Outcome::Deny));
    assert!(!String::from_utf8_lossy(&log).contains("canary"));
}

#[tokio::test]
async fn logs_and_watches_come_as_they_happen() {
    let Some(gateway) = start("logs_and_watches_come_as_they_happen").await else {
        return;
    };
    let talking = control_plane::container(&["sh", "-c", "echo first; sleep 1; echo second; sleep 30"]);
    gateway.cp.run_pod(TEAM, "talker", vec![talking]).await;
    let described = Gateway::ok(&gateway.kubectl(&["describe", "pod", "talker", "-n", TEAM]).await);
    assert!(
        described.contains("talker") && described.contains("Running"),
        "{described}"
    );

    let mut following = gateway
        .kubectl_command(&["logs", "-f", "talker", "-n", TEAM])
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
    assert_eq!(next_line(&mut lines).await, "first");
    assert_eq!(next_line(&mut lines).await, "second");
    following.kill().await.unwrap();
    assert_eq!(
        Gateway::ok(&gateway.kubectl(&["logs", "talker", "-n", TEAM]).await),
        "first\nsecond\n"
    );

    let watch = [
        "get",
        "configmaps",
        "--watch",
        "-n",
        TEAM,
        "--no-headers",
        "-l",
        "app=watched",
    ];
    let mut watching = gateway.kubectl_command(&watch).spawn().unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    // The watch is there once its first line is; the object may be older than it.
    let object = json!({"metadata": {"name": "watched", "labels": {"app": "watched"}}});
    let maps: Api<ConfigMap> = Api::namespaced(gateway.cp.admin(), TEAM);
    maps.create(&PostParams::default(), &serde_json::from_value(object).unwrap())
        .await
        .unwrap();
    assert!(next_line(&mut lines).await.starts_with("watched"));
    maps.delete("watched", &DeleteParams::default()).await.unwrap();
    assert!(next_line(&mut lines).await.starts_with("watched"));
    watching.kill().await.unwrap();

    // Streams to containers leave what the guard understands.
    let exec = gateway.kubectl(&["exec", "talker", "-n", TEAM, "--", "true"]).await;
    assert!(
        !exec.status.success() && stderr(&exec).contains("countersign: "),
        "{}",
        stderr(&exec)
    );
    let (code, said, log) = gateway.stop().await;
    assert_eq!(code, Some(0), "{said}");
    assert!(
        verify(&log).is_intact() && verify(&log).is_complete(),
        "{}",
        verify(&log)
    );
}

#[tokio::test]
async fn nobody_gets_in_without_the_token() {
    let Some(gateway) = start("nobody_gets_in_without_the_token").await else {
        return;
    };
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&gateway.kubeconfig).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    for token in [Some("wrong"), Some(""), None] {
        let answer = list_pods(&gateway.kubeconfig, token).await;
        assert_eq!(answer, Some(401), "{token:?}");
    }
    let (code, said, log) = gateway.stop().await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("drained"), "{said}");
    assert!(events(&log).is_empty());
}

/// Lists pods with another token than the kubeconfig's; the code of the refusal.
async fn list_pods(kubeconfig: &Path, token: Option<&str>) -> Option<u16> {
    let mut kubeconfig = Kubeconfig::read_from(kubeconfig).unwrap();
    for user in kubeconfig
        .auth_infos
        .iter_mut()
        .filter_map(|user| user.auth_info.as_mut())
    {
        user.token = token.map(|token| token.to_owned().into());
    }
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    let client = Client::try_from(config.unwrap()).unwrap();
    match Api::<Pod>::all(client).list(&ListParams::default()).await {
        Err(kube::Error::Api(status)) => Some(status.code),
        _ => None,
    }
}

/// A followed log does not keep a gateway from ending.
#[tokio::test]
async fn it_drains() {
    let Some(gateway) = start("it_drains").await else {
        return;
    };
    let quick = control_plane::container(&["sh", "-c", "echo started; sleep 2; echo done"]);
    gateway.cp.run_pod(TEAM, "quick", vec![quick]).await;
    let mut following = gateway.kubectl_command(&["logs", "-f", "quick", "-n", TEAM]);
    let mut following = following.stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
    assert_eq!(next_line(&mut lines).await, "started");
    let ((code, said, log), done) = tokio::join!(gateway.stop(), next_line(&mut lines));
    assert_eq!(done, "done");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("draining") && said.contains("drained"), "{said}");
    let report = verify(&log);
    assert!(report.is_intact() && report.is_complete(), "{report}");
}

#[tokio::test]
async fn a_directory_of_policies_is_watched() {
    let test = "a_directory_of_policies_is_watched";
    let policies = TempDir::new().unwrap();
    let path = policies.path().join("agents.yaml");
    let policy = |effect: &str| {
        format!(
            r#"
apiVersion: countersign.dev/v1alpha1
kind: Policy
metadata: {{ name: watched }}
spec:
  subjects: [{{ group: agents }}]
  scopes: [{{ namespaces: [{TEAM}] }}]
  rules: [{{ name: look, match: {{ effects: [discovery, {effect}] }}, allow: {{}} }}]
"#
        )
    };
    std::fs::write(&path, policy("read")).unwrap();
    let Some(gateway) = Gateway::start_under(test, policies.path()).await else {
        return;
    };
    make_team(gateway.cp).await;
    let get = ["get", "pods", "--namespace", TEAM];
    Gateway::ok(&gateway.kubectl(&get).await);

    std::fs::write(&path, policy("read, rea")).unwrap();
    // Longer than the watch takes to look.
    tokio::time::sleep(Duration::from_secs(5)).await;
    Gateway::ok(&gateway.kubectl(&get).await);

    std::fs::write(&path, policy("log")).unwrap();
    let begun = std::time::Instant::now();
    loop {
        let output = gateway.kubectl(&get).await;
        if !output.status.success() {
            assert!(stderr(&output).contains("may not list pods"), "{}", stderr(&output));
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "the change was not seen");
    }
    let (code, said, _) = gateway.stop().await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("ERROR"), "{said}");
    assert!(
        said.contains("agents.yaml:8:61: unknown effect `rea`; did you mean `read`?\n  |\n8 |"),
        "{said}"
    );
}

/// `kubectl edit` sends what changed, `kubectl replace` all that it read, masked values included.
#[tokio::test]
async fn a_secret_is_edited_and_replaced() {
    let test = "a_secret_is_edited_and_replaced";
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/policies/gateway.yaml");
    let text = std::fs::read_to_string(shipped).unwrap();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("restore.yaml");
    std::fs::write(&path, format!("{text}  masking: {{ writeBack: restore }}\n")).unwrap();
    let Some(gateway) = Gateway::start_under(test, &path).await else {
        return;
    };
    make_team(gateway.cp).await;
    let secrets: Api<Secret> = Api::namespaced(gateway.cp.admin(), TEAM);
    let secret = json!({
        "metadata": {"name": "edited", "labels": {"app": "before"}},
        "stringData": {"password": "canary-that-stays", "user": "bob"},
    });
    let secret = serde_json::from_value(secret).unwrap();
    secrets.create(&PostParams::default(), &secret).await.unwrap();
    let get = ["get", "secret", "edited", "-n", TEAM, "-o", "yaml"];
    let text_of = |secret: &Secret, key: &str| {
        let value = secret.data.as_ref().unwrap()[key].0.clone();
        String::from_utf8(value).unwrap()
    };

    let mut edit = gateway.kubectl_command(&["edit", "secret", "edited", "-n", TEAM]);
    let edited = run(edit.env("KUBE_EDITOR", "sed -i s/before/after/"), "").await;
    Gateway::ok(&edited);
    let now = secrets.get("edited").await.unwrap();
    assert_eq!(now.metadata.labels.as_ref().unwrap()["app"], "after");
    assert_eq!(text_of(&now, "password"), "canary-that-stays");

    let read = Gateway::ok(&gateway.kubectl(&get).await);
    assert!(!read.contains("canary") && read.contains("user: Y291bnRl"), "{read}");
    // Another value for one key; the other one goes back as it came.
    let changed = read.replace("user: Y291bnRlcnNpZ24ubWFza2VkLnZhbHVl", "user: YWxpY2U=");
    Gateway::ok(&gateway.kubectl_with(&["replace", "-f", "-"], &changed).await);
    let now = secrets.get("edited").await.unwrap();
    assert_eq!(
        (text_of(&now, "password").as_str(), text_of(&now, "user").as_str()),
        ("canary-that-stays", "alice")
    );
    // Out of date by now.
    let late = gateway.kubectl_with(&["replace", "-f", "-"], &changed).await;
    assert!(
        !late.status.success() && stderr(&late).contains("Conflict"),
        "{}",
        stderr(&late)
    );
    let moved = Gateway::ok(&gateway.kubectl(&get).await).replace("password:", "copy:");
    let moved = gateway.kubectl_with(&["replace", "-f", "-"], &moved).await;
    assert!(
        !moved.status.success() && stderr(&moved).contains("data.copy"),
        "{}",
        stderr(&moved)
    );
    assert!(stderr(&gateway.kubectl(&get).await).contains("2 values masked (secret-data 2)"));
    let (_, said, log) = gateway.stop().await;
    assert!(
        !said.contains("canary") && !String::from_utf8_lossy(&log).contains("canary"),
        "{said}"
    );

    let Some(gateway) = Gateway::start(test).await else {
        return;
    };
    let read = Gateway::ok(&gateway.kubectl(&get).await);
    let refused = gateway.kubectl_with(&["replace", "-f", "-"], &read).await;
    let told = stderr(&refused);
    assert!(
        !refused.status.success()
            && told.contains("data.password, data.user")
            && told.contains("send a patch with only the fields that change"),
        "{told}"
    );
    let (code, said, _) = gateway.stop().await;
    assert_eq!(code, Some(0), "{said}");
}
