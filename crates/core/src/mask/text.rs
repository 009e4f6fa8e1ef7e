//! Text, line by line.

use memchr::memrchr;

/// Longest line that is held; a longer one is handed out in pieces.
const MAX_LINE: usize = 64 * 1024;

/// Text that is handed out line by line, as soon as a line is complete.
///
/// Nothing in it is masked yet: what is secret in a text only a detector can tell. Lines are what it will look at.
#[derive(Default)]
pub(super) struct Lines {
    held: Vec<u8>,
}

impl Lines {
    pub(super) fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        let complete = memrchr(b'\n', chunk).map_or(0, |at| at + 1);
        let (lines, rest) = chunk.split_at_checked(complete).unwrap_or((chunk, &[]));
        if !lines.is_empty() {
            self.finish(out);
            out.extend_from_slice(lines);
        }
        self.held.extend_from_slice(rest);
        if self.held.len() > MAX_LINE {
            self.finish(out);
        }
    }

    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.held);
    }
}
