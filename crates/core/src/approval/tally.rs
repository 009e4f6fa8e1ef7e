//! What votes amount to: the same for every backend.

use std::collections::BTreeSet;

use super::ticket::{Answer, Ticket, Vote};
use crate::policy::HoldTerms;

/// Where a ticket stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Approvals are missing.
    Pending {
        /// How many, over all terms.
        missing: u32,
    },
    /// All terms are met.
    Approved {
        /// By these humans.
        by: Vec<String>,
    },
    /// An approver said no.
    Denied {
        /// Who.
        by: String,
        /// Why, if they said so.
        reason: Option<String>,
    },
}

/// Counts the votes on a ticket.
///
/// A vote counts for the terms whose approvers the human belongs to. The requester and the one on whose behalf it asks
/// never count: nobody approves their own request. The first denial that counts ends it, whatever came after.
#[must_use]
pub fn tally(ticket: &Ticket, votes: &[Vote]) -> Standing {
    let subject = &ticket.review.subject;
    let counts = |vote: &Vote, terms: &HoldTerms| {
        vote.user != subject.user
            && subject.on_behalf_of.as_ref() != Some(&vote.user)
            && vote.is_by_any_of(&terms.approvers)
    };
    for vote in votes {
        if vote.answer == Answer::Deny && ticket.terms.iter().any(|terms| counts(vote, terms)) {
            return Standing::Denied {
                by: vote.user.clone(),
                reason: vote.reason.clone(),
            };
        }
    }
    let mut approvers = BTreeSet::new();
    let mut missing = 0u32;
    for terms in &ticket.terms {
        let users: BTreeSet<_> = votes
            .iter()
            .filter(|vote| counts(vote, terms))
            .map(|vote| &vote.user)
            .collect();
        let have = u32::try_from(users.len()).unwrap_or(u32::MAX);
        missing = missing.saturating_add(terms.quorum.saturating_sub(have));
        approvers.extend(users);
    }
    // A ticket without terms, or one whose terms need nobody, is nobody's approval.
    if missing > 0 || approvers.is_empty() {
        return Standing::Pending {
            missing: missing.max(1),
        };
    }
    Standing::Approved {
        by: approvers.into_iter().cloned().collect(),
    }
}
