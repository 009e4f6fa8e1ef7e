//! Starting processes so that none is left behind.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tokio::process::Child;

use super::os;
use super::reaper::{MARK, Reaper};

/// Starts the processes of one fixture: the servers, the containers, what is executed in them.
#[derive(Debug)]
pub(super) struct Launcher {
    work_dir: PathBuf,
    reaper: Reaper,
}

/// A process group; dropping it kills whatever is left in it.
#[derive(Debug)]
pub(super) struct Group {
    id: Pid,
    launcher: Arc<Launcher>,
}

impl Launcher {
    pub(super) fn new(work_dir: &Path, keep: bool) -> io::Result<Self> {
        Ok(Self {
            work_dir: work_dir.to_owned(),
            reaper: Reaper::start(work_dir, keep)?,
        })
    }

    pub(super) fn work_dir(&self) -> &Path {
        &self.work_dir
    }

    /// Starts `command` as the leader of a new process group. Only for the fixture's own thread: the child dies with
    /// the thread that spawned it.
    pub(super) fn spawn(self: &Arc<Self>, mut command: Command) -> io::Result<(Child, Group)> {
        command.process_group(0);
        self.spawn_leader(command)
    }

    /// As [`spawn`](Self::spawn), as the leader of a session whose controlling terminal is the child's standard input.
    pub(super) fn spawn_on_terminal(self: &Arc<Self>, mut command: Command) -> io::Result<(Child, Group)> {
        os::lead_session_on_stdin(&mut command);
        self.spawn_leader(command)
    }

    /// Kills everything that is left and removes the work folder.
    pub(super) fn finish(&self) {
        self.reaper.finish();
    }

    fn spawn_leader(self: &Arc<Self>, mut command: Command) -> io::Result<(Child, Group)> {
        command.env(MARK, &self.work_dir);
        os::die_with_spawner(&mut command);
        let child = tokio::process::Command::from(command).spawn()?;
        let id = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .ok_or_else(|| io::Error::other("no process id"))?;
        let id = Pid::from_raw(id);
        self.reaper.watch(id);
        Ok((
            child,
            Group {
                id,
                launcher: Arc::clone(self),
            },
        ))
    }
}

impl Group {
    pub(super) fn signal(&self, signal: Signal) {
        // Gone already is what the signal was for.
        let _ = killpg(self.id, signal);
    }

    pub(super) fn work_dir(&self) -> &Path {
        self.launcher.work_dir()
    }

    pub(super) fn is_empty(&self) -> bool {
        killpg(self.id, None) == Err(Errno::ESRCH)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
        self.launcher.reaper.forget(self.id);
    }
}

/// Kills every process whose environment has `variable=value`, groups and sessions notwithstanding: what the cgroup of
/// a container is to a real kubelet. Only where `/proc` is.
pub(super) fn kill_marked(variable: &str, value: &str) {
    let mark = format!("{variable}={value}");
    // What it finds may fork while it looks; a second round with nothing to find is the end.
    for _ in 0..20 {
        let mut found = false;
        for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            let Ok(environ) = std::fs::read(entry.path().join("environ")) else {
                continue;
            };
            if environ.split(|byte| *byte == 0).any(|one| one == mark.as_bytes()) {
                found = true;
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
        }
        if !found {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}
