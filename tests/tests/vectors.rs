//! The shared decision cases hold, but for a list that can only shrink.

use std::fmt::Write as _;

use countersign_tests::vectors::decide::{Expected, Judge, Outcome};
use countersign_tests::vectors::{cases, exceptions};

const FAILURES: &str = include_str!("../vectors/expected-failures.txt");

#[test]
fn decisions_are_those_of_the_shared_cases() {
    let cases: Vec<Expected> = cases("threats.json");
    let judge = Judge::new();
    let mut failures = exceptions(FAILURES);
    let mut wrong = String::new();
    let mut held = 0;
    for expected in &cases {
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
    assert!(wrong.is_empty(), "{held} of {} hold\n{wrong}", cases.len());
}

/// Categories that hold as a whole, but for exec that is held for approval, which waits for streams.
#[test]
fn the_list_has_nothing_that_has_to_hold() {
    let cases: Vec<Expected> = cases("threats.json");
    let failures = exceptions(FAILURES);
    for expected in &cases {
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
