//! Where something was found.

use std::ops::Range;

use smol_str::SmolStr;

use crate::mask::MARKER;

/// A secret in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Where it is, in bytes of the text.
    pub range: Range<usize>,
    /// The rule that found it.
    pub rule: SmolStr,
}

impl Hit {
    /// What stands in its place: a number of JSON stays one.
    pub(crate) fn replacement(&self, text: &[u8]) -> &'static str {
        if is_number_of_json(text, &self.range) {
            "0"
        } else {
            MARKER
        }
    }
}

/// The secrets in one text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hits(Vec<Hit>);

impl Hits {
    /// Adds a secret. An empty range is none.
    pub fn push(&mut self, range: Range<usize>, rule: impl Into<SmolStr>) {
        if !range.is_empty() {
            self.0.push(Hit {
                range,
                rule: rule.into(),
            });
        }
    }

    /// Moves what was found since there were so many: it was found in a part of the text that begins here.
    pub(super) fn shift_since(&mut self, count: usize, by: usize) {
        for hit in self.0.iter_mut().skip(count) {
            hit.range = hit.range.start + by..hit.range.end + by;
        }
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was found, in the order in which it was; ranges may overlap.
    #[must_use]
    pub fn as_slice(&self) -> &[Hit] {
        &self.0
    }

    /// Forgets what does not fit.
    pub(super) fn retain(&mut self, fits: impl FnMut(&Hit) -> bool) {
        self.0.retain(fits);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// What was found, from front to back; what overlaps is one hit, of the rule that begins first (the longer one of
    /// two that begin together).
    #[must_use]
    pub fn merged(&self) -> Vec<Hit> {
        let mut sorted = self.0.clone();
        sorted.sort_by(|a, b| (a.range.start, b.range.end, &a.rule).cmp(&(b.range.start, a.range.end, &b.rule)));
        let mut merged: Vec<Hit> = Vec::with_capacity(sorted.len());
        for hit in sorted {
            match merged.last_mut() {
                Some(last) if hit.range.start < last.range.end => {
                    last.range.end = last.range.end.max(hit.range.end);
                }
                _ => merged.push(hit),
            }
        }
        merged
    }

    /// Appends the text with the marker in the place of each secret, and names the rule of each replacement.
    pub fn replace(&self, text: &[u8], out: &mut Vec<u8>, mut replaced: impl FnMut(&str)) {
        let mut from = 0;
        for hit in self.merged() {
            let end = hit.range.end.min(text.len());
            let secret = text.get(hit.range.start..end).unwrap_or_default();
            out.extend_from_slice(text.get(from..hit.range.start).unwrap_or_default());
            out.extend_from_slice(hit.replacement(text).as_bytes());
            // Masked before, by whoever wrote the text.
            if secret != MARKER.as_bytes() {
                replaced(&hit.rule);
            }
            from = end;
        }
        out.extend_from_slice(text.get(from..).unwrap_or_default());
    }
}

/// Whether a secret is the number of a key in JSON, which only a number can replace.
fn is_number_of_json(text: &[u8], secret: &Range<usize>) -> bool {
    let number = text.get(secret.clone()).unwrap_or_default();
    if !number
        .iter()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E'))
    {
        return false;
    }
    let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
    // In its line: of a stream, nobody knows how many lines come at once.
    let before = text.get(..secret.start).unwrap_or_default();
    let before = before.rsplit(is_end).next().unwrap_or_default();
    let after = text.get(secret.end..).unwrap_or_default();
    let after = after.split(is_end).next().unwrap_or_default();
    let (before, after) = (before.trim_ascii_end(), after.trim_ascii_start());
    before
        .strip_suffix(b":")
        .is_some_and(|key| key.trim_ascii_end().ends_with(b"\""))
        && matches!(after.first(), None | Some(b',' | b'}' | b']'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_overlaps_is_one_hit() {
        let mut hits = Hits::default();
        hits.push(6..9, "late");
        hits.push(0..4, "early");
        hits.push(2..6, "overlapping");
        hits.push(4..4, "empty");
        let (mut out, mut rules) = (Vec::new(), Vec::new());
        hits.replace(b"0123456789", &mut out, |rule| rules.push(rule.to_owned()));
        assert_eq!(String::from_utf8(out).unwrap(), format!("{MARKER}{MARKER}9"));
        assert_eq!(rules, ["early", "late"]);
    }

    #[test]
    fn a_number_of_json_stays_one() {
        let mut hits = Hits::default();
        hits.push(7..11, "pin");
        let mut out = Vec::new();
        hits.replace(br#"{"pin":1234,"a":1}"#, &mut out, |_| ());
        assert_eq!(String::from_utf8(out).unwrap(), r#"{"pin":0,"a":1}"#);
    }

    #[test]
    fn other_lines_do_not_matter_for_that() {
        let line = "\"pin\":1234";
        for (before, after) in [("", ""), ("x\n", "\ny"), ("\"a\":\n", "\n}"), ("x\r", "\ry")] {
            let text = format!("{before}{line}{after}");
            let mut hits = Hits::default();
            let start = before.len() + line.len() - 4;
            hits.push(start..start + 4, "pin");
            let mut out = Vec::new();
            hits.replace(text.as_bytes(), &mut out, |_| ());
            assert_eq!(String::from_utf8(out).unwrap(), format!("{before}\"pin\":0{after}"));
        }
    }
}
