//! Method and URL: parsed exactly, refused, or written anew.

use std::fmt::Write as _;

use http::{Method, StatusCode};

use super::attributes::{Attributes, Verb};
use super::catalog_table::METRICS_GROUPS;
use super::classify::{self, Layout, ResourcePath, Segment};
use super::names;
use super::percent::{self, DecodeError};
use super::query::{Pairs, Query};
use super::query_keys::Class as QueryClass;
use super::quote::Quoted;
use crate::refusal::{Class, Refusal};

const MAX_PATH: usize = 4096;

/// Method and URL, parsed exactly.
///
/// Knows no catalog and no header: whether the resource exists is for [`Gate::head`](super::Gate::head) to say.
#[derive(Debug, Clone)]
pub struct Target {
    pub(super) method: Method,
    pub(super) attributes: Attributes,
    pub(super) query: Query,
    pub(super) in_namespace: bool,
    /// Canonical path.
    path: String,
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
        let (raw_path, raw_query) = target.split_once('?').unwrap_or((target, ""));
        if raw_path.len() > MAX_PATH {
            return Err(Refusal::malformed(format!("the path is longer than {MAX_PATH} bytes")));
        }
        let (segments, trailing_slash) = split_path(raw_path)?;
        let pairs = Pairs::split(raw_query)?;
        match classify::layout(&segments) {
            Layout::NonResource { prefix } => {
                check_discovery(&method, &segments)?;
                let query = pairs.check(QueryClass::Discovery)?;
                let mut attributes =
                    Attributes::non_resource(non_resource_verb(&method), decoded(&segments, trailing_slash));
                prefix.clone_into(&mut attributes.api_prefix);
                Ok(Self {
                    method,
                    attributes,
                    query,
                    in_namespace: false,
                    path: canonical(&segments, 0, false),
                    canonicalized: trailing_slash,
                })
            }
            Layout::VerbInPath(word) => Err(Refusal::new(
                StatusCode::BAD_REQUEST,
                Class::Unsupported,
                format!("the deprecated /{word}/ prefix is not supported"),
            )
            .with_remedy("watch with `?watch=true` on the collection")),
            Layout::Resource(path) => {
                check_resource_path(&method, &path)?;
                let class = query_class(&method, &path, &pairs);
                let query = pairs.check(class)?;
                let proxied = path.subresource() == "proxy";
                Ok(Self {
                    attributes: resource_attributes(&method, &path, class, &query, decoded(&segments, trailing_slash)),
                    query,
                    in_namespace: path.in_namespace,
                    // Below `proxy` the backend sees the slash.
                    path: canonical(&segments, path.before.len() + 3, trailing_slash && proxied),
                    canonicalized: trailing_slash && !proxied,
                    method,
                })
            }
        }
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
    pub fn path_and_query(&self) -> String {
        let mut target = self.path.clone();
        self.query.write(&mut target);
        target
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
    if let Some(byte) = target.iter().find(|byte| !matches!(byte, 0x21..=0x7e)) {
        return Err(
            Refusal::malformed(format!("byte 0x{byte:02x} in the request target")).with_remedy("percent-encode it")
        );
    }
    if target.contains(&b'#') {
        return Err(Refusal::malformed("fragment in the request target"));
    }
    std::str::from_utf8(target).map_err(|_| Refusal::malformed("the request target is not ASCII"))
}

/// Splits the raw path, then decodes each segment once. The flag is whether a trailing slash was there.
fn split_path(raw: &str) -> Result<(Vec<Segment<'_>>, bool), Refusal> {
    let mut segments = Vec::with_capacity(8);
    // The path starts with a slash, so the text before the first one is empty.
    let mut rest = raw.split('/').skip(1).peekable();
    let mut trailing_slash = false;
    while let Some(raw_segment) = rest.next() {
        if !raw_segment.is_empty() {
            segments.push(decode_segment(raw_segment)?);
        } else if rest.peek().is_none() && !segments.is_empty() {
            trailing_slash = true;
        } else if rest.peek().is_some() || raw != "/" {
            return Err(Refusal::malformed("empty path segment").with_remedy("write each `/` once"));
        }
    }
    Ok((segments, trailing_slash))
}

fn decode_segment(raw: &str) -> Result<Segment<'_>, Refusal> {
    let text = percent::decode_segment(raw).map_err(|error| {
        let refusal = Refusal::malformed(format!("{error} in path segment {}", Quoted(raw)));
        match error {
            DecodeError::OverEncoded => refusal.with_remedy("write letters, digits and `-._~` plainly"),
            DecodeError::Malformed | DecodeError::NotUtf8 => refusal,
        }
    })?;
    if text == "." || text == ".." {
        return Err(Refusal::malformed("dot segment in the path"));
    }
    if text.contains([';', '\\']) {
        return Err(Refusal::malformed(format!(
            "`;` or `\\` in path segment {}",
            Quoted(raw)
        )));
    }
    if text.contains(|c: char| matches!(c, '/' | '%' | '\0'..='\u{1f}' | '\u{7f}')) {
        return Err(Refusal::malformed(format!(
            "encoded separator, percent sign or control character in path segment {}",
            Quoted(raw)
        )));
    }
    Ok(Segment {
        text,
        escaped: raw.contains('%'),
    })
}

fn refuse_escapes(segments: &[Segment<'_>]) -> Result<(), Refusal> {
    match segments.iter().find(|segment| segment.escaped) {
        None => Ok(()),
        Some(segment) => Err(Refusal::malformed(format!(
            "percent escape outside the object name, in segment {}",
            Quoted(segment.as_str())
        ))),
    }
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
    let metric = METRICS_GROUPS.contains(&path.group) && names::is_metric(subresource);
    if !subresource.is_empty() && !names::is_subresource(subresource) && !metric {
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
    decoded_path: String,
) -> Attributes {
    let named = !path.name().is_empty();
    let verb = classify::resource_verb(method, named, class == QueryClass::Watch);
    // A selector names the object of a list or a watch, and never that of a deletecollection.
    let name = match verb {
        Verb::List | Verb::Watch => query.selected_name().unwrap_or(""),
        _ => path.name(),
    };
    let selector = |key| match verb {
        Verb::List | Verb::Watch | Verb::DeleteCollection => query.get(key).unwrap_or("").to_owned(),
        _ => String::new(),
    };
    Attributes {
        is_resource_request: true,
        verb,
        api_prefix: path.prefix.to_owned(),
        api_group: path.group.to_owned(),
        api_version: path.version.to_owned(),
        namespace: path.namespace.to_owned(),
        resource: path.resource().to_owned(),
        subresource: path.subresource().to_owned(),
        name: name.to_owned(),
        parts: path.parts.iter().map(|part| part.text.clone().into_owned()).collect(),
        field_selector: selector("fieldSelector"),
        label_selector: selector("labelSelector"),
        path: decoded_path,
    }
}

fn non_resource_verb(method: &Method) -> Verb {
    if *method == Method::HEAD { Verb::Head } else { Verb::Get }
}

/// The path as upstream sees it.
fn decoded(segments: &[Segment<'_>], trailing_slash: bool) -> String {
    let mut path = String::with_capacity(64);
    for segment in segments {
        // Writing to a String can't fail.
        let _ = write!(path, "/{}", segment.text);
    }
    if trailing_slash {
        path.push('/');
    }
    path
}

/// The path as it is sent. From `verbatim` on, segments are written as they came: no escape is accepted there, so that
/// one that is written could not be read again.
fn canonical(segments: &[Segment<'_>], verbatim: usize, trailing_slash: bool) -> String {
    let mut path = String::with_capacity(64);
    for (index, segment) in segments.iter().enumerate() {
        path.push('/');
        if index < verbatim {
            percent::push_segment(&mut path, segment.as_str());
        } else {
            path.push_str(segment.as_str());
        }
    }
    if trailing_slash {
        path.push('/');
    }
    path
}
