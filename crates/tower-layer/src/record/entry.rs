//! The end of a record that audit keeps.

use std::sync::{Arc, Mutex};

use countersign_core::Refusal;
use countersign_core::audit::{Event, Outcome, ResponseStatus, Stage, annotation};
use countersign_core::escape::escape_clip;
use countersign_core::mask::Report;
use countersign_core::refusal::Class;
use countersign_core::request::Effects;
use http::{Request, StatusCode};

use super::facts::list;
use super::{Facts, MAX_RAW, Record, Recorder, Shared, key};
use crate::body::BoxError;

/// The end of the record that audit keeps. Dropped before it is closed, it records that the caller left.
pub(crate) struct Entry {
    shared: Arc<Shared>,
    closed: bool,
    /// The answer's head went out: what follows is the end of a stream.
    streaming: bool,
}

impl Entry {
    /// Opens the record of a request that arrived.
    pub(crate) fn open<B>(recorder: &Arc<Recorder>, request: &Request<B>) -> (Self, Record) {
        let now = recorder.now();
        let audit_id = uuid::Uuid::new_v4().to_string();
        let mut event = Event::new(audit_id.clone(), Stage::RequestReceived, now, now);
        event.request_uri = escape_clip(&request.uri().to_string(), MAX_RAW);
        event.verb = escape_clip(&request.method().as_str().to_ascii_lowercase(), 64);
        let facts = Facts {
            event,
            effects: None,
            granted: Outcome::Allow,
            sent: false,
            upstream: None,
            warnings: Vec::new(),
            tells_masked: false,
        };
        let shared = Arc::new(Shared {
            recorder: Arc::clone(recorder),
            span: tracing::info_span!("countersign", audit_id, masked = tracing::field::Empty),
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

    pub(crate) fn audit_id(&self) -> &str {
        &self.shared.audit_id
    }

    /// The span of this request.
    pub(crate) fn span(&self) -> tracing::Span {
        self.shared.span.clone()
    }

    /// Whether the caller is told how many values were masked.
    pub(crate) fn tells_masked(&self) -> bool {
        self.shared.facts().tells_masked
    }

    /// Notes what was masked in what was delivered: for the last event, the span and the metrics. Said once.
    pub(crate) fn masked(&self, report: &Report) {
        self.shared.span.record("masked", report.masked());
        let resource = {
            let mut facts = self.shared.facts();
            let annotations = &mut facts.event.annotations;
            annotations.insert(annotation::MASKED.into(), report.masked().to_string());
            if report.masked() > 0 {
                let rules = report.rules().map(|(rule, count)| format!("{rule}={count}"));
                annotations.insert(key::MASKED_BY.into(), list(rules));
            }
            if report.hidden() > 0 {
                annotations.insert(key::HIDDEN.into(), report.hidden().to_string());
            }
            facts.event.object_ref.as_ref().map(|object| object.resource.clone())
        };
        self.shared.recorder.count_masked(report, &resource.unwrap_or_default());
    }

    /// What the policy warns the caller of.
    pub(crate) fn warnings(&self) -> Vec<String> {
        self.shared.facts().warnings.clone()
    }

    /// Whether the answer is a stream that is delivered as it comes.
    pub(crate) fn is_stream(&self) -> bool {
        use countersign_core::request::Effect::{Connect, Log, ReadStream};
        let streams: Effects = [ReadStream, Log, Connect].into_iter().collect();
        self.shared
            .facts()
            .effects
            .is_none_or(|effects| effects.intersects(streams))
    }

    /// Records that nothing, or nothing more, is delivered, and why; returns what the caller is told.
    pub(crate) async fn refused(mut self, refusal: Refusal) -> Refusal {
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
    pub(crate) async fn failed<T>(mut self, error: BoxError) -> Result<T, BoxError> {
        let outcome = self.shared.broken_down();
        let event = self.shared.event(Stage::ResponseComplete, outcome);
        // The error's text is not recorded: it may quote what the server sent.
        if self.close(event, outcome).await.is_err() {
            tracing::error!("a breakdown could not be recorded");
        }
        Err(error)
    }

    /// Records that code of ours or of the user's panicked.
    pub(crate) async fn panicked(mut self) -> Refusal {
        let outcome = self.shared.broken_down();
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
    pub(crate) async fn started(&mut self, status: StatusCode) -> Result<(), Refusal> {
        let granted = self.shared.facts().granted;
        let event = self.shared.event(Stage::ResponseStarted, granted);
        let event = event.with_response(ResponseStatus::new(status.as_u16()));
        self.shared.append(event).await?;
        self.streaming = true;
        Ok(())
    }

    /// Records that the answer is complete; an error means that its end may not be delivered.
    pub(crate) async fn completed(mut self, status: StatusCode, report: Report, bytes: u64) -> Result<(), Refusal> {
        self.masked(&report);
        let granted = self.shared.facts().granted;
        let event = self.shared.event(Stage::ResponseComplete, granted);
        let event = event
            .with_response(ResponseStatus::new(status.as_u16()))
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
        let (stage, status) = (event.stage, event.response_status.clone());
        let written = self.shared.append(event).await;
        self.closed = true;
        match written {
            Ok(()) => {
                self.shared.count(outcome);
                Ok(())
            }
            Err(refusal) => {
                let outcome = self.shared.broken_down();
                self.shared.count(outcome);
                if outcome == Outcome::Unknown {
                    let mut event = self.shared.event(stage, outcome);
                    event.response_status = status;
                    self.shared.recorder.keep(event);
                }
                Err(refusal)
            }
        }
    }
}

/// What the caller is told when something broke down behind the send.
pub(crate) fn sent_and_broken() -> Refusal {
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
