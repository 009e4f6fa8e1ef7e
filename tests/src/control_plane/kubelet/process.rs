//! One command, running: its streams as channels.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use hyper::body::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::terminal::Terminal;
use crate::control_plane::launch::{Group, Launcher};

/// As many chunks may wait for a slow reader; then the command waits.
const CHUNKS: usize = 16;
const CHUNK: usize = 16 * 1024;

/// Where output comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Stdout,
    Stderr,
}

/// What a container gives to every command that runs in it.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    pub(super) env: BTreeMap<String, String>,
    pub(super) dir: PathBuf,
}

pub(super) struct Process {
    /// Closes the command's standard input when dropped. Absent without one.
    pub(super) input: Option<mpsc::Sender<Bytes>>,
    /// Ends when nobody has the command's output open any more.
    pub(super) output: mpsc::Receiver<(Stream, Bytes)>,
    pub(super) terminal: Option<Arc<Terminal>>,
    /// The exit code, as a shell reports it.
    pub(super) exit: JoinHandle<i32>,
    pub(super) group: Arc<Group>,
}

impl Process {
    pub(super) fn start(
        launcher: &Arc<Launcher>,
        argv: &[String],
        around: &Surroundings,
        stdin: bool,
        tty: bool,
    ) -> io::Result<Self> {
        let (program, arguments) = argv
            .split_first()
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no command"))?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .envs(&around.env)
            .current_dir(&around.dir);
        if tty {
            Self::on_terminal(launcher, command)
        } else {
            Self::on_pipes(launcher, command, stdin)
        }
    }

    fn on_pipes(launcher: &Arc<Launcher>, mut command: Command, stdin: bool) -> io::Result<Self> {
        command.stdin(if stdin { Stdio::piped() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let (mut child, group) = launcher.spawn(command)?;
        let (send, output) = mpsc::channel(CHUNKS);
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(pump(stdout, Stream::Stdout, send.clone()));
        }
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(pump(stderr, Stream::Stderr, send));
        }
        let input = child.stdin.take().map(|mut pipe| {
            let (input, mut chunks) = mpsc::channel::<Bytes>(CHUNKS);
            tokio::spawn(async move {
                while let Some(chunk) = chunks.recv().await {
                    // A command that does not read on is no reason to fail: it still has an exit code.
                    if pipe.write_all(&chunk).await.is_err() {
                        return;
                    }
                }
            });
            input
        });
        Ok(Self {
            input,
            output,
            terminal: None,
            exit: tokio::spawn(exit_code(child)),
            group: Arc::new(group),
        })
    }

    fn on_terminal(launcher: &Arc<Launcher>, mut command: Command) -> io::Result<Self> {
        let (terminal, slave) = Terminal::open()?;
        let terminal = Arc::new(terminal);
        command
            .env("TERM", "xterm")
            .stdin(slave.try_clone()?)
            .stdout(slave.try_clone()?)
            .stderr(slave);
        let (child, group) = launcher.spawn_on_terminal(command)?;
        let (send, output) = mpsc::channel(CHUNKS);
        let reader = Arc::clone(&terminal);
        tokio::spawn(async move {
            let mut buffer = vec![0; CHUNK];
            while let Ok(read @ 1..) = reader.read(&mut buffer).await {
                let chunk = Bytes::copy_from_slice(buffer.get(..read).unwrap_or_default());
                if send.send((Stream::Stdout, chunk)).await.is_err() {
                    return;
                }
            }
        });
        let (input, mut chunks) = mpsc::channel::<Bytes>(CHUNKS);
        let writer = Arc::clone(&terminal);
        tokio::spawn(async move {
            while let Some(chunk) = chunks.recv().await {
                if writer.write_all(&chunk).await.is_err() {
                    return;
                }
            }
        });
        let (terminal, input) = (Some(terminal), Some(input));
        Ok(Self {
            input,
            output,
            terminal,
            exit: tokio::spawn(exit_code(child)),
            group: Arc::new(group),
        })
    }
}

async fn pump(mut from: impl AsyncRead + Unpin, stream: Stream, to: mpsc::Sender<(Stream, Bytes)>) {
    let mut buffer = vec![0; CHUNK];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let chunk = Bytes::copy_from_slice(buffer.get(..read).unwrap_or_default());
        if to.send((stream, chunk)).await.is_err() {
            return;
        }
    }
}

async fn exit_code(mut child: Child) -> i32 {
    match child.wait().await {
        Ok(status) => status
            .code()
            .or_else(|| status.signal().map(|signal| 128 + signal))
            .unwrap_or(-1),
        Err(_) => -1,
    }
}
