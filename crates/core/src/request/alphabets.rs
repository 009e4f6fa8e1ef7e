//! Which alphabets a text is written in, by one look at each of its bytes: the bytes of every path are looked at.

/// Alphabets that a byte, or every byte of a text, belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Alphabets(u8);

impl Alphabets {
    /// `a-z`
    pub(super) const LOWER_CASE: Self = Self(1);
    /// `a-z0-9`
    pub(super) const ALPHANUMERIC: Self = Self(2);
    /// `a-z0-9-`
    pub(super) const LABEL: Self = Self(4);
    /// `A-Za-z0-9-._~`: what is never escaped in a URL.
    pub(super) const UNRESERVED: Self = Self(8);

    /// Those of a text without a byte.
    pub(super) const ALL: Self = Self(15);

    const NONE: Self = Self(0);

    /// Those of a byte.
    pub(super) fn of(byte: u8) -> Self {
        static TABLE: [Alphabets; 256] = table();
        TABLE.get(usize::from(byte)).copied().unwrap_or(Self::NONE)
    }

    /// Those of a text.
    pub(super) fn of_all(text: &str) -> Self {
        text.bytes()
            .fold(Self::ALL, |alphabets, byte| alphabets.and(Self::of(byte)))
    }

    /// Those that are in both sets.
    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the alphabet is in the set.
    pub(super) const fn contain(self, alphabet: Self) -> bool {
        self.0 & alphabet.0 != 0
    }
}

#[expect(clippy::indexing_slicing, reason = "the loop ends with the table")]
const fn table() -> [Alphabets; 256] {
    let for_digits = Alphabets::ALPHANUMERIC.or(Alphabets::LABEL).or(Alphabets::UNRESERVED);
    let mut table = [Alphabets::NONE; 256];
    let mut byte = 0;
    while byte < table.len() {
        table[byte] = match byte as u8 {
            b'a'..=b'z' => for_digits.or(Alphabets::LOWER_CASE),
            b'0'..=b'9' => for_digits,
            b'-' => Alphabets::LABEL.or(Alphabets::UNRESERVED),
            b'A'..=b'Z' | b'.' | b'_' | b'~' => Alphabets::UNRESERVED,
            _ => Alphabets::NONE,
        };
        byte += 1;
    }
    table
}
