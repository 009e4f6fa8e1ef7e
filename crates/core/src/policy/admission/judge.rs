//! From a guardrail and a request to what is to be done about it.

use std::sync::Arc;

use super::constraints::Unclear;
use super::{AdmissionPolicy, Guardrail, Params, Reason, Validation};
use crate::policy::condition::{Evaluation, EvaluationError, Inputs, Known, Operation, Root};
use crate::request::{Canonical, Live, Verb};

/// Longest message that a `messageExpression` may give, as upstream.
const MAX_MESSAGE: usize = 5 * 1024;
/// Longest value of an audit annotation, as upstream.
const MAX_ANNOTATION: usize = 10 * 1024;

/// What has to be fetched before a guardrail can judge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::policy) struct Needs {
    /// The live object.
    pub(in crate::policy) live: bool,
    /// The Namespace object of the request's namespace.
    pub(in crate::policy) namespace: bool,
}

/// What one guardrail says about a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::policy) struct GuardrailOutcome {
    /// It is about this request, and was evaluated.
    pub(in crate::policy) evaluated: bool,
    /// Why the request is not to be sent; empty if it may be.
    pub(in crate::policy) denials: Vec<Denial>,
    /// What the caller is told whatever becomes of the request.
    pub(in crate::policy) warnings: Vec<String>,
    /// Keys and values for the record.
    pub(in crate::policy) annotations: Vec<(String, String)>,
}

/// One failure that denies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::policy) struct Denial {
    /// `policy/binding`.
    pub(in crate::policy) rule: Arc<str>,
    /// In the words of the policy, or what went wrong.
    pub(in crate::policy) message: String,
    /// As upstream words it.
    pub(in crate::policy) reason: Reason,
}

/// What became of one policy on one parameter object.
enum Failure {
    /// The configuration can't be applied: denies whatever the actions are.
    Configuration(String),
    /// A validation is false, or can't be evaluated.
    Validation {
        index: usize,
        message: String,
        reason: Reason,
    },
}

impl Guardrail {
    /// What it needs for a request: nothing, unless the request may be its matter.
    pub(in crate::policy) fn needs(&self, request: &Canonical) -> Needs {
        let Some(operation) = Operation::of(request, None) else {
            return Needs::default();
        };
        // Which of the two it is only the live object tells.
        let may_create = Operation::of(request, Some(&Live::Absent)) == Some(Operation::Create);
        let operations: &[Operation] = match operation {
            Operation::Update if may_create => &[Operation::Update, Operation::Create],
            Operation::Update => &[Operation::Update],
            Operation::Create => &[Operation::Create],
            Operation::Delete => &[Operation::Delete],
            Operation::Connect => &[Operation::Connect],
        };
        let all = [Some(&self.policy.constraints), self.binding.constraints.as_ref()];
        let all = || all.into_iter().flatten();
        if !all().all(|constraints| constraints.may_meet(request, operations)) {
            return Needs::default();
        }
        let attributes = request.attributes();
        let selects_objects = all().any(|constraints| {
            let own_labels = attributes.resource == "namespaces" && !constraints.namespace_selector.is_empty();
            own_labels || !constraints.object_selector.is_empty()
        });
        let changes = matches!(operation, Operation::Update | Operation::Delete);
        let one = attributes.verb != Verb::DeleteCollection;
        let ambiguous = operations.len() > 1
            && all().any(|constraints| {
                let [update, create] = [Operation::Update, Operation::Create];
                constraints.may_meet(request, &[update]) != constraints.may_meet(request, &[create])
            });
        let in_namespace = !attributes.namespace.is_empty() && request.kind().is_some_and(|kind| kind.namespaced);
        let selects_namespaces = all().any(|constraints| !constraints.namespace_selector.is_empty());
        Needs {
            live: changes && one && (selects_objects || ambiguous || self.reads_live()),
            namespace: in_namespace && (selects_namespaces || self.reads().contains(Root::NamespaceObject)),
        }
    }

    /// Judges a request.
    pub(in crate::policy) fn judge(&self, inputs: &Inputs<'_>) -> GuardrailOutcome {
        let mut outcome = GuardrailOutcome::default();
        let Some(operation) = inputs.operation else {
            return outcome;
        };
        let all = [Some(&self.policy.constraints), self.binding.constraints.as_ref()];
        let mut unclear = None;
        for constraints in all.into_iter().flatten() {
            match constraints.meet(inputs, operation) {
                Ok(true) => {}
                Ok(false) => return outcome,
                Err(wrong) => unclear = Some(wrong),
            }
        }
        outcome.evaluated = true;
        if let Some(wrong) = unclear {
            let message = unclear_message(wrong);
            if self.policy.ignores_errors {
                self.not_known(0, message, &mut outcome);
            } else {
                self.configuration(&message, &mut outcome);
            }
            return outcome;
        }
        match self.params(inputs) {
            Err(message) => self.configuration(&message, &mut outcome),
            Ok(all) => {
                for params in all {
                    self.judge_with(&inputs.clone().with_params(params), &mut outcome);
                }
            }
        }
        outcome
    }

    /// The parameter objects, each of which is judged with.
    fn params(&self, inputs: &Inputs<'_>) -> Result<Vec<Known<'_>>, String> {
        let Params::Of {
            objects,
            of_request,
            required,
        } = &self.binding.params
        else {
            return Ok(vec![Known::Null]);
        };
        let namespace = inputs.request.attributes().namespace.as_str();
        if *of_request && namespace.is_empty() {
            return Err("the parameters are in the namespace of the request, and it is in none".to_owned());
        }
        let found: Vec<Known<'_>> = objects
            .iter()
            .filter(|(place, _)| !of_request || place == namespace)
            .map(|(_, object)| Known::Object(object))
            .collect();
        if found.is_empty() && *required {
            return Err("no params found for policy binding with `Deny` parameterNotFoundAction".to_owned());
        }
        Ok(found)
    }

    fn judge_with(&self, inputs: &Inputs<'_>, outcome: &mut GuardrailOutcome) {
        let policy = &*self.policy;
        let mut evaluation = Evaluation::with_variables(inputs, &policy.variables);
        match policy.is_matched(&mut evaluation) {
            Ok(true) => {}
            Ok(false) => return,
            Err(message) => {
                self.broken(0, message, inputs, outcome);
                return;
            }
        }
        for (index, validation) in policy.validations.iter().enumerate() {
            match validation.condition.holds(&mut evaluation) {
                Ok(true) => {}
                Ok(false) => {
                    let failure = Failure::Validation {
                        index,
                        message: validation.message_of_failure(&mut evaluation),
                        reason: validation.reason,
                    };
                    self.fail(failure, outcome);
                }
                Err(error) => self.broken(index, error_message(&validation.text, &error), inputs, outcome),
            }
        }
        for annotation in &policy.audit_annotations {
            match annotation.condition.text(&mut evaluation) {
                Ok(text) => {
                    let text = text.unwrap_or_default();
                    let text = cut(text.trim(), MAX_ANNOTATION);
                    if !text.is_empty() {
                        let key = format!("{}/{}", policy.name, annotation.name);
                        outcome.annotations.push((key, text.to_owned()));
                    }
                }
                Err(error) => self.configuration(&error_message(&annotation.text, &error), outcome),
            }
        }
    }

    /// What could not be evaluated, as the failure policy says.
    fn broken(&self, index: usize, message: String, inputs: &Inputs<'_>, outcome: &mut GuardrailOutcome) {
        if self.policy.ignores_errors && !self.reads_unknown(inputs) {
            outcome.warnings.push(self.warning(&message));
        } else {
            self.not_known(index, message, outcome);
        }
    }

    /// What nobody knows here the server would know: no error of the policy's own, which it could ignore.
    fn not_known(&self, index: usize, message: String, outcome: &mut GuardrailOutcome) {
        let reason = Reason::Invalid;
        self.fail(Failure::Validation { index, message, reason }, outcome);
    }

    fn reads_unknown(&self, inputs: &Inputs<'_>) -> bool {
        let reads = self.reads();
        let all = [
            (Root::Object, inputs.object),
            (Root::OldObject, inputs.old_object),
            (Root::NamespaceObject, inputs.namespace_object),
        ];
        all.into_iter()
            .any(|(root, known)| known == Known::Unknown && reads.contains(root))
    }

    fn configuration(&self, message: &str, outcome: &mut GuardrailOutcome) {
        if self.policy.ignores_errors {
            outcome.warnings.push(self.warning(message));
        } else {
            self.fail(Failure::Configuration(message.to_owned()), outcome);
        }
    }

    fn fail(&self, failure: Failure, outcome: &mut GuardrailOutcome) {
        let (index, message, reason) = match failure {
            Failure::Configuration(message) => {
                return outcome.denials.push(Denial {
                    rule: Arc::clone(&self.name),
                    message,
                    reason: Reason::Invalid,
                });
            }
            Failure::Validation { index, message, reason } => (index, message, reason),
        };
        let actions = self.binding.actions;
        if actions.warn {
            outcome.warnings.push(self.warning(&message));
        }
        if actions.audit {
            outcome.annotations.push(self.audit_failure(index, &message));
        }
        if actions.deny {
            let rule = Arc::clone(&self.name);
            outcome.denials.push(Denial { rule, message, reason });
        }
    }

    fn warning(&self, message: &str) -> String {
        let (policy, binding) = (&self.policy.name, &self.binding.name);
        format!("Validation failed for ValidatingAdmissionPolicy '{policy}' with binding '{binding}': {message}")
    }

    /// Upstream's annotation of a failure.
    fn audit_failure(&self, index: usize, message: &str) -> (String, String) {
        let actions = self.binding.actions;
        let names = [(actions.deny, "Deny"), (actions.warn, "Warn"), (actions.audit, "Audit")];
        let names: Vec<&str> = names.iter().filter(|(on, _)| *on).map(|(_, name)| *name).collect();
        let value = serde_json::json!([{
            "message": message,
            "policy": self.policy.name,
            "binding": self.binding.name,
            "expressionIndex": index,
            "validationActions": names,
        }]);
        let key = "validation.policy.admission.k8s.io/validation_failure";
        (key.to_owned(), value.to_string())
    }
}

impl AdmissionPolicy {
    /// Whether all its conditions hold. One that does not decides, whatever went wrong with others.
    fn is_matched<'v>(&'v self, evaluation: &mut Evaluation<'v>) -> Result<bool, String> {
        let mut wrong = None;
        for condition in &self.conditions {
            match condition.condition.holds(evaluation) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(error) => wrong = wrong.or_else(|| Some(error_message(&condition.text, &error))),
            }
        }
        wrong.map_or(Ok(true), Err)
    }
}

impl Validation {
    /// What is told: the expression's message, else the fixed one, else the expression that failed.
    fn message_of_failure<'v>(&'v self, evaluation: &mut Evaluation<'v>) -> String {
        let made = self.message_expression.as_ref().and_then(|expression| {
            let text = expression.text(evaluation).ok().flatten()?;
            let text = text.trim();
            let usable = !text.is_empty() && text.len() <= MAX_MESSAGE && !text.contains('\n');
            usable.then(|| text.to_owned())
        });
        let fixed = || self.message.as_deref().map(|message| message.trim().to_owned());
        made.or_else(fixed)
            .filter(|message| !message.is_empty())
            .unwrap_or_else(|| format!("failed expression: {}", self.text.trim()))
    }
}

fn error_message(text: &str, error: &EvaluationError) -> String {
    format!("expression '{}' resulted in error: {error}", text.trim())
}

fn unclear_message(wrong: Unclear) -> String {
    format!("failed to configure policy: {wrong}")
}

/// The beginning of a text, at most so many bytes.
fn cut(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}
