//! What the fixture asks of the operating system and the standard library does not offer: the only unsafe code of this
//! package.
#![expect(
    unsafe_code,
    reason = "a hook between fork and exec, two ioctls, AsyncFd and atexit have no safe form in std or nix; each call is argued below"
)]

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::libc;
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::unistd;
use tokio::io::unix::AsyncFd;

/// Has the kernel kill the child when the thread that spawns it ends, however it ends: `SIGKILL` to the test process
/// included. So spawn only from a thread that lives as long as the child should.
pub(super) fn die_with_spawner(command: &mut Command) {
    #[cfg(target_os = "linux")]
    {
        let parent = unistd::getpid();
        let hook = move || {
            nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?;
            // The parent may have died before the line above: then no signal will ever come.
            if unistd::getppid() != parent {
                Err(io::Error::from_raw_os_error(libc::ESRCH))
            } else {
                Ok(())
            }
        };
        // SAFETY: runs in the forked child; `prctl` and `getppid` are async-signal-safe, and nothing is allocated.
        unsafe { command.pre_exec(hook) };
    }
    #[cfg(not(target_os = "linux"))]
    let _ = command;
}

/// Makes the child the leader of a session of its own whose controlling terminal is its standard input.
pub(super) fn lead_session_on_stdin(command: &mut Command) {
    let hook = || {
        unistd::setsid()?;
        // Whoever runs the tests under `nohup` ignores hang-ups, and children inherit that.
        // SAFETY: `signal` is async-signal-safe, and no handler of ours is installed.
        unsafe { signal(Signal::SIGHUP, SigHandler::SigDfl) }?;
        // SAFETY: TIOCSCTTY takes an integer, no pointer; descriptor 0 is the terminal that the parent set.
        match unsafe { libc::ioctl(0, libc::TIOCSCTTY as _, 0) } {
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    };
    // SAFETY: runs in the forked child; `setsid` and `ioctl` are async-signal-safe, and nothing is allocated.
    unsafe { command.pre_exec(hook) };
}

/// Sets the size of the terminal behind `master`; its foreground process group gets `SIGWINCH`.
pub(super) fn set_window_size(master: impl AsFd, rows: u16, columns: u16) -> io::Result<()> {
    let size = libc::winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: TIOCSWINSZ reads one winsize, which outlives the call; the descriptor is borrowed and so open.
    match unsafe { libc::ioctl(master.as_fd().as_raw_fd(), libc::TIOCSWINSZ as _, &raw const size) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Registers a non-blocking descriptor with the runtime.
pub(super) fn register(descriptor: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is open, and moves into the `AsyncFd`, which closes it only after it has deregistered it; no
    // code of this package takes it out or replaces it.
    Ok(unsafe { AsyncFd::register(descriptor) }?)
}

/// Runs `hook` when the process exits by itself: libtest has no hook of its own at the end of a run.
pub(super) fn at_exit(hook: extern "C" fn()) {
    // SAFETY: a plain function pointer with C linkage, valid for the whole life of the process; a failure to register
    // it (no memory) loses a courtesy, no guarantee.
    unsafe { libc::atexit(hook) };
}
