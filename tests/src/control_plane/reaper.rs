//! A shell that outlives the fixture and cleans up after it, whatever ended the fixture.
//!
//! It reads the process groups to watch from a pipe whose other end only the fixture holds. When the pipe ends (the
//! fixture stopped, its process exited, panicked or was killed with `SIGKILL`) it kills those groups, then whatever
//! still carries the fixture's mark in its environment (a process that left its group), and removes the work folder.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use nix::unistd::Pid;

/// Every process of a fixture has this environment variable; its value is the fixture's work folder.
pub(super) const MARK: &str = "COUNTERSIGN_CONTROL_PLANE";

const SCRIPT: &str = r#"
trap '' HUP INT TERM
groups=' '
while read -r what group; do
  case $what in
    watch) groups="$groups$group " ;;
    forget) groups="${groups%% $group *} ${groups#* $group }" ;;
  esac
done
for group in $groups; do kill -9 "-$group"; done
round=0
# Not by grep's exit status: it is 2 when any process went away while it was looking.
while marked=$(grep -slF "$1=$2" /proc/[0-9]*/environ); [ -n "$marked" ] && [ $round -lt 100 ]; do
  for file in $marked; do pid=${file#/proc/}; kill -9 "${pid%/environ}"; done
  round=$((round + 1)); sleep 0.05
done
[ "$3" = keep ] || rm -rf -- "$2" || { sleep 0.2; rm -rf -- "$2"; }
"#;

#[derive(Debug)]
pub(super) struct Reaper {
    shell: Mutex<Option<(Child, ChildStdin)>>,
}

impl Reaper {
    /// Starts the shell. With `keep` it leaves the work folder where it is.
    pub(super) fn start(work_dir: &Path, keep: bool) -> io::Result<Self> {
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT, "countersign-reaper", MARK])
            .arg(work_dir)
            .arg(if keep { "keep" } else { "remove" })
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Not one of the fixture's own processes, even where one fixture runs inside another's container.
            .env_remove(MARK)
            // Ctrl-C goes to every process of the terminal's foreground group; this one has to outlive that.
            .process_group(0)
            .spawn()?;
        let pipe = shell
            .stdin
            .take()
            .ok_or_else(|| io::Error::other("the reaper has no standard input"))?;
        Ok(Self {
            shell: Mutex::new(Some((shell, pipe))),
        })
    }

    pub(super) fn watch(&self, group: Pid) {
        self.tell("watch", group);
    }

    pub(super) fn forget(&self, group: Pid) {
        self.tell("forget", group);
    }

    /// Has everything killed and removed now, and waits for it. Doing so twice is harmless.
    pub(super) fn finish(&self) {
        let taken = self.shell.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((mut shell, pipe)) = taken {
            drop(pipe);
            let _ = shell.wait();
        }
    }

    fn tell(&self, what: &str, group: Pid) {
        if let Some((_, pipe)) = self.shell.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            // A reaper that was killed can't be told; the kernel still kills the direct children.
            let _ = writeln!(pipe, "{what} {group}");
        }
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        self.finish();
    }
}
