//! JSON read in place: one pass over the bytes of an item, which descends only where a rule can reach.
//!
//! Whoever walks consumes one value after the other: enters it, reads it, or skips it. What is entered is checked as
//! strictly as JSON can be, twice the same key included; of an object or array that is skipped, strings, brackets and
//! depth alone. Nothing is copied, and nothing is built.

use std::borrow::Cow;
use std::ops::Range;

use super::blocks;
use super::edits::Edits;
use super::error::MaskErrorKind;
use super::index::{self, Index};
use super::keys::Keys;
use super::skip::{MemberRun, StringRun, SubtreeRun};
use super::strings;
use crate::json::MAX_DEPTH;

#[cfg(test)]
mod tests;

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
    /// Where the ends of strings, objects and arrays are, if that is known; else they are looked for.
    index: Option<&'a Index>,
    /// How many brackets were opened before it.
    rank: u32,
}

/// An object or array that was looked at.
pub(super) struct Subtree<'a> {
    pub(super) json: &'a str,
    /// How many brackets were opened up to its end.
    rank: u32,
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

impl Members<'_> {
    /// The [`tag`](super::keys::tag) of the key that was read last.
    #[inline]
    pub(super) fn tag(&self) -> u32 {
        self.seen.last()
    }
}

impl<'a> Cursor<'a> {
    /// Stands before the one value of a text, which has so many levels around it.
    pub(super) fn new(text: &'a str, depth: usize) -> Self {
        Self {
            text,
            at: 0,
            depth,
            noted: Noted::Unknown,
            index: None,
            rank: 0,
        }
    }

    /// The same with the index of its text, if there is one.
    pub(super) fn with_index(mut self, index: Option<&'a Index>) -> Self {
        self.index = index;
        self
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
    pub(super) fn member(&mut self, object: &mut Members<'a>, edits: &mut Edits) -> Result<Option<Text<'a>>> {
        self.member_here(object, edits)
    }

    /// The same for where most members are read.
    #[inline(always)]
    pub(super) fn member_here(&mut self, object: &mut Members<'a>, edits: &mut Edits) -> Result<Option<Text<'a>>> {
        if !self.sibling(&mut object.place, b'}', edits)? {
            return Ok(None);
        }
        let key = self.string_here()?;
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
    pub(super) fn string(&mut self) -> Result<Text<'a>> {
        self.space();
        self.string_here()
    }

    #[inline(always)]
    fn string_here(&mut self) -> Result<Text<'a>> {
        let start = self.at;
        let is_escaped = self.skip_string()?;
        let range = start..self.at;
        let raw = self.text.get(start + 1..self.at - 1).ok_or(MaskErrorKind::Malformed)?;
        Ok(Text { range, raw, is_escaped })
    }

    /// Goes behind the string that begins here. Whether it has escapes.
    #[inline]
    fn skip_string(&mut self) -> Result<bool> {
        let Some(index) = self.index else {
            self.expect_here(b'"')?;
            return self.rest_of_string();
        };
        let (end, is_escaped) = index.string(self.at).ok_or(MaskErrorKind::Malformed)?;
        self.at = end;
        Ok(is_escaped)
    }

    /// Goes behind the string whose opening quote was read. Whether it has escapes.
    fn rest_of_string(&mut self) -> Result<bool> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let plain = blocks::plain(rest);
        let is_escaped = rest.get(plain) != Some(&b'"');
        if is_escaped {
            self.escaped_string(plain)?;
        } else {
            self.at += plain + 1;
        }
        Ok(is_escaped)
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
        self.skip_shape(shape)?;
        Ok(start..self.at)
    }

    /// Passes over the value that begins here, which is of this shape.
    #[inline]
    pub(super) fn skip_shape(&mut self, shape: Shape) -> Result<()> {
        match shape {
            Shape::Object | Shape::Array => self.skip_subtree()?,
            Shape::String => _ = self.skip_string()?,
            Shape::Number | Shape::Bool | Shape::Null => _ = self.scalar()?,
        }
        Ok(())
    }

    /// Passes over an object or array.
    #[inline]
    fn skip_subtree(&mut self) -> Result<()> {
        if let Some(index) = self.index {
            (self.at, self.rank) = index
                .subtree(self.text, self.rank, self.at)
                .ok_or(MaskErrorKind::Malformed)?;
            return Ok(());
        }
        self.at = blocks::run(SubtreeRun {
            text: self.text.as_bytes(),
            at: self.at,
            around: self.depth,
        })?;
        Ok(())
    }

    /// The text of the object or array ahead, if it ends within so many bytes; nothing is consumed. What is wrong with it
    /// shows when it is read.
    #[inline]
    pub(super) fn peek_subtree(&self, longest: usize) -> Option<Subtree<'a>> {
        let (end, rank) = match self.index {
            Some(index) => index.subtree(self.text, self.rank, self.at)?,
            None => {
                let all = self.text.as_bytes();
                let run = SubtreeRun {
                    text: all.get(..self.at + longest).unwrap_or(all),
                    at: self.at,
                    around: self.depth,
                };
                (blocks::run(run).ok()?, self.rank)
            }
        };
        let json = self.text.get(self.at..end).filter(|json| json.len() <= longest)?;
        Some(Subtree { json, rank })
    }

    /// Goes behind an object or array that was looked at.
    pub(super) fn pass(&mut self, subtree: &Subtree<'_>) {
        (self.at, self.rank) = (self.at + subtree.json.len(), subtree.rank);
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

    /// Whether the kind of the object ahead is known without a look.
    pub(super) fn is_noted(&self) -> bool {
        self.noted != Noted::Unknown
    }

    /// Whether the object ahead may have a member of this name, which is given in quotes. It has none if not, unless its
    /// name is written with escapes.
    pub(super) fn may_have(&self, key: &[u8]) -> bool {
        if let Some(index) = self.index {
            return index.may_have(self.text, (self.rank, self.at), key) != Some(false);
        }
        blocks::run(MemberRun {
            text: self.text.as_bytes(),
            at: self.at,
            key,
        })
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

    /// Levels around it.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// The index of its text, if there is one, and how many brackets were opened before it.
    #[inline]
    pub(super) fn index(&self) -> Option<(&'a Index, u32)> {
        Some((self.index?, self.rank))
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
    pub(super) fn cut_short(mut self) -> Result<bool> {
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
        self.rank += u32::from(!index::is_empty(self.text, self.at - 1));
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
        if self.byte().is_some_and(|byte| byte <= b' ') {
            self.spaces();
        }
    }

    #[inline(never)]
    fn spaces(&mut self) {
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
