//! The open record of one request: one end stays with audit, the other travels with the request.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_core::approval::{Grant, Ticket, Vote};
use countersign_core::audit::{
    AuditSink, Durability, Event, ObjectReference, Outcome, ResponseStatus, Stage, User, annotation,
};
use countersign_core::escape::escape_clip;
use countersign_core::mask::Report;
use countersign_core::policy::Decision;
use countersign_core::refusal::Class;
use countersign_core::request::{Canonical, Effects, Sealed};
use countersign_core::subject::Claims;
use countersign_core::{Refusal, Subject};
use futures_util::FutureExt as _;
use http::{Request, StatusCode};
use opentelemetry::KeyValue;
use opentelemetry::metrics::Counter;

use crate::body::BoxError;
use crate::clock::Clock;
use crate::step::Stop;

/// What the guard calls itself upstream.
const USER_AGENT: &str = concat!("countersign/", env!("CARGO_PKG_VERSION"));

/// Longest piece of an unparsed request that is recorded.
const MAX_RAW: usize = 1024;

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
    /// Objects that the guard read for itself.
    pub(super) const PROBES: &str = "countersign.dev/probes";
    /// The upgraded connection passed unseen.
    pub(super) const OPAQUE: &str = "countersign.dev/insecure-opaque-stream";
    /// Who ended a stream before its end.
    pub(super) const ENDED_BY: &str = "countersign.dev/ended-by";
    /// Bytes of body that were delivered.
    pub(super) const BYTES: &str = "countersign.dev/bytes";
}

/// What all records share.
pub(super) struct Recorder {
    sink: Arc<dyn AuditSink>,
    clock: Arc<dyn Clock>,
    reads_without_audit: bool,
    requests: Counter<u64>,
    /// Last events that the sink did not take: how requests ended that were sent all the same. Kept for when it is back.
    late: Mutex<VecDeque<Event>>,
}

/// Last events that are kept while the sink is down. The sink counts those beyond as lost.
const MAX_LATE: usize = 1024;

impl Recorder {
    pub(super) fn new(sink: Arc<dyn AuditSink>, clock: Arc<dyn Clock>) -> Self {
        let requests = opentelemetry::global::meter("countersign")
            .u64_counter("countersign.requests")
            .with_description("Requests that the guard saw, by verb and outcome")
            .build();
        Self {
            sink,
            clock,
            reads_without_audit: false,
            requests,
            late: Mutex::default(),
        }
    }

    pub(super) fn insecure_reads_without_audit(&self) -> Self {
        Self {
            sink: Arc::clone(&self.sink),
            clock: Arc::clone(&self.clock),
            reads_without_audit: true,
            requests: self.requests.clone(),
            late: Mutex::default(),
        }
    }

    fn late(&self) -> MutexGuard<'_, VecDeque<Event>> {
        // Nothing panics while it holds the lock.
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, event: Event) {
        let mut late = self.late();
        if late.len() < MAX_LATE {
            late.push_back(event);
        }
    }

    fn submit(&self, event: Event) {
        // A sink is the user's code: its panic is a sink that does not work.
        let submitted = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.sink.submit(event)));
        if submitted.is_err() {
            tracing::error!("audit sink panicked");
        }
    }

    /// The sink took an event, so it may take those that it missed.
    fn submit_late(&self) {
        let late = std::mem::take(&mut *self.late());
        late.into_iter().for_each(|event| self.submit(event));
    }
}

struct Shared {
    recorder: Arc<Recorder>,
    audit_id: String,
    facts: Mutex<Facts>,
}

/// What is known of the request so far.
struct Facts {
    /// Everything that goes into each of its events.
    event: Event,
    effects: Option<Effects>,
    granted: Outcome,
    user_agent: Option<String>,
    sent: bool,
    upstream: Option<StatusCode>,
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
        match &self.facts().user_agent {
            Some(agent) => format!("{USER_AGENT} {agent}"),
            None => USER_AGENT.to_owned(),
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
        facts.user_agent = request.user_agent().map(str::to_owned);
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
            annotations.insert(annotation::RULE.into(), rule.name.clone());
        }
        let fired: Vec<_> = decision
            .fired()
            .iter()
            .map(|rule| format!("{}={}", rule.name, rule.action))
            .collect();
        if !fired.is_empty() {
            annotations.insert(key::FIRED.into(), fired.join(","));
        }
    }

    pub(crate) fn sealed(&self, sealed: &Sealed) {
        let mut facts = self.facts();
        facts
            .event
            .annotations
            .insert(annotation::DIGEST.into(), sealed.digest().to_string());
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
                countersign_core::approval::Answer::Approve => "approve",
                countersign_core::approval::Answer::Deny => "deny",
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

impl Shared {
    fn facts(&self) -> MutexGuard<'_, Facts> {
        // Facts are plain data: a panic while they were held leaves nothing half done that matters.
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn event(&self, stage: Stage, outcome: Outcome) -> Event {
        // The clock is the user's code. Without it the event still has to be recorded, also while another panic unwinds,
        // where a second one would end the process.
        let now = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.recorder.clock.now()));
        let facts = self.facts();
        let now = now.unwrap_or(facts.event.request_received_timestamp);
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
        // A sink is the user's code: its panic is a sink that does not work.
        let appended = std::panic::AssertUnwindSafe(self.recorder.sink.append(event.clone(), durability))
            .catch_unwind()
            .await;
        match appended {
            Ok(Ok(())) => {
                self.recorder.submit_late();
                return Ok(());
            }
            Ok(Err(error)) => tracing::error!(%error, audit_id = self.audit_id, "audit sink failed"),
            Err(_panic) => tracing::error!(audit_id = self.audit_id, "audit sink panicked"),
        }
        if self.recorder.reads_without_audit && !self.does_more_than_reading() {
            self.facts().granted = Outcome::FailOpen;
            if event.stage.is_final() {
                self.recorder.keep(event.with_outcome(Outcome::FailOpen));
            }
            return Ok(());
        }
        Err(Refusal::unavailable("the audit log can't be written"))
    }

    fn count(&self, outcome: Outcome) {
        let verb = self.facts().event.verb.clone();
        let attributes = [KeyValue::new("outcome", outcome.as_str()), KeyValue::new("verb", verb)];
        self.recorder.requests.add(1, &attributes);
    }
}

/// The end of the record that audit keeps. Dropped before it is closed, it records that the caller left.
pub(super) struct Entry {
    shared: Arc<Shared>,
    closed: bool,
    /// The answer's head went out: what follows is the end of a stream.
    streaming: bool,
}

impl Entry {
    /// Opens the record of a request that arrived.
    pub(super) fn open<B>(recorder: &Arc<Recorder>, request: &Request<B>) -> (Self, Record) {
        let now = recorder.clock.now();
        let audit_id = uuid::Uuid::new_v4().to_string();
        let mut event = Event::new(audit_id.clone(), Stage::RequestReceived, now, now);
        event.request_uri = escape_clip(&request.uri().to_string(), MAX_RAW);
        event.verb = escape_clip(&request.method().as_str().to_ascii_lowercase(), 64);
        let facts = Facts {
            event,
            effects: None,
            granted: Outcome::Allow,
            user_agent: None,
            sent: false,
            upstream: None,
        };
        let shared = Arc::new(Shared {
            recorder: Arc::clone(recorder),
            audit_id,
            facts: Mutex::new(facts),
        });
        let record = Record(Arc::clone(&shared));
        (
            Self {
                shared,
                closed: false,
                streaming: false,
            },
            record,
        )
    }

    pub(super) fn audit_id(&self) -> &str {
        &self.shared.audit_id
    }

    /// Whether the answer is a stream that is delivered as it comes.
    pub(super) fn is_stream(&self) -> bool {
        use countersign_core::request::Effect::{Connect, Log, ReadStream};
        let streams: Effects = [ReadStream, Log, Connect].into_iter().collect();
        self.shared
            .facts()
            .effects
            .is_none_or(|effects| effects.intersects(streams))
    }

    /// Records that nothing, or nothing more, is delivered, and why; returns what the caller is told.
    pub(super) async fn refused(mut self, refusal: Refusal) -> Refusal {
        let outcome = self.refusal_outcome(&refusal);
        let mut event = self.shared.event(Stage::ResponseComplete, outcome);
        let status = ResponseStatus::new(refusal.status().as_u16()).with_reason(refusal.reason(), refusal.message());
        event = event.with_response(status).with(key::CLASS, refusal.class().as_str());
        if let Some(rule) = refusal.rule() {
            event = event.with(annotation::RULE, rule);
        }
        event = self.with_upstream_code(event);
        match self.close(event, outcome).await {
            Ok(()) => refusal,
            Err(unrecorded) => unrecorded,
        }
    }

    /// Records a breakdown below the guard, and hands the error out as it is: kube looks into it.
    pub(super) async fn failed<T>(mut self, error: BoxError) -> Result<T, BoxError> {
        let outcome = if self.shared.facts().sent {
            Outcome::Unknown
        } else {
            Outcome::Error
        };
        let event = self.shared.event(Stage::ResponseComplete, outcome);
        // The error's text is not recorded: it may quote what the server sent.
        if self.close(event, outcome).await.is_err() {
            tracing::error!("a breakdown could not be recorded");
        }
        Err(error)
    }

    /// Records that code of ours or of the user's panicked.
    pub(super) async fn panicked(mut self) -> Refusal {
        let outcome = if self.shared.facts().sent {
            Outcome::Unknown
        } else {
            Outcome::Error
        };
        let event = self.shared.event(Stage::Panic, outcome);
        let refusal = match outcome {
            Outcome::Unknown => sent_and_broken(),
            _ => Refusal::unavailable("the guard broke down while it handled this request; nothing was sent"),
        };
        match self.close(event, outcome).await {
            Ok(()) => refusal,
            Err(unrecorded) => unrecorded,
        }
    }

    /// Records the head of a stream; an error means that nothing may be delivered.
    pub(super) async fn started(&mut self, status: StatusCode) -> Result<(), Refusal> {
        let granted = self.shared.facts().granted;
        let event = self.shared.event(Stage::ResponseStarted, granted);
        let event = event.with_response(ResponseStatus::new(status.as_u16()));
        self.shared.append(event).await?;
        self.streaming = true;
        Ok(())
    }

    /// Records that the answer is complete; an error means that its end may not be delivered.
    pub(super) async fn completed(mut self, status: StatusCode, report: Report, bytes: u64) -> Result<(), Refusal> {
        let granted = self.shared.facts().granted;
        let event = self.shared.event(Stage::ResponseComplete, granted);
        let event = event
            .with_response(ResponseStatus::new(status.as_u16()))
            .with(annotation::MASKED, report.masked().to_string())
            .with(key::BYTES, bytes.to_string());
        self.close(event, granted).await
    }

    fn refusal_outcome(&self, refusal: &Refusal) -> Outcome {
        let facts = self.shared.facts();
        let held = facts.event.annotations.contains_key(annotation::TICKET);
        match refusal.class() {
            _ if facts.sent => Outcome::Unknown,
            Class::Approval if held && refusal.status() == StatusCode::GATEWAY_TIMEOUT => Outcome::HoldExpired,
            Class::Approval if held && refusal.status() == StatusCode::FORBIDDEN => Outcome::HoldDenied,
            Class::Unavailable => Outcome::Error,
            _ => Outcome::Deny,
        }
    }

    fn with_upstream_code(&self, event: Event) -> Event {
        match self.shared.facts().upstream {
            Some(status) => event.with(key::UPSTREAM_CODE, status.as_u16().to_string()),
            None => event,
        }
    }

    /// Writes the last event. If that fails and the request was sent, the event is kept as `unknown` and written when the
    /// sink is back; if nothing was sent, the sink's own count of what it missed is enough.
    async fn close(&mut self, event: Event, outcome: Outcome) -> Result<(), Refusal> {
        let written = self.shared.append(event.clone()).await;
        self.closed = true;
        match written {
            Ok(()) => {
                self.shared.count(outcome);
                Ok(())
            }
            Err(refusal) => {
                let sent = self.shared.facts().sent;
                let outcome = if sent { Outcome::Unknown } else { Outcome::Error };
                self.shared.count(outcome);
                if sent {
                    self.shared.recorder.keep(event.with_outcome(outcome));
                }
                Err(refusal)
            }
        }
    }
}

/// What the caller is told when something broke down behind the send.
pub(super) fn sent_and_broken() -> Refusal {
    Refusal::unavailable(
        "the guard broke down after this request was sent; what it did is unknown, so look before repeating it",
    )
}

impl Drop for Entry {
    fn drop(&mut self) {
        if self.closed {
            return;
        }
        let shared = &self.shared;
        let (sent, upstream, granted) = {
            let facts = shared.facts();
            (facts.sent, facts.upstream, facts.granted)
        };
        let panicking = std::thread::panicking();
        let outcome = match (sent, self.streaming) {
            (_, true) => granted,
            (true, false) => Outcome::Unknown,
            (false, false) if panicking => Outcome::Error,
            (false, false) => Outcome::CallerLeft,
        };
        let stage = if panicking {
            Stage::Panic
        } else {
            Stage::ResponseComplete
        };
        let mut event = shared
            .event(stage, outcome)
            .with(key::ENDED_BY, if panicking { "panic" } else { "caller" });
        if let Some(status) = upstream {
            event = event.with_response(ResponseStatus::new(status.as_u16()));
        }
        shared.count(outcome);
        shared.recorder.submit(event);
    }
}
