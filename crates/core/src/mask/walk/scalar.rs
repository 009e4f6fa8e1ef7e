//! Strings and numbers that are looked at.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use smol_str::SmolStr;

use super::names::{self, Names};
use super::repeat::{Kind, Look};
use super::{Page, Result, Scope, Walk, setting};
use crate::detect::{Hit, Hits};
use crate::json;
use crate::mask::cursor::Text;
use crate::mask::marker::{self, MARKER};

/// The rule for a number that is masked by what it is called.
const KEY_NAME: &str = "key-name";

static QUOTED: LazyLock<[String; 2]> = LazyLock::new(|| [MARKER, marker::encoded()].map(|text| format!("\"{text}\"")));

impl Walk<'_> {
    /// Masks what of a string is secret, by its names and by what it looks like. What is JSON is walked over itself.
    pub(super) fn string(
        &mut self,
        page: &mut Page<'_>,
        text: &Text<'_>,
        is_base64: bool,
        names: Names<'_>,
        scope: Scope<'_>,
    ) -> Result<()> {
        if !self.looks_at(names, scope) {
            return Ok(());
        }
        let kind = if is_base64 { Kind::Base64 } else { Kind::Text };
        let look = self.look_at_text(page, text, (kind, names), scope);
        if !matches!(look, Look::Seen) {
            self.decoded(page, text, &text.decode(), (is_base64, names), scope)?;
            self.learn_text(page, look, text, (kind, names), scope);
        }
        Ok(())
    }

    /// Whether a string of these names is looked at.
    fn looks_at(&self, names: Names<'_>, scope: Scope<'_>) -> bool {
        let is_named = names.own.is_some() || names.above.is_some();
        self.plan.detects() || is_named && self.plan.scans() || scope.values.is_some()
    }

    /// Masks what of a string is secret that says this.
    pub(super) fn decoded(
        &mut self,
        page: &mut Page<'_>,
        text: &Text<'_>,
        value: &str,
        (is_base64, names): (bool, Names<'_>),
        scope: Scope<'_>,
    ) -> Result<()> {
        if !self.looks_at(names, scope) || value.is_empty() || value == MARKER || value == marker::encoded() {
            return Ok(());
        }
        if self.plan.detects() && !is_base64 && setting::is_file_of_credentials(value) {
            self.replace_whole(page, text, MARKER, setting::RULE);
            return Ok(());
        }
        self.look_at(value, names, scope);
        if !self.plan.is_built_in() && !is_base64 && self.hits.is_empty() {
            self.plan
                .detectors()
                .detect_random(names.own, value.as_bytes(), &mut self.hits);
        }
        if is_base64 {
            if let Some(plain) = marker::decode_base64(value).and_then(|bytes| String::from_utf8(bytes).ok())
                && plain != MARKER
            {
                let mut outer = std::mem::take(&mut self.hits);
                self.look_at(&plain, names, scope);
                // Only that there is something counts.
                for hit in self.hits.as_slice() {
                    outer.push(0..value.len(), hit.rule.clone());
                }
                self.hits = outer;
            }
            if let Some(rule) = self.hits.as_slice().first().map(|hit| hit.rule.clone()) {
                self.replace_whole(page, text, marker::encoded(), &rule);
            }
            return Ok(());
        }
        let is_whole = self.hits.as_slice().iter().any(|hit| covers(hit, value));
        if !is_whole && looks_like_json(value) {
            // What only the whole of it tells, such as an argument of a command in a list.
            let hits = std::mem::take(&mut self.hits);
            let is_done = self.unpack_part(page, text, value, &hits, scope)?;
            self.hits = hits;
            if is_done {
                return Ok(());
            }
        }
        self.replace_hits(page, text, value);
        Ok(())
    }

    /// Finds what is secret in a text.
    pub(super) fn look_at(&mut self, value: &str, names: Names<'_>, scope: Scope<'_>) {
        self.hits.clear();
        if self.plan.scans() {
            let detectors = self.plan.detectors();
            match names.own {
                Some(name) => detectors.detect_named(name, value.as_bytes(), &mut self.hits),
                None => detectors.detect(value.as_bytes(), &mut self.hits),
            }
            if let Some(name) = names.above
                && !self.hits.as_slice().iter().any(|hit| covers(hit, value))
            {
                detectors.detect_named(name, value.as_bytes(), &mut self.hits);
            }
        }
        if let Some(values) = scope.values {
            values.detect(value, &mut self.hits);
        }
    }

    /// Replaces what was found in a string.
    fn replace_hits(&mut self, page: &mut Page<'_>, text: &Text<'_>, value: &str) {
        let hits = std::mem::take(&mut self.hits);
        self.replace(page, text, value, &hits);
        self.hits = hits;
    }

    /// Replaces parts of a string; it counts once, for the first of them.
    pub(super) fn replace(&mut self, page: &mut Page<'_>, text: &Text<'_>, value: &str, hits: &Hits) {
        if hits.is_empty() {
            return;
        }
        let merged: Vec<Hit> = hits
            .merged()
            .into_iter()
            .map(|hit| whole_characters(hit, value))
            .filter(|hit| !hit.range.is_empty() && value.get(hit.range.clone()) != Some(MARKER))
            .collect();
        let Some(first) = merged.first() else {
            return;
        };
        self.log.push(first.rule.clone());
        if let Cow::Owned(decoded) = text.decode() {
            let mut masked = String::with_capacity(decoded.len());
            let mut from = 0;
            for hit in &merged {
                masked.push_str(value.get(from..hit.range.start).unwrap_or_default());
                masked.push_str(MARKER);
                from = hit.range.end;
            }
            masked.push_str(value.get(from..).unwrap_or_default());
            let mut json = String::with_capacity(masked.len() + 2);
            json::write_string(&masked, &mut json);
            page.edits.replace(text.range.clone(), json);
            return;
        }
        // Without escapes every byte stands for itself, behind the quote.
        let start = text.range.start + 1;
        for hit in merged {
            page.edits
                .replace(start + hit.range.start..start + hit.range.end, MARKER);
        }
    }

    /// Replaces a string by the marker, unless it is one.
    pub(super) fn replace_whole(&mut self, page: &mut Page<'_>, old: &Text<'_>, text: &'static str, rule: &str) {
        // Masked by another rule already, in whatever form fits the field.
        if old.is(MARKER) || old.is(marker::encoded()) {
            return;
        }
        let [plain, encoded] = &*QUOTED;
        let quoted: &'static str = if text == MARKER { plain } else { encoded };
        page.edits.replace(old.range.clone(), quoted);
        self.log.push(SmolStr::new(rule));
    }

    /// Masks a number that is secret by its names, or equal to a value of the Secret that it is in.
    pub(super) fn number(&mut self, page: &mut Page<'_>, range: Range<usize>, names: Names<'_>, scope: Scope<'_>) {
        let text = page.cursor.text_at(&range);
        let is_named = self.plan.scans()
            && [names.own, names.above]
                .into_iter()
                .flatten()
                .any(names::is_secret_number);
        if is_named {
            self.replace_number(page, range, KEY_NAME);
        } else if scope.values.is_some_and(|values| values.has(text)) {
            self.replace_number(page, range, super::secret::METADATA);
        }
    }

    pub(super) fn replace_number(&mut self, page: &mut Page<'_>, range: Range<usize>, rule: &str) {
        if page.cursor.text_at(&range) != "0" {
            page.edits.replace(range, "0");
            self.log.push(SmolStr::new(rule));
        }
    }
}

/// Whether all of a text is one hit.
fn covers(hit: &Hit, value: &str) -> bool {
    hit.range.start == 0 && hit.range.end >= value.len()
}

pub(super) fn looks_like_json(value: &str) -> bool {
    value.trim_start().starts_with(['{', '['])
}

/// A hit that begins and ends between characters.
fn whole_characters(hit: Hit, value: &str) -> Hit {
    let start = (0..=hit.range.start.min(value.len()))
        .rev()
        .find(|at| value.is_char_boundary(*at));
    let end = (hit.range.end.min(value.len())..=value.len()).find(|at| value.is_char_boundary(*at));
    Hit {
        range: start.unwrap_or(0)..end.unwrap_or(value.len()),
        rule: hit.rule,
    }
}
