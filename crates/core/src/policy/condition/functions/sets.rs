//! Lists as sets.

use super::{Function, Overload, Ty, global, overload};
use crate::policy::condition::fault::{Fault, Meter};
use crate::policy::condition::value::{List, Value};

const OF_TWO: &[Overload] = &[overload(&[Ty::List, Ty::List], Ty::Bool)];

pub(super) const FUNCTIONS: &[Function] = &[
    global("sets.contains", OF_TWO, |meter, arguments| {
        let (a, b) = two(arguments)?;
        Ok(Value::Bool(contains_all(a, b, meter)?))
    }),
    global("sets.equivalent", OF_TWO, |meter, arguments| {
        let (a, b) = two(arguments)?;
        Ok(Value::Bool(contains_all(a, b, meter)? && contains_all(b, a, meter)?))
    }),
    global("sets.intersects", OF_TWO, |meter, arguments| {
        let (a, b) = two(arguments)?;
        for value in b.iter() {
            if contains(a, &value, meter)? {
                return Ok(Value::Bool(true));
            }
        }
        Ok(Value::Bool(false))
    }),
];

fn two<'a, 'v>(arguments: &'a [Value<'v>]) -> Result<(&'a List<'v>, &'a List<'v>), Fault> {
    match arguments {
        [Value::List(a), Value::List(b)] => Ok((a, b)),
        _ => Err(Fault::Overload),
    }
}

fn contains_all<'v>(all: &List<'v>, some: &List<'v>, meter: &mut Meter) -> Result<bool, Fault> {
    for value in some.iter() {
        if !contains(all, &value, meter)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `value in list`
pub(in crate::policy::condition) fn contains<'v>(
    list: &List<'v>,
    value: &Value<'v>,
    meter: &mut Meter,
) -> Result<bool, Fault> {
    for known in list.iter() {
        if known.equals(value, meter)? {
            return Ok(true);
        }
    }
    Ok(false)
}
