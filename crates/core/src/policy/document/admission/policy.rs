//! The `spec` of a ValidatingAdmissionPolicy.

use super::super::error::Problems;
use super::super::fields::{Fields, each, one_of, text};
use super::super::yaml::Node;
use super::params::{self, ParamKind};
use super::{condition, constraints, given};
use crate::policy::admission::{AdmissionPolicy, Named, Reason, Validation};
use crate::policy::condition::{Condition, Gives, Place, Reads};

/// What a variable is called, with what it reads.
type Known = (String, Reads);

pub(super) fn read(
    name: String,
    spec: &Node,
    problems: &mut Problems<'_>,
) -> Option<(AdmissionPolicy, Option<ParamKind>)> {
    let known = [
        "paramKind",
        "matchConstraints",
        "validations",
        "failurePolicy",
        "auditAnnotations",
        "matchConditions",
        "variables",
    ];
    let fields = Fields::read(spec, "`spec`", &known, &[], problems)?;
    let param_kind = fields.get("paramKind").map(|node| params::kind(node, problems));
    let place = match param_kind {
        Some(_) => Place::ADMISSION.with_params(),
        None => Place::ADMISSION,
    };
    let constraints = fields
        .require("matchConstraints", problems)
        .and_then(|node| constraints::read(node, "`matchConstraints`", true, problems));
    let ignores_errors = match fields.get("failurePolicy") {
        Some(node) => one_of(node, "failure policy", &[("Fail", false), ("Ignore", true)], problems),
        None => Some(false),
    };
    // Variables are not known yet where it is asked whether the policy is about a request at all.
    let conditions = fields.get("matchConditions").map(|node| {
        each(node, "`matchConditions`", problems, |node, problems| {
            named(node, "a match condition", ["name", "expression"], place, problems)
        })
    });
    let (names, variables) = match fields.get("variables") {
        Some(node) => variables(node, place, problems)?,
        None => (Vec::new(), Vec::new()),
    };
    let place = place.with_variables(&names);
    let validations = fields.get("validations").map(|node| {
        each(node, "`validations`", problems, |node, problems| {
            validation(node, place, problems)
        })
    });
    let annotations = fields.get("auditAnnotations").map(|node| {
        let place = place.giving(Gives::TextOrNull);
        each(node, "`auditAnnotations`", problems, |node, problems| {
            named(node, "an audit annotation", ["key", "valueExpression"], place, problems)
        })
    });
    if validations.is_none() && annotations.is_none() {
        problems.add(
            spec.span,
            "`spec` has neither `validations` nor `auditAnnotations`: it would do nothing",
        );
        return None;
    }
    let policy = AdmissionPolicy {
        name,
        constraints: constraints?,
        ignores_errors: ignores_errors?,
        conditions: given(conditions)?.unwrap_or_default(),
        variables,
        validations: given(validations)?.unwrap_or_default(),
        audit_annotations: given(annotations)?.unwrap_or_default(),
    };
    Some((policy, given(param_kind)?))
}

fn named(
    node: &Node,
    what: &'static str,
    [name, expression]: [&'static str; 2],
    place: Place<'_>,
    problems: &mut Problems<'_>,
) -> Option<Named> {
    let fields = Fields::read(node, what, &[name, expression], &[], problems)?;
    let found = fields
        .require(name, problems)
        .and_then(|node| text(node, what, problems));
    let read = fields
        .require(expression, problems)
        .and_then(|node| condition(node, "an expression", place, problems));
    let (text, condition) = read?;
    Some(Named {
        name: found?.to_owned(),
        text,
        condition,
    })
}

/// Each may read those before it.
fn variables(node: &Node, place: Place<'_>, problems: &mut Problems<'_>) -> Option<(Vec<Known>, Vec<Condition>)> {
    let mut names: Vec<Known> = Vec::new();
    let place = place.giving(Gives::Anything);
    let read = each(node, "`variables`", problems, |node, problems| {
        let variable = named(
            node,
            "a variable",
            ["name", "expression"],
            place.with_variables(&names),
            problems,
        )?;
        let word = variable
            .name
            .starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && variable.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !word {
            problems.add(node.span, format!("`{}` is no name of a variable", variable.name));
            return None;
        }
        if names.iter().any(|(known, _)| *known == variable.name) {
            problems.add(node.span, format!("there is another variable `{}`", variable.name));
            return None;
        }
        names.push((variable.name, variable.condition.reads()));
        Some(variable.condition)
    })?;
    Some((names, read))
}

fn validation(node: &Node, place: Place<'_>, problems: &mut Problems<'_>) -> Option<Validation> {
    let known = ["expression", "message", "messageExpression", "reason"];
    let fields = Fields::read(node, "a validation", &known, &[], problems)?;
    let read = fields
        .require("expression", problems)
        .and_then(|node| condition(node, "`expression`", place, problems));
    let message = fields.get("message").map(|node| text(node, "`message`", problems));
    let message_expression = fields.get("messageExpression").map(|node| {
        let place = place.giving(Gives::Text);
        condition(node, "`messageExpression`", place, problems).map(|(_, condition)| condition)
    });
    let reasons = [
        ("Unauthorized", Reason::Unauthorized),
        ("Forbidden", Reason::Forbidden),
        ("Invalid", Reason::Invalid),
        ("RequestEntityTooLarge", Reason::RequestEntityTooLarge),
    ];
    let reason = match fields.get("reason") {
        Some(node) => one_of(node, "reason", &reasons, problems),
        None => Some(Reason::Invalid),
    };
    let (text, condition) = read?;
    Some(Validation {
        text,
        condition,
        message: given(message)?.map(str::to_owned),
        message_expression: given(message_expression)?,
        reason: reason?,
    })
}
