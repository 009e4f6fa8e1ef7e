//! JSON read in place: one pass over the bytes of an item, which descends only where a rule can reach.
//!
//! Whoever walks consumes one value after the other: enters it, reads it, or skips it. What is entered is checked as
//! strictly as JSON can be, twice the same key included; of an object or array that is skipped, strings, brackets and
//! depth alone. Nothing is copied, and nothing is built.

use std::borrow::Cow;
use std::ops::Range;

use super::blocks::{self, Level, Run, Strings};
use super::edits::Edits;
use super::error::MaskErrorKind;
use super::keys::Keys;
use super::strings::{self, Escapes, are_spaces};
use crate::json::MAX_DEPTH;

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
    pub(super) raw: &'a str,
    pub(super) is_escaped: bool,
}

impl<'a> Text<'a> {
    /// What it says.
    pub(super) fn decode(&self) -> Cow<'a, str> {
        if self.is_escaped {
            Cow::Owned(strings::unescape(self.raw))
        } else {
            Cow::Borrowed(self.raw)
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

/// What is known of the `kind` of the object at the beginning of a text, before it is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Noted {
    /// Nothing.
    #[default]
    Unknown,
    /// It has none that is text.
    None,
    /// The text between these places, which has no escapes.
    Text(usize, usize),
}

/// A place before a value, or behind the last one. A copy looks ahead.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    /// Levels around it.
    depth: usize,
    noted: Noted,
}

/// An object that was entered.
#[derive(Debug)]
pub(super) struct Members<'a> {
    seen: Keys<'a>,
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
        Self {
            text,
            at: 0,
            depth,
            noted: Noted::Unknown,
        }
    }

    /// The same, if whoever found the text came by its kind.
    pub(super) fn noting(mut self, noted: Noted) -> Self {
        self.noted = noted;
        self
    }

    /// What the value ahead is, by its first byte.
    #[inline]
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
    #[inline]
    pub(super) fn object(&mut self) -> Result<Members<'a>> {
        let place = self.enter(b'{')?;
        let seen = Keys::new(self.text);
        Ok(Members { seen, place })
    }

    /// The key of the next member; the cursor then stands before its value, which has to be consumed. `None`: the object
    /// was left.
    #[inline]
    pub(super) fn member(&mut self, object: &mut Members<'a>, edits: &mut Edits) -> Result<Option<Text<'a>>> {
        if !self.sibling(&mut object.place, b'}', edits)? {
            return Ok(None);
        }
        let key = self.string()?;
        if !object.seen.insert(&key) {
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
    #[inline]
    pub(super) fn array(&mut self) -> Result<Elements> {
        self.enter(b'[').map(Elements)
    }

    /// Whether there is a next element; the cursor then stands before it, and it has to be consumed. Else the array was
    /// left.
    #[inline]
    pub(super) fn element(&mut self, array: &mut Elements, edits: &mut Edits) -> Result<bool> {
        self.sibling(&mut array.0, b']', edits)
    }

    /// Takes out the element that was read last.
    pub(super) fn remove_element(&self, array: &mut Elements) {
        array.0.is_removed = true;
    }

    /// Reads a string.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Text<'a>> {
        self.expect(b'"')?;
        let start = self.at - 1;
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let plain = blocks::plain(rest);
        let is_escaped = rest.get(plain) != Some(&b'"');
        if is_escaped {
            self.escaped_string(plain)?;
        } else {
            self.at += plain + 1;
        }
        let range = start..self.at;
        let raw = self.text.get(start + 1..self.at - 1).ok_or(MaskErrorKind::Malformed)?;
        Ok(Text { range, raw, is_escaped })
    }

    /// Goes behind a string that is no longer plain from here on.
    fn escaped_string(&mut self, plain: usize) -> Result<()> {
        let text = self.text.as_bytes();
        let at = self.at + plain;
        match blocks::run(StringRun { text, at }) {
            Ok(end) => {
                self.at = end;
                Ok(())
            }
            Err(is_cut) => {
                // Where something is wrong for want of more, the end of the text is where it is.
                self.at = if is_cut { text.len() } else { self.at };
                Err(MaskErrorKind::Malformed)
            }
        }
    }

    /// Reads a number, `true`, `false` or `null`, and says where it stands.
    pub(super) fn scalar(&mut self) -> Result<Range<usize>> {
        self.space();
        let start = self.at;
        match self.byte() {
            Some(b't') => self.word(b"true")?,
            Some(b'f') => self.word(b"false")?,
            Some(b'n') => self.word(b"null")?,
            _ => self.number()?,
        }
        Ok(start..self.at)
    }

    fn word(&mut self, word: &[u8]) -> Result<()> {
        for byte in word {
            self.expect_here(*byte)?;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<()> {
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        match self.byte() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.byte() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.byte() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    /// At least one.
    fn digits(&mut self) -> Result<()> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.byte() {
            self.at += 1;
        }
        if self.at == start {
            return Err(MaskErrorKind::Malformed);
        }
        Ok(())
    }

    /// Passes over a value, whatever it is, and says where it stands.
    #[inline]
    pub(super) fn skip(&mut self) -> Result<Range<usize>> {
        let shape = self.shape()?;
        let start = self.at;
        match shape {
            Shape::Object | Shape::Array => self.skip_subtree()?,
            Shape::String => _ = self.string()?,
            Shape::Number | Shape::Bool | Shape::Null => _ = self.scalar()?,
        }
        Ok(start..self.at)
    }

    /// Passes over an object or array.
    fn skip_subtree(&mut self) -> Result<()> {
        self.at = blocks::run(SubtreeRun {
            text: self.text.as_bytes(),
            at: self.at,
            around: self.depth,
        })?;
        Ok(())
    }

    /// The text of a value that stood at this range.
    pub(super) fn text_at(&self, range: &Range<usize>) -> &'a str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    /// The `kind` of the object ahead, if it is text, without consuming anything. Of an item, it is nearly always known
    /// without a look.
    pub(super) fn kind(&self) -> Result<Option<Cow<'a, str>>> {
        match self.noted {
            Noted::None => Ok(None),
            Noted::Text(start, end) => Ok(Some(Cow::Borrowed(self.text_at(&(start..end))))),
            Noted::Unknown => self.look_up_text(&["kind"]),
        }
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

    /// Where it stands.
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

    /// Whether the text is the beginning of a value, and ends inside it.
    pub(super) fn is_cut_short(mut self) -> Result<bool> {
        match self.read() {
            Ok(_) => Ok(false),
            // Nothing is wrong but that the text ends.
            Err(MaskErrorKind::Malformed) if self.at >= self.text.len() => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Passes over a value as strictly as can be, and says where it stands.
    pub(super) fn read(&mut self) -> Result<Range<usize>> {
        let mut none = Edits::default();
        let shape = self.shape()?;
        let start = self.at;
        match shape {
            Shape::Object => {
                let mut object = self.object()?;
                while self.member(&mut object, &mut none)?.is_some() {
                    self.read()?;
                }
            }
            Shape::Array => {
                let mut array = self.array()?;
                while self.element(&mut array, &mut none)? {
                    self.read()?;
                }
            }
            Shape::String => _ = self.string()?,
            Shape::Number | Shape::Bool | Shape::Null => _ = self.scalar()?,
        }
        Ok(start..self.at)
    }

    #[inline]
    fn enter(&mut self, bracket: u8) -> Result<Siblings> {
        self.expect(bracket)?;
        self.noted = Noted::Unknown;
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
    #[inline]
    fn sibling(&mut self, place: &mut Siblings, closing: u8, edits: &mut Edits) -> Result<bool> {
        let end = self.at;
        self.space();
        let ends = self.byte() == Some(closing);
        if !ends && !place.is_first {
            self.expect_here(b',')?;
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

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.byte() {
            self.at += 1;
        }
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Result<()> {
        self.space();
        self.expect_here(byte)
    }

    #[inline]
    fn expect_here(&mut self, byte: u8) -> Result<()> {
        if self.byte() != Some(byte) {
            return Err(MaskErrorKind::Malformed);
        }
        self.at += 1;
        Ok(())
    }
}

/// From inside a string to behind it; else whether only its end is missing.
struct StringRun<'t> {
    text: &'t [u8],
    at: usize,
}

impl Run for StringRun<'_> {
    type Out = std::result::Result<usize, bool>;

    #[inline(always)]
    fn run<L: Level>(self) -> Self::Out {
        let Self { text, mut at } = self;
        let (mut strings, mut escapes, mut room) = (Strings::INSIDE, Escapes::default(), [0; 64]);
        loop {
            let rest = text.get(at..).unwrap_or_default();
            let Some(block) = blocks::first(rest, &mut room) else {
                return Err(true);
            };
            let masks = L::masks(block);
            let quoted = strings.follow::<L>(&masks);
            let end = quoted.quotes & quoted.quotes.wrapping_neg();
            // All of the block, if it does not end here.
            let here = end.wrapping_sub(1);
            if masks.controls & here != 0 {
                return Err(false);
            }
            let unusual = quoted.escaped & !(masks.quotes | masks.backslashes) & here;
            if unusual != 0 && !escapes.check(unusual, at, text) {
                return Err(escapes.is_cut);
            }
            if end != 0 {
                return Ok(at + end.trailing_zeros() as usize + 1);
            }
            at += 64;
        }
    }
}

/// From the opening bracket of an object or array to behind the closing one, block by block.
struct SubtreeRun<'t> {
    text: &'t [u8],
    at: usize,
    /// Levels around it.
    around: usize,
}

impl Run for SubtreeRun<'_> {
    type Out = Result<usize>;

    #[inline(always)]
    fn run<L: Level>(self) -> Result<usize> {
        let Self { text, mut at, around } = self;
        let (mut strings, mut escapes, mut room) = (Strings::default(), Escapes::default(), [0; 64]);
        // What is open, the innermost lowest; a bit is set for an array.
        let (mut open, mut depth) = (0_u64, around);
        loop {
            let rest = text.get(at..).unwrap_or_default();
            let Some(block) = blocks::first(rest, &mut room) else {
                return Err(MaskErrorKind::Malformed);
            };
            let masks = L::masks(block);
            let quoted = strings.follow::<L>(&masks);
            let mut brackets = (masks.opens | masks.closes) & !quoted.inside;
            let mut end = 0;
            while brackets != 0 {
                let bracket = brackets & brackets.wrapping_neg();
                brackets ^= bracket;
                let is_square = u64::from(masks.squares & bracket != 0);
                if masks.opens & bracket != 0 {
                    depth += 1;
                    if depth > MAX_DEPTH {
                        return Err(MaskErrorKind::TooDeep);
                    }
                    open = open << 1 | is_square;
                    continue;
                }
                if open & 1 != is_square {
                    return Err(MaskErrorKind::Malformed);
                }
                open >>= 1;
                depth -= 1;
                if depth == around {
                    end = bracket;
                    break;
                }
            }
            // All of the block, if it does not end here: what is behind is not looked at.
            let here = end.wrapping_sub(1);
            let controls = masks.controls & here;
            let stray = masks.backslashes & !quoted.inside & here;
            if stray != 0 || controls & quoted.inside != 0 || !(controls == 0 || are_spaces(controls, rest)) {
                return Err(MaskErrorKind::Malformed);
            }
            let unusual = quoted.escaped & !(masks.quotes | masks.backslashes) & here;
            if unusual != 0 && !escapes.check(unusual, at, text) {
                return Err(MaskErrorKind::Malformed);
            }
            if end != 0 {
                return Ok(at + end.trailing_zeros() as usize + 1);
            }
            at += 64;
            if quoted.inside == !0 && !strings.is_escaped() {
                // A long string. Blocks go on where it does something.
                at += blocks::plain(text.get(at..).unwrap_or_default());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json::{self, Value};

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

    /// Texts that are nearly JSON, and often are.
    fn any_text() -> impl Strategy<Value = String> {
        const PARTS: [&str; 22] = [
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"a\":",
            "\"\"",
            "1",
            "null",
            "-0.5e+3",
            " ",
            "\n",
            "\u{1}",
            "\"",
            "\\",
            "\"\\\"\\\\\"",
            "\"\\ud83d\\ude00\"",
            "\"\\ud83d\"",
            "\"\u{e9}{[\"",
            "{\"k\":[",
            "]}",
        ];
        let part = (0..PARTS.len()).prop_map(|part| PARTS[part].to_owned());
        let long = (0..200_usize).prop_map(|length| format!("\"{}\"", "x".repeat(length)));
        let value = part.prop_recursive(6, 60, 6, move |inner| {
            let inner = prop_oneof![4 => inner, 1 => long.clone()];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(|parts| format!("[{}]", parts.join(","))),
                prop::collection::vec(inner.clone(), 0..6).prop_map(|parts| {
                    let members = parts
                        .iter()
                        .enumerate()
                        .map(|(key, value)| format!("\"{key}\" :{value}"));
                    format!("{{{}}}", members.collect::<Vec<_>>().join(" , "))
                }),
                prop::collection::vec(inner, 0..4).prop_map(|parts| parts.concat()),
            ]
        });
        value.prop_map(|text| format!("[{text}]"))
    }

    proptest! {
        #[test]
        fn skips_and_reads_like_the_parser(text in any_text(), around in 0_usize..60) {
            let parsed = Value::parse_with_depth(text.as_bytes(), MAX_DEPTH - around);
            let start = Cursor::new(&text, around);
            let (mut skipping, mut reading) = (start.clone(), start.clone());
            let skipped = skipping.skip();
            let read = reading.read().and_then(|range| reading.finish().map(|()| range));
            match parsed {
                // All that is JSON is passed over, and to its end.
                Ok(_) => {
                    prop_assert_eq!(skipped, Ok(0..text.len()), "{}", text);
                    prop_assert_eq!(read, Ok(0..text.len()), "{}", text);
                }
                // What is read is as strict as the parser.
                Err(error) => {
                    prop_assert!(read.is_err(), "{}: {}", text, error);
                    let is_cut = start.is_cut_short();
                    if error.kind == json::ErrorKind::UnexpectedEnd {
                        prop_assert_eq!(is_cut, Ok(true), "{}", text);
                    }
                }
            }
        }

        #[test]
        fn every_beginning_is_cut_short(text in any_text()) {
            prop_assume!(Value::parse(text.as_bytes()).is_ok());
            for end in (1..text.trim_end().len()).filter(|end| text.is_char_boundary(*end)) {
                prop_assert_eq!(Cursor::new(&text[..end], 0).is_cut_short(), Ok(true), "{}", &text[..end]);
                prop_assert!(Cursor::new(&text[..end], 0).skip().is_err(), "{}", &text[..end]);
            }
        }
    }

    #[test]
    fn what_is_skipped_is_checked_for_strings_brackets_and_depth() {
        let long = "x".repeat(100);
        for (text, expected) in [
            ("[{\"a\" 1,,\"a\":tru}]", Ok(())),
            ("[{]}", Err(MaskErrorKind::Malformed)),
            ("[\"\\x\"]", Err(MaskErrorKind::Malformed)),
            ("[\"\\ud800\"]", Err(MaskErrorKind::Malformed)),
            ("[\"\t\"]", Err(MaskErrorKind::Malformed)),
            ("[\u{1}]", Err(MaskErrorKind::Malformed)),
            ("[\\]", Err(MaskErrorKind::Malformed)),
            ("[\\\"]\"]", Err(MaskErrorKind::Malformed)),
            ("[\r\n\t ]", Ok(())),
            (&format!("[\"{long}\",\"{long}\\\\\",\"{long}\\\"]\"]"), Ok(())),
            (&format!("[\"{long}\\x\"]"), Err(MaskErrorKind::Malformed)),
            (&format!("[\"{long}\u{1}\"]"), Err(MaskErrorKind::Malformed)),
            (&format!("{}{}", "[".repeat(64), "]".repeat(64)), Ok(())),
            (
                &format!("{}{}", "[".repeat(65), "]".repeat(65)),
                Err(MaskErrorKind::TooDeep),
            ),
        ] {
            let mut cursor = Cursor::new(text, 0);
            assert_eq!(cursor.skip().and_then(|_| cursor.finish()), expected, "{text}");
        }
        // What is behind is nobody's business yet.
        let mut cursor = Cursor::new("[] \u{1}\\", 0);
        assert_eq!(cursor.skip(), Ok(0..2));
    }

    #[test]
    fn edits_inside_a_string_keep_what_was_written() {
        let text = r#"{"x":"{\"a\": \"b\\u003c\u003c\u00e9\",\"x\":1,\"c\":\"d\"} "}"#;
        let mut cursor = Cursor::new(text, 0);
        let (mut edits, mut none) = (Edits::default(), Edits::default());
        let mut object = cursor.object().unwrap();
        cursor.member(&mut object, &mut none).unwrap();
        let string = cursor.string().unwrap();
        let said = string.decode();
        let mut inner = Edits::default();
        let (a, x, c) = (
            said.find("\"b").unwrap(),
            said.find("\"x").unwrap(),
            said.find("\"d").unwrap(),
        );
        inner.replace(c..c + 3, "\"new\"");
        inner.replace(a..x - 1, "\"masked\"");
        inner.remove(x..x + 6);
        inner.replace(x + 4..x + 5, "0");
        edits.nest(&string, inner);
        let mut out = Vec::new();
        edits.apply(text.as_bytes(), &mut out);
        let expected = r#"{"x":"{\"a\": \"masked\",\"c\":\"new\"} "}"#;
        assert_eq!(String::from_utf8(out).unwrap(), expected);
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
