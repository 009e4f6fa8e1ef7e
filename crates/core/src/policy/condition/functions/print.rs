//! `"%s has %d".format([…])`.
//!
//! Source: cel-go `ext/formatting.go`, which Kubernetes uses with the locale en_US.

use std::fmt::Write as _;

use super::convert::plain;
use super::strings::quote;
use super::{Function, Ty, member, overload};
use crate::policy::condition::fault::{Fault, Meter};
use crate::policy::condition::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[member("format", &[overload(&[Ty::Text, Ty::List], Ty::Text)], format)];

const DIGITS: usize = 6;
const MAX_DIGITS: usize = 100;

fn format<'v>(meter: &mut Meter, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
    let [Value::Text(pattern), Value::List(values)] = arguments else {
        return Err(Fault::Overload);
    };
    let mut printer = Printer {
        meter,
        out: String::new(),
    };
    let mut values = values.iter();
    let mut rest = pattern.as_str();
    while let Some((before, after)) = rest.split_once('%') {
        printer.push(before)?;
        if let Some(after) = after.strip_prefix('%') {
            printer.push("%")?;
            rest = after;
            continue;
        }
        let (digits, after) = match after.strip_prefix('.') {
            Some(after) => {
                let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
                let (digits, after) = after.split_at_checked(end).unwrap_or(("", after));
                let digits: usize = digits
                    .parse()
                    .map_err(|_| Fault::new("`format`: a precision without digits"))?;
                (digits.min(MAX_DIGITS), after)
            }
            None => (DIGITS, after),
        };
        let mut characters = after.chars();
        let clause = characters
            .next()
            .ok_or_else(|| Fault::new("`format`: the text ends in `%`"))?;
        let value = values
            .next()
            .ok_or_else(|| Fault::new("`format` with too few values"))?;
        printer.clause(clause, digits, &value)?;
        rest = characters.as_str();
    }
    printer.push(rest)?;
    Ok(Value::owned(printer.out))
}

struct Printer<'p> {
    meter: &'p mut Meter,
    out: String,
}

impl Printer<'_> {
    fn push(&mut self, text: &str) -> Result<(), Fault> {
        self.meter.bytes(text.len())?;
        self.out.push_str(text);
        Ok(())
    }

    fn clause(&mut self, clause: char, digits: usize, value: &Value<'_>) -> Result<(), Fault> {
        let text = match (clause, value) {
            ('s', value) => return self.plain(value),
            ('d', Value::Int(value)) => value.to_string(),
            ('d', Value::Uint(value)) => value.to_string(),
            ('f', Value::Double(value)) => fixed(*value, digits),
            ('b', Value::Bool(value)) => u8::from(*value).to_string(),
            ('b', Value::Int(value)) => signed(*value, |value| format!("{value:b}")),
            ('b', Value::Uint(value)) => format!("{value:b}"),
            ('o', Value::Int(value)) => signed(*value, |value| format!("{value:o}")),
            ('o', Value::Uint(value)) => format!("{value:o}"),
            ('x' | 'X', value) => {
                let lower = match value {
                    Value::Int(value) => signed(*value, |value| format!("{value:x}")),
                    Value::Uint(value) => format!("{value:x}"),
                    Value::Text(text) => hex::encode(text.as_str()),
                    Value::Bytes(bytes) => hex::encode(bytes),
                    _ => return Err(wrong(clause, value)),
                };
                if clause == 'X' { lower.to_uppercase() } else { lower }
            }
            ('e', _) => return Err(Fault::new("`format`: `%e` is not supported")),
            ('d' | 'f' | 'b' | 'o', value) => return Err(wrong(clause, value)),
            _ => return Err(Fault::Failed(format!("`format`: unknown clause `%{clause}`"))),
        };
        self.push(&text)
    }

    fn plain(&mut self, value: &Value<'_>) -> Result<(), Fault> {
        match value {
            Value::Text(text) => self.push(text.as_str()),
            Value::Bytes(bytes) => self.push(&String::from_utf8_lossy(bytes)),
            Value::Null => self.push("null"),
            Value::Type(name) => self.push(name),
            Value::List(list) => {
                self.push("[")?;
                for (index, value) in list.iter().enumerate() {
                    if index > 0 {
                        self.push(", ")?;
                    }
                    self.nested(&value)?;
                }
                self.push("]")
            }
            Value::Map(map) => {
                let mut entries = Vec::new();
                for (key, value) in map.iter() {
                    let mut printer = Printer {
                        meter: self.meter,
                        out: String::new(),
                    };
                    printer.nested(&key)?;
                    let key = std::mem::take(&mut printer.out);
                    printer.nested(&value)?;
                    entries.push((key, printer.out));
                }
                entries.sort();
                let entries: Vec<String> = entries.iter().map(|(key, value)| format!("{key}:{value}")).collect();
                self.push(&format!("{{{}}}", entries.join(", ")))
            }
            other => match plain(other) {
                Some(text) if !matches!(other, Value::Ip(_) | Value::Cidr(_)) => self.push(&text),
                _ => Err(wrong('s', other)),
            },
        }
    }

    /// A value inside of a list or map: as a literal.
    fn nested(&mut self, value: &Value<'_>) -> Result<(), Fault> {
        self.meter.charge(1)?;
        let text = match value {
            Value::Text(text) => quote(text.as_str()),
            Value::Bytes(bytes) => format!("b{}", quote(&String::from_utf8_lossy(bytes))),
            Value::Double(value) => fixed(*value, DIGITS),
            Value::Timestamp(_) => format!("timestamp(\"{}\")", plain(value).unwrap_or_default()),
            Value::Duration(_) => format!("duration(\"{}\")", plain(value).unwrap_or_default()),
            other => return self.plain(other),
        };
        self.push(&text)
    }
}

fn wrong(clause: char, value: &Value<'_>) -> Fault {
    Fault::Failed(format!("`format`: `%{clause}` of a {}", value.type_name()))
}

fn signed(value: i64, print: impl Fn(u64) -> String) -> String {
    let digits = print(value.unsigned_abs());
    if value < 0 { format!("-{digits}") } else { digits }
}

/// With a comma after every three digits, as en_US has it.
fn fixed(value: f64, digits: usize) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "∞" } else { "-∞" }.to_owned();
    }
    let text = format!("{value:.digits$}");
    let (sign, text) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(a, b)| (a, Some(b)));
    let mut grouped = sign.to_owned();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if let Some(fraction) = fraction {
        // Writing to a String can't fail.
        let _ = write!(grouped, ".{fraction}");
    }
    grouped
}
