//! Method and URL: parsed exactly, refused, or written anew.

use http::{Method, StatusCode};
use smol_str::SmolStr;

use super::alphabets::Alphabets;
use super::attributes::{Attributes, Verb};
use super::canonical::Parts;
use super::catalog_table::METRICS_GROUPS;
use super::classify::{self, Layout, ResourcePath};
use super::names::{self, Word};
use super::path::{Path, Segment, refuse_escapes};
use super::query::{Pairs, Query};
use super::query_keys::Class as QueryClass;
use super::quote::Quoted;
use super::text::Text;
use crate::refusal::{Class, Refusal};

/// Method and URL, parsed exactly.
///
/// Knows no catalog and no header: whether the resource exists is for [`Gate::head`](super::Gate::head) to say.
#[derive(Debug, Clone)]
pub struct Target {
    pub(super) parts: Box<Parts>,
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
        let pairs = match raw_query {
            "" => None,
            raw_query => Some(Pairs::split(raw_query)?),
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

    fn discovery(
        method: &'static Method,
        path: &Path<'_>,
        pairs: Option<Pairs<'_>>,
        prefix: &str,
    ) -> Result<Self, Refusal> {
        check_discovery(method, &path.segments)?;
        let mut parts = Parts::new(method);
        parts.attributes.verb = if *method == Method::HEAD { Verb::Head } else { Verb::Get };
        parts.attributes.api_prefix = api_prefix(prefix);
        if let Some(pairs) = pairs {
            parts.query = pairs.check(QueryClass::Discovery)?;
        }
        parts.canonicalized = path.trailing_slash;
        write_path(&mut parts, path, QueryClass::Discovery, path.canonical(0, false)?)?;
        Ok(Self { parts })
    }

    fn resource(
        method: &'static Method,
        path: &Path<'_>,
        pairs: Option<Pairs<'_>>,
        resource: &ResourcePath<'_>,
    ) -> Result<Self, Refusal> {
        if !path.is_plain() {
            check_escapes(resource)?;
        }
        check_resource_path(method, resource)?;
        let class = query_class(method, resource, pairs.as_ref());
        let mut parts = Parts::new(method);
        if let Some(pairs) = pairs {
            parts.query = pairs.check(class)?;
        }
        // Below `proxy` the backend sees the slash.
        let proxied = resource.subresource().text == "proxy";
        let Parts { attributes, query, .. } = &mut *parts;
        fill_in(attributes, method, resource, class, query);
        parts.canonicalized = path.trailing_slash && !proxied;
        parts.in_namespace = resource.in_namespace;
        let sent_path = if path.is_plain() {
            None
        } else {
            path.canonical(resource.before.len() + 3, proxied)?
        };
        write_path(&mut parts, path, class, sent_path)?;
        Ok(Self { parts })
    }

    /// What the API server concludes.
    #[must_use]
    pub fn attributes(&self) -> &Attributes {
        &self.parts.attributes
    }

    /// HTTP method.
    #[must_use]
    pub fn method(&self) -> &Method {
        self.parts.method
    }

    /// Canonical path and query: what is sent.
    #[must_use]
    pub fn path_and_query(&self) -> &str {
        self.parts.path_and_query()
    }

    /// Whether the path lost its trailing slash.
    #[must_use]
    pub fn is_canonicalized(&self) -> bool {
        self.parts.canonicalized
    }
}

fn parse_method(method: &str) -> Result<&'static Method, Refusal> {
    static GET: Method = Method::GET;
    static HEAD: Method = Method::HEAD;
    static POST: Method = Method::POST;
    static PUT: Method = Method::PUT;
    static PATCH: Method = Method::PATCH;
    static DELETE: Method = Method::DELETE;
    Ok(match method {
        "GET" => &GET,
        "HEAD" => &HEAD,
        "POST" => &POST,
        "PUT" => &PUT,
        "PATCH" => &PATCH,
        "DELETE" => &DELETE,
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

/// Only names of objects have escapes.
fn check_escapes(path: &ResourcePath<'_>) -> Result<(), Refusal> {
    refuse_escapes(path.before)?;
    if let [resource, rest @ ..] = path.parts {
        refuse_escapes(std::slice::from_ref(resource))?;
        refuse_escapes(rest.split_at_checked(1).map_or(&[], |(_, after_name)| after_name))?;
    }
    Ok(())
}

fn check_resource_path(method: &Method, path: &ResourcePath<'_>) -> Result<(), Refusal> {
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
    let resource = path.resource();
    if !resource.is_dns_label() {
        return wrong("the resource is not a lower-case DNS label", resource);
    }
    if resource.text == "namespaces" && path.prefix == "apis" {
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

fn query_class(method: &Method, path: &ResourcePath<'_>, pairs: Option<&Pairs<'_>>) -> QueryClass {
    let subresource = path.subresource().text;
    let mut is_log = false;
    if !subresource.is_empty() {
        match (path.group.text, path.resource().text, subresource) {
            (_, _, "proxy") => return QueryClass::Proxy,
            ("", "pods", "exec") => return QueryClass::Exec,
            ("", "pods", "attach") => return QueryClass::Attach,
            ("", "pods", "portforward") => return QueryClass::PortForward,
            ("", "pods", "log") => is_log = true,
            _ => {}
        }
    }
    let named = !path.name().is_empty();
    match *method {
        Method::POST | Method::PUT => QueryClass::Write,
        Method::PATCH => QueryClass::Patch,
        Method::DELETE if named => QueryClass::Delete,
        Method::DELETE => QueryClass::DeleteCollection,
        _ if is_log => QueryClass::Log,
        _ if named => QueryClass::Read,
        _ if pairs.is_some_and(Pairs::asks_watch) => QueryClass::Watch,
        _ => QueryClass::List,
    }
}

/// Writes what the path, and a selector of a name, say into attributes that are empty; all but the path itself.
fn fill_in(attributes: &mut Attributes, method: &Method, path: &ResourcePath<'_>, class: QueryClass, query: &Query) {
    let verb = classify::resource_verb(method, !path.name().is_empty(), class == QueryClass::Watch);
    attributes.is_resource_request = true;
    attributes.verb = verb;
    attributes.api_prefix = api_prefix(path.prefix);
    attributes.before_resource = path.before.len();
    let set = |empty: &mut Text, text: &str| {
        if !text.is_empty() {
            empty.set(text);
        }
    };
    set(&mut attributes.api_group, path.group.text);
    set(&mut attributes.api_version, path.version.text);
    set(&mut attributes.namespace, path.namespace.text);
    set(&mut attributes.resource, path.resource().text);
    set(&mut attributes.subresource, path.subresource().text);
    // A selector names the object of a list or a watch, and never that of a deletecollection.
    let name = match verb {
        Verb::List | Verb::Watch => query.selected_name().unwrap_or(""),
        _ => path.name(),
    };
    set(&mut attributes.name, name);
    if matches!(verb, Verb::List | Verb::Watch | Verb::DeleteCollection) {
        set(&mut attributes.field_selector, query.get("fieldSelector").unwrap_or(""));
        set(&mut attributes.label_selector, query.get("labelSelector").unwrap_or(""));
    }
}

fn api_prefix(prefix: &str) -> &'static str {
    match prefix {
        "api" => "api",
        "apis" => "apis",
        _ => "",
    }
}

/// Writes the path as upstream sees it, and path and query as they are sent where that is something else; escapes must not
/// make the query longer than it may be.
fn write_path(
    parts: &mut Parts,
    path: &Path<'_>,
    class: QueryClass,
    sent_path: Option<SmolStr>,
) -> Result<(), Refusal> {
    path.decode_into(&mut parts.attributes.path);
    if parts.query.is_empty() {
        if sent_path.is_some() {
            parts.target = sent_path;
        }
        return Ok(());
    }
    let path = sent_path.as_deref().unwrap_or(&parts.attributes.path);
    let mut target = String::from(path);
    let path_len = target.len();
    parts.query.write(&mut target);
    class.check_len(target.len().saturating_sub(path_len + 1))?;
    parts.target = Some(target.into());
    Ok(())
}
