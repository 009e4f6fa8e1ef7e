//! What one line says about the next: a YAML block, a name whose value is on the line below.

use crate::detect::names::Secrecy;

use super::assignment;
use super::bytes::{at, is_blank, part, rest, skip, trimmed};
use super::quote::Quote;
use super::sink::Sink;
use super::value::{Place, is_secret};

/// Most lines of a quoted value.
const MAX_QUOTED_LINES: u16 = 64;

/// Most lines of an object in which its value is looked for.
const MAX_MEMBERS: u16 = 8;

/// What the lines before tell about the next one. Small, and of a fixed size.
///
/// It is fed every line of a text, in order; how many at a time makes no difference. A line that is handed out in pieces
/// is fed piece by piece.
#[derive(Debug, Clone, Default)]
pub(super) struct LineState {
    pub(super) names: Carry,
    pub(super) shell: super::shell::Carry,
    pub(super) announced: super::announced::Carry,
    pub(super) columns: super::columns::Carry,
    pub(super) printed: super::transcript::Carry,
    pub(super) secret: super::yaml_secret::Carry,
}

impl LineState {
    /// Whether the lines before tell nothing about the next one.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.names, Carry::None)
            && self.shell.is_idle()
            && self.announced.is_idle()
            && self.columns.is_idle()
            && self.printed.is_idle()
            && self.secret.is_idle()
    }
}

/// What a name says about the next line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Carry {
    /// Nothing.
    #[default]
    None,
    /// `password: |`: what is indented more is the value.
    Block { indent: usize, rule: &'static str },
    /// `password:` and nothing else.
    Next { indent: usize, secrecy: Secrecy },
    /// `name: DB_PASSWORD`: then `value: x`.
    Pair(Secrecy),
    /// `- --password`: then `- x`; or, each alone in its line and indented alike, `--password` and `x`.
    Argument { secrecy: Secrecy, indent: Option<usize> },
    /// `password: "` and no other quote.
    Quoted { lines: u16 },
    /// `password = <<EOF`: the lines up to `EOF` are the value.
    Document { lines: u16 },
    /// `"password": {`: its `"value":` is on one of the next lines.
    Object { secrecy: Secrecy, lines: u16 },
}

/// How far a line is indented.
pub(super) fn indent(line: &[u8]) -> usize {
    skip(line, 0, is_blank)
}

/// Looks at a line by what the one before says; answers whether that is all there is to it.
pub(super) fn follow(line: &[u8], carry: &mut Carry, sink: &mut Sink<'_>) -> bool {
    let content = trimmed(line, 0..line.len());
    match *carry {
        Carry::None => false,
        Carry::Block { indent: outer, rule } => {
            if content.is_empty() {
                return true;
            }
            if content.start <= outer {
                *carry = Carry::None;
                return false;
            }
            if is_secret(Secrecy::Password, part(line, content.clone()), Place::Assigned) {
                sink.push(content, rule);
            }
            true
        }
        Carry::Next { indent: outer, secrecy } => {
            if content.is_empty() {
                return true;
            }
            // `DB_PASSWORD:`, `----` and the value, as kubectl describes a ConfigMap.
            if part(line, content.clone()) == b"----" {
                *carry = Carry::Argument {
                    secrecy,
                    indent: Some(content.start),
                };
                return true;
            }
            let listed = at(line, content.start) == b'-' && is_blank(at(line, content.start + 1));
            if content.start < outer || (content.start == outer && !listed) {
                *carry = Carry::None;
                return false;
            }
            let start = if listed {
                skip(line, content.start + 1, is_blank)
            } else {
                content.start
            };
            // `string(5) "x"`, as PHP prints it.
            let start = match super::bytes::rest(line, start).strip_prefix(b"string(") {
                Some(_) => memchr::memchr(b'"', rest(line, start)).map_or(start, |quote| start + quote),
                None => start,
            };
            let text = rest(line, start);
            let keyed = memchr::memmem::find(text, b": ").is_some()
                || text.trim_ascii_end().ends_with(b":")
                || text.starts_with(b"{");
            if !listed {
                *carry = Carry::None;
            }
            if keyed {
                *carry = Carry::None;
                return false;
            }
            let value = match Quote::open(line, start) {
                Some(quote) => quote.start..quote.close(line).unwrap_or(content.end),
                None => start..content.end,
            };
            if is_secret(secrecy, part(line, value.clone()), Place::Assigned) {
                sink.push(value, "named-block");
            }
            true
        }
        Carry::Pair(secrecy) => {
            *carry = Carry::None;
            let start = skip(line, content.start, |byte| {
                is_blank(byte) || matches!(byte, b'-' | b'{' | b',')
            });
            let Some(value) = super::pair::value_of_pair(line, start) else {
                return false;
            };
            if matches!(at(line, value), b'|' | b'>') && value + 3 >= content.end {
                *carry = Carry::Block {
                    indent: content.start,
                    rule: "named-block",
                };
                return true;
            }
            if Quote::open(line, value).is_none() && matches!(secrecy, Secrecy::Authorization | Secrecy::Cookie) {
                super::header::value(line, value..content.end, secrecy, sink);
                return true;
            }
            if Quote::open(line, value).is_none()
                && secrecy == Secrecy::Password
                && super::bytes::before(line, value) != b'>'
            {
                let all = super::bare::to_line_end(line, value);
                if is_secret(secrecy, part(line, all.clone()), Place::Assigned) {
                    sink.push(all, "named-value");
                }
                return true;
            }
            if super::bytes::before(line, value) == b'>' {
                assignment::inside_element(line, value, secrecy, sink);
                return true;
            }
            super::pair::single(line, value, secrecy, sink);
            true
        }
        Carry::Argument { secrecy, indent: alone } => {
            *carry = Carry::None;
            let listed = at(line, content.start) == b'-' && is_blank(at(line, content.start + 1));
            let start = if listed {
                skip(line, content.start + 1, is_blank)
            } else {
                content.start
            };
            let value = match Quote::open(line, start) {
                Some(quote) => quote.start..quote.close(line).unwrap_or(content.end),
                None if listed => start..content.end,
                None if alone == Some(content.start) && !part(line, content.clone()).contains(&b' ') => content,
                None => return false,
            };
            let text = part(line, value.clone());
            if text.starts_with(b"-") {
                return false;
            }
            if is_secret(secrecy, text, Place::Assigned) {
                sink.push(value, super::shell::RULE);
            }
            true
        }
        Carry::Document { lines } => {
            let text = part(line, content.clone());
            let is_end = text.len() >= 2 && text.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_');
            if is_end || lines >= MAX_QUOTED_LINES {
                *carry = Carry::None;
                return is_end;
            }
            *carry = Carry::Document { lines: lines + 1 };
            if is_secret(Secrecy::Password, text, Place::Assigned) {
                sink.push(content, "named-block");
            }
            true
        }
        Carry::Object { secrecy, lines } => {
            let over = at(line, content.start) == b'}' || lines >= MAX_MEMBERS;
            let is_default = rest(line, content.start).starts_with(b"default");
            let value = (is_default || Quote::open(line, content.start).is_some())
                .then(|| super::pair::value_of_pair(line, content.start))
                .flatten();
            *carry = if over || value.is_some() {
                Carry::None
            } else {
                Carry::Object {
                    secrecy,
                    lines: lines + 1,
                }
            };
            let Some(value) = value else {
                return false;
            };
            super::pair::single(line, value, secrecy, sink);
            true
        }
        Carry::Quoted { lines } => {
            let end = memchr::memchr(b'"', line);
            let range = content.start..end.unwrap_or(content.end).max(content.start);
            *carry = match end {
                None if lines < MAX_QUOTED_LINES => Carry::Quoted { lines: lines + 1 },
                _ => Carry::None,
            };
            if range.len() > 2 {
                sink.push(range, "named-block");
            }
            true
        }
    }
}
