//! Field selectors, in the grammar of upstream: they are read, since a term can fix the name of the object.
//!
//! Source: k8s.io/apimachinery `pkg/fields/selector.go`.

use std::borrow::Cow;

/// A selector that upstream's parser refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unparsable(pub(super) &'static str);

/// One term of a field selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FieldTerm {
    /// The field, such as `metadata.name`.
    pub(super) field: String,
    /// The value, unescaped.
    pub(super) value: String,
    /// Whether the operator is `!=`.
    pub(super) negated: bool,
}

/// Reads a field selector: terms joined by commas, each a field, `=`, `==` or `!=`, and a value in which `\`, `,` and
/// `=` are escaped by `\`.
pub(super) fn parse_fields(text: &str) -> Result<Vec<FieldTerm>, Unparsable> {
    let mut terms = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (term, after) = next_term(rest);
        rest = after;
        if !term.is_empty() {
            terms.push(parse_field(term)?);
        }
    }
    Ok(terms)
}

/// The text up to the next comma that isn't escaped, and what follows it.
fn next_term(text: &str) -> (&str, &str) {
    let mut escaped = false;
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b',' => {
                let (term, after) = text.split_at_checked(index).unwrap_or((text, ""));
                return (term, after.strip_prefix(',').unwrap_or(after));
            }
            _ => {}
        }
    }
    (text, "")
}

fn parse_field(term: &str) -> Result<FieldTerm, Unparsable> {
    let Some((field, value)) = term.split_once('=') else {
        return Err(Unparsable("a term without an operator"));
    };
    // The first operator splits: the `!` of `!=` stands before the first `=`, the second `=` of `==` after it.
    let (field, value, negated) = match field.strip_suffix('!') {
        Some(field) => (field, value, true),
        None => (field, value.strip_prefix('=').unwrap_or(value), false),
    };
    Ok(FieldTerm {
        field: field.to_owned(),
        value: unescape(value)?.into_owned(),
        negated,
    })
}

fn unescape(value: &str) -> Result<Cow<'_, str>, Unparsable> {
    if !value.contains(['\\', ',', '=']) {
        return Ok(Cow::Borrowed(value));
    }
    let mut out = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some(escaped @ ('\\' | ',' | '=')) => out.push(escaped),
                _ => return Err(Unparsable("an invalid escape in a value")),
            },
            ',' | '=' => return Err(Unparsable("an unescaped `,` or `=` in a value")),
            other => out.push(other),
        }
    }
    Ok(Cow::Owned(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(field: &str, value: &str, negated: bool) -> FieldTerm {
        FieldTerm {
            field: field.into(),
            value: value.into(),
            negated,
        }
    }

    #[test]
    fn field_selectors() {
        assert_eq!(parse_fields("").unwrap(), []);
        assert_eq!(parse_fields(",,").unwrap(), []);
        assert_eq!(
            parse_fields(r"a=1,b==2,,c!=3,d=\,\=\\,e=,=f,g!=!h").unwrap(),
            [
                term("a", "1", false),
                term("b", "2", false),
                term("c", "3", true),
                term("d", r",=\", false),
                term("e", "", false),
                term("", "f", false),
                term("g", "!h", true),
            ]
        );
        for wrong in ["a", "a=1,b", "a===b", "a=b=c", r"a=\", r"a=\x", "a!b", "a!==b"] {
            assert!(parse_fields(wrong).is_err(), "{wrong}");
        }
    }
}
