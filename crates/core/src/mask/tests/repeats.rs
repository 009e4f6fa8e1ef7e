//! What repeats itself is masked as if it came for the first time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::*;
use crate::cpu;
use crate::detect::{Detector, Detectors, Hits, KnownValues};
use crate::mask::Masking;

/// Whatever decides about something beside its own bytes.
const KEYS: [&str; 22] = [
    "name",
    "value",
    "env",
    "args",
    "command",
    "containers",
    "data",
    "stringData",
    "password",
    "secretKey",
    "kind",
    "metadata",
    "labels",
    "annotations",
    "kubectl.kubernetes.io/last-applied-configuration",
    "template",
    "spec",
    "image",
    "token",
    "a",
    "items",
    "managedFields",
];

const TEXTS: [&str; 16] = [
    "hunter2-hunter2",
    "info",
    "-p",
    "-phunter2-hunter2",
    "mysql",
    "redis-cli -a hunter2-hunter2",
    "Secret",
    "Pod",
    "ConfigMap",
    "DB_PASSWORD",
    "password=hunter2-hunter2",
    "postgres://u:hunter2-hunter2@h/d",
    "aHVudGVyMi1odW50ZXIy",
    "the quick brown fox",
    r#"{\"kind\":\"Secret\",\"data\":{\"a\":\"aHVudGVyMg==\"}}"#,
    r#"{\"env\":[{\"name\":\"DB_PASSWORD\",\"value\":\"hunter2-hunter2\"}]}"#,
];

fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => prop::sample::select(&TEXTS[..]).prop_map(|text| format!("\"{text}\"")),
        1 => prop::sample::select(&["12345678", "true", "null"][..]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        let members = prop::collection::vec((prop::sample::select(&KEYS[..]), inner.clone()), 0..5);
        prop_oneof![
            3 => members.prop_map(|members| object(members.into_iter().collect())),
            1 => prop::collection::vec(inner, 0..4).prop_map(|elements| format!("[{}]", elements.join(","))),
        ]
    })
}

fn object(members: BTreeMap<&str, String>) -> String {
    let members: Vec<_> = members
        .iter()
        .map(|(key, value)| format!("\"{key}\":{value}"))
        .collect();
    format!("{{{}}}", members.join(","))
}

fn plans() -> impl Strategy<Value = Plan> {
    let resources = [
        ("", "pods", "Pod", Origin::BuiltIn),
        ("", "configmaps", "ConfigMap", Origin::BuiltIn),
        ("", "secrets", "Secret", Origin::BuiltIn),
        ("example.com", "widgets", "Widget", Origin::Custom),
    ];
    prop::sample::select(resources.to_vec()).prop_map(|(group, resource, name, origin)| {
        let kind = kind(group, resource, name, origin);
        Plan::new(&attributes(Verb::List, group, resource, "", ""), Some(&kind), &[])
    })
}

fn listed(plan: &Plan, items: &[&str]) -> Outcome {
    let body = format!("{{\"apiVersion\":\"v1\",\"items\":[{}]}}", items.join(","));
    fed(plan, &[body.as_bytes()])
}

proptest! {
    #[test]
    fn items_are_masked_as_if_each_were_alone(
        plan in plans(),
        items in prop::collection::vec(value().prop_map(|spec| format!("{{\"metadata\":{{\"name\":\"x\"}},\"spec\":{spec}}}")), 1..4),
        order in prop::collection::vec(any::<prop::sample::Index>(), 1..16),
    ) {
        let items: Vec<&str> = order.iter().map(|index| index.get(&items).as_str()).collect();
        let Outcome::Whole(together, report) = listed(&plan, &items) else { return Ok(()) };
        let (mut alone, mut masked) = (Vec::new(), 0);
        for item in &items {
            let one = listed(&plan, &[item]);
            masked += one.masked();
            let body = one.body();
            alone.push(body[body.find("[").unwrap() + 1..body.len() - 2].to_owned());
        }
        prop_assert_eq!(together, format!("{{\"apiVersion\":\"v1\",\"items\":[{}]}}", alone.join(",")));
        prop_assert_eq!(report.masked(), masked);
    }
}

#[test]
fn the_same_array_as_arguments_and_as_something_else() {
    let array = r#"["--password","hunter22x"]"#;
    let harmless = format!("{{\"spec\":{{\"a\":{{\"args\":[{array}]}}}}}}");
    let arguments = format!("{{\"spec\":{{\"a\":{{\"args\":{array}}}}}}}");
    let outcome = listed(
        &plan(Verb::List, "pods", "Pod"),
        &[&harmless, &harmless, &harmless, &arguments],
    );
    let masked = arguments.replace("hunter22x", MARKER);
    assert!(
        outcome.body().ends_with(&format!("{harmless},{masked}]}}")),
        "{}",
        outcome.body()
    );
}

#[test]
fn what_is_learnt_meanwhile_is_found_in_what_repeats_itself() {
    let values = Arc::new(KnownValues::default());
    let plan = plan(Verb::List, "pods", "Pod").knowing(Arc::clone(&values));
    let item = r#"{"metadata":{"name":"x"},"spec":{"a":{"b":"kept under x7Kp2mQ9vT4w here"}}}"#;
    let mut masker = Masker::new(&plan, StatusCode::OK, &typed("application/json")).unwrap();
    let mut out = Vec::new();
    masker.push(b"{\"items\":[", &mut out).unwrap();
    for _ in 0..5 {
        masker.push(item.as_bytes(), &mut out).unwrap();
        masker.push(b",", &mut out).unwrap();
    }
    assert!(!String::from_utf8(out.clone()).unwrap().contains(MARKER));
    out.clear();
    values.remember_named("password", b"x7Kp2mQ9vT4w");
    for end in [",", "]}"] {
        masker.push(item.as_bytes(), &mut out).unwrap();
        masker.push(end.as_bytes(), &mut out).unwrap();
    }
    let out = String::from_utf8(out).unwrap();
    assert!(!out.contains("x7Kp2mQ9vT4w"), "{out}");
}

/// Learns a value while it looks at a text.
#[derive(Debug)]
struct Learns(Arc<KnownValues>, AtomicUsize);

impl Detector for Learns {
    fn detect(&self, text: &[u8], _: &mut Hits) {
        if text == b"trigger" && self.1.fetch_add(1, Ordering::Relaxed) == 1 {
            self.0.remember_named("password", b"zebra42-giraffe");
        }
    }
}

#[test]
fn what_is_learnt_inside_a_part_is_found_in_it_the_next_time() {
    let values = Arc::new(KnownValues::default());
    let learns = Learns(Arc::clone(&values), AtomicUsize::new(0));
    let masking = Masking {
        detectors: Detectors::built_in().and(Arc::new(learns)),
        ..Masking::default()
    };
    let plan = plan(Verb::List, "pods", "Pod").masking(masking).knowing(values);
    let item = r#"{"metadata":{"name":"x"},"spec":{"o":{"a":"zebra42-giraffe","b":"trigger","c":"zzzz"}}}"#;
    let outcome = listed(&plan, &[item; 6]);
    assert_eq!(outcome.body().matches("zebra42").count(), 2, "{}", outcome.body());
}

#[test]
fn long_names_of_many_values_cost_no_square() {
    let many = |value: &str| vec![value; 60_000].join(",");
    for (name, values) in [
        ("k".repeat(500_000), many("\"abcd\"")),
        (format!("{}password", "k".repeat(500_000)), many("\"abcd\"")),
        ("k".repeat(500_000), many("1")),
        (format!("password{}", "1".repeat(500_000)), many("{\"a\":1}")),
    ] {
        let body = format!("{{\"items\":[{{\"spec\":{{\"{name}\":[{values}]}}}}]}}");
        let masking = Masking {
            detectors: Detectors::built_in().with_names(&["acmeKey".to_owned()]).unwrap(),
            ..Masking::default()
        };
        let plan = plan(Verb::List, "pods", "Pod").masking(masking);
        let (_, taken) = cpu::timed(|| _ = fed(&plan, &[body.as_bytes()]).body());
        assert!(taken.as_secs() < 60, "{taken:?}");
    }
}

#[test]
fn nested_parts_cost_no_square() {
    // Every level is a part, and none of them was seen before.
    let level = |number: usize| format!("{{\"k{number}\":[");
    let mut item = String::new();
    for number in 0..20_000 {
        let levels: String = (0..25).map(|deep| level(number * 25 + deep)).collect();
        item.push_str(&levels);
        item.push_str("\"some words\"");
        item.push_str(&"]}".repeat(25));
        item.push(',');
    }
    item.pop();
    let body = format!("{{\"items\":[{{\"spec\":[{item}]}}]}}");
    assert!(body.len() < super::super::engine::MAX_ITEM, "{}", body.len());
    let outcome = fed(&plan(Verb::List, "pods", "Pod"), &[body.as_bytes()]);
    assert_eq!(outcome.body(), body);
}
