//! Masks one item where it lies: the rules walk over its JSON and note what to change.
//!
//! 1. What is at a value is decided by a [`Trail`]: the places of the tables that it is at, for each kind that the object
//!    may be, and the policy's paths that lead there. Without any, it is scanned: by its name and by what it looks like.
//! 2. Where every table says that nothing can be, the value is passed over. That counts only in objects that answer the
//!    request and are what the URL names, of a kind of Kubernetes itself; what is inside others is only a claim.
//! 3. An object with a `kind` inside another is masked as that kind, too. So is JSON in a string.
//! 4. Nothing is kept from one item to the next, and nothing is counted of an item that is given up.

mod arguments;
mod list;
mod metadata;
mod names;
mod object;
mod part;
mod places;
mod policy;
mod repeat;
mod scalar;
mod secret;
mod setting;
mod status;
mod table;
mod trail;
mod unpack;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem;
use smallvec::SmallVec;
use smol_str::SmolStr;

pub(super) use self::metadata::{is_annotation_masked, is_secret_name};
use self::policy::Policy;
use self::secret::Values;
pub(super) use self::status::{ours, without_payloads};
pub(super) use self::table::Columns;
use super::cursor::Cursor;
use super::edits::Edits;
use super::error::MaskErrorKind;
use super::index::Index;
use super::kinds::{self, Node};
use super::plan::Plan;
use super::report::Tally;
use super::seen::Seen;
use crate::detect::Hits;

pub(super) type Result<T> = std::result::Result<T, MaskErrorKind>;

/// Whether an item is handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// It is.
    Yes,
    /// It is left out, since it is in a hidden namespace.
    No,
}

/// A text that is walked over, and what is to be changed in it.
pub(super) struct Page<'a> {
    pub(super) cursor: Cursor<'a>,
    pub(super) edits: Edits,
    text: &'a str,
    /// The next places at which a `kind` may be named, as it is or with escapes; none before them. Apart, since to search
    /// for the one again at each of the other would cost a square.
    kinds: [usize; 2],
    /// Where there is an index: from where on the next key was looked for that counts wherever it is, and where that is, or
    /// the next backslash.
    next_place: (usize, usize),
    /// How many bytes were looked at to see whether they were seen before.
    looked: usize,
}

/// A key in its quotes, and what is in it if any of its letters is written as an escape.
const KIND: &[u8] = b"\"kind\"";
const ESCAPED: &[u8] = b"\\u006";

static FIND_KIND: LazyLock<[memmem::Finder<'static>; 2]> = LazyLock::new(|| [KIND, ESCAPED].map(memmem::Finder::new));

impl<'a> Page<'a> {
    /// A text, a place in it, and what was noted so far.
    pub(super) fn new(cursor: Cursor<'a>, text: &'a str, edits: Edits) -> Self {
        Self {
            cursor,
            edits,
            text,
            kinds: [0; 2],
            next_place: (usize::MAX, 0),
            looked: 0,
        }
    }

    /// A text that is not part of another.
    fn of(text: &'a str, index: Option<&'a Index>) -> Self {
        Self::new(Cursor::new(text, 0).with_index(index), text, Edits::default())
    }

    /// Whether the object or array ahead may have a key in it that counts wherever it is. `None`: without an
    /// index, it takes a search to know.
    #[inline]
    fn has_places(&mut self) -> Option<bool> {
        let (index, rank) = self.cursor.index()?;
        let at = self.cursor.position();
        let (from, next) = self.next_place;
        if at < from || next < at {
            self.next_place = (at, index.find_place(self.text, at).unwrap_or(usize::MAX));
        }
        let (_, next) = self.next_place;
        let subtree = index.subtree(self.text, rank, at);
        Some(subtree.is_none_or(|(end, _)| next < end))
    }

    /// The kind that the object ahead claims.
    pub(super) fn kind(&mut self) -> Result<Option<Cow<'a, str>>> {
        // To look for it costs something even where there is none.
        let may_have = self.cursor.is_noted()
            || match self.has_places() {
                Some(has_places) => has_places && self.cursor.may_have(KIND),
                None => self.may_name_kind(),
            };
        if may_have { self.cursor.kind() } else { Ok(None) }
    }

    /// The same without an index, where it costs as much as the object is long.
    fn may_name_kind(&mut self) -> bool {
        let at = self.cursor.position();
        for (next, name) in self.kinds.iter_mut().zip(&*FIND_KIND) {
            if *next <= at {
                let rest = self.text.as_bytes().get(at..).unwrap_or_default();
                *next = name.find(rest).map_or(usize::MAX, |offset| at + offset);
            }
        }
        let [plain, escaped] = self.kinds;
        escaped != usize::MAX || plain != usize::MAX && self.cursor.may_have(KIND)
    }
}

/// What an object may be: the tables of its kinds, in the opinion of the URL, of a list, and of the object itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Kin<'p> {
    nodes: SmallVec<[&'p Node; 4]>,
    /// Whether one of the kinds is in no table.
    has_unknown: bool,
    /// Whether one of them is Secret.
    pub(super) is_secret: bool,
}

impl Kin<'static> {
    /// The same, to be added to.
    pub(super) fn copied<'p>(&self) -> Kin<'p> {
        Kin {
            nodes: self.nodes.iter().copied().collect(),
            has_unknown: self.has_unknown,
            is_secret: self.is_secret,
        }
    }
}

impl<'p> Kin<'p> {
    /// What the table of this crate says of kinds. Of a custom resource it says nothing.
    pub(super) fn of_url(kinds: &[String], is_custom: bool) -> Kin<'static> {
        let mut kin = Kin {
            has_unknown: is_custom,
            ..Kin::default()
        };
        for kind in kinds {
            kin.is_secret |= kinds::is_secret(kind);
            let node = kinds::built_in_node(kind);
            kin.has_unknown |= node.is_none();
            kin.nodes.extend(node);
        }
        kin
    }

    /// Adds a kind in a group, if that is known.
    pub(super) fn add(&mut self, plan: &'p Plan, kind: &str, group: Option<&str>) {
        if is_wrapper(kind) {
            return;
        }
        self.is_secret |= kinds::is_secret(kind);
        let node = kinds::built_in_node(kind);
        self.has_unknown |= node.is_none();
        node.into_iter().for_each(|node| self.push(node));
        self.add_extra(plan, kind, group);
    }

    /// Adds what a policy says of a kind.
    pub(super) fn add_extra(&mut self, plan: &'p Plan, kind: &str, group: Option<&str>) {
        plan.kinds().extra(kind, group).for_each(|node| self.push(node));
    }

    fn push(&mut self, node: &'p Node) {
        if !self.nodes.iter().any(|known| std::ptr::eq(*known, node)) {
            self.nodes.push(node);
        }
    }

    /// Whether the whole object is in the hands of the tables.
    fn is_known(&self) -> bool {
        !self.has_unknown && !self.nodes.is_empty()
    }
}

/// Whether a kind says nothing of what is inside.
fn is_wrapper(kind: &str) -> bool {
    matches!(
        kind,
        "List" | "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList" | "WatchEvent"
    )
}

/// The kind of a list's items, if the list's kind says it.
pub(super) fn item_kind(list_kind: &str) -> Option<&str> {
    let kind = list_kind.strip_suffix("List")?;
    (!kind.is_empty() && kind != "PartialObjectMetadata").then_some(kind)
}

/// What is known of an object from what is around it.
#[derive(Clone)]
pub(super) struct Context<'c, 'p> {
    kin: Kin<'p>,
    policy: Policy<'c, 'p>,
    scope: Scope<'c>,
}

/// What is known of a value from the object around it.
#[derive(Clone, Copy, Default)]
pub(super) struct Scope<'c> {
    /// How many strings are around it whose JSON was unpacked.
    level: usize,
    /// Whether the tables can be relied on.
    is_trusted: bool,
    /// The values of the Secret in whose metadata it is.
    values: Option<&'c Values>,
}

/// Masks the items of one answer.
pub(super) struct Walk<'p> {
    plan: &'p Plan,
    hits: Hits,
    /// The rules of what was replaced in the item at hand.
    log: Vec<SmolStr>,
    /// How many items inside it were left out.
    hidden: u64,
    /// Whether it is an event of a watch.
    pub(super) is_event: bool,
    /// The kind at the root of it.
    pub(super) kind: Option<String>,
    /// What had nothing to mask before.
    pub(super) seen: Seen,
    /// The columns of the last Table that said what they are.
    pub(super) columns: Columns,
    /// Indexes that nobody uses, for their memory.
    pub(super) indexes: Vec<Index>,
}

impl<'p> Walk<'p> {
    pub(super) fn new(plan: &'p Plan, seen: Seen) -> Self {
        Self {
            plan,
            hits: Hits::default(),
            log: Vec::new(),
            hidden: 0,
            is_event: false,
            kind: None,
            seen,
            columns: Columns::default(),
            indexes: Vec::new(),
        }
    }

    /// Masks a whole answer, or one event of a watch.
    pub(super) fn root(&mut self, page: &mut Page<'_>) -> Result<Keep> {
        let context = self.answer();
        self.is_event = is_event(page)?;
        if self.is_event {
            return self.event(page, &context);
        }
        self.kind = page.kind()?.map(Cow::into_owned);
        self.any(page, &context)?;
        Ok(Keep::Yes)
    }

    /// Masks an element of `items`; the list's kind is what is known of it so far.
    pub(super) fn item(&mut self, page: &mut Page<'_>, list_kind: Option<&str>) -> Result<Keep> {
        let mut context = self.answer();
        if let Some(kind) = list_kind.and_then(item_kind).filter(|kind| !self.plan.names_kind(kind)) {
            context.kin.add(self.plan, kind, None);
        }
        self.element(page, &context)
    }

    /// Masks an element of a Table's `rows`.
    pub(super) fn row(&mut self, page: &mut Page<'_>, columns: &Columns) -> Result<Keep> {
        let context = self.answer();
        self.row_in(page, columns, &context)
    }

    /// Counts what was done to an item that is handed out.
    pub(super) fn commit(&mut self, tally: &mut Tally) {
        for rule in self.log.drain(..) {
            tally.masked(&rule);
        }
        tally.hidden(std::mem::take(&mut self.hidden));
    }

    /// What is known of an object that answers the request.
    fn answer<'c>(&self) -> Context<'c, 'p> {
        Context {
            kin: self.plan.kin(),
            policy: Policy::Matching,
            scope: Scope {
                level: 0,
                is_trusted: self.plan.is_built_in(),
                values: None,
            },
        }
    }
}

/// Whether an object is an event of a watch.
fn is_event(page: &Page<'_>) -> Result<bool> {
    // The letters of `object` are 62 to 74.
    let may_be = |name| memmem::find(page.text.as_bytes(), name).is_some();
    if !may_be(b"\"object\"") && !may_be(b"\\u00") || page.cursor.look_up("object")?.is_none() {
        return Ok(false);
    }
    let event = page.cursor.look_up_text(&["type"])?;
    let known = ["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"];
    Ok(event.is_some_and(|event| known.contains(&&*event)))
}
