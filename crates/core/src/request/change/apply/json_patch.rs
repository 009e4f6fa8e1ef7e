//! JSON Patch as kube-apiserver applies it. RFC 6902, and where the server differs:
//!
//! 1. A negative index counts from the end.
//! 2. A `replace` of a member that is not there adds it.
//! 3. A `copy` of a member that is not there adds a null.
//! 4. Only `replace` works on the whole object.
//!
//! A `test` is passed over: whether it fails is the server's to say. On an object of which nothing is known, what is
//! missing is made, so that what the patch writes stands where it would.

use super::budget::{Budget, TooLarge};
use crate::json::{Object, Value};
use crate::request::pointer;

/// Most elements that are made up before one at an index.
const MAX_PADDING: usize = 256;

/// An operation of a patch that the gate accepted.
pub(in crate::request) struct Operation<'a> {
    pub(in crate::request) op: Op,
    pub(in crate::request) path: Vec<String>,
    pub(in crate::request) from: Vec<String>,
    pub(in crate::request) value: &'a Value,
}

impl Operation<'_> {
    /// The operation, on a list of which nobody knows how long it is: what counts from the end of it is at its end.
    pub(super) fn at_any_place(&self) -> Self {
        let counts_back = |token: &String| token.parse::<i64>().is_ok_and(|index| index < 0);
        let token = |token: &String| {
            if counts_back(token) {
                "-".to_owned()
            } else {
                token.clone()
            }
        };
        Self {
            op: self.op,
            path: self.path.iter().map(token).collect(),
            from: self.from.clone(),
            value: self.value,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::request) enum Op {
    Add,
    Remove,
    Replace,
    Move,
    Copy,
    Test,
}

/// Why a patch gives no object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::request) enum Failed {
    TooLarge,
    /// It names a place that is not there: the server refuses it.
    DoesNotApply,
}

impl From<TooLarge> for Failed {
    fn from(TooLarge: TooLarge) -> Self {
        Self::TooLarge
    }
}

/// The operations of a patch. One that is malformed, which the gate does not let through, does not apply.
pub(in crate::request) fn operations(patch: &[Value]) -> Result<Vec<Operation<'_>>, Failed> {
    let operations = patch.iter().map(operation).collect::<Option<_>>();
    operations.ok_or(Failed::DoesNotApply)
}

fn operation(operation: &Value) -> Option<Operation<'_>> {
    let op = match operation.get("op")?.as_str()? {
        "add" => Op::Add,
        "remove" => Op::Remove,
        "replace" => Op::Replace,
        "move" => Op::Move,
        "copy" => Op::Copy,
        "test" => Op::Test,
        _ => return None,
    };
    let from = match op {
        Op::Move | Op::Copy => pointer::tokens(operation.get("from")?.as_str()?)?,
        _ => Vec::new(),
    };
    Some(Operation {
        op,
        path: pointer::tokens(operation.get("path")?.as_str()?)?,
        from,
        value: operation.get("value").unwrap_or(&Value::Null),
    })
}

/// The object after a patch.
pub(super) fn apply(target: Value, operations: &[Operation<'_>], budget: &mut Budget) -> Result<Value, Failed> {
    let mut document = Document {
        root: target,
        tolerant: false,
        budget,
    };
    operations
        .iter()
        .try_for_each(|operation| document.carry_out(operation))?;
    Ok(document.root)
}

/// What a patch writes into an object of which nothing is known.
pub(super) fn apply_to_unknown(operations: &[Operation<'_>], budget: &mut Budget) -> Result<Value, TooLarge> {
    let mut document = Document {
        root: Object::new().into(),
        tolerant: true,
        budget,
    };
    for operation in operations {
        match document.carry_out(operation) {
            Err(Failed::TooLarge) => return Err(TooLarge),
            // What could not be carried out on what is made up may still apply to what is there.
            Ok(()) | Err(Failed::DoesNotApply) => {}
        }
    }
    Ok(document.root)
}

struct Document<'b> {
    root: Value,
    tolerant: bool,
    budget: &'b mut Budget,
}

/// Where in a list.
enum Position {
    At(usize),
    End,
}

impl Document<'_> {
    fn carry_out(&mut self, operation: &Operation<'_>) -> Result<(), Failed> {
        let Operation { op, path, from, value } = operation;
        match op {
            Op::Test => Ok(()),
            Op::Replace if path.is_empty() => {
                self.budget.copy(value, 0)?;
                self.root = (*value).clone();
                Ok(())
            }
            Op::Add | Op::Replace => {
                self.budget.copy(value, path.len())?;
                self.put(path, (*value).clone(), *op == Op::Add)
            }
            Op::Remove => self.remove(path).map(drop),
            Op::Move => {
                let value = self.remove(from)?;
                self.budget.copy(&value, path.len())?;
                self.put(path, value, true)
            }
            Op::Copy => {
                let value = match self.find(from)?.cloned() {
                    Some(value) => value,
                    None if self.tolerant || self.may_hold(from)? => Value::Null,
                    None => return Err(Failed::DoesNotApply),
                };
                self.budget.copy(&value, path.len())?;
                self.put(path, value, true)
            }
        }
    }

    /// A place, its parents made where that is the way; `None` if there is nothing.
    fn container(&mut self, path: &[String]) -> Result<&mut Value, Failed> {
        let mut at = &mut self.root;
        let mut parent = "";
        for token in path {
            if self.tolerant {
                make_container(at, token, parent);
            }
            at = child(at, token, self.tolerant, self.budget)?.ok_or(Failed::DoesNotApply)?;
            parent = token;
        }
        Ok(at)
    }

    fn put(&mut self, path: &[String], value: Value, inserts: bool) -> Result<(), Failed> {
        let (key, parents) = path.split_last().ok_or(Failed::DoesNotApply)?;
        let parent = parents.last().map(String::as_str).unwrap_or_default();
        let tolerant = self.tolerant;
        let container = self.container(parents)?;
        if tolerant {
            make_container(container, key, parent);
        }
        match container {
            Value::Object(object) => {
                let steps = object.len();
                object.insert(key, value);
                self.budget.step(steps)?;
                Ok(())
            }
            Value::Array(elements) => {
                let steps = elements.len() / 8;
                put_element(elements, key, value, inserts, tolerant)?;
                self.budget.step(steps)?;
                Ok(())
            }
            _ => Err(Failed::DoesNotApply),
        }
    }

    fn remove(&mut self, path: &[String]) -> Result<Value, Failed> {
        let (key, parents) = path.split_last().ok_or(Failed::DoesNotApply)?;
        let tolerant = self.tolerant;
        let container = if tolerant {
            match self.find_mut(parents)? {
                Some(container) => container,
                None => return Ok(Value::Null),
            }
        } else {
            self.container(parents)?
        };
        let (removed, steps) = match container {
            Value::Object(object) => {
                let steps = object.len();
                (object.remove(key), steps)
            }
            Value::Array(elements) => {
                let steps = elements.len() / 8;
                let at = match index(key, elements.len(), false) {
                    Some(Position::At(at)) if at < elements.len() => Some(elements.remove(at)),
                    _ => None,
                };
                (at, steps)
            }
            _ => (None, 1),
        };
        self.budget.step(steps)?;
        match removed {
            Some(value) => Ok(value),
            None if tolerant => Ok(Value::Null),
            None => Err(Failed::DoesNotApply),
        }
    }

    fn find(&mut self, path: &[String]) -> Result<Option<&Value>, Failed> {
        Ok(self.find_mut(path)?.map(|value| &*value))
    }

    /// Whether a place is a member of an object that is there, even if the member is not.
    fn may_hold(&mut self, path: &[String]) -> Result<bool, Failed> {
        let Some((_, parents)) = path.split_last() else {
            return Ok(false);
        };
        Ok(matches!(self.find(parents)?, Some(Value::Object(_))))
    }

    fn find_mut(&mut self, path: &[String]) -> Result<Option<&mut Value>, Failed> {
        let mut at = &mut self.root;
        for token in path {
            match child(at, token, false, self.budget)? {
                Some(next) => at = next,
                None => return Ok(None),
            }
        }
        Ok(Some(at))
    }
}

fn child<'v>(at: &'v mut Value, token: &str, make: bool, budget: &mut Budget) -> Result<Option<&'v mut Value>, Failed> {
    Ok(match at {
        Value::Object(object) => {
            budget.step(object.len())?;
            if make && object.get(token).is_none() {
                object.insert(token, Value::Null);
            }
            object.get_mut(token)
        }
        Value::Array(elements) => {
            budget.step(1)?;
            match index(token, elements.len(), false) {
                Some(Position::At(at)) => {
                    if make {
                        pad(elements, at)?;
                    }
                    elements.get_mut(at)
                }
                Some(Position::End) if make => {
                    elements.push(Value::Null);
                    elements.last_mut()
                }
                _ => None,
            }
        }
        _ => None,
    })
}

/// Makes a value something that can have a member of that name, if it is not.
fn make_container(value: &mut Value, token: &str, parent: &str) {
    let is_index = pointer::is_index(parent, token);
    match value {
        Value::Object(_) => {}
        Value::Array(_) if is_index => {}
        Value::Array(elements) => {
            let members = std::mem::take(elements).into_iter().enumerate();
            *value = Object::from_unique(members.map(|(at, value)| (at.to_string(), value)).collect()).into();
        }
        _ if is_index => *value = Value::Array(Vec::new()),
        _ => *value = Object::new().into(),
    }
}

fn put_element(
    elements: &mut Vec<Value>,
    key: &str,
    value: Value,
    inserts: bool,
    tolerant: bool,
) -> Result<(), Failed> {
    let len = elements.len();
    match index(key, len, inserts) {
        Some(Position::End) if inserts || tolerant => elements.push(value),
        Some(Position::At(at)) if inserts && at <= len => elements.insert(at, value),
        Some(Position::At(at)) if at < len || tolerant => {
            pad(elements, at)?;
            if let Some(place) = elements.get_mut(at) {
                *place = value;
            }
        }
        _ => return Err(Failed::DoesNotApply),
    }
    Ok(())
}

/// The place in a list of `len` elements that a token names; the end of it too if one may be inserted there.
fn index(token: &str, len: usize, inserts: bool) -> Option<Position> {
    if token == "-" {
        return Some(Position::End);
    }
    let index: i64 = token.parse().ok()?;
    match usize::try_from(index) {
        Ok(index) => Some(Position::At(index)),
        Err(_) => {
            let back = usize::try_from(index.unsigned_abs()).ok()?;
            let slots = if inserts { len + 1 } else { len };
            slots.checked_sub(back).map(Position::At)
        }
    }
}

/// Makes up elements, so that there is one at an index.
fn pad(elements: &mut Vec<Value>, at: usize) -> Result<(), TooLarge> {
    if at < elements.len() {
        return Ok(());
    }
    if at > MAX_PADDING {
        return Err(TooLarge);
    }
    elements.resize(at + 1, Value::Null);
    Ok(())
}
