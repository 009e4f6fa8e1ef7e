//! Refusals, worded as a real API server words them.

use serde_json::{Map, Value, json};

use super::kinds::{CUSTOM, Resource};

const MODIFIED: &str = "the object has been modified; please apply your changes to the latest version and try again";
const STALE_CONTINUE: &str = "The provided continue parameter is too old to display a consistent list result. You can \
     start a new list without the continue parameter, or use the continue token in this response to retrieve the \
     remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were \
     created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";

/// A refusal: what becomes a `metav1.Status` with `status: Failure`.
#[derive(Debug)]
pub(super) struct ApiError {
    pub(super) code: u16,
    reason: &'static str,
    message: String,
    details: Option<Value>,
    metadata: Map<String, Value>,
}

/// One entry of `details.causes`.
#[derive(Clone, Debug)]
pub(super) struct Cause {
    reason: &'static str,
    field: &'static str,
    message: String,
}

impl Cause {
    pub(super) fn invalid(field: &'static str, quoted: &str, why: &str) -> Self {
        Self {
            reason: "FieldValueInvalid",
            field,
            message: format!("Invalid value: {quoted}: {why}"),
        }
    }

    pub(super) fn required(field: &'static str, why: &str) -> Self {
        Self {
            reason: "FieldValueRequired",
            field,
            message: format!("Required value: {why}"),
        }
    }

    pub(super) fn forbidden(field: &'static str, why: &str) -> Self {
        Self {
            reason: "FieldValueForbidden",
            field,
            message: format!("Forbidden: {why}"),
        }
    }

    pub(super) fn not_supported(field: &'static str, value: &str, supported: &str) -> Self {
        let message = format!("Unsupported value: {value}: supported values: {supported}");
        Self {
            reason: "FieldValueNotSupported",
            field,
            message,
        }
    }
}

impl ApiError {
    fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            details: None,
            metadata: Map::new(),
        }
    }

    fn about(mut self, kind: &str, group: &str, name: &str) -> Self {
        let mut details = Map::new();
        for (key, value) in [("name", name), ("group", group), ("kind", kind)] {
            if !value.is_empty() {
                details.insert(key.to_owned(), value.into());
            }
        }
        self.details = Some(Value::Object(details));
        self
    }

    fn empty_details(mut self) -> Self {
        self.details = Some(json!({}));
        self
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// What upstream answers where nothing says which error it was.
    pub(super) fn internal(message: impl Into<String>) -> Self {
        Self::new(500, "", message)
    }

    pub(super) fn not_found(resource: &Resource, name: &str) -> Self {
        Self::new(
            404,
            "NotFound",
            format!("{} \"{name}\" not found", resource.qualified()),
        )
        .about(&resource.plural, &resource.group, name)
    }

    pub(super) fn namespace_not_found(name: &str) -> Self {
        Self::new(404, "NotFound", format!("namespaces \"{name}\" not found")).about("namespaces", "", name)
    }

    pub(super) fn no_such_resource() -> Self {
        Self::new(404, "NotFound", "the server could not find the requested resource").empty_details()
    }

    pub(super) fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self::new(405, "MethodNotAllowed", message).empty_details()
    }

    pub(super) fn already_exists(resource: &Resource, name: &str, being_deleted: bool) -> Self {
        let prefix = if being_deleted { "object is being deleted: " } else { "" };
        Self::new(
            409,
            "AlreadyExists",
            format!("{prefix}{} \"{name}\" already exists", resource.qualified()),
        )
        .about(&resource.plural, &resource.group, name)
    }

    pub(super) fn modified(resource: &Resource, name: &str) -> Self {
        Self::conflict(resource, "", name, MODIFIED)
    }

    /// A conflict on a write; `subresource` with its slash (`/scale`) or empty.
    pub(super) fn conflict(resource: &Resource, subresource: &str, name: &str, why: &str) -> Self {
        let kind = format!("{}{subresource}", resource.plural);
        let qualified = if resource.group.is_empty() {
            kind.clone()
        } else {
            format!("{kind}.{}", resource.group)
        };
        Self::new(
            409,
            "Conflict",
            format!("Operation cannot be fulfilled on {qualified} \"{name}\": {why}"),
        )
        .about(&kind, &resource.group, name)
    }

    /// A precondition of a delete that doesn't hold: named by kind, as upstream does.
    pub(super) fn precondition(resource: &Resource, name: &str, why: &str) -> Self {
        let kind = resource.qualified_kind();
        Self::new(
            409,
            "Conflict",
            format!("Operation cannot be fulfilled on {kind} \"{name}\": {why}"),
        )
        .about(&resource.kind, &resource.group, name)
    }

    pub(super) fn terminating(resource: &Resource, name: &str, namespace: &str) -> Self {
        let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
        let message = format!("{} \"{name}\" is forbidden: {why}", resource.qualified());
        let mut error = Self::new(403, "Forbidden", message).about(&resource.plural, &resource.group, name);
        let message = format!("namespace {namespace} is being terminated");
        error.causes(&[Cause {
            reason: "NamespaceTerminating",
            field: "metadata.namespace",
            message,
        }]);
        error
    }

    /// The object is invalid: 422 with causes.
    pub(super) fn invalid(resource: &Resource, name: &str, causes: &[Cause]) -> Self {
        Self::invalid_kind(&resource.kind, &resource.group, name, causes)
    }

    /// The options of a request are invalid: `DeleteOptions` and its like.
    pub(super) fn invalid_options(kind: &str, causes: &[Cause]) -> Self {
        Self::invalid_kind(kind, "meta.k8s.io", "", causes)
    }

    /// A patch whose result is no object of the kind: the quoted whole of it goes into the message, as upstream does.
    pub(super) fn invalid_patch(quoted: &str, why: &str) -> Self {
        Self::invalid_kind("", "", "", &[Cause::invalid("patch", quoted, why)])
    }

    pub(super) fn invalid_kind(kind: &str, group: &str, name: &str, causes: &[Cause]) -> Self {
        let qualified = if group.is_empty() {
            kind.to_owned()
        } else {
            format!("{kind}.{group}")
        };
        let mut seen: Vec<String> = Vec::new();
        for cause in causes {
            let line = format!("{}: {}", cause.field, cause.message);
            if !seen.contains(&line) {
                seen.push(line);
            }
        }
        let list = match seen.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let mut error =
            Self::new(422, "Invalid", format!("{qualified} \"{name}\" is invalid: {list}")).about(kind, group, name);
        error.causes(causes);
        error
    }

    fn causes(&mut self, causes: &[Cause]) {
        let causes = causes
            .iter()
            .map(|cause| json!({ "reason": cause.reason, "message": cause.message, "field": cause.field }))
            .collect();
        if let Some(Value::Object(details)) = &mut self.details {
            details.insert("causes".to_owned(), Value::Array(causes));
        }
    }

    /// A JSON Patch that can't be applied; a failed `test` looks the same.
    pub(super) fn inapplicable_patch() -> Self {
        let message = "the server rejected our request due to an error in our request";
        Self::new(422, "Invalid", message).empty_details()
    }

    pub(super) fn unsupported_patch_type(resource: &Resource) -> Self {
        if !resource.is(CUSTOM) {
            return Self::new(415, "UnsupportedMediaType", "415: Unsupported Media Type").empty_details();
        }
        Self::unsupported_media_type(
            "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
        )
    }

    pub(super) fn unsupported_media_type(accepted: &str) -> Self {
        let message =
            format!("the body of the request was in an unknown format - accepted media types include: {accepted}");
        Self::new(415, "UnsupportedMediaType", message)
    }

    pub(super) fn not_acceptable(message: impl Into<String>) -> Self {
        Self::new(406, "NotAcceptable", message)
    }

    pub(super) fn too_large(message: impl std::fmt::Display) -> Self {
        Self::new(
            413,
            "RequestEntityTooLarge",
            format!("Request entity too large: {message}"),
        )
    }

    pub(super) fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    /// A continue token older than the history, with a token that goes on inconsistently.
    pub(super) fn expired_continue(token: String) -> Self {
        let mut error = Self::expired(STALE_CONTINUE);
        error.metadata.insert("continue".to_owned(), token.into());
        error
    }

    pub(super) fn revision_too_large(asked: u64, current: u64) -> Self {
        let message = format!("Timeout: Too large resource version: {asked}, current: {current}");
        let mut error = Self::new(504, "Timeout", message);
        error.details = Some(json!({
            "causes": [{ "reason": "ResourceVersionTooLarge", "message": "Too large resource version" }],
            "retryAfterSeconds": 1,
        }));
        error
    }

    /// What a real server has and this one doesn't.
    pub(super) fn not_here(what: &str) -> Self {
        Self::new(501, "", format!("the embedded API server does not serve {what}"))
    }

    /// The Status, its keys in the order in which upstream writes them.
    pub(super) fn status(&self) -> Vec<(&'static str, Value)> {
        let mut fields = vec![
            ("kind", "Status".into()),
            ("apiVersion", "v1".into()),
            ("metadata", Value::Object(self.metadata.clone())),
            ("status", "Failure".into()),
            ("message", self.message.clone().into()),
        ];
        if !self.reason.is_empty() {
            fields.push(("reason", self.reason.into()));
        }
        if let Some(details) = &self.details {
            fields.push(("details", details.clone()));
        }
        fields.push(("code", self.code.into()));
        fields
    }
}
