//! A policy's changes of a body: JSON Patch operations, in the terms of whatever body the caller sent.
//!
//! 1. In a create and an update they change the object that is sent; what is missing on the way is made.
//! 2. A JSON Patch gets them as operations of its own, after the caller's.
//! 3. In a merge patch, a strategic merge patch and an apply the field is set, or set to null (in an apply: left out). A
//!    place in a list that the body does not have whole can't be told there.
//! 4. What would change nothing is not written.
//! 5. The body that comes out passes the gate's checks again. Type, name and namespace of an object are not rewritten.
//!
//! A caller whose body can't be rewritten sees a refusal that says how to send it.

use http::StatusCode;

use super::attributes::Verb;
use super::body;
use super::canonical::Canonical;
use super::content_type::ContentType;
use super::live::Live;
use super::pointer;
use crate::json::{Object, Value};
use crate::refusal::{Class, Refusal};

/// What is done at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RewriteOp {
    /// Sets a field, or inserts an element.
    Add,
    /// Sets a field or an element.
    Replace,
    /// Removes a field or an element.
    Remove,
}

impl RewriteOp {
    /// The name in policies and in JSON Patch.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Replace => "replace",
            Self::Remove => "remove",
        }
    }
}

/// One change that a policy makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RewriteOperation {
    op: RewriteOp,
    path: Vec<String>,
    value: Option<Value>,
}

/// Why an operation can't be part of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RewriteError {
    /// The pointer is malformed.
    #[error("the path is no JSON Pointer: it begins with `/`, and `~` is written `~0`, `/` in a key `~1`")]
    Pointer,
    /// It names the whole object, or what the object is.
    #[error("apiVersion, kind, name and namespace of an object, and the object as a whole, can't be rewritten")]
    Identity,
    /// A value is missing, or one too many.
    #[error("`add` and `replace` take a value, `remove` takes none")]
    Value,
}

impl RewriteOperation {
    /// An operation of ours that adds a field.
    pub(crate) fn adding(path: Vec<String>, value: Value) -> Self {
        Self {
            op: RewriteOp::Add,
            path,
            value: Some(value),
        }
    }

    /// An operation at the place that a JSON Pointer names.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(op: RewriteOp, path: &str, value: Option<Value>) -> Result<Self, RewriteError> {
        let path = pointer::tokens(path).ok_or(RewriteError::Pointer)?;
        let tokens: Vec<&str> = path.iter().map(String::as_str).collect();
        match tokens.as_slice() {
            [] | ["apiVersion" | "kind", ..] | ["metadata"] => return Err(RewriteError::Identity),
            [
                "metadata",
                "name" | "namespace" | "generateName" | "uid" | "resourceVersion" | "managedFields",
                ..,
            ] => {
                return Err(RewriteError::Identity);
            }
            _ => {}
        }
        if value.is_some() == (op == RewriteOp::Remove) {
            return Err(RewriteError::Value);
        }
        Ok(Self { op, path, value })
    }

    /// What is done.
    #[must_use]
    pub fn op(&self) -> RewriteOp {
        self.op
    }

    /// The keys that lead to the place.
    #[must_use]
    pub fn path(&self) -> &[String] {
        &self.path
    }

    /// The place, as a JSON Pointer.
    #[must_use]
    pub fn pointer(&self) -> String {
        let mut path = String::new();
        self.path.iter().for_each(|token| pointer::push(&mut path, token));
        path
    }

    /// The value.
    #[must_use]
    pub fn value(&self) -> Option<&Value> {
        self.value.as_ref()
    }

    fn operation(&self) -> Value {
        let mut operation = Object::new();
        operation.insert("op", self.op.as_str());
        operation.insert("path", self.pointer());
        if let Some(value) = &self.value {
            operation.insert("value", value.clone());
        }
        operation.into()
    }

    fn is_done_in(&self, object: &Value) -> bool {
        let found = self.path.iter().try_fold(object, |value, token| match value {
            Value::Array(elements) => elements.get(token.parse::<usize>().ok()?),
            other => other.get(token),
        });
        found.filter(|found| **found != Value::Null) == self.value.as_ref()
    }

    fn does_not_fit(&self, what: &str) -> Refusal {
        let message = format!("the policy changes {} in what is sent here, {what}", self.pointer());
        Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, Class::Unsupported, message)
            .with_remedy("send it as the policy would have it, or replace the whole object")
    }
}

/// A request after a policy's operations.
#[derive(Debug)]
pub(crate) enum Rewritten {
    /// It has another body now.
    Changed(Canonical),
    /// It is as it was.
    Unchanged(Canonical),
}

impl Canonical {
    /// Carries a policy's operations out in the body of a change; a request without a body of its own stays as it is.
    ///
    /// # Errors
    /// The refusal for a body that can't be rewritten like that.
    pub(crate) fn rewritten(
        mut self,
        operations: &[RewriteOperation],
        live: Option<&Live>,
    ) -> Result<Rewritten, Refusal> {
        // Most requests are not rewritten; only those that are pay for a copy of the body.
        if operations.is_empty() {
            return Ok(Rewritten::Unchanged(self));
        }
        let Some(mut body) = self.json().cloned() else {
            return Ok(Rewritten::Unchanged(self));
        };
        match (
            self.parts.attributes.verb,
            self.parts.content_type.and_then(ContentType::named),
        ) {
            (Verb::Create | Verb::Update, _) => {
                for operation in operations {
                    set(&mut body, operation, Removal::Field)?;
                }
            }
            (Verb::Patch, Some(ContentType::JsonPatch)) => {
                append(&mut body, &outstanding(&self, operations, live));
            }
            (Verb::Patch, Some(content_type)) => {
                let removal = if content_type == ContentType::ApplyPatch {
                    Removal::Field
                } else {
                    Removal::Null
                };
                for operation in outstanding(&self, operations, live) {
                    if content_type != ContentType::MergePatch && crosses_list(&body, &operation.path) {
                        return Err(operation.does_not_fit("and lists are merged there"));
                    }
                    set(&mut body, operation, removal)?;
                }
            }
            _ => return Ok(Rewritten::Unchanged(self)),
        }
        if self.json() == Some(&body) {
            return Ok(Rewritten::Unchanged(self));
        }
        body::replace(&mut self, &body)?;
        self.understand_change();
        Ok(Rewritten::Changed(self))
    }
}

/// The operations that the object does not follow anyway; all of them if it is not known.
fn outstanding<'o>(
    request: &Canonical,
    operations: &'o [RewriteOperation],
    live: Option<&Live>,
) -> Vec<&'o RewriteOperation> {
    let object = request.resulting_object(live);
    let is_done = |operation: &RewriteOperation| object.as_ref().is_some_and(|object| operation.is_done_in(object));
    operations.iter().filter(|operation| !is_done(operation)).collect()
}

/// Appends operations, unless they are the last ones already.
fn append(patch: &mut Value, operations: &[&RewriteOperation]) {
    let operations: Vec<Value> = operations.iter().map(|operation| operation.operation()).collect();
    if let Some(patch) = patch.as_array_mut()
        && !patch.ends_with(&operations)
    {
        patch.extend(operations);
    }
}

/// What a removal leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Removal {
    /// Nothing.
    Field,
    /// A null, which removes the field of the live object.
    Null,
}

fn crosses_list(body: &Value, path: &[String]) -> bool {
    let mut at = Some(body);
    for token in path {
        if at.is_some_and(|value| value.as_array().is_some()) {
            return true;
        }
        at = at.and_then(|value| value.get(token));
    }
    false
}

fn set(body: &mut Value, operation: &RewriteOperation, removal: Removal) -> Result<(), Refusal> {
    let wrong = || operation.does_not_fit("and what is on the way there is neither an object nor a list that has it");
    let (last, parents) = operation.path.split_last().ok_or_else(wrong)?;
    let mut at = body;
    for token in parents {
        at = match at {
            Value::Object(object) => {
                if object.get(token).is_none_or(|member| *member == Value::Null) {
                    if operation.op == RewriteOp::Remove && removal == Removal::Field {
                        return Ok(());
                    }
                    object.insert(token, Object::new());
                }
                object.get_mut(token)
            }
            Value::Array(elements) => token.parse::<usize>().ok().and_then(|index| elements.get_mut(index)),
            _ => None,
        }
        .ok_or_else(wrong)?;
    }
    match at {
        Value::Object(object) => {
            match (&operation.value, removal) {
                (Some(value), _) => object.insert(last, value.clone()),
                (None, Removal::Null) => object.insert(last, Value::Null),
                (None, Removal::Field) => drop(object.remove(last)),
            }
            Ok(())
        }
        Value::Array(elements) => set_element(elements, last, operation).ok_or_else(wrong),
        _ => Err(wrong()),
    }
}

fn set_element(elements: &mut Vec<Value>, token: &str, operation: &RewriteOperation) -> Option<()> {
    let index = match token {
        "-" => elements.len(),
        token => token.parse().ok()?,
    };
    match (operation.op, &operation.value) {
        (RewriteOp::Add, Some(value)) if index <= elements.len() => elements.insert(index, value.clone()),
        (RewriteOp::Replace, Some(value)) => *elements.get_mut(index)? = value.clone(),
        (RewriteOp::Remove, None) if index < elements.len() => drop(elements.remove(index)),
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests;
