//! What came closest to permitting a request: what a caller who is refused could change.

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

    fn rank(self) -> u32 {
        match self {
            Self::NoDocument => 0,
            Self::NoRule => 1,
            // The fewer, the closer.
            Self::Effects(_, missing) => 2 + Effects::ALL.len().saturating_sub(missing.len()),
            Self::Scope(_) => 100,
            Self::Forbidden(..) => 101,
            Self::NoApprover(..) => 102,
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
