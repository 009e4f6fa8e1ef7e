//! An agent is watched, stopped, approved and recorded.
//!
//!     cargo run -p countersign-examples --example quickstart              # on an API server in memory
//!     cargo run -p countersign-examples --example quickstart -- --yes     # nobody is asked
//!     cargo run -p countersign-examples --example quickstart -- --cluster # on the current kubeconfig context
//!
//! On a real cluster it works in a namespace of its own, `countersign-demo`, which it creates and deletes.

use std::io::{BufReader, IsTerminal as _, stderr, stdin, stdout};
use std::path::PathBuf;

use clap::Parser;
use countersign_examples::{Narrator, Result, print_audit};
use countersign_kube::core::request::ClusterIdentity;
use countersign_kube::testing::EmbeddedApiServer;
use countersign_kube::{
    FileSink, Guard, GuardBuilder, GuardedClientBuilder as _, Operator, PolicySet, Subject, TerminalBackend,
    guarded_client, with_reason,
};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Namespace, Pod, Secret};
use kube::api::{DeleteParams, ListParams, PostParams};
use kube::client::ClientBuilder;
use kube::{Api, Client};
use serde_json::json;

const NAMESPACE: &str = "countersign-demo";

/// An agent is watched, stopped, approved and recorded.
#[derive(Parser)]
struct Options {
    /// Use the current kubeconfig context instead of an API server in memory.
    #[arg(long)]
    cluster: bool,
    /// Approve what is held without asking.
    #[arg(long)]
    yes: bool,
    /// Where the audit log goes; by default a new file in the temporary folder.
    #[arg(long)]
    audit: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    let audit = options
        .audit
        .clone()
        .unwrap_or_else(|| std::env::temp_dir().join(format!("countersign-quickstart-{}.jsonl", std::process::id())));

    // The four parts that a guard is made of: who asks, what is allowed, who approves, where it is recorded.
    let mut operator = Operator::new(whoami())
        .with_group("sre")
        .with_ansi(stderr().is_terminal());
    if options.yes {
        operator = operator.insecure_approve_everything();
    }
    let policy = PolicySet::from_yaml(&[("quickstart.yaml", include_str!("policies/quickstart.yaml"))])?;
    let guard = Guard::builder()
        .subject(
            Subject::new("triage-agent")
                .with_group("agents")
                .with_session("quickstart"),
        )
        .policy(policy)
        .approval(TerminalBackend::start(operator, BufReader::new(stdin()), stderr())?)
        .audit(FileSink::open(&audit)?);

    let (admin, agent) = clients(&options, guard).await?;
    seed(&admin).await?;
    let story = with_reason("the rollout of web hangs, looking for the cause", run_agent(agent)).await;
    if options.cluster {
        Api::<Namespace>::all(admin)
            .delete(NAMESPACE, &DeleteParams::default())
            .await?;
    }
    story?;
    print_audit(&audit, stdout().is_terminal())
}

fn whoami() -> String {
    std::env::var("USER").unwrap_or_else(|_| "operator".into())
}

/// A client for what the demonstration needs, and the guarded one that the agent gets.
async fn clients(options: &Options, guard: GuardBuilder) -> Result<(Client, Client)> {
    if options.cluster {
        let config = kube::Config::infer().await?;
        return Ok((Client::try_from(config.clone())?, guarded_client(config, guard)?));
    }
    let server = EmbeddedApiServer::new();
    let guard = guard.cluster(ClusterIdentity::named("embedded")).build()?;
    let agent = ClientBuilder::new(server.clone(), NAMESPACE).guarded(&guard).build();
    Ok((server.client(), agent))
}

/// What the agent does: ordinary kube-rs calls, nothing in them knows of the guard.
async fn run_agent(client: Client) -> Result<()> {
    let tell = Narrator::new(stdout().is_terminal());

    tell.step("The agent lists Secrets: names and keys are there, values are not.");
    let secrets: Api<Secret> = Api::namespaced(client.clone(), NAMESPACE);
    for secret in secrets.list(&ListParams::default()).await? {
        for (key, value) in secret.data.iter().flatten() {
            let name = secret.metadata.name.as_deref().unwrap_or_default();
            tell.fact(&format!("{name}: {key} = {}", String::from_utf8_lossy(&value.0)));
        }
    }

    tell.step("It reads a Deployment.");
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), NAMESPACE);
    let web = deployments.get("web").await?;
    tell.fact(&format!("web wants {} replicas", web.spec.replicas.unwrap_or_default()));

    tell.step("It tries to delete the namespace: the policy denies it, and says why.");
    let namespaces: Api<Namespace> = Api::all(client.clone());
    tell.refusal(namespaces.delete(NAMESPACE, &DeleteParams::default()).await)?;

    tell.step("It tries to delete a pod: a human has to approve exactly this request.");
    let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
    match pods.delete("web-0", &DeleteParams::default()).await {
        Ok(_) => tell.fact("pod web-0 is deleted, once"),
        Err(error) => tell.refusal::<()>(Err(error))?,
    }

    tell.step("It reads a Secret, changes a label and writes it back: that would destroy the masked value.");
    let mut secret = secrets.get("database").await?;
    secret
        .metadata
        .labels
        .get_or_insert_default()
        .insert("touched-by".into(), "agent".into());
    tell.refusal(secrets.replace("database", &PostParams::default(), &secret).await)
}

/// The objects of the demonstration, made without the guard.
async fn seed(admin: &Client) -> Result<()> {
    let create = PostParams::default();
    let namespace = serde_json::from_value(json!({ "metadata": { "name": NAMESPACE } }))?;
    Api::<Namespace>::all(admin.clone()).create(&create, &namespace).await?;
    let secret = serde_json::from_value(json!({
        "metadata": { "name": "database" },
        "stringData": { "username": "app", "password": "correct horse battery staple" },
    }))?;
    Api::<Secret>::namespaced(admin.clone(), NAMESPACE)
        .create(&create, &secret)
        .await?;
    let labels = json!({ "app": "web" });
    let containers = json!([{ "name": "app", "image": "registry.k8s.io/pause:3.10" }]);
    let deployment = serde_json::from_value(json!({
        "metadata": { "name": "web" },
        "spec": {
            "replicas": 3,
            "selector": { "matchLabels": labels },
            "template": { "metadata": { "labels": labels }, "spec": { "containers": containers } },
        },
    }))?;
    Api::<Deployment>::namespaced(admin.clone(), NAMESPACE)
        .create(&create, &deployment)
        .await?;
    let pod = serde_json::from_value(json!({
        "metadata": { "name": "web-0", "labels": labels },
        "spec": { "containers": containers, "automountServiceAccountToken": false },
    }))?;
    Api::<Pod>::namespaced(admin.clone(), NAMESPACE)
        .create(&create, &pod)
        .await?;
    Ok(())
}
