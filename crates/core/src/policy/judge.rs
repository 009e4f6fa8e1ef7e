//! From documents to a verdict: which rules fire, and which of them wins.

use std::sync::Arc;

use super::admission::Guardrail;
use super::denial::Reason;
use super::engine::{FiredRule, HoldTerms, MaskObligation, MaskPath, Need, Outcome, Rewrite, Verdict};
use super::glob::Glob;
use super::limits::Weighed;
use super::matching::{Asked, Place, in_scope};
use super::nearest::Nearest;
use super::question::{Counted, Late, Question};
use super::set::{Action, CompiledRule, Document};
use crate::json::Value;
use crate::request::{Effect, Finding, RewriteOperation};

/// Rules that are not in any document.
pub(super) const SELF: &str = "countersign/self";
const OPAQUE_STREAM: &str = "countersign/opaque-stream";
const TOKEN_MOUNT: &str = "countersign/token-mount";
const ALLOW_ALL: &str = "countersign/insecure_allow_all";

/// What the documents said so far.
pub(super) struct Tally<'q, 'v> {
    question: &'q Question<'q>,
    counted: Counted,
    /// All but its outcome; where the caller has it, since it is large to move.
    verdict: &'v mut Verdict,
    /// Why, if a rule denies: the first that does.
    denied: Option<Reason>,
    holds: Vec<Arc<HoldTerms>>,
    /// A document permits the request, at once or by a hold of its own.
    permitted: bool,
    /// Documents that permit it once a human has seen what is of concern.
    with_approval: Vec<(&'q Document, &'q Finding)>,
    needs: Vec<Need>,
    /// What is not known yet could permit the request, or make another one of it.
    may_help: bool,
    /// What came closest to permitting the request.
    nearest: Nearest<'q>,
}

/// How a document permits.
#[derive(Default)]
struct Permission {
    allowed: bool,
    /// One of the rules that permit holds.
    allowed_by_hold: bool,
    denied: bool,
}

impl<'q, 'v> Tally<'q, 'v> {
    /// Nothing was said so far: the verdict is empty.
    pub(super) fn new(question: &'q Question<'q>, counted: Counted, verdict: &'v mut Verdict) -> Self {
        let effects = question.asked.effects;
        verdict.effects = effects;
        verdict.findings.clone_from(question.findings());
        let denied = effects.contains(Effect::Guard).then(|| {
            verdict.fired.push(fired(SELF, "deny"));
            Reason::Guard
        });
        Self {
            question,
            counted,
            verdict,
            denied,
            holds: Vec::new(),
            permitted: false,
            with_approval: Vec::new(),
            needs: Vec::new(),
            may_help: false,
            nearest: Nearest::NoDocument,
        }
    }

    pub(super) fn allow_all(&mut self) {
        self.fire(ALLOW_ALL, "allow");
        self.permitted = true;
    }

    /// Adds what one document says; `rules` are those that could be about the request, in their order.
    #[inline]
    pub(super) fn add(&mut self, document: &'q Document, rules: impl Iterator<Item = &'q CompiledRule>) {
        let question = self.question;
        let weighed = Weighed::of(&document.limits, question.counted(self.counted));
        let asked = &*question.asked_under(&weighed);
        if !document.shadow {
            self.nearest.improve(Nearest::NoRule);
            self.verdict.effects = self.verdict.effects.union(asked.effects);
        }
        let mut permission = Permission::default();
        let (mut scope, mut spoken) = (None, None);
        for rule in rules {
            // Where its own rules, which come first, permit or deny, the profile has nothing to say.
            if rule.profile && *spoken.get_or_insert(permission.allowed || permission.denied) {
                break;
            }
            self.judge(document, rule, asked, &mut scope, &mut permission);
        }
        if document.shadow {
            return;
        }
        for budget in &document.budgets {
            if asked.effects.intersects(budget.effects) {
                self.verdict.budgets.push(Arc::clone(budget));
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
            Late::Failed(error) => {
                self.fire(&rule.name, "deny");
                permission.denied = true;
                self.denied.get_or_insert_with(|| Reason::Failed {
                    rule: Arc::clone(&rule.name),
                    error: error.into(),
                });
                return;
            }
        }
        self.apply(rule, asked, permission);
        self.verdict.fired.push(FiredRule {
            name: Arc::clone(&rule.name),
            action: rule.action.as_str(),
        });
    }

    fn apply(&mut self, rule: &'q CompiledRule, asked: &Asked<'_>, permission: &mut Permission) {
        match &rule.action {
            Action::Allow { insecure_opaque_stream } => {
                self.verdict.insecure_opaque_stream |= *insecure_opaque_stream && asked.is_upgrade;
            }
            Action::Hold(terms) => self.holds.push(Arc::clone(terms)),
            Action::Deny { message } => {
                permission.denied = true;
                self.denied.get_or_insert_with(|| match message {
                    Some(message) => Reason::Said {
                        message: Arc::clone(message),
                        remedy: None,
                    },
                    None => Reason::Rule(Arc::clone(&rule.name)),
                });
            }
            Action::Rewrite(operations) => self.verdict.rewrites.push(Rewrite {
                rule: Arc::clone(&rule.name),
                operations: Arc::clone(operations),
            }),
            Action::Mask(paths) => self.verdict.masks.push(Arc::new(mask(rule, paths, asked))),
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
                Nearest::Effects(rule, missed.effects)
            });
        }
        in_scope && speaks
    }

    /// Pods get no token of their service account unless they ask for it, which a human sees.
    pub(super) fn switch_token_mount_off(&mut self) {
        if let Some(path) = self.question.token_mount_switch() {
            let operation = RewriteOperation::adding(path.to_vec(), Value::Bool(false));
            self.verdict.rewrites.push(Rewrite {
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
        self.verdict.warnings.extend(outcome.warnings);
        self.verdict.annotations.extend(outcome.annotations);
        for denial in outcome.denials {
            let reason = denial.reason.as_str().to_owned();
            self.verdict
                .annotations
                .push((format!("{}/reason", denial.rule), reason));
            self.verdict.fired.push(FiredRule {
                name: denial.rule,
                action: "deny",
            });
            self.denied.get_or_insert_with(|| Reason::Said {
                message: denial.message.into(),
                remedy: None,
            });
        }
    }

    /// Gives the verdict its outcome, the strongest of what was said; or says what has to be known first.
    ///
    /// What nothing permits anyway is not looked up: which rule denies would tell what the object is like, to one who may
    /// not touch it.
    #[inline]
    pub(super) fn conclude(&mut self) -> Result<(), Vec<Need>> {
        let may_be_permitted = self.permitted || self.may_help || !self.with_approval.is_empty();
        if !self.needs.is_empty() && may_be_permitted {
            return Err(std::mem::take(&mut self.needs));
        }
        self.verdict.outcome = self.outcome();
        if matches!(self.verdict.outcome, Outcome::Deny(_)) {
            self.verdict.insecure_opaque_stream = false;
            self.verdict.budgets.clear();
        }
        Ok(())
    }

    fn outcome(&mut self) -> Outcome {
        if let Some(reason) = self.denied.take() {
            return Outcome::Deny(reason.into());
        }
        if self.question.asked.is_upgrade && !self.verdict.insecure_opaque_stream {
            self.fire(OPAQUE_STREAM, "deny");
            return Outcome::Deny(Reason::OpaqueStream.into());
        }
        if !self.permitted {
            if self.with_approval.is_empty() {
                if let Nearest::Forbidden(_, finding) | Nearest::NoApprover(_, finding) = self.nearest {
                    self.fire(&format!("countersign/{}", finding.concern), "deny");
                }
                return Outcome::Deny(self.nearest.reason().into());
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
        self.verdict.fired.push(fired(name, action));
    }

    fn fire_in_shadow(&mut self, rule: &CompiledRule) {
        let action = rule.action.as_str();
        if !matches!(rule.action, Action::Allow { .. }) {
            self.verdict
                .warnings
                .push(format!("{}: would {action} this if it were enforced", rule.name));
        }
        self.verdict.shadow.push(FiredRule {
            name: Arc::clone(&rule.name),
            action,
        });
    }
}

fn fired(name: &str, action: &'static str) -> FiredRule {
    FiredRule {
        name: name.into(),
        action,
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
