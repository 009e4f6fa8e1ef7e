//! An audit log in a file: JSON lines, chained, with one fdatasync for many records.
//!
//! 1. One thread writes. Whatever has come while it synced the last time goes into one write and, if any of it has to be
//!    durable, one fdatasync; so durability costs the less the more ask for it.
//! 2. Nobody waits for room. When the queue is full, `append` is an error and `submit` is counted.
//! 3. A write that fails is undone: the file is cut back to its last whole record, those who wait get an error, and what
//!    is lost stands in the record of a gap, which is written before the next record that succeeds. From the failure on
//!    until then every `append` waits for its write, buffered or not, so that nothing is taken on trust.
//! 4. After a failed sync nobody knows what the disk holds. Records since the last good one are kept in memory (at most
//!    1 MiB, for at most a second) and written again in their place.
//! 5. One writer for one file: it is locked against others (`flock`), and created for its owner alone (0600).
//! 6. Opening an existing log continues it. Half a line at its end, as a crash leaves it, is cut off and recorded as a
//!    gap. Any other damage is an error that names the line: such a file is evidence, and is not touched.
//!
//! Who is refused because of this sink sees 503. To rotate a log, drop the sink, rename the file and open the path anew:
//! the new file is a log of its own, with its own id.
//!
//! ```
//! use countersign_core::audit::verify;
//! use countersign_tower::audit::file::FileSink;
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("audit.log");
//! let sink = FileSink::open(&path)?;
//! assert!(FileSink::open(&path).is_err(), "a second writer is refused");
//! drop(sink);
//! assert!(verify(&std::fs::read(&path)?).is_intact());
//! # std::io::Result::Ok(())
//! ```

mod log;
mod resume;
mod writer;

use std::io;
use std::path::Path;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};

use async_trait::async_trait;
use countersign_core::audit::{AuditSink, Durability, Encoded, Event, LossCause, SinkError, SinkErrorKind};
use tokio::sync::oneshot;

use log::{Log, Storage};
use writer::{Job, Shared};

/// Records that wait to be written at most.
const QUEUE: usize = 8192;
/// Bytes of them at most.
const QUEUE_BYTES: usize = 16 * 1024 * 1024;

/// Keeps records in a file.
///
/// Dropping it writes and syncs what has been taken, and waits for that.
#[derive(Debug)]
pub struct FileSink {
    /// `None` while it is dropped: the writer ends when there is no sender.
    queue: Option<SyncSender<Job>>,
    writer: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
}

impl FileSink {
    /// Opens the log at this path, or begins one.
    ///
    /// It reads and may sync, so call it where blocking is allowed.
    ///
    /// # Errors
    /// The file can't be opened or locked (`ResourceBusy`: another writer has it), or it ends in something that is no
    /// record (`InvalidData`).
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::start(resume::open(path.as_ref())?)
    }

    fn start<S: Storage>(log: Log<S>) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (queue, jobs) = sync_channel(QUEUE);
        let writer = thread::Builder::new().name("countersign-audit".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || writer::run(log, &jobs, &shared)
        })?;
        Ok(Self {
            queue: Some(queue),
            writer: Some(writer),
            shared,
        })
    }

    /// Encodes an event and puts it into the queue; what doesn't get there is counted.
    fn enqueue(&self, event: &Event, synced: bool, reply: Option<writer::Reply>) -> Result<(), SinkError> {
        let at = event.stage_timestamp;
        let lost = |cause, kind: SinkErrorKind| {
            self.shared
                .losses
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .add(cause, at);
            SinkError::from(kind)
        };
        let record = Encoded::new(event).map_err(|_| lost(LossCause::TooLarge, SinkErrorKind::TooLarge))?;
        let size = record.size();
        if !self.shared.reserve(size, QUEUE_BYTES) {
            return Err(lost(LossCause::Full, SinkErrorKind::Full));
        }
        let job = Job { record, synced, reply };
        let sent = match &self.queue {
            Some(queue) => queue.try_send(job),
            None => Err(TrySendError::Disconnected(job)),
        };
        sent.map_err(|error| {
            self.shared.release(size);
            match error {
                TrySendError::Full(_) => lost(LossCause::Full, SinkErrorKind::Full),
                TrySendError::Disconnected(_) => lost(LossCause::Write, SinkErrorKind::Closed),
            }
        })
    }
}

#[async_trait]
impl AuditSink for FileSink {
    async fn append(&self, event: Event, durability: Durability) -> Result<(), SinkError> {
        let synced = durability == Durability::Synced;
        if !synced && !self.shared.is_down() {
            return self.enqueue(&event, false, None);
        }
        let (reply, answer) = oneshot::channel();
        self.enqueue(&event, synced, Some(reply))?;
        // The writer answers everything that it takes; if it does not, it is gone.
        answer.await.unwrap_or(Err(SinkErrorKind::Closed.into()))
    }

    fn submit(&self, event: Event) {
        // What is not taken has been counted.
        let _ = self.enqueue(&event, false, None);
    }
}

impl Drop for FileSink {
    fn drop(&mut self) {
        self.queue = None;
        // An answer can wake, and so drop, the last owner of this sink on the writer's own thread.
        if let Some(writer) = self.writer.take()
            && writer.thread().id() != thread::current().id()
        {
            // A writer that panicked has lost its queue; there is nobody left to tell.
            let _ = writer.join();
        }
    }
}

#[cfg(test)]
mod tests;
