//! The file behind a sink: whole records only, whatever fails.

use std::fs::{File, TryLockError};
use std::io::{self, Seek as _, SeekFrom, Write as _};

use countersign_core::audit::{Chain, Encoded, LossCause, Losses};
use jiff::Timestamp;

/// Bytes that may wait to be synced. They are kept in memory too, so that a failed sync loses none of them.
const UNSYNCED: usize = 1024 * 1024;

/// What a log is written to.
pub(super) trait Storage: Send + 'static {
    /// Writes all bytes at this offset.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Cuts off what is behind this length.
    fn truncate(&mut self, len: u64) -> io::Result<()>;
    /// Brings what was written to stable storage.
    fn sync(&mut self) -> io::Result<()>;
}

/// A file that is locked against other writers until it is dropped.
#[derive(Debug)]
pub(super) struct Locked(File);

impl Locked {
    /// Locks a file.
    pub(super) fn new(file: File) -> Result<Self, TryLockError> {
        file.try_lock()?;
        Ok(Self(file))
    }

    pub(super) fn file(&mut self) -> &mut File {
        &mut self.0
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        // Closing would do, but for a process that is being started right now: it has a copy of every file until it runs
        // its program, and the lock with it.
        let _ = self.0.unlock();
    }
}

impl Storage for Locked {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.seek(SeekFrom::Start(offset))?;
        self.0.write_all(bytes)
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()?;
        // A deleted file takes everything and keeps nothing.
        #[cfg(unix)]
        if std::os::unix::fs::MetadataExt::nlink(&self.0.metadata()?) == 0 {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the file was deleted"));
        }
        Ok(())
    }
}

/// A log that records are appended to in batches, each as a whole or not at all.
#[derive(Debug)]
pub(super) struct Log<S> {
    storage: S,
    /// The chain after the last record that is in the file.
    chain: Chain,
    /// Length of the file up to there.
    len: u64,
    /// The records before `len` that are not synced.
    unsynced: Vec<u8>,
    damage: Damage,
    /// What is lost and not recorded yet.
    pub(super) losses: Losses,
    /// Room for a batch.
    batch: Vec<u8>,
}

/// What may be wrong with the file's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Damage {
    None,
    /// There may be something behind `len`.
    Tail,
    /// The bytes since the last sync may be anything: after a failed sync the system forgets them.
    Unsynced,
}

impl<S: Storage> Log<S> {
    /// A log whose file holds `len` good bytes that end in this chain, and maybe something behind them.
    pub(super) fn new(storage: S, chain: Chain, len: u64) -> Self {
        Self {
            storage,
            chain,
            len,
            unsynced: Vec::new(),
            damage: Damage::Tail,
            losses: Losses::default(),
            batch: Vec::new(),
        }
    }

    /// Whether nothing has to be done unless a record comes.
    pub(super) fn is_settled(&self) -> bool {
        self.unsynced.is_empty() && self.losses.is_empty() && self.damage == Damage::None
    }

    /// Appends records, a record of what is lost before them. On an error none of them is in the file, and the caller
    /// counts them as lost.
    pub(super) fn write<'a>(&mut self, records: impl Iterator<Item = &'a Encoded>, sync: bool) -> io::Result<()> {
        self.repair()?;
        let mut chain = self.chain.clone();
        self.batch.clear();
        if !self.losses.is_empty() {
            let gap = Encoded::new(&self.losses.to_event(Timestamp::now())).map_err(io::Error::other)?;
            chain.append(&gap, &mut self.batch);
        }
        for record in records {
            chain.append(record, &mut self.batch);
        }
        if let Err(error) = self.storage.write_at(self.len, &self.batch) {
            self.damage = Damage::Tail;
            // If this fails, it is tried again before the next record.
            let _ = self.repair();
            return Err(error);
        }
        if sync || self.unsynced.len() + self.batch.len() > UNSYNCED {
            if let Err(error) = self.storage.sync() {
                self.damage = Damage::Unsynced;
                let _ = self.repair();
                return Err(error);
            }
            self.unsynced.clear();
        } else {
            self.unsynced.extend_from_slice(&self.batch);
        }
        self.chain = chain;
        self.len += self.batch.len() as u64;
        self.losses = Losses::default();
        Ok(())
    }

    /// Syncs what is not synced, and records what is lost.
    pub(super) fn settle(&mut self) -> io::Result<()> {
        self.write(std::iter::empty(), true)
    }

    /// Counts records that could not be written.
    pub(super) fn lose<'a>(&mut self, records: impl Iterator<Item = &'a Encoded>) {
        for record in records {
            self.losses.add(LossCause::Write, record.at());
        }
    }

    /// Makes the file what it should be, or leaves the damage noted.
    fn repair(&mut self) -> io::Result<()> {
        if self.damage == Damage::None {
            return Ok(());
        }
        self.storage.truncate(self.len)?;
        if self.damage == Damage::Unsynced {
            let synced = self.len.saturating_sub(self.unsynced.len() as u64);
            self.storage.write_at(synced, &self.unsynced)?;
            self.storage.sync()?;
            self.unsynced.clear();
        }
        self.damage = Damage::None;
        Ok(())
    }
}
