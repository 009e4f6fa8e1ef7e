//! Optional values.

use super::{Function, Ty, global, member, overload};
use crate::policy::condition::fault::Fault;
use crate::policy::condition::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    global("optional.none", &[overload(&[], Ty::Optional)], |_, _| Ok(Value::NONE)),
    global(
        "optional.of",
        &[overload(&[Ty::Dyn], Ty::OptionalSame)],
        |_, arguments| match arguments {
            [value] => Ok(Value::some(value.clone())),
            _ => Err(Fault::Overload),
        },
    ),
    global(
        "optional.ofNonZeroValue",
        &[overload(&[Ty::Dyn], Ty::OptionalSame)],
        |_, arguments| match arguments {
            [value] if value.is_zero() => Ok(Value::NONE),
            [value] => Ok(Value::some(value.clone())),
            _ => Err(Fault::Overload),
        },
    ),
    member(
        "hasValue",
        &[overload(&[Ty::Optional], Ty::Bool)],
        |_, arguments| match arguments {
            [Value::Optional(value)] => Ok(Value::Bool(value.is_some())),
            _ => Err(Fault::Overload),
        },
    ),
    member(
        "value",
        &[overload(&[Ty::Optional], Ty::Held)],
        |_, arguments| match arguments {
            [Value::Optional(Some(value))] => Ok((**value).clone()),
            [Value::Optional(None)] => Err(Fault::new("`value()` of an optional without one")),
            _ => Err(Fault::Overload),
        },
    ),
    member(
        "or",
        &[overload(&[Ty::Optional, Ty::Optional], Ty::Optional)],
        |_, arguments| match arguments {
            [Value::Optional(None), other @ Value::Optional(_)] => Ok(other.clone()),
            [value @ Value::Optional(Some(_)), Value::Optional(_)] => Ok(value.clone()),
            _ => Err(Fault::Overload),
        },
    ),
    member(
        "orValue",
        &[overload(&[Ty::Optional, Ty::Dyn], Ty::Dyn)],
        |_, arguments| match arguments {
            [Value::Optional(Some(value)), _] => Ok((**value).clone()),
            [Value::Optional(None), other] => Ok(other.clone()),
            _ => Err(Fault::Overload),
        },
    ),
];
