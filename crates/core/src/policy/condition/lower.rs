//! From the parser's tree to a condition that is ready: names resolved, functions found, macros told apart.

use std::sync::Arc;

use cel::common::ast::{CallExpr, EntryExpr, Expr as Ast, IdedExpr, LiteralValue, SelectExpr, SourceInfo, operators};

use super::error::ConditionError;
use super::functions::{self, Style, regex};
use super::ir::{Access, Arithmetic, Call, Comparison, Element, Entry, Expr, Literal, Node};
use super::names::{Place, Reads, Root};

/// Types that an expression can name.
const TYPES: [&str; 17] = [
    "bool",
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "list",
    "map",
    "null_type",
    "type",
    "google.protobuf.Timestamp",
    "google.protobuf.Duration",
    "optional_type",
    "kubernetes.Quantity",
    "kubernetes.Semver",
    "net.IP",
    "net.CIDR",
];

/// What lowering gives.
pub(super) struct Lowered {
    pub(super) root: Node,
    pub(super) reads: Reads,
    /// Slots that its macros need.
    pub(super) locals: usize,
}

/// Resolves everything, or tells the first thing that can't be.
pub(super) fn lower(tree: &IdedExpr, source: &SourceInfo, place: Place<'_>) -> Result<Lowered, ConditionError> {
    let mut lowering = Lowering {
        source,
        place,
        locals: Vec::new(),
        most_locals: 0,
        reads: Reads::NONE,
    };
    let root = lowering.node(tree)?;
    Ok(Lowered {
        root,
        reads: lowering.reads,
        locals: lowering.most_locals,
    })
}

pub(super) struct Lowering<'l> {
    source: &'l SourceInfo,
    place: Place<'l>,
    /// Variables of the macros around this place, from the outside in.
    locals: Vec<String>,
    most_locals: usize,
    reads: Reads,
}

impl Lowering<'_> {
    pub(super) fn at(&self, tree: &IdedExpr) -> usize {
        // Positions are those of a token; a call's is its parenthesis, a member's its dot.
        let (start, _) = self.source.offset_for(tree.id).unwrap_or_default();
        usize::try_from(start).unwrap_or(0)
    }

    pub(super) fn node(&mut self, tree: &IdedExpr) -> Result<Node, ConditionError> {
        let at = self.at(tree);
        let expr = match &tree.expr {
            Ast::Literal(literal) => Expr::Literal(lower_literal(literal)),
            Ast::Ident(name) => self.name(name, at)?,
            Ast::Select(select) => self.select(select, at)?,
            Ast::Call(call) => self.call(call, at)?,
            Ast::List(list) => {
                let mut elements = Vec::with_capacity(list.elements.len());
                for (index, element) in list.elements.iter().enumerate() {
                    elements.push(Element {
                        value: self.node(element)?,
                        optional: list.optional_indices.contains(&index),
                    });
                }
                Expr::List(elements)
            }
            Ast::Map(map) => {
                let mut entries = Vec::with_capacity(map.entries.len());
                for entry in &map.entries {
                    let EntryExpr::MapEntry(entry) = &entry.expr else {
                        return Err(ConditionError::new(at, "a map has keys and values"));
                    };
                    entries.push(Entry {
                        key: self.node(&entry.key)?,
                        value: self.node(&entry.value)?,
                        optional: entry.optional,
                    });
                }
                Expr::Map(entries)
            }
            Ast::Struct(message) => {
                let message = format!("`{}{{…}}`: messages can't be made here", message.type_name);
                return Err(ConditionError::new(at, message));
            }
            Ast::Comprehension(_) | Ast::Unspecified => return Err(ConditionError::new(at, "no valid CEL")),
        };
        Ok(Node { at, expr })
    }

    pub(super) fn boxed(&mut self, tree: &IdedExpr) -> Result<Box<Node>, ConditionError> {
        self.node(tree).map(Box::new)
    }

    fn is_local(&self, name: &str) -> bool {
        self.locals.iter().any(|local| local == name)
    }

    /// Lowers what stands inside a macro, in which these variables are known.
    pub(super) fn within<T>(
        &mut self,
        names: &[&str],
        lower: impl FnOnce(&mut Self, usize) -> Result<T, ConditionError>,
    ) -> Result<T, ConditionError> {
        let first = self.locals.len();
        self.locals.extend(names.iter().map(|&name| name.to_owned()));
        self.most_locals = self.most_locals.max(self.locals.len());
        let lowered = lower(self, first);
        self.locals.truncate(first);
        lowered
    }

    fn name(&mut self, name: &str, at: usize) -> Result<Expr, ConditionError> {
        if let Some(slot) = self.locals.iter().rposition(|local| local == name) {
            return Ok(Expr::Local(slot));
        }
        let name = name.strip_prefix('.').unwrap_or(name);
        if let Some(root) = Root::named(name)
            && self.place.roots.contains(root)
        {
            self.reads = self.reads.with(root);
            return Ok(Expr::Root(root));
        }
        if let Some(known) = TYPES.into_iter().find(|known| *known == name) {
            return Ok(Expr::Type(known));
        }
        Err(self.unknown_name(name, at))
    }

    fn unknown_name(&self, name: &str, at: usize) -> ConditionError {
        let message = match name {
            "authorizer" => "`authorizer` is not supported: the guard can't ask the API server what it would authorize",
            "variables" if self.place.variables.is_some() => "`variables` is no value by itself: name one of them",
            "variables" => "`variables` are those of a ValidatingAdmissionPolicy",
            "params" => "`params` is known only where the policy has a `paramKind`",
            "subject" | "effects" | "exec" | "now" => {
                let message = format!("`{name}` is not known in a ValidatingAdmissionPolicy, only in `when` of a rule");
                return ConditionError::new(at, message);
            }
            _ => {
                let mut known: Vec<&str> = self.place.roots.iter().map(Root::as_str).collect();
                known.extend(self.place.variables.map(|_| "variables"));
                known.extend(self.locals.iter().map(String::as_str));
                return ConditionError::new(at, format!("unknown name `{name}`")).with_nearest(name, known);
            }
        };
        ConditionError::new(at, message)
    }

    fn select(&mut self, select: &SelectExpr, at: usize) -> Result<Expr, ConditionError> {
        // `variables.x`, and the dotted names of types.
        if let Some(path) = qualified(&select.operand)
            && let Some(root) = path.first()
            && !self.is_local(root)
        {
            if path == ["variables"]
                && let Some(variables) = self.place.variables
            {
                return self.variable(variables, &select.field, at);
            }
            let name = format!("{}.{}", path.join("."), select.field);
            if let Some(known) = TYPES.into_iter().find(|known| *known == name) {
                return Ok(Expr::Type(known));
            }
        }
        Ok(Expr::Select {
            operand: self.boxed(&select.operand)?,
            field: select.field.clone(),
            access: Access::Plain,
        })
    }

    fn variable(&mut self, variables: &[(String, Reads)], name: &str, at: usize) -> Result<Expr, ConditionError> {
        let Some(index) = variables.iter().position(|(known, _)| known == name) else {
            let known = variables.iter().map(|(name, _)| name);
            let message = format!("there is no variable `{name}` before this place");
            return Err(ConditionError::new(at, message).with_nearest(name, known));
        };
        if let Some((_, reads)) = variables.get(index) {
            self.reads = self.reads.and(*reads);
        }
        Ok(Expr::Variable(index))
    }

    fn call(&mut self, call: &CallExpr, at: usize) -> Result<Expr, ConditionError> {
        if call.target.is_none()
            && let Some(expr) = self.operator(&call.func_name, &call.args)?
        {
            return Ok(expr);
        }
        if let Some(expr) = self.macro_call(call, at)? {
            return Ok(expr);
        }
        // `optional.of(x)`, `ip.isCanonical(x)`: a function's name has a dot, unless the first part is a variable.
        let namespace = call.target.as_deref().and_then(qualified);
        if let Some(path) = namespace
            && path.first().is_some_and(|root| !self.is_local(root))
        {
            let name = format!("{}.{}", path.join("."), call.func_name);
            if functions::exists(&name, Style::Global) {
                return self.function(&name, Style::Global, None, &call.args, at);
            }
        }
        let style = if call.target.is_some() {
            Style::Member
        } else {
            Style::Global
        };
        self.function(&call.func_name, style, call.target.as_deref(), &call.args, at)
    }

    fn function(
        &mut self,
        name: &str,
        style: Style,
        target: Option<&IdedExpr>,
        rest: &[IdedExpr],
        at: usize,
    ) -> Result<Expr, ConditionError> {
        let Some(function) = functions::find(name, style) else {
            // A wrong name before it is told first: `authorizer.path("/")`.
            if let Some(target) = target {
                self.node(target)?;
            }
            return Err(functions::unknown(name, style, at));
        };
        let mut arguments = Vec::with_capacity(rest.len() + 1);
        for argument in target.into_iter().chain(rest) {
            arguments.push(self.node(argument)?);
        }
        if !function.overloads.iter().any(|one| one.takes.len() == arguments.len()) {
            let given = rest.len();
            let message = format!(
                "`{name}` does not take {given} argument{}",
                if given == 1 { "" } else { "s" }
            );
            return Err(ConditionError::new(at, message));
        }
        let regex = match arguments.get(1).map(|node| (&node.expr, node.at)) {
            Some((Expr::Literal(Literal::Text(pattern)), at)) if function.takes_pattern() => {
                Some(regex::compile(pattern).map_err(|message| ConditionError::new(at, message))?)
            }
            _ => None,
        };
        let call = Call {
            function,
            arguments,
            regex,
        };
        functions::try_literals(&call).map_err(|message| ConditionError::new(at, message))?;
        Ok(Expr::Call(Box::new(call)))
    }

    fn operator(&mut self, name: &str, args: &[IdedExpr]) -> Result<Option<Expr>, ConditionError> {
        Ok(Some(match (name, args) {
            (operators::LOGICAL_NOT, [operand]) => Expr::Not(self.boxed(operand)?),
            (operators::NEGATE, [operand]) => Expr::Negate(self.boxed(operand)?),
            (operators::LOGICAL_AND, [a, b]) => Expr::And(self.pair(a, b)?),
            (operators::LOGICAL_OR, [a, b]) => Expr::Or(self.pair(a, b)?),
            (operators::CONDITIONAL, [a, b, c]) => {
                Expr::Conditional(Box::new([self.node(a)?, self.node(b)?, self.node(c)?]))
            }
            (operators::EQUALS | operators::NOT_EQUALS, [a, b]) => Expr::Equals {
                negated: name == operators::NOT_EQUALS,
                operands: self.pair(a, b)?,
            },
            (operators::IN, [a, b]) => Expr::In(self.pair(a, b)?),
            (operators::INDEX | operators::OPT_INDEX, [operand, index]) => Expr::Index {
                operand: self.boxed(operand)?,
                index: self.boxed(index)?,
                optional: name == operators::OPT_INDEX,
            },
            (operators::OPT_SELECT, [operand, field]) => {
                let Ast::Literal(LiteralValue::String(field)) = &field.expr else {
                    return Ok(None);
                };
                Expr::Select {
                    operand: self.boxed(operand)?,
                    field: field.inner().to_owned(),
                    access: Access::Optional,
                }
            }
            (_, [a, b]) => {
                if let Some(operator) = arithmetic(name) {
                    Expr::Arithmetic(operator, self.pair(a, b)?)
                } else if let Some(operator) = comparison(name) {
                    Expr::Comparison(operator, self.pair(a, b)?)
                } else {
                    return Ok(None);
                }
            }
            _ => return Ok(None),
        }))
    }

    fn pair(&mut self, a: &IdedExpr, b: &IdedExpr) -> Result<Box<[Node; 2]>, ConditionError> {
        Ok(Box::new([self.node(a)?, self.node(b)?]))
    }
}

fn arithmetic(name: &str) -> Option<Arithmetic> {
    Some(match name {
        operators::ADD => Arithmetic::Add,
        operators::SUBSTRACT => Arithmetic::Subtract,
        operators::MULTIPLY => Arithmetic::Multiply,
        operators::DIVIDE => Arithmetic::Divide,
        operators::MODULO => Arithmetic::Remainder,
        _ => return None,
    })
}

fn comparison(name: &str) -> Option<Comparison> {
    Some(match name {
        operators::LESS => Comparison::Less,
        operators::LESS_EQUALS => Comparison::LessOrEqual,
        operators::GREATER => Comparison::Greater,
        operators::GREATER_EQUALS => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

fn lower_literal(literal: &LiteralValue) -> Literal {
    match literal {
        LiteralValue::Null => Literal::Null,
        LiteralValue::Boolean(value) => Literal::Bool(*value.inner()),
        LiteralValue::Int(value) => Literal::Int(*value.inner()),
        LiteralValue::UInt(value) => Literal::Uint(*value.inner()),
        LiteralValue::Double(value) => Literal::Double(*value.inner()),
        LiteralValue::String(value) => Literal::Text(value.inner().to_owned()),
        LiteralValue::Bytes(value) => Literal::Bytes(Arc::from(value.inner())),
    }
}

/// `a.b.c` as its parts.
fn qualified(tree: &IdedExpr) -> Option<Vec<&str>> {
    match &tree.expr {
        Ast::Ident(name) => Some(vec![name]),
        Ast::Select(select) => {
            let mut path = qualified(&select.operand)?;
            path.push(&select.field);
            Some(path)
        }
        _ => None,
    }
}
