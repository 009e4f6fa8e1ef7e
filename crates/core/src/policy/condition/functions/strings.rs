//! Functions of text; positions count characters.

use super::convert::count;
use super::{Function, Overload, Ty, global, member, overload};
use crate::policy::condition::fault::{Fault, Meter};
use crate::policy::condition::value::Value;

const TEST: &[Overload] = &[overload(&[Ty::Text, Ty::Text], Ty::Bool)];
const CHANGE: &[Overload] = &[overload(&[Ty::Text], Ty::Text)];
const INDEX: &[Overload] = &[
    overload(&[Ty::Text, Ty::Text], Ty::Int),
    overload(&[Ty::Text, Ty::Text, Ty::Int], Ty::Int),
    overload(&[Ty::List, Ty::Dyn], Ty::Int),
];

pub(super) const FUNCTIONS: &[Function] = &[
    member("contains", TEST, |meter, arguments| {
        test(meter, arguments, |text, part| text.contains(part))
    }),
    member("startsWith", TEST, |meter, arguments| {
        test(meter, arguments, |text, part| text.starts_with(part))
    }),
    member("endsWith", TEST, |meter, arguments| {
        test(meter, arguments, |text, part| text.ends_with(part))
    }),
    member("charAt", &[overload(&[Ty::Text, Ty::Int], Ty::Text)], char_at),
    member("indexOf", INDEX, index_of),
    member("lastIndexOf", INDEX, last_index_of),
    member(
        "join",
        &[
            overload(&[Ty::List], Ty::Text),
            overload(&[Ty::List, Ty::Text], Ty::Text),
        ],
        join,
    ),
    member("lowerAscii", CHANGE, |meter, arguments| {
        change(meter, arguments, str::to_ascii_lowercase)
    }),
    member("upperAscii", CHANGE, |meter, arguments| {
        change(meter, arguments, str::to_ascii_uppercase)
    }),
    member("trim", CHANGE, |meter, arguments| {
        change(meter, arguments, |text| text.trim().to_owned())
    }),
    member(
        "replace",
        &[
            overload(&[Ty::Text, Ty::Text, Ty::Text], Ty::Text),
            overload(&[Ty::Text, Ty::Text, Ty::Text, Ty::Int], Ty::Text),
        ],
        replace,
    ),
    member(
        "split",
        &[
            overload(&[Ty::Text, Ty::Text], Ty::Texts),
            overload(&[Ty::Text, Ty::Text, Ty::Int], Ty::Texts),
        ],
        split,
    ),
    member(
        "substring",
        &[
            overload(&[Ty::Text, Ty::Int], Ty::Text),
            overload(&[Ty::Text, Ty::Int, Ty::Int], Ty::Text),
        ],
        substring,
    ),
    global("strings.quote", CHANGE, |meter, arguments| {
        change(meter, arguments, quote)
    }),
];

fn out_of_range() -> Fault {
    Fault::new("index out of range")
}

fn test<'v>(meter: &mut Meter, arguments: &[Value<'v>], test: impl Fn(&str, &str) -> bool) -> Result<Value<'v>, Fault> {
    let [Value::Text(text), Value::Text(part)] = arguments else {
        return Err(Fault::Overload);
    };
    let (text, part) = (text.as_str(), part.as_str());
    meter.bytes(text.len() + part.len())?;
    Ok(Value::Bool(test(text, part)))
}

fn change<'v>(meter: &mut Meter, arguments: &[Value<'v>], change: impl Fn(&str) -> String) -> Result<Value<'v>, Fault> {
    let [Value::Text(text)] = arguments else {
        return Err(Fault::Overload);
    };
    meter.bytes(text.as_str().len())?;
    Ok(Value::owned(change(text.as_str())))
}

/// Byte offset of a character; that of the end for the number of characters.
fn offset(text: &str, index: i64) -> Option<usize> {
    let index = usize::try_from(index).ok()?;
    if text.is_ascii() {
        return (index <= text.len()).then_some(index);
    }
    let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    ends.into_iter().nth(index)
}

fn char_at<'v>(meter: &mut Meter, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
    let [Value::Text(text), Value::Int(index)] = arguments else {
        return Err(Fault::Overload);
    };
    meter.bytes(text.as_str().len())?;
    let start = offset(text.as_str(), *index).ok_or_else(out_of_range)?;
    let length = text.as_str().get(start..).and_then(|rest| rest.chars().next());
    let end = start + length.map_or(0, char::len_utf8);
    text.part(start, end).map(Value::Text).ok_or_else(out_of_range)
}

fn substring<'v>(meter: &mut Meter, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
    let (text, start, end) = match arguments {
        [Value::Text(text), Value::Int(start)] => (text, *start, None),
        [Value::Text(text), Value::Int(start), Value::Int(end)] => (text, *start, Some(*end)),
        _ => return Err(Fault::Overload),
    };
    meter.bytes(text.as_str().len())?;
    let start = offset(text.as_str(), start).ok_or_else(out_of_range)?;
    let end = match end {
        Some(end) => offset(text.as_str(), end).ok_or_else(out_of_range)?,
        None => text.as_str().len(),
    };
    // A start behind the end is no range.
    text.part(start, end).map(Value::Text).ok_or_else(out_of_range)
}

/// Characters before a byte offset.
fn position<'v>(text: &str, at: usize) -> Value<'v> {
    count(text.get(..at).map_or(0, |before| before.chars().count()))
}

const NOT_FOUND: Value<'static> = Value::Int(-1);

fn index_of<'v>(meter: &mut Meter, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
    let (text, part, from) = match arguments {
        [Value::List(list), wanted] => {
            for (index, value) in list.iter().enumerate() {
                if value.equals(wanted, meter)? {
                    return Ok(count(index));
                }
            }
            return Ok(NOT_FOUND);
        }
        [Value::Text(text), Value::Text(part)] => (text.as_str(), part.as_str(), 0),
        [Value::Text(text), Value::Text(part), Value::Int(from)] => (text.as_str(), part.as_str(), *from),
        _ => return Err(Fault::Overload),
    };
    meter.bytes(text.len() + part.len())?;
    if part.is_empty() {
        return Ok(Value::Int(from));
    }
    if from < 0 {
        return Err(out_of_range());
    }
    let Some(from) = offset(text, from) else {
        return Ok(NOT_FOUND);
    };
    let found = text.get(from..).and_then(|rest| rest.find(part));
    Ok(found.map_or(NOT_FOUND, |at| position(text, from + at)))
}

fn last_index_of<'v>(meter: &mut Meter, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
    let (text, part, from) = match arguments {
        [Value::List(list), wanted] => {
            for (index, value) in list.iter().enumerate().collect::<Vec<_>>().into_iter().rev() {
                if value.equals(wanted, meter)? {
                    return Ok(count(index));
                }
            }
            return Ok(NOT_FOUND);
        }
        [Value::Text(text), Value::Text(part)] => (text.as_str(), part.as_str(), None),
        [Value::Text(text), Value::Text(part), Value::Int(from)] => (text.as_str(), part.as_str(), Some(*from)),
        _ => return Err(Fault::Overload),
    };
    meter.bytes(text.len() + part.len())?;
    if part.is_empty() {
        return Ok(from.map_or_else(|| position(text, text.len()), Value::Int));
    }
    let end = match from {
        None => text.len(),
        Some(from) if from < 0 => return Err(out_of_range()),
        Some(from) => match offset(text, from) {
            // A match begins at `from` at the latest.
            Some(at) if at < text.len() => (at + part.len()).min(text.len()),
            _ => return Ok(NOT_FOUND),
        },
    };
    let end = (0..=end).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    let found = text.get(..end).and_then(|before| before.rfind(part));
    Ok(found.map_or(NOT_FOUND, |at| position(text, at)))
}

fn join<'v>(meter: &mut Meter, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
    let (list, separator) = match arguments {
        [Value::List(list)] => (list, ""),
        [Value::List(list), Value::Text(separator)] => (list, separator.as_str()),
        _ => return Err(Fault::Overload),
    };
    let mut joined = String::new();
    for (index, value) in list.iter().enumerate() {
        let Value::Text(text) = value else {
            return Err(Fault::new("`join` of a list that holds something other than text"));
        };
        meter.charge(1)?;
        meter.bytes(text.as_str().len() + separator.len())?;
        if index > 0 {
            joined.push_str(separator);
        }
        joined.push_str(text.as_str());
    }
    Ok(Value::owned(joined))
}

fn replace<'v>(meter: &mut Meter, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
    let (text, old, new, limit) = match arguments {
        [Value::Text(text), Value::Text(old), Value::Text(new)] => (text, old, new, -1),
        [Value::Text(text), Value::Text(old), Value::Text(new), Value::Int(limit)] => (text, old, new, *limit),
        _ => return Err(Fault::Overload),
    };
    let (text, old, new) = (text.as_str(), old.as_str(), new.as_str());
    meter.bytes(text.len())?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let matches = text.matches(old).take(limit).count();
    // What comes out may be far longer than what goes in.
    meter.bytes(matches.saturating_mul(new.len()))?;
    Ok(Value::owned(text.replacen(old, new, limit)))
}

fn split<'v>(meter: &mut Meter, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
    let (text, separator, limit) = match arguments {
        [Value::Text(text), Value::Text(separator)] => (text, separator, -1),
        [Value::Text(text), Value::Text(separator), Value::Int(limit)] => (text, separator, *limit),
        _ => return Err(Fault::Overload),
    };
    meter.bytes(text.as_str().len())?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let whole = text.as_str();
    let separator = separator.as_str();
    let mut parts = Vec::new();
    let mut start = 0;
    while parts.len() + 1 < limit {
        let Some(rest) = whole.get(start..).filter(|rest| !rest.is_empty()) else {
            break;
        };
        // Without a separator every character is a part.
        let (end, next) = match rest.chars().next() {
            Some(first) if separator.is_empty() => (start + first.len_utf8(), start + first.len_utf8()),
            _ => match rest.find(separator) {
                Some(at) => (start + at, start + at + separator.len()),
                None => break,
            },
        };
        meter.charge(1)?;
        parts.extend(text.part(start, end).map(Value::Text));
        start = next;
    }
    let ended = separator.is_empty() && start == whole.len();
    if limit > 0 && !ended {
        parts.extend(text.part(start, whole.len()).map(Value::Text));
    }
    Ok(Value::list(parts))
}

/// As a CEL literal, in double quotes.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{b}' => quoted.push_str("\\v"),
            '\\' => quoted.push_str("\\\\"),
            '"' => quoted.push_str("\\\""),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
