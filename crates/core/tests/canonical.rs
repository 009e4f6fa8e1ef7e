//! Properties of the front gate on generated requests, honest and hostile.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test"
)]

mod generate;
mod upstream;
mod whole;

use std::sync::Arc;

use countersign_core::request::{Catalog, Gate, Target};
use generate::{Asked, method, request, target};
use proptest::prelude::*;
use serde_json::Value;

/// Attributes without the decoded path, which alone may lose its trailing slash.
fn without_path(mut attributes: Value) -> Value {
    attributes.as_object_mut().unwrap().remove("path");
    attributes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn what_is_accepted_means_the_same_to_upstream(method in method(), target in target()) {
        let Ok(parsed) = Target::parse(method, target.as_bytes()) else {
            return Ok(());
        };
        let ours = serde_json::to_value(parsed.attributes()).unwrap();
        let (received, failed) = upstream::request_info(method, &target).unwrap();
        prop_assert!(!failed);
        prop_assert_eq!(&ours, &received.to_json());
        // What counts in the end is what is sent.
        let (sent, failed) = upstream::request_info(method, parsed.path_and_query()).unwrap();
        prop_assert!(!failed);
        prop_assert_eq!(without_path(ours), without_path(sent.to_json()));
    }

    #[test]
    fn canonicalising_twice_is_the_identity(method in method(), target in target()) {
        let Ok(once) = Target::parse(method, target.as_bytes()) else {
            return Ok(());
        };
        let canonical = once.path_and_query().to_owned();
        let twice = Target::parse(method, canonical.as_bytes());
        let twice = twice.map_err(|refusal| TestCaseError::fail(format!("{canonical}: {}", refusal.message())))?;
        prop_assert!(!twice.is_canonicalized());
        prop_assert_eq!(twice.path_and_query(), canonical);
        let attributes = |target: &Target| without_path(serde_json::to_value(target.attributes()).unwrap());
        prop_assert_eq!(attributes(&twice), attributes(&once));
    }

    #[test]
    fn a_whole_request_is_the_same_the_second_time(asked in request()) {
        if let Err(wrong) = pass(&asked) {
            return Err(TestCaseError::fail(wrong));
        }
    }

    #[test]
    fn any_bytes_are_parsed_or_refused(method in ".{0,8}", target in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Err(refusal) = Target::parse(&method, &target) {
            prop_assert!(refusal.status().is_client_error());
        }
    }
}

fn gate() -> Gate {
    let catalog = Catalog::kubernetes().with_custom("example.com", "widgets", "Widget", true);
    Gate::new(Arc::new(catalog)).with_guard_namespace("guard-ns")
}

/// Whether a request is accepted; or what is wrong with how it is.
fn pass(asked: &Asked) -> Result<bool, String> {
    let body = asked.body.as_bytes();
    let passed = whole::pass(&gate(), asked.method, asked.target.as_bytes(), &asked.headers, body)?;
    Ok(passed.is_some())
}

/// Strategies that only produce refusals would prove nothing.
#[test]
fn enough_of_what_is_generated_is_accepted() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let whole = (0..2000)
        .filter(|_| pass(&request().new_tree(&mut runner).unwrap().current()).unwrap())
        .count();
    assert!((600..1900).contains(&whole), "{whole} of 2000");
    let accepted = (0..2000)
        .filter(|_| {
            let method = method().new_tree(&mut runner).unwrap().current();
            let target = target().new_tree(&mut runner).unwrap().current();
            Target::parse(method, target.as_bytes()).is_ok()
        })
        .count();
    assert!(accepted > 60, "{accepted} of 2000");
}
