//! The kubelet: exec, attach, logs, port-forward, as a client of the API server sees them.

use countersign_tests::control_plane::{self, container};
use futures_util::{AsyncBufReadExt as _, SinkExt, StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::{Pod, PodSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::api::{Api, AttachParams, AttachedProcess, LogParams, TerminalSize};
use kube::client::ConfigExt;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::{PATIENCE, code, commands_with, kubectl, stdout, until};

async fn read_to_end(reader: Option<impl AsyncRead + Unpin>) -> String {
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

/// Older clients than kube-rs and kubectl of today offer version 4 alone.
#[tokio::test]
async fn exec_speaks_version_4() {
    let Some(cp) = control_plane::or_skip("exec_speaks_version_4").await else {
        return;
    };
    let namespace = cp.namespace("v4").await;
    cp.run_pod(&namespace, "web", vec![container(&[])]).await;
    let config = cp.admin_config();
    let authority = config.cluster_url.authority().unwrap().to_string();
    let path = format!("/api/v1/namespaces/{namespace}/pods/web/exec");
    let query = "command=sh&command=-c&command=read+line%3B+echo+%22got+%24line%22%3B+exit+3&stdin=1&stdout=1";
    let mut request = format!("wss://{authority}{path}?{query}")
        .into_client_request()
        .unwrap();
    request
        .headers_mut()
        .insert("Sec-WebSocket-Protocol", "v4.channel.k8s.io".parse().unwrap());
    let tls = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config.rustls_client_config().unwrap()));
    let tcp = TcpStream::connect(&authority).await.unwrap();
    let stream = tls.connect("127.0.0.1".try_into().unwrap(), tcp).await.unwrap();
    let (mut socket, answer) = tokio_tungstenite::client_async(request, stream).await.unwrap();
    assert_eq!(answer.headers()["sec-websocket-protocol"], "v4.channel.k8s.io");
    socket
        .send(Message::Binary(b"\x00ping\n".as_slice().into()))
        .await
        .unwrap();
    let mut channels = [const { String::new() }; 4];
    let receive = async {
        while let Some(Ok(message)) = socket.next().await {
            if let Message::Binary(frame) = message {
                channels[usize::from(frame[0])] += std::str::from_utf8(&frame[1..]).unwrap();
            }
        }
    };
    tokio::time::timeout(PATIENCE, receive).await.unwrap();
    assert_eq!(channels[1], "got ping\n");
    let status: Value = serde_json::from_str(&channels[3]).unwrap();
    assert_eq!(status["details"]["causes"][0]["message"], "3");
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
    let mut out = TerminalLines::new(process.stdout().unwrap());
    assert!(out.line_with("/dev/").await.contains("/dev/"));
    stdin.write_all(b"\n").await.unwrap();
    assert_eq!(out.line_with("43").await.trim(), "43 132");
    stdin.write_all(b"ping\n").await.unwrap();
    out.line_with("got ping").await;
    assert_eq!(exit_code(&status(&mut process).await).as_deref(), Some("7"));
}

/// Lines of a terminal, which echoes what it is sent.
struct TerminalLines<R>(BufReader<R>);

impl<R: AsyncRead + Unpin> TerminalLines<R> {
    fn new(reader: R) -> Self {
        Self(BufReader::new(reader))
    }

    async fn line_with(&mut self, wanted: &str) -> String {
        loop {
            let mut line = String::new();
            let read = self.0.read_line(&mut line);
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
    let spec = PodSpec {
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
