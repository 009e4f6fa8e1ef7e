//! Which query keys a request may carry, and which values: data, reviewed at each Kubernetes minor.

use crate::refusal::Refusal;

/// Which list of keys applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Discovery,
    Read,
    List,
    Watch,
    Write,
    Patch,
    Delete,
    DeleteCollection,
    Log,
    Exec,
    Attach,
    PortForward,
    /// Below `proxy` the keys belong to the backend.
    Proxy,
}

/// What a value has to be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule {
    /// Any text.
    Text,
    /// `true`, `false`, `1`, `0`, in any case. (Upstream takes anything but `false` and `0` for true.)
    Bool,
    /// `[0-9]{1,18}`
    Integer,
    /// Port numbers joined by commas.
    Ports,
    /// One of these, exactly.
    OneOf(&'static [&'static str]),
    /// A field selector.
    FieldSelector,
    /// A label selector.
    LabelSelector,
}

/// A key and what its value has to be.
pub(super) type Key = (&'static str, Rule);

const DRY_RUN: Key = ("dryRun", Rule::OneOf(&["All"]));
const INCLUDE_OBJECT: Key = ("includeObject", Rule::OneOf(&["None", "Metadata", "Object"]));
const PRETTY: Key = ("pretty", Rule::Text);
const RESOURCE_VERSION: Key = ("resourceVersion", Rule::Text);
const TIMEOUT: Key = ("timeout", Rule::Text);

const SELECTION: &[Key] = &[
    ("labelSelector", Rule::LabelSelector),
    ("fieldSelector", Rule::FieldSelector),
    ("limit", Rule::Integer),
    ("continue", Rule::Text),
    RESOURCE_VERSION,
    ("resourceVersionMatch", Rule::OneOf(&["Exact", "NotOlderThan"])),
    ("timeoutSeconds", Rule::Integer),
];
const LIST: &[Key] = &[TIMEOUT, PRETTY, INCLUDE_OBJECT, ("watch", Rule::Bool)];
const WATCH: &[Key] = &[("allowWatchBookmarks", Rule::Bool), ("sendInitialEvents", Rule::Bool)];
const WRITE: &[Key] = &[
    DRY_RUN,
    ("fieldManager", Rule::Text),
    ("fieldValidation", Rule::OneOf(&["Ignore", "Warn", "Strict"])),
    PRETTY,
    TIMEOUT,
];
const DELETE: &[Key] = &[
    PRETTY,
    TIMEOUT,
    DRY_RUN,
    ("gracePeriodSeconds", Rule::Integer),
    (
        "propagationPolicy",
        Rule::OneOf(&["Orphan", "Background", "Foreground"]),
    ),
];
const STREAMS: &[Key] = &[
    ("container", Rule::Text),
    ("stdin", Rule::Bool),
    ("stdout", Rule::Bool),
    ("stderr", Rule::Bool),
    ("tty", Rule::Bool),
];
const LOG: &[Key] = &[
    ("container", Rule::Text),
    ("follow", Rule::Bool),
    ("previous", Rule::Bool),
    ("sinceSeconds", Rule::Integer),
    ("sinceTime", Rule::Text),
    ("tailLines", Rule::Integer),
    ("limitBytes", Rule::Integer),
    ("timestamps", Rule::Bool),
    PRETTY,
];

/// The keys that upstream reads in the query of a delete only when the body is empty.
pub(super) const DELETE_OPTIONS: [&str; 3] = ["dryRun", "gracePeriodSeconds", "propagationPolicy"];

impl Class {
    /// Keys that are allowed; `None`: all.
    pub(super) fn find(self, key: &str) -> Option<Key> {
        let lists: [&[Key]; 3] = match self {
            Self::Discovery => [
                &[TIMEOUT, ("hash", Rule::Text), ("verbose", Rule::Text), PRETTY],
                &[],
                &[],
            ],
            Self::Read => [&[RESOURCE_VERSION, PRETTY, INCLUDE_OBJECT, TIMEOUT], &[], &[]],
            Self::List => [SELECTION, LIST, &[]],
            Self::Watch => [SELECTION, LIST, WATCH],
            Self::Write => [WRITE, &[], &[]],
            Self::Patch => [WRITE, &[("force", Rule::Bool)], &[]],
            Self::Delete => [DELETE, &[], &[]],
            Self::DeleteCollection => [SELECTION, DELETE, &[]],
            Self::Log => [LOG, &[], &[]],
            Self::Exec => [&[("command", Rule::Text)], STREAMS, &[]],
            Self::Attach => [STREAMS, &[], &[]],
            Self::PortForward => [&[("ports", Rule::Ports)], &[], &[]],
            Self::Proxy => [&[], &[], &[]],
        };
        lists.into_iter().flatten().find(|(name, _)| *name == key).copied()
    }

    /// Longest query, in bytes, as received and as sent: an argv needs room.
    fn max_len(self) -> usize {
        match self {
            Self::Exec => 32 * 1024,
            _ => 8 * 1024,
        }
    }

    /// Refuses a query that is too long.
    pub(super) fn check_len(self, len: usize) -> Result<(), Refusal> {
        let max = self.max_len();
        if len > max {
            return Err(Refusal::malformed(format!("the query is longer than {max} bytes")));
        }
        Ok(())
    }

    /// The name in messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Discovery => "discovery",
            Self::Read => "reading one object",
            Self::List => "a list",
            Self::Watch => "a watch",
            Self::Write => "create and update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
            Self::Log => "logs",
            Self::Exec => "exec",
            Self::Attach => "attach",
            Self::PortForward => "port-forward",
            Self::Proxy => "proxy",
        }
    }
}
