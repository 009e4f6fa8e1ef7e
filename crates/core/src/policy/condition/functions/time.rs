//! Timestamps and durations.

use jiff::civil::{DateTime, Weekday};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use super::convert::count;
use super::{Function, Overload, Ty, member, overload};
use crate::policy::condition::fault::Fault;
use crate::policy::condition::value::Value;

const OF_TIMESTAMP: &[Overload] = &[
    overload(&[Ty::Timestamp], Ty::Int),
    overload(&[Ty::Timestamp, Ty::Text], Ty::Int),
];

const OF_BOTH: &[Overload] = &[
    overload(&[Ty::Timestamp], Ty::Int),
    overload(&[Ty::Timestamp, Ty::Text], Ty::Int),
    overload(&[Ty::Duration], Ty::Int),
];

pub(super) const FUNCTIONS: &[Function] = &[
    member("getFullYear", OF_TIMESTAMP, |_, arguments| {
        civil(arguments, |at| at.year().into())
    }),
    member("getMonth", OF_TIMESTAMP, |_, arguments| {
        civil(arguments, |at| i64::from(at.month()) - 1)
    }),
    member("getDayOfYear", OF_TIMESTAMP, |_, arguments| {
        civil(arguments, |at| i64::from(at.day_of_year()) - 1)
    }),
    member("getDayOfMonth", OF_TIMESTAMP, |_, arguments| {
        civil(arguments, |at| i64::from(at.day()) - 1)
    }),
    member("getDate", OF_TIMESTAMP, |_, arguments| {
        civil(arguments, |at| at.day().into())
    }),
    member("getDayOfWeek", OF_TIMESTAMP, |_, arguments| {
        civil(arguments, |at| at.weekday().since(Weekday::Sunday).into())
    }),
    member("getHours", OF_BOTH, |_, arguments| match arguments {
        [Value::Duration(duration)] => Ok(Value::Int(duration.as_hours())),
        _ => civil(arguments, |at| at.hour().into()),
    }),
    member("getMinutes", OF_BOTH, |_, arguments| match arguments {
        [Value::Duration(duration)] => Ok(Value::Int(duration.as_mins())),
        _ => civil(arguments, |at| at.minute().into()),
    }),
    member("getSeconds", OF_BOTH, |_, arguments| match arguments {
        [Value::Duration(duration)] => Ok(Value::Int(duration.as_secs())),
        _ => civil(arguments, |at| at.second().into()),
    }),
    member("getMilliseconds", OF_BOTH, |_, arguments| match arguments {
        [Value::Duration(duration)] => Ok(count(usize::try_from(duration.as_millis()).unwrap_or(0))),
        _ => civil(arguments, |at| at.millisecond().into()),
    }),
];

fn civil<'v>(arguments: &[Value<'v>], part: impl Fn(DateTime) -> i64) -> Result<Value<'v>, Fault> {
    let (at, offset) = match arguments {
        [Value::Timestamp(at)] => (at, Offset::UTC),
        [Value::Timestamp(at), Value::Text(zone)] => (at, zone_offset(zone.as_str())?),
        _ => return Err(Fault::Overload),
    };
    Ok(Value::Int(part(offset.to_datetime(*at))))
}

/// `UTC`, `+02:00`, `-08:00`, `02:00`.
fn zone_offset(zone: &str) -> Result<Offset, Fault> {
    let unknown = || Fault::new("time zones other than `UTC` and offsets such as `+02:00` are not supported");
    if zone == "UTC" || zone == "Z" {
        return Ok(Offset::UTC);
    }
    let (sign, digits) = match zone.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, zone.strip_prefix('+').unwrap_or(zone)),
    };
    let (hours, minutes) = digits.split_once(':').ok_or_else(unknown)?;
    let part = |text: &str| text.parse::<u8>().ok().filter(|_| text.len() == 2).map(i32::from);
    let (Some(hours), Some(minutes)) = (part(hours), part(minutes)) else {
        return Err(unknown());
    };
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).map_err(|_| unknown())
}

/// Whether a text has the form that CEL reads; `jiff` reads others too.
pub(super) fn is_rfc3339(text: &str) -> bool {
    let Some((date, time)) = text.split_once('T') else {
        return false;
    };
    let digits = |text: &str, lengths: &[usize], separator: char| {
        let parts: Vec<&str> = text.split(separator).collect();
        parts.len() == lengths.len()
            && parts
                .iter()
                .zip(lengths)
                .all(|(part, length)| part.len() == *length && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let (clock, zone) = match time.find(['Z', '+', '-']) {
        Some(at) => time.split_at_checked(at).unwrap_or((time, "")),
        None => return false,
    };
    let (clock, fraction) = clock.split_once('.').map_or((clock, None), |(a, b)| (a, Some(b)));
    let zone_is_right = zone == "Z" || zone.get(1..).is_some_and(|zone| digits(zone, &[2, 2], ':'));
    digits(date, &[4, 2, 2], '-')
        && digits(clock, &[2, 2, 2], ':')
        && fraction.is_none_or(|fraction| {
            (1..=9).contains(&fraction.len()) && fraction.bytes().all(|byte| byte.is_ascii_digit())
        })
        && zone_is_right
}

/// A timestamp of the years 1 to 9999, which is what CEL has.
pub(super) fn in_range<'v>(at: Timestamp) -> Result<Value<'v>, Fault> {
    const FIRST: i64 = -62_135_596_800;
    const LAST: i64 = 253_402_300_799;
    if (FIRST..=LAST).contains(&at.as_second()) {
        Ok(Value::Timestamp(at))
    } else {
        Err(Fault::new("the timestamp is out of range"))
    }
}

/// A duration as CEL writes it: in seconds.
pub(super) fn seconds(duration: SignedDuration) -> String {
    let (nanos, sign) = (
        duration.as_nanos().unsigned_abs(),
        if duration.is_negative() { "-" } else { "" },
    );
    let (whole, fraction) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    if fraction == 0 {
        return format!("{sign}{whole}s");
    }
    let fraction = format!("{fraction:09}");
    format!("{sign}{whole}.{}s", fraction.trim_end_matches('0'))
}

/// Go's `time.ParseDuration`.
pub(super) fn parse_duration(text: &str) -> Option<SignedDuration> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(SignedDuration::ZERO);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => digits(after),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() || whole.len() > 19 {
            return None;
        }
        let end = after
            .find(|c: char| c == '.' || c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(end)?;
        let unit: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        total = total.checked_add(whole.checked_mul(unit)?)?;
        // Digits beyond the nanosecond are worth nothing.
        let fraction = fraction.get(..fraction.len().min(18))?;
        if !fraction.is_empty() {
            let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
            total = total.checked_add(fraction.parse::<i128>().ok()? * unit / scale)?;
        }
        rest = after;
    }
    let total = i64::try_from(if negative { -total } else { total }).ok()?;
    Some(SignedDuration::from_nanos(total))
}

fn digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}
