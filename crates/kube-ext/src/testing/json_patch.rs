//! JSON Patch as upstream's library applies it, with limits: copies and moves can make a document grow without the patch
//! growing.

use ::json_patch::{AddOperation, PatchOperation, ReplaceOperation, TestOperation};
use serde_json::Value;

use super::errors::ApiError;

/// Upstream's limit on the operations of a patch.
const OPERATIONS: usize = 10_000;
/// Upstream's limit on what all copies add.
const COPIED: usize = 3 * 1024 * 1024;
/// What the parser accepts, and so what a result may have.
const DEPTH: usize = 128;
/// How deep a document may be between two operations: recursion on it must fit into a stack.
const DEPTH_BETWEEN: usize = 512;

/// Applies the operations in their order.
pub(super) fn apply(mut document: Value, operations: Vec<Value>) -> Result<Value, ApiError> {
    if operations.len() > OPERATIONS {
        let message = "The allowed maximum operations in a JSON patch is";
        return Err(ApiError::too_large(format_args!(
            "{message} {OPERATIONS}, got {}",
            operations.len()
        )));
    }
    let mut depth = DEPTH;
    let mut copied = 0;
    for operation in operations {
        let operation = serde_json::from_value(operation).map_err(|_| ApiError::inapplicable_patch())?;
        depth = depth.max(depth_after(&operation, depth));
        if let PatchOperation::Copy(copy) = &operation {
            let source = document.pointer(copy.from.as_str()).map(Value::to_string);
            copied += source.unwrap_or_default().len();
        }
        if depth > DEPTH_BETWEEN || copied > COPIED {
            return Err(ApiError::inapplicable_patch());
        }
        step(&mut document, operation)?;
    }
    if document.is_object() && !is_deeper(&document, DEPTH) {
        Ok(document)
    } else {
        Err(ApiError::inapplicable_patch())
    }
}

/// One operation, with what upstream's library does otherwise than RFC 6902: `replace` adds a missing member, and an absent
/// member equals null in a `test`. The whole document can't be replaced.
fn step(document: &mut Value, operation: PatchOperation) -> Result<(), ApiError> {
    let path = operation.path().to_string();
    let Some((parent, _)) = path.rsplit_once('/') else {
        return Err(ApiError::inapplicable_patch());
    };
    let missing = document.pointer(&path).is_none() && document.pointer(parent).is_some_and(Value::is_object);
    let operation = match operation {
        PatchOperation::Replace(ReplaceOperation { path, value }) if missing => {
            PatchOperation::Add(AddOperation { path, value })
        }
        PatchOperation::Test(TestOperation { value: Value::Null, .. }) if missing => return Ok(()),
        other => other,
    };
    ::json_patch::patch(document, &[operation]).map_err(|_| ApiError::inapplicable_patch())
}

/// How deep the document can be after an operation at most, without a look at it.
fn depth_after(operation: &PatchOperation, before: usize) -> usize {
    let tokens = |pointer: &str| pointer.matches('/').count();
    let at = tokens(operation.path().as_str());
    match operation {
        PatchOperation::Add(_) | PatchOperation::Replace(_) => at + DEPTH,
        PatchOperation::Copy(copy) => at + before.saturating_sub(tokens(copy.from.as_str())),
        PatchOperation::Move(moved) => at + before.saturating_sub(tokens(moved.from.as_str())),
        PatchOperation::Remove(_) | PatchOperation::Test(_) => before,
    }
}

/// Whether a value is nested deeper than that; itself without recursion.
fn is_deeper(value: &Value, limit: usize) -> bool {
    let mut open = vec![(value, 1)];
    while let Some((value, depth)) = open.pop() {
        if depth > limit {
            return true;
        }
        match value {
            Value::Array(items) => open.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(fields) => open.extend(fields.values().map(|item| (item, depth + 1))),
            _ => {}
        }
    }
    false
}
