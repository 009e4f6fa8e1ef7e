//! What is known of a value before it is there: its type, and the fields of an object of a known kind.

use std::rc::Rc;

use super::functions::Ty;
use super::ir::Literal;
use super::names::Root;
use super::schema::Definition;

/// The type of an expression, as far as it is certain.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    /// Anything.
    Dyn,
    Null,
    Bool,
    Int,
    Uint,
    Double,
    Text,
    Bytes,
    List(Rc<Shape>),
    Map(Rc<Shape>),
    /// A map whose keys are known.
    Object(Definition),
    Timestamp,
    Duration,
    Type,
    Optional(Rc<Shape>),
    Quantity,
    Ip,
    Cidr,
    Url,
    Semver,
    Format,
}

impl Shape {
    pub(super) fn list(of: Self) -> Self {
        Self::List(Rc::new(of))
    }

    pub(super) fn map(of: Self) -> Self {
        Self::Map(Rc::new(of))
    }

    pub(super) fn optional(of: Self) -> Self {
        Self::Optional(Rc::new(of))
    }

    pub(super) fn literal(literal: &Literal) -> Self {
        match literal {
            Literal::Null => Self::Null,
            Literal::Bool(_) => Self::Bool,
            Literal::Int(_) => Self::Int,
            Literal::Uint(_) => Self::Uint,
            Literal::Double(_) => Self::Double,
            Literal::Text(_) => Self::Text,
            Literal::Bytes(_) => Self::Bytes,
        }
    }

    pub(super) fn root(root: Root, object: Option<Definition>) -> Self {
        match root {
            Root::Object | Root::OldObject => object.map_or(Self::Dyn, Self::Object),
            Root::NamespaceObject => Definition::namespace().map_or(Self::Dyn, Self::Object),
            Root::Params => Self::Dyn,
            Root::Request => Self::Object(Definition::REQUEST),
            Root::Subject => Self::Object(Definition::SUBJECT),
            Root::Exec => Self::Object(Definition::EXEC),
            Root::Effects => Self::list(Self::Text),
            Root::Now => Self::Timestamp,
        }
    }

    /// The name in messages.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Dyn => "value",
            Self::Null => "null",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::Text => "string",
            Self::Bytes => "bytes",
            Self::List(_) => "list",
            Self::Map(_) | Self::Object(_) => "map",
            Self::Timestamp => "timestamp",
            Self::Duration => "duration",
            Self::Type => "type",
            Self::Optional(_) => "optional",
            Self::Quantity => "quantity",
            Self::Ip => "IP address",
            Self::Cidr => "CIDR",
            Self::Url => "URL",
            Self::Semver => "semantic version",
            Self::Format => "format",
        }
    }

    pub(super) fn is_number(&self) -> bool {
        matches!(self, Self::Int | Self::Uint | Self::Double)
    }

    /// Null stands for what is not there, and is compared with everything.
    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Dyn | Self::Null)
    }

    /// Whether a value of this may be one of the other. Wrong only where it is certain.
    pub(super) fn may_equal(&self, other: &Self) -> bool {
        self.is_open() || other.is_open() || (self.is_number() && other.is_number()) || self.name() == other.name()
    }

    /// Whether it may be given where a function takes that.
    pub(super) fn fits(&self, ty: Ty) -> bool {
        matches!(
            (self, ty),
            (Self::Dyn, _)
                | (_, Ty::Dyn)
                | (Self::Bool, Ty::Bool)
                | (Self::Int, Ty::Int)
                | (Self::Uint, Ty::Uint)
                | (Self::Double, Ty::Double)
                | (Self::Text, Ty::Text)
                | (Self::Bytes, Ty::Bytes)
                | (Self::List(_), Ty::List)
                | (Self::Map(_) | Self::Object(_), Ty::Map)
                | (Self::Timestamp, Ty::Timestamp)
                | (Self::Duration, Ty::Duration)
                | (Self::Type, Ty::Type)
                | (Self::Optional(_), Ty::Optional)
                | (Self::Quantity, Ty::Quantity)
                | (Self::Ip, Ty::Ip)
                | (Self::Cidr, Ty::Cidr)
                | (Self::Url, Ty::Url)
                | (Self::Semver, Ty::Semver)
                | (Self::Format, Ty::Format)
        )
    }

    /// What a function gives whose first argument is of this.
    pub(super) fn given(first: Option<&Self>, gives: Ty) -> Self {
        let element = || match first {
            Some(Self::List(of)) => (**of).clone(),
            _ => Self::Dyn,
        };
        match gives {
            Ty::Dyn => Self::Dyn,
            Ty::Bool => Self::Bool,
            Ty::Int => Self::Int,
            Ty::Uint => Self::Uint,
            Ty::Double => Self::Double,
            Ty::Text => Self::Text,
            Ty::Bytes => Self::Bytes,
            Ty::List => Self::list(Self::Dyn),
            Ty::Texts => Self::list(Self::Text),
            Ty::Map => Self::map(Self::Dyn),
            Ty::Timestamp => Self::Timestamp,
            Ty::Duration => Self::Duration,
            Ty::Type => Self::Type,
            Ty::Optional => Self::optional(Self::Dyn),
            Ty::OptionalTexts => Self::optional(Self::list(Self::Text)),
            Ty::OptionalFormat => Self::optional(Self::Format),
            Ty::Quantity => Self::Quantity,
            Ty::Ip => Self::Ip,
            Ty::Cidr => Self::Cidr,
            Ty::Url => Self::Url,
            Ty::Semver => Self::Semver,
            Ty::Format => Self::Format,
            Ty::Same => first.cloned().unwrap_or(Self::Dyn),
            Ty::Element => element(),
            Ty::OptionalElement => Self::optional(element()),
            Ty::Held => match first {
                Some(Self::Optional(of)) => (**of).clone(),
                _ => Self::Dyn,
            },
            Ty::OptionalSame => Self::optional(first.cloned().unwrap_or(Self::Dyn)),
        }
    }
}
