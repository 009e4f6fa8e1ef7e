//! The request in the guard's own words.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use smol_str::SmolStr;

use super::attributes::{Attributes, Verb};
use super::catalog::Kind;
use super::change::Change;
use super::effects::Effects;
use super::query::{self, Query};
use super::text::Text;
use crate::json;

/// A request that was parsed exactly and refused nowhere: what is sent is generated from this and from nothing else.
///
/// Made only by [`Head::with_body`](super::Head::with_body).
#[derive(Debug, Clone)]
pub struct Canonical {
    pub(super) parts: Box<Parts>,
}

/// What is known of a request. It is large: it lies in one place from its target on, and is filled in there.
#[derive(Debug, Clone)]
pub(super) struct Parts {
    pub(super) method: &'static Method,
    /// Path and query; none if that is the decoded path.
    pub(super) target: Option<SmolStr>,
    pub(super) attributes: Attributes,
    pub(super) query: Query,
    /// Whether the resource stands below `namespaces/{namespace}/`.
    pub(super) in_namespace: bool,
    /// Whether the path lost its trailing slash.
    pub(super) canonicalized: bool,
    pub(super) effects: Effects,
    pub(super) kind: Option<Arc<Kind>>,
    pub(super) accept: &'static str,
    pub(super) accepts_json: bool,
    pub(super) content_type: Option<&'static str>,
    pub(super) user_agent: Option<String>,
    pub(super) upgrade: Option<Box<Upgrade>>,
    pub(super) dropped_headers: Vec<String>,
    pub(super) dry_run: bool,
    pub(super) body: Option<Box<Body>>,
    pub(super) change: Option<Box<Change>>,
}

impl Default for Parts {
    /// Of a request of which nothing is known so far.
    #[inline]
    fn default() -> Self {
        static GET: Method = Method::GET;
        Self {
            method: &GET,
            target: None,
            attributes: Attributes::non_resource(Verb::Get, Text::default()),
            query: Query::default(),
            in_namespace: false,
            canonicalized: false,
            effects: Effects::NONE,
            kind: None,
            accept: "application/json",
            accepts_json: true,
            content_type: None,
            user_agent: None,
            upgrade: None,
            dropped_headers: Vec::new(),
            dry_run: false,
            body: None,
            change: None,
        }
    }
}

impl Parts {
    /// What is known before anything was read but the method.
    #[inline]
    pub(super) fn new(method: &'static Method) -> Box<Self> {
        // Made where it will lie.
        let mut parts = Box::<Self>::default();
        parts.method = method;
        parts
    }

    /// Canonical path and query.
    #[inline]
    pub(super) fn path_and_query(&self) -> &str {
        self.target.as_deref().unwrap_or(&self.attributes.path)
    }
}

/// A body as it was understood, and written anew.
#[derive(Debug, Clone)]
pub(super) struct Body {
    pub(super) json: json::Value,
    pub(super) bytes: Bytes,
}

/// A WebSocket upgrade that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upgrade {
    /// Subprotocols that the caller offered and the guard knows, in the caller's order.
    pub protocols: Vec<&'static str>,
    /// The caller's `Sec-WebSocket-Key`.
    pub key: String,
}

impl Canonical {
    /// HTTP method.
    #[must_use]
    pub fn method(&self) -> &Method {
        self.parts.method
    }

    /// Canonical path and query.
    #[must_use]
    pub fn target(&self) -> &str {
        self.parts.path_and_query()
    }

    /// What the API server concludes from method and URL.
    #[must_use]
    pub fn attributes(&self) -> &Attributes {
        &self.parts.attributes
    }

    /// The decoded pairs of the query, in the order received; without the options of a deletion, which are in the body.
    pub fn query(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parts.query.pairs()
    }

    /// Whether a boolean of the query is there and true.
    #[must_use]
    pub fn query_flag(&self, key: &str) -> bool {
        self.parts.query.get(key).is_some_and(query::is_true)
    }

    /// What an exec executes: the program and its arguments. Empty for anything else.
    #[must_use]
    pub fn exec_command(&self) -> Vec<&str> {
        let commands = self.query().filter(|(key, _)| *key == "command");
        let commands = commands.map(|(_, argument)| argument);
        if (
            self.parts.attributes.api_group.as_str(),
            self.parts.attributes.subresource.as_str(),
        ) == ("", "exec")
        {
            commands.collect()
        } else {
            Vec::new()
        }
    }

    /// The name of the object, from the URL or, for a create, from the body.
    #[must_use]
    pub fn object_name(&self) -> Option<&str> {
        let created = || self.json()?.at(&["metadata", "name"])?.as_str();
        Some(self.parts.attributes.name.as_str())
            .filter(|name| !name.is_empty())
            .or_else(created)
            .filter(|name| !name.is_empty())
    }

    /// The prefix of a name that the server completes, if a create asks for one.
    #[must_use]
    pub fn generated_name_prefix(&self) -> Option<&str> {
        if self.object_name().is_some() {
            return None;
        }
        self.json()?.at(&["metadata", "generateName"])?.as_str()
    }

    /// What the request does.
    #[must_use]
    pub fn effects(&self) -> Effects {
        self.parts.effects
    }

    /// The resource as the catalog knows it; none for non-resource requests.
    #[must_use]
    pub fn kind(&self) -> Option<&Kind> {
        self.parts.kind.as_deref()
    }

    /// The one `Accept` that is sent.
    #[must_use]
    pub fn accept(&self) -> &'static str {
        self.parts.accept
    }

    /// Whether the caller accepts what [`accept`](Self::accept) asks for. If not, it gets it all the same, unless the
    /// policy refuses it.
    #[must_use]
    pub fn accepts_json(&self) -> bool {
        self.parts.accepts_json
    }

    /// The `Content-Type` that is sent; none without a body.
    #[must_use]
    pub fn content_type(&self) -> Option<&'static str> {
        self.parts.content_type
    }

    /// The caller's `User-Agent`, sanitised.
    #[must_use]
    pub fn user_agent(&self) -> Option<&str> {
        self.parts.user_agent.as_deref()
    }

    /// The upgrade that was asked for, if one was.
    #[must_use]
    pub fn upgrade(&self) -> Option<&Upgrade> {
        self.parts.upgrade.as_deref()
    }

    /// Names of the caller's headers that are not forwarded.
    #[must_use]
    pub fn dropped_headers(&self) -> &[String] {
        &self.parts.dropped_headers
    }

    /// The body as it was understood; none without a body.
    #[must_use]
    pub fn json(&self) -> Option<&json::Value> {
        self.parts.body.as_ref().map(|body| &body.json)
    }

    /// The body, written anew; empty without one.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        static EMPTY: Bytes = Bytes::new();
        self.parts.body.as_ref().map_or(&EMPTY, |body| &body.bytes)
    }

    /// What the body alone tells of the change that it makes, as long as nobody looked at the live object.
    #[must_use]
    pub fn change(&self) -> &Change {
        static NOTHING: Change = Change::NOTHING;
        self.parts.change.as_deref().unwrap_or(&NOTHING)
    }

    /// Understands the body; the last step in the making of a request.
    pub(super) fn understand_change(&mut self) {
        let changes = self.parts.attributes.verb.is_mutating();
        self.parts.change = changes.then(|| Box::new(Change::of(self, None)));
    }

    /// Whether the server will not persist what it does (`dryRun=All`, where upstream reads it).
    #[must_use]
    pub fn is_dry_run(&self) -> bool {
        self.parts.dry_run
    }
}

#[cfg(test)]
impl Canonical {
    /// A request as the gate would make it, for tests of what comes after the gate.
    pub(crate) fn for_test(attributes: Attributes, effects: Effects, kind: Option<Kind>) -> Self {
        let mut parts = Box::<Parts>::default();
        parts.attributes = attributes;
        parts.effects = effects;
        parts.kind = kind.map(Arc::new);
        let mut request = Self { parts };
        request.understand_change();
        request
    }

    pub(crate) fn with_content_type(mut self, content_type: &'static str) -> Self {
        self.parts.content_type = Some(content_type);
        self
    }

    pub(crate) fn with_upgrade(mut self) -> Self {
        self.parts.upgrade = Some(Box::new(Upgrade {
            protocols: vec!["v5.channel.k8s.io"],
            key: "dGhlIHNhbXBsZSBub25jZQ==".into(),
        }));
        self
    }
}
