//! The log of a container, and `GET /containerLogs/…`: `follow`, `tailLines`, `sinceSeconds`, `sinceTime`,
//! `timestamps`, `limitBytes`.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::stream;
use http::{Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use super::container::Container;
use super::process::Stream;
use super::query::Query;
use super::{Body, text};

/// A log keeps this much; then the oldest lines go, as when a real kubelet rotates.
const KEPT: usize = 10 * 1024 * 1024;
/// A line that is longer is kept in parts, as container runtimes do.
const LINE: usize = 16 * 1024;

#[derive(Default)]
pub(super) struct Log {
    lines: Mutex<Lines>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct Lines {
    kept: VecDeque<(Timestamp, Bytes)>,
    /// The number of the first line that is kept.
    first: usize,
    bytes: usize,
    /// What came without its end of line, of stdout and of stderr.
    partial: [Vec<u8>; 2],
    ended: bool,
}

impl Log {
    pub(super) fn append(&self, stream: Stream, chunk: &[u8]) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            let partial = lines.partial_of(stream);
            partial.extend_from_slice(piece);
            if piece.ends_with(b"\n") || partial.len() >= LINE {
                let line = std::mem::take(partial);
                lines.push(line);
            }
        }
        drop(lines);
        self.changed.send_replace(());
    }

    pub(super) fn end(&self) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        for stream in [Stream::Stdout, Stream::Stderr] {
            let line = std::mem::take(lines.partial_of(stream));
            if !line.is_empty() {
                lines.push(line);
            }
        }
        lines.ended = true;
        drop(lines);
        self.changed.send_replace(());
    }

    /// The line with this number, or the first that is kept after it; the number of the one after that; whether there
    /// will be none any more.
    fn next(&self, number: usize) -> (Option<(Timestamp, Bytes)>, usize, bool) {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let number = number.max(lines.first);
        match lines.kept.get(number - lines.first) {
            Some(line) => (Some(line.clone()), number + 1, false),
            None => (None, number, lines.ended),
        }
    }

    fn end_number(&self) -> usize {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.first + lines.kept.len()
    }
}

impl Lines {
    fn partial_of(&mut self, stream: Stream) -> &mut Vec<u8> {
        let [stdout, stderr] = &mut self.partial;
        match stream {
            Stream::Stdout => stdout,
            Stream::Stderr => stderr,
        }
    }

    fn push(&mut self, line: Vec<u8>) {
        self.bytes += line.len();
        self.kept.push_back((Timestamp::now(), line.into()));
        while self.bytes > KEPT
            && let Some((_, oldest)) = self.kept.pop_front()
        {
            self.bytes -= oldest.len();
            self.first += 1;
        }
    }
}

/// A reader of a log.
struct Cursor {
    container: Arc<Container>,
    changed: watch::Receiver<()>,
    number: usize,
    /// Without `follow`: the number of the line to stop before.
    until: Option<usize>,
    since: Timestamp,
    timestamps: bool,
    /// How many bytes may still be given out.
    budget: usize,
}

pub(super) fn answer(container: &Arc<Container>, query: &Query) -> Response<Body> {
    if query.is_set("previous") {
        return text(
            StatusCode::BAD_REQUEST,
            format!("previous terminated container {:?} not found\n", container.name),
        );
    }
    let end = container.log.end_number();
    let seconds = query
        .number("sinceSeconds")
        .and_then(|seconds| i64::try_from(seconds).ok());
    let ago = seconds.and_then(|seconds| Timestamp::now().checked_sub(SignedDuration::from_secs(seconds)).ok());
    let time = query.first("sinceTime").and_then(|time| time.parse().ok());
    let count = |name| query.number(name).and_then(|number| usize::try_from(number).ok());
    let cursor = Cursor {
        container: Arc::clone(container),
        changed: container.log.changed.subscribe(),
        number: count("tailLines").map_or(0, |lines| end.saturating_sub(lines)),
        until: (!query.is_set("follow")).then_some(end),
        since: ago.or(time).unwrap_or(Timestamp::MIN),
        timestamps: query.is_set("timestamps"),
        budget: count("limitBytes").unwrap_or(usize::MAX),
    };
    let frames = stream::unfold(cursor, |mut cursor| async move {
        let line = cursor.line().await?;
        Some((Ok(Frame::data(line)), cursor))
    });
    let mut response = Response::new(BodyExt::boxed(StreamBody::new(frames)));
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("text/plain"));
    response
}

impl Cursor {
    async fn line(&mut self) -> Option<Bytes> {
        loop {
            if self.budget == 0 || self.until.is_some_and(|until| self.number >= until) {
                return None;
            }
            self.changed.mark_unchanged();
            let (line, number, ended) = self.container.log.next(self.number);
            self.number = number;
            match line {
                Some((at, _)) if at < self.since => {}
                Some((at, line)) => {
                    let mut line = if self.timestamps {
                        [format!("{at} ").as_bytes(), &line].concat().into()
                    } else {
                        line
                    };
                    line.truncate(self.budget);
                    self.budget -= line.len();
                    return Some(line);
                }
                None if ended => return None,
                // The container holds the sender.
                None => self.changed.changed().await.ok()?,
            }
        }
    }
}
