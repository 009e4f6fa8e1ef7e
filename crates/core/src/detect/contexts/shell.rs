//! Commands: in text, as lists of arguments, over several lines.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem;

use super::bytes::{at, before, is_blank, part, rest, skip, skip_back};
use super::harmless::is_harmless;
use super::program_stems::STEMS;
use super::programs::{How, MAX_RULES, Program, Rule, Take, named};
use super::quote::Quote;
use super::sink::Sink;
use super::stems::Stems;

/// What found an argument.
pub(super) const RULE: &str = "argument";

/// Most words of a command that are looked at.
const MAX_WORDS: usize = 256;

static PROGRAMS: LazyLock<Stems> = LazyLock::new(|| Stems::new(STEMS.iter().copied()));

/// Where in a command one is: word for word.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Walk {
    program: Option<&'static Program>,
    /// How many of the words that each rule needs have come.
    needed: [u8; MAX_RULES],
    /// How many words that are no flags came since.
    plain: [u8; MAX_RULES],
    /// The rule whose value the next word is.
    pending: Option<Take>,
    /// The next word is the name of a user, a host, a database or the like, whatever program is called so.
    is_name: bool,
}

/// Flags before a name of something.
const NAMING: [&[u8]; 15] = [
    b"-u",
    b"-U",
    b"--user",
    b"--username",
    b"-h",
    b"-H",
    b"--host",
    b"--hostname",
    b"-d",
    b"-D",
    b"--db",
    b"--database",
    b"--name",
    b"-n",
    b"--namespace",
];

impl Walk {
    /// The next word: what of it is a secret.
    pub(super) fn word(&mut self, word: &[u8]) -> Option<Range<usize>> {
        if let Some(take) = self.pending.take() {
            return taken(take, word, 0);
        }
        let is_name = std::mem::replace(&mut self.is_name, NAMING.contains(&word));
        if let Some(program) = named(word).filter(|_| !is_name || self.program.is_none()) {
            *self = Self {
                program: Some(program),
                ..Self::default()
            };
            return None;
        }
        let program = self.program?;
        for (index, rule) in program.rules.iter().enumerate() {
            if let Some(found) = self.apply(index, rule, word) {
                return found;
            }
        }
        None
    }

    /// Something if the rule has to say something of the word.
    fn apply(&mut self, index: usize, rule: &'static Rule, word: &[u8]) -> Option<Option<Range<usize>>> {
        let needed = self.needed.get_mut(index)?;
        if let Some(need) = rule.needs.get(usize::from(*needed)) {
            if need.split('|').any(|need| need.as_bytes() == word) {
                *needed += 1;
            }
            return None;
        }
        let is_flag = word.first() == Some(&b'-');
        if rule.how == How::Each {
            return (!is_flag).then(|| taken(rule.take, word, 0));
        }
        if let How::Nth(nth) = rule.how {
            if is_flag {
                return None;
            }
            let plain = self.plain.get_mut(index)?;
            *plain = plain.saturating_add(1);
            // Another rule may count the same words.
            return (*plain == nth)
                .then(|| taken(rule.take, word, 0))
                .filter(Option::is_some);
        }
        for flag in rule.flags {
            if rule.how == How::Ending {
                if word.ends_with(flag.as_bytes()) {
                    self.pending = Some(rule.take);
                    return Some(None);
                }
                continue;
            }
            let Some(value) = word.strip_prefix(flag.as_bytes()) else {
                if rule.how == How::Either && is_combined(word, flag) {
                    self.pending = Some(rule.take);
                    return Some(None);
                }
                continue;
            };
            if rule.how == How::After {
                self.pending = Some(rule.take);
                return Some(None);
            }
            if value.is_empty() {
                if rule.how != How::Attached {
                    self.pending = Some(rule.take);
                    return Some(None);
                }
            } else if value.first() == Some(&b'=') && flag.starts_with("--") {
                return Some(taken(rule.take, word, flag.len() + 1));
            } else if rule.how != How::Next && !flag.starts_with("--") && (flag.len() == 2 || rule.how == How::Attached)
            {
                return Some(taken(rule.take, word, flag.len()));
            }
        }
        None
    }

    /// Whether the next word would be looked at.
    fn is_idle(&self) -> bool {
        self.program.is_none() && self.pending.is_none()
    }
}

/// Whether a word is flags of one letter each, the last of which is this one: `-sSfu`.
fn is_combined(word: &[u8], flag: &str) -> bool {
    flag.len() == 2
        && (3..8).contains(&word.len())
        && word.first() == Some(&b'-')
        && word.iter().skip(1).all(u8::is_ascii_alphabetic)
        && word.last() == flag.as_bytes().last()
}

/// What of an argument is the secret.
fn taken(take: Take, word: &[u8], from: usize) -> Option<Range<usize>> {
    let value = rest(word, from);
    let start = match take {
        Take::Whole => 0,
        Take::Nothing => return None,
        Take::NoShare if matches!(value.first(), Some(b'\\' | b'/' | b'*')) => return None,
        Take::NoShare => 0,
        Take::Likely if !is_likely(value) => return None,
        Take::Likely => 0,
        Take::Behind(sign) => value.iter().position(|byte| *byte == sign)? + 1,
        Take::Echo => value.strip_prefix(b"echo ").map(|_| 5)?,
        Take::Pass => value.strip_prefix(b"pass:").map(|_| 5)?,
        Take::Slash => {
            let start = value.iter().position(|byte| *byte == b'/')? + 1;
            let end = value
                .iter()
                .rposition(|byte| *byte == b'@')
                .filter(|end| *end > start)
                .unwrap_or(value.len());
            let secret = part(value, start..end);
            return (start > 1 && !is_harmless(secret)).then_some(from + start..from + end);
        }
    };
    let secret = rest(value, start);
    // A file: `k=@file.json`.
    if start > 0 && take == Take::Behind(b'=') && secret.starts_with(b"@") {
        return None;
    }
    (!is_harmless(secret) && (from > 0 || !secret.starts_with(b"-"))).then_some(from + start..word.len())
}

/// Whether a word would be odd in a sentence about a program: digits, capitals within it, several parts.
fn is_likely(value: &[u8]) -> bool {
    let inner = rest(value, 1);
    value.len() >= 6
        && !matches!(value.first(), Some(b'\\' | b'/' | b'<'))
        && !value.contains(&b' ')
        && (value.iter().any(u8::is_ascii_digit)
            || inner.iter().any(u8::is_ascii_uppercase) && inner.iter().any(u8::is_ascii_lowercase)
            || value.iter().filter(|byte| matches!(byte, b'-' | b'_')).count() >= 2
            || value.iter().any(|byte| b"!#$%^&*+=~?".contains(byte)))
}

/// What the line before says of the next one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Carry {
    walk: Walk,
    list: bool,
}

impl Carry {
    pub(super) fn is_idle(&self) -> bool {
        self.walk.is_idle()
    }
}

/// Where the next command may be, behind what comes before its name: `"oc"`, `- oc`.
fn next(line: &[u8], from: usize) -> Option<usize> {
    let found = PROGRAMS.next(line, from)?;
    Some(match part(line, found.clone()) {
        [b'"' | b'\'', ..] => found.start + 1,
        [b'-', b' ', ..] => found.start + 2,
        _ => found.start,
    })
}

/// Finds the secrets in the commands of a line.
pub(super) fn scan(line: &[u8], carry: &mut Carry, sink: &mut Sink<'_>) {
    let mut from = 0;
    let mut any = false;
    let last = std::mem::take(carry);
    if !last.is_idle() {
        from = resume(line, last, carry, sink);
    }
    while let Some(found) = next(line, from) {
        let word = skip(line, found, is_word);
        let start = skip_back(line, found, from.max(found.saturating_sub(64)), is_word);
        let after = at(line, word);
        let begins =
            named(part(line, start..word)).is_some() && matches!(after, 0..=b' ' | b'"' | b'\'' | b'\\' | b',' | b']');
        from = if begins {
            command(line, start, Walk::default(), carry, sink)
        } else {
            word
        }
        .max(found + 1);
        any = true;
    }
    if any {
        consumers(line, sink);
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/')
}

/// Goes on with a command of the line before.
fn resume(line: &[u8], last: Carry, carry: &mut Carry, sink: &mut Sink<'_>) -> usize {
    let start = skip(line, 0, is_blank);
    if !last.list {
        return command(line, start, last.walk, carry, sink);
    }
    // The next entry of a list: `- -px`, `"-px",`.
    let (mut walk, start) = match at(line, start) {
        b'-' if is_blank(at(line, start + 1)) => (last.walk, skip(line, start + 1, is_blank)),
        b'"' | b'\'' => (last.walk, start),
        _ => return 0,
    };
    let range = match Quote::open(line, start) {
        Some(quote) => quote.start..quote.close(line).unwrap_or(line.len()),
        None => super::bytes::trimmed(line, start..line.len()),
    };
    if let Some(found) = walk.word(part(line, range.clone())) {
        sink.push(range.start + found.start..range.start + found.end, RULE);
    }
    *carry = Carry { walk, list: true };
    range.end
}

/// Walks a command from its program on; answers where it ends.
fn command(line: &[u8], start: usize, mut walk: Walk, carry: &mut Carry, sink: &mut Sink<'_>) -> usize {
    // In a list of strings each is a word: `["mysql", "-px"]`.
    let head = skip_back(line, start, 0, |byte| matches!(byte, b'"' | b'\'' | b'\\'));
    let quote = Quote::open(line, head).filter(|quote| quote.start == start);
    let listed = quote.and_then(|quote| Some((quote, quote.close(part(line, 0..line.len().min(start + 64)))?)));
    if let Some((quote, end)) = listed
        && part(line, start..end).iter().all(|byte| is_word(*byte))
    {
        return strings(line, head, quote.after(end), walk, carry, sink);
    }
    let mut position = start;
    for _ in 0..MAX_WORDS {
        position = skip(line, position, is_blank);
        let byte = at(line, position);
        match byte {
            // The arguments are a list, and the program is not in it: `mysql ["-px"]`.
            b'[' if position > start && Quote::open(line, position + 1).is_some() => {
                return strings(line, position + 1, position, walk, carry, sink);
            }
            0 | b'|' | b';' | b'&' | b'\r' | b'\n' | b'>' if position > start || byte == 0 => break,
            b'\\' if rest(line, position + 1).trim_ascii().is_empty() => {
                *carry = Carry { walk, list: false };
                break;
            }
            b'"' | b'\'' | b')' | b'`' if !is_blank(before(line, position)) && position > start => break,
            _ => {}
        }
        let (range, end) = word(line, position);
        if range.is_empty() && end <= position {
            break;
        }
        if let Some(found) = walk.word(part(line, range.clone())) {
            let found = unquoted(line, range.start + found.start..range.start + found.end);
            if !is_harmless(part(line, found.clone())) {
                sink.push(found, RULE);
            }
        }
        position = end;
    }
    // One word to a line: the next may be on the one below.
    if !walk.is_idle() && position >= line.len() && carry.is_idle() && is_entry(line, start) {
        *carry = Carry { walk, list: true };
    }
    position
}

/// Whether a line is an entry of a list, and what begins here all of it.
fn is_entry(line: &[u8], start: usize) -> bool {
    let head = part(line, 0..start).trim_ascii();
    head == b"-" && !part(line, start..line.len()).trim_ascii().contains(&b' ')
}

/// `["mysql", "-px"]`: quoted words.
fn strings(line: &[u8], start: usize, mut end: usize, mut walk: Walk, carry: &mut Carry, sink: &mut Sink<'_>) -> usize {
    let mut position = start;
    let first = Quote::open(line, start).map_or(start, |quote| quote.start);
    for _ in 0..MAX_WORDS {
        let Some(quote) = Quote::open(line, position) else {
            break;
        };
        let Some(close) = quote.close(line) else {
            return line.len();
        };
        if let Some(found) = walk.word(part(line, quote.start..close)) {
            sink.push(quote.start + found.start..quote.start + found.end, RULE);
        }
        end = quote.after(close);
        position = skip(line, end, |byte| is_blank(byte) || byte == b',');
        // `"mysql" ["-px"]`.
        if quote.start == first && at(line, position) == b'[' {
            position += 1;
        }
    }
    if position >= line.len() && part(line, 0..start).trim_ascii().is_empty() | part(line, 0..start).ends_with(b"- ") {
        *carry = Carry { walk, list: true };
    }
    end
}

/// The next word of a shell, and where it ends.
fn word(line: &[u8], start: usize) -> (Range<usize>, usize) {
    if let Some(quote) = Quote::open(line, start) {
        return match quote.close(line) {
            Some(end) => (quote.start..end, quote.after(end)),
            None => (start..line.len(), line.len()),
        };
    }
    let mut position = start;
    while let Some(byte) = line.get(position).copied() {
        match byte {
            0..=b' ' | b'|' | b'`' => break,
            b';' | b'&' | b')' if matches!(at(line, position + 1), 0..=b' ' | b'"' | b'\'' | b'&' | b';') => break,
            b'"' | b'\'' | b'\\' => {
                let Some(quote) = Quote::open(line, position) else {
                    if matches!(at(line, position + 1), b'n' | b'r' | b't') {
                        break;
                    }
                    position += 2;
                    continue;
                };
                // What follows a flag or a sign opens a string; else the string around the command ends.
                let opens = matches!(before(line, position), b'=' | b':' | b'%' | b',') || position == start + 2;
                match quote.close(line).filter(|_| opens) {
                    Some(end) => {
                        let end = quote.after(end);
                        return (start..end, end);
                    }
                    None => break,
                }
            }
            _ => position += 1,
        }
    }
    (start..position.min(line.len()), position.min(line.len()))
}

/// A value without the quotes around it: of `-p'x'`.
fn unquoted(line: &[u8], range: Range<usize>) -> Range<usize> {
    match Quote::open(line, range.start) {
        Some(quote) => quote.start..quote.close(line).unwrap_or(range.end).max(quote.start),
        None => range,
    }
}

/// Flags and programs that take a secret from their input, and what must come behind them so that they do; nothing if
/// they always do.
const CONSUMERS: [(&str, &[&str]); 30] = [
    ("password-stdin", &[]),
    ("--stdin", &[]),
    ("-with-token", &[]),
    ("chpasswd", &[]),
    ("sudo -S", &[]),
    ("-passin stdin", &[]),
    ("-pass stdin", &[]),
    ("kinit", &[]),
    ("cryptsetup", &[]),
    ("secret-tool store", &[]),
    ("passphrase-fd 0", &[]),
    ("passphrase-fd=0", &[]),
    ("pass insert", &[]),
    ("keyring set", &[]),
    ("gh secret set", &[]),
    ("glab variable set", &[]),
    ("wrangler secret put", &[]),
    ("doppler secrets set", &[]),
    ("docker secret create", &[" -"]),
    ("podman secret create", &[" -"]),
    ("systemd-creds encrypt", &[" -"]),
    ("kubectl create secret", STDIN),
    ("oc create secret", STDIN),
    ("kubeseal --raw", STDIN),
    ("az keyvault secret set", STDIN),
    ("gcloud secrets", STDIN),
    ("vault kv put", &["=-"]),
    ("vault kv patch", &["=-"]),
    ("vault write", &["=-"]),
    ("pulumi config set", &["--secret"]),
];

/// How a file is named that is the input.
const STDIN: &[&str] = &["/dev/stdin", "/dev/fd/0", "=-", " -"];

static CONSUMER_STEMS: LazyLock<Stems> = LazyLock::new(|| Stems::new(CONSUMERS.map(|(stem, _)| stem)));

/// Most bytes of a command around what takes its input.
const MAX_COMMAND: usize = 512;

/// Looks at what is handed to each of them.
fn consumers(line: &[u8], sink: &mut Sink<'_>) {
    let mut from = 0;
    while let Some(consumer) = CONSUMER_STEMS.next(line, from) {
        from = consumer.end;
        let name = part(line, consumer.clone());
        let needs = CONSUMERS.iter().find(|(stem, _)| stem.as_bytes() == name);
        let tail = part(line, consumer.end..line.len().min(consumer.end + MAX_COMMAND));
        if needs.is_some_and(|(_, needs)| takes_input(tail, needs)) {
            handed(line, consumer.start, name == b"chpasswd", sink);
        }
    }
    substituted(line, sink);
}

/// Whether one of these words is in the rest of a command.
fn takes_input(tail: &[u8], needs: &[&str]) -> bool {
    let end = skip(tail, 0, |byte| !matches!(byte, b'|' | b';' | b'&' | b'<'));
    let tail = part(tail, 0..end);
    let is_word = |after: usize| matches!(at(tail, after), 0..=b' ' | b'"' | b'\'' | b'\\' | b')' | b'`');
    needs.is_empty()
        || needs
            .iter()
            .any(|need| memmem::find_iter(tail, need).any(|found| is_word(found + need.len())))
}

/// `echo x | program --password-stdin`, `program --password-stdin <<< x`.
fn handed(line: &[u8], consumer: usize, has_user: bool, sink: &mut Sink<'_>) {
    let least = consumer.saturating_sub(MAX_COMMAND);
    let head = part(line, least..consumer);
    if let Some(pipe) = memchr::memrchr(b'|', head)
        && !part(head, pipe..head.len()).contains(&b';')
        && let Some(echo) = ECHOES
            .iter()
            .find_map(|echo| Some(memmem::rfind(part(head, 0..pipe), echo)? + echo.len()))
    {
        give(line, echoed(line, least + echo, least + pipe), has_user, sink);
    }
    let tail = part(line, consumer..line.len().min(consumer + MAX_COMMAND));
    if let Some(string) = memmem::find(tail, b"<<<") {
        let start = skip(line, consumer + string + 3, is_blank);
        give(line, Some(word(line, start).0), has_user, sink);
    }
}

/// Commands that print what they are given.
const ECHOES: [&[u8]; 2] = [b"echo ", b"printf "];

/// The last of the words of such a command.
fn echoed(line: &[u8], start: usize, end: usize) -> Option<Range<usize>> {
    const MOST: usize = 8;
    let mut position = start;
    let mut last = None;
    for _ in 0..MOST {
        position = skip(line, position, is_blank);
        if position >= end || at(line, position) == b')' {
            break;
        }
        let (range, next) = word(line, position);
        if next <= position {
            break;
        }
        last = Some(range);
        position = next;
    }
    last
}

/// `--password-file=<(echo x)`: a file that is made up on the spot, for what is called like a secret.
fn substituted(line: &[u8], sink: &mut Sink<'_>) {
    const LONGEST: usize = 64;
    const WORDS: [&[u8]; 5] = [b"pass", b"secret", b"token", b"key", b"cred"];
    for open in memmem::find_iter(line, b"<(") {
        let Some(echo) = ECHOES.iter().find(|echo| rest(line, open + 2).starts_with(echo)) else {
            continue;
        };
        let head = skip_back(line, open, open.saturating_sub(1), is_blank);
        let start = skip_back(line, head, head.saturating_sub(LONGEST), |byte| !is_blank(byte));
        let name = part(line, start..head).to_ascii_lowercase();
        let is_flag = name.starts_with(b"-") || name.ends_with(b"=");
        if is_flag && WORDS.iter().any(|word| memmem::find(&name, word).is_some()) {
            let start = open + 2 + echo.len();
            give(
                line,
                echoed(line, start, line.len().min(start + MAX_COMMAND)),
                false,
                sink,
            );
        }
    }
}

fn give(line: &[u8], range: Option<Range<usize>>, has_user: bool, sink: &mut Sink<'_>) {
    let Some(mut range) = range else { return };
    let value = part(line, range.clone());
    if value.starts_with(b"-") || value.first() == Some(&b'%') && value.len() < 5 || is_harmless(value) {
        return;
    }
    // `root:x | chpasswd`.
    if has_user
        && let Some(colon) = value
            .iter()
            .position(|byte| *byte == b':')
            .filter(|colon| *colon < 32 && colon + 1 < value.len())
    {
        range.start += colon + 1;
    }
    // What a shell puts at the end of a string.
    if part(line, range.clone()).ends_with(b"\\n") {
        range.end -= 2;
    }
    sink.push(range, RULE);
}

/// The secrets in the arguments of a command, one range at most for each.
pub(in crate::detect) fn arguments(arguments: &[&[u8]], mut found: impl FnMut(usize, Range<usize>)) {
    let mut walk = Walk::default();
    let mut flag = None;
    for (index, argument) in arguments.iter().enumerate() {
        if let Some(secrecy) = std::mem::take(&mut flag)
            && !argument.starts_with(b"-")
            && super::value::is_secret(secrecy, argument, super::value::Place::Assigned)
        {
            found(index, 0..argument.len());
        }
        if let Some(range) = walk.word(argument) {
            found(index, range);
        }
        let name = argument.strip_prefix(b"--").or_else(|| argument.strip_prefix(b"-"));
        flag = name
            .filter(|name| !name.contains(&b'='))
            .and_then(crate::detect::names::secrecy);
    }
}
