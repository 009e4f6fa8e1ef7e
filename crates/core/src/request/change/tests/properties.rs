//! Properties of random changes.

use proptest::prelude::*;

use super::*;

/// Merge patch as RFC 7386 writes it.
fn reference_merge(target: &serde_json::Value, patch: &serde_json::Value) -> serde_json::Value {
    use serde_json::Value as Json;
    let Json::Object(patch) = patch else {
        return patch.clone();
    };
    let mut target = match target {
        Json::Object(target) => target.clone(),
        _ => serde_json::Map::new(),
    };
    for (name, value) in patch {
        if value.is_null() {
            target.remove(name);
        } else {
            let old = target.get(name).cloned().unwrap_or(Json::Null);
            target.insert(name.clone(), reference_merge(&old, value));
        }
    }
    target.into()
}

fn plain() -> impl Strategy<Value = serde_json::Value> {
    let scalar = prop_oneof![
        Just(serde_json::Value::Null),
        (0..3).prop_map(serde_json::Value::from),
        "[a-c]".prop_map(serde_json::Value::from),
    ];
    scalar.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(serde_json::Value::from),
            prop::collection::hash_map("[a-e]", inner, 0..4)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

/// An object below `spec`, without nulls, as a server stores it.
fn stored() -> impl Strategy<Value = serde_json::Value> {
    plain().prop_map(|spec| {
        let spec = reference_merge(&serde_json::json!({}), &serde_json::json!({"spec": spec}));
        serde_json::json!({"metadata": {"name": "w"}, "spec": spec.get("spec").cloned().unwrap_or_default()})
    })
}

/// Every path to a value, list elements by what they are.
fn paths(value: &serde_json::Value, at: &str, found: &mut Vec<String>) {
    if value.is_null() {
        return;
    }
    found.push(at.to_owned());
    match value {
        serde_json::Value::Object(object) => {
            found.push(format!("{at}{{}}"));
            for (key, value) in object {
                paths(value, &format!("{at}/{key}"), found);
            }
        }
        serde_json::Value::Array(elements) => {
            found.push(format!("{at}[]"));
            let mut texts: Vec<String> = elements.iter().map(without_nulls).collect();
            texts.sort();
            let mut seen = 0;
            for (index, text) in texts.iter().enumerate() {
                seen = if index > 0 && texts[index - 1] == *text {
                    seen + 1
                } else {
                    0
                };
                if text != "null" {
                    found.push(format!("{at}/{text}#{seen}"));
                }
            }
        }
        _ => {}
    }
}

/// The text of a value, without members that are null.
fn without_nulls(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Object(object) => {
            let members = object.iter().filter(|(_, value)| !value.is_null());
            let members: Vec<String> = members
                .map(|(key, value)| format!("{key}:{}", without_nulls(value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        serde_json::Value::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(without_nulls).collect();
            format!("[{}]", elements.join(","))
        }
        other => other.to_string(),
    }
}

fn lost(before: &serde_json::Value, after: &serde_json::Value) -> Vec<String> {
    let (mut old, mut new) = (Vec::new(), Vec::new());
    paths(before, "", &mut old);
    paths(after, "", &mut new);
    old.retain(|path| !new.contains(path));
    old
}

fn removes(request: &Canonical, live: &serde_json::Value) -> bool {
    let change = Change::of(request, Some(&object(&live.to_string())));
    change
        .findings()
        .iter()
        .any(|finding| finding.concern == Concern::RemovesField)
}

fn result(request: &Canonical, live: &serde_json::Value) -> Option<serde_json::Value> {
    let live = object(&live.to_string());
    let after = request.resulting_object(Some(&live))?;
    Some(serde_json::from_slice(&after.to_bytes()).unwrap())
}

fn pointer() -> impl Strategy<Value = String> {
    prop::collection::vec("[a-e]|[0-2]|-", 0..4).prop_map(|tokens| {
        let tokens: Vec<String> = tokens.into_iter().map(|token| format!("/{token}")).collect();
        format!("/spec{}", tokens.concat())
    })
}

fn operation() -> impl Strategy<Value = serde_json::Value> {
    (
        prop::sample::select(vec!["add", "replace", "remove"]),
        pointer(),
        plain(),
    )
        .prop_map(|(op, path, value)| serde_json::json!({"op": op, "path": path, "value": value}))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn merge_patches_are_applied_as_the_reference_does(live in stored(), spec in plain()) {
        let patch = serde_json::json!({"spec": spec});
        let request = merge(WIDGET, &patch.to_string());
        let after = result(&request, &live).unwrap();
        prop_assert_eq!(&after, &reference_merge(&live, &patch));
        prop_assert_eq!(removes(&request, &live), !lost(&live, &after).is_empty());
    }

    #[test]
    fn a_put_loses_what_it_leaves_out(live in stored(), body in stored()) {
        let request = put(WIDGET, &body.to_string());
        prop_assert_eq!(removes(&request, &live), !lost(&live, &body).is_empty());
        prop_assert!(!removes(&put(WIDGET, &live.to_string()), &live));
    }

    #[test]
    fn what_a_json_patch_loses_is_found(live in stored(), operations in prop::collection::vec(operation(), 1..4)) {
        let request = json_patch(WIDGET, &serde_json::Value::from(operations).to_string());
        if let Some(after) = result(&request, &live) {
            prop_assert_eq!(removes(&request, &live), !lost(&live, &after).is_empty());
        }
    }

    #[test]
    fn what_a_strategic_patch_loses_is_found(live in stored(), spec in plain(), replaces: bool) {
        let mut patch = serde_json::json!({"spec": spec});
        if let Some(object) = patch["spec"].as_object_mut() {
            object.insert("$patch".into(), if replaces { "replace".into() } else { "merge".into() });
        }
        let request = strategic(DEPLOYMENT, &patch.to_string());
        let after = result(&request, &live).unwrap();
        prop_assert_eq!(removes(&request, &live), !lost(&live, &after).is_empty());
    }

    #[test]
    fn what_an_apply_loses_is_found(live in stored(), spec in plain()) {
        let body = serde_json::json!({"spec": spec});
        let request = apply(&format!("{WIDGET}?fieldManager=agent"), &body.to_string());
        let after = result(&request, &live).unwrap();
        prop_assert_eq!(removes(&request, &live), !lost(&live, &after).is_empty());
    }
}
