//! What of a value is worth remembering: what no other text has by chance.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;

use super::KnownLimits;
use crate::mask::MARKER;

/// A value, or a line of one.
pub(super) struct Unit {
    pub(super) bytes: Vec<u8>,
    /// For each byte, whether no other text shares it.
    pub(super) strong: Vec<bool>,
}

/// Shortest line of a value with several that is remembered; of a private key, lines from [`super::KnownLimits::shortest`].
const SHORTEST_LINE: usize = 16;
/// Most values of a JSON object that are remembered one by one.
const MOST_LEAVES: usize = 64;
/// A longer value is not read as JSON.
const LONGEST_JSON: usize = 64 * 1024;

/// Common passwords and values, without their digits and signs at the end.
const COMMON: &[&str] = &[
    "admin",
    "administrator",
    "changeit",
    "changeme",
    "changethis",
    "default",
    "disabled",
    "enabled",
    "example",
    "iloveyou",
    "letmein",
    "localhost",
    "master",
    "mongodb",
    "mysql",
    "none",
    "null",
    "passw0rd",
    "password",
    "passwort",
    "placeholder",
    "postgres",
    "postgresql",
    "production",
    "qwerty",
    "qwertyuiop",
    "rabbitmq",
    "redis",
    "rootroot",
    "secret",
    "staging",
    "superuser",
    "test",
    "testing",
    "username",
    "welcome",
    "abcdefgh",
    "undefined",
    "unknown",
    "kubernetes",
    "cluster",
    "development",
];

/// Keys whose values are no secrets, even in a Secret.
const PUBLIC_NAMES: &[&str] = &[
    "username",
    "user",
    "login",
    "namespace",
    "host",
    "hostname",
    "port",
    "database",
    "dbname",
    "db",
    "email",
    "region",
    "endpoint",
    "type",
    "issuer",
    "clientid",
    "tenantid",
    "subscriptionid",
    "accountid",
    "projectid",
    "accesskeyid",
    "keyid",
    "uid",
    "id",
    "address",
    "domain",
    "bucket",
    "provider",
    "scheme",
    "driver",
    "name",
    "servername",
    "sshknownhosts",
    "knownhosts",
];

const SECRET_NAMES: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "pass",
    "pwd",
    "secret",
    "token",
    "key",
    "credential",
    "credentials",
    "auth",
    "pin",
    "psk",
    "cookie",
    "salt",
];

/// The parts of a value to remember.
pub(super) fn units(name: Option<&str>, value: &[u8], limits: &KnownLimits) -> Vec<Unit> {
    let mut units = Units {
        all: Vec::new(),
        left: limits.longest,
        shortest: limits.shortest.max(super::table::WINDOW),
    };
    let name = name.map(normalized);
    match std::str::from_utf8(value) {
        Ok(text) if !text.contains(|char: char| char.is_control() && !char.is_whitespace()) => {
            units.text(name.as_deref(), text.trim());
        }
        _ => units.add(value, |_| true),
    }
    units.all
}

fn normalized(name: &str) -> String {
    let name = name.chars().filter(char::is_ascii_alphanumeric);
    name.map(|char| char.to_ascii_lowercase()).collect()
}

struct Units {
    all: Vec<Unit>,
    /// How many bytes may still be remembered.
    left: usize,
    shortest: usize,
}

impl Units {
    fn add(&mut self, bytes: &[u8], strong: impl Fn(usize) -> bool) {
        let bytes = bytes.get(..bytes.len().min(self.left)).unwrap_or_default();
        if bytes.len() < self.shortest || self.all.iter().any(|unit| unit.bytes == bytes) {
            return;
        }
        self.left -= bytes.len();
        self.all.push(Unit {
            bytes: bytes.to_vec(),
            strong: (0..bytes.len()).map(strong).collect(),
        });
    }

    fn text(&mut self, name: Option<&str>, text: &str) {
        if name.is_some_and(|name| PUBLIC_NAMES.contains(&name)) {
            return;
        }
        if text.len() <= LONGEST_JSON && text.starts_with('{') {
            // Its values under their own names; in the order of the keys, so that the same ones are kept each time.
            if let Ok(object) = serde_json::from_str::<BTreeMap<String, serde_json::Value>>(text) {
                let mut left = MOST_LEAVES;
                for (key, value) in &object {
                    self.leaves(&normalized(key), value, &mut left);
                }
                return;
            }
        }
        if text.contains('\n') {
            self.lines(text);
        } else {
            self.line(name, text);
        }
    }

    // Recursion: as deep as the parser of JSON lets it be.
    fn leaves(&mut self, name: &str, value: &serde_json::Value, left: &mut usize) {
        match value {
            serde_json::Value::String(text) if *left > 0 => {
                *left -= 1;
                if PUBLIC_NAMES.contains(&name) {
                } else if text.contains('\n') {
                    self.lines(text);
                } else {
                    self.line(Some(name), text.trim());
                }
            }
            serde_json::Value::Array(items) => items.iter().for_each(|item| self.leaves(name, item, left)),
            serde_json::Value::Object(fields) => {
                for (key, value) in fields {
                    self.leaves(&normalized(key), value, left);
                }
            }
            _ => {}
        }
    }

    fn lines(&mut self, text: &str) {
        let mut block = Block::None;
        for line in text.lines().map(str::trim) {
            if let Some(label) = line.strip_prefix("-----BEGIN ") {
                block = if label.contains("PRIVATE KEY") {
                    Block::PrivateHead
                } else {
                    Block::Public
                };
            } else if line.starts_with("-----END ") {
                block = Block::None;
            } else {
                match block {
                    Block::Public => {}
                    Block::PrivateHead | Block::Private => {
                        // `Proc-Type: 4,ENCRYPTED` and the like.
                        if !line.is_empty() && !line.contains(": ") {
                            let structure = if block == Block::PrivateHead {
                                structure(line)
                            } else {
                                0
                            };
                            self.add(line.as_bytes(), |at| at >= structure);
                            block = Block::Private;
                        }
                    }
                    Block::None => {
                        if line.len() >= SHORTEST_LINE {
                            self.line(None, line);
                        }
                        if let Some((name, value)) = assignment(line) {
                            let name = normalized(name);
                            if !PUBLIC_NAMES.contains(&name.as_str()) {
                                self.line(Some(&name), value);
                            }
                        }
                    }
                }
            }
        }
    }

    fn line(&mut self, name: Option<&str>, line: &str) {
        if is_public(line) || is_trivial(line) {
            return;
        }
        if let Some(password) = url_password(line) {
            self.add_word(Some("password"), password);
            let decoded = percent_encoding::percent_decode_str(password).decode_utf8();
            if let Ok(decoded) = decoded
                && decoded != password
            {
                self.add_word(Some("password"), &decoded);
            }
        }
        // `auth` of a docker config: `user:password`.
        if name == Some("auth")
            && let Ok(pair) = STANDARD.decode(line)
            && let Some((_, password)) = std::str::from_utf8(&pair).ok().and_then(|pair| pair.split_once(':'))
        {
            self.add_word(Some("password"), password);
        }
        self.add_word(name, line);
    }

    fn add_word(&mut self, name: Option<&str>, word: &str) {
        if is_trivial(word) {
            return;
        }
        let structure = structure(word);
        let random = random_parts(word);
        if random.iter().any(|random| *random) {
            self.add(word.as_bytes(), |at| {
                at >= structure && random.get(at).copied().unwrap_or(false)
            });
        } else if name.is_some_and(is_secret_name) && !is_reference(word) {
            self.add(word.as_bytes(), |at| at >= structure);
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    None,
    Public,
    /// The first line of a private key is still to come.
    PrivateHead,
    Private,
}

fn is_secret_name(name: &str) -> bool {
    let name = name.trim_end_matches(|char: char| char.is_ascii_digit());
    SECRET_NAMES
        .iter()
        .any(|end| name.ends_with(end) || name.strip_suffix('s').is_some_and(|name| name.ends_with(end)))
}

/// `name=value`, `name: value`, with quotes or without.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let at = line.find(['=', ':'])?;
    let (name, value) = line.split_at_checked(at)?;
    let value = value.get(1..)?.trim().trim_matches(['"', '\'', ',', ';']);
    Some((name, value))
}

/// The password of a URL.
fn url_password(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("://")?;
    let authority = rest.split(['/', '?', '#', ' ']).next()?;
    let (user, _) = authority.rsplit_once('@')?;
    user.split_once(':').map(|(_, password)| password)
}

/// Certificates and public keys, as they are or in base64.
fn is_public(line: &str) -> bool {
    // `-----BEGIN CERT` and `-----BEGIN PUBL`.
    [
        "LS0tLS1CRUdJTiBDRVJU",
        "LS0tLS1CRUdJTiBQVUJM",
        "-----BEGIN CERT",
        "-----BEGIN PUBL",
        "ssh-rsa ",
        "ssh-ed25519 ",
        "ecdsa-sha2-",
    ]
    .iter()
    .any(|head| line.starts_with(head))
}

/// What many texts have in them.
fn is_trivial(line: &str) -> bool {
    let bytes = line.as_bytes();
    let mut distinct = [false; 256];
    for byte in bytes {
        if let Some(distinct) = distinct.get_mut(usize::from(*byte)) {
            *distinct = true;
        }
    }
    let is_placeholder = ["${", "$(", "{{", "<", "%("].iter().any(|head| line.starts_with(head));
    let word = line
        .trim_end_matches(|char: char| !char.is_ascii_alphabetic())
        .to_ascii_lowercase();
    distinct.iter().filter(|seen| **seen).count() < 4
        || is_placeholder
        || is_sequence(bytes)
        || COMMON.contains(&word.as_str())
        || memmem::find(bytes, MARKER.as_bytes()).is_some()
}

/// `12345678`, `abcdefgh`, and backwards.
fn is_sequence(bytes: &[u8]) -> bool {
    let step = |by: i16| {
        bytes
            .windows(2)
            .all(|pair| matches!(pair, [a, b] if i16::from(*b) - i16::from(*a) == by))
    };
    step(1) || step(-1)
}

/// A path or an address, which is not a secret even under the name of one.
fn is_reference(line: &str) -> bool {
    let is_path = line.starts_with('/') && !line.contains(['+', '=', ' ']);
    is_path && line.matches('/').count() >= 2 || is_address(line) || line.parse::<std::net::IpAddr>().is_ok()
}

/// Whether it begins with the scheme of a URL; a password may have `://` anywhere.
fn is_address(line: &str) -> bool {
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|char: char| char.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|char| char.is_ascii_alphanumeric() || "+-.".contains(char))
    };
    line.split_once("://").is_some_and(|(scheme, _)| is_scheme(scheme))
}

/// How many bytes at the begin of a line are the same in every key or token of its kind.
fn structure(line: &str) -> usize {
    const HEADS: &[(&str, usize)] = &[
        // A private key in base64 of base64.
        ("LS0tLS1CRUdJTi", 112),
        // OpenSSH: the names of the ciphers, and the public key.
        ("b3BlbnNzaC1rZXktdjE", 70),
        ("MII", 44),
        ("MC4CAQ", 24),
        ("MHcCAQ", 12),
        ("MIG", 40),
    ];
    // The head of a JWT.
    if line.starts_with("eyJ") {
        return line.find('.').map_or(0, |dot| dot + 1);
    }
    HEADS
        .iter()
        .find(|(head, _)| line.starts_with(head))
        .map_or(0, |(_, length)| *length)
}

/// For each byte, whether it is in a part that looks as if it had been drawn at random.
fn random_parts(line: &str) -> Vec<bool> {
    let bytes = line.as_bytes();
    let mut random = vec![false; bytes.len()];
    if is_mixed(bytes) {
        random.fill(true);
        return random;
    }
    let mut from = 0;
    for part in bytes.split(|byte| !byte.is_ascii_alphanumeric()) {
        if looks_random(part)
            && let Some(random) = random.get_mut(from..from + part.len())
        {
            random.fill(true);
        }
        from += part.len() + 1;
    }
    random
}

/// A password with signs in it, such as nobody writes otherwise: no spaces, and three classes of characters.
fn is_mixed(bytes: &[u8]) -> bool {
    let has = |class: fn(&u8) -> bool| bytes.iter().any(class);
    let classes = [
        has(u8::is_ascii_lowercase),
        has(u8::is_ascii_uppercase),
        has(u8::is_ascii_digit),
    ];
    bytes.len() <= 64
        && has(|byte| b"!#$^*~|".contains(byte))
        && !has(u8::is_ascii_whitespace)
        && classes.iter().filter(|has| **has).count() >= 2
}

fn looks_random(part: &[u8]) -> bool {
    if part.len() < super::table::WINDOW {
        return false;
    }
    let count = |class: fn(&u8) -> bool| part.iter().filter(|byte| class(byte)).count();
    let (digits, upper, lower) = (
        count(u8::is_ascii_digit),
        count(u8::is_ascii_uppercase),
        count(u8::is_ascii_lowercase),
    );
    let turns = |class: fn(&u8) -> bool| {
        let changes = part
            .windows(2)
            .filter(|pair| matches!(pair, [a, b] if class(a) != class(b)));
        changes.count()
    };
    let digit_turns = turns(u8::is_ascii_digit);
    let mixes = digits >= 1 && upper >= 1 && lower >= 1;
    if digits > 0 && upper + lower > 0 && (digit_turns >= 3 || mixes && digit_turns >= 2 && part.len() >= 10) {
        return true;
    }
    // Letters only, or nearly: words change between vowels and consonants, and between cases seldom.
    let is_consonant = |byte: &u8| byte.is_ascii_alphabetic() && !b"aeiouyAEIOUY".contains(byte);
    let longest = part
        .split(|byte| !is_consonant(byte))
        .map(<[u8]>::len)
        .max()
        .unwrap_or(0);
    let case_turns = turns(u8::is_ascii_uppercase);
    part.len() >= 16 && (longest >= 6 || upper > 0 && lower > 0 && case_turns * 3 >= part.len())
}
