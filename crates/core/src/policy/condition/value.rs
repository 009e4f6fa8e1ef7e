//! Values while a condition is evaluated. JSON stays where it is: only what is looked at becomes a value.

use std::cmp::Ordering;
use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};

use super::fault::{Fault, Meter};
use super::functions::format::Format;
use super::functions::net::Cidr;
use super::functions::quantity::Quantity;
use super::functions::url::Url;
use crate::json;

/// A CEL value. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) enum Value<'v> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(Text<'v>),
    Bytes(Rc<[u8]>),
    List(List<'v>),
    Map(Map<'v>),
    Timestamp(Timestamp),
    Duration(SignedDuration),
    Type(&'static str),
    Optional(Option<Rc<Value<'v>>>),
    Quantity(Rc<Quantity>),
    Ip(std::net::IpAddr),
    Cidr(Cidr),
    Url(Rc<Url>),
    Semver(Rc<semver::Version>),
    Format(Format),
}

/// A string, where it stands or made on the way.
#[derive(Debug, Clone)]
pub(super) enum Text<'v> {
    Borrowed(&'v str),
    Shared(Rc<str>),
}

/// A list.
#[derive(Debug, Clone)]
pub(super) enum List<'v> {
    Json(&'v [json::Value]),
    Texts(&'v [String]),
    Made(Rc<[Value<'v>]>),
}

/// A map.
#[derive(Debug, Clone)]
pub(super) enum Map<'v> {
    Json(&'v json::Object),
    Made(Rc<[(Value<'v>, Value<'v>)]>),
}

impl<'v> Value<'v> {
    /// JSON as Kubernetes' CEL sees it: a number is an int if it is one that fits, else a double.
    pub(super) fn from_json(value: &'v json::Value) -> Self {
        match value {
            json::Value::Null => Self::Null,
            json::Value::Bool(value) => Self::Bool(*value),
            json::Value::Number(text) => match text.parse::<i64>() {
                Ok(value) => Self::Int(value),
                Err(_) => Self::Double(text.parse().unwrap_or(f64::NAN)),
            },
            json::Value::String(text) => Self::Text(Text::Borrowed(text)),
            json::Value::Array(list) => Self::List(List::Json(list)),
            json::Value::Object(object) => Self::Map(Map::Json(object)),
        }
    }

    pub(super) fn text(text: &'v str) -> Self {
        Self::Text(Text::Borrowed(text))
    }

    pub(super) fn owned(text: impl Into<Rc<str>>) -> Self {
        Self::Text(Text::Shared(text.into()))
    }

    pub(super) fn list(values: Vec<Self>) -> Self {
        Self::List(List::Made(values.into()))
    }

    /// A map whose keys are known to differ.
    pub(super) fn map(entries: Vec<(Self, Self)>) -> Self {
        Self::Map(Map::Made(entries.into()))
    }

    /// A map with field names as keys.
    pub(super) fn fields(entries: Vec<(&'v str, Self)>) -> Self {
        Self::map(
            entries
                .into_iter()
                .map(|(key, value)| (Self::text(key), value))
                .collect(),
        )
    }

    pub(super) fn some(value: Self) -> Self {
        Self::Optional(Some(Rc::new(value)))
    }

    pub(super) const NONE: Self = Self::Optional(None);

    /// The name of its type, as `type()` and messages say it.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::Text(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Timestamp(_) => "google.protobuf.Timestamp",
            Self::Duration(_) => "google.protobuf.Duration",
            Self::Type(_) => "type",
            Self::Optional(_) => "optional_type",
            Self::Quantity(_) => "kubernetes.Quantity",
            Self::Ip(_) => "net.IP",
            Self::Cidr(_) => "net.CIDR",
            Self::Url(_) => "kubernetes.URL",
            Self::Semver(_) => "kubernetes.Semver",
            Self::Format(_) => "kubernetes.NamedFormat",
        }
    }

    pub(super) fn is_number(&self) -> bool {
        matches!(self, Self::Int(_) | Self::Uint(_) | Self::Double(_))
    }

    pub(super) fn is_zero(&self) -> bool {
        match self {
            Self::Null | Self::Optional(None) => true,
            Self::Bool(value) => !value,
            Self::Int(value) => *value == 0,
            Self::Uint(value) => *value == 0,
            Self::Double(value) => *value == 0.0,
            Self::Text(text) => text.as_str().is_empty(),
            Self::Bytes(bytes) => bytes.is_empty(),
            Self::List(list) => list.len() == 0,
            Self::Map(map) => map.len() == 0,
            Self::Duration(value) => value.is_zero(),
            _ => false,
        }
    }

    /// CEL's equality: numbers by what they are worth, different types are not equal.
    pub(super) fn equals(&self, other: &Self, meter: &mut Meter) -> Result<bool, Fault> {
        meter.charge(1)?;
        Ok(match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => {
                let (a, b) = (a.as_str(), b.as_str());
                if a.len() == b.len() {
                    meter.bytes(a.len())?;
                }
                a == b
            }
            (Self::Bytes(a), Self::Bytes(b)) => {
                meter.bytes(a.len())?;
                a == b
            }
            (Self::List(a), Self::List(b)) => {
                if a.len() != b.len() {
                    return Ok(false);
                }
                for (a, b) in a.iter().zip(b.iter()) {
                    if !a.equals(&b, meter)? {
                        return Ok(false);
                    }
                }
                true
            }
            (Self::Map(a), Self::Map(b)) => {
                if a.len() != b.len() {
                    return Ok(false);
                }
                for (key, a) in a.iter() {
                    match b.get(&key, meter)? {
                        Some(b) if a.equals(&b, meter)? => {}
                        _ => return Ok(false),
                    }
                }
                true
            }
            (Self::Timestamp(a), Self::Timestamp(b)) => a == b,
            (Self::Duration(a), Self::Duration(b)) => a == b,
            (Self::Type(a), Self::Type(b)) => a == b,
            (Self::Optional(a), Self::Optional(b)) => match (a, b) {
                (Some(a), Some(b)) => a.equals(b, meter)?,
                (None, None) => true,
                _ => false,
            },
            (Self::Quantity(a), Self::Quantity(b)) => a == b,
            (Self::Ip(a), Self::Ip(b)) => a == b,
            (Self::Cidr(a), Self::Cidr(b)) => a == b,
            (Self::Url(a), Self::Url(b)) => a == b,
            (Self::Semver(a), Self::Semver(b)) => a.cmp_precedence(b) == Ordering::Equal,
            (Self::Format(a), Self::Format(b)) => a == b,
            _ => compare_numbers(self, other) == Some(Ordering::Equal),
        })
    }

    /// The order of two values of a kind that has one; `None` for a pair that has none, as with a NaN.
    pub(super) fn compare(&self, other: &Self, meter: &mut Meter) -> Result<Option<Ordering>, Fault> {
        meter.charge(1)?;
        Ok(match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (Self::Text(a), Self::Text(b)) => {
                let (a, b) = (a.as_str(), b.as_str());
                meter.bytes(a.len().min(b.len()))?;
                Some(a.cmp(b))
            }
            (Self::Bytes(a), Self::Bytes(b)) => {
                meter.bytes(a.len().min(b.len()))?;
                Some(a.cmp(b))
            }
            (Self::Timestamp(a), Self::Timestamp(b)) => Some(a.cmp(b)),
            (Self::Duration(a), Self::Duration(b)) => Some(a.cmp(b)),
            _ => compare_numbers(self, other),
        })
    }
}

/// Numbers of any two types, exactly.
fn compare_numbers(a: &Value<'_>, b: &Value<'_>) -> Option<Ordering> {
    use Value::{Double, Int, Uint};
    match (a, b) {
        (Int(a), Int(b)) => Some(a.cmp(b)),
        (Uint(a), Uint(b)) => Some(a.cmp(b)),
        (Double(a), Double(b)) => a.partial_cmp(b),
        (Int(a), Uint(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (Uint(a), Int(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (Int(a), Double(b)) => compare_whole(i128::from(*a), *b),
        (Uint(a), Double(b)) => compare_whole(i128::from(*a), *b),
        (Double(a), Int(b)) => compare_whole(i128::from(*b), *a).map(Ordering::reverse),
        (Double(a), Uint(b)) => compare_whole(i128::from(*b), *a).map(Ordering::reverse),
        _ => None,
    }
}

fn compare_whole(a: i128, b: f64) -> Option<Ordering> {
    if b.is_nan() {
        return None;
    }
    // A cast saturates, and nothing that fits an int or a uint comes near the ends of an i128.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the fraction is compared below, the range saturates"
    )]
    let whole = b.trunc() as i128;
    Some(a.cmp(&whole).then_with(|| 0.0_f64.total_cmp(&(b.fract() + 0.0))))
}

impl<'v> Text<'v> {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Shared(text) => text,
        }
    }

    /// A part of it, without a copy where the whole is borrowed.
    pub(super) fn part(&self, start: usize, end: usize) -> Option<Self> {
        match self {
            Self::Borrowed(text) => text.get(start..end).map(Self::Borrowed),
            Self::Shared(text) => text.get(start..end).map(|part| Self::Shared(part.into())),
        }
    }
}

impl<'v> List<'v> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Json(list) => list.len(),
            Self::Texts(list) => list.len(),
            Self::Made(list) => list.len(),
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<Value<'v>> {
        match self {
            Self::Json(list) => list.get(index).map(Value::from_json),
            Self::Texts(list) => list.get(index).map(|text| Value::text(text)),
            Self::Made(list) => list.get(index).cloned(),
        }
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = Value<'v>> {
        let list = self.clone();
        (0..self.len()).filter_map(move |index| list.get(index))
    }
}

impl<'v> Map<'v> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Json(object) => object.len(),
            Self::Made(entries) => entries.len(),
        }
    }

    /// The value of a key. Lookup is a search from the first entry on, and is charged as one.
    pub(super) fn get(&self, key: &Value<'v>, meter: &mut Meter) -> Result<Option<Value<'v>>, Fault> {
        match (self, key) {
            (Self::Json(_), Value::Text(name)) => self.field(name.as_str(), meter),
            (Self::Json(_), _) => Ok(None),
            (Self::Made(entries), _) => {
                for (known, value) in entries.iter() {
                    if known.equals(key, meter)? {
                        return Ok(Some(value.clone()));
                    }
                }
                Ok(None)
            }
        }
    }

    /// The value of a key that is text.
    pub(super) fn field(&self, name: &str, meter: &mut Meter) -> Result<Option<Value<'v>>, Fault> {
        meter.bytes(self.len())?;
        Ok(match self {
            Self::Json(object) => object.get(name).map(Value::from_json),
            Self::Made(entries) => entries
                .iter()
                .find(|(key, _)| matches!(key, Value::Text(key) if key.as_str() == name))
                .map(|(_, value)| value.clone()),
        })
    }

    pub(super) fn iter(&self) -> Box<dyn Iterator<Item = (Value<'v>, Value<'v>)> + 'v> {
        match self {
            Self::Json(object) => Box::new(
                object
                    .iter()
                    .map(|(key, value)| (Value::text(key), Value::from_json(value))),
            ),
            Self::Made(entries) => {
                let entries = Rc::clone(entries);
                Box::new((0..entries.len()).filter_map(move |index| entries.get(index).cloned()))
            }
        }
    }
}
