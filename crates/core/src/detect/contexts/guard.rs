//! JSON stays JSON: where a line is a JSON text, no hit goes over the end of a string, or splits an escape.

use std::ops::Range;

use memchr::{memchr, memchr2, memrchr2};
use serde::de::IgnoredAny;

use crate::detect::hit::{Hit, Hits};

use super::bytes::{at, part, rest};

/// Adds hits to others, cut so that a line of JSON, or a text that is JSON in whole, is still JSON without them.
pub(in crate::detect) fn keep_json(text: &[u8], found: &Hits, hits: &mut Hits) {
    if found.is_empty() {
        return;
    }
    let merged = found.merged();
    let mut next = merged.iter().peekable();
    while let Some(first) = next.peek() {
        let start = memrchr2(b'\n', b'\r', part(text, 0..first.range.start)).map_or(0, |end| end + 1);
        let end =
            memchr2(b'\n', b'\r', rest(text, first.range.start)).map_or(text.len(), |end| first.range.start + end);
        let line = start..end;
        let mut here = Vec::new();
        while let Some(hit) = next.next_if(|hit| hit.range.start < line.end.max(line.start + 1)) {
            here.push(hit);
        }
        if here.is_empty() {
            return;
        }
        if is_json(part(text, line.clone())) {
            within_strings(text, line, &here, hits);
        } else {
            for hit in here {
                hits.push(hit.range.clone(), hit.rule.clone());
            }
        }
    }
}

fn is_json(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    matches!(line.first(), Some(b'{' | b'[')) && serde_json::from_slice::<IgnoredAny>(line).is_ok()
}

/// Adds what of each hit is in one string, or is one number.
fn within_strings(text: &[u8], line: Range<usize>, found: &[&Hit], hits: &mut Hits) {
    let mut position = line.start;
    let mut found = found.iter().peekable();
    while let Some(hit) = found.peek() {
        // A string before, in or behind the hit.
        let open = memchr(b'"', part(text, position..line.end)).map_or(line.end, |open| position + open);
        if hit.range.end <= open {
            if is_number(part(text, hit.range.clone())) {
                hits.push(hit.range.clone(), hit.rule.clone());
            }
            found.next();
            continue;
        }
        let Some(string) = string(text, open, line.end) else {
            return;
        };
        while let Some(hit) = found.peek() {
            let range = hit.range.start.max(string.start)..hit.range.end.min(string.end);
            if range.start < range.end {
                hits.push(whole_escapes(text, &string, range), hit.rule.clone());
            }
            if hit.range.end > string.end {
                break;
            }
            found.next();
        }
        position = string.end + 1;
    }
}

/// What is in the string that opens at a position.
fn string(text: &[u8], open: usize, most: usize) -> Option<Range<usize>> {
    let mut position = open + 1;
    loop {
        position += memchr2(b'"', b'\\', part(text, position..most))?;
        if at(text, position) == b'"' {
            return Some(open + 1..position);
        }
        position += 2;
    }
}

/// A range that has the whole of each escape that it has a part of.
fn whole_escapes(text: &[u8], string: &Range<usize>, range: Range<usize>) -> Range<usize> {
    let mut range = range;
    // The backslashes before tell whether a position is within an escape.
    let odd = |position: usize| {
        let run = part(text, string.start..position)
            .iter()
            .rev()
            .take_while(|byte| **byte == b'\\')
            .count();
        !run.is_multiple_of(2)
    };
    if odd(range.start) {
        range.start -= 1;
    }
    if odd(range.end) {
        range.end += 1;
    }
    for back in 1..=4 {
        for (place, by) in [(&mut range.start, 0), (&mut range.end, 6)] {
            let begin = place.checked_sub(back + 1).unwrap_or(*place);
            if part(text, begin..begin + 2) == b"\\u"
                && begin >= string.start
                && odd(begin + 1)
                && begin + 6 > *place
                && begin < *place
            {
                *place = begin + by;
            }
        }
    }
    range.start..range.end.min(string.end)
}

fn is_number(text: &[u8]) -> bool {
    !text.is_empty()
        && text
            .iter()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str, range: Range<usize>) -> Vec<&str> {
        let (mut found, mut hits) = (Hits::default(), Hits::default());
        found.push(range, "x");
        keep_json(text.as_bytes(), &found, &mut hits);
        hits.as_slice().iter().map(|hit| &text[hit.range.clone()]).collect()
    }

    #[test]
    fn hits_end_with_their_string() {
        assert_eq!(kept(r#"{"a":"bc","d":"ef"}"#, 6..17), ["bc", "d", "ef"]);
        assert_eq!(kept(r#"{"a":12,"d":"ef"}"#, 5..7), ["12"]);
        assert_eq!(kept(r#"{"a":true,"d":"ef"}"#, 5..9), [""; 0]);
        assert_eq!(kept(r#"{"a":"b\nc"}"#, 6..8), [r"b\n"]);
        assert_eq!(kept(r#"{"a":"b\nc"}"#, 8..10), [r"\nc"]);
        assert_eq!(kept(r#"{"a":"b\u0041c"}"#, 6..10), [r"b\u0041"]);
        assert_eq!(kept("{a: b}", 1..5), ["a: b"]);
    }
}
