//! Places inside of texts: where in the file a character of a value stands.

use super::error::Source;
use super::yaml::{Node, Span};

/// The place of a character of a node's text; that of the node where it can't be told.
pub(super) fn within(source: Source<'_>, node: &Node, text: &str, offset: usize) -> Span {
    find(source, node, text, offset).unwrap_or(node.span)
}

fn find(source: Source<'_>, node: &Node, text: &str, offset: usize) -> Option<Span> {
    let before: String = text.chars().take(offset).collect();
    let row = before.matches('\n').count();
    let mut column = before.chars().rev().take_while(|c| *c != '\n').count();
    // The node of a block begins where its text does, below the header; all its lines are indented alike.
    let indentation = node.span.column.checked_sub(1)?;
    let line = source.text.lines().nth(node.span.line.checked_sub(1)? + row)?;
    let content: String = line.chars().skip(indentation).collect();
    let wanted = text.split('\n').nth(row)?;
    let mut shown = content.as_str();
    if let Some(rest) = content.strip_prefix(['"', '\'']).filter(|_| row == 0) {
        shown = rest;
        column += 1;
    }
    // With escapes, or folded, characters are not where they seem to be; those of the first line still are.
    let shown = shown.trim_end();
    let fits = shown.starts_with(wanted.trim_end()) || (row == 0 && column < shown.len() && wanted.starts_with(shown));
    fits.then_some(Span {
        line: node.span.line + row,
        column: indentation + column + 1,
        width: 1,
    })
}

#[cfg(test)]
mod tests {
    use super::super::error::Problems;
    use super::super::yaml::{Value, parse};
    use super::*;

    fn place(text: &str, offset: usize) -> (usize, usize) {
        let source = Source { name: "a.yaml", text };
        let nodes = parse(source, &mut Problems::new(source));
        let Value::Map(map) = &nodes[0].value else { panic!() };
        let (_, node) = &map[0];
        let Value::Text(value) = &node.value else { panic!() };
        let span = within(source, node, value, offset);
        (span.line, span.column)
    }

    #[test]
    fn places_in_every_style() {
        assert_eq!(place("a: x.yz == 1\n", 2), (1, 6));
        assert_eq!(place("a: \"x.yz == 1\"\n", 2), (1, 7));
        assert_eq!(place("a: 'x.yz'\n", 2), (1, 7));
        assert_eq!(place("a: |\n  x &&\n  y.z\n", 7), (3, 5));
        assert_eq!(place("a: |-\n    x &&\n      y.z\n", 7), (3, 7));
        assert_eq!(place("a: >-\n  x &&\n  y.z\n", 2), (2, 5));
        // Not to be told: the value itself.
        assert_eq!(place("a: \"x\\ty\"\n", 2), (1, 4));
        assert_eq!(place("a: >-\n  x &&\n  y.z\n", 7), (2, 3));
    }
}
