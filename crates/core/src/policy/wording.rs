//! What a refused caller is told: what was asked, why not, and the smallest change that would help.

use std::fmt::Write as _;

use super::engine::Outcome;
use super::glob::Glob;
use super::matching::Scope;
use super::question::Question;
use super::set::Document;
use crate::escape::escape_clip;
use crate::request::{Canonical, Effects, Finding};
use crate::subject::Subject;

/// Names and scopes that are listed before the rest is counted.
const LISTED: usize = 8;

/// What came closest to permitting a request; later ones are closer.
#[derive(Debug)]
pub(super) enum Nearest<'d> {
    /// No document is about the subject.
    NoDocument,
    /// No rule is about such a request.
    NoRule,
    /// A rule would permit it if it listed more effects.
    Effects {
        /// `document/rule`.
        rule: &'d str,
        /// Effects that it does not list.
        missing: Effects,
        /// Effects that it permits.
        permitted: Effects,
    },
    /// A rule permits it, but not there.
    Scope(&'d Document),
    /// A rule permits it, but what it does is on the hard deny list.
    Forbidden(&'d Document, &'d Finding),
    /// A rule permits it, but a human would have to see it, and the document names none.
    NoApprover(&'d Document, &'d Finding),
}

impl Nearest<'_> {
    fn rank(&self) -> (u8, std::cmp::Reverse<usize>) {
        let (rank, missing) = match self {
            Self::NoDocument => (0, 0),
            Self::NoRule => (1, 0),
            Self::Effects { missing, .. } => (2, missing.iter().count()),
            Self::Scope(_) => (3, 0),
            Self::Forbidden(..) => (4, 0),
            Self::NoApprover(..) => (5, 0),
        };
        (rank, std::cmp::Reverse(missing))
    }
}

impl<'d> Nearest<'d> {
    /// Keeps the closer of the two.
    pub(super) fn improve(&mut self, other: Nearest<'d>) {
        if other.rank() > self.rank() {
            *self = other;
        }
    }
}

pub(super) fn touches_the_guard(subject: &Subject, request: &Canonical) -> Outcome {
    deny(
        format!("{}: it touches the guard itself", may_not(subject, request)),
        None,
    )
}

pub(super) fn denied_by(subject: &Subject, request: &Canonical, rule: &str, message: Option<&str>) -> Outcome {
    let message = message.map_or_else(
        || format!("{}: the rule {rule} denies it", may_not(subject, request)),
        ToOwned::to_owned,
    );
    deny(message, None)
}

pub(super) fn opaque_stream(subject: &Subject, request: &Canonical) -> Outcome {
    deny(
        format!("{}: upgraded streams are not supported yet", may_not(subject, request)),
        Some("only an allow rule with `insecure_opaque_stream: true` lets one through, unseen and unrecorded".into()),
    )
}

pub(super) fn not_permitted(question: &Question<'_>, nearest: &Nearest<'_>) -> Outcome {
    let (why, remedy) = match nearest {
        Nearest::NoDocument => ("no policy is about this subject".to_owned(), None),
        Nearest::NoRule => ("no rule allows it".to_owned(), None),
        Nearest::Effects {
            rule,
            missing,
            permitted,
        } => (
            format!("no rule allows what it does: {missing}"),
            Some(format!("the nearest rule, {rule}, allows only {permitted}")),
        ),
        Nearest::Scope(document) => (
            format!("it is outside the scopes of {}", document.name),
            Some(scopes(document, question.asked.effects)),
        ),
        Nearest::Forbidden(document, finding) => (
            format!("{} is never permitted{}", named(finding), at(finding)),
            Some(format!(
                "send it without; {} could permit it only by `insecure_permit: [{}]`",
                document.name, finding.concern
            )),
        ),
        Nearest::NoApprover(document, finding) => (
            format!(
                "{} needs a human{}, and {} names no approvers",
                named(finding),
                at(finding),
                document.name
            ),
            Some("`spec.approval` of the policy says who may approve".to_owned()),
        ),
    };
    deny(
        format!("{}: {why}", may_not(question.subject, question.request)),
        remedy,
    )
}

pub(super) fn failed(subject: &Subject, request: &Canonical, rule: &str, message: &str) -> Outcome {
    deny(
        format!(
            "{}: the rule {rule} can't be evaluated: {message}",
            may_not(subject, request)
        ),
        None,
    )
}

/// `secret-reference`, or `image registry/x:1`.
fn named(finding: &Finding) -> String {
    match &finding.value {
        Some(value) => format!("{} {}", finding.concern, escape_clip(value, 128)),
        None => finding.concern.to_string(),
    }
}

fn at(finding: &Finding) -> String {
    match finding.path.as_str() {
        "" => String::new(),
        path => format!(", at {}", escape_clip(path, 256)),
    }
}

fn deny(message: String, remedy: Option<String>) -> Outcome {
    Outcome::Deny { message, remedy }
}

/// `agent-7 may not delete pods/web-0 in namespace team-a`.
fn may_not(subject: &Subject, request: &Canonical) -> String {
    format!("{} may not {}", subject.user, described(request))
}

/// `delete pods/web-0 in namespace team-a`.
pub(super) fn described(request: &Canonical) -> String {
    let attributes = request.attributes();
    let mut text = format!("{} ", attributes.verb);
    if !attributes.is_resource_request {
        text.push_str(&attributes.path);
        return text;
    }
    text.push_str(&attributes.resource);
    for (separator, part) in [
        (".", &attributes.api_group),
        ("/", &attributes.name),
        ("/", &attributes.subresource),
    ] {
        if !part.is_empty() {
            text.push_str(separator);
            text.push_str(part);
        }
    }
    let namespaced = request.kind().is_some_and(|kind| kind.namespaced);
    match attributes.namespace.as_str() {
        "" if namespaced => text.push_str(" in all namespaces"),
        namespace if namespaced => {
            let _ = write!(text, " in namespace {namespace}");
        }
        // A Namespace object carries its own name there.
        _ => {}
    }
    text
}

/// Where requests with these effects are in scope.
fn scopes(document: &Document, effects: Effects) -> String {
    let fitting = || document.scopes.iter().filter(|scope| scope.lists(effects));
    let mut places: Vec<&str> = fitting()
        .flat_map(|scope| &scope.namespaces)
        .map(Glob::as_str)
        .collect();
    places.sort_unstable();
    places.dedup();
    let cluster = fitting().any(|scope| scope.cluster_scoped);
    if places.is_empty() && !cluster {
        return format!("none of its scopes is for {effects}");
    }
    let mut text = format!("in scope for {effects}: ");
    if !places.is_empty() {
        let (listed, more) = places.split_at(places.len().min(LISTED));
        text.push_str(if places.len() == 1 { "namespace " } else { "namespaces " });
        text.push_str(&listed.join(", "));
        if !more.is_empty() {
            let _ = write!(text, " and {} more", more.len());
        }
    }
    if cluster {
        text.push_str(if places.is_empty() { "" } else { " and " });
        text.push_str("cluster-scoped resources");
    }
    if fitting().all(|scope: &Scope| scope.resources.is_some()) {
        text.push_str(", for some resources");
    }
    text
}
