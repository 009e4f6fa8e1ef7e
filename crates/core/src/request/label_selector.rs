//! Label selectors, in the grammar of upstream: they are only checked.
//!
//! Source: k8s.io/apimachinery `pkg/labels/selector.go`.

use super::names::Word;
use super::selector::Unparsable;

/// Checks a label selector, such as `app=x,tier in (a,b),!old`.
pub(super) fn check(text: &str) -> Result<(), Unparsable> {
    // Upstream's lexer ends at a NUL and never sees what follows it.
    if text.contains('\0') {
        return Err(Unparsable("a NUL character"));
    }
    let mut parser = LabelParser::new(text);
    if parser.peek() == Token::End {
        return Ok(());
    }
    loop {
        parser.requirement()?;
        match parser.next() {
            Token::End => return Ok(()),
            Token::Comma => {}
            _ => return Err(Unparsable("something other than `,` after a requirement")),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    End,
    Not,
    Comma,
    Open,
    Close,
    /// `=`, `==`, `!=`
    Equality,
    /// `<`, `>`
    Comparison,
    /// A word; `in` and `notin` are words that may be operators.
    Word(&'a str),
    Unknown,
}

struct LabelParser<'a> {
    rest: &'a str,
    current: Token<'a>,
}

impl<'a> LabelParser<'a> {
    fn new(text: &'a str) -> Self {
        let mut parser = Self {
            rest: text,
            current: Token::End,
        };
        parser.next();
        parser
    }

    fn peek(&self) -> Token<'a> {
        self.current
    }

    /// The current token; the one after it becomes current.
    fn next(&mut self) -> Token<'a> {
        let token = self.current;
        self.current = self.lex();
        token
    }

    fn lex(&mut self) -> Token<'a> {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let symbols = [
            ("==", Token::Equality),
            ("=", Token::Equality),
            ("!=", Token::Equality),
            ("!", Token::Not),
            ("(", Token::Open),
            (")", Token::Close),
            (",", Token::Comma),
            ("<", Token::Comparison),
            (">", Token::Comparison),
        ];
        for (symbol, token) in symbols {
            if let Some(rest) = self.rest.strip_prefix(symbol) {
                self.rest = rest;
                return token;
            }
        }
        let end = self
            .rest
            .find(['=', '!', '(', ')', ',', '>', '<', ' ', '\t', '\r', '\n'])
            .unwrap_or(self.rest.len());
        let Some((word, rest)) = self.rest.split_at_checked(end) else {
            return Token::Unknown;
        };
        self.rest = rest;
        if word.is_empty() { Token::End } else { Token::Word(word) }
    }

    fn requirement(&mut self) -> Result<(), Unparsable> {
        let negated = self.peek() == Token::Not;
        if negated {
            self.next();
        }
        let Token::Word(key) = self.next() else {
            return Err(Unparsable("something other than a key"));
        };
        if !is_label_key(key) {
            return Err(Unparsable("an invalid label key"));
        }
        if negated || matches!(self.peek(), Token::End | Token::Comma) {
            return Ok(());
        }
        match self.next() {
            Token::Equality => self.value(is_label_value, "an invalid label value"),
            Token::Comparison => self.value(is_integer_label, "a comparison with something other than an integer"),
            Token::Word("in" | "notin") => self.values(),
            _ => Err(Unparsable("an unknown operator")),
        }
    }

    fn value(&mut self, valid: fn(&str) -> bool, wrong: &'static str) -> Result<(), Unparsable> {
        let value = match self.peek() {
            Token::End | Token::Comma => "",
            Token::Word(value) => {
                self.next();
                value
            }
            _ => return Err(Unparsable("something other than a value")),
        };
        if valid(value) { Ok(()) } else { Err(Unparsable(wrong)) }
    }

    /// A list of values in parentheses, any of which may be empty.
    fn values(&mut self) -> Result<(), Unparsable> {
        if self.next() != Token::Open {
            return Err(Unparsable("something other than `(` after `in` or `notin`"));
        }
        loop {
            match self.next() {
                Token::Close => return Ok(()),
                Token::Comma => {}
                Token::Word(value) if !is_label_value(value) => return Err(Unparsable("an invalid label value")),
                Token::Word(_) if matches!(self.peek(), Token::Comma | Token::Close) => {}
                _ => return Err(Unparsable("something other than `,` or `)` in a list of values")),
            }
        }
    }
}

/// `content.IsLabelKey`: a name of at most 63 characters, with an optional DNS subdomain before a `/`.
fn is_label_key(key: &str) -> bool {
    match key.split_once('/') {
        Some((prefix, name)) => Word::new(prefix).is_dns_subdomain() && is_label_name(name),
        None => is_label_name(key),
    }
}

fn is_label_value(value: &str) -> bool {
    value.is_empty() || is_label_name(value)
}

fn is_integer_label(value: &str) -> bool {
    is_label_value(value) && value.parse::<i64>().is_ok()
}

fn is_label_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes.len() <= 63
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of the tables in k8s.io/apimachinery `pkg/labels/selector_test.go`, and some of our own.
    #[test]
    fn label_selectors() {
        let right = [
            "",
            " ",
            "x=a,y=b,z=c",
            "x!=a,y=b",
            "x=",
            "x= ",
            "x=,z= ",
            "x= ,z= ",
            "!x",
            "x>1",
            "x>1,z<5",
            "x in (a)",
            "x in ()",
            "x in (a,,b)",
            "x in (,)",
            "x notin (a,b),y",
            "x,!y",
            "a.b/c=d",
            "x in (in,notin)",
            "in",
            "in in (in)",
            "x=in",
            "notin=in",
            "x==a",
            "x = a",
            "x\tin\n(a)",
            "x<-1",
        ];
        // `-1` is no label value, so the last one is refused by the value check.
        for selector in &right[..right.len() - 1] {
            assert_eq!(check(selector), Ok(()), "{selector:?}");
        }
        let wrong = [
            "x<-1",
            "x=a||y=b",
            "x==a==b",
            "!x=a",
            "x<a",
            ",",
            "a,",
            ",a",
            "a,,b",
            "x in",
            "x in (",
            "x in (a",
            "x in (a b)",
            "x in (a=)",
            "x in a",
            "!",
            "!!x",
            "x y",
            "=a",
            "x=a b",
            "x=é",
            "é=a",
            "a/b/c=d",
            "/a",
            "A/b=c",
            "x>",
            "x>1.5",
            "x=a\0,b",
            "x in (-)",
            "(x)",
            "x=<",
            "x!a",
        ];
        for selector in wrong {
            assert!(check(selector).is_err(), "{selector:?}");
        }
    }
}
