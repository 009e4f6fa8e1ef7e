//! `rewrite`: what a rule changes in a request.

use std::sync::Arc;

use super::error::Problems;
use super::fields::{Fields, each, one_of, text};
use super::yaml::{Node, Value};
use crate::request::{RewriteOp, RewriteOperation};

const FIELDS: [&str; 3] = ["op", "path", "value"];

pub(super) fn read(node: &Node, problems: &mut Problems<'_>) -> Option<Arc<[RewriteOperation]>> {
    let mut before: Vec<RewriteOperation> = Vec::new();
    let operations = each(node, "`rewrite`", problems, |node, problems| {
        let operation = operation(node, problems)?;
        if before.iter().any(|other| other.path() == operation.path()) {
            let pointer = operation.pointer();
            problems.add(place(node), format!("this rule changes `{pointer}` twice"));
        }
        before.push(operation.clone());
        Some(operation)
    })?;
    Some(operations.into())
}

/// Where the path of an operation stands.
pub(super) fn place(node: &Node) -> super::yaml::Span {
    node.get("path").map_or(node.span, |path| path.span)
}

fn operation(node: &Node, problems: &mut Problems<'_>) -> Option<RewriteOperation> {
    let fields = Fields::read(node, "a rewrite", &FIELDS, &[], problems)?;
    let known = [RewriteOp::Add, RewriteOp::Replace, RewriteOp::Remove].map(|op| (op.as_str(), op));
    let op = fields.require("op", problems);
    let op = op.and_then(|node| one_of(node, "operation", &known, problems));
    let path = fields.require("path", problems);
    let path = path.and_then(|node| Some((node, pointer(node, problems)?)));
    let value = match (op, fields.get("value")) {
        (Some(RewriteOp::Remove), Some(value)) => {
            problems.add(value.span, "a `remove` has no `value`");
            return None;
        }
        (Some(RewriteOp::Add | RewriteOp::Replace), None) => {
            fields.require("value", problems);
            return None;
        }
        (_, value) => match value {
            Some(value) => Some(value.json(problems)?),
            None => None,
        },
    };
    let (node, path) = path?;
    match RewriteOperation::new(op?, path, value) {
        Ok(operation) => Some(operation),
        Err(error) => {
            problems.add(node.span, error.to_string());
            None
        }
    }
}

/// The text of a path; the empty one is the whole object.
fn pointer<'n>(node: &'n Node, problems: &mut Problems<'_>) -> Option<&'n str> {
    match &node.value {
        Value::Text(path) if path.is_empty() => Some(path),
        _ => text(node, "`path`", problems),
    }
}
