//! What to mask in the answer to one request, as far as the request says it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::kinds::{self, Kinds};
use super::masking::Masking;
use super::walk::Kin;
use crate::detect::{Detector, Detectors, KnownValues};
use crate::policy::MaskObligation;
use crate::request::{Attributes, Kind, Origin, PrinterColumn, Verb};

/// What to mask in the answer to one request; cheap to clone.
#[derive(Debug, Clone)]
pub struct Plan(Arc<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    /// Kind of the URL's resource, where it is known.
    kind: Option<String>,
    group: Option<String>,
    /// Kinds that the answer may be of, by the URL.
    kinds: Vec<String>,
    /// What the table of this crate says of them.
    kin: Kin<'static>,
    is_built_in: bool,
    quoting: Quoting,
    watch: bool,
    text: bool,
    untyped: bool,
    discovery: bool,
    name: String,
    namespace: String,
    about_namespaces: bool,
    /// What the columns of its Tables show, as far as that is known.
    columns: Arc<[PrinterColumn]>,
    may_span_namespaces: bool,
    obligations: Vec<Arc<MaskObligation>>,
    hidden: Vec<String>,
    masking: Masking,
    known: Option<Known>,
}

/// Where values that are masked are remembered, and how many of this answer still may be.
#[derive(Debug, Clone)]
struct Known {
    values: Arc<KnownValues>,
    left: Arc<AtomicUsize>,
}

/// Most values that are remembered of one answer: it costs far more than to mask them.
const MAX_REMEMBERED: usize = 1000;

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
        // The catalog may not know it: the resource's name is enough.
        let mut of_url: Vec<String> = kind.map(|kind| kind.kind.clone()).into_iter().collect();
        if resource {
            let known = kinds::singulars(&a.resource).filter(|singular| {
                kinds::is_secret(singular) || (kind.is_none() && Kinds::built_in().has_masked_paths(singular))
            });
            of_url.extend(known);
        }
        let is_secret = of_url.iter().any(|kind| kinds::is_secret(kind));
        let built_in = kind.map_or(is_built_in_group(&a.api_group), |kind| kind.origin == Origin::BuiltIn);
        let quoting = if !resource {
            Quoting::Anything
        } else if is_secret || !built_in || !obligations.is_empty() {
            Quoting::Secrets
        } else if kind.is_none_or(|kind| Kinds::built_in().has_masked_paths(&kind.kind)) {
            Quoting::MaskedPaths
        } else {
            Quoting::Anything
        };
        Self(Arc::new(Inner {
            kind: kind
                .map(|kind| kind.kind.clone())
                .or_else(|| is_secret.then(|| "Secret".to_owned())),
            group: resource.then(|| a.api_group.to_string()),
            kin: Kin::of_url(
                &of_url,
                resource && kind.is_none_or(|kind| kind.origin != Origin::BuiltIn),
            ),
            kinds: of_url,
            is_built_in: resource && kind.is_some() && built_in,
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
            columns: kind.map(|kind| Arc::clone(&kind.columns)).unwrap_or_default(),
            may_span_namespaces: a.namespace.is_empty() && kind.is_none_or(|kind| kind.namespaced),
            obligations: obligations.to_vec(),
            hidden: Vec::new(),
            masking: Masking::default(),
            known: None,
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
        let inner = Arc::make_mut(&mut self.0);
        let group = inner.group.as_deref();
        let is_whole = |kind: &String| {
            let all_of_it = masking.strict && kind.eq_ignore_ascii_case("ConfigMap");
            all_of_it || masking.kinds.extra(kind, group).next().is_some()
        };
        // What is always masked there must not be quoted, however it is worded.
        if inner.kinds.iter().any(is_whole) {
            inner.quoting = Quoting::Secrets;
        }
        inner.masking = masking;
        self
    }

    /// Finds values again that were masked before, and remembers those that are masked now; unless the policy forgets
    /// them. To be said after how to mask.
    #[must_use]
    pub fn knowing(mut self, values: Arc<KnownValues>) -> Self {
        if !self.0.masking.known_values {
            return self;
        }
        let inner = Arc::make_mut(&mut self.0);
        let found: Arc<dyn Detector> = Arc::clone(&values) as _;
        inner.masking.detectors = inner.masking.detectors.clone().and(found);
        inner.known = Some(Known {
            values,
            left: Arc::new(AtomicUsize::new(MAX_REMEMBERED)),
        });
        self
    }

    /// Whether values that are masked for where they are are remembered.
    pub(super) fn remembers(&self) -> bool {
        self.0.known.is_some()
    }

    /// Remembers a value that is masked for where it is.
    pub(super) fn remember(&self, name: &str, value: &[u8]) {
        let Some(known) = &self.0.known else { return };
        let take = |left: usize| left.checked_sub(1);
        if known
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .is_ok()
        {
            known.values.remember_named(name, value);
        }
    }

    /// How often something was learnt of what to look for.
    pub(super) fn revision(&self) -> u64 {
        self.detectors().revision()
    }

    /// What looks for secrets in text.
    pub(super) fn detectors(&self) -> &Detectors {
        &self.0.masking.detectors
    }

    /// Whether the request is about Secrets.
    pub(super) fn is_about_secrets(&self) -> bool {
        self.0.kinds.iter().any(|kind| kinds::is_secret(kind))
    }

    /// Which fields of which kinds are masked.
    pub(super) fn kinds(&self) -> &Kinds {
        &self.0.masking.kinds
    }

    /// What the tables say of the kinds that the URL names.
    pub(super) fn kin(&self) -> Kin<'_> {
        let mut kin = self.0.kin.copied();
        if self.kinds().has_extra() {
            for kind in &self.0.kinds {
                kin.add_extra(self, kind, self.0.group.as_deref());
            }
        }
        kin
    }

    /// What a column of a Table shows: the keys of its path, in each version in which they differ.
    pub(super) fn paths_of_column(&self, name: &str) -> impl Iterator<Item = &[String]> {
        let columns = self.0.columns.iter();
        columns
            .filter(move |column| column.name == name)
            .map(|column| &*column.path)
    }

    /// Whether this is the one kind that the URL names.
    pub(super) fn names_kind(&self, kind: &str) -> bool {
        self.0.kind.as_deref() == Some(kind)
    }

    /// Whether what the URL names is known to be of Kubernetes itself.
    pub(super) fn is_built_in(&self) -> bool {
        self.0.is_built_in
    }

    /// Whether strings are looked at at all: documents about the API hold nobody's values.
    pub(super) fn scans(&self) -> bool {
        !self.0.discovery
    }

    /// Whether anything is looked for in them, beside names of settings.
    pub(super) fn detects(&self) -> bool {
        self.scans() && !self.detectors().is_none()
    }

    /// Whether every value that is set under a name is masked.
    pub(super) fn is_strict(&self) -> bool {
        self.0.masking.strict
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
        let sensitive = |kind: &str| self.kinds().has_masked_paths(kind);
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

    pub(super) fn has_obligations(&self) -> bool {
        !self.0.obligations.is_empty()
    }

    /// The obligations that apply to an object. What is not known of it (its name, its namespace) matches.
    pub(super) fn obligations_for(
        &self,
        is_namespace: bool,
        name: Option<&str>,
        namespace: Option<&str>,
    ) -> Vec<&MaskObligation> {
        let name = name.unwrap_or(&self.0.name);
        let namespace = if self.0.about_namespaces || is_namespace {
            name
        } else {
            namespace.unwrap_or(&self.0.namespace)
        };
        self.0
            .obligations
            .iter()
            .map(|obligation| &**obligation)
            .filter(|obligation| obligation.covers(namespace, name))
            .collect()
    }

    /// Whether any namespace is hidden.
    pub(super) fn hides_any(&self) -> bool {
        !self.0.hidden.is_empty()
    }

    /// Whether an item of a list or a watch is left out. The API server names the namespace of every object that has
    /// one; only a row of a Table may lack its object.
    pub(super) fn hides(&self, is_namespace: bool, name: Option<&str>, namespace: Option<&str>) -> bool {
        let is_hidden = |namespace: &str| self.0.hidden.iter().any(|hidden| hidden == namespace);
        if self.0.about_namespaces || is_namespace {
            return name.is_some_and(is_hidden);
        }
        namespace.is_some_and(is_hidden)
    }

    /// Whether a row of a Table that names no object is left out.
    pub(super) fn hides_anonymous(&self) -> bool {
        !self.0.hidden.is_empty() && (self.0.may_span_namespaces || self.0.about_namespaces)
    }
}

/// Groups that kube-apiserver serves itself. Others are those of custom or aggregated resources.
const BUILT_IN_GROUPS: [&str; 24] = [
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "extensions",
    "flowcontrol.apiserver.k8s.io",
    "internal.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
    "storagemigration.k8s.io",
];

/// Whether kube-apiserver serves a group itself.
pub(super) fn is_built_in_group(group: &str) -> bool {
    BUILT_IN_GROUPS.contains(&group)
}
