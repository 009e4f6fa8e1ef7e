//! Secrets: their data, and what of it shows up again elsewhere in them.

use std::collections::{HashMap, HashSet};

use super::marker::{self, MARKER};
use super::obligation::{Place, mask_scalars};
use super::report::Tally;
use crate::json::{Object, Value};

/// Fewest characters of a value that is recognised where a text is equal to it.
const MIN_EQUAL: usize = 3;
/// Fewest characters of a value that is recognised inside a longer text.
const MIN_CONTAINED: usize = 6;
/// Bytes by which values are looked up inside a text: as many as the shortest of them has at least.
const PREFIX: usize = MIN_CONTAINED;
/// Most comparisons that are spent on a text, for each of its bytes. What would take more, since many values begin
/// alike, is masked whole: a hostile Secret must not cost a square.
const MAX_COMPARISONS: usize = 64;

const DATA: &str = "secret-data";
const METADATA: &str = "secret-metadata";

/// The values of one Secret, to be recognised in its own metadata. Never shown, never kept.
#[derive(Default, Clone)]
pub(super) struct Values {
    all: HashSet<String>,
    long: HashMap<[u8; PREFIX], Vec<String>>,
}

impl Values {
    /// Adds the values of a Secret's data, plain and as base64.
    pub(super) fn collect(&mut self, object: &Object) {
        if let Some(data) = object.get("data") {
            for_each_scalar(data, &mut |text| {
                self.add(text);
                self.add(text.trim_end_matches('='));
                if let Some(plain) = marker::decode_base64(text).and_then(|bytes| String::from_utf8(bytes).ok()) {
                    self.add(&plain);
                    self.add(plain.trim());
                }
            });
        }
        if let Some(data) = object.get("stringData") {
            for_each_scalar(data, &mut |text| {
                let encoded = marker::encode_base64(text.as_bytes());
                self.add(text);
                self.add(text.trim());
                self.add(encoded.trim_end_matches('='));
                self.add(&encoded);
            });
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
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

    /// Masks a text that is one of the values, or the parts of it that are.
    pub(super) fn mask(&self, text: &mut String, tally: &mut Tally) {
        if text == MARKER {
            return;
        }
        let masked = if self.all.contains(text.as_str()) {
            MARKER.to_owned()
        } else {
            match self.places(text) {
                None => MARKER.to_owned(),
                Some(places) if places.is_empty() => return,
                Some(places) => replaced(text, &places),
            }
        };
        *text = masked;
        tally.masked(METADATA);
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

    /// Masks the values in every scalar at or below a value, except where the object is only identified.
    pub(super) fn mask_inside(&self, value: &mut Value, place: Place, tally: &mut Tally) {
        match value {
            Value::String(text) => self.mask(text, tally),
            Value::Number(text) => {
                if self.all.contains(text.as_str()) {
                    "0".clone_into(text);
                    tally.masked(METADATA);
                }
            }
            Value::Array(elements) => {
                for element in elements {
                    self.mask_inside(element, Place::Inside, tally);
                }
            }
            Value::Object(object) => {
                for (key, member) in object.iter_mut() {
                    if place == Place::Root && key == "type" {
                        continue;
                    }
                    if let Some(place) = place.member(key) {
                        self.mask_inside(member, place, tally);
                    }
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }
}

/// A text in which places, in the order of their beginnings, are replaced; places that overlap are one.
fn replaced(text: &str, places: &[(usize, usize)]) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut covered = None;
    for (start, end) in places {
        if covered.is_none_or(|covered| *start >= covered) {
            masked.push_str(text.get(covered.unwrap_or(0)..*start).unwrap_or_default());
            masked.push_str(MARKER);
        }
        covered = covered.max(Some(*end));
    }
    masked.push_str(text.get(covered.unwrap_or(0)..).unwrap_or_default());
    masked
}

/// Masks the data of a Secret.
pub(super) fn mask_data(object: &mut Object, tally: &mut Tally) {
    if let Some(data) = object.get_mut("data") {
        mask_scalars(data, Place::Inside, marker::encoded(), DATA, tally);
    }
    if let Some(data) = object.get_mut("stringData") {
        mask_scalars(data, Place::Inside, MARKER, DATA, tally);
    }
}

/// Masks a text of a Secret's metadata whole.
pub(super) fn mask_text(text: &mut String, tally: &mut Tally) {
    if text != MARKER && !text.is_empty() {
        MARKER.clone_into(text);
        tally.masked(METADATA);
    }
}

fn for_each_scalar(value: &Value, see: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) | Value::Number(text) => see(text),
        Value::Array(elements) => elements.iter().for_each(|element| for_each_scalar(element, see)),
        Value::Object(object) => object.iter().for_each(|(_, member)| for_each_scalar(member, see)),
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(values: &[&str], text: &str) -> String {
        let mut known = Values::default();
        for value in values {
            known.add(value);
        }
        let mut text = text.to_owned();
        known.mask(&mut text, &mut Tally::default());
        text
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
    fn work_is_bounded() {
        let values: Vec<String> = (0..40_000).map(|n| format!("aaaaaaaaaaaaaaaa{n}")).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        assert_eq!(masked(&values, &"a".repeat(1_000_000)), MARKER);
        // A value that repeats itself is covered to its end.
        assert_eq!(masked(&["aaaaaa"], "baaaaaaaaab"), format!("b{MARKER}b"));
    }
}
