//! Which conditions of a rule or scope say no, in the order in which they are written.

use std::fmt;

use serde::Serialize;

use super::{ExplainedScope, place};
use crate::escape::escape_clip;
use crate::policy::glob::Glob;
use crate::policy::matching::{
    Asked, Match, Scope, Verbs, names_permit, names_restrict, namespaces_permit, namespaces_restrict, resources_permit,
    resources_restrict, verbs_permit, verbs_restrict,
};
use crate::policy::resource::ResourceSpec;
use crate::policy::set::{CompiledRule, Document};
use crate::request::Effects;

/// Patterns that are listed before the rest is counted.
const LISTED: usize = 8;

/// One condition that says no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Miss {
    /// Which condition.
    pub condition: Condition,
    /// Why it says no.
    pub why: String,
    /// Effects of the request that would have to be listed.
    #[serde(skip_serializing_if = "no_effect")]
    pub missing: Effects,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
fn no_effect(effects: &Effects) -> bool {
    effects.is_empty()
}

/// What has to fit for a rule to fire, or for a scope to have a request inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Condition {
    /// `effects`
    Effects,
    /// `verbs`
    Verbs,
    /// `resources`
    Resources,
    /// `namespaces`, and `clusterScoped` of a scope.
    Namespaces,
    /// `names`
    Names,
    /// `labels`
    Labels,
    /// `when`
    When,
    /// One of the document's scopes.
    Scope,
    /// `insecure_opaque_stream`
    Stream,
    /// A profile speaks only where the document's own rules do not.
    OwnRules,
    /// Something that is not known yet.
    Fact,
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Effects => "effects",
            Self::Verbs => "verbs",
            Self::Resources => "resources",
            Self::Namespaces => "namespaces",
            Self::Names => "names",
            Self::Labels => "labels",
            Self::When => "when",
            Self::Scope => "scope",
            Self::Stream => "stream",
            Self::OwnRules => "profile",
            Self::Fact => "not known",
        })
    }
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.condition, self.why)
    }
}

fn miss(condition: Condition, why: impl Into<String>) -> Miss {
    Miss {
        condition,
        why: why.into(),
        missing: Effects::NONE,
    }
}

/// What keeps a rule from permitting: everything about the request has to be listed.
pub(super) fn narrow(rule: &Match, asked: &Asked<'_>) -> Vec<Miss> {
    let permitted = rule.permitted_effects();
    let missing: Effects = asked
        .effects
        .iter()
        .filter(|effect| !permitted.contains(*effect))
        .collect();
    let mut misses = Vec::new();
    if asked.effects.is_empty() {
        misses.push(miss(Condition::Effects, "nobody knows what it does"));
    } else if !missing.is_empty() {
        misses.push(not_listed(missing, rule.effects));
    }
    if let Some(verbs) = rule.verbs.filter(|verbs| !verbs_permit(*verbs, asked)) {
        misses.push(other_verbs(verbs, asked, "not all of it is listed"));
    }
    if let Some(specs) = &rule.resources
        && !resources_permit(Some(specs), asked)
    {
        misses.push(other_resources(specs, asked));
    } else if rule.keeps_reviews(asked) {
        let why = "a review of what others may do is permitted only where it is listed by its own name";
        misses.push(miss(Condition::Resources, why));
    }
    if let Some(globs) = &rule.namespaces
        && !namespaces_permit(globs, asked.place)
    {
        misses.push(other_place(globs, asked));
    }
    if let Some(globs) = &rule.names
        && !names_permit(globs, asked)
    {
        misses.push(other_name(globs, asked));
    }
    misses
}

/// What keeps a rule from restricting: something about the request has to be listed, or can't be told.
pub(super) fn wide(rule: &Match, asked: &Asked<'_>) -> Vec<Miss> {
    let mut misses = Vec::new();
    if let Some(effects) = rule.effects.filter(|effects| !asked.effects.intersects(*effects)) {
        let why = format!("it does none of {effects}, but {}", asked.effects);
        misses.push(miss(Condition::Effects, why));
    }
    if let Some(verbs) = rule.verbs.filter(|verbs| !verbs_restrict(*verbs, asked)) {
        misses.push(other_verbs(verbs, asked, "none of it is listed"));
    }
    if let Some(specs) = &rule.resources
        && !resources_restrict(specs, asked)
    {
        misses.push(other_resources(specs, asked));
    }
    if let Some(globs) = &rule.namespaces
        && !namespaces_restrict(globs, asked.place)
    {
        misses.push(other_place(globs, asked));
    }
    if let Some(globs) = &rule.names
        && !names_restrict(globs, asked)
    {
        misses.push(other_name(globs, asked));
    }
    misses
}

/// One scope, and what keeps a request out of it.
pub(super) fn scope(scope: &Scope, asked: &Asked<'_>) -> ExplainedScope {
    let mut misses = Vec::new();
    if !scope.reaches(asked.place) {
        misses.push(miss(Condition::Namespaces, format!("it is {}", place(asked.place))));
    }
    if let Some(listed) = scope.effects.filter(|_| !scope.lists(asked.effects)) {
        let missing = asked
            .effects
            .iter()
            .filter(|effect| !listed.contains(*effect))
            .collect();
        misses.push(not_listed(missing, Some(listed)));
    }
    if let Some(specs) = &scope.resources
        && !resources_permit(Some(specs), asked)
    {
        misses.push(other_resources(specs, asked));
    }
    ExplainedScope {
        scope: scope_text(scope),
        misses,
    }
}

fn scope_text(scope: &Scope) -> String {
    let mut parts = Vec::new();
    if !scope.namespaces.is_empty() {
        parts.push(format!(
            "namespaces {}",
            list(scope.namespaces.iter().map(Glob::as_str))
        ));
    }
    if scope.cluster_scoped {
        parts.push("what is outside of namespaces".to_owned());
    }
    let mut text = parts.join(" and ");
    if let Some(effects) = scope.effects {
        text.push_str(&format!(", for {effects}"));
    }
    if let Some(specs) = &scope.resources {
        text.push_str(&format!(", only {}", list(specs.iter().map(ToString::to_string))));
    }
    text
}

/// What the document's own rules said is enough.
pub(super) fn spoken() -> Miss {
    miss(
        Condition::OwnRules,
        "not asked: a rule before it permits or denies the request already",
    )
}

pub(super) fn out_of_scope(document: &Document) -> Miss {
    let why = if document.scopes.is_empty() {
        "its document has none"
    } else {
        "the request is outside of all scopes of its document"
    };
    miss(Condition::Scope, why)
}

pub(super) fn stream() -> Miss {
    let why = "it opens a stream, and the rule does not say `insecure_opaque_stream: true`";
    miss(Condition::Stream, why)
}

/// The condition that is looked at last said no.
pub(super) fn late(rule: &CompiledRule) -> Miss {
    match &rule.matches.labels {
        Some(listed) => miss(
            Condition::Labels,
            format!("the object does not have {}", labels(listed)),
        ),
        None => miss(Condition::When, "it is false"),
    }
}

/// The condition that is looked at last does not permit, though it would restrict.
pub(super) fn late_narrow(rule: &CompiledRule) -> Miss {
    let listed = rule.matches.labels.as_deref().unwrap_or_default();
    let why = format!(
        "the object has to have {} before and after the request, as far as anybody can tell",
        labels(listed)
    );
    miss(Condition::Labels, why)
}

pub(super) fn need(what: &str) -> Miss {
    miss(Condition::Fact, format!("{what} has to be read first"))
}

fn not_listed(missing: Effects, listed: Option<Effects>) -> Miss {
    let listed = match listed {
        Some(listed) => format!("(listed: {listed})"),
        None => "(only a rule that lists it permits it)".to_owned(),
    };
    Miss {
        missing,
        ..miss(
            Condition::Effects,
            format!("it does {missing}, which is not listed {listed}"),
        )
    }
}

fn other_verbs(listed: Verbs, asked: &Asked<'_>, how: &str) -> Miss {
    let names = |verbs: Verbs| verbs.iter().map(|verb| verb.as_str()).collect::<Vec<_>>().join(", ");
    let asked = match names(asked.verbs) {
        verbs if verbs.contains(',') => format!("it counts as {verbs}"),
        verb => format!("it is {verb}"),
    };
    miss(Condition::Verbs, format!("{asked}; {how} ({})", names(listed)))
}

fn other_resources(specs: &[ResourceSpec], asked: &Asked<'_>) -> Miss {
    let what = match &asked.resource {
        None => "it is about no resource".to_owned(),
        Some(resource) => {
            let mut text = format!("it is about {}", escape_clip(resource.resource, 64));
            for (separator, part) in [('.', resource.group), ('/', resource.subresource)] {
                if !part.is_empty() {
                    text.push(separator);
                    text.push_str(&escape_clip(part, 64));
                }
            }
            text
        }
    };
    let listed = list(specs.iter().map(ToString::to_string));
    miss(Condition::Resources, format!("{what}, not {listed}"))
}

fn other_place(globs: &[Glob], asked: &Asked<'_>) -> Miss {
    let listed = list(globs.iter().map(Glob::as_str));
    miss(
        Condition::Namespaces,
        format!("it is {}, not in {listed}", place(asked.place)),
    )
}

fn other_name(globs: &[Glob], asked: &Asked<'_>) -> Miss {
    let listed = list(globs.iter().map(Glob::as_str));
    let why = match asked.name {
        Some(name) => format!("it is named {}, not {listed}", escape_clip(name, 128)),
        None => format!("it has no name, so none of {listed}"),
    };
    miss(Condition::Names, why)
}

fn labels(listed: &[(String, Glob)]) -> String {
    list(listed.iter().map(|(name, glob)| format!("{name}: {}", glob.as_str())))
}

/// `a, b, c and 3 more`
fn list(texts: impl ExactSizeIterator<Item = impl AsRef<str>>) -> String {
    let more = texts.len().saturating_sub(LISTED);
    let listed: Vec<String> = texts.take(LISTED).map(|text| escape_clip(text.as_ref(), 128)).collect();
    let mut text = listed.join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}
