//! From YAML text to compiled documents, or to everything that is wrong with it.

mod admission;
mod error;
mod fields;
mod place;
mod rule;
mod values;
mod yaml;

#[cfg(test)]
pub(super) use admission::load as load_guardrails;
pub(super) use error::nearest;
pub use error::{LoadError, LoadErrors};

use error::{Problems, Source};
use fields::{Fields, each, text};
use rule::Defaults;
use values::is_dns_label;
use yaml::{Node, Span};

use std::sync::Arc;

use super::glob::Glob;
use super::limits::Limits;
use super::matching::Scope;
use super::resource::ResourceSpec;
use super::set::{Action, Document, SubjectMatch};
use crate::request::{Effect, Effects};

const API_VERSION: &str = "countersign.dev/v1alpha1";
const KIND: &str = "Policy";

/// Names that the engine itself puts before a slash.
const RESERVED: &str = "countersign";

/// Loads every document of every file, or tells everything that is wrong.
pub(super) fn load<'s>(sources: impl Iterator<Item = (&'s str, &'s str)>) -> Result<Vec<Document>, LoadErrors> {
    let mut problems = Problems::new(Source { name: "", text: "" });
    let mut documents: Vec<Document> = Vec::new();
    for (name, text) in sources {
        let source = Source { name, text };
        problems.turn_to(source);
        let before = problems.count();
        let nodes = yaml::parse(source, &mut problems);
        if nodes.is_empty() && problems.count() == before {
            problems.add(Span::START, "there is no policy document in this file");
        }
        for node in &nodes {
            documents.extend(document(node, &documents, &mut problems));
        }
    }
    problems.finish()?;
    Ok(documents)
}

fn document(node: &Node, others: &[Document], problems: &mut Problems<'_>) -> Option<Document> {
    let known = ["apiVersion", "kind", "metadata", "spec"];
    let fields = Fields::read(node, "a policy document", &known, &[], problems)?;
    exactly(
        fields.require("apiVersion", problems),
        "apiVersion",
        API_VERSION,
        problems,
    );
    exactly(fields.require("kind", problems), "kind", KIND, problems);
    let name = fields
        .require("metadata", problems)
        .and_then(|node| metadata(node, problems));
    if let Some((name, span)) = name
        && others.iter().any(|other| other.name == name)
    {
        problems.add(span, format!("there is another document named `{name}`"));
    }
    // The rest is read even if the name is wrong, so that all errors are told at once.
    let spec = fields.require("spec", problems)?;
    let document = self::spec(spec, name.map_or("", |(name, _)| name), problems)?;
    Some(Document {
        name: name?.0.to_owned(),
        digest: node.digest(),
        ..document
    })
}

fn exactly(node: Option<&Node>, what: &str, expected: &str, problems: &mut Problems<'_>) {
    if let Some(node) = node
        && let Some(found) = text(node, what, problems)
        && found != expected
    {
        problems.add(node.span, format!("`{what}` is `{expected}`, not `{found}`"));
    }
}

fn metadata<'n>(node: &'n Node, problems: &mut Problems<'_>) -> Option<(&'n str, Span)> {
    let fields = Fields::read(node, "`metadata`", &["name"], &[], problems)?;
    let node = fields.require("name", problems)?;
    let name = text(node, "the name of a document", problems)?;
    if !is_dns_label(name) {
        let rule = "at most 63 lower-case letters, digits and `-`, not at an end";
        problems.add(node.span, format!("`{name}` is no DNS label: {rule}"));
        return None;
    }
    if name == RESERVED {
        problems.add(
            node.span,
            format!("the name `{RESERVED}` is reserved for rules that are in no document"),
        );
        return None;
    }
    Some((name, node.span))
}

/// All of a document but its name and digest.
fn spec(node: &Node, document: &str, problems: &mut Problems<'_>) -> Option<Document> {
    let known = ["subjects", "scopes", "approval", "rules"];
    let later = ["profile", "limits", "budgets", "mode"];
    let fields = Fields::read(node, "`spec`", &known, &later, problems)?;
    let subjects = fields
        .require("subjects", problems)
        .and_then(|node| each(node, "`subjects`", problems, subject));
    let scopes = fields.get("scopes").map(|node| each(node, "`scopes`", problems, scope));
    let defaults = match fields.get("approval") {
        Some(node) => Defaults::read(node, problems),
        None => Some(Defaults::default()),
    };
    let rules = fields.require("rules", problems)?;
    // A default that is wrong is noted; holds are not blamed for it as well.
    let rules = rule::read(rules, document, defaults.as_ref(), problems)?;
    if scopes.is_none() && rules.iter().any(needs_scope) {
        let message = "`spec` has no `scopes`: its rules permit something, but only inside its scopes";
        problems.add(Span { width: 1, ..node.span }, message);
    }
    Some(Document {
        name: String::new(),
        digest: node.digest(),
        subjects: subjects?,
        scopes: scopes.unwrap_or(Some(Vec::new()))?,
        limits: Limits::default(),
        approval: defaults?.terms(document).map(Arc::new),
        rules,
        budgets: Vec::new(),
        shadow: false,
    })
}

/// Whether a rule permits anything but learning what the API offers.
fn needs_scope(rule: &super::set::CompiledRule) -> bool {
    let permits = matches!(rule.action, Action::Allow { .. } | Action::Hold(_));
    permits
        && !rule
            .matches
            .permitted_effects()
            .is_subset(Effects::only(Effect::Discovery))
}

fn subject(node: &Node, problems: &mut Problems<'_>) -> Option<SubjectMatch> {
    let fields = Fields::read(node, "a subject", &["user", "group"], &[], problems)?;
    match (fields.get("user"), fields.get("group")) {
        (Some(user), None) => Some(SubjectMatch {
            user: Some(Glob::new(text(user, "`user`", problems)?)),
            ..SubjectMatch::default()
        }),
        (None, Some(group)) => Some(SubjectMatch {
            group: Some(Glob::new(text(group, "`group`", problems)?)),
            ..SubjectMatch::default()
        }),
        _ => {
            problems.add(node.span, "a subject is either `{ user: … }` or `{ group: … }`");
            None
        }
    }
}

fn scope(node: &Node, problems: &mut Problems<'_>) -> Option<Scope> {
    let known = ["namespaces", "clusterScoped", "effects", "resources"];
    let fields = Fields::read(node, "a scope", &known, &[], problems)?;
    let namespaces = fields.get("namespaces");
    let cluster_scoped = match fields.get("clusterScoped") {
        Some(node) => fields::boolean(node, "`clusterScoped`", problems)?,
        None => false,
    };
    if namespaces.is_none() && !cluster_scoped {
        problems.add(
            Span { width: 1, ..node.span },
            "a scope has `namespaces`, `clusterScoped: true` or both, else nothing is inside",
        );
    }
    let namespaces = namespaces.map(|node| each(node, "`namespaces`", problems, values::namespace));
    let effects = fields
        .get("effects")
        .map(|node| each(node, "`effects`", problems, values::effect));
    let resources = fields
        .get("resources")
        .map(|node| each(node, "`resources`", problems, values::resource));
    Some(Scope {
        namespaces: namespaces.unwrap_or(Some(Vec::new()))?,
        cluster_scoped,
        effects: rule::given(effects)?.map(Effects::from_iter),
        // Only resources are inside anyway.
        resources: rule::given(resources)?.filter(|specs| !specs.contains(&ResourceSpec::Everything)),
    })
}

#[cfg(test)]
mod tests;
