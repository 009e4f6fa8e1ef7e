//! The shared decision cases hold, but for a list that can only shrink.

use std::fmt::Write as _;

use countersign_tests::vectors::decide::{Case, Judge, Outcome};
use countersign_tests::vectors::{exceptions, file};
use serde::Deserialize;

const FAILURES: &str = include_str!("../vectors/expected-failures.txt");

#[derive(Deserialize)]
struct File {
    count: usize,
    cases: Vec<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    #[serde(flatten)]
    case: Case,
    category: String,
    expect: Outcome,
}

#[test]
fn decisions_are_those_of_the_shared_cases() {
    let file: File = serde_json::from_str(&file("threats.json")).unwrap();
    assert_eq!(file.cases.len(), file.count);
    let judge = Judge::new();
    let mut failures = exceptions(FAILURES);
    let mut wrong = String::new();
    let mut held = 0;
    for expected in &file.cases {
        let id = expected.case.id.as_str().unwrap();
        let answer = judge.decide(&expected.case);
        let listed = failures.remove(id);
        if answer.outcome == expected.expect {
            held += 1;
            if let Some(reason) = listed {
                let _ = writeln!(wrong, "{id} holds now, take it off the list: {reason}");
            }
        } else if listed.is_none() {
            let (category, case) = (&expected.category, &expected.case);
            let _ = writeln!(
                wrong,
                "{id} ({category}): {} {} is {:?}, not {:?}: {}",
                case.method, case.url, answer.outcome, expected.expect, answer.why
            );
        }
    }
    for id in failures.keys() {
        let _ = writeln!(wrong, "{id} is listed, but there is no such case");
    }
    assert!(wrong.is_empty(), "{held} of {} hold\n{wrong}", file.count);
}

/// Categories that hold as a whole, but for exec that is held for approval, which waits for streams.
#[test]
fn the_list_has_nothing_that_has_to_hold() {
    let file: File = serde_json::from_str(&file("threats.json")).unwrap();
    let failures = exceptions(FAILURES);
    for expected in &file.cases {
        let Some(reason) = failures.get(expected.case.id.as_str().unwrap()) else {
            continue;
        };
        let has_to_hold = match expected.category.as_str() {
            "URL and query tricks"
            | "Methods, headers, identity"
            | "Upgraded and long-running streams"
            | "Node, proxy and non-resource endpoints" => true,
            "Positive controls (must not be blocked)" => expected.case.body.is_none(),
            _ => false,
        };
        let held_exec = expected.expect == Outcome::Approve && expected.case.url.contains("/exec");
        assert!(!has_to_hold || held_exec, "{}: {reason}", expected.case.id);
    }
}
