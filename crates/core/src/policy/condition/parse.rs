//! From text to the parser's tree, within bounds: the parser recurses, and must never meet what it can't return from.

use std::thread;

use cel::Env;
use cel::common::ast::{IdedExpr, SourceInfo};

use super::error::ConditionError;

/// Most bytes of an expression.
const MAX_BYTES: usize = 16 * 1024;
/// Most brackets in each other.
const MAX_DEPTH: usize = 24;
/// Deepest tree: what is chained counts, as in `a.b.c` and `a + b + c`.
const MAX_LEVELS: usize = 96;
/// Of the parser's thread. It takes 160 KiB for a bracket in a debug build, which is too much for threads of others.
const STACK: usize = 64 * 1024 * 1024;

/// Parses an expression, macros left as the calls that they are written as.
pub(super) fn parse(text: &str) -> Result<(IdedExpr, SourceInfo), ConditionError> {
    if text.len() > MAX_BYTES {
        return Err(ConditionError::new(0, format!("it has more than {MAX_BYTES} bytes")));
    }
    if text.trim().is_empty() {
        return Err(ConditionError::new(0, "it is empty"));
    }
    check_depth(text)?;
    let parsed = thread::scope(|scope| {
        let parser = || {
            let parser = Env::default().parser().max_recursion_depth(MAX_DEPTH as u16 * 2);
            parser.parse_with_source_info(text).map_err(|errors| {
                // The first is what is wrong; the others follow from it.
                let first = errors.errors.into_iter().next();
                first.map_or(((0, 0), String::new()), |error| (error.pos, error.msg))
            })
        };
        // Joined in any case: the generated code panics on some input.
        thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, parser)
            .map_err(|error| format!("no thread to parse it in: {error}"))?
            .join()
            .map_err(|_| "no valid CEL".to_owned())
    });
    match parsed {
        Ok(Ok(tree)) => Ok(tree),
        Ok(Err(((line, column), message))) => Err(ConditionError::new(
            offset(text, line, column),
            format!("no valid CEL: {}", plain(&message)),
        )),
        Err(message) => Err(ConditionError::new(0, message)),
    }
}

/// The parser's message, without the list of all tokens that could have followed.
fn plain(message: &str) -> String {
    let message = message.strip_prefix("Syntax error: ").unwrap_or(message);
    let message = message.split_once(" expecting ").map_or(message, |(before, _)| before);
    message.replace("<EOF>", "end of expression")
}

/// Character offset of a line and column, both from 1; the end of the text if they are beyond it.
fn offset(text: &str, line: isize, column: isize) -> usize {
    let Ok(line) = usize::try_from(line - 1) else {
        return 0;
    };
    let before: usize = text
        .split_inclusive('\n')
        .take(line)
        .map(|line| line.chars().count())
        .sum();
    let column = usize::try_from(column - 1).unwrap_or(0);
    (before + column).min(text.chars().count())
}

/// Refuses what nests too deeply, or chains too many operators: each becomes a level of the tree.
fn check_depth(text: &str) -> Result<(), ConditionError> {
    let mut open: Vec<usize> = Vec::new();
    // Levels above this place, and in the chain that it is part of.
    let (mut above, mut chain) = (0_usize, 0_usize);
    let mut scanner = Scanner::new(text);
    while let Some((at, character)) = scanner.next_outside_of_text() {
        match character {
            '(' | '[' | '{' => {
                // The call or index itself is a level of the chain.
                chain += 1;
                open.push(chain);
                above += chain;
                chain = 0;
            }
            ')' | ']' | '}' => {
                chain = open.pop().unwrap_or(0);
                above -= chain;
            }
            ',' | ';' => chain = 0,
            '.' | '+' | '-' | '*' | '/' | '%' | '<' | '>' | '=' | '?' | ':' | '!' | '&' | '|' => chain += 1,
            _ => {}
        }
        if above + chain > MAX_LEVELS || open.len() > MAX_DEPTH {
            return Err(ConditionError::new(at, "it is nested too deeply"));
        }
    }
    Ok(())
}

/// Characters outside of string literals and comments.
struct Scanner<'t> {
    rest: std::iter::Peekable<std::iter::Enumerate<std::str::Chars<'t>>>,
    previous: Option<char>,
    before: Option<char>,
}

impl<'t> Scanner<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            rest: text.chars().enumerate().peekable(),
            previous: None,
            before: None,
        }
    }

    fn next_outside_of_text(&mut self) -> Option<(usize, char)> {
        loop {
            let (at, character) = self.rest.next()?;
            match character {
                '"' | '\'' => self.skip_text(character),
                '/' if self.rest.peek().is_some_and(|(_, next)| *next == '/') => {
                    while self.rest.next_if(|(_, next)| *next != '\n').is_some() {}
                }
                _ => {
                    self.before = self.previous.replace(character);
                    return Some((at, character));
                }
            }
            self.before = None;
            self.previous = None;
        }
    }

    fn skip_text(&mut self, quote: char) {
        let raw = matches!(self.previous, Some('r' | 'R'))
            || (matches!(self.previous, Some('b' | 'B')) && matches!(self.before, Some('r' | 'R')));
        let mut quotes = 1;
        while quotes < 3 && self.rest.next_if(|(_, next)| *next == quote).is_some() {
            quotes += 1;
        }
        if quotes == 2 {
            return;
        }
        let mut seen = 0;
        while let Some((_, character)) = self.rest.next() {
            if character == '\\' && !raw {
                self.rest.next();
                seen = 0;
            } else if character == quote {
                seen += 1;
                if seen == quotes {
                    return;
                }
            } else {
                seen = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_does_not_count() {
        for text in [
            &format!("'{}' == ''", "(".repeat(500)),
            &format!("'\\'{}' == ''", "(".repeat(500)),
            &format!("r'\\' == '' // {}", "(".repeat(500)),
            &format!("\"\"\"{}\"\"\" == ''", "(\"\"".repeat(500)),
            &"a || b && ".repeat(20),
        ] {
            assert_eq!(check_depth(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn depth_is_refused() {
        for text in [
            "(".repeat(200),
            "[".repeat(200),
            "a.".repeat(300),
            "1+".repeat(300),
            "!".repeat(3000),
            "a?b:".repeat(300),
            "'' + (".repeat(100),
            "a.b(c.".repeat(100),
        ] {
            assert!(check_depth(&text).is_err(), "{text}");
        }
    }
}
