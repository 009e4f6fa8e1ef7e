//! Evaluation: a walk over the condition, with values borrowed from where they are, and a meter that ends it.

use std::rc::Rc;

use jiff::SignedDuration;

use super::Condition;
use super::fault::{Fault, Meter};
use super::functions::{self, lists, no_overload, sets};
use super::inputs::Inputs;
use super::ir::{Access, Arithmetic, Comparison, Expr, Fold, FoldKind, Literal, Node};
use super::names::Root;
use super::value::Value;

/// Conditions being evaluated on one set of inputs: what one has looked up, the next finds.
#[derive(Debug)]
pub(in crate::policy) struct Evaluation<'v> {
    inputs: &'v Inputs<'v>,
    /// What `variables.x` are, in their order.
    variables: &'v [Condition],
    values: Vec<Option<Result<Value<'v>, Fault>>>,
    roots: [Option<Value<'v>>; 9],
    locals: Vec<Value<'v>>,
    /// Where the slots of the condition at hand begin.
    base: usize,
    pub(super) meter: Meter,
}

type Answer<'v> = Result<Value<'v>, Fault>;

impl<'v> Evaluation<'v> {
    /// On these inputs, without variables.
    pub(in crate::policy) fn new(inputs: &'v Inputs<'v>) -> Self {
        Self::with_variables(inputs, &[])
    }

    /// On these inputs, with these variables: each is evaluated when it is read first.
    pub(in crate::policy) fn with_variables(inputs: &'v Inputs<'v>, variables: &'v [Condition]) -> Self {
        Self {
            inputs,
            variables,
            values: variables.iter().map(|_| None).collect(),
            roots: [const { None }; 9],
            locals: Vec::new(),
            base: 0,
            meter: Meter::new(),
        }
    }

    /// The value of a condition. It gets a meter of its own; a variable is paid by whoever reads it first.
    pub(super) fn run(&mut self, condition: &'v Condition) -> Answer<'v> {
        self.meter = Meter::new();
        self.locals.clear();
        let answer = self.enter(condition);
        // Whatever absorbed the fault, there is no answer.
        if self.meter.is_exhausted() {
            return Err(Fault::Exhausted);
        }
        answer
    }

    fn enter(&mut self, condition: &'v Condition) -> Answer<'v> {
        let before = self.base;
        self.base = self.locals.len();
        self.locals.resize(self.base + condition.locals, Value::Null);
        let answer = self.node(&condition.root);
        self.locals.truncate(self.base);
        self.base = before;
        answer
    }

    fn node(&mut self, node: &'v Node) -> Answer<'v> {
        self.meter.charge(1)?;
        match &node.expr {
            Expr::Literal(literal) => Ok(literal_value(literal)),
            Expr::Root(root) => self.root(*root),
            Expr::Local(slot) => Ok(self.locals.get(self.base + slot).cloned().unwrap_or(Value::Null)),
            Expr::Variable(index) => self.variable(*index),
            Expr::Type(name) => Ok(Value::Type(name)),
            Expr::Select { operand, field, access } => {
                let operand = self.node(operand)?;
                self.select(operand, field, *access)
            }
            Expr::Index {
                operand,
                index,
                optional,
            } => {
                let operand = self.node(operand)?;
                let index = self.node(index)?;
                self.index(operand, &index, *optional)
            }
            Expr::List(elements) => {
                let mut list = Vec::with_capacity(elements.len());
                for element in elements {
                    let value = self.node(&element.value)?;
                    list.extend(given(value, element.optional));
                }
                Ok(Value::list(list))
            }
            Expr::Map(entries) => {
                let mut map: Vec<(Value<'v>, Value<'v>)> = Vec::with_capacity(entries.len());
                for entry in entries {
                    let key = self.node(&entry.key)?;
                    let value = self.node(&entry.value)?;
                    if let Some(value) = given(value, entry.optional) {
                        self.insert(&mut map, key, value)?;
                    }
                }
                Ok(Value::map(map))
            }
            Expr::Not(operand) => match self.node(operand)? {
                Value::Bool(value) => Ok(Value::Bool(!value)),
                other => Err(no_overload("!_", &[other])),
            },
            Expr::Negate(operand) => negate(self.node(operand)?),
            Expr::And(operands) => self.both(operands, false),
            Expr::Or(operands) => self.both(operands, true),
            Expr::Conditional(parts) => {
                let [condition, yes, no] = &**parts;
                match self.node(condition)? {
                    Value::Bool(true) => self.node(yes),
                    Value::Bool(false) => self.node(no),
                    other => Err(no_overload("_?_:_", &[other])),
                }
            }
            Expr::Arithmetic(operator, operands) => {
                let (a, b) = self.pair(operands)?;
                self.arithmetic(*operator, a, b)
            }
            Expr::Comparison(operator, operands) => {
                let (a, b) = self.pair(operands)?;
                self.compare(*operator, &a, &b)
            }
            Expr::Equals { negated, operands } => {
                let (a, b) = self.pair(operands)?;
                Ok(Value::Bool(a.equals(&b, &mut self.meter)? != *negated))
            }
            Expr::In(operands) => {
                let (value, container) = self.pair(operands)?;
                self.is_in(&value, &container)
            }
            Expr::Fold(fold) => self.fold(fold),
            Expr::WithOptional {
                operand,
                local,
                body,
                flat,
            } => match self.node(operand)? {
                Value::Optional(None) => Ok(Value::NONE),
                Value::Optional(Some(value)) => {
                    self.set(*local, (*value).clone());
                    match (self.node(body)?, flat) {
                        (value, false) => Ok(Value::some(value)),
                        (value @ Value::Optional(_), true) => Ok(value),
                        (other, true) => Err(no_overload("optFlatMap", &[other])),
                    }
                }
                other => Err(no_overload("optMap", &[other])),
            },
            Expr::Call(call) => {
                let mut arguments = Vec::with_capacity(call.arguments.len());
                for argument in &call.arguments {
                    arguments.push(self.node(argument)?);
                }
                functions::run(call, &arguments, &mut self.meter)
            }
        }
    }

    fn set(&mut self, slot: usize, value: Value<'v>) {
        if let Some(place) = self.locals.get_mut(self.base + slot) {
            *place = value;
        }
    }

    fn pair(&mut self, operands: &'v [Node; 2]) -> Result<(Value<'v>, Value<'v>), Fault> {
        let [a, b] = operands;
        Ok((self.node(a)?, self.node(b)?))
    }

    fn root(&mut self, root: Root) -> Answer<'v> {
        if let Some(Some(value)) = self.roots.get(root as usize) {
            return Ok(value.clone());
        }
        let value = self.inputs.root(root)?;
        if let Some(place) = self.roots.get_mut(root as usize) {
            *place = Some(value.clone());
        }
        Ok(value)
    }

    fn variable(&mut self, index: usize) -> Answer<'v> {
        if let Some(Some(known)) = self.values.get(index) {
            return known.clone();
        }
        let Some(condition) = self.variables.get(index) else {
            return Err(Fault::new("no such variable"));
        };
        let answer = self.enter(condition);
        // Out of steps here is not out of steps everywhere.
        if !matches!(answer, Err(Fault::Exhausted))
            && let Some(place) = self.values.get_mut(index)
        {
            *place = Some(answer.clone());
        }
        answer
    }

    /// `&&`, and `||` if `decides` is true: one operand may decide, whatever the other one is.
    fn both(&mut self, operands: &'v [Node; 2], decides: bool) -> Answer<'v> {
        let name = if decides { "_||_" } else { "_&&_" };
        let truth = |answer: Answer<'v>| match answer {
            Ok(Value::Bool(value)) => Ok(value),
            Ok(other) => Err(no_overload(name, &[other])),
            Err(fault) => Err(fault),
        };
        let [a, b] = operands;
        let a = match truth(self.node(a)) {
            Ok(value) if value == decides => return Ok(Value::Bool(decides)),
            Err(Fault::Exhausted) => return Err(Fault::Exhausted),
            other => other,
        };
        match truth(self.node(b)) {
            Ok(value) if value == decides => Ok(Value::Bool(decides)),
            Err(Fault::Exhausted) => Err(Fault::Exhausted),
            b => a.and(b).map(Value::Bool),
        }
    }

    fn select(&mut self, operand: Value<'v>, field: &'v str, access: Access) -> Answer<'v> {
        let (operand, optional) = match operand {
            Value::Optional(None) if access == Access::Test => return Ok(Value::Bool(false)),
            Value::Optional(None) => return Ok(Value::NONE),
            Value::Optional(Some(value)) => ((*value).clone(), true),
            other => (other, access == Access::Optional),
        };
        let found = match &operand {
            Value::Map(map) => map.field(field, &mut self.meter)?,
            _ => {
                return Err(Fault::Failed(format!(
                    "a {} has no field `{field}`",
                    operand.type_name()
                )));
            }
        };
        Ok(match (access, found) {
            (Access::Test, found) => Value::Bool(found.is_some()),
            (_, Some(value)) if optional => Value::some(value),
            (_, None) if optional => Value::NONE,
            (_, Some(value)) => value,
            (_, None) => return Err(Fault::Missing(field.to_owned())),
        })
    }

    fn index(&mut self, operand: Value<'v>, index: &Value<'v>, optional: bool) -> Answer<'v> {
        let (operand, optional) = match operand {
            Value::Optional(None) => return Ok(Value::NONE),
            Value::Optional(Some(value)) => ((*value).clone(), true),
            other => (other, optional),
        };
        let found = match &operand {
            Value::Map(map) => map.get(index, &mut self.meter)?,
            Value::List(list) => match position(index) {
                Some(position) => usize::try_from(position).ok().and_then(|position| list.get(position)),
                None => return Err(no_overload("_[_]", &[operand, index.clone()])),
            },
            _ => return Err(no_overload("_[_]", &[operand, index.clone()])),
        };
        match (found, optional) {
            (Some(value), true) => Ok(Value::some(value)),
            (None, true) => Ok(Value::NONE),
            (Some(value), false) => Ok(value),
            // Not which: it may be taken from an object.
            (None, false) if matches!(operand, Value::List(_)) => Err(Fault::new("index out of bounds")),
            (None, false) => Err(Fault::new("no such key")),
        }
    }

    fn insert(&mut self, map: &mut Vec<(Value<'v>, Value<'v>)>, key: Value<'v>, value: Value<'v>) -> Result<(), Fault> {
        if !matches!(key, Value::Text(_) | Value::Int(_) | Value::Uint(_) | Value::Bool(_)) {
            return Err(Fault::Failed(format!("a {} is no key of a map", key.type_name())));
        }
        for (known, _) in map.iter() {
            if known.equals(&key, &mut self.meter)? {
                return Err(Fault::new("a map with the same key twice"));
            }
        }
        map.push((key, value));
        Ok(())
    }

    fn is_in(&mut self, value: &Value<'v>, container: &Value<'v>) -> Answer<'v> {
        match container {
            Value::List(list) => sets::contains(list, value, &mut self.meter).map(Value::Bool),
            Value::Map(map) => Ok(Value::Bool(map.get(value, &mut self.meter)?.is_some())),
            other => Err(no_overload("@in", &[value.clone(), other.clone()])),
        }
    }

    fn compare(&mut self, operator: Comparison, a: &Value<'v>, b: &Value<'v>) -> Answer<'v> {
        let Some(order) = a.compare(b, &mut self.meter)? else {
            // A NaN has an order with nothing, and that is no error.
            if matches!((a, b), (Value::Double(_), _) | (_, Value::Double(_))) && a.is_number() && b.is_number() {
                return Ok(Value::Bool(false));
            }
            return Err(no_overload(operator.symbol(), &[a.clone(), b.clone()]));
        };
        Ok(Value::Bool(match operator {
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::GreaterOrEqual => order.is_ge(),
        }))
    }

    fn arithmetic(&mut self, operator: Arithmetic, a: Value<'v>, b: Value<'v>) -> Answer<'v> {
        use Arithmetic::{Add, Divide, Multiply, Remainder, Subtract};
        let overflow = || Fault::new("the result is too large");
        let by_zero = || Fault::new("division by zero");
        Ok(match (operator, &a, &b) {
            (Divide | Remainder, _, Value::Int(0) | Value::Uint(0)) => return Err(by_zero()),
            (_, Value::Int(a), Value::Int(b)) => Value::Int(
                match operator {
                    Add => a.checked_add(*b),
                    Subtract => a.checked_sub(*b),
                    Multiply => a.checked_mul(*b),
                    Divide => a.checked_div(*b),
                    Remainder => a.checked_rem(*b),
                }
                .ok_or_else(overflow)?,
            ),
            (_, Value::Uint(a), Value::Uint(b)) => Value::Uint(
                match operator {
                    Add => a.checked_add(*b),
                    Subtract => a.checked_sub(*b),
                    Multiply => a.checked_mul(*b),
                    Divide => a.checked_div(*b),
                    Remainder => a.checked_rem(*b),
                }
                .ok_or_else(overflow)?,
            ),
            (Add, Value::Double(a), Value::Double(b)) => Value::Double(a + b),
            (Subtract, Value::Double(a), Value::Double(b)) => Value::Double(a - b),
            (Multiply, Value::Double(a), Value::Double(b)) => Value::Double(a * b),
            (Divide, Value::Double(a), Value::Double(b)) => Value::Double(a / b),
            (Add, Value::Text(a), Value::Text(b)) => {
                let (a, b) = (a.as_str(), b.as_str());
                self.meter.bytes(a.len() + b.len())?;
                Value::owned([a, b].concat())
            }
            (Add, Value::Bytes(a), Value::Bytes(b)) => {
                self.meter.bytes(a.len() + b.len())?;
                Value::Bytes([&**a, &**b].concat().into())
            }
            (Add, Value::List(a), Value::List(b)) => {
                self.meter.charge(a.len() + b.len())?;
                Value::list(a.iter().chain(b.iter()).collect())
            }
            (Add, Value::Timestamp(at), Value::Duration(duration))
            | (Add, Value::Duration(duration), Value::Timestamp(at)) => {
                Value::Timestamp(at.checked_add(*duration).map_err(|_| overflow())?)
            }
            (Subtract, Value::Timestamp(at), Value::Duration(duration)) => {
                Value::Timestamp(at.checked_sub(*duration).map_err(|_| overflow())?)
            }
            (Subtract, Value::Timestamp(a), Value::Timestamp(b)) => Value::Duration(a.duration_since(*b)),
            (Add, Value::Duration(a), Value::Duration(b)) => added(a.checked_add(*b))?,
            (Subtract, Value::Duration(a), Value::Duration(b)) => added(a.checked_sub(*b))?,
            _ => return Err(no_overload(operator.symbol(), &[a, b])),
        })
    }

    fn fold(&mut self, fold: &'v Fold) -> Answer<'v> {
        let range = self.node(&fold.range)?;
        let mut found = Found::new();
        match range {
            Value::List(list) => {
                for (index, value) in list.iter().enumerate() {
                    let index = Value::Int(i64::try_from(index).unwrap_or(i64::MAX));
                    if self.step(fold, index, value, fold.second.is_none(), &mut found)? {
                        break;
                    }
                }
            }
            // What has a single variable goes through the keys.
            Value::Map(map) => {
                for (key, value) in map.iter() {
                    if self.step(fold, key, value, false, &mut found)? {
                        break;
                    }
                }
            }
            other => {
                return Err(Fault::Failed(format!(
                    "a {} is neither list nor map",
                    other.type_name()
                )));
            }
        }
        found.finish(fold.kind, &mut self.meter)
    }

    /// One element; true if that decides.
    fn step(
        &mut self,
        fold: &'v Fold,
        key: Value<'v>,
        value: Value<'v>,
        takes_value: bool,
        found: &mut Found<'v>,
    ) -> Result<bool, Fault> {
        self.meter.charge(1)?;
        let first = if takes_value { value.clone() } else { key.clone() };
        self.set(fold.first, first.clone());
        if let Some(second) = fold.second {
            self.set(second, value);
        }
        if let Some(filter) = &fold.filter
            && !truth(self.node(filter)?)?
        {
            return Ok(false);
        }
        let body = self.node(&fold.body);
        match fold.kind {
            FoldKind::All | FoldKind::Exists => {
                let decides = fold.kind == FoldKind::Exists;
                match body.and_then(truth) {
                    Ok(value) if value == decides => {
                        found.decided = true;
                        return Ok(true);
                    }
                    Ok(_) => {}
                    Err(Fault::Exhausted) => return Err(Fault::Exhausted),
                    // A later element may decide all the same.
                    Err(fault) => found.fault = Some(fault),
                }
            }
            FoldKind::ExistsOne => found.count += usize::from(truth(body?)?),
            FoldKind::Filter => {
                if truth(body?)? {
                    found.list.push(first);
                }
            }
            FoldKind::Map => found.list.push(body?),
            FoldKind::SortBy => {
                found.keys.push(body?);
                found.list.push(first);
            }
            FoldKind::TransformMap => found.map.push((key, body?)),
            FoldKind::TransformMapEntry => match body? {
                Value::Map(entries) => {
                    for (key, value) in entries.iter() {
                        self.insert(&mut found.map, key, value)?;
                    }
                }
                other => return Err(no_overload("transformMapEntry", &[other])),
            },
        }
        Ok(false)
    }
}

/// What a fold gathers.
struct Found<'v> {
    decided: bool,
    fault: Option<Fault>,
    count: usize,
    list: Vec<Value<'v>>,
    keys: Vec<Value<'v>>,
    map: Vec<(Value<'v>, Value<'v>)>,
}

impl<'v> Found<'v> {
    fn new() -> Self {
        Self {
            decided: false,
            fault: None,
            count: 0,
            list: Vec::new(),
            keys: Vec::new(),
            map: Vec::new(),
        }
    }

    fn finish(self, kind: FoldKind, meter: &mut Meter) -> Answer<'v> {
        match kind {
            FoldKind::All | FoldKind::Exists => match self.fault {
                Some(fault) if !self.decided => Err(fault),
                _ => Ok(Value::Bool(self.decided == (kind == FoldKind::Exists))),
            },
            FoldKind::ExistsOne => Ok(Value::Bool(self.count == 1)),
            FoldKind::Map | FoldKind::Filter => Ok(Value::list(self.list)),
            FoldKind::SortBy => lists::sort_by(meter, self.list, &self.keys),
            FoldKind::TransformMap | FoldKind::TransformMapEntry => Ok(Value::map(self.map)),
        }
    }
}

fn truth(value: Value<'_>) -> Result<bool, Fault> {
    match value {
        Value::Bool(value) => Ok(value),
        other => Err(Fault::Failed(format!(
            "a {} where true or false is needed",
            other.type_name()
        ))),
    }
}

/// What an element that may be optional adds.
fn given(value: Value<'_>, optional: bool) -> Option<Value<'_>> {
    match value {
        Value::Optional(inner) if optional => inner.map(|value| (*value).clone()),
        other => Some(other),
    }
}

fn added<'v>(sum: Option<SignedDuration>) -> Answer<'v> {
    sum.map(Value::Duration)
        .ok_or_else(|| Fault::new("the result is too large"))
}

fn negate(value: Value<'_>) -> Answer<'_> {
    match value {
        Value::Int(value) => value
            .checked_neg()
            .map(Value::Int)
            .ok_or_else(|| Fault::new("the result is too large")),
        Value::Double(value) => Ok(Value::Double(-value)),
        other => Err(no_overload("-_", &[other])),
    }
}

/// The position that an index of a list is; none if it is none.
fn position(index: &Value<'_>) -> Option<i64> {
    match index {
        Value::Int(index) => Some(*index),
        Value::Uint(index) => i64::try_from(*index).ok(),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "checked to be whole; out of range is out of bounds"
        )]
        Value::Double(index) if index.fract() == 0.0 => Some(*index as i64),
        _ => None,
    }
}

fn literal_value(literal: &Literal) -> Value<'_> {
    match literal {
        Literal::Null => Value::Null,
        Literal::Bool(value) => Value::Bool(*value),
        Literal::Int(value) => Value::Int(*value),
        Literal::Uint(value) => Value::Uint(*value),
        Literal::Double(value) => Value::Double(*value),
        Literal::Text(text) => Value::text(text),
        Literal::Bytes(bytes) => Value::Bytes(Rc::from(&**bytes)),
    }
}
