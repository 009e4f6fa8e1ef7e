//! Every function that a condition can call: CEL's own and those of Kubernetes' libraries, by name.
//!
//! What each takes is declared, so that a call that can never work is an error at load.

mod convert;
pub(super) mod format;
pub(super) mod lists;
pub(super) mod net;
mod optional;
mod print;
pub(super) mod quantity;
pub(super) mod regex;
mod semver;
pub(super) mod sets;
mod strings;
mod time;
pub(super) mod url;

use ::regex::Regex;

use super::error::ConditionError;
use super::fault::{Fault, Meter};
use super::ir::{Call, Expr, Literal, Node};
use super::value::Value;

/// A function, global or a method, under one name.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) style: Style,
    pub(super) overloads: &'static [Overload],
    run: Run,
    /// It only reads text: a literal that it can't read is an error at load.
    tried_at_load: bool,
}

/// `f(x)` or `x.f()`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Global,
    Member,
}

/// What a function takes, the target of a method first, and what it gives.
#[derive(Debug)]
pub(super) struct Overload {
    pub(super) takes: &'static [Ty],
    pub(super) gives: Ty,
}

/// Types in declarations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ty {
    Dyn,
    Bool,
    Int,
    Uint,
    Double,
    Text,
    Bytes,
    List,
    Texts,
    Map,
    Timestamp,
    Duration,
    Type,
    Optional,
    OptionalTexts,
    OptionalFormat,
    Quantity,
    Ip,
    Cidr,
    Url,
    Semver,
    Format,
    /// As the first argument.
    Same,
    /// An element of the first argument.
    Element,
    /// An optional of an element of the first argument.
    OptionalElement,
    /// What the first argument, an optional, holds.
    Held,
    /// An optional of the first argument.
    OptionalSame,
}

type Plain = for<'v> fn(&mut Meter, &[Value<'v>]) -> Result<Value<'v>, Fault>;
type Pattern = for<'v> fn(&mut Meter, &Regex, &[Value<'v>]) -> Result<Value<'v>, Fault>;

#[derive(Debug, Clone, Copy)]
enum Run {
    Plain(Plain),
    /// The second argument is a pattern, and compiled before.
    Pattern(Pattern),
}

const fn global(name: &'static str, overloads: &'static [Overload], run: Plain) -> Function {
    Function {
        name,
        style: Style::Global,
        overloads,
        run: Run::Plain(run),
        tried_at_load: false,
    }
}

const fn member(name: &'static str, overloads: &'static [Overload], run: Plain) -> Function {
    Function {
        name,
        style: Style::Member,
        overloads,
        run: Run::Plain(run),
        tried_at_load: false,
    }
}

/// A global function that reads text, such as `quantity("1Gi")`.
const fn reader(name: &'static str, overloads: &'static [Overload], run: Plain) -> Function {
    Function {
        name,
        style: Style::Global,
        overloads,
        run: Run::Plain(run),
        tried_at_load: true,
    }
}

const fn overload(takes: &'static [Ty], gives: Ty) -> Overload {
    Overload { takes, gives }
}

const TABLES: [&[Function]; 13] = [
    convert::FUNCTIONS,
    format::FUNCTIONS,
    lists::FUNCTIONS,
    net::FUNCTIONS,
    optional::FUNCTIONS,
    print::FUNCTIONS,
    quantity::FUNCTIONS,
    regex::FUNCTIONS,
    semver::FUNCTIONS,
    sets::FUNCTIONS,
    strings::FUNCTIONS,
    time::FUNCTIONS,
    url::FUNCTIONS,
];

/// Macros, for suggestions.
const MACROS: [&str; 12] = [
    "all",
    "exists",
    "exists_one",
    "existsOne",
    "filter",
    "map",
    "optMap",
    "optFlatMap",
    "sortBy",
    "transformList",
    "transformMap",
    "transformMapEntry",
];

fn all() -> impl Iterator<Item = &'static Function> {
    TABLES.into_iter().flatten()
}

pub(super) fn find(name: &str, style: Style) -> Option<&'static Function> {
    all().find(|function| function.style == style && function.name == name)
}

pub(super) fn exists(name: &str, style: Style) -> bool {
    find(name, style).is_some()
}

pub(super) fn unknown(name: &str, style: Style, at: usize) -> ConditionError {
    let known = all()
        .filter(|function| function.style == style)
        .map(|function| function.name);
    let other = all().find(|function| function.name == name);
    match (other, style) {
        // As a method of something, or the other way round.
        (Some(_), Style::Member) => ConditionError::new(at, format!("`{name}` is no method: write `{name}(…)`")),
        (Some(_), Style::Global) => ConditionError::new(at, format!("`{name}` is a method: write `….{name}(…)`")),
        (None, _) if MACROS.contains(&name) || name == "has" => {
            ConditionError::new(at, format!("the macro `{name}` does not take these arguments"))
        }
        (None, Style::Member) => {
            ConditionError::new(at, format!("unknown method `{name}`")).with_nearest(name, known.chain(MACROS))
        }
        (None, Style::Global) => {
            ConditionError::new(at, format!("unknown function `{name}`")).with_nearest(name, known.chain(["has"]))
        }
    }
}

impl Function {
    pub(super) fn takes_pattern(&self) -> bool {
        matches!(self.run, Run::Pattern(_))
    }
}

/// Calls a function.
pub(super) fn run<'v>(call: &Call, arguments: &[Value<'v>], meter: &mut Meter) -> Result<Value<'v>, Fault> {
    let answer = match (call.function.run, &call.regex, arguments) {
        (Run::Plain(run), ..) => run(meter, arguments),
        (Run::Pattern(run), Some(regex), _) => run(meter, regex, arguments),
        (Run::Pattern(run), None, [_, Value::Text(pattern), ..]) => {
            // Compiling costs far more than the pattern's length.
            meter.charge(1000 + pattern.as_str().len().saturating_mul(20))?;
            let regex = regex::compile(pattern.as_str()).map_err(Fault::Failed)?;
            run(meter, &regex, arguments)
        }
        (Run::Pattern(_), None, _) => Err(Fault::Overload),
    };
    answer.map_err(|fault| match fault {
        Fault::Overload => no_overload(call.function.name, arguments),
        fault => fault,
    })
}

/// The error that names an operator or function, and the types that it has no meaning for.
pub(super) fn no_overload(name: &str, arguments: &[Value<'_>]) -> Fault {
    let types: Vec<&str> = arguments.iter().map(Value::type_name).collect();
    Fault::Failed(format!("`{name}` has no meaning for ({})", types.join(", ")))
}

/// Tries a function that only reads text on the text it is given, if that is a literal.
pub(super) fn try_literals(call: &Call) -> Result<(), String> {
    let literal = |node: &Node| match &node.expr {
        Expr::Literal(Literal::Text(text)) => Some(Value::owned(text.as_str())),
        Expr::Literal(Literal::Bool(value)) => Some(Value::Bool(*value)),
        _ => None,
    };
    if !call.function.tried_at_load {
        return Ok(());
    }
    let Some(arguments) = call.arguments.iter().map(literal).collect::<Option<Vec<_>>>() else {
        return Ok(());
    };
    match run(call, &arguments, &mut Meter::new()) {
        Err(Fault::Failed(message)) => Err(message),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        for (index, function) in all().enumerate() {
            let twin = all()
                .skip(index + 1)
                .any(|other| other.name == function.name && other.style == function.style);
            assert!(!twin, "{} {:?}", function.name, function.style);
        }
    }
}
