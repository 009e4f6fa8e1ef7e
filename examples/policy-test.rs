//! Runs tests of policies.
//!
//!     cargo run -p countersign-examples --example policy-test -- --policy examples/policies/quickstart.yaml \
//!         examples/policies/quickstart.test.yaml
//!
//! Policies and tests are files, or folders: tests are files that end in `.test.yaml`, policies the other YAML files.
//!
//! Exit codes: 0 all passed, 1 a case failed (with `--strict` also if no case made some rule fire), 2 a file is wrong.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use countersign_examples::{Result, catalog, is_test, yaml_files};
use countersign_kube::core::policy::{PolicySet, PolicyTests, TestReport};
use countersign_kube::core::request::Gate;

/// Runs tests of policies.
#[derive(Parser)]
struct Options {
    /// Policy files, or folders of them.
    #[arg(long, required = true)]
    policy: Vec<PathBuf>,
    /// Test files, or folders of them.
    #[arg(required = true)]
    tests: Vec<PathBuf>,
    /// A custom resource, as `widgets.example.com=Widget`.
    #[arg(long)]
    custom: Vec<String>,
    /// A custom resource outside of namespaces, as `widgets.example.com=Widget`.
    #[arg(long)]
    cluster_custom: Vec<String>,
    /// The namespace that the guard runs in.
    #[arg(long)]
    guard_namespace: Option<String>,
    /// Fail if no case made some rule fire.
    #[arg(long)]
    strict: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let report = match run(&options) {
        Ok(report) => report,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    if options.json {
        match serde_json::to_string_pretty(&report) {
            Ok(json) => println!("{json}"),
            Err(error) => eprintln!("{error}"),
        }
    } else {
        print!("{report}");
    }
    let missed = options.strict && !report.never_fired.is_empty();
    if report.failed() == 0 && !missed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn run(options: &Options) -> Result<TestReport> {
    let policy = PolicySet::from_yaml(&yaml_files(&options.policy, |name| !is_test(name))?)?;
    for warning in policy.warnings() {
        eprintln!("{warning}\n");
    }
    let tests = PolicyTests::from_yaml(&yaml_files(&options.tests, is_test)?)?;
    if tests.is_empty() {
        return Err("there are no tests".into());
    }
    let mut gate = Gate::new(Arc::new(catalog(&options.custom, &options.cluster_custom)?));
    if let Some(namespace) = &options.guard_namespace {
        gate = gate.with_guard_namespace(namespace);
    }
    Ok(tests.run(&policy, &gate))
}
