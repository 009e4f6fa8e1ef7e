//! What stands behind the name of a secret and is none, for how the two stand in their line: types, variables, references.

use std::ops::Range;

use crate::detect::names::Secrecy;

use super::bare::bare;
use super::bytes::{at, before, is_blank, part, rest, skip, skip_back};
use super::named::{Delimiter, MAX_NAME, Named, begins_line};
use super::quote::Quote;
use super::value;

/// Names that name something else in their place.
pub(super) fn excepted(line: &[u8], named: &Named) -> bool {
    let name = part(line, named.name.clone());
    // An image: `registry.example/secret:v1`.
    (before(line, named.name.start) == b'/'
            && !is_blank(before(line, named.name.start - 1))
            && named.delimiter == Delimiter::Colon
            && !is_blank(before(line, named.value)))
        || (named.delimiter == Delimiter::Colon && is_in_resource_name(line, named))
        // `checksum/secret: 9f86…` is of a Secret's content.
        || part(line, 0..named.name.start).ends_with(b"checksum/")
        // A shell asks for it: `${PASSWORD:?required}`.
        || (before(line, named.name.start) == b'{' && named.delimiter == Delimiter::Colon && at(line, named.value) == b'?')
        // A variable of a declaration in GraphQL: `$password: String!`.
        || (before(line, named.name.start) == b'$' && named.delimiter == Delimiter::Colon && is_declaration(line, named.value))
        // A type: `password: Optional[str] = None`, `token: Token | null`, `var token: AuthToken?`.
        || (named.delimiter == Delimiter::Colon && is_typed(line, named.value))
        // A variable of a template: `{{- $password := randAlphaNum 24 }}`.
        || (before(line, named.name.start) == b'$'
            && part(line, 0..named.value).trim_ascii_end().ends_with(b":=")
            && Quote::open(line, named.value).is_none())
        // How long it is, in what kubectl describes.
        || (named.delimiter == Delimiter::Colon && is_size(line, named.value))
        // A variable of psql: `PASSWORD :'app_password'`.
        || (named.delimiter == Delimiter::Colon
            && is_blank(at(line, named.name.end))
            && before(line, named.value) == b':'
            && at(line, named.value) == b'\'')
        // A version of a package: `password-hash==1.0.0`.
        || (part(line, named.name.end..named.name.end + 2) == b"==" && value::is_version(part(line, bare(line, named.value))))
        // What kubectl describes of a service account.
        || part(line, 0..named.name.start).ends_with(b"Mountable ")
        // A chain of errors: `failed to refresh token: oauth2: "invalid_client"`.
        || (named.secrecy == Secrecy::Token && named.delimiter == Delimiter::Colon && !named.quoted && is_link(line, named))
        // A test that passed.
        || (name == b"PASS" && named.delimiter == Delimiter::Colon)
        || (before(line, named.name.start) == b'!' && named.delimiter == Delimiter::Call)
        || (name.ends_with(b".pass") && named.delimiter == Delimiter::Call)
}

/// Whether a short word stands between two colons, in a line that goes on.
fn is_link(line: &[u8], named: &Named) -> bool {
    const LONGEST: usize = 12;
    let end = skip(line, named.value, |byte| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit()
    });
    !begins_line(line, named.name.start)
        && (2..=LONGEST).contains(&(end - named.value))
        && at(line, end) == b':'
        && is_blank(at(line, end + 1))
}

/// `423 bytes`.
fn is_size(line: &[u8], value: usize) -> bool {
    let end = skip(line, value, |byte| byte.is_ascii_digit());
    end > value && rest(line, end).trim_ascii() == b"bytes"
}

/// The name of a type, and behind it what says that it is one.
fn is_typed(line: &[u8], value: usize) -> bool {
    let end = skip(line, value, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'[' | b']' | b'<' | b'>')
    });
    let name = part(line, value..end);
    let last = name.rsplit(|byte| *byte == b'.').next().unwrap_or(name);
    let is_type = last.first().is_some_and(u8::is_ascii_uppercase)
        && name.first().is_some_and(u8::is_ascii_alphabetic)
        && last.iter().any(u8::is_ascii_lowercase);
    let optional = end + usize::from(at(line, end) == b'?');
    let behind = rest(line, optional).trim_ascii_start();
    let blank = is_blank(at(line, optional));
    let goes_on = [&b"= "[..], b"| null", b"| undefined", b"| None"]
        .iter()
        .any(|sign| behind.starts_with(sign));
    is_type
        && (blank && goes_on
            || optional > end && (behind.is_empty() || !blank && matches!(at(line, optional), b',' | b')' | b';')))
}

/// The name of a type: `String!`.
fn is_declaration(line: &[u8], value: usize) -> bool {
    let end = skip(line, value, |byte| byte.is_ascii_alphabetic());
    end > value && at(line, value).is_ascii_uppercase() && matches!(at(line, end), b'!' | b',' | b')')
}

/// `arn:aws:secretsmanager:eu-west-1:1:secret:db`.
fn is_in_resource_name(line: &[u8], named: &Named) -> bool {
    if before(line, named.name.start) != b':' {
        return false;
    }
    let least = named.name.start.saturating_sub(MAX_NAME);
    if memchr::memmem::find(part(line, least..named.name.start), b"secretsmanager:").is_some() {
        return true;
    }
    let start = skip_back(line, named.name.start, least, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'/')
    });
    [&b"arn:"[..], b"urn:", b"projects/"]
        .iter()
        .any(|begin| part(line, start..named.name.start).starts_with(begin))
}

/// `define('DB_PASSWORD', 'x')`.
pub(super) fn is_definition(line: &[u8], name: usize) -> bool {
    let open = skip_back(line, name, name.saturating_sub(4), |byte| {
        matches!(byte, b'"' | b'\'' | b'\\' | b' ')
    });
    part(line, 0..open).trim_ascii_end().ends_with(b"define(")
}

/// What a field is called for people: `"login.password": "Password"`.
pub(super) fn is_label(line: &[u8], named: &Named, value: &[u8]) -> bool {
    let name = part(line, named.name.clone());
    let last = name.rsplit(|byte| *byte == b'.').next().unwrap_or(name);
    last.len() < name.len()
        && value.eq_ignore_ascii_case(last)
        && value.first().is_some_and(u8::is_ascii_uppercase)
        && value.iter().skip(1).all(u8::is_ascii_lowercase)
}

/// A variable that is called like what it is assigned to: `this.password = password;`, `login(password=password)`.
pub(super) fn is_own_name(line: &[u8], named: &Named, value: &Range<usize>) -> bool {
    let name = part(line, named.name.clone());
    let text = part(line, value.clone());
    let last = name.rsplit(|byte| *byte == b'.').next().unwrap_or(name);
    let is_code =
        name.starts_with(b"this.") || name.starts_with(b"self.") || matches!(at(line, value.end), b';' | b')' | b',');
    last.eq_ignore_ascii_case(text) && is_code
}

/// `signing_key=x` alone in a line, which no code is written like.
pub(super) fn is_setting(line: &[u8], named: &Named) -> bool {
    named.delimiter == Delimiter::Equal
        && named.value == named.name.end + 1
        && begins_line(line, named.name.start)
        && rest(line, bare(line, named.value).end).trim_ascii().is_empty()
}

/// Something of something: `resp.nextToken`.
pub(super) fn is_member(value: &[u8]) -> bool {
    value.contains(&b'.')
        && value
            .iter()
            .all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'.'))
}

/// A variable with the name of a secret: `confirmPassword`, `user_password`.
pub(super) fn is_name_of_secret(value: &[u8]) -> bool {
    let joined =
        value.iter().any(|byte| matches!(byte, b'_' | b'.')) || value.iter().skip(1).any(u8::is_ascii_uppercase);
    let named = value
        .iter()
        .all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'.'));
    joined
        && named
        && value.first().is_some_and(u8::is_ascii_lowercase)
        && crate::detect::names::secrecy(value).is_some()
}

/// `STRIPE_SECRET`.
fn is_variable_of_environment(name: &[u8]) -> bool {
    name.contains(&b'_') && !name.iter().any(u8::is_ascii_lowercase)
}

/// `secret=default/db`: the name of a Secret, which is what this key is for in logs of Kubernetes.
pub(super) fn is_reference_by_name(line: &[u8], named: &Named, value: &[u8]) -> bool {
    let name = part(line, named.name.clone());
    named.secrecy == Secrecy::Token
        && !value::has_owner(name)
        && !((is_variable_of_environment(name) || name.ends_with(b".secret")) && value::is_of_words(value, 3))
        && name
            .get(name.len().saturating_sub(6)..)
            .is_some_and(|end| end.eq_ignore_ascii_case(b"secret"))
        && value::is_resource(value)
        && !value::is_passphrase(value)
}
