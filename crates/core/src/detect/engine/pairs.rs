//! Where any of some literals is that may be short: of each two bytes, a bit tells whether a literal begins so.

/// A set of literals, each with its rule.
#[derive(Debug)]
pub(super) struct Pairs {
    begins: Box<[u8; 1 << 13]>,
    /// By their first byte.
    literals: Box<[Vec<Literal>; 256]>,
}

/// A literal and its rule, by its index.
type Literal = (Box<[u8]>, usize);

impl Pairs {
    /// Looks for these, each of a rule, by its index.
    pub(super) fn new<'a>(literals: impl Iterator<Item = (&'a [u8], usize)>) -> Self {
        let mut pairs = Self {
            begins: Box::new([0; 1 << 13]),
            literals: Box::new([const { Vec::new() }; 256]),
        };
        for (literal, rule) in literals {
            match *literal {
                [first] => (0..=u8::MAX).for_each(|second| pairs.add([first, second])),
                [first, second, ..] => pairs.add([first, second]),
                [] => {}
            }
            let first = literal
                .first()
                .and_then(|first| pairs.literals.get_mut(usize::from(*first)));
            first.into_iter().for_each(|alike| alike.push((literal.into(), rule)));
        }
        pairs
    }

    fn add(&mut self, pair: [u8; 2]) {
        let pair = u16::from_le_bytes(pair);
        if let Some(byte) = self.begins.get_mut(usize::from(pair >> 3)) {
            *byte |= 1 << (pair & 7);
        }
    }

    /// Whether a rule, by its index, has a literal in a text, and there, that counts.
    pub(super) fn any(&self, text: &[u8], counts: impl Fn(usize, usize) -> bool) -> bool {
        /// Places per word; the last one looks one byte further.
        const TURN: usize = 7;
        let is_at = |at: usize| {
            let rest = text.get(at..).unwrap_or_default();
            let alike = rest.first().and_then(|first| self.literals.get(usize::from(*first)));
            let mut here = alike
                .into_iter()
                .flatten()
                .filter(|(literal, _)| rest.starts_with(literal));
            here.any(|(_, rule)| counts(*rule, at))
        };
        let mut at = 0;
        while let Some(word) = text.get(at..).and_then(<[u8]>::first_chunk) {
            let word = u64::from_le_bytes(*word);
            let mut begun = (0..TURN).fold(0_u32, |begun, number| {
                begun | u32::from(self.begins((word >> (number * 8)) as u16)) << number
            });
            while begun != 0 {
                if is_at(at + begun.trailing_zeros() as usize) {
                    return true;
                }
                begun &= begun - 1;
            }
            at += TURN;
        }
        // Behind the last byte is nothing, or what makes no difference: a literal of one byte begins with any second.
        let pair = |at: usize| {
            Some(u16::from_le_bytes([
                *text.get(at)?,
                text.get(at + 1).copied().unwrap_or(0),
            ]))
        };
        (at..text.len()).any(|at| pair(at).is_some_and(|pair| self.begins(pair)) && is_at(at))
    }

    #[inline]
    fn begins(&self, pair: u16) -> bool {
        let byte = self.begins.get(usize::from(pair >> 3)).copied().unwrap_or(0);
        byte >> (pair & 7) & 1 != 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn finds_what_a_plain_search_finds(
            literals in prop::collection::vec("[ab.]{1,3}", 1..4),
            text in "[abc.]{0,40}",
            least in 0..40_usize,
        ) {
            let literals: Vec<Box<[u8]>> = literals.into_iter().map(|literal| literal.into_bytes().into()).collect();
            let pairs = Pairs::new(literals.iter().map(|literal| (&**literal, 7)));
            let text = text.as_bytes();
            let expected = (least..text.len()).any(|at| literals.iter().any(|literal| text[at..].starts_with(literal)));
            prop_assert_eq!(pairs.any(text, |rule, at| rule == 7 && at >= least), expected);
        }
    }
}
