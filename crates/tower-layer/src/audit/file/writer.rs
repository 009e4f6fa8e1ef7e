//! The thread that writes: takes what has come, writes it as one batch, answers.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use countersign_core::audit::{Encoded, Losses, SinkError};
use tokio::sync::oneshot;

use super::log::{Log, Storage};

/// Records in one batch at most.
const BATCH: usize = 1024;
/// Bytes after which a batch is full.
const BATCH_BYTES: usize = 1024 * 1024;
/// How long a record waits to be synced when nobody asks for it, and a failed log to be tried again.
const SETTLE: Duration = Duration::from_secs(1);

/// Takes the answer to one record.
pub(super) type Reply = oneshot::Sender<Result<(), SinkError>>;

/// A record to be written.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) record: Encoded,
    pub(super) synced: bool,
    pub(super) reply: Option<Reply>,
}

/// What the sink and its thread both know.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// The last write failed.
    down: AtomicBool,
    /// Bytes in the queue.
    queued: AtomicUsize,
    /// What did not get into the queue. The lock is never held while anything is written.
    pub(super) losses: Mutex<Losses>,
}

impl Shared {
    pub(super) fn is_down(&self) -> bool {
        self.down.load(Ordering::Acquire)
    }

    /// Takes room for some bytes in the queue, if there is.
    pub(super) fn reserve(&self, size: usize, max: usize) -> bool {
        let room = |queued: usize| Some(queued + size).filter(|queued| *queued <= max);
        self.queued
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, room)
            .is_ok()
    }

    pub(super) fn release(&self, size: usize) {
        self.queued.fetch_sub(size, Ordering::Relaxed);
    }

    fn take_losses(&self) -> Losses {
        std::mem::take(&mut *self.losses.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Writes until there is no sink any more.
pub(super) fn run<S: Storage>(mut log: Log<S>, jobs: &Receiver<Job>, shared: &Shared) {
    let mut batch = Vec::new();
    let mut settle_at: Option<Instant> = None;
    loop {
        let first = match settle_at {
            None => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(at) => jobs.recv_timeout(at.saturating_duration_since(Instant::now())),
        };
        match first {
            Ok(first) => collect(first, jobs, &mut batch),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        // A trickle of records that nobody waits for must not put the sync off.
        let due = settle_at.is_some_and(|at| at <= Instant::now());
        let sync = due || batch.iter().any(|job| job.synced);
        log.losses.merge(shared.take_losses());
        let result = log.write(batch.iter().map(|job| &job.record), sync);
        if result.is_err() {
            log.lose(batch.iter().map(|job| &job.record));
        }
        tell(shared, &result);
        let answer = result.map_err(|error| SinkError::from(&error));
        for job in batch.drain(..) {
            shared.release(job.record.size());
            if let Some(reply) = job.reply {
                // Who gave up waiting does not hear it.
                let _ = reply.send(answer);
            }
        }
        if log.is_settled() {
            settle_at = None;
        } else if due || settle_at.is_none() {
            settle_at = Some(Instant::now() + SETTLE);
        }
    }
    log.losses.merge(shared.take_losses());
    if !log.is_settled()
        && let Err(error) = log.settle()
    {
        let lost = log.losses.records();
        tracing::error!(%error, lost, "the audit log was closed without its last records");
    }
}

/// Notes whether the log works, before anybody is answered: once a failure is known, nothing is taken on trust.
fn tell(shared: &Shared, result: &io::Result<()>) {
    let was_down = shared.down.swap(result.is_err(), Ordering::AcqRel);
    match result {
        Err(error) if !was_down => tracing::error!(%error, "the audit log can't be written"),
        Ok(()) if was_down => tracing::info!("the audit log can be written again"),
        Ok(()) | Err(_) => {}
    }
}

/// Fills a batch with what is there.
fn collect(first: Job, jobs: &Receiver<Job>, batch: &mut Vec<Job>) {
    let mut bytes = first.record.size();
    batch.push(first);
    while batch.len() < BATCH && bytes < BATCH_BYTES {
        match jobs.try_recv() {
            Ok(job) => {
                bytes += job.record.size();
                batch.push(job);
            }
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
        }
    }
}
