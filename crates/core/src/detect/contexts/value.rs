//! What a value may be: a secret, or one of the many things that stand where a secret would.

use crate::detect::names::{Secrecy, secrecy as secrecy_of_name};

use super::bytes::{at, skip};
use super::harmless::{MAX_HARMLESS, is_harmless};

/// How sure the place is that a value follows the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// An assignment, a field, a flag: `name=value`.
    Assigned,
    /// Prose: `password hunter2`.
    Prose,
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
        (Secrecy::Password, Place::Prose) => {
            let is_question = value.strip_suffix(b"?").is_some_and(is_plain_word);
            is_of_words(value, 3)
                || !is_question
                    && looks_secret(value, 6)
                    && !is_camel(value)
                    && !has_address(value)
                    && !is_qualified(value)
        }
        (Secrecy::Token, Place::Assigned) => {
            let short = numeric && value.len() < 9;
            !(short || is_address(value) || value.len() < 2 || is_text(value))
        }
        (Secrecy::Token | Secrecy::Authorization, Place::Prose) => {
            looks_secret(value, 16)
                && !is_uuid(value)
                && !has_address(value)
                && !is_fingerprint(value)
                && !is_qualified(value)
        }
        (Secrecy::Authorization, Place::Assigned) => value.len() >= 6 && !is_plain_word(value),
        (Secrecy::Perhaps | Secrecy::Cookie, Place::Assigned) => {
            looks_secret(value, 8) && !is_address(value) && !is_resource(value) && !is_camel(value)
        }
        (Secrecy::Perhaps | Secrecy::Cookie, Place::Prose) => false,
        (Secrecy::Digits, Place::Assigned) => {
            (numeric && (4..=10).contains(&value.len()))
                || (digits > 0 && looks_secret(value, 6) && !is_numbered(value))
        }
        (Secrecy::Digits, Place::Prose) => numeric && (4..=8).contains(&value.len()),
    }
}

/// What people read: `Enter the token`.
fn is_text(value: &[u8]) -> bool {
    value.contains(&b' ')
        && value
            .iter()
            .all(|byte| byte.is_ascii_alphabetic() || b" .,'!?()-".contains(byte))
        && super::sentence::is_prose(value)
}

/// Whether a value that stands alone under the name of a token or a key is one: not what only names another, as far as
/// that is what the name is used for.
///
/// What holds a credential of its own is never the name of another: `clientSecret`.
pub(super) fn is_token_of(name: &[u8], value: &[u8]) -> bool {
    let ends_with = |ending: &[u8]| {
        let start = name.len().checked_sub(ending.len());
        start.is_some_and(|start| name.get(start..).is_some_and(|end| end.eq_ignore_ascii_case(ending)))
    };
    let is_variable = name.iter().any(u8::is_ascii_uppercase) && !name.iter().any(u8::is_ascii_lowercase);
    let names_another = (name == b"secretKey" && names_another(value))
        || !is_variable && (ends_with(b"secret") || ends_with(b"secrets")) && !has_owner(name) && names_object(value);
    !names_another && is_token(value)
}

/// Whether a value under the name of a token may be one.
pub(super) fn is_token(value: &[u8]) -> bool {
    let is_number = value.iter().all(u8::is_ascii_digit) && value.len() < 8 || is_measure(value) && value.len() < 8;
    !is_harmless(value) && !is_number && !is_address(value) && value.len() > 1
}

/// Whether a name says whose secret it is, or what for, which is not said of objects of the cluster.
pub(super) fn has_owner(name: &[u8]) -> bool {
    const OWNERS: [&[u8]; 18] = [
        b"client",
        b"app",
        b"api",
        b"jwt",
        b"session",
        b"cookie",
        b"webhook",
        b"shared",
        b"hmac",
        b"oauth",
        b"oauth2",
        b"signing",
        b"consumer",
        b"totp",
        b"encryption",
        b"application",
        b"channel",
        b"access",
    ];
    let letters: Vec<u8> = name
        .iter()
        .filter(|byte| byte.is_ascii_alphanumeric())
        .map(u8::to_ascii_lowercase)
        .collect();
    let letters = letters.strip_suffix(b"s").unwrap_or(&letters);
    let owner = letters.strip_suffix(b"secret").unwrap_or_default();
    OWNERS.iter().any(|known| owner.ends_with(known))
}

/// A name of an object: of a DNS label or several.
fn names_object(value: &[u8]) -> bool {
    let is_label = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'/');
    value.len() < 64
        && value.iter().all(is_label)
        && value.first().is_some_and(u8::is_ascii_lowercase)
        && !is_passphrase(value)
        && (value.iter().filter(|byte| byte.is_ascii_digit()).count() <= 3 || names_another(value))
}

/// Longest name of a key without anything between its words: `privatekey`.
const LONGEST_WORD: usize = 13;

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
    // A passphrase may end like a name, but is longer: `mysupersecretkey`.
    let joined = value.len() <= LONGEST_WORD || value.iter().any(|byte| matches!(byte, b'-' | b'_' | b'.'));
    (name && joined && !is_weak(value) && secrecy_of_name(value).is_some()) || object()
}

/// What people choose, and nobody calls an object by.
fn is_weak(value: &[u8]) -> bool {
    const WEAK: [&[u8]; 8] = [
        b"supersecret",
        b"topsecret",
        b"verysecret",
        b"rootpass",
        b"rootpassword",
        b"adminpass",
        b"secretpass",
        b"secretpassword",
    ];
    WEAK.contains(&value)
}

/// A word and its number: `GPIO17`.
fn is_numbered(value: &[u8]) -> bool {
    let word = skip(value, 0, |byte| byte.is_ascii_alphabetic());
    let number = skip(value, word, |byte| byte.is_ascii_digit());
    word > 1 && number == value.len() && number - word <= 2
}

/// Words in names of objects of a cluster. A passphrase is made of others.
const WORDS_OF_NAMES: &[&str] = &[
    "access",
    "account",
    "admin",
    "agent",
    "api",
    "app",
    "application",
    "argo",
    "argocd",
    "auth",
    "aws",
    "azure",
    "backend",
    "backup",
    "bot",
    "bucket",
    "build",
    "cache",
    "cert",
    "certificate",
    "certs",
    "chart",
    "client",
    "cloud",
    "cluster",
    "cnpg",
    "config",
    "connection",
    "container",
    "controller",
    "cookie",
    "core",
    "creds",
    "cred",
    "credential",
    "credentials",
    "cron",
    "data",
    "database",
    "db",
    "default",
    "deploy",
    "deployment",
    "dev",
    "dex",
    "dns",
    "docker",
    "edge",
    "elastic",
    "elasticsearch",
    "env",
    "etcd",
    "example",
    "external",
    "file",
    "flux",
    "from",
    "frontend",
    "gateway",
    "git",
    "github",
    "gitlab",
    "grafana",
    "helm",
    "here",
    "host",
    "http",
    "https",
    "image",
    "ingress",
    "initial",
    "internal",
    "istio",
    "jenkins",
    "job",
    "jwt",
    "kafka",
    "key",
    "keycloak",
    "keys",
    "kube",
    "kubernetes",
    "login",
    "manager",
    "metrics",
    "minio",
    "mongo",
    "mongodb",
    "monitoring",
    "mysql",
    "name",
    "namespace",
    "nats",
    "nginx",
    "node",
    "not",
    "oauth",
    "oidc",
    "operator",
    "pass",
    "passwd",
    "password",
    "path",
    "pod",
    "pool",
    "postgres",
    "postgresql",
    "prod",
    "production",
    "project",
    "prometheus",
    "proxy",
    "public",
    "pull",
    "push",
    "rabbitmq",
    "redis",
    "registry",
    "release",
    "root",
    "secret",
    "secrets",
    "server",
    "service",
    "session",
    "signing",
    "smtp",
    "ssh",
    "ssl",
    "stack",
    "staging",
    "state",
    "storage",
    "store",
    "stripe",
    "svc",
    "system",
    "team",
    "test",
    "the",
    "tls",
    "token",
    "tokens",
    "user",
    "users",
    "value",
    "vault",
    "web",
    "webhook",
    "worker",
    "your",
];

/// Four words or more that no object is called by: `correct-horse-battery-staple`.
pub(super) fn is_passphrase(value: &[u8]) -> bool {
    is_of_words(value, 4)
}

/// So many words or more that no object is called by.
pub(super) fn is_of_words(value: &[u8], least: usize) -> bool {
    const LONGEST: usize = 96;
    let Some(sign) = value.iter().copied().find(|byte| !byte.is_ascii_alphabetic()) else {
        return false;
    };
    let is_word = |word: &[u8]| {
        (3..=10).contains(&word.len())
            && word.iter().all(u8::is_ascii_lowercase)
            && !WORDS_OF_NAMES.iter().any(|known| known.as_bytes() == word)
    };
    value.len() <= LONGEST
        && matches!(sign, b'-' | b'_' | b'.')
        && value.iter().filter(|byte| **byte == sign).count() + 1 >= least
        && value.split(|byte| *byte == sign).all(is_word)
}

/// Of a key of OpenPGP.
fn is_fingerprint(value: &[u8]) -> bool {
    matches!(value.len(), 16 | 32 | 40)
        && value
            .iter()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'A'..=b'F'))
}

fn has_address(value: &[u8]) -> bool {
    memchr::memmem::find(value, b"://").is_some()
}

/// A type of a package, a key and what identifies something: `corev1.SecretKeySelector`, `podName:6f0c1d3e-…`.
fn is_qualified(value: &[u8]) -> bool {
    let owner = skip(value, 0, |byte| byte.is_ascii_alphanumeric());
    let rest = value.get(owner + 1..).unwrap_or_default();
    match at(value, owner) {
        b'.' => {
            at(value, owner + 1).is_ascii_uppercase()
                && rest.iter().all(u8::is_ascii_alphabetic)
                && rest.iter().filter(|byte| byte.is_ascii_lowercase()).count() * 2 > rest.len()
        }
        b':' => value.iter().take(owner).all(u8::is_ascii_alphabetic) && is_uuid(rest),
        _ => false,
    }
}

/// Words with humps: `trustedHosts`.
fn is_camel(value: &[u8]) -> bool {
    let capitals = value.iter().filter(|byte| byte.is_ascii_uppercase()).count();
    value.iter().all(u8::is_ascii_alphabetic) && capitals * 4 <= value.len()
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

/// `v1.2.3`, `1.2.3-rc1`, `1:4.13+dfsg1`.
pub(super) fn is_version(value: &[u8]) -> bool {
    let epoch = skip(value, 0, |byte| byte.is_ascii_digit());
    let start = match value.first() {
        Some(b'v') => 1,
        _ if (1..=2).contains(&epoch) && at(value, epoch) == b':' => epoch + 1,
        _ => 0,
    };
    let end = skip(value, start, |byte| byte.is_ascii_digit() || byte == b'.');
    let dots = value.iter().take(end).filter(|byte| **byte == b'.').count();
    end > start && dots > 0 && (end == value.len() || matches!(at(value, end), b'-' | b'+'))
}

/// Whether something was drawn at random: small letters, capitals and digits without an order.
pub(super) fn looks_random(value: &[u8]) -> bool {
    let of = |kind: fn(&u8) -> bool| value.iter().filter(|byte| kind(byte)).count();
    let changes = value
        .windows(2)
        .filter(|pair| matches!(pair, [a, b] if a.is_ascii_digit() != b.is_ascii_digit() || a.is_ascii_uppercase() != b.is_ascii_uppercase()))
        .count();
    value.len() >= 16
        && value.len() <= MAX_HARMLESS
        && value
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/=_-".contains(byte))
        && of(u8::is_ascii_lowercase) > 2
        && of(u8::is_ascii_uppercase) > 2
        && of(u8::is_ascii_digit) > 1
        && changes * 3 >= value.len()
        && !is_harmless(value)
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
    fn passphrases() {
        for value in ["correct-horse-battery-staple", "river_quartz_saffron_amber", "a-b"] {
            assert_eq!(is_passphrase(value.as_bytes()), value.len() > 3, "{value}");
        }
        for value in [
            "kube-prometheus-stack-grafana",
            "payments-stripe-webhook-signing",
            "argocd-initial-admin-secret",
            "velvet-ember-frost",
            "velvet-ember_frost-river",
            "some.chart.of.ours",
        ] {
            assert!(!is_passphrase(value.as_bytes()), "{value}");
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
