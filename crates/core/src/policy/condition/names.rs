//! The names that a condition may use, and which of them one reads.

use std::fmt;

/// A name that stands for something about the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(in crate::policy) enum Root {
    /// The object as it will be; null for a deletion.
    Object,
    /// The object as it is; null for a create.
    OldObject,
    /// The request, as ValidatingAdmissionPolicy describes one.
    Request,
    /// The namespace of the object; null outside of namespaces.
    NamespaceObject,
    /// The parameter object of a ValidatingAdmissionPolicyBinding.
    Params,
    /// Who asks.
    Subject,
    /// What the request does, as a list of names.
    Effects,
    /// What an exec or attach does.
    Exec,
    /// The time of the decision.
    Now,
}

const ROOTS: [(Root, &str); 9] = [
    (Root::Object, "object"),
    (Root::OldObject, "oldObject"),
    (Root::Request, "request"),
    (Root::NamespaceObject, "namespaceObject"),
    (Root::Params, "params"),
    (Root::Subject, "subject"),
    (Root::Effects, "effects"),
    (Root::Exec, "exec"),
    (Root::Now, "now"),
];

impl Root {
    pub(super) fn named(name: &str) -> Option<Self> {
        ROOTS.iter().find(|(_, known)| *known == name).map(|(root, _)| *root)
    }

    pub(super) fn as_str(self) -> &'static str {
        ROOTS.get(self as usize).map_or("", |(_, name)| name)
    }
}

/// A set of names.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::policy) struct Reads(u16);

impl Reads {
    /// None of them.
    pub(in crate::policy) const NONE: Self = Self(0);

    /// This set and one name more.
    #[must_use]
    pub(in crate::policy) const fn with(self, root: Root) -> Self {
        Self(self.0 | 1 << root as u8)
    }

    /// This set and another.
    #[must_use]
    pub(in crate::policy) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the name is in the set.
    #[must_use]
    pub(in crate::policy) const fn contains(self, root: Root) -> bool {
        self.0 & 1 << root as u8 != 0
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Root> {
        ROOTS
            .into_iter()
            .map(|(root, _)| root)
            .filter(move |root| self.contains(*root))
    }
}

impl fmt::Debug for Reads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// Where an expression stands: which names are known there, and what it has to give.
#[derive(Debug, Clone, Copy)]
pub(in crate::policy) struct Place<'p> {
    /// Names that are known.
    pub(super) roots: Reads,
    /// Names below `variables`, with what each reads; `None` where there is no `variables` at all.
    pub(super) variables: Option<&'p [(String, Reads)]>,
    pub(super) gives: Gives,
}

/// What an expression has to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policy) enum Gives {
    /// True or false.
    Bool,
    /// Text.
    Text,
    /// Text or null.
    TextOrNull,
    /// Whatever.
    Anything,
}

/// What a ValidatingAdmissionPolicy may read, without its parameters.
const ADMISSION: Reads = Reads::NONE
    .with(Root::Object)
    .with(Root::OldObject)
    .with(Root::Request)
    .with(Root::NamespaceObject);

impl<'p> Place<'p> {
    /// `when` of a rule.
    pub(in crate::policy) const RULE: Self = Self {
        roots: ADMISSION
            .with(Root::Subject)
            .with(Root::Effects)
            .with(Root::Exec)
            .with(Root::Now),
        variables: None,
        gives: Gives::Bool,
    };

    /// A condition of a ValidatingAdmissionPolicy that has no parameters and no variables.
    pub(in crate::policy) const ADMISSION: Self = Self {
        roots: ADMISSION,
        variables: None,
        gives: Gives::Bool,
    };

    /// With `params`.
    #[must_use]
    pub(in crate::policy) const fn with_params(mut self) -> Self {
        self.roots = self.roots.with(Root::Params);
        self
    }

    /// With these names below `variables`.
    #[must_use]
    pub(in crate::policy) const fn with_variables(mut self, variables: &'p [(String, Reads)]) -> Self {
        self.variables = Some(variables);
        self
    }

    /// Giving something else.
    #[must_use]
    pub(in crate::policy) const fn giving(mut self, gives: Gives) -> Self {
        self.gives = gives;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (index, (root, name)) in ROOTS.iter().enumerate() {
            assert_eq!(*root as usize, index);
            assert_eq!((Root::named(name), root.as_str()), (Some(*root), *name));
        }
        let reads = Reads::NONE.with(Root::Now).with(Root::Object);
        assert_eq!(reads.iter().collect::<Vec<_>>(), [Root::Object, Root::Now]);
        assert!(!reads.contains(Root::Exec));
    }
}
