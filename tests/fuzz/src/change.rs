//! What a change does: a request, and the live object that it changes.

use std::sync::{Arc, LazyLock};

use countersign_core::json::Value;
use countersign_core::request::{Canonical, Change, Concern, Finding, Gate, Live, Verb, Weight};
use serde_json::Value as Json;

use crate::message::Message;
use crate::new_gate;

static GATE: LazyLock<Gate> = LazyLock::new(new_gate);

/// Whether the gate accepts an input.
#[must_use]
pub fn is_accepted(input: &[u8]) -> bool {
    read(input).is_some()
}

/// Understands a change without and with the live object; whether the gate accepted it.
///
/// # Panics
/// If one of the properties below does not hold.
pub fn check(input: &[u8]) -> bool {
    let Some((request, live)) = read(input) else {
        return false;
    };
    let unread = Change::of(&request, None);
    assert_eq!(unread, Change::of(&request, None), "another change the second time");
    if !request.attributes().verb.is_mutating() {
        assert_eq!(unread, Change::default(), "a read changes something");
    }

    // Nobody can look: what was assumed stands, but that an apply leaves out what its manager applied before.
    let unreadable = Change::of(&request, Some(&Live::Unreadable));
    let mut settled: Vec<_> = unread.findings().iter().map(settle).collect();
    if request.content_type() == Some("application/apply-patch+yaml") {
        settled.retain(|finding| !is_pruning(finding) || unreadable.findings().contains(finding));
    }
    assert_eq!(
        unreadable.findings()[..],
        settled[..],
        "an object that can't be read settles something"
    );
    assert_eq!(unreadable.supplies_hidden_value(), unread.supplies_hidden_value());

    check_read(&request, &unread, &Live::Absent);
    if let Some(live) = live {
        if let Some(gone) = vanishing(&request, &live) {
            let read = Change::of(&request, Some(&Live::Object(Arc::new(live.clone()))));
            assert!(
                is_destructive(read.findings()),
                "{gone} vanishes, and nobody says so: {:?}",
                read.findings()
            );
        }
        check_read(&request, &unread, &Live::Object(Arc::new(live)));
    }
    true
}

fn read(input: &[u8]) -> Option<(Canonical, Option<Value>)> {
    let message = Message::read(input)?;
    let target = GATE.target(message.method, message.target).ok()?;
    let request = GATE.head(target, &message.headers).ok()?.with_body(message.body).ok()?;
    let live = match message.rest {
        None => None,
        Some(live) => Some(Value::parse(live).ok().filter(|live| live.as_object().is_some())?),
    };
    Some((request, live))
}

/// The finding, once it is no longer an assumption.
fn settle(finding: &Finding) -> Finding {
    Finding {
        assumed: false,
        ..finding.clone()
    }
}

/// The whole of what its manager owns, as nobody knows what that is.
fn is_pruning(finding: &Finding) -> bool {
    finding.concern == Concern::RemovesField && finding.path.is_empty()
}

/// Reading the object settles what was assumed, and nothing else.
fn check_read(request: &Canonical, unread: &Change, live: &Live) {
    let read = Change::of(request, Some(live));
    let (before, after) = (unread.findings(), read.findings());
    assert!(
        after.iter().all(|finding| !finding.assumed),
        "assumed, though it was read: {after:?}"
    );
    for certain in before.iter().filter(|finding| !finding.assumed) {
        assert!(
            after.contains(certain),
            "gone, and it was no assumption: {certain:?} of {after:?}"
        );
    }
    // A value over something that the body does not name shows only now; but there is no more to a create than its body.
    if request.attributes().verb == Verb::Create {
        let settled: Vec<_> = before.iter().map(settle).collect();
        assert_eq!(after[..], settled[..], "the live object matters to a create");
    }
    assert!(
        !read.supplies_hidden_value() || unread.supplies_hidden_value(),
        "the live object hides more: {live:?}"
    );
}

fn is_destructive(findings: &[Finding]) -> bool {
    findings
        .iter()
        .any(|finding| finding.concern.weight() == Weight::Destructive)
}

/// A place that is gone, or a value of a Secret or ConfigMap that is another, once another implementation has applied a
/// merge patch or a JSON Patch; in what users write, of the object itself.
fn vanishing(request: &Canonical, live: &Value) -> Option<String> {
    let attributes = request.attributes();
    if attributes.verb != Verb::Patch || !attributes.subresource.is_empty() {
        return None;
    }
    let before: Json = serde_json::from_slice(&live.to_bytes()).ok()?;
    let mut after = before.clone();
    match request.content_type()? {
        "application/merge-patch+json" => json_patch::merge(&mut after, &serde_json::from_slice(request.body()).ok()?),
        "application/json-patch+json" => {
            let patch: json_patch::Patch = serde_json::from_slice(request.body()).ok()?;
            json_patch::patch(&mut after, &patch).ok()?;
        }
        _ => return None,
    }
    let written = ["/spec", "/data", "/metadata/labels", "/metadata/annotations"];
    let vanished = written
        .iter()
        .find_map(|place| gone(before.pointer(place)?, after.pointer(place), place));
    vanished.or_else(|| match (attributes.api_group.as_str(), attributes.resource.as_str()) {
        ("", "secrets") => {
            overwritten(&before, &after, "/data").or_else(|| overwritten(&before, &after, "/stringData"))
        }
        ("", "configmaps") => overwritten(&before, &after, "/data"),
        _ => None,
    })
}

/// The first value of `/data` that another takes the place of, from the map that was written.
fn overwritten(before: &Json, after: &Json, written: &str) -> Option<String> {
    let stored = before.pointer("/data")?.as_object()?;
    let after = after.pointer(written)?.as_object()?;
    // No server shows texts that were written.
    if written != "/data" && before.pointer(written).is_some() {
        return None;
    }
    let (key, _) = stored
        .iter()
        .find(|(key, old)| !is_nothing(old) && after.get(*key).is_some_and(|new| new != *old))?;
    Some(format!("/data/{key}"))
}

/// The first of the objects and their members that is no longer there.
fn gone(before: &Json, after: Option<&Json>, path: &str) -> Option<String> {
    let before = before.as_object()?;
    let Some(after) = after.and_then(Json::as_object) else {
        return before.values().any(|value| !is_nothing(value)).then(|| path.to_owned());
    };
    before.iter().find_map(|(key, value)| {
        let path = format!("{path}/{key}");
        match after.get(key) {
            None => (!is_nothing(value)).then_some(path),
            Some(after) => gone(value, Some(after), &path),
        }
    })
}

/// The server keeps no nulls, and an object of them says nothing.
fn is_nothing(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Object(object) => !object.is_empty() && object.values().all(is_nothing),
        _ => false,
    }
}
