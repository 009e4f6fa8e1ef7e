//! Members and elements, as the trail says.

use std::borrow::Cow;

use super::names::{self, Names};
use super::policy::Policy;
use super::repeat::Look;
use super::trail::{Place, Trail};
use super::{Context, Cursor, Kin, Page, Result, Scope, Walk, secret};
use crate::mask::cursor::{Shape, Text};
use crate::mask::kinds::{self, Treatment};
use crate::mask::marker::{self, MARKER};

/// The rule for a field that is masked by its kind and path.
pub(super) const FIELD: &str = "field";

/// An object whose members are read.
pub(super) struct Owner<'a> {
    pub(super) start: Cursor<'a>,
    /// What it says that its name is, as far as it was read.
    name: Option<Text<'a>>,
}

impl<'a> Owner<'a> {
    /// The object ahead.
    pub(super) fn ahead(start: &Cursor<'a>) -> Self {
        Self {
            start: start.clone(),
            name: None,
        }
    }

    /// Notes the member whose key was read, if it is a name.
    #[inline]
    pub(super) fn note(&mut self, key: &str, shape: Shape, value: &Cursor<'a>) -> Result<()> {
        if key == "name" && shape == Shape::String {
            self.name = Some(value.clone().string()?);
        }
        Ok(())
    }

    /// The name that stands beside a value: `{name: X, value: …}`.
    fn name_beside(&self, key: &str) -> Result<Option<Cow<'a, str>>> {
        if key != "value" {
            return Ok(None);
        }
        if let Some(name) = &self.name {
            return Ok(Some(name.decode()));
        }
        match self.start.look_up_text(&["name"])? {
            None => self.start.look_up_text(&["key"]),
            found => Ok(found),
        }
    }
}

impl<'p> Walk<'p> {
    /// Masks the member of an object whose key was read. `around` is the trail of that object, `above` a key around it that
    /// covers what is below.
    pub(super) fn field(
        &mut self,
        page: &mut Page<'_>,
        owner: &Owner<'_>,
        key: &str,
        around: &Trail<'p>,
        above: Option<&str>,
        scope: Scope<'_>,
    ) -> Result<()> {
        let Some(mut trail) = around.member(key) else {
            page.cursor.skip()?;
            return Ok(());
        };
        if let Some(rule) = trail.obligation() {
            return self.whole(page, trail.place, marker_of(&trail), &rule);
        }
        let treatment = trail.treatment();
        let above = above.filter(|_| !names::only_names(key));
        match treatment {
            Treatment::Keep if scope.is_trusted && !trail.is_obliged() => {
                page.cursor.skip()?;
                Ok(())
            }
            Treatment::Keep | Treatment::Text => self.value(page, &trail, Names::default(), scope),
            Treatment::Whole | Treatment::Base64 => {
                let rule = if around.is_secret_data {
                    super::secret::DATA
                } else {
                    FIELD
                };
                let text = if treatment == Treatment::Base64 {
                    marker::encoded()
                } else {
                    marker_of(&trail)
                };
                self.whole(page, trail.place, text, rule)
            }
            Treatment::Revision => self.revision(page, trail, scope),
            Treatment::Setting | Treatment::Binary => {
                trail.is_base64 |= treatment == Treatment::Binary;
                self.setting_in(page, owner, key, &trail, above, scope)
            }
            Treatment::Url => self.url(page, &trail, scope),
            Treatment::Arguments => self.arguments(page, &owner.start, key, &trail, scope),
            Treatment::Scan => self.scan(page, owner, key, trail, above, scope),
        }
    }

    /// Masks a member that is a value somebody set, under its key or the name beside it.
    pub(super) fn setting_in(
        &mut self,
        page: &mut Page<'_>,
        owner: &Owner<'_>,
        key: &str,
        trail: &Trail<'p>,
        above: Option<&str>,
        scope: Scope<'_>,
    ) -> Result<()> {
        let name = owner.name_beside(key)?;
        let own = Some(name.as_deref().unwrap_or(key));
        self.setting(page, trail, Names { own, above }, scope)
    }

    /// Masks a URL.
    fn url(&mut self, page: &mut Page<'_>, trail: &Trail<'p>, scope: Scope<'_>) -> Result<()> {
        if page.cursor.shape()? != Shape::String {
            return self.value(page, trail, Names::default(), scope);
        }
        let text = page.cursor.string()?;
        let value = text.decode();
        self.look_at(&value, Names::default(), scope);
        let mut hits = std::mem::take(&mut self.hits);
        if let Some(userinfo) = userinfo(&value) {
            hits.push(userinfo, FIELD);
        }
        self.replace(page, &text, &value, &hits);
        self.hits = hits;
        Ok(())
    }

    /// Masks a member that is scanned.
    fn scan(
        &mut self,
        page: &mut Page<'_>,
        owner: &Owner<'_>,
        key: &str,
        mut trail: Trail<'p>,
        above: Option<&str>,
        scope: Scope<'_>,
    ) -> Result<()> {
        let shape = page.cursor.shape()?;
        match (key, shape) {
            ("kind" | "apiVersion", Shape::String) => {
                page.cursor.skip()?;
                return Ok(());
            }
            ("metadata", Shape::Object) => return self.metadata_of_part(page, trail, scope),
            // Custom resources that make Secrets keep what goes into them below `template`.
            ("template", Shape::Object)
                if trail.is_off
                    && (page.cursor.look_up("data")?.is_some() || page.cursor.look_up("stringData")?.is_some()) =>
            {
                trail.also(kinds::secret_template());
                trail.is_secret_data = true;
            }
            ("command" | "args", Shape::Array) => return self.arguments(page, &owner.start, key, &trail, scope),
            (_, Shape::Array) if trail.is_off => {
                if let Some(node) = kinds::well_known(key) {
                    trail.is_off = false;
                    trail.also(node);
                }
            }
            _ => {}
        }
        if !self.plan.detects() {
            return self.value(page, &trail, Names::default(), scope);
        }
        let beside = owner.name_beside(key)?;
        let own = beside.as_deref().unwrap_or(key);
        let above = match shape {
            Shape::Object | Shape::Array if names::covers_what_is_below(own) => Some(own),
            _ => above,
        };
        self.value(page, &trail, Names { own: Some(own), above }, scope)
    }

    /// Masks a value by its trail and its names.
    pub(super) fn value(
        &mut self,
        page: &mut Page<'_>,
        trail: &Trail<'p>,
        names: Names<'_>,
        scope: Scope<'_>,
    ) -> Result<()> {
        if let Some(rule) = trail.obligation() {
            return self.whole(page, trail.place, marker_of(trail), &rule);
        }
        match page.cursor.shape()? {
            Shape::Object | Shape::Array if self.may_pass_over(trail, scope) && page.pass_over()? => {}
            shape @ (Shape::Object | Shape::Array) => {
                if let Some(spot) = self.spot(trail, names, scope)
                    && (shape == Shape::Array || page.kind()?.is_none())
                {
                    return self.places(page, shape, spot);
                }
                // Elements have the names of their array, members their own.
                let own = names.own.filter(|_| shape == Shape::Array);
                let (start, named) = (page.cursor.position(), Names { own, ..names });
                let look = self.pass_if_seen(page, trail.terms(), named, scope);
                if !matches!(look, Look::Seen) {
                    if shape == Shape::Object && page.kind()?.is_some() {
                        self.embedded(page, trail, names.above, scope)?;
                    } else {
                        self.subtree(page, shape, trail, names, scope)?;
                    }
                    self.learn(page, look, start, (trail.terms(), named), scope);
                }
            }
            Shape::String => {
                let text = page.cursor.string()?;
                self.string(page, &text, trail.is_base64, names, scope)?;
            }
            Shape::Number => {
                let range = page.cursor.scalar()?;
                self.number(page, range, names, scope);
            }
            Shape::Bool | Shape::Null => _ = page.cursor.scalar()?,
        }
        Ok(())
    }

    /// Masks an object that says of no kind, or an array, by its trail and its names.
    fn subtree(
        &mut self,
        page: &mut Page<'_>,
        shape: Shape,
        trail: &Trail<'p>,
        names: Names<'_>,
        scope: Scope<'_>,
    ) -> Result<()> {
        match shape {
            Shape::Object => {
                let mut owner = Owner::ahead(&page.cursor);
                let mut members = page.cursor.object()?;
                while let Some(key) = page.cursor.member(&mut members, &mut page.edits)? {
                    let key = key.decode();
                    owner.note(&key, page.cursor.shape()?, &page.cursor)?;
                    self.field(page, &owner, &key, trail, names.above, scope)?;
                }
            }
            _ => {
                let mut array = page.cursor.array()?;
                let mut index = 0;
                while page.cursor.element(&mut array, &mut page.edits)? {
                    match trail.element(index) {
                        Some(trail) => self.value(page, &trail, names, scope)?,
                        None => self.value(page, trail, names, scope)?,
                    }
                    index += 1;
                }
            }
        }
        Ok(())
    }

    /// Whether nothing in a value is masked for where it is, and nothing is looked for.
    fn may_pass_over(&self, trail: &Trail<'p>, scope: Scope<'_>) -> bool {
        !self.plan.detects() && scope.values.is_none() && trail.only_looks()
    }

    /// Masks an object with a kind inside another.
    fn embedded(
        &mut self,
        page: &mut Page<'_>,
        trail: &Trail<'p>,
        above: Option<&str>,
        scope: Scope<'_>,
    ) -> Result<()> {
        let context = Context {
            kin: Kin::default(),
            policy: Policy::Part,
            scope: Scope {
                is_trusted: false,
                ..scope
            },
        };
        self.object(page, &context, Some(trail), above)
    }

    /// Masks a copy of a workload's template, or all of what is none.
    fn revision(&mut self, page: &mut Page<'_>, mut trail: Trail<'p>, scope: Scope<'_>) -> Result<()> {
        let mut ahead = Some(page.cursor.clone());
        for key in ["spec", "template", "spec", "containers"] {
            ahead = match ahead {
                Some(object) => object.look_up(key)?,
                None => None,
            };
        }
        if ahead.is_none() {
            return self.whole(page, trail.place, MARKER, FIELD);
        }
        trail.forget_tables();
        self.value(page, &trail, Names::default(), scope)
    }

    /// Masks every scalar at or below a value. Those of Secrets are remembered.
    pub(super) fn whole(&mut self, page: &mut Page<'_>, place: Place, text: &'static str, rule: &str) -> Result<()> {
        match page.cursor.shape()? {
            Shape::Object => {
                let mut members = page.cursor.object()?;
                while let Some(key) = page.cursor.member(&mut members, &mut page.edits)? {
                    let key = key.decode();
                    if rule == secret::DATA && self.plan.remembers() && page.cursor.shape()? == Shape::String {
                        self.remember(&key, &page.cursor.clone().string()?, text);
                    }
                    match place.member(&key) {
                        Some(place) => self.whole(page, place, text, rule)?,
                        None => _ = page.cursor.skip()?,
                    }
                }
            }
            Shape::Array => {
                let mut array = page.cursor.array()?;
                while page.cursor.element(&mut array, &mut page.edits)? {
                    self.whole(page, Place::Inside, text, rule)?;
                }
            }
            Shape::String => {
                let old = page.cursor.string()?;
                self.replace_whole(page, &old, text, rule);
            }
            Shape::Number => {
                let range = page.cursor.scalar()?;
                self.replace_number(page, range, rule);
            }
            Shape::Bool | Shape::Null => _ = page.cursor.scalar()?,
        }
        Ok(())
    }
}

impl Walk<'_> {
    /// Remembers a value of a Secret, to be found again where nothing says that it is one.
    fn remember(&self, key: &str, value: &Text<'_>, marker: &'static str) {
        let text = value.decode();
        if marker == MARKER {
            self.plan.remember(key, text.as_bytes());
        } else if let Some(plain) = marker::decode_base64(&text) {
            self.plan.remember(key, &plain);
        }
    }
}

/// Where the userinfo of a URL is.
fn userinfo(url: &str) -> Option<std::ops::Range<usize>> {
    let (scheme, rest) = url.split_once("//")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (userinfo, _) = authority.rsplit_once('@')?;
    let start = scheme.len() + 2;
    Some(start..start + userinfo.len()).filter(|_| userinfo != MARKER)
}

/// The marker that fits the field.
fn marker_of(trail: &Trail<'_>) -> &'static str {
    if trail.is_base64 { marker::encoded() } else { MARKER }
}
