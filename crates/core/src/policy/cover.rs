//! What is certain about matches without any request: that one is about nothing, outside of a scope, or covered by
//! another. Where that can't be told, the answer is no.

use super::glob::Glob;
use super::matching::{Match, Scope, Verbs};
use super::overlap::{lists_overlap, specs_overlap};
use super::resource::{Group, ResourceSpec, Subresource};
use super::set::Action;
use crate::request::{BUILT_IN, Effect, Effects, Verb};

/// Why a match is about no request at all.
pub(super) fn is_never_about(rule: &Match, action: &Action) -> Option<String> {
    if let (Some(_), true) = (&rule.namespaces, all_cluster_scoped(rule)) {
        return Some("none of its resources is in a namespace".to_owned());
    }
    if let (Some(verbs), Some(effects)) = (rule.verbs, rule.effects)
        // The answer to any change is masked like a read.
        && !matches!(action, Action::Mask(_))
        && !verbs.iter().any(|verb| possible_effects(verb).intersects(effects))
    {
        let verbs: Vec<&str> = verbs.iter().map(Verb::as_str).collect();
        return Some(format!("a {} is never {effects}", verbs.join(" or a ")));
    }
    let nameless: Verbs = [Verb::Create, Verb::DeleteCollection].into_iter().collect();
    if matches!(action, Action::Allow { .. })
        && rule.names.is_some()
        && rule.verbs.is_some_and(|verbs| {
            verbs
                .iter()
                .all(|verb| nameless.intersects([verb].into_iter().collect()))
        })
        && main_resources_only(rule)
    {
        return Some("what it is about has no name yet when it is asked for, so `names` never fits".to_owned());
    }
    None
}

/// Effects that a request with this verb may have.
fn possible_effects(verb: Verb) -> Effects {
    let always = [Effect::Connect, Effect::Credential, Effect::Guard];
    let more: &[Effect] = match verb {
        Verb::Get | Verb::Head => &[Effect::Discovery, Effect::Read, Effect::Log],
        Verb::List => &[Effect::Read],
        Verb::Watch => &[Effect::ReadStream],
        Verb::Create => &[Effect::Write, Effect::Destructive, Effect::Review, Effect::Escalation],
        Verb::Update | Verb::Patch | Verb::Delete | Verb::DeleteCollection => {
            &[Effect::Write, Effect::Destructive, Effect::Escalation]
        }
    };
    always.into_iter().chain(more.iter().copied()).collect()
}

fn main_resources_only(rule: &Match) -> bool {
    rule.resources.as_deref().is_some_and(|specs| {
        specs.iter().all(|spec| {
            matches!(
                spec,
                ResourceSpec::Some {
                    subresource: Subresource::Unsaid,
                    ..
                }
            )
        })
    })
}

/// Whether the match lists resources, all of which are known to be outside of namespaces. Namespaces are in themselves.
fn all_cluster_scoped(rule: &Match) -> bool {
    rule.resources
        .as_deref()
        .is_some_and(|specs| specs.iter().all(is_cluster_scoped))
}

fn is_cluster_scoped(spec: &ResourceSpec) -> bool {
    let ResourceSpec::Some {
        group,
        resource: Some(resource),
        ..
    } = spec
    else {
        return false;
    };
    let group = match group {
        Group::Core => "",
        Group::Named(glob) if glob.is_exact() => glob.as_str(),
        Group::Named(_) | Group::Any => return false,
    };
    (group, resource.as_str()) != ("", "namespaces")
        && BUILT_IN
            .iter()
            .any(|(known, name, _, namespaced)| (*known, *name) == (group, resource.as_str()) && !namespaced)
}

impl Match {
    /// Whether it could be about learning what the API offers.
    pub(super) fn may_be_discovery(&self) -> bool {
        self.permitted_effects().contains(Effect::Discovery)
            && self.resources.is_none()
            && self.namespaces.is_none()
            && self.names.is_none()
    }
}

/// Whether something that the match permits could be inside the scope.
pub(super) fn narrow_in_scope(rule: &Match, scope: &Scope) -> bool {
    let effects = scope
        .effects
        .is_none_or(|effects| effects.intersects(rule.permitted_effects()));
    let resources = lists_overlap(rule.resources.as_deref(), scope.resources.as_deref(), specs_overlap);
    let namespaced = || match &rule.namespaces {
        Some(listed) => lists_overlap(Some(listed), Some(&scope.namespaces), Glob::overlaps),
        None => !scope.namespaces.is_empty(),
    };
    let place = if all_cluster_scoped(rule) {
        scope.cluster_scoped
    } else {
        // Namespaces themselves, none of which is named, are outside of namespaces too.
        namespaced() || (scope.cluster_scoped && rule.namespaces.as_deref().is_none_or(any_everything))
    };
    effects && resources && place
}

fn any_everything(globs: &[Glob]) -> bool {
    globs.iter().any(Glob::matches_everything)
}

/// Whether everything that `narrow` permits is restricted by `wide`.
pub(super) fn covers(wide: &Match, narrow: &Match) -> bool {
    let effects = wide
        .effects
        .is_none_or(|effects| narrow.permitted_effects().is_subset(effects));
    let verbs = wide.verbs.is_none_or(|wide| {
        narrow
            .verbs
            .is_some_and(|narrow| narrow.iter().all(|verb| wide.intersects([verb].into_iter().collect())))
    });
    effects
        && verbs
        && list_covers(wide.resources.as_deref(), narrow.resources.as_deref(), spec_covers)
        && list_covers(wide.namespaces.as_deref(), narrow.namespaces.as_deref(), glob_covers)
        && list_covers(wide.names.as_deref(), narrow.names.as_deref(), glob_covers)
}

/// Whether every entry of the one list is covered by one of the other; what is left out lists everything.
fn list_covers<T>(wide: Option<&[T]>, narrow: Option<&[T]>, covers: impl Fn(&T, &T) -> bool) -> bool {
    match (wide, narrow) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(wide), Some(narrow)) => narrow.iter().all(|narrow| wide.iter().any(|wide| covers(wide, narrow))),
    }
}

fn glob_covers(wide: &Glob, narrow: &Glob) -> bool {
    wide == narrow || wide.matches_everything() || (narrow.is_exact() && wide.matches(narrow.as_str()))
}

fn spec_covers(wide: &ResourceSpec, narrow: &ResourceSpec) -> bool {
    if wide == narrow || *wide == ResourceSpec::Everything {
        return true;
    }
    let (
        ResourceSpec::Some {
            group: wide_group,
            resource: wide_resource,
            subresource: Subresource::Unsaid,
        },
        ResourceSpec::Some { group, resource, .. },
    ) = (wide, narrow)
    else {
        return false;
    };
    // A bare name restricts all subresources too.
    (wide_group == group || *wide_group == Group::Any) && (wide_resource.is_none() || wide_resource == resource)
}
