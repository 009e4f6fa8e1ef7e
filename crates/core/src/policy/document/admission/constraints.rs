//! `matchConstraints` and `matchResources`.

use super::super::error::Problems;
use super::super::fields::{Fields, each, one_of, text};
use super::super::yaml::{Node, Value};
use crate::policy::admission::{Constraints, OperationRule, Requirement, ResourceRule, Scope, Selector};
use crate::policy::condition::Operation;

pub(super) fn read(
    node: &Node,
    what: &'static str,
    needs_rules: bool,
    problems: &mut Problems<'_>,
) -> Option<Constraints> {
    let known = [
        "resourceRules",
        "excludeResourceRules",
        "namespaceSelector",
        "objectSelector",
        "matchPolicy",
    ];
    let fields = Fields::read(node, what, &known, &[], problems)?;
    let rules = if needs_rules {
        fields.require("resourceRules", problems)
    } else {
        fields.get("resourceRules")
    };
    let rules = rules.map(|node| each(node, "`resourceRules`", problems, rule));
    let excluded = fields
        .get("excludeResourceRules")
        .map(|node| each(node, "`excludeResourceRules`", problems, rule));
    let namespace_selector = fields
        .get("namespaceSelector")
        .map(|node| selector(node, "`namespaceSelector`", problems));
    let object_selector = fields
        .get("objectSelector")
        .map(|node| selector(node, "`objectSelector`", problems));
    let exact = match fields.get("matchPolicy") {
        Some(node) => one_of(
            node,
            "match policy",
            &[("Exact", true), ("Equivalent", false)],
            problems,
        )?,
        None => false,
    };
    Some(Constraints {
        rules: rules.unwrap_or_else(|| Some(Vec::new()))?,
        excluded: excluded.unwrap_or_else(|| Some(Vec::new()))?,
        namespace_selector: namespace_selector.unwrap_or_else(|| Some(Selector::default()))?,
        object_selector: object_selector.unwrap_or_else(|| Some(Selector::default()))?,
        exact,
    })
}

fn rule(node: &Node, problems: &mut Problems<'_>) -> Option<ResourceRule> {
    let known = [
        "apiGroups",
        "apiVersions",
        "operations",
        "resources",
        "resourceNames",
        "scope",
    ];
    let fields = Fields::read(node, "a resource rule", &known, &[], problems)?;
    let groups = fields
        .require("apiGroups", problems)
        .and_then(|node| each(node, "`apiGroups`", problems, group));
    let texts = |node: &Node, what: &str, problems: &mut Problems<'_>| {
        each(node, what, problems, |node, problems| {
            text(node, what, problems).map(str::to_owned)
        })
    };
    let versions = fields
        .require("apiVersions", problems)
        .and_then(|node| texts(node, "`apiVersions`", problems));
    let operations = fields
        .require("operations", problems)
        .and_then(|node| each(node, "`operations`", problems, operation));
    let resources = fields
        .require("resources", problems)
        .and_then(|node| texts(node, "`resources`", problems));
    let names = fields
        .get("resourceNames")
        .map(|node| texts(node, "`resourceNames`", problems));
    let scopes = [
        ("*", Scope::Any),
        ("Cluster", Scope::Cluster),
        ("Namespaced", Scope::Namespaced),
    ];
    let scope = match fields.get("scope") {
        Some(node) => one_of(node, "scope", &scopes, problems),
        None => Some(Scope::Any),
    };
    Some(ResourceRule {
        operations: operations?,
        groups: groups?,
        versions: versions?,
        resources: resources?,
        names: names.unwrap_or_else(|| Some(Vec::new()))?,
        scope: scope?,
    })
}

/// The core group has an empty name.
fn group(node: &Node, problems: &mut Problems<'_>) -> Option<String> {
    match &node.value {
        Value::Text(group) => Some(group.clone()),
        _ => text(node, "an API group", problems).map(str::to_owned),
    }
}

fn operation(node: &Node, problems: &mut Problems<'_>) -> Option<OperationRule> {
    let known = [
        ("*", OperationRule::Any),
        ("CREATE", OperationRule::Only(Operation::Create)),
        ("UPDATE", OperationRule::Only(Operation::Update)),
        ("DELETE", OperationRule::Only(Operation::Delete)),
        ("CONNECT", OperationRule::Only(Operation::Connect)),
    ];
    one_of(node, "operation", &known, problems)
}

/// A label selector.
pub(super) fn selector(node: &Node, what: &'static str, problems: &mut Problems<'_>) -> Option<Selector> {
    let fields = Fields::read(node, what, &["matchLabels", "matchExpressions"], &[], problems)?;
    let mut requirements = Vec::new();
    if let Some(node) = fields.get("matchLabels") {
        let Value::Map(labels) = &node.value else {
            problems.add(
                node.span,
                format!("`matchLabels` is a mapping, not {}", node.value.what()),
            );
            return None;
        };
        for (key, value) in labels {
            let (key, value) = (text(key, "a label", problems)?, label_value(value, problems)?);
            requirements.push(Requirement::In(key.to_owned(), vec![value]));
        }
    }
    if let Some(node) = fields.get("matchExpressions") {
        requirements.extend(each(node, "`matchExpressions`", problems, expression)?);
    }
    Some(Selector(requirements))
}

/// A label may be empty.
fn label_value(node: &Node, problems: &mut Problems<'_>) -> Option<String> {
    match &node.value {
        Value::Text(value) => Some(value.clone()),
        _ => text(node, "the value of a label", problems).map(str::to_owned),
    }
}

fn expression(node: &Node, problems: &mut Problems<'_>) -> Option<Requirement> {
    let fields = Fields::read(
        node,
        "a match expression",
        &["key", "operator", "values"],
        &[],
        problems,
    )?;
    let key = fields.require("key", problems)?;
    let key = text(key, "`key`", problems)?.to_owned();
    let operator = fields.require("operator", problems)?;
    let values = match fields.get("values") {
        Some(node) => Some(each(node, "`values`", problems, label_value)?),
        None => None,
    };
    let name = text(operator, "`operator`", problems)?;
    match (name, values) {
        ("In", Some(values)) => Some(Requirement::In(key, values)),
        ("NotIn", Some(values)) => Some(Requirement::NotIn(key, values)),
        ("Exists", None) => Some(Requirement::Exists(key)),
        ("DoesNotExist", None) => Some(Requirement::DoesNotExist(key)),
        ("In" | "NotIn", None) => {
            problems.add(operator.span, format!("`{name}` needs `values`"));
            None
        }
        ("Exists" | "DoesNotExist", Some(_)) => {
            problems.add(operator.span, format!("`{name}` takes no `values`"));
            None
        }
        _ => {
            let known = ["In", "NotIn", "Exists", "DoesNotExist"];
            let suggestion = problems.nearest(name, known);
            problems.add_with(operator.span, format!("unknown operator `{name}`"), suggestion);
            None
        }
    }
}
