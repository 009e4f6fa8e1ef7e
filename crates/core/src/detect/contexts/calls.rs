//! Values by their position in a call or a statement: the password of a connection, the column of an `INSERT`.

use std::ops::Range;

use memchr::{memchr, memmem};

use crate::detect::names::{Secrecy, secrecy};

use super::bytes::{at, goes_on, is_blank, part, rest, skip};
use super::harmless::is_harmless;
use super::quote::Quote;
use super::sink::Sink;
use super::value::{Place, is_secret, looks_secret};

/// Calls whose first argument is a secret.
pub(super) const FIRST: &[&str] = &["Fernet(", "hmac.new("];

/// Calls whose second argument is a secret, behind a user or what is signed.
pub(super) const SECOND: &[&str] = &[
    "SetBasicAuth(",
    "BasicAuth(",
    "auth=(",
    ".withCredentials(",
    ".login(",
    "NetworkCredential(",
    "UsernamePasswordCredentials(",
    "PlainTextAuthProvider(",
    "createHmac(",
    "jwt.sign(",
    "jwt.encode(",
    "UserPassword(",
];

/// Calls whose third argument is a password, behind an address and a user.
pub(super) const THIRD: &[&str] = &[
    "getConnection(",
    "PDO->__construct(",
    "new PDO(",
    "mysqli(",
    "mysqli_connect(",
    "mysqli->__construct(",
    "pymysql.connect(",
    "MySQLdb.connect(",
    "PlainAuth(",
    "NewPlainClient(",
    "DBI->connect(",
];

/// Statements that name columns, and then their values.
pub(super) const INSERTS: &[&str] = &["INSERT INTO", "insert into"];

/// How much of a statement is looked at.
const LONGEST: usize = 4096;
/// Most columns, and most rows.
const MOST: usize = 64;

/// Finds them in a line.
pub(super) fn scan(line: &[u8], sink: &mut Sink<'_>) {
    for (nth, calls) in [FIRST, SECOND, THIRD].into_iter().enumerate() {
        for call in calls {
            for found in memmem::find_iter(line, call) {
                let arguments = list(line, found + call.len()).map(|(arguments, _)| arguments);
                let argument = arguments.and_then(|arguments| arguments.into_iter().nth(nth));
                let password = argument
                    .filter(|argument| argument.quoted)
                    .map(|argument| argument.range);
                if let Some(password) = password.filter(|password| is_password(part(line, password.clone()))) {
                    sink.push(password, "argument");
                }
            }
        }
    }
    for insert in INSERTS {
        for found in memmem::find_iter(line, insert) {
            statement(line, found + insert.len(), sink);
        }
    }
}

fn is_password(value: &[u8]) -> bool {
    const LEAST: usize = 4;
    value.len() >= LEAST && !is_harmless(value) && !value.contains(&b'/')
        || looks_secret(value, 16) && !is_harmless(value)
}

/// `users (name, password) VALUES ('a', 'b'), ('c', 'd')`.
fn statement(line: &[u8], from: usize, sink: &mut Sink<'_>) {
    let line = part(line, 0..line.len().min(from + LONGEST));
    let Some(open) = memchr(b'(', rest(line, from)).map(|open| from + open) else {
        return;
    };
    let Some((columns, end)) = list(line, open + 1) else {
        return;
    };
    let is_secret_column = |column: &Entry| {
        secrecy(part(line, column.range.clone()))
            .filter(|secrecy| matches!(secrecy, Secrecy::Password | Secrecy::Token))
    };
    let secrets: Vec<Option<Secrecy>> = columns.iter().map(is_secret_column).collect();
    let mut position = skip(line, end, is_blank);
    if !goes_on(line, position, b"values") || secrets.iter().all(Option::is_none) {
        return;
    }
    position += 6;
    for _ in 0..MOST {
        position = skip(line, position, |byte| is_blank(byte) || byte == b',');
        if at(line, position) != b'(' {
            return;
        }
        let Some((values, end)) = list(line, position + 1) else {
            return;
        };
        for (value, secrecy) in values.into_iter().zip(&secrets) {
            if let Some(secrecy) = secrecy
                && value.quoted
                && is_secret(*secrecy, part(line, value.range.clone()), Place::Assigned)
            {
                sink.push(value.range, "named-value");
            }
        }
        position = end;
    }
}

/// An entry of a list, without its quotes.
struct Entry {
    range: Range<usize>,
    quoted: bool,
}

/// The entries up to the bracket that closes the list, and where that ends.
fn list(line: &[u8], start: usize) -> Option<(Vec<Entry>, usize)> {
    let mut entries = Vec::new();
    let mut position = start;
    while entries.len() < MOST {
        position = skip(line, position, is_blank);
        // `b"x"` of Python.
        let prefixed = at(line, position) == b'b' && Quote::open(line, position + 1).is_some();
        position += usize::from(prefixed);
        match Quote::open(line, position) {
            Some(quote) => {
                let close = quote.close(line)?;
                entries.push(Entry {
                    range: quote.start..close,
                    quoted: true,
                });
                position = quote.after(close);
            }
            None => {
                let end = skip(line, position, |byte| !matches!(byte, b',' | b')' | b'('));
                let range = super::bytes::trimmed(line, position..end);
                entries.push(Entry { range, quoted: false });
                position = end;
                if at(line, position) == b'(' {
                    // A call: `crypt('x', gen_salt('bf'))`.
                    position = skip(line, position, |byte| byte != b')') + 1;
                }
            }
        }
        position = skip(line, position, is_blank);
        match at(line, position) {
            b',' => position += 1,
            b')' => return Some((entries, position + 1)),
            _ => return None,
        }
    }
    None
}
