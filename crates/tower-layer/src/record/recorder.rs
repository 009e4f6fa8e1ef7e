//! What all records share: the sink, the clock, and what a broken sink missed.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_core::Timestamp;
use countersign_core::audit::{AuditSink, Durability, Event, Outcome};
use countersign_core::mask::Report;
use futures_util::FutureExt as _;
use opentelemetry::KeyValue;
use opentelemetry::metrics::Counter;

use crate::clock::Clock;

/// What all records share.
pub(crate) struct Recorder {
    sink: Arc<dyn AuditSink>,
    clock: Arc<dyn Clock>,
    reads_without_audit: bool,
    requests: Counter<u64>,
    masked: Counter<u64>,
    /// Last events that the sink did not take: how requests ended that were sent all the same. Kept for when it is back.
    late: Mutex<VecDeque<Event>>,
}

/// Last events that are kept while the sink is down. The sink counts those beyond as lost.
const MAX_LATE: usize = 1024;

impl Recorder {
    pub(crate) fn new(sink: Arc<dyn AuditSink>, clock: Arc<dyn Clock>) -> Self {
        let meter = opentelemetry::global::meter("countersign");
        let requests = meter
            .u64_counter("countersign.requests")
            .with_description("Requests that the guard saw, by verb and outcome")
            .build();
        let masked = meter
            .u64_counter("countersign.masked.values")
            .with_description("Values that were masked in answers, by rule and resource")
            .build();
        Self {
            sink,
            clock,
            reads_without_audit: false,
            requests,
            masked,
            late: Mutex::default(),
        }
    }

    pub(crate) fn insecure_reads_without_audit(&self) -> Self {
        Self {
            sink: Arc::clone(&self.sink),
            clock: Arc::clone(&self.clock),
            reads_without_audit: true,
            requests: self.requests.clone(),
            masked: self.masked.clone(),
            late: Mutex::default(),
        }
    }

    /// The time; `fallback` if the clock, which is the user's code, panics.
    pub(crate) fn now_or(&self, fallback: Timestamp) -> Timestamp {
        // Caught, since an event is also made while a panic unwinds, where a second one would end the process.
        catch_unwind(AssertUnwindSafe(|| self.clock.now())).unwrap_or(fallback)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn lets_reads_pass(&self) -> bool {
        self.reads_without_audit
    }

    /// Writes an event; says whether the sink took it. A sink that panics is a sink that does not work.
    pub(crate) async fn append(&self, event: Event, durability: Durability) -> bool {
        let audit_id = event.audit_id.clone();
        match AssertUnwindSafe(self.sink.append(event, durability))
            .catch_unwind()
            .await
        {
            Ok(Ok(())) => {
                self.submit_late();
                return true;
            }
            Ok(Err(error)) => tracing::error!(%error, audit_id, "audit sink failed"),
            Err(_panic) => tracing::error!(audit_id, "audit sink panicked"),
        }
        false
    }

    /// Hands an event over without waiting.
    pub(crate) fn submit(&self, event: Event) {
        if catch_unwind(AssertUnwindSafe(|| self.sink.submit(event))).is_err() {
            tracing::error!("audit sink panicked");
        }
    }

    /// Keeps the last event of a request for when the sink is back.
    pub(crate) fn keep(&self, event: Event) {
        let mut late = self.late();
        if late.len() < MAX_LATE {
            late.push_back(event);
        }
    }

    pub(crate) fn count(&self, verb: String, outcome: Outcome) {
        let attributes = [KeyValue::new("outcome", outcome.as_str()), KeyValue::new("verb", verb)];
        self.requests.add(1, &attributes);
    }

    /// Counts only: never a value, a length or a hash.
    pub(crate) fn count_masked(&self, report: &Report, resource: &str) {
        for (rule, count) in report.rules() {
            let attributes = [
                KeyValue::new("rule", rule.to_owned()),
                KeyValue::new("resource", resource.to_owned()),
            ];
            self.masked.add(count, &attributes);
        }
    }

    /// The sink took an event, so it may take those that it missed.
    fn submit_late(&self) {
        let late = std::mem::take(&mut *self.late());
        late.into_iter().for_each(|event| self.submit(event));
    }

    fn late(&self) -> MutexGuard<'_, VecDeque<Event>> {
        // Nothing panics while it holds the lock.
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
