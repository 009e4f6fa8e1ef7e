use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

use countersign_core::audit::{Chain, Outcome, Stage, annotation, conformance as suite, verify};
use jiff::Timestamp;
use tempfile::TempDir;

use super::log::Locked;
use super::*;

fn event(id: impl Into<String>) -> Event {
    let now = Timestamp::now();
    Event::new(id, Stage::ResponseComplete, now, now).with_outcome(Outcome::Deny)
}

struct Fixture {
    _folder: TempDir,
    path: PathBuf,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            path: folder.path().join("audit.log"),
            _folder: folder,
        }
    }

    fn open(&self) -> FileSink {
        FileSink::open(&self.path).unwrap()
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(&self.path).unwrap()
    }

    fn events(&self) -> Vec<Event> {
        events(&self.bytes())
    }

    /// A closed log with `n` records.
    fn with_records(n: usize) -> Self {
        let fixture = Self::new();
        let sink = fixture.open();
        for n in 0..n {
            sink.submit(event(format!("r{n}")));
        }
        drop(sink);
        fixture
    }
}

fn events(log: &[u8]) -> Vec<Event> {
    log.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

fn ids(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.audit_id.as_str()).collect()
}

/// A real file whose writing, cutting and syncing can be made to fail.
struct Faulty {
    file: Locked,
    faults: Arc<AtomicU8>,
}

const WRITE: u8 = 1;
const TRUNCATE: u8 = 2;
const SYNC: u8 = 4;

impl Faulty {
    fn check(&self, fault: u8) -> io::Result<()> {
        match self.faults.load(Ordering::Relaxed) & fault {
            0 => Ok(()),
            _ => Err(io::Error::from(io::ErrorKind::StorageFull)),
        }
    }
}

impl Storage for Faulty {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if let Err(error) = self.check(WRITE) {
            // A disk that fills up takes a part.
            self.file.write_at(offset, &bytes[..bytes.len() / 2])?;
            return Err(error);
        }
        self.file.write_at(offset, bytes)
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.check(TRUNCATE)?;
        self.file.truncate(len)
    }

    fn sync(&mut self) -> io::Result<()> {
        if let Err(error) = self.check(SYNC) {
            // What a system does after a failed sync: it has forgotten what it held.
            let file = self.file.file();
            let len = file.metadata()?.len();
            file.set_len(0)?;
            file.set_len(len)?;
            return Err(error);
        }
        self.file.sync()
    }
}

fn faulty(path: &Path) -> (FileSink, Arc<AtomicU8>) {
    let file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(path)
        .unwrap();
    let faults = Arc::new(AtomicU8::new(0));
    let storage = Faulty {
        file: Locked::new(file).unwrap(),
        faults: Arc::clone(&faults),
    };
    (
        FileSink::start(Log::new(storage, Chain::new("log"), 0)).unwrap(),
        faults,
    )
}

macro_rules! conforms {
    ($($name:ident),*) => {$(
        #[tokio::test]
        async fn $name() {
            let fixture = Fixture::new();
            suite::$name(&fixture.open(), async || fixture.events()).await;
            assert!(verify(&fixture.bytes()).is_intact());
            let fixture = Fixture::new();
            let boxed: Box<dyn AuditSink> = Box::new(fixture.open());
            suite::$name(&boxed, async || fixture.events()).await;
            let fixture = Fixture::new();
            let shared: Arc<dyn AuditSink> = Arc::new(fixture.open());
            suite::$name(&shared, async || fixture.events()).await;
        }
    )*};
}

conforms!(
    a_synced_record_is_stored,
    one_caller_keeps_its_order,
    many_callers_lose_nothing,
    submit_neither_waits_nor_loses_silently,
    a_cancelled_append_does_no_harm
);

#[tokio::test]
async fn a_failure_is_answered_and_leaves_a_gap() {
    for fault in [WRITE, WRITE | TRUNCATE, WRITE | TRUNCATE | SYNC] {
        let fixture = Fixture::new();
        let (sink, faults) = faulty(&fixture.path);
        let set_down = |down| faults.store(if down { fault } else { 0 }, Ordering::Relaxed);
        suite::a_failure_is_answered_and_leaves_a_gap(&sink, async || fixture.events(), set_down).await;
        suite::errors_show_nothing_of_a_record(&sink, set_down).await;
        drop(sink);
        let report = verify(&fixture.bytes());
        assert!(report.is_intact() && !report.is_complete(), "{report}");
    }
}

#[tokio::test]
async fn a_failed_sync_loses_only_the_records_of_its_batch() {
    let fixture = Fixture::new();
    let (sink, faults) = faulty(&fixture.path);
    sink.append(event("synced"), Durability::Synced).await.unwrap();
    sink.append(event("buffered"), Durability::Buffered).await.unwrap();
    // Wait until it is written, and so part of another batch.
    while ids(&fixture.events()).len() < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    faults.store(SYNC, Ordering::Relaxed);
    let error = sink.append(event("lost"), Durability::Synced).await.unwrap_err();
    assert_eq!(error.kind(), SinkErrorKind::Io(io::ErrorKind::StorageFull));
    faults.store(0, Ordering::Relaxed);
    sink.append(event("after"), Durability::Synced).await.unwrap();
    let log = fixture.bytes();
    let zeros = log.iter().take_while(|byte| **byte == 0).count();
    // The simulated system has forgotten synced records too; those are not ours to restore.
    assert_eq!(ids(&events(&log[zeros..])), ["buffered", "gap", "after"]);
}

#[tokio::test]
async fn a_failed_log_recovers_without_being_asked() {
    let fixture = Fixture::new();
    let (sink, faults) = faulty(&fixture.path);
    faults.store(WRITE, Ordering::Relaxed);
    assert!(sink.append(event("lost"), Durability::Synced).await.is_err());
    faults.store(0, Ordering::Relaxed);
    let start = Instant::now();
    while ids(&fixture.events()) != ["gap"] {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "no gap without another record"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    sink.append(event("after"), Durability::Buffered).await.unwrap();
    drop(sink);
    assert_eq!(ids(&fixture.events()), ["gap", "after"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_share_a_sync() {
    let fixture = Fixture::new();
    let sink = Arc::new(fixture.open());
    let writers: Vec<_> = (0..64)
        .map(|writer| {
            let sink = Arc::clone(&sink);
            tokio::spawn(async move {
                for n in 0..25 {
                    sink.append(event(format!("{writer}-{n}")), Durability::Synced)
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    drop(sink);
    let report = verify(&fixture.bytes());
    assert!(report.is_intact() && report.is_complete(), "{report}");
    assert_eq!(report.records, 64 * 25);
}

#[tokio::test]
async fn a_trickle_is_synced_too() {
    let fixture = Fixture::new();
    let (sink, faults) = faulty(&fixture.path);
    faults.store(SYNC, Ordering::Relaxed);
    let start = Instant::now();
    // A failed sync is how the test sees that there was one.
    while !sink.shared.is_down() {
        assert!(start.elapsed() < Duration::from_secs(20), "nobody synced");
        sink.submit(event("r"));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_deleted_log_is_not_written_to_in_silence() {
    let fixture = Fixture::new();
    let sink = fixture.open();
    sink.append(event("a"), Durability::Synced).await.unwrap();
    fs::remove_file(&fixture.path).unwrap();
    let error = sink.append(event("b"), Durability::Synced).await.unwrap_err();
    assert_eq!(error.kind(), SinkErrorKind::Io(io::ErrorKind::NotFound));
}

#[test]
fn a_log_goes_on_when_it_is_opened_again() {
    let fixture = Fixture::with_records(3);
    fixture.open().submit(event("r3"));
    let report = verify(&fixture.bytes());
    assert!(report.is_intact() && report.is_complete(), "{report}");
    assert_eq!(ids(&fixture.events()), ["r0", "r1", "r2", "r3"]);
    drop(fixture.open());
    assert_eq!(verify(&fixture.bytes()), report, "opening alone changes nothing");
}

#[test]
fn a_second_writer_is_refused() {
    let fixture = Fixture::new();
    let first = fixture.open();
    let error = FileSink::open(&fixture.path).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ResourceBusy);
    assert!(error.to_string().contains("another writer"), "{error}");
    drop(first);
    fixture.open();
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owners() {
    use std::os::unix::fs::PermissionsExt as _;

    let fixture = Fixture::with_records(1);
    assert_eq!(fs::metadata(&fixture.path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(FileSink::open("/dev/full").is_err(), "no regular file");
    assert!(FileSink::open("/nonexistent/audit.log").is_err());
}

#[test]
fn half_a_line_is_cut_wherever_the_crash_was() {
    let fixture = Fixture::with_records(3);
    let whole = fixture.bytes();
    let second = whole
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
        .nth(1)
        .unwrap()
        .0
        + 1;
    for cut in (second + 1..whole.len()).step_by(29).chain([whole.len() - 1]) {
        fs::write(&fixture.path, &whole[..cut]).unwrap();
        fixture.open().submit(event("after"));
        let events = fixture.events();
        assert_eq!(ids(&events), ["r0", "r1", "gap", "after"], "cut at {cut}");
        assert_eq!(events[2].annotation(annotation::GAP_CAUSE), Some("crash"));
        assert!(verify(&fixture.bytes()).is_intact());
    }
    // The very first record, and a block of zeros.
    for rest in [&whole[..20], &[0; 512]] {
        fs::write(&fixture.path, rest).unwrap();
        drop(fixture.open());
        assert_eq!(ids(&fixture.events()), ["gap"]);
    }
}

#[test]
fn a_damaged_end_is_refused_and_left_alone() {
    let fixture = Fixture::with_records(5);
    let whole = fixture.bytes();
    let text = String::from_utf8(whole.clone()).unwrap();
    let swapped: String = {
        let mut lines: Vec<_> = text.split_inclusive('\n').collect();
        lines.swap(2, 3);
        lines.concat()
    };
    let cases = [
        (text.replace("r3", "rX"), "line 4 is damaged: it was changed"),
        (swapped, "line 3 is damaged: it does not follow"),
        (format!("{text}not a record\n"), "line 6 is damaged: it is no record"),
        (format!("{text}not a record"), "line 6 is damaged: it is no record"),
        ("my diary".to_owned(), "line 1 is damaged: it is no record"),
        (
            text.split_inclusive('\n').skip(1).collect(),
            "line 1 is damaged: it does not follow",
        ),
    ];
    for (damaged, why) in cases {
        fs::write(&fixture.path, &damaged).unwrap();
        let error = FileSink::open(&fixture.path).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(error.to_string().contains(why), "{error}");
        assert!(error.to_string().contains("move it away"), "{error}");
        assert_eq!(fixture.bytes(), damaged.as_bytes(), "a damaged log is evidence");
    }
}

#[test]
fn the_end_of_a_large_log_is_found() {
    let fixture = Fixture::new();
    let sink = fixture.open();
    for n in 0..40 {
        sink.submit(event(format!("r{n}")).with("filler", "x".repeat(100_000)));
    }
    drop(sink);
    fixture.open().submit(event("last"));
    let report = verify(&fixture.bytes());
    assert!(report.is_intact() && report.is_complete(), "{report}");
    assert_eq!(report.records, 41);

    let mut damaged = fixture.bytes();
    damaged.extend_from_slice(b"x\n");
    fs::write(&fixture.path, &damaged).unwrap();
    let error = FileSink::open(&fixture.path).unwrap_err();
    assert!(error.to_string().contains("line 42 is damaged"), "{error}");
}

#[tokio::test]
async fn too_large_an_event_is_refused_and_counted() {
    let fixture = Fixture::new();
    let sink = fixture.open();
    let large = event("large").with("x", "x".repeat(300_000));
    let error = sink.append(large, Durability::Synced).await.unwrap_err();
    assert_eq!(error.kind(), SinkErrorKind::TooLarge);
    drop(sink);
    assert_eq!(fixture.events()[0].annotation(annotation::GAP_CAUSE), Some("too-large"));
}

/// A task that is given up when it is woken, on the thread that wakes it.
struct Task(Mutex<Option<std::pin::Pin<Box<dyn Future<Output = ()> + Send>>>>);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        let future = self.0.lock().unwrap().take();
        drop(future);
    }
}

#[test]
fn the_last_owner_may_go_on_the_writers_thread() {
    let fixture = Fixture::new();
    let sink = fixture.open();
    let future = async move {
        let _ = sink.append(event("a"), Durability::Synced).await;
    };
    let task = Arc::new(Task(Mutex::new(Some(Box::pin(future)))));
    let waker = Waker::from(Arc::clone(&task));
    {
        let mut future = task.0.lock().unwrap();
        let _ = future.as_mut().unwrap().as_mut().poll(&mut Context::from_waker(&waker));
    }
    drop(waker);
    drop(task);
    let start = Instant::now();
    while FileSink::open(&fixture.path).is_err() {
        assert!(start.elapsed() < Duration::from_secs(10), "the writer waits for itself");
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(ids(&fixture.events()), ["a"]);
}

/// Runs one test of this file as a process of its own, through a shell command that ends in `exec "$0" "$@"`.
fn child(test: &str, shell: &str, path: &Path) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", shell])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture", "--quiet"])
        .arg(format!("{}::{test}", module_path!().split_once("::").unwrap().1))
        .env("AUDIT_LOG", path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

#[test]
fn a_killed_writer_leaves_a_sound_log() {
    let fixture = Fixture::new();
    for _ in 0..5 {
        let mut writer = child("writes_until_it_is_killed", "exec \"$0\" \"$@\"", &fixture.path)
            .spawn()
            .unwrap();
        let before = fs::metadata(&fixture.path).map_or(0, |metadata| metadata.len());
        let start = Instant::now();
        while fs::metadata(&fixture.path).map_or(0, |metadata| metadata.len()) < before + 100_000 {
            assert!(start.elapsed() < Duration::from_secs(60), "the writer does not write");
            std::thread::sleep(Duration::from_millis(1));
        }
        writer.kill().unwrap();
        writer.wait().unwrap();
        drop(fixture.open());
        let report = verify(&fixture.bytes());
        assert!(report.is_intact(), "{report}");
    }
}

#[test]
#[ignore = "run as a process by a_killed_writer_leaves_a_sound_log"]
fn writes_until_it_is_killed() {
    let Some(path) = std::env::var_os("AUDIT_LOG") else {
        return;
    };
    let sink = FileSink::open(path).unwrap();
    for n in 0_u64.. {
        sink.submit(event(format!("r{n}")));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_answered_cut_back_and_recorded() {
    let fixture = Fixture::new();
    // A limit of the process on the size of its files stands for the disk: it too lets a part of a write through, and
    // it needs no rights. Soft, so that the disk can be made larger again.
    let shell = "trap '' XFSZ; ulimit -S -f 32; exec \"$0\" \"$@\"";
    let mut writer = child("writes_until_the_disk_is_full", shell, &fixture.path)
        .spawn()
        .unwrap();
    let start = Instant::now();
    while !fixture.path.with_extension("full").exists() {
        assert!(start.elapsed() < Duration::from_secs(60), "the disk does not fill up");
        std::thread::sleep(Duration::from_millis(5));
    }
    let full = fixture.bytes();
    let report = verify(&full);
    assert!(
        report.is_intact() && report.is_complete(),
        "half a record was left: {report}"
    );
    assert!(full.len() <= 32 * 1024 && full.ends_with(b"\n"));

    let raised = Command::new("prlimit")
        .args(["--fsize=unlimited", "--pid", &writer.id().to_string()])
        .status()
        .unwrap();
    assert!(raised.success());
    writer.stdin.take().unwrap().write_all(b"go on\n").unwrap();
    assert!(writer.wait().unwrap().success());
    let report = verify(&fixture.bytes());
    assert!(report.is_intact(), "{report}");
    let events = fixture.events();
    let last: Vec<_> = ids(&events).into_iter().rev().take(2).collect();
    assert_eq!(last, ["after", "gap"]);
    let gap = &events[events.len() - 2];
    assert_eq!(gap.annotation(annotation::GAP_RECORDS), Some("3"));
    assert_eq!(gap.annotation(annotation::GAP_CAUSE), Some("write-failed"));
}

#[tokio::test]
#[ignore = "run as a process by a_full_disk_is_answered_cut_back_and_recorded"]
async fn writes_until_the_disk_is_full() {
    let Some(path) = std::env::var_os("AUDIT_LOG") else {
        return;
    };
    let path = PathBuf::from(path);
    let sink = FileSink::open(&path).unwrap();
    let filler = "x".repeat(1000);
    let mut answer = Ok(());
    while answer.is_ok() {
        answer = sink
            .append(event("r").with("filler", &*filler), Durability::Synced)
            .await;
    }
    assert!(matches!(answer.unwrap_err().kind(), SinkErrorKind::Io(_)));
    assert!(
        sink.append(event("r").with("filler", &*filler), Durability::Buffered)
            .await
            .is_err()
    );
    sink.append(event("r").with("filler", &*filler), Durability::Synced)
        .await
        .unwrap_err();
    fs::write(path.with_extension("full"), b"").unwrap();
    let mut line = String::new();
    io::stdin().read_line(&mut line).unwrap();
    sink.append(event("after"), Durability::Synced).await.unwrap();
}
