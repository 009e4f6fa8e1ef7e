//! Arguments of commands: a flag says what the argument behind it is.

use super::names::Names;
use super::repeat::{Kind, Look};
use super::trail::Trail;
use super::{Cursor, Edits, Page, Result, Scope, Walk};
use crate::detect::Hits;
use crate::mask::cursor::{Shape, Text};

impl<'p> Walk<'p> {
    /// Masks the arguments ahead, which are the `key` of this object.
    pub(super) fn arguments(
        &mut self,
        page: &mut Page<'_>,
        object: &Cursor<'_>,
        key: &str,
        trail: &Trail<'p>,
        scope: Scope<'_>,
    ) -> Result<()> {
        if !self.plan.detects() || page.cursor.shape()? != Shape::Array {
            return self.unseen_arguments(page, None, key, trail, scope);
        }
        // Those of the image's own entrypoint come behind the command.
        let command = match key {
            "args" => object.look_up("command")?,
            _ => None,
        };
        // So it decides with them.
        let beside = match command.clone() {
            Some(mut command) => Some(command.skip().map(|range| page.cursor.text_at(&range))?),
            None => None,
        };
        let names = Names {
            own: Some(key),
            above: beside,
        };
        let terms = trail.terms().map(|terms| terms.with(Kind::Arguments as u32));
        let start = page.cursor.position();
        let look = self.pass_if_seen(page, terms, names, scope);
        if !matches!(look, Look::Seen) {
            self.unseen_arguments(page, command.as_ref(), key, trail, scope)?;
            self.learn(page, look, start, (terms, names), scope);
        }
        Ok(())
    }

    fn unseen_arguments(
        &mut self,
        page: &mut Page<'_>,
        command: Option<&Cursor<'_>>,
        key: &str,
        trail: &Trail<'p>,
        scope: Scope<'_>,
    ) -> Result<()> {
        if !self.plan.detects() {
            return self.value(page, trail, Names::default(), scope);
        }
        let Some(own) = texts(&page.cursor)? else {
            return self.value(page, trail, Names::of(Some(key)), scope);
        };
        if trail.is_obliged() {
            return self.value(page, trail, Names::default(), scope);
        }
        let command = match command {
            Some(command) => texts(command)?.unwrap_or_default(),
            None => Vec::new(),
        };
        let decoded: Vec<_> = command.iter().chain(&own).map(Text::decode).collect();
        let arguments: Vec<&[u8]> = decoded.iter().map(|text| text.as_bytes()).collect();
        let mut hits = vec![Hits::default(); arguments.len()];
        self.plan.detectors().detect_arguments(&arguments, &mut hits);
        let before = command.len();
        for ((text, value), hits) in own
            .iter()
            .zip(decoded.iter().skip(before))
            .zip(hits.iter().skip(before))
        {
            if let Some(values) = scope.values {
                let mut both = hits.clone();
                values.detect(value, &mut both);
                self.replace(page, text, value, &both);
            } else {
                self.replace(page, text, value, hits);
            }
        }
        page.cursor.skip()?;
        Ok(())
    }
}

/// The strings of the array ahead; none if it is something else.
fn texts<'a>(array: &Cursor<'a>) -> Result<Option<Vec<Text<'a>>>> {
    let mut ahead = array.clone();
    if ahead.shape()? != Shape::Array {
        return Ok(None);
    }
    let (mut elements, mut none) = (ahead.array()?, Edits::default());
    let mut texts = Vec::new();
    while ahead.element(&mut elements, &mut none)? {
        if ahead.shape()? != Shape::String {
            return Ok(None);
        }
        texts.push(ahead.string()?);
    }
    Ok(Some(texts))
}
