//! Conditions in CEL: checked once, when they are loaded, and evaluated as often as need be.
//!
//! The text is parsed by the `cel` crate, macros left as they are written. From its tree a condition of our own is made
//! ([`lower`], [`macros`]), checked ([`check`]) and evaluated ([`eval`]). The crate's interpreter is not used: it
//! has no bound, turns JSON integers into unsigned ones, knows neither Kubernetes' functions nor two variables, and finds
//! unknown names only when it comes by them.
//!
//! 1. Names are those of ValidatingAdmissionPolicy (`object`, `oldObject`, `request`, `namespaceObject`, and in such a
//!    policy `params` and `variables`), and in a rule `subject`, `effects`, `exec` and `now` ([`names`]).
//! 2. Functions are CEL's own and those of Kubernetes 1.36 ([`functions`]). `authorizer` is an error at load, as are
//!    messages (`Object{…}`), backquoted names and `cel.bind`.
//! 3. At load: unknown names, functions and, where the kind of the object is known, fields; wrong numbers of arguments;
//!    types that can never fit; patterns, quantities, addresses and the like that can't be read. Only what is certainly
//!    wrong is an error; the API server is stricter with numbers of different types and lists of mixed ones.
//! 4. A field that is not there is an error of evaluation, as in Kubernetes: `has(x.y)` and `x.?y` ask first. So is what
//!    the guard does not know. An error of evaluation is told to the caller without the values that it met.
//! 5. An expression has at most 16 KiB, 24 brackets in each other and 96 levels of any kind, and takes at most a million
//!    steps, about one for each operation, element, or ten bytes of text. What takes more has no answer.

mod check;
mod error;
mod eval;
mod fault;
mod functions;
mod inputs;
mod ir;
mod lower;
mod macros;
mod names;
mod parse;
mod schema;
mod shape;
mod shell;
mod value;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub(super) use error::ConditionError;
pub(super) use eval::Evaluation;
pub(super) use fault::EvaluationError;
pub(super) use inputs::{Inputs, Known, Operation};
pub(super) use names::{Gives, Place, Reads, Root};
pub(super) use schema::KindRef;

use fault::Fault;
use value::Value;

/// An expression that was checked.
#[derive(Debug)]
pub(super) struct Condition {
    root: ir::Node,
    reads: Reads,
    /// Slots that its macros need.
    locals: usize,
    gives: Gives,
}

impl Condition {
    /// Reads the `when` of a rule.
    pub(super) fn compile(text: &str) -> Result<Self, ConditionError> {
        Self::compile_in(text, Place::RULE)
    }

    /// Reads an expression that stands at such a place.
    pub(super) fn compile_in(text: &str, place: Place<'_>) -> Result<Self, ConditionError> {
        let (tree, source) = parse::parse(text)?;
        let lowered = lower::lower(&tree, &source, place)?;
        let condition = Self {
            root: lowered.root,
            reads: lowered.reads,
            locals: lowered.locals,
            gives: place.gives,
        };
        check::check(&condition.root, place.gives, None)?;
        Ok(condition)
    }

    /// Checks the fields of `object` and `oldObject`, where they can be of this kind only. A kind that is not
    /// Kubernetes' own is not checked.
    pub(super) fn check_fields(&self, kind: KindRef<'_>) -> Result<(), ConditionError> {
        let mut wrong = Ok(());
        // What one version has is no mistake; of several messages that of the newest is told.
        for definition in schema::kind(kind) {
            wrong = check::check(&self.root, self.gives, Some(*definition));
            if wrong.is_ok() {
                break;
            }
        }
        wrong
    }

    /// Which names it reads.
    pub(super) fn reads(&self) -> Reads {
        self.reads
    }

    /// Whether it holds.
    pub(super) fn holds<'v>(&'v self, evaluation: &mut Evaluation<'v>) -> Result<bool, EvaluationError> {
        match self.run(evaluation)? {
            Value::Bool(value) => Ok(value),
            other => Err(EvaluationError::Failed(format!(
                "it gives a {}, not true or false",
                other.type_name()
            ))),
        }
    }

    /// The text that it gives; none for null.
    pub(super) fn text<'v>(&'v self, evaluation: &mut Evaluation<'v>) -> Result<Option<String>, EvaluationError> {
        match self.run(evaluation)? {
            Value::Text(text) => Ok(Some(text.as_str().to_owned())),
            Value::Null => Ok(None),
            other => Err(EvaluationError::Failed(format!(
                "it gives a {}, not text",
                other.type_name()
            ))),
        }
    }

    fn run<'v>(&'v self, evaluation: &mut Evaluation<'v>) -> Result<Value<'v>, EvaluationError> {
        let answer = catch_unwind(AssertUnwindSafe(|| evaluation.run(self)));
        answer
            .unwrap_or_else(|_| Err(Fault::new("the evaluation broke down")))
            .map_err(EvaluationError::from)
    }
}

#[cfg(test)]
mod tests;
