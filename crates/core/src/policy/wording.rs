//! What a refused caller is told: what was asked, why not, and the smallest change that would help.

use std::fmt::Write as _;

use super::denial::Reason;
use super::glob::Glob;
use super::matching::Scope;
use crate::escape::escape_clip;
use crate::request::{Canonical, Effects, Finding};
use crate::subject::Subject;

/// Names and scopes that are listed before the rest is counted.
const LISTED: usize = 8;

/// Why, in one sentence that begins with what was asked.
pub(super) fn message(reason: &Reason, subject: &Subject, request: &Canonical) -> String {
    let why = match reason {
        Reason::Said { message, .. } => return message.to_string(),
        Reason::Guard => "it touches the guard itself".to_owned(),
        Reason::Rule(rule) => format!("the rule {rule} denies it"),
        Reason::Failed { rule, error } => format!("the rule {rule} can't be evaluated: {error}"),
        Reason::OpaqueStream => "upgraded streams are not supported yet".to_owned(),
        Reason::NoDocument => "no policy is about this subject".to_owned(),
        Reason::NoRule => "no rule allows it".to_owned(),
        Reason::Effects { missing, .. } => format!("no rule allows what it does: {missing}"),
        Reason::Scope { document, .. } => format!("it is outside the scopes of {document}"),
        Reason::Forbidden { finding, .. } => format!("{} is never permitted{}", named(finding), at(finding)),
        Reason::NoApprover { document, finding } => format!(
            "{} needs a human{}, and {document} names no approvers",
            named(finding),
            at(finding)
        ),
    };
    format!("{} may not {}: {why}", subject.user, described(request))
}

/// The smallest change that would help, where it is known.
pub(super) fn remedy(reason: &Reason, request: &Canonical) -> Option<String> {
    match reason {
        Reason::Said { remedy, .. } => remedy.as_deref().map(str::to_owned),
        Reason::OpaqueStream => Some(
            "only an allow rule with `insecure_opaque_stream: true` lets one through, unseen and unrecorded".to_owned(),
        ),
        Reason::Effects { rule, permitted, .. } => Some(format!("the nearest rule, {rule}, allows only {permitted}")),
        Reason::Scope { scopes, .. } => Some(places(scopes, request.effects())),
        Reason::Forbidden { document, finding } => Some(format!(
            "send it without; {document} could permit it only by `insecure_permit: [{}]`",
            finding.concern
        )),
        Reason::NoApprover { .. } => Some("`spec.approval` of the policy says who may approve".to_owned()),
        Reason::Guard | Reason::Rule(_) | Reason::Failed { .. } | Reason::NoDocument | Reason::NoRule => None,
    }
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
fn places(scopes: &[Scope], effects: Effects) -> String {
    let fitting = || scopes.iter().filter(|scope| scope.lists(effects));
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
