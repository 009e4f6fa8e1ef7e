//! A pseudoterminal: our end of it.

use std::io;
use std::os::fd::OwnedFd;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::pty::openpty;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::control_plane::os;

#[derive(Debug)]
pub(super) struct Terminal {
    master: AsyncFd<OwnedFd>,
}

impl Terminal {
    /// Opens one; the second value is the end for the process.
    pub(super) fn open() -> io::Result<(Self, OwnedFd)> {
        let pty = openpty(None, None)?;
        // A child that inherited the master would keep the terminal alive after we hang up.
        for end in [&pty.master, &pty.slave] {
            fcntl(end, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
        }
        let flags = OFlag::from_bits_retain(fcntl(&pty.master, FcntlArg::F_GETFL)?);
        fcntl(&pty.master, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
        Ok((
            Self {
                master: os::register(pty.master)?,
            },
            pty.slave,
        ))
    }

    /// Zero is the end: no process has the terminal open any more.
    pub(super) async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = |master: &OwnedFd| match nix::unistd::read(master, buffer) {
            Err(Errno::EIO) => Ok(0),
            other => other.map_err(io::Error::from),
        };
        self.master.async_io(Interest::READABLE, read).await
    }

    pub(super) async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let write = |master: &OwnedFd| nix::unistd::write(master, bytes).map_err(io::Error::from);
            let written = self.master.async_io(Interest::WRITABLE, write).await?;
            bytes = bytes.get(written..).unwrap_or_default();
        }
        Ok(())
    }

    pub(super) fn resize(&self, rows: u16, columns: u16) {
        // On a terminal that is open this fails for nobody.
        let _ = os::set_window_size(&self.master, rows, columns);
    }
}
