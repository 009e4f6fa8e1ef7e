//! What a change does: a request, and the live object that it changes.

use std::sync::{Arc, LazyLock};

use countersign_core::json::Value;
use countersign_core::request::{Canonical, Change, Finding, Gate, Live, Weight};

use crate::message::Message;
use crate::new_gate;

static GATE: LazyLock<Gate> = LazyLock::new(new_gate);

/// Understands a change without and with the live object; whether the gate accepted it.
///
/// A policy reads the live object only where something is assumed. So what is read must not bring up anything that could
/// have been decided without it.
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

    // Nobody can look: what was assumed stands.
    let unreadable = Change::of(&request, Some(&Live::Unreadable));
    let settled: Vec<_> = unread.findings().iter().map(settle).collect();
    assert_eq!(
        unreadable.findings(),
        settled,
        "an object that can't be read settles something"
    );
    assert_eq!(unreadable.supplies_hidden_value(), unread.supplies_hidden_value());

    check_read(&unread, &Change::of(&request, Some(&Live::Absent)), "no object");
    if let Some(live) = live {
        check_read(
            &unread,
            &Change::of(&request, Some(&Live::Object(Arc::new(live)))),
            "an object",
        );
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

fn check_read(unread: &Change, read: &Change, what: &str) {
    let (before, after) = (unread.findings(), read.findings());
    assert!(
        after.iter().all(|finding| !finding.assumed),
        "assumed, though {what} was read: {after:?}"
    );
    for certain in before.iter().filter(|finding| !finding.assumed) {
        assert!(
            after.contains(certain),
            "{what} takes away what was no assumption: {certain:?} of {after:?}"
        );
    }
    if before.iter().all(|finding| !finding.assumed) {
        assert_eq!(after, before, "nothing was assumed, and {what} brings up more");
    }
    assert!(
        !is_destructive(after) || is_destructive(before),
        "{what} makes it destructive: {after:?}, not {before:?}"
    );
    assert!(
        !read.supplies_hidden_value() || unread.supplies_hidden_value(),
        "{what} hides more"
    );
}

fn is_destructive(findings: &[Finding]) -> bool {
    findings
        .iter()
        .any(|finding| finding.concern.weight() == Weight::Destructive)
}
