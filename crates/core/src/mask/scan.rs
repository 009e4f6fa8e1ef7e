//! Finds where items end in a stream of JSON, however it is cut into chunks.
//!
//! It only counts brackets and follows strings, block by block. Whether an item is valid JSON is decided by the strict
//! reader, which is given every byte that is handed out, so that a scanner misled by garbage only ever hands garbage to
//! that reader. An item that lies whole in a chunk is not copied; of any other, the parts are held until its end.

use memchr::memchr;

use super::blocks::{self, Level, Run, Strings};
use super::cursor::{Cursor, Noted};
use super::error::{MaskError, MaskErrorKind};
use crate::json::MAX_DEPTH;

#[cfg(test)]
mod tests;

/// By how much the memory for an item grows at least: doubling it would hold far more than the item.
const STEP: usize = 16 * 1024;

/// Most memory that is kept for the next item.
const KEPT: usize = 128 * 1024;

/// The array at the root whose elements are items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listing {
    /// `items` of a list.
    Items,
    /// `rows` of a Table.
    Rows,
}

/// What was found in the stream. What is to be taken is there until the scanner goes on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'c> {
    /// White space behind a value or an element.
    Space(&'c [u8]),
    /// A whole value at the root.
    Value(Item<'c>),
    /// The bytes held so far end with the bracket that opens `items` or `rows`. Take them, and each element is found
    /// on its own; leave them, and the whole value is.
    Opening(Listing),
    /// An element, with the white space before it.
    Element(Item<'c>),
    /// The rest of the value behind its elements, from the closing bracket on.
    Closing(Item<'c>),
}

/// The bytes of what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item<'c> {
    /// They are all in the chunk.
    Whole(&'c [u8]),
    /// They came in several; [`Scanner::held`] has them.
    Held,
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
    /// Whether what is held was found, and makes place for what comes next.
    is_done: bool,
    max_item: usize,
    depth: usize,
    strings: Strings,
    surface: Surface,
    /// Whether elements may still be found on their own in this value.
    divisible: bool,
    /// Whether any value was found.
    seen: bool,
    /// Whether another value may follow.
    repeats: bool,
}

/// The strings directly inside the value or element, as far as they tell what it is. All places count from its
/// beginning, with the white space before it.
#[derive(Debug, Clone, Copy, Default)]
struct Surface {
    /// The last one, with its quotes.
    last: (usize, usize),
    /// Where the last string ended, if it may be the key `kind`.
    kind: Option<usize>,
    /// None, until one is found.
    noted: Option<(usize, usize)>,
    /// Whether it is not known after all: a key is written with escapes, or it is there twice.
    is_unsure: bool,
}

enum Stop {
    Exhausted,
    Closed,
    Array(Listing),
}

/// What the scanner stands behind.
enum Edge {
    /// The end of the bytes.
    End,
    /// The end of the value or element.
    Closed,
    /// The opening of an array directly below the root.
    Array,
}

/// What is left of a chunk, and where in it the bytes begin that are not held yet.
struct Reading<'c> {
    chunk: &'c [u8],
    from: usize,
    at: usize,
}

impl Scanner {
    /// A scanner that holds at most `max_item` bytes.
    pub(super) fn new(max_item: usize) -> Self {
        Self {
            state: State::Between,
            held: Vec::new(),
            is_done: false,
            max_item,
            depth: 0,
            strings: Strings::default(),
            surface: Surface::default(),
            divisible: true,
            seen: false,
            repeats: false,
        }
    }

    /// The bytes held.
    pub(super) fn held(&self) -> &[u8] {
        &self.held
    }

    /// The bytes of what was found last.
    pub(super) fn bytes<'s>(&'s self, item: Item<'s>) -> &'s [u8] {
        match item {
            Item::Whole(bytes) => bytes,
            Item::Held => &self.held,
        }
    }

    /// What is known of the kind of the item that was found last.
    pub(super) fn noted(&self) -> Noted {
        match self.surface.noted {
            _ if self.surface.is_unsure => Noted::Unknown,
            Some((start, end)) => Noted::Text(start, end),
            None => Noted::None,
        }
    }

    /// Takes what is held before elements, so that each of them is found on its own.
    pub(super) fn release(&mut self) {
        if self.state == State::Opening {
            self.state = State::First;
            self.is_done = true;
        }
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
        if std::mem::take(&mut self.is_done) {
            self.held.clear();
            self.held.shrink_to(KEPT);
        }
        let mut reading = Reading { chunk, from: 0, at: 0 };
        let found = self.find(&mut reading)?;
        if found.is_none() {
            self.hold(&mut reading)?;
        }
        *chunk = reading.rest();
        Ok(found)
    }

    fn find<'c>(&mut self, reading: &mut Reading<'c>) -> Result<Option<Found<'c>>, MaskError> {
        loop {
            match self.state {
                State::Between => {
                    let space = reading.take_space();
                    if self.seen {
                        reading.from = reading.at;
                        if !space.is_empty() {
                            return Ok(Some(Found::Space(space)));
                        }
                    }
                    self.check_size(reading)?;
                    match reading.first() {
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
                State::Root | State::Element | State::Tail => match self.run(reading)? {
                    Stop::Exhausted => return Ok(None),
                    Stop::Array(listing) => {
                        self.state = State::Opening;
                        return Ok(Some(Found::Opening(listing)));
                    }
                    Stop::Closed => {
                        let item = self.item(reading)?;
                        let (next, found) = match self.state {
                            State::Element => (State::Behind, Found::Element(item)),
                            State::Tail => (State::Between, Found::Closing(item)),
                            _ => (State::Between, Found::Value(item)),
                        };
                        self.state = next;
                        return Ok(Some(found));
                    }
                },
                State::First | State::Next => {
                    reading.take_space();
                    self.check_size(reading)?;
                    match reading.first() {
                        None => return Ok(None),
                        Some(b']') if self.state == State::First => self.begin_tail(reading),
                        Some(b']' | b',' | b'}' | b':') => return Err(MaskErrorKind::Malformed.into()),
                        Some(b'{') => self.begin(State::Element, 2),
                        Some(b'[' | b'"') => {
                            self.begin(State::Element, 2);
                            // What it has in it is no member of it, even where it says `"kind":`.
                            self.surface.is_unsure = true;
                        }
                        Some(_) => {
                            self.surface = Surface::default();
                            self.state = State::Word;
                        }
                    }
                }
                State::Word => {
                    let is_end = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b']' | b'}');
                    let end = reading.rest().iter().position(is_end);
                    reading.at += end.unwrap_or(reading.rest().len());
                    self.check_size(reading)?;
                    if end.is_none() {
                        return Ok(None);
                    }
                    self.state = State::Behind;
                    return Ok(Some(Found::Element(self.item(reading)?)));
                }
                State::Behind => {
                    let space = reading.take_space();
                    reading.from = reading.at;
                    if !space.is_empty() {
                        return Ok(Some(Found::Space(space)));
                    }
                    match reading.first() {
                        None => return Ok(None),
                        Some(b',') => {
                            reading.at += 1;
                            reading.from = reading.at;
                            self.state = State::Next;
                        }
                        Some(b']') => self.begin_tail(reading),
                        Some(_) => return Err(MaskErrorKind::Malformed.into()),
                    }
                }
            }
        }
    }

    fn begin(&mut self, state: State, depth: usize) {
        self.state = state;
        self.depth = depth;
        self.strings = Strings::default();
        self.surface = Surface::default();
        if state == State::Root {
            self.divisible = true;
        }
    }

    fn begin_tail(&mut self, reading: &mut Reading<'_>) {
        self.begin(State::Tail, 1);
        reading.at += 1;
    }

    /// What was found, up to here.
    fn item<'c>(&mut self, reading: &mut Reading<'c>) -> Result<Item<'c>, MaskError> {
        if self.held.is_empty() {
            return Ok(Item::Whole(reading.take_pending()));
        }
        self.hold(reading)?;
        self.is_done = true;
        Ok(Item::Held)
    }

    /// Moves on to the end of the value or element, or to the opening of `items` or `rows`.
    fn run(&mut self, reading: &mut Reading<'_>) -> Result<Stop, MaskError> {
        loop {
            // One byte more than may be held tells that it is too large, whatever else is wrong behind it.
            let room = (self.max_item + 1).saturating_sub(self.held.len() + reading.pending().len());
            let rest = reading.rest();
            let rest = rest.get(..room).unwrap_or(rest);
            // Where this run begins, in the value or element.
            let before = self.held.len() + reading.pending().len();
            let (length, edge) = self.follow(rest, before)?;
            reading.at += length;
            self.check_size(reading)?;
            match edge {
                Edge::End => return Ok(Stop::Exhausted),
                Edge::Closed => return Ok(Stop::Closed),
                Edge::Array => {
                    self.hold(reading)?;
                    if let Some(listing) = self.listing() {
                        return Ok(Stop::Array(listing));
                    }
                }
            }
        }
    }

    /// How many bytes there are up to and with the next edge.
    fn follow(&mut self, bytes: &[u8], before: usize) -> Result<(usize, Edge), MaskErrorKind> {
        blocks::run(EdgeRun {
            scanner: self,
            bytes,
            before,
        })
    }

    /// Notes a quote, if it is directly inside the value or element; says whether it ends it.
    fn quote(&mut self, floor: usize, begins: bool, (before, at): (usize, usize), bytes: &[u8]) -> Option<Edge> {
        if self.depth == floor {
            return (!begins).then_some(Edge::Closed);
        }
        if self.depth == floor + 1 {
            if begins {
                self.surface.last.0 = before + at;
            } else {
                self.surface.string_ends(before, at + 1, bytes);
            }
        }
        None
    }

    /// Which array at the root was just opened, by the key before it, which may be written with escapes.
    fn listing(&self) -> Option<Listing> {
        let (start, end) = self.surface.last;
        let key = std::str::from_utf8(self.held.get(start..end)?).ok()?;
        let key = Cursor::new(key, 0).string().ok()?;
        if key.is("items") {
            Some(Listing::Items)
        } else {
            key.is("rows").then_some(Listing::Rows)
        }
    }

    /// Holds what was read and not held yet.
    fn hold(&mut self, reading: &mut Reading<'_>) -> Result<(), MaskError> {
        self.check_size(reading)?;
        let bytes = reading.take_pending();
        let needed = self.held.len() + bytes.len();
        if needed > self.held.capacity() {
            // In steps that are small beside the item, and not too many of them.
            let step = STEP.max(needed / 8);
            self.held.reserve_exact(bytes.len() + step);
        }
        self.held.extend_from_slice(bytes);
        Ok(())
    }

    fn check_size(&self, reading: &Reading<'_>) -> Result<(), MaskError> {
        if self.held.len() + reading.pending().len() > self.max_item {
            return Err(MaskErrorKind::ItemTooLarge.into());
        }
        Ok(())
    }
}

/// Goes on to the next edge. Most blocks are deep inside, where it is enough to count.
struct EdgeRun<'s> {
    scanner: &'s mut Scanner,
    bytes: &'s [u8],
    /// Bytes of the value or element before these.
    before: usize,
}

impl Run for EdgeRun<'_> {
    type Out = Result<(usize, Edge), MaskErrorKind>;

    #[inline(always)]
    fn run<L: Level>(self) -> Self::Out {
        let Self { scanner, bytes, before } = self;
        let floor = if scanner.state == State::Element { 2 } else { 0 };
        let (mut at, mut room) = (0, [0; 64]);
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(block) = blocks::first(rest, &mut room) else {
                return Ok((bytes.len(), Edge::End));
            };
            let (masks, length) = (L::masks(block), rest.len().min(64));
            let quoted = scanner.strings.follow_part::<L>(&masks, length);
            let (opens, closes) = (masks.opens & !quoted.inside, masks.closes & !quoted.inside);
            let (opened, closed) = (opens.count_ones() as usize, closes.count_ones() as usize);
            if scanner.depth > floor + 1 + closed && scanner.depth + opened <= MAX_DEPTH {
                scanner.depth = scanner.depth + opened - closed;
                at += length;
                if quoted.inside == !0 && !scanner.strings.is_escaped() {
                    // A long string. Blocks go on where it does something.
                    at += blocks::plain(bytes.get(at..).unwrap_or_default());
                }
                continue;
            }
            // Near the surface, every bracket counts, and so does every string directly inside.
            let mut edges = opens | closes | quoted.quotes;
            while edges != 0 {
                let edge = edges & edges.wrapping_neg();
                edges ^= edge;
                let here = at + edge.trailing_zeros() as usize;
                let found = if quoted.quotes & edge != 0 {
                    scanner.quote(floor, quoted.inside & edge != 0, (before, here), bytes)
                } else if opens & edge != 0 {
                    scanner.depth += 1;
                    if scanner.depth > MAX_DEPTH {
                        return Err(MaskErrorKind::TooDeep);
                    }
                    let is_array = masks.squares & edge != 0;
                    (is_array && scanner.depth == 2 && scanner.state == State::Root && scanner.divisible)
                        .then_some(Edge::Array)
                } else {
                    scanner.depth = scanner.depth.saturating_sub(1);
                    (scanner.depth == floor).then_some(Edge::Closed)
                };
                if let Some(found) = found {
                    scanner.strings = Strings::default();
                    return Ok((here + 1, found));
                }
            }
            at += length;
        }
    }
}

impl Surface {
    /// A string ended here; the one before it may have been the key `kind`.
    fn string_ends(&mut self, before: usize, end: usize, bytes: &[u8]) {
        let (_, last_end) = self.last;
        let start = self.last.0;
        self.last.1 = before + end;
        let here = |place: usize| place.checked_sub(before);
        let Some(string) = here(start).and_then(|start| bytes.get(start..end)) else {
            // Cut in two.
            self.is_unsure = true;
            return;
        };
        if self.kind.take() == Some(last_end) && last_end > 0 {
            let between = here(last_end)
                .zip(here(start))
                .and_then(|(end, start)| bytes.get(end..start));
            match between.map(<[u8]>::trim_ascii) {
                None => self.is_unsure = true,
                Some(b":") => {
                    self.is_unsure |= self.noted.is_some();
                    self.noted = Some((start + 1, before + end - 1));
                }
                Some(_) => {}
            }
        }
        if string == b"\"kind\"" {
            self.kind = Some(self.last.1);
        }
        self.is_unsure |= memchr(b'\\', string).is_some();
    }
}

impl<'c> Reading<'c> {
    fn rest(&self) -> &'c [u8] {
        self.chunk.get(self.at..).unwrap_or_default()
    }

    fn first(&self) -> Option<u8> {
        self.chunk.get(self.at).copied()
    }

    /// What was read and neither held nor found yet.
    fn pending(&self) -> &'c [u8] {
        self.chunk.get(self.from..self.at).unwrap_or_default()
    }

    fn take_pending(&mut self) -> &'c [u8] {
        let pending = self.pending();
        self.from = self.at;
        pending
    }

    /// Takes the white space of JSON, which is less than that of ASCII.
    fn take_space(&mut self) -> &'c [u8] {
        let is_other = |byte: &u8| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        let rest = self.rest();
        let length = rest.iter().position(is_other).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }
}
