//! Masks a stream of JSON item by item.

use std::borrow::Cow;

use super::cursor::{Cursor, Noted, Shape};
use super::edits::Edits;
use super::error::{MaskError, MaskErrorKind};
use super::index::Index;
use super::plan::Plan;
use super::report::Tally;
use super::scan::{Found, Item, Listing, Scanner};
use super::seen::Seen;
use super::walk::{Columns, Keep, Page, Walk, item_kind};
use crate::json::Value;

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
    kept: Kept,
    /// Whether values follow each other, and a partial last one is dropped.
    streams: bool,
    /// Whether what the white space follows was handed out.
    spaces: bool,
}

/// What is kept from one item to the next.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Changes of the item at hand; kept for its memory.
    edits: Edits,
    /// What had nothing to mask.
    seen: Seen,
    /// The columns of the Tables of a watch: only the first event says what they are.
    columns: Columns,
    /// Of the item at hand, and of JSON inside it; kept for their memory.
    indexes: Vec<Index>,
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
            kept: Kept::default(),
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
                Found::Value(item) => self.value(item, out)?,
                Found::Opening(listing) => {
                    self.open = self.opening(listing)?;
                    if self.open.is_some() {
                        self.scanner.release();
                        self.spaces = false;
                    }
                }
                Found::Element(item) => self.element(item, out)?,
                Found::Closing(item) => self.closing(item, out)?,
            }
        }
        Ok(())
    }

    pub(super) fn finish(&mut self) -> Result<(), MaskError> {
        if !self.scanner.has_begun() || self.scanner.is_between() {
            return Ok(());
        }
        if self.streams && self.scanner.is_whole() && is_cut_short(self.scanner.held())? {
            return Ok(());
        }
        Err(MaskErrorKind::Truncated.into())
    }

    /// Masks a whole value.
    fn value(&mut self, item: Item<'_>, out: &mut Vec<u8>) -> Result<(), MaskError> {
        let text = text(self.scanner.bytes(item))?;
        let mut is_event = self.streams;
        let walk = |walk: &mut Walk<'_>, page: &mut Page<'_>| {
            let keep = walk.root(page)?;
            is_event |= walk.is_event;
            Ok(keep)
        };
        let noted = self.scanner.noted();
        let kept = mask_text(&self.plan, &mut self.tally, &mut self.kept, (text, 0, noted), walk)?;
        self.spaces = kept == Keep::Yes;
        if self.spaces {
            self.kept.edits.write(text.as_bytes(), 0, out);
        }
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
        let closed = [prefix, b"]}"].concat();
        let (key, suffix) = match listing {
            Listing::Items => ("items", "List"),
            Listing::Rows => ("rows", "Table"),
        };
        let Some((kind, columns)) = read_envelope(&self.plan, text(&closed)?, key)? else {
            return Ok(None);
        };
        let fits = |kind: &str| match listing {
            Listing::Items => kind.ends_with(suffix),
            Listing::Rows => kind == suffix,
        };
        if self.plan.reaches(key) || !kind.as_deref().is_none_or(fits) {
            return Ok(None);
        }
        Ok(Some(Open {
            prefix: prefix.to_vec(),
            listing,
            kind,
            columns,
            is_begun: false,
            has_element: false,
        }))
    }

    fn element(&mut self, item: Item<'_>, out: &mut Vec<u8>) -> Result<(), MaskError> {
        let text = text(self.scanner.bytes(item))?;
        let Some(open) = &mut self.open else {
            return Err(MaskErrorKind::Malformed.into());
        };
        let walk = |walk: &mut Walk<'_>, page: &mut Page<'_>| match open.listing {
            Listing::Items => walk.item(page, open.kind.as_deref()),
            Listing::Rows => walk.row(page, &open.columns),
        };
        // Two levels are around it: the root and the array.
        let noted = self.scanner.noted();
        let kept = mask_text(&self.plan, &mut self.tally, &mut self.kept, (text, 2, noted), walk)?;
        self.spaces = kept == Keep::Yes;
        if self.spaces {
            open.begin(out);
            if std::mem::replace(&mut open.has_element, true) {
                out.push(b',');
            }
            self.kept.edits.write(text.as_bytes(), 0, out);
        }
        Ok(())
    }

    /// Masks what is around the elements, now that all of it is known.
    fn closing(&mut self, item: Item<'_>, out: &mut Vec<u8>) -> Result<(), MaskError> {
        let Some(mut open) = self.open.take() else {
            return Err(MaskErrorKind::Malformed.into());
        };
        let envelope = [open.prefix.as_slice(), self.scanner.bytes(item)].concat();
        let text = text(&envelope)?;
        let plan = &self.plan;
        let mut disagrees = false;
        let walk = |walk: &mut Walk<'_>, page: &mut Page<'_>| {
            let keep = walk.root(page)?;
            let kind = walk.kind.as_deref();
            disagrees = open.kind.is_none() && kind.is_some_and(|kind| contradicts(plan, kind));
            Ok(keep)
        };
        let noted = Noted::Unknown;
        let kept = mask_text(plan, &mut self.tally, &mut self.kept, (text, 0, noted), walk)?;
        // The part before the elements may be gone already; it can't change any more.
        let begin = open.prefix.len();
        let changes_the_past = self.kept.edits.first().is_some_and(|first| first < begin);
        if kept == Keep::No || changes_the_past || disagrees {
            return Err(MaskErrorKind::KindDisagrees.into());
        }
        open.begin(out);
        self.kept.edits.write(text.as_bytes(), begin, out);
        self.spaces = true;
        Ok(())
    }
}

impl Open {
    fn begin(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.is_begun, true) {
            out.extend_from_slice(&self.prefix);
        }
    }
}

/// Masks the text of one value that has `around` levels around it: notes in `kept` what changes. All of it was read, and
/// nothing follows it.
pub(super) fn mask_text(
    plan: &Plan,
    tally: &mut Tally,
    kept: &mut Kept,
    (text, around, noted): (&str, usize, Noted),
    mask: impl FnOnce(&mut Walk<'_>, &mut Page<'_>) -> Result<Keep, MaskErrorKind>,
) -> Result<Keep, MaskError> {
    kept.edits.clear();
    let mut index = kept.indexes.pop().unwrap_or_default();
    let is_indexed = index.read(text, around);
    let start = Cursor::new(text, around)
        .noting(noted)
        .with_index(is_indexed.then_some(&index));
    let mut page = Page::new(start.clone(), text, std::mem::take(&mut kept.edits));
    let mut walk = Walk::new(plan, std::mem::take(&mut kept.seen));
    walk.columns = std::mem::take(&mut kept.columns);
    walk.indexes = std::mem::take(&mut kept.indexes);
    let keep = mask(&mut walk, &mut page)?;
    let mut cursor = page.cursor;
    kept.edits = page.edits;
    if keep == Keep::No {
        // Whoever leaves it out need not have read it all.
        cursor = start;
        cursor.skip()?;
        tally.hidden(1);
    }
    cursor.finish()?;
    if keep == Keep::Yes {
        walk.commit(tally);
    }
    kept.seen = walk.seen;
    kept.columns = walk.columns;
    kept.indexes = walk.indexes;
    kept.indexes.push(index);
    Ok(keep)
}

/// Masks one value; `None` if it is left out. What did not change is the same bytes.
pub(super) fn mask_bytes<'b>(
    plan: &Plan,
    tally: &mut Tally,
    bytes: &'b [u8],
    mask: impl FnOnce(&mut Walk<'_>, &mut Page<'_>) -> Result<Keep, MaskErrorKind>,
) -> Result<Option<Cow<'b, [u8]>>, MaskError> {
    let mut kept = Kept::default();
    let keep = mask_text(plan, tally, &mut kept, (text(bytes)?, 0, Noted::Unknown), mask)?;
    if keep == Keep::No {
        return Ok(None);
    }
    if kept.edits.is_empty() {
        return Ok(Some(Cow::Borrowed(bytes)));
    }
    let mut masked = Vec::with_capacity(bytes.len());
    kept.edits.apply(bytes, &mut masked);
    Ok(Some(Cow::Owned(masked)))
}

/// Items are UTF-8, or nothing of them is handed out.
fn text(bytes: &[u8]) -> Result<&str, MaskErrorKind> {
    std::str::from_utf8(bytes).map_err(|_| MaskErrorKind::Malformed)
}

/// Kind and columns of the envelope of a list or Table, of which `elements` is the key of the elements; `None` if
/// there is anything in it that is ever masked.
fn read_envelope(plan: &Plan, text: &str, elements: &str) -> Result<Option<(Option<String>, Columns)>, MaskError> {
    let (mut cursor, mut none) = (Cursor::new(text, 0), Edits::default());
    let mut envelope = cursor.object()?;
    let (mut kind, mut columns, mut is_plain) = (None, None, true);
    while let Some(key) = cursor.member(&mut envelope, &mut none)? {
        let shape = cursor.shape()?;
        let ahead = cursor.clone();
        let range = cursor.read()?;
        is_plain &= match &*key.decode() {
            "kind" | "apiVersion" if shape != Shape::String => false,
            "kind" => {
                kind = Some(ahead.clone().string()?.decode().into_owned());
                true
            }
            "apiVersion" => true,
            "metadata" => shape == Shape::Object && is_flat(ahead, is_list_metadata)?,
            "columnDefinitions" if elements == "rows" && shape == Shape::Array => {
                columns = Some(Value::parse(cursor.text_at(&range).as_bytes())?);
                are_flat(ahead)?
            }
            other => other == elements,
        };
    }
    cursor.finish()?;
    Ok(is_plain.then(|| (kind, Columns::read(plan, columns.as_ref()))))
}

fn is_list_metadata(key: &str) -> bool {
    matches!(key, "selfLink" | "resourceVersion" | "continue" | "remainingItemCount")
}

/// Whether an object has scalars only, below keys that fit.
fn is_flat(mut cursor: Cursor<'_>, fits: impl Fn(&str) -> bool) -> Result<bool, MaskErrorKind> {
    if cursor.shape()? != Shape::Object {
        return Ok(false);
    }
    let mut none = Edits::default();
    let mut object = cursor.object()?;
    while let Some(key) = cursor.member(&mut object, &mut none)? {
        if matches!(cursor.shape()?, Shape::Object | Shape::Array) || !fits(&key.decode()) {
            return Ok(false);
        }
        cursor.skip()?;
    }
    Ok(true)
}

/// Whether an array has objects only, with nothing but scalars in them.
fn are_flat(mut cursor: Cursor<'_>) -> Result<bool, MaskErrorKind> {
    let mut none = Edits::default();
    let mut array = cursor.array()?;
    while cursor.element(&mut array, &mut none)? {
        if !is_flat(cursor.clone(), |_| true)? {
            return Ok(false);
        }
        cursor.skip()?;
    }
    Ok(true)
}

/// Whether elements masked without knowing this kind of their list may have been masked wrongly.
fn contradicts(plan: &Plan, kind: &str) -> bool {
    match kind {
        "List" | "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList" => false,
        kind => plan.contradicts(item_kind(kind).unwrap_or(kind)),
    }
}

/// Whether bytes are the beginning of valid JSON, and end inside it.
fn is_cut_short(bytes: &[u8]) -> Result<bool, MaskError> {
    let text = match std::str::from_utf8(bytes) {
        // A character that is cut in two.
        Err(error) if error.error_len().is_none() => text(bytes.get(..error.valid_up_to()).unwrap_or_default())?,
        _ => text(bytes)?,
    };
    Ok(Cursor::new(text, 0).cut_short()?)
}
