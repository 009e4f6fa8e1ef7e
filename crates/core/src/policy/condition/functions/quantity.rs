//! Kubernetes quantities, exactly: `100m`, `1.5Gi`, `2e3`.
//!
//! Source: k8s.io/apimachinery `pkg/api/resource/quantity.go`.

use std::cmp::Ordering;
use std::rc::Rc;

use num_bigint::{BigInt, Sign};

use super::semver::compare_versions;
use super::{Function, Overload, Ty, global, member, overload, reader};
use crate::policy::condition::fault::{Fault, Meter};
use crate::policy::condition::value::Value;

/// Nobody writes a longer quantity, and nothing of this size costs much.
const MAX_LENGTH: usize = 256;
/// Greatest power of ten that is read.
const MAX_EXPONENT: i64 = 400;
/// Digits that upstream keeps in an `int64`.
const MAX_INT64_DIGITS: i64 = 18;

/// A quantity.
#[derive(Debug, Clone)]
pub(in crate::policy::condition) struct Quantity {
    /// In units of 10⁻⁹, the finest that a quantity has.
    nanos: BigInt,
    /// Value and power of ten, as long as upstream would hold them in an `int64`: only then is it an integer to CEL.
    small: Option<(i64, i64)>,
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

const COMPARE: &[Overload] = &[
    overload(&[Ty::Quantity, Ty::Quantity], Ty::Bool),
    overload(&[Ty::Semver, Ty::Semver], Ty::Bool),
];
const SUM: &[Overload] = &[
    overload(&[Ty::Quantity, Ty::Quantity], Ty::Quantity),
    overload(&[Ty::Quantity, Ty::Int], Ty::Quantity),
];
const SIGN: &[Overload] = &[overload(&[Ty::Quantity], Ty::Int)];

pub(super) const FUNCTIONS: &[Function] = &[
    reader(
        "quantity",
        &[overload(&[Ty::Text], Ty::Quantity)],
        |_, arguments| match arguments {
            [Value::Text(text)] => Ok(Value::Quantity(Rc::new(Quantity::parse(text.as_str())?))),
            _ => Err(Fault::Overload),
        },
    ),
    global(
        "isQuantity",
        &[overload(&[Ty::Text], Ty::Bool)],
        |_, arguments| match arguments {
            [Value::Text(text)] => Ok(Value::Bool(Quantity::parse(text.as_str()).is_ok())),
            _ => Err(Fault::Overload),
        },
    ),
    global("sign", SIGN, sign),
    member("isGreaterThan", COMPARE, |_, arguments| {
        Ok(Value::Bool(compare(arguments)? == Ordering::Greater))
    }),
    member("isLessThan", COMPARE, |_, arguments| {
        Ok(Value::Bool(compare(arguments)? == Ordering::Less))
    }),
    member(
        "compareTo",
        &[
            overload(&[Ty::Quantity, Ty::Quantity], Ty::Int),
            overload(&[Ty::Semver, Ty::Semver], Ty::Int),
        ],
        |_, arguments| Ok(Value::Int(compare(arguments)? as i64)),
    ),
    member("add", SUM, |meter, arguments| sum(meter, arguments, false)),
    member("sub", SUM, |meter, arguments| sum(meter, arguments, true)),
    member(
        "isInteger",
        &[overload(&[Ty::Quantity], Ty::Bool)],
        |_, arguments| match arguments {
            [Value::Quantity(quantity)] => Ok(Value::Bool(quantity.as_integer().is_some())),
            _ => Err(Fault::Overload),
        },
    ),
    member(
        "asInteger",
        &[overload(&[Ty::Quantity], Ty::Int)],
        |_, arguments| match arguments {
            [Value::Quantity(quantity)] => quantity
                .as_integer()
                .map(Value::Int)
                .ok_or_else(|| Fault::new("the quantity is no integer")),
            _ => Err(Fault::Overload),
        },
    ),
    member(
        "asApproximateFloat",
        &[overload(&[Ty::Quantity], Ty::Double)],
        |_, arguments| match arguments {
            [Value::Quantity(quantity)] => Ok(Value::Double(quantity.as_float())),
            _ => Err(Fault::Overload),
        },
    ),
];

fn sign<'v>(_: &mut Meter, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
    let [Value::Quantity(quantity)] = arguments else {
        return Err(Fault::Overload);
    };
    Ok(Value::Int(match quantity.nanos.sign() {
        Sign::Minus => -1,
        Sign::NoSign => 0,
        Sign::Plus => 1,
    }))
}

fn compare(arguments: &[Value<'_>]) -> Result<Ordering, Fault> {
    match arguments {
        [Value::Quantity(a), Value::Quantity(b)] => Ok(a.nanos.cmp(&b.nanos)),
        [Value::Semver(a), Value::Semver(b)] => Ok(compare_versions(a, b)),
        _ => Err(Fault::Overload),
    }
}

fn sum<'v>(meter: &mut Meter, arguments: &[Value<'v>], subtract: bool) -> Result<Value<'v>, Fault> {
    meter.charge(10)?;
    let (a, b) = match arguments {
        [Value::Quantity(a), Value::Quantity(b)] => (a, (**b).clone()),
        [Value::Quantity(a), Value::Int(b)] => (a, Quantity::whole(*b)),
        _ => return Err(Fault::Overload),
    };
    let b = if subtract { b.negated() } else { b };
    Ok(Value::Quantity(Rc::new(a.plus(&b))))
}

impl Quantity {
    fn whole(value: i64) -> Self {
        Self::small(value, 0)
    }

    fn small(value: i64, exponent: i64) -> Self {
        Self {
            nanos: BigInt::from(value) * power(exponent + 9),
            small: Some((value, exponent)),
        }
    }

    fn negated(mut self) -> Self {
        self.nanos = -self.nanos;
        self.small = self
            .small
            .and_then(|(value, exponent)| Some((value.checked_neg()?, exponent)));
        self
    }

    fn plus(&self, other: &Self) -> Self {
        let small = match (self.small, other.small) {
            (Some((0, _)), Some(small)) | (Some(small), Some((0, _))) => Some(small),
            (Some((a, a_exponent)), Some((b, b_exponent))) => {
                let exponent = a_exponent.min(b_exponent);
                let scaled = |value: i64, from: i64| {
                    let factor = 10_i64.checked_pow(u32::try_from(from - exponent).ok()?)?;
                    value.checked_mul(factor)
                };
                let total = scaled(a, a_exponent).zip(scaled(b, b_exponent));
                total.and_then(|(a, b)| Some((a.checked_add(b)?, exponent)))
            }
            _ => None,
        };
        Self {
            nanos: &self.nanos + &other.nanos,
            small,
        }
    }

    fn as_integer(&self) -> Option<i64> {
        let (value, exponent) = self.small?;
        let factor = 10_i64.checked_pow(u32::try_from(exponent).ok()?)?;
        value.checked_mul(factor)
    }

    #[expect(clippy::cast_precision_loss, reason = "the result is called approximate")]
    fn as_float(&self) -> f64 {
        match self.small {
            Some((value, exponent)) => value as f64 * 10_f64.powi(i32::try_from(exponent).unwrap_or(i32::MAX)),
            None => self.nanos.to_string().parse::<f64>().unwrap_or(f64::NAN) * 1e-9,
        }
    }

    /// Reads a quantity.
    pub(in crate::policy::condition) fn parse(text: &str) -> Result<Self, Fault> {
        let wrong = || Fault::new("the text is no quantity: write it as in `500m`, `2` or `1.5Gi`");
        if text.is_empty() || text.len() > MAX_LENGTH {
            return Err(wrong());
        }
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, rest) = digits(rest);
        let (fraction, suffix) = match rest.strip_prefix('.') {
            Some(rest) => digits(rest),
            None => ("", rest),
        };
        let unit = Unit::parse(suffix).ok_or_else(wrong)?;
        // Leading zeros are none of the digits that count.
        let significant = whole.trim_start_matches('0');
        let significant = if significant.is_empty() { "0" } else { significant };
        let signed = |value: BigInt| if negative { -value } else { value };
        let digits_of = |text: &str| i64::try_from(text.len()).unwrap_or(i64::MAX);

        let shifted = format!("{significant}{fraction}");
        let exponent = unit.decimal_exponent() - digits_of(fraction);
        let fits = match unit {
            Unit::Decimal(_) => digits_of(significant) + digits_of(fraction) <= MAX_INT64_DIGITS,
            Unit::Binary(bits) => fraction.is_empty() && digits_of(significant) + i64::from(bits) * 3 / 10 < 15,
        };
        if fits && exponent >= -9 {
            let value: i64 = shifted.parse().map_err(|_| wrong())?;
            if let Some(value) = value.checked_mul(unit.mantissa()) {
                return Ok(Self::small(if negative { -value } else { value }, exponent));
            }
        }
        let mut value: BigInt = shifted.parse().map_err(|_| wrong())?;
        if let Unit::Binary(bits) = unit {
            value <<= bits;
        }
        let mut nanos = match exponent + 9 {
            finer if finer < 0 => {
                // If somebody wants some of it, they get some: rounded away from zero.
                let divisor = power(-finer);
                (value + &divisor - 1) / divisor
            }
            coarser => value * power(coarser),
        };
        if matches!(unit, Unit::Binary(_)) {
            nanos = nanos.min(BigInt::from(i64::MAX) * power(9));
        }
        Ok(Self {
            nanos: signed(nanos),
            small: None,
        })
    }
}

fn power(exponent: i64) -> BigInt {
    BigInt::from(10).pow(u32::try_from(exponent).unwrap_or(0))
}

fn digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// What a suffix multiplies with.
#[derive(Debug, Clone, Copy)]
enum Unit {
    /// A power of ten.
    Decimal(i64),
    /// A power of two.
    Binary(u32),
}

impl Unit {
    fn parse(suffix: &str) -> Option<Self> {
        Some(match suffix {
            "n" => Self::Decimal(-9),
            "u" => Self::Decimal(-6),
            "m" => Self::Decimal(-3),
            "" => Self::Decimal(0),
            "k" => Self::Decimal(3),
            "M" => Self::Decimal(6),
            "G" => Self::Decimal(9),
            "T" => Self::Decimal(12),
            "P" => Self::Decimal(15),
            "E" => Self::Decimal(18),
            "Ki" => Self::Binary(10),
            "Mi" => Self::Binary(20),
            "Gi" => Self::Binary(30),
            "Ti" => Self::Binary(40),
            "Pi" => Self::Binary(50),
            "Ei" => Self::Binary(60),
            _ => {
                let exponent = suffix.strip_prefix(['e', 'E'])?;
                let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
                if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                    return None;
                }
                let exponent: i64 = exponent.parse().ok()?;
                (-MAX_EXPONENT..=MAX_EXPONENT)
                    .contains(&exponent)
                    .then_some(Self::Decimal(exponent))?
            }
        })
    }

    fn decimal_exponent(self) -> i64 {
        match self {
            Self::Decimal(exponent) => exponent,
            Self::Binary(_) => 0,
        }
    }

    fn mantissa(self) -> i64 {
        match self {
            Self::Decimal(_) => 1,
            Self::Binary(bits) => 1 << bits,
        }
    }
}
