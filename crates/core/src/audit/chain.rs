//! The hash chain: each record names the hash of the one before it, so that none can be changed, taken out or put in.
//!
//! A record is one line, and each line is an ordinary event. The last members of its annotations, which are the last
//! member of the event, are always these, in this order and without spaces (`log` in the first record only):
//!
//! ```text
//! …"countersign.dev/log":"L","countersign.dev/seq":"N","countersign.dev/prev":"sha256:P","countersign.dev/hash":"sha256:H"}}
//! ```
//!
//! 1. `H` is the SHA-256 of the line's bytes up to and without `,"countersign.dev/hash"`, in lower-case hexadecimal.
//! 2. `P` is the `H` of the line before; in the first record it is the SHA-256 of the log's id `L`.
//! 3. `N` counts from 0 without holes.
//!
//! So a line can be checked with what every system has:
//!
//! ```text
//! line=$(sed -n 7p audit.log); printf %s "${line%,\"countersign.dev/hash\"*}" | sha256sum
//! ```

use std::fmt::Write as _;

use jiff::Timestamp;

use super::event::{Event, annotation};
use crate::digest::Digest;
use crate::escape::is_hidden;
use crate::json;

/// Largest event that is recorded, in bytes of its JSON.
pub const MAX_EVENT: usize = 256 * 1024;

/// Length of the member with the hash and of the two braces after it.
const TAIL: usize = HASH_HEAD.len() + HEX + HASH_END.len();
const HASH_HEAD: &[u8] = b",\"countersign.dev/hash\":\"sha256:";
const HASH_END: &[u8] = b"\"}}";
const PREV_HEAD: &[u8] = b"\",\"countersign.dev/prev\":\"sha256:";
const PREV_END: &[u8] = b"\"";
const SEQ_HEAD: &[u8] = b"\"countersign.dev/seq\":\"";
const HEX: usize = 64;

/// An event as JSON, left open at its end so that the chain can continue its annotations.
///
/// Encoding takes most of the work of a record and needs no lock; only [`Chain::append`] has to be done in order.
#[derive(Debug, Clone)]
pub struct Encoded {
    open: Vec<u8>,
    at: Timestamp,
}

/// An event is too large to be recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the audit event is larger than {MAX_EVENT} bytes")]
pub struct TooLarge;

/// The end of a chain, where records are appended.
#[derive(Debug, Clone)]
pub struct Chain {
    /// The id of the log, until the first record has it.
    log: Option<String>,
    next: u64,
    head: Digest,
}

/// The chain's facts of one line whose hash is right.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Link {
    /// Number of the record.
    pub seq: u64,
    /// Hash of the record before it.
    pub prev: Digest,
    /// Hash of the record.
    pub hash: Digest,
}

/// Why a line is no record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// The line does not end in the members of the chain.
    #[error("it is no record: it does not end in seq, prev and hash")]
    NoRecord,
    /// The line is not what was recorded.
    #[error("it was changed: its hash is not that of its bytes")]
    WrongHash(Link),
}

impl Encoded {
    /// Encodes an event. Annotations that only the chain writes are left out.
    ///
    /// # Errors
    /// It is larger than [`MAX_EVENT`].
    pub fn new(event: &Event) -> Result<Self, TooLarge> {
        let reserved = annotation::CHAIN.iter().any(|key| event.annotations.contains_key(*key));
        let mut open = Vec::with_capacity(1024);
        let written = if reserved {
            let mut event = event.clone();
            event
                .annotations
                .retain(|key, _| !annotation::CHAIN.contains(&key.as_ref()));
            serde_json::to_writer(&mut open, &event)
        } else {
            serde_json::to_writer(&mut open, event)
        };
        escape_hidden(&mut open);
        // An event has nothing in it that JSON can't say, so a failed write means the same: it can't be recorded.
        if written.is_err() || open.len() > MAX_EVENT {
            return Err(TooLarge);
        }
        // The two braces that close the annotations and the event.
        open.truncate(open.len().saturating_sub(2));
        Ok(Self {
            open,
            at: event.stage_timestamp,
        })
    }

    /// When the event happened.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Bytes that it holds, for those who bound a queue.
    #[must_use]
    pub fn size(&self) -> usize {
        self.open.len()
    }
}

impl Chain {
    /// The chain of a new log. The id is random, so that two logs are never taken for one.
    #[must_use]
    pub fn new(log_id: impl Into<String>) -> Self {
        let log = log_id.into();
        Self {
            head: Digest::of(log.as_bytes()),
            next: 0,
            log: Some(log),
        }
    }

    /// The chain after the last line of a log, with or without its newline.
    ///
    /// # Errors
    /// The line is no record, or was changed.
    pub fn resume(last_line: &[u8]) -> Result<Self, LinkError> {
        let link = Link::read(last_line)?;
        Ok(Self {
            log: None,
            next: link.seq.saturating_add(1),
            head: link.hash,
        })
    }

    /// Number that the next record gets.
    #[must_use]
    pub fn next_seq(&self) -> u64 {
        self.next
    }

    /// Hash of the last record; of an empty log, of its id.
    #[must_use]
    pub fn head(&self) -> Digest {
        self.head
    }

    /// Appends the next record to `out`: one line with its newline.
    ///
    /// What could not be stored has to be undone with a clone of the chain from before.
    pub fn append(&mut self, event: &Encoded, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&event.open);
        if event.open.last() != Some(&b'{') {
            out.push(b',');
        }
        if let Some(log) = self.log.take() {
            let mut text = format!("\"{}\":", annotation::LOG);
            json::write_string(&log, &mut text);
            text.push(',');
            out.extend_from_slice(text.as_bytes());
        }
        out.extend_from_slice(SEQ_HEAD);
        out.extend_from_slice(self.next.to_string().as_bytes());
        out.extend_from_slice(PREV_HEAD);
        push_hex(self.head, out);
        out.extend_from_slice(PREV_END);
        self.head = Digest::of(out.get(start..).unwrap_or_default());
        self.next = self.next.saturating_add(1);
        out.extend_from_slice(HASH_HEAD);
        push_hex(self.head, out);
        out.extend_from_slice(HASH_END);
        out.push(b'\n');
    }
}

impl Link {
    /// Reads the chain's facts from a line, with or without its newline, and checks the hash.
    ///
    /// # Errors
    /// The line is no record, or was changed.
    pub fn read(line: &[u8]) -> Result<Self, LinkError> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let (link, hashed) = Self::split(line).ok_or(LinkError::NoRecord)?;
        if Digest::of(hashed) != link.hash {
            return Err(LinkError::WrongHash(link));
        }
        Ok(link)
    }

    /// The facts as the line states them, and the bytes that the hash is over.
    fn split(line: &[u8]) -> Option<(Self, &[u8])> {
        let (hashed, tail) = line.split_at_checked(line.len().checked_sub(TAIL)?)?;
        let hash = read_hex(tail.strip_prefix(HASH_HEAD)?.strip_suffix(HASH_END)?)?;
        let rest = hashed.strip_suffix(PREV_END)?;
        let (rest, prev) = rest.split_at_checked(rest.len().checked_sub(HEX)?)?;
        let prev = read_hex(prev)?;
        let rest = rest.strip_suffix(PREV_HEAD)?;
        let digits = rest.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let (rest, seq) = rest.split_at_checked(rest.len().checked_sub(digits)?)?;
        let rest = rest.strip_suffix(SEQ_HEAD)?;
        if !matches!(rest.last(), Some(b',' | b'{')) || (seq.len() > 1 && seq.first() == Some(&b'0')) {
            return None;
        }
        let seq = std::str::from_utf8(seq).ok()?.parse().ok()?;
        Some((Self { seq, prev, hash }, hashed))
    }
}

/// Escapes what a terminal or a line-based tool takes for something else than text, so that a log can be looked at with
/// anything. Nothing of this kind stands in JSON outside of strings.
fn escape_hidden(json: &mut Vec<u8>) {
    if json.is_ascii() && !json.contains(&0x7f) {
        return;
    }
    let text = String::from_utf8_lossy(json);
    let mut out = String::with_capacity(text.len() + 64);
    for character in text.chars() {
        if is_hidden(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a String can't fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(character);
        }
    }
    *json = out.into_bytes();
}

fn push_hex(digest: Digest, out: &mut Vec<u8>) {
    let mut digits = [b'0'; HEX];
    // Two digits for each of 32 bytes: the length always fits.
    let _ = hex::encode_to_slice(digest.as_bytes(), &mut digits);
    out.extend_from_slice(&digits);
}

/// A digest in lower-case digits; upper case would be a second way to write the same record.
fn read_hex(digits: &[u8]) -> Option<Digest> {
    if digits.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    format!("sha256:{}", std::str::from_utf8(digits).ok()?).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Stage;

    fn event(id: &str) -> Event {
        let now = "2026-11-22T10:00:00.123456789Z".parse().unwrap();
        Event::new(id, Stage::RequestReceived, now, now)
    }

    fn line(chain: &mut Chain, event: &Event) -> String {
        let mut out = Vec::new();
        chain.append(&Encoded::new(event).unwrap(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_is_an_event_that_anybody_can_check() {
        let mut chain = Chain::new("log-1");
        let first = line(&mut chain, &event("a"));
        let read: Event = serde_json::from_str(&first).unwrap();
        assert_eq!(read.annotation(annotation::LOG), Some("log-1"));
        assert_eq!(read.annotation(annotation::SEQ), Some("0"));
        assert_eq!(
            read.annotation(annotation::PREV).unwrap(),
            Digest::of(b"log-1").to_string()
        );
        let (hashed, _) = first.split_once(",\"countersign.dev/hash\"").unwrap();
        assert_eq!(
            read.annotation(annotation::HASH).unwrap(),
            Digest::of(hashed.as_bytes()).to_string()
        );

        let second = line(&mut chain, &event("b").with("x", "y"));
        assert!(
            second.contains(r#""annotations":{"x":"y","countersign.dev/seq":"1","#),
            "{second}"
        );
        let link = Link::read(second.as_bytes()).unwrap();
        assert_eq!(link.prev, Link::read(first.as_bytes()).unwrap().hash);
        assert_eq!(link.seq, 1);
    }

    #[test]
    fn a_chain_goes_on_after_its_last_line() {
        let mut chain = Chain::new("log-1");
        let first = line(&mut chain, &event("a"));
        let mut resumed = Chain::resume(first.as_bytes()).unwrap();
        assert_eq!(line(&mut chain, &event("b")), line(&mut resumed, &event("b")));
    }

    #[test]
    fn an_event_can_not_speak_for_the_chain() {
        let forged = event("a")
            .with(annotation::SEQ, "7")
            .with(annotation::HASH, "sha256:00");
        let line = line(&mut Chain::new("l"), &forged);
        assert_eq!(line.matches(annotation::SEQ).count(), 1);
        assert_eq!(Link::read(line.as_bytes()).unwrap().seq, 0);
    }

    #[test]
    fn a_line_is_harmless_to_look_at() {
        let text = "\u{1b}[2J\u{9b}2J\u{7f}\u{2028}\u{202e}\u{e0041}\n名 ü";
        let line = line(&mut Chain::new("l"), &event(text));
        assert!(!line.trim_end().contains(is_hidden), "{line}");
        assert!(line.contains("名 ü"));
        assert_eq!(serde_json::from_str::<Event>(&line).unwrap().audit_id, text);
    }

    #[test]
    fn every_changed_byte_is_seen() {
        let line = line(&mut Chain::new("l"), &event("a").with("k", "v")).into_bytes();
        for index in 0..line.len() - 1 {
            let mut changed = line.clone();
            changed[index] ^= 1;
            assert!(Link::read(&changed).is_err(), "byte {index}");
        }
        assert_eq!(Link::read(b""), Err(LinkError::NoRecord));
        assert_eq!(Link::read(&line[..line.len() - 2]), Err(LinkError::NoRecord));
    }

    #[test]
    fn an_event_has_a_largest_size() {
        assert!(Encoded::new(&event("a").with("k", "x".repeat(MAX_EVENT))).is_err());
    }
}
