//! The control plane that the other tests stand on, shown on the real thing: through kube-rs, and through kubectl of
//! the same build.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use countersign_tests::control_plane::{self, ControlPlane, ObjectRef, Scope, container};
use futures_util::{AsyncBufReadExt, SinkExt, TryStreamExt};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod, Secret};
use k8s_openapi::api::rbac::v1::PolicyRule;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::api::{Api, AttachParams, AttachedProcess, DeleteParams, ListParams, LogParams, PostParams, TerminalSize};
use kube::{Client, ResourceExt};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const PATIENCE: Duration = Duration::from_secs(20);

fn rule(verbs: &[&str], resources: &[&str]) -> PolicyRule {
    let strings = |list: &[&str]| list.iter().map(|&one| one.to_owned()).collect::<Vec<_>>();
    PolicyRule {
        api_groups: Some(strings(&[""])),
        resources: Some(strings(resources)),
        verbs: strings(verbs),
        ..PolicyRule::default()
    }
}

fn code(error: kube::Error) -> u16 {
    match error {
        kube::Error::Api(status) => status.code,
        other => panic!("not a refusal of the API server: {other}"),
    }
}

async fn kubectl(cp: &ControlPlane, arguments: &[&str], stdin: &str) -> Output {
    let mut command = tokio::process::Command::new(cp.kubectl().expect("a build has kubectl"));
    command
        .args(arguments)
        .env("KUBECONFIG", cp.kubeconfig_path())
        .kill_on_drop(true);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("kubectl starts");
    child
        .stdin
        .take()
        .expect("a pipe")
        .write_all(stdin.as_bytes())
        .await
        .expect("kubectl reads");
    tokio::time::timeout(PATIENCE, child.wait_with_output())
        .await
        .expect("kubectl ends")
        .expect("kubectl ran")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

async fn read_to_end(reader: Option<impl tokio::io::AsyncRead + Unpin>) -> String {
    let mut text = String::new();
    let mut reader = reader.expect("a stream that was asked for");
    tokio::time::timeout(PATIENCE, reader.read_to_string(&mut text))
        .await
        .expect("it ends")
        .expect("it is text");
    text
}

async fn status(process: &mut AttachedProcess) -> Status {
    let status = process.take_status().expect("taken once");
    tokio::time::timeout(PATIENCE, status)
        .await
        .expect("it comes")
        .expect("the kubelet says how it ended")
}

fn exit_code(status: &Status) -> Option<String> {
    let causes = status.details.as_ref()?.causes.as_ref()?;
    causes
        .iter()
        .find(|cause| cause.reason.as_deref() == Some("ExitCode"))?
        .message
        .clone()
}

#[tokio::test]
async fn is_ready_and_serves_objects() {
    let Some(cp) = control_plane::or_skip("is_ready_and_serves_objects").await else {
        return;
    };
    let namespace = cp.namespace("objects").await;
    let maps: Api<ConfigMap> = Api::namespaced(cp.admin(), &namespace);
    let made = json!({"metadata": {"name": "one"}, "data": {"key": "value"}});
    maps.create(&PostParams::default(), &serde_json::from_value(made).unwrap())
        .await
        .unwrap();
    assert_eq!(maps.get("one").await.unwrap().data.unwrap()["key"], "value");
    let output = kubectl(cp, &["get", "nodes", "-o", "name"], "").await;
    assert_eq!(stdout(&output), format!("node/{}\n", control_plane::NODE));
}

#[tokio::test]
async fn each_namespace_is_a_new_one() {
    let Some(cp) = control_plane::or_skip("each_namespace_is_a_new_one").await else {
        return;
    };
    let (first, second) = (cp.namespace("same").await, cp.namespace("same").await);
    assert_ne!(first, second);
    assert!(first.starts_with("same-") && second.starts_with("same-"));
}

#[tokio::test]
async fn a_client_has_the_rights_it_names_and_no_others() {
    let Some(cp) = control_plane::or_skip("a_client_has_the_rights_it_names_and_no_others").await else {
        return;
    };
    let (own, other) = (cp.namespace("own").await, cp.namespace("other").await);
    let config = cp
        .client_with(vec![rule(&["get", "list"], &["pods"])], Scope::Namespace(&own))
        .await;
    let client = Client::try_from(config).unwrap();
    let list = ListParams::default();
    assert!(
        Api::<Pod>::namespaced(client.clone(), &own)
            .list(&list)
            .await
            .unwrap()
            .items
            .is_empty()
    );
    let forbidden = |error| code(error) == 403;
    assert!(forbidden(
        Api::<Pod>::namespaced(client.clone(), &other)
            .list(&list)
            .await
            .unwrap_err()
    ));
    assert!(forbidden(
        Api::<Secret>::namespaced(client.clone(), &own)
            .list(&list)
            .await
            .unwrap_err()
    ));
    let delete = Api::<Pod>::namespaced(client.clone(), &own)
        .delete("x", &DeleteParams::default())
        .await;
    assert!(forbidden(delete.unwrap_err()));

    let config = cp
        .client_with(vec![rule(&["list"], &["namespaces"])], Scope::Cluster)
        .await;
    let everywhere = Api::<Namespace>::all(Client::try_from(config).unwrap());
    assert!(
        everywhere
            .list(&list)
            .await
            .unwrap()
            .iter()
            .any(|namespace| namespace.name_any() == other)
    );
}

#[tokio::test]
async fn the_audit_log_says_what_was_asked() {
    let Some(cp) = control_plane::or_skip("the_audit_log_says_what_was_asked").await else {
        return;
    };
    let namespace = cp.namespace("audit").await;
    let id = format!("{namespace}-get");
    let path = format!("/api/v1/namespaces/{namespace}/pods/nobody?pretty=true");
    let request = http::Request::get(&path)
        .header("Audit-ID", &id)
        .body(Vec::new())
        .unwrap();
    assert_eq!(code(cp.admin().request_text(request).await.unwrap_err()), 404);

    let event = cp.audit_event(&id).await;
    assert_eq!(
        (event.verb.as_str(), event.request_uri.as_str()),
        ("get", path.as_str())
    );
    assert_eq!(event.user.username, "admin");
    assert_eq!(event.response_status.unwrap().code, 404);
    let expected = ObjectRef {
        resource: "pods".to_owned(),
        namespace: namespace.clone(),
        name: "nobody".to_owned(),
        api_version: "v1".to_owned(),
        ..ObjectRef::default()
    };
    assert_eq!(event.object_ref.unwrap(), expected);

    let maps: Api<ConfigMap> = Api::namespaced(cp.admin(), &namespace);
    for _ in 0..2 {
        maps.delete("nobody", &DeleteParams::default()).await.unwrap_err();
    }
    let events = cp.audit_events().await;
    let here = |event: &&control_plane::AuditEvent| {
        event.verb == "delete"
            && event
                .object_ref
                .as_ref()
                .is_some_and(|object| object.namespace == namespace)
    };
    assert_eq!(events.iter().filter(here).count(), 2);
    assert!(
        !events
            .iter()
            .any(|event| event.audit_id.starts_with("countersign-fixture"))
    );
}

#[tokio::test]
async fn exec_gives_output_and_exit_codes() {
    let Some(cp) = control_plane::or_skip("exec_gives_output_and_exit_codes").await else {
        return;
    };
    let namespace = cp.namespace("exec").await;
    cp.run_pod(&namespace, "web", vec![container(&[])]).await;
    let pods: Api<Pod> = Api::namespaced(cp.admin(), &namespace);
    let both = AttachParams::default();
    for expected in ["0", "3", "7"] {
        let script = format!("echo out; echo err >&2; exit {expected}");
        let mut process = pods.exec("web", ["sh", "-c", &script], &both).await.unwrap();
        let (out, err) = (process.stdout(), process.stderr());
        let (out, err, status) = tokio::join!(read_to_end(out), read_to_end(err), status(&mut process));
        assert_eq!((out.as_str(), err.as_str()), ("out\n", "err\n"));
        assert_eq!(exit_code(&status).as_deref().unwrap_or("0"), expected, "{status:?}");

        let output = kubectl(cp, &["exec", "-n", &namespace, "web", "--", "sh", "-c", &script], "").await;
        assert_eq!(output.status.code().unwrap().to_string(), expected, "{output:?}");
        assert_eq!(stdout(&output), "out\n");
    }
    let mut process = pods.exec("web", ["no-such-program"], &both).await.unwrap();
    let status = status(&mut process).await;
    assert_eq!(status.reason.as_deref(), Some("InternalError"), "{status:?}");
    assert_eq!(
        code(pods.exec("nobody", ["true"], &both).await.err().map(refused).unwrap()),
        404
    );
}

/// kube-rs tells of a refused upgrade with its HTTP status alone.
fn refused(error: kube::Error) -> kube::Error {
    match error {
        kube::Error::UpgradeConnection(kube::client::UpgradeConnectionError::ProtocolSwitch(code)) => {
            let status = json!({"status": "Failure", "code": code.as_u16()});
            kube::Error::Api(Box::new(serde_json::from_value(status).unwrap()))
        }
        other => other,
    }
}

#[tokio::test]
async fn exec_reads_stdin_to_its_end() {
    let Some(cp) = control_plane::or_skip("exec_reads_stdin_to_its_end").await else {
        return;
    };
    let namespace = cp.namespace("stdin").await;
    cp.run_pod(&namespace, "web", vec![container(&[])]).await;
    let pods: Api<Pod> = Api::namespaced(cp.admin(), &namespace);
    // More than all the buffers between the two ends hold: it has to flow in both directions at once.
    let sent = "0123456789abcdef".repeat(64 * 1024);
    let streams = AttachParams::default().stdin(true).stderr(false);
    let mut process = pods.exec("web", ["cat"], &streams).await.unwrap();
    let (mut stdin, out) = (process.stdin().unwrap(), process.stdout());
    let write = async {
        stdin.write_all(sent.as_bytes()).await.unwrap();
        stdin.shutdown().await.unwrap();
        drop(stdin);
    };
    let ((), echoed) = tokio::join!(write, read_to_end(out));
    assert!(echoed == sent, "{} bytes of {}", echoed.len(), sent.len());
    assert_eq!(status(&mut process).await.status.as_deref(), Some("Success"));

    let output = kubectl(cp, &["exec", "-i", "-n", &namespace, "web", "--", "wc", "-c"], &sent).await;
    assert_eq!(stdout(&output).trim(), sent.len().to_string());
}

#[tokio::test]
async fn exec_has_a_terminal_with_a_size() {
    let Some(cp) = control_plane::or_skip("exec_has_a_terminal_with_a_size").await else {
        return;
    };
    let namespace = cp.namespace("tty").await;
    cp.run_pod(&namespace, "web", vec![container(&[])]).await;
    let pods: Api<Pod> = Api::namespaced(cp.admin(), &namespace);
    let terminal = AttachParams::interactive_tty();
    let script = "tty && read line && stty size && read line && echo got $line && exit 7";
    let mut process = pods.exec("web", ["sh", "-c", script], &terminal).await.unwrap();
    let mut size = process.terminal_size().unwrap();
    size.send(TerminalSize { width: 132, height: 43 }).await.unwrap();
    let mut stdin = process.stdin().unwrap();
    let mut out = BufReaderAsync::new(process.stdout().unwrap());
    assert!(out.line_with("/dev/").await.contains("/dev/"));
    stdin.write_all(b"\n").await.unwrap();
    assert_eq!(out.line_with("43").await.trim(), "43 132");
    stdin.write_all(b"ping\n").await.unwrap();
    out.line_with("got ping").await;
    assert_eq!(exit_code(&status(&mut process).await).as_deref(), Some("7"));
}

/// Lines of a terminal, which echoes what it is sent.
struct BufReaderAsync<R>(tokio::io::BufReader<R>);

impl<R: tokio::io::AsyncRead + Unpin> BufReaderAsync<R> {
    fn new(reader: R) -> Self {
        Self(tokio::io::BufReader::new(reader))
    }

    async fn line_with(&mut self, wanted: &str) -> String {
        loop {
            let mut line = String::new();
            let read = tokio::io::AsyncBufReadExt::read_line(&mut self.0, &mut line);
            let read = tokio::time::timeout(PATIENCE, read)
                .await
                .expect("a line comes")
                .expect("text");
            assert_ne!(read, 0, "the terminal ended before {wanted:?}");
            if line.contains(wanted) {
                return line;
            }
        }
    }
}

#[tokio::test]
async fn a_client_that_goes_away_hangs_up_its_terminal() {
    let Some(cp) = control_plane::or_skip("a_client_that_goes_away_hangs_up_its_terminal").await else {
        return;
    };
    let namespace = cp.namespace("hangup").await;
    cp.run_pod(&namespace, "web", vec![container(&[])]).await;
    let pods: Api<Pod> = Api::namespaced(cp.admin(), &namespace);
    let argument = format!("sleep 4242 # {namespace}");
    let mut process = pods
        .exec("web", ["sh", "-c", &argument], &AttachParams::interactive_tty())
        .await
        .unwrap();
    until("the command runs", || !commands_with(&argument).is_empty()).await;
    drop((process.stdin(), process.stdout()));
    process.abort();
    drop(process);
    until("the command is gone", || commands_with(&argument).is_empty()).await;
}

#[tokio::test]
async fn attach_joins_the_command_of_the_container() {
    let Some(cp) = control_plane::or_skip("attach_joins_the_command_of_the_container").await else {
        return;
    };
    let namespace = cp.namespace("attach").await;
    let mut echo = container(&["sh", "-c", "while read line; do echo \"got $line\"; done"]);
    (echo.stdin, echo.stdin_once) = (Some(true), Some(true));
    let spec = k8s_openapi::api::core::v1::PodSpec {
        containers: vec![echo],
        restart_policy: Some("Never".to_owned()),
        ..Default::default()
    };
    let mut pod = Pod {
        spec: Some(spec),
        ..Pod::default()
    };
    pod.metadata.name = Some("echo".to_owned());
    cp.run(&namespace, pod).await;
    let pods: Api<Pod> = Api::namespaced(cp.admin(), &namespace);
    let streams = AttachParams::default().stdin(true).stderr(false);
    let mut process = pods.attach("echo", &streams).await.unwrap();
    let (mut stdin, out) = (process.stdin().unwrap(), process.stdout());
    stdin.write_all(b"one\ntwo\n").await.unwrap();
    stdin.shutdown().await.unwrap();
    assert_eq!(read_to_end(out).await, "got one\ngot two\n");
    assert_eq!(status(&mut process).await.status.as_deref(), Some("Success"));
    let done = kube::runtime::wait::await_condition(pods, "echo", |pod: Option<&Pod>| {
        pod.and_then(|pod| pod.status.as_ref()?.phase.as_deref()) == Some("Succeeded")
    });
    tokio::time::timeout(PATIENCE, done).await.unwrap().unwrap();
}

#[tokio::test]
async fn logs_are_followed_line_by_line() {
    let Some(cp) = control_plane::or_skip("logs_are_followed_line_by_line").await else {
        return;
    };
    let namespace = cp.namespace("logs").await;
    let script = "echo one; echo two >&2; while ! [ -e go ]; do sleep 0.05; done; echo three";
    cp.run_pod(&namespace, "web", vec![container(&["sh", "-c", script])])
        .await;
    let pods: Api<Pod> = Api::namespaced(cp.admin(), &namespace);
    let follow = LogParams {
        follow: true,
        ..LogParams::default()
    };
    let mut lines = pods.log_stream("web", &follow).await.unwrap().lines();
    let mut next = async || {
        tokio::time::timeout(PATIENCE, lines.try_next())
            .await
            .expect("in time")
            .unwrap()
    };
    let mut first = [next().await.unwrap(), next().await.unwrap()];
    first.sort(); // Two pipes have no order.
    assert_eq!(first, ["one", "two"]);
    // The container still runs: what follows was not there when the stream began.
    let mut process = pods
        .exec("web", ["touch", "go"], &AttachParams::default())
        .await
        .unwrap();
    status(&mut process).await;
    assert_eq!(next().await.as_deref(), Some("three"));
    assert_eq!(next().await, None);

    let tail = LogParams {
        tail_lines: Some(1),
        timestamps: true,
        ..LogParams::default()
    };
    let last = pods.logs("web", &tail).await.unwrap();
    let (time, line) = last.split_once(' ').unwrap();
    assert!(
        time.parse::<k8s_openapi::jiff::Timestamp>().is_ok() && line == "three\n",
        "{last:?}"
    );
    let output = kubectl(cp, &["logs", "-f", "-n", &namespace, "web"], "").await;
    assert_eq!(stdout(&output).lines().count(), 3);
}

#[tokio::test]
async fn a_port_is_forwarded() {
    let Some(cp) = control_plane::or_skip("a_port_is_forwarded").await else {
        return;
    };
    let namespace = cp.namespace("forward").await;
    cp.run_pod(&namespace, "web", vec![container(&[])]).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut asked = [0; 4];
        socket.read_exact(&mut asked).await.unwrap();
        assert_eq!(&asked, b"ping");
        socket.write_all(b"pong").await.unwrap();
        // The client has the last word: when it closes, so does this connection.
        assert_eq!(socket.read(&mut asked).await.unwrap(), 0);
    };
    let pods: Api<Pod> = Api::namespaced(cp.admin(), &namespace);
    let ask = async {
        let mut forwarder = pods.portforward("web", &[port]).await.unwrap();
        let mut stream = forwarder.take_stream(port).unwrap();
        stream.write_all(b"ping").await.unwrap();
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).await.unwrap();
        drop(stream);
        forwarder.join().await.unwrap();
        answer
    };
    let both = async { tokio::join!(serve, ask) };
    let ((), answer) = tokio::time::timeout(PATIENCE, both).await.unwrap();
    assert_eq!(&answer, b"pong");

    // Nobody listens any more.
    drop(listener);
    let mut forwarder = pods.portforward("web", &[port]).await.unwrap();
    let error = forwarder.take_error(port).unwrap();
    let said = tokio::time::timeout(PATIENCE, error).await.unwrap().unwrap();
    assert!(said.contains(&port.to_string()), "{said}");
}

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

/// The program, started: its process, its kubeconfig and its work folder.
fn program(arguments: &[&str]) -> (Child, BTreeMap<String, PathBuf>) {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_control-plane"))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().take(2);
    let said = lines.map(|line| {
        let line = line.expect("two lines");
        let (key, value) = line.split_once('=').expect("KEY=value");
        (key.to_owned(), PathBuf::from(value))
    });
    let said = said.collect();
    (child, said)
}

#[tokio::test]
async fn the_program_ends_cleanly_and_leaves_nothing() {
    if control_plane::or_skip("the_program_ends_cleanly_and_leaves_nothing")
        .await
        .is_none()
    {
        return;
    }
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        let (mut child, said) = tokio::task::spawn_blocking(|| program(&[])).await.unwrap();
        let kubeconfig = said["KUBECONFIG"].clone();
        let work_dir = kubeconfig.parent().unwrap().to_owned();
        assert!(said["AUDIT_LOG"].is_file());
        let client = client_of(&kubeconfig).await;
        let pods: Api<Pod> = Api::namespaced(client.clone(), "team-a");
        assert!(
            pods.logs("web-0", &LogParams::default())
                .await
                .unwrap()
                .starts_with("web-0 is up")
        );
        for namespace in ["team-a", "team-b", "kube-system"] {
            let secrets = Api::<Secret>::namespaced(client.clone(), namespace)
                .list(&ListParams::default())
                .await;
            assert!(!secrets.unwrap().items.is_empty(), "{namespace}");
        }
        let escaped = ["sh", "-c", "setsid sleep 4245 >/dev/null 2>&1 & echo started"];
        let mut process = pods.exec("web-0", escaped, &AttachParams::default()).await.unwrap();
        assert_eq!(read_to_end(process.stdout()).await, "started\n");
        assert!(processes_of(&work_dir).len() >= 6, "{:?}", processes_of(&work_dir));

        kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
        let ended = tokio::task::spawn_blocking(move || child.wait().unwrap())
            .await
            .unwrap();
        if signal == Signal::SIGTERM {
            // It ends with its own end, and that is when all is gone.
            assert!(ended.success(), "{ended}");
            assert_eq!(processes_of(&work_dir), [] as [i32; 0]);
            assert!(!work_dir.exists());
        }
        until("all its processes are gone", || processes_of(&work_dir).is_empty()).await;
        until("its files are gone", || !work_dir.exists()).await;
    }
}

async fn client_of(kubeconfig: &Path) -> Client {
    let kubeconfig = kube::config::Kubeconfig::read_from(kubeconfig).unwrap();
    Client::try_from(
        kube::Config::from_custom_kubeconfig(kubeconfig, &Default::default())
            .await
            .unwrap(),
    )
    .unwrap()
}

#[test]
fn without_binaries_a_test_says_that_it_did_not_run() {
    let test = std::env::current_exe().unwrap();
    let skipped = tempfile::NamedTempFile::new().unwrap();
    let run = |required: &str| {
        let mut command = std::process::Command::new(&test);
        command.args(["--exact", "each_namespace_is_a_new_one"]).env_clear();
        command.env("COUNTERSIGN_SKIPPED_FILE", skipped.path());
        // Neither binaries nor a Go to build them with.
        command
            .env("HOME", skipped.path())
            .env("COUNTERSIGN_REQUIRE_CONTROL_PLANE", required);
        command.output().unwrap()
    };
    let output = run("");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(
        said.starts_with("DID NOT RUN each_namespace_is_a_new_one: no control plane"),
        "{said}"
    );
    assert!(
        said.lines()
            .last()
            .unwrap()
            .starts_with("1 tests did not run: no control plane"),
        "{said}"
    );
    assert_eq!(
        fs::read_to_string(skipped.path()).unwrap(),
        "each_namespace_is_a_new_one\n"
    );

    let output = run("1");
    let said = stdout(&output);
    assert!(!output.status.success(), "{said}");
    assert!(
        said.contains("KUBEBUILDER_ASSETS") && said.contains("install Go"),
        "{said}"
    );
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The processes whose file `name` under `/proc` holds `wanted`.
fn processes(name: &str, wanted: &str) -> Vec<i32> {
    let pids = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let holds = |pid: &i32| {
        let bytes = fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).replace('\0', " ").contains(wanted)
    };
    pids.filter(holds).collect()
}

fn commands_with(argument: &str) -> Vec<i32> {
    processes("cmdline", argument)
}

fn marked(mark: &str) -> Vec<i32> {
    processes("environ", mark)
}

/// By command line, and by the mark that each process of a fixture inherits.
fn processes_of(work_dir: &Path) -> Vec<i32> {
    let work_dir = work_dir.to_str().unwrap();
    let mut found = [commands_with(work_dir), marked(work_dir)].concat();
    found.sort();
    found.dedup();
    found
}
