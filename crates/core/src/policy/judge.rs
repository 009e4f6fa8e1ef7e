//! From documents to a verdict: which rules fire, and which of them wins.

use super::engine::{FiredRule, HoldTerms, MaskObligation, MaskPath, Outcome, Verdict};
use super::glob::Glob;
use super::matching::{Asked, Place, in_scope};
use super::set::{Action, CompiledRule, Document};
use super::wording::{self, Nearest};
use crate::request::{Canonical, Effect};
use crate::subject::Subject;

/// Rules that are not in any document.
const SELF: &str = "countersign/self";
const OPAQUE_STREAM: &str = "countersign/opaque-stream";
const ALLOW_ALL: &str = "countersign/insecure_allow_all";

/// What the documents said so far.
pub(super) struct Tally<'d> {
    asked: &'d Asked<'d>,
    fired: Vec<FiredRule>,
    /// The first rule that denies, with its message.
    denied: Option<Denial<'d>>,
    holds: Vec<HoldTerms>,
    masks: Vec<MaskObligation>,
    permitted: bool,
    insecure_opaque_stream: bool,
    /// What came closest to permitting the request.
    nearest: Nearest<'d>,
}

/// Why a request is denied by a rule.
enum Denial<'d> {
    Guard,
    Rule { name: &'d str, message: Option<&'d str> },
}

impl<'d> Tally<'d> {
    pub(super) fn new(asked: &'d Asked<'d>) -> Self {
        let mut tally = Self {
            asked,
            fired: Vec::new(),
            denied: None,
            holds: Vec::new(),
            masks: Vec::new(),
            permitted: false,
            insecure_opaque_stream: false,
            nearest: Nearest::NoDocument,
        };
        if asked.effects.contains(Effect::Guard) {
            tally.fire(SELF, "deny");
            tally.denied = Some(Denial::Guard);
        }
        tally
    }

    pub(super) fn allow_all(&mut self) {
        self.fire(ALLOW_ALL, "allow");
        self.permitted = true;
    }

    /// The strongest of what was said.
    pub(super) fn verdict(mut self, subject: &Subject, request: &Canonical) -> Verdict {
        let asked = self.asked;
        let outcome = match self.denied.take() {
            Some(Denial::Guard) => wording::touches_the_guard(subject, request),
            Some(Denial::Rule { name, message }) => wording::denied_by(subject, request, name, message),
            None if asked.is_upgrade && !self.insecure_opaque_stream => {
                self.fire(OPAQUE_STREAM, "deny");
                wording::opaque_stream(subject, request)
            }
            None if !self.permitted => wording::not_permitted(subject, request, asked, &self.nearest),
            None if self.holds.is_empty() => Outcome::Allow,
            None => Outcome::Hold(std::mem::take(&mut self.holds)),
        };
        Verdict {
            insecure_opaque_stream: self.insecure_opaque_stream && !matches!(outcome, Outcome::Deny { .. }),
            outcome,
            fired: self.fired,
            masks: self.masks,
        }
    }

    fn fire(&mut self, name: &str, action: &'static str) {
        self.fired.push(FiredRule {
            name: name.to_owned(),
            action,
        });
    }
}

/// Adds what one document says.
pub(super) fn judge<'d>(document: &'d Document, tally: &mut Tally<'d>) {
    let asked = tally.asked;
    tally.nearest.improve(Nearest::NoRule);
    let in_scope = in_scope(&document.scopes, asked);
    for rule in &document.rules {
        let fires = match &rule.action {
            Action::Allow { insecure_opaque_stream } => {
                // A rule that does not speak of streams says nothing about an upgrade.
                let permits = permits(document, rule, asked, in_scope, tally);
                let fires = permits && (!asked.is_upgrade || *insecure_opaque_stream);
                tally.permitted |= fires;
                tally.insecure_opaque_stream |= fires && asked.is_upgrade;
                fires
            }
            Action::Hold(terms) => {
                // It restricts by the wide match and permits by the narrow one.
                tally.permitted |= permits(document, rule, asked, in_scope, tally);
                let fires = rule.matches.restricts(asked);
                if fires {
                    tally.holds.push(terms.clone());
                }
                fires
            }
            Action::Deny { message } => {
                let fires = rule.matches.restricts(asked);
                if fires && tally.denied.is_none() {
                    tally.denied = Some(Denial::Rule {
                        name: &rule.name,
                        message: message.as_deref(),
                    });
                }
                fires
            }
            Action::Mask(paths) => {
                let fires = rule.matches.restricts(&asked.as_read());
                if fires {
                    tally.masks.push(mask(rule, paths, asked));
                }
                fires
            }
        };
        if fires {
            tally.fire(&rule.name, rule.action.as_str());
        }
    }
}

fn permits<'d>(
    document: &'d Document,
    rule: &'d CompiledRule,
    asked: &Asked<'_>,
    in_scope: bool,
    tally: &mut Tally<'d>,
) -> bool {
    let missed = rule.matches.missed(asked);
    if missed.nothing() {
        if !in_scope {
            tally.nearest.improve(Nearest::Scope(document));
        }
        return in_scope;
    }
    if !missed.otherwise {
        tally.nearest.improve(Nearest::Effects {
            rule: &rule.name,
            missing: missed.effects,
            permitted: rule.matches.permitted_effects(),
        });
    }
    false
}

/// What to mask: in the one object that is asked for, or item by item where the answer may hold several.
fn mask(rule: &CompiledRule, paths: &[MaskPath], asked: &Asked<'_>) -> MaskObligation {
    let patterns = |globs: &Option<Vec<Glob>>| globs.iter().flatten().map(|glob| glob.as_str().to_owned()).collect();
    let (named, placed) = (asked.name.is_some(), matches!(asked.place, Place::Namespace(_)));
    MaskObligation {
        rule: rule.name.clone(),
        paths: paths.to_vec(),
        names: if named {
            Vec::new()
        } else {
            patterns(&rule.matches.names)
        },
        namespaces: if placed {
            Vec::new()
        } else {
            patterns(&rule.matches.namespaces)
        },
    }
}
