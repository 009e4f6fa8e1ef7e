//! The log of what was received.

use std::collections::VecDeque;

use bytes::Bytes;
use http::{HeaderMap, Method};

/// How many requests are kept; the oldest go first.
const KEPT: usize = 10_000;

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
pub(super) struct Requests(VecDeque<RecordedRequest>);

impl Requests {
    pub(super) fn add(&mut self, request: RecordedRequest) {
        if self.0.len() >= KEPT {
            self.0.pop_front();
        }
        self.0.push_back(request);
    }

    pub(super) fn all(&self) -> Vec<RecordedRequest> {
        self.0.iter().cloned().collect()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
