//! What the API server concludes from method and URL, field for field.
//!
//! Source: k8s.io/apiserver `pkg/endpoints/request/requestinfo.go`.

use std::fmt;

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use super::text::Text;

/// The verb that the server derives, which RBAC and audit use. It is not the HTTP method, and it may lie about the
/// effect: an exec over WebSocket is a `get`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Verb {
    /// One object, or any non-resource path.
    Get,
    /// A collection.
    List,
    /// Changes of a collection.
    Watch,
    /// POST.
    Create,
    /// PUT.
    Update,
    /// PATCH.
    Patch,
    /// DELETE of one object.
    Delete,
    /// DELETE of a collection.
    DeleteCollection,
    /// HEAD or another method on a non-resource path that is not `get`.
    Head,
}

impl Verb {
    /// The name as RBAC writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
            Self::Head => "head",
        }
    }

    /// Whether its URL is that of a collection, even if a selector names one object of it.
    #[must_use]
    pub fn is_of_collection(self) -> bool {
        matches!(self, Self::List | Self::Watch | Self::DeleteCollection)
    }

    /// Whether the server may change something when it carries this verb out.
    #[must_use]
    pub fn is_mutating(self) -> bool {
        !matches!(self, Self::Get | Self::List | Self::Watch | Self::Head)
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the API server concludes from method and URL.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attributes {
    /// Whether the request is about a resource; else it is discovery, health or version.
    pub is_resource_request: bool,
    /// Verb.
    pub verb: Verb,
    /// `api`, `apis` or empty.
    pub api_prefix: &'static str,
    /// Group, empty for core.
    pub api_group: Text,
    /// Version.
    pub api_version: Text,
    /// Namespace; empty for cluster scope and for all namespaces. For a Namespace object it equals the name.
    pub namespace: Text,
    /// Resource, plural.
    pub resource: Text,
    /// Subresource, empty for none.
    pub subresource: Text,
    /// Name, from the path or, for list and watch, from a field selector that fixes it.
    pub name: Text,
    /// Field selector as given.
    pub field_selector: Text,
    /// Label selector as given.
    pub label_selector: Text,
    /// Decoded path.
    pub path: Text<120>,
    /// Segments of the path before the resource.
    pub(crate) before_resource: usize,
}

impl Attributes {
    /// Attributes of a request that is not about a resource.
    #[inline]
    pub(super) fn non_resource(verb: Verb, path: Text<120>) -> Self {
        Self {
            is_resource_request: false,
            verb,
            api_prefix: "",
            api_group: Text::default(),
            api_version: Text::default(),
            namespace: Text::default(),
            resource: Text::default(),
            subresource: Text::default(),
            name: Text::default(),
            field_selector: Text::default(),
            label_selector: Text::default(),
            path,
            before_resource: 0,
        }
    }

    /// Path segments from the resource on.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        let path = if self.is_resource_request {
            self.path.as_str()
        } else {
            ""
        };
        let segments = path.split('/').filter(|segment| !segment.is_empty());
        segments.skip(self.before_resource)
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let parts: Vec<&str> = self.parts().collect();
        let mut out = serializer.serialize_struct("Attributes", 13)?;
        out.serialize_field("isResourceRequest", &self.is_resource_request)?;
        out.serialize_field("verb", &self.verb)?;
        out.serialize_field("apiPrefix", self.api_prefix)?;
        out.serialize_field("apiGroup", self.api_group.as_str())?;
        out.serialize_field("apiVersion", self.api_version.as_str())?;
        out.serialize_field("namespace", self.namespace.as_str())?;
        out.serialize_field("resource", self.resource.as_str())?;
        out.serialize_field("subresource", self.subresource.as_str())?;
        out.serialize_field("name", self.name.as_str())?;
        out.serialize_field("parts", &parts)?;
        out.serialize_field("fieldSelector", self.field_selector.as_str())?;
        out.serialize_field("labelSelector", self.label_selector.as_str())?;
        out.serialize_field("path", self.path.as_str())?;
        out.end()
    }
}
