//! `meta.k8s.io/v1` Tables: two columns for every kind, where a real server has more for the built-in ones.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::kinds::{CUSTOM, Resource};
use super::negotiate::Include;
use super::object::{Object, meta_text};
use super::render::{array, fields, partial, plain, text};

/// A Table of the objects; without its columns where an earlier event of the same watch had them.
pub(super) fn table<'a>(
    resource: &Resource,
    metadata: Value,
    objects: impl IntoIterator<Item = &'a Object>,
    include: Include,
    with_columns: bool,
) -> String {
    let columns = if with_columns {
        columns(resource).to_string()
    } else {
        "null".to_owned()
    };
    let now = Timestamp::now();
    let rows = objects.into_iter().map(|object| {
        let cells = json!([
            meta_text(object, "name"),
            age(meta_text(object, "creationTimestamp"), now)
        ]);
        let shown = match include {
            Include::None => "null".to_owned(),
            Include::Metadata => partial(object),
            Include::Object => plain(resource, object, true),
        };
        fields(&[("cells", cells.to_string()), ("object", shown)])
    });
    fields(&[
        ("kind", text("Table")),
        ("apiVersion", text("meta.k8s.io/v1")),
        ("metadata", metadata.to_string()),
        ("columnDefinitions", columns),
        ("rows", array(rows)),
    ])
}

fn columns(resource: &Resource) -> Value {
    let age = if resource.is(CUSTOM) { "date" } else { "string" };
    json!([
        {
            "name": "Name", "type": "string", "format": "name", "priority": 0,
            "description": "Name must be unique within a namespace.",
        },
        {
            "name": "Age", "type": age, "format": "", "priority": 0,
            "description": "CreationTimestamp is a timestamp representing the server time when this object was created.",
        },
    ])
}

/// An age as kubectl prints it.
fn age(created: &str, now: Timestamp) -> String {
    let Ok(created) = created.parse::<Timestamp>() else {
        return "<unknown>".to_owned();
    };
    let seconds = (now.as_second() - created.as_second()).max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    let pair = |big: i64, unit: &str, small: i64, rest: &str| match small {
        0 => format!("{big}{unit}"),
        small => format!("{big}{unit}{small}{rest}"),
    };
    match seconds {
        0..120 => format!("{seconds}s"),
        120..600 => pair(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => pair(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => pair(days, "d", hours % 24, "h"),
        691_200..63_072_000 => format!("{days}d"),
        _ => format!("{}y", days / 365),
    }
}
