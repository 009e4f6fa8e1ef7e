//! CEL's conversions between types, and `size`.

use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};

use super::{Function, Overload, Ty, global, member, overload, reader, time};
use crate::policy::condition::fault::{Fault, Meter};
use crate::policy::condition::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    global("size", SIZE, size),
    member("size", SIZE, size),
    global("dyn", &[overload(&[Ty::Dyn], Ty::Dyn)], identity),
    global("type", &[overload(&[Ty::Dyn], Ty::Type)], type_of),
    global(
        "bool",
        &[overload(&[Ty::Bool], Ty::Bool), overload(&[Ty::Text], Ty::Bool)],
        to_bool,
    ),
    reader(
        "int",
        &[
            overload(&[Ty::Int], Ty::Int),
            overload(&[Ty::Uint], Ty::Int),
            overload(&[Ty::Double], Ty::Int),
            overload(&[Ty::Text], Ty::Int),
            overload(&[Ty::Timestamp], Ty::Int),
            overload(&[Ty::Duration], Ty::Int),
        ],
        to_int,
    ),
    reader(
        "uint",
        &[
            overload(&[Ty::Int], Ty::Uint),
            overload(&[Ty::Uint], Ty::Uint),
            overload(&[Ty::Double], Ty::Uint),
            overload(&[Ty::Text], Ty::Uint),
        ],
        to_uint,
    ),
    reader(
        "double",
        &[
            overload(&[Ty::Int], Ty::Double),
            overload(&[Ty::Uint], Ty::Double),
            overload(&[Ty::Double], Ty::Double),
            overload(&[Ty::Text], Ty::Double),
        ],
        to_double,
    ),
    global(
        "string",
        &[
            overload(&[Ty::Bool], Ty::Text),
            overload(&[Ty::Int], Ty::Text),
            overload(&[Ty::Uint], Ty::Text),
            overload(&[Ty::Double], Ty::Text),
            overload(&[Ty::Text], Ty::Text),
            overload(&[Ty::Bytes], Ty::Text),
            overload(&[Ty::Timestamp], Ty::Text),
            overload(&[Ty::Duration], Ty::Text),
            overload(&[Ty::Ip], Ty::Text),
            overload(&[Ty::Cidr], Ty::Text),
        ],
        to_text,
    ),
    global(
        "bytes",
        &[overload(&[Ty::Bytes], Ty::Bytes), overload(&[Ty::Text], Ty::Bytes)],
        to_bytes,
    ),
    reader(
        "duration",
        &[
            overload(&[Ty::Text], Ty::Duration),
            overload(&[Ty::Duration], Ty::Duration),
            overload(&[Ty::Int], Ty::Duration),
        ],
        to_duration,
    ),
    reader(
        "timestamp",
        &[
            overload(&[Ty::Text], Ty::Timestamp),
            overload(&[Ty::Timestamp], Ty::Timestamp),
            overload(&[Ty::Int], Ty::Timestamp),
        ],
        to_timestamp,
    ),
];

const SIZE: &[Overload] = &[
    overload(&[Ty::Text], Ty::Int),
    overload(&[Ty::Bytes], Ty::Int),
    overload(&[Ty::List], Ty::Int),
    overload(&[Ty::Map], Ty::Int),
];

/// A size as a CEL integer.
pub(super) fn count<'v>(size: usize) -> Value<'v> {
    Value::Int(i64::try_from(size).unwrap_or(i64::MAX))
}

fn size<'v>(meter: &mut Meter, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
    Ok(count(match arguments {
        [Value::Text(text)] => {
            meter.bytes(text.as_str().len())?;
            text.as_str().chars().count()
        }
        [Value::Bytes(bytes)] => bytes.len(),
        [Value::List(list)] => list.len(),
        [Value::Map(map)] => map.len(),
        _ => return Err(Fault::Overload),
    }))
}

fn identity<'v>(_: &mut Meter, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
    arguments.first().cloned().ok_or(Fault::Overload)
}

fn type_of<'v>(_: &mut Meter, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
    arguments
        .first()
        .map(|value| Value::Type(value.type_name()))
        .ok_or(Fault::Overload)
}

fn to_bool<'v>(_: &mut Meter, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
    match arguments {
        [Value::Bool(value)] => Ok(Value::Bool(*value)),
        [Value::Text(text)] => match text.as_str() {
            "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(Value::Bool(true)),
            "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(Value::Bool(false)),
            _ => Err(Fault::new("the text is neither true nor false")),
        },
        _ => Err(Fault::Overload),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the range is checked before")]
fn to_int<'v>(_: &mut Meter, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
    let out_of_range = || Fault::new("the number does not fit an int");
    Ok(Value::Int(match arguments {
        [Value::Int(value)] => *value,
        [Value::Uint(value)] => i64::try_from(*value).map_err(|_| out_of_range())?,
        // Both ends are exact as a double; the upper one is one too many.
        [Value::Double(value)] if *value > -9_223_372_036_854_775_808.0 && *value < 9_223_372_036_854_775_808.0 => {
            *value as i64
        }
        [Value::Double(_)] => return Err(out_of_range()),
        [Value::Text(text)] => text.as_str().parse().map_err(|_| Fault::new("the text is no int"))?,
        [Value::Timestamp(at)] => at.as_second(),
        [Value::Duration(duration)] => i64::try_from(duration.as_nanos()).map_err(|_| out_of_range())?,
        _ => return Err(Fault::Overload),
    }))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked before"
)]
fn to_uint<'v>(_: &mut Meter, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
    let out_of_range = || Fault::new("the number does not fit a uint");
    Ok(Value::Uint(match arguments {
        [Value::Uint(value)] => *value,
        [Value::Int(value)] => u64::try_from(*value).map_err(|_| out_of_range())?,
        [Value::Double(value)] if *value >= 0.0 && *value < 18_446_744_073_709_551_616.0 => *value as u64,
        [Value::Double(_)] => return Err(out_of_range()),
        [Value::Text(text)] => text.as_str().parse().map_err(|_| Fault::new("the text is no uint"))?,
        _ => return Err(Fault::Overload),
    }))
}

#[expect(clippy::cast_precision_loss, reason = "CEL's conversion rounds")]
fn to_double<'v>(_: &mut Meter, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
    Ok(Value::Double(match arguments {
        [Value::Double(value)] => *value,
        [Value::Int(value)] => *value as f64,
        [Value::Uint(value)] => *value as f64,
        [Value::Text(text)] => text.as_str().parse().map_err(|_| Fault::new("the text is no double"))?,
        _ => return Err(Fault::Overload),
    }))
}

fn to_text<'v>(meter: &mut Meter, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
    Ok(match arguments {
        [Value::Text(text)] => Value::Text(text.clone()),
        [Value::Bytes(bytes)] => {
            meter.bytes(bytes.len())?;
            let text = std::str::from_utf8(bytes).map_err(|_| Fault::new("the bytes are no UTF-8"))?;
            Value::owned(text)
        }
        [value] => Value::owned(plain(value).ok_or(Fault::Overload)?),
        _ => return Err(Fault::Overload),
    })
}

/// How a value that is not text is written as text, if it can be.
pub(super) fn plain(value: &Value<'_>) -> Option<String> {
    Some(match value {
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Uint(value) => value.to_string(),
        Value::Double(value) => double(*value),
        Value::Timestamp(at) => at.to_string(),
        Value::Duration(duration) => time::seconds(*duration),
        Value::Ip(address) => address.to_string(),
        Value::Cidr(network) => network.to_string(),
        _ => return None,
    })
}

/// As Go writes a double with `%g` and the shortest digits.
pub(super) fn double(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return value.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

fn to_bytes<'v>(meter: &mut Meter, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
    match arguments {
        [Value::Bytes(bytes)] => Ok(Value::Bytes(Rc::clone(bytes))),
        [Value::Text(text)] => {
            meter.bytes(text.as_str().len())?;
            Ok(Value::Bytes(text.as_str().as_bytes().into()))
        }
        _ => Err(Fault::Overload),
    }
}

fn to_duration<'v>(_: &mut Meter, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
    Ok(Value::Duration(match arguments {
        [Value::Duration(duration)] => *duration,
        [Value::Int(nanoseconds)] => SignedDuration::from_nanos(*nanoseconds),
        [Value::Text(text)] => time::parse_duration(text.as_str())
            .ok_or_else(|| Fault::new("the text is no duration: write it as in `1h30m` or `90s`"))?,
        _ => return Err(Fault::Overload),
    }))
}

fn to_timestamp<'v>(_: &mut Meter, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
    let wrong = || Fault::new("the text is no timestamp: write it as in `2026-01-31T12:00:00Z`");
    let at = match arguments {
        [Value::Timestamp(at)] => *at,
        [Value::Int(seconds)] => Timestamp::from_second(*seconds).map_err(|_| wrong())?,
        [Value::Text(text)] if time::is_rfc3339(text.as_str()) => text.as_str().parse().map_err(|_| wrong())?,
        [Value::Text(_)] => return Err(wrong()),
        _ => return Err(Fault::Overload),
    };
    time::in_range(at)
}
