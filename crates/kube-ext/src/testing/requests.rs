//! The log of what was received.

use std::collections::VecDeque;

use bytes::Bytes;
use http::{HeaderMap, Method};

/// How many requests are kept, and how many bytes of their bodies; the oldest go first.
const KEPT: usize = 10_000;
const KEPT_BYTES: usize = 64 * 1024 * 1024;

/// A request as it was received.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The method.
    pub method: Method,
    /// Path and query, as they came.
    pub uri: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body; empty where it was over the limit.
    pub body: Bytes,
}

impl RecordedRequest {
    /// The path without the query, as it came.
    #[must_use]
    pub fn path(&self) -> &str {
        self.uri.split('?').next().unwrap_or_default()
    }
}

/// The newest requests, oldest first.
#[derive(Debug, Default)]
pub(super) struct Requests {
    kept: VecDeque<RecordedRequest>,
    bytes: usize,
}

impl Requests {
    pub(super) fn add(&mut self, request: RecordedRequest) {
        self.bytes += request.body.len();
        self.kept.push_back(request);
        while self.kept.len() > KEPT || (self.bytes > KEPT_BYTES && self.kept.len() > 1) {
            if let Some(oldest) = self.kept.pop_front() {
                self.bytes -= oldest.body.len();
            }
        }
    }

    pub(super) fn all(&self) -> Vec<RecordedRequest> {
        self.kept.iter().cloned().collect()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
