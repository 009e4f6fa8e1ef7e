//! From documents to a verdict: which rules fire, and which of them wins.

use std::sync::Arc;

use super::admission::Guardrail;
use super::engine::{FiredRule, FiredRules, HoldTerms, MaskObligation, MaskPath, Need, Outcome, Rewrite, Verdict};
use super::glob::Glob;
use super::limits::Weighed;
use super::matching::{Asked, Place, in_scope};
use super::question::{Findings, Late, Question};
use super::set::{Action, CompiledRule, Document};
use super::wording::{self, Nearest};
use crate::json::Value;
use crate::mask::MaskPolicy;
use crate::request::{Effect, Effects, Finding, RewriteOperation};

/// Rules that are not in any document.
pub(super) const SELF: &str = "countersign/self";
const OPAQUE_STREAM: &str = "countersign/opaque-stream";
const TOKEN_MOUNT: &str = "countersign/token-mount";
const ALLOW_ALL: &str = "countersign/insecure_allow_all";

/// What the documents said so far.
pub(super) struct Tally<'q> {
    question: &'q Question<'q>,
    findings: Findings,
    effects: Effects,
    fired: FiredRules,
    shadow: FiredRules,
    /// The first rule that denies.
    denied: Option<Denial<'q>>,
    holds: Vec<Arc<HoldTerms>>,
    rewrites: Vec<Rewrite>,
    masks: Vec<Arc<MaskObligation>>,
    budgets: Vec<Arc<super::budget::Budget>>,
    warnings: Vec<String>,
    annotations: Vec<(String, String)>,
    /// A document permits the request, at once or by a hold of its own.
    permitted: bool,
    /// Documents that permit it once a human has seen what is of concern.
    with_approval: Vec<(&'q Document, &'q Finding)>,
    insecure_opaque_stream: bool,
    needs: Vec<Need>,
    /// What is not known yet could permit the request, or make another one of it.
    may_help: bool,
    /// What came closest to permitting the request.
    nearest: Nearest<'q>,
}

/// Why a request is denied by a rule.
enum Denial<'q> {
    Guard,
    Rule {
        name: &'q str,
        message: Option<&'q str>,
    },
    /// A rule could not be evaluated.
    Error {
        name: &'q str,
        message: String,
    },
    /// One of Kubernetes' own policies denies.
    Guardrail {
        message: String,
    },
}

/// How a document permits.
#[derive(Default)]
struct Permission {
    allowed: bool,
    /// One of the rules that permit holds.
    allowed_by_hold: bool,
    denied: bool,
}

impl<'q> Tally<'q> {
    pub(super) fn new(question: &'q Question<'q>, findings: Findings) -> Self {
        let effects = question.asked.effects;
        let mut tally = Self {
            question,
            findings,
            effects,
            fired: FiredRules::default(),
            shadow: FiredRules::default(),
            denied: None,
            holds: Vec::new(),
            rewrites: Vec::new(),
            masks: Vec::new(),
            budgets: Vec::new(),
            warnings: Vec::new(),
            annotations: Vec::new(),
            permitted: false,
            with_approval: Vec::new(),
            insecure_opaque_stream: false,
            needs: Vec::new(),
            may_help: false,
            nearest: Nearest::NoDocument,
        };
        if effects.contains(Effect::Guard) {
            tally.fire(SELF, "deny");
            tally.denied = Some(Denial::Guard);
        }
        tally
    }

    pub(super) fn allow_all(&mut self) {
        self.fire(ALLOW_ALL, "allow");
        self.permitted = true;
    }

    /// Adds what one document says; `rules` are those that could be about the request, in their order.
    pub(super) fn add(&mut self, document: &'q Document, rules: impl Iterator<Item = &'q CompiledRule>) {
        let question = self.question;
        let weighed = Weighed::of(&document.limits, question.findings(self.findings));
        let asked = question.asked_under(&weighed);
        if !document.shadow {
            self.nearest.improve(Nearest::NoRule);
            self.effects = self.effects.union(asked.effects);
        }
        let mut permission = Permission::default();
        let (mut scope, mut spoken) = (None, None);
        for rule in rules {
            // Where its own rules, which come first, permit or deny, the profile has nothing to say.
            if rule.profile && *spoken.get_or_insert(permission.allowed || permission.denied) {
                break;
            }
            self.judge(document, rule, &asked, &mut scope, &mut permission);
        }
        if document.shadow {
            return;
        }
        for budget in &document.budgets {
            if asked.effects.intersects(budget.effects) {
                self.budgets.push(Arc::clone(budget));
            }
        }
        self.permit(document, &weighed, &permission);
    }

    /// What a document's rules permit, it permits inside of its limits.
    fn permit(&mut self, document: &'q Document, weighed: &Weighed<'q>, permission: &Permission) {
        if !permission.allowed {
            return;
        }
        match (weighed.forbidden, weighed.approval) {
            (Some(finding), _) => self.nearest.improve(Nearest::Forbidden(document, finding)),
            (None, Some(finding)) if !permission.allowed_by_hold => match &document.approval {
                Some(_) => self.with_approval.push((document, finding)),
                None => self.nearest.improve(Nearest::NoApprover(document, finding)),
            },
            (None, _) => self.permitted = true,
        }
    }

    fn judge(
        &mut self,
        document: &'q Document,
        rule: &'q CompiledRule,
        asked: &Asked<'_>,
        scope: &mut Option<bool>,
        permission: &mut Permission,
    ) {
        let shadow = document.shadow || rule.shadow;
        let (fires, permits) = match &rule.action {
            Action::Allow { .. } => {
                let permits = self.permits(document, rule, asked, scope, shadow);
                (permits, permits)
            }
            // It restricts by the wide match and permits by the narrow one.
            Action::Hold(_) => (
                rule.matches.restricts(asked),
                self.permits(document, rule, asked, scope, shadow),
            ),
            Action::Deny { .. } | Action::Rewrite(_) => (rule.matches.restricts(asked), false),
            Action::Mask(_) => (rule.matches.restricts(&asked.as_read()), false),
        };
        if !fires && !permits {
            return;
        }
        match self.question.late(rule, asked) {
            Late::No => return,
            Late::Yes { permits: narrow } => {
                let permits = permits && narrow;
                if matches!(rule.action, Action::Allow { .. }) && !permits {
                    return;
                }
                if shadow {
                    return self.fire_in_shadow(rule);
                }
                permission.allowed |= permits;
                permission.allowed_by_hold |= permits && matches!(rule.action, Action::Hold(_));
            }
            Late::Needs(need) => {
                self.may_help |= !shadow && (permits || matches!(rule.action, Action::Rewrite(_)));
                if !self.needs.contains(&need) {
                    self.needs.push(need);
                }
                return;
            }
            Late::Failed(message) => {
                self.fire(&rule.name, "deny");
                permission.denied = true;
                let name = &rule.name;
                self.denied.get_or_insert(Denial::Error { name, message });
                return;
            }
        }
        self.apply(rule, asked, permission);
        self.fired.push(FiredRule {
            name: Arc::clone(&rule.name),
            action: rule.action.as_str(),
        });
    }

    fn apply(&mut self, rule: &'q CompiledRule, asked: &Asked<'_>, permission: &mut Permission) {
        match &rule.action {
            Action::Allow { insecure_opaque_stream } => {
                self.insecure_opaque_stream |= *insecure_opaque_stream && asked.is_upgrade;
            }
            Action::Hold(terms) => self.holds.push(Arc::clone(terms)),
            Action::Deny { message } => {
                permission.denied = true;
                let (name, message) = (&rule.name, message.as_deref());
                self.denied.get_or_insert(Denial::Rule { name, message });
            }
            Action::Rewrite(operations) => self.rewrites.push(Rewrite {
                rule: Arc::clone(&rule.name),
                operations: Arc::clone(operations),
            }),
            Action::Mask(paths) => self.masks.push(Arc::new(mask(rule, paths, asked))),
        }
    }

    /// Whether a rule permits a request, in the scopes of its document. What came close is noted.
    fn permits(
        &mut self,
        document: &'q Document,
        rule: &'q CompiledRule,
        asked: &Asked<'_>,
        scope: &mut Option<bool>,
        shadow: bool,
    ) -> bool {
        // A rule that does not speak of streams says nothing about an upgrade.
        let speaks = match &rule.action {
            Action::Allow { insecure_opaque_stream } => !asked.is_upgrade || *insecure_opaque_stream,
            _ => true,
        };
        let missed = rule.matches.missed(asked);
        let in_scope = missed.nothing() && *scope.get_or_insert_with(|| in_scope(&document.scopes, asked));
        if !shadow && !in_scope && !missed.otherwise {
            self.nearest.improve(if missed.nothing() {
                Nearest::Scope(document)
            } else {
                Nearest::Effects {
                    rule: &rule.name,
                    missing: missed.effects,
                    permitted: rule.matches.permitted_effects(),
                }
            });
        }
        in_scope && speaks
    }

    /// Pods get no token of their service account unless they ask for it, which a human sees.
    pub(super) fn switch_token_mount_off(&mut self) {
        if let Some(path) = self.question.token_mount_switch() {
            let operation = RewriteOperation::adding(path.to_vec(), Value::Bool(false));
            self.rewrites.push(Rewrite {
                rule: TOKEN_MOUNT.into(),
                operations: Arc::new([operation]),
            });
            self.fire(TOKEN_MOUNT, "rewrite");
        }
    }

    /// Adds what one of Kubernetes' own policies says.
    pub(super) fn guard(&mut self, guardrail: &'q Guardrail) {
        let outcome = match self.question.guardrail(guardrail) {
            Ok(outcome) => outcome,
            Err(needs) => {
                let missing = needs.into_iter().filter(|need| !self.needs.contains(need));
                let missing: Vec<Need> = missing.collect();
                self.needs.extend(missing);
                return;
            }
        };
        self.warnings.extend(outcome.warnings);
        self.annotations.extend(outcome.annotations);
        for denial in outcome.denials {
            let reason = denial.reason.as_str().to_owned();
            self.annotations.push((format!("{}/reason", denial.rule), reason));
            self.fired.push(FiredRule {
                name: denial.rule,
                action: "deny",
            });
            self.denied.get_or_insert(Denial::Guardrail {
                message: denial.message,
            });
        }
    }

    /// The strongest of what was said, or what has to be known first.
    ///
    /// What nothing permits anyway is not looked up: which rule denies would tell what the object is like, to one who may
    /// not touch it.
    pub(super) fn verdict(mut self) -> Result<Verdict, Vec<Need>> {
        let may_be_permitted = self.permitted || self.may_help || !self.with_approval.is_empty();
        if !self.needs.is_empty() && may_be_permitted {
            return Err(self.needs);
        }
        let outcome = self.outcome();
        let denied = matches!(outcome, Outcome::Deny { .. });
        Ok(Verdict {
            insecure_opaque_stream: self.insecure_opaque_stream && !denied,
            outcome,
            effects: self.effects,
            fired: self.fired,
            shadow: self.shadow,
            findings: self.question.findings(self.findings).cloned().collect(),
            rewrites: self.rewrites,
            masks: self.masks,
            masking: MaskPolicy::shared_default(),
            budgets: if denied { Vec::new() } else { self.budgets },
            warnings: self.warnings,
            annotations: self.annotations,
        })
    }

    fn outcome(&mut self) -> Outcome {
        let Question { subject, request, .. } = *self.question;
        match self.denied.take() {
            Some(Denial::Guard) => return wording::touches_the_guard(subject, request),
            Some(Denial::Rule { name, message }) => return wording::denied_by(subject, request, name, message),
            Some(Denial::Error { name, message }) => return wording::failed(subject, request, name, &message),
            Some(Denial::Guardrail { message }) => return Outcome::Deny { message, remedy: None },
            None => {}
        }
        if self.question.asked.is_upgrade && !self.insecure_opaque_stream {
            self.fire(OPAQUE_STREAM, "deny");
            return wording::opaque_stream(subject, request);
        }
        if !self.permitted {
            if self.with_approval.is_empty() {
                if let Nearest::Forbidden(_, finding) | Nearest::NoApprover(_, finding) = self.nearest {
                    self.fire(&format!("countersign/{}", finding.concern), "deny");
                }
                return wording::not_permitted(self.question, &self.nearest);
            }
            for (document, finding) in std::mem::take(&mut self.with_approval) {
                let rule = format!("countersign/{}", finding.concern);
                self.fire(&rule, "hold");
                if let Some(terms) = &document.approval {
                    let terms = HoldTerms {
                        rule,
                        ..(**terms).clone()
                    };
                    self.holds.push(Arc::new(terms));
                }
            }
        }
        if self.holds.is_empty() {
            Outcome::Allow
        } else {
            Outcome::Hold(std::mem::take(&mut self.holds))
        }
    }

    fn fire(&mut self, name: &str, action: &'static str) {
        self.fired.push(FiredRule {
            name: name.into(),
            action,
        });
    }

    fn fire_in_shadow(&mut self, rule: &CompiledRule) {
        let action = rule.action.as_str();
        if !matches!(rule.action, Action::Allow { .. }) {
            self.warnings
                .push(format!("{}: would {action} this if it were enforced", rule.name));
        }
        self.shadow.push(FiredRule {
            name: Arc::clone(&rule.name),
            action,
        });
    }
}

/// What to mask: in the one object that is asked for, or item by item where the answer may hold several.
fn mask(rule: &CompiledRule, paths: &[MaskPath], asked: &Asked<'_>) -> MaskObligation {
    let patterns = |globs: &Option<Vec<Glob>>| globs.iter().flatten().map(|glob| glob.as_str().to_owned()).collect();
    let (named, placed) = (asked.name.is_some(), matches!(asked.place, Place::Namespace(_)));
    MaskObligation {
        rule: rule.name.to_string(),
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
