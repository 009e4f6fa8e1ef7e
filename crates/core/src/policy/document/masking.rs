//! `masking`: what is masked besides, and what becomes of masked values.

use std::collections::BTreeSet;

use super::error::{Problems, nearest};
use super::fields::{Fields, boolean, each, one_of, text};
use super::rule::given;
use super::values;
use super::yaml::{Node, Value};
use crate::detect::Detectors;
use crate::mask::{DetectRule, FieldRule, FieldTreatment, MaskPolicy, MaskSettings, RulePart, WithoutJson, WriteBack};
use crate::policy::engine::MaskPath;

const FIELDS: [&str; 7] = [
    "strict",
    "kinds",
    "detect",
    "insecure_forget_known_values",
    "writeBack",
    "accept",
    "warning",
];

/// Longest name whose values are secret.
const MAX_NAME: usize = 64;

pub(super) fn read(node: &Node, document: &str, problems: &mut Problems<'_>) -> Option<MaskSettings> {
    let fields = Fields::read(node, "`masking`", &FIELDS, &[], problems)?;
    let mut flag = |name: &str| {
        fields
            .get(name)
            .map(|node| boolean(node, &format!("`{name}`"), problems))
    };
    let (strict, forget, warning) = (flag("strict"), flag("insecure_forget_known_values"), flag("warning"));
    let kinds = fields.get("kinds").map(|node| each(node, "`kinds`", problems, kind));
    let detect = fields.get("detect").map(|node| detect(node, document, problems));
    let modes = [("refuse", WriteBack::Refuse), ("restore", WriteBack::Restore)];
    let write_back = fields
        .get("writeBack")
        .map(|node| one_of(node, "mode", &modes, problems));
    let modes = [("replace", WithoutJson::Replace), ("refuse", WithoutJson::Refuse)];
    let accept = fields.get("accept").map(|node| one_of(node, "mode", &modes, problems));
    let settings = MaskSettings {
        strict: given(strict)?.unwrap_or_default(),
        kinds: given(kinds)?.unwrap_or_default(),
        insecure_forget_known_values: given(forget)?.unwrap_or_default(),
        write_back: given(write_back)?.unwrap_or_default(),
        accept: given(accept)?.unwrap_or_default(),
        silent: !given(warning)?.unwrap_or(true),
        ..given(detect)?.unwrap_or_default()
    };
    if let Err(error) = MaskPolicy::new(settings.clone()) {
        problems.add(node.span, error.to_string());
        return None;
    }
    Some(settings)
}

/// A field of a kind, `{ kind: Widget, groups: [example.com], path: spec.apiKey, treatment: mask }`.
fn kind(node: &Node, problems: &mut Problems<'_>) -> Option<FieldRule> {
    let known = ["kind", "groups", "path", "treatment", "why"];
    let fields = Fields::read(node, "a kind", &known, &[], problems)?;
    let kind = fields.require("kind", problems).and_then(|node| {
        let kind = text(node, "`kind`", problems)?;
        let is_name = kind.bytes().all(|byte| byte.is_ascii_alphanumeric()) && kind.len() <= 63;
        if !is_name {
            problems.add(
                node.span,
                format!("`{kind}` is no kind: write it as objects do, `Widget`"),
            );
        }
        is_name.then(|| kind.to_owned())
    });
    let groups = fields.get("groups").map(|node| each(node, "`groups`", problems, group));
    let path = fields.require("path", problems).and_then(|node| {
        let path = text(node, "`path`", problems)?.parse::<MaskPath>();
        path.map_err(|error| problems.add(node.span, error.to_string())).ok()
    });
    let treatment = fields.require("treatment", problems);
    let treatment = treatment.and_then(|node| one_of(node, "treatment", &FieldTreatment::ALL, problems));
    let why = fields.get("why").map(|node| owned(node, "`why`", problems));
    let rule = FieldRule {
        kind: kind?,
        groups: given(groups)?.unwrap_or_default(),
        path: path?,
        treatment: treatment?,
        why: given(why)?,
    };
    let alone = MaskSettings {
        kinds: vec![rule.clone()],
        ..MaskSettings::default()
    };
    if let Err(error) = MaskPolicy::new(alone) {
        problems.add(fields.get("path")?.span, error.to_string());
        return None;
    }
    Some(rule)
}

/// An API group; the empty one is the core group.
fn group(node: &Node, problems: &mut Problems<'_>) -> Option<String> {
    let group = match &node.value {
        Value::Text(group) if group.is_empty() => "",
        _ => text(node, "a group", problems)?,
    };
    let is_group = group.is_empty() || group.split('.').all(values::is_dns_label);
    if !is_group {
        problems.add(
            node.span,
            format!("`{group}` is no group: write `apps`, `example.com`, or `\"\"` for core"),
        );
    }
    is_group.then(|| group.to_owned())
}

fn detect(node: &Node, document: &str, problems: &mut Problems<'_>) -> Option<MaskSettings> {
    let known = ["pii", "rules", "names", "insecure_disable"];
    let fields = Fields::read(node, "`detect`", &known, &[], problems)?;
    let pii = fields.get("pii").map(|node| boolean(node, "`pii`", problems));
    let names = fields.get("names").map(|node| each(node, "`names`", problems, name));
    let disabled = fields
        .get("insecure_disable")
        .map(|node| each(node, "`insecure_disable`", problems, shipped_rule));
    let mut ids: Vec<&str> = Vec::new();
    let rules = fields.get("rules").map(|node| {
        each(node, "`rules` of `detect`", problems, |node, problems| {
            rule(node, document, &mut ids, problems)
        })
    });
    Some(MaskSettings {
        pii: given(pii)?.unwrap_or_default(),
        names: given(names)?.unwrap_or_default(),
        rules: given(rules)?.unwrap_or_default(),
        insecure_disable: given(disabled)?.map(BTreeSet::from_iter).unwrap_or_default(),
        ..MaskSettings::default()
    })
}

/// A rule about text; it is compiled, and its examples are tried.
fn rule<'n>(node: &'n Node, document: &str, ids: &mut Vec<&'n str>, problems: &mut Problems<'_>) -> Option<DetectRule> {
    let known = ["id", "description", "why", "pattern", "examples"];
    let fields = Fields::read(node, "a rule of `detect`", &known, &[], problems)?;
    let id = fields.require("id", problems).and_then(|node| {
        let id = text(node, "the id of a rule", problems)?;
        if !values::is_dns_label(id) {
            problems.add(
                node.span,
                format!("`{id}` is no DNS label, as the id of a rule has to be"),
            );
        } else if ids.contains(&id) {
            problems.add(node.span, format!("there is another rule `{id}` in this document"));
            return None;
        }
        ids.push(id);
        Some(id)
    });
    let mut required = |name: &str| {
        let node = fields.require(name, problems);
        node.and_then(|node| owned(node, &format!("`{name}`"), problems))
    };
    let (description, pattern) = (required("description"), required("pattern"));
    let mut optional = |name: &str| {
        let node = fields.get(name);
        node.map(|node| owned(node, &format!("`{name}`"), problems))
    };
    let why = optional("why");
    let examples = fields.require("examples", problems);
    let examples = examples.and_then(|node| {
        let fields = Fields::read(node, "`examples`", &["positive", "negative"], &[], problems)?;
        let positive = fields.require("positive", problems);
        let positive = positive.and_then(|node| texts(node, "`positive`", problems));
        let negative = fields.get("negative").map(|node| texts(node, "`negative`", problems));
        Some((positive?, given(negative)?.unwrap_or_default()))
    });
    let (positive, negative) = examples?;
    let rule = DetectRule {
        id: format!("{document}/{}", id?),
        description: description?,
        why: given(why)?,
        pattern: pattern?,
        positive,
        negative,
    };
    compiles(&fields, rule, problems)
}

/// The rule, if it is one; what is wrong with it is noted in its place.
fn compiles(fields: &Fields<'_>, rule: DetectRule, problems: &mut Problems<'_>) -> Option<DetectRule> {
    let Err((part, message)) = rule.check() else {
        return Some(rule);
    };
    let example = |name: &str, at: usize| fields.get("examples")?.get(name)?.elements().get(at);
    let place = match part {
        RulePart::Pattern => fields.get("pattern"),
        RulePart::Positive(at) => example("positive", at),
        RulePart::Negative(at) => example("negative", at),
    };
    let place = place.or_else(|| fields.get("pattern"))?;
    problems.add(place.span, message);
    None
}

/// A name whose values are secret, such as `acmeKey`.
fn name(node: &Node, problems: &mut Problems<'_>) -> Option<String> {
    let name = text(node, "a name", problems)?;
    let is_name = name.len() <= MAX_NAME
        && name.bytes().any(|byte| byte.is_ascii_alphanumeric())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if !is_name {
        let form = format!("at most {MAX_NAME} letters, digits, `-`, `_` and `.`");
        problems.add(node.span, format!("`{name}` is no name of a value: {form}"));
    }
    is_name.then(|| name.to_owned())
}

/// The id of a shipped rule.
fn shipped_rule(node: &Node, problems: &mut Problems<'_>) -> Option<String> {
    let id = text(node, "the id of a rule", problems)?;
    let known = Detectors::built_in_rules();
    if known.contains(id) {
        return Some(id.to_owned());
    }
    problems.add_with(
        node.span,
        format!("there is no shipped rule `{id}`: only those are switched off"),
        nearest(id, known),
    );
    None
}

fn texts(node: &Node, what: &str, problems: &mut Problems<'_>) -> Option<Vec<String>> {
    each(node, what, problems, |node, problems| {
        owned(node, "an example", problems)
    })
}

fn owned(node: &Node, what: &str, problems: &mut Problems<'_>) -> Option<String> {
    text(node, what, problems).map(str::to_owned)
}
