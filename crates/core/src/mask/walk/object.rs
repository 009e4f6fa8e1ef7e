//! Objects: their kind, their members, what is special about Secrets and Statuses.

use std::cell::OnceCell;

use super::metadata::Frame;
use super::part::Owner;
use super::policy::Policy;
use super::secret::Parts;
use super::trail::{Place, Trail};
use super::{Context, Keep, Page, Result, Scope, Walk};
use crate::mask::cursor::Shape;
use crate::mask::error::MaskErrorKind;
use crate::mask::marker;

impl<'p> Walk<'p> {
    /// Masks a value of which nothing but the context is known.
    pub(super) fn any(&mut self, page: &mut Page<'_>, context: &Context<'_, 'p>) -> Result<()> {
        match page.cursor.shape()? {
            Shape::Object => self.object(page, context, None, None),
            Shape::Array => {
                let mut array = page.cursor.array()?;
                while page.cursor.element(&mut array, &mut page.edits)? {
                    self.any(page, context)?;
                }
                Ok(())
            }
            // Where a Secret is expected, anything else is taken for its value.
            _ if context.kin.is_secret && context.scope.level == 0 => {
                self.whole(page, Place::Inside, marker::MARKER, super::secret::DATA)
            }
            _ => self.value(page, &Trail::unknown(), super::names::Names::default(), context.scope),
        }
    }

    /// Masks an object by its own kind and by its context. `around` is its place in an object that it is in, `above` a key
    /// there that covers what is below.
    pub(super) fn object(
        &mut self,
        page: &mut Page<'_>,
        context: &Context<'_, 'p>,
        around: Option<&Trail<'p>>,
        above: Option<&str>,
    ) -> Result<()> {
        let owner = Owner::ahead(&page.cursor);
        let kind = page.kind()?;
        let kind = kind.as_deref();
        if kind == Some("Status") && matches!(context.policy, Policy::Matching) && self.status(page, context)? {
            return Ok(());
        }
        let mut kin = context.kin.clone();
        if let Some(kind) = kind {
            let group = self.group(&owner.start)?;
            kin.add(self.plan, kind, group.as_deref());
        }
        let obligations = self.obligations(&page.cursor, context)?;
        let mut trail = around.cloned().unwrap_or_default();
        trail.place = Place::Root;
        trail.enter(&kin);
        trail.oblige(&obligations);
        trail.is_secret_data = kin.is_secret;
        let scope = context.scope;
        let secret = if kin.is_secret {
            Some(Box::new(Parts::of(&owner.start)?))
        } else {
            None
        };
        let nothing_to_compare =
            !kind.is_some_and(crate::mask::kinds::is_secret) && secret.as_ref().is_some_and(|parts| !parts.has_data());
        let frame = Frame {
            kin: &kin,
            obligations: &obligations,
            secret,
            nothing_to_compare,
            values: OnceCell::new(),
            scope,
        };
        // What is said to be secret as a whole is taken apart no further; what answers for Secrets may call itself anything.
        let is_list = above.is_none() && (context.kin.is_secret || kind.is_none_or(|kind| kind.ends_with("List")));
        let is_table = above.is_none() && kind.is_none_or(|kind| kind == "Table");
        let mut members = page.cursor.object()?;
        while let Some(key) = page.cursor.member(&mut members, &mut page.edits)? {
            let key = key.decode();
            let shape = page.cursor.shape()?;
            match &*key {
                "metadata" if shape == Shape::Object => {
                    if let Some(trail) = trail.member(&key) {
                        self.metadata(page, trail, &frame)?;
                    }
                }
                "items" if is_list && shape == Shape::Array => self.items(page, kind, context)?,
                "items" if context.kin.is_secret && above.is_none() => {
                    self.whole(page, Place::Inside, marker::MARKER, super::secret::DATA)?;
                }
                "rows" if is_table && shape == Shape::Array => self.rows(page, &owner.start, context)?,
                _ => {
                    if trail.place == Place::Root {
                        // The marker has to fit the field.
                        trail.is_base64 = &*key == "binaryData" || (kin.is_secret && &*key == "data");
                    }
                    self.field(page, &owner, &key, &trail, above, scope)?;
                }
            }
        }
        Ok(())
    }

    /// The group of the object ahead, where it matters.
    fn group(&self, object: &super::Cursor<'_>) -> Result<Option<String>> {
        if !self.plan.kinds().has_extra() {
            return Ok(None);
        }
        let version = object.look_up_text(&["apiVersion"])?;
        Ok(version.map(|version| {
            let group = version.split_once('/').map(|(group, _)| group);
            group.unwrap_or_default().to_owned()
        }))
    }

    /// Masks an event of a watch.
    pub(super) fn event(&mut self, page: &mut Page<'_>, context: &Context<'_, 'p>) -> Result<Keep> {
        let start = page.cursor.clone();
        let is_bookmark = start.look_up_text(&["type"])?.as_deref() == Some("BOOKMARK");
        if let Some(mut object) = start.look_up("object")?
            && object.shape()? == Shape::Object
            && !is_bookmark
            && self.leaves_out(&object)?
        {
            return Ok(Keep::No);
        }
        let mut trail = Trail::default();
        trail.enter(&context.kin);
        let mut members = page.cursor.object()?;
        while let Some(key) = page.cursor.member(&mut members, &mut page.edits)? {
            let key = key.decode();
            match &*key {
                "type" => _ = page.cursor.skip()?,
                "object" => self.any(page, context)?,
                // More than an event: what looks like one may be an object after all.
                _ => self.field_of_unknown(page, &start, &key, context)?,
            }
        }
        Ok(Keep::Yes)
    }

    /// Masks a member of what is an event or a row, and perhaps an object as well.
    pub(super) fn field_of_unknown(
        &mut self,
        page: &mut Page<'_>,
        start: &super::Cursor<'_>,
        key: &str,
        context: &Context<'_, 'p>,
    ) -> Result<()> {
        let mut kin = context.kin.clone();
        if let Some(kind) = start.look_up_text(&["kind"])? {
            kin.add(self.plan, &kind, None);
        }
        let mut trail = Trail::default();
        trail.enter(&kin);
        trail.is_secret_data = kin.is_secret;
        trail.is_base64 = key == "binaryData" || (kin.is_secret && key == "data");
        if matches!(context.policy, Policy::Matching) {
            trail.oblige(&self.obligations_for_anything());
        }
        let scope = Scope {
            is_trusted: false,
            ..context.scope
        };
        if key == "metadata" && page.cursor.shape()? == Shape::Object {
            let frame = Frame {
                kin: &kin,
                obligations: &[],
                secret: if kin.is_secret {
                    Some(Box::new(Parts::of(start)?))
                } else {
                    None
                },
                nothing_to_compare: false,
                values: OnceCell::new(),
                scope,
            };
            let trail = trail.member(key).ok_or(MaskErrorKind::Malformed)?;
            return self.metadata(page, trail, &frame);
        }
        self.field(page, &Owner::ahead(start), key, &trail, None, scope)
    }
}
