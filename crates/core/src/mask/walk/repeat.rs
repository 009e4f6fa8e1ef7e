//! What had nothing to mask before is passed over.

use super::names::Names;
use super::{Page, Scope, Walk};
use crate::mask::cursor::Text;
use crate::mask::seen::{LONGEST, Part, SHORTEST, Sight, Terms};

/// How often, on average, the bytes of a text are looked at to see whether they were seen before: parts of hostile texts
/// are nested, and each is looked at.
const LOOKS: usize = 16;

/// Longest names of a part, together: those of hostile objects are as long as their values are many.
const LONGEST_NAMES: usize = 256;

/// What a part is taken for, beside an object or an array; above the bits of a trail.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Arguments = 1 << 6,
    Text = 2 << 6,
    Base64 = 3 << 6,
    Setting = 4 << 6,
    Base64Setting = 5 << 6,
}
const TRUSTED: u32 = 1 << 10;
/// The level is above it.
const LEVEL: u32 = 1 << 12;

/// What was done to an item so far.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Done {
    edits: usize,
    logged: usize,
    hidden: u64,
}

/// What came of a look at a part.
#[derive(Clone, Copy)]
pub(super) enum Look {
    /// It had nothing to mask before.
    Seen,
    /// Nobody knows, and nobody will.
    Unknown,
    /// It is new.
    New(New),
}

/// What it takes to remember a part that is masked now, if there turns out to be nothing to mask. Many of them are on the
/// stack at a time.
#[derive(Clone, Copy)]
pub(super) struct New {
    sight: Sight,
    before: Done,
    /// What was known when it was looked at.
    revision: u64,
}

impl<'p> Walk<'p> {
    /// Passes over the object or array ahead if it had nothing to mask on the same terms; none where more decides about it.
    /// Else says how to remember it, once it was masked.
    pub(super) fn pass_if_seen(
        &mut self,
        page: &mut Page<'_>,
        terms: Option<Terms>,
        names: Names<'_>,
        scope: Scope<'_>,
    ) -> Look {
        let may_look =
            scope.values.is_none() && are_short(names) && page.looked <= page.text.len().saturating_mul(LOOKS);
        let place = terms
            .filter(|_| may_look)
            .and_then(|terms| Some((terms, self.seen.is_worth_it(&terms, page.cursor.depth())?)));
        let Some((terms, place)) = place else {
            return Look::Unknown;
        };
        let Some(subtree) = page.cursor.peek_subtree(LONGEST) else {
            page.looked += LONGEST;
            self.seen.note(place, false);
            return Look::Unknown;
        };
        page.looked += subtree.json.len();
        let look = self.look(page, &part(terms, names, scope, subtree.json));
        let is_seen = matches!(look, Look::Seen);
        self.seen.note(place, is_seen);
        if is_seen {
            page.cursor.pass(&subtree);
        }
        look
    }

    /// Whether a string had nothing to mask under the same names.
    pub(super) fn look_at_text(
        &mut self,
        page: &Page<'_>,
        text: &Text<'_>,
        (kind, names): (Kind, Names<'_>),
        scope: Scope<'_>,
    ) -> Look {
        if scope.values.is_some() || !are_short(names) || !(SHORTEST..=LONGEST).contains(&text.raw.len()) {
            return Look::Unknown;
        }
        self.look(page, &part_of_text(text, kind, names, scope))
    }

    fn look(&mut self, page: &Page<'_>, part: &Part<'_>) -> Look {
        let revision = self.plan.revision();
        self.seen.as_of(revision);
        match self.seen.has(part) {
            Ok(()) => Look::Seen,
            Err(sight) => Look::New(New {
                sight,
                before: self.done(page),
                revision,
            }),
        }
    }

    /// Remembers the object or array that began at `start` and was masked since, if there was nothing to mask.
    pub(super) fn learn(
        &mut self,
        page: &Page<'_>,
        look: Look,
        start: usize,
        (terms, names): (Option<Terms>, Names<'_>),
        scope: Scope<'_>,
    ) {
        if let Some(sight) = self.nothing_done(page, look)
            && let Some(terms) = terms
        {
            let json = page.cursor.text_at(&(start..page.cursor.position()));
            self.seen.add(&part(terms, names, scope, json), sight);
        }
    }

    /// Remembers a string that was masked, if there was nothing to mask.
    pub(super) fn learn_text(
        &mut self,
        page: &Page<'_>,
        look: Look,
        text: &Text<'_>,
        (kind, names): (Kind, Names<'_>),
        scope: Scope<'_>,
    ) {
        if let Some(sight) = self.nothing_done(page, look) {
            self.seen.add(&part_of_text(text, kind, names, scope), sight);
        }
    }

    fn nothing_done(&self, page: &Page<'_>, look: Look) -> Option<Sight> {
        match look {
            // What was learnt meanwhile was looked for in the rest of it only.
            Look::New(new) if self.plan.revision() != new.revision => None,
            Look::New(new) => (self.done(page) == new.before && self.seen.is_as_of(new.revision)).then_some(new.sight),
            Look::Seen | Look::Unknown => None,
        }
    }

    fn done(&self, page: &Page<'_>) -> Done {
        Done {
            edits: page.edits.len(),
            logged: self.log.len(),
            hidden: self.hidden,
        }
    }
}

/// Whether names are short enough to be compared for each value that has them.
fn are_short(names: Names<'_>) -> bool {
    let length = |name: Option<&str>| name.map_or(0, str::len);
    length(names.own) + length(names.above) <= LONGEST_NAMES
}

fn part_of_text<'a>(text: &Text<'a>, kind: Kind, names: Names<'a>, scope: Scope<'_>) -> Part<'a> {
    part(Terms::default().with(kind as u32), names, scope, text.raw)
}

fn part<'a>(terms: Terms, names: Names<'a>, scope: Scope<'_>, json: &'a str) -> Part<'a> {
    let level = u32::try_from(scope.level).unwrap_or(u32::MAX / LEVEL);
    let trusted = if scope.is_trusted { TRUSTED } else { 0 };
    Part {
        terms: Terms {
            state: terms.state | trusted | level.saturating_mul(LEVEL),
            ..terms
        },
        names: [names.own, names.above],
        json,
    }
}
