//! Method and URL: parsed exactly, refused, or written anew.

use http::{Method, StatusCode};
use smol_str::SmolStr;

use super::attributes::{Attributes, Verb};
use super::catalog_table::METRICS_GROUPS;
use super::classify::{self, Layout, ResourcePath};
use super::names;
use super::path::{Path, Segment, refuse_escapes};
use super::query::{Pairs, Query};
use super::query_keys::Class as QueryClass;
use super::quote::Quoted;
use crate::refusal::{Class, Refusal};

/// Method and URL, parsed exactly.
///
/// Knows no catalog and no header: whether the resource exists is for [`Gate::head`](super::Gate::head) to say.
#[derive(Debug, Clone)]
pub struct Target {
    pub(super) method: Method,
    pub(super) attributes: Attributes,
    pub(super) query: Query,
    pub(super) in_namespace: bool,
    /// Canonical path and query.
    pub(super) canonical: SmolStr,
    canonicalized: bool,
}

impl Target {
    /// Parses method and origin-form target, as they came: before anything that normalises a URL has seen them.
    ///
    /// # Errors
    /// The refusal, if a rule of the front gate is violated.
    pub fn parse(method: &str, target: &[u8]) -> Result<Self, Refusal> {
        let method = parse_method(method)?;
        let target = printable(target)?;
        let (raw_path, raw_query) = split_query(target);
        let mut decoded = String::new();
        let path = Path::parse(raw_path, &mut decoded)?;
        let pairs = Pairs::split(raw_query)?;
        match classify::layout(&path.segments) {
            Layout::NonResource { prefix } => Self::discovery(method, &path, pairs, prefix),
            Layout::Resource(resource) => Self::resource(method, &path, pairs, &resource),
            Layout::VerbInPath(word) => Err(Refusal::new(
                StatusCode::BAD_REQUEST,
                Class::Unsupported,
                format!("the deprecated /{word}/ prefix is not supported"),
            )
            .with_remedy("watch with `?watch=true` on the collection")),
        }
    }

    fn discovery(method: Method, path: &Path<'_>, pairs: Pairs<'_>, prefix: &str) -> Result<Self, Refusal> {
        check_discovery(&method, &path.segments)?;
        let query = pairs.check(QueryClass::Discovery)?;
        let verb = if method == Method::HEAD { Verb::Head } else { Verb::Get };
        let mut attributes = Attributes::non_resource(verb, path.decoded());
        attributes.api_prefix = api_prefix(prefix);
        let sent_path = path.canonical(&attributes.path, 0, false)?;
        Ok(Self {
            canonical: canonical(sent_path, &query, QueryClass::Discovery)?,
            canonicalized: path.trailing_slash,
            in_namespace: false,
            method,
            attributes,
            query,
        })
    }

    fn resource(
        method: Method,
        path: &Path<'_>,
        pairs: Pairs<'_>,
        resource: &ResourcePath<'_>,
    ) -> Result<Self, Refusal> {
        check_resource_path(&method, resource)?;
        let class = query_class(&method, resource, &pairs);
        let query = pairs.check(class)?;
        // Below `proxy` the backend sees the slash.
        let proxied = resource.subresource() == "proxy";
        let decoded = path.decoded();
        let sent_path = path.canonical(&decoded, resource.before.len() + 3, proxied)?;
        Ok(Self {
            canonical: canonical(sent_path, &query, class)?,
            canonicalized: path.trailing_slash && !proxied,
            in_namespace: resource.in_namespace,
            attributes: resource_attributes(&method, resource, class, &query, decoded),
            method,
            query,
        })
    }

    /// What the API server concludes.
    #[must_use]
    pub fn attributes(&self) -> &Attributes {
        &self.attributes
    }

    /// HTTP method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Canonical path and query: what is sent.
    #[must_use]
    pub fn path_and_query(&self) -> &str {
        &self.canonical
    }

    /// Whether the path lost its trailing slash.
    #[must_use]
    pub fn is_canonicalized(&self) -> bool {
        self.canonicalized
    }
}

fn parse_method(method: &str) -> Result<Method, Refusal> {
    Ok(match method {
        "GET" => Method::GET,
        "HEAD" => Method::HEAD,
        "POST" => Method::POST,
        "PUT" => Method::PUT,
        "PATCH" => Method::PATCH,
        "DELETE" => Method::DELETE,
        other => {
            return Err(Refusal::new(
                StatusCode::METHOD_NOT_ALLOWED,
                Class::Unsupported,
                format!("method {} is not supported", Quoted(other)),
            )
            .with_remedy("use GET, HEAD, POST, PUT, PATCH or DELETE, in upper case"));
        }
    })
}

/// The target as text, if it is origin-form and printable ASCII.
fn printable(target: &[u8]) -> Result<&str, Refusal> {
    if target.first() != Some(&b'/') {
        return Err(Refusal::malformed("the request target is not origin-form")
            .with_remedy("send a path that starts with `/`, without scheme and host"));
    }
    // All bytes at once: faster than to stop at the first that is wrong, which hardly any is.
    let printable = |byte: &u8| matches!(byte, 0x21..=0x7e) & (*byte != b'#');
    if !target.iter().fold(true, |all, byte| all & printable(byte)) {
        return Err(unprintable(target));
    }
    std::str::from_utf8(target).map_err(|_| Refusal::malformed("the request target is not ASCII"))
}

/// Why a target is not printable.
fn unprintable(target: &[u8]) -> Refusal {
    match target.iter().find(|byte| !matches!(byte, 0x21..=0x7e)) {
        Some(byte) => {
            Refusal::malformed(format!("byte 0x{byte:02x} in the request target")).with_remedy("percent-encode it")
        }
        None => Refusal::malformed("fragment in the request target"),
    }
}

/// Path, and query without its `?`.
fn split_query(target: &str) -> (&str, &str) {
    let mark = memchr::memchr(b'?', target.as_bytes());
    let split = mark.and_then(|mark| Some((target.get(..mark)?, target.get(mark + 1..)?)));
    split.unwrap_or((target, ""))
}

/// Non-resource paths: discovery only, and read only.
fn check_discovery(method: &Method, segments: &[Segment<'_>]) -> Result<(), Refusal> {
    refuse_escapes(segments)?;
    let mut words = [""; 3];
    for (word, segment) in words.iter_mut().zip(segments) {
        *word = segment.as_str();
    }
    let known = match (segments.len(), words) {
        (1, ["api" | "apis" | "version" | "healthz" | "livez" | "readyz", ..]) | (2, ["openapi", "v2", _]) => true,
        (2, ["api", version, _]) => names::is_kube_version(version),
        (2, ["apis", group, _]) => names::is_dns_subdomain(group),
        (3, ["apis", group, version]) => names::is_dns_subdomain(group) && names::is_version(version),
        (2.., ["openapi", "v3", _]) => segments.iter().all(|segment| is_plain(segment.as_str())),
        _ => false,
    };
    if !known {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            Class::Unsupported,
            "this path is neither a resource nor discovery",
        )
        .with_remedy("of the other paths only /api, /apis, /openapi, /version and health are forwarded"));
    }
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Err(Refusal::new(
            StatusCode::METHOD_NOT_ALLOWED,
            Class::Unsupported,
            format!("{method} on a discovery path"),
        )
        .with_remedy("use GET"));
    }
    Ok(())
}

/// Letters, digits and `-._~`: what can be written in one way only.
fn is_plain(segment: &str) -> bool {
    segment
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~'))
}

fn check_resource_path(method: &Method, path: &ResourcePath<'_>) -> Result<(), Refusal> {
    refuse_escapes(path.before)?;
    if let [resource, rest @ ..] = path.parts {
        refuse_escapes(std::slice::from_ref(resource))?;
        refuse_escapes(rest.split_at_checked(1).map_or(&[], |(_, after_name)| after_name))?;
    }
    let wrong = |what: &str, text: &str| Err(Refusal::malformed(format!("{what}: {}", Quoted(text))));
    if path.prefix == "apis" && !names::is_dns_subdomain(path.group) {
        return wrong("the group is not a lower-case DNS subdomain", path.group);
    }
    if !names::is_version(path.version) {
        return wrong("the version is not of the form v1", path.version);
    }
    if !path.namespace.is_empty() && !names::is_dns_label(path.namespace) {
        return wrong("the namespace is not a DNS label", path.namespace);
    }
    if !names::is_dns_label(path.resource()) {
        return wrong("the resource is not a lower-case DNS label", path.resource());
    }
    if path.resource() == "namespaces" && path.prefix == "apis" {
        return wrong("namespaces exist in the core group only, not in", path.group);
    }
    let subresource = path.subresource();
    let metric = || METRICS_GROUPS.contains(&path.group) && names::is_metric(subresource);
    if !subresource.is_empty() && !names::is_subresource(subresource) && !metric() {
        return wrong("the subresource is not a lower-case word", subresource);
    }
    if path.parts.len() > 3 && subresource != "proxy" {
        return wrong("more path after the subresource", subresource);
    }
    if path.name().is_empty() && matches!(*method, Method::PUT | Method::PATCH) {
        return Err(Refusal::malformed(format!("{method} without a name")).with_remedy("name the object in the path"));
    }
    Ok(())
}

fn query_class(method: &Method, path: &ResourcePath<'_>, pairs: &Pairs<'_>) -> QueryClass {
    match (path.group, path.resource(), path.subresource()) {
        (_, _, "proxy") => return QueryClass::Proxy,
        ("", "pods", "exec") => return QueryClass::Exec,
        ("", "pods", "attach") => return QueryClass::Attach,
        ("", "pods", "portforward") => return QueryClass::PortForward,
        _ => {}
    }
    let named = !path.name().is_empty();
    match *method {
        Method::POST | Method::PUT => QueryClass::Write,
        Method::PATCH => QueryClass::Patch,
        Method::DELETE if named => QueryClass::Delete,
        Method::DELETE => QueryClass::DeleteCollection,
        _ if (path.group, path.resource(), path.subresource()) == ("", "pods", "log") => QueryClass::Log,
        _ if named => QueryClass::Read,
        _ if pairs.asks_watch() => QueryClass::Watch,
        _ => QueryClass::List,
    }
}

fn resource_attributes(
    method: &Method,
    path: &ResourcePath<'_>,
    class: QueryClass,
    query: &Query,
    decoded_path: SmolStr,
) -> Attributes {
    let named = !path.name().is_empty();
    let verb = classify::resource_verb(method, named, class == QueryClass::Watch);
    // A selector names the object of a list or a watch, and never that of a deletecollection.
    let name = match verb {
        Verb::List | Verb::Watch => query.selected_name().unwrap_or(""),
        _ => path.name(),
    };
    let selector = |key| match verb {
        Verb::List | Verb::Watch | Verb::DeleteCollection => query.get(key).unwrap_or("").into(),
        _ => SmolStr::default(),
    };
    Attributes {
        is_resource_request: true,
        verb,
        api_prefix: api_prefix(path.prefix),
        api_group: word(path.group),
        api_version: word(path.version),
        namespace: word(path.namespace),
        resource: path.resource().into(),
        subresource: word(path.subresource()),
        name: word(name),
        before_resource: path.before.len(),
        field_selector: selector("fieldSelector"),
        label_selector: selector("labelSelector"),
        path: decoded_path,
    }
}

/// A text that often is one of two.
fn word(text: &str) -> SmolStr {
    match text {
        "" => SmolStr::default(),
        "v1" => SmolStr::new_static("v1"),
        _ => text.into(),
    }
}

fn api_prefix(prefix: &str) -> &'static str {
    match prefix {
        "api" => "api",
        "apis" => "apis",
        _ => "",
    }
}

/// Path and query as they are sent; escapes must not make the query longer than it may be.
fn canonical(path: SmolStr, query: &Query, class: QueryClass) -> Result<SmolStr, Refusal> {
    if query.is_empty() {
        return Ok(path);
    }
    let mut target = String::from(path.as_str());
    query.write(&mut target);
    class.check_len(target.len().saturating_sub(path.len() + 1))?;
    Ok(target.into())
}
