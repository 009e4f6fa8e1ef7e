//! JSON in a string: walked over like what is around it, and written back only if it changed.

use super::names::Names;
use super::policy::Policy;
use super::trail::Trail;
use super::{Context, Kin, Page, Result, Scope, Walk};
use crate::detect::Hits;
use crate::json::{self, Value};
use crate::mask::cursor::{Shape, Text};
use crate::mask::error::MaskErrorKind;
use crate::mask::marker::MARKER;

/// How many strings deep JSON is looked for.
const MAX_LEVELS: usize = 3;

/// What became of a text that may be JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unpacked {
    /// It is JSON, and masked.
    Masked,
    /// It is no JSON.
    No,
    /// It is, but can't be read reliably.
    Unreadable,
}

impl<'p> Walk<'p> {
    /// Masks JSON in a string that is an object by this context, or an array of them, with what was found in it as a text.
    pub(super) fn unpack(
        &mut self,
        page: &mut Page<'_>,
        text: &Text<'_>,
        value: &str,
        found: &Hits,
        context: &Context<'_, 'p>,
    ) -> Result<Unpacked> {
        let context = Context {
            scope: inner(context.scope),
            ..context.clone()
        };
        let found = Some(found).filter(|found| leave_json(found, value));
        self.inside(page, text, value, context.scope.level, |walk, inner| {
            walk.any(inner, &context)?;
            if let Some(found) = found {
                walk.add(inner, value, found);
            }
            Ok(())
        })
    }

    /// Masks JSON in any other string, with what was found in it as a text. Whether it is some.
    pub(super) fn unpack_part(
        &mut self,
        page: &mut Page<'_>,
        text: &Text<'_>,
        value: &str,
        found: &Hits,
        scope: Scope<'_>,
    ) -> Result<bool> {
        let scope = inner(scope);
        let found = Some(found).filter(|found| leave_json(found, value));
        let unpacked = self.inside(page, text, value, scope.level, |walk, inner| {
            if inner.cursor.shape()? == Shape::Object && inner.kind()?.is_some() {
                let context = Context {
                    kin: Kin::default(),
                    policy: Policy::Part,
                    scope,
                };
                walk.object(inner, &context, None, None)?;
            } else {
                walk.value(inner, &Trail::unknown(), Names::default(), scope)?;
            }
            if let Some(found) = found {
                walk.add(inner, value, found);
            }
            Ok(())
        })?;
        if unpacked == Unpacked::Unreadable {
            self.replace_whole(page, text, MARKER, super::metadata::ANNOTATION);
        }
        Ok(unpacked != Unpacked::No)
    }

    /// Adds what was found in a text to what was found in its parts; of what overlaps one is enough.
    fn add(&mut self, page: &mut Page<'_>, value: &str, found: &Hits) {
        let is_only = page.edits.is_empty();
        let merged = found.merged();
        let mut new = merged
            .iter()
            .filter(|hit| value.get(hit.range.clone()) != Some(MARKER))
            .peekable();
        if let Some(first) = new.peek()
            && is_only
        {
            self.log.push(first.rule.clone());
        }
        for hit in new {
            page.edits.replace(hit.range.clone(), hit.replacement(value.as_bytes()));
        }
    }

    fn inside(
        &mut self,
        page: &mut Page<'_>,
        text: &Text<'_>,
        value: &str,
        level: usize,
        walk: impl FnOnce(&mut Self, &mut Page<'_>) -> Result<()>,
    ) -> Result<Unpacked> {
        if level > MAX_LEVELS {
            return Ok(match Value::parse(value.as_bytes()) {
                Err(error) if error.kind != json::ErrorKind::DuplicateKey && error.kind != json::ErrorKind::TooDeep => {
                    Unpacked::No
                }
                _ => Unpacked::Unreadable,
            });
        }
        let (logged, hidden) = (self.log.len(), self.hidden);
        let mut index = self.indexes.pop().unwrap_or_default();
        let is_indexed = index.read(value, 0);
        let mut inner = Page::of(value, is_indexed.then_some(&index));
        let result = match inner.cursor.shape() {
            Ok(Shape::Object | Shape::Array) => walk(self, &mut inner).and_then(|()| inner.cursor.finish()),
            _ => Err(MaskErrorKind::Malformed),
        };
        let edits = inner.edits;
        self.indexes.push(index);
        if let Err(error) = result {
            self.log.truncate(logged);
            self.hidden = hidden;
            return Ok(match error {
                MaskErrorKind::DuplicateKey | MaskErrorKind::TooDeep => Unpacked::Unreadable,
                _ => Unpacked::No,
            });
        }
        if !edits.is_empty() {
            page.edits.nest(text, edits);
        }
        Ok(Unpacked::Masked)
    }
}

/// Whether a text is JSON without what was found in it.
fn leave_json(found: &Hits, value: &str) -> bool {
    if found.is_empty() {
        return false;
    }
    let mut left = Vec::with_capacity(value.len());
    found.replace(value.as_bytes(), &mut left, |_| ());
    Value::parse(&left).is_ok()
}

/// What is known inside a string of what is known around it.
fn inner(scope: Scope<'_>) -> Scope<'_> {
    Scope {
        level: scope.level + 1,
        is_trusted: false,
        ..scope
    }
}
