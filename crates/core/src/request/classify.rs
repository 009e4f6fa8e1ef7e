//! From path segments to what the API server sees in them: the model of `requestinfo.go`.
//!
//! Works on decoded segments, as upstream does: `/api/v1/namespaces/a%2Fsecrets` is a list of Secrets there. The front
//! gate refuses whatever could be split differently, so that its segments and upstream's are the same.

use http::Method;

use super::attributes::Verb;
use super::names::Word;
use super::path::Segment;

/// What a path means.
#[derive(Debug)]
pub(super) enum Layout<'a> {
    /// Discovery, health, version, or something unknown.
    NonResource {
        /// `api`, `apis` or empty: upstream sets it only on paths of three segments and more.
        prefix: &'a str,
    },
    /// `/api/{version}/watch/…`, `/apis/{group}/{version}/proxy/…`: the verb is in the path, whatever the method.
    VerbInPath(&'a str),
    /// A resource.
    Resource(ResourcePath<'a>),
}

/// The parts of a path that names a resource.
#[derive(Debug)]
pub(super) struct ResourcePath<'a> {
    /// `api` or `apis`.
    pub(super) prefix: &'a str,
    /// Group, empty for core.
    pub(super) group: Word<'a>,
    /// Version.
    pub(super) version: Word<'a>,
    /// Namespace; for a Namespace object equal to its name.
    pub(super) namespace: Word<'a>,
    /// Whether the resource stands below `namespaces/{namespace}/`.
    pub(super) in_namespace: bool,
    /// Segments from the resource on: resource, name, subresource, whatever follows.
    pub(super) parts: &'a [Segment<'a>],
    /// Segments before `parts`.
    pub(super) before: &'a [Segment<'a>],
}

impl<'a> ResourcePath<'a> {
    fn part(&self, index: usize) -> Word<'a> {
        self.parts.get(index).map_or(Word::EMPTY, Segment::word)
    }

    pub(super) fn resource(&self) -> Word<'a> {
        self.part(0)
    }

    pub(super) fn name(&self) -> &'a str {
        self.part(1).text
    }

    pub(super) fn subresource(&self) -> Word<'a> {
        self.part(2)
    }
}

/// Sorts segments as upstream does. No segment is empty or contains a `/`.
#[inline]
pub(super) fn layout<'a>(segments: &'a [Segment<'a>]) -> Layout<'a> {
    let (prefix, group, version, rest) = match segments {
        [prefix, version, rest @ ..] if prefix.as_str() == "api" && !rest.is_empty() => {
            (prefix, Word::EMPTY, version, rest)
        }
        [prefix, group, version, rest @ ..] if prefix.as_str() == "apis" && !rest.is_empty() => {
            (prefix, group.word(), version, rest)
        }
        [prefix, _, _, ..] if prefix.as_str() == "apis" => {
            return Layout::NonResource {
                prefix: prefix.as_str(),
            };
        }
        _ => return Layout::NonResource { prefix: "" },
    };
    let (namespace, in_namespace, parts) = match rest {
        [word, ..] if matches!(word.as_str(), "watch" | "proxy") => return Layout::VerbInPath(word.as_str()),
        [word, namespace, kind, ..]
            if word.as_str() == "namespaces" && !matches!(kind.as_str(), "status" | "finalize") =>
        {
            let parts = rest.split_at_checked(2).map_or(rest, |(_, parts)| parts);
            (namespace.word(), true, parts)
        }
        // The Namespace object itself, or its `status` or `finalize`: namespace and name are both set.
        [word, namespace, ..] if word.as_str() == "namespaces" => (namespace.word(), false, rest),
        _ => (Word::EMPTY, false, rest),
    };
    let before = segments
        .split_at_checked(segments.len() - parts.len())
        .map_or(segments, |(before, _)| before);
    Layout::Resource(ResourcePath {
        prefix: prefix.as_str(),
        group,
        version: version.word(),
        namespace,
        in_namespace,
        parts,
        before,
    })
}

/// The verb of a resource request; `named` is whether the path names an object.
pub(super) fn resource_verb(method: &Method, named: bool, watch: bool) -> Verb {
    match *method {
        Method::POST => Verb::Create,
        Method::PUT => Verb::Update,
        Method::PATCH => Verb::Patch,
        Method::DELETE if named => Verb::Delete,
        Method::DELETE => Verb::DeleteCollection,
        _ if named => Verb::Get,
        _ if watch => Verb::Watch,
        _ => Verb::List,
    }
}
