//! Keyed hashes of windows of all forms, and the search for them.
//!
//! A short form is one window at its begin, which tells its lengths, and one hash of all of it. A long form is a window
//! every few bytes and one at its end. A filter of two bits per window says for nearly every place of a text that no
//! window begins there.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher as _, BuildHasherDefault, Hasher, RandomState};
use std::ops::Range;

use super::forms::{Encoding, Form};

/// Bytes of a window.
pub(super) const WINDOW: usize = 8;
/// Longest form of which all must be there.
const SHORT: usize = 32;
/// Parts of the table; the oldest is forgotten as a whole.
const SEGMENTS: usize = 6;
/// Memory of a slot of a map: key, value, control byte.
const SLOT: usize = 17;

/// The lowest bits tell the lengths of short forms that begin with a window.
const LENGTHS: u32 = (1 << (SHORT - WINDOW + 1)) - 1;
/// The next window of the form is 8 bytes further on.
const NEAR: u32 = 1 << 25;
/// The next window of the form is 16 bytes further on.
const FAR: u32 = 1 << 26;
/// The last window of a long form.
const TAIL: u32 = 1 << 27;
/// The first window of a long form.
const HEAD: u32 = 1 << 28;
/// Other texts do not share the window.
const STRONG: u32 = 1 << 29;
/// Not a window, but a short form as a whole, or a value that was remembered.
const WHOLE: u32 = 1 << 30;
/// Of a form in base64, whose neighbours hold bits of the value, too.
const BASE64: u32 = 1 << 31;
/// Of a [`WHOLE`]: a number, which is none if there are digits around it.
const NUMBER: u32 = 1;

/// The keys are hashes with a secret key already.
#[derive(Default)]
struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Never called: keys are `u64`.
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

/// Flags, and the place of the window in the filter.
#[derive(Debug, Clone, Copy)]
struct Entry {
    flags: u32,
    place: u32,
}

type Segment = HashMap<u64, Entry, BuildHasherDefault<Identity>>;

/// What marks a hash as one of a window, a whole form, or a value.
#[derive(Debug, Clone, Copy)]
enum Domain {
    Window,
    Whole,
    Value,
}

pub(super) struct Table {
    /// SipHash with a random key.
    hasher: RandomState,
    /// The key of the filter.
    key: (u64, u64),
    filter: Vec<u64>,
    /// Newest last.
    segments: VecDeque<Segment>,
    slots: usize,
    /// From a place to the number of its word.
    shift: u32,
    /// Whether any of what was remembered was worth it.
    has_windows: bool,
}

impl Table {
    /// Uses at most so much memory, and a few kilobytes if it is less than that.
    pub(super) fn new(bytes: usize) -> Self {
        let hasher = RandomState::new();
        // A slot of each segment, and two words of the filter for it.
        let slots = bytes / (SEGMENTS * SLOT + 2 * size_of::<u64>());
        let slots = slots
            .checked_next_power_of_two()
            .map_or(1 << 20, |next| if next == slots { next } else { next / 2 });
        let slots = slots.clamp(64, 1 << 20);
        Self {
            // Two words for each slot.
            shift: 31 - slots.trailing_zeros(),
            key: (hasher.hash_one(0_u8), hasher.hash_one(1_u8) | 1),
            hasher,
            filter: Vec::new(),
            segments: VecDeque::new(),
            slots,
            has_windows: false,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.has_windows
    }

    /// Memory in use, in bytes.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        let slots = |segment: &Segment| (segment.capacity() * 8 / 7).next_power_of_two();
        self.segments.iter().map(slots).sum::<usize>() * SLOT + self.filter.capacity() * size_of::<u64>()
    }

    fn hash(&self, domain: Domain, bytes: &[u8]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write_u8(domain as u8);
        hasher.write(bytes);
        hasher.finish()
    }

    /// By what a value is recognised that was remembered before.
    pub(super) fn seen_key(&self, name: Option<&str>, value: &[u8]) -> u64 {
        self.hash(Domain::Value, value)
            ^ name.map_or(0, |name| self.hash(Domain::Value, name.as_bytes()).rotate_left(1))
    }

    /// Whether a value was remembered so recently that it need not be again.
    pub(super) fn is_fresh(&self, seen: u64) -> bool {
        self.segments
            .iter()
            .rev()
            .take(SEGMENTS / 2)
            .any(|segment| segment.contains_key(&seen))
    }

    pub(super) fn mark_seen(&mut self, seen: u64) {
        self.put(seen, WHOLE, None);
    }

    pub(super) fn insert(&mut self, form: &Form) {
        let bytes = form.bytes.as_slice();
        let base64 = if form.encoding == Encoding::Base64 { BASE64 } else { 0 };
        let Some(first) = bytes.first_chunk::<WINDOW>() else {
            return;
        };
        if bytes.len() <= SHORT {
            let is_number = form.encoding == Encoding::Text && bytes.iter().all(u8::is_ascii_digit);
            let number = if is_number { NUMBER } else { 0 };
            self.put(self.hash(Domain::Whole, bytes), WHOLE | base64 | number, None);
            self.put_window(*first, 1 << (bytes.len() - WINDOW));
            return;
        }
        let (step, flag) = match form.encoding {
            Encoding::Text => (WINDOW, NEAR),
            Encoding::Base64 | Encoding::Hex => (2 * WINDOW, FAR),
        };
        let last = bytes.len() - WINDOW;
        for at in (0..=last).step_by(step).chain([last]) {
            let Some(window) = bytes.get(at..).and_then(<[u8]>::first_chunk) else {
                continue;
            };
            let strong = form
                .strong
                .iter()
                .skip(at)
                .take(WINDOW)
                .filter(|strong| **strong)
                .count();
            let mut flags = base64;
            flags |= if at % step == 0 { flag } else { 0 };
            flags |= if at == 0 { HEAD } else { 0 };
            flags |= if at == last { TAIL } else { 0 };
            flags |= if strong >= WINDOW / 2 && is_varied(window) {
                STRONG
            } else {
                0
            };
            self.put_window(*window, flags);
        }
    }

    fn put_window(&mut self, window: [u8; WINDOW], flags: u32) {
        let key = self.hash(Domain::Window, &window);
        let place = self.place(u64::from_le_bytes(window));
        self.has_windows = true;
        self.put(key, flags, Some(place));
    }

    fn put(&mut self, key: u64, flags: u32, place: Option<u32>) {
        // A map of this capacity has as many slots, and never grows.
        let most = self.slots / 8 * 7;
        if self.segments.back().is_none_or(|newest| newest.len() >= most) {
            if self.segments.len() >= SEGMENTS {
                self.segments.pop_front();
                self.filter.clear();
            }
            self.segments
                .push_back(Segment::with_capacity_and_hasher(most, BuildHasherDefault::default()));
        }
        if self.filter.is_empty() {
            self.filter.resize(self.slots * 2, 0);
            let places: Vec<u32> = self
                .segments
                .iter()
                .flat_map(|segment| segment.values())
                .filter(|entry| entry.flags & WHOLE == 0)
                .map(|entry| entry.place)
                .collect();
            for place in places {
                self.set(place);
            }
        }
        if let Some(place) = place {
            self.set(place);
        }
        if let Some(newest) = self.segments.back_mut() {
            let entry = newest.entry(key).or_insert(Entry {
                flags: 0,
                place: place.unwrap_or_default(),
            });
            entry.flags |= flags;
        }
    }

    fn set(&mut self, place: u32) {
        let word = self.word(place);
        if let Some(word) = self.filter.get_mut(word) {
            *word |= 1 << (place >> 14 & 63) | 1 << (place >> 8 & 63);
        }
    }

    /// Where a window is in the filter: cheap, and spread by a key that nobody knows.
    #[inline]
    fn place(&self, window: u64) -> u32 {
        // The upper half of the product: its highest bits depend on all of the window.
        ((window ^ self.key.0).wrapping_mul(self.key.1) >> 32) as u32
    }

    /// The word of a place.
    #[inline]
    fn word(&self, place: u32) -> usize {
        (u64::from(place) >> self.shift) as usize
    }

    #[inline]
    fn may_begin(&self, window: u64) -> bool {
        let place = self.place(window);
        let word = self.filter.get(self.word(place)).copied().unwrap_or_default();
        // The second bit is hardly ever looked at while there is little in the filter.
        word >> (place >> 14 & 63) & 1 == 1 && word >> (place >> 8 & 63) & 1 == 1
    }

    /// What is known of a window at a place of a text; 0 for nothing.
    fn at(&self, text: &[u8], at: usize) -> u32 {
        match text.get(at..).and_then(<[u8]>::first_chunk::<WINDOW>) {
            Some(window) if self.may_begin(u64::from_le_bytes(*window)) => self.get(self.hash(Domain::Window, window)),
            _ => 0,
        }
    }

    fn get(&self, key: u64) -> u32 {
        let flags = self
            .segments
            .iter()
            .filter_map(|segment| Some(segment.get(&key)?.flags));
        flags.fold(0, |all, flags| all | flags)
    }

    /// Finds every known value in a text.
    pub(super) fn find_all(&self, text: &[u8], mut found: impl FnMut(Range<usize>)) {
        if self.is_empty() {
            return;
        }
        let (mut from, mut walked) = (0, Walked::default());
        while let Some(rest) = text.get(from..) {
            let next = rest.windows(WINDOW).position(|window| {
                let window = <[u8; WINDOW]>::try_from(window).unwrap_or_default();
                self.may_begin(u64::from_le_bytes(window))
            });
            let Some(at) = next.map(|next| from + next) else {
                return;
            };
            from = match self.find_at(text, at, &mut walked) {
                Some(range) => {
                    let end = range.end;
                    found(range);
                    end.max(at + 1)
                }
                None => at + 1,
            };
        }
    }

    fn find_at(&self, text: &[u8], at: usize, walked: &mut Walked) -> Option<Range<usize>> {
        let flags = self.at(text, at);
        // Forms may begin alike: the longest counts.
        let mut longest = self.short(text, at, flags & LENGTHS);
        for (step, flag) in [(WINDOW, NEAR), (2 * WINDOW, FAR)] {
            let until = walked.until(flag, at % step);
            if flags & flag == 0 || until.as_ref().is_some_and(|until| at < **until) {
                continue;
            }
            let run = self.run(text, at, flags, step, flag);
            if let Some(until) = until {
                *until = run.end;
            }
            let proven = self.proven(text, at, flags, step, &run);
            longest = longest.into_iter().chain(proven).max_by_key(|range| range.end);
        }
        longest
    }

    /// The longest short form that begins here.
    fn short(&self, text: &[u8], at: usize, lengths: u32) -> Option<Range<usize>> {
        let lengths = (WINDOW..=SHORT)
            .rev()
            .filter(|length| lengths >> (length - WINDOW) & 1 == 1);
        for end in lengths.map(|length| at + length) {
            let Some(whole) = text.get(at..end) else {
                continue;
            };
            let flags = self.get(self.hash(Domain::Whole, whole));
            let digit = |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(u8::is_ascii_digit);
            if flags & WHOLE == 0 || flags & NUMBER != 0 && (digit(at.checked_sub(1)) || digit(Some(end))) {
                continue;
            }
            return Some(if flags & BASE64 != 0 {
                with_shared(text, at..end)
            } else {
                at..end
            });
        }
        None
    }

    /// Follows the windows of long forms from here.
    fn run(&self, text: &[u8], start: usize, first: u32, step: usize, flag: u32) -> Run {
        let (mut last, mut flags, mut strong) = (start, first, u32::from(first & STRONG != 0));
        while flags & TAIL == 0 {
            let next = self.at(text, last + step);
            if next & flag == 0 {
                break;
            }
            (last, flags) = (last + step, next);
            strong += u32::from(next & STRONG != 0);
        }
        let (end, is_end) = (last + WINDOW, flags & TAIL != 0);
        Run { end, is_end, strong }
    }

    /// What a run proves to be there: a part that no other text shares, or the whole of a form.
    fn proven(&self, text: &[u8], start: usize, first: u32, step: usize, run: &Run) -> Option<Range<usize>> {
        let is_head = first & HEAD != 0;
        if run.strong < 2 && !is_head {
            return None;
        }
        let (mut end, mut is_end) = (run.end, run.is_end);
        if !is_end {
            // The last window of a form lies across the one before it.
            let last = end - WINDOW;
            let tail = (last + 1..last + step).find(|at| self.at(text, *at) & TAIL != 0);
            (end, is_end) = tail.map_or((end, false), |tail| (tail + WINDOW, true));
        }
        if run.strong < 2 && (!is_end || end - start <= SHORT) {
            return None;
        }
        // What is around a part of a value may belong to it.
        let before = if is_head { 0 } else { step - 1 };
        let after = if is_end { 0 } else { step - 1 };
        let may = |byte| byte > b' ' && !DELIMITERS.contains(&byte);
        let range = extended(text, start..end, before, after, may);
        Some(if first & BASE64 != 0 {
            with_shared(text, range)
        } else {
            range
        })
    }
}

/// Windows in a row.
struct Run {
    /// Where the last of them ends.
    end: usize,
    /// Whether it is the last of its form.
    is_end: bool,
    /// How many of them no other text shares.
    strong: u32,
}

/// Up to where runs were followed, by where they lie between the steps: the rest of a run proves no more than all of it.
/// Without that a text full of what is shared would be walked through from each of its windows.
#[derive(Default)]
struct Walked {
    near: [usize; WINDOW],
    far: [usize; 2 * WINDOW],
}

impl Walked {
    fn until(&mut self, flag: u32, phase: usize) -> Option<&mut usize> {
        if flag == NEAR {
            self.near.get_mut(phase)
        } else {
            self.far.get_mut(phase)
        }
    }
}

const DELIMITERS: &[u8] = b"\"'`,;<>()[]{}\\";

/// With the characters of base64 around it: they hold bits of the value.
fn with_shared(text: &[u8], range: Range<usize>) -> Range<usize> {
    extended(text, range, 1, 1, |byte| {
        byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte)
    })
}

fn extended(text: &[u8], range: Range<usize>, before: usize, after: usize, may: impl Fn(u8) -> bool) -> Range<usize> {
    let left = text.get(..range.start).unwrap_or_default().iter().rev().take(before);
    let right = text.get(range.end..).unwrap_or_default().iter().take(after);
    let left = left.take_while(|byte| may(**byte)).count();
    let right = right.take_while(|byte| may(**byte)).count();
    range.start - left..range.end + right
}

/// Whether a window is more than a line drawn with one character.
fn is_varied(window: &[u8; WINDOW]) -> bool {
    let mut distinct = *window;
    distinct.sort_unstable();
    distinct.chunk_by(|a, b| a == b).count() >= 4
}
