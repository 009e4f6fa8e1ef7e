//! What a value may be: a secret, or one of the many things that stand where a secret would.

use crate::detect::names::{Secrecy, secrecy as secrecy_of_name};
use crate::mask::MARKER;

use super::bytes::{at, goes_on, skip};

/// The marker where the field is base64.
const ENCODED_MARKER: &[u8] = b"Y291bnRlcnNpZ24ubWFza2VkLnZhbHVl";

/// Longest value that is looked at for being harmless: what is longer is no placeholder, and looking at it again for
/// each name before it would take too long.
const MAX_HARMLESS: usize = 512;

/// How sure the place is that a value follows the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// An assignment, a field, a flag: `name=value`.
    Assigned,
    /// Prose: `password hunter2`.
    Prose,
}

/// Words that stand where a value would, and are none.
const WORDS: &[&str] = &[
    "",
    "null",
    "nil",
    "none",
    "nan",
    "undefined",
    "unknown",
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "ok",
    "enabled",
    "disabled",
    "enable",
    "disable",
    "required",
    "optional",
    "mandatory",
    "missing",
    "empty",
    "unset",
    "notset",
    "not-set",
    "not_set",
    "blank",
    "invalid",
    "valid",
    "incorrect",
    "correct",
    "wrong",
    "expired",
    "revoked",
    "rejected",
    "accepted",
    "denied",
    "failed",
    "failure",
    "error",
    "success",
    "changed",
    "updated",
    "created",
    "deleted",
    "found",
    "present",
    "absent",
    "hidden",
    "masked",
    "redacted",
    "removed",
    "filtered",
    "sanitized",
    "scrubbed",
    "protected",
    "obfuscated",
    "encrypted",
    "omitted",
    "sensitive",
    "confidential",
    "string",
    "str",
    "strings",
    "bytes",
    "byte",
    "boolean",
    "bool",
    "integer",
    "int",
    "int32",
    "int64",
    "number",
    "object",
    "array",
    "any",
    "interface",
    "file",
    "stringarray",
    "placeholder",
    "todo",
    "tbd",
    "n/a",
    "na",
    "generated",
    "auto",
    "automatic",
    "inherit",
    "prompt",
    "ask",
    "stdin",
    "env",
    "authentication",
    "authenticated",
    "anonymous",
    "is",
    "was",
    "are",
    "has",
    "have",
    "had",
    "must",
    "should",
    "may",
    "can",
    "cannot",
    "could",
    "will",
    "would",
    "does",
    "did",
    "do",
    "not",
    "for",
    "from",
    "with",
    "without",
    "and",
    "or",
    "but",
    "if",
    "in",
    "of",
    "at",
    "by",
    "to",
    "too",
    "the",
    "a",
    "an",
    "this",
    "that",
    "your",
    "my",
    "please",
    "enter",
    "use",
    "used",
    "using",
    "see",
    "via",
    "as",
    "it",
    "so",
    "when",
    "could",
    "contains",
    "needs",
    "need",
    "unable",
    "permission",
    "unauthorized",
    "unauthenticated",
    "forbidden",
    "malformed",
    "mismatch",
    "unsupported",
    "unrecognized",
    "unexpected",
    "signature",
    "flag",
    "nor",
    "await",
    "new",
    "return",
    "function",
    "lambda",
    "option",
    "parameter",
    "field",
    "value",
];

/// How a reference to a secret begins; the secret is elsewhere.
const REFERENCES: &[&str] = &[
    "vault:",
    "op://",
    "arn:",
    "ref+",
    "ref:",
    "file:",
    "secret://",
    "secretref:",
    "env:",
    "env.",
    "awssm:",
    "gcpsm:",
    "azurekeyvault:",
    "sops:",
    "enc[",
    "enc:",
    "sealed:",
    "projects/",
    "bank-vaults",
    "kms:",
    "ssm:",
    "doppler:",
    "keyring:",
    "k8s:",
    "kubernetes:",
    "@microsoft.keyvault",
    "https://kubernetes.default",
    "$ansible_vault",
    "os.environ",
    "os.getenv",
    "os.lookupenv",
    "process.env",
    "system.getenv",
    "system.getproperty",
    "getenv",
    "environ[",
    "env[",
    "env(",
    "env!(",
    "config.",
    "config[",
    "cfg.",
    "conf.",
    "settings.",
    "options.",
    "opts.",
    "args.",
    "params.",
    "params[",
    "request.",
    "req.",
    "res.",
    "response.",
    "self.",
    "this.",
    "ctx.",
    "var.",
    "vars.",
    "local.",
    "data.",
    "module.",
    "secrets.",
    "inputs.",
    "github.",
    "steps.",
    "values.",
    "spec.",
    "user.",
    "random_password.",
    "sha256:",
    "sha512:",
    "secretkeyref",
    "valuefrom",
    "configmapkeyref",
    "c:\\",
    "~/",
    "./",
    "../",
];

/// Whether a value is one that anybody may read, whatever its name: nothing, a placeholder, a reference, a path.
pub(super) fn is_harmless(value: &[u8]) -> bool {
    if value.len() > MAX_HARMLESS {
        return is_sealed(value);
    }
    if value.len() <= 16 && is_word(value) {
        return true;
    }
    value == MARKER.as_bytes() || value == ENCODED_MARKER || is_placeholder(value) || is_reference(value)
}

fn is_word(value: &[u8]) -> bool {
    let value = value.trim_ascii();
    let value = value.strip_suffix(b".").unwrap_or(value);
    WORDS.iter().any(|word| value.eq_ignore_ascii_case(word.as_bytes()))
}

/// `${X}`, `$(X)`, `$X`, `{{ x }}`, `<x>`, `[x]`, `%X%`, `%s`, `***`, `xxxx`, `...`, `(sensitive value)`.
fn is_placeholder(value: &[u8]) -> bool {
    let Some((first, last)) = value.first().zip(value.last()) else {
        return true;
    };
    let second = at(value, 1);
    match first {
        b'$' => {
            // A variable in whole; a password may begin with a dollar sign.
            return match second {
                b'{' => last == &b'}' || value.windows(2).any(|pair| pair == b":-"),
                b'(' => last == &b')',
                b'$' => is_placeholder(value.get(1..).unwrap_or_default()),
                b'1'..=b'9' => value.len() == 2,
                _ => value.len() > 2 && is_variable(value.get(1..).unwrap_or_default()),
            };
        }
        b'{' if second == b'{' || last == &b'}' => return value.ends_with(b"}"),
        b'<' if last == &b'>' || second == b'<' || second == b'(' => return true,
        b'[' if last == &b']' => return is_words(value),
        b'(' if last == &b')' => return is_words(value),
        b'%' if last == &b'%' && value.len() > 2 => return is_words(value),
        b'%' if value.len() <= 3 => return true,
        b'#' | b'%' if second == b'{' => return last == &b'}',
        b'@' if second == b'@' => return true,
        b'!' if second.is_ascii_alphabetic() => {
            return [
                &b"!vault"[..],
                b"!ref",
                b"!sub",
                b"!getatt",
                b"!importvalue",
                b"!encrypted",
                b"!env",
                b"!secret",
            ]
            .iter()
            .any(|tag| goes_on(value, 0, tag));
        }
        b'_' if second == b'_' => return value.ends_with(b"__") && is_words(value),
        _ => {}
    }
    let same = value.iter().all(|byte| byte == first);
    (same && matches!(first, b'*' | b'x' | b'X' | b'.' | b'-' | b'_' | b'#' | b'?' | b'~'))
        || value.starts_with("\u{2022}".as_bytes())
        || value.starts_with(b"****")
        || value.starts_with(b"<") && value.windows(8).any(|part| part.eq_ignore_ascii_case(b"redacted"))
        || is_instruction(value)
        || goes_on(value, 0, b"0xc000")
}

/// What a sealed secret is: longer than any other, and only its controller can read it.
fn is_sealed(value: &[u8]) -> bool {
    value.starts_with(b"Ag")
        && value
            .iter()
            .take(200)
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
}

/// `your-token-here`, `REPLACE_ME`, `insert_password`, `PLACEHOLDER`.
fn is_instruction(value: &[u8]) -> bool {
    if value.len() > 48 || value.iter().any(u8::is_ascii_digit) {
        return false;
    }
    let has = |word: &[u8]| value.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
    (goes_on(value, 0, b"your") && matches!(at(value, 4), b'-' | b'_' | b' ' | b'T' | b'P' | b'S' | b'A' | b'K'))
        || has(b"replace_me")
        || has(b"replace-me")
        || has(b"replaceme")
        || has(b"placeholder")
        || has(b"redacted")
        || has(b"goes_here")
        || has(b"goes-here")
        || has(b"_here>")
        || has(b"not set")
        || has(b"not-a-secret")
}

/// A name of a variable: capitals, or small letters, with `_`.
fn is_variable(name: &[u8]) -> bool {
    let named = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let small = name.iter().all(|byte| named(byte) && !byte.is_ascii_uppercase());
    let capital = name.iter().all(|byte| named(byte) && !byte.is_ascii_lowercase());
    let plain = !name.iter().any(u8::is_ascii_digit);
    (capital || plain || (small && name.contains(&b'_')))
        && name.iter().all(named)
        && !name.first().is_some_and(u8::is_ascii_digit)
}

/// Letters, blanks and what joins words, within brackets.
fn is_words(value: &[u8]) -> bool {
    value.len() < 64
        && value
            .iter()
            .all(|byte| byte.is_ascii_alphabetic() || b" -_[]()%*.".contains(byte))
}

fn is_reference(value: &[u8]) -> bool {
    if REFERENCES
        .iter()
        .any(|reference| goes_on(value, 0, reference.as_bytes()))
    {
        return true;
    }
    is_path(value) || is_call(value)
}

/// An absolute path: words between slashes. Base64 may begin with a slash too.
fn is_path(value: &[u8]) -> bool {
    if value.first() != Some(&b'/') || value.len() > 512 {
        return false;
    }
    let mut parts = value.split(|byte| *byte == b'/').skip(1);
    let first = parts.next().unwrap_or_default();
    const ROOTS: &[&[u8]] = &[
        b"var",
        b"run",
        b"etc",
        b"opt",
        b"home",
        b"root",
        b"tmp",
        b"mnt",
        b"usr",
        b"srv",
        b"app",
        b"secrets",
        b"secret",
        b"vault",
        b"data",
        b"config",
        b"certs",
        b"keys",
        b"dev",
        b"proc",
        b"api",
        b"v1",
        b"v2",
        b"bitnami",
        b"auth",
        b"oauth",
        b"oauth2",
        b"token",
        b"login",
        b"reset",
        b"healthz",
        b"workspace",
        b"credentials",
        b"conf",
    ];
    ROOTS.contains(&first)
        || value
            .iter()
            .all(|byte| byte.is_ascii_lowercase() || b"/-_.".contains(byte))
}

/// A call or a member of something: `getPassword()`, `secrets["db"]`.
fn is_call(value: &[u8]) -> bool {
    let name = skip(value, 0, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':')
    });
    if name == 0 || value.first().is_some_and(u8::is_ascii_digit) {
        return false;
    }
    match at(value, name) {
        b'(' => {
            value.ends_with(b")")
                || value.ends_with(b");")
                || name + 1 == value.len()
                || at(value, name + 1) == b'"'
                || at(value, name + 1) == b'\''
        }
        b'[' => matches!(at(value, name + 1), b'"' | b'\''),
        _ => false,
    }
}

/// Whether the value of a name is a secret.
pub(super) fn is_secret(secrecy: Secrecy, value: &[u8], place: Place) -> bool {
    if is_harmless(value) {
        return false;
    }
    if secrecy != Secrecy::Password && names_another(value) {
        return false;
    }
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    let numeric = digits == value.len() || is_measure(value);
    match (secrecy, place) {
        (Secrecy::Password, Place::Assigned) => !(numeric && value.len() < 3),
        (Secrecy::Password, Place::Prose) => looks_secret(value, 6),
        (Secrecy::Token, Place::Assigned) => !(numeric && value.len() < 9) && !is_address(value) && value.len() > 1,
        (Secrecy::Token | Secrecy::Authorization, Place::Prose) => {
            value.len() >= 16 && looks_secret(value, 16) && !is_uuid(value)
        }
        (Secrecy::Authorization, Place::Assigned) => value.len() >= 6 && !is_plain_word(value),
        (Secrecy::Perhaps | Secrecy::Cookie, Place::Assigned) => {
            looks_secret(value, 8) && !is_address(value) && !is_resource(value)
        }
        (Secrecy::Perhaps | Secrecy::Cookie, Place::Prose) => false,
        (Secrecy::Digits, Place::Assigned) => {
            (numeric && (4..=10).contains(&value.len())) || (digits > 0 && looks_secret(value, 6))
        }
        (Secrecy::Digits, Place::Prose) => numeric && (4..=8).contains(&value.len()),
    }
}

/// A name of a key or of an object that holds the secret: `secretKey: password`, `tokens: default-token-x7k2p`.
fn names_another(value: &[u8]) -> bool {
    let name = value.len() < 64
        && value
            .iter()
            .all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'-' | b'_' | b'.'));
    let object = || {
        value.len() < 128
            && value
                .iter()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'/'))
            && memchr::memmem::find(value, b"-token-").is_some()
    };
    (name && secrecy_of_name(value).is_some()) || object()
}

/// Only letters, at most the first a capital: a word of prose.
pub(super) fn is_plain_word(value: &[u8]) -> bool {
    value
        .iter()
        .enumerate()
        .all(|(index, byte)| byte.is_ascii_lowercase() || (index == 0 && byte.is_ascii_uppercase()))
        || value.iter().all(u8::is_ascii_uppercase)
}

/// A count, a size, a duration: `512`, `4096Mi`, `1.5s`.
fn is_measure(value: &[u8]) -> bool {
    let number = skip(value, 0, |byte| {
        byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b',' | b'+')
    });
    number > 0
        && value.first().is_some_and(|byte| byte.is_ascii_digit() || *byte == b'-')
        && matches!(
            value.get(number..).unwrap_or_default(),
            b"" | b"s"
                | b"ms"
                | b"us"
                | b"ns"
                | b"m"
                | b"h"
                | b"d"
                | b"%"
                | b"k"
                | b"K"
                | b"M"
                | b"Mi"
                | b"Ki"
                | b"Gi"
                | b"MB"
                | b"KB"
                | b"B"
                | b"kB"
        )
}

/// Whether something looks like a secret by itself: letters mixed with digits, capitals or signs, and none of the shapes
/// that are known to be something else.
pub(super) fn looks_secret(value: &[u8], least: usize) -> bool {
    if value.len() < least
        || is_harmless(value)
        || is_measure(value)
        || is_date(value)
        || is_version(value)
        || is_address(value)
    {
        return false;
    }
    let mut small = false;
    let mut capital = false;
    let mut inner_capital = false;
    let mut digit = false;
    let mut sign = false;
    for (index, byte) in value.iter().enumerate() {
        small |= byte.is_ascii_lowercase();
        capital |= byte.is_ascii_uppercase();
        inner_capital |= index > 0 && byte.is_ascii_uppercase();
        digit |= byte.is_ascii_digit();
        sign |= b"!@#$%^&*+=~?|".contains(byte);
    }
    let letter = small || capital;
    (letter && digit) || (small && inner_capital && value.len() >= 12) || (letter && sign) || (digit && sign)
}

/// `v1.2.3`, `1.2.3-rc1`.
fn is_version(value: &[u8]) -> bool {
    let start = usize::from(value.first() == Some(&b'v'));
    let end = skip(value, start, |byte| byte.is_ascii_digit() || byte == b'.');
    let dots = value.iter().take(end).filter(|byte| **byte == b'.').count();
    end > start && dots > 0 && (end == value.len() || matches!(at(value, end), b'-' | b'+'))
}

/// `2024-01-02T…`, `12:34:56`.
fn is_date(value: &[u8]) -> bool {
    let digits = skip(value, 0, |byte| byte.is_ascii_digit());
    (digits == 4 && at(value, 4) == b'-' && at(value, 7) == b'-')
        || (digits == 2 && at(value, 2) == b':' && at(value, 5) == b':')
}

/// `123e4567-e89b-12d3-a456-426614174000`.
pub(super) fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// A URL or an address without a secret that could be told apart; what is in it is found by itself.
fn is_address(value: &[u8]) -> bool {
    let scheme = skip(value, 0, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
    });
    (scheme > 0 && value.get(scheme..).is_some_and(|rest| rest.starts_with(b"://"))) || is_ip(value)
}

fn is_ip(value: &[u8]) -> bool {
    value.iter().filter(|byte| **byte == b'.').count() == 3
        && value
            .iter()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b':' | b'/'))
}

/// A name of a resource: `db-credentials`, `default/my-secret`; words in small letters.
pub(super) fn is_resource(value: &[u8]) -> bool {
    let joined = value.iter().any(|byte| matches!(byte, b'-' | b'/' | b'.'));
    let words = value
        .iter()
        .all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'-' | b'/' | b'.'));
    let in_namespace = value.iter().filter(|byte| **byte == b'/').count() == 1
        && value.len() < 128
        && value.first() != Some(&b'/')
        && value
            .iter()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'/' | b'.'))
        && value
            .split(|byte| *byte == b'/')
            .all(|part| part.first().is_some_and(u8::is_ascii_lowercase))
        && value.contains(&b'-');
    (joined && words) || in_namespace
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_anybody_may_read() {
        for value in [
            "",
            "null",
            "None",
            "true",
            "${DB_PASSWORD}",
            "$(DB_PASSWORD)",
            "$DB_PASSWORD",
            "$PASSWORD",
            "{{ .Values.x }}",
            "<redacted>",
            "<password>",
            "***",
            "********",
            "xxxx",
            "[hidden]",
            "REDACTED",
            "(sensitive value)",
            "countersign.masked.value",
            "Y291bnRlcnNpZ24ubWFza2VkLnZhbHVl",
            "vault:secret/data/x#y",
            "op://vault/item/field",
            "arn:aws:secretsmanager:eu-west-1:1:secret:db",
            "file:///run/secrets/x",
            "/var/run/secrets/token",
            "os.environ[\"X\"]",
            "process.env.DB_PASSWORD",
            "getPassword()",
            "%s",
            "{}",
            "your-token-here",
            "%DB_PASSWORD%",
            "{password}",
            "string",
            "required",
            "0xc000123456",
        ] {
            assert!(is_harmless(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn values_that_may_be_secrets() {
        for value in [
            "changeme",
            "hunter2",
            "$ecret1",
            "$2y$10$abc",
            "password",
            "p@ss:w0rd/",
            "/abc+DEF123==",
            "xxxy",
            "Pa$$w0rd",
            "{abc",
            "%41bc!de",
            "-----",
            "correct horse battery staple",
        ] {
            assert!(value == "-----" || !is_harmless(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn what_looks_like_a_secret() {
        for value in ["hunter2", "s3cr3t!", "aB3dE5fG7h", "p@ssword", "QwErTyUiOpAs"] {
            assert!(looks_secret(value.as_bytes(), 6), "{value}");
        }
        for value in [
            "required",
            "Expired",
            "bob",
            "12345678",
            "2024-01-02T03:04:05Z",
            "10.0.0.1",
            "https://x/y",
            "1.5s",
        ] {
            assert!(!looks_secret(value.as_bytes(), 6), "{value}");
        }
    }
}
