//! Bodies that go on: watches and followed logs.
//!
//! Both wait on one counter that every change of the state moves. They look at it before they read the state, so a change
//! between the two wakes them; and what they read is the history after their own revision, so none is lost or seen twice.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use http_body::Frame;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tower::BoxError;

use super::errors::ApiError;
use super::object::{Object, edit, meta_text};
use super::read::WatchSpec;
use super::render;
use super::server::Inner;
use super::state::{Log, State};
use super::store::{Change, at_revision};
use super::subresource::LogSpec;

/// How many changes are rendered at once; more wait until these were read.
const BATCH: usize = 64;

type Chunk = Result<Frame<Bytes>, BoxError>;

/// An event of a watch that was not rendered yet.
enum Event {
    Object(&'static str, Arc<Object>),
    Bookmark { revision: u64, initial_events_end: bool },
    Error(ApiError),
}

/// A watch that is being read.
struct Watch {
    server: Weak<Inner>,
    changed: watch::Receiver<u64>,
    spec: WatchSpec,
    /// The newest revision whose changes were sent or didn't match.
    seen: u64,
    /// What is to be sent: rendered one by one, as it is read.
    pending: VecDeque<Event>,
    /// A Table's columns come once in a stream.
    columns_sent: bool,
    ended: bool,
    deadline: Option<Instant>,
    bookmark_every: Duration,
}

/// The stream of a watch. The state is the one that the request was answered in.
pub(super) fn watch(server: &Arc<Inner>, state: &State, spec: WatchSpec) -> impl Stream<Item = Chunk> + Send + use<> {
    let mut watch = Watch {
        server: Arc::downgrade(server),
        changed: server.subscribe(),
        seen: spec.from.unwrap_or_default(),
        pending: VecDeque::new(),
        columns_sent: false,
        ended: false,
        deadline: spec
            .timeout_seconds
            .and_then(|seconds| Instant::now().checked_add(Duration::from_secs(seconds))),
        bookmark_every: state.bookmark_every,
        spec,
    };
    if watch.spec.from.is_none() {
        watch.initial(state);
    }
    stream::unfold(watch, |mut watch| async move {
        watch.next().await.map(|chunk| (Ok(Frame::data(chunk)), watch))
    })
}

impl Watch {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Some(self.render(event));
            }
            if self.ended {
                return None;
            }
            self.changed.borrow_and_update();
            self.server.upgrade()?.with_state(|state| self.collect(state));
            if self.pending.is_empty() && !self.ended {
                self.wait().await;
            }
        }
    }

    /// Until something changes, the time is over, or a bookmark is due.
    async fn wait(&mut self) {
        let now = Instant::now();
        let far = now + Duration::from_secs(365 * 86_400);
        let bookmark = if self.spec.bookmarks {
            now + self.bookmark_every
        } else {
            far
        };
        tokio::select! {
            biased;
            () = sleep_until(self.deadline.unwrap_or(far)) => self.ended = true,
            changed = self.changed.changed() => self.ended = changed.is_err(),
            () = sleep_until(bookmark) => self.bookmark(self.seen, false),
        }
    }

    /// The state as it is, as if it had just been created.
    fn initial(&mut self, state: &State) {
        self.seen = state.store.revision();
        for (_, object) in state.store.list(&self.spec.target.resource, self.spec.target.scope()) {
            if self.spec.selector.matches(&object) {
                self.pending.push_back(Event::Object("ADDED", object));
            }
        }
        if self.spec.bookmarks {
            self.bookmark(self.seen, true);
        }
    }

    /// What changed since the last look.
    fn collect(&mut self, state: &State) {
        let oldest = state.store.oldest();
        if self.seen < oldest {
            let message = format!("too old resource version: {} ({oldest})", self.seen);
            self.pending.push_back(Event::Error(ApiError::expired(message)));
            self.ended = true;
            return;
        }
        let qualified = self.spec.target.resource.qualified();
        for change in state.store.changes_after(self.seen) {
            self.seen = change.revision;
            if change.key.is_in(&qualified, self.spec.target.scope()) {
                self.change(change);
            }
            if self.pending.len() >= BATCH {
                break;
            }
        }
    }

    /// A change as this watch sees it: what enters its selector is added, what leaves it deleted.
    fn change(&mut self, change: &Change) {
        let was = change
            .before
            .as_ref()
            .is_some_and(|before| self.spec.selector.matches(before));
        let is = !change.deleted && self.spec.selector.matches(&change.after);
        let event = match (was, is) {
            (false, true) => Event::Object("ADDED", Arc::clone(&change.after)),
            (true, true) => Event::Object("MODIFIED", Arc::clone(&change.after)),
            (true, false) if change.deleted => Event::Object("DELETED", Arc::clone(&change.after)),
            (true, false) => {
                let before = change.before.as_ref().unwrap_or(&change.after);
                Event::Object("DELETED", at_revision(before, change.revision))
            }
            (false, false) => return,
        };
        self.pending.push_back(event);
    }

    fn bookmark(&mut self, revision: u64, initial_events_end: bool) {
        self.pending.push_back(Event::Bookmark {
            revision,
            initial_events_end,
        });
    }

    fn render(&mut self, event: Event) -> Bytes {
        let (kind, object) = match event {
            Event::Error(error) => return render::error_event(&error),
            Event::Object(kind, object) => (kind, object),
            Event::Bookmark {
                revision,
                initial_events_end,
            } => {
                let mut object = Object::new();
                edit(&mut object, "metadata", |metadata| {
                    metadata.insert("resourceVersion".to_owned(), revision.to_string().into());
                    if initial_events_end {
                        metadata.insert("annotations".to_owned(), json!({ "k8s.io/initial-events-end": "true" }));
                    }
                });
                ("BOOKMARK", Arc::new(object))
            }
        };
        let first = !std::mem::replace(&mut self.columns_sent, true);
        render::event(kind, &self.spec.target.resource, &object, self.spec.view, first)
    }
}

/// A log that is being followed.
struct Follow {
    server: Weak<Inner>,
    changed: watch::Receiver<u64>,
    spec: LogSpec,
    uid: String,
    edition: u64,
    position: usize,
    left: usize,
    ended: bool,
}

/// What a log shows now, by `tailLines` and `limitBytes`.
pub(super) fn log_now(state: &State, spec: &LogSpec) -> Bytes {
    let Some(log) = log_of(state, spec) else {
        return Bytes::new();
    };
    let text = log.text.get(start(log, spec)..).unwrap_or_default();
    Bytes::copy_from_slice(
        text.get(..spec.limit_bytes.unwrap_or(usize::MAX).min(text.len()))
            .unwrap_or_default(),
    )
}

/// The stream of a followed log.
pub(super) fn follow(server: &Arc<Inner>, state: &State, spec: LogSpec) -> impl Stream<Item = Chunk> + Send + use<> {
    let log = log_of(state, &spec);
    let follow = Follow {
        server: Arc::downgrade(server),
        changed: server.subscribe(),
        uid: uid(state, &spec),
        edition: log.map_or(0, |log| log.edition),
        position: log.map_or(0, |log| start(log, &spec)),
        left: spec.limit_bytes.unwrap_or(usize::MAX),
        ended: false,
        spec,
    };
    stream::unfold(follow, |mut follow| async move {
        follow.next().await.map(|chunk| (Ok(Frame::data(chunk)), follow))
    })
}

impl Follow {
    async fn next(&mut self) -> Option<Bytes> {
        while !self.ended && self.left > 0 {
            self.changed.borrow_and_update();
            let chunk = self.server.upgrade()?.with_state(|state| self.collect(state));
            if !chunk.is_empty() {
                return Some(chunk);
            }
            if !self.ended {
                self.changed.changed().await.ok()?;
            }
        }
        None
    }

    /// What was appended since the last look; the end of the pod ends the log.
    fn collect(&mut self, state: &State) -> Bytes {
        if uid(state, &self.spec) != self.uid {
            self.ended = true;
            return Bytes::new();
        }
        let Some(log) = log_of(state, &self.spec) else {
            return Bytes::new();
        };
        if log.edition != self.edition {
            (self.edition, self.position) = (log.edition, 0);
        }
        let text = log.text.get(self.position..).unwrap_or_default();
        let text = text.get(..self.left.min(text.len())).unwrap_or_default();
        self.position += text.len();
        self.left -= text.len();
        Bytes::copy_from_slice(text)
    }
}

fn log_of<'a>(state: &'a State, spec: &LogSpec) -> Option<&'a Log> {
    state
        .logs
        .get(&(spec.target.namespace.clone(), spec.target.name.clone()))
}

fn uid(state: &State, spec: &LogSpec) -> String {
    let main = super::state::Target {
        subresource: String::new(),
        ..spec.target.clone()
    };
    state
        .get(&main)
        .map(|pod| meta_text(pod, "uid").to_owned())
        .unwrap_or_default()
}

/// Where the last lines begin.
fn start(log: &Log, spec: &LogSpec) -> usize {
    let Some(lines) = spec.tail_lines else { return 0 };
    let body = log.text.strip_suffix(b"\n").unwrap_or(&log.text);
    match lines.checked_sub(1) {
        None => log.text.len(),
        Some(skip) => {
            let ends = body.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n');
            ends.map(|(at, _)| at + 1).nth(skip).unwrap_or(0)
        }
    }
}
