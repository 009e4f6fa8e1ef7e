//! Parts that had nothing to mask a moment ago: lists and watches repeat themselves, byte for byte.
//!
//! 1. A part is remembered if nothing in it was changed, counted or left out, together with everything else that decides
//!    about it (its [`Terms`]). Detectors are pure functions of a text, so the same bytes on the same terms have nothing to
//!    mask again.
//! 2. What is remembered is compared byte for byte; a hash only says where to look. So nobody who chooses bytes can make
//!    one part pass for another.
//! 3. A part is remembered when it comes for the second time: what never comes again takes no room.
//! 4. There are two generations, of fixed size. When the younger one is full, the older one is forgotten. All is forgotten
//!    with the answer. A value that is masked is never among it.

use std::hash::{BuildHasher as _, Hasher as _};

/// Longest part that is remembered, in bytes.
pub(super) const LONGEST: usize = 2 * 1024;

/// Shortest part that is worth it.
pub(super) const SHORTEST: usize = 4;

/// Bytes of one generation.
const ROOM: usize = 24 * 1024;

/// Places of one generation; a later part takes that of an earlier one.
const SLOTS: usize = 1024;

/// How many hashes of parts that came once are kept.
const SIGHTS: usize = 2048;

/// Places that are told apart, when it comes to whether parts at them repeat themselves.
const PLACES: usize = 64;

/// So often a part is looked for in vain at a place before that is given up, for so many parts.
const TRIES: u8 = 8;
const PAUSE: u8 = 24;

/// What decides about a part beside its bytes and its names: where it is in the tables, and in what state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Terms {
    /// Addresses of nodes, which outlive the answer.
    pub(super) nodes: [usize; 2],
    pub(super) state: u32,
}

impl Terms {
    /// The same with another bit of state.
    pub(super) fn with(self, bit: u32) -> Self {
        Self {
            state: self.state | bit,
            ..self
        }
    }
}

/// A part, with all that decides about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'p> {
    pub(super) terms: Terms,
    /// What the part is called, and what stands around it.
    pub(super) names: [Option<&'p str>; 2],
    pub(super) json: &'p str,
}

/// Bytes of terms and of the lengths of names.
const HEAD: usize = 28;

impl Part<'_> {
    /// Terms and lengths of names: of two parts with the same ones, everything else is at the same places.
    #[inline]
    fn head(&self) -> [u8; HEAD] {
        // One more than the length, to tell an empty name from none. A name is far shorter.
        let length = |name: Option<&str>| name.map_or(0, |name| u32::try_from(name.len() + 1).unwrap_or(u32::MAX));
        let ([first, second], [own, above]) = (self.terms.nodes, self.names.map(length));
        let mut head = [0; HEAD];
        let parts: [&[u8]; 5] = [
            &(first as u64).to_le_bytes(),
            &(second as u64).to_le_bytes(),
            &self.terms.state.to_le_bytes(),
            &own.to_le_bytes(),
            &above.to_le_bytes(),
        ];
        let mut rest: &mut [u8] = &mut head;
        for part in parts {
            if let Some((place, others)) = std::mem::take(&mut rest).split_at_mut_checked(part.len()) {
                place.copy_from_slice(part);
                rest = others;
            }
        }
        head
    }

    fn pieces<'a>(&'a self, head: &'a [u8; HEAD]) -> [&'a [u8]; 4] {
        let [own, above] = self.names.map(|name| name.unwrap_or_default().as_bytes());
        [head, own, above, self.json.as_bytes()]
    }
}

/// A hash of a part, where it is to be remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sight(u64);

/// A place of parts, as far as they are told apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place(usize);

/// The parts of one answer.
#[derive(Debug)]
pub(super) struct Seen {
    hasher: ahash::RandomState,
    /// Of what is known besides when they were looked at.
    revision: u64,
    young: Generation,
    old: Generation,
    /// Hashes of parts that came once. Empty until the first.
    sights: Vec<u32>,
    /// How often parts at a place were looked for in vain, since one was found.
    misses: [u8; PLACES],
}

#[derive(Debug, Default)]
struct Generation {
    bytes: Vec<u8>,
    /// Empty until the first part.
    slots: Vec<Slot>,
}

/// Where a part is kept.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    hash: u32,
    start: u16,
    /// None: 0.
    length: u16,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            hasher: ahash::RandomState::new(),
            revision: 0,
            young: Generation::default(),
            old: Generation::default(),
            sights: Vec::new(),
            misses: [0; PLACES],
        }
    }
}

impl Seen {
    /// Forgets what was found when less was known.
    pub(super) fn as_of(&mut self, revision: u64) {
        if self.revision != revision {
            self.revision = revision;
            self.young.clear();
            self.old.clear();
        }
    }

    /// Whether nothing was learnt since.
    pub(super) fn is_as_of(&self, revision: u64) -> bool {
        self.revision == revision
    }

    /// Whether parts on these terms, so many levels deep, may be worth a look: not where they never come again.
    #[inline]
    pub(super) fn is_worth_it(&mut self, terms: &Terms, depth: usize) -> Option<Place> {
        let [first, second] = terms.nodes;
        let mixed = (first >> 4) ^ (second >> 3) ^ terms.state as usize ^ depth.wrapping_mul(0x9e37_79b9);
        let place = (mixed ^ mixed >> 7 ^ mixed >> 17) % PLACES;
        let misses = self.misses.get_mut(place)?;
        if *misses >= TRIES {
            *misses = if *misses < TRIES + PAUSE {
                *misses + 1
            } else {
                TRIES / 2
            };
            return None;
        }
        Some(Place(place))
    }

    /// What came of a look.
    #[inline]
    pub(super) fn note(&mut self, Place(place): Place, is_hit: bool) {
        if let Some(misses) = self.misses.get_mut(place) {
            *misses = if is_hit { 0 } else { *misses + 1 };
        }
    }

    /// Whether a part had nothing to mask; else its hash.
    #[inline]
    pub(super) fn has(&mut self, part: &Part<'_>) -> Result<(), Sight> {
        let head = part.head();
        let pieces = part.pieces(&head);
        let hash = self.hash(part);
        if self.young.has(hash, &pieces) {
            return Ok(());
        }
        if self.old.has(hash, &pieces) {
            // What is still asked for stays.
            self.put(hash, &pieces);
            return Ok(());
        }
        Err(Sight(hash))
    }

    /// Where to look for a part. Of its names, the ends are enough for that.
    #[inline]
    fn hash(&self, part: &Part<'_>) -> u64 {
        let [first, second] = part.terms.nodes.map(|node| node as u64);
        let ends = part.names.map(|name| {
            let name = name.unwrap_or_default().as_bytes();
            let end = name.last_chunk().map_or(0, |end| u64::from(u32::from_le_bytes(*end)));
            end << 8 ^ name.len() as u64
        });
        let mut hasher = self.hasher.build_hasher();
        hasher.write_u64(first ^ second.rotate_left(32) ^ u64::from(part.terms.state) << 48);
        hasher.write_u64(ends.into_iter().fold(0, |all: u64, end| all.rotate_left(24) ^ end));
        hasher.write(part.json.as_bytes());
        hasher.finish()
    }

    /// Remembers a part that has nothing to mask.
    pub(super) fn add(&mut self, part: &Part<'_>, Sight(hash): Sight) {
        if self.sights.is_empty() {
            self.sights = vec![0; SIGHTS];
        }
        let (at, tag) = (hash as usize % SIGHTS, (hash >> 32) as u32);
        let Some(sight) = self.sights.get_mut(at) else { return };
        if std::mem::replace(sight, tag) == tag {
            let head = part.head();
            self.put(hash, &part.pieces(&head));
        }
    }

    fn put(&mut self, hash: u64, pieces: &[&[u8]; 4]) {
        let length = pieces.iter().map(|piece| piece.len()).sum();
        if length > ROOM / 4 {
            return;
        }
        if self.young.bytes.len() + length > ROOM {
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        self.young.put(hash, length, pieces);
    }
}

impl Generation {
    fn clear(&mut self) {
        self.bytes.clear();
        self.slots.fill(Slot::default());
    }

    #[inline]
    fn has(&self, hash: u64, pieces: &[&[u8]; 4]) -> bool {
        let Some(slot) = self.slots.get(hash as usize % SLOTS) else {
            return false;
        };
        if slot.hash != (hash >> 32) as u32 || slot.length == 0 {
            return false;
        }
        let start = usize::from(slot.start);
        let kept = self.bytes.get(start..start + usize::from(slot.length));
        let mut rest = kept.unwrap_or_default();
        for piece in pieces {
            match rest.strip_prefix(*piece) {
                Some(behind) => rest = behind,
                None => return false,
            }
        }
        rest.is_empty()
    }

    fn put(&mut self, hash: u64, length: usize, pieces: &[&[u8]; 4]) {
        if self.slots.is_empty() {
            self.slots = vec![Slot::default(); SLOTS];
            self.bytes.reserve_exact(ROOM);
        }
        let place = u16::try_from(self.bytes.len()).ok().zip(u16::try_from(length).ok());
        let slot = self.slots.get_mut(hash as usize % SLOTS);
        if let (Some((start, length)), Some(slot)) = (place, slot) {
            pieces.iter().for_each(|piece| self.bytes.extend_from_slice(piece));
            *slot = Slot {
                hash: (hash >> 32) as u32,
                start,
                length,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(json: &str) -> Part<'_> {
        Part {
            terms: Terms::default(),
            names: [None, None],
            json,
        }
    }

    /// As whoever masks does: looks, finds nothing to mask, remembers.
    fn comes(seen: &mut Seen, part: &Part<'_>) -> bool {
        match seen.has(part) {
            Ok(()) => true,
            Err(sight) => {
                seen.add(part, sight);
                false
            }
        }
    }

    #[test]
    fn what_came_twice_is_known() {
        let mut seen = Seen::default();
        let come = [(); 4].map(|()| comes(&mut seen, &part("{\"a\":1}")));
        assert_eq!(come, [false, false, true, true]);
    }

    #[test]
    fn everything_counts() {
        let all = Part {
            terms: Terms {
                nodes: [1, 2],
                state: 3,
            },
            names: [Some("ab"), Some("c")],
            json: "{}",
        };
        let terms = |terms| Part { terms, ..all };
        let names = |names| Part { names, ..all };
        let others = [
            terms(Terms {
                nodes: [2, 1],
                ..all.terms
            }),
            terms(Terms { state: 4, ..all.terms }),
            names([Some("a"), Some("bc")]),
            names([Some("abc"), None]),
            names([None, Some("abc")]),
            names([Some("abc"), Some("")]),
            Part { json: "[]", ..all },
        ];
        let mut seen = Seen::default();
        assert!((0..3).any(|_| comes(&mut seen, &all)));
        for other in &others {
            assert!(seen.has(other).is_err(), "{other:?}");
        }
    }

    #[test]
    fn memory_is_bounded_and_what_is_asked_for_stays() {
        let mut seen = Seen::default();
        let stays = part("{\"stays\":1}");
        (0..2).for_each(|_| _ = comes(&mut seen, &stays));
        for number in 0..20_000 {
            let goes = format!("{{\"goes\":\"{number:0100}\"}}");
            (0..2).for_each(|_| _ = comes(&mut seen, &part(&goes)));
            let held = [&seen.young, &seen.old].map(|generation| generation.bytes.capacity());
            assert!(held.iter().all(|held| *held <= ROOM), "{held:?}");
            // Another part may take its place; then it comes anew.
            comes(&mut seen, &stays);
        }
        assert!((0..3).any(|_| comes(&mut seen, &stays)));
        assert!(seen.has(&part(&format!("{{\"goes\":\"{:0100}\"}}", 0))).is_err());
    }

    #[test]
    fn what_is_known_ends_with_what_it_was_known_by() {
        let mut seen = Seen::default();
        (0..3).for_each(|_| _ = comes(&mut seen, &part("{}")));
        seen.as_of(0);
        assert!(seen.has(&part("{}")).is_ok());
        seen.as_of(1);
        assert!(seen.has(&part("{}")).is_err() && seen.is_as_of(1));
    }

    #[test]
    fn places_where_nothing_repeats_are_left_alone_for_a_while() {
        let (mut seen, terms) = (Seen::default(), Terms::default());
        let mut looks = 0;
        for _ in 0..1_000 {
            if let Some(place) = seen.is_worth_it(&terms, 3) {
                looks += 1;
                seen.note(place, false);
            }
        }
        assert!((50..300).contains(&looks), "{looks}");
    }
}
