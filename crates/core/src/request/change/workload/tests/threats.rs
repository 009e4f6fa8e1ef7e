//! The shared decision cases about workloads, as input.

use super::*;

/// Case, and what is found in it besides its image.
const CASES: [(&str, &str); 14] = [
    ("T-182", "host-pid, privileged"),
    ("T-183", "host-path"),
    ("T-186", "service-account"),
    ("T-187", ""),
    ("T-196", "token-projection"),
    ("T-197", ""),
    ("T-277", ""),
    ("T-319", "capabilities"),
    ("T-321", "control-plane-toleration"),
    ("T-323", "secret-reference"),
    ("T-325", "secret-reference"),
    ("T-327", "lifecycle-hook"),
    ("T-329", "template-change"),
    ("T-331", ""),
];

fn cases() -> Vec<Value> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/threats.json");
    let file = Value::parse(&std::fs::read(file).unwrap()).unwrap();
    file.get("cases").and_then(Value::as_array).unwrap().to_vec()
}

#[test]
fn the_shared_cases_about_workloads() {
    let all = cases();
    for (id, expected) in CASES {
        let case = all.iter().find(|case| case.get("id") == Some(&id.into())).unwrap();
        let text = |key: &str| case.get(key).and_then(Value::as_str).unwrap();
        let was = if text("method") == "POST" {
            Was::Nothing
        } else {
            Was::Unknown
        };
        let deployment = text("url").contains("/deployments");
        let (group, resource) = if deployment {
            ("apps", "deployments")
        } else {
            ("", "pods")
        };
        let found = found_in(group, resource, &was, text("body"));
        let words = found.iter().filter_map(|line| line.split(' ').next());
        let others: Vec<_> = words.filter(|word| *word != "image").collect();
        assert_eq!(others.join(", "), expected, "{id}");
        let images = found.iter().filter(|line| line.starts_with("image ")).count();
        assert_eq!(images, usize::from(id != "T-329"), "{id}");
    }
}

#[test]
fn only_the_pods_that_leave_the_token_open_get_the_switch() {
    let all = cases();
    for (id, expected) in [("T-197", true), ("T-186", true), ("T-319", false), ("T-325", false)] {
        let case = all.iter().find(|case| case.get("id") == Some(&id.into())).unwrap();
        let body = case.get("body").and_then(Value::as_str).unwrap();
        let attributes = Attributes::for_test(Verb::Create, "", "pods");
        let switch = token_mount_switch(&attributes, &states(&Was::Nothing, body));
        assert_eq!(switch.is_some(), expected, "{id}");
    }
}
