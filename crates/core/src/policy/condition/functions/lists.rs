//! Functions of lists.

use std::cmp::Ordering;

use jiff::SignedDuration;

use super::{Function, Ty, global, member, overload};
use crate::policy::condition::fault::{Fault, Meter};
use crate::policy::condition::value::{List, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    member("isSorted", &[overload(&[Ty::List], Ty::Bool)], is_sorted),
    member("sum", &[overload(&[Ty::List], Ty::Element)], sum),
    member("min", &[overload(&[Ty::List], Ty::Element)], |meter, arguments| {
        extreme(meter, arguments, Ordering::Less)
    }),
    member("max", &[overload(&[Ty::List], Ty::Element)], |meter, arguments| {
        extreme(meter, arguments, Ordering::Greater)
    }),
    member("slice", &[overload(&[Ty::List, Ty::Int, Ty::Int], Ty::Same)], slice),
    member(
        "flatten",
        &[
            overload(&[Ty::List], Ty::List),
            overload(&[Ty::List, Ty::Int], Ty::List),
        ],
        flatten,
    ),
    member("distinct", &[overload(&[Ty::List], Ty::Same)], distinct),
    member("reverse", &[overload(&[Ty::List], Ty::Same)], reverse),
    member("sort", &[overload(&[Ty::List], Ty::Same)], |meter, arguments| {
        let list: Vec<Value<'_>> = the_list(meter, arguments)?.iter().collect();
        let keys = list.clone();
        sort_by(meter, list, &keys)
    }),
    member(
        "first",
        &[overload(&[Ty::List], Ty::OptionalElement)],
        |meter, arguments| {
            let list = the_list(meter, arguments)?;
            Ok(list.get(0).map_or(Value::NONE, Value::some))
        },
    ),
    member(
        "last",
        &[overload(&[Ty::List], Ty::OptionalElement)],
        |meter, arguments| {
            let list = the_list(meter, arguments)?;
            let last = list.len().checked_sub(1).and_then(|index| list.get(index));
            Ok(last.map_or(Value::NONE, Value::some))
        },
    ),
    global("lists.range", &[overload(&[Ty::Int], Ty::List)], range),
];

/// The list, paid for as if all of it were looked at.
fn the_list<'a, 'v>(meter: &mut Meter, arguments: &'a [Value<'v>]) -> Result<&'a List<'v>, Fault> {
    let [Value::List(list), ..] = arguments else {
        return Err(Fault::Overload);
    };
    meter.charge(list.len())?;
    Ok(list)
}

/// The order of two values of one type that has an order.
fn order(a: &Value<'_>, b: &Value<'_>, meter: &mut Meter) -> Result<Ordering, Fault> {
    a.compare(b, meter)?
        .ok_or_else(|| Fault::new("the list holds values that have no order"))
}

fn is_sorted<'v>(meter: &mut Meter, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
    let mut previous: Option<Value<'_>> = None;
    for value in the_list(meter, arguments)?.iter() {
        if let Some(previous) = &previous
            && order(previous, &value, meter)? == Ordering::Greater
        {
            return Ok(Value::Bool(false));
        }
        previous = Some(value);
    }
    Ok(Value::Bool(true))
}

fn sum<'v>(meter: &mut Meter, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
    let mut total: Option<Value<'v>> = None;
    for value in the_list(meter, arguments)?.iter() {
        let total_before = total.take();
        let overflow = || Fault::new("the sum overflows");
        total = Some(match (total_before, value) {
            (None, value @ (Value::Int(_) | Value::Uint(_) | Value::Double(_) | Value::Duration(_))) => value,
            (Some(Value::Int(a)), Value::Int(b)) => Value::Int(a.checked_add(b).ok_or_else(overflow)?),
            (Some(Value::Uint(a)), Value::Uint(b)) => Value::Uint(a.checked_add(b).ok_or_else(overflow)?),
            (Some(Value::Double(a)), Value::Double(b)) => Value::Double(a + b),
            (Some(Value::Duration(a)), Value::Duration(b)) => Value::Duration(add(a, b)?),
            _ => {
                return Err(Fault::new(
                    "`sum` of a list that holds something other than numbers of one type",
                ));
            }
        });
    }
    Ok(total.unwrap_or(Value::Int(0)))
}

fn add(a: SignedDuration, b: SignedDuration) -> Result<SignedDuration, Fault> {
    a.checked_add(b).ok_or_else(|| Fault::new("the sum overflows"))
}

fn extreme<'v>(meter: &mut Meter, arguments: &[Value<'v>], wanted: Ordering) -> Result<Value<'v>, Fault> {
    let mut found: Option<Value<'v>> = None;
    for value in the_list(meter, arguments)?.iter() {
        let better = match &found {
            Some(found) => order(&value, found, meter)? == wanted,
            None => true,
        };
        if better {
            found = Some(value);
        }
    }
    found.ok_or_else(|| Fault::new("`min` or `max` of an empty list"))
}

fn slice<'v>(meter: &mut Meter, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
    let list = the_list(meter, arguments)?;
    let [_, Value::Int(start), Value::Int(end)] = arguments else {
        return Err(Fault::Overload);
    };
    let (Ok(start), Ok(end)) = (usize::try_from(*start), usize::try_from(*end)) else {
        return Err(Fault::new("`slice` with a negative index"));
    };
    if start > end || end > list.len() {
        return Err(Fault::new("`slice` outside of the list"));
    }
    Ok(Value::list((start..end).filter_map(|index| list.get(index)).collect()))
}

fn flatten<'v>(meter: &mut Meter, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
    let depth = match arguments {
        [_] => 1,
        [_, Value::Int(depth)] if *depth >= 0 => *depth,
        [_, Value::Int(_)] => return Err(Fault::new("`flatten` with a negative depth")),
        _ => return Err(Fault::Overload),
    };
    let list = the_list(meter, arguments)?;
    let mut out = Vec::new();
    flatten_into(list, depth, &mut out, meter)?;
    Ok(Value::list(out))
}

fn flatten_into<'v>(list: &List<'v>, depth: i64, out: &mut Vec<Value<'v>>, meter: &mut Meter) -> Result<(), Fault> {
    for value in list.iter() {
        meter.charge(1)?;
        match value {
            Value::List(inner) if depth > 0 => flatten_into(&inner, depth - 1, out, meter)?,
            value => out.push(value),
        }
    }
    Ok(())
}

fn distinct<'v>(meter: &mut Meter, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
    let mut out: Vec<Value<'v>> = Vec::new();
    'next: for value in the_list(meter, arguments)?.iter() {
        for known in &out {
            if known.equals(&value, meter)? {
                continue 'next;
            }
        }
        out.push(value);
    }
    Ok(Value::list(out))
}

fn reverse<'v>(meter: &mut Meter, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
    Ok(Value::list(the_list(meter, arguments)?.iter().rev().collect()))
}

fn range<'v>(meter: &mut Meter, arguments: &[Value<'v>]) -> Result<Value<'v>, Fault> {
    let [Value::Int(end)] = arguments else {
        return Err(Fault::Overload);
    };
    meter.charge(usize::try_from(*end).unwrap_or(0))?;
    Ok(Value::list((0..*end).map(Value::Int).collect()))
}

/// Sorts a list by keys of one type that has an order.
pub(in crate::policy::condition) fn sort_by<'v>(
    meter: &mut Meter,
    list: Vec<Value<'v>>,
    keys: &[Value<'v>],
) -> Result<Value<'v>, Fault> {
    let comparable = |key: &Value<'_>| matches!(key.compare(key, &mut Meter::new()), Ok(Some(_)));
    let first = keys.first().map(Value::type_name);
    if keys
        .iter()
        .any(|key| Some(key.type_name()) != first || !comparable(key))
    {
        return Err(Fault::new("the list holds values that have no order"));
    }
    // What sorting costs, paid before: a comparison must not fail halfway.
    let rounds = usize::try_from(keys.len().checked_ilog2().unwrap_or(0)).unwrap_or(0) + 1;
    for key in keys {
        meter.charge(rounds)?;
        if let Value::Text(text) = key {
            meter.bytes(text.as_str().len().saturating_mul(rounds))?;
        }
    }
    let mut rows: Vec<(&Value<'v>, Value<'v>)> = keys.iter().zip(list).collect();
    rows.sort_by(|(a, _), (b, _)| {
        let order = a.compare(b, &mut Meter::new());
        order.ok().flatten().unwrap_or(Ordering::Equal)
    });
    Ok(Value::list(rows.into_iter().map(|(_, value)| value).collect()))
}
