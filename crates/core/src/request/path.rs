//! The path: split raw, each segment decoded once, and written anew.
//!
//! Whatever could be split or decoded differently by somebody on the way is refused, so that what is decided and what
//! is sent are the same path for everybody.

use std::borrow::Cow;

use smallvec::SmallVec;
use smol_str::SmolStr;

use super::percent::{self, DecodeError};
use super::quote::Quoted;
use crate::refusal::Refusal;

/// Longest path, in bytes, as received and as sent.
const MAX_LEN: usize = 4096;

/// A path whose segments were split and decoded.
#[derive(Debug)]
pub(super) struct Path<'a> {
    pub(super) segments: SmallVec<[Segment<'a>; 8]>,
    /// Whether one slash stood behind the last segment.
    pub(super) trailing_slash: bool,
    /// The path as a whole, if it is the same decoded and written anew: nearly always.
    plain: Option<SmolStr>,
}

/// One path segment.
#[derive(Debug, Clone)]
pub(super) struct Segment<'a> {
    /// The text, after one decoding pass: neither empty, nor with a `/` in it.
    pub(super) text: Cow<'a, str>,
    /// Whether it was written with a percent escape.
    escaped: bool,
}

impl<'a> Path<'a> {
    /// Splits at slashes, then decodes each segment.
    pub(super) fn parse(raw: &'a str) -> Result<Self, Refusal> {
        check_len(raw)?;
        let plain = raw.bytes().all(|byte| byte == b'/' || percent::is_unreserved(byte));
        let mut segments = SmallVec::new();
        // The path starts with a slash, so the text before the first one is empty.
        let mut rest = raw.split('/').skip(1).peekable();
        let mut trailing_slash = false;
        while let Some(raw_segment) = rest.next() {
            if !raw_segment.is_empty() {
                segments.push(if plain {
                    Segment::plain(raw_segment)?
                } else {
                    decode_segment(raw_segment)?
                });
            } else if rest.peek().is_none() && !segments.is_empty() {
                trailing_slash = true;
            } else if raw != "/" {
                return Err(Refusal::malformed("empty path segment").with_remedy("write each `/` once"));
            }
        }
        Ok(Self {
            plain: (plain && !trailing_slash).then(|| raw.into()),
            segments,
            trailing_slash,
        })
    }

    /// The path as upstream sees it.
    pub(super) fn decoded(&self) -> SmolStr {
        if let Some(path) = &self.plain {
            return path.clone();
        }
        let mut path = String::with_capacity(64);
        for segment in &self.segments {
            path.push('/');
            path.push_str(&segment.text);
        }
        if self.trailing_slash {
            path.push('/');
        }
        path.into()
    }

    /// The path as it is sent. From segment `verbatim` on, segments are written as they came: no escape is accepted
    /// there, so that one that is written could not be read again.
    pub(super) fn canonical(&self, verbatim: usize, keep_slash: bool) -> Result<SmolStr, Refusal> {
        if let Some(path) = &self.plain {
            return Ok(path.clone());
        }
        let mut path = String::with_capacity(128);
        for (index, segment) in self.segments.iter().enumerate() {
            path.push('/');
            if index < verbatim {
                percent::push_segment(&mut path, &segment.text);
            } else {
                path.push_str(&segment.text);
            }
        }
        if self.trailing_slash && keep_slash {
            path.push('/');
        }
        // Escapes make it longer.
        check_len(&path)?;
        Ok(path.into())
    }
}

impl<'a> Segment<'a> {
    /// One in which nothing is escaped or has to be.
    fn plain(text: &'a str) -> Result<Self, Refusal> {
        refuse_dots(text)?;
        Ok(Self {
            text: Cow::Borrowed(text),
            escaped: false,
        })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }
}

fn check_len(path: &str) -> Result<(), Refusal> {
    if path.len() > MAX_LEN {
        return Err(Refusal::malformed(format!("the path is longer than {MAX_LEN} bytes")));
    }
    Ok(())
}

fn decode_segment(raw: &str) -> Result<Segment<'_>, Refusal> {
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
    Ok(Segment {
        text,
        escaped: raw.contains('%'),
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
