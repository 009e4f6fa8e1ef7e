//! Macros: `has`, and those that go through lists, maps and optionals.

use cel::common::ast::{CallExpr, Expr as Ast, IdedExpr};

use super::error::ConditionError;
use super::ir::{Access, Expr, Fold, FoldKind};
use super::lower::Lowering;

impl Lowering<'_> {
    /// The macro that a call is, if it is one.
    pub(super) fn macro_call(&mut self, call: &CallExpr, at: usize) -> Result<Option<Expr>, ConditionError> {
        let name = call.func_name.as_str();
        let Some(target) = call.target.as_deref() else {
            return match (name, call.args.as_slice()) {
                ("has", [argument]) => self.has(argument, at).map(Some),
                _ => Ok(None),
            };
        };
        let fold = match (name, call.args.as_slice()) {
            ("all", [v, body]) => (FoldKind::All, v, None, None, body),
            ("all", [k, v, body]) => (FoldKind::All, k, Some(v), None, body),
            ("exists", [v, body]) => (FoldKind::Exists, v, None, None, body),
            ("exists", [k, v, body]) => (FoldKind::Exists, k, Some(v), None, body),
            ("exists_one", [v, body]) => (FoldKind::ExistsOne, v, None, None, body),
            ("exists_one" | "existsOne", [k, v, body]) => (FoldKind::ExistsOne, k, Some(v), None, body),
            ("filter", [v, body]) => (FoldKind::Filter, v, None, None, body),
            ("map", [v, body]) => (FoldKind::Map, v, None, None, body),
            ("map", [v, filter, body]) => (FoldKind::Map, v, None, Some(filter), body),
            ("sortBy", [v, body]) => (FoldKind::SortBy, v, None, None, body),
            ("transformList", [k, v, body]) => (FoldKind::Map, k, Some(v), None, body),
            ("transformList", [k, v, filter, body]) => (FoldKind::Map, k, Some(v), Some(filter), body),
            ("transformMap", [k, v, body]) => (FoldKind::TransformMap, k, Some(v), None, body),
            ("transformMap", [k, v, filter, body]) => (FoldKind::TransformMap, k, Some(v), Some(filter), body),
            ("transformMapEntry", [k, v, body]) => (FoldKind::TransformMapEntry, k, Some(v), None, body),
            ("transformMapEntry", [k, v, filter, body]) => {
                (FoldKind::TransformMapEntry, k, Some(v), Some(filter), body)
            }
            ("optMap" | "optFlatMap", [v, body]) => {
                let operand = self.boxed(target)?;
                let variable = self.variable_name(v)?;
                return self.within(&[variable], |this, local| {
                    Ok(Some(Expr::WithOptional {
                        operand,
                        local,
                        body: this.boxed(body)?,
                        flat: name == "optFlatMap",
                    }))
                });
            }
            _ => return Ok(None),
        };
        let (kind, first, second, filter, body) = fold;
        let range = self.node(target)?;
        let mut names = vec![self.variable_name(first)?];
        if let Some(second) = second {
            names.push(self.variable_name(second)?);
            if names.first() == names.last() {
                return Err(ConditionError::new(
                    at,
                    format!("`{name}` needs two different variables"),
                ));
            }
        }
        self.within(&names, |this, slot| {
            Ok(Some(Expr::Fold(Box::new(Fold {
                kind,
                range,
                first: slot,
                second: second.map(|_| slot + 1),
                filter: filter.map(|filter| this.node(filter)).transpose()?,
                body: this.node(body)?,
            }))))
        })
    }

    fn variable_name<'t>(&self, tree: &'t IdedExpr) -> Result<&'t str, ConditionError> {
        match &tree.expr {
            Ast::Ident(name) if !name.starts_with('.') => Ok(name),
            _ => Err(ConditionError::new(
                self.at(tree),
                "the variable of a macro is a simple name",
            )),
        }
    }

    fn has(&mut self, argument: &IdedExpr, at: usize) -> Result<Expr, ConditionError> {
        let wrong = || ConditionError::new(at, "`has` takes a field, as in `has(object.spec.replicas)`");
        let Ast::Select(_) = &argument.expr else {
            return Err(wrong());
        };
        match self.node(argument)?.expr {
            Expr::Select { operand, field, .. } => Ok(Expr::Select {
                operand,
                field,
                access: Access::Test,
            }),
            _ => Err(wrong()),
        }
    }
}
