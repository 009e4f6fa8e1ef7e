//! What to mask in the answer to one request, as far as the request says it.

use std::sync::Arc;

use super::masking::Masking;
use super::rules::{self, Rules};
use crate::detect::Detectors;
use crate::json::{Object, Value};
use crate::policy::MaskObligation;
use crate::request::{Attributes, Kind, Origin, Verb};

/// What to mask in the answer to one request; cheap to clone.
#[derive(Debug, Clone)]
pub struct Plan(Arc<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    /// Kind of the URL's resource, where it is known.
    kind: Option<String>,
    rules: Rules,
    quoting: Quoting,
    watch: bool,
    text: bool,
    untyped: bool,
    discovery: bool,
    name: String,
    namespace: String,
    about_namespaces: bool,
    may_span_namespaces: bool,
    obligations: Vec<Arc<MaskObligation>>,
    hidden: Vec<String>,
    masking: Masking,
}

/// What an error about the URL's resource may quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoting {
    /// Secret values: its text is replaced.
    Secrets,
    /// Values at paths that may be masked: every quotation is removed.
    MaskedPaths,
    /// Nothing in particular: long quotations are removed.
    Anything,
}

impl Plan {
    /// The plan for a request with these attributes, about a resource of this kind (`None`: not known, which errs on
    /// the safe side), under these obligations of the policy.
    #[must_use]
    pub fn new(attributes: &Attributes, kind: Option<&Kind>, obligations: &[Arc<MaskObligation>]) -> Self {
        let a = attributes;
        let resource = a.is_resource_request;
        let path_is = |prefix: &str| {
            a.path
                .strip_prefix(prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let by_resource = if resource {
            Rules::of_resource(&a.resource)
        } else {
            Rules::NONE
        };
        let rules = kind
            .map_or(Rules::NONE, |kind| Rules::of_kind(&kind.kind))
            .and(by_resource);
        let built_in = kind.map_or(rules::is_built_in_group(&a.api_group), |kind| {
            kind.origin == Origin::BuiltIn
        });
        let quoting = if !resource {
            Quoting::Anything
        } else if rules.secret || !built_in || !obligations.is_empty() {
            Quoting::Secrets
        } else if kind.is_none_or(|kind| rules::has_masked_paths(&kind.kind)) {
            Quoting::MaskedPaths
        } else {
            Quoting::Anything
        };
        Self(Arc::new(Inner {
            kind: kind
                .map(|kind| kind.kind.clone())
                .or_else(|| rules.secret.then(|| "Secret".to_owned())),
            rules,
            quoting,
            watch: resource && a.verb == Verb::Watch,
            text: if resource {
                a.api_group.is_empty() && a.resource == "pods" && a.subresource == "log"
            } else {
                ["/healthz", "/livez", "/readyz"].into_iter().any(path_is)
            },
            untyped: !resource && path_is("/openapi/v3"),
            discovery: !resource,
            name: a.name.to_string(),
            namespace: a.namespace.to_string(),
            about_namespaces: resource && a.api_group.is_empty() && a.resource == "namespaces",
            may_span_namespaces: a.namespace.is_empty() && kind.is_none_or(|kind| kind.namespaced),
            obligations: obligations.to_vec(),
            hidden: Vec::new(),
            masking: Masking::default(),
        }))
    }

    /// Leaves the objects of a namespace, and the namespace itself, out of lists, Tables and watches. Can be said of
    /// several namespaces.
    #[must_use]
    pub fn hiding_namespace(mut self, namespace: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.0).hidden.push(namespace.into());
        self
    }

    /// Masks so, instead of by default.
    #[must_use]
    pub fn masking(mut self, masking: Masking) -> Self {
        Arc::make_mut(&mut self.0).masking = masking;
        self
    }

    /// What looks for secrets in text.
    pub(super) fn detectors(&self) -> &Detectors {
        &self.0.masking.detectors
    }

    /// Whether the request is about Secrets.
    pub(super) fn is_about_secrets(&self) -> bool {
        self.rules().secret
    }

    /// The field rules that the URL asks for.
    pub(super) fn rules(&self) -> Rules {
        self.0.rules
    }

    pub(super) fn quoting(&self) -> Quoting {
        self.0.quoting
    }

    /// Whether the request asks for a stream of events.
    pub(super) fn is_watch(&self) -> bool {
        self.0.watch
    }

    /// Whether the answer may be text.
    pub(super) fn is_text(&self) -> bool {
        self.0.text
    }

    /// Whether the answer is JSON that the server calls text: the index of `/openapi/v3`, as Kubernetes 1.36 sends it.
    pub(super) fn is_untyped(&self) -> bool {
        self.0.untyped
    }

    /// Whether the request is about the API itself, not about objects.
    pub(super) fn is_discovery(&self) -> bool {
        self.0.discovery
    }

    /// Whether items masked without their list's kind may have been masked wrongly, now that the kind is known.
    pub(super) fn contradicts(&self, item_kind: &str) -> bool {
        let sensitive = |kind: &str| rules::has_masked_paths(kind);
        match &self.0.kind {
            Some(expected) if expected == item_kind => false,
            Some(expected) => sensitive(expected) || sensitive(item_kind),
            None => sensitive(item_kind),
        }
    }

    /// Whether an obligation could reach below this key of an object's root.
    pub(super) fn reaches(&self, key: &str) -> bool {
        self.0
            .obligations
            .iter()
            .flat_map(|obligation| &obligation.paths)
            .any(|path| {
                path.segments()
                    .first()
                    .is_some_and(|first| first == key || first == "*")
            })
    }

    /// The obligations that apply to an object. What is not known of it (its name, its namespace) matches.
    pub(super) fn obligations_for(&self, object: &Object) -> Vec<&MaskObligation> {
        if self.0.obligations.is_empty() {
            return Vec::new();
        }
        let own = |key| metadata_text(object, key);
        let name = own("name").unwrap_or(&self.0.name);
        let namespace = if self.0.about_namespaces || kind_of(object) == Some("Namespace") {
            name
        } else {
            own("namespace").unwrap_or(&self.0.namespace)
        };
        self.0
            .obligations
            .iter()
            .map(|obligation| &**obligation)
            .filter(|obligation| obligation.covers(namespace, name))
            .collect()
    }

    /// Whether an item of a list or a watch is left out. The API server names the namespace of every object that has
    /// one; only a row of a Table may lack its object.
    pub(super) fn hides(&self, item: &Object) -> bool {
        let is_hidden = |namespace: &str| self.0.hidden.iter().any(|hidden| hidden == namespace);
        if self.0.hidden.is_empty() || kind_of(item) == Some("Status") {
            return false;
        }
        if self.0.about_namespaces || kind_of(item) == Some("Namespace") {
            return metadata_text(item, "name").is_some_and(is_hidden);
        }
        metadata_text(item, "namespace").is_some_and(is_hidden)
    }

    /// Whether a row of a Table that names no object is left out.
    pub(super) fn hides_anonymous(&self) -> bool {
        !self.0.hidden.is_empty() && (self.0.may_span_namespaces || self.0.about_namespaces)
    }
}

/// The kind that an object claims.
pub(super) fn kind_of(object: &Object) -> Option<&str> {
    object.get("kind").and_then(Value::as_str)
}

fn metadata_text<'a>(object: &'a Object, key: &str) -> Option<&'a str> {
    object
        .get("metadata")?
        .get(key)?
        .as_str()
        .filter(|text| !text.is_empty())
}
