//! The path: split raw, each segment decoded once, and written anew.
//!
//! Whatever could be split or decoded differently by somebody on the way is refused, so that what is decided and what
//! is sent are the same path for everybody.

use std::borrow::Cow;
use std::ops::Range;

use smallvec::SmallVec;
use smol_str::SmolStr;

use super::alphabets::Alphabets;
use super::names::Word;
use super::percent::{self, DecodeError};
use super::quote::Quoted;
use super::text::Text;
use crate::refusal::Refusal;

/// Longest path, in bytes, as received and as sent.
const MAX_LEN: usize = 4096;

/// A path whose segments were split and decoded.
#[derive(Debug, Default)]
pub(super) struct Path<'a> {
    pub(super) segments: Segments<'a>,
    /// Whether one slash stood behind the last segment.
    pub(super) trailing_slash: bool,
    /// The path as it came, if it is the same decoded and written anew: nearly always.
    plain: Option<&'a str>,
}

/// Most paths have fewer than eight.
type Segments<'a> = SmallVec<[Segment<'a>; 8]>;

/// One path segment, after one decoding pass: neither empty, nor with a `/` in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment<'a> {
    text: &'a str,
    alphabets: Alphabets,
    /// Whether it was written with a percent escape.
    escaped: bool,
}

impl<'a> Path<'a> {
    /// Reads a target in whose path nothing is escaped or has to be, no segment is empty or of dots, and the last one ends
    /// it, in one pass; gives the query without its `?`. Every other target is looked at with more care, and another path.
    #[inline]
    pub(super) fn read_plain(&mut self, target: &'a str) -> Option<&'a str> {
        let mut rest = target.strip_prefix('/')?;
        let after = loop {
            let (text, alphabets, after) = plain_start(rest)?;
            // Dots are in no label.
            if text.is_empty() || !alphabets.contain(Alphabets::LABEL) && matches!(text, "." | "..") {
                return None;
            }
            self.segments.push(Segment {
                text,
                alphabets,
                escaped: false,
            });
            match after.strip_prefix('/') {
                Some(next) => rest = next,
                None => break after,
            }
        };
        let raw = target.get(..target.len() - after.len())?;
        if raw.len() > MAX_LEN {
            return None;
        }
        self.plain = Some(raw);
        if after.is_empty() {
            return Some(after);
        }
        after.strip_prefix('?')
    }

    /// Splits at slashes, then decodes each segment, into `decoded` where it is not what it was.
    pub(super) fn parse(raw: &'a str, decoded: &'a mut String) -> Result<Self, Refusal> {
        check_len(raw)?;
        let mut written = SmallVec::<[Written<'a>; 8]>::new();
        // The path starts with a slash, so the text before the first one is empty.
        let mut rest = raw.split('/').skip(1).peekable();
        let mut trailing_slash = false;
        while let Some(raw_segment) = rest.next() {
            if !raw_segment.is_empty() {
                written.push(decode_segment(raw_segment, decoded)?);
            } else if rest.peek().is_none() && !written.is_empty() {
                trailing_slash = true;
            } else if raw != "/" {
                return Err(Refusal::malformed("empty path segment").with_remedy("write each `/` once"));
            }
        }
        let decoded: &'a str = decoded;
        let segments: Option<Segments<'a>> = written.iter().map(|segment| segment.read(decoded)).collect();
        Ok(Self {
            segments: segments.ok_or_else(|| Refusal::malformed("a path segment that can't be read"))?,
            trailing_slash,
            plain: None,
        })
    }

    /// Whether it is the same as it came, decoded and written anew.
    pub(super) fn is_plain(&self) -> bool {
        self.plain.is_some()
    }

    /// The path as upstream sees it.
    #[cfg(test)]
    fn decoded(&self) -> Text<120> {
        let mut path = Text::default();
        self.decode_into(&mut path);
        path
    }

    /// Puts the path as upstream sees it into a text.
    #[inline]
    pub(super) fn decode_into(&self, text: &mut Text<120>) {
        if let Some(path) = self.plain {
            return text.set(path);
        }
        let mut path = String::with_capacity(64);
        for segment in &self.segments {
            path.push('/');
            path.push_str(segment.as_str());
        }
        if self.trailing_slash {
            path.push('/');
        }
        text.set(&path);
    }

    /// The path as it is sent; none if that is the one that upstream sees. From segment `verbatim` on, segments are
    /// written as they came: no escape is accepted there, so that one that is written could not be read again.
    pub(super) fn canonical(&self, verbatim: usize, keep_slash: bool) -> Result<Option<SmolStr>, Refusal> {
        if self.plain.is_some() {
            return Ok(None);
        }
        let mut path = String::with_capacity(128);
        for (index, segment) in self.segments.iter().enumerate() {
            path.push('/');
            if index < verbatim {
                percent::push_segment(&mut path, segment.as_str());
            } else {
                path.push_str(segment.as_str());
            }
        }
        if self.trailing_slash && keep_slash {
            path.push('/');
        }
        // Escapes make it longer.
        check_len(&path)?;
        Ok(Some(path.into()))
    }
}

impl<'a> Segment<'a> {
    fn new(text: &'a str, escaped: bool) -> Self {
        Self {
            text,
            alphabets: Alphabets::of_all(text),
            escaped,
        }
    }

    pub(super) fn as_str(&self) -> &'a str {
        self.text
    }

    pub(super) fn word(&self) -> Word<'a> {
        Word {
            text: self.text,
            alphabets: self.alphabets,
        }
    }
}

/// What a text starts with that is never escaped, the alphabets of that, and what follows.
#[inline]
fn plain_start(text: &str) -> Option<(&str, Alphabets, &str)> {
    let mut alphabets = Alphabets::ALL;
    let mut left = text.as_bytes();
    while let [byte, next @ ..] = left {
        let of_byte = Alphabets::of(*byte);
        if !of_byte.contain(Alphabets::UNRESERVED) {
            break;
        }
        alphabets = alphabets.and(of_byte);
        left = next;
    }
    let (start, after) = text.split_at_checked(text.len() - left.len())?;
    Some((start, alphabets, after))
}

/// A segment on its way: as it came, or where it stands among those that were decoded.
enum Written<'a> {
    Plainly(&'a str),
    Escaped(Range<usize>),
}

impl<'a> Written<'a> {
    fn read(&self, decoded: &'a str) -> Option<Segment<'a>> {
        Some(match self {
            Self::Plainly(text) => Segment::new(text, false),
            Self::Escaped(range) => Segment::new(decoded.get(range.clone())?, true),
        })
    }
}

fn check_len(path: &str) -> Result<(), Refusal> {
    if path.len() > MAX_LEN {
        return Err(Refusal::malformed(format!("the path is longer than {MAX_LEN} bytes")));
    }
    Ok(())
}

fn decode_segment<'a>(raw: &'a str, decoded: &mut String) -> Result<Written<'a>, Refusal> {
    let text = percent::decode_segment(raw).map_err(|error| {
        let refusal = Refusal::malformed(format!("{error} in path segment {}", Quoted(raw)));
        match error {
            DecodeError::OverEncoded => refusal.with_remedy("write letters, digits and `-._~` plainly"),
            DecodeError::Malformed | DecodeError::NotUtf8 => refusal,
        }
    })?;
    refuse_dots(&text)?;
    match text.bytes().find(|byte| is_forbidden(*byte)) {
        None => {}
        Some(b';' | b'\\') => {
            return Err(Refusal::malformed(format!(
                "`;` or `\\` in path segment {}",
                Quoted(raw)
            )));
        }
        Some(_) => {
            return Err(Refusal::malformed(format!(
                "encoded separator, percent sign or control character in path segment {}",
                Quoted(raw)
            )));
        }
    }
    Ok(match text {
        // What has an escape in it is never as it was.
        Cow::Borrowed(text) => Written::Plainly(text),
        Cow::Owned(text) => {
            let start = decoded.len();
            decoded.push_str(&text);
            Written::Escaped(start..decoded.len())
        }
    })
}

fn refuse_dots(segment: &str) -> Result<(), Refusal> {
    if segment == "." || segment == ".." {
        return Err(Refusal::malformed("dot segment in the path"));
    }
    Ok(())
}

/// All of these are ASCII, so that looking at bytes finds them in UTF-8 too.
fn is_forbidden(byte: u8) -> bool {
    matches!(byte, b';' | b'\\' | b'/' | b'%' | 0..=0x1f | 0x7f)
}

/// Escapes belong to names of objects; nothing else needs one.
pub(super) fn refuse_escapes(segments: &[Segment<'_>]) -> Result<(), Refusal> {
    match segments.iter().find(|segment| segment.escaped) {
        None => Ok(()),
        Some(segment) => Err(Refusal::malformed(format!(
            "percent escape outside the object name, in segment {}",
            Quoted(segment.as_str())
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_plain_path_is_read_as_any_other(
            raw in "(/[a-zA-Z0-9._~%-]{0,3}){1,10}/?",
            query in "([?][ -~]{0,3})?",
            other in "/[ -~]{0,12}",
        ) {
            for target in [raw + &query, other] {
                let mut decoded = String::new();
                let mut plain = Path::default();
                let Some(query) = plain.read_plain(&target) else {
                    continue;
                };
                let (raw, rest) = target.split_once('?').unwrap_or((&target, ""));
                proptest::prop_assert_eq!(query, rest);
                let careful = Path::parse(raw, &mut decoded).unwrap();
                proptest::prop_assert!(!careful.trailing_slash);
                proptest::prop_assert_eq!(&careful.segments, &plain.segments);
                for path in [careful, plain] {
                    let as_seen = path.decoded();
                    proptest::prop_assert_eq!(as_seen.as_str(), raw);
                    let sent = path.canonical(usize::MAX, false).unwrap();
                    proptest::prop_assert_eq!(sent.as_deref().unwrap_or(raw), raw);
                }
            }
        }
    }
}
