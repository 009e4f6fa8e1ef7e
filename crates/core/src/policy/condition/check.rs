//! The types of a condition, from the inside out: what can never fit is an error, what may fit is not.

use super::error::ConditionError;
use super::ir::{Access, Arithmetic, Call, Comparison, Expr, Fold, FoldKind, Node};
use super::names::Gives;
use super::schema::Definition;
use super::shape::Shape;

/// Checks a condition, of which `object` and `oldObject` are of a kind that may be known.
pub(super) fn check(root: &Node, gives: Gives, object: Option<Definition>) -> Result<(), ConditionError> {
    let mut checker = Checker {
        object,
        locals: Vec::new(),
    };
    let shape = checker.shape(root)?;
    let (right, wanted) = match gives {
        Gives::Bool => (matches!(shape, Shape::Bool | Shape::Dyn), "true or false"),
        Gives::Text => (matches!(shape, Shape::Text | Shape::Dyn), "text"),
        Gives::TextOrNull => (matches!(shape, Shape::Text | Shape::Null | Shape::Dyn), "text or null"),
        Gives::Anything => (true, ""),
    };
    if right {
        return Ok(());
    }
    let message = format!("it has to give {wanted}, and gives a {}", shape.name());
    Err(ConditionError::new(root.at, message))
}

struct Checker {
    object: Option<Definition>,
    /// By slot.
    locals: Vec<Shape>,
}

type Checked = Result<Shape, ConditionError>;

fn no_overload(at: usize, name: &str, shapes: &[&Shape]) -> ConditionError {
    let shapes: Vec<&str> = shapes.iter().map(|shape| shape.name()).collect();
    ConditionError::new(at, format!("`{name}` has no meaning for ({})", shapes.join(", ")))
}

impl Checker {
    fn shape(&mut self, node: &Node) -> Checked {
        let at = node.at;
        Ok(match &node.expr {
            Expr::Literal(literal) => Shape::literal(literal),
            Expr::Root(root) => Shape::root(*root, self.object),
            Expr::Local(slot) => self.locals.get(*slot).cloned().unwrap_or(Shape::Dyn),
            Expr::Variable(_) => Shape::Dyn,
            Expr::Type(_) => Shape::Type,
            Expr::Select { operand, field, access } => self.select(at, operand, field, *access)?,
            Expr::Index {
                operand,
                index,
                optional,
            } => self.index(at, operand, index, *optional)?,
            Expr::List(elements) => {
                let mut common: Option<Shape> = None;
                for element in elements {
                    let shape = self.shape(&element.value)?;
                    let shape = if element.optional { Shape::Dyn } else { shape };
                    common = Some(common.map_or(shape.clone(), |common| join(common, &shape)));
                }
                Shape::list(common.unwrap_or(Shape::Dyn))
            }
            Expr::Map(entries) => {
                for entry in entries {
                    self.shape(&entry.key)?;
                    self.shape(&entry.value)?;
                }
                Shape::map(Shape::Dyn)
            }
            Expr::Not(operand) => self.truth(operand, "!")?,
            Expr::Negate(operand) => match self.shape(operand)? {
                shape @ (Shape::Int | Shape::Double | Shape::Dyn) => shape,
                other => return Err(no_overload(at, "-", &[&other])),
            },
            Expr::And(operands) => self.both(operands, "&&")?,
            Expr::Or(operands) => self.both(operands, "||")?,
            Expr::Conditional(parts) => {
                let [condition, yes, no] = &**parts;
                self.truth(condition, "?:")?;
                let (yes, no) = (self.shape(yes)?, self.shape(no)?);
                join(yes, &no)
            }
            Expr::Arithmetic(operator, operands) => {
                let [a, b] = &**operands;
                let (a, b) = (self.shape(a)?, self.shape(b)?);
                arithmetic(*operator, &a, &b).ok_or_else(|| no_overload(at, operator.symbol(), &[&a, &b]))?
            }
            Expr::Comparison(operator, operands) => self.comparison(at, *operator, operands)?,
            Expr::Equals { operands, negated } => {
                let [a, b] = &**operands;
                let (a, b) = (self.shape(a)?, self.shape(b)?);
                if !a.may_equal(&b) {
                    return Err(no_overload(at, if *negated { "!=" } else { "==" }, &[&a, &b]));
                }
                Shape::Bool
            }
            Expr::In(operands) => {
                let [value, container] = &**operands;
                let (value, container) = (self.shape(value)?, self.shape(container)?);
                let right = match &container {
                    Shape::List(of) => value.may_equal(of),
                    Shape::Object(_) => value.may_equal(&Shape::Text),
                    Shape::Map(_) | Shape::Dyn => true,
                    _ => false,
                };
                if !right {
                    return Err(no_overload(at, "in", &[&value, &container]));
                }
                Shape::Bool
            }
            Expr::Fold(fold) => self.fold(at, fold)?,
            Expr::WithOptional {
                operand,
                local,
                body,
                flat,
            } => {
                let of = match self.shape(operand)? {
                    Shape::Optional(of) => (*of).clone(),
                    Shape::Dyn => Shape::Dyn,
                    other => return Err(no_overload(at, "optMap", &[&other])),
                };
                self.set(*local, of);
                match (self.shape(body)?, flat) {
                    (shape, false) => Shape::optional(shape),
                    (shape @ (Shape::Optional(_) | Shape::Dyn), true) => shape,
                    (other, true) => return Err(no_overload(at, "optFlatMap", &[&other])),
                }
            }
            Expr::Call(call) => self.call(at, call)?,
        })
    }

    fn set(&mut self, slot: usize, shape: Shape) {
        if self.locals.len() <= slot {
            self.locals.resize(slot + 1, Shape::Dyn);
        }
        if let Some(place) = self.locals.get_mut(slot) {
            *place = shape;
        }
    }

    fn truth(&mut self, node: &Node, operator: &str) -> Checked {
        match self.shape(node)? {
            Shape::Bool | Shape::Dyn => Ok(Shape::Bool),
            other => Err(no_overload(node.at, operator, &[&other])),
        }
    }

    fn both(&mut self, operands: &[Node; 2], operator: &str) -> Checked {
        let [a, b] = operands;
        self.truth(a, operator)?;
        self.truth(b, operator)
    }

    fn select(&mut self, at: usize, operand: &Node, field: &str, access: Access) -> Checked {
        let shape = self.shape(operand)?;
        let (shape, optional) = match shape {
            Shape::Optional(of) => ((*of).clone(), true),
            other => (other, access == Access::Optional),
        };
        let found = match &shape {
            Shape::Object(definition) => {
                let known = definition.field(field);
                known.ok_or_else(|| unknown_field(at, *definition, field))?
            }
            Shape::Map(of) => (**of).clone(),
            Shape::Dyn => Shape::Dyn,
            other => {
                return Err(ConditionError::new(
                    at,
                    format!("a {} has no field `{field}`", other.name()),
                ));
            }
        };
        Ok(match access {
            Access::Test => Shape::Bool,
            _ if optional => Shape::optional(found),
            _ => found,
        })
    }

    fn index(&mut self, at: usize, operand: &Node, index: &Node, optional: bool) -> Checked {
        let (shape, position) = (self.shape(operand)?, self.shape(index)?);
        let (shape, optional) = match shape {
            Shape::Optional(of) => ((*of).clone(), true),
            other => (other, optional),
        };
        let found = match &shape {
            Shape::List(of) if position.is_number() || position == Shape::Dyn => (**of).clone(),
            Shape::Map(of) => (**of).clone(),
            Shape::Object(_) if position.may_equal(&Shape::Text) => Shape::Dyn,
            Shape::Dyn => Shape::Dyn,
            _ => return Err(no_overload(at, "[]", &[&shape, &position])),
        };
        Ok(if optional { Shape::optional(found) } else { found })
    }

    fn comparison(&mut self, at: usize, operator: Comparison, operands: &[Node; 2]) -> Checked {
        let [a, b] = operands;
        let (a, b) = (self.shape(a)?, self.shape(b)?);
        let ordered = |shape: &Shape| {
            matches!(
                shape,
                Shape::Dyn
                    | Shape::Bool
                    | Shape::Int
                    | Shape::Uint
                    | Shape::Double
                    | Shape::Text
                    | Shape::Bytes
                    | Shape::Timestamp
                    | Shape::Duration
            )
        };
        if ordered(&a) && ordered(&b) && a.may_equal(&b) {
            Ok(Shape::Bool)
        } else {
            Err(no_overload(at, operator.symbol(), &[&a, &b]))
        }
    }

    fn fold(&mut self, at: usize, fold: &Fold) -> Checked {
        let (key, value) = match self.shape(&fold.range)? {
            Shape::List(of) => (Shape::Int, (*of).clone()),
            Shape::Map(of) => (Shape::Dyn, (*of).clone()),
            Shape::Object(_) => (Shape::Text, Shape::Dyn),
            Shape::Dyn => (Shape::Dyn, Shape::Dyn),
            other => {
                let message = format!("a {} is neither list nor map", other.name());
                return Err(ConditionError::new(at, message));
            }
        };
        // With one variable: the element of a list, the key of a map.
        let first = match (fold.second, &key) {
            (Some(second), _) => {
                self.set(second, value);
                key
            }
            (None, Shape::Int) => value,
            (None, _) => key,
        };
        self.set(fold.first, first.clone());
        if let Some(filter) = &fold.filter {
            self.truth(filter, "filter")?;
        }
        Ok(match fold.kind {
            FoldKind::All | FoldKind::Exists | FoldKind::ExistsOne => {
                self.truth(&fold.body, "all, exists and exists_one")?;
                Shape::Bool
            }
            FoldKind::Filter => {
                self.truth(&fold.body, "filter")?;
                Shape::list(first)
            }
            FoldKind::Map => Shape::list(self.shape(&fold.body)?),
            FoldKind::SortBy => {
                self.shape(&fold.body)?;
                Shape::list(first)
            }
            FoldKind::TransformMap => Shape::map(self.shape(&fold.body)?),
            FoldKind::TransformMapEntry => match self.shape(&fold.body)? {
                Shape::Map(of) => Shape::Map(of),
                Shape::Dyn => Shape::map(Shape::Dyn),
                other => return Err(no_overload(at, "transformMapEntry", &[&other])),
            },
        })
    }

    fn call(&mut self, at: usize, call: &Call) -> Checked {
        let mut shapes = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            shapes.push(self.shape(argument)?);
        }
        let fitting: Vec<_> = call
            .function
            .overloads
            .iter()
            .filter(|one| one.takes.len() == shapes.len())
            .filter(|one| one.takes.iter().zip(&shapes).all(|(ty, shape)| shape.fits(*ty)))
            .collect();
        match fitting.as_slice() {
            [] => {
                let shapes: Vec<&Shape> = shapes.iter().collect();
                Err(no_overload(at, call.function.name, &shapes))
            }
            [first, rest @ ..] if rest.iter().all(|one| one.gives == first.gives) => {
                Ok(Shape::given(shapes.first(), first.gives))
            }
            _ => Ok(Shape::Dyn),
        }
    }
}

/// What an expression may be that is either of the two.
fn join(a: Shape, b: &Shape) -> Shape {
    if a == *b { a } else { Shape::Dyn }
}

fn arithmetic(operator: Arithmetic, a: &Shape, b: &Shape) -> Option<Shape> {
    use Arithmetic::{Add, Remainder, Subtract};
    Some(match (a, b) {
        (Shape::Dyn, _) | (_, Shape::Dyn) => {
            let other = if *a == Shape::Dyn { b } else { a };
            let known = other.is_number()
                || matches!(
                    other,
                    Shape::Dyn | Shape::Text | Shape::Bytes | Shape::List(_) | Shape::Timestamp | Shape::Duration
                );
            return known.then_some(Shape::Dyn);
        }
        (Shape::Double, Shape::Double) if operator == Remainder => return None,
        (Shape::Int, Shape::Int) | (Shape::Uint, Shape::Uint) | (Shape::Double, Shape::Double) => a.clone(),
        (Shape::Text, Shape::Text) | (Shape::Bytes, Shape::Bytes) if operator == Add => a.clone(),
        (Shape::List(_), Shape::List(_)) if operator == Add => join(a.clone(), b).clone_list(),
        (Shape::Timestamp, Shape::Duration) if matches!(operator, Add | Subtract) => Shape::Timestamp,
        (Shape::Duration, Shape::Timestamp) if operator == Add => Shape::Timestamp,
        (Shape::Duration, Shape::Duration) if matches!(operator, Add | Subtract) => Shape::Duration,
        (Shape::Timestamp, Shape::Timestamp) if operator == Subtract => Shape::Duration,
        _ => return None,
    })
}

impl Shape {
    /// Two lists joined are a list at least.
    fn clone_list(self) -> Self {
        if self == Self::Dyn { Self::list(Self::Dyn) } else { self }
    }
}

fn unknown_field(at: usize, definition: Definition, field: &str) -> ConditionError {
    let message = format!("{} has no field `{field}`", definition.title());
    ConditionError::new(at, message).with_nearest(field, definition.fields())
}
