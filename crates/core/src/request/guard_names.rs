//! What names the guard itself: its namespace, and the identity it runs under.

use super::effect_table::is_self_review;
use super::target::Target;

/// The guard's own namespace and service account, as far as they are known.
#[derive(Debug, Clone, Default)]
pub(super) struct GuardNames {
    pub(super) namespace: Option<String>,
    pub(super) identity: Option<String>,
}

/// API group of the guard's own kinds.
const GROUP: &str = "countersign.dev";

/// Selectable fields whose value is a namespace, or may be.
const NAMESPACE_FIELDS: [&str; 5] = [
    "metadata.namespace",
    "involvedObject.namespace",
    "involvedObject.name",
    "regarding.namespace",
    "regarding.name",
];

/// Whether a request changes objects of the guard's own kinds, wherever they are: policies are among them.
fn changes_policies(target: &Target) -> bool {
    let attributes = &target.parts.attributes;
    attributes.verb.is_mutating() && attributes.is_resource_request && attributes.api_group == GROUP
}

impl GuardNames {
    /// Whether a request names the guard. What it says about itself in a review is harmless.
    #[inline]
    pub(super) fn named_by(&self, target: &Target) -> bool {
        changes_policies(target)
            || (self.namespace_named_by(target) || self.identity_named_by(target))
                && !is_self_review(&target.parts.attributes)
    }

    /// Whether an object of this name, created by a request, would be the guard's.
    pub(super) fn is_namespace(&self, name: &str) -> bool {
        self.namespace.as_deref() == Some(name)
    }

    fn namespace_named_by(&self, target: &Target) -> bool {
        let Some(namespace) = self.namespace.as_deref() else {
            return false;
        };
        let attributes = &target.parts.attributes;
        // The exclusion `!=` names it as well.
        let selected = |field: &str, value: &str| NAMESPACE_FIELDS.contains(&field) && value == namespace;
        attributes.namespace == namespace
            || (attributes.resource == "namespaces" && attributes.name == namespace)
            || target.parts.query.field_terms.iter().any(|term| {
                selected(&term.field, &term.value)
                    || (attributes.resource == "namespaces" && term.field == "metadata.name" && term.value == namespace)
            })
    }

    fn identity_named_by(&self, target: &Target) -> bool {
        let Some(identity) = self.identity.as_deref() else {
            return false;
        };
        let attributes = &target.parts.attributes;
        if attributes.name == identity {
            return true;
        }
        let account = identity.strip_prefix("system:serviceaccount:");
        let Some((namespace, name)) = account.and_then(|account| account.split_once(':')) else {
            return false;
        };
        attributes.resource == "serviceaccounts" && attributes.namespace == namespace && attributes.name == name
    }
}
