//! From YAML text to compiled documents, or to everything that is wrong with it.

mod admission;
mod budgets;
mod conflicts;
pub(in crate::policy) mod error;
mod fieldcheck;
pub(in crate::policy) mod fields;
mod inside;
pub(in crate::policy) mod limits;
mod lint;
mod masking;
mod profile;
mod rewrite;
pub(in crate::policy) mod rule;
mod subjects;
pub(in crate::policy) mod values;
pub(in crate::policy) mod yaml;

pub(super) use error::nearest;
pub use error::{LoadError, LoadErrors, LoadWarning};

use error::Problems;
use fields::{Fields, each, text};
use profile::PROFILES;
use rule::Defaults;
use values::{Mode, is_dns_label};
use yaml::{Node, Span};

use std::sync::Arc;

use super::admission::Guardrail;
use super::matching::Scope;
use super::resource::ResourceSpec;
use super::set::{Action, CompiledRule, Document};
use crate::digest::FieldHasher;
use crate::request::{Effect, Effects, ResourceCatalog};

pub(in crate::policy) const API_VERSION: &str = "countersign.dev/v1alpha1";
const KIND: &str = "Policy";

/// Names that the engine itself puts before a slash.
const RESERVED: &str = "countersign";

/// A document and what it was read from.
struct Loaded {
    file: usize,
    node: Node,
    document: Document,
}

/// What was loaded, and what is odd about it.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) documents: Vec<Document>,
    pub(super) guardrails: Vec<Guardrail>,
    pub(super) warnings: Vec<LoadWarning>,
}

/// Documents and guardrails of files, for tests of what is done with them.
#[cfg(test)]
pub(super) fn load<'s>(
    sources: impl Iterator<Item = (&'s str, &'s str)>,
) -> Result<(Vec<Document>, Vec<Guardrail>), LoadErrors> {
    load_all(sources, None).map(|contents| (contents.documents, contents.guardrails))
}

/// Loads every document of every file, or tells everything that is wrong. Names of resources are looked up in the
/// catalog, if there is one.
pub(super) fn load_all<'s>(
    sources: impl Iterator<Item = (&'s str, &'s str)>,
    catalog: Option<&dyn ResourceCatalog>,
) -> Result<Contents, LoadErrors> {
    let mut problems = Problems::default();
    let mut admission = admission::Reader::default();
    let mut loaded: Vec<Loaded> = Vec::new();
    let nothing = "there is no policy document in this file";
    yaml::parse_all(sources, nothing, &mut problems, |node, problems| {
        if let Some(kind) = admission::kind_of(&node) {
            admission.read(kind, &node, problems);
        } else if let Some(document) = document(&node, &loaded, problems) {
            let file = problems.file();
            loaded.push(Loaded { file, node, document });
        }
    });
    conflicts::check(&loaded, &mut problems);
    fieldcheck::check(&loaded, &mut problems);
    let guardrails = admission.finish(&mut problems);
    // What is odd is not told beside what is wrong.
    if problems.count() == 0 {
        lint::check(&loaded, catalog, &mut problems);
    }
    let warnings = problems.finish()?;
    Ok(Contents {
        documents: loaded.into_iter().map(|loaded| loaded.document).collect(),
        guardrails,
        warnings,
    })
}

fn document(node: &Node, others: &[Loaded], problems: &mut Problems<'_>) -> Option<Document> {
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
        && others.iter().any(|other| &*other.document.name == name)
    {
        problems.add(span, format!("there is another document named `{name}`"));
    }
    // The rest is read even if the name is wrong, so that all errors are told at once.
    let spec = fields.require("spec", problems)?;
    let mut hasher = FieldHasher::new("countersign policy document v2");
    hasher.field("document", node.digest().as_bytes());
    let document = self::spec(spec, name.map_or("", |(name, _)| name), &mut hasher, problems)?;
    Some(Document {
        name: name?.0.into(),
        digest: hasher.finish(),
        ..document
    })
}

pub(in crate::policy) fn exactly(node: Option<&Node>, what: &str, expected: &str, problems: &mut Problems<'_>) {
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
    let reserved_for = if name == RESERVED {
        "rules that are in no document"
    } else if PROFILES.iter().any(|profile| profile.name == name) {
        "rules of the profile"
    } else {
        return Some((name, node.span));
    };
    problems.add(node.span, format!("the name `{name}` is reserved for {reserved_for}"));
    None
}

/// Fields of `spec`.
const SPEC: [&str; 10] = [
    "subjects",
    "profile",
    "mode",
    "scopes",
    "limits",
    "insecure_permit",
    "approval",
    "masking",
    "rules",
    "budgets",
];

/// All of a document but its name and digest; what it refers to is added to the digest.
fn spec(node: &Node, document: &str, hasher: &mut FieldHasher, problems: &mut Problems<'_>) -> Option<Document> {
    let fields = Fields::read(node, "`spec`", &SPEC, &[], problems)?;
    let subjects = fields
        .require("subjects", problems)
        .and_then(|node| each(node, "`subjects`", problems, subjects::subject));
    let scopes = fields.get("scopes").map(|node| each(node, "`scopes`", problems, scope));
    let mode = fields.get("mode").map(|node| values::mode(node, problems));
    let limits = limits::read(fields.get("limits"), fields.get("insecure_permit"), problems);
    let budgets = fields
        .get("budgets")
        .map(|node| budgets::read(node, document, problems));
    let masking = fields
        .get("masking")
        .map(|node| masking::read(node, document, problems));
    let defaults = match fields.get("approval") {
        Some(node) => Defaults::read(node, problems),
        None => Some(Defaults::default()),
    };
    let rules = match fields.get("rules") {
        // A default that is wrong is noted; holds are not blamed for it as well.
        Some(rules) => rule::read(rules, document, defaults.as_ref(), problems),
        // A profile may be all that is wanted.
        None if fields.get("profile").is_some() => Some(Vec::new()),
        None => {
            fields.require("rules", problems);
            None
        }
    };
    if let (Some(rules), Some(rules_at), Some(Some(Mode::Shadow))) = (&rules, fields.get("rules"), mode) {
        check_modes(rules, rules_at, problems);
    }
    let approval = defaults.as_ref().map(|defaults| defaults.terms(document));
    let profile = match (fields.get("profile"), &approval) {
        (Some(node), Some(approval)) => {
            let profile = profile::read(node, problems);
            profile.and_then(|profile| profile.rules(node, approval.as_ref(), problems))
        }
        (Some(node), None) => profile::read(node, problems).map(|_| (Vec::new(), node.digest())),
        (None, _) => Some((Vec::new(), node.digest())),
    };
    let (mut rules, (shipped, digest)) = (rules?, profile?);
    if fields.get("profile").is_some() {
        hasher.field("profile", digest.as_bytes());
    }
    rules.extend(shipped);
    if scopes.is_none() && rules.iter().any(needs_scope) {
        let message = "`spec` has no `scopes`: its rules permit something, but only inside its scopes";
        problems.add(Span { width: 1, ..node.span }, message);
    }
    Some(Document {
        name: Arc::default(),
        digest: node.digest(),
        subjects: subjects?,
        scopes: scopes.unwrap_or(Some(Vec::new()))?.into(),
        limits: limits?,
        approval: approval?.map(Arc::new),
        rules,
        budgets: rule::given(budgets)?.unwrap_or_default(),
        masking: rule::given(masking)?,
        shadow: rule::given(mode)? == Some(Mode::Shadow),
    })
}

/// A document that is not enforced has no rule that is.
fn check_modes(rules: &[CompiledRule], node: &Node, problems: &mut Problems<'_>) {
    for (rule, node) in rules.iter().zip(node.elements()) {
        if let Some(mode) = node.get("mode").filter(|_| !rule.shadow) {
            problems.add(
                mode.span,
                "this rule can't be enforced: `spec.mode` of the document is `shadow`",
            );
        }
    }
}

/// Whether a rule permits anything but learning what the API offers.
fn needs_scope(rule: &CompiledRule) -> bool {
    let permits = matches!(rule.action, Action::Allow { .. } | Action::Hold(_));
    permits
        && !rule
            .matches
            .permitted_effects()
            .is_subset(Effects::only(Effect::Discovery))
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
