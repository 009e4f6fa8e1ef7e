//! JSON read in place: one pass over the bytes of an item, which descends only where a rule can reach.
//!
//! Whoever walks consumes one value after the other: enters it, reads it, or skips it. What is entered is checked as
//! strictly as JSON can be, twice the same key included; what is skipped is checked for strings, brackets and depth
//! alone. Nothing is copied, and nothing is built.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use super::edits::Edits;
use super::error::MaskErrorKind;
use crate::json::{MAX_DEPTH, Value};

type Result<T> = std::result::Result<T, MaskErrorKind>;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Object,
    Array,
    String,
    Number,
    /// `true` or `false`.
    Bool,
    Null,
}

/// A string, where it stands.
#[derive(Debug, Clone)]
pub(super) struct Text<'a> {
    /// With its quotes.
    pub(super) range: Range<usize>,
    /// Without them, as it is written.
    raw: &'a str,
    is_escaped: bool,
}

impl<'a> Text<'a> {
    /// What it says.
    pub(super) fn decode(&self) -> Cow<'a, str> {
        if !self.is_escaped {
            return Cow::Borrowed(self.raw);
        }
        let mut quoted = String::with_capacity(self.raw.len() + 2);
        quoted.push('"');
        quoted.push_str(self.raw);
        quoted.push('"');
        match Value::parse(quoted.as_bytes()) {
            Ok(Value::String(text)) => Cow::Owned(text),
            // It was checked when it was read.
            _ => Cow::Borrowed(self.raw),
        }
    }

    /// Whether it says this.
    pub(super) fn is(&self, text: &str) -> bool {
        if self.is_escaped {
            self.decode() == text
        } else {
            self.raw == text
        }
    }
}

/// A place before a value, or behind the last one. A copy looks ahead.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    /// Levels around it.
    depth: usize,
}

/// An object that was entered.
#[derive(Debug)]
pub(super) struct Members<'a> {
    seen: HashSet<Cow<'a, str>>,
    place: Siblings,
}

/// An array that was entered.
#[derive(Debug)]
pub(super) struct Elements(Siblings);

/// Where the members or elements of one value are, as far as it takes to take some out.
#[derive(Debug)]
struct Siblings {
    /// Behind the last one that stays, or behind the opening bracket.
    kept: usize,
    /// Where the current one begins.
    start: usize,
    is_first: bool,
    /// Whether the current one is taken out.
    is_removed: bool,
}

impl<'a> Cursor<'a> {
    /// Stands before the one value of a text, which has so many levels around it.
    pub(super) fn new(text: &'a str, depth: usize) -> Self {
        Self { text, at: 0, depth }
    }

    /// What the value ahead is, by its first byte.
    pub(super) fn shape(&mut self) -> Result<Shape> {
        self.space();
        match self.byte() {
            Some(b'{') => Ok(Shape::Object),
            Some(b'[') => Ok(Shape::Array),
            Some(b'"') => Ok(Shape::String),
            Some(b't' | b'f') => Ok(Shape::Bool),
            Some(b'n') => Ok(Shape::Null),
            Some(b'-' | b'0'..=b'9') => Ok(Shape::Number),
            _ => Err(MaskErrorKind::Malformed),
        }
    }

    /// Enters an object; [`Cursor::member`] reads on.
    pub(super) fn object(&mut self) -> Result<Members<'a>> {
        let place = self.enter(b'{')?;
        let seen = HashSet::new();
        Ok(Members { seen, place })
    }

    /// The key of the next member; the cursor then stands before its value, which has to be consumed. `None`: the object
    /// was left.
    pub(super) fn member(&mut self, object: &mut Members<'a>, edits: &mut Edits) -> Result<Option<Text<'a>>> {
        if !self.sibling(&mut object.place, b'}', edits)? {
            return Ok(None);
        }
        let key = self.string()?;
        if !object.seen.insert(key.decode()) {
            return Err(MaskErrorKind::DuplicateKey);
        }
        self.expect(b':')?;
        Ok(Some(key))
    }

    /// Takes the member out whose key was read last.
    pub(super) fn remove_member(&self, object: &mut Members<'a>) {
        object.place.is_removed = true;
    }

    /// Enters an array; [`Cursor::element`] reads on.
    pub(super) fn array(&mut self) -> Result<Elements> {
        self.enter(b'[').map(Elements)
    }

    /// Whether there is a next element; the cursor then stands before it, and it has to be consumed. Else the array was
    /// left.
    pub(super) fn element(&mut self, array: &mut Elements, edits: &mut Edits) -> Result<bool> {
        self.sibling(&mut array.0, b']', edits)
    }

    /// Takes out the element that was read last.
    pub(super) fn remove_element(&self, array: &mut Elements) {
        array.0.is_removed = true;
    }

    /// Reads a string.
    pub(super) fn string(&mut self) -> Result<Text<'a>> {
        self.space();
        let start = self.at;
        self.expect(b'"')?;
        let mut is_escaped = false;
        loop {
            match self.byte() {
                Some(b'"') => break,
                Some(b'\\') => {
                    is_escaped = true;
                    self.at += 2;
                }
                Some(0x20..) => self.at += 1,
                _ => return Err(MaskErrorKind::Malformed),
            }
        }
        let raw = self.text.get(start + 1..self.at).ok_or(MaskErrorKind::Malformed)?;
        self.at += 1;
        let range = start..self.at;
        if is_escaped {
            // The one place that knows what an escape may be.
            let quoted = self.text.get(range.clone()).unwrap_or_default();
            Value::parse(quoted.as_bytes()).map_err(|_| MaskErrorKind::Malformed)?;
        }
        Ok(Text { range, raw, is_escaped })
    }

    /// Reads a number, `true`, `false` or `null`, and says where it stands.
    pub(super) fn scalar(&mut self) -> Result<Range<usize>> {
        self.space();
        let start = self.at;
        while self
            .byte()
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        {
            self.at += 1;
        }
        let range = start..self.at;
        let word = self.text.get(range.clone()).unwrap_or_default();
        match Value::parse(word.as_bytes()) {
            Ok(Value::Number(_) | Value::Bool(_) | Value::Null) => Ok(range),
            _ => Err(MaskErrorKind::Malformed),
        }
    }

    /// Passes over a value, whatever it is, and says where it stands.
    pub(super) fn skip(&mut self) -> Result<Range<usize>> {
        let shape = self.shape()?;
        let start = self.at;
        match shape {
            Shape::Object => {
                let (mut object, mut none) = (self.object()?, Edits::default());
                while self.member(&mut object, &mut none)?.is_some() {
                    self.skip()?;
                }
            }
            Shape::Array => {
                let (mut array, mut none) = (self.array()?, Edits::default());
                while self.element(&mut array, &mut none)? {
                    self.skip()?;
                }
            }
            Shape::String => _ = self.string()?,
            Shape::Number | Shape::Bool | Shape::Null => _ = self.scalar()?,
        }
        Ok(start..self.at)
    }

    /// The text of a value that stood at this range.
    pub(super) fn text_at(&self, range: &Range<usize>) -> &'a str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    /// Looks ahead at a member of the object ahead, without consuming anything. `None`: it is no object, or has none.
    pub(super) fn look_up(&self, key: &str) -> Result<Option<Self>> {
        let mut ahead = self.clone();
        if ahead.shape()? != Shape::Object {
            return Ok(None);
        }
        let (mut object, mut none) = (ahead.object()?, Edits::default());
        while let Some(found) = ahead.member(&mut object, &mut none)? {
            if found.is(key) {
                return Ok(Some(ahead));
            }
            ahead.skip()?;
        }
        Ok(None)
    }

    /// The text that is ahead at a path of keys, without consuming anything. `None`: there is none, or no text.
    pub(super) fn look_up_text(&self, path: &[&str]) -> Result<Option<Cow<'a, str>>> {
        let mut ahead = self.clone();
        for key in path {
            match ahead.look_up(key)? {
                Some(found) => ahead = found,
                None => return Ok(None),
            }
        }
        if ahead.shape()? == Shape::String {
            Ok(Some(ahead.string()?.decode()))
        } else {
            Ok(None)
        }
    }

    /// Where it stands, in bytes.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Whether nothing but white space follows.
    pub(super) fn finish(mut self) -> Result<()> {
        self.space();
        if self.byte().is_none() {
            Ok(())
        } else {
            Err(MaskErrorKind::Malformed)
        }
    }

    fn enter(&mut self, bracket: u8) -> Result<Siblings> {
        self.space();
        self.expect(bracket)?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(MaskErrorKind::TooDeep);
        }
        Ok(Siblings {
            kept: self.at,
            start: self.at,
            is_first: true,
            is_removed: false,
        })
    }

    /// Goes to the next member or element, or behind the closing bracket.
    fn sibling(&mut self, place: &mut Siblings, closing: u8, edits: &mut Edits) -> Result<bool> {
        let end = self.at;
        self.space();
        let ends = self.byte() == Some(closing);
        if !ends && !place.is_first {
            self.expect(b',')?;
            self.space();
        }
        if std::mem::take(&mut place.is_removed) {
            // Up to the next one, with the comma; of the last one, with all that was taken out before it.
            if ends {
                edits.remove(place.kept..end);
            } else {
                edits.remove(place.start..self.at);
            }
        } else {
            place.kept = end;
        }
        place.is_first = false;
        place.start = self.at;
        if ends {
            self.at += 1;
            self.depth -= 1;
        }
        Ok(!ends)
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.byte() {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<()> {
        self.space();
        if self.byte() != Some(byte) {
            return Err(MaskErrorKind::Malformed);
        }
        self.at += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes out every member and element whose key or string is `x`.
    fn without_x(text: &str) -> Result<String> {
        fn walk(cursor: &mut Cursor<'_>, edits: &mut Edits) -> Result<()> {
            match cursor.shape()? {
                Shape::Object => {
                    let mut object = cursor.object()?;
                    while let Some(key) = cursor.member(&mut object, edits)? {
                        if key.is("x") {
                            cursor.remove_member(&mut object);
                        }
                        walk(cursor, edits)?;
                    }
                }
                Shape::Array => {
                    let mut array = cursor.array()?;
                    while cursor.element(&mut array, edits)? {
                        let range = cursor.clone().skip()?;
                        if cursor.text_at(&range) == "\"x\"" {
                            cursor.remove_element(&mut array);
                        }
                        walk(cursor, edits)?;
                    }
                }
                _ => _ = cursor.skip()?,
            }
            Ok(())
        }
        let (mut cursor, mut edits) = (Cursor::new(text, 0), Edits::default());
        walk(&mut cursor, &mut edits)?;
        cursor.finish()?;
        let mut out = Vec::new();
        edits.apply(text.as_bytes(), &mut out);
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn takes_members_and_elements_out() {
        for (before, after) in [
            (r#"{"x":1}"#, "{}"),
            (r#"{ "x" : 1 , "y" : 2 }"#, r#"{ "y" : 2 }"#),
            (r#"{"y":1,"x":{"x":[]},"z":2}"#, r#"{"y":1,"z":2}"#),
            (r#"{"y":1 , "x":2 }"#, r#"{"y":1 }"#),
            (r#"["x","x","x"]"#, "[]"),
            (r#"["x","y","x","x"]"#, r#"["y"]"#),
            (r#"["y","x","z","x"]"#, r#"["y","z"]"#),
            (r#"[ {"x":"x"} ]"#, "[ {} ]"),
        ] {
            assert_eq!(without_x(before).as_deref(), Ok(after), "{before}");
        }
    }

    #[test]
    fn refuses_what_is_no_json() {
        for text in [
            "",
            "{",
            "{}}",
            "[1,]",
            "{,}",
            "[1 2]",
            "{\"a\"}",
            "\"\u{1}\"",
            "\"\\x\"",
            "01",
            "nul",
        ] {
            assert_eq!(without_x(text), Err(MaskErrorKind::Malformed), "{text}");
        }
        assert_eq!(without_x(r#"{"a":1,"\u0061":2}"#), Err(MaskErrorKind::DuplicateKey));
        assert_eq!(without_x(&"[".repeat(MAX_DEPTH + 1)), Err(MaskErrorKind::TooDeep));
    }

    #[test]
    fn looks_ahead() {
        let cursor = Cursor::new(r#" {"a":{"b":"c\u0021"},"k":"v"}"#, 0);
        assert_eq!(cursor.look_up_text(&["a", "b"]).unwrap().as_deref(), Some("c!"));
        assert_eq!(cursor.look_up_text(&["k"]).unwrap().as_deref(), Some("v"));
        assert_eq!(cursor.look_up_text(&["a"]).unwrap(), None);
        assert_eq!(cursor.look_up_text(&["k", "v"]).unwrap(), None);
    }
}
