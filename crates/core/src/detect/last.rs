//! How names end: most of them end like nothing that matters, and need no closer look.

/// The last three letters of words, without case.
#[derive(Debug)]
pub(crate) struct Last(Box<[u64; WORDS]>);

const LETTERS: usize = 26;
const WORDS: usize = (LETTERS * LETTERS * LETTERS).div_ceil(64);

impl Last {
    /// Those of these words, which are in lower case.
    pub(crate) fn of<'w>(words: impl IntoIterator<Item = &'w str>) -> Self {
        let mut last = Self(Box::new([0; WORDS]));
        for word in words {
            let mut letters = word.bytes().rev().filter_map(letter);
            let (third, second, first) = (letters.next(), letters.next(), letters.next());
            // Of a shorter word, whatever is before it.
            for first in first.map_or(0..LETTERS, |only| only..only + 1) {
                for second in second.map_or(0..LETTERS, |only| only..only + 1) {
                    last.add([first, second, third.unwrap_or(0)]);
                }
            }
        }
        last
    }

    fn add(&mut self, letters: [usize; 3]) {
        let (word, bit) = place(letters);
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }

    /// Whether a name may end with one of the words, whatever is between their letters. What ends with a digit may.
    pub(crate) fn may_end(&self, name: &[u8]) -> bool {
        let (mut letters, mut count) = ([0; 3], 0);
        for byte in name.iter().rev().filter(|byte| byte.is_ascii_alphanumeric()).take(3) {
            let (Some(letter), Some(slot)) = (letter(*byte), letters.get_mut(2 - count)) else {
                return true;
            };
            *slot = letter;
            count += 1;
        }
        let (word, bit) = place(letters);
        count < 3 || self.0.get(word).is_none_or(|word| word & bit != 0)
    }
}

fn letter(byte: u8) -> Option<usize> {
    byte.is_ascii_alphabetic()
        .then(|| usize::from(byte.to_ascii_lowercase() - b'a'))
}

fn place([first, second, third]: [usize; 3]) -> (usize, u64) {
    let place = (first * LETTERS + second) * LETTERS + third;
    (place / 64, 1 << (place % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_ends_otherwise() {
        let last = Last::of(["password", "pw", "key"]);
        for name in ["PASSWORD", "x_word", "pw", "a-pW", "some.k_e_y", "name1", "", "x", "xy"] {
            assert!(last.may_end(name.as_bytes()), "{name}");
        }
        for name in ["name", "keys", "passwords", "keyed", "wpa"] {
            assert!(!last.may_end(name.as_bytes()), "{name}");
        }
    }
}
