//! The rules about what a change gives, in one place.
//!
//! [`hard_deny`](super::hard_deny) is not among them: it needs no body, and deletions are subject to it too.

use super::states::States;
use super::{Finding, claims, routing, secret_annotation, service, workload};
use crate::json::Value;
use crate::request::attributes::Attributes;
use crate::request::catalog::Kind;

/// Finds what a create, an update or a patch gives, to whom it reaches and what it hands to controllers. `body` is what
/// was sent.
#[expect(dead_code, reason = "until `Change::of` calls it")]
pub(super) fn findings(attributes: &Attributes, kind: &Kind, body: &Value, states: &States, out: &mut Vec<Finding>) {
    workload::findings(attributes, kind, states, out);
    service::findings(attributes, states, out);
    routing::findings(attributes, states, out);
    claims::findings(attributes, states, out);
    secret_annotation::findings(attributes, body, states, out);
}
