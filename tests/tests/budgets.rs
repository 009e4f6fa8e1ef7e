//! What a subject may do in a while is counted where it is done, and what a policy warns of reaches the user.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use countersign_core::digest::Digest;
use countersign_core::policy::{Budget, Evaluation, Facts, Outcome, Unit, Verdict};
use countersign_core::request::{Canonical, Effect, Effects};
use countersign_core::{Subject, Timestamp};
use countersign_kube::PolicyEngine;
use countersign_tests::guarded::{POLICY, Stack, on_both_with, refused};
use countersign_tests::program::{command, run, stderr, stdout};
use http::Request;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use kube::client::Body;
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpListener;

/// Allows everything: deletions of two objects an hour, and not without a warning.
struct TwoDeletions;

impl PolicyEngine for TwoDeletions {
    fn evaluate(&self, _: &Subject, request: &Canonical, _: &Facts, _: Timestamp) -> Evaluation {
        let mut verdict = Verdict::new(Outcome::Allow);
        if request.effects().contains(Effect::Destructive) && request.method() == "DELETE" {
            verdict.budgets = vec![Arc::new(Budget {
                name: "team/deletions".into(),
                effects: Effects::only(Effect::Destructive),
                unit: Unit::Objects,
                max: 2,
                per: Duration::from_secs(3600),
            })];
            verdict.warnings = vec!["team/no-deletions would deny this (shadow)".into()];
        }
        Evaluation::Verdict(verdict)
    }

    fn revision(&self) -> Digest {
        Digest::of(b"two deletions")
    }
}

async fn maps(stack: &Stack, names: &[&str]) -> Api<ConfigMap> {
    let maps: Api<ConfigMap> = Api::namespaced(stack.admin.clone(), &stack.namespace);
    for name in names {
        let map = json!({"metadata": {"name": name, "labels": {"letter": &name[..1]}}});
        let map = serde_json::from_value(map).unwrap();
        maps.create(&PostParams::default(), &map).await.unwrap();
    }
    Api::namespaced(stack.agent.clone(), &stack.namespace)
}

#[tokio::test]
async fn objects_are_counted_where_they_are_deleted() {
    let test = "objects_are_counted_where_they_are_deleted";
    let two = |guard: countersign_kube::GuardBuilder, _: &_| guard.policy(TwoDeletions);
    on_both_with(test, POLICY, two, async |stack| {
        let theirs = maps(stack, &["a1", "a2", "b1", "b2", "b3"]).await;
        let delete = DeleteParams::default();
        let labelled = |letter: &str| ListParams::default().labels(&format!("letter={letter}"));
        let is_there = async |name: &str| theirs.get_opt(name).await.unwrap().is_some();

        // Three are more than there will ever be.
        let status = refused(theirs.delete_collection(&delete, &labelled("b")).await);
        assert_eq!(
            status.message,
            "countersign: the budget team/deletions (2 objects per 1h) does not cover this request: it takes 3 or more, \
             2 are left (ask for less at a time)"
        );
        assert!(is_there("b1").await && is_there("b3").await);

        theirs.delete_collection(&delete, &labelled("a")).await.unwrap();
        assert!(!is_there("a1").await && !is_there("a2").await);

        let status = refused(theirs.delete("b1", &delete).await);
        assert_eq!((status.code, status.reason.as_str()), (403, "Forbidden"));
        let spent = "countersign: the budget team/deletions (2 objects per 1h) is spent: 0 left, more at ";
        assert!(status.message.starts_with(spent), "{}", status.message);
        let details = status.details.unwrap();
        assert!((3500..=3600).contains(&details.retry_after_seconds), "{details:?}");
        assert!(is_there("b1").await);

        let (events, _) = stack.audit().await;
        let left: Vec<_> = events
            .iter()
            .filter(|event| event.verb == "deletecollection")
            .filter_map(|event| event.annotation("countersign.dev/budgets"))
            .collect();
        assert_eq!(left, ["team/deletions=0"; 2]);
    })
    .await;
}

/// Serves a guarded client on loopback, and returns a kubeconfig that leads there.
async fn serve(stack: &Stack) -> (TempDir, std::path::PathBuf) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let agent = stack.agent.clone();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let agent = agent.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let agent = agent.clone();
                async move {
                    let (mut head, body) = request.into_parts();
                    head.headers.remove(http::header::HOST);
                    let body = body.collect().await.unwrap().to_bytes();
                    let answer = agent.send(Request::from_parts(head, Body::from(body))).await;
                    Ok::<_, Infallible>(answer.unwrap())
                }
            });
            tokio::spawn(async move {
                let builder = Builder::new(TokioExecutor::new());
                let _ = builder.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("kubeconfig");
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "it",
        "clusters": [{"name": "it", "cluster": {"server": format!("http://{address}")}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "namespace": stack.namespace}}],
    });
    std::fs::write(&path, kubeconfig.to_string()).unwrap();
    (folder, path)
}

#[tokio::test]
async fn kubectl_prints_what_a_policy_warns_of() {
    let test = "kubectl_prints_what_a_policy_warns_of";
    let two = |guard: countersign_kube::GuardBuilder, _: &_| guard.policy(TwoDeletions);
    on_both_with(test, POLICY, two, async |stack| {
        // The API server in memory does not have all that kubectl asks for.
        let Some(cp) = stack.control_plane() else { return };
        maps(stack, &["a", "b", "c"]).await;
        let (folder, kubeconfig) = serve(stack).await;
        let kubectl = async |arguments: &[&str]| {
            let mut kubectl = command(cp.kubectl().expect("a build has kubectl"));
            kubectl.env("KUBECONFIG", &kubeconfig).env("HOME", folder.path());
            run(kubectl.args(arguments), "").await
        };
        let warning = "Warning: team/no-deletions would deny this (shadow)";
        for name in ["a", "b"] {
            let output = kubectl(&["delete", "configmap", name, "--wait=false"]).await;
            assert!(output.status.success(), "{}", stderr(&output));
            assert!(stdout(&output).contains("deleted"));
            assert!(stderr(&output).contains(warning), "{}", stderr(&output));
        }
        let output = kubectl(&["delete", "configmap", "c", "--wait=false"]).await;
        assert!(!output.status.success());
        let said = stderr(&output);
        assert!(said.contains(warning), "on refusals too: {said}");
        assert!(
            said.contains("the budget team/deletions (2 objects per 1h) is spent: 0 left"),
            "{said}"
        );
    })
    .await;
}
