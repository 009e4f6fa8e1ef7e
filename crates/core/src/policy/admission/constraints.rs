//! Which requests a policy or binding is about.

use super::selector::Selector;
use crate::policy::condition::{Inputs, Known, Operation};
use crate::request::{Attributes, Canonical};

/// `matchConstraints` and `matchResources`.
#[derive(Debug, Default)]
pub(in crate::policy) struct Constraints {
    /// Empty in a binding: everything.
    pub(in crate::policy) rules: Vec<ResourceRule>,
    pub(in crate::policy) excluded: Vec<ResourceRule>,
    pub(in crate::policy) namespace_selector: Selector,
    pub(in crate::policy) object_selector: Selector,
    /// `matchPolicy: Exact`.
    pub(in crate::policy) exact: bool,
}

/// One rule.
#[derive(Debug)]
pub(in crate::policy) struct ResourceRule {
    pub(in crate::policy) operations: Vec<OperationRule>,
    pub(in crate::policy) groups: Vec<String>,
    pub(in crate::policy) versions: Vec<String>,
    pub(in crate::policy) resources: Vec<String>,
    pub(in crate::policy) names: Vec<String>,
    pub(in crate::policy) scope: Scope,
}

/// An operation, or any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policy) enum OperationRule {
    Any,
    Only(Operation),
}

/// Where objects of a rule are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policy) enum Scope {
    Any,
    Cluster,
    Namespaced,
}

/// How a rule meets a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Meets {
    Not,
    /// In another version, or under another group.
    Elsewhere,
    Here,
}

/// Why it is not known whether constraints are met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unclear {
    #[error("the labels of the namespace are not known to the guard")]
    Namespace,
    #[error("the labels of the object are not known to the guard")]
    Object,
    #[error("the request is in another version than the policy is about, and the guard can't convert it")]
    Version,
}

impl Constraints {
    /// Whether they can be met by method and URL alone, in one of these operations.
    pub(super) fn may_meet(&self, request: &Canonical, operations: &[Operation]) -> bool {
        operations
            .iter()
            .any(|operation| self.meets_rules(request, *operation) != Meets::Not)
    }

    /// Whether a request is met.
    pub(super) fn meet(&self, inputs: &Inputs<'_>, operation: Operation) -> Result<bool, Unclear> {
        let meets = self.meets_rules(inputs.request, operation);
        if meets == Meets::Not {
            return Ok(false);
        }
        if !self.meets_namespace(inputs)? || !self.meets_object(inputs)? {
            return Ok(false);
        }
        match meets {
            Meets::Elsewhere => Err(Unclear::Version),
            _ => Ok(true),
        }
    }

    fn meets_rules(&self, request: &Canonical, operation: Operation) -> Meets {
        let best = |rules: &[ResourceRule]| {
            let meets = rules.iter().map(|rule| rule.meets(request, operation, self.exact));
            meets.max().unwrap_or(Meets::Not)
        };
        if best(&self.excluded) != Meets::Not {
            return Meets::Not;
        }
        if self.rules.is_empty() {
            Meets::Here
        } else {
            best(&self.rules)
        }
    }

    fn meets_namespace(&self, inputs: &Inputs<'_>) -> Result<bool, Unclear> {
        let attributes = inputs.request.attributes();
        if self.namespace_selector.is_empty() {
            return Ok(true);
        }
        if attributes.resource == "namespaces" && attributes.api_group.is_empty() {
            // A Namespace has its own labels: those that it will have, unless it goes.
            let object = match inputs.object {
                Known::Null => inputs.old_object,
                object => object,
            };
            return match object {
                Known::Object(object) => Ok(self.namespace_selector.selects(object)),
                Known::Null | Known::Unknown => Err(Unclear::Object),
            };
        }
        match inputs.namespace_object {
            _ if attributes.namespace.is_empty() => Ok(true),
            Known::Object(namespace) => Ok(self.namespace_selector.selects(namespace)),
            Known::Null | Known::Unknown => Err(Unclear::Namespace),
        }
    }

    /// Before or after the change.
    fn meets_object(&self, inputs: &Inputs<'_>) -> Result<bool, Unclear> {
        if self.object_selector.is_empty() {
            return Ok(true);
        }
        let states = [inputs.object, inputs.old_object];
        let selected =
            |known: &Known<'_>| matches!(known, Known::Object(object) if self.object_selector.selects(object));
        if states.iter().any(selected) {
            Ok(true)
        } else if states.contains(&Known::Unknown) {
            Err(Unclear::Object)
        } else {
            Ok(false)
        }
    }
}

impl ResourceRule {
    fn meets(&self, request: &Canonical, operation: Operation, exact: bool) -> Meets {
        let attributes = request.attributes();
        let right_operation = self
            .operations
            .iter()
            .any(|rule| *rule == OperationRule::Any || *rule == OperationRule::Only(operation));
        if !right_operation || !self.meets_scope(request) || !self.meets_name(request) {
            return Meets::Not;
        }
        if !self.meets_resource(&attributes.resource, &attributes.subresource) {
            return Meets::Not;
        }
        let any_of = |known: &[String], text: &str| known.iter().any(|known| known == "*" || known == text);
        let here = any_of(&self.groups, &attributes.api_group);
        let version = any_of(&self.versions, &attributes.api_version);
        if here && version {
            return Meets::Here;
        }
        let group = here || twin(attributes).is_some_and(|twin| any_of(&self.groups, twin));
        if exact || !group { Meets::Not } else { Meets::Elsewhere }
    }

    fn meets_resource(&self, resource: &str, subresource: &str) -> bool {
        self.resources.iter().any(|rule| {
            let (main, sub) = rule.split_once('/').unwrap_or((rule, ""));
            (main == "*" || main == resource) && (sub == "*" || sub == subresource)
        })
    }

    fn meets_scope(&self, request: &Canonical) -> bool {
        let namespaced = request.kind().is_some_and(|kind| kind.namespaced);
        match self.scope {
            Scope::Any => true,
            Scope::Cluster => !namespaced,
            Scope::Namespaced => namespaced,
        }
    }

    /// A name that the server makes is none.
    fn meets_name(&self, request: &Canonical) -> bool {
        self.names.is_empty()
            || request
                .object_name()
                .is_some_and(|name| self.names.iter().any(|known| known == name))
    }
}

/// The other group that serves the same objects.
fn twin(attributes: &Attributes) -> Option<&'static str> {
    match (attributes.api_group.as_str(), attributes.resource.as_str()) {
        ("", "events") => Some("events.k8s.io"),
        ("events.k8s.io", "events") => Some(""),
        _ => None,
    }
}
