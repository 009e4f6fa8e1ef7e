//! Faults on purpose: the rows of a failure table.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use serde_json::json;
use tokio::sync::watch;

use super::requests::RecordedRequest;

/// What happens to the next matching request instead of an answer, or besides it.
#[derive(Clone, Debug)]
pub struct Fault {
    method: Option<Method>,
    path: Option<String>,
    times: usize,
    action: Action,
}

/// What a fault does.
#[derive(Clone, Debug)]
pub(super) enum Action {
    Answer {
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
    },
    Break(String),
    Hang,
    LoseAnswer(String),
    CutBody {
        after: usize,
        why: String,
    },
}

/// A fault that was put in place: tells whether it was met, and lets go what it holds.
#[derive(Clone, Debug)]
pub struct Injected {
    progress: Arc<watch::Sender<Progress>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    hits: usize,
    released: bool,
}

impl Fault {
    fn new(action: Action) -> Self {
        Self {
            method: None,
            path: None,
            times: 1,
            action,
        }
    }

    /// Answers with this status and JSON body; nothing is executed.
    pub fn answer(status: StatusCode, body: impl Into<Bytes>) -> Self {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        Self::new(Action::Answer {
            status,
            headers,
            body: body.into(),
        })
    }

    /// Answers with a `metav1.Status`; nothing is executed.
    pub fn status(status: StatusCode, reason: &str, message: &str) -> Self {
        let body = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": reason, "code": status.as_u16(),
        });
        Self::answer(status, body.to_string())
    }

    /// Fails as a connection does that could not be made; nothing is executed.
    pub fn transport_error(message: impl Into<String>) -> Self {
        Self::new(Action::Break(message.into()))
    }

    /// Executes the request and loses the answer: the caller can't know what happened.
    pub fn lost_answer(message: impl Into<String>) -> Self {
        Self::new(Action::LoseAnswer(message.into()))
    }

    /// Executes the request and breaks the answer's body off after so many bytes.
    pub fn cut_body(after: usize, message: impl Into<String>) -> Self {
        Self::new(Action::CutBody {
            after,
            why: message.into(),
        })
    }

    /// Holds the request until [`Injected::release`], then executes it.
    pub fn hang() -> Self {
        Self::new(Action::Hang)
    }

    /// Sets a header of [`Fault::answer`]; other faults have none.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        if let Action::Answer { headers, .. } = &mut self.action {
            headers.insert(name, value);
        }
        self
    }

    /// Only for requests with this method.
    #[must_use]
    pub fn on_method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// Only for requests whose path and query contain this.
    #[must_use]
    pub fn on_path(mut self, part: impl Into<String>) -> Self {
        self.path = Some(part.into());
        self
    }

    /// For so many requests, not just the next one.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    fn matches(&self, request: &RecordedRequest) -> bool {
        self.method.as_ref().is_none_or(|method| *method == request.method)
            && self
                .path
                .as_ref()
                .is_none_or(|part| request.uri.contains(part.as_str()))
    }
}

impl Injected {
    /// How many requests met the fault so far.
    #[must_use]
    pub fn hits(&self) -> usize {
        self.progress.borrow().hits
    }

    /// Waits until a request has met the fault.
    pub async fn reached(&self) {
        // The sender is ours, so the wait can't end early.
        let _ = self.progress.subscribe().wait_for(|progress| progress.hits > 0).await;
    }

    /// Lets the requests go on that [`Fault::hang`] holds, and those that it would hold.
    pub fn release(&self) {
        self.progress.send_modify(|progress| progress.released = true);
    }

    /// Waits for [`Injected::release`].
    pub(super) async fn released(&self) {
        let _ = self.progress.subscribe().wait_for(|progress| progress.released).await;
    }
}

/// The faults in place, in their order.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<(Fault, Injected)>);

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) -> Injected {
        let injected = Injected {
            progress: Arc::new(watch::Sender::new(Progress::default())),
        };
        self.0.push((fault, injected.clone()));
        injected
    }

    /// The first fault that matches, used up by one.
    pub(super) fn take(&mut self, request: &RecordedRequest) -> Option<(Action, Injected)> {
        let at = self
            .0
            .iter()
            .position(|(fault, _)| fault.times > 0 && fault.matches(request))?;
        let (fault, injected) = self.0.get_mut(at)?;
        fault.times -= 1;
        injected.progress.send_modify(|progress| progress.hits += 1);
        let found = (fault.action.clone(), injected.clone());
        self.0.retain(|(fault, _)| fault.times > 0);
        Some(found)
    }
}
