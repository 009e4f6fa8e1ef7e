//! The built-in engine: documents, compiled.

use std::sync::Arc;

use jiff::Timestamp;

use super::document::{self, LoadErrors};
use super::engine::{Evaluation, Facts, HoldTerms, MaskPath, PolicyEngine};
use super::glob::Glob;
use super::judge::{Tally, judge};
use super::matching::{Asked, Match, Scope};
use crate::digest::{Digest, FieldHasher};
use crate::request::Canonical;
use crate::subject::Subject;

/// Policy documents in force: the built-in [`PolicyEngine`]. What they mean is in the [module's manual](super).
///
/// Cheap to clone. Replacing a policy at run time means making a new one.
#[derive(Debug, Clone)]
pub struct PolicySet {
    rules: Rules,
    revision: Digest,
}

#[derive(Debug, Clone)]
enum Rules {
    /// Sorted by name, so that the order of files has no meaning.
    Documents(Arc<[Document]>),
    AllowAll,
}

/// One compiled document.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) name: String,
    /// Over the canonical form.
    pub(super) digest: Digest,
    pub(super) subjects: Vec<SubjectMatch>,
    pub(super) scopes: Vec<Scope>,
    pub(super) rules: Vec<CompiledRule>,
}

/// One entry of `subjects`.
#[derive(Debug)]
pub(super) enum SubjectMatch {
    User(Glob),
    Group(Glob),
}

/// One compiled rule.
#[derive(Debug)]
pub(super) struct CompiledRule {
    /// `document/rule`.
    pub(super) name: String,
    pub(super) matches: Match,
    pub(super) action: Action,
}

/// What a rule asks for.
#[derive(Debug)]
pub(super) enum Action {
    Allow { insecure_opaque_stream: bool },
    Deny { message: Option<String> },
    Hold(HoldTerms),
    Mask(Vec<MaskPath>),
}

impl Action {
    /// The name in records.
    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Self::Allow { .. } => "allow",
            Self::Deny { .. } => "deny",
            Self::Hold(_) => "hold",
            Self::Mask(_) => "mask",
        }
    }
}

impl PolicySet {
    /// Loads documents from the texts of named files, each of which may hold several, separated by `---`.
    ///
    /// The order of files and of the documents in them has no meaning. Without any document everything is denied.
    ///
    /// # Errors
    /// Everything that is wrong with them, with file, line and column; a set is loaded as a whole or not at all.
    pub fn from_yaml(sources: &[(impl AsRef<str>, impl AsRef<str>)]) -> Result<Self, LoadErrors> {
        let sources = sources.iter().map(|(name, text)| (name.as_ref(), text.as_ref()));
        let mut documents = document::load(sources)?;
        documents.sort_by(|a, b| a.name.cmp(&b.name));
        let mut hasher = FieldHasher::new("countersign policy set v1");
        for document in &documents {
            hasher.field("document", document.digest.as_bytes());
        }
        Ok(Self {
            rules: Rules::Documents(documents.into()),
            revision: hasher.finish(),
        })
    }

    /// A policy that denies everything.
    #[must_use]
    pub fn deny_all() -> Self {
        Self {
            rules: Rules::Documents(Arc::default()),
            revision: FieldHasher::new("countersign policy set v1").finish(),
        }
    }

    /// No policy: everybody may do everything, except touch the guard itself and open upgraded streams.
    ///
    /// For users of other parts of the guard, such as masks and audit. The rule `countersign/insecure_allow_all` is in
    /// the record of every request.
    #[must_use]
    pub fn insecure_allow_all() -> Self {
        Self {
            rules: Rules::AllowAll,
            revision: FieldHasher::new("countersign policy insecure_allow_all").finish(),
        }
    }
}

impl PolicyEngine for PolicySet {
    fn evaluate(&self, subject: &Subject, request: &Canonical, _facts: &Facts, _now: Timestamp) -> Evaluation {
        let asked = Asked::new(request);
        let mut tally = Tally::new(&asked);
        match &self.rules {
            Rules::Documents(documents) => {
                for document in documents.iter().filter(|document| document.is_about(subject)) {
                    judge(document, &mut tally);
                }
            }
            Rules::AllowAll => tally.allow_all(),
        }
        Evaluation::Verdict(tally.verdict(subject, request))
    }

    fn revision(&self) -> Digest {
        self.revision
    }
}

impl Document {
    fn is_about(&self, subject: &Subject) -> bool {
        self.subjects.iter().any(|entry| match entry {
            SubjectMatch::User(glob) => glob.matches(&subject.user),
            SubjectMatch::Group(glob) => subject.groups.iter().any(|group| glob.matches(group)),
        })
    }
}
