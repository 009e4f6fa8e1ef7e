//! Objects that protect others, and nodes: every change of one that exists counts.

use super::collected::Collected;
use super::concern::Concern;
use super::states::{Before, States};
use crate::request::attributes::Attributes;

/// Group, resource (`*`: any).
const PROTECT: &[(&str, &str)] = &[
    ("networking.k8s.io", "networkpolicies"),
    ("extensions", "networkpolicies"),
    ("policy.networking.k8s.io", "*"),
    ("policy", "poddisruptionbudgets"),
    ("", "resourcequotas"),
    ("", "limitranges"),
    ("", "namespaces"),
    ("scheduling.k8s.io", "priorityclasses"),
    ("admissionregistration.k8s.io", "*"),
];

/// Finds changes of them.
pub(super) fn findings(attributes: &Attributes, states: &States, out: &mut Collected) {
    if matches!(states.before, Before::Nothing) {
        return;
    }
    let (group, resource) = (attributes.api_group.as_str(), attributes.resource.as_str());
    if PROTECT
        .iter()
        .any(|(of_group, of_resource)| *of_group == group && (*of_resource == "*" || *of_resource == resource))
    {
        out.at(Concern::Protection, String::new(), false);
    }
    if (group, resource) == ("", "nodes") {
        out.at(Concern::Node, String::new(), false);
    }
}
