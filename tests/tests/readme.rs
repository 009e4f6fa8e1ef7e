//! What the README shows works as it stands there.

use std::fs;
use std::path::Path;

use countersign_kube::PolicySet;

fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

#[test]
fn its_policy_loads() {
    let readme = fs::read_to_string(workspace().join("README.md")).unwrap();
    let policies: Vec<_> = readme
        .split("```yaml\n")
        .skip(1)
        .map(|rest| ("README.md", rest.split("```").next().unwrap()))
        .collect();
    assert_eq!(policies.len(), 1, "the README shows one policy");
    PolicySet::from_yaml(&policies).unwrap();
}

#[test]
fn the_policies_of_the_examples_load() {
    let mut loaded = 0;
    for entry in fs::read_dir(workspace().join("examples/policies")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.display().to_string();
        PolicySet::from_yaml(&[(name, fs::read_to_string(&path).unwrap())]).unwrap_or_else(|errors| panic!("{errors}"));
        loaded += 1;
    }
    assert!(loaded >= 2);
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
