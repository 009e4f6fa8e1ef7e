//! What a value is called: its key, the `name` beside it, or a key further up.

use std::sync::LazyLock;

use crate::detect::Last;

/// Names of one value.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Names<'n> {
    /// Its own.
    pub(super) own: Option<&'n str>,
    /// One that says that everything below it is secret.
    pub(super) above: Option<&'n str>,
}

impl<'n> Names<'n> {
    pub(super) fn of(own: Option<&'n str>) -> Self {
        Self { own, above: None }
    }

    pub(super) fn are_none(self) -> bool {
        self.own.is_none() && self.above.is_none()
    }
}

/// Words that say so of what is below, at the end of a key.
const SECRET: [&str; 33] = [
    "password",
    "passwd",
    "pwd",
    "pass",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "clientsecret",
    "credential",
    "connectionstring",
    "authorization",
    "bearer",
    "cookie",
    "session",
    "sas",
    "signature",
    "kubeconfig",
    "dockerconfigjson",
    "dockerconfig",
    "pin",
    "otp",
    "auth",
    "encryptionkey",
    "signingkey",
    "passwordhash",
    "secretaccesskey",
    "sharedkey",
    "masterkey",
    "creds",
];

static LAST: LazyLock<Last> = LazyLock::new(|| {
    let plurals: Vec<String> = SECRET.iter().map(|word| format!("{word}s")).collect();
    Last::of(SECRET.into_iter().chain(plurals.iter().map(String::as_str)))
});

/// Whether a key may say that everything below it is secret; whether it does for a value is for the detectors to say.
pub(super) fn covers_what_is_below(key: &str) -> bool {
    if !LAST.may_end(key.as_bytes()) {
        return false;
    }
    // From its end, in lower case, without separators and a number.
    let letters = tail(key).iter().copied().rev().filter(u8::is_ascii_alphanumeric);
    let letters = letters.map(|letter| letter.to_ascii_lowercase());
    let plain = letters.skip_while(u8::is_ascii_digit);
    let singular = plain.clone().skip(usize::from(plain.clone().next() == Some(b's')));
    SECRET
        .iter()
        .any(|word| ends_with(plain.clone(), word) || ends_with(singular.clone(), word))
}

/// Whether letters, read from the end, begin with a word.
fn ends_with(mut letters: impl Iterator<Item = u8>, word: &str) -> bool {
    word.bytes().rev().all(|byte| letters.next() == Some(byte))
}

/// Whether a number under this key is secret.
pub(super) fn is_secret_number(key: &str) -> bool {
    let plain = normalised(key);
    let is_word = |word: &&str| plain == word.as_bytes() || ends_with_word(key, word);
    ["pin", "otp"].iter().any(is_word)
        || ["password", "passwd", "passphrase", "pwd"]
            .iter()
            .any(|word| plain.ends_with(word.as_bytes()))
}

/// What is below a secret key, and still only names something.
pub(super) fn only_names(key: &str) -> bool {
    matches!(key, "name" | "key" | "namespace" | "kind" | "apiVersion") || key.ends_with("Name") || key.ends_with("Ref")
}

/// Whether the last word of a key is this one: `userPin`, `user_pin`, not `spin`.
fn ends_with_word(key: &str, word: &str) -> bool {
    let Some((before, last)) = key
        .len()
        .checked_sub(word.len())
        .and_then(|start| key.split_at_checked(start))
    else {
        return false;
    };
    let is_edge = before.is_empty()
        || before.ends_with(|last: char| !last.is_alphanumeric())
        || last.starts_with(|first: char| first.is_ascii_uppercase())
            && before.ends_with(|last: char| last.is_ascii_lowercase());
    last.eq_ignore_ascii_case(word) && is_edge
}

/// A key in lower case, without separators.
fn normalised(key: &str) -> Vec<u8> {
    let letters = tail(key).iter().filter(|byte| byte.is_ascii_alphanumeric());
    letters.map(u8::to_ascii_lowercase).collect()
}

/// The end of a key, which is what counts: it is looked at for each of the values below it, of which there may be many.
fn tail(key: &str) -> &[u8] {
    const LONGEST: usize = 96;
    key.as_bytes()
        .get(key.len().saturating_sub(LONGEST)..)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_cover() {
        for key in [
            "password",
            "DB_PASSWORDS",
            "clientSecret",
            "api-key",
            "tokens2",
            "x.auth",
        ] {
            assert!(covers_what_is_below(key), "{key}");
        }
        for key in ["author", "secretName", "spec", "tokenizer"] {
            assert!(!covers_what_is_below(key), "{key}");
        }
    }

    #[test]
    fn numbers() {
        for key in ["pin", "userPin", "user_pin", "OTP", "adminPassword"] {
            assert!(is_secret_number(key), "{key}");
        }
        for key in ["spin", "tokens", "port", "secret", "pins"] {
            assert!(!is_secret_number(key), "{key}");
        }
    }
}
