//! The front gate, composed: target, headers and catalog first, then the body.

use std::sync::Arc;

use http::header::HeaderName;
use http::{HeaderMap, Method, StatusCode};

use super::accept::{self, Answer};
use super::attributes::Attributes;
use super::body::{self, MAX_BODY};
use super::canonical::{Canonical, Upgrade};
use super::catalog::{Kind, Origin, ResourceCatalog};
use super::effect_table::{self, Subresource};
use super::effects::{Effect, Effects};
use super::guard_names::GuardNames;
use super::headers::Headers;
use super::quote::Quoted;
use super::selectable_fields;
use super::target::Target;
use super::usage;
use crate::refusal::{Class, Refusal};

/// The front gate, and what it has to be told.
///
/// ```
/// use std::sync::Arc;
///
/// use countersign_core::request::{Catalog, Effect, Gate};
/// use http::HeaderMap;
///
/// let gate = Gate::new(Arc::new(Catalog::kubernetes())).with_guard_namespace("countersign");
/// let target = gate.target("GET", b"/api/v1/namespaces/team-a/secrets?limit=500")?;
/// let request = gate.head(target, &HeaderMap::new())?.with_body(b"")?;
/// assert!(request.effects().contains(Effect::Read));
///
/// // What the server would decode before it looks is refused: there it is a Secret.
/// let refused = gate.target("GET", b"/api/v1/namespaces/team-a%2Fsecrets%2Fdb");
/// assert_eq!(refused.unwrap_err().status(), 400);
/// # Ok::<(), countersign_core::Refusal>(())
/// ```
pub struct Gate {
    catalog: Arc<dyn ResourceCatalog>,
    /// Shared with heads whose body may name the guard too.
    guard: Arc<GuardNames>,
    refused_headers: Vec<HeaderName>,
    path_prefix: String,
    not_acceptable: bool,
}

impl Gate {
    /// A gate that knows these resources.
    #[must_use]
    pub fn new(catalog: Arc<dyn ResourceCatalog>) -> Self {
        Self {
            catalog,
            guard: Arc::default(),
            refused_headers: Vec::new(),
            path_prefix: String::new(),
            not_acceptable: false,
        }
    }

    /// Names the guard's own namespace: whatever touches it has the effect `self`.
    #[must_use]
    pub fn with_guard_namespace(mut self, namespace: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.guard).namespace = Some(namespace.into());
        self
    }

    /// Names the identity that the guard runs under, such as `system:serviceaccount:countersign:guard`: whatever
    /// touches it has the effect `self`.
    #[must_use]
    pub fn with_guard_identity(mut self, identity: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.guard).identity = Some(identity.into());
        self
    }

    /// Adds a header that is refused: one by which the API server is told who asks (`--requestheader-…-headers`),
    /// beyond `X-Remote-*`, which always are.
    #[must_use]
    pub fn add_refused_header(mut self, name: HeaderName) -> Self {
        self.refused_headers.push(name);
        self
    }

    /// Sets the path that comes before `/api` in the requests of callers, such as `/k8s/clusters/c-1`. Requests
    /// without it are refused.
    #[must_use]
    pub fn with_path_prefix(mut self, prefix: impl Into<String>) -> Self {
        let prefix = prefix.into();
        let trimmed = prefix.trim_matches('/');
        self.path_prefix = if trimmed.is_empty() {
            String::new()
        } else {
            format!("/{trimmed}")
        };
        self
    }

    /// Refuses callers that accept no JSON with 406, instead of giving them JSON.
    #[must_use]
    pub fn with_not_acceptable(mut self) -> Self {
        self.not_acceptable = true;
        self
    }

    /// Parses method and target, which begins with the path prefix if one is set; the canonical target does not.
    ///
    /// # Errors
    /// The refusal, if a rule about URLs is violated; 404 if the prefix is missing.
    pub fn target(&self, method: &str, target: &[u8]) -> Result<Target, Refusal> {
        let Some(rest) = target.strip_prefix(self.path_prefix.as_bytes()) else {
            return Err(self.outside_prefix());
        };
        if !self.path_prefix.is_empty() && rest.first() != Some(&b'/') {
            return Err(self.outside_prefix());
        }
        Target::parse(method, rest)
    }

    fn outside_prefix(&self) -> Refusal {
        usage::not_found("the path does not begin with the prefix of this cluster")
            .with_remedy(format!("begin it with {}", self.path_prefix))
    }

    /// Applies the rules about headers, and what the catalog knows.
    ///
    /// # Errors
    /// The refusal: 403 for hostile headers, 404 for what the catalog doesn't know, 405 for a method that a
    /// subresource doesn't have, 406 for an answer that can't be handed out, else 400.
    pub fn head(&self, target: Target, headers: &HeaderMap) -> Result<Head, Refusal> {
        let mut read = Headers::default();
        read.read(headers, &self.refused_headers)?;
        let upgrade = read.upgrade(target.method(), target.attributes())?;
        let kind = self.kind(&target, upgrade.as_deref())?;
        let negotiated = accept::negotiate(read.accept(), answer(target.attributes()), self.not_acceptable)?;
        let effects = self.effects(&target, kind.as_deref());
        let mut parts = target.parts;
        parts.effects = effects;
        parts.kind = kind;
        parts.accept = negotiated.accept;
        parts.accepts_json = negotiated.offered;
        parts.user_agent = read.user_agent;
        parts.upgrade = upgrade;
        parts.dropped_headers = read.dropped;
        Ok(Head {
            declared_type: read.content_type.map(str::to_owned),
            guard: (parts.attributes.resource == "namespaces").then(|| Arc::clone(&self.guard)),
            request: Canonical { parts },
        })
    }

    /// The resource of a request, if it is about one: known, in its scope, with a subresource that may be used so.
    fn kind(&self, target: &Target, upgrade: Option<&Upgrade>) -> Result<Option<Arc<Kind>>, Refusal> {
        let attributes = target.attributes();
        if !attributes.is_resource_request {
            return Ok(None);
        }
        let Some(kind) = self.catalog.lookup(&attributes.api_group, &attributes.resource) else {
            return Err(usage::unknown_resource(attributes));
        };
        usage::check(target, &kind, upgrade)?;
        self.check_field_terms(target, &kind)?;
        Ok(Some(kind))
    }

    /// A field that objects can be selected by tells whether a value was guessed right.
    fn check_field_terms(&self, target: &Target, kind: &Kind) -> Result<(), Refusal> {
        let selectable = |field: &str| {
            ["metadata.name", "metadata.namespace"].contains(&field)
                || match kind.origin {
                    Origin::BuiltIn => selectable_fields::is_selectable(&kind.group, &kind.resource, field),
                    Origin::Custom => self.catalog.is_selectable(kind, field),
                    Origin::Aggregated => false,
                }
        };
        match target
            .parts
            .query
            .field_terms
            .iter()
            .find(|term| !selectable(&term.field))
        {
            None => Ok(()),
            Some(term) => Err(usage::forbidden(format!(
                "{} can't be selected by the field {}",
                kind.resource,
                Quoted(&term.field)
            ))
            .with_remedy("list without the term and filter what comes back")),
        }
    }

    fn effects(&self, target: &Target, kind: Option<&Kind>) -> Effects {
        let effects = effect_table::effects(target.attributes(), kind.map(|kind| kind.origin));
        if self.guard.named_by(target) {
            effects.with(Effect::Guard)
        } else {
            effects
        }
    }
}

/// A request whose head is understood and whose body is awaited.
#[derive(Debug, Clone)]
pub struct Head {
    request: Canonical,
    declared_type: Option<String>,
    /// Where the body may name the guard.
    guard: Option<Arc<GuardNames>>,
}

impl Head {
    /// What the API server concludes.
    #[must_use]
    pub fn attributes(&self) -> &Attributes {
        self.request.attributes()
    }

    /// What the request does, as far as its head tells. The body can add to it, and a dry run take from it.
    #[must_use]
    pub fn effects(&self) -> Effects {
        self.request.effects()
    }

    /// Bytes of body that are read at the most; none for GET and HEAD.
    #[must_use]
    pub fn body_limit(&self) -> usize {
        match *self.request.parts.method {
            Method::GET | Method::HEAD => 0,
            _ => MAX_BODY,
        }
    }

    /// The answer to a body beyond the limit.
    #[must_use]
    pub fn body_too_large(&self) -> Refusal {
        match self.body_limit() {
            0 => body::no_body(self.request.parts.method),
            limit => Refusal::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                Class::Malformed,
                format!("the body is larger than {limit} bytes"),
            ),
        }
    }

    /// Reads the body, and makes the request that is judged and sent.
    ///
    /// # Errors
    /// The refusal: 413 and 415 for size and type, else 400.
    pub fn with_body(mut self, body: &[u8]) -> Result<Canonical, Refusal> {
        if body.len() > self.body_limit() {
            return Err(self.body_too_large());
        }
        body::add(&mut self.request, self.declared_type.as_deref(), body)?;
        if self.request.json().is_some() && effect_table::is_credential_secret(&self.request) {
            self.request.parts.effects = self.request.parts.effects.with(Effect::Credential);
        }
        if let Some(guard) = &self.guard
            && guard.is_namespace(self.request.object_name().unwrap_or_default())
        {
            self.request.parts.effects = self.request.parts.effects.with(Effect::Guard);
        }
        if self.request.attributes().verb.is_mutating() {
            self.request.understand_change();
        }
        Ok(self.request)
    }
}

/// Which kind of answer a path has.
fn answer(attributes: &Attributes) -> Answer {
    if attributes.is_resource_request {
        return match effect_table::subresource(attributes) {
            Some(Subresource::Log) => Answer::Log,
            _ => Answer::Objects,
        };
    }
    match attributes.path.trim_end_matches('/') {
        "/api" | "/apis" => Answer::DiscoveryRoot,
        "/openapi/v2" => Answer::OpenApiV2,
        "/healthz" | "/livez" | "/readyz" => Answer::Health,
        _ => Answer::Discovery,
    }
}
