//! Method and URL: parsed exactly, refused, or written anew.

use http::{Method, StatusCode};
use smol_str::SmolStr;

use super::alphabets::Alphabets;
use super::attributes::{Attributes, Verb};
use super::catalog_table::METRICS_GROUPS;
use super::classify::{self, Layout, ResourcePath};
use super::names::{self, Word};
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
    /// Canonical path and query; none if that is the decoded path.
    pub(super) canonical: Option<SmolStr>,
    canonicalized: bool,
}

impl Target {
    /// Parses method and origin-form target, as they came: before anything that normalises a URL has seen them.
    ///
    /// # Errors
    /// The refusal, if a rule of the front gate is violated.
    pub fn parse(method: &str, target: &[u8]) -> Result<Self, Refusal> {
        let method = parse_method(method)?;
        let target = origin_form(target)?;
        let mut decoded = String::new();
        let mut path = Path::default();
        let raw_query = if let Some(raw_query) = path.read_plain(target) {
            check_printable(raw_query.as_bytes())?;
            raw_query
        } else {
            check_printable(target.as_bytes())?;
            let (raw_path, raw_query) = split_query(target);
            path = Path::parse(raw_path, &mut decoded)?;
            raw_query
        };
        let pairs = if raw_query.is_empty() {
            Pairs::NONE
        } else {
            Pairs::split(raw_query)?
        };
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
        let sent_path = path.canonical(0, false)?;
        Ok(Self {
            canonical: canonical(sent_path, &attributes.path, &query, QueryClass::Discovery)?,
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
        let proxied = resource.subresource().text == "proxy";
        let decoded = path.decoded();
        let sent_path = path.canonical(resource.before.len() + 3, proxied)?;
        Ok(Self {
            canonical: canonical(sent_path, &decoded, &query, class)?,
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
        self.canonical.as_ref().unwrap_or(&self.attributes.path)
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

/// The target as text, if it is origin-form.
fn origin_form(target: &[u8]) -> Result<&str, Refusal> {
    if target.first() != Some(&b'/') {
        return Err(Refusal::malformed("the request target is not origin-form")
            .with_remedy("send a path that starts with `/`, without scheme and host"));
    }
    std::str::from_utf8(target).map_err(|_| unprintable(target))
}

/// Refuses what is not printable ASCII, and fragments.
fn check_printable(target: &[u8]) -> Result<(), Refusal> {
    // All bytes at once: faster than to stop at the first that is wrong, which hardly any is.
    let printable = |byte: &u8| matches!(byte, 0x21..=0x7e) & (*byte != b'#');
    if target.iter().fold(true, |all, byte| all & printable(byte)) {
        Ok(())
    } else {
        Err(unprintable(target))
    }
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
    let mut words = [Word::EMPTY; 3];
    for (word, segment) in words.iter_mut().zip(segments) {
        *word = segment.word();
    }
    let [first, second, third] = words;
    let known = match (segments.len(), [first.text, second.text, third.text]) {
        (1, ["api" | "apis" | "version" | "healthz" | "livez" | "readyz", ..]) | (2, ["openapi", "v2", _]) => true,
        (2, ["api", version, _]) => names::is_kube_version(version),
        (2, ["apis", ..]) => second.is_dns_subdomain(),
        (3, ["apis", ..]) => second.is_dns_subdomain() && third.is_version(),
        (2.., ["openapi", "v3", _]) => segments.iter().all(|segment| is_plain(segment.word())),
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
fn is_plain(segment: Word<'_>) -> bool {
    segment.alphabets.contain(Alphabets::UNRESERVED)
}

fn check_resource_path(method: &Method, path: &ResourcePath<'_>) -> Result<(), Refusal> {
    refuse_escapes(path.before)?;
    if let [resource, rest @ ..] = path.parts {
        refuse_escapes(std::slice::from_ref(resource))?;
        refuse_escapes(rest.split_at_checked(1).map_or(&[], |(_, after_name)| after_name))?;
    }
    let wrong = |what: &str, word: Word<'_>| Err(Refusal::malformed(format!("{what}: {}", Quoted(word.text))));
    if path.prefix == "apis" && !path.group.is_dns_subdomain() {
        return wrong("the group is not a lower-case DNS subdomain", path.group);
    }
    if !path.version.is_version() {
        return wrong("the version is not of the form v1", path.version);
    }
    if !path.namespace.is_empty() && !path.namespace.is_dns_label() {
        return wrong("the namespace is not a DNS label", path.namespace);
    }
    if !path.resource().is_dns_label() {
        return wrong("the resource is not a lower-case DNS label", path.resource());
    }
    if path.resource().text == "namespaces" && path.prefix == "apis" {
        return wrong("namespaces exist in the core group only, not in", path.group);
    }
    let subresource = path.subresource();
    let metric = || METRICS_GROUPS.contains(&path.group.text) && names::is_metric(subresource.text);
    if !subresource.is_empty() && !subresource.is_subresource() && !metric() {
        return wrong("the subresource is not a lower-case word", subresource);
    }
    if path.parts.len() > 3 && subresource.text != "proxy" {
        return wrong("more path after the subresource", subresource);
    }
    if path.name().is_empty() && matches!(*method, Method::PUT | Method::PATCH) {
        return Err(Refusal::malformed(format!("{method} without a name")).with_remedy("name the object in the path"));
    }
    Ok(())
}

fn query_class(method: &Method, path: &ResourcePath<'_>, pairs: &Pairs<'_>) -> QueryClass {
    let (group, resource, subresource) = (path.group.text, path.resource().text, path.subresource().text);
    match (group, resource, subresource) {
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
        _ if (group, resource, subresource) == ("", "pods", "log") => QueryClass::Log,
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
        api_group: text(path.group.text),
        api_version: text(path.version.text),
        namespace: text(path.namespace.text),
        resource: path.resource().text.into(),
        subresource: text(path.subresource().text),
        name: text(name),
        before_resource: path.before.len(),
        field_selector: selector("fieldSelector"),
        label_selector: selector("labelSelector"),
        path: decoded_path,
    }
}

/// A text that often is one of two.
fn text(text: &str) -> SmolStr {
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

/// Path and query as they are sent, where that is not the decoded path; escapes must not make the query longer than it may
/// be.
fn canonical(
    sent_path: Option<SmolStr>,
    decoded_path: &SmolStr,
    query: &Query,
    class: QueryClass,
) -> Result<Option<SmolStr>, Refusal> {
    if query.is_empty() {
        return Ok(sent_path);
    }
    let path = sent_path.as_ref().unwrap_or(decoded_path);
    let mut target = String::from(path.as_str());
    query.write(&mut target);
    class.check_len(target.len().saturating_sub(path.len() + 1))?;
    Ok(Some(target.into()))
}
