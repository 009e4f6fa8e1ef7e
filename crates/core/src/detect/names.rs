//! Which names are names of secrets: of variables, keys, fields, flags, headers.
//!
//! A name is taken apart at `_`, `-`, `.`, spaces and humps, and read without case and separators. What it ends with
//! decides, after words that say nothing (`_PROD`, `_2`, `Value`) are gone. So what is about a secret but is none
//! (`secretName`, `tokenExpiry`, `PASSWORD_FILE`, `keyRef`) does not count, since it ends with something else.

use std::sync::LazyLock;

use super::by_byte::ByByte;
use super::last::Last;

/// What a name says of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Secrecy {
    /// A password: any value is one.
    Password,
    /// A token, a key, a secret: any value is one that is no word of prose and no count.
    Token,
    /// Only a value that looks like one is one: `session`, `signature`, `auth`.
    Perhaps,
    /// Some digits: `pin`, `otp`.
    Digits,
    /// A header `Authorization`: a scheme and credentials.
    Authorization,
    /// A header `Cookie` or `Set-Cookie`.
    Cookie,
}

use Secrecy::{Authorization, Cookie, Digits, Password, Perhaps, Token};

/// What a name says of a value that stands alone: in a field, a variable, not in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alone {
    /// It is a secret, if anything of this secrecy is.
    Any(Secrecy),
    /// If it is long: sessions, cookies, signatures.
    Long,
    /// If it is no word: `auth`.
    NoWord,
}

/// What the compact name ends with, wherever the word begins.
const ENDINGS: &[(&str, Secrecy)] = &[
    ("password", Password),
    ("passwd", Password),
    ("passwort", Password),
    ("pwd", Password),
    ("passphrase", Password),
    ("passcode", Password),
    ("requirepass", Password),
    ("userpass", Password),
    ("dbpass", Password),
    ("storepass", Password),
    ("keypass", Password),
    ("rootpass", Password),
    ("masterauth", Password),
    ("primaryauth", Password),
    ("pragmakey", Password),
    ("pragmarekey", Password),
    ("pragmahexkey", Password),
    ("erlangcookie", Password),
    ("bindpw", Password),
    ("rootpw", Password),
    ("dbpw", Password),
    ("userpw", Password),
    ("seedphrase", Password),
    ("recoveryphrase", Password),
    ("restuserkey", Password),
    ("otpseed", Token),
    ("totpseed", Token),
    ("mfaseed", Token),
    ("rediscliauth", Password),
    ("replicasetkey", Token),
    ("secret", Token),
    ("secretid", Perhaps),
    ("authuserinfo", Token),
    ("secretstring", Token),
    ("secretbinary", Token),
    ("secretkeybase", Token),
    ("token", Token),
    ("authtok", Token),
    ("tokens", Perhaps),
    ("secrets", Perhaps),
    ("identifiedby", Password),
    ("passwords", Password),
    ("apikey", Token),
    ("apikeys", Token),
    ("accesskey", Token),
    ("secretkey", Token),
    ("privatekey", Token),
    ("credential", Token),
    ("credentials", Token),
    ("connectionstring", Token),
    ("connstring", Token),
    ("connstr", Token),
    ("authorization", Authorization),
    ("bearer", Token),
    ("cookie", Cookie),
    ("jsessionid", Perhaps),
    ("sessionid", Perhaps),
    ("phpsessid", Perhaps),
    ("sessid", Perhaps),
    ("session", Perhaps),
    ("signature", Perhaps),
    ("kubeconfig", Token),
    ("dockerconfigjson", Token),
    ("dockercfg", Token),
    ("authcode", Perhaps),
    ("authorizationcode", Perhaps),
    ("verificationcode", Digits),
    ("onetimecode", Digits),
    ("securitycode", Digits),
    ("recoverycode", Digits),
    ("devicecode", Perhaps),
    ("codeverifier", Perhaps),
    ("backupcode", Digits),
];

/// What the compact name ends with as a word, or several, of their own.
const WORDS: &[(&str, Secrecy)] = &[
    ("pass", Password),
    ("pw", Password),
    ("psk", Password),
    ("mnemonic", Password),
    ("jwt", Token),
    ("sas", Token),
    ("pat", Perhaps),
    ("appid", Perhaps),
    ("code", Perhaps),
    ("auth", Perhaps),
    ("sig", Perhaps),
    ("sid", Perhaps),
    ("creds", Token),
    ("cred", Perhaps),
    ("pin", Digits),
    ("otp", Digits),
    ("totp", Digits),
    ("cvv", Digits),
    ("cvc", Digits),
];

/// What `key` must have before it to be a secret; a key of a map, a table or a cache is none.
const KEYS: &[&str] = &[
    "api",
    "access",
    "secret",
    "private",
    "priv",
    "client",
    "encryption",
    "encrypt",
    "decryption",
    "validation",
    "master",
    "signing",
    "sign",
    "hmac",
    "ssh",
    "account",
    "shared",
    "storage",
    "auth",
    "app",
    "application",
    "license",
    "licence",
    "service",
    "admin",
    "root",
    "deploy",
    "deployment",
    "webhook",
    "jwt",
    "cipher",
    "crypto",
    "aes",
    "rsa",
    "tls",
    "ssl",
    "server",
    "session",
    "cookie",
    "security",
    "consumer",
    "subscription",
    "function",
    "functions",
    "host",
    "instrumentation",
    "ingest",
    "ingestion",
    "write",
    "preshared",
    "unseal",
    "recovery",
    "backup",
    "stripe",
    "sendgrid",
    "openai",
    "anthropic",
    "aws",
    "azure",
    "certificate",
    "github",
    "gitlab",
    "mailgun",
    "twilio",
    "newrelic",
    "pagerduty",
    "datadog",
    "integration",
    "project",
    "tenant",
    "etcd",
    "ca",
    "vault",
    "dd",
    "fernet",
    "django",
    "rails",
    "flask",
    "laravel",
    "wireguard",
    "x",
];

/// What `key` may have before it although it ends like one of those.
const NO_KEYS: &[&str] = &["sshhost", "hostkey", "metadata", "sshpublic"];

/// Words at the end of a name that say nothing about what it names.
const SUFFIXES: &[&str] = &[
    "value",
    "val",
    "prod",
    "production",
    "staging",
    "stage",
    "dev",
    "test",
    "old",
    "new",
    "current",
    "previous",
    "prev",
    "confirm",
    "confirmation",
    "confirmed",
    "again",
    "repeat",
    "plain",
    "plaintext",
    "cleartext",
    "text",
    "raw",
    "primary",
    "secondary",
    "backup",
    "base64",
    "b64",
    "encoded",
    "data",
    "default",
    "main",
    "live",
    "hash",
];

/// Names that end like a secret and are none.
const EXCEPTIONS: &[&str] = &[
    "automountserviceaccounttoken",
    "allowcredentials",
    "accesscontrolallowcredentials",
    "withcredentials",
    "includecredentials",
    "pagetoken",
    "nexttoken",
    "continuetoken",
    "continuationtoken",
    "paginationtoken",
    "cancellationtoken",
    "canceltoken",
    "resumetoken",
    "synctoken",
    "startingtoken",
    "markertoken",
    "eostoken",
    "bostoken",
    "padtoken",
    "unktoken",
    "septoken",
    "clstoken",
    "masktoken",
    "stoptoken",
    "stringtoken",
    "pertoken",
    "initialclustertoken",
    "locktoken",
    "changetoken",
    "sequencetoken",
    "inputtoken",
    "outputtoken",
    "clientrequesttoken",
    "maxtokens",
    "mintokens",
    "numtokens",
    "totaltokens",
    "prompttokens",
    "completiontokens",
    "inputtokens",
    "outputtokens",
    "unexpectedtoken",
    "methodsignature",
    "functionsignature",
    "typesignature",
    "imagepullsecret",
    "existingsecret",
    "invalidpassword",
    "wrongpassword",
    "badpassword",
    "missingpassword",
    "incorrectpassword",
    "emptypassword",
    "weakpassword",
    "invalidtoken",
    "expiredtoken",
    "missingtoken",
    "badtoken",
    "invalidcredentials",
    "badcredentials",
    "invalidsignature",
    "grantpassword",
    "nopassword",
    "forgotpassword",
    "resetpassword",
    "changepassword",
    "showpassword",
];

/// How names end of which there is something to say, or to take off.
static LAST: LazyLock<Last> = LazyLock::new(|| {
    let told = ENDINGS.iter().chain(WORDS).map(|(word, _)| *word);
    Last::of(told.chain(SUFFIXES.iter().copied()).chain(["key", "keys"]))
});

/// The tables by the last letter, which is what few of them share.
struct ByLast {
    endings: ByByte<(&'static str, Secrecy)>,
    words: ByByte<(&'static str, Secrecy)>,
    exceptions: ByByte<&'static str>,
    suffixes: ByByte<&'static str>,
}

static BY_LAST: LazyLock<ByLast> = LazyLock::new(|| {
    let last = |word: &str| word.bytes().last();
    let told = |words: &'static [(&str, Secrecy)]| ByByte::new(words.iter().copied(), |(word, _)| last(word));
    ByLast {
        endings: told(ENDINGS),
        words: told(WORDS),
        exceptions: ByByte::new(EXCEPTIONS.iter().copied(), last),
        suffixes: ByByte::new(SUFFIXES.iter().copied(), last),
    }
});

/// Longest name that is looked at, from its end.
const MAX_NAME: usize = 96;

/// A name in lower case without separators, and where its words begin.
struct Compact {
    letters: [u8; MAX_NAME],
    len: usize,
    starts: u128,
}

impl Compact {
    fn new(name: &[u8]) -> Self {
        let tail = name.get(name.len().saturating_sub(MAX_NAME)..).unwrap_or_default();
        let mut compact = Self {
            letters: [0; MAX_NAME],
            len: 0,
            starts: 0,
        };
        let mut last = b'_';
        for (at, byte) in tail.iter().enumerate() {
            if byte.is_ascii_alphanumeric() {
                let next_is_small = tail.get(at + 1).is_some_and(u8::is_ascii_lowercase);
                let hump = byte.is_ascii_uppercase() && (!last.is_ascii_uppercase() || next_is_small);
                if hump || !last.is_ascii_alphanumeric() {
                    compact.starts |= 1 << compact.len;
                }
                if let Some(letter) = compact.letters.get_mut(compact.len) {
                    *letter = byte.to_ascii_lowercase();
                    compact.len += 1;
                }
            }
            last = *byte;
        }
        compact
    }

    fn letters(&self) -> &[u8] {
        self.letters.get(..self.len).unwrap_or_default()
    }

    fn ends_with(&self, ending: &str) -> bool {
        self.letters().ends_with(ending.as_bytes())
    }

    /// Whether it ends with a word, or with several that are one.
    fn ends_with_word(&self, word: &str) -> bool {
        self.ends_with(word) && self.starts & (1 << (self.len - word.len())) != 0
    }

    /// Without what says nothing at its end.
    fn strip(&mut self) {
        for _ in 0..3 {
            let before = self.len;
            while self.len > 1 && self.letters().last().is_some_and(u8::is_ascii_digit) {
                self.len -= 1;
            }
            let suffixes = BY_LAST.suffixes.of(self.letters().last().copied());
            if let Some(suffix) = suffixes.iter().find(|suffix| self.ends_with_word(suffix))
                && self.len > suffix.len()
            {
                self.len -= suffix.len();
            }
            if self.len == before {
                break;
            }
        }
    }
}

/// What a name says of its value, if that may be a secret.
pub(super) fn secrecy(name: &[u8]) -> Option<Secrecy> {
    if !LAST.may_end(name) {
        return None;
    }
    let mut compact = Compact::new(name);
    if compact.len < 2 {
        return None;
    }
    secrecy_of(&compact).or_else(|| {
        let whole = compact.len;
        compact.strip();
        (compact.len < whole).then(|| secrecy_of(&compact)).flatten()
    })
}

/// What a name says of a value that stands alone, if that may be a secret.
pub(super) fn alone(name: &[u8]) -> Option<Alone> {
    const LONG: [&str; 3] = ["session", "signature", "authorization"];
    const PLURALS: [&str; 2] = ["secrets", "tokens"];
    let found = secrecy(name).or_else(|| {
        // Of several.
        let one = name.strip_suffix(b"s").or_else(|| name.strip_suffix(b"S"))?;
        secrecy(one)
            .filter(|secrecy| matches!(secrecy, Password | Token | Cookie) || Compact::new(one).ends_with("session"))
    })?;
    let mut compact = Compact::new(name);
    compact.strip();
    let ends = |words: &[&str]| words.iter().any(|word| compact.ends_with(word));
    Some(match found {
        Cookie => Alone::Long,
        Authorization | Perhaps if ends(&LONG) || ends(&["sessions"]) => Alone::Long,
        Perhaps if ends(&PLURALS) => Alone::Any(Token),
        Perhaps if compact.ends_with_word("auth") => Alone::NoWord,
        other => Alone::Any(other),
    })
}

fn secrecy_of(compact: &Compact) -> Option<Secrecy> {
    let last = compact.letters().last().copied();
    let found = BY_LAST
        .endings
        .of(last)
        .iter()
        .find(|(ending, _)| compact.ends_with(ending))
        .or_else(|| {
            BY_LAST
                .words
                .of(last)
                .iter()
                .find(|(word, _)| compact.ends_with_word(word))
        })
        // Of a country, an error: no code but those above is one.
        .filter(|(word, _)| *word != "code" || compact.len == word.len())
        .map(|(_, secrecy)| *secrecy);
    if found.is_some() {
        let exceptions = BY_LAST.exceptions.of(last);
        return found.filter(|_| !exceptions.iter().any(|exception| compact.ends_with(exception)));
    }
    let before = compact
        .letters()
        .strip_suffix(b"key")
        .or_else(|| compact.letters().strip_suffix(b"keys"))?;
    let known = KEYS.iter().any(|key| {
        before.ends_with(key.as_bytes()) && (key.len() > 3 || compact.starts & (1 << (before.len() - key.len())) != 0)
    });
    let harmless = NO_KEYS.iter().any(|key| before.ends_with(key.as_bytes()));
    (known && !harmless).then_some(Token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets() {
        for name in [
            "password",
            "DB_PASSWORD",
            "dbPassword",
            "spring.datasource.password",
            "POSTGRES_PASSWORD_2",
            "password1",
            "PGPASSWORD",
            "MYSQL_PWD",
            "REDIS_PASS",
            "dbPass",
            "client-secret",
            "clientSecret",
            "X-Api-Key",
            "APIKey",
            "apikey",
            "AWS_SECRET_ACCESS_KEY",
            "x-amz-security-token",
            "csrf_token",
            "SECRET_KEY_BASE",
            "client-key-data",
            "AccountKey",
            "SharedAccessKey",
            "PIN",
            "userPin",
            "otp",
            "blobSas",
            "ConnectionString",
            ".dockerconfigjson",
            "Set-Cookie",
            "proxy-authorization",
            "TOKEN_VALUE",
            "_authToken",
            "tls.key",
        ] {
            assert!(secrecy(name.as_bytes()).is_some(), "{name}");
        }
    }

    #[test]
    fn names_of_something_else() {
        for name in [
            "secretName",
            "secretRef",
            "tokenSecretName",
            "PASSWORD_FILE",
            "passwordPolicy",
            "password_length",
            "tokenExpiry",
            "token_count",
            "max_tokens",
            "automountServiceAccountToken",
            "nextPageToken",
            "pageToken",
            "continue",
            "resourceVersion",
            "spin",
            "pinned",
            "tokenizer",
            "kansas",
            "compass",
            "bypass",
            "key",
            "primaryKey",
            "cache_key",
            "publicKey",
            "public_key",
            "AWS_ACCESS_KEY_ID",
            "session_timeout",
            "author",
            "monkey",
            "",
            "p",
        ] {
            assert_eq!(secrecy(name.as_bytes()), None, "{name}");
        }
    }
}
