//! What the README shows works as it stands there.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use countersign_core::policy::{Facts, PolicyTests};
use countersign_core::request::{Catalog, Gate};
use countersign_core::{Subject, Timestamp};
use countersign_kube::PolicySet;
use http::HeaderMap;

fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The YAML that the README shows.
fn shown() -> Vec<String> {
    let readme = fs::read_to_string(workspace().join("README.md")).unwrap();
    let blocks = readme.split("```yaml\n").skip(1);
    blocks
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
}

/// The block of this kind.
fn of_kind(kind: &str) -> String {
    let blocks = shown();
    let mut fitting = blocks
        .iter()
        .filter(|block| block.contains(&format!("\nkind: {kind}\n")));
    let block = fitting.next().unwrap_or_else(|| panic!("the README shows no {kind}"));
    assert_eq!(fitting.next(), None, "the README shows one {kind}");
    block.clone()
}

fn loaded(text: &str) -> PolicySet {
    PolicySet::from_yaml(&[("README.md", text)]).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn its_policy_loads_without_a_warning_and_passes_its_tests() {
    let policy = loaded(&of_kind("Policy"));
    assert!(policy.warnings().is_empty(), "{:?}", policy.warnings());
    let tests = PolicyTests::from_yaml(&[("README.md", of_kind("PolicyTest"))]).unwrap_or_else(|e| panic!("{e}"));
    let report = tests.run(&policy, &Gate::new(Arc::new(Catalog::kubernetes())));
    assert!(
        report.passed() == tests.len() && report.never_fired.is_empty(),
        "{report}"
    );
    // What the README says that the command prints.
    let readme = fs::read_to_string(workspace().join("README.md")).unwrap();
    for line in report.to_string().lines().filter(|line| !line.is_empty()) {
        assert!(
            readme.contains(&format!("    {line}\n")),
            "the README does not show {line:?}"
        );
    }
}

#[test]
fn its_explanation_is_what_is_printed() {
    let readme = fs::read_to_string(workspace().join("README.md")).unwrap();
    let (_, shown) = readme.split_once("--example explain -- ").unwrap();
    let (command, shown) = shown.split_once('\n').unwrap();
    let shown = shown.split("\n\nEach rule").next().unwrap();
    assert!(command.ends_with("--user agent-7 --group agents DELETE /api/v1/namespaces/team-b/pods/web-0"));

    let gate = Gate::new(Arc::new(Catalog::kubernetes()));
    let target = gate.target("DELETE", b"/api/v1/namespaces/team-b/pods/web-0").unwrap();
    let request = gate.head(target, &HeaderMap::new()).unwrap().with_body(b"").unwrap();
    let agent = Subject::new("agent-7").with_group("agents");
    let policy = loaded(&of_kind("Policy"));
    let explained = policy.explain(&agent, &request, &Facts::default(), Timestamp::UNIX_EPOCH);
    // In this order, `…` for what is left out.
    let explained = explained.to_string();
    let mut rest = explained.as_str();
    for part in shown.split("      …\n") {
        let part: String = part
            .lines()
            .map(|line| format!("{}\n", line.get(4..).unwrap_or_default()))
            .collect();
        let part = part.trim_end_matches("  …\n");
        let (_, after) = rest
            .split_once(part)
            .unwrap_or_else(|| panic!("{part:?} is not in {rest}"));
        rest = after;
    }
}

#[test]
fn the_rule_that_it_shows_alone_fits_into_its_policy() {
    let policy = of_kind("Policy");
    let rules: Vec<String> = shown()
        .into_iter()
        .filter(|block| block.starts_with("  - name:"))
        .collect();
    assert_eq!(rules.len(), 1);
    let (before, after) = policy.split_once("  budgets:\n").unwrap();
    let policy = loaded(&format!("{before}{}  budgets:\n{after}", rules[0]));
    assert!(policy.warnings().is_empty(), "{:?}", policy.warnings());
}

#[test]
fn the_masking_that_it_shows_fits_into_its_policy() {
    let policy = of_kind("Policy");
    let masking: Vec<String> = shown()
        .into_iter()
        .filter(|block| block.starts_with("  masking:"))
        .collect();
    assert_eq!(masking.len(), 1);
    let (before, after) = policy.split_once("  rules:\n").unwrap();
    let policy = loaded(&format!("{before}{}  rules:\n{after}", masking[0]));
    assert!(policy.warnings().is_empty(), "{:?}", policy.warnings());
}

#[test]
fn what_it_shows_are_the_files_that_its_commands_name() {
    for (kind, file) in [("Policy", "triage.yaml"), ("PolicyTest", "triage.test.yaml")] {
        let path = workspace().join("examples/policies").join(file);
        assert_eq!(of_kind(kind), fs::read_to_string(path).unwrap(), "{file}");
    }
}

#[test]
fn the_policies_of_the_examples_load() {
    let mut loaded = 0;
    for entry in fs::read_dir(workspace().join("examples/policies")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.display().to_string();
        let text = fs::read_to_string(&path).unwrap();
        if name.ends_with(".test.yaml") {
            PolicyTests::from_yaml(&[(name, text)]).unwrap_or_else(|errors| panic!("{errors}"));
        } else {
            PolicySet::from_yaml(&[(name, text)]).unwrap_or_else(|errors| panic!("{errors}"));
            loaded += 1;
        }
    }
    assert!(loaded >= 3);
}

#[test]
fn what_it_links_to_is_there() {
    for page in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"] {
        let text = fs::read_to_string(workspace().join(page)).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let outside = link.contains("://");
            assert!(outside || workspace().join(link).exists(), "{page} links to {link}");
        }
    }
}
