//! Semantic versions.

use std::cmp::Ordering;
use std::rc::Rc;

use semver::Version;

use super::{Function, Overload, Ty, global, member, overload, reader};
use crate::policy::condition::fault::{Fault, Meter};
use crate::policy::condition::value::Value;

const PART: &[Overload] = &[overload(&[Ty::Semver], Ty::Int)];

// Comparisons are with those of quantities, of the same names.
pub(super) const FUNCTIONS: &[Function] = &[
    reader(
        "semver",
        &[
            overload(&[Ty::Text], Ty::Semver),
            overload(&[Ty::Text, Ty::Bool], Ty::Semver),
        ],
        |meter, arguments| match parse(meter, arguments)? {
            Some(version) => Ok(Value::Semver(Rc::new(version))),
            None => Err(Fault::new("the text is no semantic version: write it as in `1.2.3`")),
        },
    ),
    global(
        "isSemver",
        &[
            overload(&[Ty::Text], Ty::Bool),
            overload(&[Ty::Text, Ty::Bool], Ty::Bool),
        ],
        |meter, arguments| Ok(Value::Bool(parse(meter, arguments)?.is_some())),
    ),
    member("major", PART, |_, arguments| part(arguments, |version| version.major)),
    member("minor", PART, |_, arguments| part(arguments, |version| version.minor)),
    member("patch", PART, |_, arguments| part(arguments, |version| version.patch)),
];

/// Build metadata does not count.
pub(super) fn compare_versions(a: &Version, b: &Version) -> Ordering {
    a.cmp_precedence(b)
}

fn part<'v>(arguments: &[Value<'v>], part: impl Fn(&Version) -> u64) -> Result<Value<'v>, Fault> {
    let [Value::Semver(version)] = arguments else {
        return Err(Fault::Overload);
    };
    let part = i64::try_from(part(version)).map_err(|_| Fault::new("the number does not fit an int"))?;
    Ok(Value::Int(part))
}

fn parse(meter: &mut Meter, arguments: &[Value<'_>]) -> Result<Option<Version>, Fault> {
    let (text, lenient) = match arguments {
        [Value::Text(text)] => (text.as_str(), false),
        [Value::Text(text), Value::Bool(lenient)] => (text.as_str(), *lenient),
        _ => return Err(Fault::Overload),
    };
    meter.bytes(text.len())?;
    let normalized = if lenient {
        normalize(text)
    } else {
        Some(text.to_owned())
    };
    Ok(normalized.and_then(|text| Version::parse(&text).ok()))
}

/// `v1.02` as `1.2.0`.
fn normalize(text: &str) -> Option<String> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let mut parts: Vec<String> = text.splitn(3, '.').map(without_zeros).collect();
    if parts.len() < 3 && parts.last()?.contains(['+', '-']) {
        return None;
    }
    parts.resize(3, "0".to_owned());
    Some(parts.join("."))
}

fn without_zeros(part: &str) -> String {
    if part.len() <= 1 {
        return part.to_owned();
    }
    let rest = part.trim_start_matches('0');
    if rest.starts_with(|first: char| first.is_ascii_digit()) {
        rest.to_owned()
    } else {
        format!("0{rest}")
    }
}
