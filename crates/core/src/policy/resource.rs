//! Which resource a rule or scope means: `pods`, `pods/exec`, `deployments.apps`, `*.example.com`, `*/scale`, `*`.
//!
//! The version never counts, and resources that are served under several groups are one.

use std::fmt;

use smol_str::SmolStr;

use super::glob::Glob;

/// Resources that the API server serves under several groups from the same storage.
pub(super) const ALIASES: [(&str, &[&str]); 6] = [
    ("events", &["", "events.k8s.io"]),
    ("deployments", &["apps", "extensions"]),
    ("daemonsets", &["apps", "extensions"]),
    ("replicasets", &["apps", "extensions"]),
    ("ingresses", &["networking.k8s.io", "extensions"]),
    ("networkpolicies", &["networking.k8s.io", "extensions"]),
];

/// The resource that a request is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resource<'r> {
    pub(super) group: &'r str,
    pub(super) resource: &'r str,
    /// Empty for the main resource.
    pub(super) subresource: &'r str,
}

impl Resource<'_> {
    /// Whether the pattern matches the group or one that serves the same resource.
    #[inline]
    fn is_in_group(&self, group: &Group) -> bool {
        let same = || {
            let mut aliases = ALIASES.iter();
            aliases.find(|(resource, groups)| *resource == self.resource && groups.contains(&self.group))
        };
        group.matches(self.group) || same().is_some_and(|(_, groups)| groups.iter().any(|alias| group.matches(alias)))
    }
}

/// What a rule or a scope lists under `resources`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ResourceSpec {
    /// `*`: every resource with its subresources.
    Everything,
    /// Some of them.
    Some {
        /// Group.
        group: Group,
        /// Plural name; none for every resource of the group.
        resource: Option<SmolStr>,
        /// What is said of subresources.
        subresource: Subresource,
    },
}

/// The part after the first dot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Group {
    /// `*/scale`: every group, core included.
    Any,
    /// `pods`: the core group.
    Core,
    /// `deployments.apps`: a group other than core, which may have stars.
    Named(Glob),
}

impl Group {
    #[inline]
    pub(super) fn matches(&self, group: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Core => group.is_empty(),
            Self::Named(glob) => !group.is_empty() && glob.matches(group),
        }
    }
}

/// The part after the slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subresource {
    /// `pods`: the main resource; where a rule restricts, its subresources too.
    Unsaid,
    /// `pods/*`: every subresource.
    All,
    /// `pods/exec`: one.
    Named(SmolStr),
}

impl fmt::Display for ResourceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Some {
            group,
            resource,
            subresource,
        } = self
        else {
            return f.write_str("*");
        };
        f.write_str(resource.as_deref().unwrap_or("*"))?;
        if let Group::Named(group) = group {
            write!(f, ".{}", group.as_str())?;
        }
        match subresource {
            Subresource::Unsaid => Ok(()),
            Subresource::All => f.write_str("/*"),
            Subresource::Named(name) => write!(f, "/{name}"),
        }
    }
}

impl ResourceSpec {
    /// Where something is permitted.
    pub(super) fn matches_narrow(&self, asked: &Resource<'_>) -> bool {
        self.matches(asked, asked.subresource.is_empty())
    }

    /// Where something is restricted.
    pub(super) fn matches_wide(&self, asked: &Resource<'_>) -> bool {
        self.matches(asked, true)
    }

    #[inline]
    fn matches(&self, asked: &Resource<'_>, if_unsaid: bool) -> bool {
        let Self::Some {
            group,
            resource,
            subresource,
        } = self
        else {
            return true;
        };
        resource.as_deref().is_none_or(|resource| resource == asked.resource)
            && asked.is_in_group(group)
            && match subresource {
                Subresource::Unsaid => if_unsaid,
                Subresource::All => !asked.subresource.is_empty(),
                Subresource::Named(name) => name == asked.subresource,
            }
    }
}
