//! Why a request is denied: kept as it was found, and put into words only when somebody reads it.

use std::sync::Arc;

use super::matching::Scope;
use super::wording;
use crate::request::{Canonical, Effects, Finding};
use crate::subject::Subject;

/// Why a request is denied.
///
/// An agent that looks for a way is denied over and over; so making a denial costs next to nothing, and its words are
/// written by those who read them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial(Reason);

/// Why, in the terms of the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reason {
    /// In the words of an engine, or of whoever wrote the rule.
    Said {
        message: Arc<str>,
        remedy: Option<Arc<str>>,
    },
    /// It touches the guard itself.
    Guard,
    /// A rule denies it.
    Rule(Arc<str>),
    /// A rule can't be evaluated.
    Failed { rule: Arc<str>, error: Box<str> },
    /// Nobody would see what goes over the connection.
    OpaqueStream,
    /// No document is about the subject.
    NoDocument,
    /// No rule is about such a request.
    NoRule,
    /// A rule would permit it if it listed more effects.
    Effects {
        rule: Arc<str>,
        missing: Effects,
        permitted: Effects,
    },
    /// A rule permits it, but not there.
    Scope { document: Arc<str>, scopes: Arc<[Scope]> },
    /// A rule permits it, but what it does is on the hard deny list.
    Forbidden { document: Arc<str>, finding: Box<Finding> },
    /// A rule permits it, but a human would have to see it, and the document names none.
    NoApprover { document: Arc<str>, finding: Box<Finding> },
}

impl Denial {
    /// A denial in the words of an engine.
    #[must_use]
    pub fn new(message: impl Into<Arc<str>>) -> Self {
        Self(Reason::Said {
            message: message.into(),
            remedy: None,
        })
    }

    /// Names the smallest change that would be allowed. What the built-in engine denies says that by itself.
    #[must_use]
    pub fn with_remedy(mut self, words: impl Into<Arc<str>>) -> Self {
        if let Reason::Said { remedy, .. } = &mut self.0 {
            *remedy = Some(words.into());
        }
        self
    }

    /// What the caller is told; `subject` and `request` are those that were judged.
    #[must_use]
    pub fn message(&self, subject: &Subject, request: &Canonical) -> String {
        wording::message(&self.0, subject, request)
    }

    /// The smallest change that would be allowed, if it is known.
    #[must_use]
    pub fn remedy(&self, request: &Canonical) -> Option<String> {
        wording::remedy(&self.0, request)
    }
}

impl From<Reason> for Denial {
    fn from(reason: Reason) -> Self {
        Self(reason)
    }
}
