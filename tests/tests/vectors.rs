//! The shared decision cases hold, but for a list that can only shrink.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use countersign_tests::vectors::decide::{Case, Judge, Outcome};
use serde::Deserialize;

const FAILURES: &str = include_str!("../vectors/expected-failures.txt");

/// The shared file if this checkout lies beside it, else the copy of the repository.
fn threats() -> String {
    let workspace = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let folders = ["../shared/vectors", "tests/vectors"];
    let read = |folder| std::fs::read_to_string(format!("{workspace}/{folder}/threats.json")).ok();
    folders.into_iter().find_map(read).expect("the copy is always there")
}

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

/// Case and why it does not hold yet.
fn expected_failures() -> BTreeMap<&'static str, &'static str> {
    let mut failures = BTreeMap::new();
    for line in FAILURES
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let (id, reason) = line.split_once(' ').unwrap_or_else(|| panic!("no reason: {line}"));
        assert!(failures.insert(id, reason.trim()).is_none(), "{id} is listed twice");
    }
    failures
}

#[test]
fn decisions_are_those_of_the_shared_cases() {
    let file: File = serde_json::from_str(&threats()).unwrap();
    assert_eq!(file.cases.len(), file.count);
    let judge = Judge::new();
    let mut failures = expected_failures();
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
    let file: File = serde_json::from_str(&threats()).unwrap();
    let failures = expected_failures();
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
