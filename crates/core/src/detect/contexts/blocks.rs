//! What goes over several lines in scripts and configurations, and has a secret at a place that only the lines before
//! tell: an answer in a script of expect, the users of JAAS, a block of OpenVPN.

use memchr::memmem;

use super::bytes::{at, before, is_blank, part, rest, skip, skip_back, trimmed};
use super::harmless::is_harmless;
use super::quote::Quote;
use super::sink::Sink;
use super::value::{is_uuid, looks_random, looks_secret};

/// What found an answer, and what found a value.
const SPOKEN: &str = "spoken-value";
const NAMED: &str = "named-value";

/// How far the end of a quoted value is looked for.
const MAX_VALUE: usize = 1024;

/// What the lines before say of the next one: how many lines each of these may go on.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Carry {
    /// A script, and whether it was asked for a password.
    script: Option<(u8, bool)>,
    /// Users and their passwords, up to a semicolon.
    users: Option<u8>,
    /// The user, and then the password.
    login: Option<u8>,
    /// Names of tokens and tokens, up to a brace.
    tokens: Option<u8>,
    /// The value of a key that was named.
    key: Option<u8>,
    /// A password alone in its line.
    alone: Option<u8>,
}

impl Carry {
    pub(super) fn is_idle(&self) -> bool {
        self.script.is_none()
            && self.users.is_none()
            && self.login.is_none()
            && self.tokens.is_none()
            && self.key.is_none()
            && self.alone.is_none()
    }
}

/// One line less, if there is any.
fn one_less(lines: u8) -> Option<u8> {
    lines.checked_sub(1)
}

/// Looks at a line; `announces` says whether anything in it does.
pub(super) fn scan(line: &[u8], announces: bool, carry: &mut Carry, sink: &mut Sink<'_>) {
    if !announces && carry.is_idle() {
        return;
    }
    script(line, carry, sink);
    users(line, carry, sink);
    login(line, carry, sink);
    tokens(line, carry, sink);
    key(line, carry, sink);
    alone(line, carry, sink);
}

/// `expect "password:"`, and what is sent then.
fn script(line: &[u8], carry: &mut Carry, sink: &mut Sink<'_>) {
    const LINES: u8 = 16;
    const BEGINS: [&[u8]; 3] = [b"expect \"", b"expect -", b"expect {"];
    let text = line.trim_ascii_start();
    let begins = BEGINS.iter().any(|begin| text.starts_with(begin)) || memmem::find(line, b".expect(").is_some();
    let (left, mut asked) = match carry.script {
        _ if begins => (LINES, false),
        Some(script) => script,
        None => return,
    };
    let mut questions = [&b"assword"[..], b"assphrase"].map(|ask| memmem::find_iter(line, ask).peekable());
    for send in memmem::find_iter(line, b"send") {
        for ask in &mut questions {
            while ask.next_if(|ask| *ask < send).is_some() {
                asked = true;
            }
        }
        if asked && let Some(quote) = sent(line, send + 4) {
            asked = false;
            let close = quote.close(part(line, 0..line.len().min(quote.start + MAX_VALUE)));
            let end = close.unwrap_or(line.len());
            // `\r`, also where the script is in a string.
            let mut last = end;
            while last >= quote.start + 2
                && matches!(before(line, last), b'r' | b'n')
                && before(line, last - 1) == b'\\'
            {
                last = skip_back(line, last - 1, quote.start, |byte| byte == b'\\');
            }
            if !is_harmless(part(line, quote.start..last)) {
                sink.push(quote.start..last, SPOKEN);
            }
        }
    }
    asked |= questions.iter_mut().any(|ask| ask.next().is_some());
    carry.script = one_less(left).map(|left| (left, asked));
}

/// The string behind `send`: `send -- "x"`, `.sendline('x')`.
fn sent(line: &[u8], from: usize) -> Option<Quote> {
    let start = match rest(line, from).strip_prefix(b"line") {
        Some(_) => from + 4,
        None => from,
    };
    let mut start = skip(line, start, |byte| is_blank(byte) || byte == b'(');
    if part(line, start..start + 2) == b"--" {
        start = skip(line, start + 2, is_blank);
    }
    Quote::open(line, start)
}

/// `user_bob="x"` of a module that logs in, up to its semicolon.
fn users(line: &[u8], carry: &mut Carry, sink: &mut Sink<'_>) {
    const LINES: u8 = 64;
    let begins = memmem::find(line, b"LoginModule").is_some();
    if begins || carry.users.is_some() {
        super::files::jaas(line, sink);
        let over = line.trim_ascii_end().ends_with(b";") || line.trim_ascii_start().starts_with(b"}");
        let left = if begins { Some(LINES) } else { carry.users };
        carry.users = left.and_then(one_less).filter(|_| !over);
    }
}

/// A user and a password between `<auth-user-pass>` and its end.
fn login(line: &[u8], carry: &mut Carry, sink: &mut Sink<'_>) {
    let text = trimmed(line, 0..line.len());
    if part(line, text.clone()) == b"<auth-user-pass>" {
        carry.login = Some(1);
    } else if let Some(left) = carry.login
        && !text.is_empty()
    {
        let is_end = at(line, text.start) == b'<';
        carry.login = one_less(left).filter(|_| !is_end);
        if left == 0 && !is_end && !is_harmless(part(line, text.clone())) {
            sink.push(text, SPOKEN);
        }
    }
}

/// `tokens { agent = "x" }` of Consul: identifiers are what its tokens are.
fn tokens(line: &[u8], carry: &mut Carry, sink: &mut Sink<'_>) {
    const LINES: u8 = 16;
    let mut from = 0;
    let mut left = carry.tokens;
    loop {
        if let Some(lines) = left {
            let close = memchr::memchr(b'}', rest(line, from)).map(|close| from + close);
            identifiers(line, from..close.unwrap_or(line.len()), sink);
            let Some(close) = close else {
                carry.tokens = one_less(lines);
                return;
            };
            from = close + 1;
        }
        left = opened(line, from).map(|open| {
            from = open;
            LINES
        });
        if left.is_none() {
            carry.tokens = None;
            return;
        }
    }
}

/// Behind the brace of the next `tokens {`.
fn opened(line: &[u8], from: usize) -> Option<usize> {
    memmem::find_iter(rest(line, from), b"tokens").find_map(|found| {
        let end = from + found + 6;
        let most = part(line, 0..line.len().min(end + 16));
        let open = skip(most, end, |byte| {
            is_blank(byte) || matches!(byte, b'"' | b'\\' | b':' | b'=')
        });
        let whole = !before(line, from + found).is_ascii_alphanumeric();
        (whole && at(line, open) == b'{').then_some(open + 1)
    })
}

/// Each string that is assigned, and is the identifier of nothing else.
fn identifiers(line: &[u8], within: std::ops::Range<usize>, sink: &mut Sink<'_>) {
    const LENGTH: usize = 36;
    let mut position = within.start;
    while let Some(sign) = memchr::memchr2(b'=', b':', part(line, position..within.end)) {
        let sign = position + sign;
        let start = skip(part(line, 0..within.end), sign + 1, |byte| {
            is_blank(byte) || matches!(byte, b'"' | b'\\')
        });
        position = start.max(sign + 1);
        let value = start..start + LENGTH;
        let name = skip_back(line, sign, within.start, |byte| {
            is_blank(byte) || matches!(byte, b'"' | b'\\')
        });
        let is_id = part(line, name.saturating_sub(2)..name).eq_ignore_ascii_case(b"id");
        if !is_id && value.end <= within.end && is_uuid(part(line, value.clone())) {
            position = value.end;
            sink.push(value, NAMED);
        }
    }
}

/// `"keyName": "key1"`, and its value on this line or one of the next, as Azure lists the keys of an account.
fn key(line: &[u8], carry: &mut Carry, sink: &mut Sink<'_>) {
    const LINES: u8 = 4;
    let mut from = 0;
    let mut left = carry.key;
    if let Some(found) = memmem::find(line, b"keyName") {
        from = found;
        left = Some(LINES);
    }
    let Some(lines) = left else {
        return;
    };
    carry.key = one_less(lines);
    for value in memmem::find_iter(rest(line, from), b"value").map(|found| from + found + 5) {
        let sign = skip(part(line, 0..line.len().min(value + 16)), value, |byte| {
            is_blank(byte) || matches!(byte, b'"' | b'\\' | b':')
        });
        let end = skip(line, sign, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
        });
        if sign > value && looks_random(part(line, sign..end)) {
            sink.push(sign..end, NAMED);
            carry.key = None;
        }
    }
}

/// `use the following password:`, and then one that is alone in its line.
fn alone(line: &[u8], carry: &mut Carry, sink: &mut Sink<'_>) {
    const LINES: u8 = 3;
    let text = trimmed(line, 0..line.len());
    if let Some(left) = carry.alone {
        let start = skip_back(line, text.end, text.start, |byte| !is_blank(byte));
        let word = part(line, start..text.end);
        let only = start == text.start;
        let is_digest = word.len() == 32 && word.iter().all(u8::is_ascii_hexdigit);
        if is_digest || only && looks_secret(word, 8) {
            sink.push(start..text.end, SPOKEN);
            carry.alone = None;
        } else {
            carry.alone = one_less(left);
        }
    }
    // One, and not several.
    let announced = [&b"following password"[..], b"following token"]
        .iter()
        .any(|announced| {
            memmem::find_iter(line, announced).any(|found| !at(line, found + announced.len()).is_ascii_alphabetic())
        });
    if announced && before(line, text.end) == b':' {
        carry.alone = Some(LINES);
    }
}
