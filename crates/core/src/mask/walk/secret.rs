//! Secrets: their data, and what of it shows up again elsewhere in them.

use std::collections::{HashMap, HashSet};

use memchr::{memchr2, memchr3};

use super::metadata::LAST_APPLIED;
use super::{Cursor, Edits, Result};
use crate::detect::Hits;
use crate::mask::cursor::Shape;
use crate::mask::error::MaskErrorKind;
use crate::mask::marker::{self, MARKER};

/// Fewest characters of a value that is recognised where a text is equal to it.
const MIN_EQUAL: usize = 3;
/// Fewest characters of a value that is recognised inside a longer text.
const MIN_CONTAINED: usize = 6;
/// Bytes by which values are looked up inside a text: as many as the shortest of them has at least.
const PREFIX: usize = MIN_CONTAINED;
/// Most comparisons that are spent on a text, for each of its bytes. What would take more, since many values begin
/// alike, is masked whole: a hostile Secret must not cost a square.
const MAX_COMPARISONS: usize = 64;

pub(super) const DATA: &str = "secret-data";
pub(super) const METADATA: &str = "secret-metadata";

/// What of a Secret has to be looked at before it is masked.
#[derive(Default)]
pub(super) struct Parts<'a> {
    metadata: Option<Cursor<'a>>,
    data: Option<Cursor<'a>>,
    string_data: Option<Cursor<'a>>,
}

impl<'a> Parts<'a> {
    /// Those of the object ahead.
    pub(super) fn of(secret: &Cursor<'a>) -> Result<Self> {
        let mut parts = Self::default();
        parts.read(secret)?;
        Ok(parts)
    }

    /// Those of an object that may be odd further on.
    fn of_beginning(secret: &Cursor<'a>) -> Self {
        let mut parts = Self::default();
        // What was read is there, whatever comes behind it.
        let _ = parts.read(secret);
        parts
    }

    fn read(&mut self, secret: &Cursor<'a>) -> Result<()> {
        let mut ahead = secret.clone();
        if ahead.shape()? != Shape::Object {
            return Ok(());
        }
        let (mut members, mut none) = (ahead.object()?, Edits::default());
        while let Some(key) = ahead.member(&mut members, &mut none)? {
            match &*key.decode() {
                "metadata" => self.metadata = Some(ahead.clone()),
                "data" => self.data = Some(ahead.clone()),
                "stringData" => self.string_data = Some(ahead.clone()),
                _ => {}
            }
            ahead.skip()?;
        }
        Ok(())
    }

    /// Whether it has values.
    pub(super) fn has_data(&self) -> bool {
        self.data.is_some() || self.string_data.is_some()
    }
}

/// The values of one Secret, to be recognised in its own metadata. Never shown, never kept.
#[derive(Default, Clone)]
pub(super) struct Values {
    all: HashSet<String>,
    long: HashMap<[u8; PREFIX], Vec<String>>,
    /// Bytes of the longest text that is compared with them. What is longer can't be in it.
    longest: usize,
}

impl Values {
    /// Adds the values of the Secret ahead, plain and as base64, and those that it had when it was last applied, as far as
    /// they could be in its metadata.
    pub(super) fn collect(&mut self, secret: &Parts<'_>) -> Result<()> {
        let Some(metadata) = &secret.metadata else {
            return Ok(());
        };
        self.longest = longest_text(&mut metadata.clone())?;
        self.collect_data(secret)?;
        if let Some(copy) = metadata.look_up_text(&["annotations", LAST_APPLIED])? {
            // What can't be read there is masked whole.
            match self.collect_data(&Parts::of_beginning(&Cursor::new(&copy, 0))) {
                Ok(()) | Err(MaskErrorKind::Malformed | MaskErrorKind::DuplicateKey | MaskErrorKind::TooDeep) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn collect_data(&mut self, secret: &Parts<'_>) -> Result<()> {
        if let Some(data) = &secret.data {
            for_each_scalar(&mut data.clone(), &mut |text| {
                if is_surely_longer(text, self.longest) {
                    return;
                }
                self.add(text);
                self.add(text.trim_end_matches('='));
                if let Some(plain) = marker::decode_base64(text).and_then(|bytes| String::from_utf8(bytes).ok()) {
                    self.add(&plain);
                    self.add(plain.trim());
                }
            })?;
        }
        if let Some(data) = &secret.string_data {
            for_each_scalar(&mut data.clone(), &mut |text| {
                if text.trim().len() > self.longest {
                    return;
                }
                let encoded = marker::encode_base64(text.as_bytes());
                self.add(text);
                self.add(text.trim());
                self.add(encoded.trim_end_matches('='));
                self.add(&encoded);
            })?;
        }
        Ok(())
    }

    /// Whether a text is one of the values.
    pub(super) fn has(&self, text: &str) -> bool {
        self.all.contains(text)
    }

    fn add(&mut self, text: &str) {
        let characters = text.chars().take(MIN_CONTAINED).count();
        if characters < MIN_EQUAL || text == MARKER || text == marker::encoded() {
            return;
        }
        if self.all.insert(text.to_owned())
            && characters >= MIN_CONTAINED
            && let Some(prefix) = text.as_bytes().first_chunk()
        {
            self.long.entry(*prefix).or_default().push(text.to_owned());
        }
    }

    /// Finds a text that is one of the values, or the parts of it that are.
    pub(super) fn detect(&self, text: &str, hits: &mut Hits) {
        if self.all.contains(text) {
            hits.push(0..text.len(), METADATA);
            return;
        }
        match self.places(text) {
            None => hits.push(0..text.len(), METADATA),
            Some(places) => places
                .into_iter()
                .for_each(|(start, end)| hits.push(start..end, METADATA)),
        }
    }

    /// Where values begin and end in a text, in the order of their beginnings. All of them are found before any is
    /// replaced: a value that is part of the marker must not be found in it. `None`: it takes too long.
    fn places(&self, text: &str) -> Option<Vec<(usize, usize)>> {
        let mut places = Vec::new();
        let mut comparisons = 0;
        for (start, prefix) in text.as_bytes().windows(PREFIX).enumerate() {
            let values = <&[u8; PREFIX]>::try_from(prefix)
                .ok()
                .and_then(|prefix| self.long.get(prefix));
            for value in values.into_iter().flatten() {
                comparisons += 1 + value.len() / 64;
                let end = start + value.len();
                if text.as_bytes().get(start..end) == Some(value.as_bytes()) {
                    places.push((start, end));
                }
                if comparisons > MAX_COMPARISONS.saturating_mul(text.len()) {
                    return None;
                }
            }
        }
        Some(places)
    }
}

/// Whether base64 is longer than so many bytes, and what it says too, without the white space around it. To decode the
/// ends of it tells that of nearly all that is long.
fn is_surely_longer(base64: &str, length: usize) -> bool {
    const END: usize = 64;
    let (plain, last) = (base64.len() / 4 * 3, base64.len().saturating_sub(1) / 4 * 4);
    if plain <= length + 2 * END || base64.trim_end_matches('=').len() <= length {
        return false;
    }
    let ends = [base64.get(..END), base64.get(last.saturating_sub(END)..)];
    // With lines in it, it says less.
    memchr3(b'\n', b'\r', b' ', base64.as_bytes()).is_none()
        && memchr2(b'\t', b'\x0c', base64.as_bytes()).is_none()
        && ends.into_iter().all(|end| {
            let Some(end) = end else { return false };
            // What can't be decoded says nothing.
            marker::decode_base64(end).is_none_or(|end| end.iter().any(u8::is_ascii_graphic))
        })
}

/// Bytes of the longest text of an object's metadata as it is written, which it never is shorter than what it says.
fn longest_text(metadata: &mut Cursor<'_>) -> Result<usize> {
    if metadata.shape()? != Shape::Object {
        let all = metadata.skip()?;
        return Ok(all.len());
    }
    let (mut members, mut none, mut longest) = (metadata.object()?, Edits::default(), 0);
    while let Some(key) = metadata.member(&mut members, &mut none)? {
        let length = match metadata.shape()? {
            // They are left out.
            _ if key.is("managedFields") => metadata.skip().map(|_| 0)?,
            Shape::Object if key.is("annotations") || key.is("labels") => longest_member(metadata)?,
            _ => metadata.skip()?.len(),
        };
        longest = longest.max(length);
    }
    Ok(longest)
}

fn longest_member(object: &mut Cursor<'_>) -> Result<usize> {
    let (mut members, mut none, mut longest) = (object.object()?, Edits::default(), 0);
    while object.member(&mut members, &mut none)?.is_some() {
        longest = longest.max(object.skip()?.len());
    }
    Ok(longest)
}

fn for_each_scalar(value: &mut Cursor<'_>, see: &mut impl FnMut(&str)) -> Result<()> {
    match value.shape()? {
        Shape::String => see(&value.string()?.decode()),
        Shape::Number => {
            let range = value.scalar()?;
            see(value.text_at(&range));
        }
        Shape::Array => {
            let (mut array, mut none) = (value.array()?, Edits::default());
            while value.element(&mut array, &mut none)? {
                for_each_scalar(value, see)?;
            }
        }
        Shape::Object => {
            let (mut object, mut none) = (value.object()?, Edits::default());
            while value.member(&mut object, &mut none)?.is_some() {
                for_each_scalar(value, see)?;
            }
        }
        Shape::Bool | Shape::Null => _ = value.scalar()?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(values: &[&str], text: &str) -> String {
        let mut known = Values::default();
        for value in values {
            known.add(value);
        }
        let (mut hits, mut out) = (Hits::default(), Vec::new());
        if text != MARKER {
            known.detect(text, &mut hits);
        }
        hits.replace(text.as_bytes(), &mut out, |_| ());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn equal_from_three_contained_from_six() {
        assert_eq!(masked(&["ab"], "ab"), "ab");
        assert_eq!(masked(&["abc"], "abc"), MARKER);
        assert_eq!(masked(&["abcde"], "x abcde"), "x abcde");
        assert_eq!(masked(&["abcdef"], "x abcdef y"), format!("x {MARKER} y"));
        assert_eq!(masked(&["éèàüöß"], "é éèàüöß!"), format!("é {MARKER}!"));
        // Overlapping and nested places become one marker; adjacent ones stay two.
        assert_eq!(
            masked(&["abcdef", "defghi", "bcdefg"], "1abcdefghi2"),
            format!("1{MARKER}2")
        );
        assert_eq!(
            masked(&["abcdef", "ghijkl"], "abcdefghijkl"),
            format!("{MARKER}{MARKER}")
        );
        // Values that are words of the marker itself.
        assert_eq!(masked(&["masked", "countersign"], "is masked"), format!("is {MARKER}"));
        assert_eq!(masked(&["masked"], MARKER), MARKER);
    }

    #[test]
    fn long_values_that_can_not_be_in_the_metadata() {
        let of = |plain: &[u8]| marker::encode_base64(plain);
        for (base64, length, longer) in [
            (of(&[b'x'; 1000]), 700, true),
            (of(&[0; 1000]), 100, false),
            (of(&[b'x'; 300]), 250, false),
            (of(format!("hunter22{}", "\n".repeat(1000)).as_bytes()), 100, false),
            (of(format!("{}hunter22", " ".repeat(1000)).as_bytes()), 100, false),
            (
                of(format!("{}hunter22", "\u{2003}".repeat(1000)).as_bytes()),
                100,
                false,
            ),
            (format!("aHVudGVyMjI{}", "\n".repeat(1000)), 100, false),
            (format!("aHVudGVyMjI{}", "=".repeat(1000)), 100, false),
        ] {
            assert_eq!(is_surely_longer(&base64, length), longer, "{base64}");
        }
    }

    #[test]
    fn work_is_bounded() {
        let values: Vec<String> = (0..40_000).map(|n| format!("aaaaaaaaaaaaaaaa{n}")).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        assert_eq!(masked(&values, &"a".repeat(1_000_000)), MARKER);
        // A value that repeats itself is covered to its end.
        assert_eq!(masked(&["aaaaaa"], "baaaaaaaaab"), format!("b{MARKER}b"));
    }
}
