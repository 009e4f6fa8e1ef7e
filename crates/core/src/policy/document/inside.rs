//! Where a character of a scalar stands in the file: behind quotes, below the head of a block, on which of its lines.
//!
//! Best effort: the text that YAML made of the scalar is followed through what is written. Where they can't be brought
//! together, nothing is found, and the place of the whole scalar has to do.

use super::yaml::Span;

/// The place of a character of a scalar that begins at `span` and says `text`.
pub(super) fn find(source: &str, span: Span, text: &str, offset: usize) -> Option<Span> {
    let mut cursor = Cursor::at(source, span)?;
    let style = cursor.open();
    let mut characters = text.chars();
    for character in characters.by_ref().take(offset) {
        cursor.pass(character, style)?;
    }
    // Folding leaves the cursor at the end of a line, or in the indentation of the next.
    match characters.next().filter(|next| !next.is_whitespace()) {
        Some(next) => {
            while cursor.peek()?.is_whitespace() && cursor.peek()? != next {
                cursor.next()?;
            }
        }
        None if cursor.peek().is_none_or(|at| at == '\n') => return None,
        None => {}
    }
    Some(cursor.place)
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Single,
    Double,
}

/// A place in the file and what follows it.
struct Cursor<'s> {
    rest: std::str::Chars<'s>,
    place: Span,
}

impl<'s> Cursor<'s> {
    fn at(source: &'s str, span: Span) -> Option<Self> {
        let line = source.split_inclusive('\n').take(span.line.checked_sub(1)?);
        let start: usize = line.map(str::len).sum();
        let mut rest = source.get(start..)?.chars();
        for _ in 1..span.column {
            rest.next()?;
        }
        Some(Self {
            rest,
            place: Span { width: 1, ..span },
        })
    }

    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.rest.next()?;
        if character == '\n' {
            self.place.line += 1;
            self.place.column = 1;
        } else {
            self.place.column += 1;
        }
        Some(character)
    }

    /// Passes what comes before the first character.
    fn open(&mut self) -> Style {
        match self.peek() {
            Some('\'') => {
                self.next();
                Style::Single
            }
            Some('"') => {
                self.next();
                Style::Double
            }
            Some('|' | '>') => {
                // The head of a block ends with its line.
                while self.next().is_some_and(|c| c != '\n') {}
                Style::Plain
            }
            _ => Style::Plain,
        }
    }

    /// Passes one character of the text.
    fn pass(&mut self, character: char, style: Style) -> Option<()> {
        loop {
            let written = self.next()?;
            match (written, style) {
                ('\\', Style::Double) => {
                    self.next()?;
                    return Some(());
                }
                ('\'', Style::Single) if character == '\'' => {
                    self.next()?;
                    return Some(());
                }
                _ if written == character => return Some(()),
                // A line that was folded into the one before it.
                ('\n', _) if character == ' ' => return Some(()),
                _ if written.is_whitespace() => {}
                _ => return None,
            }
        }
    }
}
