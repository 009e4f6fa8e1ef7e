//! Masks a stream of JSON item by item.

use std::borrow::Cow;

use super::error::{MaskError, MaskErrorKind};
use super::plan::Plan;
use super::report::Tally;
use super::scan::{Found, Listing, Scanner};
use super::walk::{Columns, Keep, Page, Walk, item_kind};
use crate::json::{self, Object, Value};

/// Largest item that is held in memory, in bytes: an element of a list, a row, an event, or a whole object.
pub const MAX_ITEM: usize = 8 * 1024 * 1024;

/// Largest discovery document, which has no items, in bytes.
pub const MAX_DOCUMENT: usize = 64 * 1024 * 1024;

/// Masks a stream of JSON.
pub(super) struct Engine {
    plan: Plan,
    scanner: Scanner,
    tally: Tally,
    /// The list or Table whose elements are being masked.
    open: Option<Open>,
    /// Whether values follow each other, and a partial last one is dropped.
    streams: bool,
    /// Whether what the white space follows was handed out.
    spaces: bool,
}

/// A list or Table that is handed out element by element.
struct Open {
    /// Everything up to the bracket that opens the elements; kept, since it is checked together with what follows them.
    prefix: Vec<u8>,
    listing: Listing,
    kind: Option<String>,
    columns: Columns,
    /// Whether the prefix was handed out: with the first element, so that an error before it can still be an answer.
    is_begun: bool,
    /// Whether an element was handed out.
    has_element: bool,
}

impl Engine {
    pub(super) fn new(plan: &Plan) -> Self {
        let max_item = if plan.is_discovery() { MAX_DOCUMENT } else { MAX_ITEM };
        let mut scanner = Scanner::new(max_item);
        if plan.is_watch() {
            scanner.expect_more();
        }
        Self {
            plan: plan.clone(),
            scanner,
            tally: Tally::default(),
            open: None,
            streams: plan.is_watch(),
            spaces: false,
        }
    }

    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }

    pub(super) fn push(&mut self, mut chunk: &[u8], out: &mut Vec<u8>) -> Result<(), MaskError> {
        while let Some(found) = self.scanner.next(&mut chunk)? {
            match found {
                Found::Space(space) if self.spaces => out.extend_from_slice(space),
                Found::Space(_) => {}
                Found::Value => self.value(out)?,
                Found::Opening(listing) => {
                    if let Some(open) = self.opening(listing)? {
                        self.open = Some(open);
                        self.scanner.take();
                        self.spaces = false;
                    }
                }
                Found::Element => self.element(out)?,
                Found::Closing => self.closing(out)?,
            }
        }
        Ok(())
    }

    pub(super) fn finish(&mut self) -> Result<(), MaskError> {
        if !self.scanner.has_begun() || self.scanner.is_between() {
            return Ok(());
        }
        if self.streams && self.scanner.is_whole() {
            return check_prefix(self.scanner.held());
        }
        Err(MaskErrorKind::Truncated.into())
    }

    /// Masks a whole value.
    fn value(&mut self, out: &mut Vec<u8>) -> Result<(), MaskError> {
        let bytes = self.scanner.take();
        let mut is_event = false;
        let masked = self.masked(&bytes, 0, |walk, page| {
            let keep = walk.root(page)?;
            is_event = walk.is_event;
            Ok(keep)
        })?;
        self.spaces = masked.is_some();
        out.extend_from_slice(&masked.unwrap_or_default());
        if is_event && !self.streams {
            self.streams = true;
            self.scanner.expect_more();
        }
        Ok(())
    }

    /// Decides whether the elements of an array at the root are handed out one by one: if what comes before them is
    /// nothing but the envelope of a list or Table, and no path of the policy begins at that array.
    fn opening(&self, listing: Listing) -> Result<Option<Open>, MaskError> {
        let prefix = self.scanner.held();
        let tree = Value::parse(&[prefix, b"]}"].concat())?;
        let Value::Object(envelope) = tree else {
            return Ok(None);
        };
        let kind = envelope.get("kind").and_then(Value::as_str);
        let (key, fits) = match listing {
            Listing::Items => ("items", kind.is_none_or(|kind| kind.ends_with("List"))),
            Listing::Rows => ("rows", kind.is_none_or(|kind| kind == "Table")),
        };
        if !fits || self.plan.reaches(key) || !envelope.iter().all(|(name, value)| is_envelope(name, value, key)) {
            return Ok(None);
        }
        Ok(Some(Open {
            prefix: prefix.to_vec(),
            listing,
            kind: kind.map(str::to_owned),
            columns: Columns::read(envelope.get("columnDefinitions")),
            is_begun: false,
            has_element: false,
        }))
    }

    fn element(&mut self, out: &mut Vec<u8>) -> Result<(), MaskError> {
        let bytes = self.scanner.take();
        let Some(mut open) = self.open.take() else {
            return Err(MaskErrorKind::Malformed.into());
        };
        // Two levels are around it: the root and the array.
        let masked = self.masked(&bytes, 2, |walk, page| match open.listing {
            Listing::Items => walk.item(page, open.kind.as_deref()),
            Listing::Rows => walk.row(page, &open.columns),
        })?;
        self.spaces = masked.is_some();
        if let Some(masked) = masked {
            open.begin(out);
            if std::mem::replace(&mut open.has_element, true) {
                out.push(b',');
            }
            out.extend_from_slice(&masked);
        }
        self.open = Some(open);
        Ok(())
    }

    /// Masks what is around the elements, now that all of it is known.
    fn closing(&mut self, out: &mut Vec<u8>) -> Result<(), MaskError> {
        let tail = self.scanner.take();
        let Some(mut open) = self.open.take() else {
            return Err(MaskErrorKind::Malformed.into());
        };
        let envelope = [open.prefix.as_slice(), &tail].concat();
        let plan = self.plan.clone();
        let mut disagrees = false;
        let masked = self.masked(&envelope, 0, |walk, page| {
            let keep = walk.root(page)?;
            let kind = walk.kind.as_deref();
            disagrees = open.kind.is_none() && kind.is_some_and(|kind| contradicts(&plan, kind));
            Ok(keep)
        })?;
        // The part before the elements may be gone already; it can't change any more.
        let tail = masked
            .as_deref()
            .and_then(|masked| masked.strip_prefix(open.prefix.as_slice()));
        let Some(tail) = tail.filter(|_| !disagrees) else {
            return Err(MaskErrorKind::KindDisagrees.into());
        };
        open.begin(out);
        out.extend_from_slice(tail);
        self.spaces = true;
        Ok(())
    }

    /// Parses and masks one item that has `around` levels around it; `None` if it is left out. What did not change is
    /// the same bytes.
    fn masked<'b>(
        &mut self,
        bytes: &'b [u8],
        around: usize,
        mask: impl FnOnce(&mut Walk<'_>, &mut Page<'_>) -> Result<Keep, MaskErrorKind>,
    ) -> Result<Option<Cow<'b, [u8]>>, MaskError> {
        mask_bytes(&self.plan, &mut self.tally, bytes, around, mask)
    }
}

impl Open {
    fn begin(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.is_begun, true) {
            out.extend_from_slice(&self.prefix);
        }
    }
}

/// Parses and masks one value that has `around` levels around it; `None` if it is left out.
pub(super) fn mask_bytes<'b>(
    plan: &Plan,
    tally: &mut Tally,
    bytes: &'b [u8],
    around: usize,
    mask: impl FnOnce(&mut Walk<'_>, &mut Page<'_>) -> Result<Keep, MaskErrorKind>,
) -> Result<Option<Cow<'b, [u8]>>, MaskError> {
    let text = std::str::from_utf8(bytes).map_err(|_| MaskErrorKind::Malformed)?;
    let mut walk = Walk::new(plan);
    let mut page = Page::new(text, around);
    if mask(&mut walk, &mut page)? == Keep::No {
        tally.hidden(1);
        return Ok(None);
    }
    let Page { cursor, edits, .. } = page;
    cursor.finish()?;
    walk.commit(tally);
    if edits.is_empty() {
        return Ok(Some(Cow::Borrowed(bytes)));
    }
    let mut masked = Vec::with_capacity(bytes.len());
    edits.apply(bytes, &mut masked);
    Ok(Some(Cow::Owned(masked)))
}

/// Whether a member belongs to the envelope of a list, in which nothing is ever masked.
fn is_envelope(name: &str, value: &Value, elements: &str) -> bool {
    let is_scalar = |value: &Value| !matches!(value, Value::Object(_) | Value::Array(_));
    let is_flat = |object: &Object| object.iter().all(|(_, value)| is_scalar(value));
    match (name, value) {
        ("kind" | "apiVersion", Value::String(_)) => true,
        ("metadata", Value::Object(metadata)) => {
            is_flat(metadata)
                && metadata
                    .iter()
                    .all(|(key, _)| matches!(key, "selfLink" | "resourceVersion" | "continue" | "remainingItemCount"))
        }
        ("columnDefinitions", Value::Array(columns)) => {
            elements == "rows" && columns.iter().all(|column| column.as_object().is_some_and(is_flat))
        }
        _ => name == elements,
    }
}

/// Whether elements masked without knowing this kind of their list may have been masked wrongly.
fn contradicts(plan: &Plan, kind: &str) -> bool {
    match kind {
        "List" | "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList" => false,
        kind => plan.contradicts(item_kind(kind).unwrap_or(kind)),
    }
}

/// Whether bytes are the beginning of valid JSON.
fn check_prefix(bytes: &[u8]) -> Result<(), MaskError> {
    let end = match std::str::from_utf8(bytes) {
        // A character that is cut in two.
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    };
    let beginning = bytes.get(..end).unwrap_or(bytes);
    match Value::parse(beginning) {
        Err(error) if error.kind == json::ErrorKind::UnexpectedEnd => Ok(()),
        // An escape, or a pair of them, that is cut in two.
        Err(error) if error.kind == json::ErrorKind::InvalidEscape && error.offset + 2 > beginning.len() => Ok(()),
        Err(error) => Err(error.into()),
        Ok(_) => Err(MaskErrorKind::Truncated.into()),
    }
}
