//! Parameters: what a policy asks for, what a binding points to, and the objects themselves.

use super::super::error::{Problems, Site};
use super::super::fields::{Fields, one_of, text};
use super::super::yaml::{Node, Span};
use super::constraints::selector;
use super::given;
use crate::digest::Digest;
use crate::json;
use crate::policy::admission::{Params, Selector};

/// `paramKind`.
#[derive(Debug)]
pub(super) struct ParamKind {
    api_version: String,
    kind: String,
}

/// `paramRef`.
#[derive(Debug)]
pub(super) struct ParamRef {
    span: Span,
    name: Option<String>,
    namespace: Option<String>,
    selector: Option<Selector>,
    /// `parameterNotFoundAction: Deny`.
    required: bool,
}

/// An object in the same files.
#[derive(Debug)]
pub(super) struct ParamObject {
    pub(super) site: Site,
    pub(super) digest: Digest,
    object: json::Value,
}

impl ParamObject {
    fn field(&self, path: &[&str]) -> &str {
        self.object.at(path).and_then(json::Value::as_str).unwrap_or_default()
    }
}

pub(super) fn kind(node: &Node, problems: &mut Problems<'_>) -> Option<ParamKind> {
    let fields = Fields::read(node, "`paramKind`", &["apiVersion", "kind"], &[], problems)?;
    let api_version = fields
        .require("apiVersion", problems)
        .and_then(|node| text(node, "`apiVersion`", problems));
    let kind = fields
        .require("kind", problems)
        .and_then(|node| text(node, "`kind`", problems));
    Some(ParamKind {
        api_version: api_version?.to_owned(),
        kind: kind?.to_owned(),
    })
}

pub(super) fn reference(node: &Node, problems: &mut Problems<'_>) -> Option<ParamRef> {
    let known = ["name", "namespace", "selector", "parameterNotFoundAction"];
    let fields = Fields::read(node, "`paramRef`", &known, &[], problems)?;
    let name = fields.get("name").map(|node| text(node, "`name`", problems));
    let namespace = fields.get("namespace").map(|node| text(node, "`namespace`", problems));
    let chosen = fields
        .get("selector")
        .map(|node| selector(node, "`selector`", problems));
    if name.is_some() == chosen.is_some() {
        problems.add(node.span, "`paramRef` has either a `name` or a `selector`");
        return None;
    }
    let required = fields
        .require("parameterNotFoundAction", problems)
        .and_then(|node| one_of(node, "action", &[("Deny", true), ("Allow", false)], problems));
    Some(ParamRef {
        span: node.span,
        name: given(name)?.map(str::to_owned),
        namespace: given(namespace)?.map(str::to_owned),
        selector: given(chosen)?,
        required: required?,
    })
}

/// Any other object.
pub(super) fn object(node: &Node, problems: &mut Problems<'_>) -> Option<ParamObject> {
    let object = node.json(problems)?;
    let named = object.at(&["metadata", "name"]).and_then(json::Value::as_str);
    if named.is_none_or(str::is_empty) {
        problems.add(
            Span { width: 1, ..node.span },
            "a parameter object has no `metadata.name`",
        );
        return None;
    }
    Some(ParamObject {
        site: Site {
            file: problems.file(),
            span: Span { width: 1, ..node.span },
        },
        digest: node.digest(),
        object,
    })
}

/// The objects that a binding points to, and which of all they are.
pub(super) struct Found {
    pub(super) params: Params,
    pub(super) indices: Vec<usize>,
}

/// The objects that a binding points to.
pub(super) fn resolve(
    kind: Option<&ParamKind>,
    reference: Option<&ParamRef>,
    objects: &[ParamObject],
    file: usize,
    problems: &mut Problems<'_>,
) -> Option<Found> {
    let site = |reference: &ParamRef| Site {
        file,
        span: reference.span,
    };
    // Upstream ignores a reference without a kind. Here nothing that does nothing is accepted.
    let (kind, reference) = match (kind, reference) {
        (_, None) => {
            return Some(Found {
                params: Params::None,
                indices: Vec::new(),
            });
        }
        (None, Some(reference)) => {
            problems.add_at(site(reference), "a `paramRef`, but the policy has no `paramKind`", None);
            return None;
        }
        (Some(kind), Some(reference)) => (kind, reference),
    };
    let of_kind = |object: &ParamObject| {
        object.field(&["apiVersion"]) == kind.api_version && object.field(&["kind"]) == kind.kind
    };
    let in_namespaces = objects
        .iter()
        .any(|object| of_kind(object) && !object.field(&["metadata", "namespace"]).is_empty());
    if !in_namespaces && reference.namespace.is_some() && objects.iter().any(of_kind) {
        problems.add_at(
            site(reference),
            format!("`paramRef` has a namespace, but {} has none", kind.kind),
            None,
        );
        return None;
    }
    let (mut found, mut indices) = (Vec::new(), Vec::new());
    for (index, object) in objects.iter().enumerate().filter(|(_, object)| of_kind(object)) {
        let namespace = object.field(&["metadata", "namespace"]);
        let named = reference
            .name
            .as_deref()
            .is_none_or(|name| object.field(&["metadata", "name"]) == name);
        let selected = reference
            .selector
            .as_ref()
            .is_none_or(|selector| selector.selects(&object.object));
        let placed = reference.namespace.as_deref().is_none_or(|wanted| namespace == wanted);
        if named && selected && placed {
            indices.push(index);
            found.push((namespace.to_owned(), object.object.clone()));
        }
    }
    if found.is_empty() {
        let message = format!(
            "there is no {} {} in these files that this names: the guard does not read parameters from the cluster",
            kind.api_version, kind.kind
        );
        problems.add_at(site(reference), message, None);
        return None;
    }
    let params = Params::Of {
        objects: found,
        of_request: in_namespaces && reference.namespace.is_none(),
        required: reference.required,
    };
    Some(Found { params, indices })
}
