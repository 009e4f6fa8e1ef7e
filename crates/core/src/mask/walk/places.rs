//! Where nothing is looked for, only places count: a value at a place of one table is read by that table alone.
//!
//! It does what [`field`](Walk::field) and [`value`](Walk::value) do, with less to ask for each member; whatever they might
//! treat in a way of its own is left to them.

use std::sync::LazyLock;

use aho_corasick::packed::Searcher;
use memchr::memchr;

use super::names::Names;
use super::part::Owner;
use super::trail::Trail;
use super::{Page, Result, Scope, Walk};
use crate::mask::cursor::{Shape, Text};
use crate::mask::index::PLACES;
use crate::mask::kinds::{self, Node, Step, Treatment};

/// Whether the JSON of a value has none of the keys that count wherever they are.
fn is_plain(json: &[u8]) -> bool {
    static SEARCH: LazyLock<Option<Searcher>> = LazyLock::new(|| Searcher::new(PLACES));
    let has_place = |search: &Searcher| search.find(json).is_some();
    // A key may be written with escapes.
    memchr(b'\\', json).is_none() && !SEARCH.as_ref().is_none_or(has_place)
}

impl Page<'_> {
    /// Passes over the object or array ahead, unless it has one of the keys in it that count wherever they are. Whether it
    /// did.
    pub(super) fn pass_over(&mut self) -> Result<bool> {
        self.cursor.shape()?;
        let has_places = self.has_places();
        if has_places == Some(true) {
            return Ok(false);
        }
        let start = self.cursor.clone();
        let range = self.cursor.skip()?;
        let is_plain = has_places.is_some() || is_plain(self.cursor.text_at(&range).as_bytes());
        if !is_plain {
            self.cursor = start;
        }
        Ok(is_plain)
    }
}

/// A value that is read by one table.
#[derive(Clone, Copy)]
pub(super) struct Spot<'t, 'p> {
    node: &'p Node,
    /// That of the value where this began: all that is below is like it but for the place.
    trail: &'t Trail<'p>,
    scope: Scope<'t>,
}

impl<'p> Walk<'p> {
    /// The spot of a value, if places are all that counts there.
    #[inline]
    pub(super) fn spot<'t>(&self, trail: &'t Trail<'p>, names: Names<'_>, scope: Scope<'t>) -> Option<Spot<'t, 'p>> {
        let only_places = !self.plan.detects() && scope.values.is_none() && names.are_none();
        let node = trail.only_node().filter(|_| only_places)?;
        Some(Spot { node, trail, scope })
    }

    /// Masks an object that says of no kind, or an array.
    pub(super) fn places(&mut self, page: &mut Page<'_>, shape: Shape, spot: Spot<'_, 'p>) -> Result<()> {
        if shape == Shape::Object {
            return self.members_of_places(page, spot);
        }
        let mut array = page.cursor.array()?;
        while page.cursor.element(&mut array, &mut page.edits)? {
            match page.cursor.shape()? {
                Shape::Object if page.kind()?.is_none() => self.members_of_places(page, spot)?,
                Shape::Object | Shape::Array => {
                    self.value(page, &spot.trail.at(spot.node), Names::default(), spot.scope)?
                }
                shape => page.cursor.skip_shape(shape)?,
            }
        }
        Ok(())
    }

    /// Masks the members of an object that says of no kind.
    fn members_of_places(&mut self, page: &mut Page<'_>, spot: Spot<'_, 'p>) -> Result<()> {
        let mut owner = Owner::ahead(&page.cursor);
        let mut members = page.cursor.object()?;
        while let Some(key) = page.cursor.member_here(&mut members, &mut page.edits)? {
            let shape = page.cursor.shape()?;
            owner.note(key.raw, shape, &page.cursor)?;
            let is_nested = matches!(shape, Shape::Object | Shape::Array);
            let next = match spot.node.step_tagged(members.tag(), key.raw) {
                Step::To(node) => Some(node),
                Step::Same => Some(spot.node),
                Step::Off | Step::Nothing => None,
            };
            let treatment = next.and_then(Node::treatment);
            let needs_more = treatment > Some(Treatment::Arguments)
                || key.is_escaped
                || is_nested && is_special(key.raw, next.is_some());
            if let (Some(node), Some(Treatment::Setting), false) = (next, treatment, key.is_escaped) {
                self.setting_in(page, &owner, key.raw, &spot.trail.at(node), None, spot.scope)?;
            } else if needs_more {
                self.member_of(page, &owner, &key, spot)?;
            } else if !is_nested || treatment == Some(Treatment::Keep) && spot.scope.is_trusted {
                page.cursor.skip_shape(shape)?;
            } else if let Some(node) = next.filter(|node| !node.only_looks()) {
                if shape == Shape::Object && page.kind()?.is_some() {
                    self.member_of(page, &owner, &key, spot)?;
                } else {
                    self.places(page, shape, Spot { node, ..spot })?;
                }
            } else if !page.pass_over()? {
                self.member_of(page, &owner, &key, spot)?;
            }
        }
        Ok(())
    }

    /// Masks a member by all that may decide about it.
    fn member_of(
        &mut self,
        page: &mut Page<'_>,
        owner: &Owner<'_>,
        key: &Text<'_>,
        Spot { node, trail, scope }: Spot<'_, 'p>,
    ) -> Result<()> {
        self.field(page, owner, &key.decode(), &trail.at(node), None, scope)
    }
}

/// Keys that mean something of their own, whatever a table says, or where none names them, if they have an object or array.
fn is_special(key: &str, is_named: bool) -> bool {
    key == "metadata" || !is_named && (key == "template" || kinds::well_known(key).is_some())
}
