//! Whether two rules could be about the same request: never "no" where one exists.

use super::glob::Glob;
use super::matching::{Match, Verbs};
use super::resource::{ALIASES, Group, ResourceSpec, Subresource};
use super::set::{Document, SubjectMatch};
use crate::request::Verb;

/// The verbs that one changing request can have together, and whether it always has a name.
const CHANGES: [(&[Verb], bool); 6] = [
    (&[Verb::Create], false),
    // An eviction is both, and names its pod.
    (&[Verb::Create, Verb::Delete], true),
    (&[Verb::Update, Verb::Create], true),
    (&[Verb::Patch, Verb::Create], true),
    (&[Verb::Delete], true),
    (&[Verb::DeleteCollection], false),
];

/// Whether somebody could be a subject of both documents.
pub(super) fn subjects_overlap(a: &Document, b: &Document) -> bool {
    let both = |a: &SubjectMatch, b: &SubjectMatch| {
        // Anybody can be in two groups, but has one name.
        globs_overlap(a.user.as_ref(), b.user.as_ref())
            && globs_overlap(a.on_behalf_of.as_ref(), b.on_behalf_of.as_ref())
    };
    a.subjects.iter().any(|a| b.subjects.iter().any(|b| both(a, b)))
}

/// Whether one change could be restricted by both.
pub(super) fn changes_overlap(a: &Match, b: &Match) -> bool {
    let both_about = |verbs: Verbs| {
        let listed = |listed: Option<Verbs>| listed.is_none_or(|listed| listed.intersects(verbs));
        listed(a.verbs) && listed(b.verbs)
    };
    let changes = || {
        CHANGES
            .iter()
            .filter(|(verbs, _)| both_about(verbs.iter().copied().collect()))
    };
    let named_apart = !lists_overlap(a.names.as_deref(), b.names.as_deref(), |a, b| a.overlaps(b));
    // What has no name yet may get any.
    changes().any(|(_, named)| !(*named && named_apart))
        && lists_overlap(a.resources.as_deref(), b.resources.as_deref(), specs_overlap)
        && (lists_overlap(a.namespaces.as_deref(), b.namespaces.as_deref(), |a, b| a.overlaps(b))
            || (may_be_namespaces(a) && may_be_namespaces(b)))
}

/// Whether something could be in both lists; what is left out lists everything.
pub(super) fn lists_overlap<T>(a: Option<&[T]>, b: Option<&[T]>, both: impl Fn(&T, &T) -> bool) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.iter().any(|a| b.iter().any(|b| both(a, b))),
        _ => true,
    }
}

fn globs_overlap(a: Option<&Glob>, b: Option<&Glob>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.overlaps(b),
        _ => true,
    }
}

/// A Namespace object that is created is in every namespace, as far as a restriction goes.
fn may_be_namespaces(rule: &Match) -> bool {
    rule.resources.as_deref().is_none_or(|specs| {
        specs.iter().any(|spec| match spec {
            ResourceSpec::Everything => true,
            ResourceSpec::Some { group, resource, .. } => {
                matches!(group, Group::Any | Group::Core) && resource.as_deref().is_none_or(|name| name == "namespaces")
            }
        })
    })
}

/// Whether one resource is matched wide by both.
pub(super) fn specs_overlap(a: &ResourceSpec, b: &ResourceSpec) -> bool {
    let (
        ResourceSpec::Some {
            group: group_a,
            resource: resource_a,
            subresource: sub_a,
        },
        ResourceSpec::Some {
            group: group_b,
            resource: resource_b,
            subresource: sub_b,
        },
    ) = (a, b)
    else {
        return true;
    };
    let resource = resource_a.as_deref().or(resource_b.as_deref());
    let same_resource = match (resource_a, resource_b) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    };
    let served_by_both = || {
        ALIASES
            .iter()
            .filter(|(name, _)| resource.is_none_or(|resource| resource == *name))
            .any(|(_, groups)| {
                let serves = |group: &Group| groups.iter().any(|name| group.matches(name));
                serves(group_a) && serves(group_b)
            })
    };
    let same_subresource = match (sub_a, sub_b) {
        (Subresource::Named(a), Subresource::Named(b)) => a == b,
        _ => true,
    };
    same_resource && same_subresource && (groups_overlap(group_a, group_b) || served_by_both())
}

fn groups_overlap(a: &Group, b: &Group) -> bool {
    match (a, b) {
        (Group::Any, _) | (_, Group::Any) | (Group::Core, Group::Core) => true,
        (Group::Named(a), Group::Named(b)) => a.overlaps(b),
        (Group::Core, Group::Named(_)) | (Group::Named(_), Group::Core) => false,
    }
}
