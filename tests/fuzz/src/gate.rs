//! The front gate: method, target, headers and body.

use std::sync::LazyLock;

use countersign_core::request::Gate;

use crate::message::Message;
use crate::{new_gate, whole};

static GATE: LazyLock<Gate> = LazyLock::new(new_gate);

/// Takes a request through the gate; whether it is accepted.
///
/// # Panics
/// If it is refused with anything but a client error; if it is accepted, and means something else to upstream, or is
/// another request the second time through the gate.
pub fn check(input: &[u8]) -> bool {
    let Some(message) = Message::read(input) else {
        return false;
    };
    match whole::pass(&GATE, message.method, message.target, &message.headers, message.body) {
        Ok(accepted) => accepted.is_some(),
        Err(wrong) => panic!("{wrong}"),
    }
}
