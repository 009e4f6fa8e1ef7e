//! Reading a tree strictly: every field is known, given once and of the right type, or it is noted what is wrong.

use super::error::Problems;
use super::yaml::{Node, Span, Value};

/// The fields of one mapping.
pub(in crate::policy) struct Fields<'n> {
    what: &'static str,
    span: Span,
    entries: Vec<(&'n str, &'n Node)>,
}

impl<'n> Fields<'n> {
    /// Reads a mapping whose fields are among these; `later` are names of the language that do nothing yet, and must
    /// not be taken for something that works.
    pub(in crate::policy) fn read(
        node: &'n Node,
        what: &'static str,
        known: &[&str],
        later: &[&str],
        problems: &mut Problems<'_>,
    ) -> Option<Self> {
        #[cfg(test)]
        known::note(what, known);
        let Value::Map(map) = &node.value else {
            problems.add(node.span, format!("{what} is a mapping, not {}", node.value.what()));
            return None;
        };
        let mut entries: Vec<(&str, &Node)> = Vec::with_capacity(map.len().min(known.len()));
        for (key, value) in map {
            if problems.is_full() {
                break;
            }
            let Value::Text(name) = &key.value else {
                problems.add(key.span, format!("a field name is text, not {}", key.value.what()));
                continue;
            };
            if later.contains(&name.as_str()) {
                problems.add(key.span, format!("`{name}` is not supported yet"));
            } else if !known.contains(&name.as_str()) {
                let suggestion = problems.nearest(name, known);
                problems.add_with(key.span, format!("unknown field `{name}` in {what}"), suggestion);
            } else if entries.iter().any(|(known, _)| known == name) {
                problems.add(key.span, format!("duplicate field `{name}` in {what}"));
            } else {
                entries.push((name, value));
            }
        }
        Some(Self {
            what,
            span: node.span,
            entries,
        })
    }

    pub(in crate::policy) fn get(&self, name: &str) -> Option<&'n Node> {
        self.entries
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, node)| *node)
    }

    /// A field that has to be there.
    pub(in crate::policy) fn require(&self, name: &str, problems: &mut Problems<'_>) -> Option<&'n Node> {
        let found = self.get(name);
        if found.is_none() {
            problems.add(Span { width: 1, ..self.span }, format!("{} has no `{name}`", self.what));
        }
        found
    }
}

/// A text that is not empty.
pub(in crate::policy) fn text<'n>(node: &'n Node, what: &str, problems: &mut Problems<'_>) -> Option<&'n str> {
    match &node.value {
        Value::Text(text) if text.is_empty() => problems.add(node.span, format!("{what} is empty")),
        Value::Text(text) => return Some(text),
        Value::Bool(_) | Value::Whole(_) | Value::Number(_) => problems.add(
            node.span,
            format!("{what} is text, not {}: write it in quotes", node.value.what()),
        ),
        other => problems.add(node.span, format!("{what} is text, not {}", other.what())),
    }
    None
}

pub(in crate::policy) fn boolean(node: &Node, what: &str, problems: &mut Problems<'_>) -> Option<bool> {
    match &node.value {
        Value::Bool(value) => Some(*value),
        other => {
            problems.add(node.span, format!("{what} is `true` or `false`, not {}", other.what()));
            None
        }
    }
}

/// A list with something in it.
///
/// An empty one would match nothing where leaving it out matches everything: nobody should have to know which.
pub(in crate::policy) fn list<'n>(node: &'n Node, what: &str, problems: &mut Problems<'_>) -> Option<&'n [Node]> {
    match &node.value {
        Value::List(list) if list.is_empty() => problems.add(node.span, format!("{what} is empty")),
        Value::List(list) => return Some(list),
        Value::Text(text) => problems.add_with(
            node.span,
            format!("{what} is a list, not text"),
            Some(format!("[{text}]")),
        ),
        other => problems.add(node.span, format!("{what} is a list, not {}", other.what())),
    }
    None
}

/// A list of which every element is read in the same way; none if one of them is wrong.
pub(in crate::policy) fn each<'n, T>(
    node: &'n Node,
    what: &str,
    problems: &mut Problems<'_>,
    mut read: impl FnMut(&'n Node, &mut Problems<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let list = list(node, what, problems)?;
    // Not `map(…).collect()`, which would stop at the first that is wrong; but there is an end to what is told.
    let mut all = Some(Vec::new());
    for node in list {
        if problems.is_full() {
            return None;
        }
        match (read(node, problems), &mut all) {
            (Some(read), Some(all)) => all.push(read),
            _ => all = None,
        }
    }
    all
}

/// Like [`each`], where an empty list says the same as leaving it out.
pub(in crate::policy) fn each_of_any<'n, T>(
    node: &'n Node,
    what: &str,
    problems: &mut Problems<'_>,
    read: impl FnMut(&'n Node, &mut Problems<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    match &node.value {
        Value::List(list) if list.is_empty() => Some(Vec::new()),
        _ => each(node, what, problems, read),
    }
}

/// A whole number from `min` on.
pub(in crate::policy) fn whole(node: &Node, what: &str, min: u64, problems: &mut Problems<'_>) -> Option<u64> {
    let number = match node.value {
        Value::Whole(number) => u64::try_from(number).ok().filter(|number| *number >= min),
        _ => None,
    };
    if number.is_none() {
        problems.add(node.span, format!("{what} is a whole number, at least {min}"));
    }
    number
}

/// A text out of a closed set.
pub(in crate::policy) fn one_of<T: Copy>(
    node: &Node,
    what: &str,
    known: &[(&str, T)],
    problems: &mut Problems<'_>,
) -> Option<T> {
    let text = text(node, what, problems)?;
    let found = known.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    if found.is_none() {
        let names = known.iter().map(|(name, _)| *name);
        let suggestion = problems.nearest(text, names);
        problems.add_with(node.span, format!("unknown {what} `{text}`"), suggestion);
    }
    found
}

/// Which fields of what a test's documents made the loader look for.
#[cfg(test)]
pub(in crate::policy) mod known {
    use std::cell::RefCell;
    use std::collections::{BTreeMap, BTreeSet};

    /// Names of fields, by what they are fields of.
    pub(in crate::policy) type Known = BTreeMap<String, BTreeSet<String>>;

    thread_local! {
        static KNOWN: RefCell<Known> = RefCell::default();
    }

    pub(super) fn note(what: &str, known: &[&str]) {
        KNOWN.with_borrow_mut(|noted| {
            let fields = noted.entry(what.to_owned()).or_default();
            fields.extend(known.iter().map(ToString::to_string));
        });
    }

    /// What was noted on this thread since it was asked last.
    pub(in crate::policy) fn take() -> Known {
        KNOWN.take()
    }
}
