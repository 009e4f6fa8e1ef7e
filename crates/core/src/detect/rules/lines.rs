//! Keys in armour, over the lines of a stream.

use std::ops::Range;

use memchr::memchr2;

use super::Rules;
use crate::detect::engine::blocks::Block;
use crate::detect::hit::Hits;
use crate::detect::lines::LineState;

/// The rules over a stream, which may be within a block.
#[derive(Debug)]
pub(super) struct Blocks {
    rules: Rules,
    open: Option<(Block, usize)>,
}

impl Blocks {
    pub(super) fn new(rules: Rules) -> Self {
        Self { rules, open: None }
    }

    /// Adds the lines of a block from here on. Where it ends.
    fn go_on(&mut self, lines: &[u8], from: usize, mut block: Block, index: usize, hits: &mut Hits) -> usize {
        let id = self.rules.id(index);
        let end = rest_of_block(lines, from, &mut block, |part| hits.push(part, id.clone()));
        if end.is_none() {
            self.open = Some((block, index));
        }
        end.unwrap_or(lines.len())
    }
}

impl LineState for Blocks {
    fn lines(&mut self, lines: &[u8], hits: &mut Hits) {
        let openings = self.rules.within_lines(lines, hits);
        let mut done = 0;
        if let Some((block, index)) = self.open.take() {
            done = self.go_on(lines, 0, block, index, hits);
        }
        for (opening, line_end, index) in openings {
            if opening.start >= done {
                hits.push(opening, self.rules.id(index));
                done = self.go_on(lines, line_end + 1, Block::default(), index, hits);
            }
        }
    }
}

/// Hands out the parts of a block in the lines from here on. Where it ends; none if it may go on behind the text.
pub(super) fn rest_of_block(
    text: &[u8],
    from: usize,
    block: &mut Block,
    mut part: impl FnMut(Range<usize>),
) -> Option<usize> {
    let mut at = from;
    while at < text.len() {
        let rest = text.get(at..).unwrap_or_default();
        let length = memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let line = block.line(rest.get(..length).unwrap_or_default());
        let is_key = line.key.is_some();
        if let Some(key) = line.key {
            part(at + key.start..at + key.end);
        }
        if line.over {
            // What ends a block without being part of it may open the next one.
            return Some(if is_key { at + length } else { at });
        }
        at += length + 1;
    }
    None
}
