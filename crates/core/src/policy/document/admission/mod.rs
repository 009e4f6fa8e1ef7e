//! Reading ValidatingAdmissionPolicy documents, their bindings and their parameters.

mod constraints;
mod params;
mod policy;

use std::sync::Arc;

use super::error::{Problems, Site};
use super::fields::{Fields, list, text};
use super::yaml::{Node, Span, Value};
use crate::digest::{Digest, FieldHasher};
use crate::policy::admission::{Actions, AdmissionPolicy, Binding, Constraints, Guardrail};
use crate::policy::condition::{Condition, Place};

use params::{ParamKind, ParamObject, ParamRef};

/// Versions that say the same.
const API_VERSIONS: [&str; 3] = [
    "admissionregistration.k8s.io/v1",
    "admissionregistration.k8s.io/v1beta1",
    "admissionregistration.k8s.io/v1alpha1",
];
const POLICY: &str = "ValidatingAdmissionPolicy";
const BINDING: &str = "ValidatingAdmissionPolicyBinding";

/// What upstream knows of `metadata`; an object that was read from a cluster has all of it.
const METADATA: [&str; 11] = [
    "name",
    "namespace",
    "labels",
    "annotations",
    "creationTimestamp",
    "finalizers",
    "generation",
    "managedFields",
    "ownerReferences",
    "resourceVersion",
    "uid",
];

/// What a document is, by its `apiVersion` and `kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Policy,
    Binding,
    /// Anything that is neither of those nor a document of our own: a parameter object.
    Param,
    /// Of the group of those, but none that is known.
    Unknown,
}

/// Reads documents, and puts together what belongs together when all files were read.
#[derive(Debug, Default)]
pub(super) struct Reader {
    policies: Vec<ReadPolicy>,
    bindings: Vec<ReadBinding>,
    params: Vec<ParamObject>,
}

#[derive(Debug)]
struct ReadPolicy {
    /// Of its name.
    site: Site,
    digest: Digest,
    param_kind: Option<ParamKind>,
    policy: Arc<AdmissionPolicy>,
}

#[derive(Debug)]
struct ReadBinding {
    file: usize,
    digest: Digest,
    name: String,
    policy: (String, Span),
    constraints: Option<Constraints>,
    param_ref: Option<ParamRef>,
    actions: Actions,
}

/// What a document is; none if it is a document of our own, or none at all.
pub(super) fn kind_of(node: &Node) -> Option<Kind> {
    let (api_version, kind) = (field_text(node, "apiVersion")?, field_text(node, "kind")?);
    if api_version.starts_with("countersign.dev/") {
        return None;
    }
    let group = api_version.split('/').next().unwrap_or_default();
    Some(match (group, kind) {
        ("admissionregistration.k8s.io", POLICY) => Kind::Policy,
        ("admissionregistration.k8s.io", BINDING) => Kind::Binding,
        ("admissionregistration.k8s.io", _) => Kind::Unknown,
        _ => Kind::Param,
    })
}

fn field_text<'n>(node: &'n Node, name: &str) -> Option<&'n str> {
    let Value::Map(map) = &node.value else { return None };
    map.iter().find_map(|(key, value)| match (&key.value, &value.value) {
        (Value::Text(key), Value::Text(value)) if key == name => Some(value.as_str()),
        _ => None,
    })
}

impl Reader {
    /// Reads one document of such a kind.
    pub(super) fn read(&mut self, kind: Kind, node: &Node, problems: &mut Problems<'_>) {
        match kind {
            Kind::Policy => self.read_policy(node, problems),
            Kind::Binding => self.read_binding(node, problems),
            Kind::Param => {
                let param = params::object(node, problems);
                self.params.extend(param);
            }
            Kind::Unknown => {
                let kind = field_text(node, "kind").unwrap_or_default();
                let message = format!("`{kind}` is not supported: {POLICY} and {BINDING} are");
                let suggestion = problems.nearest(kind, [POLICY, BINDING]);
                problems.add_with(Span { width: 1, ..node.span }, message, suggestion);
            }
        }
    }

    fn read_policy(&mut self, node: &Node, problems: &mut Problems<'_>) {
        let Some(Document { name, span, spec }) = document(node, "a ValidatingAdmissionPolicy", problems) else {
            return;
        };
        if self.policies.iter().any(|other| other.policy.name == name) {
            problems.add(
                span,
                format!("there is another ValidatingAdmissionPolicy named `{name}`"),
            );
        }
        if let Some((policy, param_kind)) = policy::read(name, spec, problems) {
            self.policies.push(ReadPolicy {
                site: Site {
                    file: problems.file(),
                    span,
                },
                digest: node.digest(),
                param_kind,
                policy: Arc::new(policy),
            });
        }
    }

    fn read_binding(&mut self, node: &Node, problems: &mut Problems<'_>) {
        let what = "a ValidatingAdmissionPolicyBinding";
        let Some(Document { name, span, spec }) = document(node, what, problems) else {
            return;
        };
        if self.bindings.iter().any(|other| other.name == name) {
            problems.add(
                span,
                format!("there is another ValidatingAdmissionPolicyBinding named `{name}`"),
            );
        }
        let known = ["policyName", "paramRef", "matchResources", "validationActions"];
        let Some(fields) = Fields::read(spec, "`spec`", &known, &[], problems) else {
            return;
        };
        let policy = fields.require("policyName", problems);
        let policy = policy.and_then(|node| Some((text(node, "`policyName`", problems)?.to_owned(), node.span)));
        let param_ref = fields.get("paramRef").map(|node| params::reference(node, problems));
        let constraints = fields
            .get("matchResources")
            .map(|node| constraints::read(node, "`matchResources`", false, problems));
        let actions = fields
            .require("validationActions", problems)
            .and_then(|node| actions(node, problems));
        let (Some(policy), Some(actions)) = (policy, actions) else {
            return;
        };
        // A part that is wrong was told; without it the rest is not what was meant.
        let (Some(param_ref), Some(constraints)) = (given(param_ref), given(constraints)) else {
            return;
        };
        self.bindings.push(ReadBinding {
            file: problems.file(),
            digest: node.digest(),
            name,
            policy,
            constraints,
            param_ref,
            actions,
        });
    }

    /// Puts policies, bindings and parameters together.
    pub(super) fn finish(self, problems: &mut Problems<'_>) -> Vec<Guardrail> {
        let complete = problems.count() == 0;
        let mut guardrails = Vec::new();
        let mut used = vec![false; self.params.len()];
        for policy in &self.policies {
            let bound = self
                .bindings
                .iter()
                .any(|binding| binding.policy.0 == policy.policy.name);
            if !bound && complete {
                let message = format!(
                    "no ValidatingAdmissionPolicyBinding in these files names `{}`: it would do nothing",
                    policy.policy.name
                );
                problems.add_at(policy.site, message, None);
            }
        }
        for binding in self.bindings {
            let (name, span) = &binding.policy;
            let file = binding.file;
            let Some(policy) = self.policies.iter().find(|policy| policy.policy.name == *name) else {
                // A policy with errors of its own is not missing.
                if complete {
                    let known = self.policies.iter().map(|policy| policy.policy.name.as_str());
                    let message = format!("there is no ValidatingAdmissionPolicy `{name}` in these files");
                    let suggestion = problems.nearest(name, known);
                    problems.add_at(Site { file, span: *span }, message, suggestion);
                }
                continue;
            };
            let mut hasher = FieldHasher::new("countersign guardrail v1");
            hasher
                .field("policy", policy.digest.as_bytes())
                .field("binding", binding.digest.as_bytes());
            let kind = policy.param_kind.as_ref();
            let Some(found) = params::resolve(kind, binding.param_ref.as_ref(), &self.params, file, problems) else {
                continue;
            };
            for index in &found.indices {
                if let Some(param) = self.params.get(*index) {
                    hasher.field("params", param.digest.as_bytes());
                }
                if let Some(used) = used.get_mut(*index) {
                    *used = true;
                }
            }
            guardrails.push(Guardrail {
                name: format!("{name}/{}", binding.name).into(),
                digest: hasher.finish(),
                policy: Arc::clone(&policy.policy),
                binding: Binding {
                    name: binding.name,
                    constraints: binding.constraints,
                    params: found.params,
                    actions: binding.actions,
                },
            });
        }
        for (param, used) in self.params.iter().zip(used) {
            if !used && complete {
                problems.add_at(
                    param.site,
                    "this is no policy, and no binding in these files names it as parameters",
                    None,
                );
            }
        }
        guardrails
    }
}

struct Document<'n> {
    name: String,
    span: Span,
    spec: &'n Node,
}

/// The parts that both kinds of document have.
fn document<'n>(node: &'n Node, what: &'static str, problems: &mut Problems<'_>) -> Option<Document<'n>> {
    // What a cluster adds to an object says nothing here.
    let fields = Fields::read(
        node,
        what,
        &["apiVersion", "kind", "metadata", "spec", "status"],
        &[],
        problems,
    )?;
    let version = fields.require("apiVersion", problems)?;
    if let Some(found) = text(version, "apiVersion", problems)
        && !API_VERSIONS.contains(&found)
    {
        let suggestion = problems.nearest(found, API_VERSIONS);
        problems.add_with(version.span, format!("unknown version `{found}`"), suggestion);
    }
    let metadata = fields.require("metadata", problems)?;
    let metadata = Fields::read(metadata, "`metadata`", &METADATA, &[], problems)?;
    let name = metadata.require("name", problems)?;
    let spec = fields.require("spec", problems)?;
    Some(Document {
        name: text(name, "`name`", problems)?.to_owned(),
        span: name.span,
        spec,
    })
}

/// What was left out, or is right; nothing if it is wrong.
fn given<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        None => Some(None),
        Some(None) => None,
        Some(Some(value)) => Some(Some(value)),
    }
}

fn actions(node: &Node, problems: &mut Problems<'_>) -> Option<Actions> {
    let mut actions = Actions::default();
    for entry in list(node, "`validationActions`", problems)? {
        let action = match text(entry, "an action", problems)? {
            "Deny" => &mut actions.deny,
            "Warn" => &mut actions.warn,
            "Audit" => &mut actions.audit,
            other => {
                let known = ["Deny", "Warn", "Audit"];
                let suggestion = problems.nearest(other, known);
                problems.add_with(entry.span, format!("unknown action `{other}`"), suggestion);
                return None;
            }
        };
        if std::mem::replace(action, true) {
            problems.add(entry.span, "the same action twice");
            return None;
        }
    }
    if actions.deny && actions.warn {
        problems.add(
            node.span,
            "`Deny` and `Warn` exclude each other: what is denied is told anyway",
        );
        return None;
    }
    Some(actions)
}

/// Reads an expression that stands in a node.
fn condition(node: &Node, what: &str, place: Place<'_>, problems: &mut Problems<'_>) -> Option<(String, Condition)> {
    let expression = text(node, what, problems)?;
    match Condition::compile_in(expression, place) {
        Ok(condition) => Some((expression.to_owned(), condition)),
        Err(error) => {
            problems.add_inside(node.span, expression, error.offset, error.message, error.suggestion);
            None
        }
    }
}

#[cfg(test)]
mod tests;
