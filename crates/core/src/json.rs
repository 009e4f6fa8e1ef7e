//! Strict JSON: what the guard reads is exactly what it writes again.
//!
//! A tree of its own, since general-purpose trees forgive what must not be forgiven here. Parsing refuses duplicate keys
//! at any depth, depth above a limit, data after the value, anything but UTF-8 and lone surrogates; numbers keep their
//! text, so that `1.10` and integers beyond 64 bits come out as they went in; keys keep their order. RFC 8259.

use std::collections::HashSet;
use std::fmt::Write as _;

use bytes::Bytes;

/// Deepest nesting that is read.
pub const MAX_DEPTH: usize = 64;

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as its text.
    Number(String),
    /// A string, unescaped.
    String(String),
    /// An array.
    Array(Vec<Value>),
    /// An object.
    Object(Object),
}

/// A JSON object whose keys are unique and keep their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Object(Vec<(String, Value)>);

/// Why some bytes are no acceptable JSON, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at byte {offset}")]
pub struct Error {
    /// What is wrong.
    pub kind: ErrorKind,
    /// Byte offset of it.
    pub offset: usize,
}

/// What is wrong with some JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text ends inside a value.
    #[error("the JSON ends too early")]
    UnexpectedEnd,
    /// A character that can't stand there.
    #[error("unexpected character in the JSON")]
    UnexpectedCharacter,
    /// An escape that is none, or half of a surrogate pair.
    #[error("invalid escape in a JSON string")]
    InvalidEscape,
    /// A control character inside a string.
    #[error("control character in a JSON string")]
    ControlCharacter,
    /// The text is no UTF-8.
    #[error("the JSON is not UTF-8")]
    NotUtf8,
    /// The same key twice in one object.
    #[error("duplicate key in a JSON object")]
    DuplicateKey,
    /// Nested too deeply.
    #[error("the JSON is nested too deeply")]
    TooDeep,
    /// Something follows the value.
    #[error("data after the JSON value")]
    TrailingData,
}

impl Value {
    /// Parses one JSON value that fills `bytes`, nested at most [`MAX_DEPTH`] deep.
    ///
    /// # Errors
    /// What is wrong and at which byte.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        Self::parse_with_depth(bytes, MAX_DEPTH)
    }

    /// Like [`Value::parse`], with a depth limit of your own. Parsing recurses once per level.
    ///
    /// # Errors
    /// What is wrong and at which byte.
    pub fn parse_with_depth(bytes: &[u8], max_depth: usize) -> Result<Self, Error> {
        let text = std::str::from_utf8(bytes).map_err(|error| Error {
            kind: ErrorKind::NotUtf8,
            offset: error.valid_up_to(),
        })?;
        let mut parser = Parser {
            text,
            bytes: text.as_bytes(),
            at: 0,
            max_depth,
        };
        let value = parser.value(0)?;
        parser.whitespace();
        match parser.peek() {
            None => Ok(value),
            Some(_) => Err(parser.error(ErrorKind::TrailingData)),
        }
    }

    /// The compact text of this value.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let mut out = String::new();
        self.write(&mut out);
        out.into()
    }

    /// The member of an object; `None` for anything else.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_object()?.get(key)
    }

    /// The member below a path of keys.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |value, key| value.get(key))
    }

    /// The text, if this is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The object, if this is one.
    #[must_use]
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The object, if this is one, to be changed.
    pub fn as_object_mut(&mut self) -> Option<&mut Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The elements, if this is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The elements, if this is an array, to be changed.
    pub fn as_array_mut(&mut self) -> Option<&mut Vec<Self>> {
        match self {
            Self::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// Appends the compact text to `out`.
    pub fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Number(text) => out.push_str(text),
            Self::String(text) => write_string(text, out),
            Self::Array(elements) => {
                out.push('[');
                for (index, element) in elements.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    element.write(out);
                }
                out.push(']');
            }
            Self::Object(Object(members)) => {
                out.push('{');
                for (index, (key, value)) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_string(key, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}

impl Object {
    /// An object without members.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The value of a key, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.0.iter_mut().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Sets a key, keeping its place if it is there already.
    pub fn insert(&mut self, key: &str, value: impl Into<Value>) {
        let value = value.into();
        match self.get_mut(key) {
            Some(old) => *old = value,
            None => self.0.push((key.to_owned(), value)),
        }
    }

    /// The object below a key, made if there is nothing; `None` if there is something else.
    pub fn object_at(&mut self, key: &str) -> Option<&mut Self> {
        if self.get(key).is_none() {
            self.insert(key, Self::new());
        }
        self.get_mut(key)?.as_object_mut()
    }

    /// Removes a key.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let index = self.0.iter().position(|(name, _)| name == key)?;
        Some(self.0.remove(index).1)
    }

    /// An object of members whose keys are unique.
    pub(crate) fn from_unique(members: Vec<(String, Value)>) -> Self {
        Self(members)
    }

    /// The members, to be kept or thrown away one by one.
    pub(crate) fn into_members(self) -> Vec<(String, Value)> {
        self.0
    }

    /// Removes every member that does not fit.
    pub(crate) fn retain(&mut self, mut fits: impl FnMut(&str, &mut Value) -> bool) {
        self.0.retain_mut(|(key, value)| fits(key, value));
    }

    /// The members in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The members in their order, values to be changed.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (&str, &mut Value)> {
        self.0.iter_mut().map(|(key, value)| (key.as_str(), value))
    }

    /// Number of members.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Appends a JSON string literal to `out`.
pub fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < '\u{20}' => {
                // Writing to a String can't fail.
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    max_depth: usize,
}

impl Parser<'_> {
    fn error(&self, kind: ErrorKind) -> Error {
        Error { kind, offset: self.at }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn unexpected(&self) -> Error {
        self.error(match self.peek() {
            None => ErrorKind::UnexpectedEnd,
            Some(_) => ErrorKind::UnexpectedCharacter,
        })
    }

    fn whitespace(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), Error> {
        if self.peek() != Some(byte) {
            return Err(self.unexpected());
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<Value, Error> {
        self.whitespace();
        match self.peek() {
            Some(b'{') => self.object(depth + 1).map(Value::Object),
            Some(b'[') => self.array(depth + 1).map(Value::Array),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            Some(b'n') => self.literal("null", Value::Null),
            Some(b't') => self.literal("true", Value::Bool(true)),
            Some(b'f') => self.literal("false", Value::Bool(false)),
            _ => Err(self.unexpected()),
        }
    }

    fn literal(&mut self, word: &str, value: Value) -> Result<Value, Error> {
        for byte in word.bytes() {
            self.expect(byte)?;
        }
        Ok(value)
    }

    fn object(&mut self, depth: usize) -> Result<Object, Error> {
        self.descend(depth)?;
        let mut members: Vec<(String, Value)> = Vec::new();
        // Small objects are searched, large ones hashed: a hostile object of a million keys must not cost a square.
        let mut seen: HashSet<String> = HashSet::new();
        self.whitespace();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Object(members));
        }
        loop {
            self.whitespace();
            let offset = self.at;
            let key = self.string()?;
            let duplicate = if members.len() < 16 {
                members.iter().any(|(name, _)| *name == key)
            } else {
                if seen.is_empty() {
                    seen.extend(members.iter().map(|(name, _)| name.clone()));
                }
                !seen.insert(key.clone())
            };
            if duplicate {
                return Err(Error {
                    kind: ErrorKind::DuplicateKey,
                    offset,
                });
            }
            self.whitespace();
            self.expect(b':')?;
            let value = self.value(depth)?;
            members.push((key, value));
            self.whitespace();
            if self.peek() == Some(b',') {
                self.at += 1;
                continue;
            }
            self.expect(b'}')?;
            return Ok(Object(members));
        }
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Value>, Error> {
        self.descend(depth)?;
        let mut elements = Vec::new();
        self.whitespace();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(elements);
        }
        loop {
            elements.push(self.value(depth)?);
            self.whitespace();
            if self.peek() == Some(b',') {
                self.at += 1;
                continue;
            }
            self.expect(b']')?;
            return Ok(elements);
        }
    }

    fn descend(&mut self, depth: usize) -> Result<(), Error> {
        if depth > self.max_depth {
            return Err(self.error(ErrorKind::TooDeep));
        }
        self.at += 1;
        Ok(())
    }

    fn number(&mut self) -> Result<String, Error> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(self.unexpected()),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.some_digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.some_digits()?;
        }
        self.slice(start)
    }

    fn some_digits(&mut self) -> Result<(), Error> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.unexpected());
        }
        self.digits();
        Ok(())
    }

    fn digits(&mut self) {
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
    }

    /// The text from `start` to here; both ends are always next to ASCII, so the slice exists.
    fn slice(&self, start: usize) -> Result<String, Error> {
        self.text
            .get(start..self.at)
            .map(str::to_owned)
            .ok_or_else(|| self.error(ErrorKind::NotUtf8))
    }

    fn string(&mut self) -> Result<String, Error> {
        self.expect(b'"')?;
        let mut out = String::new();
        loop {
            let start = self.at;
            while !matches!(self.peek(), None | Some(b'"' | b'\\' | 0..=0x1f)) {
                self.at += 1;
            }
            out.push_str(&self.slice(start)?);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    self.at += 1;
                    out.push(self.escape()?);
                }
                Some(_) => return Err(self.error(ErrorKind::ControlCharacter)),
                None => return Err(self.error(ErrorKind::UnexpectedEnd)),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Error> {
        let Some(byte) = self.peek() else {
            return Err(self.error(ErrorKind::UnexpectedEnd));
        };
        self.at += 1;
        Ok(match byte {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ => return Err(self.error(ErrorKind::InvalidEscape)),
        })
    }

    fn unicode_escape(&mut self) -> Result<char, Error> {
        let first = self.four_digits()?;
        let code = if (0xd800..0xdc00).contains(&first) {
            if self.bytes.get(self.at..self.at + 2) != Some(b"\\u") {
                return Err(self.error(ErrorKind::InvalidEscape));
            }
            self.at += 2;
            let second = self.four_digits()?;
            if !(0xdc00..0xe000).contains(&second) {
                return Err(self.error(ErrorKind::InvalidEscape));
            }
            0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
        } else {
            first
        };
        char::from_u32(code).ok_or_else(|| self.error(ErrorKind::InvalidEscape))
    }

    fn four_digits(&mut self) -> Result<u32, Error> {
        let digits = self
            .bytes
            .get(self.at..self.at + 4)
            .ok_or_else(|| self.error(ErrorKind::UnexpectedEnd))?;
        let mut code = 0;
        for digit in digits {
            let digit = char::from(*digit)
                .to_digit(16)
                .ok_or_else(|| self.error(ErrorKind::InvalidEscape))?;
            code = code * 16 + digit;
        }
        self.at += 4;
        Ok(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> ErrorKind {
        Value::parse(text.as_bytes()).unwrap_err().kind
    }

    #[test]
    fn comes_out_as_it_went_in() {
        let text = r#"{"b":1.10,"a":[18446744073709551616,-0,1e400,true,null],"s":"q\"\\\né\u0001"}"#;
        assert_eq!(Value::parse(text.as_bytes()).unwrap().to_bytes(), text);
        assert_eq!(Value::parse(br#""\ud83d\ude00\/""#).unwrap(), Value::from("😀/"));
    }

    #[test]
    fn refuses_what_parsers_disagree_on() {
        assert_eq!(kind(r#"{"a":1,"a":2}"#), ErrorKind::DuplicateKey);
        assert_eq!(kind(r#"{"a":{"b":1,"\u0062":2}}"#), ErrorKind::DuplicateKey);
        assert_eq!(kind("{} {}"), ErrorKind::TrailingData);
        assert_eq!(kind(r#""\ud800""#), ErrorKind::InvalidEscape);
        assert_eq!(kind("01"), ErrorKind::TrailingData);
        for text in ["NaN", "{'a':1}", "[1,]", "{\"a\":1,}", "+1", ".5", "\u{feff}{}"] {
            assert_eq!(kind(text), ErrorKind::UnexpectedCharacter, "{text}");
        }
        assert_eq!(Value::parse(b"\"\xff\"").unwrap_err().kind, ErrorKind::NotUtf8);
    }

    #[test]
    fn many_keys_are_still_unique() {
        let keys: Vec<_> = (0..100).map(|n| format!("\"k{n}\":0")).collect();
        assert!(Value::parse(format!("{{{}}}", keys.join(",")).as_bytes()).is_ok());
        assert_eq!(
            kind(&format!("{{{},\"k7\":1}}", keys.join(","))),
            ErrorKind::DuplicateKey
        );
    }

    #[test]
    fn depth_has_a_limit() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(Value::parse(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert_eq!(kind(&nested(MAX_DEPTH + 1)), ErrorKind::TooDeep);
    }
}
