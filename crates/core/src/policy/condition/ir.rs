//! A condition, ready to be evaluated: names resolved, functions found, macros told apart.

use std::sync::Arc;

use regex::Regex;

use super::functions::Function;
use super::names::Root;

/// An expression and its place.
#[derive(Debug)]
pub(super) struct Node {
    /// Character offset in the text.
    pub(super) at: usize,
    pub(super) expr: Expr,
}

#[derive(Debug)]
pub(super) enum Expr {
    Literal(Literal),
    Root(Root),
    /// A variable of a macro, by its slot.
    Local(usize),
    /// `variables.x`, by its index.
    Variable(usize),
    Type(&'static str),
    Select {
        operand: Box<Node>,
        field: String,
        access: Access,
    },
    Index {
        operand: Box<Node>,
        index: Box<Node>,
        optional: bool,
    },
    List(Vec<Element>),
    Map(Vec<Entry>),
    Not(Box<Node>),
    Negate(Box<Node>),
    And(Box<[Node; 2]>),
    Or(Box<[Node; 2]>),
    Conditional(Box<[Node; 3]>),
    Arithmetic(Arithmetic, Box<[Node; 2]>),
    Comparison(Comparison, Box<[Node; 2]>),
    Equals {
        negated: bool,
        operands: Box<[Node; 2]>,
    },
    In(Box<[Node; 2]>),
    Fold(Box<Fold>),
    /// `x.optMap(v, e)`, and `x.optFlatMap(v, e)` if `flat`.
    WithOptional {
        operand: Box<Node>,
        local: usize,
        body: Box<Node>,
        flat: bool,
    },
    Call(Box<Call>),
}

#[derive(Debug, Clone)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(String),
    Bytes(Arc<[u8]>),
}

/// How a field is selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// `a.b`
    Plain,
    /// `a.?b`
    Optional,
    /// `has(a.b)`
    Test,
}

/// An element of a list; `[?x]` if `optional`.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) value: Node,
    pub(super) optional: bool,
}

/// An entry of a map; `{?k: v}` if `optional`.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: Node,
    pub(super) value: Node,
    pub(super) optional: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Arithmetic {
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Self::Add => "_+_",
            Self::Subtract => "_-_",
            Self::Multiply => "_*_",
            Self::Divide => "_/_",
            Self::Remainder => "_%_",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Self::Less => "_<_",
            Self::LessOrEqual => "_<=_",
            Self::Greater => "_>_",
            Self::GreaterOrEqual => "_>=_",
        }
    }
}

/// A macro that goes through a list or map.
#[derive(Debug)]
pub(super) struct Fold {
    pub(super) kind: FoldKind,
    pub(super) range: Node,
    /// Slot of the element or key; of the index or key where there are two variables.
    pub(super) first: usize,
    /// Slot of the value where there are two variables.
    pub(super) second: Option<usize>,
    pub(super) filter: Option<Node>,
    pub(super) body: Node,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FoldKind {
    All,
    Exists,
    ExistsOne,
    /// `map` and `transformList`
    Map,
    Filter,
    TransformMap,
    TransformMapEntry,
    SortBy,
}

/// A call; the target of a method is the first argument.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) function: &'static Function,
    pub(super) arguments: Vec<Node>,
    /// The pattern, compiled, where it is a literal.
    pub(super) regex: Option<Regex>,
}
