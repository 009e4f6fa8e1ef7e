//! Opens a log: begins it, or goes on where it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use countersign_core::audit::{Chain, Link, LinkError, LossCause};
use jiff::Timestamp;
use uuid::Uuid;

use super::log::{Locked, Log};

/// How much of the end of a log is checked before it is continued. The whole is for the verifier.
const TAIL: u64 = 1024 * 1024;
/// How every record begins.
const RECORD: &[u8] = br#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","#;

/// Opens and locks the file, checks its end, and cuts off half a line there.
pub(super) fn open(path: &Path) -> io::Result<Log<Locked>> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(|error| describe(path, &error))?;
    if !file.metadata()?.is_file() {
        return Err(refuse(path, io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    let mut locked = match Locked::new(file) {
        Ok(locked) => locked,
        Err(TryLockError::WouldBlock) => {
            let why = "another writer has it open; end that one first, or use another file";
            return Err(refuse(path, io::ErrorKind::ResourceBusy, why));
        }
        Err(TryLockError::Error(error)) => return Err(describe(path, &error)),
    };
    let file = locked.file();
    // After the lock: a writer before us may have added to it until then.
    let metadata = file.metadata()?;
    let len = metadata.len();
    if len == 0 {
        sync_folder(path)?;
    }
    let end = End::read(file, len).map_err(|error| describe(path, &error))?;
    let chain = end.check(path, file)?;
    let whole = end.whole();
    let mut log = Log::new(locked, chain, whole);
    if whole < len {
        let crashed = metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
        log.losses.add(LossCause::Crash, crashed.unwrap_or_else(Timestamp::now));
    }
    // Cuts off what is behind the last record and records the gap, so that a log that can't be written is known now.
    log.settle().map_err(|error| describe(path, &error))?;
    Ok(log)
}

/// The last bytes of a file.
struct End {
    /// Offset of `bytes` in the file.
    start: u64,
    bytes: Vec<u8>,
    /// Length of the whole lines in `bytes`.
    lines: usize,
}

impl End {
    fn read(file: &mut File, len: u64) -> io::Result<Self> {
        let mut start = file.seek(SeekFrom::Start(len.saturating_sub(TAIL)))?;
        let mut bytes = Vec::new();
        file.take(TAIL).read_to_end(&mut bytes)?;
        if start > 0 {
            // The first line is half a line, since it begins before these bytes.
            let first = bytes
                .iter()
                .position(|byte| *byte == b'\n')
                .map_or(bytes.len(), |at| at + 1);
            bytes.drain(..first);
            start += first as u64;
        }
        let lines = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        Ok(Self { start, bytes, lines })
    }

    /// Length of the file up to the end of its last whole line.
    fn whole(&self) -> u64 {
        self.start + self.lines as u64
    }

    /// The chain after the last whole line, if all that is there is in order.
    fn check(&self, path: &Path, file: &mut File) -> io::Result<Chain> {
        let (lines, rest) = self.bytes.split_at_checked(self.lines).unwrap_or((&self.bytes, &[]));
        let mut before: Option<Link> = None;
        let mut last: &[u8] = &[];
        for (index, line) in lines.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let link = match Link::read(line) {
                Ok(link) => link,
                Err(error) => return Err(self.damaged(path, file, index, &error.to_string())),
            };
            let follows = match &before {
                Some(before) => link.prev == before.hash && Some(link.seq) == before.seq.checked_add(1),
                None => self.start > 0 || link.seq == 0,
            };
            if !follows {
                return Err(self.damaged(path, file, index, "it does not follow the line before it"));
            }
            before = Some(link);
            last = line;
        }
        if !is_half_a_record(rest) || (before.is_none() && self.start > 0) {
            let index = lines.iter().filter(|byte| **byte == b'\n').count();
            return Err(self.damaged(path, file, index, &LinkError::NoRecord.to_string()));
        }
        match before {
            None => Ok(Chain::new(Uuid::new_v4().to_string())),
            Some(_) => Chain::resume(last).map_err(io::Error::other),
        }
    }

    fn damaged(&self, path: &Path, file: &mut File, index: usize, why: &str) -> io::Error {
        let line = match count_lines(file, self.start) {
            Ok(before) => before + index as u64 + 1,
            Err(error) => return describe(path, &error),
        };
        let why = format!(
            "line {line} is damaged: {why}. Nothing was changed. Keep the file as evidence (verify it to see what is \
             wrong), move it away, and a new log begins"
        );
        refuse(path, io::ErrorKind::InvalidData, &why)
    }
}

/// Whether these bytes are what a crash leaves of a record: its beginning, or the zeros of a block that was never
/// written. Anything else was not written by us, and is not ours to cut off.
fn is_half_a_record(bytes: &[u8]) -> bool {
    let compared = bytes.len().min(RECORD.len());
    bytes.get(..compared) == RECORD.get(..compared) || bytes.iter().all(|byte| *byte == 0)
}

/// Number of lines before an offset.
fn count_lines(file: &mut File, before: u64) -> io::Result<u64> {
    file.seek(SeekFrom::Start(0))?;
    let mut reader = BufReader::with_capacity(64 * 1024, file.take(before));
    let mut lines = 0;
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            return Ok(lines);
        }
        lines += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        let read = bytes.len();
        reader.consume(read);
    }
}

/// A new file is durable only once its folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all())
}

fn describe(path: &Path, error: &io::Error) -> io::Error {
    refuse(path, error.kind(), &error.to_string())
}

fn refuse(path: &Path, kind: io::ErrorKind, why: &str) -> io::Error {
    io::Error::new(kind, format!("audit log {}: {why}", path.display()))
}
