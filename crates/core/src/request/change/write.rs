//! A change by the form of its body.

use super::apply::{Node, Operation, operations};
use crate::json::Value;
use crate::request::agreement::api_version;
use crate::request::attributes::Verb;
use crate::request::canonical::Canonical;
use crate::request::catalog::Origin;
use crate::request::content_type::ContentType;

/// A change by the form of its body.
pub(super) enum Write<'a> {
    Create(&'a Value),
    Replace(&'a Value),
    JsonPatch(Vec<Operation<'a>>),
    Merge(&'a Value),
    Strategic(&'a Value),
    Apply(Applied<'a>),
}

/// A server-side apply.
pub(super) struct Applied<'a> {
    pub(super) body: &'a Value,
    pub(super) manager: &'a str,
    pub(super) force: bool,
    pub(super) subresource: &'a str,
    pub(super) api_version: String,
}

impl<'a> Write<'a> {
    /// What a request changes; `None` for one that changes nothing by a body of its own.
    pub(super) fn of(request: &'a Canonical) -> Option<Self> {
        let body = request.json()?;
        Some(match (request.attributes().verb, request.content_type()?) {
            (Verb::Create, _) => Self::Create(body),
            (Verb::Update, _) => Self::Replace(body),
            (Verb::Patch, content_type) => match ContentType::named(content_type)? {
                // The gate lets no other patch through.
                ContentType::JsonPatch => Self::JsonPatch(operations(body.as_array()?).ok()?),
                ContentType::MergePatch => Self::Merge(body),
                ContentType::StrategicMergePatch => Self::Strategic(body),
                ContentType::ApplyPatch => Self::Apply(Applied {
                    body,
                    manager: request
                        .query()
                        .find(|(key, _)| *key == "fieldManager")
                        .map_or("", |(_, manager)| manager),
                    force: request.query_flag("force"),
                    subresource: &request.attributes().subresource,
                    api_version: api_version(request.attributes()),
                }),
                ContentType::Json => return None,
            },
            _ => return None,
        })
    }
}

/// How the object of a request merges.
pub(super) fn node(request: &Canonical) -> Node {
    let attributes = request.attributes();
    match request.kind() {
        _ if attributes.subresource == "scale" => Node::of_kind("autoscaling", "v1", "Scale"),
        Some(kind) if kind.origin == Origin::BuiltIn => {
            Node::of_kind(&attributes.api_group, &attributes.api_version, &kind.kind)
        }
        _ => Node::custom(),
    }
}
