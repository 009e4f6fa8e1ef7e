//! What a change of a workload gives to what runs: rights on the node, Secrets, tokens, and code.
//!
//! 1. Every kind that holds a pod's specification is looked at: pods, their templates in built-in kinds, and in any other
//!    kind whatever looks like one ([`templates`]). `status` and `scale` have none.
//! 2. What gives a pod a hold on its node is never sent: host namespaces, privileges, capabilities, host paths and ports,
//!    switched-off confinement, kernel parameters, a node by name, tolerations of control planes ([`mod@pod_spec`],
//!    [`security`], [`volume`]).
//! 3. What gives it Secrets, tokens, an account or hooks is for a human to see; so is the program on a create, and any
//!    change of what an existing template runs with ([`container`]). An image is compared with the policy's list.
//! 4. On a change of an object that was read, only what it has and the object had not is found. See
//!    [`sightings`](super::sightings).
//!
//! Not found, on purpose: `allowPrivilegeEscalation: true` (what a server assumes anyway), `hostUsers: false` (a user
//! namespace takes rights away), `shareProcessNamespace`, users and groups, `host` of probes, priority and runtime
//! classes, node selectors and affinity (the scheduler still decides), projected trust bundles (public), and volume types
//! other than those above.

mod container;
mod pod_spec;
mod security;
mod templates;
#[cfg(test)]
mod tests;
mod volume;

use super::Finding;
use super::place::present;
use super::sightings::report;
use super::states::{Before, States};
use crate::request::attributes::Attributes;
use crate::request::catalog::Kind;
use crate::request::pod_specs::pod_spec;

/// Subresources of which the body has a pod's specification that the server reads; the object itself is one too.
const SUBRESOURCES: [&str; 3] = ["", "resize", "ephemeralcontainers"];

/// Finds what a change of an object of this kind gives to what runs.
pub(super) fn findings(attributes: &Attributes, kind: &Kind, states: &States, out: &mut Vec<Finding>) {
    if !SUBRESOURCES.contains(&attributes.subresource.as_str()) {
        return;
    }
    report(states, out, |object, seen| {
        templates::each(kind, object, &mut |found| match found {
            templates::Found::Template(template) => pod_spec::look(template, seen),
            templates::Found::TooDeep(place) => seen.too_deep(super::Concern::TemplateChange, place),
        });
    });
}

/// Where `automountServiceAccountToken: false` has to be added: as the tokens of a JSON Pointer, if a pod or a template is
/// created that leaves it open.
pub(super) fn token_mount_switch(attributes: &Attributes, states: &States) -> Option<Vec<String>> {
    const SWITCH: &str = "automountServiceAccountToken";
    if !matches!(states.before, Before::Nothing) || !attributes.subresource.is_empty() {
        return None;
    }
    let path = pod_spec(&attributes.api_group, &attributes.resource)?;
    let spec = states.after.at(path)?;
    let open = spec.as_object().is_some() && present(spec, SWITCH).is_none();
    open.then(|| path.iter().chain([&SWITCH]).map(|key| (*key).to_owned()).collect())
}
