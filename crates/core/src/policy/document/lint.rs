//! What is no error, but can't be what was meant.
//!
//! A warning is certain: a rule that is said never to fire never fires, whatever is asked. What might be meant is not
//! warned of.

use super::Loaded;
use super::error::{Problems, Site, nearest};
use super::yaml::{Node, Span};
use crate::digest::{Digest, FieldHasher};
use crate::policy::cover::{covers, is_never_about, narrow_in_scope};
use crate::policy::glob::Glob;
use crate::policy::overlap::subjects_overlap;
use crate::policy::resource::{ALIASES, Group, ResourceSpec};
use crate::policy::set::{Action, CompiledRule, Document};
use crate::request::{BUILT_IN, ResourceCatalog};

/// Groups of Kubernetes that any resource may be in, as far as the guard knows.
const OPEN_GROUPS: &str = "metrics.k8s.io";
/// More rules of one document than this are not compared with each other.
const MAX_COMPARED: usize = 512;

pub(super) fn check(loaded: &[Loaded], catalog: Option<&dyn ResourceCatalog>, problems: &mut Problems<'_>) {
    for document in loaded {
        resources(document, catalog, problems);
        let rules = Rules::of(document);
        for (index, (rule, node)) in rules.list.iter().enumerate() {
            let mut warn = |span: Span, message: String| problems.warn_at(document.site(span), message, None);
            if let Some(why) = never(rule, &document.document) {
                let place = node.get("match").unwrap_or(node);
                warn(
                    Span { width: 1, ..place.span },
                    format!("this rule can never {}: {why}", verb(rule)),
                );
            } else if let Some(earlier) = rules.same_as(index) {
                warn(name_of(node), format!("this rule says the same as {}", earlier.name));
            } else if let Some(deny) = rules.denied_by(rule) {
                warn(
                    name_of(node),
                    format!("this rule can never permit anything: {} denies all of it", deny.name),
                );
            }
        }
        budgets(document, loaded, problems);
    }
}

impl Loaded {
    fn site(&self, span: Span) -> Site {
        Site { file: self.file, span }
    }

    fn field(&self, name: &str) -> Option<&Node> {
        self.node.get("spec")?.get(name)
    }
}

/// What a rule does when it fires.
fn verb(rule: &CompiledRule) -> &'static str {
    match rule.action {
        Action::Allow { .. } => "permit anything",
        _ => "fire",
    }
}

fn name_of(node: &Node) -> Span {
    node.get("name").map_or(node.span, |name| name.span)
}

/// The document's own rules with their nodes.
struct Rules<'l> {
    list: Vec<(&'l CompiledRule, &'l Node)>,
    /// Of what each says, whatever its name.
    digests: Vec<Digest>,
}

impl<'l> Rules<'l> {
    fn of(loaded: &'l Loaded) -> Self {
        let nodes = loaded.field("rules").into_iter().flat_map(|rules| rules.elements());
        let list: Vec<_> = loaded.document.rules.iter().zip(nodes).collect();
        let digests = list.iter().map(|(_, node)| digest(node)).collect();
        Self { list, digests }
    }

    /// An earlier rule that says the same.
    fn same_as(&self, index: usize) -> Option<&'l CompiledRule> {
        let digest = self.digests.get(index)?;
        let earlier = self.digests.iter().take(index.min(MAX_COMPARED));
        let same = earlier.zip(&self.list).find(|(earlier, _)| *earlier == digest);
        same.map(|(_, (rule, _))| *rule)
    }

    /// A rule that denies whatever this one allows.
    fn denied_by(&self, rule: &CompiledRule) -> Option<&'l CompiledRule> {
        let Action::Allow { .. } = rule.action else { return None };
        let mut others = self.list.iter().take(MAX_COMPARED).map(|(other, _)| *other);
        others.find(|deny| {
            let unconditional = deny.when.is_none() && deny.matches.labels.is_none() && deny.shadow == rule.shadow;
            matches!(deny.action, Action::Deny { .. }) && unconditional && covers(&deny.matches, &rule.matches)
        })
    }
}

fn digest(node: &Node) -> Digest {
    let mut hasher = FieldHasher::new("countersign rule v1");
    for field in [
        "match",
        "when",
        "mode",
        "allow",
        "deny",
        "hold",
        "rewrite",
        "mask",
        "insecure_opaque_stream",
    ] {
        hasher.optional(field, node.get(field).map(|node| *node.digest().as_bytes()));
    }
    hasher.finish()
}

/// Why a rule can never fire, or an allow never permit.
fn never(rule: &CompiledRule, document: &Document) -> Option<String> {
    let allow = matches!(rule.action, Action::Allow { .. });
    if let Some(why) = is_never_about(&rule.matches, &rule.action) {
        return Some(why);
    }
    let discovery = rule.matches.may_be_discovery();
    let outside = allow
        && !discovery
        && !document
            .scopes
            .iter()
            .any(|scope| narrow_in_scope(&rule.matches, scope));
    outside.then(|| format!("what it matches is outside of every scope of {}", document.name))
}

/// Names of resources that Kubernetes, or the catalog, does not have.
fn resources(loaded: &Loaded, catalog: Option<&dyn ResourceCatalog>, problems: &mut Problems<'_>) {
    let rules = loaded.field("rules").into_iter().flat_map(|rules| rules.elements());
    let matches = rules.filter_map(|rule| rule.get("match"));
    let scopes = loaded.field("scopes").into_iter().flat_map(|scopes| scopes.elements());
    let listed: Vec<&Node> = matches.chain(scopes).filter_map(|node| node.get("resources")).collect();
    for node in listed.into_iter().flat_map(|list| list.elements()) {
        let mut ignored = Problems::default();
        let Some(spec) = super::values::resource(node, &mut ignored) else {
            continue;
        };
        if let Some((message, suggestion)) = unknown(&spec, catalog) {
            problems.warn_at(loaded.site(node.span), message, suggestion);
        }
    }
}

fn unknown(spec: &ResourceSpec, catalog: Option<&dyn ResourceCatalog>) -> Option<(String, Option<String>)> {
    // What is of the core group was looked up already.
    let ResourceSpec::Some {
        group: Group::Named(group),
        resource: Some(resource),
        ..
    } = spec
    else {
        return None;
    };
    let group = Some(Glob::as_str(group)).filter(|_| group.is_exact())?;
    let known = |group: &str, resource: &str| {
        BUILT_IN.iter().any(|entry| (entry.0, entry.1) == (group, resource))
            || ALIASES
                .iter()
                .any(|(name, groups)| *name == resource && groups.contains(&group))
    };
    if known(group, resource) || group.ends_with(OPEN_GROUPS) {
        return None;
    }
    if catalog.is_some_and(|catalog| catalog.lookup(group, resource).is_some()) {
        return None;
    }
    let name = format!("{resource}.{group}");
    let of_group: Vec<String> = BUILT_IN
        .iter()
        .filter(|entry| entry.0 == group)
        .map(|entry| format!("{}.{group}", entry.1))
        .collect();
    if !of_group.is_empty() {
        return Some((
            format!("Kubernetes has no `{resource}` in its group `{group}`"),
            nearest(&name, of_group),
        ));
    }
    if catalog.is_some() {
        return Some((format!("the cluster has no `{name}`"), close(&name)));
    }
    // Custom resources are in groups with a dot; a name beside a known one may still be one of them.
    if !group.contains('.') {
        return Some((format!("Kubernetes has no group `{group}`"), close(&name)));
    }
    close(&name).map(|known| (format!("nothing of Kubernetes is called `{name}`"), Some(known)))
}

/// A resource of Kubernetes whose name differs by a slip.
fn close(name: &str) -> Option<String> {
    // Lists of custom resources are long, and few names of them come into question.
    let is_as_long = |group: &str, resource: &str| (resource.len() + 1 + group.len()).abs_diff(name.len()) <= 2;
    let names = BUILT_IN
        .iter()
        .filter(|entry| !entry.0.is_empty() && is_as_long(entry.0, entry.1));
    let mut names = names.map(|entry| format!("{}.{}", entry.1, entry.0));
    names.find(|known| strsim::damerau_levenshtein(known, name) <= 2)
}

/// Budgets of what nothing permits.
fn budgets(loaded: &Loaded, all: &[Loaded], problems: &mut Problems<'_>) {
    let nodes = loaded
        .field("budgets")
        .into_iter()
        .flat_map(|budgets| budgets.elements());
    for (budget, node) in loaded.document.budgets.iter().zip(nodes) {
        let permits = |rule: &CompiledRule| {
            matches!(rule.action, Action::Allow { .. } | Action::Hold(_))
                && rule.matches.permitted_effects().intersects(budget.effects)
        };
        // A budget counts what any document about the same subject permits.
        let shared = all
            .iter()
            .filter(|other| subjects_overlap(&loaded.document, &other.document));
        if !shared.flat_map(|other| &other.document.rules).any(permits) {
            let message = format!("nothing draws on this budget: no rule permits {}", budget.effects);
            problems.warn_at(loaded.site(name_of(node)), message, None);
        }
    }
}
