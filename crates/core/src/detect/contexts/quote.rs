//! Quoted strings, also where they are quoted again: `"x"`, `\"x\"`, `\\\"x\\\"`, `'x'`, `&quot;x&quot;`.

use memchr::{memchr, memmem};

use super::bytes::{at, part, rest, skip};

/// Most backslashes before a quote: four times JSON in JSON.
const MAX_BACKSLASHES: usize = 15;

/// Quotes that are written in another way.
const SPELLED: [&[u8]; 7] = [
    b"&quot;",
    b"&#34;",
    b"&apos;",
    b"%22",
    b"\\u0022",
    "\u{201c}".as_bytes(),
    "\u{201d}".as_bytes(),
];

/// The quote that opens a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quote {
    mark: Mark,
    /// Where what is quoted begins.
    pub(super) start: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// A quote behind a number of backslashes.
    Byte(u8, usize),
    /// Three such quotes.
    Triple(u8, usize),
    /// A quote that is spelled.
    Spelled(&'static [u8]),
}

impl Quote {
    /// The quote at a position.
    pub(super) fn open(text: &[u8], position: usize) -> Option<Self> {
        let mark = skip(text, position, |byte| byte == b'\\');
        let backslashes = mark - position;
        let byte = at(text, mark);
        if matches!(byte, b'"' | b'\'') && backslashes <= MAX_BACKSLASHES {
            let quote = part(text, position..mark + 1);
            let again = part(text, mark + 1..mark + 1 + 2 * quote.len());
            if again.chunks_exact(quote.len()).len() == 2 && again.chunks_exact(quote.len()).all(|next| next == quote) {
                return Some(Self {
                    mark: Mark::Triple(byte, backslashes),
                    start: mark + 1 + again.len(),
                });
            }
        }
        if matches!(byte, b'"' | b'\'' | b'`') {
            return (backslashes <= MAX_BACKSLASHES).then_some(Self {
                mark: Mark::Byte(byte, backslashes),
                start: mark + 1,
            });
        }
        let spelled = SPELLED
            .into_iter()
            .find(|spelled| rest(text, position).starts_with(spelled))?;
        Some(Self {
            mark: Mark::Spelled(spelled),
            start: position + spelled.len(),
        })
    }

    /// Where what is quoted ends; nowhere if the text does before.
    pub(super) fn close(self, text: &[u8]) -> Option<usize> {
        let (mark, backslashes) = match self.mark {
            Mark::Spelled(spelled) => {
                let closing = if spelled == SPELLED[5] { SPELLED[6] } else { spelled };
                return memmem::find(rest(text, self.start), closing).map(|found| self.start + found);
            }
            Mark::Triple(mark, backslashes) => {
                let mut quote = [b'\\'; MAX_BACKSLASHES + 1];
                *quote.get_mut(backslashes)? = mark;
                let quote = quote.get(..=backslashes)?;
                return memmem::find(rest(text, self.start), &quote.repeat(3)).map(|found| self.start + found);
            }
            Mark::Byte(mark, backslashes) => (mark, backslashes),
        };
        let mut from = self.start;
        loop {
            let found = from + memchr(mark, rest(text, from))?;
            let escapes = text
                .get(self.start..found)?
                .iter()
                .rev()
                .take_while(|byte| **byte == b'\\')
                .count();
            // A quote of the string around this one, or this one's.
            if escapes <= backslashes || escapes % (2 * (backslashes + 1)) == backslashes {
                let doubled = mark == b'\'' && backslashes == 0 && found > self.start && at(text, found + 1) == b'\'';
                if !doubled {
                    return Some(found - escapes.min(backslashes));
                }
                from = found + 2;
                continue;
            }
            from = found + 1;
        }
    }

    /// Where the closing quote ends, from where what is quoted does.
    pub(super) fn after(self, end: usize) -> usize {
        match self.mark {
            Mark::Byte(_, backslashes) => end + backslashes + 1,
            Mark::Triple(_, backslashes) => end + 3 * (backslashes + 1),
            Mark::Spelled(spelled) => end + spelled.len(),
        }
    }

    /// Whether it is a quote of the kind that may hold others: `"` and not `'`.
    pub(super) fn is_double(self) -> bool {
        !matches!(self.mark, Mark::Byte(b'\'' | b'`', _) | Mark::Triple(b'\'', _))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_end_where_they_end() {
        for (text, quoted) in [
            (r#""abc" d"#, "abc"),
            (r#""a\"c" d"#, r#"a\"c"#),
            (r#""a\\" d"#, r"a\\"),
            (r#"\"abc\",\"d\""#, "abc"),
            (r#"\"a\\\"c\",\"d\""#, r#"a\\\"c"#),
            (r#"\"a\\\\\",\"d\""#, r"a\\\\"),
            (r#"\\\"abc\\\",\"d\""#, "abc"),
            (r#"\"abc","d""#, "abc"),
            ("'it''s' d", "it''s"),
            ("&quot;abc&quot;", "abc"),
            ("%22abc%22", "abc"),
            (r#""""a"b""" c"#, r#"a"b"#),
            (r#"\"\"\"abc\"\"\"\n"#, "abc"),
        ] {
            let quote = Quote::open(text.as_bytes(), 0).unwrap();
            let end = quote.close(text.as_bytes()).unwrap();
            assert_eq!(&text[quote.start..end], quoted, "{text}");
        }
        assert_eq!(Quote::open(b"\"abc", 0).unwrap().close(b"\"abc"), None);
    }
}
