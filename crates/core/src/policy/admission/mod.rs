//! Kubernetes' own policies as guardrails: ValidatingAdmissionPolicy documents, judged before the request is sent.
//!
//! Source: k8s.io/apiserver `pkg/admission/plugin/policy/{generic,matching,validating}`.
//!
//! 1. A policy works through its bindings, which stand in the same files, as do the parameters that they name. A policy
//!    without a binding, a binding without its policy and a binding whose parameters are not there are errors at load.
//! 2. `matchConstraints` and a binding's `matchResources` are those of upstream: rules, excluded rules, operations, scope,
//!    resource names, selectors of the namespace and of the object (before or after the change). With `matchPolicy:
//!    Equivalent` a rule meets the resource in any version, and core events those of `events.k8s.io`. What is sent in a
//!    version that the rule does not name can't be converted here: an error of evaluation.
//! 3. All `matchConditions` have to hold, then every validation. `failurePolicy: Fail`, the default, makes an error a
//!    failure; with `Ignore` the error is a warning.
//! 4. `validationActions` of the binding decide what a failure is: a denial, a warning, a note for the audit. What can't be
//!    matched at all is a denial in any case.
//! 5. `object` is what the request leaves behind, by what it says: what the server would add is not there, neither
//!    defaults nor what other admission plugins change. Fields that have defaults need `has` or `.?` in a guardrail.
//! 6. `request.userInfo` is the subject, not the guard. There is no `authorizer`.
//! 7. A `messageExpression` tells the caller what it says, also about the live object. An error of evaluation names fields
//!    and types, never values.

mod constraints;
mod judge;
mod selector;

use std::sync::Arc;

use super::condition::{Condition, Reads, Root};
use crate::digest::Digest;
use crate::json;

pub(super) use constraints::{Constraints, OperationRule, ResourceRule, Scope};
pub(super) use judge::GuardrailOutcome;
pub(super) use selector::{Requirement, Selector};

/// A policy with one of its bindings: what is judged.
#[derive(Debug)]
pub(super) struct Guardrail {
    /// `policy/binding`.
    pub(super) name: Arc<str>,
    /// Over the policy, the binding and the parameters.
    pub(super) digest: Digest,
    pub(super) policy: Arc<AdmissionPolicy>,
    pub(super) binding: Binding,
}

/// A ValidatingAdmissionPolicy.
#[derive(Debug)]
pub(super) struct AdmissionPolicy {
    pub(super) name: String,
    pub(super) constraints: Constraints,
    /// `failurePolicy: Ignore`.
    pub(super) ignores_errors: bool,
    pub(super) conditions: Vec<Named>,
    /// In their order; each may read those before it.
    pub(super) variables: Vec<Condition>,
    pub(super) validations: Vec<Validation>,
    pub(super) audit_annotations: Vec<Named>,
}

/// A condition with its name or key.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) condition: Condition,
}

/// One entry of `validations`.
#[derive(Debug)]
pub(super) struct Validation {
    pub(super) text: String,
    pub(super) condition: Condition,
    pub(super) message: Option<String>,
    pub(super) message_expression: Option<Condition>,
    pub(super) reason: Reason,
}

/// Why something is denied, as upstream words it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    Unauthorized,
    Forbidden,
    Invalid,
    RequestEntityTooLarge,
}

impl Reason {
    /// The name in a Status.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Unauthorized => "Unauthorized",
            Self::Forbidden => "Forbidden",
            Self::Invalid => "Invalid",
            Self::RequestEntityTooLarge => "RequestEntityTooLarge",
        }
    }
}

/// A ValidatingAdmissionPolicyBinding.
#[derive(Debug)]
pub(super) struct Binding {
    pub(super) name: String,
    pub(super) constraints: Option<Constraints>,
    pub(super) params: Params,
    pub(super) actions: Actions,
}

/// `validationActions`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Actions {
    pub(super) deny: bool,
    pub(super) warn: bool,
    pub(super) audit: bool,
}

/// What `params` is.
#[derive(Debug)]
pub(super) enum Params {
    /// Null: the policy has no `paramKind`, or the binding no `paramRef`.
    None,
    /// Each of these objects in turn.
    Of {
        /// With their namespaces; empty for none.
        objects: Vec<(String, json::Value)>,
        /// They are in namespaces, and the binding names none: those in the namespace of the request count.
        of_request: bool,
        /// `parameterNotFoundAction: Deny`.
        required: bool,
    },
}

impl Guardrail {
    /// Which names its conditions read.
    fn reads(&self) -> Reads {
        let policy = &self.policy;
        let named = policy.conditions.iter().chain(&policy.audit_annotations);
        let conditions = named.map(|named| &named.condition);
        let validations = policy.validations.iter().map(|validation| &validation.condition);
        let messages = policy
            .validations
            .iter()
            .filter_map(|one| one.message_expression.as_ref());
        let all = conditions.chain(validations).chain(messages);
        all.fold(Reads::NONE, |reads, condition| reads.and(condition.reads()))
    }

    fn reads_live(&self) -> bool {
        let reads = self.reads();
        reads.contains(Root::OldObject) || reads.contains(Root::Object) || reads.contains(Root::Request)
    }
}

#[cfg(test)]
mod tests;
