//! Tables in text: what a column is called in the first line is what its cells are below: CSV, `psql`, `mysql`.

use crate::detect::names::{Secrecy, secrecy};

use super::bytes::{part, trimmed};
use super::sink::Sink;
use super::value::{Place, is_secret};

/// Most columns that are looked at.
const MOST: usize = 24;

/// Longest name of a column.
const LONGEST: usize = 40;

/// The columns of the lines before.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Carry(Option<Table>);

#[derive(Debug, Clone, Copy)]
struct Table {
    /// What stands between two cells.
    sign: u8,
    count: usize,
    /// The column that is secret, and how.
    secret: (usize, Secrecy),
}

impl Carry {
    pub(super) fn is_idle(&self) -> bool {
        self.0.is_none()
    }
}

/// Looks at a row of the table at hand, or at the first line of one; `named` says whether the name of a secret is in it.
pub(super) fn scan(line: &[u8], named: bool, carry: &mut Carry, sink: &mut Sink<'_>) {
    if let Some(table) = carry.0 {
        if is_rule(line) || row(line, table, sink) {
            return;
        }
        carry.0 = None;
    }
    if named {
        carry.0 = header(line);
    }
}

/// `----+-----`: a line that is drawn.
fn is_rule(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let begins = line.starts_with(b"-") || line.starts_with(b"+") || line.starts_with(b"|-");
    begins && line.iter().all(|byte| matches!(byte, b'-' | b'+' | b'|' | b':'))
}

/// The columns that a line names, one of which is secret.
fn header(line: &[u8]) -> Option<Table> {
    let sign = *line
        .iter()
        .take(LONGEST)
        .find(|byte| matches!(byte, b',' | b'|' | b'\t' | b';'))?;
    let mut secret = None;
    let mut count = 0;
    for cell in line.split(|byte| *byte == sign) {
        let name = unquoted(cell);
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        // Before the first and behind the last of a drawn table is nothing.
        let is_edge = name.is_empty() && sign == b'|';
        if name.len() > LONGEST || !name.iter().all(is_name) || (name.is_empty() && !is_edge) || count == MOST {
            return None;
        }
        // Not of an algorithm: `caching_sha2_password`.
        let kind = secrecy(name).filter(|_| !name.iter().any(u8::is_ascii_digit));
        let kind = kind.filter(|kind| matches!(kind, Secrecy::Password | Secrecy::Token));
        if secret.is_none() {
            secret = kind.map(|kind| (count, kind));
        }
        count += 1;
    }
    // A name and a value with a tab between them are no table.
    let least = if sign == b'\t' { 3 } else { 2 };
    (count >= least).then_some(())?;
    Some(Table {
        sign,
        count,
        secret: secret?,
    })
}

/// Masks the secret cell of a row; answers whether it is one.
fn row(line: &[u8], table: Table, sink: &mut Sink<'_>) -> bool {
    let (column, secrecy) = table.secret;
    let mut start = 0;
    let mut found = None;
    let mut count = 0;
    for cell in line.split(|byte| *byte == table.sign) {
        if count == column {
            found = Some(start..start + cell.len());
        }
        start += cell.len() + 1;
        count += 1;
    }
    let Some(cell) = found.filter(|_| count == table.count) else {
        return false;
    };
    let mut range = trimmed(line, cell);
    if part(line, range.clone()) != unquoted(part(line, range.clone())) {
        range = range.start + 1..range.end - 1;
    }
    if is_secret(secrecy, part(line, range.clone()), Place::Assigned) {
        sink.push(range, "named-value");
    }
    true
}

/// A cell without blanks and quotes around it.
fn unquoted(cell: &[u8]) -> &[u8] {
    let cell = cell.trim_ascii();
    let inside = cell.strip_prefix(b"\"").and_then(|cell| cell.strip_suffix(b"\""));
    inside.unwrap_or(cell)
}
