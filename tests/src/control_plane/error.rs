//! Why there is no control plane.

use std::fmt;
use std::io;

/// Why there is no control plane.
#[derive(Clone, Debug)]
pub struct Error {
    unavailable: bool,
    message: String,
}

impl Error {
    /// Whether this machine just has no control plane, as against one that does not work.
    pub fn is_unavailable(&self) -> bool {
        self.unavailable
    }

    pub(super) fn unavailable(message: impl fmt::Display) -> Self {
        Self {
            unavailable: true,
            message: message.to_string(),
        }
    }

    pub(super) fn broken(message: impl fmt::Display) -> Self {
        Self {
            unavailable: false,
            message: message.to_string(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::broken(error)
    }
}

impl From<rcgen::Error> for Error {
    fn from(error: rcgen::Error) -> Self {
        Self::broken(error)
    }
}

/// The last `lines` lines: what a message says of a log.
pub(super) fn tail(text: &str, lines: usize) -> &str {
    let text = text.trim_end();
    let cut = text.rmatch_indices('\n').nth(lines.saturating_sub(1));
    cut.and_then(|(at, _)| text.get(at + 1..)).unwrap_or(text)
}
