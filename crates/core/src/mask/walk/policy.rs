//! What the policy says of an object: paths to mask, namespaces to hide.

use super::{Context, Result, Walk};
use crate::mask::cursor::{Cursor, Shape};
use crate::policy::MaskObligation;

/// Which obligations of the policy apply to an object.
#[derive(Debug, Clone, Copy)]
pub(super) enum Policy<'c, 'p> {
    /// Those that its name and namespace match.
    Matching,
    /// Those of the object that it is a copy of.
    Same(&'c [&'p MaskObligation]),
    /// None: it is a part of another object.
    Part,
}

/// What identifies the object ahead, as far as it says.
struct Identity {
    is_namespace: bool,
    is_status: bool,
    name: Option<String>,
    namespace: Option<String>,
}

fn identity(object: &Cursor<'_>) -> Result<Identity> {
    let text = |path: &[&str]| -> Result<Option<String>> {
        let text = object.look_up_text(path)?;
        Ok(text.filter(|text| !text.is_empty()).map(Into::into))
    };
    let kind = text(&["kind"])?;
    Ok(Identity {
        is_namespace: kind.as_deref() == Some("Namespace"),
        is_status: kind.as_deref() == Some("Status"),
        name: text(&["metadata", "name"])?,
        namespace: text(&["metadata", "namespace"])?,
    })
}

impl<'p> Walk<'p> {
    /// The obligations that apply to the object ahead.
    pub(super) fn obligations(
        &self,
        object: &Cursor<'_>,
        context: &Context<'_, 'p>,
    ) -> Result<Vec<&'p MaskObligation>> {
        match context.policy {
            Policy::Part => Ok(Vec::new()),
            Policy::Same(obligations) => Ok(obligations.to_vec()),
            Policy::Matching if self.plan.has_obligations() => {
                let it = identity(object)?;
                // The policy's paths are about objects, not about errors.
                if it.is_status {
                    return Ok(Vec::new());
                }
                Ok(self
                    .plan
                    .obligations_for(it.is_namespace, it.name.as_deref(), it.namespace.as_deref()))
            }
            Policy::Matching => Ok(Vec::new()),
        }
    }

    /// The obligations that apply to a row that names no object.
    pub(super) fn obligations_for_anything(&self) -> Vec<&'p MaskObligation> {
        self.plan.obligations_for(false, None, None)
    }

    /// Whether the item ahead is left out.
    pub(super) fn hides(&self, item: &Cursor<'_>) -> Result<bool> {
        if !self.plan.hides_any() || item.clone().shape()? != Shape::Object {
            return Ok(false);
        }
        let it = identity(item)?;
        Ok(!it.is_status
            && self
                .plan
                .hides(it.is_namespace, it.name.as_deref(), it.namespace.as_deref()))
    }

    /// Whether the row ahead is left out.
    pub(super) fn hides_row(&self, row: &Cursor<'_>) -> Result<bool> {
        if !self.plan.hides_any() {
            return Ok(false);
        }
        match row.look_up("object")? {
            Some(object) if object.clone().shape()? == Shape::Object => self.hides(&object),
            _ => Ok(self.plan.hides_anonymous()),
        }
    }

    /// Whether the object of an event is left out; a Table is if none of its rows may be seen.
    pub(super) fn leaves_out(&self, object: &Cursor<'_>) -> Result<bool> {
        if !self.plan.hides_any() || object.look_up_text(&["kind"])?.as_deref() != Some("Table") {
            return self.hides(object);
        }
        let Some(mut rows) = object.look_up("rows")? else {
            return Ok(false);
        };
        if rows.shape()? != Shape::Array {
            return Ok(false);
        }
        let (mut array, mut none, mut is_empty) = (rows.array()?, super::Edits::default(), true);
        while rows.element(&mut array, &mut none)? {
            if rows.shape()? != Shape::Object && !self.plan.hides_anonymous()
                || rows.shape()? == Shape::Object && !self.hides_row(&rows)?
            {
                return Ok(false);
            }
            is_empty = false;
            rows.skip()?;
        }
        Ok(!is_empty)
    }
}
