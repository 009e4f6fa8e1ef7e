//! What came closest to permitting a request: what a caller who is refused could change.

use std::cmp::Reverse;
use std::sync::Arc;

use super::denial::Reason;
use super::set::{CompiledRule, Document};
use crate::request::{Effects, Finding};

/// What came closest to permitting a request; later ones are closer.
#[derive(Clone, Copy)]
pub(super) enum Nearest<'d> {
    /// No document is about the subject.
    NoDocument,
    /// No rule is about such a request.
    NoRule,
    /// A rule would permit it if it listed these effects too.
    Effects(&'d CompiledRule, Effects),
    /// A rule permits it, but not there.
    Scope(&'d Document),
    /// A rule permits it, but what it does is on the hard deny list.
    Forbidden(&'d Document, &'d Finding),
    /// A rule permits it, but a human would have to see it, and the document names none.
    NoApprover(&'d Document, &'d Finding),
}

impl<'d> Nearest<'d> {
    /// Keeps the closer of the two.
    pub(super) fn improve(&mut self, other: Nearest<'d>) {
        if other.rank() > self.rank() {
            *self = other;
        }
    }

    fn rank(self) -> (u8, Reverse<u32>) {
        match self {
            Self::NoDocument => (0, Reverse(0)),
            Self::NoRule => (1, Reverse(0)),
            Self::Effects(_, missing) => (2, Reverse(missing.len())),
            Self::Scope(_) => (3, Reverse(0)),
            Self::Forbidden(..) => (4, Reverse(0)),
            Self::NoApprover(..) => (5, Reverse(0)),
        }
    }

    /// Why the request is denied, then.
    pub(super) fn reason(self) -> Reason {
        match self {
            Self::NoDocument => Reason::NoDocument,
            Self::NoRule => Reason::NoRule,
            Self::Effects(rule, missing) => Reason::Effects {
                rule: Arc::clone(&rule.name),
                missing,
                permitted: rule.matches.permitted_effects(),
            },
            Self::Scope(document) => Reason::Scope {
                document: Arc::clone(&document.name),
                scopes: Arc::clone(&document.scopes),
            },
            Self::Forbidden(document, finding) => Reason::Forbidden {
                document: Arc::clone(&document.name),
                finding: Box::new(finding.clone()),
            },
            Self::NoApprover(document, finding) => Reason::NoApprover {
                document: Arc::clone(&document.name),
                finding: Box::new(finding.clone()),
            },
        }
    }
}
