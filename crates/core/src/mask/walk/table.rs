//! The columns of a Table, and what of a custom resource they show.

use std::sync::Arc;

use super::names::{self, Names};
use super::trail::Trail;
use super::{Cursor, Plan, Result};
use crate::json::Value;

/// The columns of a Table; cheap to clone, since each event of a watch has those of the first.
#[derive(Debug, Default, Clone)]
pub(in crate::mask) struct Columns(Arc<[Column]>);

/// One of them.
#[derive(Debug, Default)]
pub(super) struct Column {
    /// What its cells are called; those of Kubernetes itself are called nothing.
    name: Option<String>,
    /// A key on the way to what it shows that says that everything below is secret.
    above: Option<String>,
    /// Whether it shows what is masked for where it is.
    pub(super) is_masked: bool,
    /// Whether its cells only identify the object or tell its age.
    pub(super) identifies: bool,
}

impl Columns {
    /// Reads `columnDefinitions`.
    pub(in crate::mask) fn read(plan: &Plan, definitions: Option<&Value>) -> Self {
        let columns = definitions.and_then(Value::as_array).unwrap_or_default();
        let name = |column: &Value| column.get("name").and_then(Value::as_str).map(str::to_owned);
        Self(columns.iter().map(|column| Column::new(plan, name(column))).collect())
    }

    /// Those of the Table ahead.
    pub(super) fn of(plan: &Plan, table: &Cursor<'_>) -> Result<Self> {
        let Some(mut definitions) = table.look_up("columnDefinitions")? else {
            return Ok(Self::default());
        };
        let range = definitions.skip()?;
        let definitions = Value::parse(definitions.text_at(&range).as_bytes()).ok();
        Ok(Self::read(plan, definitions.as_ref()))
    }

    /// Whether none is known.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A column; none that was not defined.
    pub(super) fn get(&self, index: usize) -> Option<&Column> {
        self.0.get(index)
    }
}

impl Column {
    fn new(plan: &Plan, name: Option<String>) -> Self {
        let identifies = matches!(name.as_deref(), Some("Name" | "Namespace" | "Age"));
        let mut column = Self {
            name: name.filter(|_| !plan.is_built_in()),
            identifies,
            ..Self::default()
        };
        for path in column.name.iter().flat_map(|name| plan.paths_of_column(name)) {
            let mut trail = Trail::default();
            trail.enter(&plan.kin());
            for key in path {
                let Some(next) = trail.member(key) else { break };
                // The path does not say whether it goes through an array here.
                trail = next.element(usize::MAX).unwrap_or(next);
                column.is_masked |= trail.is_masked();
                if column.above.is_none() && names::covers_what_is_below(key) {
                    column.above = Some(key.clone());
                }
            }
        }
        column
    }

    /// What its cells are called.
    pub(super) fn names(&self) -> Names<'_> {
        Names {
            own: self.name.as_deref(),
            above: self.above.as_deref(),
        }
    }
}
