//! What travels through the pipeline beside the request itself.

use countersign_core::Subject;
use countersign_core::subject::Claims;

use crate::policy::Reserved;
use crate::record::Record;

/// A request on its way: what a step made of it, who asks, and its open record.
///
/// Only the steps make one. A layer of yours between two steps reads it and passes it on, or refuses it.
#[derive(Debug)]
pub struct InFlight<T> {
    subject: Subject,
    claims: Claims,
    record: Record,
    /// Given back when the request ends without having been sent.
    reserved: Option<Reserved>,
    stage: T,
}

impl<T> InFlight<T> {
    pub(crate) fn new(subject: Subject, claims: Claims, record: Record, stage: T) -> Self {
        Self {
            subject,
            claims,
            record,
            reserved: None,
            stage,
        }
    }

    /// What the last step made of the request.
    pub fn stage(&self) -> &T {
        &self.stage
    }

    /// Who asks.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// What the caller claims: no grounds for any right.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The open record.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Takes the stage out, to be replaced by the next.
    pub(crate) fn take(self) -> (T, InFlight<()>) {
        (
            self.stage,
            InFlight {
                subject: self.subject,
                claims: self.claims,
                record: self.record,
                reserved: self.reserved,
                stage: (),
            },
        )
    }

    pub(crate) fn with_reserved(mut self, reserved: Option<Reserved>) -> Self {
        self.reserved = reserved;
        self
    }

    pub(crate) fn into_parts(self) -> (Record, Option<Reserved>) {
        (self.record, self.reserved)
    }
}

impl InFlight<()> {
    pub(crate) fn with<T>(self, stage: T) -> InFlight<T> {
        InFlight {
            subject: self.subject,
            claims: self.claims,
            record: self.record,
            reserved: self.reserved,
            stage,
        }
    }
}
