//! What stands in an object before and after a change, compared.
//!
//! 1. One function looks at an object and says what it sees; it runs over the object after the change and, where that was
//!    read, over the one before it. So a rule holds for the resulting object, and never for what was there already.
//! 2. What is seen is told apart by its place, with list elements by their name, and by its content, with keys in any
//!    order. So moving a container or writing back what was read is no change.
//! 3. Where nobody knows the object before the change, all that is seen counts.

use std::collections::{HashMap, HashSet};

use super::place::Place;
use super::states::{Before, States};
use super::{Concern, Finding};
use crate::json::{Value, write_string};

/// Deepest nesting that is looked into; what lies deeper counts as different from everything.
pub(super) const MAX_DEPTH: usize = 160;

/// Reports what `look` sees after a change, as far as it was not there before.
pub(super) fn report(states: &States, out: &mut Vec<Finding>, mut look: impl FnMut(&Value, &mut Sightings)) {
    let assumed = states.before.is_open();
    let mode = match states.before {
        Before::Nothing => Mode::Creation,
        Before::NotRead | Before::Unknown => Mode::Alone,
        Before::Seen(_) => Mode::Compared,
    };
    let mut after = Sightings::new(mode);
    look(&states.after, &mut after);
    if let Before::Seen(object) = &states.before {
        let mut before = Sightings::new(mode);
        look(object, &mut before);
        compare(before, after, out);
    } else {
        let reported = after.all.into_iter().filter(|sighting| match sighting.counts {
            Counts::Anew => true,
            Counts::Changed => mode == Mode::Alone,
            Counts::Created => mode == Mode::Creation,
            Counts::Gone => false,
        });
        out.extend(reported.map(|sighting| sighting.into_finding(assumed)));
    }
}

fn compare(before: Sightings, after: Sightings, out: &mut Vec<Finding>) {
    let still_there: HashSet<_> = after.all.iter().map(Sighting::place).collect();
    let gone: Vec<_> = before
        .all
        .iter()
        .filter(|sighting| matches!(sighting.counts, Counts::Changed | Counts::Gone))
        .filter(|sighting| !still_there.contains(&sighting.place()))
        .map(|sighting| sighting.clone().into_finding(false))
        .collect();
    let mut known: HashMap<_, usize> = HashMap::new();
    for sighting in &before.all {
        if let Some(identity) = sighting.identity() {
            *known.entry(identity).or_default() += 1;
        }
    }
    for sighting in &after.all {
        if !matches!(sighting.counts, Counts::Anew | Counts::Changed) {
            continue;
        }
        let times = sighting.identity().and_then(|identity| known.get_mut(&identity));
        match times {
            Some(times) if *times > 0 => *times -= 1,
            _ => out.push(sighting.clone().into_finding(false)),
        }
    }
    out.extend(gone);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// The object is created.
    Creation,
    /// What was there before is not known.
    Alone,
    /// What was there before is known.
    Compared,
}

/// When something that is seen is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counts {
    /// If it was not there before.
    Anew,
    /// If it is new, different or gone; on a create it is not.
    Changed,
    /// On a create only.
    Created,
    /// If it is there no longer.
    Gone,
}

/// What is seen in one object.
#[derive(Debug)]
pub(super) struct Sightings {
    mode: Mode,
    all: Vec<Sighting>,
}

#[derive(Debug, Clone)]
struct Sighting {
    counts: Counts,
    concern: Concern,
    path: String,
    value: Option<String>,
    /// Empty unless two objects are compared.
    place: String,
    /// `None` if it is nested too deeply to be compared.
    content: Option<String>,
}

impl Sighting {
    fn place(&self) -> (Concern, &str) {
        (self.concern, &self.place)
    }

    fn identity(&self) -> Option<(Concern, &str, &str)> {
        Some((self.concern, self.place.as_str(), self.content.as_deref()?))
    }

    fn into_finding(self, assumed: bool) -> Finding {
        Finding {
            concern: self.concern,
            path: self.path,
            value: self.value,
            assumed,
        }
    }
}

impl Sightings {
    fn new(mode: Mode) -> Self {
        Self { mode, all: Vec::new() }
    }

    /// Something that is of concern where it was not before.
    pub(super) fn anew(&mut self, concern: Concern, place: &Place<'_>, content: &Value, value: Option<&str>) {
        self.anew_below(concern, place, place, content, value);
    }

    /// The same, where the place matters only as far as `within`: moving it elsewhere in there is no change.
    pub(super) fn anew_below(
        &mut self,
        concern: Concern,
        place: &Place<'_>,
        within: &Place<'_>,
        content: &Value,
        value: Option<&str>,
    ) {
        self.push(Counts::Anew, concern, place, within, content, value);
    }

    /// Something of an existing object whose every change is of concern.
    pub(super) fn changed(&mut self, concern: Concern, place: &Place<'_>, content: &Value) {
        // The server writes `{}` where a client wrote nothing.
        if self.mode == Mode::Compared && is_empty(content) {
            return;
        }
        self.push(Counts::Changed, concern, place, place, content, None);
    }

    /// Something that is of concern where it is created.
    pub(super) fn created(&mut self, concern: Concern, place: &Place<'_>, content: &Value) {
        if !is_empty(content) {
            self.push(Counts::Created, concern, place, place, content, None);
        }
    }

    /// Something that protects, as long as it stays.
    pub(super) fn gone(&mut self, concern: Concern, place: &Place<'_>, content: &Value) {
        self.push(Counts::Gone, concern, place, place, content, None);
    }

    /// Something that lies too deep to be looked at.
    pub(super) fn too_deep(&mut self, concern: Concern, place: &Place<'_>) {
        self.all.push(Sighting {
            counts: Counts::Anew,
            concern,
            path: place.pointer(),
            value: None,
            place: String::new(),
            content: None,
        });
    }

    fn push(
        &mut self,
        counts: Counts,
        concern: Concern,
        place: &Place<'_>,
        within: &Place<'_>,
        content: &Value,
        value: Option<&str>,
    ) {
        let mut sighting = Sighting {
            counts,
            concern,
            path: place.pointer(),
            value: value.map(str::to_owned),
            place: String::new(),
            content: None,
        };
        if self.mode == Mode::Compared {
            within.write_identity(&mut sighting.place);
            let mut text = String::new();
            sighting.content = write_comparable(content, 0, &mut text).map(|()| text);
        }
        self.all.push(sighting);
    }
}

fn is_empty(content: &Value) -> bool {
    match content {
        Value::Null => true,
        Value::Array(elements) => elements.is_empty(),
        Value::Object(members) => members.iter().all(|(_, member)| *member == Value::Null),
        _ => false,
    }
}

/// Appends a text that is the same for values that mean the same: keys are sorted, null is nothing. `None` if it is
/// nested too deeply.
fn write_comparable(value: &Value, depth: usize, out: &mut String) -> Option<()> {
    if depth > MAX_DEPTH {
        return None;
    }
    match value {
        Value::Array(elements) => {
            out.push('[');
            for element in elements {
                write_comparable(element, depth + 1, out)?;
                out.push(',');
            }
            out.push(']');
        }
        Value::Object(object) => {
            let mut members: Vec<_> = object.iter().filter(|(_, member)| **member != Value::Null).collect();
            members.sort_unstable_by_key(|(key, _)| *key);
            out.push('{');
            for (key, member) in members {
                write_string(key, out);
                out.push(':');
                write_comparable(member, depth + 1, out)?;
                out.push(',');
            }
            out.push('}');
        }
        scalar => scalar.write(out),
    }
    Some(())
}
