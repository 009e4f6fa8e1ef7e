//! The columns of a Table.

use super::{Cursor, Result};
use crate::json::Value;

/// The columns of a Table.
#[derive(Debug, Default)]
pub(in crate::mask) struct Columns(Vec<Option<String>>);

impl Columns {
    /// Reads `columnDefinitions`.
    pub(in crate::mask) fn read(definitions: Option<&Value>) -> Self {
        let columns = definitions.and_then(Value::as_array).unwrap_or_default();
        let name = |column: &Value| column.get("name").and_then(Value::as_str).map(str::to_owned);
        Self(columns.iter().map(name).collect())
    }

    /// Those of the Table ahead.
    pub(super) fn of(table: &Cursor<'_>) -> Result<Self> {
        let Some(mut definitions) = table.look_up("columnDefinitions")? else {
            return Ok(Self::default());
        };
        let range = definitions.skip()?;
        Ok(Self::read(
            Value::parse(definitions.text_at(&range).as_bytes()).ok().as_ref(),
        ))
    }

    /// The name of a column, and whether its cells only identify the object or tell its age.
    pub(super) fn get(&self, index: usize) -> (Option<&str>, bool) {
        let name = self.0.get(index).and_then(Option::as_deref);
        (name, matches!(name, Some("Name" | "Namespace" | "Age")))
    }
}
