//! The keys of one object, to find the one that is there twice.

use std::collections::HashSet;
use std::hash::BuildHasher as _;

use super::blocks;
use super::cursor::Text;

/// Keys that are kept in place. More of them are hashed, with a secret: a hostile object must not cost a square.
const FEW: usize = 16;

/// The keys of one object so far.
#[derive(Debug)]
pub(super) struct Keys<'a> {
    text: &'a str,
    count: usize,
    /// That of the last key.
    last: u32,
    /// A number made of each key, never 0.
    tags: [u32; FEW],
    /// Where each begins, with its quote.
    starts: [u32; FEW],
    /// A keyed hash of each, once there are many. Two keys with the same one are taken for the same.
    many: Option<HashSet<u64>>,
}

impl<'a> Keys<'a> {
    /// Keys of an object in this text.
    #[inline]
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            count: 0,
            last: 0,
            tags: [0; FEW],
            starts: [0; FEW],
            many: None,
        }
    }

    /// Adds a key; whether it is new.
    #[inline]
    pub(super) fn insert(&mut self, key: &Text<'_>) -> bool {
        let tag = tag(key.raw.as_bytes());
        self.last = tag;
        // All of them, without a branch.
        let is_known = self.tags.iter().fold(false, |known, other| known | (*other == tag));
        let place = self.tags.get_mut(self.count).zip(self.starts.get_mut(self.count));
        match (place, u32::try_from(key.range.start)) {
            (Some((place, start)), Ok(at)) if !is_known && !key.is_escaped && self.many.is_none() => {
                (*place, *start) = (tag, at);
                self.count += 1;
                true
            }
            _ => self.insert_hashed(key),
        }
    }

    /// The [`tag`] of the key that was added last.
    #[inline]
    pub(super) fn last(&self) -> u32 {
        self.last
    }

    #[cold]
    fn insert_hashed(&mut self, key: &Text<'_>) -> bool {
        let (text, starts) = (self.text, &self.starts);
        let many = self.many.get_or_insert_with(|| {
            let mut many = HashSet::with_capacity(FEW * 2);
            for start in starts.iter().take(self.count) {
                let key = text.get(*start as usize + 1..).unwrap_or_default();
                let key = key.get(..blocks::plain(key.as_bytes())).unwrap_or_default();
                let hash = many.hasher().hash_one(key);
                many.insert(hash);
            }
            many
        });
        let hash = many.hasher().hash_one(&*key.decode());
        many.insert(hash)
    }
}

/// A number that is the same for the same bytes, and hardly ever for others; unless somebody chose them so.
#[inline]
pub(super) fn tag(bytes: &[u8]) -> u32 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    // The first and last ones, which overlap where they are few.
    let (first, last) = if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        (u64::from_le_bytes(*first), u64::from_le_bytes(*last))
    } else if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        (u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into())
    } else if let [first, middle @ .., last] = bytes {
        let middle = middle.first().map_or(0, |middle| u64::from(*middle));
        (u64::from(*first) << 8 | middle, u64::from(*last))
    } else {
        (bytes.first().map_or(0, |only| u64::from(*only)), 0)
    };
    let mixed = (first ^ last.rotate_left(29) ^ (bytes.len() as u64) << 57).wrapping_mul(ODD);
    (mixed >> 32) as u32 | 1
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::super::cursor::Cursor;
    use super::super::edits::Edits;
    use super::super::error::MaskErrorKind;

    fn read(text: &str) -> Result<usize, MaskErrorKind> {
        let (mut cursor, mut none) = (Cursor::new(text, 0), Edits::default());
        let mut object = cursor.object()?;
        let mut count = 0;
        while cursor.member(&mut object, &mut none)?.is_some() {
            cursor.skip()?;
            count += 1;
        }
        cursor.finish()?;
        Ok(count)
    }

    #[test]
    fn finds_a_key_that_is_there_twice() {
        for count in [1, 2, 15, 16, 17, 18, 100, 5_000] {
            let mut text = String::from("{");
            for number in 0..count {
                let _ = write!(text, "\"same-beginning/{number}/same-end\":{number},");
            }
            let last = text.len() - 1;
            assert_eq!(read(&format!("{}}}", &text[..last])), Ok(count));
            for twice in [0, 1, 14, 15, 16, 17, 99, count - 1] {
                for again in [
                    format!("{text}\"same-beginning/{twice}/same-end\":1}}"),
                    format!("{text}\"same\\u002dbeginning/{twice}/same-end\":1}}"),
                    format!("{{\"same\\u002dbeginning/{twice}/same-end\":1,{}}}", &text[1..last]),
                ] {
                    let expected = if twice < count {
                        Err(MaskErrorKind::DuplicateKey)
                    } else {
                        Ok(count + 1)
                    };
                    assert_eq!(read(&again), expected, "{twice} of {count}");
                }
            }
        }
    }

    #[test]
    fn keys_that_differ_little() {
        let text = r#"{"":1,"a":1,"b":1,"aa":1,"ab":1,"ba":1,"aaaa":1,"aaab":1,"aaaabaaaa":1,"aaaacaaaa":1,"aaaaaaaa":1,"aaaaaaaaa":1}"#;
        assert_eq!(read(text), Ok(12));
    }
}
