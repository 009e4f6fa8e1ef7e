//! Lists and Tables inside an item.

use super::names::Names;
use super::part::FIELD;
use super::policy::Policy;
use super::table::{Column, Columns};
use super::trail::{Place, Trail};
use super::{Context, Cursor, Keep, Page, Result, Walk, item_kind};
use crate::mask::cursor::Shape;
use crate::mask::marker::MARKER;

impl<'p> Walk<'p> {
    /// Masks the elements of a list.
    pub(super) fn items(&mut self, page: &mut Page<'_>, kind: Option<&str>, context: &Context<'_, 'p>) -> Result<()> {
        let mut context = context.clone();
        if let Some(kind) = kind.and_then(item_kind) {
            context.kin.add(self.plan, kind, None);
        }
        let mut array = page.cursor.array()?;
        while page.cursor.element(&mut array, &mut page.edits)? {
            if self.element(page, &context)? == Keep::No {
                self.hidden += 1;
                page.cursor.remove_element(&mut array);
            }
        }
        Ok(())
    }

    /// Masks the rows of a Table.
    pub(super) fn rows(&mut self, page: &mut Page<'_>, table: &Cursor<'_>, context: &Context<'_, 'p>) -> Result<()> {
        let mut columns = Columns::of(self.plan, table)?;
        if matches!(context.policy, Policy::Matching) {
            // The server says what they are with the first event of a watch only.
            if columns.is_empty() {
                columns = self.columns.clone();
            } else {
                self.columns = columns.clone();
            }
        }
        let mut array = page.cursor.array()?;
        while page.cursor.element(&mut array, &mut page.edits)? {
            if self.row_in(page, &columns, context)? == Keep::No {
                self.hidden += 1;
                page.cursor.remove_element(&mut array);
            }
        }
        Ok(())
    }

    /// Masks an element, or passes over one that is left out.
    pub(super) fn element(&mut self, page: &mut Page<'_>, context: &Context<'_, 'p>) -> Result<Keep> {
        if matches!(context.policy, Policy::Matching) && self.hides(&page.cursor)? {
            page.cursor.skip()?;
            return Ok(Keep::No);
        }
        self.any(page, context)?;
        Ok(Keep::Yes)
    }

    /// Masks a row, or passes over one that is left out.
    pub(super) fn row_in(&mut self, page: &mut Page<'_>, columns: &Columns, context: &Context<'_, 'p>) -> Result<Keep> {
        if page.cursor.shape()? != Shape::Object {
            self.any(page, context)?;
            return Ok(Keep::Yes);
        }
        let is_answer = matches!(context.policy, Policy::Matching);
        if is_answer && self.hides_row(&page.cursor)? {
            page.cursor.skip()?;
            return Ok(Keep::No);
        }
        let rule = if is_answer {
            self.rule_of_row(page, context)?
        } else {
            None
        };
        let start = page.cursor.clone();
        let mut members = page.cursor.object()?;
        while let Some(key) = page.cursor.member(&mut members, &mut page.edits)? {
            let key = key.decode();
            match &*key {
                "object" => self.any(page, context)?,
                "cells" => self.cells(page, columns, rule.as_deref(), context)?,
                "conditions" => {
                    self.value(page, &Trail::unknown(), Names::default(), context.scope)?;
                }
                // More than a row: an element of a list that only looks like a Table.
                _ => self.field_of_unknown(page, &start, &key, context)?,
            }
        }
        Ok(Keep::Yes)
    }

    /// The rule of the policy under which the object of a row is.
    fn rule_of_row(&self, page: &Page<'_>, context: &Context<'_, 'p>) -> Result<Option<String>> {
        if !self.plan.has_obligations() {
            return Ok(None);
        }
        let obligations = match page.cursor.look_up("object")? {
            Some(object) if object.clone().shape()? == Shape::Object => self.obligations(&object, context)?,
            _ => self.obligations_for_anything(),
        };
        Ok(obligations.first().map(|obligation| obligation.rule.clone()))
    }

    /// Whether a cell of which nothing is known may show anything.
    fn is_open(&self, page: &mut Page<'_>) -> Result<bool> {
        let is_plain = matches!(page.cursor.shape()?, Shape::Number | Shape::Bool | Shape::Null);
        Ok(!is_plain && !self.plan.is_built_in())
    }

    /// Masks cells. Under an obligation all of them but those that identify the object: a column may show what is made of
    /// what is masked. Else what they look like counts, and for custom resources the column's name and what it shows; where
    /// nobody has said what a column is, its cells are masked.
    fn cells(
        &mut self,
        page: &mut Page<'_>,
        columns: &Columns,
        rule: Option<&str>,
        context: &Context<'_, 'p>,
    ) -> Result<()> {
        if page.cursor.shape()? != Shape::Array {
            return match rule {
                Some(rule) => self.whole(page, Place::Inside, MARKER, rule),
                None => self.value(page, &Trail::unknown(), Names::default(), context.scope),
            };
        }
        let mut array = page.cursor.array()?;
        let mut index = 0;
        while page.cursor.element(&mut array, &mut page.edits)? {
            let column = columns.get(index);
            let identifies = column.is_some_and(|column| column.identifies);
            index += 1;
            match rule {
                // The server's own first column.
                None if identifies && index == 1 => _ = page.cursor.skip()?,
                Some(_) if identifies => _ = page.cursor.skip()?,
                Some(rule) => self.whole(page, Place::Inside, MARKER, rule)?,
                None if column.is_some_and(|column| column.is_masked) || column.is_none() && self.is_open(page)? => {
                    self.whole(page, Place::Inside, MARKER, FIELD)?;
                }
                None => {
                    let names = column.map(Column::names).unwrap_or_default();
                    self.value(page, &Trail::unknown(), names, context.scope)?;
                }
            }
        }
        Ok(())
    }
}
