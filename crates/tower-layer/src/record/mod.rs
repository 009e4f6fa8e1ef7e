//! The open record of one request: facts that the steps find, and the events made of them.
//!
//! 1. A record has two ends. [`Entry`] stays with audit, which opens and closes it; [`Record`] travels with the request,
//!    and neither can be cloned. So each request has one record, and one last event.
//! 2. An entry that is dropped before it was closed records that the caller left, or what panicked.
//! 3. What does more than reading is written durably, and so is every refusal.
//! 4. The last event of a request that was sent is kept while the sink is down, and written when it is back.

mod entry;
mod facts;
mod recorder;
mod sent;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_core::approval::{Answer, Grant, Ticket, Vote};
use countersign_core::audit::{Durability, Event, ObjectReference, Outcome, Stage, User, annotation};
use countersign_core::escape::escape_clip;
use countersign_core::policy::{Decision, Reservation};
use countersign_core::request::{Canonical, Effects, Sealed};
use countersign_core::subject::Claims;
use countersign_core::{Refusal, Subject};
use http::StatusCode;
use http::header::HeaderName;

pub(crate) use entry::{Entry, sent_and_broken};
pub(crate) use recorder::Recorder;
pub(crate) use sent::SentMark;

use crate::step::Stop;

/// The header by which the server's audit log names a request.
pub(crate) const AUDIT_ID: HeaderName = HeaderName::from_static("audit-id");

/// What the guard calls itself upstream.
const USER_AGENT: &str = concat!("countersign/", env!("CARGO_PKG_VERSION"));

/// Longest piece of an unparsed request that is recorded.
const MAX_RAW: usize = 1024;

/// Longest list of the guard's own reads that is recorded.
const MAX_PROBES: usize = 4096;

/// Keys of annotations beside those that core names.
mod key {
    /// The status code that the server answered, where the caller was answered another.
    pub(super) const UPSTREAM_CODE: &str = "countersign.dev/upstream-code";
    /// Names of the caller's headers that were not forwarded.
    pub(super) const DROPPED_HEADERS: &str = "countersign.dev/dropped-headers";
    /// All rules that fired.
    pub(super) const FIRED: &str = "countersign.dev/fired";
    /// The class of a refusal.
    pub(super) const CLASS: &str = "countersign.dev/class";
    /// Who voted what on the ticket.
    pub(super) const VOTES: &str = "countersign.dev/votes";
    /// Who approved.
    pub(super) const APPROVED_BY: &str = "countersign.dev/approved-by";
    /// Rules in shadow mode that would have fired.
    pub(super) const SHADOW: &str = "countersign.dev/shadow";
    /// What was of concern about a change.
    pub(super) const FINDINGS: &str = "countersign.dev/findings";
    /// What the policy changed in the request.
    pub(super) const REWRITES: &str = "countersign.dev/rewrites";
    /// What is left of the budgets that the request drew on.
    pub(super) const BUDGETS: &str = "countersign.dev/budgets";
    /// What the caller was warned of.
    pub(super) const WARNINGS: &str = "countersign.dev/warnings";
    /// Before the keys that a policy adds.
    pub(super) const POLICY: &str = "countersign.dev/policy.";
    /// Objects that the guard read for itself.
    pub(super) const PROBES: &str = "countersign.dev/probes";
    /// The upgraded connection passed unseen.
    pub(super) const OPAQUE: &str = "countersign.dev/insecure-opaque-stream";
    /// Who ended a stream before its end.
    pub(super) const ENDED_BY: &str = "countersign.dev/ended-by";
    /// How many values of the answer which rule masked, where any were.
    pub(super) const MASKED_BY: &str = "countersign.dev/masked-by";
    /// How many items were left out of the answer since they are in a hidden namespace.
    pub(super) const HIDDEN: &str = "countersign.dev/hidden";
    /// Paths at which the caller wrote a masked value back, and the live one was kept.
    pub(super) const RESTORED: &str = "countersign.dev/restored";
    /// Bytes of body that were delivered.
    pub(super) const BYTES: &str = "countersign.dev/bytes";
}

/// The end of the record that travels with the request. Steps say what they found; it can't be cloned.
pub struct Record(Arc<Shared>);

impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Record").field(&self.0.audit_id).finish()
    }
}

impl Record {
    /// The id of this request in the audit log, which the server's audit log has too.
    #[must_use]
    pub fn audit_id(&self) -> &str {
        &self.0.audit_id
    }

    /// Adds a fact of a layer of yours. Keys of `countersign.dev` are the guard's and are left alone.
    pub fn annotate(&self, key: impl Into<String>, value: impl Into<String>) {
        let key = key.into();
        if !key.starts_with("countersign.dev/") {
            self.set(key, value);
        }
    }

    pub(crate) fn user_agent(&self) -> String {
        match self.facts().event.user_agent.as_str() {
            "" => USER_AGENT.to_owned(),
            agent => format!("{USER_AGENT} {agent}"),
        }
    }

    pub(crate) fn identified(&self, subject: &Subject, claims: &Claims) {
        let mut facts = self.facts();
        facts.event.user = User::from(subject);
        let annotations = &mut facts.event.annotations;
        let claimed = [
            (annotation::CLAIMED_REASON, &claims.reason),
            (annotation::CLAIMED_HUMAN, &claims.acting_human),
        ];
        for (key, claim) in claimed {
            if let Some(claim) = claim {
                annotations.insert(key.into(), escape_clip(claim, MAX_RAW));
            }
        }
    }

    pub(crate) fn understood(&self, request: &Canonical) {
        let mut facts = self.facts();
        facts.effects = Some(request.effects());
        facts.event.request_uri = request.target().to_owned();
        facts.event.verb = request.attributes().verb.as_str().to_owned();
        facts.event.user_agent = request.user_agent().unwrap_or_default().to_owned();
        facts.event.object_ref = ObjectReference::of(request.attributes());
        facts
            .event
            .annotations
            .insert(annotation::EFFECTS.into(), request.effects().to_string());
        if !request.dropped_headers().is_empty() {
            facts
                .event
                .annotations
                .insert(key::DROPPED_HEADERS.into(), request.dropped_headers().join(","));
        }
    }

    pub(crate) fn decided(&self, decision: &Decision) {
        let mut facts = self.facts();
        if decision.insecure_opaque_stream() {
            facts.granted = Outcome::FailOpen;
            facts.event.annotations.insert(key::OPAQUE.into(), "true".into());
        }
        let annotations = &mut facts.event.annotations;
        annotations.insert(annotation::POLICY.into(), decision.revision().to_string());
        let deciding = decision
            .fired()
            .iter()
            .find(|rule| rule.action == decision.outcome().as_str());
        if let Some(rule) = deciding {
            annotations.insert(annotation::RULE.into(), rule.name.to_string());
        }
        if decision.effects() != Effects::NONE {
            annotations.insert(annotation::EFFECTS.into(), decision.effects().to_string());
        }
        facts::annotate(annotations, decision);
        facts.warnings = decision.warnings().to_vec();
        facts.tells_masked = !decision.masking().settings().silent;
    }

    /// What is left of the budgets that were drawn on.
    pub(crate) fn charged(&self, reservation: &Reservation) {
        let left = reservation.charged.iter().map(|charged| {
            let (budget, left) = (&charged.budget, charged.left);
            format!("{budget}={left}")
        });
        self.set(key::BUDGETS, facts::list(left));
    }

    pub(crate) fn sent_mark(&self) -> SentMark {
        SentMark::new(Arc::clone(&self.0))
    }

    pub(crate) fn sealed(&self, sealed: &Sealed) {
        let mut facts = self.facts();
        facts
            .event
            .annotations
            .insert(annotation::DIGEST.into(), sealed.digest().to_string());
        if !sealed.restored().is_empty() {
            let restored = facts::list(sealed.restored().iter().map(|key| format!("data.{key}")));
            facts.event.annotations.insert(key::RESTORED.into(), restored);
        }
        if let (Some(target), Some(object)) = (sealed.targets().first(), facts.event.object_ref.as_mut()) {
            object.uid.clone_from(&target.uid);
            object.resource_version = target.resource_version.clone().unwrap_or_default();
        }
    }

    /// Writes that the request waits, before anybody can approve it.
    pub(crate) async fn held(&self, ticket: &Ticket) -> Result<(), Stop> {
        self.set(annotation::TICKET, ticket.id.as_str());
        let event = self.0.event(Stage::RequestReceived, Outcome::Hold);
        self.0.append(event).await.map_err(Stop::Refused)
    }

    pub(crate) fn voted(&self, votes: &[Vote]) {
        let said = |vote: &Vote| {
            let answer = match vote.answer {
                Answer::Approve => "approve",
                Answer::Deny => "deny",
            };
            format!("{}={answer}", escape_clip(&vote.user, 256))
        };
        self.set(key::VOTES, votes.iter().map(said).collect::<Vec<_>>().join(","));
    }

    pub(crate) fn permitted(&self, grant: &Grant) {
        if let Grant::Approval { by, .. } = grant {
            self.set(key::APPROVED_BY, escape_clip(&by.join(","), MAX_RAW));
            let mut facts = self.facts();
            if facts.granted != Outcome::FailOpen {
                facts.granted = Outcome::HoldApproved;
            }
        }
    }

    pub(crate) fn probed(&self, target: &str) {
        let mut facts = self.facts();
        let probes = facts.event.annotations.entry(key::PROBES.into()).or_default();
        if probes.len() + target.len() >= MAX_PROBES {
            return;
        }
        if !probes.is_empty() {
            probes.push(',');
        }
        probes.push_str(target);
    }

    /// Writes what is about to be sent; an error means that it must not be.
    pub(crate) async fn intent(&self) -> Result<(), Stop> {
        let granted = self.facts().granted;
        let event = self.0.event(Stage::RequestReceived, granted);
        self.0.append(event).await.map_err(Stop::Refused)
    }

    /// Notes that the request is being sent; from here on its effect is unknown until an answer says otherwise.
    pub(crate) fn sent(&self) {
        self.facts().sent = true;
    }

    pub(crate) fn answered(&self, status: StatusCode) {
        self.facts().upstream = Some(status);
    }

    fn set(&self, key: impl Into<std::borrow::Cow<'static, str>>, value: impl Into<String>) {
        self.facts().event.annotations.insert(key.into(), value.into());
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.0.facts()
    }
}

struct Shared {
    recorder: Arc<Recorder>,
    audit_id: String,
    span: tracing::Span,
    facts: Mutex<Facts>,
}

/// What is known of the request so far.
struct Facts {
    /// Everything that goes into each of its events.
    event: Event,
    effects: Option<Effects>,
    granted: Outcome,
    sent: bool,
    upstream: Option<StatusCode>,
    /// What the caller is told in headers, whatever the outcome.
    warnings: Vec<String>,
    /// Whether the caller is told how many values were masked.
    tells_masked: bool,
}

impl Shared {
    fn facts(&self) -> MutexGuard<'_, Facts> {
        // Facts are plain data: a panic while they were held leaves nothing half done that matters.
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn event(&self, stage: Stage, outcome: Outcome) -> Event {
        let facts = self.facts();
        let now = self.recorder.now_or(facts.event.request_received_timestamp);
        facts.event.at(stage, now).with_outcome(outcome)
    }

    /// Whether the request does, or may do, more than reading. What was not understood may do anything.
    fn does_more_than_reading(&self) -> bool {
        self.facts().effects.is_none_or(Effects::is_more_than_reading)
    }

    /// Writes an event; durably for what does more than reading, and for denials.
    async fn append(&self, event: Event) -> Result<(), Refusal> {
        let durable = self.does_more_than_reading() || !event.outcome().is_some_and(Outcome::was_sent);
        let durability = if durable {
            Durability::Synced
        } else {
            Durability::Buffered
        };
        let fails_open = self.recorder.lets_reads_pass() && !self.does_more_than_reading();
        let last = (fails_open && event.stage.is_final()).then(|| event.clone());
        if self.recorder.append(event, durability).await {
            return Ok(());
        }
        if fails_open {
            self.facts().granted = Outcome::FailOpen;
            if let Some(last) = last {
                self.recorder.keep(last.with_outcome(Outcome::FailOpen));
            }
            return Ok(());
        }
        Err(Refusal::unavailable("the audit log can't be written"))
    }

    /// What becomes of a request when something breaks down: whether it was sent decides.
    fn broken_down(&self) -> Outcome {
        if self.facts().sent {
            Outcome::Unknown
        } else {
            Outcome::Error
        }
    }

    fn count(&self, outcome: Outcome) {
        let verb = self.facts().event.verb.clone();
        self.recorder.count(verb, outcome);
    }
}
