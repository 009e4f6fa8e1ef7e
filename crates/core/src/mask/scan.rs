//! Finds where items end in a stream of JSON, however it is cut into chunks.
//!
//! It only counts brackets and follows strings. Whether an item is valid JSON is decided by the strict parser, which is
//! given every byte that is handed out, so that a scanner misled by garbage only ever hands garbage to that parser.

use memchr::memchr2;

use super::error::{MaskError, MaskErrorKind};
use crate::json::{MAX_DEPTH, Value};

/// The array at the root whose elements are items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listing {
    /// `items` of a list.
    Items,
    /// `rows` of a Table.
    Rows,
}

/// What was found in the stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'c> {
    /// White space behind a value or an element.
    Space(&'c [u8]),
    /// A whole value at the root; take it.
    Value,
    /// The bytes held so far end with the bracket that opens `items` or `rows`. Take them, and each element is found
    /// on its own; leave them, and the whole value is.
    Opening(Listing),
    /// An element, with the white space before it; take it.
    Element,
    /// The rest of the value behind its elements, from the closing bracket on; take it.
    Closing,
}

/// Where the scanner is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before a value at the root.
    Between,
    /// Inside a value at the root.
    Root,
    /// `items` or `rows` was found, and it is not decided yet whether elements are found on their own.
    Opening,
    /// Before an element, right behind the opening bracket.
    First,
    /// Before an element, behind a comma.
    Next,
    /// Behind an element.
    Behind,
    /// Inside an element with an end of its own.
    Element,
    /// Inside an element that ends where something else begins: a number or a word.
    Word,
    /// Behind the elements, up to the end of the value.
    Tail,
}

/// Cuts a stream of JSON into items. What belongs to an item that is not complete is held.
pub(super) struct Scanner {
    state: State,
    held: Vec<u8>,
    max_item: usize,
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// Where in `held` the last string lies that is directly below the root.
    key: (usize, usize),
    /// Whether elements may still be found on their own in this value.
    divisible: bool,
    /// Whether any value was found.
    seen: bool,
    /// Whether another value may follow.
    repeats: bool,
}

enum Stop {
    Exhausted,
    Closed,
    Array(Listing),
}

/// What the scanner stands behind.
enum Edge {
    /// The end of the chunk.
    End,
    /// The end of the value or element.
    Closed,
    /// The opening of an array directly below the root.
    Array,
}

impl Scanner {
    /// A scanner that holds at most `max_item` bytes.
    pub(super) fn new(max_item: usize) -> Self {
        Self {
            state: State::Between,
            held: Vec::new(),
            max_item,
            depth: 0,
            in_string: false,
            escaped: false,
            key: (0, 0),
            divisible: true,
            seen: false,
            repeats: false,
        }
    }

    /// The bytes held.
    pub(super) fn held(&self) -> &[u8] {
        &self.held
    }

    /// Takes what was found.
    pub(super) fn take(&mut self) -> Vec<u8> {
        if self.state == State::Opening {
            self.state = State::First;
        }
        std::mem::take(&mut self.held)
    }

    /// Lets another value follow the one that was found.
    pub(super) fn expect_more(&mut self) {
        self.repeats = true;
    }

    /// Whether any value began.
    pub(super) fn has_begun(&self) -> bool {
        self.seen
    }

    /// Whether it is between values.
    pub(super) fn is_between(&self) -> bool {
        self.state == State::Between
    }

    /// Whether it is inside a value of which nothing was taken yet.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self.state, State::Root | State::Opening)
    }

    /// Finds the next item, and moves `chunk` behind it. `None`: the chunk is used up.
    pub(super) fn next<'c>(&mut self, chunk: &mut &'c [u8]) -> Result<Option<Found<'c>>, MaskError> {
        loop {
            match self.state {
                State::Between => {
                    let space = take_space(chunk);
                    if !space.is_empty() && self.seen {
                        return Ok(Some(Found::Space(space)));
                    }
                    self.hold(space)?;
                    match chunk.first() {
                        None => return Ok(None),
                        Some(_) if self.seen && !self.repeats => return Err(MaskErrorKind::Malformed.into()),
                        Some(b'{') => self.begin(State::Root, 0),
                        Some(_) if self.seen => return Err(MaskErrorKind::Malformed.into()),
                        Some(_) => return Err(MaskErrorKind::NotAnObject.into()),
                    }
                    self.seen = true;
                }
                State::Opening => {
                    // Nobody took it.
                    self.divisible = false;
                    self.state = State::Root;
                }
                State::Root | State::Element | State::Tail => match self.run(chunk)? {
                    Stop::Exhausted => return Ok(None),
                    Stop::Array(listing) => {
                        self.state = State::Opening;
                        return Ok(Some(Found::Opening(listing)));
                    }
                    Stop::Closed => {
                        let (next, found) = match self.state {
                            State::Element => (State::Behind, Found::Element),
                            State::Tail => (State::Between, Found::Closing),
                            _ => (State::Between, Found::Value),
                        };
                        self.state = next;
                        return Ok(Some(found));
                    }
                },
                State::First | State::Next => {
                    let space = take_space(chunk);
                    self.hold(space)?;
                    match chunk.first() {
                        None => return Ok(None),
                        Some(b']') if self.state == State::First => self.begin_tail(chunk)?,
                        Some(b']' | b',' | b'}' | b':') => return Err(MaskErrorKind::Malformed.into()),
                        Some(b'{' | b'[' | b'"') => self.begin(State::Element, 2),
                        Some(_) => self.state = State::Word,
                    }
                }
                State::Word => {
                    let end = chunk
                        .iter()
                        .position(|byte| byte.is_ascii_whitespace() || matches!(byte, b',' | b']' | b'}'));
                    let word = take(chunk, end.unwrap_or(chunk.len()));
                    self.hold(word)?;
                    if end.is_none() {
                        return Ok(None);
                    }
                    self.state = State::Behind;
                    return Ok(Some(Found::Element));
                }
                State::Behind => {
                    let space = take_space(chunk);
                    if !space.is_empty() {
                        return Ok(Some(Found::Space(space)));
                    }
                    match chunk.first() {
                        None => return Ok(None),
                        Some(b',') => {
                            take(chunk, 1);
                            self.state = State::Next;
                        }
                        Some(b']') => self.begin_tail(chunk)?,
                        Some(_) => return Err(MaskErrorKind::Malformed.into()),
                    }
                }
            }
        }
    }

    fn begin(&mut self, state: State, depth: usize) {
        self.state = state;
        self.depth = depth;
        self.in_string = false;
        self.escaped = false;
        if state == State::Root {
            self.divisible = true;
            self.key = (0, 0);
        }
    }

    fn begin_tail(&mut self, chunk: &mut &[u8]) -> Result<(), MaskError> {
        self.begin(State::Tail, 1);
        let bracket = take(chunk, 1);
        self.hold(bracket)
    }

    /// Moves on to the end of the value or element, or to the opening of `items` or `rows`.
    fn run(&mut self, chunk: &mut &[u8]) -> Result<Stop, MaskError> {
        loop {
            let (length, edge) = self.follow(chunk)?;
            let run = take(chunk, length);
            self.hold(run)?;
            match edge {
                Edge::End => return Ok(Stop::Exhausted),
                Edge::Closed => return Ok(Stop::Closed),
                Edge::Array => {
                    if let Some(listing) = self.listing() {
                        return Ok(Stop::Array(listing));
                    }
                }
            }
        }
    }

    /// How many bytes there are up to and with the next edge.
    fn follow(&mut self, bytes: &[u8]) -> Result<(usize, Edge), MaskError> {
        let floor = if self.state == State::Element { 2 } else { 0 };
        let before = self.held.len();
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(byte) = rest.first() else {
                return Ok((bytes.len(), Edge::End));
            };
            if self.in_string {
                if self.escaped {
                    self.escaped = false;
                    at += 1;
                    continue;
                }
                let Some(offset) = memchr2(b'"', b'\\', rest) else {
                    return Ok((bytes.len(), Edge::End));
                };
                at += offset + 1;
                if rest.get(offset) == Some(&b'\\') {
                    self.escaped = true;
                    continue;
                }
                self.in_string = false;
                if self.depth == 1 {
                    self.key.1 = before + at;
                }
                if self.depth == floor {
                    return Ok((at, Edge::Closed));
                }
                continue;
            }
            at += 1;
            match byte {
                b'"' => {
                    self.in_string = true;
                    if self.depth == 1 {
                        self.key.0 = before + at - 1;
                    }
                }
                b'{' | b'[' => {
                    self.depth += 1;
                    if self.depth > MAX_DEPTH {
                        return Err(MaskErrorKind::TooDeep.into());
                    }
                    if *byte == b'[' && self.depth == 2 && self.state == State::Root && self.divisible {
                        return Ok((at, Edge::Array));
                    }
                }
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == floor {
                        return Ok((at, Edge::Closed));
                    }
                }
                _ => {}
            }
        }
    }

    /// Which array at the root was just opened, by the key before it, which may be written with escapes.
    fn listing(&self) -> Option<Listing> {
        let key = self.held.get(self.key.0..self.key.1)?;
        let named = |name: &str| {
            let plain = key
                .strip_prefix(b"\"")
                .and_then(|key| key.strip_suffix(b"\""))
                .is_some_and(|key| key == name.as_bytes());
            plain
                || (key.len() <= 64
                    && key.contains(&b'\\')
                    && Value::parse(key).is_ok_and(|key| key.as_str() == Some(name)))
        };
        if named("items") {
            Some(Listing::Items)
        } else {
            named("rows").then_some(Listing::Rows)
        }
    }

    fn hold(&mut self, bytes: &[u8]) -> Result<(), MaskError> {
        if bytes.len() > self.max_item.saturating_sub(self.held.len()) {
            return Err(MaskErrorKind::ItemTooLarge.into());
        }
        self.held.extend_from_slice(bytes);
        Ok(())
    }
}

fn take<'c>(chunk: &mut &'c [u8], length: usize) -> &'c [u8] {
    let (taken, rest) = chunk.split_at_checked(length).unwrap_or((*chunk, &[]));
    *chunk = rest;
    taken
}

/// Takes the white space of JSON, which is less than that of ASCII.
fn take_space<'c>(chunk: &mut &'c [u8]) -> &'c [u8] {
    let end = chunk
        .iter()
        .position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    take(chunk, end.unwrap_or(chunk.len()))
}
