//! Why a request is allowed, held or denied, rule by rule. Nothing is sent.
//!
//!     cargo run -p countersign-examples --example explain -- --policy examples/policies/quickstart.yaml \
//!         --user agent-7 --group agents DELETE /api/v1/namespaces/countersign-demo/pods/web-0
//!
//! What the decision may hang on can be given along: `--body`, `--live` (the object as the server has it) and
//! `--namespace-object`, as files with JSON in them.
//!
//! Exit codes: 0 explained, 2 something is wrong with the policy or with what is asked.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use countersign_examples::{Result, catalog, is_test, yaml_files};
use countersign_kube::core::json::Value;
use countersign_kube::core::policy::{Facts, PolicySet};
use countersign_kube::core::request::{Canonical, Gate, Live};
use countersign_kube::core::{Refusal, Subject, Timestamp};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};

/// Why a request is allowed, held or denied, rule by rule.
#[derive(Parser)]
struct Options {
    /// Policy files, or folders of them.
    #[arg(long, required = true)]
    policy: Vec<PathBuf>,
    /// Who asks.
    #[arg(long, default_value = "agent")]
    user: String,
    /// A group of who asks.
    #[arg(long)]
    group: Vec<String>,
    /// On whose behalf.
    #[arg(long)]
    on_behalf_of: Option<String>,
    /// HTTP method.
    method: String,
    /// Path and query.
    target: String,
    /// File with the body.
    #[arg(long)]
    body: Option<PathBuf>,
    /// Type of the body.
    #[arg(long, requires = "body")]
    content_type: Option<String>,
    /// A header, as `name: value`.
    #[arg(long)]
    header: Vec<String>,
    /// File with the object as the server has it; `absent` if there is none.
    #[arg(long)]
    live: Option<PathBuf>,
    /// File with the Namespace object.
    #[arg(long)]
    namespace_object: Option<PathBuf>,
    /// A custom resource, as `widgets.example.com=Widget`.
    #[arg(long)]
    custom: Vec<String>,
    /// A custom resource outside of namespaces, as `widgets.example.com=Widget`.
    #[arg(long)]
    cluster_custom: Vec<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let policy = PolicySet::from_yaml(&yaml_files(&options.policy, |name| !is_test(name))?)?;
    for warning in policy.warnings() {
        eprintln!("{warning}\n");
    }
    let mut subject = Subject::new(&options.user);
    subject.groups.clone_from(&options.group);
    subject.on_behalf_of.clone_from(&options.on_behalf_of);

    let mut facts = Facts::default();
    if let Some(path) = &options.live {
        facts = facts.with_live_object(if path == Path::new("absent") {
            Live::Absent
        } else {
            object(path)?
        });
    }
    if let Some(path) = &options.namespace_object {
        facts = facts.with_namespace(object(path)?);
    }

    let body = options.body.as_deref().map(read).transpose()?.unwrap_or_default();
    let gate = Gate::new(Arc::new(catalog(&options.custom, &options.cluster_custom)?));
    let request = match understand(&gate, options, &headers(options)?, &body) {
        Ok(request) => request,
        Err(refusal) if options.json => {
            println!("{}", serde_json::to_string_pretty(&refusal.to_status())?);
            return Ok(());
        }
        Err(refusal) => {
            println!("{} {}", options.method, options.target);
            println!(
                "=> refused before any policy is asked: {} {}",
                refusal.status(),
                refusal.message()
            );
            if let Some(remedy) = refusal.remedy() {
                println!("   {remedy}");
            }
            return Ok(());
        }
    };
    let explanation = policy.explain(&subject, &request, &facts, Timestamp::now());
    if options.json {
        println!("{}", serde_json::to_string_pretty(&explanation)?);
    } else {
        print!("{explanation}");
    }
    Ok(())
}

fn understand(
    gate: &Gate,
    options: &Options,
    headers: &HeaderMap,
    body: &[u8],
) -> std::result::Result<Canonical, Refusal> {
    let target = gate.target(&options.method, options.target.as_bytes())?;
    gate.head(target, headers)?.with_body(body)
}

fn headers(options: &Options) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for line in &options.header {
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| format!("`{line}` is no header: write `name: value`"))?;
        headers.append(HeaderName::try_from(name.trim())?, HeaderValue::from_str(value.trim())?);
    }
    if options.body.is_some() {
        let kind = options.content_type.as_deref().unwrap_or("application/json");
        headers.insert(CONTENT_TYPE, HeaderValue::from_str(kind)?);
    }
    Ok(headers)
}

fn object(path: &Path) -> Result<Live> {
    let value = Value::parse(&read(path)?).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(Live::Object(Arc::new(value)))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    Ok(std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?)
}
