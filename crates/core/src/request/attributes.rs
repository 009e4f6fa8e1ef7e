//! What the API server concludes from method and URL, field for field.
//!
//! Source: k8s.io/apiserver `pkg/endpoints/request/requestinfo.go`.

use std::fmt;

use serde::Serialize;

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Attributes {
    /// Whether the request is about a resource; else it is discovery, health or version.
    pub is_resource_request: bool,
    /// Verb.
    pub verb: Verb,
    /// `api`, `apis` or empty.
    pub api_prefix: String,
    /// Group, empty for core.
    pub api_group: String,
    /// Version.
    pub api_version: String,
    /// Namespace; empty for cluster scope and for all namespaces. For a Namespace object it equals the name.
    pub namespace: String,
    /// Resource, plural.
    pub resource: String,
    /// Subresource, empty for none.
    pub subresource: String,
    /// Name, from the path or, for list and watch, from a field selector that fixes it.
    pub name: String,
    /// Path segments from the resource on.
    pub parts: Vec<String>,
    /// Field selector as given.
    pub field_selector: String,
    /// Label selector as given.
    pub label_selector: String,
    /// Decoded path.
    pub path: String,
}

impl Attributes {
    /// Attributes of a request that is not about a resource.
    pub(super) fn non_resource(verb: Verb, path: String) -> Self {
        Self {
            is_resource_request: false,
            verb,
            api_prefix: String::new(),
            api_group: String::new(),
            api_version: String::new(),
            namespace: String::new(),
            resource: String::new(),
            subresource: String::new(),
            name: String::new(),
            parts: Vec::new(),
            field_selector: String::new(),
            label_selector: String::new(),
            path,
        }
    }
}
