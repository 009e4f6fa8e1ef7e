//! Nothing that is hostile takes long, or takes the process with it.

use std::fmt::Write as _;
use std::time::Duration;

use super::*;
use crate::cpu;

/// An object of close to three megabytes.
fn large(items: usize, name: &str) -> String {
    let mut body = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"#.to_owned();
    for index in 0..items {
        let comma = if index == 0 { "" } else { "," };
        write!(body, r#"{comma}"{name}{index}":"v{index}""#).unwrap();
    }
    body.push_str("}}");
    body
}

fn evaluate_on(text: &str, body: &str) -> (Result<bool, EvaluationError>, Duration) {
    let condition = Condition::compile(text).unwrap();
    let subject = Subject::new("agent-7");
    let request = request("POST", "/api/v1/namespaces/team-a/configmaps", body);
    let inputs = Inputs::new(&subject, &request, None, None, request.json(), now());
    cpu::timed(|| condition.holds(&mut Evaluation::new(&inputs)))
}

#[test]
fn work_is_bounded() {
    let body = large(86_000, "key-of-some-length-");
    assert!((2_900_000..3_145_728).contains(&body.len()), "{}", body.len());
    let long = format!(
        r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"a"}},"data":{{"a":"{}"}}}}"#,
        "a".repeat(3_000_000)
    );
    // Each of these would take minutes to years.
    for (text, body) in [
        (
            "object.data.all(a, object.data.all(b, object.data.all(c, a != b + c)))",
            &body,
        ),
        ("object.data.all(a, object.data[a] != '')", &body),
        ("object.data.map(a, object.data.map(b, b)).size() > 0", &body),
        ("object.data.exists(a, a in object.data.map(b, b + 'x'))", &body),
        ("object.data.map(a, a).distinct().size() > 0", &body),
        ("object.data.transformMapEntry(k, v, {v: k}).size() > 0", &body),
        (
            "sets.equivalent(object.data.map(a, a), object.data.map(a, a).reverse())",
            &body,
        ),
        ("object.data.all(a, object == object)", &body),
        (
            "object.data.exists(a, object.data.exists(b, a == b + '!')) || true",
            &body,
        ),
        ("lists.range(9223372036854775807).size() > 0", &body),
        ("object.data.a.split('').all(x, object.data.a.contains(x + 'b'))", &long),
        ("object.data.a.replace('a', object.data.a).size() > 0", &long),
        ("object.data.a.replace('', object.data.a).size() > 0", &long),
        ("object.data.a.matches('(a*)*b')", &long),
        ("object.data.a.split('').join(object.data.a).size() > 0", &long),
        (
            "[0,1,2,3,4,5,6,7,8,9].all(x, [0,1,2,3,4,5,6,7,8,9].all(y, object.data.a + 'a' != object.data.a + 'b'))",
            &long,
        ),
    ] {
        let (answer, took) = evaluate_on(text, body);
        assert_eq!(answer, Err(EvaluationError::Exhausted), "{text}");
        // A debug build on a busy machine.
        assert!(took < Duration::from_secs(5), "{text}: {took:?}");
        println!("{took:>12.3?} {text}");
    }
    // What goes through it once has an answer.
    let small = large(20_000, "k");
    let (answer, took) = evaluate_on("object.data.all(k, v, k.startsWith('k') && v != '')", &small);
    assert_eq!(answer, Ok(true), "{took:?}");
}

#[test]
fn deep_text_is_refused_and_what_is_accepted_fits_the_stack() {
    // The stack of a test's thread is two megabytes, as a worker's of tokio is.
    let nested = |depth: usize, open: &str, close: &str| format!("{}true{}", open.repeat(depth), close.repeat(depth));
    let shapes: [(&str, &str); 7] = [
        ("(", ")"),
        ("!(", ")"),
        ("[", "] == []"),
        ("[1].all(x, ", ")"),
        ("(true ? ", " : false)"),
        ("type(", ") == int"),
        ("{'a': ", "}.a"),
    ];
    for (open, close) in shapes {
        let mut accepted = 0;
        for depth in (1..=26).step_by(5).chain([24, 25, 27, 60, 399]) {
            let text = nested(depth, open, close);
            match Condition::compile(&text) {
                Ok(_) => {
                    accepted = accepted.max(depth);
                    let _ = evaluate(&text);
                }
                Err(error) => assert!(!error.message.is_empty()),
            }
        }
        println!("{open}…{close}: {accepted}");
        assert!(accepted < 100, "{open}");
    }
    for chain in [
        "1+",
        "-",
        "!",
        "1 == 1 ? true : ",
        "object.",
        "true && ",
        "true || ",
        "[0][",
    ] {
        for length in [1, 5, 20, 50, 90, 94, 95, 96, 97, 98, 120, 399, 2000, 10_000] {
            let text = format!("{}1 == 1", chain.repeat(length));
            if Condition::compile(&text).is_ok() {
                let _ = evaluate(&text);
            }
        }
    }
    assert!(refused(&"a".repeat(20_000)).contains("more than 16384 bytes"));
}

#[test]
fn no_input_breaks_the_parser() {
    // A cheap generator: tokens in random order.
    let tokens = [
        "(", ")", "[", "]", "{", "}", ".", ",", ":", "?", "!", "-", "+", "==", "&&", "||", "in", "has", "all", "x",
        "object", "'a'", "\"", "'''", "r'", "b'", "\\", "1", "1u", "0x", "1e", ".5", "null", "true", "@", "`", "//",
        "\n", "é", "\u{0}", "?.", "[?", "map",
    ];
    let mut state = 7_u64;
    let mut next = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    for _ in 0..200 {
        let text: String = (0..=next(20)).map(|_| tokens[next(tokens.len())]).collect();
        if Condition::compile(&text).is_ok() {
            let _ = evaluate(&text);
        }
    }
}
