//! Kubernetes' named formats: `format.dns1123Label().validate(name)`.
//!
//! Source: k8s.io/apiserver `pkg/cel/library/format.go`, k8s.io/apimachinery `pkg/api/validate/content`.

use base64::Engine as _;

use super::url::Url;
use super::{Function, Overload, Ty, global, member, overload, time};
use crate::policy::condition::fault::{Fault, Meter};
use crate::policy::condition::value::Value;

/// A format that text may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policy::condition) enum Format {
    Dns1123Label,
    Dns1123Subdomain,
    Dns1035Label,
    QualifiedName,
    Dns1123LabelPrefix,
    Dns1123SubdomainPrefix,
    Dns1035LabelPrefix,
    LabelValue,
    Uri,
    Uuid,
    Byte,
    Date,
    Datetime,
}

const NOTHING: &[Overload] = &[overload(&[], Ty::Format)];

pub(super) const FUNCTIONS: &[Function] = &[
    global("format.dns1123Label", NOTHING, |_, _| {
        Ok(Value::Format(Format::Dns1123Label))
    }),
    global("format.dns1123Subdomain", NOTHING, |_, _| {
        Ok(Value::Format(Format::Dns1123Subdomain))
    }),
    global("format.dns1035Label", NOTHING, |_, _| {
        Ok(Value::Format(Format::Dns1035Label))
    }),
    global("format.qualifiedName", NOTHING, |_, _| {
        Ok(Value::Format(Format::QualifiedName))
    }),
    global("format.dns1123LabelPrefix", NOTHING, |_, _| {
        Ok(Value::Format(Format::Dns1123LabelPrefix))
    }),
    global("format.dns1123SubdomainPrefix", NOTHING, |_, _| {
        Ok(Value::Format(Format::Dns1123SubdomainPrefix))
    }),
    global("format.dns1035LabelPrefix", NOTHING, |_, _| {
        Ok(Value::Format(Format::Dns1035LabelPrefix))
    }),
    global("format.labelValue", NOTHING, |_, _| {
        Ok(Value::Format(Format::LabelValue))
    }),
    global("format.uri", NOTHING, |_, _| Ok(Value::Format(Format::Uri))),
    global("format.uuid", NOTHING, |_, _| Ok(Value::Format(Format::Uuid))),
    global("format.byte", NOTHING, |_, _| Ok(Value::Format(Format::Byte))),
    global("format.date", NOTHING, |_, _| Ok(Value::Format(Format::Date))),
    global("format.datetime", NOTHING, |_, _| Ok(Value::Format(Format::Datetime))),
    global(
        "format.named",
        &[overload(&[Ty::Text], Ty::OptionalFormat)],
        |_, arguments| match arguments {
            [Value::Text(name)] => {
                Ok(named(name.as_str()).map_or(Value::NONE, |format| Value::some(Value::Format(format))))
            }
            _ => Err(Fault::Overload),
        },
    ),
    member(
        "validate",
        &[overload(&[Ty::Format, Ty::Text], Ty::OptionalTexts)],
        validate,
    ),
];

fn named(name: &str) -> Option<Format> {
    Some(match name {
        "dns1123Label" => Format::Dns1123Label,
        "dns1123Subdomain" => Format::Dns1123Subdomain,
        "dns1035Label" => Format::Dns1035Label,
        "qualifiedName" => Format::QualifiedName,
        "dns1123LabelPrefix" => Format::Dns1123LabelPrefix,
        "dns1123SubdomainPrefix" => Format::Dns1123SubdomainPrefix,
        "dns1035LabelPrefix" => Format::Dns1035LabelPrefix,
        "labelValue" => Format::LabelValue,
        "uri" => Format::Uri,
        "uuid" => Format::Uuid,
        "byte" => Format::Byte,
        "date" => Format::Date,
        "datetime" => Format::Datetime,
        _ => return None,
    })
}

fn validate<'v>(meter: &mut Meter, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
    let [Value::Format(format), Value::Text(text)] = arguments else {
        return Err(Fault::Overload);
    };
    meter.charge(text.as_str().len())?;
    let wrong = format.wrong(text.as_str());
    if wrong.is_empty() {
        return Ok(Value::NONE);
    }
    Ok(Value::some(Value::list(wrong.into_iter().map(Value::owned).collect())))
}

impl Format {
    /// What is wrong with a text, in upstream's words.
    fn wrong(self, text: &str) -> Vec<String> {
        let one = |right: bool, message: &str| if right { Vec::new() } else { vec![message.to_owned()] };
        match self {
            Self::Dns1123Label => label(text),
            Self::Dns1123LabelPrefix => label(&masked(text)),
            Self::Dns1123Subdomain => subdomain(text),
            Self::Dns1123SubdomainPrefix => subdomain(&masked(text)),
            Self::Dns1035Label => label_1035(text),
            Self::Dns1035LabelPrefix => label_1035(&masked(text)),
            Self::QualifiedName => qualified_name(text),
            Self::LabelValue => label_value(text),
            Self::Uri => one(Url::parse(text, true).is_some(), "invalid URI for request"),
            Self::Uuid => one(is_uuid(text), "does not match the UUID format"),
            Self::Byte => one(
                base64::engine::general_purpose::STANDARD.decode(text).is_ok() && !text.is_empty(),
                "invalid base64",
            ),
            Self::Date => one(is_date(text), "invalid date"),
            Self::Datetime => one(
                time::is_rfc3339(text) && text.parse::<jiff::Timestamp>().is_ok(),
                "invalid datetime",
            ),
        }
    }
}

/// The end of a name that something may be appended to.
fn masked(name: &str) -> String {
    let mut characters: Vec<char> = name.chars().collect();
    if characters.len() > 1 && characters.last() == Some(&'-') {
        // Upstream takes two characters away for the one that it adds.
        characters.truncate(characters.len() - 2);
        characters.push('a');
    }
    characters.into_iter().collect()
}

fn too_long(length: usize) -> String {
    format!("must be no more than {length} bytes")
}

fn regex_error(message: &str, pattern: &str, examples: &[&str]) -> String {
    let examples: Vec<String> = examples.iter().map(|example| format!("'{example}'")).collect();
    format!(
        "{message} (e.g. {}, regex used for validation is '{pattern}')",
        // The spaces are upstream's.
        examples.join(",  or ")
    )
}

const LABEL: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";

fn is_word(text: &str, inner: impl Fn(u8) -> bool, outer: impl Fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    bytes.first().copied().is_some_and(&outer)
        && bytes.last().copied().is_some_and(&outer)
        && bytes.iter().all(|byte| outer(*byte) || inner(*byte))
}

fn is_dns_word(text: &str) -> bool {
    is_word(
        text,
        |byte| byte == b'-',
        |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit(),
    )
}

fn label(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if text.len() > 63 {
        wrong.push(too_long(63));
    }
    if !is_dns_word(text) {
        wrong.push(if text.split('.').all(is_dns_word) {
            "must not contain dots".to_owned()
        } else {
            regex_error(
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start \
                 and end with an alphanumeric character",
                LABEL,
                &["my-name", "123-abc"],
            )
        });
    }
    wrong
}

fn label_1035(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if text.len() > 63 {
        wrong.push(too_long(63));
    }
    if !is_dns_word(text) || !text.starts_with(|first: char| first.is_ascii_lowercase()) {
        wrong.push(regex_error(
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic \
             character, and end with an alphanumeric character",
            "[a-z]([-a-z0-9]*[a-z0-9])?",
            &["my-name", "abc-123"],
        ));
    }
    wrong
}

fn subdomain(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if text.len() > 253 {
        wrong.push(too_long(253));
    }
    if !text.split('.').all(is_dns_word) {
        wrong.push(regex_error(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must \
             start and end with an alphanumeric character",
            &format!("{LABEL}(\\.{LABEL})*"),
            &["example.com"],
        ));
    }
    wrong
}

const NAME: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const NAME_MESSAGE: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
                            alphanumeric character";

fn is_name(text: &str) -> bool {
    is_word(text, |byte| b"-_.".contains(&byte), |byte| byte.is_ascii_alphanumeric())
}

fn qualified_name(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let examples = ["MyName", "my.name", "123-abc"];
    let (prefix, name) = match text.split('/').collect::<Vec<_>>().as_slice() {
        [name] => (None, *name),
        [prefix, name] => (Some(*prefix), *name),
        _ => {
            let message = regex_error(NAME_MESSAGE, NAME, &examples);
            return vec![format!(
                "a valid label key {message} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
    };
    match prefix {
        Some("") => wrong.push("prefix part must be non-empty".to_owned()),
        Some(prefix) => wrong.extend(
            subdomain(prefix)
                .into_iter()
                .map(|message| format!("prefix part {message}")),
        ),
        None => {}
    }
    if name.is_empty() {
        wrong.push("name part must be non-empty".to_owned());
    } else if name.len() > 63 {
        wrong.push(format!("name part {}", too_long(63)));
    }
    if !is_name(name) {
        wrong.push(format!("name part {}", regex_error(NAME_MESSAGE, NAME, &examples)));
    }
    wrong
}

fn label_value(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if text.len() > 63 {
        wrong.push(too_long(63));
    }
    if !text.is_empty() && !is_name(text) {
        wrong.push(regex_error(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must \
             start and end with an alphanumeric character",
            &format!("({NAME})?"),
            &["MyValue", "my_value", "12345"],
        ));
    }
    wrong
}

/// Hyphens may be left out.
fn is_uuid(text: &str) -> bool {
    let mut rest = text;
    for (index, length) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if index > 0 {
            rest = rest.strip_prefix('-').unwrap_or(rest);
        }
        match rest.split_at_checked(length) {
            Some((part, after)) if part.bytes().all(|byte| byte.is_ascii_hexdigit()) => rest = after,
            _ => return false,
        }
    }
    rest.is_empty()
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}
