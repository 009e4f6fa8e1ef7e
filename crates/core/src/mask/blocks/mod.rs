//! Where the characters that matter to JSON stand, 64 bytes at a time, as bits.
//!
//! Bit *n* of a mask is byte *n* of the block. There are several ways to get the masks, which agree on every block: words
//! of eight bytes anywhere, and the vectors that every x86-64 has, or that most have. Everything above the masks is the
//! same; what runs over many blocks is compiled for each of them, and picked once per [`Run`].

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "what a machine has is not known to the compiler")]
pub(super) mod vectors;
#[cfg_attr(target_arch = "x86_64", allow(dead_code, reason = "the other ways are faster"))]
pub(super) mod words;

/// The masks of one block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Masks {
    pub(super) quotes: u64,
    pub(super) backslashes: u64,
    /// `{` and `[`.
    pub(super) opens: u64,
    /// `}` and `]`.
    pub(super) closes: u64,
    /// `[` and `]`.
    pub(super) squares: u64,
    /// Below a space.
    pub(super) controls: u64,
}

/// Whether the next byte is inside a string, and whether it is escaped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Strings {
    /// All ones or none.
    inside: u64,
    /// One or none.
    escaped: u64,
}

/// What strings make of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quoted {
    /// Quotes that are not escaped.
    pub(super) quotes: u64,
    /// Strings, with the quote before and without the one behind.
    pub(super) inside: u64,
    /// What follows the backslash of an escape.
    pub(super) escaped: u64,
}

impl Strings {
    /// Whether the byte before was the backslash of an escape.
    pub(super) fn is_escaped(self) -> bool {
        self.escaped != 0
    }

    /// Inside a string.
    pub(super) const INSIDE: Self = Self { inside: !0, escaped: 0 };

    /// Follows the strings through a block.
    #[inline(always)]
    pub(super) fn follow<L: Level>(&mut self, masks: &Masks) -> Quoted {
        let escaped = self.escaped(masks.backslashes);
        let quotes = masks.quotes & !escaped;
        let inside = L::ones_between(quotes) ^ self.inside;
        self.inside = 0_u64.wrapping_sub(inside >> 63);
        Quoted {
            quotes,
            inside,
            escaped,
        }
    }

    /// The same, where only so many bytes of the block are there.
    #[inline(always)]
    pub(super) fn follow_part<L: Level>(&mut self, masks: &Masks, length: usize) -> Quoted {
        let quoted = self.follow::<L>(masks);
        if length < 64 {
            self.escaped = quoted.escaped >> length & 1;
        }
        quoted
    }

    /// The bytes behind a backslash that is not escaped itself. Of a run of backslashes, every other one is an escape: a
    /// carry that is added at the beginning of the run tells which.
    #[inline(always)]
    fn escaped(&mut self, backslashes: u64) -> u64 {
        const EVEN: u64 = 0x5555_5555_5555_5555;
        if backslashes == 0 {
            return std::mem::take(&mut self.escaped);
        }
        let backslashes = backslashes & !self.escaped;
        let behind = backslashes << 1 | self.escaped;
        let odd_starts = backslashes & !EVEN & !behind;
        let (even_runs, overflows) = odd_starts.overflowing_add(backslashes);
        self.escaped = u64::from(overflows);
        (EVEN ^ (even_runs << 1)) & behind
    }
}

/// A way to look at blocks.
pub(super) trait Level {
    /// The masks of a block.
    fn masks(block: &[u8; 64]) -> Masks;

    /// Ones from each odd bit up to the next even one, which is not among them: a sum without carry of all bits up to
    /// each.
    #[inline(always)]
    fn ones_between(bits: u64) -> u64 {
        let bits = bits ^ (bits << 1);
        let bits = bits ^ (bits << 2);
        let bits = bits ^ (bits << 4);
        let bits = bits ^ (bits << 8);
        let bits = bits ^ (bits << 16);
        bits ^ (bits << 32)
    }

    /// The bytes of a word whose bits are set, in their order from the lowest on.
    #[inline(always)]
    fn pack(word: u64, bits: u8) -> u64 {
        let kept = word.to_le_bytes().into_iter().enumerate();
        let kept = kept.filter(|(number, _)| bits >> number & 1 != 0);
        kept.rev().fold(0, |packed, (_, byte)| packed << 8 | u64::from(byte))
    }
}

/// The first block of some bytes, if there are any. Where less than a block is left, the rest of it are spaces, and it is
/// put together elsewhere.
#[inline(always)]
pub(super) fn first<'b>(bytes: &'b [u8], room: &'b mut [u8; 64]) -> Option<&'b [u8; 64]> {
    // One place that makes masks of either: of two, compilers make a bit-by-bit mess.
    bytes.first_chunk().or_else(|| last(bytes, room))
}

#[inline(never)]
fn last<'b>(bytes: &[u8], room: &'b mut [u8; 64]) -> Option<&'b [u8; 64]> {
    let (part, rest) = room.split_at_mut_checked(bytes.len())?;
    part.copy_from_slice(bytes);
    rest.fill(b' ');
    (!bytes.is_empty()).then_some(room)
}

/// Something that runs over many blocks. `run` and what it calls have to be inlined, to be compiled for each level.
pub(super) trait Run {
    /// What comes of it.
    type Out;

    /// Runs.
    fn run<L: Level>(self) -> Self::Out;
}

/// Runs with the fastest level that this machine has.
#[inline]
pub(super) fn run<R: Run>(run: R) -> R::Out {
    #[cfg(target_arch = "x86_64")]
    if let Some(wide) = vectors::Wide::detect() {
        return wide.run(run);
    }
    run.run::<Baseline>()
}

/// The fastest level that every machine of the target has.
#[cfg(target_arch = "x86_64")]
pub(super) type Baseline = vectors::Narrow;
/// The fastest level that every machine of the target has.
#[cfg(not(target_arch = "x86_64"))]
pub(super) type Baseline = words::Words;

#[cfg(target_arch = "x86_64")]
use vectors as parts;
#[cfg(not(target_arch = "x86_64"))]
use words as parts;

/// How many bytes there are before the first quote, backslash or control character, or to the end.
#[inline]
pub(super) fn plain(bytes: &[u8]) -> usize {
    // Nearly every string is short.
    match bytes.first_chunk() {
        Some(first) => match parts::specials(first) {
            0 => plain_from(bytes, 16),
            specials => specials.trailing_zeros() as usize,
        },
        None => plain_from(bytes, 0),
    }
}

/// Whether there is no quote, backslash or control character in a block.
#[inline]
pub(super) fn is_plain(block: &[u8; 64]) -> bool {
    parts::is_plain(block)
}

fn plain_from(bytes: &[u8], mut at: usize) -> usize {
    while let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        if !is_plain(block) {
            break;
        }
        at += 64;
    }
    while let Some(part) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        match parts::specials(part) {
            0 => at += 16,
            specials => return at + specials.trailing_zeros() as usize,
        }
    }
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| is_special(*byte)).unwrap_or(rest.len())
}

fn is_special(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0..0x20)
}
