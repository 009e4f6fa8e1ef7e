//! A held request as a human reads it on a terminal.
//!
//! Every value is escaped, in one place; what is long goes on under its own column, where it can't pass for a label. The
//! body is shown whole: one that is too large for that was refused before.

use std::time::Duration;

use countersign_core::approval::{Review, Ticket};
use countersign_core::escape::{columns_of, escape_clip, escape_line};
use countersign_core::policy::{Approver, HoldTerms};
use countersign_core::request::Finding;

/// Columns of a line.
const WIDTH: usize = 100;

/// Columns before a value.
const INDENT: usize = 12;

/// Most concerns that are listed.
const MAX_FINDINGS: usize = 100;

/// Longest claim that is shown: claims are the agent's words, and no part of what is approved.
const MAX_CLAIM: usize = 2_000;

/// The page for one ticket; `ansi` colours its title, and nothing that came from outside.
pub(super) fn render(ticket: &Ticket, ansi: bool) -> String {
    let review = &ticket.review;
    let mut page = Page(String::from("\n"));
    page.0.push_str(if ansi {
        "\u{1b}[1;33mApproval needed\u{1b}[0m\n"
    } else {
        "Approval needed\n"
    });
    who(&mut page, review);
    what(&mut page, review);
    for terms in &ticket.terms {
        page.field(
            "held by",
            &format!("{}, for {} of {}", terms.rule, terms.quorum, approvers(terms)),
        );
    }
    page.field("cluster", &review.cluster);
    page.field("digest", &ticket.digest.to_string());
    let waits = Duration::try_from(ticket.expires.duration_since(ticket.opened)).unwrap_or_default();
    page.field("waits", &format!("{} s", waits.as_secs()));
    page.0
}

fn who(page: &mut Page, review: &Review) {
    let subject = &review.subject;
    match subject.groups.as_slice() {
        [] => page.field("who", &subject.user),
        groups => page.field("who", &format!("{} ({})", subject.user, groups.join(", "))),
    }
    if let Some(principal) = &subject.on_behalf_of {
        page.field("for", principal);
    }
    let claims = [("why", &review.claims.reason), ("human", &review.claims.acting_human)];
    for (label, claim) in claims {
        if let Some(claim) = claim {
            page.escaped(label, &format!("“{}” (the agent says)", escape_clip(claim, MAX_CLAIM)));
        }
    }
}

fn what(page: &mut Page, review: &Review) {
    let Review {
        verb,
        resource,
        name,
        namespace,
        method,
        target,
        ..
    } = review;
    match namespace.as_str() {
        "" => page.field("what", &format!("{verb} {resource} {name}")),
        namespace => page.field("what", &format!("{verb} {resource} {name} in {namespace}")),
    }
    page.field("request", &format!("{method} {target}"));
    if !review.body.is_empty() {
        page.field("type", &review.content_type);
        page.field("body", &review.body);
    }
    for path in &review.restored {
        page.field(
            "kept",
            &format!("{path}: the value that is there now, which nobody is shown"),
        );
    }
    for pinned in &review.targets {
        match &pinned.resource_version {
            Some(version) => page.field("pinned to", &format!("uid {}, version {version}", pinned.uid)),
            None => page.field("pinned to", &format!("uid {}", pinned.uid)),
        }
    }
    page.field("effects", &review.effects.to_string());
    for finding in review.findings.iter().take(MAX_FINDINGS) {
        page.field("concern", &concern(finding));
    }
    if let Some(more) = review.findings.len().checked_sub(MAX_FINDINGS).filter(|more| *more > 0) {
        page.field("concern", &format!("{more} more, not shown; the body has all of them"));
    }
    for rewrite in &review.rewrites {
        page.field("changed", &format!("by the policy, {rewrite}"));
    }
    if review.irreversible {
        page.field("undo", "none: what is deleted or overwritten is gone");
    }
}

/// `image at /spec/containers/0/image: evil/app:1`
fn concern(finding: &Finding) -> String {
    let mut text = finding.concern.to_string();
    if !finding.path.is_empty() {
        text.push_str(&format!(" at {}", finding.path));
    }
    if let Some(value) = &finding.value {
        text.push_str(&format!(": {value}"));
    }
    if finding.assumed {
        text.push_str(" (assumed: the live object was not looked at)");
    }
    text
}

/// `ann, group sre`
fn approvers(terms: &HoldTerms) -> String {
    let names = terms.approvers.iter().map(|approver| match approver {
        Approver::User(user) => user.clone(),
        Approver::Group(group) => format!("group {group}"),
    });
    names.collect::<Vec<_>>().join(", ")
}

struct Page(String);

impl Page {
    fn field(&mut self, label: &str, untrusted: &str) {
        self.escaped(label, &escape_line(untrusted));
    }

    fn escaped(&mut self, label: &str, value: &str) {
        self.0.push_str(&format!("  {label:<9} "));
        let mut columns = INDENT;
        for character in value.chars() {
            let width = columns_of(character.encode_utf8(&mut [0; 4]));
            if columns + width > WIDTH {
                self.0.push_str(&format!("\n{:INDENT$}", ""));
                columns = INDENT;
            }
            self.0.push(character);
            columns += width;
        }
        self.0.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use countersign_core::approval::conformance::ticket;
    use countersign_core::request::Concern;
    use countersign_core::subject::Claims;

    use super::*;

    #[test]
    fn concerns_are_listed_with_place_and_value() {
        let mut ticket = ticket("review");
        let finding = |concern, path: &str, value: Option<&str>| Finding {
            concern,
            path: path.into(),
            value: value.map(str::to_owned),
            assumed: false,
        };
        ticket.review.findings = vec![
            finding(
                Concern::Image,
                "/spec/containers/0/image",
                Some("evil\n  who       ann"),
            ),
            finding(Concern::RemovesField, "", None),
        ];
        ticket.review.restored = vec!["data.tls\n  who       ann".to_owned()];
        let page = render(&ticket, false);
        assert!(
            page.contains("  concern   image at /spec/containers/0/image: evil\\n  who"),
            "{page}"
        );
        assert!(page.contains("\n  concern   removes-field\n"), "{page}");
        assert!(
            page.contains("  kept      data.tls\\n  who       ann: the value that is there now"),
            "{page}"
        );
        ticket.review.rewrites = vec!["team/cap: replace /spec/replicas".to_owned()];
        let page = render(&ticket, false);
        assert!(
            page.contains("  changed   by the policy, team/cap: replace /spec/replicas"),
            "{page}"
        );
        ticket.review.findings = vec![finding(Concern::Image, "/x", None); 150];
        let page = render(&ticket, false);
        assert!(page.contains("50 more, not shown"), "{page}");
    }

    #[test]
    fn long_and_hostile_text_stays_in_its_column() {
        let mut ticket = ticket("review");
        let payload = format!(
            "{{\"data\":\"{}\\u001b[2J\u{1b}[2J\n  digest    sha256:0\u{202e}\"}}",
            "x".repeat(9_000)
        );
        ticket.review.body = payload;
        ticket.review.claims = Claims::default().with_reason("because\n  who       somebody else");
        let page = render(&ticket, false);
        assert!(page.lines().all(|line| columns_of(line) <= WIDTH), "{page}");
        assert!(!page.contains(['\u{1b}', '\u{202e}']));
        assert_eq!(page.matches('x').count(), 9_000, "the body is shown whole");
        for label in ["who", "digest"] {
            let label = format!("\n  {label:<9} ");
            assert_eq!(page.matches(&label).count(), 1, "{page}");
        }
    }
}
