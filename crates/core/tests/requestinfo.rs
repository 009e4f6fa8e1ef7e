//! The front gate against the classification cases of upstream.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test"
)]

mod upstream;
mod vectors;

use countersign_core::request::Target;
use vectors::cases;

#[test]
fn every_case_has_the_outcome_and_attributes_of_the_file() {
    let mut wrong = Vec::new();
    let cases = cases("requestinfo.json");
    assert!(cases.len() >= 148);
    for case in &cases {
        let (id, method, url) = (
            &case["id"],
            case["method"].as_str().unwrap(),
            case["url"].as_str().unwrap(),
        );
        let expected = case["gate"]["outcome"].as_str().unwrap();
        match Target::parse(method, url.as_bytes()) {
            Err(refusal) if expected != "reject" => wrong.push(format!("{id} {method} {url}: {}", refusal.message())),
            Err(_) => {}
            Ok(target) => {
                let outcome = if target.is_canonicalized() {
                    "canonicalize"
                } else {
                    "classify"
                };
                if outcome != expected {
                    wrong.push(format!("{id} {method} {url}: {outcome}, expected {expected}"));
                }
                let attributes = serde_json::to_value(target.attributes()).unwrap();
                if attributes != case["upstream"] {
                    wrong.push(format!("{id} {method} {url}: {attributes} is not {}", case["upstream"]));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Keeps the independent model honest, refused requests included.
#[test]
fn the_model_of_upstream_agrees_with_the_file() {
    for case in cases("requestinfo.json") {
        let (id, method, url) = (
            &case["id"],
            case["method"].as_str().unwrap(),
            case["url"].as_str().unwrap(),
        );
        let upstream = &case["upstream"];
        match upstream::request_info(method, url) {
            Err(_) => assert!(upstream["error"].is_string(), "{id}"),
            Ok((info, failed)) => {
                assert_eq!(upstream["error"].is_string(), failed, "{id}");
                let mut expected = upstream.clone();
                expected.as_object_mut().unwrap().remove("error");
                assert_eq!(info.to_json(), expected, "{id} {method} {url}");
            }
        }
    }
}
