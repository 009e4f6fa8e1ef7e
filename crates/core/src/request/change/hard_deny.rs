//! Changes that are never sent, whatever stands in them: they give somebody rights, or take hold of what others may do.
//!
//! Deleting is changing. A Namespace is the exception: its labels decide what pods in it may do, so creating and changing
//! one is on the list, while deleting one takes away and gives no rights.

use super::Concern;
use crate::request::attributes::{Attributes, Verb};
use crate::request::effect_table::is_review;

/// Group, resource and subresource (`*`: any), and what a change of it is; the first that fits.
#[rustfmt::skip]
const NEVER_SENT: &[(&str, &str, &str, Concern)] = &[
    ("rbac.authorization.k8s.io", "*", "*", Concern::Rbac),
    ("admissionregistration.k8s.io", "*", "*", Concern::Admission),
    ("apiregistration.k8s.io", "*", "*", Concern::ApiServices),
    ("apiextensions.k8s.io", "*", "*", Concern::CustomResourceDefinitions),
    ("certificates.k8s.io", "*", "*", Concern::Certificates),
    ("authentication.k8s.io", "*", "*", Concern::Tokens),
    ("flowcontrol.apiserver.k8s.io", "*", "*", Concern::FlowControl),
    ("storage.k8s.io", "*", "*", Concern::Storage),
    ("scheduling.k8s.io", "priorityclasses", "*", Concern::PriorityClasses),
    ("node.k8s.io", "runtimeclasses", "*", Concern::RuntimeClasses),
    ("discovery.k8s.io", "endpointslices", "*", Concern::Endpoints),
    ("", "endpoints", "*", Concern::Endpoints),
    ("", "persistentvolumes", "*", Concern::PersistentVolumes),
    ("", "nodes", "*", Concern::Nodes),
    ("", "namespaces", "finalize", Concern::NamespaceFinalize),
    ("", "namespaces", "*", Concern::Namespaces),
    ("", "serviceaccounts", "token", Concern::Tokens),
    ("", "serviceaccounts", "*", Concern::ServiceAccounts),
    ("", "pods", "ephemeralcontainers", Concern::EphemeralContainers),
    ("", "pods", "binding", Concern::Bindings),
    ("", "bindings", "*", Concern::Bindings),
];

/// What a request is, if it is one that is never sent. Reading and asking change nothing.
pub(in crate::request) fn concern(attributes: &Attributes) -> Option<Concern> {
    if !attributes.is_resource_request || !attributes.verb.is_mutating() || is_review(attributes) {
        return None;
    }
    let fits = |pattern: &str, found: &str| pattern == "*" || pattern == found;
    let (.., concern) = NEVER_SENT.iter().find(|(group, resource, subresource, _)| {
        *group == attributes.api_group
            && fits(resource, &attributes.resource)
            && fits(subresource, &attributes.subresource)
    })?;
    let deletes = matches!(attributes.verb, Verb::Delete | Verb::DeleteCollection);
    (*concern != Concern::Namespaces || !deletes).then_some(*concern)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::Weight;
    use super::*;

    fn of(verb: Verb, group: &str, resource: &str, subresource: &str) -> Option<&'static str> {
        let mut attributes = Attributes::for_test(verb, group, resource);
        attributes.subresource = subresource.to_owned().into();
        let found = concern(&attributes);
        assert!(found.iter().all(|concern| concern.weight() == Weight::Forbidden));
        found.map(Concern::as_str)
    }

    #[test]
    fn every_changing_verb_counts_and_no_reading_one() {
        use Verb::{Create, Delete, DeleteCollection, Get, Head, List, Patch, Update, Watch};
        for verb in [Create, Update, Patch, Delete, DeleteCollection] {
            assert_eq!(
                of(verb, "rbac.authorization.k8s.io", "roles", ""),
                Some("rbac"),
                "{verb}"
            );
            assert_eq!(of(verb, "", "configmaps", ""), None, "{verb}");
        }
        for verb in [Get, Head, List, Watch] {
            assert_eq!(of(verb, "rbac.authorization.k8s.io", "roles", ""), None, "{verb}");
        }
    }

    #[test]
    fn namespaces_may_be_deleted_and_not_made_or_changed() {
        for (verb, subresource, expected) in [
            (Verb::Create, "", Some("namespaces")),
            (Verb::Update, "", Some("namespaces")),
            (Verb::Patch, "", Some("namespaces")),
            (Verb::Patch, "status", Some("namespaces")),
            (Verb::Update, "finalize", Some("namespace-finalize")),
            (Verb::Delete, "", None),
            (Verb::DeleteCollection, "", None),
        ] {
            assert_eq!(
                of(verb, "", "namespaces", subresource),
                expected,
                "{verb} {subresource}"
            );
        }
    }

    #[test]
    fn reviews_only_ask() {
        assert_eq!(
            of(Verb::Create, "authentication.k8s.io", "selfsubjectreviews", ""),
            None
        );
        assert_eq!(
            of(Verb::Create, "authentication.k8s.io", "tokenreviews", ""),
            Some("tokens")
        );
        assert_eq!(
            of(Verb::Create, "authorization.k8s.io", "subjectaccessreviews", ""),
            None
        );
    }

    #[test]
    fn subresources_go_with_their_resource_or_have_a_row_of_their_own() {
        for (group, resource, subresource, expected) in [
            ("", "nodes", "status", Some("nodes")),
            ("", "nodes", "proxy", Some("nodes")),
            ("", "serviceaccounts", "token", Some("tokens")),
            ("", "serviceaccounts", "", Some("service-accounts")),
            ("", "pods", "", None),
            ("", "pods", "eviction", None),
            ("", "pods", "binding", Some("bindings")),
            ("", "bindings", "", Some("bindings")),
            ("", "pods", "ephemeralcontainers", Some("ephemeral-containers")),
            (
                "certificates.k8s.io",
                "certificatesigningrequests",
                "approval",
                Some("certificates"),
            ),
            ("example.com", "nodes", "", None),
            ("scheduling.k8s.io", "workloads", "", None),
        ] {
            assert_eq!(
                of(Verb::Create, group, resource, subresource),
                expected,
                "{group} {resource} {subresource}"
            );
        }
    }

    #[test]
    fn every_concern_about_a_resource_has_a_row() {
        let with_row: BTreeSet<_> = NEVER_SENT.iter().map(|(.., concern)| *concern).collect();
        let about_resources: BTreeSet<_> = Concern::all()
            .filter(|concern| (Concern::Rbac..=Concern::Endpoints).contains(concern))
            .collect();
        assert_eq!(with_row, about_resources);
    }
}
