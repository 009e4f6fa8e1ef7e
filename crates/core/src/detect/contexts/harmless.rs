//! What may stand where a secret would, and is none: a placeholder, a variable, a reference, a path.

use std::sync::LazyLock;

use crate::detect::by_byte::ByByte;
use crate::mask::MARKER;

use super::bytes::{at, goes_on, skip};
use super::words::{LABELLED, LABELS, MESSAGES, REFERENCES, WORDS};

/// The marker where the field is base64.
const ENCODED_MARKER: &[u8] = b"Y291bnRlcnNpZ24ubWFza2VkLnZhbHVl";

/// Longest value that is looked at for being harmless: what is longer is no placeholder, and looking at it again for
/// each name before it would take too long.
pub(super) const MAX_HARMLESS: usize = 512;

/// The tables by the first byte, which is what few of them share.
struct ByFirst {
    words: ByByte<&'static str>,
    references: ByByte<&'static str>,
}

static BY_FIRST: LazyLock<ByFirst> = LazyLock::new(|| {
    let by_first = |words: &'static [&str]| ByByte::new(words.iter().copied(), |word| lower_first(word.as_bytes()));
    ByFirst {
        words: by_first(WORDS),
        references: by_first(REFERENCES),
    }
});

fn lower_first(text: &[u8]) -> Option<u8> {
    text.first().map(u8::to_ascii_lowercase)
}

/// Whether a value is one that anybody may read, whatever its name: nothing, a placeholder, a reference, a path.
pub(super) fn is_harmless(value: &[u8]) -> bool {
    if value.len() > MAX_HARMLESS {
        return is_sealed(value);
    }
    if value.len() <= 16 && is_word(value) {
        return true;
    }
    is_sealed(value)
        || is_label(value)
        || is_checks(value)
        || is_message(value)
        || is_range_of_versions(value)
        || value == MARKER.as_bytes()
        || value == ENCODED_MARKER
        || is_placeholder(value)
        || is_reference(value)
}

/// A word of a language with other letters: `Contraseña`.
fn is_label(value: &[u8]) -> bool {
    const LONGEST: usize = 64;
    !value.is_ascii()
        && value.len() <= LONGEST
        && std::str::from_utf8(value).is_ok_and(|text| {
            text.chars()
                .all(|letter| letter.is_alphabetic() || matches!(letter, ' ' | '\''))
        })
}

/// What a form has to hold: `required|min:8|confirmed`.
fn is_checks(value: &[u8]) -> bool {
    [&b"required|"[..], b"nullable|", b"sometimes|"]
        .iter()
        .any(|check| value.starts_with(check))
}

/// What a form says of its field: `Confirm password`, `is too short`, `Password must be at least 8 characters`.
fn is_message(value: &[u8]) -> bool {
    const LONGEST: usize = 120;
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b" .,'!-()".contains(byte);
    // Letters, or a small number.
    let is_word = |word: &[u8]| {
        let digits = word.iter().filter(|byte| byte.is_ascii_digit()).count();
        digits == 0 || digits < 4 && !word.iter().any(u8::is_ascii_alphabetic)
    };
    if !value.contains(&b' ') || value.len() > LONGEST || !value.iter().all(is_plain) {
        return false;
    }
    let text = String::from_utf8_lossy(value).to_ascii_lowercase();
    let mut words = text.split(' ').rev();
    let is_label =
        words.next().is_some_and(|last| LABELLED.contains(&last)) && words.all(|word| LABELS.contains(&word));
    is_label || value.split(|byte| *byte == b' ').all(is_word) && MESSAGES.iter().any(|said| text.contains(said))
}

/// `^3.16.16`, `>=1.2.0`.
fn is_range_of_versions(value: &[u8]) -> bool {
    let sign = skip(value, 0, |byte| matches!(byte, b'^' | b'~' | b'>' | b'<' | b'='));
    let version = value.get(sign..).unwrap_or_default();
    (1..=2).contains(&sign)
        && version.contains(&b'.')
        && version.first().is_some_and(u8::is_ascii_digit)
        && version
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+'))
}

fn is_word(value: &[u8]) -> bool {
    let value = value.trim_ascii();
    // `String!` of GraphQL.
    let value = value
        .strip_suffix(b".")
        .or_else(|| value.strip_suffix(b"!"))
        .unwrap_or(value);
    // One of several: `true|false`.
    let is_one = |value: &[u8]| {
        let words = BY_FIRST.words.of(lower_first(value));
        value.is_empty() || words.iter().any(|word| value.eq_ignore_ascii_case(word.as_bytes()))
    };
    value.split(|byte| *byte == b'|').all(is_one)
}

/// `${X}`, `$(X)`, `$X`, `{{ x }}`, `<x>`, `[x]`, `%X%`, `%s`, `***`, `xxxx`, `...`, `(sensitive value)`.
fn is_placeholder(value: &[u8]) -> bool {
    let Some((first, last)) = value.first().zip(value.last()) else {
        return true;
    };
    if value == b"," {
        return true;
    }
    let second = at(value, 1);
    match first {
        b'$' => {
            // A variable in whole; a password may begin with a dollar sign.
            return match second {
                b'{' => last == &b'}' || value.windows(2).any(|pair| matches!(pair, b":-" | b"}/")),
                // A command, of which this may be the first word only.
                b'(' => true,
                b'$' => is_placeholder(value.get(1..).unwrap_or_default()),
                // Of PHP: `$_POST['x']`.
                b'_' if at(value, 2).is_ascii_uppercase() => true,
                _ if goes_on(value, 0, b"$env:") => true,
                // Of PHP: `$request->bearerToken()`.
                _ if memchr::memmem::find(value, b"->").is_some() => true,
                b'1'..=b'9' => value.len() == 2,
                // `$HOME/.kube/config`.
                _ => {
                    let name = value.get(1..).unwrap_or_default();
                    let name = name.split(|byte| *byte == b'/').next().unwrap_or(name);
                    (value.len() > 2 || second.is_ascii_uppercase()) && !name.is_empty() && is_variable(name)
                }
            };
        }
        // Not what Maven has encrypted.
        b'{' if second == b'{' || last == &b'}' => return value.ends_with(b"}") && !value.ends_with(b"=}"),
        b'<' if last == &b'>' || matches!(second, b'<' | b'(' | b'%') => return true,
        b'[' if last == &b']' => return is_words(value),
        b'(' if last == &b')' => return is_words(value),
        // The parameters of a function: `(s: State) => …`.
        b'(' if value.iter().skip(1).all(u8::is_ascii_alphabetic) => return true,
        b'%' if last == &b'%' && value.len() > 2 => return is_words(value),
        b'%' if second == b'(' && value.ends_with(b")s") => return true,
        b'@' if second == b'@' => return true,
        b'@' if last == &b'@' && value.len() > 2 => return is_words(value.get(1..value.len() - 1).unwrap_or_default()),
        b'%' if value.len() <= 3 => return true,
        b'#' | b'%' if second == b'{' => return last == &b'}',
        // A type.
        b'&' if goes_on(value, 0, b"&str") || goes_on(value, 0, b"&mut") || second == b'\'' => return true,
        b'&' | b'*' if second.is_ascii_alphabetic() && (value.ends_with(b"{") || value.contains(&b'.')) => return true,
        b'[' if second == b']' => return true,
        // A tag of YAML.
        b'!' if second.is_ascii_alphabetic() => {
            const TAGS: [&[u8]; 8] = [
                b"!vault",
                b"!ref",
                b"!sub",
                b"!getatt",
                b"!importvalue",
                b"!encrypted",
                b"!env",
                b"!secret",
            ];
            let is_lower = value.len() > 3 && value.iter().skip(1).all(u8::is_ascii_lowercase);
            return is_lower || TAGS.iter().any(|tag| goes_on(value, 0, tag));
        }
        b'_' if second == b'_' => return value.ends_with(b"__") && is_words(value),
        _ => {}
    }
    let same = value
        .iter()
        .all(|byte| byte == first || *byte == b'-' && value.len() > 6);
    value.iter().all(|byte| matches!(byte, b'"' | b'\'' | b'\\'))
        || (same && matches!(first, b'*' | b'x' | b'X' | b'.' | b'-' | b'_' | b'#' | b'?' | b'~'))
        || value.starts_with("\u{2022}".as_bytes())
        || value.starts_with("\u{25cf}".as_bytes())
        || is_shortened(value)
        || is_usage(value)
        || value.starts_with(b"<") && value.windows(8).any(|part| part.eq_ignore_ascii_case(b"redacted"))
        || is_instruction(value)
        || goes_on(value, 0, b"0xc000")
}

/// What was masked by others, or shows only its ends: `****abcd`, `sk-...abcd`.
fn is_shortened(value: &[u8]) -> bool {
    memchr::memmem::find(value, b"****").is_some()
        || value.len() < 24
            && [&b"..."[..], "\u{2026}".as_bytes()]
                .iter()
                .any(|dots| memchr::memmem::find(value, dots).is_some())
}

/// What stands for a value where the use of a program is told: `--password=PASSWORD`.
fn is_usage(value: &[u8]) -> bool {
    value.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_')
        && (value == b"KEY" || crate::detect::names::secrecy(value).is_some())
}

/// What a sealed secret is: only its controller can read it. It begins with the length of a key of RSA.
fn is_sealed(value: &[u8]) -> bool {
    value.len() >= 64
        && value.starts_with(b"Ag")
        && matches!(at(value, 2), b'A'..=b'D')
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
    let references = BY_FIRST.references.of(lower_first(value));
    if references
        .iter()
        .any(|reference| goes_on(value, 0, reference.as_bytes()))
    {
        return true;
    }
    // Another flag.
    if let Some(flag) = value.strip_prefix(b"--")
        && flag.first().is_some_and(u8::is_ascii_lowercase)
        && flag.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'-')
    {
        return true;
    }
    // `jwt=@/var/run/secrets/…`: what is in a file.
    is_path(value.strip_prefix(b"@").unwrap_or(value)) || is_file(value) || is_call(value) || is_type(value)
}

/// A relative path to a file: `secrets/password.txt`.
fn is_file(value: &[u8]) -> bool {
    const ENDINGS: [&[u8]; 10] = [
        b"txt", b"pem", b"key", b"crt", b"yaml", b"yml", b"json", b"env", b"conf", b"enc",
    ];
    let is_named = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"/-_.".contains(byte);
    let ending = value.rsplit(|byte| *byte == b'.').next();
    value.contains(&b'/') && ending.is_some_and(|ending| ENDINGS.contains(&ending)) && value.iter().all(is_named)
}

/// A type with another inside: `Option<String>`.
fn is_type(value: &[u8]) -> bool {
    let letters = |byte: &u8| byte.is_ascii_alphabetic() || b"_:<>&?[].".contains(byte);
    let is_generic = value.contains(&b'<') && value.ends_with(b">") || value.contains(&b'[') && value.ends_with(b"]");
    value.first().is_some_and(u8::is_ascii_uppercase) && is_generic && value.iter().all(letters)
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
    // `createAction<string>('x')`.
    if at(value, name) == b'<' && memchr::memmem::find(value, b">(").is_some() {
        return true;
    }
    match at(value, name) {
        // `corev1.SecretReference{Name:`.
        b'{' => value.iter().take(name).any(|byte| *byte == b'.') && at(value, name + 1).is_ascii_alphabetic(),
        b'(' => {
            value.iter().take(name).any(|byte| matches!(byte, b'.' | b':'))
                || value.ends_with(b")")
                // Cut at a space: `hash(password + salt)`.
                || value.iter().all(|byte| byte.is_ascii_alphabetic() || b"_(){,=.".contains(byte))
                || value.ends_with(b");")
                || name + 1 == value.len()
                || matches!(at(value, name + 1), b'"' | b'\'' | b'$')
                || is_member(value.get(name + 1..).unwrap_or_default())
        }
        // Cut at the quote, or of a constant: `secret.Data[corev1.TokenKey]`.
        b'[' => {
            let inside = value.get(name + 1..).unwrap_or_default();
            let is_word = value
                .iter()
                .take(name)
                .all(|byte| byte.is_ascii_alphabetic() || *byte == b'.');
            matches!(inside.first(), Some(b'"' | b'\'')) || is_word && (inside.is_empty() || is_member(inside))
        }
        _ => false,
    }
}

/// `secret.Data[`, `corev1.TokenKey]`: something of something.
fn is_member(code: &[u8]) -> bool {
    let owner = skip(code, 0, |byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let member = skip(code, owner + 1, |byte| byte.is_ascii_alphabetic());
    code.first().is_some_and(u8::is_ascii_alphabetic)
        && at(code, owner) == b'.'
        && member > owner + 1
        && matches!(at(code, member), 0 | b'[' | b']' | b'(' | b')' | b'.')
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
}
