//! Sets of bytes, as tables: the bytes of every path are looked at.

/// A set of bytes.
pub(super) struct ByteSet([bool; 256]);

impl ByteSet {
    pub(super) const LOWER_CASE: Self = Self::new(b"abcdefghijklmnopqrstuvwxyz");
    pub(super) const DIGITS: Self = Self::new(b"0123456789");

    #[expect(
        clippy::indexing_slicing,
        reason = "a byte is below 256, and the loop ends with the list"
    )]
    pub(super) const fn new(bytes: &[u8]) -> Self {
        let mut table = [false; 256];
        let mut index = 0;
        while index < bytes.len() {
            table[bytes[index] as usize] = true;
            index += 1;
        }
        Self(table)
    }

    /// The bytes of both sets.
    #[expect(clippy::indexing_slicing, reason = "both tables are as long")]
    pub(super) const fn and(mut self, other: Self) -> Self {
        let mut index = 0;
        while index < self.0.len() {
            self.0[index] |= other.0[index];
            index += 1;
        }
        self
    }

    pub(super) fn contains(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte)).is_some_and(|is_in| *is_in)
    }
}
