//! Events as a table that a human reads in a terminal.

use std::collections::HashSet;
use std::fmt::Write as _;

use super::event::{Event, Stage, annotation, micros};
use super::outcome::Outcome;
use crate::escape::{columns_of, escape_clip};

/// Columns and their widths: 100 in all, with a space between them.
const COLUMNS: [(&str, usize); 6] = [
    ("TIME", 12),
    ("WHO", 14),
    ("VERB", 8),
    ("OBJECT", 27),
    ("RULE", 17),
    ("OUTCOME", 17),
];

/// Shows events in 100 columns, one line for each request, everything that a caller chose escaped.
///
/// An intent is shown only if no later event says what became of it. Times are in UTC.
#[derive(Debug, Clone, Copy, Default)]
pub struct Table {
    color: bool,
}

impl Table {
    /// A table without colour.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether outcomes are coloured, by ANSI sequences.
    #[must_use]
    pub fn with_color(mut self, color: bool) -> Self {
        self.color = color;
        self
    }

    /// The table, with a newline after each line.
    #[must_use]
    pub fn render(self, events: &[Event]) -> String {
        let ended: HashSet<&str> = events
            .iter()
            .filter(|event| event.stage.is_final())
            .map(|event| event.audit_id.as_str())
            .collect();
        let mut out = String::new();
        row(&mut out, COLUMNS.map(|(title, _)| title.to_owned()));
        let mut date = String::new();
        for event in events {
            if !event.stage.is_final() && ended.contains(event.audit_id.as_str()) {
                continue;
            }
            let time = micros::text(event.stage_timestamp);
            let (day, clock) = time.split_once('T').unwrap_or(("", &time));
            if date != day {
                day.clone_into(&mut date);
                out.push_str(&date);
                out.push('\n');
            }
            self.event(&mut out, event, clock);
        }
        out
    }

    fn event(self, out: &mut String, event: &Event, clock: &str) {
        let cells = [
            clock.chars().take(12).collect(),
            event.user.username.clone(),
            event.verb.clone(),
            object(event),
            event.annotation(annotation::RULE).unwrap_or_default().to_owned(),
            outcome(event),
        ];
        let start = out.len();
        row(out, cells);
        if let Some(color) = event.outcome().map(color).filter(|_| self.color)
            && let Some(at) = out.get(start..).and_then(|line| {
                let offset: usize = COLUMNS.iter().take(COLUMNS.len() - 1).map(|(_, width)| width + 1).sum();
                byte_at_column(line, offset)
            })
        {
            out.insert_str(start + at, color);
            out.truncate(out.trim_end_matches('\n').len());
            out.push_str("\u{1b}[0m\n");
        }
    }
}

/// Appends a line of cells, each escaped, clipped and padded to its column.
fn row(out: &mut String, cells: [String; COLUMNS.len()]) {
    let mut line = String::new();
    for (cell, (_, width)) in cells.iter().zip(COLUMNS) {
        let cell = escape_clip(cell, width);
        let padding = width - columns_of(&cell).min(width);
        // Writing to a String can't fail.
        let _ = write!(line, "{cell}{:padding$} ", "");
    }
    out.push_str(line.trim_end());
    out.push('\n');
}

/// Byte offset of a column in an escaped line.
fn byte_at_column(line: &str, column: usize) -> Option<usize> {
    let mut columns = 0;
    line.char_indices().find_map(|(at, character)| {
        let found = (columns >= column).then_some(at);
        columns += columns_of(character.encode_utf8(&mut [0; 4]));
        found
    })
}

/// `deployments.apps/scale team-a/web`; for what is no resource, the URI.
fn object(event: &Event) -> String {
    let Some(object) = &event.object_ref else {
        let gap = event.annotation(annotation::GAP_RECORDS);
        return match gap.filter(|_| event.outcome() == Some(Outcome::Gap)) {
            Some(records) => format!("{records} records lost"),
            None => event.request_uri.clone(),
        };
    };
    let mut text = object.resource.clone();
    for (separator, part) in [(".", &object.api_group), ("/", &object.subresource)] {
        if !part.is_empty() {
            text.push_str(separator);
            text.push_str(part);
        }
    }
    let place: Vec<_> = [&object.namespace, &object.name]
        .into_iter()
        .filter(|part| !part.is_empty())
        .map(String::as_str)
        .collect();
    if !place.is_empty() {
        text.push(' ');
        text.push_str(&place.join("/"));
    }
    if !object.namespace.is_empty() && object.name.is_empty() {
        text.push('/');
    }
    text
}

/// The outcome and the status code, as far as they are known.
fn outcome(event: &Event) -> String {
    let outcome = match (event.outcome(), event.stage) {
        (Some(outcome), _) => outcome.as_str(),
        (None, Stage::Panic) => "panic",
        (None, _) => "",
    };
    let code = event.response_status.as_ref().map(|status| status.code.to_string());
    let under_way = match event.stage {
        Stage::RequestReceived => Some("intent".to_owned()),
        Stage::ResponseStarted => Some("streaming".to_owned()),
        Stage::ResponseComplete | Stage::Panic => None,
    };
    let parts: Vec<_> = [Some(outcome.to_owned()), code.or(under_way)]
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(" ")
}

fn color(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Allow | Outcome::HoldApproved => "\u{1b}[32m",
        Outcome::Hold | Outcome::HoldDeferred | Outcome::CallerLeft => "\u{1b}[33m",
        Outcome::Deny | Outcome::HoldDenied | Outcome::HoldExpired => "\u{1b}[31m",
        Outcome::FailOpen | Outcome::Unknown | Outcome::Error | Outcome::Gap => "\u{1b}[1;31m",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{ObjectReference, ResponseStatus};

    fn event(id: &str, stage: Stage, outcome: Outcome) -> Event {
        let now = "2026-11-22T10:00:00.5Z".parse().unwrap();
        let mut event = Event::new(id, stage, now, now)
            .with_outcome(outcome)
            .with(annotation::RULE, "agents/no-deletes");
        event.user.username = "agent-7".into();
        event.verb = "delete".into();
        event.object_ref = Some(ObjectReference {
            resource: "deployments".into(),
            api_group: "apps".into(),
            namespace: "team-a".into(),
            name: "web".into(),
            ..ObjectReference::default()
        });
        event
    }

    #[test]
    fn one_line_for_each_request() {
        let table = Table::new().render(&[
            event("a", Stage::RequestReceived, Outcome::Allow),
            event("b", Stage::RequestReceived, Outcome::Allow),
            event("a", Stage::ResponseComplete, Outcome::Deny).with_response(ResponseStatus::new(403)),
        ]);
        let expected = "\
TIME         WHO            VERB     OBJECT                      RULE              OUTCOME
2026-11-22
10:00:00.500 agent-7        delete   deployments.apps team-a/web agents/no-deletes allow intent
10:00:00.500 agent-7        delete   deployments.apps team-a/web agents/no-deletes deny 403
";
        assert_eq!(table, expected);
    }

    #[test]
    fn a_caller_can_not_draw() {
        let mut hostile = event("a", Stage::ResponseComplete, Outcome::Allow);
        hostile.user.username = "\u{1b}[2Jroot\r\n\u{202e}evil名前".repeat(20);
        hostile.verb = "get\nTIME".into();
        hostile.object_ref = None;
        hostile.request_uri = format!("/{}", "é".repeat(500));
        let table = Table::new().with_color(true).render(&[hostile]);
        assert_eq!(table.lines().count(), 3);
        assert_eq!(table.matches('\u{1b}').count(), 2, "{table}");
        for line in table.lines() {
            let plain = line.replace("\u{1b}[32m", "").replace("\u{1b}[0m", "");
            assert!(columns_of(&plain) <= 100, "{plain}");
        }
        assert!(table.contains("\u{1b}[32mallow\u{1b}[0m\n"), "{table}");
    }
}
